"""A program on a terminal of its own: what a person sees, and what a person types."""

from __future__ import annotations

import os
import pty
import subprocess
import threading
from collections.abc import Callable, Sequence

from tests.support.program import Program

_HANGS_AFTER_S = 60
Act = Callable[[subprocess.Popen[bytes], int], object]


def at_a_terminal(program: Program, steps: Sequence[tuple[str, Act]]) -> tuple[int, str]:
    """Run ``orchestrate --env x`` on a terminal; gives exit code and all that was on the screen.

    Each step waits until its text has been on the screen since the step before, and then acts on process and terminal.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        program.command("orchestrate", "--env", "x"),
        cwd=program.project.root,
        env=program.environment(TERM="xterm", COLUMNS="160"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    # Where a text never comes, the end of the program is what ends the reading.
    watchdog = threading.Timer(_HANGS_AFTER_S, process.kill)
    watchdog.start()
    said, waiting, since = b"", list(steps), 0
    try:
        while chunk := _read(ours):
            said += chunk
            while waiting and waiting[0][0].encode() in said[since:]:
                text, act = waiting.pop(0)
                since = said.index(text.encode(), since) + len(text.encode())
                act(process, ours)
        return process.wait(), said.decode()
    finally:
        watchdog.cancel()
        os.close(ours)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # what Linux says at the end of a terminal
        return b""
