"""Wrong settings, in files and flags."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks.environment import Loaded
from cpi_tasks.model.config import RunConfig, Selection
from cpi_tasks.model.naming import Mode

Write = Callable[[str, str], Path]
Load = Callable[..., Loaded]
Run = Callable[..., RunConfig]
Complaints = Callable[..., list[str]]

FILES = "packagesDir: packages\ndeployConfig: config.yml\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("deployRetries: 0", "3:16: deployRetries: must be at least 1, not '0'"),
        ("deployRetries: 2.5", "3:16: deployRetries: must be a whole number, not '2.5'"),
        ("deployRetries: true", "3:16: deployRetries: 'true' is not a number"),
        ("deployRetries: '5'", "3:16: deployRetries: '5' is not a number"),
        ("deployRetries: 010", "3:16: deployRetries: '010' is not a number"),
        ("deployRetries: .inf", "3:16: deployRetries: '.inf' is not a number"),
        ("deployRetries: 99999999", "3:16: deployRetries: must be at most 1000000, not '99999999'"),
        ("deployRetries: [1]", "3:16: deployRetries: must be a number, not a list"),
        ("parallelDeployments: -3", "3:22: parallelDeployments: must be at least 1, not '-3'"),
        ("maxParallelDeployments: 0", "3:25: maxParallelDeployments: must be at least 1, not '0'"),
        ("deployDelaySeconds: 0", "3:21: deployDelaySeconds: must be greater than 0, not '0'"),
        ("deployTimeoutSeconds: -1.5", "3:23: deployTimeoutSeconds: must be greater than 0, not '-1.5'"),
        ("requestTimeoutSeconds: soon", "3:24: requestTimeoutSeconds: 'soon' is not a number"),
        ("requestsPerSecond: {runtime: 0}", "3:30: requestsPerSecond.runtime: must be greater than 0, not '0'"),
        ("requestsPerSecond: 5", "3:20: requestsPerSecond: must be a mapping of keys"),
        (
            "requestsPerSecond: {runtme: 1}",
            "3:21: requestsPerSecond.runtme: unknown key; did you mean 'runtime'?",
        ),
        ("keepTemp: 1", "3:11: keepTemp: must be true or false, not '1'"),
        ("mergeConfigs: 'yes'", "3:15: mergeConfigs: must be true or false, not 'yes'"),
        ("packageFilter: [A, B]", "3:16: packageFilter: must be text, not a list"),
        ("packageFilter: 007", "3:16: packageFilter: must be text: put '007' in quotes"),
        (
            "mode: update",
            "3:7: mode: 'update' is not one of update-and-deploy, update-only, deploy-only; did you mean 'update-",
        ),
        ("onDraft: Fail", "3:10: onDraft: 'Fail' is not one of fail, overwrite, skip; did you mean 'fail'?"),
        (
            "versioning: manifset",
            "3:13: versioning: 'manifset' is not one of manifest, exact, keep, bump; did you mean 'manifest'?",
        ),
        ("verify: all", "3:9: verify: 'all' is not one of full, parameters, cached"),
        ("onDrift: [warn]", "3:10: onDrift: must be text, not a list"),
        ("onDrift: fails", "3:10: onDrift: 'fails' is not one of warn, overwrite, fail; did you mean 'fail'?"),
        ("protected: 1", "3:12: protected: must be true or false, not '1'"),
        (
            "deploymentPrefix: A-B",
            "3:19: deploymentPrefix: 'A-B' is not a prefix: only letters, digits and underscores",
        ),
        ("packageDir: x", "3:1: packageDir: unknown key; did you mean 'packagesDir'?"),
        ("zzz: x", "3:1: zzz: unknown key"),
        ("deployConfigToken: 5", "3:20: deployConfigToken: must be text: put the value in quotes"),
        ("polling: fast", "3:10: polling: 'fast' is not one of adaptive, fixed"),
        ("onFailure: stopp", "3:12: onFailure: 'stopp' is not one of continue, stop; did you mean 'stop'?"),
        ("maxFailures: -1", "3:14: maxFailures: must be a whole number of at least 0 or a percentage such as 10%, not"),
        (
            "maxFailures: 1.5",
            "3:14: maxFailures: must be a whole number of at least 0 or a percentage such as 10%, not",
        ),
        ("maxFailures: 101%", "3:14: maxFailures: must be between 0% and 100%, not '101%'"),
        ("maxFailures: -5%", "3:14: maxFailures: must be between 0% and 100%, not '-5%'"),
        ("maxFailures: ten%", "3:14: maxFailures: 'ten%' is not a number"),
        ("maxFailures: [1]", "3:14: maxFailures: must be a number, not a list"),
        ("interruptGraceSeconds: -1", "3:24: interruptGraceSeconds: must not be negative, as '-1' is"),
        ("outageBudgetSeconds: -1", "3:22: outageBudgetSeconds: must not be negative, as '-1' is"),
    ],
)
def test_wrong_setting_in_the_environment_file(write: Write, complaints: Complaints, text: str, expected: str) -> None:
    """Every wrong setting is reported with line, column and path."""
    write("environments/x.yml", FILES + text + "\n")
    (found,) = complaints()
    assert found.startswith(f"environments/x.yml:{expected}")


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (Selection(env="x", deploy_delay="abc"), "--deploy-delay: 'abc' is not a number"),
        (Selection(env="x", deploy_retries="0"), "--deploy-retries: must be at least 1, not '0'"),
        (Selection(env="x", deploy_retries="1.5"), "--deploy-retries: must be a whole number, not '1.5'"),
        (Selection(env="x", deploy_retries=""), "--deploy-retries: '' is not a number"),
        (Selection(env="x", parallel_deployments="-1"), "--parallel-deployments: must be at least 1, not '-1'"),
        (Selection(env="x", max_parallel_deployments="x"), "--max-parallel-deployments: 'x' is not a number"),
        (Selection(env="x", on_failure="halt"), "--on-failure: 'halt' is not one of continue, stop"),
        (Selection(env="x", on_failure=""), "--on-failure: must not be empty"),
        (
            Selection(env="x", on_drift="fails"),
            "--on-drift: 'fails' is not one of warn, overwrite, fail; did you mean 'fail'?",
        ),
        (Selection(env="x", on_drift=""), "--on-drift: must not be empty"),
        (Selection(env="x", max_failures="-1"), "--max-failures: must be a whole number of at least 0 or a percentage"),
        (Selection(env="x", max_failures=""), "--max-failures: must not be empty"),
        (Selection(env="x", deploy_timeout="0"), "--deploy-timeout: must be greater than 0, not '0'"),
        (Selection(env="x", deployment_prefix="a b"), "--deployment-prefix: 'a b' is not a prefix: only letters"),
        (Selection(env="x", packages_dir=" "), "--packages-dir: must not be empty"),
        (Selection(env="x", deploy_config=""), "--deploy-config: must not be empty"),
        (Selection(env="x", config_pattern=""), "--config-pattern: must not be empty"),
        (Selection(env="x", run_dir=" "), "--run-dir: must not be empty"),
        (Selection(env="x", verify=""), "--verify: must not be empty"),
        (Selection(env="x", verify="Full"), "--verify: 'Full' is not one of full, parameters, cached; did you mean"),
    ],
)
def test_wrong_flag(complaints: Complaints, flags: Selection, expected: str) -> None:
    """A wrong flag is named as it is typed, with the command line as its place."""
    (found,) = complaints(flags)
    assert found.startswith(f"command line: {expected}")


def test_all_problems_of_all_places_at_once(write: Write, complaints: Complaints) -> None:
    """Flags, environment file and deploy configuration are reported together, sorted by place."""
    write("environments/x.yml", FILES + "keepTemp: maybe\nzzz: 1\n")
    write("config.yml", "packages:\n  - packageDir: A\n    integrationSuiteId: A\n    oops: 1\n")
    assert complaints(Selection(env="x", deploy_delay="x")) == [
        "command line: --deploy-delay: 'x' is not a number",
        "config.yml:4:5: packages.0.oops: unknown key",
        "environments/x.yml:3:11: keepTemp: must be true or false, not 'maybe'",
        "environments/x.yml:4:1: zzz: unknown key",
    ]


@pytest.mark.parametrize("content", ["", "- a\n", "a: [\n"])
def test_unreadable_environment_file(write: Write, load: Load, content: str) -> None:
    """Nothing can be built from an environment file that is not a mapping."""
    write("environments/x.yml", content)
    loaded = load()
    assert loaded.run is None
    assert [problem.file for problem in loaded.problems] == ["environments/x.yml"]


def test_packages_dir_is_needed_for_updates(write: Write, load: Load) -> None:
    """A run that updates artifacts needs to know where they are."""
    write("environments/x.yml", "deployConfig: config.yml\n")
    loaded = load()
    assert loaded.run is None
    (problem,) = loaded.problems
    assert "packagesDir is missing" in problem.message
    assert (problem.file, problem.line) == ("environments/x.yml", 1)


def test_packages_dir_is_not_needed_for_deployments_alone(write: Write, run: Run) -> None:
    """A run that only deploys needs no artifact folders."""
    write("environments/x.yml", "deployConfig: config.yml\nmode: deploy-only\n")
    assert len(run().configs[0].packages) == 2


def test_packages_dir_is_not_needed_where_nothing_is_synced(write: Write, run: Run) -> None:
    """Only selected artifacts with sync count."""
    write("environments/x.yml", "deployConfig: config.yml\n")
    assert len(run(Selection(env="x", package_filter="Stock", mode=Mode.DEPLOY_ONLY)).configs[0].packages) == 1
    write(
        "config.yml",
        "packages: [{integrationSuiteId: A, packageDir: A, sync: false, artifacts: "
        "[{artifactId: B, artifactDir: B, type: ValueMapping}]}]\n",
    )
    assert len(run().configs[0].packages) == 1


def test_unset_variable_is_reported_once(write: Write, complaints: Complaints) -> None:
    """What follows from a variable that is not set is not reported as well."""
    text = "packagesDir: ${NOPE}\ndeployConfig: config.yml\ndeployRetries: ${NOPE}\nkeepTemp: ${NOPE}\nmode: ${NOPE}\n"
    write("environments/x.yml", text)
    expected = ["packagesDir", "deployRetries", "keepTemp", "mode"]
    found = complaints()
    assert expected == [each.split(": ")[1] for each in found]
    assert all("the environment variable NOPE is not set" in each for each in found)


@pytest.mark.parametrize("odd", ["\u00a0", "\u200b", "\u2060"])
def test_invisible_characters_in_keys_are_named(write: Write, complaints: Complaints, odd: str) -> None:
    """A key that looks right but is not one gets the reason that nobody can see."""
    write("environments/x.yml", f"{odd}packagesDir: packages\ndeployConfig: config.yml\n")
    assert any(f"unknown key; it contains the invisible character U+{ord(odd[0]):04X}" in each for each in complaints())
