"""The runtime profiles that the manifests of one configuration name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from cpi_tasks.content.manifest import MANIFEST_PATH
from cpi_tasks.errors import Problem
from cpi_tasks.model.config import DeployConfig
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.finding import Finding, Rule, Severity
from cpi_tasks.model.naming import ArtifactRef


def find_differing_profiles(config: DeployConfig, contents: Mapping[ArtifactRef, ArtifactContent]) -> Iterator[Finding]:
    """Find artifacts whose ``SAP-RuntimeProfile`` is not the one that most others have; none given says nothing."""
    refs = (spec.ref for package in config.packages for spec in package.artifacts)
    read = [contents[ref] for ref in refs if ref in contents and contents[ref].runtime_profile]
    counts = Counter(content.runtime_profile for content in read)
    if len(counts) < 2:  # noqa: PLR2004 - one profile cannot differ
        return
    usual, count = counts.most_common(1)[0]
    for content in read:
        if content.runtime_profile == usual:
            continue
        others = "another artifact" if count == 1 else f"{count} other artifacts"
        message = (
            f"SAP-RuntimeProfile is '{content.runtime_profile}' here and '{usual}' in {others} of the same "
            "configuration; a tenant refuses to deploy artifacts whose profile it does not have. Check which profile "
            "your tenant uses"
        )
        problem = Problem(file=str(content.spec.folder / MANIFEST_PATH), message=message)
        yield Finding(rule=Rule.RUNTIME_PROFILE, severity=Severity.WARNING, problem=problem)
