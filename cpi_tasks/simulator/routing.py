"""Which handler answers which request, and what is answered where none does."""

from __future__ import annotations

from starlette.responses import Response

from cpi_tasks.simulator import (
    routes_checks,
    routes_configurations,
    routes_designtime,
    routes_endpoints,
    routes_locks,
    routes_metadata,
    routes_packages,
    routes_resources,
    routes_runtime,
    routes_value_mappings,
)
from cpi_tasks.simulator.call import Call, Handler, Route
from cpi_tasks.simulator.metadata import ENTITY_SETS, FUNCTIONS
from cpi_tasks.simulator.odata import ODataError
from cpi_tasks.simulator.query_options import check_options

ROUTES: dict[Route, Handler] = {
    **routes_packages.ROUTES,
    **routes_designtime.ROUTES,
    **routes_configurations.ROUTES,
    **routes_resources.ROUTES,
    **routes_checks.ROUTES,
    **routes_value_mappings.ROUTES,
    **routes_locks.ROUTES,
    **routes_runtime.ROUTES,
    **routes_endpoints.ROUTES,
    **routes_metadata.ROUTES,
}
"""Every route but ``$batch``, whose parts go through these."""

_SHAPES = frozenset(shape for _, shape in ROUTES)
_SETS = frozenset(ENTITY_SETS)
_NAMES = _SETS | FUNCTIONS.keys() | {part.removesuffix("()") for shape in _SHAPES for part in shape.split("/")}
_DECLARED_ONLY = frozenset({"IntegrationFlows", "DesignGuidelines"})
"""Sets that ``$metadata`` declares and no address reaches."""


def answer(call: Call) -> Response:
    """Answer a call: 404 for an unknown set or path, 501 for an operation or set that is not offered directly."""
    shape = "/".join(segment.shape for segment in call.segments)
    handler = ROUTES.get((call.method, shape))
    if handler is None:
        raise _refusal(call, shape)
    if call.method == "GET":
        check_options(call, shape)
    return handler(call)


def _refusal(call: Call, shape: str) -> ODataError:
    head = call.head.name
    if head == "IntegrationPackages" and shape.endswith("/$count"):
        return ODataError(501, "$count is not supported")
    is_offered_elsewhere = len(call.segments) == 1 and head in _NAMES and head not in _DECLARED_ONLY
    if shape in _SHAPES or is_offered_elsewhere or shape == "$batch":
        return ODataError(501, "Not implemented")
    names = [part.name for part in call.segments if not part.name.startswith("$")] or [head]
    unknown = next((name for name in names if name not in _NAMES), names[-1])
    return ODataError(404, f"Could not find an entity set or function import for '{unknown}'.")
