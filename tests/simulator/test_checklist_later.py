"""What real clients rely on, the second half: parameters, versions, the runtime, locks, limits, batches."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

import httpx
import trio
from trio.testing import MockClock

from cpi_tasks.simulator import Simulator

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
Encode = Callable[[bytes], str]
Step = Callable[..., str]
FLOW_F = "IntegrationDesigntimeArtifacts(Id='F',Version='active')"
RUNTIME_F = "IntegrationRuntimeArtifacts('F')"
DEPLOY_F = "DeployIntegrationDesigntimeArtifact?Id='F'&Version='active'"
LOCK_TEXT = "Cannot update the artifact as it is locked"


def _message(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["message"]["value"])


async def test_item_13_configurations(connect: Connect, flow: Build, bundle: Build, encode: Encode) -> None:
    """Derived from the archive, kept over an update; unknown keys and other families are 404."""
    simulator, client = connect()
    simulator.add_package("P")
    content = flow("F", parameters={"a": "1", "n": "5"}, types={"n": "xsd:integer"})
    simulator.add_artifact("P", "F", "Integration", content)
    simulator.add_artifact("P", "M", "MessageMapping", bundle("M", "MessageMapping"))
    await client.put(f"{FLOW_F}/$links/Configurations('a')", json={"ParameterValue": "mine"})
    await client.put(FLOW_F, json={"ArtifactContent": encode(content)})
    rows = (await client.get(f"{FLOW_F}/Configurations")).json()["d"]["results"]
    assert [(row["ParameterKey"], row["ParameterValue"], row["DataType"]) for row in rows] == [
        ("a", "mine", "xsd:string"),
        ("n", "5", "xsd:integer"),
    ]
    unknown = await client.put(f"{FLOW_F}/$links/Configurations('x')", json={"ParameterValue": "2"})
    assert (unknown.status_code, _message(unknown)) == (404, "Parameter key 'x' not found.")
    other = await client.get("MessageMappingDesigntimeArtifacts(Id='M',Version='active')/Configurations")
    assert other.status_code == 404


async def test_item_14_versions_and_drafts(connect: Connect, flow: Build, encode: Encode) -> None:
    """Three modes; lists show drafts by either word; a draft blocks the package's export."""
    for mode, word, shown in (
        ("manifest-if-higher", "Active", "1.0.1"),
        ("keep", "Active", "1.0.0"),
        ("draft", "Active", "Active"),
        ("draft", "Draft", "Draft"),
    ):
        simulator, client = connect(version_mode=mode, draft_word=word)
        simulator.add_package("P")
        simulator.add_artifact("P", "F", "Integration", flow("F"))
        await client.put(FLOW_F, json={"ArtifactContent": encode(flow("F", version="1.0.1"))})
        listed = (await client.get("IntegrationPackages('P')/IntegrationDesigntimeArtifacts")).json()["d"]["results"]
        assert [row["Version"] for row in listed] == [shown]
        assert (await client.get(listed[0]["__metadata"]["media_src"])).status_code == 200
        exported = await client.get("IntegrationPackages('P')/$value")
        assert exported.status_code == (500 if mode == "draft" else 200)
        if mode == "draft":
            assert "are in draft state: [ {Type=IFlow, Name=F} ]" in _message(exported)


async def test_item_15_deployment(connect: Connect, flow: Build, bundle: Build, autojump_clock: MockClock) -> None:
    """A bare task id for flows, nothing for others; the old version stays STARTED first; ``DeployedOn`` changes."""
    simulator, client = connect(deploy_s=30.0)
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"))
    simulator.add_artifact("P", "M", "MessageMapping", bundle("M", "MessageMapping"))
    other = await client.post("DeployMessageMappingDesigntimeArtifact?Id='M'&Version='active'")
    assert (other.status_code, other.content) == (202, b"")
    stamps = []
    for version in ("1.0.0", "1.0.1"):
        await client.post(f"IntegrationDesigntimeArtifactSaveAsVersion?Id='F'&SaveAsVersion='{version}'")
        task = (await client.post(DEPLOY_F)).text
        assert re.fullmatch(r"[0-9a-f-]{36}", task)
        early = await client.get(RUNTIME_F)
        if version == "1.0.0":
            assert early.status_code == 404
        else:
            assert (early.json()["d"]["Status"], early.json()["d"]["Version"]) == ("STARTED", "1.0.0")
        status = (await client.get(f"BuildAndDeployStatus(TaskId='{task}')")).json()["d"]
        assert (status["TaskId"], status["Status"]) == (task, "DEPLOYING")
        await trio.sleep(15)
        assert (await client.get(RUNTIME_F)).json()["d"]["Status"] == "STARTING"
        assert (await client.get(f"BuildAndDeployStatus(TaskId='{task}')")).json()["d"]["Status"] == "SUCCESS"
        await trio.sleep(16)
        final = (await client.get(RUNTIME_F)).json()["d"]
        assert (final["Status"], final["Version"]) == ("STARTED", version)
        stamps.append(final["DeployedOn"])
    assert len(set(stamps)) == 2


async def test_item_16_missing_references(connect: Connect, flow: Build, step: Step, autojump_clock: MockClock) -> None:
    """The build fails, the runtime goes to ERROR, the text comes after a 204 and names script, mapping and schema."""
    simulator, client = connect(deploy_s=3.0)
    simulator.add_package("P")
    steps = (
        step(script="gone.groovy")
        + step(mappinguri="dir://mmap/src/main/resources/mapping/Gone.mmap")
        + step(xsd="/xsd/Gone.xsd")
    )
    simulator.add_artifact("P", "F", "Integration", flow("F", steps=steps))
    task = (await client.post(DEPLOY_F)).text
    await trio.sleep(3.5)
    assert (await client.get(f"BuildAndDeployStatus(TaskId='{task}')")).json()["d"]["Status"] == "FAIL"
    assert (await client.get(RUNTIME_F)).json()["d"]["Status"] == "ERROR"
    assert (await client.get(f"{RUNTIME_F}/ErrorInformation/$value")).status_code == 204
    await trio.sleep(1)
    answer = await client.get(f"{RUNTIME_F}/ErrorInformation/$value")
    assert answer.json()["parameter"][0].splitlines()[-3:] == [
        "Script file 'gone.groovy' not found",
        "Mapping file 'Gone.mmap' not found",
        "Schema file 'Gone.xsd' not found",
    ]


async def test_item_17_undeploying(connect: Connect, autojump_clock: MockClock) -> None:
    """STOPPING, then 404; a second call is 404."""
    simulator, client = connect(stop_s=2.0)
    simulator.set_runtime("F", "STARTED")
    assert (await client.delete(RUNTIME_F)).status_code == 202
    assert (await client.get(RUNTIME_F)).json()["d"]["Status"] == "STOPPING"
    await trio.sleep(3)
    assert (await client.get(RUNTIME_F)).status_code == 404
    assert (await client.delete(RUNTIME_F)).status_code == 404


async def test_item_18_adapter_probe(connect: Connect) -> None:
    """Deleting or deploying an unknown adapter is 404."""
    _, client = connect()
    assert (await client.delete("IntegrationAdapterDesigntimeArtifacts(Id='x')")).status_code == 404
    assert (await client.post("DeployIntegrationAdapterDesigntimeArtifact?Id='x'")).status_code == 404


async def test_item_19_runtime_queries(connect: Connect) -> None:
    """Filter, top and select work; all seven fields are there; the text of a 404 is the known one."""
    simulator, client = connect()
    simulator.set_runtime("F", "STARTED")
    rows = (await client.get("IntegrationRuntimeArtifacts?$top=1&$filter=Id eq 'F'")).json()["d"]["results"]
    names = ("Id", "Version", "Name", "Type", "DeployedBy", "DeployedOn", "Status")
    assert all(rows[0][name] for name in names)
    selected = (await client.get(f"{RUNTIME_F}?$select=Status")).json()["d"]
    assert selected.keys() - {"__metadata"} == {"Status"}
    missing = await client.get("IntegrationRuntimeArtifacts('X')")
    assert (missing.status_code, "Requested entity could not be found" in _message(missing)) == (404, True)


async def test_item_20_paging(connect: Connect, flow: Build) -> None:
    """``$skip`` and ``$inlinecount`` do nothing on a package's lists; packages cannot be counted; pages are linked."""
    simulator, client = connect(page_size=2)
    simulator.add_package("P")
    for name in ("A", "B", "C"):
        simulator.add_artifact("P", name, "Integration", flow(name))
    path = "IntegrationPackages('P')/IntegrationDesigntimeArtifacts?$skip=1&$inlinecount=allpages"
    page = (await client.get(path)).json()["d"]
    assert [row["Id"] for row in page["results"]] == ["A", "B"]
    assert "__count" not in page
    following = (await client.get(page["__next"])).json()["d"]
    assert ([row["Id"] for row in following["results"]], "__next" in following) == (["C"], False)
    for refused in ("IntegrationPackages?$inlinecount=allpages", "IntegrationPackages/$count"):
        answer = await client.get(refused)
        assert (answer.status_code, _message(answer)) == (501, "$count is not supported")


async def test_item_21_locks(connect: Connect, flow: Build, encode: Encode) -> None:
    """A locked artifact refuses writes and is listed; without the role the list is 403."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"))
    simulator.lock("F", "jane")
    refused = await client.put(FLOW_F, json={"ArtifactContent": encode(flow("F"))})
    assert (refused.status_code, _message(refused)) == (400, LOCK_TEXT)
    rows = (await client.get("IntegrationDesigntimeLocks")).json()["d"]["results"]
    assert [(row["ArtifactId"], row["CreatedBy"]) for row in rows] == [("F", "jane")]
    assert (await client.delete(rows[0]["__metadata"]["uri"])).status_code == 200
    assert (await client.put(FLOW_F, json={"ArtifactContent": encode(flow("F"))})).status_code == 200
    _, client = connect(may_read_locks=False)
    assert (await client.get("IntegrationDesigntimeLocks")).status_code == 403


async def test_item_22_read_only_packages(connect: Connect, flow: Build, encode: Encode) -> None:
    """Downloads, deletions and updates are refused, parameters may be set."""
    simulator, client = connect()
    simulator.add_package("P", mode="READ_ONLY")
    simulator.add_artifact("P", "F", "Integration", flow("F", parameters={"a": "1"}))
    refused = [
        await client.get(f"{FLOW_F}/$value"),
        await client.delete(FLOW_F),
        await client.put(FLOW_F, json={"ArtifactContent": encode(flow("F"))}),
        await client.get("IntegrationPackages('P')/$value"),
        await client.delete("IntegrationPackages('P')"),
    ]
    assert [answer.status_code for answer in refused] == [400] * 5
    configured = await client.put(f"{FLOW_F}/$links/Configurations('a')", json={"ParameterValue": "2"})
    assert configured.status_code == 202


async def test_item_23_limits_and_faults(connect: Connect, autojump_clock: MockClock) -> None:
    """429 above the rate, with and without ``Retry-After``; any status can be planned."""
    for seconds, header in ((None, None), (7, "7")):
        _, client = connect(designtime_rate=1.0, retry_after_s=seconds)
        answers = [await client.get("IntegrationPackages") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 429]
        assert answers[1].headers.get("Retry-After") == header
    simulator, client = connect()
    for status in (401, 403, 500, 502, 503, 504):
        simulator.fail_next("GET", "IntegrationPackages", status)
        assert (await client.get("IntegrationPackages")).status_code == status
    assert (await client.get("IntegrationPackages")).status_code == 200


async def test_item_24_batch(connect: Connect, flow: Build) -> None:
    """Relative and absolute request lines, either line end, echoed content ids, change sets as a whole."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F", parameters={"a": "1", "b": "1"}))

    async def send(value: str, last: str, end: str) -> httpx.Response:
        lines = ["--b", "Content-Type: multipart/mixed; boundary=c", ""]
        for number, target in enumerate((f"{FLOW_F}/$links/Configurations('a')", last)):
            lines += ["--c", "Content-Type: application/http", f"Content-ID: {number}", ""]
            lines += [f"PUT {target} HTTP/1.1", "Content-Type: application/json", ""]
            lines += [f'{{"ParameterValue": "{value}"}}']
        body = end.join([*lines, "--c--", "--b--", ""])
        return await client.post("$batch", content=body, headers={"Content-Type": "multipart/mixed; boundary=b"})

    for end in ("\r\n", "\n"):
        done = await send("2", f"/api/v1/{FLOW_F}/$links/Configurations('b')", end)
        assert done.status_code == 202
        assert done.text.count("HTTP/1.1 202 Accepted") == 2
        assert [done.text.count(f"Content-Id: {number}") for number in (0, 1)] == [2, 2]
        assert simulator.artifact("F").parameters == {"a": "2", "b": "2"}
        failed = await send("3", f"{FLOW_F}/$links/Configurations('x')", end)
        assert "HTTP/1.1 404 Not Found" in failed.text
        assert simulator.artifact("F").parameters == {"a": "2", "b": "2"}


async def test_item_25_rewriting(connect: Connect, bundle: Build) -> None:
    """Mappings are renamed, manifests reordered and refolded, so that bytes never come back."""
    simulator, client = connect()
    simulator.add_package("P")
    files = {"src/main/resources/mapping/Old.mmap": b"<x/>"}
    sent = bundle("M", "MessageMapping", headers={"Import-Package": "a." * 60}, files=files)
    simulator.add_artifact("P", "M", "MessageMapping", sent)
    got = (await client.get("MessageMappingDesigntimeArtifacts(Id='M',Version='active')/$value")).content
    assert got != sent
    with zipfile.ZipFile(io.BytesIO(got)) as archive:
        assert "src/main/resources/mapping/M.mmap" in archive.namelist()
        lines = archive.read("META-INF/MANIFEST.MF").split(b"\r\n")
    assert max(len(line) for line in lines) == 72
    stored_first = [line.partition(b":")[0] for line in lines if not line.startswith(b" ")][:3]
    assert stored_first == [b"Manifest-Version", b"Import-Package", b"Bundle-Name"]
