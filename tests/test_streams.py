"""Writing to streams that do not take everything."""

from __future__ import annotations

import io

from cpi_tasks.streams import write


def test_an_ascii_stream_loses_no_line() -> None:
    """Characters that it cannot encode are escaped."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    write(stream, "caf\u00e9\n")
    assert raw.getvalue() == b"caf\\xe9\n"
