"""Feeding a view: nothing that happens to the display disturbs the run."""

from __future__ import annotations

import io
import math
import threading
from collections.abc import Mapping

import pytest
import trio
import trio.testing

from cpi_tasks.events import Event, WarningRaised
from cpi_tasks.report import QuietView, Redactor, open_view, show_events, wants_live
from cpi_tasks.report.live import LiveView
from cpi_tasks.report.plain import PlainView


class RecordingView:
    """Remembers what it was fed."""

    interval_s = 0.25

    def __init__(self) -> None:
        """Remember nothing yet."""
        self.failure: Exception | None = None
        self.seen: list[Event] = []
        self.times: list[float] = []
        self.ticks: list[float] = []
        self.closed = 0

    def handle(self, event: Event, now: float) -> None:
        """Remember the event."""
        self.seen.append(event)
        self.times.append(now)

    def tick(self, now: float) -> None:
        """Remember the time."""
        self.ticks.append(now)

    def close(self) -> None:
        """Count."""
        self.closed += 1


class BrokenView(RecordingView):
    """Breaks at its second event and once more when it is closed."""

    def handle(self, event: Event, now: float) -> None:
        """Break at the second event."""
        super().handle(event, now)
        if len(self.seen) == 2:
            raise BrokenPipeError("nobody reads")

    def close(self) -> None:
        """Break."""
        raise ValueError("closed already")


class Terminal(io.StringIO):
    """Text that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


WARNINGS = [WarningRaised(text=str(number)) for number in range(50)]


async def test_everything_is_shown_in_order_until_the_sender_closes() -> None:
    """Every event reaches the view once, in order, and the view is closed at the end."""
    send, receive = trio.open_memory_channel[Event](math.inf)
    view = RecordingView()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(show_events, receive, view)
        with send:
            for warning in WARNINGS:
                send.send_nowait(warning)
                if warning.text.endswith("7"):
                    await trio.testing.wait_all_tasks_blocked()
    assert view.seen == WARNINGS
    assert view.closed == 1
    assert view.failure is None


async def test_a_broken_view_is_kept_as_its_failure_and_events_are_drained() -> None:
    """After the view broke, the sender goes on undisturbed, nothing is raised, and the first failure is kept."""
    send, receive = trio.open_memory_channel[Event](0)
    view = BrokenView()
    sent = 0
    async with trio.open_nursery() as nursery:
        nursery.start_soon(show_events, receive, view)
        async with send:
            for warning in WARNINGS:
                await send.send(warning)
                sent += 1
    assert sent == 50
    assert len(view.seen) == 2
    assert isinstance(view.failure, BrokenPipeError)


async def test_a_broken_stream_does_not_stop_the_run() -> None:
    """The plain view on a closed stream fails quietly."""
    stream = io.StringIO()
    view = open_view(stdout=stream, is_live=False, debug=False, redactor=Redactor())
    stream.close()
    send, receive = trio.open_memory_channel[Event](math.inf)
    send.send_nowait(WARNINGS[0])
    send.close()
    await show_events(receive, view)
    assert isinstance(view.failure, ValueError)


async def test_the_view_ticks_while_nothing_happens(mock_clock: trio.testing.MockClock) -> None:
    """Without events the view is ticked at its interval."""
    ticked: list[trio.Event] = [trio.Event() for _ in range(3)]

    class TellingView(RecordingView):
        def tick(self, now: float) -> None:
            super().tick(now)
            trio.from_thread.run_sync(ticked[len(self.ticks) - 1].set)

    send, receive = trio.open_memory_channel[Event](math.inf)
    view = TellingView()
    started = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(show_events, receive, view)
        async with send:
            for event in ticked:
                await trio.testing.wait_all_tasks_blocked()
                mock_clock.jump(0.25)
                await event.wait()
    assert [tick - started for tick in view.ticks] == [0.25, 0.5, 0.75]


async def test_a_display_that_takes_nothing_does_not_hold_up_the_run() -> None:
    """While the view is stuck in a write, other tasks go on."""
    released = threading.Event()

    class StuckView(RecordingView):
        def handle(self, event: Event, now: float) -> None:
            assert released.wait(timeout=30)
            super().handle(event, now)

    send, receive = trio.open_memory_channel[Event](math.inf)
    view = StuckView()
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(show_events, receive, view)
            with send:
                for warning in WARNINGS:
                    send.send_nowait(warning)
                    await trio.testing.wait_all_tasks_blocked()
                assert view.seen == []
                released.set()
    assert view.seen == WARNINGS


async def test_a_cancelled_show_gives_the_terminal_back() -> None:
    """Where a bug elsewhere cancels everything, the view is still closed."""
    _send, receive = trio.open_memory_channel[Event](math.inf)
    view = RecordingView()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(show_events, receive, view)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert view.closed == 1


@pytest.mark.parametrize(
    ("variables", "is_live"),
    [
        ({}, True),
        ({"TERM": "xterm-256color", "CI": "false"}, True),
        ({"CI": "0"}, True),
        ({"CI": ""}, True),
        ({"CI": "true"}, False),
        ({"CI": "woodpecker"}, False),
        ({"TERM": "dumb"}, False),
    ],
)
def test_a_live_display_wants_a_real_terminal(variables: Mapping[str, str], *, is_live: bool) -> None:
    """CI jobs and dumb terminals get plain lines; CI=false, 0 or empty is no CI job; a pipe never gets the display."""
    assert is_live == wants_live(Terminal(), variables)
    assert not wants_live(io.StringIO(), variables)


def test_a_closed_stream_is_no_terminal() -> None:
    """Asking about a closed stream raises nothing."""
    terminal = Terminal()
    terminal.close()
    assert not wants_live(terminal, {})


def test_open_view_chooses() -> None:
    """The live view is opened where it is asked for and the stream can show it."""
    redactor = Redactor()
    assert isinstance(open_view(stdout=Terminal(), is_live=True, debug=False, redactor=redactor), LiveView)
    assert isinstance(open_view(stdout=Terminal(), is_live=False, debug=False, redactor=redactor), PlainView)
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    assert isinstance(open_view(stdout=narrow, is_live=True, debug=False, redactor=redactor), PlainView)


async def test_a_quiet_view_takes_everything_and_writes_nothing(
    successful_run: list[Event], capsys: pytest.CaptureFixture[str]
) -> None:
    """Where standard output is for a machine, no event and no tick adds to it, and nothing ever fails."""
    send, receive = trio.open_memory_channel[Event](math.inf)
    for event in successful_run:
        send.send_nowait(event)
    send.close()
    view = QuietView()
    await show_events(receive, view)
    view.tick(60.0)
    view.close()
    assert (view.failure, capsys.readouterr()) == (None, ("", ""))


@pytest.mark.parametrize(("columns", "width"), [("0", 80), ("7", 80), ("nonsense", None), ("100", 100)])
def test_a_width_that_nobody_can_read_is_not_used(
    monkeypatch: pytest.MonkeyPatch, columns: str, width: int | None
) -> None:
    """With ``COLUMNS=0``, nothing would be shown."""
    monkeypatch.setenv("COLUMNS", columns)
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    view = open_view(stdout=stream, is_live=True, debug=False, redactor=Redactor())
    assert isinstance(view, LiveView)
    assert view._console.width == width or (width is None and view._console.width >= 20)
    view.close()
