"""Versions, symbolic names and descriptions where sources disagree about what a tenant makes of an upload."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import trio
from trio.testing import MockClock

from cpi_tasks.simulator import Simulator, SimulatorSettings

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
Encode = Callable[[bytes], str]
UPDATED = ("Integration", "MessageMapping", "ScriptCollection")


def _path(kind: str, version: str = "active") -> str:
    return f"{kind}DesigntimeArtifacts(Id='A',Version='{version}')"


async def _create(client: httpx.AsyncClient, kind: str, content: str) -> httpx.Response:
    sent = {"Id": "A", "Name": "A", "PackageId": "P", "ArtifactContent": content}
    answer = await client.post(f"{kind}DesigntimeArtifacts", json=sent)
    assert answer.status_code == 201
    return answer


async def _version(client: httpx.AsyncClient, kind: str) -> str:
    rows = (await client.get(f"IntegrationPackages('P')/{kind}DesigntimeArtifacts")).json()["d"]["results"]
    return str(rows[0]["Version"])


@pytest.mark.parametrize(
    ("mode", "after"),
    [("manifest-if-higher", "1.0.5"), ("manifest", "1.0.0"), ("keep", "1.0.5"), ("draft", "Active")],
)
@pytest.mark.parametrize("kind", UPDATED)
async def test_an_upload_with_a_lower_version(
    connect: Connect, bundle: Build, encode: Encode, kind: str, mode: str, after: str
) -> None:
    """It stays, or becomes the lower one: flashpipe's cmd_test.go goes from 1.0.1 back to 1.0.0 on its tenant."""
    simulator, client = connect(version_mode=mode)
    simulator.add_package("P")
    simulator.add_artifact("P", "A", kind, bundle("A", kind, version="1.0.5"), version="1.0.5")
    sent = {"ArtifactContent": encode(bundle("A", kind, version="1.0.0"))}
    assert (await client.put(_path(kind), json=sent)).status_code == 200
    assert await _version(client, kind) == after


async def test_an_upload_without_a_version_keeps_it(connect: Connect, bundle: Build, encode: Encode) -> None:
    """There is nothing to take (flashpipe's cmd_test.go always has one)."""
    simulator, client = connect(version_mode="manifest")
    simulator.add_package("P")
    simulator.add_artifact("P", "A", "Integration", bundle("A"), version="1.0.5")
    content = bundle("A", headers={"Bundle-Version": "newest"})
    assert (await client.put(_path("Integration"), json={"ArtifactContent": encode(content)})).status_code == 200
    assert await _version(client, "Integration") == "1.0.5"


@pytest.mark.parametrize(("rule", "version"), [("1.0.0", "1.0.0"), ("manifest", "1.2.3")])
@pytest.mark.parametrize("kind", UPDATED)
async def test_the_version_of_a_creation(
    connect: Connect, bundle: Build, encode: Encode, kind: str, rule: str, version: str
) -> None:
    """1.0.0 (mcp-cpi), or that of the manifest (flashpipe's cmd_test.go)."""
    simulator, client = connect(create_version=rule)
    simulator.add_package("P")
    created = await _create(client, kind, encode(bundle("A", kind, version="1.2.3")))
    assert created.json()["d"]["Version"] == await _version(client, kind) == version


@pytest.mark.parametrize("kind", [*UPDATED, "ValueMapping"])
@pytest.mark.parametrize("delay_s", [None, 0.0, 2.0])
async def test_created_mappings_move_on(
    connect: Connect, bundle: Build, encode: Encode, autojump_clock: MockClock, kind: str, delay_s: float | None
) -> None:
    """The answer says 1.0.0, the list says 1.0.1 a moment later; message mappings only (mcp-cpi)."""
    simulator, client = connect(created_mappings_move_on_s=delay_s)
    simulator.add_package("P")
    created = await _create(client, kind, encode(bundle("A", kind)))
    assert created.json()["d"]["Version"] == "1.0.0"
    moves = kind == "MessageMapping" and delay_s is not None
    assert await _version(client, kind) == ("1.0.1" if moves and delay_s == 0 else "1.0.0")
    await trio.sleep(3)
    assert await _version(client, kind) == ("1.0.1" if moves else "1.0.0")
    assert (await client.get(_path(kind, "1.0.1"))).status_code == (200 if moves else 404)
    await trio.sleep(100)
    assert simulator.artifact("A").version == ("1.0.1" if moves else "1.0.0")
    assert simulator.artifact("A").content.version == ("1.0.1" if moves else "1.0.0")


async def test_a_created_mapping_that_was_changed_does_not_move_on(
    connect: Connect, bundle: Build, encode: Encode, autojump_clock: MockClock
) -> None:
    """What was uploaded in between has its version (mcp-cpi saw the move once, right after the creation)."""
    simulator, client = connect(created_mappings_move_on_s=5.0)
    simulator.add_package("P")
    await _create(client, "MessageMapping", encode(bundle("A", "MessageMapping")))
    content = encode(bundle("A", "MessageMapping", version="1.4.0"))
    assert (await client.put(_path("MessageMapping"), json={"ArtifactContent": content})).status_code == 200
    await trio.sleep(10)
    assert await _version(client, "MessageMapping") == "1.4.0"


async def test_a_created_mapping_moves_on_after_a_restart(
    bundle: Build, connect: Connect, encode: Encode, tmp_path: Path
) -> None:
    """The tenant's state file keeps what is due (mcp-cpi)."""
    settings = SimulatorSettings(enforce_csrf="never", created_mappings_move_on_s=3600.0)
    simulator, client = connect(state=Simulator(settings, state_file=tmp_path / "tenant.json"))
    simulator.add_package("P")
    await _create(client, "MessageMapping", encode(bundle("A", "MessageMapping")))
    simulator.save()
    again, _ = connect(state=Simulator(settings, state_file=tmp_path / "tenant.json"))
    due_ms, version = again._state.moves["A"]
    assert (abs(due_ms - simulator._state.moves["A"][0]) < 1, version) == (True, "1.0.0")


def _stored_name(archive: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        text = opened.read("META-INF/MANIFEST.MF").decode()
    return next(line for line in text.splitlines() if line.startswith("Bundle-SymbolicName")).partition(": ")[2]


@pytest.mark.parametrize(("rule", "stored"), [("id", "A"), ("as-uploaded", "Other")])
@pytest.mark.parametrize("kind", UPDATED)
async def test_the_symbolic_name_of_a_creation(
    connect: Connect, bundle: Build, encode: Encode, kind: str, rule: str, stored: str
) -> None:
    """It becomes the id (terraform provider, landscaper), or is frozen as uploaded, whatever the id (mcp-cpi)."""
    simulator, client = connect(symbolic_name=rule)
    simulator.add_package("P")
    await _create(client, kind, encode(bundle("Other", kind)))
    assert _stored_name((await client.get(f"{_path(kind)}/$value")).content) == f"{stored}; singleton:=true"
    for name in ("A", "Other", "Third"):
        answer = await client.put(_path(kind), json={"ArtifactContent": encode(bundle(name, kind, version="1.0.1"))})
        refused = 500 if kind == "MessageMapping" else 400
        assert answer.status_code == (200 if name == stored else refused), name
    assert simulator.artifact("A").symbolic_name == stored


async def test_a_name_frozen_as_uploaded_outlives_a_restart(
    connect: Connect, bundle: Build, encode: Encode, tmp_path: Path
) -> None:
    """As every state of the tenant (mcp-cpi for the rule)."""
    settings = SimulatorSettings(enforce_csrf="never", symbolic_name="as-uploaded")
    simulator, client = connect(state=Simulator(settings, state_file=tmp_path / "tenant.json"))
    simulator.add_package("P")
    await _create(client, "Integration", encode(bundle("Other")))
    simulator.save()
    _, again = connect(state=Simulator(settings, state_file=tmp_path / "tenant.json"))
    for name, status in (("A", 400), ("Other", 200)):
        sent = {"ArtifactContent": encode(bundle(name))}
        assert (await again.put(_path("Integration"), json=sent)).status_code == status
    assert (await again.post("IntegrationDesigntimeArtifactSaveAsVersion?Id='A'&SaveAsVersion='2.0.0'")).is_success
    assert _stored_name((await again.get(f"{_path('Integration')}/$value")).content).startswith("Other;")


@pytest.mark.parametrize("kind", [*UPDATED, "ValueMapping"])
@pytest.mark.parametrize(("sent", "shown"), [(None, "from the file"), ("from the body", "from the body")])
async def test_the_description_comes_from_the_file(
    connect: Connect, bundle: Build, encode: Encode, kind: str, sent: str | None, shown: str
) -> None:
    """Of ``metainfo.prop``, also for value mappings, which lose that file (flashpipe, design_test.go)."""
    simulator, client = connect()
    simulator.add_package("P")
    files = {"metainfo.prop": b"#Comment\ndescription=from the file\n"}
    body = {"Id": "A", "Name": "A", "PackageId": "P", "ArtifactContent": encode(bundle("A", kind, files=files))}
    body |= {} if sent is None else {"Description": sent}
    assert (await client.post(f"{kind}DesigntimeArtifacts", json=body)).json()["d"]["Description"] == shown
    rows = (await client.get(f"IntegrationPackages('P')/{kind}DesigntimeArtifacts")).json()["d"]["results"]
    assert rows[0]["Description"] == shown
