"""The collector of garbage: at rest while libraries load, seldom at work in a run, as before afterwards."""

from __future__ import annotations

import gc
from contextlib import suppress

import pytest

from cpi_tasks.garbage import collected_rarely, not_while_loading


def test_nothing_is_collected_while_loading() -> None:
    """While libraries load the collector rests, and what they made is not looked through again."""
    gc.unfreeze()
    with not_while_loading():
        assert not gc.isenabled()

    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
    gc.unfreeze()


def test_the_callers_measure_comes_back() -> None:
    """Whoever called a task has its own measure again afterwards, however the task ended."""
    before = gc.get_threshold()

    with suppress(KeyError), collected_rarely():
        assert gc.get_threshold()[0] > before[0]
        raise KeyError

    assert gc.get_threshold() == before


def test_a_load_that_fails_leaves_the_collector_at_work() -> None:
    """Also after an interruption while libraries load the collector works."""
    with pytest.raises(KeyboardInterrupt), not_while_loading():
        raise KeyboardInterrupt

    assert gc.isenabled()
