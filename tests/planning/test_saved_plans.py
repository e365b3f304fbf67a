"""A plan as a file: what is in it, what it restores, and what is no saved plan."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from cpi_tasks.errors import InputError
from cpi_tasks.model.config import EmbeddedTenant, Selection, Settings
from cpi_tasks.model.naming import Mode
from cpi_tasks.planning import SavedPlan, read_saved, save_plan, why_stale
from tests.planning.builders import inventory
from tests.planning.saving import NOTHING, ROOT, URL, Situation, flow, library, tenant_side

FLAGS = Selection(
    env="prod",
    packages_dir="packages",
    deploy_config="deploy.yml",
    deployment_prefix="DEV",
    package_filter="Pack",
    artifact_filter="Flow,Library",
    config_pattern="*.yml",
    merge_configs=True,
    on_drift="warn",
    force=True,
    allow_downgrade=True,
    strict=True,
)
HERE = Situation(given=FLAGS)
TEXT = HERE.save()
SAVED = read_saved(TEXT, "plan.json")
PLAIN = Situation().saved()
ELSEWHERE = Path("/builds/7/checkout")


def restored(selection: Selection = NOTHING, *, saved: SavedPlan = SAVED, root: Path = ROOT) -> Selection:
    return saved.restore(selection, root=root, cwd=root)


def problems(selection: Selection, *, saved: SavedPlan = SAVED) -> dict[str | None, str]:
    with pytest.raises(InputError) as raised:
        restored(selection, saved=saved)
    assert {problem.file for problem in raised.value.problems} == {"command line"}
    return {problem.path: problem.message for problem in raised.value.problems}


def test_a_plan_is_read_as_it_was_saved() -> None:
    """Environment, tenant, time, settings and everything that is done come back from the text."""
    assert (SAVED.file, SAVED.made_at) == ("plan.json", "2026-11-26T01:02:03+00:00")
    assert (SAVED.environment, SAVED.environment_file, SAVED.tenant) == ("prod", "environments/prod.yml", URL)
    assert SAVED.settings["versioning"] == "manifest"
    assert {name: facts.does for name, facts in SAVED.facts.items()} == {
        "package 'Pack'": "unchanged",
        "'Pack/Flow'": "update 1.1.0; set host; deploy",
        "'Pack/Library'": "unchanged; is running",
    }
    assert TEXT.endswith("}\n")


def test_every_flag_that_decides_anything_is_restored() -> None:
    """``orchestrate --plan`` needs no other flag to do what was planned."""
    found = restored()

    assert found == replace(
        FLAGS,
        env="/projects/one/environments/prod.yml",
        env_origin="the saved plan",
        packages_dir="/projects/one/packages",
        deploy_config="/projects/one/deploy.yml",
        mode=Mode.UPDATE_AND_DEPLOY,
    )


def test_a_plan_of_an_earlier_release_has_no_flag_for_drift() -> None:
    """It is read as one that was made without the flag."""
    document = json.loads(PLAIN.text)
    assert document["flags"].pop("on_drift") is None
    earlier = read_saved(json.dumps({**document, "seal": ""}), "plan.json")

    assert restored(saved=earlier).on_drift is None


@pytest.mark.parametrize("mode", list(Mode))
def test_the_phases_are_restored(mode: Mode) -> None:
    """What the environment's ``mode`` said then is part of the plan."""
    assert restored(saved=Situation(settings=Settings(mode=mode)).saved()).mode is mode


def test_how_a_plan_is_carried_out_is_said_anew() -> None:
    """Time-outs, numbers of deployments, folders and how much is read again are no part of a plan."""
    how = Selection(
        verify="full", deploy_timeout="9", parallel_deployments="2", run_dir="kept", on_failure="stop", keep_temp=True
    )
    found = restored(how)

    assert replace(found, verify=None) == replace(
        restored(), deploy_timeout="9", parallel_deployments="2", run_dir="kept", on_failure="stop", keep_temp=True
    )
    assert found.verify == "full"


def test_paths_below_the_project_root_fit_another_checkout() -> None:
    """A plan made on a laptop finds the same files of the repository in a CI job."""
    found = restored(root=ELSEWHERE)

    assert found.env == "/builds/7/checkout/environments/prod.yml"
    assert (found.packages_dir, found.deploy_config) == ("/builds/7/checkout/packages", "/builds/7/checkout/deploy.yml")
    assert str(ROOT) not in TEXT


def test_paths_are_the_roots_whatever_folder_they_were_typed_in() -> None:
    """Flags are relative to the current folder, saved paths to the project root."""
    text = save_plan(
        HERE.parts(),
        config=HERE.config(),
        selection=replace(FLAGS, packages_dir="../packages", deploy_config="/shared/deploy.yml"),
        tenant=URL,
        cwd=ROOT / "environments",
        made_at="now",
    )
    found = read_saved(text, "plan.json").restore(NOTHING, root=ELSEWHERE, cwd=ELSEWHERE / "deep" / "below")

    assert found.packages_dir == "/builds/7/checkout/packages"
    assert found.deploy_config == "/shared/deploy.yml"


def test_a_relative_root_means_below_the_current_folder() -> None:
    """Functions take a root as a caller writes it."""
    found = SAVED.restore(NOTHING, root=Path("one"), cwd=Path("/projects"))

    assert found.deploy_config == "/projects/one/deploy.yml"


def test_an_address_is_no_path() -> None:
    """A deploy configuration from the web is restored as it was typed, and may be typed again."""
    address = "https://config.example.com/deploy.yml"
    saved = Situation(given=Selection(deploy_config=address)).saved()

    assert restored(saved=saved, root=ELSEWHERE).deploy_config == address
    assert restored(Selection(deploy_config=address), saved=saved).deploy_config == address


def test_flags_that_say_the_same_may_be_typed_again() -> None:
    """In whatever form: a name or a path of the environment, the mode by its own flag."""
    again = replace(FLAGS, mode_flags=(("--update", "update-and-deploy"),))

    assert restored(again) == restored()
    assert restored(replace(again, env="environments/prod.yml")) == restored()
    assert restored(Selection(orchestrator_config="environments/prod.yml")) == restored()
    assert restored(Selection(packages_dir="/projects/one/packages")) == restored()


@pytest.mark.parametrize(
    ("typed", "flag"),
    [
        (Selection(packages_dir="others"), "--packages-dir"),
        (Selection(deploy_config="others.yml"), "--deploy-config"),
        (Selection(deployment_prefix="QA"), "--deployment-prefix"),
        (Selection(deployment_prefix=""), "--deployment-prefix"),
        (Selection(package_filter="Other"), "--package-filter"),
        (Selection(artifact_filter="Flow"), "--artifact-filter"),
        (Selection(config_pattern="*"), "--config-pattern"),
        (Selection(on_drift="fail"), "--on-drift"),
    ],
)
def test_a_flag_that_contradicts_is_bad_input(typed: Selection, flag: str) -> None:
    """It is named, and nothing else is: the plan decides it."""
    assert problems(typed) == {flag: "is decided by the saved plan; leave the flag out, or make a new plan"}


@pytest.mark.parametrize(
    ("typed", "flag"),
    [
        (Selection(force=True), "--force"),
        (Selection(allow_downgrade=True), "--allow-downgrade"),
        (Selection(strict=True), "--strict"),
        (Selection(merge_configs=True), "--merge-configs"),
        (Selection(artifact_filter="Flow"), "--artifact-filter"),
    ],
)
def test_a_flag_that_the_plan_was_made_without_contradicts_too(typed: Selection, flag: str) -> None:
    """More than was planned is never done."""
    assert list(problems(typed, saved=PLAIN)) == [flag]


@pytest.mark.parametrize("flag", ["--mode", "--deploy-only"])
def test_another_mode_contradicts(flag: str) -> None:
    """The phases are part of the plan, whichever flag names them."""
    assert problems(Selection(mode_flags=((flag, "deploy-only"),))) == {
        "--mode": "is update-and-deploy in the saved plan; leave the flag out, or make a new plan"
    }


@pytest.mark.parametrize(
    ("typed", "flag"),
    [
        (Selection(env="dev"), "--env"),
        (Selection(env="environments/dev.yml"), "--env"),
        (Selection(orchestrator_config="dev.yml"), "--orchestrator-config"),
    ],
)
def test_another_environment_contradicts(typed: Selection, flag: str) -> None:
    """A plan for prod is never carried out with the settings of dev."""
    (shown,) = (value for value in (typed.env, typed.orchestrator_config) if value is not None)

    assert problems(typed) == {
        flag: f"'{shown}' is not the environment of the saved plan, which is 'prod'; leave the flag out, or make a new "
        "plan"
    }


def test_a_name_means_the_file_in_environments() -> None:
    """A plan made with another file of that name is not what the name asks for; nor is one made without any file."""
    other = Situation(environment_file="elsewhere/prod.yml").saved()
    none = Situation(environment_file=None, environment="none").saved()

    assert list(problems(Selection(env="prod"), saved=other)) == ["--env"]
    assert restored(Selection(env="elsewhere/prod.yml"), saved=other).env == "/projects/one/elsewhere/prod.yml"
    assert list(problems(Selection(env="none"), saved=none)) == ["--env"]
    assert restored(saved=none).env is None


def test_all_contradictions_are_told_at_once() -> None:
    """A person mends the command line once."""
    typed = Selection(env="dev", artifact_filter="Flow", mode_flags=(("--update-only", "update-only"),))

    assert set(problems(typed)) == {"--env", "--artifact-filter", "--mode"}


def test_no_value_is_in_the_text() -> None:
    """Parameters, metadata, passwords and users' names may be secret; the file may lie among a job's artifacts."""
    values = ["enforced.example", "file-value", "tenant.example", "configured-value", "pass-word-1", "deployer"]

    assert [value for value in values if value in TEXT] == []
    assert "host" in SAVED.facts["'Pack/Flow'"].does


def test_nothing_can_be_guessed_without_the_login() -> None:
    """Two logins, or two moments, give the same plan no digest in common: a guessed value proves nothing."""
    one = Situation()
    other_login = replace(one, login=replace(one.config().tenant.login, password="another"))  # type: ignore[union-attr]
    later = save_plan(
        one.parts(), config=one.config(), selection=NOTHING, tenant=URL, cwd=ROOT, made_at="2026-11-26T01:02:04+00:00"
    )
    marks = [set(re.findall(r"\b[0-9a-f]{32}\b", text)) for text in (one.save(), other_login.save(), later)]

    assert all(len(found) > 5 for found in marks)
    assert marks[0] & marks[1] == marks[0] & marks[2] == marks[1] & marks[2] == set()


def test_equal_values_of_two_parameters_do_not_show() -> None:
    """A digest belongs to one key, so it does not tell which parameters have one value."""
    same = flow(parameters={"host": "a", "user": "a"}, host="a")
    spec = replace(same.spec, overrides={"host": "a", "user": "a"})

    tenant = replace(tenant_side(), parameters=inventory(parameters={"Flow": {"host": "x", "user": "x"}}).parameters)

    facts = Situation(artifacts=(replace(same, spec=spec), library()), tenant=tenant).saved().facts["'Pack/Flow'"]

    assert set(facts.values) == {"host", "user"}
    assert facts.values["host"] != facts.values["user"]


def test_a_plan_for_the_embedded_tenant_needs_no_login() -> None:
    """The demo has none; its plans are carried out all the same."""
    here = Situation()
    config = replace(here.config(), tenant=EmbeddedTenant(state=ROOT / ".cpi" / "demo.json"))
    text = save_plan(here.parts(), config=config, selection=NOTHING, tenant="embedded", cwd=ROOT, made_at="now")

    assert why_stale(read_saved(text, "plan.json"), here.parts(), config=config, tenant="embedded") == ()
