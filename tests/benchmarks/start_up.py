"""Benchmark 7: how soon something happens: the list of tasks, and the first request of a run."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.benchmarks.measures import Measure
from tests.benchmarks.processes import Ran, cpu_s, run
from tests.benchmarks.workload import add_artifacts, repository
from tests.support.program import BASIC
from tests.support.stand import variables

_LIST = [sys.executable, "-m", "invoke", "--list"]
_HANGS_AFTER_S = 60
_SMALL = 10
"""As many artifacts as the demo has."""


def measure(folder: Path, *, rounds: int = 10, landscapes: tuple[int, ...] = (10, 200)) -> list[Measure]:
    """List tasks with and without ours, by turns; then begin runs of some sizes."""
    ours = repository(folder / "ours").root
    plain = folder / "plain"
    plain.mkdir()
    (plain / "tasks.py").touch()
    with_ours, without = list[Ran](), list[Ran]()
    for _ in range(rounds):
        without.append(run(_LIST, cwd=plain, env=variables()))
        with_ours.append(run(_LIST, cwd=ours, env=variables()))
    return [
        _compared(
            "invoke --list, beside plain Invoke", "s", [r.wall_s for r in with_ours], [r.wall_s for r in without]
        ),
        _compared("invoke --list, CPU", "s CPU", [r.cpu_s for r in with_ours], [r.cpu_s for r in without]),
        *(_first_request(folder, artifacts, rounds=min(rounds, 3)) for artifacts in landscapes),
    ]


def _compared(what: str, unit: str, ours: list[float], plain: list[float]) -> Measure:
    note = f"best of {len(ours)}"
    return Measure(
        benchmark=7,
        what=what,
        unit=unit,
        measured=min(ours),
        bound=min(plain),
        most_ratio=1.3,
        note=note,
        pick="middle",
    )


def _first_request(folder: Path, artifacts: int, *, rounds: int) -> Measure:
    project = repository(folder / f"repository{artifacts}")
    add_artifacts(project, packages=max(1, artifacts // 20), per_package=min(artifacts, 20))
    took = min(_cpu_until_asked(project.root) for _ in range(rounds))
    return Measure(
        benchmark=7,
        what=f"CPU until the first request, {artifacts} artifacts",
        unit="s CPU",
        measured=took,
        # What is above the small one is reading and checking folders, half a millisecond for each artifact.
        most=0.5 if artifacts <= _SMALL else None,
        note=f"best of {rounds}",
    )


def _cpu_until_asked(root: Path) -> float:
    """Begin a run against a socket that never answers; gives its CPU when the first bytes of a request are there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(_HANGS_AFTER_S)
        with subprocess.Popen(
            [sys.executable, "-m", "invoke", "orchestrate", "--env", "x"],
            cwd=root,
            env=_environment(server.getsockname()[1]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                connection, _ = server.accept()
                with connection:
                    connection.settimeout(_HANGS_AFTER_S)
                    connection.recv(1)
                    return cpu_s(process.pid)
            finally:
                process.kill()


def _environment(port: int) -> Mapping[str, str]:
    return {**variables(), **BASIC, "CPI_HOST": f"http://127.0.0.1:{port}"}
