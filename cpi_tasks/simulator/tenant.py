"""The embedded tenant as tests and the application hold it: the app, what it saw, and a hand on its content."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path

from starlette.applications import Starlette

from cpi_tasks.errors import SimulatorError
from cpi_tasks.simulator import archive, operations, store
from cpi_tasks.simulator.clock import Clock
from cpi_tasks.simulator.deploying import snapshot_of
from cpi_tasks.simulator.dispatch import Front
from cpi_tasks.simulator.faults import ConnectionDropped, Fault, RequestRecord
from cpi_tasks.simulator.lifecycle import RuntimeArtifact, RuntimeRecord, Snapshot
from cpi_tasks.simulator.settings import Kind, SimulatorSettings
from cpi_tasks.simulator.state import Lock, Package, StoredArtifact, TenantState

_UI_USER = "person@example.com"


class Simulator:
    """A tenant in memory, kept in a file between runs where one is named.

    ``app`` is an ASGI application; ``serve`` and ``running`` put it on a loopback socket. The methods below may be
    called from any thread. They stand for what a person does in the Web UI, or for what a test wants to know; unknown
    ids raise ``SimulatorError``.
    """

    def __init__(self, settings: SimulatorSettings | None = None, *, state_file: Path | None = None) -> None:
        """Begin empty, or with what the state file holds; a broken file raises ``SimulatorError``."""
        self.settings = settings or SimulatorSettings()
        self.state_file = state_file
        self._state = TenantState(self.settings, Clock())
        if state_file is not None:
            store.load(self._state, state_file)
        self._front = Front(self._state)

    @property
    def app(self) -> Starlette:
        """The ASGI application."""
        return self._front.app

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
        except SimulatorError:
            self._state.is_dirty = True
            raise

    # -- what was seen ------------------------------------------------------------------------------------------------

    @property
    def requests(self) -> list[RequestRecord]:
        """Every request so far, in order of arrival."""
        return list(self._front.requests)

    def count(self, method: str, pattern: str) -> int:
        """How many requests begin with a path (``/api/v1/`` may be left out) or match a regular expression."""
        return sum(record.matches(method, pattern) for record in self._front.requests)

    @property
    def packages(self) -> Mapping[str, Package]:
        """All packages by id."""
        return dict(self._state.packages)

    @property
    def artifacts(self) -> Mapping[str, StoredArtifact]:
        """All design-time artifacts by id."""
        return dict(self._state.artifacts)

    def artifact(self, artifact_id: str) -> StoredArtifact:
        """Give a design-time artifact."""
        found = self._state.artifacts.get(artifact_id)
        if found is None:
            raise SimulatorError(f"the embedded tenant has no artifact '{artifact_id}'")
        return found

    def runtime(self, artifact_id: str) -> RuntimeArtifact | None:
        """Tell what the runtime shows for an artifact now; ``None`` where nothing is deployed."""
        record = self._state.runtime.get(artifact_id)
        return record.look(self._state.clock.now_ms()) if record else None

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

    # -- content ------------------------------------------------------------------------------------------------------

    def add_package(
        self,
        package_id: str,
        name: str | None = None,
        *,
        short_text: str | None = None,
        description: str = "",
        mode: str = "EDIT_ALLOWED",
        **fields: str,
    ) -> Package:
        """Put a package on the tenant; further fields go by their API names (``Version``, ``Vendor``)."""
        sent = {"ShortText": short_text or name or package_id, "Description": description, **fields}
        with self._front.lock:
            stored = operations.package_fields(self._state, sent, name=name or package_id)
            package = operations.add_package(self._state, package_id, stored, _UI_USER)
            package.mode = mode
            return package

    def add_artifact(
        self, package_id: str, artifact_id: str, kind_api_name: str, content: bytes, version: str = "1.0.0"
    ) -> StoredArtifact:
        """Put an artifact of a family (``Integration``, ``MessageMapping``, …) into an existing package."""
        if package_id not in self._state.packages:
            raise SimulatorError(f"the embedded tenant has no package '{package_id}'")
        entries = archive.unpack(content)
        kind = Kind(kind_api_name)
        with self._front.lock:
            return operations.create_artifact(
                self._state,
                kind=kind,
                artifact_id=artifact_id,
                package_id=package_id,
                name=archive.read(entries, kind).name or artifact_id,
                description=None,
                entries=entries,
                version=version,
                user=_UI_USER,
            )

    def edit_content(self, artifact_id: str, files: Mapping[str, bytes]) -> None:
        """Change files of an artifact as a person does in the Web UI, saved under the version it has."""
        self._edit(artifact_id, files, as_draft=False)

    def edit_as_draft(self, artifact_id: str, files: Mapping[str, bytes]) -> None:
        """Change files as a person does in the Web UI and leave them as a draft."""
        self._edit(artifact_id, files, as_draft=True)

    def _edit(self, artifact_id: str, files: Mapping[str, bytes], *, as_draft: bool) -> None:
        artifact = self.artifact(artifact_id)
        with self._front.lock:
            entries = {**archive.unpack(artifact.archive), **files}
            operations.replace_content(self._state, artifact, entries, as_draft=as_draft, take_version=False)
            self._state.touch(artifact, _UI_USER)

    def set_parameter(self, artifact_id: str, key: str, value: str) -> None:
        """Configure a parameter as a person does in the Web UI."""
        artifact = self.artifact(artifact_id)
        if key not in artifact.content.parameters:
            raise SimulatorError(f"the embedded tenant's artifact '{artifact_id}' has no parameter '{key}'")
        with self._front.lock:
            artifact.values[key] = value
            self._state.is_dirty = True
            if self.settings.parameter_write_moves_modified_at:
                self._state.touch(artifact, _UI_USER)

    def lock(self, artifact_id: str, user: str = _UI_USER) -> None:
        """Open an artifact in the editor: writes to it are refused until it is unlocked."""
        artifact = self.artifact(artifact_id)
        lock = Lock(resource_id=uuid.uuid4().hex, artifact_id=artifact.id, user=user, created_ms=self._state.now_ms())
        with self._front.lock:
            self._state.locks[artifact_id] = lock
            self._state.is_dirty = True

    def unlock(self, artifact_id: str) -> None:
        """Close the editor."""
        with self._front.lock:
            self._state.locks.pop(artifact_id, None)
            self._state.is_dirty = True

    def set_runtime(
        self,
        artifact_id: str,
        status: str | None,
        *,
        version: str | None = None,
        deployed_on: int | None = None,
        error: str = "",
    ) -> None:
        """Put an artifact on the runtime in some state, with the content of design time where there is one.

        ``None`` takes it off at once. ``deployed_on`` is in epoch milliseconds, now where it is not given.
        """
        with self._front.lock:
            record = RuntimeRecord()
            self._state.runtime[artifact_id] = record
            self._state.is_dirty = True
            if status is None:
                return
            stored = self._state.artifacts.get(artifact_id)
            known = snapshot_of(stored) if stored else None
            snapshot = Snapshot(
                name=known.name if known else artifact_id,
                version=version or (known.version if known else "1.0.0"),
                runtime_type=known.runtime_type if known else Kind.FLOW.runtime_type,
                digest=known.digest if known else "",
                parameters=known.parameters if known else {},
            )
            record.last_deployed_on = self._state.now_ms() if deployed_on is None else deployed_on
            record.settled = RuntimeArtifact(
                id=artifact_id,
                status=status,
                deployed_by=_UI_USER,
                deployed_on=record.last_deployed_on,
                snapshot=snapshot,
                error=error,
            )

    # -- misfortune ---------------------------------------------------------------------------------------------------

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
        fault = Fault(method=method, pattern=pattern, times=times, status=status, body=body, headers=headers or {})
        self._front.faults.add(fault)

    def drop_next(
        self,
        method: str,
        pattern: str,
        *,
        times: int = 1,
        after_handling: bool = False,
        error: type[Exception] = ConnectionDropped,
    ) -> None:
        """Close the connection of the next matching requests without an answer, before or after handling them.

        Without a socket, inside one process, the app raises ``error`` instead.
        """
        fault = Fault(method=method, pattern=pattern, times=times, after_handling=after_handling, error=error)
        self._front.faults.add(fault)

    def expire_tokens(self) -> None:
        """Make every access token that was issued worthless."""
        self._front.gatekeeper.expire_tokens()

    def expire_csrf(self) -> None:
        """End every session, with its CSRF token."""
        self._front.gatekeeper.expire_sessions()
