"""When a saved plan is refused: whenever a run now would do something else, and with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from cpi_tasks.model.config import BasicLogin, OAuthLogin, Settings
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import (
    DraftPolicy,
    DriftPolicy,
    Mode,
    PackageId,
    ParameterPolicy,
    ValueMappingPolicy,
    VersionPolicy,
)
from cpi_tasks.model.plan import DeployAction
from cpi_tasks.model.records import ArtifactRecord
from cpi_tasks.planning import read_saved
from tests.planning.builders import SAME, content, download, inventory, spec, tenant_package
from tests.planning.saving import (
    FLOW,
    LIBRARY,
    LOGIN,
    NOTHING,
    PARAMETERS,
    Situation,
    flow,
    library,
    tenant_side,
    with_design,
    with_runtime,
)

THIRD = {"script/a.groovy": "three"}
FILES, TENANT = "'Pack/Flow': the files have changed", "'Pack/Flow': the tenant has changed"
WAITS = "'Pack/Flow': it waits for something else now"
NOW = "; planned: update 1.1.0; set host; deploy, now: "
HERE = Situation()
SAVED = HERE.saved()


def changed(now: str, why: str = FILES) -> str:
    """Say why the flow is another matter, and what would be done now."""
    return why + NOW + now


def parameters(**values: str) -> Inventory:
    """Give the tenant with other values of the flow's parameters."""
    told = {"Flow": {"host": "tenant.example", "free": "configured-value", **values}}
    return replace(tenant_side(), parameters=inventory(parameters=told).parameters)


def test_a_plan_is_carried_out_where_nothing_moved() -> None:
    """The same files, environment and tenant give no reason against it."""
    assert Situation().why_stale(SAVED) == ()


@pytest.mark.parametrize(
    ("artifacts", "reasons"),
    [
        ((flow(THIRD), library()), (FILES,)),
        ((flow(version="1.2.0"), library()), (changed("update 1.2.0; set host; deploy"),)),
        ((flow(host="new.example"), library()), (FILES,)),
        ((flow(host="tenant.example"), library()), (changed("update 1.1.0; deploy"),)),
        # A flow that is created gets every value of its file, so each of them counts.
        ((flow(parameters={**PARAMETERS, "free": "another"}), library()), (FILES,)),
        ((flow(SAME), library()), (changed("configure; set host; deploy"),)),
        ((flow(deploy=False), library()), (changed("update 1.1.0; set host"),)),
        ((flow(),), ("'Pack/Library' was in the plan and is not in the files any more",)),
        (
            (flow(), library(), content(spec("New"))),
            ("'Pack/New' is in the files now and was not in the plan",),
        ),
    ],
)
def test_changed_files_are_refused(artifacts: tuple[object, ...], reasons: tuple[str, ...]) -> None:
    """Content, version, parameters, ``deploy`` and the list of artifacts: each is named with what would be done now."""
    assert replace(HERE, artifacts=artifacts).why_stale(SAVED) == reasons  # type: ignore[arg-type]


def test_the_description_and_the_name_count_too() -> None:
    """They are sent with the content, though no version or fingerprint shows them."""
    described = replace(flow(), digest=replace(flow().digest, description="new"))
    renamed = replace(flow(), name="Another name")

    assert replace(HERE, artifacts=(described, library())).why_stale(SAVED) == (FILES,)
    assert replace(HERE, artifacts=(renamed, library())).why_stale(SAVED) == (FILES,)


@pytest.mark.parametrize(
    ("tenant", "reasons"),
    [
        (replace(tenant_side(), downloads={FLOW: download(THIRD), LIBRARY: download()}), (TENANT,)),
        (parameters(host="x.example"), (TENANT,)),
        (parameters(host="enforced.example"), (changed("update 1.1.0; deploy", TENANT),)),
        (with_design(tenant_side(), version="1.0.1"), (TENANT,)),
        (with_design(tenant_side(), version="Active"), (changed("refuse; is running", TENANT),)),
        (with_runtime(tenant_side(), status="ERROR"), (TENANT,)),
        (with_runtime(tenant_side(), version="0.9.0"), (TENANT,)),
        (replace(tenant_side(), unreadable_artifacts={FLOW: "the tenant answered 500"}), None),
        (replace(tenant_side(), packages={PackageId("Pack"): tenant_package(is_read_only=True)}), None),
    ],
    ids=["content", "parameter", "wanted parameter", "version", "draft", "error", "runtime", "unreadable", "read-only"],
)
def test_a_tenant_that_moved_is_refused(tenant: Inventory, reasons: tuple[str, ...] | None) -> None:
    """Content, parameters, versions, drafts and what runs or fails: whatever a decision rests on."""
    said = replace(HERE, tenant=tenant).why_stale(SAVED)

    assert said
    assert reasons is None or said == reasons


def test_what_is_unchanged_must_stay_so() -> None:
    """Somebody's edit of an artifact that the plan leaves alone is no part of what was agreed to."""
    edited = replace(tenant_side(), downloads={FLOW: download(), LIBRARY: download(THIRD)})

    flow_waits, library_moved = replace(HERE, tenant=edited).why_stale(SAVED)

    assert library_moved == (
        "'Pack/Library': the tenant has changed; planned: unchanged; is running, now: update 1.0.0; deploy"
    )
    assert flow_waits == changed("update 1.1.0; set host; deploy; after Pack/Library", WAITS)


def test_a_package_that_moved_is_refused() -> None:
    """Its metadata on both sides counts, as far as the files name it."""
    other = tenant_package(metadata={"Name": "Pack", "ShortText": "theirs"})
    theirs = replace(HERE, tenant=replace(tenant_side(), packages={PackageId("Pack"): other}))
    gone = replace(HERE, tenant=replace(tenant_side(), packages={}))

    assert replace(HERE, short_text="ours").why_stale(SAVED) == (
        "package 'Pack': the files have changed; planned: unchanged, now: update",
    )
    assert theirs.why_stale(SAVED) == ("package 'Pack': the tenant has changed; planned: unchanged, now: update",)
    assert gone.why_stale(SAVED)[0] == "package 'Pack': the tenant has changed; planned: unchanged, now: create"


STARTING = Situation(tenant=with_runtime(tenant_side(), status="STARTING"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (HERE, replace(HERE, tenant=with_runtime(tenant_side(), deployed_on=9_000, deployed_by="ann"))),
        (HERE, replace(HERE, tenant=with_design(tenant_side(), modified_at=9_000, modified_by="ann"))),
        (HERE, replace(HERE, tenant=with_design(tenant_side(), LIBRARY, modified_at=1_500))),
        (STARTING, HERE),
        (HERE, replace(HERE, environment_file="elsewhere/prod.yml")),
        (HERE, replace(HERE, settings=Settings(parallel_deployments=9, deploy_delay_s=1.0, is_protected=True))),
    ],
    ids=["deployed again", "modified", "modified, unchanged", "started meanwhile", "file moved", "how it is done"],
)
def test_what_no_decision_rests_on_may_move(before: Situation, after: Situation) -> None:
    """Times and authors, a deployment that only went on, and how a plan is carried out do not make it stale."""
    assert after.why_stale(before.saved()) == ()


def test_values_that_were_not_read_again_are_no_move() -> None:
    """Under ``verify: cached`` a run may know that parameters are as wanted without their values."""
    tenant = parameters(host="enforced.example")
    proved = replace(tenant, parameters={}, proved_parameters=frozenset({FLOW}))
    before, after = replace(HERE, tenant=tenant), replace(HERE, tenant=proved)

    assert after.why_stale(before.saved()) == ()
    assert before.why_stale(after.saved()) == ()


def test_a_decision_that_rests_on_records_is_told_as_that() -> None:
    """Where neither side moved, another ``.cpi/`` makes the difference."""
    pending = replace(tenant_side(), records={LIBRARY: ArtifactRecord(is_pending=True)})

    flow_waits, library_moved = replace(HERE, tenant=pending).why_stale(SAVED)

    assert flow_waits == changed("update 1.1.0; set host; deploy; after Pack/Library", WAITS)
    assert library_moved == (
        "'Pack/Library': what .cpi/ has on record differs from when the plan was made; planned: unchanged; is running, "
        "now: unchanged; deploy"
    )


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (Settings(mode=Mode.UPDATE_ONLY), "mode was update-and-deploy, is update-only now"),
        (Settings(force=True), "force was no, is yes now"),
        (Settings(parameter_policy=ParameterPolicy.ALL), "parameterPolicy was overrides, is all now"),
        (Settings(value_mappings=ValueMappingPolicy.REPLACE), "valueMappings was safe, is replace now"),
        (Settings(on_draft=DraftPolicy.OVERWRITE), "onDraft was fail, is overwrite now"),
        (Settings(versioning=VersionPolicy.BUMP), "versioning was manifest, is bump now"),
        (Settings(allow_downgrade=True), "allowDowngrade was no, is yes now"),
        (Settings(on_drift=DriftPolicy.FAIL), "onDrift was warn, is fail now"),
    ],
)
def test_a_changed_environment_is_refused(settings: Settings, reason: str) -> None:
    """Every setting that decides what is done is compared, and named as users know it."""
    assert replace(HERE, settings=settings).why_stale(SAVED) == (f"environment: {reason}",)


def test_another_tenant_is_refused() -> None:
    """A plan for one tenant is never carried out on another."""
    assert replace(HERE, url="https://t2.example.com").why_stale(SAVED) == (
        "environment: the plan is for tenant https://t1.example.com, this is https://t2.example.com",
    )


@pytest.mark.parametrize(
    "login",
    [
        BasicLogin(username="deployer", password="pass-word-2"),
        OAuthLogin(token_url="https://t1.example.com/token", client_id="deployer", client_secret="pass-word-2"),
    ],
)
def test_with_another_secret_nothing_compares(login: BasicLogin | OAuthLogin) -> None:
    """Without the secret the digests say nothing, so the plan is refused with just that reason."""
    (reason,) = replace(HERE, login=login).why_stale(SAVED)

    assert reason == ("environment: the login's secret is not the one the plan was made with, so nothing compares")


def test_another_user_with_the_same_secret_may_carry_it_out() -> None:
    """What a plan says does not rest on who reads the tenant."""
    other = BasicLogin(username="another", password=LOGIN.password)

    assert replace(HERE, login=other).why_stale(SAVED) == ()


Edit = Callable[[dict[str, dict[str, object]]], None]


@pytest.mark.parametrize(
    "edit",
    [
        lambda plan: plan["flags"].update(force=True),
        lambda plan: plan["facts"].pop("'Pack/Library'"),
        lambda plan: plan.update(environmentFile="environments/dev.yml"),
        lambda plan: plan.update(remark={}),
    ],
    ids=["flag", "fact", "environment", "new key"],
)
def test_a_file_that_was_edited_is_refused(edit: Edit) -> None:
    """Nobody can approve one plan and have another carried out: the file is sealed with the login's secret."""
    document = json.loads(HERE.save())
    edit(document)

    (reason,) = HERE.why_stale(read_saved(json.dumps(document), "plan.json"))

    assert reason == "the file of the saved plan was changed after it was made"


def test_a_refused_plan_cannot_be_made_acceptable_by_hand() -> None:
    """Setting and flag for downgrades, both edited, fit each other and still not the seal."""
    exact = Situation(settings=Settings(versioning=VersionPolicy.EXACT), artifacts=(flow(version="0.9.0"), library()))
    document = json.loads(exact.save())
    document["flags"]["allow_downgrade"] = True
    document["settings"]["allowDowngrade"] = "yes"
    permitted = replace(exact, settings=replace(exact.settings, allow_downgrade=True))

    assert permitted.why_stale(read_saved(json.dumps(document), "plan.json")) == (
        "the file of the saved plan was changed after it was made",
    )


def test_a_file_may_be_laid_out_anew() -> None:
    """Other blanks and another order of keys are the same plan."""
    document = json.loads(HERE.save())
    text = json.dumps(dict(reversed(document.items())))

    assert HERE.why_stale(read_saved(text, "plan.json")) == ()


def test_many_reasons_are_counted() -> None:
    """A configuration that changed throughout does not fill the screen."""
    many = replace(HERE, artifacts=(*HERE.artifacts, *(content(spec(f"New{number:02}")) for number in range(30))))

    reasons = many.why_stale(SAVED)

    assert len(reasons) == 21
    assert reasons[-1] == "and 10 more"


def test_the_plan_of_this_project_is_what_these_tests_take_it_for() -> None:
    """The flow is uploaded, configured and deployed, the library runs."""
    (part,) = HERE.parts()
    actions = {one.ref.artifact: one.deploy and one.deploy.action for one in part.plan.artifacts()}

    assert actions == {"Flow": DeployAction.DEPLOY, "Library": DeployAction.RUNNING}
    assert HERE.given == NOTHING
