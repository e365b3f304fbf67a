"""Baselines: how a run left artifacts and packages, so that a later change has an author."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpi_tasks.model.naming import ArtifactId, PackageId
from cpi_tasks.model.records import ArtifactRecord, Baseline
from cpi_tasks.records import DeploymentRecords, StateFolder
from cpi_tasks.records.notes import Notes, SettledArtifact, SettledPackage
from tests.records.builders import FLOW, OTHER, PACK, mode

OpenRecords = Callable[[], DeploymentRecords]


def file_of(folder: StateFolder) -> Path:
    return folder.records_file("https://t1.example.com")


def key_of(folder: StateFolder) -> Path:
    return folder.path / "key"


@pytest.fixture
def next_run(tmp_path: Path) -> OpenRecords:
    """Give a function that opens the records as a run does that reads the key anew."""
    return lambda: DeploymentRecords(StateFolder(tmp_path, run="2"), tenant="https://t1.example.com")


def test_nothing_settled_is_no_baseline(open_records: OpenRecords) -> None:
    """Without a record, a difference is of unknown origin; asking makes no file."""
    records = open_records()
    records.note_write(FLOW, content="f1")

    assert open_records().baseline(FLOW) is None
    assert open_records().package_baseline(PACK) is None


def test_a_baseline_is_there_in_the_next_run(open_records: OpenRecords, next_run: OpenRecords) -> None:
    """Fingerprint, version and the digest of each value are as the last run noted them."""
    records = open_records()
    digests = records.digest_each({"host": "prod", "port": "1"})

    records.note_settled(FLOW, Baseline(content="f1", version="1.0.3", parameters=digests))

    later = next_run()
    assert later.baseline(FLOW) == Baseline(content="f1", version="1.0.3", parameters=digests)
    assert later.baseline(FLOW) == records.baseline(FLOW)
    assert later.digest_each({"port": "1", "host": "prod"}) == digests
    assert later.baseline(OTHER) is None


def test_the_latest_baseline_counts(open_records: OpenRecords) -> None:
    """Each run replaces what the one before noted, also where a draft is left or nothing is known."""
    records = open_records()
    for number in (1, 2):
        records.note_settled(FLOW, Baseline(content=f"f{number}", version=f"1.0.{number}"))
    assert open_records().baseline(FLOW) == Baseline(content="f2", version="1.0.2")

    records.note_settled(FLOW, Baseline(content="f3", version=None))
    assert open_records().baseline(FLOW) == Baseline(content="f3", version=None, parameters={})

    records.note_settled(FLOW, Baseline())
    assert open_records().baseline(FLOW) == Baseline(content=None, version=None, parameters={})


def test_a_baseline_does_not_follow_its_source(open_records: OpenRecords) -> None:
    """What was noted stays when the mapping it came from is used on."""
    records = open_records()
    digests = dict(records.digest_each({"host": "prod"}))
    records.note_settled(FLOW, Baseline(content="f1", parameters=digests))

    noted = dict(digests)
    digests["host"] = "moved"

    assert records.baseline(FLOW) == Baseline(content="f1", parameters=noted)


def test_a_package_baseline_holds_digests_of_each_field(open_records: OpenRecords, next_run: OpenRecords) -> None:
    """Fields are compared one by one with the digests of what the tenant shows later."""
    records = open_records()

    records.note_package(PACK, {"Name": "Orders", "Vendor": "ACME"})

    later = next_run()
    baseline = later.package_baseline(PACK)
    assert baseline == later.digest_each({"Name": "Orders", "Vendor": "ACME"})
    assert baseline != later.digest_each({"Name": "Orders", "Vendor": "Other"})
    assert later.package_baseline(PackageId("Other")) is None


def test_a_package_without_metadata_has_a_baseline(open_records: OpenRecords) -> None:
    """No field is a state as well, and not the same as nothing on record."""
    open_records().note_package(PACK, {})

    assert open_records().package_baseline(PACK) == {}


def test_notes_of_one_name_do_not_mix(open_records: OpenRecords) -> None:
    """An artifact and a package of one id have records of their own, and a deployment is a third thing."""
    records = open_records()
    records.note_settled(ArtifactId("Same"), Baseline(content="f1"))
    records.note_package(PackageId("Same"), {"Name": "Orders"})
    records.note_write(ArtifactId("Same"), content="w1")

    later = open_records()
    assert later.baseline(ArtifactId("Same")) == Baseline(content="f1")
    assert later.package_baseline(PackageId("Same")) == later.digest_each({"Name": "Orders"})
    assert later.get(ArtifactId("Same")) == ArtifactRecord(uploaded="w1", is_pending=True)


def test_baselines_of_two_tenants_do_not_mix(folder: StateFolder) -> None:
    """What one tenant was left with says nothing of another."""
    DeploymentRecords(folder, tenant="t1").note_settled(FLOW, Baseline(content="f1"))

    assert DeploymentRecords(folder, tenant="t2").baseline(FLOW) is None


def test_noting_the_same_again_writes_nothing(
    open_records: OpenRecords, next_run: OpenRecords, folder: StateFolder
) -> None:
    """The file does not grow with runs in which nothing changes."""
    records = open_records()
    baseline = Baseline(content="f1", version="1.0.0", parameters=records.digest_each({"host": "prod"}))
    records.note_settled(FLOW, baseline)
    records.note_package(PACK, {"Name": "Orders"})
    before = file_of(folder).read_bytes()

    for again in (records, open_records(), next_run()):
        again.note_settled(FLOW, baseline)
        again.note_package(PACK, {"Name": "Orders"})

    assert file_of(folder).read_bytes() == before


def test_a_baseline_without_values_needs_no_key(open_records: OpenRecords, folder: StateFolder) -> None:
    """Artifacts without parameters make no key, and are not worse for losing one."""
    open_records().note_settled(FLOW, Baseline(content="f1"))

    assert not key_of(folder).exists()
    assert open_records().baseline(FLOW) == Baseline(content="f1")


@pytest.mark.parametrize("left", [None, "", "ab", "cd" * 32])
def test_digests_of_a_lost_key_are_left_out(
    open_records: OpenRecords, next_run: OpenRecords, folder: StateFolder, left: str | None
) -> None:
    """With no key, a damaged or another one, values would look like somebody's edit: they are not known instead."""
    records = open_records()
    digests = records.digest_each({"host": "prod"})
    records.note_settled(FLOW, Baseline(content="f1", version="1.0.3", parameters=digests))
    records.note_settled(OTHER, Baseline(content="f2", version="2.0.0"))
    records.note_package(PACK, {"Name": "Orders"})
    key_of(folder).unlink()
    if left is not None:
        key_of(folder).write_text(left, encoding="ascii")

    later = next_run()
    assert later.baseline(FLOW) == Baseline(content="f1", version="1.0.3", parameters={})
    assert later.baseline(OTHER) == Baseline(content="f2", version="2.0.0")
    assert later.package_baseline(PACK) is None
    # A run makes a key with its first digest. The old digests are worth nothing after that either.
    later.digest({"host": "prod"})
    assert later.baseline(FLOW) == Baseline(content="f1", version="1.0.3", parameters={})
    assert later.package_baseline(PACK) is None


def test_what_is_noted_with_a_new_key_counts_again(
    open_records: OpenRecords, next_run: OpenRecords, folder: StateFolder
) -> None:
    """One run after the loss, everything is comparable again."""
    records = open_records()
    records.note_settled(FLOW, Baseline(content="f1", parameters=records.digest_each({"host": "prod"})))
    records.note_package(PACK, {"Name": "Orders"})
    key_of(folder).unlink()

    second = next_run()
    second.note_settled(FLOW, Baseline(content="f1", parameters=second.digest_each({"host": "prod"})))
    second.note_package(PACK, {"Name": "Orders"})

    third = next_run()
    assert third.baseline(FLOW) == Baseline(content="f1", parameters=third.digest_each({"host": "prod"}))
    assert third.package_baseline(PACK) == third.digest_each({"Name": "Orders"})


def test_a_line_cut_short_leaves_the_baseline_before_it(open_records: OpenRecords, folder: StateFolder) -> None:
    """A kill at any byte of the newest line leaves what was noted before, and later lines are read."""
    records = open_records()
    records.note_settled(FLOW, Baseline(content="f1", version="1.0.0"))
    size = file_of(folder).stat().st_size
    records.note_settled(FLOW, Baseline(content="f2", version="1.0.1"))
    data = file_of(folder).read_bytes()

    # The last byte is the line break: without it the line is complete.
    for cut in range(size, len(data) - 1):
        file_of(folder).write_bytes(data[:cut])
        again = open_records()
        assert again.baseline(FLOW) == Baseline(content="f1", version="1.0.0")
        again.note_settled(OTHER, Baseline(content="o1"))
        assert open_records().baseline(FLOW) == Baseline(content="f1", version="1.0.0")
        assert open_records().baseline(OTHER) == Baseline(content="o1")


@pytest.mark.parametrize(
    "garbage",
    [
        '{"settled":"Flow"}',
        '{"settled":"Flow","content":"x","version":"9","parameters":{"host":1},"key":""}',
        '{"settled":"Flow","content":"x","version":"9","parameters":null,"key":""}',
        '{"settled":"Flow","content":"x","version":"9","parameters":{}}',
        '{"settled":"Flow","content":1,"version":"9","parameters":{},"key":""}',
        '{"settled":["Flow"],"content":"x","version":"9","parameters":{},"key":""}',
        '{"package":"Pack","metadata":["Name"],"key":"k"}',
        '{"package":"Pack","metadata":{"Name":null},"key":"k"}',
        '{"package":"Pack","metadata":{}}',
        '{"settled":' * 5000,
        "[" * 100_000,
        '{"artifact":"Flow","deployed_on":' + "9" * 5000 + "}",
    ],
)
def test_lines_of_another_shape_do_not_count(open_records: OpenRecords, folder: StateFolder, garbage: str) -> None:
    """What another version or a hand wrote changes nothing and ends no run."""
    records = open_records()
    records.note_settled(FLOW, Baseline(content="f1"))
    records.note_package(PACK, {"Name": "Orders"})
    with file_of(folder).open("a", encoding="utf-8") as file:
        file.write(garbage + "\n")

    later = open_records()
    assert later.baseline(FLOW) == Baseline(content="f1")
    assert later.package_baseline(PACK) == later.digest_each({"Name": "Orders"})


def test_the_short_form_keeps_baselines(open_records: OpenRecords, next_run: OpenRecords, folder: StateFolder) -> None:
    """A file that has grown is rewritten with the newest of everything that was noted, its digests included."""
    records = open_records()
    digests = records.digest_each({"host": "prod"})
    for number in range(100):
        records.note_settled(FLOW, Baseline(content=f"f{number}", version="1.0.0", parameters=digests))
        records.note_package(PACK, {"Name": f"Orders {number}"})

    next_run().note_settled(OTHER, Baseline(content="o1"))

    later = next_run()
    assert later.baseline(FLOW) == Baseline(content="f99", version="1.0.0", parameters=digests)
    assert later.package_baseline(PACK) == later.digest_each({"Name": "Orders 99"})
    assert later.baseline(OTHER) == Baseline(content="o1")
    assert len([line for line in file_of(folder).read_bytes().splitlines() if line]) == 3
    assert mode(file_of(folder)) == 0o600


TEXTS = st.text(max_size=5) | st.sampled_from(["\u2028", "\ud800", '"}\n', "\r\n", "\0"])
DIGESTS = st.dictionaries(TEXTS, TEXTS, max_size=3)
RECORDS = st.builds(
    ArtifactRecord,
    uploaded=st.none() | TEXTS,
    is_pending=st.booleans(),
    is_triggered=st.booleans(),
    content=st.none() | TEXTS,
    parameters=st.none() | TEXTS,
    deployed_on=st.none() | st.integers(),
    unseen=st.integers(),
    ran_before=st.none() | st.integers(),
)
BASELINES = st.builds(Baseline, content=st.none() | TEXTS, version=st.none() | TEXTS, parameters=DIGESTS)
NOTES = st.builds(
    Notes,
    records=st.dictionaries(TEXTS.map(ArtifactId), RECORDS, max_size=3),
    artifacts=st.dictionaries(
        TEXTS.map(ArtifactId), st.builds(SettledArtifact, baseline=BASELINES, key=TEXTS), max_size=3
    ),
    packages=st.dictionaries(TEXTS.map(PackageId), st.builds(SettledPackage, metadata=DIGESTS, key=TEXTS), max_size=3),
)


@settings(deadline=None, max_examples=100)
@given(NOTES, NOTES)
def test_any_notes_survive_their_lines(before: Notes, notes: Notes) -> None:
    """Whatever ids and texts are noted, one line each gives the same notes again, over anything older."""
    again = Notes()
    for line in (before.lines() + notes.lines()).splitlines():
        again.take(line)

    assert again.records == before.records | notes.records
    assert again.artifacts == before.artifacts | notes.artifacts
    assert again.packages == before.packages | notes.packages
    assert len([line for line in notes.lines().splitlines() if line]) == len(notes)
