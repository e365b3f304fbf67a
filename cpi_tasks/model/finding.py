"""What a check of the files without a tenant found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from cpi_tasks.errors import Problem


class Severity(Enum):
    """Whether a run would be refused (ERROR) or could only go wrong (WARNING)."""

    ERROR = "error"
    WARNING = "warning"


class Rule(Enum):
    """Everything that is looked for. The value is the name in all reports; people filter by it, so it never changes."""

    CONFIGURATION = "configuration"
    CONTENT = "content"
    UNSET_VARIABLE = "unset-variable"
    LOGIN = "login"
    NOT_READ = "not-read"
    NOT_CHECKED = "not-checked"
    UNKNOWN_PARAMETER = "unknown-parameter"
    UNKNOWN_REFERENCE = "unknown-reference"
    SHARED_ADDRESS = "shared-address"
    AMBIGUOUS_CONTENT = "ambiguous-content"
    MISSING_DEFINITIONS = "missing-definitions"
    PACKAGE_ID = "package-id"
    ARTIFACT_ID = "artifact-id"
    ARTIFACT_NAME = "artifact-name"
    SHORT_TEXT = "short-text"
    UNUSED_FOLDER = "unused-folder"
    RUNTIME_PROFILE = "runtime-profile"

    @property
    def description(self) -> str:
        """What the rule is about, in one sentence."""
        return _DESCRIPTIONS[self]


_DESCRIPTIONS = {
    Rule.CONFIGURATION: "Environment files, deploy configurations and flags must be valid.",
    Rule.CONTENT: "Artifact folders must hold what a tenant needs.",
    Rule.UNSET_VARIABLE: "A variable is not set here; a run needs it.",
    Rule.LOGIN: "The tenant's host or login is not given here; a run needs both.",
    Rule.NOT_READ: "A deploy configuration has a URL and is not read without a network.",
    Rule.NOT_CHECKED: "Packages and artifacts could not be checked.",
    Rule.UNKNOWN_PARAMETER: "Only the tenant can know whether an overridden parameter exists.",
    Rule.UNKNOWN_REFERENCE: "Script collections and message mappings in use must be in the files or on the tenant.",
    Rule.SHARED_ADDRESS: "Two deployed integration flows cannot have one sender address.",
    Rule.AMBIGUOUS_CONTENT: "Files must be read the same way by everybody.",
    Rule.MISSING_DEFINITIONS: "A parameters.prop needs its parameters.propdef.",
    Rule.PACKAGE_ID: "Ids of new packages may only have letters and digits.",
    Rule.ARTIFACT_ID: "Artifact ids may only have characters that a bundle's symbolic name can have.",
    Rule.ARTIFACT_NAME: "Artifact names must follow the tenant's rules.",
    Rule.SHORT_TEXT: "A package's short text must not be empty.",
    Rule.UNUSED_FOLDER: "An artifact folder that no configuration names is never deployed.",
    Rule.RUNTIME_PROFILE: "The artifacts of one configuration run on one tenant, so their runtime profiles must agree.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found, with the rule that found it and the place.

    ``environments`` are the environments it concerns; empty where those are all that were looked at.
    """

    rule: Rule
    severity: Severity
    problem: Problem
    environments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """A finished check: what was looked at, and all that was found, sorted by place and each once."""

    environments: tuple[str, ...]
    artifacts: int
    """How many artifact folders were read."""
    findings: tuple[Finding, ...]

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """Give the findings of one severity."""
        return tuple(finding for finding in self.findings if finding.severity is severity)

    @property
    def has_errors(self) -> bool:
        """Whether a run would be refused."""
        return bool(self.of(Severity.ERROR))


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings by place, then by rule."""
    return tuple(sorted(findings, key=lambda finding: (finding.problem, finding.rule.value)))
