"""What a person does to the tenant in the Web UI, and what a test puts there beforehand."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from cpi_tasks.errors import SimulatorError
from cpi_tasks.simulator import archive, manifest, operations
from cpi_tasks.simulator.deploying import deploy, snapshot_of, undeploy
from cpi_tasks.simulator.dispatch import Front
from cpi_tasks.simulator.life import UI_USER
from cpi_tasks.simulator.lifecycle import Placement, RuntimeArtifact, RuntimeRecord, Snapshot
from cpi_tasks.simulator.odata import ODataError
from cpi_tasks.simulator.settings import Kind
from cpi_tasks.simulator.state import Lock, Package, StoredArtifact, TenantState


class Hands:
    """The hands of a person on a tenant. Unknown ids raise ``SimulatorError``; callable from any thread."""

    def __init__(self, state: TenantState, front: Front) -> None:
        """Work on a tenant's state, between its requests."""
        self._state = state
        self._front = front
        self.settings = state.settings

    def artifact(self, artifact_id: str) -> StoredArtifact:
        """Give a design-time artifact."""
        self._front.catch_up()
        found = self._state.artifacts.get(artifact_id)
        if found is None:
            raise SimulatorError(f"the embedded tenant has no artifact '{artifact_id}'")
        return found

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
            package = operations.add_package(self._state, package_id, stored, UI_USER)
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
                user=UI_USER,
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
            self._state.touch(artifact, UI_USER)

    def save_version(self, artifact_id: str, version: str) -> None:
        """Save what is there under a version number, such as ``1.0.4``; a draft is none any more."""
        artifact = self.artifact(artifact_id)
        if not manifest.is_version(version):
            raise SimulatorError(f"the embedded tenant takes no version '{version}' for '{artifact_id}'")
        with self._front.lock:
            operations.save_as_version(artifact, version)
            self._state.touch(artifact, UI_USER)

    def rename(self, artifact_id: str, name: str) -> None:
        """Give an artifact another display name, in its manifest too; the id stays."""
        artifact = self.artifact(artifact_id)
        headers = manifest.parse(archive.unpack(artifact.archive)[manifest.PATH])
        with self._front.lock:
            self._edit(
                artifact_id,
                {manifest.PATH: manifest.render(manifest.put(headers, "Bundle-Name", name))},
                as_draft=artifact.is_draft,
            )
            artifact.name = name

    def delete(self, artifact_id: str) -> None:
        """Delete an artifact at design time; what runs goes on running."""
        artifact = self.artifact(artifact_id)
        with self._front.lock:
            self._state.remove(artifact)

    def set_parameter(self, artifact_id: str, key: str, value: str) -> None:
        """Configure a parameter as a person does in the Web UI."""
        artifact = self.artifact(artifact_id)
        if key not in artifact.definitions:
            raise SimulatorError(f"the embedded tenant's artifact '{artifact_id}' has no parameter '{key}'")
        with self._front.lock:
            artifact.values[key] = value
            self._state.is_dirty = True
            if self._state.settings.parameter_write_moves_modified_at:
                self._state.touch(artifact, UI_USER)

    def lock(self, artifact_id: str, user: str = UI_USER) -> None:
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

    def deploy(self, artifact_id: str, user: str = UI_USER) -> None:
        """Deploy an artifact; it takes its time as any deployment. ``SimulatorError`` where a tenant refuses it."""
        artifact = self.artifact(artifact_id)
        try:
            with self._front.lock:
                deploy(self._state, artifact, user)
        except ODataError as error:
            raise SimulatorError(f"the embedded tenant does not deploy '{artifact_id}': {error.message}") from error

    def undeploy(self, artifact_id: str) -> None:
        """Stop an artifact on the runtime; ``SimulatorError`` where it is not there."""
        with self._front.lock:
            record = self._state.runtime.get(artifact_id)
            now_ms = self._state.clock.now_ms()
            if record is None or record.look(now_ms) is None:
                raise SimulatorError(f"the embedded tenant's runtime has no artifact '{artifact_id}'")
            undeploy(self._state, artifact_id)

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

        What is STARTED has the entry points of that content, too. ``None`` takes it off at once. ``deployed_on`` is in
        epoch milliseconds, now where it is not given.
        """
        with self._front.lock:
            before = self._state.runtime.get(artifact_id)
            record = RuntimeRecord()
            self._state.runtime[artifact_id] = record
            self._state.is_dirty = True
            if status is not None:
                record.last_deployed_on = self._state.now_ms() if deployed_on is None else deployed_on
                record.settled = RuntimeArtifact(
                    id=artifact_id,
                    status=status,
                    deployed_by=UI_USER,
                    deployed_on=record.last_deployed_on,
                    snapshot=self._placed(artifact_id, version),
                    error=error,
                )
            placed = Placement(triggered_ms=self._state.clock.now_ms(), shown=record.settled)
            record.log = [*(before.log if before else ()), placed]

    def _placed(self, artifact_id: str, version: str | None) -> Snapshot:
        stored = self._state.artifacts.get(artifact_id)
        known = snapshot_of(stored) if stored else None
        return Snapshot(
            name=known.name if known else artifact_id,
            version=version or (known.version if known else "1.0.0"),
            runtime_type=known.runtime_type if known else Kind.FLOW.runtime_type,
            digest=known.digest if known else "",
            parameters=known.parameters if known else {},
            endpoints=known.endpoints if known else {},
        )
