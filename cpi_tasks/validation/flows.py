"""What the parameters and references of artifacts tell before a tenant is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cpi_tasks.content.folder import PROP_PATH
from cpi_tasks.content.parameters import PROPDEF_PATH
from cpi_tasks.environment.suggestions import did_you_mean
from cpi_tasks.errors import Problem
from cpi_tasks.model.config import DeployConfig
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.finding import Finding, Rule, Severity
from cpi_tasks.model.naming import ArtifactKind, is_added_by_tenant
from cpi_tasks.validation.folders import Folders, warning


def find_unknown_parameters(content: ArtifactContent) -> Iterator[Finding]:
    """Find overrides of parameters that the flow's files do not name: only the tenant may have them."""
    spec = content.spec
    for key in spec.overrides:
        if key in content.known_keys or is_added_by_tenant(key):
            continue
        message = (
            f"'{key}' is no parameter of integration flow '{spec.source_id}' in its files; a run fails unless the "
            f"tenant has it{did_you_mean(key, content.known_keys)}"
        )
        yield warning(Rule.UNKNOWN_PARAMETER, spec.override_positions.get(key, spec.position), message)


def find_doubts(content: ArtifactContent) -> Iterator[Finding]:
    """Find what is accepted, but may be read differently from what its author thinks."""
    for problem in content.doubts:
        yield Finding(rule=Rule.AMBIGUOUS_CONTENT, severity=Severity.WARNING, problem=problem)


def find_missing_definitions(content: ArtifactContent, folders: Folders) -> Iterator[Finding]:
    """Find a ``parameters.prop`` that stands alone: tenants answer 500 "InputStream cannot be null" to an update."""
    folder = content.spec.folder
    if content.spec.kind is not ArtifactKind.INTEGRATION_FLOW or not folders.has(folder / PROP_PATH):
        return
    if not folders.has(folder / PROPDEF_PATH):
        message = (
            "there is no parameters.propdef beside it; tenants answer an update with 500 'InputStream cannot be null'. "
            "Download the flow again, or delete this file where the flow has no parameters"
        )
        problem = Problem(file=str(folder / PROP_PATH), message=message)
        yield Finding(rule=Rule.MISSING_DEFINITIONS, severity=Severity.ERROR, problem=problem)


def find_unknown_references(configs: Sequence[DeployConfig], contents: Iterable[ArtifactContent]) -> Iterator[Finding]:
    """Find script collections and message mappings that are used, but that no configuration has."""
    provided = {final for config in configs for final in config.renames.values()}
    for content in contents:
        spec = content.spec
        for name in sorted(content.references - provided):
            message = (
                f"{spec.kind.label} '{spec.source_id}' uses '{name}', which no configuration has; it must be on the "
                f"tenant already{did_you_mean(name, provided)}"
            )
            yield warning(Rule.UNKNOWN_REFERENCE, spec.position, message)
