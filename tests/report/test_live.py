"""The live view, drawn on a console of 80 columns that is no real terminal."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from cpi_tasks.events import ArtifactDeployed, DeploymentTriggered, Event, Phase, PhaseStarted, RunStarted
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, ArtifactRef, PackageId
from cpi_tasks.model.report import Status, StepOutcome
from cpi_tasks.report import Redactor
from cpi_tasks.report.live import LiveView

FLOW = ArtifactKind.INTEGRATION_FLOW
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def ref(name: str) -> ArtifactRef:
    return ArtifactRef(package=PackageId("P"), artifact=ArtifactId(name))


class Screen:
    """A live view and what it wrote since the last look."""

    def __init__(self, *, width: int = 80, height: int = 40, no_color: bool = False) -> None:
        """Give it a console of this size."""
        self.stream = io.StringIO()
        console = Console(
            file=self.stream,
            force_terminal=True,
            width=width,
            height=height,
            no_color=no_color,
            highlight=False,
            markup=False,
            emoji=False,
            color_system="standard",
        )
        self.view = LiveView(console=console, debug=False, redactor=Redactor(["hunter2!"]))

    def raw(self) -> str:
        """Give what was written since the last call, escape sequences included."""
        text = self.stream.getvalue()
        self.stream.seek(0)
        self.stream.truncate()
        return text

    def lines(self) -> list[str]:
        """Give what was written since the last call as lines that are not blank, without escape sequences."""
        return [line.rstrip() for line in ESCAPE.sub("", self.raw()).splitlines() if line.strip()]


def test_the_board_shows_what_is_in_flight() -> None:
    """A tick draws phase, settled of pending, failures, each artifact in flight with its time, and what waits."""
    screen = Screen()
    screen.view.handle(PhaseStarted(phase=Phase.DEPLOY, total=9, pending=5), 10.0)
    for name in ("First", "Second", "Third"):
        screen.view.handle(DeploymentTriggered(ref=ref(name), kind=FLOW), 11.0)
    failed = StepOutcome(status=Status.FAILED, summary="not deployed", reason="ERROR")
    screen.view.handle(ArtifactDeployed(ref=ref("First"), kind=FLOW, outcome=failed), 12.0)
    screen.lines()
    screen.view.tick(15.0)
    first, *rest = screen.lines()
    assert re.fullmatch(r"Phase 2: deploying [━╺╸]+ 1/5 ✗ 1 failed 5\.0 s", first)
    assert rest == [
        "  Second                                                         deploying 4.0 s",
        "  Third                                                          deploying 4.0 s",
        "  2 waiting",
    ]
    assert len(first) <= 80


def test_the_board_stays_small() -> None:
    """Of many artifacts in flight twelve are shown, fewer on a low screen, and the others are counted."""
    for height, rows in ((40, 12), (10, 4)):
        screen = Screen(height=height)
        screen.view.handle(PhaseStarted(phase=Phase.UPDATE, total=50, pending=50), 0.0)
        for number in range(30):
            screen.view.handle(DeploymentTriggered(ref=ref(f"Flow{number}"), kind=FLOW), 0.0)
        screen.lines()
        screen.view.tick(1.0)
        lines = screen.lines()
        assert rows == len([line for line in lines if line.startswith("  Flow")])
        assert lines[-1] == f"  … and {30 - rows} more in progress, 20 waiting"


def test_reading_the_tenant_is_shown_too() -> None:
    """Before there is a plan the board says what takes time; after the end of a phase there is no board."""
    screen = Screen()
    screen.view.handle(RunStarted(environment="dev", environment_origin="--env", tenant="t", login="Basic"), 0.0)
    screen.lines()
    screen.view.tick(2.0)
    assert screen.lines() == ["Reading files and tenant" + " " * 51 + "2.0 s"]
    screen.view.close()
    assert "\x1b[?25h" in screen.raw()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_whole_run_fits_the_screen(failed_run: list[Event], width: int) -> None:
    """No line is longer than the screen is wide; settled lines, table, failure and closing line are all there."""
    screen = Screen(width=width)
    for event in failed_run:
        screen.view.handle(event, 0.0)
        screen.view.tick(1.0)
    screen.view.close()
    raw = screen.raw()
    # A board that is drawn again begins with a carriage return.
    lines = [line.rstrip() for line in ESCAPE.sub("", raw).splitlines()]
    assert width >= max(map(len, lines))
    assert [line for line in lines if line.startswith("═")] == ["═" * min(71, width)] * 6
    assert "✓ CustomerSync updated 1.0.1 (0.4 s)" in lines
    assert "│ Artifacts Failed        │      1 │" in lines
    text = " ".join(" ".join(lines).split())
    assert "deploy phase: not deployed (9.0 s) ended in ERROR: java.lang.RuntimeException: no credential" in text
    assert text.endswith("✗ 1 of 2 artifacts failed; 1 updated, 0 deployed (exit code 1).")
    assert raw.count("\x1b[?25l") == raw.count("\x1b[?25h")


def test_progress_is_on_the_board_only(successful_run: list[Event]) -> None:
    """What the board shows does not scroll by as lines of its own."""
    screen = Screen()
    for event in successful_run:
        screen.view.handle(event, 0.0)
    assert not [line for line in screen.lines() if line.startswith("→")]


def test_tenant_text_is_neither_markup_nor_control(failed_run: list[Event]) -> None:
    """Square brackets stay, secrets are masked, and a tenant's escape sequence never reaches the terminal."""
    screen = Screen()
    for event in failed_run:
        screen.view.handle(event, 0.0)
    raw = screen.raw()
    assert "[red]***[/red]" in raw
    assert "hunter2!" not in raw
    assert "\x1b[2J" not in raw
    assert "\\x1b[2J" in raw


def test_no_color_is_honoured(failed_run: list[Event]) -> None:
    """Without colours the same run has no colour sequences."""
    colours = re.compile(r"\x1b\[[0-9;]*3[1-7]m")
    texts = []
    for no_color in (False, True):
        screen = Screen(no_color=no_color)
        for event in failed_run:
            screen.view.handle(event, 0.0)
        texts.append(screen.raw())
    assert colours.search(texts[0])
    assert not colours.search(texts[1])
