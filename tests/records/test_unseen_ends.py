"""Deployment records: what is known of deployments that were accepted and whose end nobody saw."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks.model.records import ArtifactRecord
from cpi_tasks.records import DeploymentRecords, StateFolder
from tests.records.builders import FLOW

OpenRecords = Callable[[], DeploymentRecords]


def file_of(folder: StateFolder) -> Path:
    return folder.records_file("https://t1.example.com")


def test_a_success_leaves_nothing_unseen(open_records: OpenRecords) -> None:
    """What was seen running is the end of all that was under way."""
    records = open_records()
    records.note_trigger(FLOW, content=None, parameters=None, under_way=2, ran_before=3)

    records.note_running(FLOW, content="f1", parameters="p1", deployed_on=7)

    assert open_records().get(FLOW) == ArtifactRecord(content="f1", parameters="p1", deployed_on=7)


def test_a_failure_is_an_end_that_was_seen(open_records: OpenRecords) -> None:
    """What failed stays pending, but no deployment of it is under way; one triggered earlier may be."""
    records = open_records()
    records.note_write(FLOW, content="f1")
    records.note_trigger(FLOW, content="f1", parameters="p1", under_way=1, ran_before=3)
    assert (open_records().get(FLOW).unseen, open_records().get(FLOW).ran_before) == (2, 3)

    records.note_failed(FLOW, under_way=1, ran_before=5)
    assert open_records().get(FLOW) == ArtifactRecord(
        uploaded="f1", is_pending=True, content="f1", parameters="p1", unseen=1, ran_before=5
    )

    records.note_failed(FLOW, under_way=0, ran_before=5)
    assert open_records().get(FLOW) == ArtifactRecord(uploaded="f1", is_pending=True, content="f1", parameters="p1")


@pytest.mark.parametrize("is_triggered", [True, False])
def test_lines_of_earlier_releases(open_records: OpenRecords, folder: StateFolder, *, is_triggered: bool) -> None:
    """A line that tells nothing of unseen ends counts; what it says was triggered may be under way."""
    folder.ensure("records")
    old = {"artifact": FLOW, "uploaded": "f1", "is_pending": True, "is_triggered": is_triggered}
    line = json.dumps({**old, "content": None, "parameters": None, "deployed_on": None, "took_s": 2.5})
    file_of(folder).write_text(line + "\n")

    assert open_records().get(FLOW) == ArtifactRecord(
        uploaded="f1", is_pending=True, is_triggered=is_triggered, took_s=2.5, unseen=int(is_triggered)
    )
