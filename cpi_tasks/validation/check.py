"""All checks of one environment's files together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cpi_tasks.errors import Problem
from cpi_tasks.model.config import DeployConfig
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.finding import Finding, Rule, Severity, in_order
from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.validation.addresses import find_shared_addresses
from cpi_tasks.validation.flows import (
    find_doubts,
    find_missing_definitions,
    find_unknown_parameters,
    find_unknown_references,
)
from cpi_tasks.validation.folders import Folders
from cpi_tasks.validation.names import find_bad_artifact_names, find_bad_package_names
from cpi_tasks.validation.profiles import find_differing_profiles


def check(
    configs: Sequence[DeployConfig],
    contents: Mapping[ArtifactRef, ArtifactContent],
    folders: Folders,
    *,
    is_complete: bool,
) -> tuple[Finding, ...]:
    """Check everything that is to be updated on one tenant; the findings are sorted by place.

    ``contents`` are the artifacts of ``configs`` that could be read. ``is_complete`` says that no entry of the
    configurations had to be left out: otherwise nobody can tell what they do not provide.
    """
    read = list(contents.values())
    findings = [*find_shared_addresses(read, folders)]
    for config in configs:
        findings += find_bad_package_names(config)
        findings += find_differing_profiles(config, contents)
    for content in read:
        findings += find_bad_artifact_names(content)
        findings += find_unknown_parameters(content)
        findings += find_doubts(content)
        findings += find_missing_definitions(content, folders)
    if is_complete:
        findings += find_unknown_references(configs, read)
    return in_order(findings)


def find_unused(present: Iterable[Path], configs: Iterable[DeployConfig]) -> tuple[Finding, ...]:
    """Say which of the manifests that are ``present`` belong to no artifact of all these configurations."""
    specs = (spec for config in configs for package in config.packages for spec in package.artifacts)
    named = {spec.folder for spec in specs}
    message = "no configuration names this artifact's folder, so no run ever deploys it"
    return in_order(
        Finding(
            rule=Rule.UNUSED_FOLDER,
            severity=Severity.WARNING,
            problem=Problem(file=str(manifest), message=message),
        )
        for manifest in present
        if manifest.parent.parent not in named
    )
