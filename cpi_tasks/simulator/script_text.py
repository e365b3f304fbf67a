"""Scripts as YAML or JSON text: every mistake is collected with the place it stands at.

``seed`` and four lists::

    faults:       request (METHOD REGEX), fault, nth, first, every, probability, afterSeconds, after, before,
                  retryAfter, retryAfterForm, seconds, text, status, body, headers
    deployments:  artifact, nth, first, ends, duration, taskHangs, oldVersionSeconds, error, errorLooks, errorSeconds
    life:         do, artifact, atSeconds or nth (with request) or after, files, key, value, version, name, user
    load:         designtime, runtime (requests a second), fromSeconds, untilSeconds
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import yaml

from cpi_tasks.simulator.fates import DeploymentRule, Duration, Ending, Fate
from cpi_tasks.simulator.faults import Fault, FaultKind
from cpi_tasks.simulator.life import Action, ActionKind
from cpi_tasks.simulator.limits import OtherUsers
from cpi_tasks.simulator.rules import FaultRule, LifeRule, When
from cpi_tasks.simulator.script_values import Section, parse_document

_T = TypeVar("_T", FaultRule, DeploymentRule, LifeRule, OtherUsers)
_TEXT_NAMES = {
    "after_s": "afterSeconds",
    "at_s": "atSeconds",
    "error_looks": "errorLooks",
    "error_s": "errorSeconds",
    "from_s": "fromSeconds",
    "old_version_s": "oldVersionSeconds",
    "retry_after_s": "retryAfter",
    "until_s": "untilSeconds",
}
_LONGEST_S = 1e9
_DURATIONS = {"fixed": 1, "uniform": 2, "heavy-tail": 2}


@dataclass(slots=True)
class Parts:
    """What a text contains; incomplete where problems were found."""

    seed: int = 0
    faults: tuple[FaultRule, ...] = ()
    deployments: tuple[DeploymentRule, ...] = ()
    life: tuple[LifeRule, ...] = ()
    load: tuple[OtherUsers, ...] = field(default_factory=tuple)


def read_script(text: str, problems: list[str]) -> Parts:
    """Read a script; what is wrong is appended to ``problems``."""
    try:
        document = parse_document(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        problems.append(f"the text is neither YAML nor JSON: {' '.join(str(error).split())}")
        return Parts()
    section = Section(document if document is not None else {}, "", problems)
    parts = Parts(
        seed=section.integer("seed", 0),
        faults=_rules(section, "faults", _fault_rule),
        deployments=_rules(section, "deployments", _deployment_rule),
        life=_rules(section, "life", _life_rule),
        load=_rules(section, "load", _load),
    )
    section.finish()
    return parts


def _rules(section: Section, name: str, read: Callable[[Section], _T | None]) -> tuple[_T, ...]:
    rules: list[_T] = []
    for item in section.sections(name):
        rule = read(item)
        if rule is not None:
            rules.append(rule)
            item.problems.extend(f"{item.place}: {problem}" for problem in _mistakes(rule, item.wrong))
        item.finish()
    return tuple(rules)


def _mistakes(rule: FaultRule | DeploymentRule | LifeRule | OtherUsers, wrong: set[str]) -> list[str]:
    """Tell what is wrong with a rule in the words of the text, save what follows from a value that was not taken."""
    found = [re.sub(r"\w+", lambda word: _TEXT_NAMES.get(word[0], word[0]), problem) for problem in rule.problems()]
    return [problem for problem in found if wrong.isdisjoint(re.findall(r"\w+", problem))]


def _request(item: Section) -> tuple[str, str]:
    """Take ``request: GET REGEX``; a pattern alone, without a method, is meant for any."""
    text = item.text("request", "").strip()
    method, _, pattern = text.partition(" ")
    return (method, pattern.strip()) if method == "*" or (method.isalpha() and method.isupper()) else ("*", text)


def _fault_rule(item: Section) -> FaultRule | None:
    method, pattern = _request(item)
    when = When(
        nth=item.optional_integer("nth"),
        first=item.optional_integer("first"),
        every=item.optional_integer("every"),
        probability=item.optional_number("probability"),
        after_s=item.number("afterSeconds", 0.0),
        after=item.optional_text("after"),
        before=item.optional_text("before"),
    )
    kind = item.choice("fault", FaultKind)
    retry_after = item.optional_integer("retryAfter")
    form = item.word("retryAfterForm", ("seconds", "date"), "seconds")
    rest = {"seconds": item.number("seconds", 0.0), "status": item.integer("status", 500)}
    text, body, headers = item.text("text", ""), item.text("body", ""), item.texts("headers")
    if kind is None:
        return None
    fault = Fault(
        kind=kind,
        seconds=rest["seconds"],
        text=text,
        retry_after_s=retry_after,
        retry_after_form="date" if form == "date" else "seconds",
        status=int(rest["status"]),
        body=body.encode("utf-8", "replace"),
        headers=headers,
    )
    return FaultRule(method=method, pattern=pattern, when=when, fault=fault)


def _deployment_rule(item: Section) -> DeploymentRule | None:
    fate = Fate(
        ends=item.choice("ends", Ending) if item.has("ends") else None,
        duration=_duration(item),
        task_hangs=item.optional_boolean("taskHangs"),
        old_version_s=item.optional_number("oldVersionSeconds"),
        error=item.optional_text("error"),
        error_looks=item.optional_integer("errorLooks"),
        error_s=item.optional_number("errorSeconds"),
    )
    return DeploymentRule(
        artifact=item.needed_text("artifact"),
        fate=fate,
        nth=item.optional_integer("nth"),
        first=item.optional_integer("first"),
    )


def _duration(item: Section) -> Duration | None:
    """Take ``duration: 5``, or ``{fixed: 5}``, ``{uniform: [1, 60]}``, ``{heavy-tail: [5, 600]}``."""
    if not item.has("duration"):
        return None
    value = item.take("duration")
    given = value if isinstance(value, Mapping) else {"fixed": value}
    kind = next(iter(given), None) if len(given) == 1 else None
    inner: object = given.get(kind)
    numbers = [_number(part) for part in (inner if isinstance(inner, list) else [inner])]
    known = [number for number in numbers if number is not None]
    if isinstance(kind, str) and len(known) == len(numbers) == _DURATIONS.get(kind):
        if kind == "fixed":
            return Duration(least=known[0])
        return Duration(kind="uniform" if kind == "uniform" else "heavy-tail", least=known[0], most=known[1])
    item.problem("duration", "must be a number of seconds, {uniform: [least, most]} or {heavy-tail: [least, most]}")
    return None


def _number(value: object) -> float | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return float(value) if abs(value) < _LONGEST_S else None


def _life_rule(item: Section) -> LifeRule | None:
    kind = item.choice("do", ActionKind)
    method, pattern = _request(item)
    artifact, files = item.needed_text("artifact"), item.texts("files")
    words = {name: item.text(name, "") for name in ("key", "value", "version", "name")}
    user = item.optional_text("user")
    moment = (item.optional_number("atSeconds"), item.optional_integer("nth"), item.optional_text("after"))
    if kind is None:
        return None
    content = {path: text.encode("utf-8", "replace") for path, text in files.items()}
    action = Action(kind=kind, artifact=artifact, files=content, **words, **({"user": user} if user else {}))
    return LifeRule(action=action, at_s=moment[0], nth=moment[1], after=moment[2], method=method, pattern=pattern)


def _load(item: Section) -> OtherUsers:
    return OtherUsers(
        designtime=item.number("designtime", 0.0),
        runtime=item.number("runtime", 0.0),
        from_s=item.number("fromSeconds", 0.0),
        until_s=item.number("untilSeconds", float("inf")),
    )
