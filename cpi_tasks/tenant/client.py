"""The client: all calls of the tenant protocol over one session and one connection pool."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import trio

from cpi_tasks.errors import TenantUnavailable
from cpi_tasks.events import Emit
from cpi_tasks.model.config import BasicLogin, TenantAccess
from cpi_tasks.tenant.auth import BasicAuth, Login, TokenSource
from cpi_tasks.tenant.designtime import DesigntimeCalls
from cpi_tasks.tenant.limits import Paces
from cpi_tasks.tenant.odata import origin
from cpi_tasks.tenant.outage import Outage
from cpi_tasks.tenant.packages import PackageCalls
from cpi_tasks.tenant.parameters import ParameterCalls
from cpi_tasks.tenant.retry import quiet_stamina
from cpi_tasks.tenant.runtime import RuntimeCalls
from cpi_tasks.tenant.session import Session
from cpi_tasks.tenant.wire import Wire, open_client


class TenantClient(PackageCalls, DesigntimeCalls, ParameterCalls, RuntimeCalls):
    """A tenant reached over SAP's public API; what the engine knows as ``Tenant``."""

    def __init__(self, session: Session) -> None:
        """Take the session all calls go through; ``connect`` makes one."""
        super().__init__(session)


@asynccontextmanager
async def connect(
    access: TenantAccess,
    *,
    designtime_rate: float,
    runtime_rate: float,
    request_timeout_s: float,
    outage_budget_s: float,
    emit: Emit,
    note_secret: Callable[[str], None],
    before_write: Callable[[], Awaitable[None]] = trio.lowlevel.checkpoint,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[TenantClient]:
    """Open a client for one tenant; nothing is sent before its first call. To be used under trio.

    Rates are requests a second, shared by all tasks; ``request_timeout_s`` is what one exchange may last in all,
    ``outage_budget_s`` how long a tenant that went away is waited for.
    ``emit`` gets a ``RequestFinished`` for every exchange, ``note_secret`` every token as soon as it is known.
    ``before_write`` is awaited before each request that changes the tenant is sent, ``transport`` replaces the network.
    Raises ``TenantUnavailable`` where the tenant's address has no host.
    """
    try:
        origin(access.url)
    except ValueError:
        raise TenantUnavailable(
            f"could not connect to a tenant: {access.url!r} is no address; give CPI_HOST as https://<host>"
        ) from None
    login = access.login
    urls = (access.url,) if isinstance(login, BasicLogin) else (access.url, login.token_url)
    with quiet_stamina():
        async with open_client(
            urls,
            request_timeout_s=request_timeout_s,
            transport=transport,
            certificates=access.certificates,
            routes=access.routes,
        ) as http_client:
            wire = Wire(http_client, request_timeout_s=request_timeout_s, emit=emit)
            auth: Login = (
                BasicAuth(login, note_secret)
                if isinstance(login, BasicLogin)
                else TokenSource(login, wire, note_secret, budget_s=outage_budget_s, emit=emit)
            )
            session = Session(
                access.url,
                wire=wire,
                login=auth,
                paces=Paces(
                    designtime_rate=designtime_rate, runtime_rate=runtime_rate, budget_s=outage_budget_s, emit=emit
                ),
                outage=Outage(budget_s=outage_budget_s, emit=emit),
                emit=emit,
                before_write=before_write,
                is_csrf_wanted=isinstance(login, BasicLogin),
                note_secret=note_secret,
            )
            yield TenantClient(session)
