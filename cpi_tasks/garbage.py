"""The collector of garbage while a task runs. A run makes many objects that stay, and next to no circles of them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_BETWEEN_COLLECTIONS = (50_000, 20, 20)


@contextmanager
def not_while_loading() -> Iterator[None]:
    """Collect nothing in the block; what it loaded stays, and is never looked through again."""
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


@contextmanager
def collected_rarely() -> Iterator[None]:
    """Collect seldom in the block.

    By Python's own measure a run with thousands of artifacts spends a third of its time looking through what it holds.
    """
    before = gc.get_threshold()
    gc.set_threshold(*_BETWEEN_COLLECTIONS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
