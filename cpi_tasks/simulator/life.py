"""What other people do to the tenant in its Web UI, as values that a script can name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

UI_USER = "person@example.com"


class ActionKind(StrEnum):
    """The deeds, by the names they have in script texts."""

    EDIT = "edit"
    DRAFT = "draft"
    SET_PARAMETER = "set-parameter"
    SAVE_VERSION = "save-version"
    LOCK = "lock"
    UNLOCK = "unlock"
    RENAME = "rename"
    DELETE = "delete"
    UNDEPLOY = "undeploy"
    DEPLOY = "deploy"


_NEEDED: Mapping[ActionKind, tuple[str, ...]] = {
    ActionKind.EDIT: ("files",),
    ActionKind.DRAFT: ("files",),
    ActionKind.SET_PARAMETER: ("key",),
    ActionKind.SAVE_VERSION: ("version",),
    ActionKind.RENAME: ("name",),
}


class Person(Protocol):
    """The hands on the tenant; every method raises ``SimulatorError`` where the artifact is not there."""

    def edit_content(self, artifact_id: str, files: Mapping[str, bytes]) -> None:
        """Change files."""

    def edit_as_draft(self, artifact_id: str, files: Mapping[str, bytes]) -> None:
        """Change files and leave a draft."""

    def set_parameter(self, artifact_id: str, key: str, value: str) -> None:
        """Configure."""

    def save_version(self, artifact_id: str, version: str) -> None:
        """Save as version."""

    def lock(self, artifact_id: str, user: str) -> None:
        """Open the editor."""

    def unlock(self, artifact_id: str) -> None:
        """Close the editor."""

    def rename(self, artifact_id: str, name: str) -> None:
        """Give another display name."""

    def delete(self, artifact_id: str) -> None:
        """Delete at design time."""

    def undeploy(self, artifact_id: str) -> None:
        """Stop on the runtime."""

    def deploy(self, artifact_id: str, user: str) -> None:
        """Deploy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One deed at one artifact, with what the kind needs: ``files``, ``key`` and ``value``, ``version`` or ``name``."""

    kind: ActionKind
    artifact: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    key: str = ""
    value: str = ""
    version: str = ""
    name: str = ""
    user: str = UI_USER

    def problems(self) -> list[str]:
        """List what the kind needs and is not there."""
        return [
            f"{name} must be given for {self.kind}" for name in _NEEDED.get(self.kind, ()) if not getattr(self, name)
        ]

    def perform(self, person: Person) -> None:
        """Do it."""
        artifact = self.artifact
        deeds: Mapping[ActionKind, Callable[[], None]] = {
            ActionKind.EDIT: lambda: person.edit_content(artifact, self.files),
            ActionKind.DRAFT: lambda: person.edit_as_draft(artifact, self.files),
            ActionKind.SET_PARAMETER: lambda: person.set_parameter(artifact, self.key, self.value),
            ActionKind.SAVE_VERSION: lambda: person.save_version(artifact, self.version),
            ActionKind.LOCK: lambda: person.lock(artifact, self.user),
            ActionKind.UNLOCK: lambda: person.unlock(artifact),
            ActionKind.RENAME: lambda: person.rename(artifact, self.name),
            ActionKind.DELETE: lambda: person.delete(artifact),
            ActionKind.UNDEPLOY: lambda: person.undeploy(artifact),
            ActionKind.DEPLOY: lambda: person.deploy(artifact, self.user),
        }
        deeds[self.kind]()

    def __str__(self) -> str:
        """Give kind and artifact."""
        return f"{self.kind} {self.artifact}"
