"""What a person sees of a run: a live display on a terminal, plain lines elsewhere; every text redacted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cpi_tasks.lazy import on_first_use

if TYPE_CHECKING:
    from cpi_tasks.report.ci_masks import register_masks
    from cpi_tasks.report.differences import diff_lines
    from cpi_tasks.report.documents import plan_json
    from cpi_tasks.report.drift import drift_json, drift_lines, render_drift
    from cpi_tasks.report.findings import FindingsFormat, render_findings
    from cpi_tasks.report.past import render_run, render_runs, runs_json
    from cpi_tasks.report.plain import render_error, render_problems, render_report
    from cpi_tasks.report.record import masked, report_json
    from cpi_tasks.report.redactor import Redactor
    from cpi_tasks.report.show import QuietView, View, open_view, show_events, wants_live

__all__ = [
    "FindingsFormat",
    "QuietView",
    "Redactor",
    "View",
    "diff_lines",
    "drift_json",
    "drift_lines",
    "masked",
    "open_view",
    "plan_json",
    "register_masks",
    "render_drift",
    "render_error",
    "render_findings",
    "render_problems",
    "render_report",
    "render_run",
    "render_runs",
    "report_json",
    "runs_json",
    "show_events",
    "wants_live",
]

__getattr__ = on_first_use(
    __name__,
    {
        "ci_masks": ("register_masks",),
        "differences": ("diff_lines",),
        "documents": ("plan_json",),
        "drift": (
            "drift_json",
            "drift_lines",
            "render_drift",
        ),
        "findings": (
            "FindingsFormat",
            "render_findings",
        ),
        "past": (
            "render_run",
            "render_runs",
            "runs_json",
        ),
        "plain": (
            "render_error",
            "render_problems",
            "render_report",
        ),
        "record": ("masked", "report_json"),
        "redactor": ("Redactor",),
        "show": (
            "QuietView",
            "View",
            "open_view",
            "show_events",
            "wants_live",
        ),
    },
)
