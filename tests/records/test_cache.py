"""The cache: what is known of a tenant in exactly the state it is listed in, and nothing that is not true any more."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cpi_tasks.model.records import Known
from cpi_tasks.model.tenant import DesigntimeArtifact
from cpi_tasks.records import StateFolder, TenantCache, cache
from tests.records.builders import FLOW, OTHER, design, known, mode, tree

T1 = "https://t1.example.com"
TIME = 1767600000123


def opened(folder: StateFolder, tenant: str = T1) -> TenantCache:
    """Open the cache as a run does that reads everything anew."""
    return TenantCache(StateFolder(folder.path.parent, run="next"), tenant=tenant)


def saved(folder: StateFolder, **content: str) -> TenantCache:
    """Open a cache, keep artifacts with contents, and save it."""
    filled = opened(folder)
    for artifact, fingerprint in content.items():
        filled.keep(design(artifact), known(fingerprint))
    filled.save()
    return filled


def file_of(folder: StateFolder) -> Path:
    return folder.path / "cache" / "t1.example.com.json"


def test_what_was_kept_is_known_in_the_next_run(folder: StateFolder) -> None:
    """Content and description are found again, and only of what was read."""
    first = opened(folder)
    first.keep(design(), known("c1"))
    assert first.find(design()) == known("c1")
    first.save()

    later = opened(folder)
    assert later.find(design()) == Known(version="1.0.3", modified_at=TIME, content="c1", description="d1")
    assert later.find(design("Other")) is None


def test_a_cache_says_what_it_holds(folder: StateFolder) -> None:
    """The file is JSON with a format, the tenant and one entry an artifact, so that a later version can tell."""
    saved(folder, Flow="c1")

    assert json.loads(file_of(folder).read_text(encoding="utf-8")) == {
        "format": 1,
        "tenant": "https://t1.example.com",
        "key": "",
        "artifacts": {
            "Flow": {
                "version": "1.0.3",
                "modifiedAt": 1767600000123,
                "content": "c1",
                "description": "d1",
                "parameters": None,
                "parameterDigest": None,
            }
        },
    }


def test_nothing_is_on_disk_before_it_is_saved(folder: StateFolder) -> None:
    """Keeping is cheap; a run that never saves leaves no file."""
    opened(folder).keep(design(), known())

    assert not folder.path.exists()
    assert opened(folder).find(design()) is None


@pytest.mark.parametrize(
    "now",
    [
        design(version="1.0.4"),
        design(modified_at=TIME + 1),
        design(modified_at=TIME - 1),
        design(modified_at=None),
        design(version="Active"),
        design(version="draft"),
    ],
)
def test_an_artifact_that_moved_is_not_known(folder: StateFolder, now: DesigntimeArtifact) -> None:
    """Another version, another time, no time or a draft: each is read again."""
    saved(folder, Flow="c1")

    assert opened(folder).find(now) is None
    assert opened(folder).find(design()) == known("c1")


@pytest.mark.parametrize(
    ("now", "read"),
    [
        (design(version="Active"), known(version="Active")),
        (design(version="Draft"), known(version="Draft")),
        (design(modified_at=None), known()),
        (design(version="1.0.4"), known(version="1.0.3")),
        (design(modified_at=TIME + 1), known(modified_at=TIME)),
    ],
)
def test_what_cannot_be_recognised_later_is_not_kept(folder: StateFolder, now: DesigntimeArtifact, read: Known) -> None:
    """Drafts change without a trace, and what was read in another state than the listed one says nothing of it."""
    filled = opened(folder)

    filled.keep(now, read)
    filled.save()

    assert filled.find(now) is None
    assert filled.find(design(version=read.version, modified_at=read.modified_at)) is None
    assert not file_of(folder).exists()


def test_the_latest_reading_counts(folder: StateFolder) -> None:
    """A newer state replaces the older one, which is not known any more."""
    filled = saved(folder, Flow="c1")
    filled.keep(design(version="1.0.4"), known("c2", version="1.0.4"))
    filled.save()

    assert opened(folder).find(design()) is None
    assert opened(folder).find(design(version="1.0.4")) == known("c2", version="1.0.4")


def test_tenants_do_not_mix(folder: StateFolder) -> None:
    """Each host has a file of its own."""
    saved(folder, Flow="c1")
    two = opened(folder, "https://t2.example.com")
    assert two.find(design()) is None
    two.keep(design(), known("c2"))
    two.save()

    assert opened(folder).find(design()) == known("c1")
    assert opened(folder, "https://t2.example.com").find(design()) == known("c2")
    assert tree(folder.path / "cache") == ["t1.example.com.json", "t2.example.com.json"]


def test_a_file_of_another_tenant_knows_nothing(folder: StateFolder) -> None:
    """Where a file has been copied, or two tenants share a host, what it holds is not believed and not deleted."""
    saved(folder, Flow="c1")
    file_of(folder).rename(file_of(folder).with_name("t2.example.com.json"))
    saved(folder, Flow="c1")

    assert opened(folder, "https://t2.example.com").find(design()) is None
    plain = opened(folder, "http://t1.example.com")
    assert plain.find(design()) is None
    plain.keep(design(), known("c3"))
    plain.forget(FLOW)
    assert opened(folder).find(design()) == known("c1")


def test_forgetting_deletes_the_file_at_once(folder: StateFolder) -> None:
    """A run killed right after a write leaves nothing that calls the old state true."""
    filled = saved(folder, Flow="c1", Other="c2")

    filled.forget(FLOW)

    assert not file_of(folder).exists()
    assert filled.find(design()) is None
    assert opened(folder).find(design("Other")) is None


def test_after_forgetting_the_rest_is_saved(folder: StateFolder) -> None:
    """The end of the update brings the file back without what was written."""
    saved(folder, Flow="c1", Other="c2")
    filled = opened(folder)
    filled.forget(FLOW)
    assert not file_of(folder).exists()
    filled.save()

    later = opened(folder)
    assert later.find(design()) is None
    assert later.find(design("Other")) == known("c2")


def test_forgetting_what_is_not_known_leaves_the_file(folder: StateFolder) -> None:
    """Creating an artifact does not cost what is known of all others."""
    filled = saved(folder, Flow="c1")

    filled.forget(OTHER)

    assert opened(folder).find(design()) == known("c1")


def test_a_file_that_cannot_be_deleted_is_replaced(folder: StateFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgetting ends no run; the next time it is tried again, and saving replaces the file."""
    filled = saved(folder, Flow="c1", Other="c2", Third="c3")

    def refuse(file: Path, *, missing_ok: bool = False) -> None:
        raise PermissionError(13, f"Permission denied: {missing_ok}", str(file))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        filled.forget(FLOW)
    filled.forget(OTHER)
    assert not file_of(folder).exists()

    filled.save()
    assert json.loads(file_of(folder).read_text(encoding="utf-8"))["artifacts"].keys() == {"Third"}


def test_nothing_is_written_where_nothing_has_changed(folder: StateFolder) -> None:
    """A run that finds everything as it was leaves the file alone."""
    filled = saved(folder, Flow="c1")
    file_of(folder).unlink()

    filled.find(design())
    filled.keep(design(), known("c1"))
    filled.forget(OTHER)
    filled.save()

    assert not file_of(folder).exists()


def test_the_file_is_replaced_as_a_whole(folder: StateFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A save that fails is no error: the old file stays, no part of a new one is left, the next save tries again."""
    filled = saved(folder, Flow="c1")
    before = file_of(folder).read_bytes()
    filled.keep(design("Other"), known("c2"))

    def refuse(file: Path, target: Path) -> None:
        raise OSError(28, "No space left on device", str(file))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refuse)
        filled.save()
    assert file_of(folder).read_bytes() == before
    assert tree(folder.path / "cache") == ["t1.example.com.json"]

    filled.save()
    assert opened(folder).find(design("Other")) == known("c2")


def test_the_file_is_private(folder: StateFolder) -> None:
    """File and folder are their owner's only, whatever the umask."""
    old = os.umask(0)
    try:
        saved(folder, Flow="c1")
    finally:
        os.umask(old)

    assert [mode(file_of(folder)), mode(file_of(folder).parent), mode(folder.path)] == [0o600, 0o700, 0o700]


def test_what_was_not_used_for_longest_is_dropped(folder: StateFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache has a limit: what is in use stays, whenever it was read."""
    monkeypatch.setattr(cache, "_MOST_ENTRIES", 2)
    filled = opened(folder)
    for artifact in ("One", "Two", "Three"):
        filled.keep(design(artifact), known())
    filled.find(design("One"))
    filled.save()

    later = opened(folder)
    assert [bool(later.find(design(artifact))) for artifact in ("One", "Two", "Three")] == [True, False, True]


def test_what_could_not_be_dropped_on_disk_is_forgotten_there(
    folder: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a save over the limit fails, the file still holds the oldest entry: forgetting that deletes the file."""
    filled = saved(folder, Flow="c1")
    monkeypatch.setattr(cache, "_MOST_ENTRIES", 1)
    filled.keep(design("Other"), known("c2"))

    def refuse(file: Path, target: Path) -> None:
        raise OSError(28, "No space left on device", str(file))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refuse)
        filled.save()

    filled.forget(FLOW)

    assert not file_of(folder).exists()
