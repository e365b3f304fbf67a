"""Compiled modules are kept, as by any Python program."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_bytecode() -> Iterator[None]:
    """Keep what is compiled in the block, unless Python itself was told not to.

    Invoke tells Python not to, for the sake of ``tasks.py``. A package that is used from a checkout would be compiled
    anew by every run, which is a sixth of what a run does before its first request.
    """
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
    try:
        yield
    finally:
        sys.dont_write_bytecode = before
