"""The cache may be lost, damaged or restored at any moment: it then knows less, never something else."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from cpi_tasks.model.records import Known
from cpi_tasks.records import DeploymentRecords, StateFolder, TenantCache
from cpi_tasks.records.digests import Digests
from tests.records.builders import FLOW, OTHER, design, known, tree

T1 = "https://t1.example.com"


def opened(project: Path) -> TenantCache:
    """Open the cache as a run does that reads everything anew."""
    return TenantCache(StateFolder(project, run="next"), tenant=T1)


def file_of(project: Path) -> Path:
    return project / ".cpi" / "cache" / "t1.example.com.json"


def change(project: Path, **fields: object) -> None:
    """Change fields of the cache's file."""
    content = json.loads(file_of(project).read_text(encoding="utf-8"))
    file_of(project).write_text(json.dumps(content | fields), encoding="utf-8")


def read_flow(project: Path, **values: str) -> Known:
    """Give what a run in this project knows of a flow with these parameters; this makes the key."""
    digests = Digests(StateFolder(project, run="now"))
    return known("c1", parameters=digests.of_each(values), parameter_digest=digests.of_all(values))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a project whose cache knows a flow with a parameter, and another artifact."""
    project = tmp_path / "project"
    cache = opened(project)
    cache.keep(design(), read_flow(project, host="prod"))
    cache.keep(design("Other"), known("c2"))
    cache.save()
    return project


def test_a_folder_that_is_restored_with_its_key_knows_everything(project: Path, tmp_path: Path) -> None:
    """A build that restores ``.cpi`` elsewhere, with any modes, goes on where the last one ended."""
    shutil.copytree(project / ".cpi", tmp_path / "restored" / ".cpi")
    (tmp_path / "restored" / ".cpi").chmod(0o755)

    cache = opened(tmp_path / "restored")

    assert cache.find(design()) == read_flow(project, host="prod")
    assert cache.find(design("Other")) == known("c2")


@pytest.mark.parametrize("key", [None, "", "ab", "cd" * 32])
def test_without_its_key_contents_are_known_and_values_are_not(project: Path, tmp_path: Path, key: str | None) -> None:
    """Digests of another key would tell of changes that nobody made; contents need no key."""
    restored = tmp_path / "restored"
    shutil.copytree(project / ".cpi" / "cache", restored / ".cpi" / "cache")
    if key is not None:
        (restored / ".cpi" / "key").write_text(key, encoding="ascii")

    cache = opened(restored)

    assert cache.find(design()) == Known(version="1.0.3", modified_at=1767600000123, content="c1", description="d1")
    assert cache.find(design("Other")) == known("c2")


def test_digests_of_no_key_are_not_believed(project: Path) -> None:
    """That neither the file nor the folder has a key does not make them belong together."""
    change(project, key="")
    (project / ".cpi" / "key").unlink()

    assert opened(project).find(design()) == known("c1")


def test_a_file_of_another_format_knows_nothing(project: Path) -> None:
    """A later version may mean something else by the same words."""
    change(project, format=2)

    assert opened(project).find(design()) is None


def test_a_key_that_cannot_be_read_is_not_raised(project: Path) -> None:
    """Without an answer from the file system nothing is believed."""
    (project / ".cpi" / "key").unlink()
    (project / ".cpi" / "key").mkdir()

    assert opened(project).find(design()) is None


def test_values_read_with_the_new_key_are_known_again(project: Path) -> None:
    """One run after the key was lost, everything is known."""
    (project / ".cpi" / "key").unlink()
    folder = StateFolder(project, run="now")
    cache, digests = TenantCache(folder, tenant=T1), DeploymentRecords(folder, tenant=T1)
    again = replace(known("c1"), parameters=digests.digest_each({"host": "prod"}), parameter_digest="p")

    cache.keep(design(), again)
    cache.save()

    assert opened(project).find(design()) == again
    assert opened(project).find(design("Other")) == known("c2")


def test_a_key_lost_in_the_middle_of_a_run_proves_nothing_later(project: Path) -> None:
    """Where ``.cpi`` is deleted while a run goes on, what that run saves has no digest that the next one believes."""
    folder = StateFolder(project, run="now")
    cache = TenantCache(folder, tenant=T1)
    found = cache.find(design())
    assert found == read_flow(project, host="prod")
    shutil.rmtree(project / ".cpi")

    cache.keep(design("Third"), known("c3"))
    cache.save()

    assert opened(project).find(design()) == replace(found, parameters=None, parameter_digest=None)
    assert opened(project).find(design("Third")) == known("c3")


def test_no_part_of_a_file_is_believed(project: Path) -> None:
    """Cut at any byte, a file knows nothing, opening does not fail, and the next save is whole again."""
    data = file_of(project).read_bytes()

    for cut in range(len(data)):
        file_of(project).write_bytes(data[:cut])
        assert opened(project).find(design()) is None
        assert opened(project).find(design("Other")) is None

    cache = opened(project)
    cache.keep(design("Other"), known("c2"))
    cache.save()
    assert opened(project).find(design("Other")) == known("c2")


@pytest.mark.parametrize(
    "damage",
    [
        b"\x00" * 100,
        b"\xff\xfe{}",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b"[" * 100_000,
        b'{"format":' + b"9" * 5000 + b"}",
        b'{"format":1,"tenant":["https://t1.example.com"],"key":"","artifacts":{}}',
        b'{"format":1,"tenant":"https://t1.example.com","key":[],"artifacts":[]}',
        b'{"format":1,"tenant":"https://t1.example.com","key":"","artifacts":{"Flow":null}}',
        b'{"format":1,"tenant":"https://t1.example.com","artifacts":{"Flow":{}}}',
        b"<<<<<<< ours",
    ],
)
def test_a_damaged_file_knows_nothing(project: Path, damage: bytes) -> None:
    """Whatever is in the file, opening does not fail, nothing is known, and the next save replaces it."""
    file_of(project).write_bytes(damage)

    cache = opened(project)

    assert cache.find(design()) is None
    cache.keep(design(), known("new"))
    cache.save()
    assert opened(project).find(design()) == known("new")


@pytest.mark.parametrize(
    ("field_name", "value"),
    [
        ("version", None),
        ("version", 1),
        ("modifiedAt", "1767600000123"),
        ("modifiedAt", 1767600000123.5),
        ("content", None),
        ("description", 1),
        ("parameters", ["host"]),
        ("parameters", {"host": None}),
        ("parameterDigest", 1),
    ],
)
def test_a_damaged_entry_is_not_believed(project: Path, field_name: str, value: object) -> None:
    """An entry of another shape is left out; the others are not worse for it."""
    content = json.loads(file_of(project).read_text(encoding="utf-8"))
    content["artifacts"]["Flow"][field_name] = value
    change(project, artifacts=content["artifacts"])

    assert opened(project).find(design()) is None
    assert opened(project).find(design("Other")) == known("c2")


@pytest.mark.parametrize("in_the_way", [".cpi", ".cpi/cache", ".cpi/cache/t1.example.com.json", ".cpi/key"])
@pytest.mark.parametrize("is_folder", [True, False])
def test_nothing_the_file_system_refuses_is_raised(tmp_path: Path, in_the_way: str, is_folder: bool) -> None:
    """A file where a folder should be, or the other way round: the run reads more, and goes on."""
    blocked = tmp_path / in_the_way
    blocked.parent.mkdir(parents=True, exist_ok=True)
    if is_folder:
        (blocked / "x").mkdir(parents=True)
    else:
        blocked.write_text("", encoding="utf-8")

    cache = opened(tmp_path)
    cache.keep(design(), known("c1"))
    cache.keep(design("Other"), known("c2"))
    cache.save()
    cache.forget(FLOW)
    cache.save()

    assert cache.find(design()) is None
    assert cache.find(design("Other")) == known("c2")


def test_a_file_that_could_not_be_deleted_is_not_believed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is mounted for reading only cannot be forgotten when something is written, so that it is not used."""
    monkeypatch.setattr(os, "access", lambda path, how: (path, how) != (file_of(project).parent, os.W_OK))

    assert opened(project).find(design()) is None


def test_leftovers_of_a_killed_run_do_no_harm(project: Path) -> None:
    """A temporary file that a kill left beside the cache is neither read nor in the way."""
    (file_of(project).parent / ".abc.tmp").write_text("{", encoding="utf-8")
    cache = opened(project)
    cache.forget(OTHER)
    cache.save()

    assert opened(project).find(design()) == read_flow(project, host="prod")
    assert tree(file_of(project).parent) == [".abc.tmp", "t1.example.com.json"]
