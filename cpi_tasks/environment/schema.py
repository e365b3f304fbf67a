"""The keys of environment files and deploy configurations, and how a mapping is checked against them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from cpi_tasks.environment import scalars
from cpi_tasks.environment.kinds import read_kind
from cpi_tasks.environment.nodes import Document, Loc, MappingNode, Node, Scalar, SequenceNode, is_null, is_unset
from cpi_tasks.environment.suggestions import did_you_mean
from cpi_tasks.environment.yaml_text import name_invisible
from cpi_tasks.errors import Problem
from cpi_tasks.model.config import MaxFailures
from cpi_tasks.model.naming import (
    ArtifactKind,
    DeployProof,
    DraftPolicy,
    DriftPolicy,
    FailurePolicy,
    Mode,
    ParameterPolicy,
    PollingPolicy,
    SameVersionPolicy,
    ValueMappingPolicy,
    VerifyPolicy,
    VersionPolicy,
)

Text = Annotated[str | None, PlainValidator(scalars.setting_text)]
PathText = Annotated[str | None, PlainValidator(scalars.path_text)]
FreeText = Annotated[str | None, PlainValidator(scalars.optional_text)]
Name = Annotated[str, PlainValidator(scalars.required_text)]
Folder = Annotated[str, PlainValidator(scalars.folder_text)]
Prefix = Annotated[str | None, PlainValidator(scalars.prefix_text)]
Secret = Annotated[Scalar | None, PlainValidator(scalars.secret)]
Flag = Annotated[bool | None, PlainValidator(scalars.flag)]
Count = Annotated[int | None, PlainValidator(scalars.whole_number)]
Seconds = Annotated[float | None, PlainValidator(scalars.positive_number)]
Rate = Annotated[float | None, PlainValidator(scalars.positive_number)]
Override = Annotated[str, PlainValidator(scalars.as_written)]

_MOST_PROBLEMS = 200
"""More wrong keys of one mapping are only counted: such a file is something else altogether."""
_ONLY_IN_ENVIRONMENT = "belongs in the environment file"


class _Keys(BaseModel):
    """Base of all schemas: no unknown keys, and no input in any message."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, alias_generator=to_camel, defer_build=True
    )

    misplaced: ClassVar[Mapping[str, str]] = {}


class Rates(_Keys):
    """``requestsPerSecond``."""

    designtime: Rate = None
    runtime: Rate = None


class SettingKeys(_Keys):
    """The settings that flags, environment files and ``orchestrator:`` sections share; ``None`` means not given."""

    misplaced: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("deployConfig", "tenant", "packages", "deployConfigToken", "deployConfigUsername", "deployConfigPassword"),
        _ONLY_IN_ENVIRONMENT,
    )

    packages_dir: PathText = None
    deployment_prefix: Prefix = None
    package_filter: Text = None
    artifact_filter: Text = None
    config_pattern: Text = None
    merge_configs: Flag = None
    keep_temp: Flag = None
    mode: Annotated[Mode | None, PlainValidator(scalars.choice(Mode))] = None
    deploy_retries: Count = None
    deploy_delay_seconds: Seconds = None
    parallel_deployments: Count = None
    max_parallel_deployments: Count = None
    requests_per_second: Rates | None = None
    deploy_timeout_seconds: Seconds = None
    request_timeout_seconds: Seconds = None
    parameter_policy: Annotated[ParameterPolicy | None, PlainValidator(scalars.choice(ParameterPolicy))] = None
    value_mappings: Annotated[ValueMappingPolicy | None, PlainValidator(scalars.choice(ValueMappingPolicy))] = None
    on_draft: Annotated[DraftPolicy | None, PlainValidator(scalars.choice(DraftPolicy))] = None
    versioning: Annotated[VersionPolicy | None, PlainValidator(scalars.choice(VersionPolicy))] = None
    deploy_proof: Annotated[DeployProof | None, PlainValidator(scalars.choice(DeployProof))] = None
    on_same_version: Annotated[SameVersionPolicy | None, PlainValidator(scalars.choice(SameVersionPolicy))] = None
    verify: Annotated[VerifyPolicy | None, PlainValidator(scalars.choice(VerifyPolicy))] = None
    on_drift: Annotated[DriftPolicy | None, PlainValidator(scalars.choice(DriftPolicy))] = None
    protected: Flag = None
    polling: Annotated[PollingPolicy | None, PlainValidator(scalars.choice(PollingPolicy))] = None
    outage_budget_seconds: Annotated[float | None, PlainValidator(scalars.duration_or_zero)] = None
    on_failure: Annotated[FailurePolicy | None, PlainValidator(scalars.choice(FailurePolicy))] = None
    max_failures: Annotated[MaxFailures | None, PlainValidator(scalars.number_or_share)] = None
    interrupt_grace_seconds: Annotated[float | None, PlainValidator(scalars.duration_or_zero)] = None


class EnvironmentKeys(SettingKeys):
    """An environment file; ``tenant`` and ``packages`` have schemas of their own."""

    misplaced: ClassVar[Mapping[str, str]] = {}

    deploy_config: PathText = None
    deploy_config_token: Secret = None
    deploy_config_username: Secret = None
    deploy_config_password: Secret = None
    tenant: object = None
    packages: object = None


class FlagKeys(SettingKeys):
    """The flags."""

    deploy_config: PathText = None
    run_dir: Text = None


class SimulatorKeys(_Keys):
    """``tenant.simulator``."""

    deploy_seconds: Annotated[float | None, PlainValidator(scalars.duration_or_zero)] = None
    fail: list[Name] | None = None
    state: Text = None


class TenantKeys(_Keys):
    """``tenant``; the values stay scalars, so that a variable that is not set is told from a key not given."""

    host: Secret = None
    username: Secret = None
    password: Secret = None
    token_url: Secret = None
    client_id: Secret = None
    client_secret: Secret = None
    service_key: Secret = None
    client_certificate: Secret = None
    client_key: Secret = None
    simulator: object = None


class ConfigFileKeys(_Keys):
    """The top level of a deploy configuration."""

    misplaced: ClassVar[Mapping[str, str]] = dict.fromkeys(
        (to_camel(name) for name in SettingKeys.model_fields if name != "deployment_prefix"),
        "belongs in the environment file or in an 'orchestrator:' section",
    )

    deployment_prefix: Prefix = None
    packages: object = None
    orchestrator: object = None


class PackageKeys(_Keys):
    """One entry of ``packages``; its artifacts are checked one by one."""

    integration_suite_id: Name
    package_dir: Folder
    display_name: Text = None
    description: FreeText = None
    short_text: FreeText = Field(default=None, alias="short_text")
    sync: Flag = None
    deploy: Flag = None
    artifacts: object = None


class ArtifactKeys(_Keys):
    """One entry of ``artifacts``."""

    artifact_id: Name
    artifact_dir: Folder
    display_name: Text = None
    type: Annotated[ArtifactKind | None, PlainValidator(read_kind)] = None
    sync: Flag = None
    deploy: Flag = None
    config_overrides: dict[str, Override] | None = None
    depends_on: list[Name] | None = None


K = TypeVar("K", bound=_Keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked(Generic[K]):
    """The outcome of checking one mapping: what of it is usable, and the top keys that are not."""

    keys: K | None
    problems: tuple[Problem, ...] = ()
    broken: frozenset[str] = frozenset()


def check(schema: type[K], document: Document, loc: Loc) -> Checked[K]:
    """Check the mapping at ``loc``; wrong keys are left out, and where a required one lacks, ``keys`` is ``None``."""
    node = document.node(loc)
    if not isinstance(node, MappingNode):
        kind = "empty" if node is None or is_null(node) else node.kind
        return Checked(keys=None, problems=(document.problem(loc, f"must be a mapping of keys, not {kind}"),))
    raw = {key: _plain(entry.node) for key, entry in node.entries.items()}
    unset = frozenset(key for key, entry in node.entries.items() if is_unset(entry.node))
    try:
        return Checked(keys=schema.model_validate(raw), broken=unset)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False, include_context=False)
    broken = unset | {str(detail["loc"][0]) for detail in details}
    # A variable that is not set was reported when it was to be put in; what follows from it is no news.
    news = [detail for detail in details if not is_unset(document.node((*loc, *detail["loc"])))]
    problems = tuple(_problem(schema, document, loc, detail) for detail in news[:_MOST_PROBLEMS])
    if left := len(news[_MOST_PROBLEMS:]):
        problems += (document.problem(loc, f"{left} more keys are wrong, too"),)
    usable = {key: value for key, value in raw.items() if key not in broken}
    try:
        return Checked(keys=schema.model_validate(usable), problems=problems, broken=broken)
    except ValidationError:
        return Checked(keys=None, problems=problems, broken=broken)


def _plain(node: Node) -> object:
    if isinstance(node, MappingNode):
        return {key: _plain(entry.node) for key, entry in node.entries.items()}
    if isinstance(node, SequenceNode):
        return [_plain(item) for item in node.items]
    return None if is_null(node) else node


def _problem(schema: type[_Keys], document: Document, base: Loc, detail: ErrorDetails) -> Problem:
    loc = (*base, *detail["loc"])
    match detail["type"]:
        case "extra_forbidden":
            return document.problem(loc, _unknown(schema, detail["loc"]), at_key=True)
        case "missing":
            return document.problem(loc, "is required")
        case "list_type":
            return document.problem(loc, "must be a list")
        case "model_type" | "dict_type":
            return document.problem(loc, "must be a mapping of keys")
        case _:
            return document.problem(loc, detail["msg"])


def _unknown(schema: type[_Keys], inner: Loc) -> str:
    key = str(inner[-1])
    if invisible := name_invisible(key):
        return f"unknown key{invisible}"
    if len(inner) > 1:
        return f"unknown key{did_you_mean(key, key_names(Rates))}"
    if key in schema.misplaced:
        return schema.misplaced[key]
    return f"unknown key{did_you_mean(key, key_names(schema))}"


def key_names(schema: type[BaseModel]) -> list[str]:
    """Return the keys that a schema accepts, as written in files."""
    # pydantic before 2.10 generates the aliases of a deferred schema with its first use.
    return [info.alias or to_camel(name) for name, info in schema.model_fields.items()]
