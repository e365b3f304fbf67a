"""Which system query options each address takes (SAP Help, OData API of Cloud Integration), and their refusal."""

from __future__ import annotations

from cpi_tasks.simulator.call import Call
from cpi_tasks.simulator.odata import ODataError

MAX_QUERY_CHARS = 8192
_ANYWHERE = frozenset({"$format", "$skiptoken"})
_PAGING = frozenset({"$top", "$skip"})
_CHOOSING = frozenset({"$filter", "$orderby", "$select"})
_KNOWN = _ANYWHERE | _PAGING | _CHOOSING | {"$expand", "$inlinecount"}
_FAMILY = "DesigntimeArtifacts"

_OPTIONS = {
    "": frozenset[str](),
    "$metadata": frozenset[str](),
    "IntegrationPackages": _PAGING,
    "IntegrationPackages()": frozenset[str](),
    "IntegrationDesigntimeLocks": _PAGING | {"$select", "$inlinecount"},
    "IntegrationRuntimeArtifacts": _PAGING | _CHOOSING | {"$inlinecount"},
    "IntegrationRuntimeArtifacts/$count": frozenset({"$filter"}),
    "ServiceEndpoints": _PAGING | {"$filter", "$select", "$expand", "$inlinecount"},
    "ServiceEndpoints()": frozenset({"$select", "$expand"}),
    "ServiceEndpoints/$count": frozenset({"$filter"}),
    "MessageProcessingLogs": _PAGING | _CHOOSING | {"$expand", "$inlinecount"},
    "MessageProcessingLogs/$count": frozenset({"$filter"}),
}
_BY_ENDING = {
    "/Configurations": _CHOOSING | {"$top"},
    "/Resources": _CHOOSING | {"$top"},
    "/Configurations/$count": frozenset({"$filter"}),
    "/Resources/$count": frozenset({"$filter"}),
    "/DesignGuidelineExecutionResults": frozenset({"$expand", "$select"}),
    "/DesignGuidelineExecutionResults()": frozenset({"$expand", "$select"}),
}


def check_options(call: Call, shape: str) -> None:
    """Refuse an option that OData does not know (400) or this address does not take (501 or 400), by its name.

    ``$skip`` and ``$inlinecount`` on a package's artifacts are no error: tenants ignore them.
    """
    if sum(len(name) + len(value) for name, value in call.query.items()) > MAX_QUERY_CHARS:
        raise ODataError(414, "The request address is too long.")
    for name in call.query:
        if not name.startswith("$") or name in _ANYWHERE:
            continue
        if name not in _KNOWN:
            raise ODataError(400, f"Invalid system query option '{name}'.")
        if name not in _taken(shape):
            # Counting packages has a text of its own on tenants.
            text = "$count is not supported" if name == "$inlinecount" else f"{name} is not supported"
            status = 501 if shape == "IntegrationPackages" else call.state.settings.unsupported_option_status
            raise ODataError(status, text)


def _taken(shape: str) -> frozenset[str]:
    if shape in _OPTIONS:
        return _OPTIONS[shape]
    for ending, options in _BY_ENDING.items():
        if shape.endswith(ending):
            return options
    if shape.startswith("IntegrationPackages()/") and shape.endswith(_FAMILY):
        selecting = {"$select"} if "MessageMapping" in shape else set()
        return frozenset({"$top", "$skip", "$inlinecount"} | selecting)
    if shape.endswith(_FAMILY):
        return _PAGING | {"$select", "$orderby", "$inlinecount"}
    return frozenset({"$select"}) if shape.endswith("()") else frozenset()
