"""What has been read of the tenant so far, while an inventory is being made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cpi_tasks.model.content import DownloadedContent
from cpi_tasks.model.naming import ArtifactId, PackageId
from cpi_tasks.model.records import Known
from cpi_tasks.model.tenant import ConfigurationParameter, DesigntimeArtifact, IntegrationPackage, RuntimeArtifact


@dataclass(slots=True, kw_only=True)
class Reading:
    """The parts of an inventory; ``proved`` are flows whose parameters the cache knows to be as wanted."""

    read_at: float
    packages: dict[PackageId, IntegrationPackage] = field(default_factory=dict)
    artifacts: dict[ArtifactId, DesigntimeArtifact] = field(default_factory=dict)
    downloads: dict[ArtifactId, DownloadedContent] = field(default_factory=dict)
    fingerprints: dict[ArtifactId, str] = field(default_factory=dict)
    parameters: dict[ArtifactId, tuple[ConfigurationParameter, ...] | None] = field(default_factory=dict)
    proved: dict[ArtifactId, Known] = field(default_factory=dict)
    runtime: Mapping[ArtifactId, RuntimeArtifact] = field(default_factory=dict)
    elsewhere: dict[ArtifactId, bool] = field(default_factory=dict)
    unreadable_packages: dict[PackageId, str] = field(default_factory=dict)
    unreadable_artifacts: dict[ArtifactId, str] = field(default_factory=dict)

    def values(self, flow: ArtifactId) -> Mapping[str, str]:
        """Give a flow's parameter values as read, by key."""
        return {parameter.key: parameter.value for parameter in self.parameters.get(flow) or ()}
