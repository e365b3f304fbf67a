"""Figures as a table for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from tests.benchmarks.measures import Measure

_HOLDS = {True: "[green]yes[/]", False: "[bold red]no[/]", None: ""}


def as_json(measures: Iterable[Measure], *, rounds: int = 1) -> str:
    """Give all figures, with ratio and verdict, as one JSON document."""
    rows = [{**asdict(one), "ratio": one.ratio, "limit": one.limit, "holds": one.holds} for one in measures]
    return json.dumps({"rounds": rounds, "measures": rows}, indent=2, ensure_ascii=False) + "\n"


def show(measures: Sequence[Measure], console: Console, *, rounds: int = 1) -> None:
    """Print all figures as a table, and below it what there is to say of them."""
    table = Table(title=f"Benchmarks, rounds: {rounds}", title_justify="left")
    for heading in ("#", "what"):
        table.add_column(heading)
    for heading in ("measured", "bound", "ratio", "sequential", "limit"):
        table.add_column(heading, justify="right")
    table.add_column("holds")
    before = 0
    for one in measures:
        if before not in {0, one.benchmark}:
            table.add_section()
        before = one.benchmark
        bound, sequential = _figure(one.bound, one.unit), _figure(one.sequential, one.unit)
        ratio = "" if one.ratio is None else _number(one.ratio)
        measured = _figure(one.measured, one.unit)
        table.add_row(str(one.benchmark), one.what, measured, bound, ratio, sequential, one.limit, _HOLDS[one.holds])
    console.print(table)
    for one in measures:
        if one.note:
            console.print(f"{one.benchmark}  {one.what}: {one.note}", style="dim", highlight=False)


def _figure(value: float | None, unit: str) -> str:
    return "" if value is None else f"{_number(value)} {unit}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 1000 or value == int(value) else f"{value:.3g}"
