"""The Invoke settings below ``cpi``: one name is known, and a misspelt one would have no effect in silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cpi_tasks.environment.suggestions import did_you_mean

_KNOWN = ("env",)
_VARIABLES = "INVOKE_CPI_"
_IGNORED = "x-"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeSettings:
    """What is set below ``cpi``, and what is wrong with it."""

    env: str | None = None
    problems: tuple[str, ...] = ()


def read_invoke_settings(section: object, variables: Mapping[str, str]) -> InvokeSettings:
    """Read the section ``cpi`` of Invoke's configuration, and the names of the variables that stand in for its keys."""
    if section is None:
        section = {}
    if not isinstance(section, Mapping):
        return InvokeSettings(problems=("the Invoke setting cpi must be a mapping such as {env: dev}",))
    problems = [
        f"unknown Invoke setting cpi.{key}{did_you_mean(str(key), _KNOWN)}"
        for key in section
        if key not in _KNOWN and not str(key).startswith(_IGNORED)
    ]
    known = [f"{_VARIABLES}{key.upper()}" for key in _KNOWN]
    problems += [
        f"unknown Invoke setting in the environment variable {name}{did_you_mean(name, known)}"
        for name, value in variables.items()
        if name.startswith(_VARIABLES) and name not in known and value
    ]
    env = section.get("env")
    if env is None or env == "":
        return InvokeSettings(problems=tuple(problems))
    if not isinstance(env, str):
        return InvokeSettings(problems=(*problems, "the Invoke setting cpi.env must be text: put it in quotes"))
    return InvokeSettings(env=env if env.strip() else None, problems=tuple(problems))
