"""Drift in words and for machines: where a tenant differs from the files, and who made it so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import IO

from cpi_tasks.model.drift import Aspect, DriftEntry, DriftReport
from cpi_tasks.model.naming import ArtifactRef, PackageId
from cpi_tasks.model.plan import Origin
from cpi_tasks.report.redactor import Redactor, dumped
from cpi_tasks.report.wording import BLANK, Line, Tone, author, names, number, rendered, unknown_makers

FORMAT_VERSION = 1
_ORIGINS = {
    Origin.TENANT: ("⚠", "someone's edit", Tone.WARNING),
    Origin.BOTH: ("⚠", "changed on both sides", Tone.WARNING),
    Origin.FILES: ("~", "your change", Tone.CHANGE),
    Origin.UNKNOWN: ("~", "origin unknown", Tone.CHANGE),
}
_DEEDS = {Aspect.LOCK: "since", Aspect.RUNTIME: "deployed"}
ORIGIN_NAMES = {
    Origin.TENANT: "tenant",
    Origin.BOTH: "both",
    Origin.FILES: "files",
    Origin.UNKNOWN: "unknown",
}
"""How machines read who made a difference."""


def drift_lines(report: DriftReport, redactor: Redactor) -> list[Line]:
    """Give every difference under its package and artifact, who made it first, then a line of counts and the verdict.

    Texts are left for the view to clean; ``redactor`` splits what the tenant said into lines.
    """
    lines = [BLANK, Line(f"DRIFT: {report.environment} | Tenant: {report.tenant}", Tone.HEADING)]
    package: PackageId | None = None
    artifact: ArtifactRef | None = None
    for entry in report.entries:
        if entry.package != package:
            package, artifact = entry.package, None
            lines.append(Line(f"📦 {package}"))
        if entry.ref is not None and entry.ref != artifact:
            kind = "" if entry.kind is None else f" ({entry.kind.label})"
            lines.append(Line(f"  {entry.ref.artifact}{kind}"))
        artifact = entry.ref
        lines.append(_entry(entry, redactor))
    return [*lines, *([BLANK] if report.entries else []), *_verdict(report)]


def render_drift(report: DriftReport, redactor: Redactor, *, stdout: IO[str] | None = None) -> str:
    """Give ``drift_lines`` as text, fit for ``stdout`` where that is given."""
    return rendered(drift_lines(report, redactor), redactor, stdout)


def drift_json(report: DriftReport, redactor: Redactor) -> str:
    """Give a drift report as JSON; keys are only ever added, ``formatVersion`` changes with anything else.

    - ``formatVersion``, ``environment``, ``tenant``, ``hasDifferences``;
    - ``unrecorded``: what the pipeline's own login changed and no run recorded, in words; then the record is behind;
    - ``counts``: ``artifacts``, and the entries by origin: ``tenant``, ``both``, ``files``, ``unknown``; locks and what
      is not readable are counted as ``locked`` and ``unreadable`` instead;
    - ``entries[]``: ``package``, ``artifact`` and ``kind`` (null for a package's metadata), ``aspect``, ``origin``,
      ``detail``, ``by`` and ``at`` (epoch milliseconds), null where not known.
    """
    counts = _counts(report)
    document = {
        "formatVersion": FORMAT_VERSION,
        "environment": redactor.mask(report.environment),
        "tenant": redactor.mask(report.tenant),
        "hasDifferences": report.has_differences,
        "unrecorded": [redactor.mask(name) for name in report.unrecorded],
        "counts": {"artifacts": report.artifacts_total, **counts},
        "entries": [
            {
                "package": redactor.mask(entry.package),
                "artifact": None if entry.ref is None else redactor.mask(entry.ref.artifact),
                "kind": None if entry.kind is None else entry.kind.value,
                "aspect": entry.aspect.value,
                "origin": ORIGIN_NAMES[entry.origin],
                "detail": redactor.mask(entry.detail),
                "by": redactor.mask(entry.by) or None,
                "at": entry.at,
            }
            for entry in report.entries
        ],
    }
    return dumped(document)


def _entry(entry: DriftEntry, redactor: Redactor) -> Line:
    deed = _DEEDS.get(entry.aspect, "last changed")
    detail = f"{' '.join(redactor.clean_lines(entry.detail))}{author(deed, entry.by, entry.at)}"
    # What is about the package itself stands where its artifacts do.
    indent = "  " if entry.ref is None else "    "
    if entry.aspect is Aspect.LOCK:
        return Line(f"{indent}- no difference yet: {detail}", Tone.FAINT)
    if entry.aspect is Aspect.UNREADABLE:
        return Line(f"{indent}✗ could not be compared: {detail}", Tone.BAD)
    sign, origin, tone = _ORIGINS[entry.origin]
    return Line(f"{indent}{sign} {origin}: {detail}", tone)


def _behind(report: DriftReport) -> Line:
    text = (
        "⚠ The record in .cpi/ is behind: the tenant shows changes by this login that it does not have, in "
        f"{names(report.unrecorded)}. Keep .cpi/cache, .cpi/records and .cpi/key after every run, also after a "
        "failed one."
    )
    return Line(text, Tone.WARNING)


def _counts(report: DriftReport) -> Mapping[str, int]:
    counts = Counter(_counted_as(entry) for entry in report.entries)
    return {name: counts[name] for name in (*ORIGIN_NAMES.values(), "locked", "unreadable")}


def _counted_as(entry: DriftEntry) -> str:
    special = {Aspect.LOCK: "locked", Aspect.UNREADABLE: "unreadable"}
    return special.get(entry.aspect, ORIGIN_NAMES[entry.origin])


def _verdict(report: DriftReport) -> list[Line]:
    counts = _counts(report)
    refs = {entry.ref for entry in report.entries if entry.ref is not None and entry.aspect is not Aspect.LOCK}
    total = number(report.artifacts_total, "artifact")
    equal = report.artifacts_total - len(refs)
    matching = f"; {equal:,} of {total} {'matches' if equal == 1 else 'match'} the files" if equal else ""
    if any(entry.aspect is Aspect.UNREADABLE and entry.ref is None for entry in report.entries):
        # How many artifacts a package has that could not be read is not known here: they must not pass for equal.
        matching = f"; {total} looked for"
    locked = f" {number(counts['locked'], 'artifact')} open in an editor." if counts["locked"] else ""
    if not report.has_differences:
        packages = "its package" if report.artifacts_total == 1 else "their packages"
        return [Line(f"✓ No drift: {total} and {packages} are as the files say.{locked}", Tone.GOOD)]
    said = {
        "tenant": "by someone's edit",
        "both": "made on both sides",
        "files": "by your change",
        "unknown": "of unknown origin",
        "unreadable": "not comparable",
    }
    words = ", ".join(f"{counts[name]:,} {text}" for name, text in said.items() if counts[name])
    lines = [Line(f"Differences: {words}{matching}.{locked}", Tone.HEADING)]
    if report.unrecorded:
        lines.append(_behind(report))
    elif counts["unknown"]:
        lines.append(unknown_makers(counts["unknown"]))
    if counts["tenant"] or counts["both"]:
        text = "⚠ The tenant was edited by hand. Take the edit into the files, or let a run overwrite it (onDrift)."
        return [*lines, Line(text, Tone.WARNING)]
    if not counts["unknown"] and not counts["unreadable"]:
        lines.append(Line("✓ No drift: what differs are your own changes, not carried out yet.", Tone.GOOD))
    return lines
