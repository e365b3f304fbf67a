"""Settings: values, defaults and precedence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks.model.config import MaxFailures, RunConfig, Selection, Settings
from cpi_tasks.model.naming import (
    DeployProof,
    DraftPolicy,
    DriftPolicy,
    FailurePolicy,
    Mode,
    ParameterPolicy,
    PollingPolicy,
    SameVersionPolicy,
    ValueMappingPolicy,
    VerifyPolicy,
    VersionPolicy,
)

Write = Callable[[str, str], Path]
Run = Callable[..., RunConfig]
Complaints = Callable[..., list[str]]

FILES = "packagesDir: packages\ndeployConfig: config.yml\n"


def environment(write: Write, text: str) -> None:
    write("environments/x.yml", FILES + text)


def section(write: Write, text: str) -> None:
    write("config.yml", CONFIG + "orchestrator:\n" + text)


CONFIG = """packages:
  - integrationSuiteId: Sales
    packageDir: Sales
"""


def test_defaults(run: Run) -> None:
    """Without any setting the documented defaults hold."""
    expected = Settings(
        mode=Mode.UPDATE_AND_DEPLOY,
        keep_temp=False,
        force=False,
        parallel_deployments=3,
        max_parallel_deployments=9,
        deploy_delay_s=15.0,
        deploy_timeout_s=600.0,
        request_timeout_s=180.0,
        designtime_rate=9.0,
        runtime_rate=45.0,
        parameter_policy=ParameterPolicy.OVERRIDES,
        value_mappings=ValueMappingPolicy.SAFE,
        on_draft=DraftPolicy.FAIL,
        versioning=VersionPolicy.MANIFEST,
        allow_downgrade=False,
        deploy_proof=DeployProof.STRICT,
        on_same_version=SameVersionPolicy.WARN,
        verify=VerifyPolicy.PARAMETERS,
        on_drift=DriftPolicy.WARN,
        is_protected=False,
        is_strict=False,
        polling=PollingPolicy.ADAPTIVE,
        outage_budget_s=300.0,
        on_failure=FailurePolicy.CONTINUE,
        max_failures=None,
        interrupt_grace_s=5.0,
    )
    assert expected == run().settings


def test_every_setting_of_the_file(write: Write, run: Run) -> None:
    """Every accepted key reaches the settings."""
    text = """mode: update-only
keepTemp: true
parallelDeployments: 4
maxParallelDeployments: 2
deployRetries: 7
deployDelaySeconds: 2.5
deployTimeoutSeconds: 42
requestTimeoutSeconds: 60
requestsPerSecond: {designtime: 5.5, runtime: 2000}
parameterPolicy: all
valueMappings: replace
onDraft: skip
versioning: exact
deployProof: versions
onSameVersion: fail
verify: full
onDrift: overwrite
protected: true
polling: fixed
outageBudgetSeconds: 60
onFailure: stop
maxFailures: 10%
interruptGraceSeconds: 2.5
"""
    environment(write, text)
    expected = Settings(
        mode=Mode.UPDATE_ONLY,
        keep_temp=True,
        force=True,
        parallel_deployments=4,
        max_parallel_deployments=2,
        deploy_delay_s=2.5,
        deploy_timeout_s=42.0,
        request_timeout_s=60.0,
        designtime_rate=5.5,
        runtime_rate=2000.0,
        parameter_policy=ParameterPolicy.ALL,
        value_mappings=ValueMappingPolicy.REPLACE,
        on_draft=DraftPolicy.SKIP,
        versioning=VersionPolicy.EXACT,
        allow_downgrade=True,
        deploy_proof=DeployProof.VERSIONS,
        on_same_version=SameVersionPolicy.FAIL,
        verify=VerifyPolicy.FULL,
        on_drift=DriftPolicy.OVERWRITE,
        is_protected=True,
        is_strict=True,
        polling=PollingPolicy.FIXED,
        outage_budget_s=60.0,
        on_failure=FailurePolicy.STOP,
        max_failures=MaxFailures(amount=10.0, is_share=True),
        interrupt_grace_s=2.5,
    )
    assert expected == run(Selection(env="x", force=True, allow_downgrade=True, strict=True)).settings


def test_zero_is_a_value(write: Write, run: Run) -> None:
    """No outage is waited out, no failure is allowed and nothing may end after an interruption: 0 is no default."""
    environment(write, "outageBudgetSeconds: 0\nmaxFailures: 0\ninterruptGraceSeconds: 0\n")
    found = run().settings
    assert (found.outage_budget_s, found.interrupt_grace_s) == (0.0, 0.0)
    assert found.max_failures == MaxFailures(amount=0.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", MaxFailures(amount=5.0)),
        ("12.5%", MaxFailures(amount=12.5, is_share=True)),
        ("'10 %'", MaxFailures(amount=10.0, is_share=True)),
        ("100%", MaxFailures(amount=100.0, is_share=True)),
        ("0%", MaxFailures(amount=0.0, is_share=True)),
        ("", None),
    ],
)
def test_failures_as_number_or_share(write: Write, run: Run, text: str, expected: MaxFailures | None) -> None:
    """A number counts artifacts, with a percent sign it is a share of them; without a value there is no limit."""
    environment(write, f"maxFailures: {text}\n")
    assert expected == run().settings.max_failures


def test_failure_flags_win(write: Write, run: Run) -> None:
    """What to do about failures: flag over environment file over orchestrator section, also for milder values."""
    section(write, "  onFailure: stop\n  maxFailures: 1\n")
    found = run().settings
    assert (found.on_failure, found.max_failures) == (FailurePolicy.STOP, MaxFailures(amount=1.0))
    environment(write, "onFailure: continue\nmaxFailures: 50%\n")
    found = run().settings
    assert (found.on_failure, found.max_failures) == (
        FailurePolicy.CONTINUE,
        MaxFailures(amount=50.0, is_share=True),
    )
    found = run(Selection(env="x", on_failure="stop", max_failures="0")).settings
    assert (found.on_failure, found.max_failures) == (FailurePolicy.STOP, MaxFailures(amount=0.0))


@pytest.mark.parametrize(("parallel", "expected"), [(1, 3), (2, 6), (3, 9), (4, 10), (10, 10), (25, 25)])
def test_default_of_the_overall_limit(write: Write, run: Run, parallel: int, expected: int) -> None:
    """The lower of 10 and three times the limit per package, never below that limit."""
    environment(write, f"parallelDeployments: {parallel}\n")
    assert expected == run().settings.max_parallel_deployments


@pytest.mark.parametrize(
    ("text", "flags", "expected"),
    [
        ("", Selection(env="x"), 600.0),
        ("deployRetries: 10\n", Selection(env="x"), 150.0),
        ("deployDelaySeconds: 30\n", Selection(env="x"), 150.0),
        ("deployRetries: 10\ndeployDelaySeconds: 30\n", Selection(env="x"), 300.0),
        ("deployRetries: 10\n", Selection(env="x", deploy_delay="2"), 20.0),
        ("deployTimeoutSeconds: 90\n", Selection(env="x", deploy_delay="2", deploy_retries="3"), 90.0),
        ("deployTimeoutSeconds: 90\n", Selection(env="x", deploy_timeout="33.5"), 33.5),
    ],
)
def test_time_for_one_artifact(write: Write, run: Run, text: str, flags: Selection, expected: float) -> None:
    """Retries times delay counts only if either was written down; the direct setting is stronger."""
    environment(write, text)
    assert expected == run(flags).settings.deploy_timeout_s


def test_retries_of_the_orchestrator_section_count_as_written_down(write: Write, run: Run) -> None:
    """Also the deploy configuration can set the time."""
    section(write, "  deployRetries: 4\n")
    assert run().settings.deploy_timeout_s == 60.0


def test_precedence(write: Write, run: Run) -> None:
    """Flag over environment file over orchestrator section over default."""
    section(write, "  parallelDeployments: 1\n  keepTemp: true\n  requestsPerSecond: {designtime: 1, runtime: 1}\n")
    assert run().settings.parallel_deployments == 1
    environment(write, "parallelDeployments: 2\nkeepTemp: false\nrequestsPerSecond: {runtime: 2}\n")
    found = run().settings
    assert (
        found.parallel_deployments,
        found.keep_temp,
        found.designtime_rate,
        found.runtime_rate,
    ) == (2, False, 1.0, 2.0)
    flags = Selection(env="x", parallel_deployments="7", keep_temp=True, max_parallel_deployments="5")
    found = run(flags).settings
    assert (found.parallel_deployments, found.keep_temp, found.max_parallel_deployments) == (7, True, 5)


def test_precedence_of_what_may_be_changed(write: Write, run: Run) -> None:
    """The environment file beats the section, and a flag beats both, also where it gives the milder value."""
    section(write, "  versioning: exact\n  verify: cached\n  onDrift: fail\n  protected: true\n")
    found = run().settings
    assert (found.versioning, found.verify) == (VersionPolicy.EXACT, VerifyPolicy.CACHED)
    assert (found.on_drift, found.is_protected) == (DriftPolicy.FAIL, True)
    environment(write, "versioning: bump\nverify: parameters\nonDrift: warn\nprotected: false\n")
    found = run().settings
    assert (found.versioning, found.verify) == (VersionPolicy.BUMP, VerifyPolicy.PARAMETERS)
    assert (found.on_drift, found.is_protected) == (DriftPolicy.WARN, False)
    found = run(Selection(env="x", verify="full", on_drift="fail")).settings
    assert (found.verify, found.on_drift) == (VerifyPolicy.FULL, DriftPolicy.FAIL)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", DriftPolicy.WARN),
        ("protected: false\n", DriftPolicy.WARN),
        ("protected: true\n", DriftPolicy.FAIL),
        ("protected: true\nonDrift: warn\n", DriftPolicy.WARN),
        ("onDrift: fail\n", DriftPolicy.FAIL),
    ],
)
def test_drift_stops_a_run_on_a_protected_tenant(write: Write, run: Run, text: str, expected: DriftPolicy) -> None:
    """Protection alone decides what happens where nobody says what is to be done about drift."""
    environment(write, text)
    assert expected is run().settings.on_drift


@pytest.mark.parametrize("policy", list(DriftPolicy))
@pytest.mark.parametrize("text", ["", "protected: true\n", "onDrift: fail\n", "onDrift: overwrite\n"])
def test_the_flag_decides_about_drift(write: Write, run: Run, text: str, policy: DriftPolicy) -> None:
    """``--on-drift`` wins over the environment file and over what protection implies."""
    environment(write, text)
    assert policy is run(Selection(env="x", on_drift=policy.value)).settings.on_drift


def test_run_folder_of_the_command_line(run: Run, tmp_path: Path) -> None:
    """Where run folders go is given by a flag alone, relative to the current folder."""
    (tmp_path / "sub").mkdir()
    assert run().run_dir is None
    assert tmp_path / "runs" == run(Selection(env="x", run_dir="../runs"), cwd=tmp_path / "sub").run_dir
    assert tmp_path / "elsewhere" == run(Selection(env="x", run_dir=str(tmp_path / "elsewhere"))).run_dir


def test_mode_flag_wins(write: Write, run: Run) -> None:
    """A mode chosen by flag or task overrides the file."""
    environment(write, "mode: update-only\n")
    assert Mode.DEPLOY_ONLY is run(Selection(env="x", mode=Mode.DEPLOY_ONLY)).settings.mode


def test_false_flag_overrides_a_true_setting(write: Write, run: Run) -> None:
    """A boolean flag given as false is not the same as one not given."""
    environment(write, "keepTemp: true\n")
    assert not run(Selection(env="x", keep_temp=False)).settings.keep_temp


def test_empty_values_in_a_file_are_not_given(write: Write, run: Run) -> None:
    """A key without a value, or with an empty text, leaves the default."""
    text = "parallelDeployments:\nmode: ''\nkeepTemp: ~\nrequestsPerSecond:\ndeploymentPrefix: ''\npackageFilter:\n"
    environment(write, text)
    assert Settings() == run().settings


def test_numbers_from_variables(write: Write, run: Run) -> None:
    """A value that is one variable may fill a number or a boolean."""
    environment(write, "deployRetries: ${R}\nkeepTemp: '${K}'\n")
    variables = {"R": "3", "K": "true", "CPI_HOST": "h.example.com", "CPI_USERNAME": "u", "CPI_PASSWORD": "p"}
    found = run(variables=variables).settings
    assert (found.deploy_timeout_s, found.keep_temp) == (45.0, True)


def test_value_of_a_variable_is_never_shown(write: Write, complaints: Complaints) -> None:
    """A wrong value that came from a variable is named by the variable."""
    environment(write, "deployRetries: ${S}\nmode: ${S}\ndeploymentPrefix: 'A-${S}'\n")
    variables = {"S": "hunter2", "CPI_HOST": "h.example.com", "CPI_USERNAME": "u", "CPI_PASSWORD": "p"}
    found = complaints(variables=variables)
    assert len(found) == 3
    assert not any("hunter2" in each for each in found)
    assert found[0] == "environments/x.yml:3:16: deployRetries: the value of '${S}' is not a number"
