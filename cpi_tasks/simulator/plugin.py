"""pytest plugin: an embedded tenant for the tests of a repository that uses this package.

It is loaded by every pytest run where the package is installed; everything of weight is imported by the fixture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx

    from cpi_tasks.simulator import FaultScript, Simulator

_MARKER = (
    "cpi_tenant(profile='default', script=None, **settings): how the tenant of the fixture `cpi_tenant` behaves: "
    "a profile of SimulatorSettings, a FaultScript or its text, and single settings such as deploy_s=0.1."
)


class CpiTenant:
    """An embedded tenant that comes to life when something of it is asked for, and ends with the test.

    ``simulator`` is the tenant itself. ``url`` serves it on a free loopback port from a thread of its own, for programs
    and clients with sockets; ``transport()`` reaches it in process, for trio tests under a virtual clock. One test uses
    one of the two: a virtual clock does not move a served tenant.

    The latest 100,000 requests are kept; beyond that ``simulator.count`` and ``simulator.violations`` raise instead of
    giving a number that is too low, and ``simulator.requests`` has the latest ones.
    """

    def __init__(self, simulator: Simulator) -> None:
        """Take a tenant that is not served yet."""
        self.simulator = simulator
        self._services = ExitStack()

    @cached_property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``, served from the first time it is asked for."""
        from cpi_tasks.simulator import running  # noqa: PLC0415 - not before it is needed

        return self._services.enter_context(running(self.simulator))

    @property
    def variables(self) -> dict[str, str]:
        """The ``CPI_*`` variables that name the served tenant and log in with a user's name and password."""
        settings = self.simulator.settings
        return {"CPI_HOST": self.url, "CPI_USERNAME": settings.username, "CPI_PASSWORD": settings.password}

    @property
    def oauth_variables(self) -> dict[str, str]:
        """The same for a login with client credentials."""
        settings = self.simulator.settings
        return {
            "CPI_HOST": self.url,
            "CPI_TOKEN_URL": f"{self.url}/oauth/token",
            "CPI_CLIENT_ID": settings.client_id,
            "CPI_CLIENT_SECRET": settings.client_secret,
        }

    def transport(self) -> httpx.ASGITransport:
        """Give a transport for ``httpx.AsyncClient`` that needs no socket; any https address will do as base."""
        import httpx  # noqa: PLC0415 - not before it is needed

        return httpx.ASGITransport(app=self.simulator.app)

    def close(self) -> None:
        """Stop serving; what went wrong in the serving thread is raised here."""
        self._services.close()


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def cpi_tenant(request: pytest.FixtureRequest) -> Iterator[CpiTenant]:
    """Give each test an empty embedded tenant that behaves as the marker ``cpi_tenant`` says."""
    # The marker that is closest to the test comes first; what others say counts where it says nothing.
    said: dict[str, object] = {}
    for marker in request.node.iter_markers("cpi_tenant"):
        if marker.args:
            raise pytest.UsageError("the marker cpi_tenant takes settings by name only, such as deploy_s=0.1")
        said = {**marker.kwargs, **said}
    tenant = CpiTenant(_simulator(said))
    try:
        yield tenant
    finally:
        tenant.close()


def _simulator(said: Mapping[str, object]) -> Simulator:
    from dataclasses import fields, replace  # noqa: PLC0415 - not before it is needed
    from difflib import get_close_matches  # noqa: PLC0415

    from cpi_tasks.simulator import Simulator, SimulatorSettings  # noqa: PLC0415

    own = {name: value for name, value in said.items() if name not in {"profile", "script"}}
    known = {item.name: item.type for item in fields(SimulatorSettings)}
    for name in own:
        if name not in known:
            close = get_close_matches(name, [*known, "profile", "script"], 1)
            hint = f"; did you mean '{close[0]}'?" if close else ""
            raise pytest.UsageError(f"the marker cpi_tenant names a setting '{name}' that does not exist{hint}")
    chosen = {
        name: _as_set(name, value) if str(known[name]).startswith("frozenset") else value for name, value in own.items()
    }
    settings = replace(SimulatorSettings.profile(str(said.get("profile", "default"))), **chosen)  # type: ignore[arg-type]
    return Simulator(settings, script=_script(said.get("script")))


def _as_set(name: str, value: object) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset({value})
    if isinstance(value, (set, frozenset, list, tuple)):
        return frozenset(str(item) for item in value)
    raise pytest.UsageError(f"the marker cpi_tenant has a '{name}' that is no set of texts")


def _script(value: object) -> FaultScript | None:
    from cpi_tasks.simulator import FaultScript  # noqa: PLC0415 - not before it is needed

    if value is None or isinstance(value, FaultScript):
        return value
    if isinstance(value, str):
        return FaultScript.parse(value)
    raise pytest.UsageError("the marker cpi_tenant has a 'script' that is neither a FaultScript nor its text")
