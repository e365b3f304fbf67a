"""Opening the tenant that an environment names: over the network, or embedded in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import trio

from cpi_tasks import tenant
from cpi_tasks.app.prepare import NoteSecret
from cpi_tasks.events import Emit, RunStarted
from cpi_tasks.model.config import BasicLogin, EmbeddedTenant, OAuthLogin, RunConfig, TenantAccess
from cpi_tasks.model.tenant import Tenant

BeforeWrite = Callable[[], Awaitable[None]]
Reach = Callable[[RunConfig, Emit, NoteSecret, BeforeWrite], AbstractAsyncContextManager[Tenant]]


@asynccontextmanager
async def reach_tenant(
    config: RunConfig, emit: Emit, note_secret: NoteSecret, before_write: BeforeWrite
) -> AsyncIterator[Tenant]:
    """Open a client for the environment's tenant; an embedded one is served on a free loopback port meanwhile.

    ``before_write`` is awaited before each request that changes the tenant.
    """
    settings = config.settings
    async with _serve_embedded(config.tenant, note_secret) as access:
        emit(
            RunStarted(
                environment=config.environment,
                environment_origin=config.environment_origin,
                tenant=access.url if access is config.tenant else f"embedded tenant at {access.url}",
                login=_login_name(access),
            )
        )
        async with tenant.connect(
            access,
            designtime_rate=settings.designtime_rate,
            runtime_rate=settings.runtime_rate,
            request_timeout_s=settings.request_timeout_s,
            outage_budget_s=settings.outage_budget_s,
            emit=emit,
            note_secret=note_secret,
            before_write=before_write,
        ) as client:
            yield client


@asynccontextmanager
async def _serve_embedded(
    access: TenantAccess | EmbeddedTenant, note_secret: NoteSecret
) -> AsyncIterator[TenantAccess]:
    if isinstance(access, TenantAccess):
        yield access
        return
    from cpi_tasks import simulator  # noqa: PLC0415 - its server libraries load only where it is used

    settings = simulator.SimulatorSettings(deploy_s=access.deploy_s, failing=access.failing)
    note_secret(settings.client_secret)
    embedded = simulator.Simulator(settings, state_file=access.state)
    async with trio.open_nursery() as nursery:
        url = await nursery.start(simulator.serve, embedded)
        yield TenantAccess(
            url=url,
            login=OAuthLogin(
                token_url=f"{url}/oauth/token", client_id=settings.client_id, client_secret=settings.client_secret
            ),
        )
        nursery.cancel_scope.cancel()


def _login_name(access: TenantAccess) -> str:
    if isinstance(access.login, BasicLogin):
        return "Basic"
    return "OAuth client credentials"
