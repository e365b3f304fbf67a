"""Builds of message mappings: what has no content, and what lacks its schemas, does not start."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from cpi_tasks.simulator import Simulator

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
FOLDER = "src/main/resources/"
SCHEMA = f"{FOLDER}xsd/Order.xsd"


def _model(*files: str) -> bytes:
    keys = "".join(
        f"<lnkRole kpos='1' role='{role}'><lnk rMode='R'><key typeID='xsd'><elem>{name}</elem>"
        f"<elem>src/main/resources/xsd</elem><elem>Root</elem></key></lnk></lnkRole>"
        for name, role in zip(files, ("TARGET_IFR_MESS", "SOURCE_IFR_MESS"), strict=False)
    )
    return f"<xiObj xmlns='urn:sap-com:xi'><generic><lnks>{keys}</lnks></generic></xiObj>".encode()


async def _deployed(connect: Connect, content: bytes) -> str:
    """Deploy a mapping and return its status, or the text of its ERROR."""
    simulator, client = connect(deploy_s=0.0, error_information_delay_s=0.0)
    simulator.add_package("P")
    simulator.add_artifact("P", "M", "MessageMapping", content)
    assert (await client.post("DeployMessageMappingDesigntimeArtifact?Id='M'&Version='active'")).status_code == 202
    status = str((await client.get("IntegrationRuntimeArtifacts('M')")).json()["d"]["Status"])
    if status != "ERROR":
        return status
    answer = await client.get("IntegrationRuntimeArtifacts('M')/ErrorInformation/$value")
    return str(answer.json()["parameter"][0])


@pytest.mark.parametrize(
    ("files", "detail"),
    [
        ({}, "Message mapping file not found"),
        ({f"{FOLDER}mapping/M.mmap": b""}, "Mapping file 'M.mmap' is empty"),
        ({f"{FOLDER}mapping/M.mmap": b" \r\n"}, "Mapping file 'M.mmap' is empty"),
    ],
    ids=["no file", "empty", "blank"],
)
async def test_a_mapping_without_content_fails_its_build(
    connect: Connect, bundle: Build, files: dict[str, bytes], detail: str
) -> None:
    """The text says that the validation of a resource failed (flashpipe, runtime test)."""
    text = await _deployed(connect, bundle("M", "MessageMapping", files=files))
    assert "as validation of resource is failed" in text
    assert text.splitlines()[-1] == detail


@pytest.mark.parametrize("present", [False, True])
async def test_a_mapping_needs_its_schemas(connect: Connect, bundle: Build, *, present: bool) -> None:
    """A schema that the model names has to be in the archive (mcp-cpi: TARGET_CONTENT_NOT_FOUND)."""
    files = {f"{FOLDER}mapping/M.mmap": _model("Order.xsd", "Invoice.xsd"), SCHEMA: b"<xsd/>"}
    if present:
        files[f"{FOLDER}xsd/Invoice.xsd"] = b"<xsd/>"
    text = await _deployed(connect, bundle("M", "MessageMapping", files=files))
    if present:
        assert text == "STARTED"
    else:
        assert text.splitlines()[-1] == "TARGET_CONTENT_NOT_FOUND: schema file 'Invoice.xsd' not found"


async def test_a_message_of_the_repository_is_no_file(connect: Connect, bundle: Build) -> None:
    """A link without a suffix names an object of the Enterprise Services Repository (published packages have such)."""
    files = {f"{FOLDER}mapping/M.mmap": _model("ORDERS05", "ASC850_004010")}
    assert await _deployed(connect, bundle("M", "MessageMapping", files=files)) == "STARTED"


async def test_a_mapping_inside_of_a_flow_needs_content_too(
    connect: Connect, flow: Build, step: Callable[..., str]
) -> None:
    """The same generation builds it (flashpipe, runtime test)."""
    simulator, client = connect(deploy_s=0.0)
    simulator.add_package("P")
    path = f"{FOLDER}mapping/In.mmap"
    content = flow("F", steps=step(mappinguri=f"dir://mmap/{path}"), files={path: b""})
    simulator.add_artifact("P", "F", "Integration", content)
    await client.post("DeployIntegrationDesigntimeArtifact?Id='F'&Version='active'")
    assert (await client.get("IntegrationRuntimeArtifacts('F')")).json()["d"]["Status"] == "ERROR"
