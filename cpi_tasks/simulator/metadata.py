"""The data model this tenant plays: entity types, sets, navigations and function imports.

Names and keys are those of SAP's Integration Content API; sets that only navigation reaches are declared as well, as on
tenants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cpi_tasks.simulator.rendering import NAMESPACE
from cpi_tasks.simulator.settings import Kind

_OTHER_TYPES = {"PartnerContent": "Edm.Boolean", "UpdateAvailable": "Edm.Boolean", "IsGuidelineSkipped": "Edm.Boolean"}
_TIMES = ("DeployedOn", "LastUpdated", "LogStart", "LogEnd")
_BINARIES = ("ArtifactContent", "ResourceContent")


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityType:
    """A type: its set, key and other properties, navigations to sets (``to_one`` lists the single ones)."""

    name: str
    entity_set: str
    key: Sequence[str]
    properties: Sequence[str]
    navigations: Mapping[str, str] = field(default_factory=dict)
    to_one: frozenset[str] = frozenset()
    is_media: bool = False
    types: Mapping[str, str] = field(default_factory=dict)
    """Types of properties that are not text, where the name alone does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function import: all are POST; parameters in quotes unless they are booleans."""

    parameters: Sequence[str]
    optional: Sequence[str] = ()
    returns: str | None = None
    """Entity type, where it is declared to return one; text otherwise."""


def _family(kind: Kind) -> EntityType:
    stamps = ("Sender", "Receiver", "Comment", "CreatedBy", "CreatedAt", "ModifiedBy", "ModifiedAt")
    navigations = {
        Kind.FLOW: ("Configurations", "Resources", "DesignGuidelineExecutionResults"),
        Kind.VALUE_MAPPING: ("ValMapSchema",),
    }.get(kind, ("Resources",))
    return EntityType(
        name=kind.entity_type,
        entity_set=kind.entity_set,
        key=("Id", "Version"),
        properties=("PackageId", "Name", "Description", "ArtifactContent", *(stamps if kind is Kind.FLOW else ())),
        navigations={name: name for name in navigations},
        is_media=True,
    )


def _other_family(name: str) -> EntityType:
    return EntityType(
        name=f"{name}DesigntimeArtifact",
        entity_set=f"{name}DesigntimeArtifacts",
        key=("Id", "Version"),
        properties=("PackageId", "Name", "Description", "Namespace", "ArtifactContent"),
        is_media=True,
    )


OTHER_FAMILIES = ("DataType", "MessageType", "FaultMessageType", "ServiceInterface")
"""Families this tenant has no artifacts of."""
_PACKAGE_SETS = (
    *(kind.entity_set for kind in Kind),
    *(f"{name}DesigntimeArtifacts" for name in OTHER_FAMILIES),
    "CustomTags",
)

TYPES: Sequence[EntityType] = (
    EntityType(
        name="IntegrationPackage",
        entity_set="IntegrationPackages",
        key=("Id",),
        properties=(
            *("Name", "ResourceId", "Description", "ShortText", "Version", "Vendor", "PartnerContent"),
            *("UpdateAvailable", "Mode", "SupportedPlatform", "ModifiedBy", "CreationDate", "ModifiedDate"),
            *("CreatedBy", "Products", "Keywords", "Countries", "Industries", "LineOfBusiness"),
        ),
        navigations={name: name for name in _PACKAGE_SETS},
        is_media=True,
    ),
    *(_family(kind) for kind in Kind),
    *(_other_family(name) for name in OTHER_FAMILIES),
    EntityType(
        name="IntegrationAdapterDesigntimeArtifact",
        entity_set="IntegrationAdapterDesigntimeArtifacts",
        key=("Id",),
        properties=("Version", "PackageId", "Name", "ArtifactContent", "Description"),
        is_media=True,
    ),
    EntityType(name="CustomTag", entity_set="CustomTags", key=("Name",), properties=("Value",)),
    EntityType(
        name="Configuration",
        entity_set="Configurations",
        key=("ParameterKey",),
        properties=("ParameterValue", "DataType", "Description"),
    ),
    EntityType(
        name="Resource",
        entity_set="Resources",
        key=("Name", "ResourceType"),
        properties=("ReferencedResourceType", "ResourceContent"),
        is_media=True,
    ),
    EntityType(
        name="DesignGuidelineExecutionResult",
        entity_set="DesignGuidelineExecutionResults",
        key=("ExecutionId",),
        properties=("ArtifactVersion", "ExecutionStatus", "ExecutionTime", "ReportType"),
        navigations={"DesignGuidelines": "DesignGuidelines"},
    ),
    EntityType(
        name="DesignGuideline",
        entity_set="DesignGuidelines",
        key=("GuidelineId",),
        properties=(
            *("GuidelineName", "Category", "Severity", "Applicability", "Compliance", "IsGuidelineSkipped"),
            *("SkipReason", "SkippedBy", "ExpectedKPI", "ActualKPI", "ViolatedComponents"),
        ),
    ),
    EntityType(
        name="ValMapSchema",
        entity_set="ValMapSchema",
        key=("SrcAgency", "SrcId", "TgtAgency", "TgtId"),
        properties=("State",),
        navigations={"ValMaps": "ValMaps", "DefaultValMaps": "DefaultValMaps"},
    ),
    EntityType(
        name="ValMap",
        entity_set="ValMaps",
        key=("Id",),
        properties=("Value",),
        types={"Value": f"{NAMESPACE}.Value"},
    ),
    EntityType(
        name="DefaultValMap",
        entity_set="DefaultValMaps",
        key=("Id",),
        properties=("Value",),
        types={"Value": f"{NAMESPACE}.Value"},
    ),
    EntityType(
        name="IntegrationDesigntimeLock",
        entity_set="IntegrationDesigntimeLocks",
        key=("ResourceId",),
        properties=("ArtifactId", "ArtifactName", "ArtifactType", "PackageId", "PackageName", "CreatedAt", "CreatedBy"),
        types={"CreatedAt": "Edm.DateTime"},
    ),
    EntityType(
        name="IntegrationRuntimeArtifact",
        entity_set="IntegrationRuntimeArtifacts",
        key=("Id",),
        properties=("Version", "Name", "Type", "DeployedBy", "DeployedOn", "Status"),
        navigations={"ErrorInformation": "RuntimeArtifactErrorInformations"},
        to_one=frozenset({"ErrorInformation"}),
        is_media=True,
    ),
    EntityType(
        name="RuntimeArtifactErrorInformation",
        entity_set="RuntimeArtifactErrorInformations",
        key=("Id",),
        properties=(),
        is_media=True,
    ),
    EntityType(name="BuildAndDeployStatus", entity_set="BuildAndDeployStatus", key=("TaskId",), properties=("Status",)),
    EntityType(
        name="ServiceEndpoint",
        entity_set="ServiceEndpoints",
        key=("Id",),
        properties=("Name", "Title", "Version", "Summary", "Description", "LastUpdated", "Protocol"),
        navigations={"EntryPoints": "EntryPoints", "ApiDefinitions": "APIDefinitions"},
    ),
    EntityType(
        name="EntryPoint",
        entity_set="EntryPoints",
        key=("Url",),
        properties=("Name", "Type", "AdditionalInformation"),
    ),
    EntityType(name="APIDefinition", entity_set="APIDefinitions", key=("Url",), properties=("Name",)),
    EntityType(
        name="MessageProcessingLog",
        entity_set="MessageProcessingLogs",
        key=("MessageGuid",),
        properties=("CorrelationId", "LogStart", "LogEnd", "IntegrationFlowName", "Status", "LogLevel", "CustomStatus"),
    ),
    EntityType(
        name="IntegrationFlow",
        entity_set="IntegrationFlows",
        key=("Id",),
        properties=("Name", "SenderHostType", "ReceiverHostType"),
    ),
)
ENTITY_SETS: Sequence[str] = tuple(item.entity_set for item in TYPES)

_SCHEME = ("Id", "Version", "SrcAgency", "SrcId", "TgtAgency", "TgtId")
FUNCTIONS: Mapping[str, Function] = {
    **{f"Deploy{kind.entity_type}": Function(parameters=("Id", "Version")) for kind in Kind},
    **{
        f"{kind.entity_type}SaveAsVersion": Function(parameters=("Id", "SaveAsVersion"), returns=kind.entity_type)
        for kind in Kind
    },
    "DeployIntegrationAdapterDesigntimeArtifact": Function(parameters=("Id",)),
    "ValidateIntegrationDesigntimeArtifact": Function(parameters=("Id", "Version")),
    "ExecuteIntegrationDesigntimeArtifactsGuidelines": Function(parameters=("Id", "Version")),
    "CopyIntegrationPackage": Function(
        parameters=("Id",), optional=("ImportMode", "Suffix"), returns="IntegrationPackage"
    ),
    "UpsertValMaps": Function(
        parameters=(*_SCHEME, "SrcValue", "TgtValue", "IsConfigured"), optional=("ValMapId",), returns="ValMap"
    ),
    "UpdateDefaultValMap": Function(parameters=(*_SCHEME, "ValMapId", "IsConfigured"), returns="DefaultValMap"),
    "DeleteValMaps": Function(parameters=_SCHEME),
}


def property_type(owner: EntityType, name: str) -> str:
    """Give the EDM type of a property."""
    if name in _TIMES:
        return "Edm.DateTime"
    if name in _BINARIES:
        return "Edm.Binary"
    return owner.types.get(name, _OTHER_TYPES.get(name, "Edm.String"))
