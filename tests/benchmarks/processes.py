"""Other processes: the tenant, and the measured program with the time, the CPU and the memory it took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.program import BASIC
from tests.support.stand import variables

HERE = Path(__file__).resolve().parent
_SAMPLE_S = 0.01
_MIB_IN_KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as the tenant saw it; ``at`` by its clock, in seconds."""

    at: float
    family: str
    method: str
    target: str
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantProcess:
    """A running tenant."""

    url: str
    process: subprocess.Popen[str]

    def seen(self) -> list[Seen]:
        """Give the requests since this was asked the last time."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        rows = json.loads(self.process.stdout.readline())["requests"]
        return [
            Seen(at=at, family=family, method=method, target=target, status=status)
            for at, family, method, target, status in rows
        ]

    def variables(self) -> dict[str, str]:
        """Give the environment of a program that is to talk to it."""
        return {**variables(), **BASIC, "CPI_HOST": self.url}


@contextmanager
def tenant(**settings: float) -> Iterator[TenantProcess]:
    """Run a tenant with some of its settings; it is empty and keeps nothing."""
    command = [sys.executable, str(HERE / "tenant_child.py"), json.dumps(settings)]
    with subprocess.Popen(
        command, env=variables(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield TenantProcess(url=process.stdout.readline().strip(), process=process)
        finally:
            process.stdin.close()
            process.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a program took from its start to its end."""

    code: int
    said: str
    wall_s: float
    cpu_s: float
    peak_mib: float


def run(command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> Ran:
    """Run a program to its end; its output goes to a file beside ``cwd``, so that nobody must read along."""
    output = cwd.parent / f"{cwd.name}.out"
    with output.open("wb") as file:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
        )
        peak = _Peak(process.pid)
        peak.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    peak.join()
    return Ran(
        code=process.returncode,
        said=output.read_text(encoding="utf-8", errors="replace"),
        wall_s=wall_s,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_mib=peak.mib,
    )


def invoke(*arguments: str, cwd: Path, env: Mapping[str, str]) -> Ran:
    """Run ``invoke`` to its end, which must be a good one."""
    ran = run([sys.executable, "-m", "invoke", *arguments], cwd=cwd, env=env)
    if ran.code:
        raise SystemExit(f"invoke {' '.join(arguments)} ended with {ran.code}:\n{ran.said}")
    return ran


def peak_mib(pid: int) -> float | None:
    """Give the most memory a living process ever held; ``None`` where it has ended.

    That is ``VmHWM``; ``ru_maxrss`` of a child begins with what its parent held when it was forked.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    found = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return next((int(kib) / _MIB_IN_KIB for kib in found), None)


def cpu_s(pid: int) -> float:
    """Give the CPU seconds of a living process, all its threads together."""
    # The clock's number is what clock_getcpuclockid(3) gives, which Python does not have.
    return time.clock_gettime((~pid << 3) | 2)


class _Peak(threading.Thread):
    """Looks at a process until it ends; the peak only ever grows, so the last look counts."""

    def __init__(self, pid: int) -> None:
        super().__init__(name="peak", daemon=True)
        self._pid = pid
        self.mib = 0.0

    def run(self) -> None:
        while (mib := peak_mib(self._pid)) is not None:
            self.mib = max(self.mib, mib)
            time.sleep(_SAMPLE_S)
