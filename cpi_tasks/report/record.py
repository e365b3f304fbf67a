"""The report of a run for machines: one JSON document whose keys other programs may rely on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace

from cpi_tasks.model.discretion import Values, without
from cpi_tasks.model.report import ArtifactOutcome, PackageOutcome, PartReport, Report, StepOutcome, count
from cpi_tasks.report.redactor import Redactor

FORMAT_VERSION = 1
_Json = Mapping[str, object]


def report_json(report: Report, redactor: Redactor, values: Values) -> str:
    """Give a report as one JSON object; keys are only ever added, ``formatVersion`` changes with anything else.

    - ``formatVersion``, ``environment``, ``tenant``, ``exitCode``, ``isInterrupted``, ``seconds``, ``readingSeconds``
      (before the first phase; null where it is not known), ``confirmationSeconds``;
    - ``counts``: the numbers of the summary. ``artifactsTotal`` is the sum of changed, unchanged, skipped, failed and
      unfinished artifacts; what an interruption cut off is unfinished, not failed;
    - ``parts[]``: ``source``, ``updateSeconds`` and ``deploySeconds`` (null for a phase that did not run),
      ``warnings[]``, ``packages[]``;
    - ``packages[]``: ``id``, ``update`` (null where nothing was planned), ``artifacts[]`` of ``id``, ``kind``,
      ``update``, ``deploy``, ``skipped`` and ``warnings[]``;
    - a step: ``status``, ``summary``, ``reason``, ``advice``, ``seconds``.

    ``values`` are parameter values, which are left out where a tenant's text repeats one.
    """
    document = {
        "formatVersion": FORMAT_VERSION,
        "environment": redactor.mask(report.environment),
        "tenant": redactor.mask(report.tenant),
        "exitCode": report.exit_code,
        "isInterrupted": report.is_interrupted,
        "seconds": round(report.duration_s, 1),
        "readingSeconds": None if report.reading_s is None else round(report.reading_s, 1),
        "confirmationSeconds": round(report.confirmation_s, 1),
        "counts": {_camel(name): number for name, number in asdict(count(report.parts)).items()},
        "parts": [_part(part, redactor, values) for part in report.parts],
    }
    return json.dumps(document, indent=2) + "\n"


def masked(report: Report, redactor: Redactor) -> Report:
    """Return a report whose texts hold no secret, for callers that print them by themselves."""
    return replace(report, parts=tuple(_masked_part(part, redactor) for part in report.parts))


def _masked_part(part: PartReport, redactor: Redactor) -> PartReport:
    packages = tuple(
        replace(
            package,
            update=_masked_step(package.update, redactor),
            artifacts=tuple(
                replace(
                    artifact,
                    update=_masked_step(artifact.update, redactor),
                    deploy=_masked_step(artifact.deploy, redactor),
                )
                for artifact in package.artifacts
            ),
        )
        for package in part.packages
    )
    return replace(part, packages=packages, warnings=tuple(redactor.mask(text) for text in part.warnings))


def _masked_step(step: StepOutcome | None, redactor: Redactor) -> StepOutcome | None:
    if step is None:
        return None
    return replace(step, reason=redactor.mask(step.reason), advice=redactor.mask(step.advice))


def _part(part: PartReport, redactor: Redactor, values: Values) -> _Json:
    return {
        "source": redactor.mask(part.source),
        "updateSeconds": None if part.update_s is None else round(part.update_s, 1),
        "deploySeconds": None if part.deploy_s is None else round(part.deploy_s, 1),
        "warnings": [redactor.mask(text) for text in part.warnings],
        "packages": [_package(package, redactor, values) for package in part.packages],
    }


def _package(package: PackageOutcome, redactor: Redactor, values: Values) -> _Json:
    return {
        "id": redactor.mask(package.id),
        "update": _step(package.update, redactor, ()),
        "artifacts": [_artifact(artifact, redactor, values.get(artifact.ref, ())) for artifact in package.artifacts],
    }


def _artifact(artifact: ArtifactOutcome, redactor: Redactor, values: tuple[str, ...]) -> _Json:
    return {
        "id": redactor.mask(artifact.ref.artifact),
        "kind": artifact.kind.value,
        "update": _step(artifact.update, redactor, values),
        "deploy": _step(artifact.deploy, redactor, values),
        "skipped": _step(artifact.skipped, redactor, values),
        "warnings": [redactor.mask(text) for text in artifact.warnings],
    }


def _step(step: StepOutcome | None, redactor: Redactor, values: tuple[str, ...]) -> _Json | None:
    if step is None:
        return None
    return {
        "status": step.status.value,
        "summary": redactor.mask(step.summary),
        "reason": redactor.mask(without(step.reason, values)),
        "advice": redactor.mask(without(step.advice, values)),
        "seconds": round(step.duration_s, 1),
    }


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))
