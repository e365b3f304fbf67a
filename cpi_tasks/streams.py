"""Standard streams that are closed, close early or are full: text is lost, never the exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def lasting_streams() -> Iterator[None]:
    """Put an empty stream in place of each closed one, and drop at the end what a stream does not take."""
    with ExitStack() as stack:
        for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
            if getattr(sys, name) is None:
                empty = stack.enter_context(Path(os.devnull).open(mode, encoding="utf-8"))
                setattr(sys, name, empty)
                stack.callback(setattr, sys, name, None)
        try:
            yield
        finally:
            for stream in (sys.stdout, sys.stderr):
                write(stream, "")


def write(stream: TextIO, text: str) -> None:
    """Write a text at once; a stream that does not take it gets no more, so that Python's exit does not fail either."""
    try:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except ValueError:  # closed
        return
    except OSError:
        _drop(stream)


def _drop(stream: TextIO) -> None:
    descriptor = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(descriptor, stream.fileno())
        stream.flush()
    except (OSError, ValueError):
        return
    finally:
        os.close(descriptor)
