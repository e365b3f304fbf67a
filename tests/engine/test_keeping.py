"""Backups: the state that a run overwrites is kept before the write, with as few requests as that takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest
from trio.testing import MockClock

from cpi_tasks.content import build_archive
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.naming import DraftPolicy, VerifyPolicy, VersionPolicy
from cpi_tasks.model.plan import PackageAction, PackagePlan, Plan, UpdateAction
from cpi_tasks.model.report import Status
from cpi_tasks.model.tenant import IntegrationPackage
from tests.support.bench import VALUES, Bench, outcome_of, ref, rejected

WRITES = ("create A", "update A", "delete A", "save A", "write A")


@dataclass(slots=True)
class Moment:
    """What was kept and known when the first write of artifact ``A`` arrived at the tenant."""

    call: str = ""
    archives: Mapping[str, bytes] = field(default_factory=dict)
    states: Mapping[str, tuple[str, Mapping[str, str] | None]] = field(default_factory=dict)


def at_first_write(bench: Bench) -> Moment:
    """Give the moment of the first write, to be read when the run is over."""
    moment = Moment()

    def look() -> None:
        if not moment.call and bench.tenant.names[-1].startswith(WRITES):
            moment.call = bench.tenant.names[-1]
            moment.archives = dict(bench.backups.archives)
            moment.states = dict(bench.backups.states)

    bench.tenant.at_each_await = look
    return moment


def old_and_new(bench: Bench) -> tuple[ArtifactContent, ArtifactContent]:
    """Have a flow on the tenant and give it with the one that the files have instead."""
    old = bench.content("A", version="1.0.1", parameters={"Host": "a"}, text="old")
    bench.have(old)
    return old, bench.content("A", version="1.0.2", parameters={"Host": "a"})


def verifying(bench: Bench, policy: VerifyPolicy) -> None:
    bench.settings = replace(bench.settings, verify=policy)


@pytest.mark.parametrize("policy", list(VerifyPolicy))
async def test_overwritten_content_is_kept_first(timed: Bench, autojump_clock: MockClock, policy: VerifyPolicy) -> None:
    """Archive, version and parameters are kept before an upload; the archive is the one that was compared."""
    _, new = old_and_new(timed)
    verifying(timed, policy)
    before = timed.tenant.archives["A"]
    moment = at_first_write(timed)

    await timed.run(new)

    assert moment.call == "update A"
    assert moment.archives == {"A": before}
    assert moment.states == {"A": ("1.0.1", {"Host": "a"})}
    assert timed.tenant.count("download") == 0, "nothing is downloaded a second time"


async def test_content_that_was_not_downloaded_is_kept_by_one_download(timed: Bench, autojump_clock: MockClock) -> None:
    """Content that goes up again for its version alone was proved by the cache, so it is read once before it goes."""
    old, _ = old_and_new(timed)
    verifying(timed, VerifyPolicy.CACHED)
    timed.settings = replace(timed.settings, versioning=VersionPolicy.EXACT)
    before = timed.tenant.archives["A"]
    await timed.run(old)
    assert timed.tenant.count("download") == 0
    moment = at_first_write(timed)

    await timed.run(timed.content("A", version="1.0.2", parameters={"Host": "a"}, text="old"))

    assert timed.tenant.names[:5] == ["download A", "keep_archive A", "parameters A", "note_write A", "update A"]
    assert timed.tenant.count("download") == 1
    assert moment.archives == {"A": before}
    assert moment.states == {"A": ("1.0.1", {"Host": "a"})}


async def test_values_that_only_the_cache_knew_are_read_to_be_kept(timed: Bench, autojump_clock: MockClock) -> None:
    """Of proved parameters there are digests only, which restore nothing: they are read before an upload.

    And once more after it, because they are not those of the archive: a tenant might take these.
    """
    old, new = old_and_new(timed)
    verifying(timed, VerifyPolicy.CACHED)
    await timed.run(old)
    timed.tenant.parameters["A"] = {"Host": "by hand"}
    moment = at_first_write(timed)

    report = await timed.run(new)

    assert outcome_of(report, "A").steps[0].summary == "updated to 1.0.2"
    assert moment.states == {"A": ("1.0.1", {"Host": "by hand"})}
    assert timed.tenant.count("parameters") == 2
    assert timed.records.records["A"].parameters == "Host=by hand"


async def test_nothing_is_sent_where_it_cannot_be_kept(timed: Bench, autojump_clock: MockClock) -> None:
    """An artifact whose old archive cannot be read before the upload fails, and its content stays as it is."""
    old, new = old_and_new(timed)
    planned = timed.update(new, UpdateAction.UPDATE)
    timed.tenant.faults["download A"] = [rejected("no access")]

    (outcome,) = await timed.updated(planned)

    assert outcome.status is Status.FAILED
    assert "no access" in outcome.reason
    assert timed.tenant.archives["A"] == build_archive(old).data
    assert timed.tenant.count("update") == timed.tenant.count("note_write") == 0


async def test_parameters_are_kept_before_they_are_written(timed: Bench, autojump_clock: MockClock) -> None:
    """A flow that is configured has its version and all of its values kept, and its archive is not read for that."""
    old, _ = old_and_new(timed)
    timed.tenant.parameters["A"] = {"Host": "by hand", "Port": "1"}
    wanted = replace(old, spec=replace(old.spec, overrides={"Host": "b"}))
    moment = at_first_write(timed)

    await timed.run(wanted)

    assert moment.call == "write A Host=b"
    assert moment.states == {"A": ("1.0.1", {"Host": "by hand", "Port": "1"})}
    assert timed.backups.archives == {}


async def test_draft_is_kept_and_named(timed: Bench, autojump_clock: MockClock) -> None:
    """Unsaved work of somebody else that is overwritten is kept, and the outcome says where."""
    _, new = old_and_new(timed)
    timed.tenant.artifacts["A"] = replace(timed.tenant.artifacts["A"], version="Active")
    timed.settings = replace(timed.settings, on_draft=DraftPolicy.OVERWRITE)
    before = timed.tenant.archives["A"]

    report = await timed.run(new)

    assert timed.backups.archives == {"A": before}
    assert outcome_of(report, "A").steps[0].summary == "updated to 1.0.2, the draft is kept in .cpi/backups/A.zip"


async def test_replaced_mapping_is_kept_with_its_state(timed: Bench, autojump_clock: MockClock) -> None:
    """Of a value mapping the archive as it is right before the delete is kept, with the version it had."""
    timed.have(timed.content("A", kind=VALUES, version="1.0.0", values="DE"))
    before = timed.tenant.archives["A"]
    moment = at_first_write(timed)

    await timed.run(timed.content("A", kind=VALUES, values="DE FR"))

    assert moment.call == "delete A"
    assert moment.archives == {"A": before}
    assert moment.states == {"A": ("1.0.0", {})}
    assert timed.tenant.count("download") == 1


async def test_what_is_created_has_nothing_to_keep(timed: Bench, autojump_clock: MockClock) -> None:
    """A creation overwrites nothing: nothing is downloaded for it, and nothing kept."""
    timed.tenant.packages["P"] = {"Name": "P", "ShortText": "P"}

    await timed.run(timed.content("A"))

    assert timed.tenant.count("download") == 0
    assert (timed.backups.archives, timed.backups.states) == ({}, {})


@pytest.mark.parametrize("action", [PackageAction.UPDATE, PackageAction.UNCHANGED])
async def test_package_metadata_is_kept_first(timed: Bench, autojump_clock: MockClock, action: PackageAction) -> None:
    """Metadata is kept before it is replaced, also where the tenant refuses that; what is unchanged is not kept."""
    old = {"Name": "Old", "ShortText": "Old"}
    before = IntegrationPackage(
        id=ref("A").package, name="Old", short_text="Old", description="", is_read_only=False, metadata=old
    )
    package = PackagePlan(id=before.id, action=action, reason="asked for", metadata={"Name": "New"}, before=before)
    timed.tenant.faults["update_package"] = [rejected()]

    await timed.carry_out(Plan(source="deploy.yml", packages=(package,), updates=True, deploys=False))

    assert timed.backups.packages == ({"P": before} if action is PackageAction.UPDATE else {})
