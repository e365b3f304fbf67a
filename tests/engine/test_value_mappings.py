"""Replacing a value mapping: backup first, never half, and the truth where it goes wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock

from cpi_tasks.content import build_archive, read_archive
from cpi_tasks.errors import TenantError
from cpi_tasks.model.content import MappedValue
from cpi_tasks.model.naming import ArtifactId, ValueMappingPolicy
from cpi_tasks.model.plan import ArtifactPlan, UpdateAction
from cpi_tasks.model.report import Status
from tests.support.bench import VALUES, Bench, outcome_of, plan_of, rejected, unavailable

BACKUP = ".cpi/backups/M.zip"


def countries(bench: Bench) -> set[str]:
    """Give the countries of the mapping on the tenant."""
    values = read_archive(bench.tenant.archives["M"], artifact=ArtifactId("M"), kind=VALUES).values or frozenset()
    return {value.value for group in values for value in group if is_country(value)}


def is_country(value: MappedValue) -> bool:
    return value.schema == "Country"


def replacement(
    bench: Bench, *, old: str = "DE", new: str = "DE FR", before: str = "1.0.0", version: str = "1.0.1"
) -> ArtifactPlan:
    """Put a mapping on the tenant and plan its replacement."""
    bench.tenant.have("M", kind=VALUES, version=before)
    bench.tenant.artifacts["M"] = replace(bench.tenant.artifacts["M"], name="Old name")
    bench.tenant.archives["M"] = build_archive(bench.content("M", kind=VALUES, version=before, values=old)).data
    return bench.update(bench.content("M", kind=VALUES, version=version, values=new), UpdateAction.REPLACE)


async def test_replaced(bench: Bench, autojump_clock: MockClock) -> None:
    """The old archive is kept before the delete, and the new mapping runs afterwards."""
    report = await bench.carry_out(plan_of(replacement(bench)))

    assert [step.summary for step in outcome_of(report, "M").steps] == [
        f"replaced by 1.0.1, the old one is kept in {BACKUP}",
        "deployed 1.0.1",
    ]
    assert bench.tenant.names[:5] == ["download M", "keep_archive M", "note_write M", "delete M", "create M"]
    assert countries(bench) == {"DE", "FR"}


async def test_version_does_not_go_down(bench: Bench, autojump_clock: MockClock) -> None:
    """A replacement under a lower manifest version keeps the number the tenant had."""
    report = await bench.carry_out(plan_of(replacement(bench, before="1.0.5", version="1.0.1")))

    assert outcome_of(report, "M").steps[0].summary == f"replaced 1.0.5, the old one is kept in {BACKUP}"
    assert bench.tenant.artifacts["M"].version == "1.0.5"


@pytest.mark.parametrize(
    ("policy", "status"), [(ValueMappingPolicy.SAFE, Status.FAILED), (ValueMappingPolicy.REPLACE, Status.DONE)]
)
async def test_entries_added_after_planning(
    bench: Bench, autojump_clock: MockClock, policy: ValueMappingPolicy, status: Status
) -> None:
    """Entries that somebody added since planning stop a safe replacement; a wanted one goes on with a backup."""
    bench.settings = replace(bench.settings, value_mappings=policy)
    planned = replacement(bench)
    added = bench.content("M", kind=VALUES, version="1.0.0", values="DE AT")
    bench.tenant.archives["M"] = build_archive(added).data

    (outcome,) = await bench.updated(planned)

    assert outcome.status is status
    assert bench.tenant.count("delete") == (0 if status is Status.FAILED else 1)
    if status is Status.FAILED:
        assert "it was changed on the tenant after the plan was made" in outcome.reason
        assert countries(bench) == {"DE", "AT"}
    else:
        assert bench.backups.archives["M"] == build_archive(added).data


async def test_interruption_waits_for_the_second_call(bench: Bench, autojump_clock: MockClock) -> None:
    """An interruption between delete and create leaves the new mapping on the tenant, not none."""
    planned = replacement(bench)
    bench.tenant.slow["delete M"] = [5.0]
    bench.tenant.slow["create M"] = [5.0]

    with trio.move_on_after(2.0) as scope:
        await bench.carry_out(plan_of(planned))

    assert scope.cancelled_caught
    assert countries(bench) == {"DE", "FR"}


async def test_old_one_is_put_back(bench: Bench, autojump_clock: MockClock) -> None:
    """Where the creation fails the old mapping is created again under its old name, and the reason tells both."""
    planned = replacement(bench)
    bench.tenant.faults["create M"] = [rejected("Invalid archive")]

    (outcome,) = await bench.updated(planned)

    assert outcome.status is Status.FAILED
    assert outcome.reason.startswith("could not replace value mapping 'M'; the old one was put back: ")
    assert "Invalid archive" in outcome.reason
    assert countries(bench) == {"DE"}
    assert bench.tenant.artifacts["M"].name == "Old name"


@pytest.mark.parametrize(("second", "verb"), [(rejected("No space"), "is now"), (unavailable(), "may be")])
async def test_both_creations_fail(bench: Bench, autojump_clock: MockClock, second: TenantError, verb: str) -> None:
    """Where the old one cannot be put back either, the reason says that it is missing and where its archive is."""
    planned = replacement(bench)
    bench.tenant.faults["create M"] = [rejected("Invalid archive"), second]

    (outcome,) = await bench.updated(planned)

    assert outcome.status is Status.FAILED
    assert f"which {verb} missing on the tenant" in outcome.reason
    assert f"its old archive is in {BACKUP}" in outcome.reason
    assert "Invalid archive" in outcome.reason
    assert str(second) in outcome.reason
    assert "M" not in bench.tenant.artifacts


async def test_delete_whose_answer_is_lost(bench: Bench, autojump_clock: MockClock) -> None:
    """A delete that happened without an answer is followed by the creation."""
    planned = replacement(bench)
    bench.tenant.lost["delete M"] = [unavailable()]

    (outcome,) = await bench.updated(planned)

    assert outcome.status is Status.DONE
    assert countries(bench) == {"DE", "FR"}


async def test_delete_that_never_arrived(bench: Bench, autojump_clock: MockClock) -> None:
    """A delete that did not happen leaves the old mapping alone, and the step is red."""
    planned = replacement(bench)
    bench.tenant.faults["delete M"] = [unavailable()]

    (outcome,) = await bench.updated(planned)

    assert outcome.status is Status.FAILED
    assert bench.tenant.count("create") == 0
    assert countries(bench) == {"DE"}


async def test_nothing_is_known_after_the_delete(bench: Bench, autojump_clock: MockClock) -> None:
    """Where nobody can tell whether the mapping is still there, the reason says so and names the archive."""
    planned = replacement(bench)
    bench.tenant.lost["delete M"] = [unavailable()]
    bench.tenant.faults["read M"] = [unavailable()]

    (outcome,) = await bench.updated(planned)

    assert outcome.status is Status.FAILED
    assert "whether value mapping 'M' is still on the tenant cannot be told" in outcome.reason
    assert f"its old archive is in {BACKUP}" in outcome.reason


async def test_creation_whose_answer_is_lost(bench: Bench, autojump_clock: MockClock) -> None:
    """A creation that happened without an answer counts; the old mapping is not put over it."""
    planned = replacement(bench)
    bench.tenant.lost["create M"] = [unavailable()]

    (outcome,) = await bench.updated(planned)

    assert outcome.status is Status.DONE
    assert countries(bench) == {"DE", "FR"}


async def test_refused_delete(bench: Bench, autojump_clock: MockClock) -> None:
    """A delete the tenant refuses leaves everything as it is."""
    planned = replacement(bench)
    bench.tenant.faults["delete M"] = [rejected("locked")]

    (outcome,) = await bench.updated(planned)

    assert outcome.status is Status.FAILED
    assert countries(bench) == {"DE"}
    assert bench.tenant.count("create") == 0
