"""Real and awkward content goes up whole, runs, and is recognised as unchanged afterwards."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path

import pytest
import trio

from tests.support.project import PROP, PROPDEF, definitions, manifest
from tests.support.world import MakeWorld, World

SAMPLES = Path(__file__).parents[1] / "samples"
TYPES = ("IntegrationFlow", "ScriptCollection", "MessageMapping", "ValueMapping")
UTILITIES = "com.sap.integration.cloud.utilities.MessageTransformations.Utilities"
ANONYMIZER = "com.sap.integration.cloud.utilities.MessageTransformations.XMLAnonymizer.RenameNamespaces.TC2"
NASTY = {
    "src/main/resources/script/nul.bin": b"a\0b\r\nc\rd\n\xff\xfe",
    "src/main/resources/script/crlf.groovy": b"one\r\ntwo\r\n",
    "src/main/resources/script/latin-1.groovy": "// Größe\n".encode("latin-1"),
    "src/main/resources/script/with space & ümlaut (1).groovy": b"// name\n",
    "src/main/resources/script/empty.groovy": b"",
    "src/main/resources/lib/some.jar": bytes(range(256)) * 4,
    "src/main/resources/xsd/deep/er/bom.xsd": b"\xef\xbb\xbf<xs:schema/>",
}
UNICODE_NAME = "Rückmeldung für Bestellungen aus Übersee, größer als zweiundsiebzig Bytes in UTF-8 ✓"


def add_samples(world: World) -> None:
    """Configure every published artifact of the samples under its own package."""
    for file in sorted(SAMPLES.glob("*/*/META-INF/MANIFEST.MF")):
        artifact, package = file.parents[1].name, file.parents[2].name
        text = file.read_text(encoding="utf-8")
        kind = next(kind for kind in TYPES if f"SAP-BundleType: {kind}" in text)
        world.project.artifact(package, artifact, kind, {})
        shutil.copytree(file.parents[1], world.project.folder(package, artifact))


def stored(world: World, artifact: str) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(world.simulator.artifact(artifact).archive)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("prefix", ["", "QA"])
@pytest.mark.parametrize("version_mode", ["manifest-if-higher", "keep", "draft"])
async def test_published_artifacts_run_and_stay_unchanged(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, prefix: str, version_mode: str
) -> None:
    """All samples are created and run, and the second run does nothing, with and without a prefix."""
    world = make(version_mode=version_mode, modified_at_families=frozenset())
    world.project.keys["deploymentPrefix"] = prefix
    add_samples(world)
    first = await world.run()
    second = await world.run()

    assert first.statuses() == dict.fromkeys(world.simulator.artifacts, ("done", "done"))
    assert len(first.statuses()) == 9
    assert second.writes == ()


async def test_references_of_published_flows_follow_the_prefix(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """With a prefix every reference names what was uploaded under it, and the manifest keeps its directive."""
    world.project.keys["deploymentPrefix"] = "QA"
    add_samples(world)
    await world.run()

    flow = world.simulator.artifact(f"QA_{ANONYMIZER}")
    model = next(data for path, data in stored(world, flow.id).items() if path.endswith(".iflw"))
    assert f"<value>QA_{UTILITIES}</value>".encode() in model
    assert f"<value>{UTILITIES}</value>".encode() not in model
    assert flow.content.headers["Require-Capability"].startswith(f"scriptcollection.QA_{UTILITIES};")
    assert flow.content.headers["Bundle-SymbolicName"] == f"QA_{ANONYMIZER}; singleton:=true"


async def test_any_bytes_in_any_file_go_up_as_they_are(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """Binary files, other encodings and awkward names arrive byte for byte, and compare equal afterwards."""
    world.project.flow("Sales", "Orders", files=NASTY)
    await world.run()
    second = await world.run()

    sent = stored(world, "Orders")
    assert {name: sent[name] for name in NASTY} == NASTY
    assert second.writes == ()


async def test_one_changed_byte_in_a_binary_file_is_a_change(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Bytes that are no text are compared as they are."""
    world.project.flow("Sales", "Orders", files=NASTY)
    await world.run()
    path = "src/main/resources/lib/some.jar"
    world.project.edit("Sales", "Orders", path, NASTY[path] + b"\0")
    ran = await world.run()

    assert ran.deployed == ("Orders",)
    assert ran.update("Orders").reason == f"content differs in {path}"


async def test_other_line_ends_are_no_change(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """A checkout with CRLF on one machine and LF on the other uploads nothing."""
    path = "src/main/resources/script/crlf.groovy"
    world.project.flow("Sales", "Orders", files=NASTY)
    await world.run()
    world.project.edit("Sales", "Orders", path, b"one\ntwo\n")
    ran = await world.run()

    assert ran.writes == ()


@pytest.mark.parametrize("artifact", ["com.acme.Orders-2", "Orders_-_TEMPLATE", "a.b-c_d.e", "X" * 120])
async def test_ids_with_dots_hyphens_and_of_any_length(
    world: World, autojump_clock: trio.testing.MockClock, artifact: str
) -> None:
    """Ids as SAP's content has them work for a flow and for what it uses."""
    world.behave(artifact_names="any")
    world.project.keys["deploymentPrefix"] = "QA"
    world.project.flow("Sales", artifact, scripts_of=f"{artifact}.Scripts", name=UNICODE_NAME)
    world.project.collection("Sales", f"{artifact}.Scripts")
    first = await world.run()
    second = await world.run()

    assert first.deployed == (f"QA_{artifact}", f"QA_{artifact}.Scripts")
    assert world.simulator.artifact(f"QA_{artifact}").name == UNICODE_NAME
    assert second.writes == ()


async def test_a_display_name_wins_over_the_manifests(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """``displayName`` names the artifact on the tenant; a changed one is a change, and one taken away is one too."""
    world.behave(artifact_names="any")
    world.project.flow("Sales", "Orders", displayName=UNICODE_NAME)
    await world.run()
    assert world.simulator.artifact("Orders").name == UNICODE_NAME
    unchanged = await world.run()
    world.project.artifacts["Orders"]["displayName"] = "Orders in"
    changed = await world.run()

    assert unchanged.writes == ()
    assert changed.deployed == ("Orders",)
    assert world.simulator.artifact("Orders").content.headers["Bundle-Name"] == "Orders in"


async def test_a_value_mapping_needs_no_description_file(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """A tenant loses ``metainfo.prop`` of value mappings; with it or without it, the second run does nothing."""
    world.project.values("Sales", "Countries")
    world.project.values("Sales", "Currencies")
    world.project.edit("Sales", "Currencies", "metainfo.prop", b"description=Currencies\nsource=ERP\ntarget=CRM\n")
    first = await world.run()
    second = await world.run()

    assert first.exit_code == 0
    assert second.writes == ()


async def test_parameters_are_sent_as_written(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """Keys with escapes and values with every special character arrive as they are, and are not written again."""
    keys = ["Sender Host:Port", "a=b", "#c", "back\\slash", "ümlaut", "it's"]
    prop = "Sender\\ Host\\:Port=x\na\\=b=y\n\\#c=z\nback\\\\slash=\\\\server\\\\share\n\\u00fcmlaut=\\u00e4\nit's=1\n"
    world.project.flow("Sales", "Orders", files={PROP: prop.encode(), PROPDEF: definitions(keys, {})})
    await world.run()
    overrides = {
        "Sender Host:Port": "  leading and trailing  ",
        "a=b": "x=1&y=<2>'\"",
        "#c": "${property.P}/{{no}}",
        "back\\slash": "",
        "it's": "007",
    }
    world.project.override("Orders", overrides)
    changed = await world.run()
    second = await world.run()

    assert world.simulator.artifact("Orders").parameters == {**overrides, "ümlaut": "ä"}
    assert len(changed.uploads) == 5
    assert second.writes == ()


async def test_overrides_of_a_new_flow_need_no_request_of_their_own(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """At creation the overrides travel inside the archive."""
    world.project.flow("Sales", "Orders", parameters={"Host Name": "a", "Query": "b"})
    world.project.override("Orders", {"Host Name": " padded ", "Query": "a=1&b=ü\\n"})
    ran = await world.run()

    assert world.simulator.artifact("Orders").parameters == {"Host Name": " padded ", "Query": "a=1&b=ü\\n"}
    assert ran.uploads == ("POST IntegrationPackages", "POST IntegrationDesigntimeArtifacts")


async def test_macos_files_never_go_up(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """``.DS_Store`` and ``._*`` are left out, and appearing later they are no change."""
    world.project.collection("Sales", "Scripts")
    await world.run()
    world.project.edit("Sales", "Scripts", "src/main/resources/script/.DS_Store", b"\0")
    world.project.edit("Sales", "Scripts", "src/main/resources/script/._Shared.groovy", b"\0")
    ran = await world.run()

    assert ran.writes == ()


async def test_a_manifest_saved_by_another_tool_is_no_change(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Headers in another order, with other line ends and folding, and origins of a copy, are the same manifest."""
    world.project.values("Sales", "Countries")
    await world.run()
    lines = manifest("Countries", "ValueMapping", "1.0.0", more={"Origin-Bundle-Name": "x"}).split(b"\r\n")
    headers = sorted(line for line in lines[1:] if line)
    world.project.edit("Sales", "Countries", "META-INF/MANIFEST.MF", b"\n".join([lines[0], *headers, b"", b""]))
    ran = await world.run()

    assert ran.writes == ()
