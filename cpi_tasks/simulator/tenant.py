"""The embedded tenant as tests and the application hold it: the app, what it saw, and a hand on its content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from starlette.applications import Starlette

from cpi_tasks.errors import SimulatorError
from cpi_tasks.simulator import store
from cpi_tasks.simulator.clock import Clock
from cpi_tasks.simulator.dispatch import Front
from cpi_tasks.simulator.faults import Fault, FaultKind
from cpi_tasks.simulator.hands import Hands
from cpi_tasks.simulator.history import StateChange, state_history
from cpi_tasks.simulator.holding import Stamp, held, stamp_of
from cpi_tasks.simulator.lifecycle import RuntimeArtifact
from cpi_tasks.simulator.playing import Happening
from cpi_tasks.simulator.request_log import KEPT_REQUESTS, RequestRecord, Violation, violations
from cpi_tasks.simulator.rules import FaultRule, When
from cpi_tasks.simulator.script import FaultScript, Rule
from cpi_tasks.simulator.settings import SimulatorSettings
from cpi_tasks.simulator.state import Lock, Package, StoredArtifact, TenantState


class Simulator(Hands):
    """A tenant in memory, kept in a file between runs where one is named.

    ``app`` is an ASGI application; ``serve`` and ``running`` put it on a loopback socket. The methods may be called
    from any thread. They stand for what a person does in the Web UI, or for what a test wants to know; unknown ids
    raise ``SimulatorError``.
    """

    def __init__(
        self,
        settings: SimulatorSettings | None = None,
        *,
        state_file: Path | None = None,
        script: FaultScript | None = None,
        keep_requests: int = KEPT_REQUESTS,
    ) -> None:
        """Begin empty or with what the state file holds, and with a script; a broken file raises ``SimulatorError``.

        Of the requests the latest ``keep_requests`` are kept (100,000 if nothing is said), so that a tenant that is
        served for weeks does not grow; how many there were, and the highest rates, stay exact.
        """
        self.state_file = state_file
        state = TenantState(settings or SimulatorSettings(), Clock())
        self._stamp: Stamp = None
        if state_file is not None:
            self._stamp = stamp_of(state_file)
            store.load(state, state_file)
        front = Front(state, keep_requests=keep_requests)
        super().__init__(state, front)
        front.set_the_stage(Hands(state, front))
        if script is not None:
            self.play(script)

    @property
    def app(self) -> Starlette:
        """The ASGI application."""
        return self._front.app

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the state file, where there is one, for this program alone; whoever serves a tenant holds it.

        ``SimulatorError`` where another program holds it, or has written it since it was read.
        """
        if self.state_file is None:
            yield
            return
        with held(self.state_file):
            if stamp_of(self.state_file) != self._stamp:
                raise SimulatorError(
                    f"the embedded tenant in '{self.state_file}' was changed by another program after it had been "
                    "read; start again to go on with what is there now"
                )
            yield

    def save(self) -> None:
        """Write the state file if there is one and anything has changed; ``SimulatorError`` where that fails."""
        if self.state_file is None:
            return
        with self._front.lock:
            if not self._state.is_dirty:
                return
            self._state.is_dirty = False
            text = store.dump(self._state)
        try:
            store.write(self.state_file, text)
            self._stamp = stamp_of(self.state_file)
        except SimulatorError:
            self._state.is_dirty = True
            raise

    # -- what was seen ------------------------------------------------------------------------------------------------

    @property
    def requests(self) -> list[RequestRecord]:
        """The requests so far that are kept, in order of arrival, those inside of batches after their batch."""
        return self._front.log.kept()

    @property
    def request_count(self) -> int:
        """How many requests there were, those included that are not kept any more."""
        return self._front.log.total

    def count(self, method: str, pattern: str) -> int:
        """How many requests begin with a path (``/api/v1/`` may be left out) or match a regular expression.

        ``SimulatorError`` where there were more requests than are kept: a number that is too low would prove nothing.
        """
        return sum(record.matches(method, pattern) for record in self._front.log.whole())

    def highest_rate(self, family: str) -> int:
        """Give the most requests of a family (``designtime``, ``runtime``, ``token``) within any one second."""
        return self._front.log.highest_rate(family)

    @property
    def violations(self) -> list[Violation]:
        """What a gentle client does not do: requests above the limits (429), deletions and undeployments.

        ``SimulatorError`` where there were more requests than are kept.
        """
        return violations(self._front.log.whole())

    @property
    def packages(self) -> Mapping[str, Package]:
        """All packages by id."""
        self._front.catch_up()
        return dict(self._state.packages)

    @property
    def artifacts(self) -> Mapping[str, StoredArtifact]:
        """All design-time artifacts by id."""
        self._front.catch_up()
        return dict(self._state.artifacts)

    @property
    def locks(self) -> Mapping[str, Lock]:
        """Which artifacts somebody has open in the editor, by their ids."""
        self._front.catch_up()
        return dict(self._state.locks)

    @property
    def deployed(self) -> Mapping[str, RuntimeArtifact]:
        """Everything the runtime shows now, by id, also what design time has no more."""
        self._front.catch_up()
        with self._front.lock:
            now_ms = self._state.clock.now_ms()
            shown = {artifact_id: record.look(now_ms) for artifact_id, record in self._state.runtime.items()}
        return {artifact_id: item for artifact_id, item in shown.items() if item is not None}

    def runtime(self, artifact_id: str) -> RuntimeArtifact | None:
        """Tell what the runtime shows for an artifact now; ``None`` where nothing is deployed."""
        self._front.catch_up()
        record = self._state.runtime.get(artifact_id)
        return record.look(self._state.clock.now_ms()) if record else None

    def history(self, artifact_id: str) -> list[StateChange]:
        """Tell every state the runtime showed for an artifact since this program began, oldest first."""
        self._front.catch_up()
        record = self._state.runtime.get(artifact_id)
        return state_history(record, self._state.clock.now_ms()) if record else []

    def is_running_design_time(self, artifact_id: str) -> bool:
        """Whether what is STARTED has the content and the parameter values that design time has now."""
        running, artifact = self.runtime(artifact_id), self.artifact(artifact_id)
        if running is None or running.status != "STARTED":
            return False
        same_content = running.snapshot.digest == artifact.content.digest
        return same_content and dict(running.snapshot.parameters) == artifact.parameters

    @property
    def peak_deployments(self) -> int:
        """The highest number of deployments that were under way at the same time."""
        return self._state.counter.peak

    @property
    def peak_deployments_by_package(self) -> Mapping[str, int]:
        """The same per package id."""
        return dict(self._state.counter.peaks)

    # -- misfortune ---------------------------------------------------------------------------------------------------

    @staticmethod
    def script(*rules: Rule, seed: int = 0) -> FaultScript:
        """Make a script from rules of any kind; ``SimulatorError`` lists all mistakes."""
        return FaultScript.of(*rules, seed=seed)

    def play(self, script: FaultScript) -> None:
        """Begin with a script now: its seconds and counts start here. Faults planned before go first."""
        with self._front.lock:
            self._front.stage.play(script)

    @property
    def happenings(self) -> list[Happening]:
        """What the people of the script did so far, and what they could not do."""
        self._front.catch_up()
        return list(self._front.stage.happenings)

    def fail_next(
        self,
        method: str,
        pattern: str,
        status: int,
        body: bytes = b"",
        *,
        headers: Mapping[str, str] | None = None,
        times: int = 1,
    ) -> None:
        """Answer the next matching requests with a status instead of handling them (patterns as in ``count``)."""
        fault = Fault(kind=FaultKind.STATUS, status=status, body=body, headers=headers or {})
        self._plan(method, pattern, times, fault)

    def drop_next(
        self,
        method: str,
        pattern: str,
        *,
        times: int = 1,
        after_handling: bool = False,
        error: type[Exception] | None = None,
    ) -> None:
        """Close the connection of the next matching requests without an answer, before or after handling them.

        Without a socket, inside one process, the app raises ``error`` instead, ``ConnectionDropped`` if none is given.
        """
        kind = FaultKind.CLOSED_AFTER_HANDLING if after_handling else FaultKind.CLOSED_BEFORE_HANDLING
        self._plan(method, pattern, times, Fault(kind=kind, error=error))

    def _plan(self, method: str, pattern: str, times: int, fault: Fault) -> None:
        if times > 0:
            rule = FaultRule(method=method, pattern=pattern, when=When(first=times), fault=fault)
            with self._front.lock:
                self._front.stage.plan(rule)

    def expire_tokens(self) -> None:
        """Make every access token that was issued worthless."""
        self._front.gatekeeper.expire_tokens()

    def expire_csrf(self) -> None:
        """End every session, with its CSRF token."""
        self._front.gatekeeper.expire_sessions()
