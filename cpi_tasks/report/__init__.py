"""What a person sees of a run: a live display on a terminal, plain lines elsewhere; every text redacted."""

from __future__ import annotations

from cpi_tasks.report.plain import render_error, render_problems, render_report
from cpi_tasks.report.redactor import Redactor
from cpi_tasks.report.show import View, open_view, show, wants_live

__all__ = [
    "Redactor",
    "View",
    "open_view",
    "render_error",
    "render_problems",
    "render_report",
    "show",
    "wants_live",
]
