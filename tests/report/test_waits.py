"""Why nothing moves: what the user reads while the run waits for the tenant."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from cpi_tasks.events import Event, RequestsSlowed, TenantAnswersAgain, TenantWentAway

Play = Callable[[Sequence[Event]], str]


def test_a_tenant_that_wants_fewer_requests(play: Play) -> None:
    """The line names the family, the answer, the pause and the rate afterwards."""
    slowed = RequestsSlowed(family="design-time requests", status=429, pause_s=30.0, rate=4.5)
    assert play([slowed]) == (
        "⚠ The tenant wants fewer requests (429): design-time requests pause for 30.0 s and go on with 4.5 a second\n"
    )


def test_a_tenant_that_went_away(play: Play) -> None:
    """Since when and until when are told as moments of the local clock, with the cause."""
    said = play([TenantWentAway(cause="no connection", since_s=5.0, gives_up_in_s=295.0)])
    found = re.fullmatch(
        r"⚠ The tenant has not answered since (\d\d:\d\d:\d\d) \(no connection\); waiting until (\d\d:\d\d:\d\d)\n",
        said,
    )
    assert found
    since, until = (datetime.strptime(moment, "%H:%M:%S") for moment in found.groups())  # noqa: DTZ007 - a time of day
    assert (until - since) % timedelta(days=1) == timedelta(seconds=300)


def test_a_tenant_that_answers_again(play: Play) -> None:
    """The line says how long it was away and that the run goes on."""
    assert play([TenantAnswersAgain(after_s=95.0)]) == "The tenant answers again after 1 min 35 s; the run goes on\n"
