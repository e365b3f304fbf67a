"""The report of a run for machines: one JSON document whose keys other programs may rely on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from cpi_tasks.model.report import ArtifactOutcome, PackageOutcome, PartReport, Report, StepOutcome, count
from cpi_tasks.report.redactor import Redactor

FORMAT_VERSION = 1
_Json = Mapping[str, object]


def report_json(report: Report, redactor: Redactor) -> str:
    """Give a report as one JSON object; keys are only ever added, ``formatVersion`` changes with anything else.

    - ``formatVersion``, ``environment``, ``tenant``, ``exitCode``, ``isInterrupted``, ``seconds``, ``counts``;
    - ``parts[]``: ``source``, ``updateSeconds`` and ``deploySeconds`` (null for a phase that did not run),
      ``warnings[]``, ``packages[]``;
    - ``packages[]``: ``id``, ``update`` (null where nothing was planned), ``artifacts[]`` of ``id``, ``kind``,
      ``update``, ``deploy``, ``skipped`` and ``warnings[]``;
    - a step: ``status``, ``summary``, ``reason``, ``advice``, ``seconds``.
    """
    document = {
        "formatVersion": FORMAT_VERSION,
        "environment": redactor.mask(report.environment),
        "tenant": redactor.mask(report.tenant),
        "exitCode": report.exit_code,
        "isInterrupted": report.is_interrupted,
        "seconds": round(report.duration_s, 1),
        "counts": asdict(count(report.parts)),
        "parts": [_part(part, redactor) for part in report.parts],
    }
    return json.dumps(document, indent=2) + "\n"


def _part(part: PartReport, redactor: Redactor) -> _Json:
    return {
        "source": redactor.mask(part.source),
        "updateSeconds": part.update_s,
        "deploySeconds": part.deploy_s,
        "warnings": [redactor.mask(text) for text in part.warnings],
        "packages": [_package(package, redactor) for package in part.packages],
    }


def _package(package: PackageOutcome, redactor: Redactor) -> _Json:
    return {
        "id": redactor.mask(package.id),
        "update": _step(package.update, redactor),
        "artifacts": [_artifact(artifact, redactor) for artifact in package.artifacts],
    }


def _artifact(artifact: ArtifactOutcome, redactor: Redactor) -> _Json:
    return {
        "id": redactor.mask(artifact.ref.artifact),
        "kind": artifact.kind.value,
        "update": _step(artifact.update, redactor),
        "deploy": _step(artifact.deploy, redactor),
        "skipped": _step(artifact.skipped, redactor),
        "warnings": [redactor.mask(text) for text in artifact.warnings],
    }


def _step(step: StepOutcome | None, redactor: Redactor) -> _Json | None:
    if step is None:
        return None
    return {
        "status": step.status.value,
        "summary": redactor.mask(step.summary),
        "reason": redactor.mask(step.reason),
        "advice": redactor.mask(step.advice),
        "seconds": round(step.duration_s, 1),
    }
