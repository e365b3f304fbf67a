"""What a run of a seed finds under way at its beginning, and what of that it cannot tell from its own deployments."""

from __future__ import annotations

from pathlib import Path

from cpi_tasks.records.notes import Notes
from cpi_tasks.simulator import Simulator
from cpi_tasks.simulator.lifecycle import Deployment, Fate


def in_flight(simulator: Simulator) -> dict[str, list[Deployment]]:
    """Give the deployments that have not ended, by artifact."""
    now_ms = simulator._state.clock.now_ms()
    found = {
        artifact: [one for one in record.log if isinstance(one, Deployment) and one.final_ms > now_ms]
        for artifact, record in simulator._state.runtime.items()
    }
    return {artifact: going for artifact, going in found.items() if going}


def unsure(simulator: Simulator, kept: Path) -> frozenset[str]:
    """Give the artifacts with more deployments under way than are on record, or whose last one is shown and will fail.

    Nothing tells a run of the former, which are somebody else's, and it joins the latter to see it fail.
    """
    notes = Notes()
    for file in (kept / "records").glob("*.jsonl"):
        for line in file.read_text(encoding="utf-8").splitlines():
            notes.take(line)
    unseen = {str(artifact): record.unseen for artifact, record in notes.records.items()}
    shown = simulator.deployed
    return frozenset(
        artifact
        for artifact, going in in_flight(simulator).items()
        if len(going) > unseen.get(artifact, 0)
        or (artifact in shown and shown[artifact].status == "STARTING" and going[-1].fate is not Fate.STARTS)
    )
