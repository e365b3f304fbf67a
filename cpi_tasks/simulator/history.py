"""What became of artifacts on the runtime, moment by moment, and whether something has occurred yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from cpi_tasks.simulator.lifecycle import Deployment, RuntimeArtifact, RuntimeRecord, Undeployment
from cpi_tasks.simulator.odata import ODataError
from cpi_tasks.simulator.request_log import RequestLog, RequestRecord
from cpi_tasks.simulator.rules import is_answered
from cpi_tasks.simulator.state import TenantState


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """From a moment on (epoch milliseconds) the runtime shows this; an empty status means nothing."""

    time_ms: float
    status: str
    version: str = ""
    deployed_on: int = 0


def state_history(record: RuntimeRecord, now_ms: float) -> list[StateChange]:
    """Tell all states an artifact went through since the program began, oldest first, each once in a row."""
    moments = {call.triggered_ms for call in record.log}
    for call in record.log:
        moments |= {call.final_ms}
        if isinstance(call, Deployment):
            moments |= {call.built_ms, call.appears_ms}
    changes: list[StateChange] = []
    for moment in sorted(moment for moment in moments if moment <= now_ms):
        shown: RuntimeArtifact | None = None
        for call in record.log:
            if call.triggered_ms <= moment:
                shown = call.applied_to(shown, moment)
        change = StateChange(time_ms=moment, status="")
        if shown is not None:
            change = StateChange(
                time_ms=moment, status=shown.status, version=shown.version, deployed_on=shown.deployed_on
            )
        if not changes or _seen(changes[-1]) != _seen(change):
            changes.append(change)
    return changes


def _seen(change: StateChange) -> tuple[str, str, int]:
    return change.status, change.version, change.deployed_on


@dataclass(slots=True)
class Chronicle:
    """Knows what has occurred; what has occurred once stays so.

    Requests count from the moment an occurrence is expected, and before it as far as the log reaches.
    """

    state: TenantState
    log: RequestLog
    _occurred: set[str] = field(default_factory=set)
    _awaited: set[str] = field(default_factory=set)
    """What requests have been looked through for without success; every further one is compared with these."""

    def expect(self, *occurrences: str | None) -> None:
        """Keep an eye on occurrences from now on; ``None`` is none."""
        for text in occurrences:
            if text is not None:
                self.has_occurred(text)

    def note(self, record: RequestRecord) -> None:
        """Take notice of a request that was handled."""
        met = {text for text in self._awaited if is_answered(record, text.partition(" ")[2])}
        self._awaited -= met
        self._occurred |= met

    @contextmanager
    def tentatively(self) -> Iterator[None]:
        """Forget what occurs inside of the block where it ends in an ``ODataError``: then it is undone."""
        occurred = set(self._occurred)
        try:
            yield
        except ODataError:
            self._occurred = occurred
            raise

    def has_occurred(self, text: str) -> bool:
        """Whether an occurrence (see ``When``) lies behind us."""
        if text in self._occurred:
            return True
        word, _, rest = text.partition(" ")
        rest = rest.strip()
        looks: dict[str, Callable[[str], bool]] = {
            "triggered": self._was_triggered,
            "undeployed": self._was_undeployed,
            "started": lambda pattern: self._was_shown(pattern, "STARTED"),
            "failed": lambda pattern: self._was_shown(pattern, "ERROR"),
            "request": lambda _wanted: self._was_requested(text),
        }
        if looks[word](rest):
            self._occurred.add(text)
        return text in self._occurred

    def _records(self, pattern: str) -> list[RuntimeRecord]:
        return [record for name, record in self.state.runtime.items() if fnmatchcase(name, pattern)]

    def _was_triggered(self, pattern: str) -> bool:
        return any(isinstance(call, Deployment) for record in self._records(pattern) for call in record.log)

    def _was_undeployed(self, pattern: str) -> bool:
        return any(isinstance(call, Undeployment) for record in self._records(pattern) for call in record.log)

    def _was_shown(self, pattern: str, status: str) -> bool:
        for record in self._records(pattern):
            ours = {call.deployed_on for call in record.log if isinstance(call, Deployment)}
            changes = state_history(record, self.state.clock.now_ms()) if ours else []
            if any(change.status == status and change.deployed_on in ours for change in changes):
                return True
        return False

    def _was_requested(self, text: str) -> bool:
        if text in self._awaited:
            return False
        wanted = text.partition(" ")[2]
        if any(record.handled and is_answered(record, wanted) for record in self.log.kept()):
            return True
        self._awaited.add(text)
        return False
