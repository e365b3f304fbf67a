"""The cache around writes: what is about to be written is forgotten, and only what was read back is known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from trio.testing import MockClock

from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.naming import ArtifactKind, VerifyPolicy
from cpi_tasks.model.records import Known
from cpi_tasks.model.report import Status
from tests.support.bench import FLOW, VALUES, Bench, outcome_of, package_of, unavailable
from tests.support.fake_tenant import Versions
from tests.support.timed_tenant import TimedTenant


def old_and_new(bench: Bench) -> tuple[ArtifactContent, ArtifactContent]:
    """Have a flow on the tenant and give it with the one that the files have instead."""
    old = bench.content("A", version="1.0.1", parameters={"Host": "a"}, text="old")
    bench.have(old)
    return old, bench.content("A", version="1.0.2", parameters={"Host": "a"})


def overriding(content: ArtifactContent, host: str) -> ArtifactContent:
    return replace(content, spec=replace(content.spec, overrides={"Host": host}))


async def known_at(bench: Bench, write: str, *contents: ArtifactContent) -> list[bool]:
    """Run, and tell for each call of one name whether the cache knew artifact ``A`` when the call arrived."""
    found: list[bool] = []

    def look() -> None:
        if len(found) < bench.tenant.names.count(write):
            found.append("A" in bench.cache.known)

    bench.tenant.calls.clear()
    bench.tenant.at_each_await = look
    await bench.run(*contents)
    return found


@pytest.mark.parametrize(
    ("kind", "write"),
    [(FLOW, "update A"), (FLOW, "write A Host=b"), (FLOW, "create A"), (VALUES, "delete A"), (VALUES, "create A")],
)
async def test_cache_forgets_before_the_write(
    timed: Bench, autojump_clock: MockClock, kind: ArtifactKind, write: str
) -> None:
    """When a write of an artifact arrives at the tenant, the cache knows nothing of it any more."""
    old = timed.content("A", kind=kind, parameters={"Host": "a"} if kind is FLOW else {}, text="old")
    timed.have(old)
    await timed.read(package_of("P", old.spec), contents=(old,))
    assert set(timed.cache.known) == {"A"}
    if (kind, write) == (FLOW, "create A"):
        del timed.tenant.artifacts["A"]
    new = timed.content("A", kind=kind, version="1.0.2", values="DE FR")

    assert await known_at(timed, write, overriding(old, "b") if "Host" in write else new) == [False]


@pytest.mark.parametrize("versions", ["manifest", "keep", "draft"])
@pytest.mark.parametrize("is_new", [True, False])
async def test_uploaded_content_is_known_afterwards(
    timed: Bench, autojump_clock: MockClock, versions: Versions, *, is_new: bool
) -> None:
    """What was uploaded is known in the very state that was read back, so that the next run downloads nothing."""
    timed.tenant.versions = versions
    old, new = old_and_new(timed)
    await timed.read(package_of("P", old.spec), contents=(old,))
    if is_new:
        del timed.tenant.artifacts["A"]

    await timed.run(new)

    stored = timed.tenant.artifacts["A"]
    assert stored.version == "1.0.2"
    assert timed.cache.known["A"] == Known(
        version="1.0.2", modified_at=stored.modified_at or 0, content=new.digest.fingerprint
    )
    timed.tenant.calls.clear()
    await timed.read(package_of("P", new.spec), contents=(new,))
    assert timed.tenant.count("download") == 0


async def test_uploaded_description_is_known_afterwards(timed: Bench, autojump_clock: MockClock) -> None:
    """After an upload for its description alone the next run downloads and sends nothing, but a third text is found."""
    timed.have(timed.content("A", description="old"))
    new = timed.content("A", description="new")

    report = await timed.run(new)
    inventory = await timed.read(package_of("P", new.spec), contents=(new,))
    again = await timed.run(new)

    done = outcome_of(report, "A").steps[0]
    assert (done.status, done.reason) == (Status.DONE, "content differs in metainfo.prop")
    assert inventory.fingerprints == {"A": new.digest.fingerprint}
    assert timed.tenant.names == []
    assert [step.status for step in outcome_of(again, "A").steps] == [Status.UNCHANGED, Status.UNCHANGED]
    third = await timed.run(timed.content("A", description="third"))
    assert outcome_of(third, "A").steps[0].reason == "content differs in metainfo.prop"


async def test_unmoved_time_of_change_is_no_read_back(bench: Bench, autojump_clock: MockClock) -> None:
    """Where an upload did not move the time of change, what was written is not believed to be there."""
    old, new = old_and_new(bench)
    bench.have(old, modified_at=5_000)

    report = await bench.run(new)

    assert outcome_of(report, "A").steps[0].status is Status.DONE
    assert bench.tenant.artifacts["A"].modified_at == 5_000
    assert bench.cache.known == {}


@pytest.mark.parametrize("call", ["update A", "read A"])
async def test_upload_that_is_not_confirmed_is_not_known(timed: Bench, autojump_clock: MockClock, call: str) -> None:
    """Where the answer to an upload or the read-back is lost, the cache knows nothing, whatever the tenant has."""
    _, new = old_and_new(timed)
    timed.tenant.lost[call] = [unavailable()]

    report = await timed.run(new)

    assert outcome_of(report, "A").steps[0].status is Status.FAILED
    assert timed.cache.known == {}
    assert timed.cache.saves == 2, "once after reading, once after the update phase, also where that failed"


@pytest.mark.parametrize("moves_time", [True, False])
async def test_parameter_write_leaves_no_proof(timed: Bench, autojump_clock: MockClock, *, moves_time: bool) -> None:
    """After a parameter was written what was known is gone, because the old state may look the same on the tenant."""
    timed.tenant = TimedTenant(parameters_move_time=moves_time)
    timed.__post_init__()
    timed.settings = replace(timed.settings, verify=VerifyPolicy.CACHED)
    old, _ = old_and_new(timed)
    await timed.run(overriding(old, "b"))
    assert timed.cache.known == {}

    report = await timed.run(overriding(old, "a"))

    assert timed.tenant.parameters["A"] == {"Host": "a"}
    assert outcome_of(report, "A").steps[0].summary == "configured 1 parameter"
