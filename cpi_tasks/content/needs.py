"""What an artifact needs to run that the configuration it belongs to does not deploy."""

from __future__ import annotations

from collections.abc import Mapping

from cpi_tasks.model.config import DeployConfig
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.naming import ArtifactId, ArtifactRef


def needs_elsewhere(
    config: DeployConfig, contents: Mapping[ArtifactRef, ArtifactContent]
) -> Mapping[ArtifactRef, frozenset[ArtifactId]]:
    """Give what each artifact to be deployed needs and the configuration, as the filters leave it, does not deploy."""
    own = {spec.id for package in config.packages for spec in package.artifacts if spec.deploy}
    return {ref: found - own for ref, found in needs_of(config, contents).items()}


def needs_of(
    config: DeployConfig, contents: Mapping[ArtifactRef, ArtifactContent]
) -> Mapping[ArtifactRef, frozenset[ArtifactId]]:
    """Give what each artifact to be deployed needs.

    It needs the script collections and message mappings that it uses, and what ``dependsOn`` names.
    """
    found = {}
    for spec in (spec for package in config.packages for spec in package.artifacts if spec.deploy):
        content = contents.get(spec.ref)
        used = frozenset[str]() if content is None else content.references
        found[spec.ref] = frozenset(ArtifactId(id_) for id_ in {*spec.depends_on, *used})
    return found
