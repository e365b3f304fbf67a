"""Under which names a tenant shows our own login: as configured, or learnt from what it showed after our own writes."""

from __future__ import annotations

from pathlib import Path

from cpi_tasks.records import DeploymentRecords, StateFolder

TENANT = "https://t1.example.com"


def records(root: Path, login: str = "Deployer") -> DeploymentRecords:
    return DeploymentRecords(StateFolder(root, run="1"), tenant=TENANT, login=login)


def test_the_configured_name_is_ours(tmp_path: Path) -> None:
    """In any case, and as an OAuth client is shown; without a login nobody is."""
    assert records(tmp_path).own_names() == {"deployer", "sb-deployer"}
    assert records(tmp_path, "").own_names() == frozenset()


def test_a_name_that_is_certain_is_kept_for_the_next_run(tmp_path: Path) -> None:
    """What a tenant answers a creation with is our own name for it, for this login only."""
    records(tmp_path).note_author("P000123", is_certain=True)

    assert "p000123" in records(tmp_path).own_names()
    assert "p000123" not in records(tmp_path, "another").own_names()


def test_a_name_seen_once_may_be_of_somebody_who_wrote_meanwhile(tmp_path: Path) -> None:
    """It counts from the second time on."""
    first = records(tmp_path)
    first.note_author("P000123", is_certain=False)
    assert "p000123" not in first.own_names()
    first.note_author("P000123", is_certain=False)
    assert "p000123" in records(tmp_path).own_names()


def test_where_the_configured_name_is_shown_no_other_is_learnt(tmp_path: Path) -> None:
    """A person who saves right after our writes, however often, stays somebody else; so does an empty name."""
    seen = records(tmp_path)
    seen.note_author("person@example.com", is_certain=False)
    seen.note_author("sb-Deployer", is_certain=False)
    for name in ("person@example.com", "person@example.com", ""):
        seen.note_author(name, is_certain=False)

    assert records(tmp_path).own_names() == {"deployer", "sb-deployer"}
    (file,) = (tmp_path / ".cpi/records").iterdir()
    assert len([line for line in file.read_text(encoding="utf-8").splitlines() if line]) == 2
