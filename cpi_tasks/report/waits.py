"""Waiting in words: for a tenant that wants fewer requests, or does not answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cpi_tasks.events import RequestsSlowed, TenantAnswersAgain, TenantWentAway
from cpi_tasks.report.wording import Line, Tone, seconds


def wait_lines(event: RequestsSlowed | TenantWentAway | TenantAnswersAgain) -> list[Line]:
    """Give the line that says why nothing moves, or that it moves again; moments are this machine's local time."""
    match event:
        case RequestsSlowed():
            text = (
                f"⚠ The tenant wants fewer requests ({event.status}): {event.family} pause for {seconds(event.pause_s)}"
                f" and go on with {event.rate:.1f} a second"
            )
        case TenantWentAway():
            now = datetime.now(tz=UTC).astimezone()
            since, until = now - timedelta(seconds=event.since_s), now + timedelta(seconds=event.gives_up_in_s)
            text = (
                f"⚠ The tenant has not answered since {since:%H:%M:%S} ({event.cause}); waiting until {until:%H:%M:%S}"
            )
        case TenantAnswersAgain():
            return [Line(f"The tenant answers again after {seconds(event.after_s)}; the run goes on")]
    return [Line(text, Tone.WARNING)]
