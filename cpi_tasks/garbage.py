"""The collector of garbage while libraries load. In a run it works as ever: circles hold what was uploaded."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def not_while_loading() -> Iterator[None]:
    """Collect nothing in the block; what it loaded stays, and is never looked through again."""
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()
