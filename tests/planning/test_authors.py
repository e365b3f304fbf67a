"""Who changed the tenant last, by its own fields, and what that makes of a difference."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactId
from cpi_tasks.model.plan import Origin
from cpi_tasks.model.records import ArtifactRecord, Baseline
from cpi_tasks.planning.authors import blamed, find_unrecorded, is_unrecorded_deployment, with_unrecorded
from tests.planning.builders import OTHER, SAME, design, runtime
from tests.planning.remembered import ANN, left, remembering, visited

FLOW = ArtifactId("Flow")
OURS = frozenset({"sb-deployer"})
US = "sb-Deployer"


def tenant(by: str, at: int | None, *, recorded: int | None = 1_000, **record: int | None) -> Inventory:
    """Give a tenant whose flow has other content than recorded."""
    baseline = replace(left(SAME), modified_at=recorded)
    found = visited(OTHER, record=ArtifactRecord(**record))  # type: ignore[arg-type]
    held = replace(found, artifacts={FLOW: design(modified_at=at, modified_by=by)}, own_names=OURS)
    return remembering(held, baseline)


@pytest.mark.parametrize(
    ("seen", "expected", "is_behind"),
    [
        (tenant(US, 2_000), Origin.UNKNOWN, True),
        (tenant(ANN, 2_000), Origin.TENANT, False),
        (tenant("", 2_000), Origin.TENANT, False),
        (tenant(US, 1_000), Origin.TENANT, False),
        (tenant(US, None), Origin.UNKNOWN, True),
        (tenant(ANN, None), Origin.TENANT, False),
        (tenant(US, 2_000, modified_at=2_000), Origin.TENANT, False),
        (tenant(US, 2_000, recorded=None, deployed_on=1_500), Origin.UNKNOWN, True),
        (tenant(US, 1_000, recorded=None, deployed_on=1_500), Origin.TENANT, False),
    ],
    ids=[
        "our later change",
        "a person's",
        "nobody named",
        "the change that is recorded",
        "ours without a time",
        "a person's without a time",
        "what a deployment of ours began with",
        "a record of an earlier release",
        "a record of an earlier release that has it",
    ],
)
def test_the_last_author_decides(seen: Inventory, expected: Origin, *, is_behind: bool) -> None:
    """Our own unrecorded change has no known origin and shows that the record is behind; a person's stays an edit."""
    assert blamed(Origin.TENANT, FLOW, seen) is expected
    assert bool(find_unrecorded(seen)) is is_behind


def test_what_nobody_is_named_for_is_unknown_once_the_record_is_behind() -> None:
    """A person who is named stays blamed, and what is the files' own change stays that."""
    nobody, ann = (replace(tenant(by, 2_000), unrecorded=("'Other'",)) for by in ("", ANN))

    assert blamed(Origin.BOTH, FLOW, nobody) is Origin.UNKNOWN
    assert blamed(Origin.BOTH, FLOW, ann) is Origin.BOTH
    assert blamed(Origin.FILES, FLOW, nobody) is Origin.FILES


@pytest.mark.parametrize(
    ("by", "deployed_on", "is_pending", "expected"),
    [(US, 9_000, False, True), (US, 5_000, False, False), (ANN, 9_000, False, False), (US, 9_000, True, False)],
)
def test_a_deployment_of_ours_that_is_not_recorded(
    by: str, deployed_on: int, *, is_pending: bool, expected: bool
) -> None:
    """It shows for families without authors that the record is behind, unless our own last one had no end."""
    record = ArtifactRecord(deployed_on=5_000, is_pending=is_pending)
    running = replace(runtime(), deployed_on=deployed_on, deployed_by=by)
    seen = replace(remembering(visited(SAME, record=record, running=running), left()), own_names=OURS)

    assert is_unrecorded_deployment(FLOW, seen) is expected
    assert find_unrecorded(seen) == (("'Flow'",) if expected else ())


def test_all_configurations_of_a_run_share_one_record() -> None:
    """What one of them shows to be behind is behind for the others."""
    one, two = with_unrecorded([tenant(US, 2_000), Inventory(baselines={FLOW: Baseline()})])

    assert one.unrecorded == two.unrecorded == ("'Flow'",)
