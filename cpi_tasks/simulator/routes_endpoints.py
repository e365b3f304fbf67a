"""What tenants tell about running flows: entry points and message processing logs (SAP Help)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse, Response

from cpi_tasks.simulator.call import Call, Handler, Route, empty
from cpi_tasks.simulator.endpoints import url_of
from cpi_tasks.simulator.filters import choose
from cpi_tasks.simulator.lifecycle import RuntimeArtifact
from cpi_tasks.simulator.odata import ODataError
from cpi_tasks.simulator.rendering import DateTime, Entity, literal

_FILTERABLE = ("Name", "Protocol")
_NAVIGATIONS = ("EntryPoints", "ApiDefinitions")
_NOT_FOUND = "Requested entity could not be found."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Endpoint:
    flow: RuntimeArtifact
    address: str
    protocol: str

    @property
    def id(self) -> str:
        return f"{self.flow.id}$endpointAddress={self.address}"


def _endpoints(call: Call) -> list[_Endpoint]:
    """Give the entry points of what has been STARTED for long enough."""
    now_ms = call.state.clock.now_ms()
    since_ms = now_ms - call.state.settings.endpoints_delay_s * 1000
    shown = [record.look(now_ms) for record in call.state.runtime.values()]
    return [
        _Endpoint(flow=item, address=address, protocol=protocol)
        for item in shown
        if item is not None and item.status == "STARTED" and item.since_ms <= since_ms
        for address, protocol in item.snapshot.endpoints.items()
    ]


def _row(item: _Endpoint) -> dict[str, str]:
    return {"Name": item.flow.id, "Protocol": item.protocol}


def _children(call: Call, item: _Endpoint, name: str) -> list[Entity]:
    host = f"runtime-{urlsplit(call.format.base_url).hostname}"
    url = url_of(item.address, item.protocol, host)
    if name == "EntryPoints":
        properties = {"Name": item.flow.snapshot.name, "Url": url, "Type": "PROD", "AdditionalInformation": ""}
        return [Entity(type="EntryPoint", path=f"EntryPoints({literal(url)})", properties=properties)]
    if item.protocol != "SOAP":
        return []
    definition = {"Url": f"{url}?wsdl", "Name": "WSDL"}
    return [Entity(type="APIDefinition", path=f"APIDefinitions({literal(url)})", properties=definition)]


def _entity(call: Call, item: _Endpoint) -> Entity:
    wanted = [name.strip() for name in call.query.get("$expand", "").split(",") if name.strip()]
    unknown = next((name for name in wanted if name not in _NAVIGATIONS), None)
    if unknown is not None:
        raise ODataError(400, f"Invalid value for system query option '$expand': '{unknown}'.")
    return Entity(
        type="ServiceEndpoint",
        path=f"ServiceEndpoints({literal(item.id)})",
        properties={
            "Id": item.id,
            "Name": item.flow.id,
            "Title": item.flow.snapshot.name,
            "Version": item.flow.version,
            "Summary": "",
            "Description": "",
            "LastUpdated": DateTime(item.flow.deployed_on),
            "Protocol": item.protocol,
        },
        navigations=_NAVIGATIONS,
        expanded={name: _children(call, item, name) for name in wanted},
    )


def list_endpoints(call: Call) -> Response:
    """``GET ServiceEndpoints[?$expand=EntryPoints,ApiDefinitions]``: 200, also empty."""
    chosen = choose(call.query, _endpoints(call), _row, _FILTERABLE)
    return call.listing(chosen, lambda item: _entity(call, item))


def count_endpoints(call: Call) -> Response:
    """``GET ServiceEndpoints/$count``: 200 with a plain number."""
    return PlainTextResponse(str(len(choose(call.query, _endpoints(call), _row, _FILTERABLE))))


def read_endpoint(call: Call) -> Response:
    """``GET ServiceEndpoints('F$endpointAddress=orders')``: 200 or 404."""
    return call.one(_entity(call, _addressed(call)))


def list_children(call: Call) -> Response:
    """``GET ServiceEndpoints('…')/EntryPoints`` and ``/ApiDefinitions``: 200, also empty."""
    return call.listing(_children(call, _addressed(call), call.segments[-1].name), lambda item: item)


def _addressed(call: Call) -> _Endpoint:
    wanted = call.head.key("Id")
    found = next((item for item in _endpoints(call) if item.id == wanted), None)
    if found is None:
        raise ODataError(404, _NOT_FOUND)
    return found


def list_logs(call: Call) -> Response:
    """``GET MessageProcessingLogs``: 200 and empty: no message ever arrives here, so no filter finds one."""
    nothing: list[Entity] = []
    return call.listing(nothing, lambda item: item)


def count_logs(_call: Call) -> Response:
    """``GET MessageProcessingLogs/$count``: 200, always 0."""
    return PlainTextResponse("0")


def read_log(_call: Call) -> Response:
    """``GET MessageProcessingLogs('g')``: 404."""
    raise ODataError(404, _NOT_FOUND)


def log_error(_call: Call) -> Response:
    """``GET MessageProcessingLogs('g')/ErrorInformation/$value``: 204, there is none."""
    return empty(204)


ROUTES: dict[Route, Handler] = {
    ("GET", "ServiceEndpoints"): list_endpoints,
    ("GET", "ServiceEndpoints/$count"): count_endpoints,
    ("GET", "ServiceEndpoints()"): read_endpoint,
    ("GET", "ServiceEndpoints()/EntryPoints"): list_children,
    ("GET", "ServiceEndpoints()/ApiDefinitions"): list_children,
    ("GET", "MessageProcessingLogs"): list_logs,
    ("GET", "MessageProcessingLogs/$count"): count_logs,
    ("GET", "MessageProcessingLogs()"): read_log,
    ("GET", "MessageProcessingLogs()/ErrorInformation/$value"): log_error,
}
