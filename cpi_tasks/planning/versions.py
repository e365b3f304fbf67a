"""What the versions of files and tenant mean together: the manifest's counts where it is higher."""

from __future__ import annotations

from cpi_tasks.model.plan import UpdateAction, UpdateStep
from cpi_tasks.model.version import is_higher


def version_warning(step: UpdateStep) -> tuple[str, ...]:
    """Warn where changed content will not get the version the files name, or keeps the version it had."""
    if step.action is not UpdateAction.UPDATE or step.content is None or not step.base_version:
        return ()
    wanted, base = step.content.version, step.base_version
    if is_higher(wanted, base):
        return ()
    if wanted == base:
        return (f"content changes under the unchanged version {base}; raise Bundle-Version to tell the states apart",)
    return (f"the files say version {wanted}, the tenant has {base}: the tenant's version stays",)
