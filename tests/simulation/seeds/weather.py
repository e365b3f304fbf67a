"""What a seed lets go wrong: faults of requests, fates of deployments, and what other people do meanwhile."""

from __future__ import annotations

from random import Random

import httpx

from cpi_tasks.simulator import (
    Action,
    ActionKind,
    DeploymentRule,
    Duration,
    Ending,
    Fate,
    Fault,
    FaultKind,
    FaultRule,
    LifeRule,
    OtherUsers,
    When,
)
from tests.simulation.seeds.content import VALUE, Content, Item

REFUSAL = "refused by the weather"
READS = {
    "reads": ("GET", ""),
    "packages": ("GET", r"IntegrationPackages"),
    "contents": ("GET", r"\$value"),
    "parameters": ("GET", r"/Configurations"),
    "runtime": ("GET", r"IntegrationRuntimeArtifacts"),
    "tasks": ("GET", r"BuildAndDeployStatus"),
    "csrf": ("GET", r"/api/v1/$"),
}
WRITES = {
    "packages written": ("POST", r"IntegrationPackages$"),
    "creations": ("POST", r"DesigntimeArtifacts$"),
    "uploads": ("PUT", r"DesigntimeArtifacts\([^/]*\)$"),
    "parameters written": ("PUT", r"/Configurations"),
    "deletions": ("DELETE", ""),
    "versions": ("POST", "SaveAsVersion"),
    "deployments": ("POST", r"Deploy\w+DesigntimeArtifact\?"),
}
_TOKEN = {"token": ("POST", "/oauth/token")}
_PASSING = (
    FaultKind.RESET_BEFORE_HANDLING,
    FaultKind.RESET_AFTER_HANDLING,
    FaultKind.CLOSED_BEFORE_HANDLING,
    FaultKind.CLOSED_AFTER_HANDLING,
    FaultKind.BAD_GATEWAY,
    FaultKind.UNAVAILABLE,
    FaultKind.GATEWAY_TIMEOUT,
    FaultKind.TOO_MANY_REQUESTS,
    FaultKind.HTML_PAGE,
    FaultKind.MALFORMED_JSON,
    FaultKind.TRUNCATED_JSON,
    FaultKind.EMPTY_BODY,
    FaultKind.SLOW_FIRST_BYTE,
    FaultKind.STALLED_BODY,
)
_CONTENT_DEEDS = {ActionKind.EDIT, ActionKind.DRAFT, ActionKind.SAVE_VERSION}
_REFUSING = (FaultKind.LOCKED, FaultKind.BUSINESS_ERROR, FaultKind.STATUS)


def fault_of(kind: FaultKind, lots: Random) -> Fault:
    """Make a fault of a kind, as a client in the same process meets it."""
    return Fault(
        kind=kind,
        seconds=lots.choice((0.5, 5.0, 40.0)),
        text=REFUSAL,
        retry_after_s=lots.choice((None, None, 1, 5, 30)),
        retry_after_form=lots.choice(("seconds", "date")),
        status=lots.choice((400, 403, 500)),
        body=f'{{"error":{{"message":{{"value":"{REFUSAL}"}}}}}}'.encode(),
        error=httpx.ReadTimeout if kind is FaultKind.STALLED_BODY else httpx.ReadError,
    )


def light(lots: Random, login: str, *, gives_texts: bool) -> list[FaultRule | DeploymentRule]:
    """Draw what a run must get over: at most one fault for requests of one kind, and deployments that take time."""
    groups = {**READS, **WRITES, **(_TOKEN if login == "oauth" else {})}
    rules: list[FaultRule | DeploymentRule] = []
    for group in sorted(
        {*lots.sample(sorted(WRITES), lots.randint(0, 2)), *lots.sample(sorted(groups), lots.randint(1, 3))}
    ):
        method, pattern = groups[group]
        kinds = [*_PASSING]
        if group != "token" and gives_texts:
            # Without its text nobody could tell it from any other failure.
            kinds += [FaultKind.SESSION_FAULT]
        if group != "token":
            kinds += [FaultKind.TOKEN_EXPIRED] if login == "oauth" else []
            kinds += [FaultKind.CSRF_EXPIRED] if group in WRITES else []
        when = When(nth=lots.choice((1, 1, 2, 3, 7)))
        rules.append(FaultRule(method=method, pattern=pattern, when=when, fault=fault_of(lots.choice(kinds), lots)))
    return [*rules, _slow(lots)]


def _slow(lots: Random) -> DeploymentRule:
    duration = Duration(kind="heavy-tail", least=lots.uniform(0.5, 20), most=80)
    fate = Fate(
        duration=duration,
        task_hangs=True if lots.random() < 0.1 else None,
        old_version_s=lots.choice((None, None, 2.0, 20.0)),
    )
    return DeploymentRule(artifact="*", fate=fate)


def heavy(lots: Random, login: str, content: Content) -> list[FaultRule | DeploymentRule | OtherUsers]:
    """Draw anything the simulator can do, refusals and deployments that fail included."""
    groups = {**READS, **WRITES, "everything": ("*", ""), **(_TOKEN if login == "oauth" else {})}
    rules: list[FaultRule | DeploymentRule | OtherUsers] = []
    for _ in range(lots.randint(1, 4)):
        method, pattern = groups[lots.choice(sorted(groups))]
        kinds = [*_PASSING, *_REFUSING, FaultKind.SESSION_FAULT, FaultKind.CSRF_EXPIRED, FaultKind.TOKEN_EXPIRED]
        rules.append(
            FaultRule(method=method, pattern=pattern, when=_when(lots), fault=fault_of(lots.choice(kinds), lots))
        )
    rules += _pointed(lots, content)
    for item in content.items:
        if lots.random() < 0.2:
            ending = lots.choice(sorted(Ending))
            fate = Fate(ends=ending, error=REFUSAL, error_looks=lots.choice((None, 0, 3)))
            rules.append(DeploymentRule(artifact=content.final(item), fate=fate, first=lots.choice((1, 2))))
    if lots.random() < 0.2:
        rules.append(OtherUsers(designtime=lots.uniform(1, 13), runtime=lots.uniform(0, 100)))
    return [*rules, _slow(lots)]


def _pointed(lots: Random, content: Content) -> list[FaultRule | DeploymentRule | OtherUsers]:
    """Draw faults where they hurt: the write of one artifact, and what a value mapping has between its two calls."""
    rules: list[FaultRule | DeploymentRule | OtherUsers] = []
    if lots.random() < 0.3:
        pattern = rf"\(Id='{content.final(lots.choice(content.items))}'"
        fault = fault_of(lots.choice(_REFUSING), lots)
        rules.append(FaultRule(method="PUT", pattern=pattern, when=When(first=lots.choice((1, 9))), fault=fault))
    if lots.random() < 0.4:
        pattern, kinds = "ValueMappingDesigntimeArtifacts$", lots.choice((_REFUSING, _PASSING))
        fault = fault_of(lots.choice(kinds), lots)
        rules.append(FaultRule(method="POST", pattern=pattern, when=When(first=lots.choice((1, 1, 2))), fault=fault))
    return rules


def _when(lots: Random) -> When:
    after_s = lots.choice((0.0, 0.0, 2.0, 10.0))
    return lots.choice(
        (
            When(nth=lots.randint(1, 12), after_s=after_s),
            When(first=lots.choice((2, 4, 15)), after_s=after_s),
            When(every=lots.randint(2, 7), after_s=after_s),
            When(probability=lots.choice((0.05, 0.3, 0.8)), after_s=after_s),
            When(after_s=lots.choice((3.0, 15.0))),
        )
    )


def deed(lots: Random, content: Content) -> Action | None:
    """Draw something a person does to an artifact; ``None`` where that is not possible."""
    item = lots.choice(content.items)
    known = sorted(set(ActionKind) - {ActionKind.RENAME, ActionKind.UNLOCK})
    kind = lots.choice([*known, ActionKind.EDIT, ActionKind.DRAFT, ActionKind.SET_PARAMETER])
    if kind is ActionKind.SET_PARAMETER and not item.keys:
        return None
    # What no run could bring back stays, and content of read-only packages is nobody's to change.
    is_kept = not item.is_synced or item.bundle.is_read_only
    if (is_kept and kind is ActionKind.DELETE) or (item.bundle.is_read_only and kind in _CONTENT_DEEDS):
        return None
    return _action(kind, item, lots, content)


def _action(kind: ActionKind, item: Item, lots: Random, content: Content) -> Action:
    return Action(
        kind=kind,
        artifact=content.final(item),
        files={content.final_path(item): content.by_hand(item)},
        key=lots.choice(item.keys) if item.keys else "",
        value=f"{VALUE}-hand{lots.randrange(1000)}",
        version=f"1.{lots.randint(2, 9)}.0",
    )


def deeds(lots: Random, content: Content) -> list[LifeRule]:
    """Draw what people do while a run goes on."""
    found = [deed(lots, content) for _ in range(lots.randint(1, 3))]
    return [LifeRule(action=one, at_s=lots.uniform(0, 25)) for one in found if one is not None]
