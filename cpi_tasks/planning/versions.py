"""What the versions of files and tenant mean together: the manifest's counts where it is higher."""

from __future__ import annotations

from cpi_tasks.model.plan import UpdateAction, UpdateStep
from cpi_tasks.model.version import is_higher


def version_warning(step: UpdateStep) -> tuple[str, ...]:
    """Warn where the tenant will not have the version the files name, or changed content keeps the version it had."""
    if step.content is None or not step.base_version:
        return ()
    wanted, base = step.content.version, step.base_version
    match step.action:
        case UpdateAction.UPDATE | UpdateAction.REPLACE:
            return _for_changed_content(wanted, base)
        case UpdateAction.UNCHANGED | UpdateAction.CONFIGURE if is_higher(wanted, base):
            return (f"the files say version {wanted}, the tenant has the same content as {base}: {base} stays",)
        case _:
            return ()


def _for_changed_content(wanted: str, base: str) -> tuple[str, ...]:
    if is_higher(wanted, base):
        return ()
    if wanted == base:
        return (f"content changes under the unchanged version {base}; raise Bundle-Version to tell the states apart",)
    return (f"the files say version {wanted}, the tenant has {base}: the tenant's version stays",)
