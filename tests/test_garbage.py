"""The collector of garbage: at rest while libraries load, at work afterwards."""

from __future__ import annotations

import gc

import pytest

from cpi_tasks.garbage import not_while_loading


def test_nothing_is_collected_while_loading() -> None:
    """While libraries load the collector rests, and what they made is not looked through again."""
    gc.unfreeze()
    with not_while_loading():
        assert not gc.isenabled()

    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
    gc.unfreeze()


def test_a_load_that_fails_leaves_the_collector_at_work() -> None:
    """Also after an interruption while libraries load the collector works."""
    with pytest.raises(KeyboardInterrupt), not_while_loading():
        raise KeyboardInterrupt

    assert gc.isenabled()
