"""The ``tenant:`` section and the ``CPI_*`` variables -> how the tenant is reached and how we log in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cpi_tasks.environment import schema
from cpi_tasks.environment.addresses import AddressError, parse_address, tenant_url
from cpi_tasks.environment.certificates import (
    CERTIFICATE,
    KEY,
    CertificateError,
    check_authorities,
    client_certificate,
    read_authorities,
)
from cpi_tasks.environment.nodes import Document, MappingNode, Origin, Scalar, is_null
from cpi_tasks.environment.process import Use, Variables, cleaned
from cpi_tasks.environment.proxies import ProxyError, ProxyRules
from cpi_tasks.environment.service_key import ServiceKey, ServiceKeyError, UnreadableServiceKey, read_service_key
from cpi_tasks.environment.tenant_keys import TENANT, TENANT_KEYS
from cpi_tasks.errors import Problem
from cpi_tasks.model.config import BasicLogin, Certificates, EmbeddedTenant, OAuthLogin, Route, TenantAccess

DEFAULT_STATE = Path(".cpi", "demo-tenant.json")
DEFAULT_TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path, not a secret

UNKNOWN_TENANT = TenantAccess(url="", login=BasicLogin(username="", password=""))
"""Stands where the tenant could not be made out; there is a problem whenever it is used."""

_SIMULATOR = "simulator"
_NO_LOGIN = "login"
_BASIC = ("username", "password")
_OAUTH = ("tokenUrl", "clientId", "clientSecret")
_SERVICE_KEY = ("serviceKey",)
_METHODS = (_SERVICE_KEY, _OAUTH, _BASIC)
"""The keys of each login method; among variables the first complete one is used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantFound:
    """The tenant of an environment, with everything wrong about it."""

    tenant: TenantAccess | EmbeddedTenant
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Value:
    """One value with the place to name when it is wrong; ``text`` is ``None`` where it could not be read."""

    key: str
    text: str | None = field(repr=False)
    variable: str = ""


def read_tenant(
    document: Document, *, root: Path, variables: Variables, proxies: ProxyRules | None = None
) -> TenantFound:
    """Work out the tenant: keys of the file win, a key left out is taken from its variable.

    Without ``proxies`` nothing is going to be sent, so that no proxy matters.
    """
    node = document.root.entries.get(TENANT)
    if node is None or is_null(node.node):
        checked: schema.Checked[schema.TenantKeys] = schema.Checked(keys=schema.TenantKeys())
    else:
        checked = schema.check(schema.TenantKeys, document, (TENANT,))
        if not isinstance(node.node, MappingNode):
            return TenantFound(tenant=UNKNOWN_TENANT, problems=checked.problems)
        if _SIMULATOR in node.node.entries:
            return _embedded(document, checked.problems, root)
    login = _Login(document=document, root=root, variables=variables, proxies=proxies)
    login.read_file(checked)
    tenant = login.resolve()
    return TenantFound(tenant=tenant, problems=(*checked.problems, *login.problems), warnings=tuple(login.warnings))


def _embedded(document: Document, problems: tuple[Problem, ...], root: Path) -> TenantFound:
    node = document.node((TENANT,))
    others = [key for key in node.entries if key in TENANT_KEYS] if isinstance(node, MappingNode) else []
    found = [
        document.problem((TENANT, key), "cannot be combined with 'simulator'", at_key=True)
        for key in others
        if not is_null(document.node((TENANT, key)))
    ]
    keys: schema.SimulatorKeys | None = schema.SimulatorKeys()
    if not is_null(document.node((TENANT, _SIMULATOR))):
        checked = schema.check(schema.SimulatorKeys, document, (TENANT, _SIMULATOR))
        keys = checked.keys
        found += checked.problems
    keys = keys or schema.SimulatorKeys()
    tenant = EmbeddedTenant(
        state=root / (keys.state or DEFAULT_STATE),
        deploy_s=1.0 if keys.deploy_seconds is None else keys.deploy_seconds,
        failing=frozenset(keys.fail or ()),
    )
    return TenantFound(tenant=tenant, problems=(*problems, *found))


@dataclass(slots=True, kw_only=True)
class _Login:
    document: Document
    root: Path
    variables: Variables
    proxies: ProxyRules | None
    written: dict[str, _Value] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def read_file(self, checked: schema.Checked[schema.TenantKeys]) -> None:
        """Take over what the file gives; keys that are wrong or whose variable is not set count as given."""
        keys = checked.keys
        if keys is None:
            return
        given: dict[str, Scalar | None] = {
            "host": keys.host,
            "username": keys.username,
            "password": keys.password,
            "tokenUrl": keys.token_url,
            "clientId": keys.client_id,
            "clientSecret": keys.client_secret,
            "serviceKey": keys.service_key,
            CERTIFICATE: keys.client_certificate,
            KEY: keys.client_key,
        }
        for key, scalar in given.items():
            if key in checked.broken:
                self.written[key] = _Value(key=key, text=None)
            elif scalar is not None and scalar.origin is not Origin.UNSET:
                self.written[key] = _Value(key=key, text=self._cleaned(key, scalar))

    def _cleaned(self, key: str, scalar: Scalar) -> str | None:
        """Clean what is written in the file itself; a variable's value was cleaned when it was put in."""
        if scalar.origin is Origin.VARIABLE:
            return scalar.text
        value = cleaned(scalar.text, TENANT_KEYS[key].use)
        self.warnings += [str(self.document.problem((TENANT, key), note)) for note in value.notes]
        if not value.fault:
            return value.text
        advice = "; in this file a variable is written ${NAME}" if value.is_reference else ""
        self.problems.append(self.document.problem((TENANT, key), value.fault + advice))
        return None

    def resolve(self) -> TenantAccess:
        """Bring host and login together; everything that is missing becomes a problem."""
        method = self._method()
        values = {key: value for key in method if (value := self._value(key)) is not None}
        self._report_missing(method, values)
        service_key = self._service_key(values.get("serviceKey"))
        url = self._url(service_key, is_key_expected="serviceKey" in values)
        login = self._login(method, values, service_key)
        urls = (url or "", login.token_url if isinstance(login, OAuthLogin) else "")
        is_https = any(each.startswith("https:") for each in urls)
        certificates = self._certificates(read_authorities(self.variables) if is_https else Certificates())
        if login is None or not url:
            return UNKNOWN_TENANT
        if is_https:
            self.problems += check_authorities(certificates)
        return TenantAccess(url=url, login=login, certificates=certificates, routes=self._routes(urls))

    def _routes(self, urls: Iterable[str]) -> tuple[Route, ...]:
        """Choose the proxy for each address; raises nothing, what cannot be used is a problem."""
        routes = []
        for url in dict.fromkeys(parse_address(url).origin for url in urls if url):
            try:
                proxy = None if self.proxies is None else self.proxies.choose(url)
            except ProxyError as error:
                self.problems.append(Problem(file=error.variable, message=error.reason))
            else:
                routes += [Route(origin=url, proxy=proxy)] if proxy is not None else []
        return tuple(routes)

    def _method(self) -> tuple[str, ...]:
        begun = [method for method in _METHODS if any(key in self.written for key in method)]
        if len(begun) > 1:
            names = " and ".join(next(f"'{key}'" for key in method if key in self.written) for method in begun)
            self.problems.append(self.document.problem((TENANT,), f"two login methods are given ({names}); keep one"))
            return ()
        if begun:
            return begun[0]
        complete = [method for method in _METHODS if all(self._is_given(key) for key in self._needed(method))]
        started = [method for method in _METHODS if any(self._is_given(key) for key in method)]
        if complete or started:
            return (complete or started)[0]
        self._report(
            "no login is given: set CPI_SERVICE_KEY, or CPI_TOKEN_URL with CPI_CLIENT_ID and CPI_CLIENT_SECRET, or "
            "CPI_USERNAME with CPI_PASSWORD, or the keys serviceKey, tokenUrl, clientId, clientSecret, username, "
            "password of 'tenant'"
        )
        return ()

    def _needed(self, method: tuple[str, ...]) -> tuple[str, ...]:
        """Give the keys of a method that must be there: a client certificate stands in for a client's secret."""
        has_certificate = self._has(CERTIFICATE)
        return tuple(key for key in method if not (key == "clientSecret" and has_certificate))

    def _has(self, key: str) -> bool:
        return key in self.written or self._is_given(key)

    def _is_given(self, key: str) -> bool:
        """Return whether a variable stands in for a key; what it holds is not looked at yet."""
        names = (TENANT_KEYS[key].variable, *(("CPI_OAUTH_HOST",) if key == "tokenUrl" else ()))
        return any(self.variables.is_given(name) for name in names)

    def _value(self, key: str) -> _Value | None:
        return self.written.get(key) or self._variable(key)

    def _variable(self, key: str) -> _Value | None:
        if not self._is_given(key):
            return None
        name = TENANT_KEYS[key].variable
        if self.variables.is_given(name):
            return _Value(key=key, text=self.variables.read(name, TENANT_KEYS[key].use), variable=name)
        host = self.variables.read("CPI_OAUTH_HOST", Use.ADDRESS)
        path = self.variables.read("CPI_OAUTH_PATH", Use.ADDRESS)
        is_usable = host is not None and path is not None
        text = f"{(host or '').rstrip('/')}/{(path or DEFAULT_TOKEN_PATH).lstrip('/')}" if is_usable else None
        return _Value(key=key, text=text, variable="CPI_OAUTH_HOST")

    def _report_missing(self, method: tuple[str, ...], values: Mapping[str, _Value]) -> None:
        for key in self._needed(method):
            if key not in values:
                given = " and ".join(values[other].variable or f"'{other}'" for other in method if other in values)
                self._report(
                    f"the login is incomplete: besides {given} it needs '{key}' or {TENANT_KEYS[key].variable}"
                )

    def _service_key(self, value: _Value | None) -> ServiceKey | None:
        if value is None or value.text is None:
            return None
        try:
            return read_service_key(value.text, root=self.root, has_certificate=self._has(CERTIFICATE))
        except ServiceKeyError as error:
            rule = _NO_LOGIN if isinstance(error, UnreadableServiceKey) else ""
            self.problems.append(self._at(value, str(error), rule=rule))
            return None

    def _url(self, service_key: ServiceKey | None, *, is_key_expected: bool) -> str | None:
        value = self._value("host")
        from_key = self._value("serviceKey")
        if value is None and service_key is not None and service_key.url and from_key is not None:
            return self._address(from_key, service_key.url, "its url ", tenant_url)
        if value is None:
            # A service key that could not be read has its own problem; it may well have named the host.
            if not is_key_expected or service_key is not None:
                self._report("the tenant's host is missing: set 'host' or CPI_HOST")
            return None
        if value.text is None:
            return None
        url = self._address(value, value.text, "", tenant_url)
        if url and value.variable and service_key is not None and not _names_host(service_key, url):
            self.warnings.append("CPI_HOST names another host than the service key; CPI_HOST is used")
        return url

    def _login(
        self, method: tuple[str, ...], values: Mapping[str, _Value], service_key: ServiceKey | None
    ) -> BasicLogin | OAuthLogin | None:
        texts = {key: value.text for key, value in values.items() if value.text is not None}
        if service_key is not None:
            token_url = self._address(values["serviceKey"], service_key.token_url, "its tokenurl ", _token_url)
            client_id, client_secret = service_key.client_id, service_key.client_secret
        elif method == _OAUTH and "tokenUrl" in texts:
            token_url = self._address(values["tokenUrl"], texts["tokenUrl"], "", _token_url)
            client_id, client_secret = texts.get("clientId", ""), texts.get("clientSecret", "")
        elif method == _BASIC and len(texts) == len(_BASIC):
            return BasicLogin(username=texts["username"], password=texts["password"])
        else:
            return None
        if token_url and client_id and (client_secret or self._has(CERTIFICATE)):
            return OAuthLogin(token_url=token_url, client_id=client_id, client_secret=client_secret)
        return None

    def _certificates(self, authorities: Certificates) -> Certificates:
        certificate, key = self._value(CERTIFICATE), self._value(KEY)
        if certificate is None:
            if key is not None:
                missing = f"belongs to a certificate: set '{CERTIFICATE}' or {TENANT_KEYS[CERTIFICATE].variable} too"
                self.problems.append(self._at(key, missing))
            return authorities
        if certificate.text is None or (key is not None and key.text is None):
            return authorities
        try:
            return client_certificate(
                authorities, certificate=certificate.text, key=None if key is None else key.text, root=self.root
            )
        except CertificateError as error:
            place = key if key is not None and error.key == KEY else certificate
            self.problems.append(self._at(place, str(error), rule=_NO_LOGIN if error.is_unreadable else ""))
            return authorities

    def _address(self, value: _Value, text: str, what: str, read: Callable[[str], str]) -> str | None:
        try:
            return read(text)
        except AddressError as error:
            self.problems.append(self._at(value, f"{what}{error}"))
            return None

    def _at(self, value: _Value, message: str, *, rule: str = "") -> Problem:
        if value.variable:
            return Problem(file=value.variable, message=message, rule=rule)
        return self.document.problem((TENANT, value.key), message, rule=rule)

    def _report(self, message: str) -> None:
        """Say what is missing to log in: a run needs it, a check of the files does not."""
        self.problems.append(self.document.problem((TENANT,), message, rule=_NO_LOGIN))


def _token_url(text: str) -> str:
    return parse_address(text).url


def _names_host(service_key: ServiceKey, url: str) -> bool:
    try:
        return not service_key.url or tenant_url(service_key.url) == url
    except AddressError:
        return True
