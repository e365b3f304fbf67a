"""The page a browser shows of the tenant. Everything that comes from outside is escaped; works without scripts, too."""

from __future__ import annotations

from html import escape

from cpi_tasks.simulator.overview import Overview
from cpi_tasks.simulator.page_assets import SCRIPT, STYLE
from cpi_tasks.simulator.page_packages import Packages
from cpi_tasks.simulator.page_rows import chip, shown_time, table_row
from cpi_tasks.simulator.traffic import SeenRequest, Traffic

_SUCCESS, _REDIRECT, _CLIENT_ERROR = 200, 300, 400
_HEAD = (
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<link rel="icon" href="data:,"><title>Embedded CPI tenant</title>'
    '<noscript><meta http-equiv="refresh" content="2"></noscript>'
    f"<style>{STYLE}</style></head>\n"
)


def document(overview: Overview, packages: Packages, traffic: Traffic, per_second: int) -> str:
    """Give the whole page; ``per_second`` is how many requests came in within the last second."""
    return (
        f"{_HEAD}<body><header><h1>Embedded CPI tenant</h1>"
        '<span class="soft">the OData API is under <span class="id">/api/v1</span>; times are UTC</span></header>\n'
        f"{_numbers(overview, traffic, per_second)}\n"
        f"<main>\n{packages.everything()}\n{_requests(traffic)}\n</main>\n"
        f"<script>{SCRIPT}</script></body></html>\n"
    )


def fragment(overview: Overview, packages: Packages, traffic: Traffic, per_second: int, *, seen: str) -> str:
    """Give the sections that a browser needs which has seen the packages up to a mark."""
    return f"{_numbers(overview, traffic, per_second)}\n{packages.news(seen)}\n{_requests(traffic)}\n"


def _numbers(overview: Overview, traffic: Traffic, per_second: int) -> str:
    artifacts = overview.artifacts
    statuses = [item.status for item in (*artifacts, *overview.orphans)]
    under_way = sum(status in {"STARTING", "STOPPING"} for status in statuses)
    tiles: list[tuple[object, str]] = [
        (len(overview.packages), "packages"),
        (len(artifacts), "artifacts"),
        (statuses.count("STARTED"), "started"),
        (under_way, "in transition"),
        (statuses.count("ERROR"), "in error"),
        (overview.peak_deployments, "deploying at once, peak"),
        (traffic.total, "requests"),
        (f"{per_second} / {traffic.peak_per_second}", "per second, now / peak"),
        (f"{traffic.in_flight} / {traffic.peak_in_flight}", "in flight, now / peak"),
    ]
    shown = "".join(
        f'<div class="tile"><b>{escape(str(value))}</b><span>{label}</span></div>' for value, label in tiles
    )
    return f'<section id="numbers">{shown}</section>'


def _requests(traffic: Traffic) -> str:
    rows = "".join(_request(item) for item in traffic.latest)
    head = (
        '<thead><tr><th>Time</th><th>Method</th><th>Request</th><th>Status</th><th class="number">Duration</th></tr>'
        "</thead>"
    )
    table = f"<table>{head}<tbody>{rows}</tbody></table>" if rows else '<div class="empty">none so far</div>'
    return f'<section id="requests" class="card"><h2>Latest requests</h2><div class="wide">{table}</div></section>'


def _request(item: SeenRequest) -> str:
    fault = " " + chip(f"planned: {item.fault}", "wait") if item.fault else ""
    return table_row(
        (
            ("time", shown_time(item.time_ms)),
            ("id", escape(item.method)),
            ("target", escape(item.target)),
            (
                "kind",
                chip(str(item.status or ("undone" if item.in_batch else "no answer")), _tone(item.status)) + fault,
            ),
            ("number", "in a batch" if item.in_batch else f"{item.duration_s * 1000:.0f} ms"),
        )
    )


def _tone(status: int) -> str:
    if _SUCCESS <= status < _REDIRECT:
        return "good"
    if _REDIRECT <= status < _CLIENT_ERROR:
        return "note"
    return "wait" if status in {404, 429} else "bad"
