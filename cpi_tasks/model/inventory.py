"""What was read from the tenant before deciding anything."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from cpi_tasks.model.content import DownloadedContent
from cpi_tasks.model.naming import ArtifactId, PackageId
from cpi_tasks.model.records import ArtifactRecord, Baseline
from cpi_tasks.model.tenant import (
    ConfigurationParameter,
    DesigntimeArtifact,
    DesigntimeLock,
    IntegrationPackage,
    RuntimeArtifact,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The tenant's side of a plan; what is not in a mapping does not exist there (or was not asked for).

    ``downloads`` are contents that were read, or are known to equal the files. ``parameters`` holds ``None`` for a flow
    whose parameters the tenant does not show; ``proved_parameters`` are flows whose parameters were not read, because
    the cache knows that they have every wanted value. ``fingerprints`` of contents and ``parameter_digests`` (keyed
    digests of all values) may be known where neither was read. ``unreadable_…`` gives, for what the tenant refused to
    show, why. ``locks`` are only read where somebody asks for them.

    What tells who made a difference: ``baselines`` and ``package_baselines`` are the state the last run left;
    ``value_digests`` (by key) and ``package_digests`` (by field) are keyed digests of what the tenant has now,
    ``wanted_digests`` and ``package_wanted_digests`` of what the files say. Digests of one key or field are comparable
    with each other only.
    """

    read_at: float = -math.inf
    """When the lists of artifacts were read, by trio's clock."""
    packages: Mapping[PackageId, IntegrationPackage] = field(default_factory=dict)
    artifacts: Mapping[ArtifactId, DesigntimeArtifact] = field(default_factory=dict)
    downloads: Mapping[ArtifactId, DownloadedContent] = field(default_factory=dict)
    parameters: Mapping[ArtifactId, tuple[ConfigurationParameter, ...] | None] = field(default_factory=dict)
    parameter_digests: Mapping[ArtifactId, str] = field(default_factory=dict)
    runtime: Mapping[ArtifactId, RuntimeArtifact] = field(default_factory=dict)
    records: Mapping[ArtifactId, ArtifactRecord] = field(default_factory=dict)
    fingerprints: Mapping[ArtifactId, str] = field(default_factory=dict)
    proved_parameters: frozenset[ArtifactId] = frozenset()
    baselines: Mapping[ArtifactId, Baseline] = field(default_factory=dict)
    value_digests: Mapping[ArtifactId, Mapping[str, str]] = field(default_factory=dict)
    wanted_digests: Mapping[ArtifactId, Mapping[str, str]] = field(default_factory=dict)
    package_baselines: Mapping[PackageId, Mapping[str, str]] = field(default_factory=dict)
    package_digests: Mapping[PackageId, Mapping[str, str]] = field(default_factory=dict)
    package_wanted_digests: Mapping[PackageId, Mapping[str, str]] = field(default_factory=dict)
    locks: Mapping[ArtifactId, DesigntimeLock] = field(default_factory=dict)
    own_names: frozenset[str] = frozenset()
    """The names, case-folded, under which the tenant shows what our own login does."""
    unrecorded: tuple[str, ...] = ()
    """What our own login changed or deployed and no run recorded, as named in sentences: then the record is behind."""
    elsewhere: Mapping[ArtifactId, bool] = field(default_factory=dict)
    """Artifacts that the configuration does not have but its artifacts use: whether design time has them."""
    unreadable_packages: Mapping[PackageId, str] = field(default_factory=dict)
    unreadable_artifacts: Mapping[ArtifactId, str] = field(default_factory=dict)

    def record(self, artifact: ArtifactId) -> ArtifactRecord:
        """Give what earlier runs left on record for an artifact."""
        return self.records.get(artifact, ArtifactRecord())

    def values(self, flow: ArtifactId) -> Mapping[str, str]:
        """Give a flow's parameter values as configured on the tenant, by key."""
        return {parameter.key: parameter.value for parameter in self.parameters.get(flow) or ()}
