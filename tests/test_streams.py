"""Writing to streams that do not take everything."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from cpi_tasks.streams import lasting_streams, write


def test_an_ascii_stream_loses_no_line() -> None:
    """Characters that it cannot encode are escaped."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    write(stream, "caf\u00e9\n")
    assert raw.getvalue() == b"caf\\xe9\n"


def test_a_closed_stream_takes_nothing() -> None:
    """The text is lost without an error."""
    stream = io.StringIO()
    stream.close()
    write(stream, "lost")


def test_a_full_stream_gets_no_more() -> None:
    """What it did not take is dropped, so that closing it raises nothing."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with full.open("w", encoding="utf-8") as stream:
        write(stream, "lost")
        write(stream, "lost, too")


@pytest.mark.parametrize("name", ["stdin", "stdout", "stderr"])
def test_a_stream_that_python_did_not_open_is_empty(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Python sets it to None where its descriptor is closed; afterwards it is None again."""
    monkeypatch.setattr(sys, name, None)
    with lasting_streams():
        assert not getattr(sys, name).isatty()
    assert getattr(sys, name) is None
