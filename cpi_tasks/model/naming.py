"""Ids, enums and the reference that identifies one artifact everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NewType

PackageId = NewType("PackageId", str)
ArtifactId = NewType("ArtifactId", str)
TaskId = NewType("TaskId", str)


class ArtifactKind(Enum):
    """The four artifact families; the value is the spelling of configuration files and manifests."""

    INTEGRATION_FLOW = "IntegrationFlow"
    SCRIPT_COLLECTION = "ScriptCollection"
    MESSAGE_MAPPING = "MessageMapping"
    VALUE_MAPPING = "ValueMapping"

    @property
    def api_name(self) -> str:
        """The family's name in API paths: ``<api_name>DesigntimeArtifacts`` (SAP, Integration Content)."""
        return "Integration" if self is ArtifactKind.INTEGRATION_FLOW else self.value

    @property
    def label(self) -> str:
        """The family's name in a sentence."""
        return {
            ArtifactKind.INTEGRATION_FLOW: "integration flow",
            ArtifactKind.SCRIPT_COLLECTION: "script collection",
            ArtifactKind.MESSAGE_MAPPING: "message mapping",
            ArtifactKind.VALUE_MAPPING: "value mapping",
        }[self]


class Mode(Enum):
    """Which of the two phases a run has; the value is the spelling of the ``mode`` setting."""

    UPDATE_AND_DEPLOY = "update-and-deploy"
    UPDATE_ONLY = "update-only"
    DEPLOY_ONLY = "deploy-only"

    @property
    def updates(self) -> bool:
        """Whether the update phase is part of the run."""
        return self is not Mode.DEPLOY_ONLY

    @property
    def deploys(self) -> bool:
        """Whether the deploy phase is part of the run."""
        return self is not Mode.UPDATE_ONLY


class ParameterPolicy(Enum):
    """Which configuration parameters of an existing flow the files enforce."""

    OVERRIDES = "overrides"
    ALL = "all"


class ValueMappingPolicy(Enum):
    """What happens to a value mapping that differs: it has no update call."""

    SAFE = "safe"
    REPLACE = "replace"
    KEEP = "keep"


class DraftPolicy(Enum):
    """What happens to a draft on the tenant that is not ours."""

    FAIL = "fail"
    OVERWRITE = "overwrite"
    SKIP = "skip"


class VersionPolicy(Enum):
    """Which version an artifact has on the tenant after an update."""

    MANIFEST = "manifest"
    EXACT = "exact"
    KEEP = "keep"
    BUMP = "bump"


class VerifyPolicy(Enum):
    """How much of the tenant is read again where the cache knows it in the version and time of change it has now."""

    FULL = "full"
    PARAMETERS = "parameters"
    CACHED = "cached"


class PollingPolicy(Enum):
    """When the runtime is looked at: as it pays off, or just as ``deployRetries`` and ``deployDelaySeconds`` say."""

    ADAPTIVE = "adaptive"
    FIXED = "fixed"


class FailurePolicy(Enum):
    """What becomes of the rest of a run when something has failed."""

    CONTINUE = "continue"
    STOP = "stop"


class DeployProof(Enum):
    """What proves that an artifact without a time of change need not be deployed again.

    ``strict``: a record of exactly this deployment. ``versions``: a saved version that runs, which is sound only where
    no run changes content under an unchanged version.
    """

    STRICT = "strict"
    VERSIONS = "versions"


class SameVersionPolicy(Enum):
    """What happens where content would change under the version that the tenant has already."""

    WARN = "warn"
    FAIL = "fail"


class DriftPolicy(Enum):
    """What happens where somebody changed on the tenant what a run would overwrite."""

    WARN = "warn"
    OVERWRITE = "overwrite"
    FAIL = "fail"


def is_added_by_tenant(key: str) -> bool:
    """Return whether a parameter is one that tenants add to flows by themselves, such as ``SAP_ProfileId``."""
    return key.startswith("SAP_")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ArtifactRef:
    """One artifact of one package on the tenant, by final ids (prefix applied); the only key used in mappings."""

    package: PackageId
    artifact: ArtifactId

    def __str__(self) -> str:
        """Give ``package/artifact`` as shown to people."""
        return f"{self.package}/{self.artifact}"
