"""Ids, names and texts that tenants are known to refuse."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cpi_tasks.model.config import DeployConfig
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.finding import Finding, Rule
from cpi_tasks.validation.folders import warning

_PACKAGE_ID = re.compile(r"[A-Za-z0-9]+", re.ASCII)
_SYMBOLIC_NAME = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)
_NAME = re.compile(r"[^\W\d][\w .-]*")
_LONGEST_NAME = 120


def find_bad_package_names(config: DeployConfig) -> Iterator[Finding]:
    """Find packages that could not be created, or whose metadata the tenant would not take."""
    for package in config.packages:
        if not package.sync:
            continue
        if not _PACKAGE_ID.fullmatch(package.id):
            message = (
                f"the package id '{package.id}' has characters other than letters and digits; tenants refuse it for a "
                "new package, an existing one may have it"
            )
            yield warning(Rule.PACKAGE_ID, package.position, message)
        if package.short_text is not None and not package.short_text.strip():
            message = (
                f"the short_text of package '{package.source_id}' is empty, which tenants refuse; "
                "leave the key out to keep what the tenant has"
            )
            yield warning(Rule.SHORT_TEXT, package.position, message)


def find_bad_artifact_names(content: ArtifactContent) -> Iterator[Finding]:
    """Find an id that no bundle can have (OSGi Core) and a name against SAP's rules (Integration Content API)."""
    spec = content.spec
    if not _SYMBOLIC_NAME.fullmatch(spec.id):
        message = f"the artifact id '{spec.id}' has characters other than letters, digits, '_', '-' and '.'"
        yield warning(Rule.ARTIFACT_ID, spec.position, message)
    reason = _why_bad(content.name)
    if reason:
        message = f"the name of {spec.kind.label} '{spec.source_id}' {reason}: '{content.name}'; tenants may refuse it"
        yield warning(Rule.ARTIFACT_NAME, spec.position, message)


def _why_bad(name: str) -> str:
    if len(name) > _LONGEST_NAME:
        return f"has {len(name)} characters, more than {_LONGEST_NAME}"
    if name.endswith("."):
        return "ends with '.'"
    if not _NAME.fullmatch(name):
        return (
            "does not begin with a letter or '_', or has other characters than letters, digits, blanks, '_', '.', '-'"
        )
    return ""
