"""Rooms load their names on first use: every public name is there, and a run begins without loading all of them."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from cpi_tasks.lazy import on_first_use

ROOMS = ("", ".content", ".engine", ".environment", ".planning", ".records", ".report", ".tenant")


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_is_there(room: str) -> None:
    """What a room says it has can be had, and is not hidden by a module of the same name."""
    package = import_module(f"cpi_tasks{room}")
    folder = Path(str(package.__file__)).parent

    assert package.__all__
    for name in package.__all__:
        assert getattr(package, name) is not None
        assert not (folder / f"{name}.py").exists()


@pytest.mark.parametrize("room", ROOMS)
def test_an_unknown_name_is_told_as_always(room: str) -> None:
    """A name that a room does not have is an AttributeError that names both."""
    package = import_module(f"cpi_tasks{room}")

    with pytest.raises(AttributeError, match=rf"'cpi_tasks{room}' has no attribute 'nonsense'"):
        _ = package.nonsense


def test_a_name_is_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once loaded a name is an ordinary one, and its home is not asked again."""
    monkeypatch.delitem(import_module("cpi_tasks.engine").__dict__, "Brake", raising=False)
    load = on_first_use("cpi_tasks.engine", {"brake": ("Brake",)})

    assert load("Brake") is import_module("cpi_tasks.engine").__dict__["Brake"]


def test_a_run_is_prepared_without_what_comes_after() -> None:
    """Importing the application loads neither the phases nor the display of a plan."""
    code = "import sys, cpi_tasks.app; print(*(m for m in sys.modules if m.startswith('cpi_tasks.')))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, encoding="utf-8").stdout

    assert "cpi_tasks.app.run" in loaded.split()
    for later in ("engine.run", "engine.deploy", "planning.plan", "report.planned", "records.ledger", "content.load"):
        assert f"cpi_tasks.{later}" not in loaded.split()
