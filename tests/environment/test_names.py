"""The small public functions of the room."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks import environment

Write = Callable[[str, str], Path]


def test_environment_names_are_sorted_and_unique(write: Write, tmp_path: Path) -> None:
    """Both suffixes count, other files and folders do not."""
    for name in ("b.yml", "a.yaml", "b.yaml", "note.txt"):
        write(f"environments/{name}", "")
    (tmp_path / "environments" / "folder.yml").mkdir()
    assert environment.environment_names(tmp_path) == ("a", "b")


def test_environment_names_without_the_folder(tmp_path: Path) -> None:
    """A project without environments has no names."""
    assert environment.environment_names(tmp_path) == ()


def test_process_variables_is_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables set later do not change what was read."""
    monkeypatch.setenv("CPI_TEST_ONLY", "before")
    variables = environment.process_variables()
    monkeypatch.setenv("CPI_TEST_ONLY", "after")
    assert variables["CPI_TEST_ONLY"] == "before"


def test_importing_the_room_does_not_load_the_schema_library() -> None:
    """Pydantic is loaded by the first use of ``load``, not by the import."""
    code = (
        "import sys; import cpi_tasks.environment as e; assert 'pydantic' not in sys.modules; "
        "assert callable(e.load) and e.Loaded and e.Fetch; assert 'pydantic' in sys.modules; "
        "assert callable(e.load)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(environment.__file__).parents[2]).returncode
        == 0
    )


def test_unknown_attributes_are_refused() -> None:
    """The lazy import does not hide mistyped names."""
    with pytest.raises(AttributeError, match="no attribute 'laod'"):
        _ = environment.laod
