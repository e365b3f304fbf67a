"""Flags, environment file and ``orchestrator:`` sections -> the settings of a run. The one place of precedence."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cpi_tasks.environment import schema
from cpi_tasks.environment.nodes import Document, Loc
from cpi_tasks.environment.yaml_source import command_line
from cpi_tasks.errors import Problem
from cpi_tasks.model.config import Selection, Settings
from cpi_tasks.model.naming import (
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

T = TypeVar("T")

DEFAULT_PATTERN = "*.y*ml"
_DEFAULT_RETRIES = 5
_DEFAULT_DELAY_S = 15.0
_DEFAULT_TIMEOUT_S = 600.0
_FLAG_NAMES = {
    "packagesDir": "--packages-dir",
    "deployConfig": "--deploy-config",
    "deploymentPrefix": "--deployment-prefix",
    "packageFilter": "--package-filter",
    "artifactFilter": "--artifact-filter",
    "configPattern": "--config-pattern",
    "mergeConfigs": "--merge-configs",
    "keepTemp": "--keep-temp",
    "mode": "--mode",
    "deployRetries": "--deploy-retries",
    "deployDelaySeconds": "--deploy-delay",
    "parallelDeployments": "--parallel-deployments",
    "maxParallelDeployments": "--max-parallel-deployments",
    "deployTimeoutSeconds": "--deploy-timeout",
    "verify": "--verify",
    "runDir": "--run-dir",
    "onDrift": "--on-drift",
    "onFailure": "--on-failure",
    "maxFailures": "--max-failures",
}
_NEVER_EMPTY = (
    *("packagesDir", "deployConfig", "configPattern", "verify", "runDir", "onDrift", "onFailure", "maxFailures"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One place that gives settings; its paths are relative to ``folder``; ``broken`` keys were given, but wrongly."""

    document: Document
    loc: Loc
    folder: Path
    keys: schema.SettingKeys
    broken: frozenset[str] = frozenset()

    def problem(self, key: str, message: str) -> Problem:
        """Say what is wrong with one of its settings."""
        return self.document.problem((*self.loc, key), message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """All places that give settings, the strongest first."""

    layers: tuple[Layer, ...]

    def first(self, read: Callable[[schema.SettingKeys], T | None]) -> tuple[T, Layer] | None:
        """Find the strongest place that gives a setting."""
        for layer in self.layers:
            value = read(layer.keys)
            if value is not None:
                return value, layer
        return None

    def value(self, read: Callable[[schema.SettingKeys], T | None]) -> T | None:
        """Find a setting; ``None`` where no place gives it."""
        found = self.first(read)
        return found[0] if found is not None else None

    def is_broken(self, key: str) -> bool:
        """Whether some place gives the setting wrongly."""
        return any(key in layer.broken for layer in self.layers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """The checked command line: the settings among its flags, and those that no file has; ``run_dir`` is absolute."""

    layer: Layer
    deploy_config: str | None
    run_dir: Path | None
    problems: tuple[Problem, ...]


def read_flags(selection: Selection, *, cwd: Path) -> Flags:
    """Check the flags; what is wrong with them is gathered. Paths are relative to ``cwd``, which is absolute."""
    texts = {
        "packagesDir": selection.packages_dir,
        "deployConfig": selection.deploy_config,
        "deploymentPrefix": selection.deployment_prefix,
        "packageFilter": selection.package_filter,
        "artifactFilter": selection.artifact_filter,
        "configPattern": selection.config_pattern,
        "mergeConfigs": _word(is_on=selection.merge_configs),
        "keepTemp": _word(is_on=selection.keep_temp),
        "mode": _mode(selection),
        "deployRetries": selection.deploy_retries,
        "deployDelaySeconds": selection.deploy_delay,
        "parallelDeployments": selection.parallel_deployments,
        "maxParallelDeployments": selection.max_parallel_deployments,
        "deployTimeoutSeconds": selection.deploy_timeout,
        "verify": selection.verify,
        "runDir": selection.run_dir,
        "onDrift": selection.on_drift,
        "onFailure": selection.on_failure,
        "maxFailures": selection.max_failures,
    }
    given = {key: text for key, text in texts.items() if text is not None}
    empty = [key for key in _NEVER_EMPTY if key in given and not given[key].strip()]
    document = command_line({key: text for key, text in given.items() if key not in empty}, _FLAG_NAMES)
    # Most runs have no such flag: then the schema of flags, which takes its time, need not be built.
    unset = schema.FlagKeys.model_construct()
    checked = schema.check(schema.FlagKeys, document, ()) if given else schema.Checked(keys=unset)
    keys = checked.keys or unset
    problems = (
        *checked.problems,
        *(document.problem((key,), "must not be empty") for key in empty),
        *_contradictions(selection),
    )
    layer = Layer(document=document, loc=(), folder=cwd, keys=keys, broken=checked.broken | set(empty))
    run_dir = Path(os.path.normpath(cwd / keys.run_dir)) if keys.run_dir else None
    return Flags(layer=layer, deploy_config=keys.deploy_config, run_dir=run_dir, problems=problems)


def _mode(selection: Selection) -> str | None:
    if selection.mode is not None:
        return selection.mode.value
    return selection.mode_flags[0][1] if selection.mode_flags else None


def _contradictions(selection: Selection) -> tuple[Problem, ...]:
    if len(selection.mode_flags) < 2:  # noqa: PLR2004 - one flag cannot contradict itself
        return ()
    flags = ", ".join(flag for flag, _ in selection.mode_flags)
    return (Problem(file="command line", path=flags, message="name different modes; give one of them"),)


def resolve(layers: Layers, *, force: bool, allow_downgrade: bool, strict: bool) -> Settings:
    """Apply precedence and defaults; what somebody changed on a protected tenant stops a run unless told otherwise."""
    parallel = layers.value(lambda keys: keys.parallel_deployments) or Settings().parallel_deployments
    is_protected = bool(layers.value(lambda keys: keys.protected))
    rates = [layer.keys.requests_per_second for layer in layers.layers]
    return Settings(
        mode=layers.value(lambda keys: keys.mode) or Mode.UPDATE_AND_DEPLOY,
        keep_temp=bool(layers.value(lambda keys: keys.keep_temp)),
        force=force,
        parallel_deployments=parallel,
        max_parallel_deployments=(
            layers.value(lambda keys: keys.max_parallel_deployments) or max(parallel, min(10, 3 * parallel))
        ),
        deploy_delay_s=layers.value(lambda keys: keys.deploy_delay_seconds) or _DEFAULT_DELAY_S,
        deploy_timeout_s=_deploy_timeout_s(layers),
        request_timeout_s=layers.value(lambda keys: keys.request_timeout_seconds) or Settings().request_timeout_s,
        designtime_rate=_first(rate.designtime for rate in rates if rate) or Settings().designtime_rate,
        runtime_rate=_first(rate.runtime for rate in rates if rate) or Settings().runtime_rate,
        parameter_policy=layers.value(lambda keys: keys.parameter_policy) or ParameterPolicy.OVERRIDES,
        value_mappings=layers.value(lambda keys: keys.value_mappings) or ValueMappingPolicy.SAFE,
        on_draft=layers.value(lambda keys: keys.on_draft) or DraftPolicy.FAIL,
        versioning=layers.value(lambda keys: keys.versioning) or VersionPolicy.MANIFEST,
        allow_downgrade=allow_downgrade,
        is_strict=strict,
        polling=layers.value(lambda keys: keys.polling) or PollingPolicy.ADAPTIVE,
        outage_budget_s=_given(layers.value(lambda keys: keys.outage_budget_seconds), Settings().outage_budget_s),
        on_failure=layers.value(lambda keys: keys.on_failure) or FailurePolicy.CONTINUE,
        max_failures=layers.value(lambda keys: keys.max_failures),
        interrupt_grace_s=_given(layers.value(lambda keys: keys.interrupt_grace_seconds), Settings().interrupt_grace_s),
        deploy_proof=layers.value(lambda keys: keys.deploy_proof) or DeployProof.STRICT,
        on_same_version=layers.value(lambda keys: keys.on_same_version) or SameVersionPolicy.WARN,
        verify=layers.value(lambda keys: keys.verify) or VerifyPolicy.PARAMETERS,
        on_drift=(layers.value(lambda keys: keys.on_drift) or (DriftPolicy.FAIL if is_protected else DriftPolicy.WARN)),
        is_protected=is_protected,
    )


def check_proof(layers: Layers, settings: Settings) -> tuple[Problem, ...]:
    """Return the problem of ``deployProof: versions`` where one version may stand for two contents."""
    is_sound = settings.versioning is VersionPolicy.BUMP or settings.on_same_version is SameVersionPolicy.FAIL
    if settings.deploy_proof is DeployProof.STRICT or is_sound:
        return ()
    given = next(layer for layer in layers.layers if layer.keys.deploy_proof is not None)
    message = (
        "'versions' takes a version that runs for a proof of its content, so no run may change content under an "
        "unchanged version: set versioning: bump, or onSameVersion: fail"
    )
    return (given.problem("deployProof", message),)


def _deploy_timeout_s(layers: Layers) -> float:
    timeout_s = layers.value(lambda keys: keys.deploy_timeout_seconds)
    if timeout_s is not None:
        return timeout_s
    retries = layers.value(lambda keys: keys.deploy_retries)
    delay_s = layers.value(lambda keys: keys.deploy_delay_seconds)
    if retries is None and delay_s is None:
        return _DEFAULT_TIMEOUT_S
    return (retries or _DEFAULT_RETRIES) * (delay_s or _DEFAULT_DELAY_S)


def find_disagreements(sections: Iterable[Layer]) -> tuple[Problem, ...]:
    """Compare the ``orchestrator:`` sections of merged files: they are one run, so they must say the same."""
    problems = []
    first: dict[str, tuple[object, Layer]] = {}
    for layer in sections:
        for name, info in schema.SettingKeys.model_fields.items():
            value = getattr(layer.keys, name)
            key = str(info.alias)
            if value is None:
                continue
            other_value, other = first.setdefault(key, (value, layer))
            if other_value != value:
                place = other.document.position((*other.loc, key))
                message = f"merged files must agree, but {place.file}:{place.line} gives another value"
                problems.append(layer.problem(key, message))
    return tuple(problems)


def _given(value: float | None, default: float) -> float:
    """Give a number for which zero means zero."""
    return default if value is None else value


def _first(values: Iterable[float | None]) -> float | None:
    return next((value for value in values if value is not None), None)


def _word(*, is_on: bool | None) -> str | None:
    return None if is_on is None else str(is_on).lower()
