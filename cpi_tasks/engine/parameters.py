"""Write configuration parameters: only what differs, one after another, because tenants store them in one document."""

from __future__ import annotations

from collections.abc import Iterable

from cpi_tasks.engine.context import Context
from cpi_tasks.model.naming import ArtifactRef
from cpi_tasks.model.plan import ParameterChange, UpdateStep


async def write_changes(ref: ArtifactRef, changes: Iterable[ParameterChange], context: Context) -> str:
    """Write the new values and give a phrase such as "2 parameters"; raises what the tenant refuses first."""
    design = context.designs[ref.artifact]
    written = 0
    for change in changes:
        await context.tenant.write_parameter(ref.artifact, change.key, change.new)
        design.parameters = {**design.parameters, change.key: change.new}
        written += 1
    return f"{written} parameter{'' if written == 1 else 's'}"


async def enforce_after_upload(ref: ArtifactRef, step: UpdateStep, context: Context) -> str:
    """Read the parameters again after an upload and write what is not as wanted; a phrase, empty where nothing was.

    A tenant keeps configured values over an upload, and takes those of a new archive only for parameters it did not
    know (flashpipe, cpictl): so nothing is known before it is read.
    """
    if not step.enforced:
        return ""
    shown = await context.tenant.read_parameters(ref.artifact)
    values = {parameter.key: parameter.value for parameter in shown or ()}
    context.designs[ref.artifact].parameters = values
    changes = [
        ParameterChange(key=key, old=values.get(key), new=value)
        for key, value in step.enforced.items()
        if values.get(key) != value
    ]
    return f", {await write_changes(ref, changes, context)} written" if changes else ""
