"""A plain tenant for the engine's tests: scripted for each artifact, on trio's clock, counting what is asked of it."""

# ruff: noqa: ARG002 - the protocol has arguments that a fake does not need
from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal, TypeVar

import trio

from cpi_tasks.content import read_archive
from cpi_tasks.errors import RequestRejected, TenantError
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, PackageId, TaskId
from cpi_tasks.model.tenant import (
    ConfigurationParameter,
    DesigntimeArtifact,
    DesigntimeLock,
    IntegrationPackage,
    RuntimeArtifact,
)
from tests.support.script import Call, Deployed, Script

T = TypeVar("T")
D = TypeVar("D")
Versions = Literal["manifest", "keep", "draft"]


class FakeTenant:
    """Implements ``cpi_tasks.model.tenant.Tenant``. Every field may be set by a test before or during a run."""

    def __init__(self) -> None:
        """Start empty: no package, no artifact, nothing running, no latency."""
        self.latency_s = 0.0
        self.versions: Versions = "manifest"
        self.gives_deployed_on = True
        self.packages: dict[str, Mapping[str, str]] = {}
        self.read_only: set[str] = set()
        self.artifacts: dict[str, DesigntimeArtifact] = {}
        self.archives: dict[str, bytes] = {}
        self.parameters: dict[str, dict[str, str]] = {}
        self.added: dict[str, dict[str, str]] = {}
        """Parameters that the tenant itself adds to what is created."""
        self.becomes: dict[str, str] = {}
        """Versions that the tenant itself gives some artifacts after it has answered their write."""
        self.running: dict[str, RuntimeArtifact] = {}
        self.locks: tuple[DesigntimeLock, ...] = ()
        self.scripts: dict[str, Script] = {}
        self.deployed: dict[str, Deployed] = {}
        self.calls: list[Call] = []
        self.faults: dict[str, list[TenantError]] = {}
        """By call ("trigger A", "look-all"): errors that the next calls end with, unprocessed."""
        self.lost: dict[str, list[TenantError]] = {}
        """The same for answers that are lost: the call is carried out, then the error is raised."""
        self.slow: dict[str, list[float]] = {}
        """By call: extra seconds the next calls take."""
        self.at_each_await: Callable[[], None] = lambda: None
        self.peak = 0
        self.peak_by_package: Counter[str] = Counter()
        self._clock_ms = 1_000

    # What tests read.

    @property
    def names(self) -> list[str]:
        """The calls so far, in order."""
        return [call.what for call in self.calls]

    def count(self, name: str) -> int:
        """How many calls there were whose name starts so."""
        return sum(call.what == name or call.what.startswith(f"{name} ") for call in self.calls)

    def at(self, what: str) -> list[float]:
        """When a call arrived, each time."""
        return [call.at for call in self.calls if call.what == what]

    # What tests set up.

    def have(
        self, artifact: str, *, package: str = "P", version: str = "1.0.0", kind: ArtifactKind | None = None
    ) -> None:
        """Put an artifact into design time."""
        kind = kind or ArtifactKind.INTEGRATION_FLOW
        self.packages.setdefault(package, {"Name": package, "ShortText": package})
        self.artifacts[artifact] = DesigntimeArtifact(
            id=ArtifactId(artifact), kind=kind, package=PackageId(package), version=version, name=artifact
        )

    def run(self, artifact: str, *, version: str = "1.0.0", status: str = "STARTED") -> RuntimeArtifact:
        """Have something deployed already."""
        self.running[artifact] = self._runtime(artifact, version, status)
        return self.running[artifact]

    # The protocol.

    async def list_packages(self) -> tuple[IntegrationPackage, ...]:
        """List all."""
        await self._arrive("list_packages")
        found = tuple(self._package(PackageId(package)) for package in self.packages)
        await self._leave("list_packages")
        return found

    async def read_package(self, package: PackageId) -> IntegrationPackage | None:
        """Read one."""
        await self._arrive(f"read_package {package}")
        found = self._package(package) if package in self.packages else None
        await self._leave(f"read_package {package}")
        return found

    async def create_package(self, package: PackageId, metadata: Mapping[str, str]) -> None:
        """Create one."""
        await self._arrive(f"create_package {package}")
        self.packages[package] = metadata
        await self._leave(f"create_package {package}")

    async def update_package(self, package: PackageId, metadata: Mapping[str, str]) -> None:
        """Replace its metadata."""
        await self._arrive(f"update_package {package}")
        self.packages[package] = metadata
        await self._leave(f"update_package {package}")

    async def list_artifacts(self, package: PackageId, kind: ArtifactKind) -> tuple[DesigntimeArtifact, ...]:
        """List one family."""
        await self._arrive(f"list {package} {kind.value}")
        found = tuple(a for a in self.artifacts.values() if a.package == package and a.kind is kind)
        await self._leave(f"list {package} {kind.value}")
        return found

    async def read_artifact(self, artifact: ArtifactId, kind: ArtifactKind) -> DesigntimeArtifact | None:
        """Read one."""
        await self._arrive(f"read {artifact}")
        found = self.artifacts.get(artifact)
        await self._leave(f"read {artifact}")
        if found is not None:
            self._raise_version(artifact)
        return found

    async def download_artifact(self, artifact: ArtifactId, kind: ArtifactKind) -> bytes:
        """Download one."""
        await self._arrive(f"download {artifact}")
        await self._leave(f"download {artifact}")
        return self.archives.get(artifact, b"what was there before")

    async def create_artifact(
        self, artifact: ArtifactId, kind: ArtifactKind, *, package: PackageId, name: str, archive: bytes
    ) -> DesigntimeArtifact:
        """Create one; ids are unique on the tenant."""
        await self._arrive(f"create {artifact}")
        if artifact in self.artifacts:
            raise RequestRejected(action=f"create '{artifact}'", status=500, detail=f"{artifact} already exists")
        content = read_archive(archive, artifact=artifact, kind=kind)
        version = {"manifest": content.version, "keep": "1.0.0", "draft": "Draft"}[self.versions]
        self.artifacts[artifact] = created = DesigntimeArtifact(
            id=artifact, kind=kind, package=package, version=version, name=name
        )
        self.archives[artifact] = archive
        self.parameters[artifact] = {**content.parameters, **self.added.get(artifact, {})}
        await self._leave(f"create {artifact}")
        self._raise_version(artifact)
        return created

    async def update_artifact(self, artifact: ArtifactId, kind: ArtifactKind, *, archive: bytes) -> None:
        """Replace content; configured values stay."""
        await self._arrive(f"update {artifact}")
        content = read_archive(archive, artifact=artifact, kind=kind)
        old = self.artifacts[artifact]
        version = {"manifest": max(old.version, content.version), "keep": old.version, "draft": "Active"}[self.versions]
        self.artifacts[artifact] = replace(old, version=version)
        self.archives[artifact] = archive
        self.parameters[artifact] = {**content.parameters, **self.parameters.get(artifact, {})}
        await self._leave(f"update {artifact}")

    async def delete_artifact(self, artifact: ArtifactId, kind: ArtifactKind) -> None:
        """Delete one."""
        await self._arrive(f"delete {artifact}")
        del self.artifacts[artifact], self.archives[artifact]
        await self._leave(f"delete {artifact}")

    async def save_version(self, artifact: ArtifactId, kind: ArtifactKind, version: str) -> None:
        """Save the active state."""
        await self._arrive(f"save {artifact} {version}")
        self.artifacts[artifact] = replace(self.artifacts[artifact], version=version)
        await self._leave(f"save {artifact} {version}")

    async def read_parameters(self, flow: ArtifactId) -> tuple[ConfigurationParameter, ...] | None:
        """Read a flow's parameters."""
        await self._arrive(f"parameters {flow}")
        found = self.parameters.get(flow)
        await self._leave(f"parameters {flow}")
        return None if found is None else tuple(ConfigurationParameter(key=k, value=v) for k, v in found.items())

    async def write_parameter(self, flow: ArtifactId, key: str, value: str) -> None:
        """Set one."""
        await self._arrive(f"write {flow} {key}={value}")
        self.parameters.setdefault(flow, {})[key] = value
        await self._leave(f"write {flow} {key}={value}")

    async def list_locks(self) -> tuple[DesigntimeLock, ...]:
        """List locks."""
        await self._arrive("locks")
        return self.locks

    async def trigger_deployment(self, artifact: ArtifactId, kind: ArtifactKind) -> TaskId | None:
        """Accept a deployment."""
        await self._arrive(f"trigger {artifact}")
        design = self.artifacts[artifact]
        version = "1.0.0" if design.is_draft else design.version
        script = self.scripts.setdefault(artifact, Script())
        new = self._runtime(artifact, version, script.ends)
        self.deployed[artifact] = Deployed(at=trio.current_time(), before=self.seen(artifact), new=new)
        self._count_in_flight()
        await self._leave(f"trigger {artifact}")
        return TaskId(f"task-{artifact}") if script.has_task else None

    async def read_build_status(self, task: TaskId) -> str | None:
        """Read a build task."""
        await self._arrive(f"task {task.removeprefix('task-')}")
        artifact = task.removeprefix("task-")
        script, elapsed = self.scripts[artifact], trio.current_time() - self.deployed[artifact].at
        status = "DEPLOYING" if elapsed < script.task_s else script.task_ends
        await self._leave(f"task {artifact}")
        return status

    async def list_runtime_artifacts(self) -> dict[ArtifactId, RuntimeArtifact]:
        """List all that runs."""
        await self._arrive("look-all")
        found = [self.seen(artifact) for artifact in {**self.running, **self.deployed}]
        await self._leave("look-all")
        return {artifact.id: artifact for artifact in found if artifact is not None}

    async def read_runtime_artifact(self, artifact: ArtifactId) -> RuntimeArtifact | None:
        """Read one."""
        await self._arrive(f"look {artifact}")
        found = self.seen(artifact)
        await self._leave(f"look {artifact}")
        return found

    async def read_error_information(self, artifact: ArtifactId) -> str | None:
        """Read why it is in ERROR."""
        await self._arrive(f"error {artifact}")
        script, deployed = self.scripts[artifact], self.deployed[artifact]
        ended = deployed.at + (script.task_s if script.task_ends == "FAIL" else script.takes_s)
        return None if trio.current_time() < ended + script.error_text_s else script.error_text

    # Inside.

    def _package(self, package: PackageId) -> IntegrationPackage:
        metadata = self.packages[package]
        return IntegrationPackage(
            id=package,
            name=metadata["Name"],
            short_text=metadata["ShortText"],
            description=metadata.get("Description", ""),
            is_read_only=package in self.read_only,
            metadata=metadata,
        )

    def _raise_version(self, artifact: ArtifactId) -> None:
        if artifact in self.becomes:
            self.artifacts[artifact] = replace(self.artifacts[artifact], version=self.becomes[artifact])

    async def _arrive(self, what: str) -> None:
        self.calls.append(Call(at=trio.current_time(), what=what))
        self.at_each_await()
        await trio.sleep(self.latency_s + self._next(self.slow, what, 0.0))
        error = self._next(self.faults, what, None)
        if error is not None:
            raise error

    async def _leave(self, what: str) -> None:
        """Answer: what the call did is done, but the answer may be lost or come too late."""
        self.at_each_await()
        await trio.lowlevel.checkpoint()
        error = self._next(self.lost, what, None)
        if error is not None:
            raise error

    def _next(self, planned: dict[str, list[T]], what: str, default: D) -> T | D:
        waiting = planned.get(what) or planned.get(what.split(maxsplit=1)[0])
        return waiting.pop(0) if waiting else default

    def _runtime(self, artifact: str, version: str, status: str) -> RuntimeArtifact:
        self._clock_ms += 1_000
        deployed_on = self._clock_ms if self.gives_deployed_on else None
        return RuntimeArtifact(id=ArtifactId(artifact), version=version, status=status, deployed_on=deployed_on)

    def seen(self, artifact: str) -> RuntimeArtifact | None:
        """Give what a look shows now."""
        deployed = self.deployed.get(artifact)
        if deployed is None:
            return self.running.get(artifact)
        script, elapsed = self.scripts[artifact], trio.current_time() - deployed.at
        if elapsed < script.appears_s or script.ends == "UNCHANGED":
            return deployed.before
        if elapsed < script.takes_s:
            return replace(deployed.new, status="STARTING")
        return None if script.ends == "ABSENT" else deployed.new

    def _count_in_flight(self) -> None:
        now = trio.current_time()
        flying = [id_ for id_, deployed in self.deployed.items() if now < deployed.at + self.scripts[id_].takes_s]
        self.peak = max(self.peak, len(flying))
        for package, number in Counter(str(self.artifacts[id_].package) for id_ in flying).items():
            self.peak_by_package[package] = max(self.peak_by_package[package], number)
