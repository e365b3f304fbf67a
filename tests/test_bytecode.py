"""Compiled modules are kept, also under Invoke, which has Python throw them away."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from cpi_tasks.bytecode import kept_bytecode
from tests.support.stand import CHECKOUT, variables


@pytest.mark.parametrize(("said", "is_kept"), [({}, True), ({"PYTHONDONTWRITEBYTECODE": "1"}, False)])
def test_a_run_from_a_checkout_is_compiled_once(tmp_path: Path, said: dict[str, str], *, is_kept: bool) -> None:
    """What a task loads is there compiled for the next one; not where the user forbids it."""
    copy = tmp_path / "cpi_tasks"
    shutil.copytree(CHECKOUT / "cpi_tasks", copy, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tasks.py").write_text("from cpi_tasks import ns\n", encoding="utf-8")

    ended = subprocess.run(
        [sys.executable, "-m", "invoke", "runs"],
        cwd=tmp_path,
        env={**variables(), "PYTHONPATH": str(tmp_path), **said},
        capture_output=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    kept = {file.name.split(".")[0] for file in copy.rglob("*.pyc")}
    assert ({"tasks", "flags", "past"} <= kept) is is_kept
    assert not list(tmp_path.glob("__pycache__/*"))
    assert bool(kept) is is_kept


def test_what_was_told_before_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the block Python does what it was told before, however the block ended."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    with suppress(KeyError), kept_bytecode():
        assert sys.dont_write_bytecode is bool(sys.flags.dont_write_bytecode)
        raise KeyError

    assert sys.dont_write_bytecode is True
