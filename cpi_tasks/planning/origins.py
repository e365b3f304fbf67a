"""Who made a difference between files and tenant: a third side, what the last run left, tells."""

from __future__ import annotations

from collections.abc import Iterable

from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactId, PackageId
from cpi_tasks.model.plan import Origin
from cpi_tasks.planning.authors import blamed, blamed_for_package


def tell_origin(baseline: str | None, tenant: str | None, files: str | None) -> Origin:
    """Tell from three digests who made files and tenant differ; ``None`` is one that nobody knows.

    Where the tenant has moved and the files' digest is not known, somebody's edit is all that can be said.
    """
    if baseline is None or tenant is None:
        return Origin.UNKNOWN
    if baseline == tenant:
        return Origin.FILES
    return Origin.TENANT if files is None or files == baseline else Origin.BOTH


def combined(origins: Iterable[Origin]) -> Origin:
    """Tell the origin of several differences together; what is drift in one of them stays drift."""
    found = set(origins)
    if Origin.BOTH in found or {Origin.TENANT, Origin.FILES} <= found:
        return Origin.BOTH
    if Origin.TENANT in found:
        return Origin.TENANT
    return Origin.FILES if found == {Origin.FILES} else Origin.UNKNOWN


def content_now(artifact: ArtifactId, inventory: Inventory) -> str | None:
    """Give the fingerprint of an artifact's content on the tenant; ``None`` where it is not known."""
    downloaded = inventory.downloads.get(artifact)
    return inventory.fingerprints.get(artifact) if downloaded is None else downloaded.digest.fingerprint


def content_origin(artifact: ArtifactId, content: ArtifactContent, inventory: Inventory) -> Origin:
    """Tell who made the content differ; nobody can where only the description does, which no fingerprint covers."""
    now, wanted = content_now(artifact, inventory), content.digest.fingerprint
    if now is None or now == wanted:
        return Origin.UNKNOWN
    if is_own_upload(artifact, inventory):
        return Origin.FILES
    baseline = inventory.baselines.get(artifact)
    return blamed(tell_origin(None if baseline is None else baseline.content, now, wanted), artifact, inventory)


def is_own_upload(artifact: ArtifactId, inventory: Inventory) -> bool:
    """Tell whether the content is what a run uploaded that was cut off before it left a baseline.

    What was settled since stands against it: somebody may have restored what an older run of ours uploaded.
    """
    now, record = content_now(artifact, inventory), inventory.record(artifact)
    if now is None or now != record.uploaded:
        return False
    baseline = inventory.baselines.get(artifact)
    return baseline is None or (record.is_pending and baseline.content != now)


def draft_origin(artifact: ArtifactId, content: ArtifactContent, inventory: Inventory) -> Origin:
    """Tell who left a draft: this tool, where it is what was uploaded last or what the last run left as one."""
    baseline, now, wanted = (
        inventory.baselines.get(artifact),
        content_now(artifact, inventory),
        content.digest.fingerprint,
    )
    if is_own_upload(artifact, inventory):
        return Origin.FILES
    if baseline is None:
        return Origin.UNKNOWN
    if baseline.version is None and baseline.content == now:
        return Origin.FILES
    is_files_as_before = None in {now, baseline.content} or wanted in {now, baseline.content}
    return blamed(Origin.TENANT if is_files_as_before else Origin.BOTH, artifact, inventory)


def missing_origin(inventory: Inventory, *, was_there: bool) -> Origin:
    """Tell who made something be on the files' side only; where no run left any record, it may have been deleted."""
    if was_there:
        return Origin.UNKNOWN if inventory.unrecorded else Origin.TENANT
    return Origin.FILES if inventory.baselines or inventory.package_baselines else Origin.UNKNOWN


def parameter_origin(artifact: ArtifactId, key: str, inventory: Inventory) -> Origin:
    """Tell who made one parameter's value differ."""
    return blamed(_parameter_origin(artifact, key, inventory), artifact, inventory, of_content=False)


def _parameter_origin(artifact: ArtifactId, key: str, inventory: Inventory) -> Origin:
    baseline = inventory.baselines.get(artifact)
    shown, now = inventory.parameters.get(artifact), inventory.value_digests.get(artifact, {})
    is_proved = artifact in inventory.proved_parameters
    if baseline is None or (shown is None and not is_proved):
        return Origin.UNKNOWN
    left = baseline.parameters.get(key)
    wanted = inventory.wanted_digests.get(artifact, {}).get(key)
    if not is_proved and all(parameter.key != key for parameter in shown or ()):
        # The tenant has no such parameter: either it is new in the files, or it was taken away there.
        return Origin.FILES if left is None else tell_origin(left, "", wanted)
    return tell_origin(left, now.get(key), wanted)


def field_origin(package: PackageId, name: str, inventory: Inventory) -> Origin:
    """Tell who made one field of a package's metadata differ."""
    origin = tell_origin(
        inventory.package_baselines.get(package, {}).get(name),
        inventory.package_digests.get(package, {}).get(name),
        inventory.package_wanted_digests.get(package, {}).get(name),
    )
    return blamed_for_package(origin, package, inventory)
