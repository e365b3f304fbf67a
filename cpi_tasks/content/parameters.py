"""The externalised parameters of an integration flow: ``parameters.prop``, ``parameters.propdef`` and the model."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cpi_tasks.content.flow import placeholders
from cpi_tasks.content.folder import PROP_PATH, RESOURCES
from cpi_tasks.content.intake import read_checked
from cpi_tasks.content.properties import merge_properties, read_properties
from cpi_tasks.content.xml import child_text, local_name, parse_xml
from cpi_tasks.model.config import ArtifactSpec
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.naming import ArtifactKind, ParameterPolicy

PROPDEF_PATH = f"{RESOURCES}parameters.propdef"
_KIND = ArtifactKind.INTEGRATION_FLOW
SCHEDULE_TYPE = "custom:schedule"
_PLACEHOLDER = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowParameters:
    """The parameters of a flow with the overrides merged in; ``data`` is the merged file, ``None`` where there is none.

    ``types`` and ``known_keys`` are as in ``ArtifactContent``.
    """

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    types: Mapping[str, str] = field(default_factory=dict)
    known_keys: frozenset[str] = frozenset()
    data: bytes | None = field(default=None, repr=False)


def read_flow_parameters(
    files: Mapping[str, Path], models: Iterable[bytes], overrides: Mapping[str, str]
) -> FlowParameters:
    """Read a flow's parameter files and merge ``overrides`` into them.

    An override whose key nothing in the folder names is left out here: it may be a parameter of the tenant. Where
    neither ``.prop`` nor ``.propdef`` exists, no file is made. Raises ``InputError``.
    """
    data = read_checked(files[PROP_PATH], PROP_PATH, _KIND) if PROP_PATH in files else None
    values = read_properties(data) if data is not None else {}
    types = _types(files[PROPDEF_PATH]) if PROPDEF_PATH in files else {}
    known = frozenset(values).union(types, *(placeholders(model) for model in models))
    merged = {key: value for key, value in overrides.items() if key in known}
    if data is None and (PROPDEF_PATH not in files or not merged):
        return FlowParameters(types=types, known_keys=known)
    return FlowParameters(
        values={**values, **merged},
        types=types,
        known_keys=known,
        data=merge_properties(data or b"", merged) if merged else data,
    )


def wanted_parameters(
    spec: ArtifactSpec, content: ArtifactContent, policy: ParameterPolicy, tenant_schedules: Collection[str]
) -> Mapping[str, str]:
    """Give the values that are enforced on the tenant: the overrides, and under ``ALL`` those of the file too.

    Of the file's values are left out, unless an override names them: empty ones, those nobody filled in (``<Host>``),
    and schedules, known by their type in the files or as a key among ``tenant_schedules``. The file's keys come first.
    """
    overrides = dict(spec.overrides)
    if policy is not ParameterPolicy.ALL:
        return overrides
    # A schedule may be known as one on either side only; it is left alone in both cases.
    schedules = {key for key, data_type in content.parameter_types.items() if data_type == SCHEDULE_TYPE}
    schedules.update(tenant_schedules)
    return {
        key: value
        for key, value in content.parameters.items()
        # A value in angle brackets is a placeholder only if it is not XML: no second bracket within.
        if key not in schedules and value and not _PLACEHOLDER.fullmatch(value)
    } | overrides


def _types(file: Path) -> dict[str, str]:
    """Give the type of each parameter the definition names."""
    root = parse_xml(read_checked(file, PROPDEF_PATH, _KIND))
    types: dict[str, str] = {}
    for parameter in (element for element in root if local_name(element) == "parameter"):
        for name in (child_text(parameter, "key"), child_text(parameter, "name")):
            if name:
                types[name] = child_text(parameter, "type")
    return types
