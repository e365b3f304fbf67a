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

from cpi_tasks.model.config import BasicLogin, EmbeddedTenant, RunConfig, Settings
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.plan import ArtifactPlan, DeployAction, PackagePlan, Plan, UpdateStep
from cpi_tasks.planning.origins import content_now

_DIGITS = 32
# Costs a guesser of a password a twentieth of a second each, and us once.
_SCRYPT_N = 2**14


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One package's metadata or one artifact: what is to be done, and digests of the two sides it was decided from."""

    does: str
    files: str
    tenant: str


def derive_key(config: RunConfig, salt: str) -> bytes:
    """Derive the key of a saved plan's digests from the login's secret."""
    if isinstance(config.tenant, EmbeddedTenant):
        secret = str(config.tenant.state)
    else:
        login = config.tenant.login
        secret = login.password if isinstance(login, BasicLogin) else login.client_secret
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
        "onDrift": settings.on_drift.value,
    }


def plan_facts(plans: Iterable[Plan], inventories: Iterable[Inventory], key: bytes) -> Mapping[str, Facts]:
    """Give the facts of every package and artifact under the name it has in a sentence."""
    found: dict[str, Facts] = {}
    for plan, inventory in zip(plans, inventories, strict=True):
        for package in plan.packages:
            found[f"package '{package.id}'"] = _package(package, inventory, key)
            for artifact in package.artifacts:
                found[f"'{artifact.ref}'"] = _artifact(artifact, inventory, key)
    return found


def _package(package: PackagePlan, inventory: Inventory, key: bytes) -> Facts:
    now = inventory.packages.get(package.id)
    metadata = {} if now is None else now.metadata
    sent = sorted(package.metadata) if now is None else package.changed_fields
    return Facts(
        does=package.action.value,
        files=_digest(key, [[name, package.metadata.get(name)] for name in sent]),
        tenant=_digest(
            key,
            [
                now is not None,
                now is not None and now.is_read_only,
                inventory.unreadable_packages.get(package.id),
                [[name, metadata.get(name)] for name in package.changed_fields],
            ],
        ),
    )


def _artifact(artifact: ArtifactPlan, inventory: Inventory, key: bytes) -> Facts:
    id_ = artifact.ref.artifact
    design, runtime = inventory.artifacts.get(id_), inventory.runtime.get(id_)
    update = artifact.update
    return Facts(
        does="; ".join(_intentions(artifact)) or "nothing",
        files=_digest(key, [artifact.kind.value, None if update is None else _wanted(update)]),
        tenant=_digest(
            key,
            [
                None if design is None else design.version,
                content_now(id_, inventory),
                [] if update is None else [[change.key, change.old] for change in update.changes],
                inventory.unreadable_artifacts.get(id_),
                # A deployment that only goes on (STARTING, then STARTED) is no move of the tenant.
                None if artifact.deploy is None or runtime is None else [runtime.version, runtime.status == "ERROR"],
            ],
        ),
    )


def _wanted(update: UpdateStep) -> list[object]:
    content = update.content
    found: list[object] = [sorted(update.enforced.items())]
    if content is not None:
        found += [content.name, content.version, content.digest.fingerprint, content.digest.description]
    return found


def _intentions(artifact: ArtifactPlan) -> Iterator[str]:
    update, deploy = artifact.update, artifact.deploy
    if update is not None:
        yield f"{update.action.value} {update.version}".strip()
        if update.changes:
            yield f"set {', '.join(sorted(change.key for change in update.changes))}"
    if deploy is not None:
        yield "is running" if deploy.action is DeployAction.RUNNING else deploy.action.value
        # What runs waits for nothing: that something it uses is deployed again does not move it.
        if deploy.depends_on and deploy.action is not DeployAction.RUNNING:
            yield f"after {', '.join(str(ref) for ref in sorted(deploy.depends_on))}"


def key_id(key: bytes) -> str:
    """Give a mark by which the key is recognised."""
    return _digest(key, "the key of a saved plan")


def _digest(key: bytes, facts: object) -> str:
    return hmac.digest(key, json.dumps(facts).encode(), "sha256").hex()[:_DIGITS]


def _yes_or_no(*, is_it: bool) -> str:
    return "yes" if is_it else "no"
