"""What earlier runs did, read from their journals: also of a run that was killed, whose journal just ends."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cpi_tasks.records.files import RUN_NEED, told
from cpi_tasks.records.journal import FILE

_NOT_SENT = frozenset(
    {"ConnectTimeout", "ConnectError", "ProxyError", "PoolTimeout", "UnsupportedProtocol", "InvalidURL"}
    | {"certificate refused", "not sent"}
)
"""Results of a request that never reached the tenant."""


@dataclass(slots=True, kw_only=True)
class PastArtifact:
    """What one run planned for an artifact and what became of it; empty texts where there is nothing to say.

    ``update`` and ``deploy`` are the outcomes as ``status: summary``; ``under_way`` what had begun and has no end.
    """

    planned: str = ""
    update: str = ""
    deploy: str = ""
    under_way: str = ""


@dataclass(slots=True, kw_only=True)
class PastRun:
    """One earlier run. ``exit_code`` is ``None`` where it has no end: it was killed, or is at work still."""

    id: str
    started_at: str = ""
    last_at: str = ""
    environment: str = ""
    tenant: str = ""
    exit_code: int | None = None
    is_interrupted: bool = False
    writes: int = 0
    open_writes: Counter[str] = field(default_factory=Counter)
    """The writes whose answers are not in the journal, and how many there are of each."""
    artifacts: dict[str, PastArtifact] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def unanswered_writes(self) -> tuple[str, ...]:
        """The writes of which nobody knows whether they happened; a run that ended with 0 has found that out."""
        return () if self.exit_code == 0 else tuple(sorted(self.open_writes.elements()))


def read_runs(runs: Path) -> tuple[PastRun, ...]:
    """Read all runs below a folder, the newest last; folders without a journal are left out."""
    with told(runs, RUN_NEED):
        try:
            names = sorted(folder.name for folder in runs.iterdir() if (folder / FILE).is_file())
        except FileNotFoundError:
            return ()
    found = (read_run(runs, name) for name in names)
    return tuple(run for run in found if run is not None)


def read_run(runs: Path, run: str) -> PastRun | None:
    """Read one run by its name; ``None`` where there is no such run. A line that was cut short is passed over."""
    with told(runs, RUN_NEED):
        try:
            text = (runs / run / FILE).read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            return None
    past = PastRun(id=run)
    for entry in _entries(text):
        _take(past, entry)
    return past


def _entries(text: str) -> Iterator[Mapping[str, object]]:
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict):
            yield entry


def _take(past: PastRun, entry: Mapping[str, object]) -> None:
    at = entry.get("at")
    if isinstance(at, str):
        past.started_at = past.started_at or at
        past.last_at = at
    match entry:
        case {"event": "plan", "artifacts": list(artifacts)}:
            for planned in artifacts:
                _take_planned(past, planned)
        case {"event": "package updated", "package": str(package), "status": str(status), "summary": str(summary)}:
            past.packages[package] = f"{status}: {summary}"
        case {"event": str(event), "package": str(package), "artifact": str(artifact)}:
            _take_step(past.artifacts.setdefault(f"{package}/{artifact}", PastArtifact()), event, entry)
        case {"event": "write begins" | "write ended"}:
            _take_write(past, entry)
        case _:
            _take_course(past, entry)


def _take_course(past: PastRun, entry: Mapping[str, object]) -> None:
    match entry:
        case {"event": "run started", "environment": str(environment), "tenant": str(tenant)}:
            past.environment, past.tenant = environment, tenant
        case {"event": "warning", "text": str(text)}:
            past.warnings.append(text)
        case {"event": "interrupted"}:
            past.is_interrupted = True
        case {"event": "run finished", "exitCode": int(code)}:
            past.exit_code = code
        case _:
            pass


def _take_write(past: PastRun, entry: Mapping[str, object]) -> None:
    write = f"{entry.get('method', '')} {entry.get('target', '')}"
    if entry["event"] == "write begins":
        past.writes += 1
        past.open_writes[write] += 1
    elif _tells(str(entry.get("result", ""))) and past.open_writes[write] > 0:
        past.open_writes[write] -= 1


def _tells(result: str) -> bool:
    """Whether the result of a write says what became of it: a status does, a connection that broke does not."""
    return result[:1].isdigit() or result in _NOT_SENT


def _take_planned(past: PastRun, planned: object) -> None:
    match planned:
        case {"package": str(package), "artifact": str(artifact), "update": update, "deploy": deploy}:
            steps = [str(step) for step in (update, deploy) if step is not None]
            past.artifacts[f"{package}/{artifact}"] = PastArtifact(planned=", ".join(steps) or "nothing")


def _take_step(artifact: PastArtifact, event: str, entry: Mapping[str, object]) -> None:
    outcome = f"{entry.get('status', '')}: {entry.get('summary', '')}"
    match event:
        case "update begins":
            artifact.under_way = f"{entry.get('action', 'update')} was under way"
        case "updated":
            artifact.update, artifact.under_way = outcome, ""
        case "deployment accepted":
            artifact.under_way = "its deployment was accepted"
        case "seen":
            artifact.under_way = f"its deployment was accepted; last seen: {entry.get('status', '')}"
        case "deployed":
            artifact.deploy, artifact.under_way = outcome, ""
