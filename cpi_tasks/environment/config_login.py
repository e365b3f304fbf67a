"""The login for a ``deployConfig`` URL: a bearer token, or user name and password, for that URL's host only."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field

from cpi_tasks.environment.addresses import Address, AddressError, parse_address
from cpi_tasks.environment.nodes import Document, Origin
from cpi_tasks.environment.schema import EnvironmentKeys
from cpi_tasks.errors import Problem
from cpi_tasks.model.config import BasicLogin

TOKEN, USERNAME, PASSWORD = "deployConfigToken", "deployConfigUsername", "deployConfigPassword"
_KEYS = (TOKEN, USERNAME, PASSWORD)
_TOKEN = re.compile(r"[\x21-\x7e]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigLogin:
    """A login; with ``host_url`` it goes only to the host of that URL."""

    value: str | BasicLogin = field(repr=False)
    """A bearer token, or user name and password."""
    host_url: str | None

    @property
    def keys(self) -> str:
        """The keys that give it, for a sentence."""
        return TOKEN if isinstance(self.value, str) else f"{USERNAME} and {PASSWORD}"

    @property
    def fault(self) -> str:
        """Why it cannot be sent, without its text; empty where it can."""
        if isinstance(self.value, str):
            is_fit = _TOKEN.fullmatch(self.value) is not None
            return "" if is_fit else f"{TOKEN} contains characters that no token has (blanks, line breaks)"
        # RFC 7617: the first colon ends the user name, and neither part has control characters.
        if ":" in self.value.username:
            return f"{USERNAME} contains a colon, which no user name of a Basic login has"
        if _CONTROL.search(self.value.username + self.value.password):
            return f"{self.keys} contain a line break or another control character"
        return ""

    def fits(self, address: Address) -> bool:
        """Return whether it may be sent to ``address``."""
        if self.host_url is None or "://" not in self.host_url:
            return True
        try:
            return parse_address(self.host_url).origin == address.origin
        except AddressError:
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigLoginFound:
    """The login that an environment file gives; where it is wrong, ``is_usable`` is false and nothing is fetched."""

    login: ConfigLogin | None = None
    problems: tuple[Problem, ...] = ()
    is_usable: bool = True
    secrets: tuple[str, ...] = field(default=(), repr=False)


def read_config_login(document: Document, keys: EnvironmentKeys, broken: frozenset[str]) -> ConfigLoginFound:
    """Read the login; ``broken`` are the keys that were given but cannot be used, and whose problems are known."""
    scalars = (keys.deploy_config_token, keys.deploy_config_username, keys.deploy_config_password)
    values = {
        key: scalar.text if key == TOKEN else scalar.text.rstrip("\r\n")
        for key, scalar in zip(_KEYS, scalars, strict=True)
        if scalar is not None and scalar.origin is not Origin.UNSET
    }
    secrets = _secrets(values)
    given = {*values, *(key for key in _KEYS if key in broken)}
    if problem := _contradiction(document, given):
        return ConfigLoginFound(problems=(problem,), is_usable=False, secrets=secrets)
    if given - set(values):
        return ConfigLoginFound(is_usable=False, secrets=secrets)
    if not values:
        return ConfigLoginFound()
    value = values[TOKEN] if TOKEN in values else BasicLogin(username=values[USERNAME], password=values[PASSWORD])
    return ConfigLoginFound(login=ConfigLogin(value=value, host_url=keys.deploy_config), secrets=secrets)


def _contradiction(document: Document, given: set[str]) -> Problem | None:
    if TOKEN in given and len(given) > 1:
        other = next(key for key in (USERNAME, PASSWORD) if key in given)
        return document.problem((other,), f"cannot be combined with {TOKEN}; keep one login", at_key=True)
    if len(given & {USERNAME, PASSWORD}) == 1:
        (key,) = given
        missing = PASSWORD if key == USERNAME else USERNAME
        return document.problem((key,), f"needs {missing} as well", at_key=True)
    return None


def _secrets(values: dict[str, str]) -> tuple[str, ...]:
    """Return what no output may show; the encoded form of a Basic login is as secret as its password."""
    found = [values[key].strip() for key in (TOKEN, PASSWORD) if key in values]
    if USERNAME in values and PASSWORD in values:
        found.append(b64encode(f"{values[USERNAME]}:{values[PASSWORD]}".encode()).decode())
    return tuple(found)
