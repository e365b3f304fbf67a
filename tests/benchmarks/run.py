"""All benchmarks: ``python tests/benchmarks/run.py [--only 1,4] [--rounds N] [--sequential] [--json FILE]``.

Exits with 1 where a limit does not hold. What is measured in virtual time is the same on a busy machine; what is
measured in seconds wants an idle one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

# Started as a file, Python looks beside it for what is imported, and not in the checkout.
sys.path[0] = str(Path(__file__).resolve().parents[2])

from rich.console import Console  # noqa: E402 - see above

from tests.benchmarks import (  # noqa: E402 - see above
    archives,
    deployments,
    engine_cost,
    mixed,
    published,
    start_up,
    unchanged,
)
from tests.benchmarks.measures import Measure, best  # noqa: E402 - see above
from tests.benchmarks.showing import as_json, show  # noqa: E402 - see above

Benchmark = Callable[[Path], list[Measure]]

BENCHMARKS: Mapping[int, Benchmark] = {
    1: deployments.measure,
    2: unchanged.measure,
    3: published.measure,
    4: mixed.measure,
    5: engine_cost.measure,
    6: archives.measure,
    7: start_up.measure,
}
WITH_SEQUENTIAL_RUNS: Mapping[int, Benchmark] = {
    **BENCHMARKS,
    1: partial(deployments.measure, has_sequential_run=True),
    3: partial(published.measure, has_sequential_run=True),
}
"""Deployments one after another take minutes on a real socket; in virtual time they are always run."""


def measured(benchmarks: Mapping[int, Benchmark], *, rounds: int, console: Console) -> list[Measure]:
    """Run benchmarks, each so many times in a folder of its own, and give the best of each figure."""
    measures: list[Measure] = []
    for number, benchmark in benchmarks.items():
        found = []
        for _ in range(rounds):
            console.print(f"benchmark {number} …", style="dim")
            with TemporaryDirectory(prefix="benchmark-") as folder:
                found.append(benchmark(Path(folder)))
        measures += best(found)
    return measures


def main(arguments: list[str]) -> int:
    """Print a table, and write JSON where a file is named; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="1,4", default=",".join(map(str, BENCHMARKS)), help="which benchmarks to run")
    parser.add_argument("--rounds", type=int, default=1, help="how often each is run; the best round counts")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument("--sequential", action="store_true", help="also deploy one by one where that takes minutes")
    given = parser.parse_args(arguments)
    try:
        numbers = sorted({int(number) for number in given.only.split(",")})
    except ValueError:
        parser.error(f"--only wants numbers with commas between them, not '{given.only}'")
    unknown = [number for number in numbers if number not in BENCHMARKS]
    if unknown or given.rounds < 1:
        parser.error(f"there are benchmarks {min(BENCHMARKS)} to {max(BENCHMARKS)}, and --rounds begins at 1")
    known = WITH_SEQUENTIAL_RUNS if given.sequential else BENCHMARKS
    measures = measured(
        {number: known[number] for number in numbers}, rounds=given.rounds, console=Console(stderr=True)
    )
    show(measures, Console(), rounds=given.rounds)
    if given.json:
        given.json.write_text(as_json(measures, rounds=given.rounds), encoding="utf-8")
    return int(any(measure.holds is False for measure in measures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
