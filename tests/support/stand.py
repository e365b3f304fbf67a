"""The program ``invoke simulator``, started as a user starts it, and what it prints."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
DEMO = CHECKOUT / "environments/demo/packages"
_HANGS_AFTER_S = 60


def variables() -> dict[str, str]:
    """Give this machine's environment without what concerns us."""
    ours = ("CI", "CPI_", "GITHUB_", "TF_BUILD", "INVOKE_", "PYTHON", "NO_COLOR", "FORCE_COLOR", "SSL_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "PYTHONPATH": str(CHECKOUT)}


def command(*arguments: str) -> list[str]:
    """Give the command line."""
    return [sys.executable, "-m", "invoke", "--search-root", str(CHECKOUT), "simulator", *arguments]


def refused(*arguments: str, cwd: Path) -> tuple[int, str]:
    """Run it where it cannot serve and give exit code and output."""
    ended = subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=variables(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=_HANGS_AFTER_S,
        check=False,
    )
    return ended.returncode, ended.stdout


@dataclass(slots=True, kw_only=True)
class Stand:
    """The running program: what it printed so far, and the variables among that."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    @property
    def exports(self) -> Mapping[str, str]:
        """Give the variables it tells people to set."""
        found = (re.fullmatch(r"export (\w+)=(\S+)", line) for line in self.lines)
        return {match[1]: match[2] for match in found if match}

    @property
    def url(self) -> str:
        """Give where it serves."""
        return self.exports["CPI_HOST"]

    def read_until(self, end: str) -> list[str]:
        """Read lines until one contains a text, and give them."""
        assert self.process.stdout is not None
        begin = len(self.lines)
        # Where the line never comes, the end of the program is what ends the waiting.
        watchdog = threading.Timer(_HANGS_AFTER_S, self.process.kill)
        watchdog.start()
        try:
            for line in self.process.stdout:
                self.lines.append(line.rstrip("\n"))
                if end in line:
                    return self.lines[begin:]
        finally:
            watchdog.cancel()
        raise AssertionError(f"no line with '{end}' in {self.lines}")

    def end(self, signal_number: int = signal.SIGINT) -> int:
        """End it as Ctrl-C does, read what it still says, and give the exit code."""
        self.process.send_signal(signal_number)
        rest, _ = self.process.communicate(timeout=_HANGS_AFTER_S)
        self.lines += rest.splitlines()
        return self.process.returncode


@contextmanager
def started(*arguments: str, cwd: Path) -> Iterator[Stand]:
    """Start it on a free port and wait until it serves; it is killed if the test does not end it."""
    with subprocess.Popen(
        command("--port", "0", *arguments),
        cwd=cwd,
        env=variables(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as process:
        stand = Stand(process=process)
        try:
            stand.read_until("Requests:")
            yield stand
        finally:
            if process.poll() is None:
                process.kill()
