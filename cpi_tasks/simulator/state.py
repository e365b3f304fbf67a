"""What the tenant holds: packages, design-time artifacts, locks, the runtime and build tasks."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cpi_tasks.simulator import archive, manifest
from cpi_tasks.simulator.archive import Content, Parameter
from cpi_tasks.simulator.building import BuildFindings, examine, examine_mapping
from cpi_tasks.simulator.clock import Clock
from cpi_tasks.simulator.fates import FateBook
from cpi_tasks.simulator.lifecycle import Deployment, DeploymentCounter, RuntimeArtifact, RuntimeRecord
from cpi_tasks.simulator.odata import ODataError
from cpi_tasks.simulator.settings import Kind, LockedOperation, SimulatorSettings

NOT_FOUND = "Integration design time artifact not found."
_LOCK_TEXTS: Mapping[tuple[Kind, LockedOperation], str] = {
    (Kind.MESSAGE_MAPPING, "update"): "Update of Message Mapping failed. Cannot update the artifact as it is locked.",
    (Kind.VALUE_MAPPING, "delete"): "Cannot delete the artifact as it is locked.",
}
"""Where SAP's specification has an answer of its own, a 500."""
PROFILE_KEY = "SAP_ProfileId"
"""The parameter by which a flow names its runtime."""


@dataclass(slots=True, kw_only=True)
class Package:
    """An integration package; ``fields`` are its other properties under their API names."""

    id: str
    fields: dict[str, str]
    mode: str = "EDIT_ALLOWED"
    tags: dict[str, str] = field(default_factory=dict)
    """Values of its custom tags by name."""
    artifacts: dict[Kind, dict[str, None]] = field(default_factory=lambda: {kind: {} for kind in Kind})
    """Ids of its artifacts by family, in order of creation."""

    @property
    def name(self) -> str:
        """The display name."""
        return self.fields["Name"]

    @property
    def is_read_only(self) -> bool:
        """Whether only parameters may be changed."""
        return self.mode == "READ_ONLY"


@dataclass(slots=True, kw_only=True)
class StoredArtifact:
    """A design-time artifact. ``version`` is the last saved number; ``values`` are parameter values the tenant keeps.

    ``archive`` is what a download gives. What is derived from it is computed once, when first asked for.
    """

    id: str
    kind: Kind
    package_id: str
    name: str
    description: str
    version: str
    archive: bytes
    is_draft: bool = False
    values: dict[str, str] = field(default_factory=dict)
    created_by: str = ""
    created_ms: int = 0
    modified_by: str = ""
    modified_ms: int = 0
    keeps_symbolic_name: bool = False
    """Whether the manifest keeps the symbolic name that it was uploaded with; else it has the id."""
    profile: str = ""
    """The value of ``SAP_ProfileId`` where the tenant adds this parameter; nothing where it does not."""
    encoded: str = ""
    """The archive in base64, kept for the state file."""
    _content: Content | None = None
    _findings: BuildFindings | None = None

    @property
    def content(self) -> Content:
        """What the archive says."""
        if self._content is None:
            self._content = archive.read(archive.unpack(self.archive), self.kind)
        return self._content

    @property
    def findings(self) -> BuildFindings:
        """What a build finds in the archive; nothing for families that are not built from a model."""
        if self._findings is None:
            look = {Kind.FLOW: examine, Kind.MESSAGE_MAPPING: examine_mapping}.get(self.kind)
            self._findings = look(archive.unpack(self.archive)) if look else BuildFindings()
        return self._findings

    @property
    def shown_version(self) -> str:
        """The version as most tenants show it: ``Active`` for a draft."""
        return "Active" if self.is_draft else self.version

    @property
    def parameters(self) -> dict[str, str]:
        """The effective value of every parameter that the artifact has."""
        return {key: self.values.get(key, item.value or "") for key, item in self.definitions.items()}

    @property
    def definitions(self) -> Mapping[str, Parameter]:
        """Every parameter that the artifact has: those of its content, and the one that the tenant adds."""
        own = self.content.parameters
        if self.kind is not Kind.FLOW or not self.profile or PROFILE_KEY in own:
            return own
        return {**own, PROFILE_KEY: Parameter(key=PROFILE_KEY, value=self.profile)}

    def store(self, entries: Mapping[str, bytes], *, version: str | None, line_bytes: int = 72) -> None:
        """Take new content, rewritten the tenant's way; a given version is written into the manifest."""
        sent = manifest.symbolic_name(manifest.parse(entries.get(manifest.PATH, b"")))
        stored = archive.rewrite(
            entries,
            kind=self.kind,
            artifact_id=self.id,
            symbolic_name=sent if self.keeps_symbolic_name and sent else self.id,
            version=version,
            line_bytes=line_bytes,
        )
        content = archive.read(stored, self.kind)
        self.archive, self._content, self._findings, self.encoded = archive.pack(stored), content, None, ""

    @property
    def symbolic_name(self) -> str:
        """The symbolic name that an upload has to have."""
        return manifest.symbolic_name(self.content.headers)

    def answers_to(self, version: str) -> bool:
        """Whether a ``Version`` literal addresses what is stored: ``active`` in any case, or the current number."""
        word = version.lower()
        return word == "active" or (word == "draft" if self.is_draft else version == self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A design-time lock: somebody has the artifact open in the editor."""

    resource_id: str
    artifact_id: str
    user: str
    created_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidelineRun:
    """The latest check of an artifact against the design guidelines."""

    execution_id: str
    version: str
    time_ms: int


@dataclass(frozen=True, slots=True)
class KeptRow:
    """The JSON text of what the runtime shows for an artifact; good for this value under this address only."""

    item: RuntimeArtifact
    base_url: str
    text: str


class TenantState:
    """Everything one tenant holds, with the lookups requests need; ``is_dirty`` says there is something to save."""

    def __init__(self, settings: SimulatorSettings, clock: Clock) -> None:
        """Begin empty."""
        self.settings = settings
        self.clock = clock
        self.packages: dict[str, Package] = {}
        self.artifacts: dict[str, StoredArtifact] = {}
        self.locks: dict[str, Lock] = {}
        self.guidelines: dict[str, GuidelineRun] = {}
        self.runtime: dict[str, RuntimeRecord] = {}
        self.rows: dict[str, KeptRow] = {}
        self.tasks: dict[str, Deployment] = {}
        self.moves: dict[str, tuple[float, str]] = {}
        """When created mappings get the next version, and the one that they must still have then."""
        self.counter = DeploymentCounter()
        self.fates = FateBook()
        self.is_dirty = False

    @property
    def keeps_symbolic_names(self) -> bool:
        """Whether creations keep the uploaded symbolic name."""
        return self.settings.symbolic_name == "as-uploaded"

    def now_ms(self) -> int:
        """Give the tenant's time in whole epoch milliseconds."""
        return int(self.clock.now_ms())

    def package(self, package_id: str) -> Package:
        """Give a package that must exist, else 404."""
        package = self.packages.get(package_id)
        if package is None:
            raise ODataError(404, f"Integration package {package_id} does not exist.")
        return package

    def artifact(self, kind: Kind, artifact_id: str, version: str) -> StoredArtifact:
        """Give an artifact of a family that must exist in this version, else 404."""
        artifact = self.artifacts.get(artifact_id)
        if artifact is None or artifact.kind is not kind or not artifact.answers_to(version):
            raise ODataError(404, NOT_FOUND)
        return artifact

    def version_word(self, artifact: StoredArtifact) -> str:
        """Give the version as reads and lists of this tenant show it."""
        return self.settings.draft_word if artifact.is_draft else artifact.version

    def check_writable(self, artifact: StoredArtifact, operation: LockedOperation) -> None:
        """Refuse a write to content in a read-only package or to a locked artifact (both usually 400)."""
        self.check_content_writable(self.package(artifact.package_id), artifact.kind)
        self.check_unlocked(artifact, operation)

    def check_content_writable(self, package: Package, kind: Kind) -> None:
        """Refuse access to content in a read-only package (usually 400), with the text of SAP's specification."""
        if package.is_read_only:
            text = f"{kind.words} artifact consists in a configure only package with Id: {package.id}"
            raise ODataError(self.settings.read_only_status, text)

    def check_package_writable(self, package: Package, action: str) -> None:
        """Refuse a change of a read-only package itself (usually 400)."""
        if package.is_read_only:
            status = self.settings.read_only_status
            raise ODataError(status, f"Cannot {action} because the integration package {package.id} is configure-only.")

    def check_unlocked(self, artifact: StoredArtifact, operation: LockedOperation) -> None:
        """Refuse what a lock blocks while somebody has the artifact open (usually 400)."""
        if artifact.id not in self.locks or operation not in self.settings.lock_blocks:
            return
        own_text = _LOCK_TEXTS.get((artifact.kind, operation))
        if own_text is not None and self.settings.lock_errors == "specified":
            raise ODataError(500, own_text)
        raise ODataError(self.settings.lock_status, self.settings.lock_text)

    def is_on_runtime(self, artifact_id: str) -> bool:
        """Whether the runtime shows anything under an id."""
        record = self.runtime.get(artifact_id)
        return record is not None and record.look(self.clock.now_ms()) is not None

    def insert(self, artifact: StoredArtifact) -> None:
        """Add an artifact to its package."""
        artifact.profile = self.settings.added_profile
        artifact.keeps_symbolic_name = self.keeps_symbolic_names
        self.artifacts[artifact.id] = artifact
        self.packages[artifact.package_id].artifacts[artifact.kind][artifact.id] = None
        self.is_dirty = True

    def remove(self, artifact: StoredArtifact) -> None:
        """Delete an artifact at design time; the runtime is untouched."""
        del self.artifacts[artifact.id]
        del self.packages[artifact.package_id].artifacts[artifact.kind][artifact.id]
        self.locks.pop(artifact.id, None)
        self.guidelines.pop(artifact.id, None)
        self.is_dirty = True

    def remove_package(self, package: Package) -> None:
        """Delete a package with everything in it."""
        for artifact in list(self.artifacts_of(package)):
            self.remove(artifact)
        del self.packages[package.id]
        self.is_dirty = True

    def artifacts_of(self, package: Package, kind: Kind | None = None) -> Iterable[StoredArtifact]:
        """Give a package's artifacts, of one family or of all."""
        kinds = Kind if kind is None else (kind,)
        return (self.artifacts[artifact_id] for family in kinds for artifact_id in package.artifacts[family])

    def touch(self, artifact: StoredArtifact, user: str) -> None:
        """Move ``ModifiedAt`` forward, also where no time has passed."""
        artifact.modified_ms = max(self.now_ms(), artifact.modified_ms + 1)
        artifact.modified_by = user
        self.is_dirty = True

    def record(self, artifact_id: str) -> RuntimeRecord:
        """Give the runtime history of an artifact, begun if there is none."""
        return self.runtime.setdefault(artifact_id, RuntimeRecord())


def new_guid() -> str:
    """Give a fresh id as tenants use them for tasks and resources."""
    return str(uuid.uuid4())
