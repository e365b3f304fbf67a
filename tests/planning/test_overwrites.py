"""What ``onDrift`` makes of a run that would overwrite what somebody changed on the tenant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from cpi_tasks.model.config import Settings
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import (
    ArtifactKind,
    DraftPolicy,
    DriftPolicy,
    Mode,
    PackageId,
    ValueMappingPolicy,
)
from cpi_tasks.model.plan import Plan, UpdateAction
from cpi_tasks.model.records import Baseline
from cpi_tasks.planning import why_refused
from tests.planning.builders import FLOW, OTHER, SAME, VALUES, content, package, plan, spec, tenant_package
from tests.planning.remembered import left, remembering, visited

WARN = Settings(on_drift=DriftPolicy.WARN)
QUIET = Settings(on_drift=DriftPolicy.OVERWRITE)
FAIL = Settings(on_drift=DriftPolicy.FAIL)
BY_ANN = "(last changed by ann@example.com at 1970-01-01 00:00:01 UTC)"
LEFT = left()
KEPT = "what was there is kept in the run's backup"
REFUSAL = (
    "this run would overwrite what somebody changed on the tenant since the last run; take the changes into the "
    "files, or rerun with --on-drift warn (--force does not permit it) to overwrite them (they are kept in the run's "
    "backup): "
)


def edited(settings: Settings, baseline: Baseline | None = LEFT, *, version: str = "1.0.0") -> Plan:
    """Plan a flow whose content somebody edited."""
    of = content(spec(), version="1.1.0")
    return plan([package(of.spec)], [of], remembering(visited(OTHER, version=version), baseline), settings)


def configured(settings: Settings, now: Mapping[str, str], was: Mapping[str, str]) -> Plan:
    """Plan a flow whose parameters host and port are enforced."""
    files = {"host": "a", "port": "1", "free": "f"}
    of = content(spec(overrides={"host": "a", "port": "1"}), parameters=files)
    tenant = remembering(visited(parameters=now), left(parameters=was), [of])
    return plan([package(of.spec)], [of], tenant, settings)


def described(settings: Settings, package_left: Mapping[str, str]) -> Plan:
    """Plan a package whose name and short text differ on the tenant."""
    named = package(name="Ours", short_text="ours")
    held = tenant_package(metadata={"Name": "Theirs", "ShortText": "theirs"})
    tenant = remembering(
        Inventory(packages={PackageId("Pack"): held}), None, packages=[named], package_left=package_left
    )
    return plan([named], [], tenant, settings)


def warnings_of(planned: Plan) -> tuple[str, ...]:
    (artifact,) = planned.artifacts()
    return artifact.warnings


def test_an_overwritten_edit_is_warned_of() -> None:
    """``warn`` names what is lost, who changed it last and where it is kept."""
    (warning,) = warnings_of(edited(WARN))

    assert warning == (
        f"somebody changed this on the tenant since the last run {BY_ANN}: content that differs in script/a.groovy, "
        f"is overwritten; {KEPT}"
    )
    assert why_refused([edited(WARN)], WARN) == ()


def test_overwrite_is_silent() -> None:
    """``overwrite`` does the same without a word."""
    assert warnings_of(edited(QUIET)) == ()
    assert why_refused([edited(QUIET)], QUIET) == ()


def test_fail_refuses_the_run_with_everything_that_would_be_lost() -> None:
    """``fail`` stops the whole run, with artifacts and packages of every plan in one sentence."""
    metadata = described(FAIL, {"Name": "Pack", "ShortText": "text"})
    parameters = configured(FAIL, {"host": "x", "port": "2", "free": "f"}, {"host": "a", "port": "1", "free": "f"})

    assert warnings_of(edited(FAIL)) == ()
    assert metadata.warnings == ()
    (refusal,) = why_refused([edited(FAIL), metadata, parameters], FAIL)
    assert refusal == (
        f"{REFUSAL}'Pack/Flow': content that differs in script/a.groovy {BY_ANN}; "
        "package 'Pack': Name, ShortText; "
        f"'Pack/Flow': parameters 'host', 'port' {BY_ANN}"
    )


@pytest.mark.parametrize("baseline", [None, left(OTHER)], ids=["no record", "as the last run left it"])
def test_what_nobody_is_known_to_have_changed_stops_nothing(baseline: Baseline | None) -> None:
    """Your own change, and a difference without a record, are overwritten as ever."""
    assert why_refused([edited(FAIL, baseline)], FAIL) == ()
    assert warnings_of(edited(WARN, baseline)) == ()


def test_a_parameter_that_somebody_changed_is_named() -> None:
    """Only those that are overwritten count, and no value is in the sentence."""
    planned = configured(
        WARN, {"host": "secret-1", "port": "2", "free": "secret-2"}, {"host": "a", "port": "2", "free": "f"}
    )

    assert warnings_of(planned) == (
        f"somebody changed this on the tenant since the last run {BY_ANN}: parameter 'host', is overwritten; {KEPT}",
    )


def test_a_parameter_that_is_kept_stops_nothing() -> None:
    """What nobody enforces stays as somebody configured it, also under ``fail``."""
    planned = configured(FAIL, {"host": "a", "port": "1", "free": "theirs"}, {"host": "a", "port": "1", "free": "f"})

    assert why_refused([planned], FAIL) == ()


def test_content_and_parameters_are_told_together() -> None:
    """Both losses of one flow stand in one warning."""
    of = content(spec(overrides={"host": "a"}), parameters={"host": "a"}, version="1.1.0")
    tenant = remembering(visited(OTHER, parameters={"host": "x"}), left(parameters={"host": "a"}), [of])

    (warning,) = warnings_of(plan([package(of.spec)], [of], tenant, WARN))

    assert "content that differs in script/a.groovy and parameter 'host', is overwritten" in warning


def test_a_draft_is_called_one() -> None:
    """Under ``onDraft: overwrite`` somebody's unsaved draft is what is lost."""
    settings = replace(FAIL, on_draft=DraftPolicy.OVERWRITE)

    (refusal,) = why_refused([edited(settings, version="Active")], settings)

    assert refusal == f"{REFUSAL}'Pack/Flow': an unsaved draft that differs in script/a.groovy {BY_ANN}"


@pytest.mark.parametrize(
    ("kind", "settings", "action"),
    [
        (FLOW, replace(FAIL, on_draft=DraftPolicy.SKIP), UpdateAction.KEEP),
        (FLOW, FAIL, UpdateAction.REFUSE),
        (VALUES, replace(FAIL, value_mappings=ValueMappingPolicy.KEEP), UpdateAction.KEEP),
        (VALUES, replace(FAIL, value_mappings=ValueMappingPolicy.REPLACE), UpdateAction.REPLACE),
    ],
)
def test_only_what_is_overwritten_stops_a_run(kind: ArtifactKind, settings: Settings, action: UpdateAction) -> None:
    """What is left alone or fails by itself loses nothing; a value mapping that is replaced does."""
    of = content(spec(kind=kind), SAME, values=frozenset())
    version = "1.0.0" if kind is VALUES else "Active"
    planned = plan([package(of.spec)], [of], remembering(visited(OTHER, version=version), left()), settings)

    (artifact,) = planned.artifacts()

    assert artifact.update is not None
    assert artifact.update.action is action
    assert bool(why_refused([planned], settings)) == (action is UpdateAction.REPLACE)


def test_a_packages_overwritten_metadata_is_warned_of() -> None:
    """Under ``warn`` the plan names the fields that somebody changed, and only those."""
    assert described(WARN, {"Name": "Pack", "ShortText": "theirs"}).warnings == (
        f"package 'Pack': somebody changed its metadata on the tenant since the last run: Name is overwritten; {KEPT}",
    )
    assert "Name, ShortText are overwritten" in described(WARN, {"Name": "Pack", "ShortText": "x"}).warnings[0]
    assert described(QUIET, {"Name": "Pack", "ShortText": "x"}).warnings == ()


def test_a_run_that_does_not_update_overwrites_nothing() -> None:
    """``deploy-only`` is never stopped by drift: it deploys what is there."""
    assert why_refused([edited(replace(FAIL, mode=Mode.DEPLOY_ONLY))], FAIL) == ()
