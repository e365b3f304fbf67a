"""Saved plans: a plan as a file, and whether a run would still do exactly what it says."""

from __future__ import annotations

import json
import os.path
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath

from cpi_tasks.errors import InputError, Problem
from cpi_tasks.model.config import RunConfig, Selection
from cpi_tasks.planning.facts import AFTER, Basis, Facts, derive_key, key_id, plan_facts, seal_of, settings_facts
from cpi_tasks.planning.flags import SavedFlags, portable, read_flags, save_flags, with_flags

FORMAT = 1
_MOST_REASONS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """A plan that was saved: what it was made from and what it does, by the names things have in sentences.

    ``environment_file`` is relative to the project root where it is below it; empty where flags alone described the
    run. ``tenant`` identifies the tenant as records do. ``text`` is the whole document but for its ``seal``.
    """

    file: str
    made_at: str
    environment: str
    environment_file: str
    tenant: str
    key_id: str
    settings: Mapping[str, str]
    flags: SavedFlags
    facts: Mapping[str, Facts]
    text: str
    seal: str

    def restore(self, selection: Selection, *, root: Path, cwd: Path) -> Selection:
        """Give the selection the plan was made with, and what ``selection`` says of how to carry it out.

        ``cwd`` is what the paths of ``selection`` are relative to. Raises ``InputError`` where ``selection`` has flags
        that ask for something else than the plan.
        """
        problems = list(self._contradictions(selection, root, cwd))
        restored, wrong = with_flags(selection, self.flags, root=root, cwd=cwd)
        if problems or wrong:
            raise InputError([*problems, *wrong])
        if not self.environment_file:
            return restored
        file = os.path.normpath(cwd / root / self.environment_file)
        return replace(restored, env=file, orchestrator_config=None, env_origin="the saved plan")

    def _contradictions(self, selection: Selection, root: Path, cwd: Path) -> Iterator[Problem]:
        for flag, typed in (("--env", selection.env), ("--orchestrator-config", selection.orchestrator_config)):
            if typed is None or (typed == self.environment and self._is_named()):
                continue
            if portable(typed, root=root, cwd=cwd) != self.environment_file:
                message = (
                    f"'{typed}' is not the environment of the saved plan, which is '{self.environment}'; leave the "
                    "flag out, or make a new plan"
                )
                yield Problem(file="command line", path=flag, message=message)

    def _is_named(self) -> bool:
        """Tell whether the environment's name alone finds its file, which may lie elsewhere or not exist."""
        return PurePosixPath(self.environment_file).parent == PurePosixPath("environments")


def save_plan(
    parts: Sequence[Basis],
    *,
    config: RunConfig,
    selection: Selection,
    tenant: str,
    cwd: Path,
    made_at: str,
) -> str:
    """Give a plan as the text of a file; no parameter's value is in it, only keyed digests of what it rests on.

    ``made_at`` is a moment as a person reads it; ``cwd`` is what the selection's paths are relative to.
    """
    file = config.environment_file
    key = derive_key(config, _salt(tenant, made_at))
    document = {
        "format": FORMAT,
        "what": "a plan of cpi-tasks, for the task orchestrate with --plan FILE",
        "madeAt": made_at,
        "environment": config.environment,
        "environmentFile": "" if file is None else portable(str(file), root=config.root, cwd=cwd),
        "tenant": tenant,
        "keyId": key_id(key),
        "settings": settings_facts(config.settings),
        "flags": save_flags(selection, mode=config.settings.mode, root=config.root, cwd=cwd),
        "facts": {name: asdict(facts) for name, facts in plan_facts(parts, key).items()},
    }
    return json.dumps({**document, "seal": seal_of(key, _sealed(document))}, indent=2) + "\n"


def read_saved(text: str, file: str) -> SavedPlan:
    """Read a saved plan; raises ``InputError`` where the text is none, or one of another version of this tool."""
    try:
        document = json.loads(text)
        sealed = _sealed(document)
    except (ValueError, RecursionError) as error:
        raise _unreadable(file, "it is not a saved plan (no JSON)") from error
    match document:
        case {"format": int(found)} if found != FORMAT:
            raise _unreadable(file, "another version of cpi-tasks saved it")
        case {
            "format": int(),
            "madeAt": str(made_at),
            "environment": str(environment),
            "environmentFile": str(environment_file),
            "tenant": str(tenant),
            "keyId": str(mark),
            "settings": dict(settings),
            "flags": dict(flags),
            "facts": dict(facts),
            "seal": str(seal),
        }:
            read = read_flags(flags)
            if read is not None and all(isinstance(value, str) for value in settings.values()):
                return SavedPlan(
                    file=file,
                    made_at=made_at,
                    environment=environment,
                    environment_file=environment_file,
                    tenant=tenant,
                    key_id=mark,
                    settings=settings,
                    flags=read,
                    facts={name: _facts(found, file) for name, found in facts.items()},
                    text=sealed,
                    seal=seal,
                )
    raise _unreadable(file, "it is not a saved plan, or somebody changed it")


def why_stale(saved: SavedPlan, parts: Sequence[Basis], *, config: RunConfig, tenant: str) -> tuple[str, ...]:
    """Say why a run now would not do exactly what was saved: environment, files or tenant have moved; else nothing."""
    reasons = list(_moved_environment(saved, config, tenant))
    key = derive_key(config, _salt(tenant, saved.made_at))
    if not reasons and key_id(key) != saved.key_id:
        reasons.append("environment: the login's secret is not the one the plan was made with, so nothing compares")
    elif not reasons and seal_of(key, saved.text) != saved.seal:
        reasons.append("the file of the saved plan was changed after it was made")
    if reasons:
        return tuple(reasons)
    now = plan_facts(parts, key)
    reasons = [reason for name in saved.facts if (reason := _why_moved(name, saved.facts[name], now.get(name)))]
    reasons += [f"{name} is in the files now and was not in the plan" for name in now if name not in saved.facts]
    more = len(reasons) - _MOST_REASONS
    return (*reasons[:_MOST_REASONS], *([f"and {more} more"] if more > 0 else []))


def _moved_environment(saved: SavedPlan, config: RunConfig, tenant: str) -> Iterator[str]:
    if saved.tenant != tenant:
        yield f"environment: the plan is for tenant {saved.tenant}, this is {tenant}"
    settings = settings_facts(config.settings)
    for name, value in settings.items():
        if saved.settings.get(name) != value:
            yield f"environment: {name} was {saved.settings.get(name)}, is {value} now"


def _why_moved(name: str, then: Facts, now: Facts | None) -> str:
    if now is None:
        return f"{name} was in the plan and is not in the files any more"
    if now == then:
        return ""
    moved = [
        *(["the files have changed"] if then.files != now.files else []),
        *(["the tenant has changed"] if then.has_tenant_moved(now) else []),
    ]
    why = " and ".join(moved) or _unseen(then, now)
    if then.does == now.does:
        return f"{name}: {why}"
    return f"{name}: {why}; planned: {then.does}, now: {now.does}"


def _unseen(then: Facts, now: Facts) -> str:
    """Say why something else would be done although neither side of it moved."""
    if then.does.partition(AFTER)[0] == now.does.partition(AFTER)[0]:
        return "it waits for something else now"
    return "what .cpi/ has on record differs from when the plan was made"


def _sealed(document: object) -> str:
    """Give everything of a document but its seal; raises ``ValueError`` where a text is none that a file can have."""
    own = {name: value for name, value in document.items() if name != "seal"} if isinstance(document, dict) else {}
    text = json.dumps(own, sort_keys=True, ensure_ascii=False)
    text.encode()
    if "\\u0000" in text:
        raise ValueError("a zero byte")
    return text


def _salt(tenant: str, made_at: str) -> str:
    return f"{tenant} {made_at}"


def _facts(found: object, file: str) -> Facts:
    match found:
        case {"does": str(does), "files": str(files), "tenant": str(tenant), "values": dict(values), "runs": str(runs)}:
            texts = {name: value for name, value in values.items() if isinstance(value, str)}
            if len(texts) == len(values):
                return Facts(does=does, files=files, tenant=tenant, values=texts, runs=runs)
    raise _unreadable(file, "it is not a saved plan, or somebody changed it")


def _unreadable(file: str, why: str) -> InputError:
    return InputError([Problem(file=file, path="--plan", message=f"the saved plan cannot be used: {why}")])
