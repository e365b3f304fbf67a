"""Write configuration parameters: only what differs, one after another, because tenants store them in one document."""

from __future__ import annotations

from collections.abc import Sequence

from cpi_tasks.engine.context import Context
from cpi_tasks.engine.keeping import keep_state
from cpi_tasks.errors import TenantError
from cpi_tasks.model.naming import ArtifactKind, ArtifactRef
from cpi_tasks.model.plan import ParameterChange, UpdateStep


async def write_changes(ref: ArtifactRef, changes: Sequence[ParameterChange], context: Context) -> str:
    """Write the new values, read all of them back once, and give a phrase such as "2 parameters".

    Raises what the tenant refuses first, and ``TenantError`` where it shows another value than the one it took.
    """
    design = context.designs[ref.artifact]
    for change in changes:
        await context.tenant.write_parameter(ref.artifact, change.key, change.new)
        design.parameters = {**(design.parameters or {}), change.key: change.new}
    if changes:
        await _read_back(ref, changes, context)
    return f"{len(changes)} parameter{'' if len(changes) == 1 else 's'}"


async def _read_back(ref: ArtifactRef, changes: Sequence[ParameterChange], context: Context) -> None:
    shown = await context.tenant.read_parameters(ref.artifact)
    if shown is None:
        context.designs[ref.artifact].hide_parameters()
        text = f"{ref}: the tenant does not show its parameters, so what was written could not be compared"
        context.ledger.warnings.append(text)
        return
    values = {parameter.key: parameter.value for parameter in shown}
    context.designs[ref.artifact].parameters = values
    lost = sorted(change.key for change in changes if values.get(change.key) != change.new)
    if lost:
        keys = ", ".join(f"'{key}'" for key in lost)
        raise TenantError(
            f"could not set {keys} of integration flow '{ref.artifact}': the tenant took the write, but shows another "
            "value afterwards; look at the parameter's type and at who else is configuring this flow, then run again"
        )


async def enforce_after_upload(ref: ArtifactRef, step: UpdateStep, context: Context) -> str:
    """Read the parameters again after an upload and write what is not as wanted; a phrase, empty where nothing was.

    A tenant keeps configured values over an upload, and takes those of a new archive only for parameters it did not
    know (flashpipe, cpictl), or also for those that nobody configured: so nothing is known before it is read, unless
    both are the same. Where no time of change will tell the next run that nothing has changed, only values that were
    read prove it: a tenant may add parameters of its own.
    """
    if step.content is None or step.content.spec.kind is not ArtifactKind.INTEGRATION_FLOW:
        return ""
    design, given = context.designs[ref.artifact], step.content.parameters
    is_proof_needed = design.modified_at is None and bool(step.content.known_keys)
    known = None if is_proof_needed else design.parameters
    if not step.enforced and known is not None and all(known.get(key) == value for key, value in given.items()):
        return ""
    shown = await context.tenant.read_parameters(ref.artifact)
    values = {parameter.key: parameter.value for parameter in shown or ()}
    design.parameters = values
    if shown is None:
        design.hide_parameters()
    changes = [
        ParameterChange(key=key, old=values.get(key), new=value)
        for key, value in step.enforced.items()
        if values.get(key) != value
    ]
    if not changes:
        return ""
    # Some tenants show the values of a draft only now that a version of it is saved.
    keep_state(ref, step, context)
    return f", {await write_changes(ref, changes, context)} written"
