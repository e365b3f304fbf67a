"""Baselines: how a run leaves an artifact is on record where it saw that, so that a later change has an author."""

from __future__ import annotations

from dataclasses import replace

import pytest
from trio.testing import MockClock

from cpi_tasks.errors import TenantError
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.naming import DraftPolicy, VerifyPolicy
from cpi_tasks.model.plan import PackageAction, PackagePlan, Plan
from cpi_tasks.model.records import Baseline
from cpi_tasks.model.report import Status
from tests.support.bench import Bench, deployment, outcome_of, plan_of, ref, rejected, unavailable
from tests.support.fake_tenant import Versions
from tests.support.script import Script

BEFORE = Baseline(content="of the last run", version="1.0.0", parameters={"Host": "Host=then"})


def on_tenant(bench: Bench) -> ArtifactContent:
    """Have a flow on the tenant, with a value that somebody configured and a baseline of an earlier run."""
    old = bench.content("A", version="1.0.1", parameters={"Host": "a", "Port": "1"}, text="old")
    bench.have(old)
    bench.tenant.parameters["A"]["Port"] = "by hand"
    bench.records.baselines["A"] = BEFORE
    return old


def wanted(bench: Bench, **overrides: str) -> ArtifactContent:
    """Give what the files have instead."""
    return bench.content("A", version="1.0.2", parameters={"Host": "a", "Port": "1"}, overrides=overrides)


async def status(bench: Bench, content: ArtifactContent) -> Status:
    """Run and give how the update ended."""
    return outcome_of(await bench.run(content), "A").steps[0].status


@pytest.mark.parametrize("policy", list(VerifyPolicy))
async def test_unchanged_is_settled_as_read(timed: Bench, autojump_clock: MockClock, policy: VerifyPolicy) -> None:
    """What is as wanted is on record with content, version and all values, also where the cache knew them."""
    timed.settings = replace(timed.settings, verify=policy)
    old = on_tenant(timed)
    await timed.run(old)
    timed.records.baselines["A"] = BEFORE

    assert await status(timed, old) is Status.UNCHANGED

    assert timed.records.baselines["A"] == Baseline(
        content=old.digest.fingerprint,
        version="1.0.1",
        modified_at=timed.tenant.artifacts["A"].modified_at,
        parameters={"Host": "Host=a", "Port": "Port=by hand"},
    )


@pytest.mark.parametrize("versions", ["manifest", "keep", "draft"])
async def test_upload_is_settled_as_read_back(timed: Bench, autojump_clock: MockClock, versions: Versions) -> None:
    """After an upload the new content, the version that was read back and the values as they are then are on record."""
    timed.tenant.versions = versions
    on_tenant(timed)
    new = wanted(timed, Host="b")

    assert await status(timed, new) is Status.DONE

    assert replace(timed.records.baselines["A"], modified_at=None) == Baseline(
        content=new.digest.fingerprint, version="1.0.2", parameters={"Host": "Host=b", "Port": "Port=by hand"}
    )
    assert timed.records.baselines["A"].modified_at is not None


async def test_configured_flow_is_settled(timed: Bench, autojump_clock: MockClock) -> None:
    """After parameters alone were written, the content that stayed and the new values are on record."""
    old = on_tenant(timed)

    assert await status(timed, replace(old, spec=replace(old.spec, overrides={"Host": "b"}))) is Status.DONE

    assert replace(timed.records.baselines["A"], modified_at=None) == Baseline(
        content=old.digest.fingerprint, version="1.0.1", parameters={"Host": "Host=b", "Port": "Port=by hand"}
    )


async def test_failed_deployment_does_not_unsettle(timed: Bench, autojump_clock: MockClock) -> None:
    """What was updated is on record, whatever becomes of its deployment: design time is as this run left it."""
    on_tenant(timed)
    new = wanted(timed)
    timed.tenant.scripts["A"] = Script(ends="ERROR")

    report = await timed.run(new)

    assert [step.status for step in outcome_of(report, "A").steps] == [Status.DONE, Status.FAILED]
    assert timed.records.baselines["A"].content == new.digest.fingerprint


@pytest.mark.parametrize(
    ("on_draft", "expected"), [(DraftPolicy.SKIP, Status.SKIPPED), (DraftPolicy.FAIL, Status.FAILED)]
)
async def test_what_is_not_touched_keeps_its_baseline(
    timed: Bench, autojump_clock: MockClock, on_draft: DraftPolicy, expected: Status
) -> None:
    """Somebody's work that is left alone or refused is not taken for the state that a run of ours left."""
    on_tenant(timed)
    timed.tenant.artifacts["A"] = replace(timed.tenant.artifacts["A"], version="Active")
    timed.settings = replace(timed.settings, on_draft=on_draft)

    assert await status(timed, wanted(timed)) is expected

    assert timed.records.baselines == {"A": BEFORE}


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("update A", rejected()),
        ("read A", unavailable()),
        ("write A Host=b", rejected()),
    ],
)
async def test_failed_update_keeps_its_baseline(
    timed: Bench, autojump_clock: MockClock, call: str, error: TenantError
) -> None:
    """An update that failed on the way left something that nobody has seen whole, so nothing is put on record."""
    on_tenant(timed)
    timed.tenant.lost[call] = [error]

    assert await status(timed, wanted(timed, Host="b")) is Status.FAILED

    assert timed.records.baselines == {"A": BEFORE}


async def test_deployment_alone_settles_nothing(timed: Bench, autojump_clock: MockClock) -> None:
    """A run that only deploys did not compare anything, so that it leaves no baseline."""
    on_tenant(timed)

    await timed.carry_out(plan_of(deployment("A"), updates=False))

    assert timed.records.baselines == {"A": BEFORE}


@pytest.mark.parametrize(
    ("action", "fault", "baseline"),
    [
        (PackageAction.UPDATE, False, {"Name": "Name=New"}),
        (PackageAction.UNCHANGED, False, {"Name": "Name=New"}),
        (PackageAction.UPDATE, True, {"Name": "Name=then"}),
        (PackageAction.REFUSE, False, {"Name": "Name=then"}),
        (PackageAction.KEEP, False, {"Name": "Name=then"}),
    ],
)
async def test_package_metadata_is_settled(
    timed: Bench, autojump_clock: MockClock, action: PackageAction, baseline: dict[str, str], *, fault: bool
) -> None:
    """Metadata that was written or is as wanted is on record; what failed or was left alone keeps its author."""
    timed.records.packages["P"] = {"Name": "Name=then"}
    timed.tenant.faults["update_package"] = [rejected()] if fault else []
    package = PackagePlan(id=ref("A").package, action=action, reason="asked for", metadata={"Name": "New"})

    await timed.carry_out(Plan(source="deploy.yml", packages=(package,), updates=True, deploys=False))

    assert {field: timed.records.packages["P"][field] for field in baseline} == baseline
