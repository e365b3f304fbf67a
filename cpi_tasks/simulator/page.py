"""The page a browser shows of the tenant. Everything that comes from outside is escaped; works without scripts, too."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from html import escape

from cpi_tasks.simulator.overview import NOT_DEPLOYED, ArtifactView, Overview, PackageView
from cpi_tasks.simulator.page_assets import SCRIPT, STYLE
from cpi_tasks.simulator.traffic import SeenRequest, Traffic

_OPEN_UP_TO = 40
"""With more artifacts than this, packages are shown collapsed."""
_TONES = {"STARTED": "good", "STARTING": "wait", "STOPPING": "wait", "ERROR": "bad"}
_SUCCESS, _REDIRECT, _CLIENT_ERROR = 200, 300, 400
_HEAD = (
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<link rel="icon" href="data:,"><title>Embedded CPI tenant</title>'
    '<noscript><meta http-equiv="refresh" content="2"></noscript>'
    f"<style>{STYLE}</style></head>\n"
)
_TABLE_HEAD = (
    '<colgroup><col><col class="c12"><col class="c12"><col class="c16"><col class="c8"><col class="c15">'
    '<col class="c15"></colgroup>'
    "<thead><tr><th>Artifact</th><th>Type</th><th>Design time</th><th>Runtime</th>"
    '<th class="number">Parameters</th><th>Last change</th><th>Deployed</th></tr></thead>'
)


def document(overview: Overview, traffic: Traffic, per_second: int) -> str:
    """Give the whole page; ``per_second`` is how many requests came in within the last second."""
    sections = fragment(overview, traffic, per_second, seen="")
    numbers, rest = sections.split("<!-- main -->", 1)
    return (
        f"{_HEAD}<body><header><h1>Embedded CPI tenant</h1>"
        '<span class="soft">the OData API is under <span class="id">/api/v1</span>; times are UTC</span></header>\n'
        f"{numbers}<main>{rest}</main>\n<script>{SCRIPT}</script></body></html>\n"
    )


def fragment(overview: Overview, traffic: Traffic, per_second: int, *, seen: str) -> str:
    """Give the sections of the page; packages only where they differ from those whose digest the browser has seen."""
    content = _content(overview)
    digest = sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    packages = "" if digest == seen else f'<section id="content" data-digest="{digest}">{content}</section>\n'
    return f"{_numbers(overview, traffic, per_second)}\n<!-- main -->\n{packages}{_requests(traffic)}\n"


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


def _content(overview: Overview) -> str:
    is_open = len(overview.artifacts) <= _OPEN_UP_TO
    packages = "".join(_package(package, is_open=is_open) for package in overview.packages)
    if not packages:
        packages = '<div class="card"><h2>Packages</h2><div class="empty">The tenant is empty.</div></div>'
    if overview.orphans:
        title = "<strong>Only on the runtime</strong> <span class='soft'>design time has these no more</span>"
        packages += _folding("orphans", f"{title}{_chips(overview.orphans)}", overview.orphans, is_open=True)
    return packages


def _package(package: PackageView, *, is_open: bool) -> str:
    count = len(package.artifacts)
    identity = f'<span class="id soft">{escape(package.id)}</span>' if package.id != package.name else ""
    read_only = ' <span class="chip calm">configure-only</span>' if package.is_read_only else ""
    title = (
        f"<strong>{escape(package.name)}</strong> {identity}{read_only} "
        f'<span class="soft">{count} artifact{"" if count == 1 else "s"}</span>{_chips(package.artifacts)}'
    )
    return _folding(f"package-{package.id}", title, package.artifacts, is_open=is_open)


def _folding(identity: str, title: str, artifacts: tuple[ArtifactView, ...], *, is_open: bool) -> str:
    rows = "".join(_artifact(item) for item in artifacts)
    table = f"<table>{_TABLE_HEAD}<tbody>{rows}</tbody></table>" if rows else '<div class="empty">no artifacts</div>'
    opened = " open" if is_open else ""
    body = f'<div class="wide artifacts">{table}</div>'
    return f'<details id="{escape(identity)}"{opened}><summary>{title}</summary>{body}</details>'


def _chips(artifacts: tuple[ArtifactView, ...]) -> str:
    counts: dict[str, int] = {}
    for item in artifacts:
        counts[item.status] = counts.get(item.status, 0) + 1
    chips = " ".join(_chip(f"{count} {status}", _TONES.get(status, "calm")) for status, count in sorted(counts.items()))
    return f'<span class="chips">{chips}</span>'


def _chip(text: str, tone: str) -> str:
    return f'<span class="chip {tone}">{escape(text)}</span>'


def _artifact(item: ArtifactView) -> str:
    named = f'<br><span class="soft">{escape(item.name)}</span>' if item.name != item.id else ""
    flags = _chip("draft", "note") if item.is_draft else ""
    flags += " " + _chip(f"locked by {item.locked_by}", "wait") if item.locked_by else ""
    runtime = _chip(item.status, _TONES.get(item.status, "calm"))
    if item.deployed_version:
        runtime += f" {escape(item.deployed_version)}"
    error = f'<div class="error">{escape(item.error)}</div>' if item.error else ""
    return _row(
        (
            ("name", f'<span class="id">{escape(item.id)}</span>{named}'),
            ("kind", escape(item.kind)),
            ("", f"{escape(item.version)} {flags}"),
            ("", f"{runtime}{error}"),
            ("number", str(item.parameters) if item.parameters else "-"),
            ("time", f'{_time(item.modified_ms)}<br><span class="soft">{escape(item.modified_by)}</span>'),
            ("time", _time(item.deployed_ms) if item.status != NOT_DEPLOYED else "-"),
        )
    )


def _row(cells: Iterable[tuple[str, str]]) -> str:
    shown = "".join(f'<td class="{name}">{text}</td>' for name, text in cells)
    return f"<tr>{shown}</tr>"


def _requests(traffic: Traffic) -> str:
    rows = "".join(_request(item) for item in traffic.latest)
    head = (
        '<thead><tr><th>Time</th><th>Method</th><th>Request</th><th>Status</th><th class="number">Duration</th></tr>'
        "</thead>"
    )
    table = f"<table>{head}<tbody>{rows}</tbody></table>" if rows else '<div class="empty">none so far</div>'
    return f'<section id="requests" class="card"><h2>Latest requests</h2><div class="wide">{table}</div></section>'


def _request(item: SeenRequest) -> str:
    fault = " " + _chip(f"planned: {item.fault}", "wait") if item.fault else ""
    return _row(
        (
            ("time", _time(item.time_ms)),
            ("id", escape(item.method)),
            ("target", escape(item.target)),
            ("kind", _chip(str(item.status or "no answer"), _tone(item.status)) + fault),
            ("number", f"{item.duration_s * 1000:.0f} ms"),
        )
    )


def _tone(status: int) -> str:
    if _SUCCESS <= status < _REDIRECT:
        return "good"
    if _REDIRECT <= status < _CLIENT_ERROR:
        return "note"
    return "wait" if status in {404, 429} else "bad"


def _time(time_ms: float) -> str:
    if not time_ms:
        return "-"
    moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    return f'<time datetime="{moment.isoformat(timespec="milliseconds")}">{moment:%Y-%m-%d %H:%M:%S}</time>'
