"""What was read from the tenant before deciding anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cpi_tasks.model.content import DownloadedContent
from cpi_tasks.model.naming import ArtifactId, PackageId
from cpi_tasks.model.records import ArtifactRecord
from cpi_tasks.model.tenant import ConfigurationParameter, DesigntimeArtifact, IntegrationPackage, RuntimeArtifact


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The tenant's side of a plan; what is not in a mapping does not exist there (or was not asked for).

    ``parameters`` holds ``None`` for a flow whose parameters the tenant does not show. ``unreadable_…``
    gives, for what the tenant refused to show, why. ``parameter_digests`` are keyed digests of ``parameters``.
    """

    packages: Mapping[PackageId, IntegrationPackage] = field(default_factory=dict)
    artifacts: Mapping[ArtifactId, DesigntimeArtifact] = field(default_factory=dict)
    downloads: Mapping[ArtifactId, DownloadedContent] = field(default_factory=dict)
    parameters: Mapping[ArtifactId, tuple[ConfigurationParameter, ...] | None] = field(default_factory=dict)
    parameter_digests: Mapping[ArtifactId, str] = field(default_factory=dict)
    runtime: Mapping[ArtifactId, RuntimeArtifact] = field(default_factory=dict)
    records: Mapping[ArtifactId, ArtifactRecord] = field(default_factory=dict)
    unreadable_packages: Mapping[PackageId, str] = field(default_factory=dict)
    unreadable_artifacts: Mapping[ArtifactId, str] = field(default_factory=dict)

    def record(self, artifact: ArtifactId) -> ArtifactRecord:
        """Give what earlier runs left on record for an artifact."""
        return self.records.get(artifact, ArtifactRecord())

    def values(self, flow: ArtifactId) -> Mapping[str, str]:
        """Give a flow's parameter values as configured on the tenant, by key."""
        return {parameter.key: parameter.value for parameter in self.parameters.get(flow) or ()}
