"""Keyed digests: comparable within a project, worth nothing outside of it, and no value can be read from them."""

from __future__ import annotations

import hashlib
import hmac
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpi_tasks.model.records import Baseline
from cpi_tasks.records import DeploymentRecords, RunBackups, StateFolder, TenantCache
from cpi_tasks.records.digests import Digests
from tests.records.builders import FLOW, PACK, design, known, ref, tree

OpenRecords = Callable[[], DeploymentRecords]
VALUES = st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3)


def other_run(folder: StateFolder) -> StateFolder:
    return StateFolder(folder.path.parent, run="20260106T080000")


def test_digests_are_the_same_in_every_run(folder: StateFolder) -> None:
    """Equal values give equal digests in any order and in any later run of the project."""
    first = Digests(folder).of_all({"host": "prod", "port": "1"})
    each = Digests(folder).of_each({"host": "prod"})

    assert Digests(other_run(folder)).of_all({"port": "1", "host": "prod"}) == first
    assert Digests(other_run(folder)).of_each({"port": "1", "host": "prod"})["host"] == each["host"]


def test_digests_are_keyed_hashes(folder: StateFolder) -> None:
    """The digests are HMAC-SHA256 with the folder's key; those of single values are its first 128 bits."""
    folder.ensure()
    (folder.path / "key").write_text("0b" * 32, encoding="ascii")
    digests = Digests(folder)

    def expected(text: bytes) -> str:
        return hmac.new(b"\x0b" * 32, text, hashlib.sha256).hexdigest()

    assert digests.of_all({"port": "1", "host": "prod"}) == expected(b'[["host", "prod"], ["port", "1"]]')
    assert digests.of_each({"host": "prod"}) == {"host": expected(b'["host", "prod"]')[:32]}


@pytest.mark.parametrize(
    "other",
    [
        {"host": "prod", "port": "2"},
        {"host": "prod"},
        {"host": "1", "port": "prod"},
        {"host": "prod", "port": "1", "x": ""},
        {"host": 'prod"], ["port', "port": "1"},
        {"HOST": "prod", "port": "1"},
        {},
    ],
)
def test_digests_of_other_values_differ(open_records: OpenRecords, other: dict[str, str]) -> None:
    """Every change of a key, of a value, or of what belongs to which gives another digest."""
    assert open_records().digest(other) != open_records().digest({"host": "prod", "port": "1"})


@settings(deadline=None, max_examples=100)
@given(one=VALUES, two=VALUES)
def test_digests_tell_exactly_what_is_equal(
    tmp_path_factory: pytest.TempPathFactory, one: dict[str, str], two: dict[str, str]
) -> None:
    """Two mappings have one digest if and only if they are equal, and so has each of their values."""
    digests = Digests(StateFolder(tmp_path_factory.mktemp("project"), run="now"))
    first, second = digests.of_each(one), digests.of_each(two)

    assert (digests.of_all(one) == digests.of_all(two)) is (one == two)
    assert first.keys() == one.keys()
    assert {key for key in one if first[key] == second.get(key)} == {key for key in one if one[key] == two.get(key)}


def test_equal_values_of_two_keys_have_different_digests(open_records: OpenRecords) -> None:
    """Nobody can tell from the file that two parameters share a password."""
    digests = open_records().digest_each({"one": "hunter2", "two": "hunter2"})

    assert digests["one"] != digests["two"]
    assert [len(digest) for digest in digests.values()] == [32, 32]


def test_half_characters_can_be_digested(open_records: OpenRecords) -> None:
    """A tenant may send a lone surrogate in JSON; that is a value like any other."""
    assert open_records().digest({"a": "\ud800"}) != open_records().digest({"a": "\ud801"})
    assert open_records().digest_each({"a": "\ud800"}) == open_records().digest_each({"a": "\ud800"})


def test_digests_of_another_project_differ(tmp_path: Path) -> None:
    """Whoever sees two projects' records cannot tell that they use the same password."""
    one, two = (Digests(StateFolder(tmp_path / name, run="now")) for name in ("one", "two"))

    assert one.of_all({"password": "secret"}) != two.of_all({"password": "secret"})
    assert one.of_each({"password": "secret"}) != two.of_each({"password": "secret"})
    assert one.key_id != two.key_id


def test_a_lost_key_makes_old_digests_worthless(folder: StateFolder) -> None:
    """With a new key nothing that was digested before compares equal."""
    old = Digests(folder)
    before = old.of_all({"host": "prod"}), old.key_id
    (folder.path / "key").unlink()

    new = Digests(other_run(folder))

    assert new.of_all({"host": "prod"}) != before[0]
    assert new.key_id != before[1]


def test_asking_for_the_known_key_makes_none(folder: StateFolder) -> None:
    """Who only compares needs no key; the one that is made later has the id that is known then."""
    digests = Digests(folder)

    assert digests.known_key_id == ""
    assert not folder.path.exists()

    key_id = digests.key_id
    assert digests.known_key_id == key_id
    assert Digests(other_run(folder)).known_key_id == key_id


def test_the_id_of_a_key_tells_nothing_of_it(folder: StateFolder) -> None:
    """The id stands in caches that may be shared; it is a digest made with the key, not a part of it."""
    key_id = Digests(folder).key_id

    assert len(key_id) == 16
    assert key_id not in folder.key().hex()


def test_values_are_in_no_file_but_the_backup(folder: StateFolder, open_records: OpenRecords) -> None:
    """Records and cache hold keyed digests of parameter values and metadata only."""
    records, values = open_records(), {"db password": "hunter2-secret"}
    each, together = records.digest_each(values), records.digest(values)
    records.note_write(FLOW, content="f1")
    records.note_running(FLOW, content="f1", parameters=together, deployed_on=7)
    records.note_settled(FLOW, Baseline(content="f1", version="1.0.0", parameters=each))
    records.note_package(PACK, {"Description": "hunter2-secret"})
    cache = TenantCache(folder, tenant="https://t1.example.com")
    cache.keep(design(), known(parameters=each, parameter_digest=together))
    cache.save()
    backup = Path(RunBackups(folder).keep_state(design(), ref(), values))

    with_value = [file for file in folder.path.rglob("*") if file.is_file() and b"hunter2" in file.read_bytes()]

    assert with_value == [backup]
    shutil.rmtree(folder.path / "runs")
    assert tree(folder.path) == [
        ".gitignore",
        "cache",
        "cache/t1.example.com.json",
        "key",
        "records",
        "records/https_t1.example.com-d7beb0ab.jsonl",
    ]
