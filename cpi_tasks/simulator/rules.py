"""Which requests a rule of a script means, and when: values only, the counting is done elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from cpi_tasks.simulator.faults import Fault
from cpi_tasks.simulator.life import Action
from cpi_tasks.simulator.request_log import RequestRecord

METHODS: Final = frozenset({"*", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OCCURRENCES: Final = ("triggered", "started", "failed", "undeployed", "request")


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """The moment of a rule among the requests that match it; all that is given must hold.

    ``nth`` is one of them (counted from 1), ``first`` the first so many, ``every`` each so-many-th, ``probability`` a
    share of them, drawn from the script's seed. Only requests after ``after_s`` seconds of the script, after the
    occurrence ``after`` and before the occurrence ``before`` are counted. An occurrence is ``triggered ID``,
    ``started ID``, ``failed ID``, ``undeployed ID`` (``ID`` may have the wildcards of file names) or
    ``request METHOD REGEX`` (answered before).
    """

    nth: int | None = None
    first: int | None = None
    every: int | None = None
    probability: float | None = None
    after_s: float = 0.0
    after: str | None = None
    before: str | None = None

    def problems(self) -> list[str]:
        """List what is wrong."""
        found = [
            f"{name} must be at least 1"
            for name in ("nth", "first", "every")
            if (value := getattr(self, name)) is not None and value < 1
        ]
        if self.probability is not None and not 0 <= self.probability <= 1:
            found.append("probability must be from 0 to 1")
        if not 0 <= self.after_s < float("inf"):
            found.append("after_s must be a number that is not negative")
        for name, text in (("after", self.after), ("before", self.before)):
            found += [f"{name}: {problem}" for problem in occurrence_problems(text)]
        return found

    def __str__(self) -> str:
        """Give the conditions in words."""
        words = [f"{name} {value}" for name in ("nth", "first", "every", "probability", "after", "before")
                 if (value := getattr(self, name)) is not None]  # fmt: skip
        return ", ".join([*words, *([f"after {self.after_s:g} s"] if self.after_s else [])]) or "always"


ALWAYS: Final = When()


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """A fault for some requests: method (``*`` for any) and a regular expression, searched in decoded path and query.

    A pattern that stands literally at the beginning of the path, ``/api/v1/`` left out, matches too. Requests inside of
    a ``$batch`` are matched like others, after the batch itself, by rules whose fault is an answer in place of the
    tenant's; faults of the connection or of an answer's body strike batches as a whole only.
    """

    method: str = "*"
    pattern: str = ""
    when: When = ALWAYS
    fault: Fault

    def problems(self) -> list[str]:
        """List what is wrong."""
        return [*request_problems(self.method, self.pattern), *self.when.problems(), *self.fault.problems()]

    def __str__(self) -> str:
        """Give the rule in words."""
        return f"{self.method} {self.pattern or 'anything'}: {self.fault.kind} ({self.when})"


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeRule:
    """Something another person does: ``at_s`` seconds into the script, after the nth request, or after an occurrence.

    Exactly one of ``at_s``, ``nth`` (of the requests that ``method`` and ``pattern`` name) and ``after`` is given. It
    happens once.
    """

    action: Action
    at_s: float | None = None
    nth: int | None = None
    method: str = "*"
    pattern: str = ""
    after: str | None = None

    def problems(self) -> list[str]:
        """List what is wrong."""
        found = [*request_problems(self.method, self.pattern), *occurrence_problems(self.after)]
        if [self.at_s, self.nth, self.after].count(None) != 2:  # noqa: PLR2004 - all but one
            found.append("exactly one of at_s, nth and after must be given")
        if self.at_s is not None and not 0 <= self.at_s < float("inf"):
            found.append("at_s must be a number that is not negative")
        if self.nth is not None and self.nth < 1:
            found.append("nth must be at least 1")
        return [*found, *self.action.problems()]

    def __str__(self) -> str:
        """Give the rule in words."""
        if self.at_s is not None:
            return f"at {self.at_s:g} s: {self.action}"
        if self.nth is not None:
            return f"after request {self.nth} of {self.method} {self.pattern or 'anything'}: {self.action}"
        return f"after {self.after}: {self.action}"


def request_problems(method: str, pattern: str) -> list[str]:
    """List what is wrong with a method or a regular expression."""
    found = [] if method in METHODS else [f"method '{method}' is not one of {', '.join(sorted(METHODS))}"]
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        found.append(f"pattern '{pattern}' is no regular expression: {error}")
    return found


def occurrence_problems(text: str | None) -> list[str]:
    """List what is wrong with an occurrence; none is none."""
    if text is None:
        return []
    word, _, rest = text.partition(" ")
    if word not in OCCURRENCES or not rest.strip():
        return [f"'{text}' is no occurrence; write one of {', '.join(OCCURRENCES)} and what it is about"]
    if word != "request":
        return []
    method, _, pattern = rest.strip().partition(" ")
    return request_problems(method, pattern)


def is_answered(record: RequestRecord, wanted: str) -> bool:
    """Whether a request that was handled is what ``METHOD REGEX`` names."""
    method, _, pattern = wanted.strip().partition(" ")
    return record.matches(method, pattern)
