"""What a plan was made from, as digests: so a saved plan can tell whether files or tenant have moved since.

Only what a decision rests on counts: that somebody deployed the same version again, say, changes nothing. Digests are
keyed with the login's secret, which both sides of a saved plan have, so that no parameter's value can be guessed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cpi_tasks.content import comparable_metadata, given_metadata
from cpi_tasks.model.config import ArtifactSpec, DeployConfig, EmbeddedTenant, RunConfig, Settings
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.model.plan import ArtifactPlan, DeployAction, PackagePlan, Plan
from cpi_tasks.planning.origins import content_now

AFTER = "; after "
"""What stands between what is done with an artifact and what that waits for."""

_DIGITS = 32
# Costs a guesser of a password a twentieth of a second each, and us once.
_SCRYPT_N = 2**14


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What one plan was made from."""

    plan: Plan
    config: DeployConfig
    contents: Mapping[ArtifactRef, ArtifactContent]
    inventory: Inventory


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One package's metadata or one artifact: what is to be done, and digests of the two sides it was decided from.

    ``values`` are digests of what the tenant has for each field or parameter that the files ask for, by name: which
    of them are looked at is the files' doing, so they are compared one by one. ``runs`` is one of what runs, empty for
    what is not deployed by runs.
    """

    does: str
    files: str
    tenant: str
    values: Mapping[str, str]
    runs: str = ""

    def has_tenant_moved(self, now: Facts) -> bool:
        """Tell whether the tenant is another than it was in these facts."""
        both = self.values.keys() & now.values.keys()
        is_running_other = self.runs != now.runs and "" not in {self.runs, now.runs}
        has_other_values = any(self.values[name] != now.values[name] for name in both)
        return self.tenant != now.tenant or is_running_other or has_other_values


def derive_key(config: RunConfig, salt: str) -> bytes:
    """Derive the key of a saved plan's digests from the login's secret."""
    secret = str(config.tenant.state) if isinstance(config.tenant, EmbeddedTenant) else config.tenant.secret
    return hashlib.scrypt(secret.encode(), salt=salt.encode(), n=_SCRYPT_N, r=8, p=1)


def settings_facts(settings: Settings) -> Mapping[str, str]:
    """Give the settings that a plan's decisions rest on, under the names that users know."""
    return {
        "mode": settings.mode.value,
        "force": _yes_or_no(is_it=settings.force),
        "parameterPolicy": settings.parameter_policy.value,
        "valueMappings": settings.value_mappings.value,
        "onDraft": settings.on_draft.value,
        "versioning": settings.versioning.value,
        "allowDowngrade": _yes_or_no(is_it=settings.allow_downgrade),
        "deployProof": settings.deploy_proof.value,
        "onSameVersion": settings.on_same_version.value,
        "onDrift": settings.on_drift.value,
    }


def plan_facts(parts: Iterable[Basis], key: bytes) -> Mapping[str, Facts]:
    """Give the facts of every package and artifact under the name it has in a sentence."""
    found: dict[str, Facts] = {}
    for part in parts:
        specs = {spec.ref: spec for package in part.config.packages for spec in package.artifacts}
        for package, spec in zip(part.plan.packages, part.config.packages, strict=True):
            is_given = part.plan.updates and spec.sync
            wanted = comparable_metadata(given_metadata(spec)) if is_given else {}
            found[f"package '{package.id}'"] = _package(package, wanted, part.inventory, key)
            for artifact in package.artifacts:
                files = _files(artifact, specs[artifact.ref], part.contents.get(artifact.ref))
                found[f"'{artifact.ref}'"] = _artifact(artifact, files, part.inventory, key)
    return found


def _package(package: PackagePlan, wanted: Mapping[str, str], inventory: Inventory, key: bytes) -> Facts:
    now = inventory.packages.get(package.id)
    metadata = {} if now is None else comparable_metadata(now.metadata)
    is_read_only = now is not None and now.is_read_only
    return Facts(
        does=package.action.value,
        files=_digest(key, sorted(wanted.items())),
        tenant=_digest(key, [now is not None, is_read_only, inventory.unreadable_packages.get(package.id)]),
        values={name: _digest(key, [name, metadata.get(name)]) for name in wanted},
    )


def _files(artifact: ArtifactPlan, spec: ArtifactSpec, content: ArtifactContent | None) -> list[object]:
    """Give what the files say of an artifact, as far as the plan looks at it."""
    found: list[object] = [artifact.kind.value, artifact.update is not None, artifact.deploy is not None]
    if artifact.update is not None and content is not None:
        found += [content.name, content.version, content.digest.fingerprint, content.digest.description]
        found += [sorted(content.parameters.items()), sorted(spec.overrides.items())]
    return found


def _artifact(artifact: ArtifactPlan, files: list[object], inventory: Inventory, key: bytes) -> Facts:
    id_ = artifact.ref.artifact
    design, runtime = inventory.artifacts.get(id_), inventory.runtime.get(id_)
    enforced = {} if artifact.update is None else artifact.update.enforced
    # Values that were not read are proved to be the wanted ones.
    values = enforced if id_ in inventory.proved_parameters else inventory.values(id_)
    return Facts(
        does="; ".join(_intentions(artifact)) + _awaited(artifact) or "nothing",
        files=_digest(key, files),
        tenant=_digest(
            key,
            [
                None if design is None else design.version,
                content_now(id_, inventory),
                inventory.unreadable_artifacts.get(id_),
            ],
        ),
        values={name: _digest(key, [name, values.get(name)]) for name in enforced},
        # A deployment that only goes on (STARTING, then STARTED) is no move of the tenant.
        runs=""
        if artifact.deploy is None
        else _digest(key, None if runtime is None else [runtime.version, runtime.status == "ERROR"]),
    )


def _intentions(artifact: ArtifactPlan) -> Iterator[str]:
    update, deploy = artifact.update, artifact.deploy
    if update is not None:
        yield f"{update.action.value} {update.version}".strip()
        if update.changes:
            yield f"set {', '.join(sorted(change.key for change in update.changes))}"
    if deploy is not None:
        yield "is running" if deploy.action is DeployAction.RUNNING else deploy.action.value


def _awaited(artifact: ArtifactPlan) -> str:
    deploy = artifact.deploy
    # What runs waits for nothing: that something it uses is deployed again does not move it.
    if deploy is None or deploy.action is DeployAction.RUNNING or not deploy.depends_on:
        return ""
    return f"{AFTER}{', '.join(str(ref) for ref in sorted(deploy.depends_on))}"


def key_id(key: bytes) -> str:
    """Give a mark by which the key is recognised."""
    return _digest(key, "the key of a saved plan")


def seal_of(key: bytes, text: str) -> str:
    """Give a mark of a whole saved plan: who changes the file cannot make it without the login's secret."""
    return _digest(key, ["the seal of a saved plan", text])


def _digest(key: bytes, facts: object) -> str:
    return hmac.digest(key, json.dumps(facts).encode(), "sha256").hex()[:_DIGITS]


def _yes_or_no(*, is_it: bool) -> str:
    return "yes" if is_it else "no"
