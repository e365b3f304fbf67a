"""Deployment records: what was noted is there in the next run, whatever happened to the file in between."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpi_tasks.errors import StateFolderError
from cpi_tasks.model.naming import ArtifactId
from cpi_tasks.model.records import ArtifactRecord
from cpi_tasks.records import DeploymentRecords, StateFolder
from tests.records.builders import FLOW, OTHER, mode

THIRD = ArtifactId("Third")
OpenRecords = Callable[[], DeploymentRecords]


def file_of(folder: StateFolder) -> Path:
    return folder.records_file("https://t1.example.com")


def lines_of(folder: StateFolder) -> list[dict[str, object]]:
    return [json.loads(line) for line in file_of(folder).read_text(encoding="utf-8").splitlines() if line]


def test_nothing_noted_is_an_empty_record(open_records: OpenRecords) -> None:
    """An artifact never seen has a record that proves nothing and asks for nothing."""
    assert open_records().get(FLOW) == ArtifactRecord(
        uploaded=None, is_pending=False, is_triggered=False, content=None, parameters=None, deployed_on=None
    )


def test_a_write_is_pending_until_it_runs(open_records: OpenRecords) -> None:
    """Write, trigger and success lead from pending to a proof, each on record for the next run."""
    records = open_records()

    records.note_write(FLOW, content="f1")
    assert open_records().get(FLOW) == ArtifactRecord(uploaded="f1", is_pending=True)

    records.note_trigger(FLOW, content=None, parameters=None)
    assert open_records().get(FLOW) == ArtifactRecord(uploaded="f1", is_pending=True, is_triggered=True, unseen=1)

    records.note_running(FLOW, content="f1", parameters="p1", deployed_on=7)
    assert open_records().get(FLOW) == ArtifactRecord(uploaded="f1", content="f1", parameters="p1", deployed_on=7)


def test_a_second_write_takes_the_trigger_back(open_records: OpenRecords) -> None:
    """A deployment accepted before the latest write does not contain it, but may still be under way."""
    records = open_records()
    records.note_write(FLOW, content="f1")
    records.note_trigger(FLOW, content=None, parameters=None)

    records.note_write(FLOW, content="f2")

    assert open_records().get(FLOW) == ArtifactRecord(uploaded="f2", is_pending=True, is_triggered=False, unseen=1)


def test_a_write_keeps_the_last_proof_and_upload(open_records: OpenRecords) -> None:
    """A parameter write is pending without forgetting what was uploaded and seen running."""
    records = open_records()
    records.note_write(FLOW, content="f1")
    records.note_running(FLOW, content="f1", parameters="p1", deployed_on=7)

    records.note_write(FLOW, content=None)

    assert open_records().get(FLOW) == ArtifactRecord(
        uploaded="f1", is_pending=True, content="f1", parameters="p1", deployed_on=7
    )


def test_a_trigger_without_a_write_is_pending(open_records: OpenRecords) -> None:
    """A deployment that was triggered and never seen running is not settled."""
    open_records().note_trigger(FLOW, content=None, parameters=None)

    assert open_records().get(FLOW) == ArtifactRecord(is_pending=True, is_triggered=True, unseen=1)


def test_a_success_of_unknown_content_takes_the_old_proof_away(open_records: OpenRecords) -> None:
    """Where content and time are not known, nothing of an older deployment may go on counting."""
    records = open_records()
    records.note_running(FLOW, content="f1", parameters="p1", deployed_on=7)

    records.note_running(FLOW, content=None, parameters=None, deployed_on=None)

    assert open_records().get(FLOW) == ArtifactRecord()


def test_artifacts_do_not_mix(open_records: OpenRecords) -> None:
    """What is noted of one artifact says nothing of another."""
    records = open_records()
    records.note_write(FLOW, content="f1")

    assert open_records().get(OTHER) == ArtifactRecord()


def test_tenants_do_not_mix(folder: StateFolder) -> None:
    """One project deploys to many tenants; each has its own file."""
    one = DeploymentRecords(folder, tenant="https://t1.example.com")
    two = DeploymentRecords(folder, tenant="https://t2.example.com")

    one.note_running(FLOW, content="f1", parameters="p1", deployed_on=7)
    two.note_write(FLOW, content="f2")

    assert DeploymentRecords(folder, tenant="https://t1.example.com").get(FLOW).deployed_on == 7
    assert DeploymentRecords(folder, tenant="https://t2.example.com").get(FLOW) == ArtifactRecord(
        uploaded="f2", is_pending=True
    )
    assert len(list((folder.path / "records").iterdir())) == 2


def test_noting_the_same_again_writes_nothing(open_records: OpenRecords, folder: StateFolder) -> None:
    """The file does not grow with runs in which nothing happens."""
    records = open_records()
    records.note_running(FLOW, content="f1", parameters="p1", deployed_on=7)
    size = file_of(folder).stat().st_size

    records.note_running(FLOW, content="f1", parameters="p1", deployed_on=7)
    open_records().note_running(FLOW, content="f1", parameters="p1", deployed_on=7)

    assert file_of(folder).stat().st_size == size


@pytest.mark.parametrize("cut", [1, 2, 20, 60])
def test_a_line_cut_short_does_not_count(open_records: OpenRecords, folder: StateFolder, cut: int) -> None:
    """A kill in the middle of a line leaves the state before it, and later lines are read."""
    records = open_records()
    records.note_write(FLOW, content="f1")
    before = len(file_of(folder).read_bytes())
    records.note_trigger(FLOW, content=None, parameters=None)
    data = file_of(folder).read_bytes()
    assert len(data) - before > 61
    file_of(folder).write_bytes(data[: -1 - cut])

    again = open_records()
    assert again.get(FLOW) == ArtifactRecord(uploaded="f1", is_pending=True)
    again.note_write(OTHER, content="f2")

    assert open_records().get(FLOW) == ArtifactRecord(uploaded="f1", is_pending=True)
    assert open_records().get(OTHER) == ArtifactRecord(uploaded="f2", is_pending=True)


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\x00\x00\x00",
        b"\xff\xfe",
        b"null",
        b"[1]",
        b'"Flow"',
        b"{}",
        b'{"artifact":"Flow"',
        b'{"artifact":"Flow","of another version":1}',
        b'{"artifact":{"x":[]},"uploaded":null}',
    ],
)
def test_garbage_lines_do_not_count(open_records: OpenRecords, folder: StateFolder, garbage: bytes) -> None:
    """What a crash or a hand left in the file changes nothing."""
    open_records().note_write(FLOW, content="f1")
    with file_of(folder).open("ab") as file:
        file.write(b"\n" + garbage + b"\n")

    assert open_records().get(FLOW) == ArtifactRecord(uploaded="f1", is_pending=True)


NOTES = st.lists(
    st.tuples(
        st.sampled_from(["write", "configure", "trigger", "running"]),
        st.sampled_from(["Flow", "Other", "Fluß\u2028 \N{PILE OF POO}"]),
        st.integers(0, 3),
    ),
    max_size=400,
)


@settings(deadline=None, max_examples=25)
@given(NOTES)
def test_a_new_run_knows_what_the_last_one_knew(
    tmp_path_factory: pytest.TempPathFactory, notes: list[tuple[str, str, int]]
) -> None:
    """After any history, also one long enough to be rewritten in short form, both give the same records."""
    folder = StateFolder(tmp_path_factory.mktemp("project"), run="now")
    records = DeploymentRecords(folder, tenant="t1")
    for what, name, number in notes:
        artifact = ArtifactId(name)
        match what:
            case "write":
                records.note_write(artifact, content=f"f{number}")
            case "configure":
                records.note_write(artifact, content=None)
            case "trigger":
                records.note_trigger(artifact, content=None, parameters=None)
            case _:
                records.note_running(artifact, content=f"f{number}", parameters=f"p{number}", deployed_on=number)

    for _ in range(2):
        again = DeploymentRecords(folder, tenant="t1")
        for name in {name for _, name, _ in notes}:
            assert again.get(ArtifactId(name)) == records.get(ArtifactId(name))


def test_a_file_that_has_grown_is_rewritten_in_short_form(open_records: OpenRecords, folder: StateFolder) -> None:
    """The first note of a run keeps the newest record of each artifact and drops the history."""
    records = open_records()
    for number in range(100):
        records.note_write(FLOW, content=f"f{number}")
        records.note_write(OTHER, content=f"o{number}")

    open_records().note_write(THIRD, content="t")

    lines = lines_of(folder)
    assert {line["artifact"]: line["uploaded"] for line in lines} == {"Flow": "f99", "Other": "o99", "Third": "t"}
    assert len(lines) == 3
    assert open_records().get(FLOW) == ArtifactRecord(uploaded="f99", is_pending=True)
    assert mode(file_of(folder)) == 0o600
    assert [file.name for file in file_of(folder).parent.iterdir()] == [file_of(folder).name]


def test_a_file_is_not_rewritten_again_and_again(open_records: OpenRecords, folder: StateFolder) -> None:
    """Within a run only the first note may rewrite; the others cost one line each."""
    records = open_records()
    for number in range(100):
        records.note_write(FLOW, content=f"f{number}")

    again = open_records()
    for number in range(100):
        again.note_write(OTHER, content=f"o{number}")

    assert len(lines_of(folder)) == 101


def test_who_only_reads_leaves_a_long_file_as_it_is(open_records: OpenRecords, folder: StateFolder) -> None:
    """A plan must not rewrite what a run may be noting in at the same time."""
    records = open_records()
    for number in range(100):
        records.note_write(FLOW, content=f"f{number}")
    before = file_of(folder).read_bytes(), file_of(folder).stat().st_ino

    reader = open_records()
    reader.get(FLOW)
    reader.note_write(FLOW, content="f99")

    assert (file_of(folder).read_bytes(), file_of(folder).stat().st_ino) == before


def test_what_another_run_noted_meanwhile_survives_the_rewriting(
    open_records: OpenRecords, folder: StateFolder
) -> None:
    """The short form is of what the file holds at that moment, not of what it held when it was opened."""
    records = open_records()
    for number in range(100):
        records.note_write(FLOW, content=f"f{number}")
    late = open_records()
    records.note_write(OTHER, content="meanwhile")

    late.note_write(THIRD, content="t")

    assert open_records().get(OTHER) == ArtifactRecord(uploaded="meanwhile", is_pending=True)
    assert len(lines_of(folder)) == 3


def test_a_rewriting_that_fails_loses_nothing(
    open_records: OpenRecords, folder: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk the run is told before it writes to the tenant, and the old file stays whole."""
    records = open_records()
    for number in range(100):
        records.note_write(FLOW, content=f"f{number}")
    before = file_of(folder).read_bytes()
    late = open_records()

    def refuse(file: Path, target: Path) -> None:
        raise OSError(28, "No space left on device", str(file))

    monkeypatch.setattr(Path, "replace", refuse)

    with pytest.raises(StateFolderError, match="No space left on device"):
        late.note_write(OTHER, content="o")
    assert late.get(OTHER) == ArtifactRecord()
    assert file_of(folder).read_bytes() == before


def test_records_deleted_in_the_middle_of_a_run_come_back(open_records: OpenRecords, folder: StateFolder) -> None:
    """Deleting ``.cpi`` at any moment costs what was known, never the run."""
    records = open_records()
    records.note_write(FLOW, content="f1")
    shutil.rmtree(folder.path)

    records.note_write(OTHER, content="f2")

    assert records.get(FLOW) == ArtifactRecord(uploaded="f1", is_pending=True)
    assert open_records().get(FLOW) == ArtifactRecord()
    assert open_records().get(OTHER) == ArtifactRecord(uploaded="f2", is_pending=True)
