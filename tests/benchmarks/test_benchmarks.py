"""Each benchmark at a tiny size: that it runs, and that its figures, table and JSON are made. Nothing here is timed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from tests.benchmarks import (
    archives,
    bounds,
    deployments,
    engine_cost,
    mixed,
    published,
    run,
    start_up,
    unchanged,
)
from tests.benchmarks.measures import Measure, best
from tests.benchmarks.processes import Seen
from tests.benchmarks.showing import as_json, show

Tiny = Callable[[Path], list[Measure]]

TINY: dict[int, Tiny] = {
    1: lambda folder: deployments.measure(
        folder, packages=2, per_package=3, deploy_s=0.1, at_once=2, overall=3, has_sequential_run=True
    ),
    2: lambda folder: unchanged.measure(folder, packages=1, per_package=5, rate=100.0),
    3: lambda folder: published.measure(folder, packages=1, per_package=2, deploy_s=0.1, has_sequential_run=True),
    4: lambda folder: mixed.measure(folder, packages=2, per_package=4, at_once=2, overall=4, scarce=2, seeds=1),
    5: lambda folder: engine_cost.measure(folder, artifacts=400, packages=4, rounds=1),
    6: lambda folder: archives.measure(folder, archives=2, largest=60 * 1024),
    7: lambda folder: start_up.measure(folder, rounds=1, landscapes=(1,)),
}


LIMITS: dict[int, list[float]] = {
    1: [1.2],
    2: [],
    3: [0.0, 1 / 0.9],
    4: [1.15, 1.15],
    5: [1.05, 1.05],
    6: [25.0, 150.0],
    7: [0.5, 1.3, 1.3],
}
"""What was promised: as factors of a bound (for the fifth, 2.1 times for twice the work), seconds, MiB and ms."""


def measure(number: int, what: str = "x", **fields: float) -> Measure:
    return Measure(benchmark=number, what=what, unit="s", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("number", TINY)
def test_each_runs(tmp_path: Path, number: int) -> None:
    """Every benchmark gives figures of its own number, each with a name of its own, and has the promised limits."""
    found = TINY[number](tmp_path)

    assert {one.benchmark for one in found} == {number}
    assert len({one.what for one in found}) == len(found)
    assert all(one.measured > 0 for one in found if one.most != 0)
    limits = [limit for one in found for limit in (one.most_ratio, one.most) if limit is not None]
    assert sorted(limits) == pytest.approx(LIMITS[number])
    show(found, Console(file=io.StringIO()))
    assert len(json.loads(as_json(found))["measures"]) == len(found)


def test_a_sequential_run_is_run(tmp_path: Path) -> None:
    """One by one six deployments of a tenth of a second take that long and the command's start: it was not added up."""
    found = TINY[1](tmp_path)

    assert found[0].sequential is not None
    assert found[0].sequential > 6 * 0.1 + 0.05


def test_all_are_registered() -> None:
    """The command knows the seven benchmarks, also where it is to deploy one by one beside them."""
    assert list(run.BENCHMARKS) == list(run.WITH_SEQUENTIAL_RUNS) == list(TINY) == [1, 2, 3, 4, 5, 6, 7]


def test_requests_bound() -> None:
    """Of nineteen requests at nine a second the last leaves two seconds after the first."""
    assert bounds.requests_s(19, 9.0) == 2.0
    assert bounds.requests_s(0, 9.0) == 0.0


def test_slots_bound() -> None:
    """Twenty equal deployments of 2 s take 8 s with five slots; unequal ones share what they take, or the longest."""
    assert bounds.slots_s([[2.0] * 20] * 10, per_package=5, overall=50) == 8.0
    assert bounds.slots_s([[2.0] * 20] * 10, per_package=5, overall=20) == 20.0
    assert bounds.slots_s([[2.0] * 6], per_package=5, overall=50) == 4.0
    assert bounds.slots_s([[1.0, 2.0, 3.0], [1.0]], per_package=2, overall=9) == 3.0
    assert bounds.slots_s([[1.0, 9.0]], per_package=2, overall=9) == 9.0


def test_chain_bound() -> None:
    """The longest chain of needs counts, not the longest deployment."""
    needs = {"b": frozenset("a"), "c": frozenset("ab")}
    assert bounds.chain_s({"a": 1.0, "b": 2.0, "c": 4.0, "d": 6.5}, needs) == 7.0
    assert bounds.sequential_s([1.0, 2.0, 4.0]) == 7.0


def test_critical_path_of_a_landscape() -> None:
    """Its bound is what the slots of the fullest package allow, or its longest chain where that is longer."""
    package_of = {"a": "P", "b": "P", "c": "Q"}
    durations = {"a": 3.0, "b": 5.0, "c": 4.0}
    needs = {"a": frozenset[str](), "b": frozenset("c"), "c": frozenset[str]()}
    land = mixed.Landscape(package_of=package_of, durations=durations, needs=needs)
    assert land.bound_s(at_once=2, overall=9) == 9.0
    assert land.bound_s(at_once=1, overall=1) == 12.0


def test_same_landscape_every_time() -> None:
    """A seed gives one landscape, of durations between 1 and 20 s and needs without circles."""
    land = mixed.landscape(3, packages=3, per_package=10)
    assert land == mixed.landscape(3, packages=3, per_package=10)
    assert all(1.0 <= duration <= 20.0 for duration in land.durations.values())
    assert land.bound_s(at_once=5, overall=50) >= max(land.durations.values())


def test_most_in_a_second() -> None:
    """A second is open at its end: what comes exactly a second later is not in it."""
    moments = (0.0, 0.4, 0.9, 1.0, 5.0)
    seen = [Seen(at=at, family="designtime", method="GET", target="/", status=200) for at in moments]
    assert published.most_in_a_second(seen) == 3


def test_limits() -> None:
    """A limit holds at itself; without one nothing is judged."""
    assert measure(1, measured=9.6, bound=8.0, most_ratio=1.2).holds
    assert not measure(1, measured=9.7, bound=8.0, most_ratio=1.2).holds
    assert measure(1, measured=0.0, most=0.0).holds
    assert not measure(1, measured=1.0, most=0.0).holds
    assert measure(1, measured=1.0, bound=0.5).holds is None


def test_best_of_rounds() -> None:
    """Of several rounds the figure lowest against its bound counts; of what compares two figures the middle one."""
    ratios = [
        Measure(benchmark=1, what="r", unit="times", measured=ratio, bound=2.0, pick="middle")
        for ratio in (3.0, 1.0, 2.0)
    ]
    lowest = [measure(1, "a", measured=one, bound=bound) for one, bound in ((4.0, 2.0), (6.0, 4.0), (9.0, 4.0))]
    found = best(list(zip(lowest, ratios, strict=True)))
    assert [(one.what, one.measured) for one in found] == [("a", 6.0), ("r", 2.0)]


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Only what is asked for runs; the table says what does not hold, the file has it all, and the exit code is 1."""
    bad, good = measure(1, "slow", measured=3.0, bound=2.0, sequential=9.0, most_ratio=1.2), measure(4, measured=1.0)
    monkeypatch.setattr(run, "BENCHMARKS", {1: lambda _: [bad], 4: lambda _: [good], 7: lambda _: []})
    monkeypatch.setenv("COLUMNS", "120")
    file = tmp_path / "found.json"

    assert run.main(["--only", "4,1", "--json", str(file)]) == 1
    assert run.main(["--only", "4"]) == 0
    shown = capsys.readouterr().out
    assert "slow" in shown
    assert "≤ 1.2 times" in shown
    rows = json.loads(file.read_text(encoding="utf-8"))["measures"]
    assert [(row["benchmark"], row["ratio"], row["holds"]) for row in rows] == [(1, 1.5, False), (4, None, None)]


@pytest.mark.parametrize("arguments", [["--only", "9"], ["--only", "x"], ["--rounds", "0"]])
def test_wrong_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be run is refused before anything is."""
    with pytest.raises(SystemExit) as ended:
        run.main(arguments)
    assert ended.value.code == 2
    assert "--" in capsys.readouterr().err
