"""A pytest run of another repository, with the plugin as an installation would register it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from importlib.metadata import entry_points

import pytest

# Where the package was installed before it had the plugin, the plugin is named; it must not be registered twice.
_IS_REGISTERED = bool(entry_points(group="pytest11", name="cpi_tenant"))
_PLUGIN = () if _IS_REGISTERED else ("-p", "cpi_tasks.simulator.plugin")
_SETTINGS = """[pytest]
addopts = --strict-markers --strict-config
trio_mode = {trio_mode}
filterwarnings = error
"""

RunTests = Callable[..., pytest.RunResult]


@pytest.fixture
def run_tests(pytester: pytest.Pytester) -> RunTests:
    """Run a test file in a process of its own, with warnings as errors."""

    def run(code: str, *arguments: str, trio: bool = True) -> pytest.RunResult:
        settings = _SETTINGS.format(trio_mode="true")
        pytester.makeini(settings if trio else settings.replace("trio_mode = true\n", ""))
        pytester.makepyfile(textwrap.dedent(code))
        own = () if trio else ("-p", "no:trio")
        others = ("cacheprovider", "randomly", "xdist", "hypothesispytest", "respx", "anyio")
        options = (*(f"-pno:{name}" for name in others), *own)
        return pytester.runpytest_subprocess(*_PLUGIN, *options, *arguments, timeout=60)

    return run
