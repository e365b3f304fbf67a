"""What real clients rely on, point by point: login, formats, status codes, content (the second half stands beside)."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

import httpx
from defusedxml import ElementTree

from cpi_tasks.simulator import Simulator

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
Encode = Callable[[bytes], str]
TOKEN = "https://tenant.example/oauth/token"
CLIENT = ("demo-client", "demo-secret")
GRANT = {"grant_type": "client_credentials"}
FLOW_F = "IntegrationDesigntimeArtifacts(Id='F',Version='active')"
BODY = {"Id": "P", "Name": "P", "ShortText": "P"}


def _plain(simulator: Simulator) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=simulator.app), base_url="https://tenant.example/api/v1/"
    )


def _message(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["message"]["value"])


def _files(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


async def test_item_01_token_variants(connect: Connect) -> None:
    """Grant type in query or body, credentials as Basic or parameters, 401 otherwise; tokens end on demand."""
    simulator, _ = connect()
    client = _plain(simulator)
    secrets = {"client_id": "demo-client", "client_secret": "demo-secret"}
    answers = [
        await client.post(TOKEN, params=GRANT, auth=CLIENT),
        await client.post(TOKEN, data=GRANT, auth=CLIENT),
        await client.post(TOKEN, data={**GRANT, **secrets}),
        await client.post(TOKEN, params={**GRANT, **secrets}),
    ]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert {answer.json()["expires_in"] for answer in answers} == {43199}
    assert (await client.post(TOKEN, data=GRANT, auth=("demo-client", "no"))).status_code == 401
    headers = {"Authorization": f"Bearer {answers[0].json()['access_token']}"}
    assert (await client.get("", headers=headers)).status_code == 200
    simulator.expire_tokens()
    assert (await client.get("", headers=headers)).status_code == 401


async def test_item_02_service_document_with_csrf_token(connect: Connect) -> None:
    """``GET /api/v1/`` and a package list hand out a token and cookies, for any spelling of the wish."""
    simulator, _ = connect()
    for path, wish in (("", "Fetch"), ("IntegrationPackages?$top=1", "FETCH"), ("", "fetch")):
        client = _plain(simulator)
        client.auth = httpx.BasicAuth("demo-user", "demo-password")
        answer = await client.get(path, headers={"x-csrf-token": wish})
        assert answer.status_code == 200
        assert answer.headers["X-CSRF-Token"]
        assert "JSESSIONID" in answer.cookies


async def test_item_03_csrf_only_for_basic_sessions(connect: Connect) -> None:
    """Token and cookies belong together; a switch enforces it always or never."""
    expected = {"basic": (403, 201), "always": (403, 403), "never": (201, 201)}
    for rule, (with_basic, with_bearer) in expected.items():
        simulator, _ = connect(enforce_csrf=rule)
        client = _plain(simulator)
        basic = await client.post("IntegrationPackages", json=BODY, auth=("demo-user", "demo-password"))
        assert basic.status_code == with_basic
        assert (basic.headers.get("X-CSRF-Token") == "Required") is (with_basic == 403)
        token = (await client.post(TOKEN, data=GRANT, auth=CLIENT)).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        bearer = await client.post("IntegrationPackages", json={**BODY, "Id": "Q"}, headers=headers)
        assert bearer.status_code == with_bearer


async def test_item_04_url_decoding(connect: Connect, flow: Build) -> None:
    """Quotes, dollar, blanks, equal signs and brackets may be encoded; quotes are doubled; versions in any case."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "O'B", "Integration", flow("O'B", parameters={"Receiver Host": "x"}))
    artifact = "IntegrationDesigntimeArtifacts%28Id%3D%27O%27%27B%27,Version='ACTIVE')"
    assert (await client.get(f"{artifact}/%24value")).status_code == 200
    for key in ("'Receiver%20Host'", "'Receiver+Host'"):
        answer = await client.put(f"{artifact}/%24links/Configurations({key})", json={"ParameterValue": "y"})
        assert answer.status_code == 202
    simulator.set_runtime("O'B", "STARTED")
    listed = await client.get("IntegrationRuntimeArtifacts?%24filter=Id+eq+%27O%27%27B%27")
    assert [row["Id"] for row in listed.json()["d"]["results"]] == ["O'B"]


async def test_item_05_formats(connect: Connect) -> None:
    """Atom unless JSON is asked for; errors in the same format; the code is the reason phrase."""
    simulator, client = connect()
    simulator.add_package("P")
    atom = await client.get("IntegrationPackages('P')", headers={"Accept": "*/*"})
    assert ElementTree.fromstring(atom.content).tag == "{http://www.w3.org/2005/Atom}entry"
    forced = await client.get("IntegrationPackages('P')?$format=json", headers={"Accept": "*/*"})
    assert forced.json()["d"]["Id"] == "P"
    wrong = await client.get("IntegrationPackages('X')")
    assert wrong.json()["error"]["code"] == "Not Found"
    as_xml = await client.get("IntegrationPackages('X')", headers={"Accept": "application/xml"})
    assert b"<code>Not Found</code>" in as_xml.content


async def test_item_06_status_codes(connect: Connect, flow: Build, encode: Encode) -> None:
    """Every success has exactly the status that clients compare with."""
    _, client = connect()
    content = encode(flow("F", parameters={"a": "1"}))
    artifact = {"Id": "F", "Name": "F", "PackageId": "P", "ArtifactContent": content}
    calls = [
        ("POST", "IntegrationPackages", BODY, 201),
        ("PUT", "IntegrationPackages('P')", BODY, 202),
        ("POST", "IntegrationDesigntimeArtifacts", artifact, 201),
        ("PUT", FLOW_F, {"ArtifactContent": content}, 200),
        ("POST", "IntegrationDesigntimeArtifactSaveAsVersion?Id='F'&SaveAsVersion='1.0.1'", None, 200),
        ("PUT", f"{FLOW_F}/$links/Configurations('a')", {"ParameterValue": "2"}, 202),
        ("POST", "DeployIntegrationDesigntimeArtifact?Id='F'&Version='active'", None, 202),
        ("DELETE", FLOW_F, None, 200),
        ("DELETE", "IntegrationPackages('P')", None, 202),
    ]
    for method, path, body, status in calls:
        answer = await client.request(method, path, json=body)
        assert (method, path, answer.status_code) == (method, path, status)


async def test_item_06_undeploying_is_202(connect: Connect) -> None:
    """As is every deployment."""
    simulator, client = connect()
    simulator.set_runtime("F", "STARTED")
    assert (await client.delete("IntegrationRuntimeArtifacts('F')")).status_code == 202


async def test_item_07_bodies(connect: Connect, flow: Build, encode: Encode) -> None:
    """PUT, DELETE, SaveAsVersion and parameter writes have no body; creations carry ``d`` with version 1.0.0."""
    _, client = connect()
    await client.post("IntegrationPackages", json=BODY)
    content = encode(flow("F", parameters={"a": "1"}))
    created = await client.post(
        "IntegrationDesigntimeArtifacts", json={"Id": "F", "Name": "F", "PackageId": "P", "ArtifactContent": content}
    )
    assert created.json()["d"]["Version"] == "1.0.0"
    empties = [
        await client.put("IntegrationPackages('P')", json=BODY),
        await client.put(FLOW_F, json={"ArtifactContent": content}),
        await client.post("IntegrationDesigntimeArtifactSaveAsVersion?Id='F'&SaveAsVersion='1.0.1'"),
        await client.put(f"{FLOW_F}/$links/Configurations('a')", json={"ParameterValue": "2"}),
        await client.delete(FLOW_F),
        await client.delete("IntegrationPackages('P')"),
    ]
    assert [answer.content for answer in empties] == [b""] * 6


async def test_item_08_package_bodies(connect: Connect) -> None:
    """Wrapped or bare, unknown fields ignored; missing ShortText, bad ids and a mode are refused."""
    _, client = connect()
    assert (await client.post("IntegrationPackages", json={"d": {**BODY, "Colour": "red"}})).status_code == 201
    for change in ({"ShortText": ""}, {"Id": "A_B"}, {"Id": "A-B"}, {"Id": "A.B"}, {"Mode": "EDIT_ALLOWED"}):
        assert (await client.post("IntegrationPackages", json={**BODY, "Id": "Q", **change})).status_code == 400


async def test_item_09_links_of_lists_work(connect: Connect, flow: Build) -> None:
    """``uri``, ``media_src`` and ``edit_media`` are absolute and work as they stand, for versions and for drafts."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"), version="1.0.3")
    simulator.add_artifact("P", "D", "Integration", flow("D"))
    simulator.edit_as_draft("D", {"a.txt": b"1"})
    rows = (await client.get("IntegrationPackages('P')/IntegrationDesigntimeArtifacts")).json()["d"]["results"]
    assert [row["Version"] for row in rows] == ["1.0.3", "Active"]
    for row in rows:
        links = row["__metadata"]
        for link in (links["uri"], links["media_src"], links["edit_media"], links["id"]):
            assert link.startswith("https://tenant.example:443/api/v1/")
            assert (await client.get(link)).status_code == 200


async def test_item_10_downloads(connect: Connect, flow: Build) -> None:
    """``$value`` gives the stored zip with a file name whatever is accepted."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F", files={"src/main/resources/script/a.groovy": b"x"}))
    for accept in ("application/zip", "application/json", "application/octet-stream", "*/*"):
        answer = await client.get(f"{FLOW_F}/$value", headers={"Accept": accept})
        assert re.search(r'filename="F\.zip"', answer.headers["content-disposition"])
        assert _files(answer.content)["src/main/resources/script/a.groovy"] == b"x"


async def test_item_11_refused_content(connect: Connect, flow: Build, bundle: Build, encode: Encode) -> None:
    """Other symbolic names, ids in mapping updates, ``.prop`` alone, value mapping updates and PATCH are refused."""
    simulator, client = connect()
    simulator.add_package("P")
    body = {"Id": "F", "Name": "F", "PackageId": "P", "ArtifactContent": encode(flow("Other"))}
    await client.post("IntegrationDesigntimeArtifacts", json=body)
    stored = _files((await client.get(f"{FLOW_F}/$value")).content)["META-INF/MANIFEST.MF"]
    assert b"Bundle-SymbolicName: F;" in stored
    for name, kind in (("M", "MessageMapping"), ("V", "ValueMapping")):
        simulator.add_artifact("P", name, kind, bundle(name, kind))
    mapping, values = (
        "MessageMappingDesigntimeArtifacts(Id='M',Version='active')",
        "ValueMappingDesigntimeArtifacts(Id='V',Version='active')",
    )
    lone = bundle("F", files={"src/main/resources/parameters.prop": b"a=1\n"})
    refused = [
        await client.put(FLOW_F, json={"ArtifactContent": encode(flow("Other"))}),
        await client.put(mapping, json={"ArtifactContent": encode(bundle("X", "MessageMapping"))}),
        await client.put(mapping, json={"ArtifactContent": encode(bundle("M", "MessageMapping")), "Id": ""}),
        await client.put(FLOW_F, json={"ArtifactContent": encode(lone)}),
        await client.put(values, json={"ArtifactContent": encode(bundle("V", "ValueMapping"))}),
        await client.patch("IntegrationPackages('P')", json=BODY),
    ]
    assert [(answer.status_code, _message(answer)) for answer in refused] == [
        (400, "Could not update artifact of the package; due to change in the Bundle-symbolicName."),
        (500, "BUNDLE_SYMBOLIC_NAME_CANNOT_BE_UPDATED"),
        (500, "Update of Message Mapping failed : Update of PackageId and Id are not allowed"),
        (500, "InputStream cannot be null"),
        (501, "Not implemented"),
        (501, "Not implemented"),
    ]


async def test_item_12_duplicates_and_unknown_packages(connect: Connect, flow: Build) -> None:
    """An artifact id is unique on the tenant (500), a package must exist (404)."""
    simulator, client = connect()
    simulator.add_package("P", "Orders")
    simulator.add_package("Q")
    simulator.add_artifact("P", "F", "Integration", flow("F", name="Flow"))
    again = await client.post("IntegrationDesigntimeArtifacts", json={"Id": "F", "Name": "F", "PackageId": "Q"})
    assert (again.status_code, _message(again)) == (
        500,
        (
            "An integration flow Flow with the artifact ID F already exists in the Orders package. "
            "To create /upload an integration flow, use a different ID."
        ),
    )
    lost = await client.post("IntegrationDesigntimeArtifacts", json={"Id": "G", "Name": "G", "PackageId": "X"})
    assert (lost.status_code, _message(lost)) == (404, "Package ID X does not exist.")
