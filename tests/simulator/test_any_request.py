"""Whatever is sent, the answer is a documented status in a form that can be read, and the tenant lives on."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

import httpx
import pytest
import trio
from defusedxml import ElementTree
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cpi_tasks.simulator import Simulator, SimulatorSettings
from cpi_tasks.simulator.metadata import ENTITY_SETS, FUNCTIONS

Build = Callable[..., bytes]
DOCUMENTED = {200, 201, 202, 204, 400, 403, 404, 406, 409, 414, 500, 501}
PROFILES = ("default", "strict", "lenient", "drafts", "legacy")

_text = st.text(st.characters(codec="utf-8"), max_size=30)
_ids = st.sampled_from(["F", "M", "S", "V", "P", "active", "Active", "1.0.0", "", "'", "a", "x" * 300]) | _text
_literals = _ids.map(lambda value: "'" + quote(value.replace("'", "''"), safe="") + "'")
_keys = st.sampled_from(["Id", "Version", "Name", "ResourceType", "TaskId", "SrcAgency", "SrcId", "TgtAgency", "TgtId"])
_predicates = st.lists(st.tuples(_keys, _literals), min_size=1, max_size=4).map(
    lambda pairs: ",".join(f"{key}={value}" for key, value in pairs)
)
_reserved = ("$batch", "$metadata", "$links", "$value", "$count", "ErrorInformation")
_names = st.sampled_from([*ENTITY_SETS, *FUNCTIONS, *_reserved])
_artifact = st.sampled_from(
    [
        "IntegrationDesigntimeArtifacts(Id='F',Version='active')",
        "MessageMappingDesigntimeArtifacts(Id='M',Version='1.0.0')",
        "ScriptCollectionDesigntimeArtifacts(Id='S',Version='active')",
        "ValueMappingDesigntimeArtifacts(Id='V',Version='active')",
        "IntegrationPackages('P')",
        "IntegrationRuntimeArtifacts('F')",
    ]
)
_segments = _names | _artifact | st.builds("{}({})".format, _names, _literals | _predicates) | _text
_paths = st.lists(_segments, min_size=1, max_size=4).map("/".join)
_options = st.sampled_from(
    [
        *("$filter", "$select", "$orderby", "$expand", "$top", "$skip", "$skiptoken", "$inlinecount", "$format"),
        *("$x", "Id", "Version", "SaveAsVersion", "IsConfigured", "SrcAgency", "SrcId", "TgtAgency", "TgtId"),
        *("SrcValue", "TgtValue", "ValMapId", "Overwrite", "ImportMode", "Author"),
    ]
)
_values = _literals | _text.map(quote) | st.sampled_from(["true", "1", "allpages"])
_queries = st.lists(st.tuples(_options, _values), max_size=10)


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name or "x", data)
    return buffer.getvalue()


_paths_inside = st.sampled_from(
    [
        *("META-INF/MANIFEST.MF", "src/main/resources/parameters.prop", "src/main/resources/parameters.propdef"),
        *("value_mapping.xml", "metainfo.prop", "src/main/resources/scenarioflows/integrationflow/a.iflw"),
        *("../x", "/x", "resources.cnt", "a.mmap", "src/main/resources/script/a.groovy"),
    ]
)
_archives = st.dictionaries(_paths_inside, st.binary(max_size=60), max_size=4).map(_zipped)
_contents = (_archives | st.binary(max_size=60)).map(lambda data: base64.b64encode(data).decode()) | _text
_fields = st.dictionaries(
    st.sampled_from(["Id", "Name", "PackageId", "ShortText", "Mode", "Description", "ParameterValue", "Value"])
    | st.sampled_from(["ResourceType", "ReferencedResourceType", "d"]),
    _ids | st.sampled_from(["groovy", "a.groovy", "xsd"]) | st.none() | st.integers(),
    max_size=5,
)
_content_fields = st.dictionaries(
    st.sampled_from(["ArtifactContent", "PackageContent", "ResourceContent"]), _contents, max_size=2
)


def _batch(method: str, path: str, body: bytes) -> bytes:
    head = f"--b\r\nContent-Type: application/http\r\n\r\n{method} {path} HTTP/1.1\r\n\r\n"
    return head.encode() + body + b"\r\n--b--"


_bodies = (
    st.builds(lambda one, two: json.dumps({**one, **two}).encode(), _fields, _content_fields)
    | st.binary(max_size=60)
    | st.builds(_batch, st.sampled_from(["GET", "PUT", "POST", "DELETE"]), _paths, st.binary(max_size=30))
)
_types = st.sampled_from(["", "application/json", "text/plain", "multipart/mixed; boundary=b", "multipart/mixed", ";="])
_requests = st.tuples(
    st.sampled_from(["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD"]),
    _paths,
    _queries.map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)),
    _bodies,
    _types,
    st.sampled_from(["application/json", "application/xml", "*/*", ""]),
)
Request = tuple[str, str, str, bytes, str, str]


def _check_form(answer: httpx.Response) -> None:
    """Expect a document of the announced format from an error, or nothing."""
    if answer.status_code >= 400 and answer.content:
        if "json" in answer.headers["content-type"]:
            assert answer.json()["error"]["code"]
        else:
            assert ElementTree.fromstring(answer.content).tag.endswith("error")


@pytest.mark.parametrize("profile", PROFILES)
@given(requests=st.lists(_requests, min_size=1, max_size=12))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_request_is_answered(profile: str, flow: Build, bundle: Build, requests: list[Request]) -> None:
    """Random addresses, options, bodies and types; an exception in the application would be raised here."""
    unlimited = {"designtime_rate": None, "designtime_tenant_rate": None}
    simulator = Simulator(replace(SimulatorSettings.profile(profile), **unlimited))  # type: ignore[arg-type]
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F", parameters={"a": "1"}))
    for kind in ("MessageMapping", "ScriptCollection", "ValueMapping"):
        simulator.add_artifact("P", kind[0], kind, bundle(kind[0], kind))

    async def send() -> None:
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=simulator.app),
            base_url="https://tenant.example/api/v1/",
            auth=("demo-user", "demo-password"),
        )
        fetched = await client.get("", headers={"X-CSRF-Token": "Fetch"})
        client.headers["X-CSRF-Token"] = fetched.headers["X-CSRF-Token"]
        for method, path, query, body, kind, accept in requests:
            address = quote(path, safe="/'()=,$%") + (f"?{query}" if query else "")
            headers = {"Accept": accept, **({"Content-Type": kind} if kind else {})}
            answer = await client.request(method, f"/api/v1/{address}", content=body, headers=headers)
            assert answer.status_code in DOCUMENTED, (method, address, answer.status_code)
            _check_form(answer)
        assert (await client.get("IntegrationPackages")).status_code == 200

    trio.run(send)


async def test_a_million_small_things_are_refused_quickly(flow: Build) -> None:
    """Deep nesting, endless filters, endless lists of criteria, many parts: nothing takes long or falls over."""
    simulator = Simulator(SimulatorSettings(enforce_csrf="never"))
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=simulator.app),
        base_url="https://tenant.example/api/v1/",
        auth=("demo-user", "demo-password"),
        headers={"Accept": "application/json"},
    )
    simulator.set_runtime("F", "STARTED")
    nested = b"[" * 1_000_000
    assert (await client.post("IntegrationPackages", content=nested)).status_code == 400
    assert (await client.post("IntegrationPackages", content=b'{"a":' * 1_000_000)).status_code == 400
    for option in ("$filter=" + "x or " * 1500, "$orderby=" + "Id," * 2000, "$filter=" + "'" * 5000):
        assert (await client.get(f"IntegrationRuntimeArtifacts?{option}")).status_code == 400
    parts = b"--b\r\n\r\n" * 100_000 + b"--b--"
    kind = {"Content-Type": "multipart/mixed; boundary=b"}
    assert (await client.post("$batch", content=parts, headers=kind)).status_code == 400
    assert (await client.get("IntegrationPackages" + "(" * 4000)).status_code == 404
