"""Rows and foldings of the page: artifacts as a browser shows them. Everything that comes from outside is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape

from cpi_tasks.simulator.overview import NOT_DEPLOYED, ArtifactView, PackageView

_TONES = {"STARTED": "good", "STARTING": "wait", "STOPPING": "wait", "ERROR": "bad"}
_TABLE_HEAD = (
    '<colgroup><col><col class="c12"><col class="c12"><col class="c16"><col class="c8"><col class="c15">'
    '<col class="c15"></colgroup>'
    "<thead><tr><th>Artifact</th><th>Type</th><th>Design time</th><th>Runtime</th>"
    '<th class="number">Parameters</th><th>Last change</th><th>Deployed</th></tr></thead>'
)


def folding_of_package(package: PackageView, *, is_open: bool) -> str:
    """Give a package with a row for each of its artifacts, to be folded up."""
    count = len(package.artifacts)
    identity = f'<span class="id soft">{escape(package.id)}</span>' if package.id != package.name else ""
    read_only = ' <span class="chip calm">configure-only</span>' if package.is_read_only else ""
    title = (
        f"<strong>{escape(package.name)}</strong> {identity}{read_only} "
        f'<span class="soft">{count} artifact{"" if count == 1 else "s"}</span>{_chips(package.artifacts)}'
    )
    return _folding(f"package-{package.id}", title, package.artifacts, is_open=is_open)


def folding_of_orphans(artifacts: tuple[ArtifactView, ...]) -> str:
    """Give what runs although design time has it no more, to be folded up."""
    title = "<strong>Only on the runtime</strong> <span class='soft'>design time has these no more</span>"
    return _folding("orphans", f"{title}{_chips(artifacts)}", artifacts, is_open=True)


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
    chips = " ".join(chip(f"{count} {status}", _TONES.get(status, "calm")) for status, count in sorted(counts.items()))
    return f'<span class="chips">{chips}</span>'


def chip(text: str, tone: str) -> str:
    """Give a short text on a coloured ground; the tone is a class of the style."""
    return f'<span class="chip {tone}">{escape(text)}</span>'


def _artifact(item: ArtifactView) -> str:
    named = f'<br><span class="soft">{escape(item.name)}</span>' if item.name != item.id else ""
    flags = chip("draft", "note") if item.is_draft else ""
    flags += " " + chip(f"locked by {item.locked_by}", "wait") if item.locked_by else ""
    runtime = chip(item.status, _TONES.get(item.status, "calm"))
    if item.deployed_version:
        runtime += f" {escape(item.deployed_version)}"
    error = f'<div class="error">{escape(item.error)}</div>' if item.error else ""
    return table_row(
        (
            ("name", f'<span class="id">{escape(item.id)}</span>{named}'),
            ("kind", escape(item.kind)),
            ("", f"{escape(item.version)} {flags}"),
            ("", f"{runtime}{error}"),
            ("number", str(item.parameters) if item.parameters else "-"),
            ("time", f'{shown_time(item.modified_ms)}<br><span class="soft">{escape(item.modified_by)}</span>'),
            ("time", shown_time(item.deployed_ms) if item.status != NOT_DEPLOYED else "-"),
        )
    )


def table_row(cells: Iterable[tuple[str, str]]) -> str:
    """Give a row of a table from the class and the content of each cell."""
    shown = "".join(f'<td class="{name}">{text}</td>' for name, text in cells)
    return f"<tr>{shown}</tr>"


def shown_time(time_ms: float) -> str:
    """Give a moment in epoch milliseconds as UTC, or a dash for none."""
    if not time_ms:
        return "-"
    moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    return f'<time datetime="{moment.isoformat(timespec="milliseconds")}">{moment:%Y-%m-%d %H:%M:%S}</time>'
