"""The page as a real browser shows it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from cpi_tasks.simulator import Simulator, SimulatorSettings, Window, running

Build = Callable[..., bytes]
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.mark.skipif(BROWSER is None, reason="no chromium, chromium-browser or google-chrome is installed")
def test_packages_and_changing_states_are_rendered(tmp_path: Path, flow: Build) -> None:
    """The browser shows the packages, runs the page's own script, and follows a change without loading it again."""
    simulator = Simulator(SimulatorSettings())
    simulator.add_package("Sales", "Sales <b>and</b> more")
    simulator.add_artifact("Sales", "Orders", "Integration", flow("Orders"))
    window = _Changing(simulator)
    with running(simulator, app=window) as url:
        shown = subprocess.run(
            [
                str(BROWSER),
                *QUIET,
                f"--user-data-dir={tmp_path}",
                "--virtual-time-budget=5000",
                "--dump-dom",
                f"{url}/",
            ],
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=True,
        ).stdout
    assert "Sales &lt;b&gt;and&lt;/b&gt; more" in shown
    assert window.looks[0] == "not deployed"
    assert "STARTED" in window.looks
    assert '<span class="chip good">STARTED</span>' in shown
    assert '<span class="chip calm">not deployed</span>' not in shown
    assert shown.count("<h1>") == 1


class _Changing(Window):
    """The page, behind which an artifact starts once the page has been loaded."""

    def __init__(self, simulator: Simulator) -> None:
        super().__init__(simulator)
        self._tenant = simulator
        self.looks: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and change the tenant afterwards."""
        runtime = self._tenant.runtime("Orders")
        self.looks.append(runtime.status if runtime else "not deployed")
        await super().__call__(scope, receive, send)
        if runtime is None:
            self._tenant.set_runtime("Orders", "STARTED")
