"""The schedules of timer start events: which of them make a flow run as soon as it is deployed.

SAP's editor keeps a schedule as a table of rows with two cells each; what the runtime is told stands in ``schedule1``,
``schedule2`` and so on, as options joined by ``&`` ("Define a Timer Start Event", SAP Help).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_PARAMETER = re.compile(r"\{\{([^{}]+)\}\}")
_CELL = r"<cell\s*>([^<]*)</cell\s*>"
_ROW = re.compile(rf"<row\s*>\s*{_CELL}\s*{_CELL}\s*</row\s*>")
_TRIGGER = re.compile(r"schedule\d+")
_FIRE_NOW = ("firenow", "true")
_NO_REPEAT = ("simple.repeat", "none")
_TIME_ZONE = "trigger.timezone"


def fires_on_deployment(timers: Iterable[str], parameters: Mapping[str, str]) -> bool:
    """Whether one of the schedules (``ArtifactContent.timers``) makes the flow run as soon as it is deployed.

    ``{{key}}`` in a schedule stands for the value of a parameter. That is so for "Run Once" of older timers
    (``fireNow=true``) and "On Deployment" of newer ones (``simple.repeat=NONE`` without a date). A schedule that
    repeats, is for a day, or cannot be read does not count.
    """
    return any(_fires(_PARAMETER.sub(lambda match: parameters.get(match.group(1), ""), timer)) for timer in timers)


def _fires(schedule: str) -> bool:
    cells = {name.strip(): value.strip() for name, value in _ROW.findall(schedule)}
    triggers = [value for name, value in cells.items() if _TRIGGER.fullmatch(name)]
    if not cells:
        triggers = [schedule]
    return any(_is_at_once(trigger, start=cells.get("startAt", "")) for trigger in triggers)


def _is_at_once(trigger: str, *, start: str) -> bool:
    """Whether one trigger, options joined by ``&``, fires at the moment of the deployment."""
    # The ampersand is escaped once more than the file's format asks for, or not: both are found.
    pairs = (option.lower().partition("=") for option in trigger.replace("&amp;", "&").split("&"))
    options = {(name.strip(), value.strip()) for name, _, value in pairs}
    if _FIRE_NOW in options:
        return True
    others = {name for name, _ in options - {_NO_REPEAT}}
    return _NO_REPEAT in options and others <= {_TIME_ZONE} and not start
