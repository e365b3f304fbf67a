"""The keys of ``tenant:`` with the variables that stand in for them, and how the values are cleaned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cpi_tasks.environment.certificates import CERTIFICATE, KEY
from cpi_tasks.environment.nodes import Loc
from cpi_tasks.environment.process import Use

TENANT = "tenant"


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantKey:
    """A key of the section."""

    variable: str
    use: Use


TENANT_KEYS: Mapping[str, TenantKey] = {
    "host": TenantKey(variable="CPI_HOST", use=Use.ADDRESS),
    "username": TenantKey(variable="CPI_USERNAME", use=Use.VALUE),
    "password": TenantKey(variable="CPI_PASSWORD", use=Use.PASSWORD),
    "tokenUrl": TenantKey(variable="CPI_TOKEN_URL", use=Use.ADDRESS),
    "clientId": TenantKey(variable="CPI_CLIENT_ID", use=Use.VALUE),
    "clientSecret": TenantKey(variable="CPI_CLIENT_SECRET", use=Use.SECRET),
    "serviceKey": TenantKey(variable="CPI_SERVICE_KEY", use=Use.SERVICE_KEY),
    CERTIFICATE: TenantKey(variable="CPI_CLIENT_CERTIFICATE", use=Use.PATH),
    KEY: TenantKey(variable="CPI_CLIENT_KEY", use=Use.PATH),
}

FILE_USES: Mapping[Loc, Use] = {
    **{(TENANT, key): each.use for key, each in TENANT_KEYS.items()},
    ("deployConfigToken",): Use.SECRET,
    ("deployConfigUsername",): Use.VALUE,
    ("deployConfigPassword",): Use.PASSWORD,
}
"""What a whole value of an environment file is used as; every other is just text."""
