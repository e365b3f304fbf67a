"""The file that keeps a tenant between runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import trio
from trio.testing import MockClock

from cpi_tasks.errors import SimulatorError
from cpi_tasks.simulator import Simulator, SimulatorSettings

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]


async def test_everything_survives_in_one_file(connect: Connect, flow: Build, tmp_path: Path) -> None:
    """Packages, content, drafts, parameter values, locks and what runs come back; nothing else lies about."""
    file = tmp_path / "deep" / "tenant.json"
    simulator, _ = connect(state=Simulator(state_file=file))
    simulator.add_package("P", "Orders", description="d", mode="READ_ONLY")
    simulator.add_artifact("P", "F", "Integration", flow("F", parameters={"a": "1"}), version="1.2.3")
    simulator.set_parameter("F", "a", "ü2")
    simulator.edit_as_draft("F", {"x.txt": b"x"})
    simulator.lock("F", "jane")
    simulator.set_runtime("F", "STARTED", deployed_on=1760000000000)
    simulator.save()
    again = Simulator(state_file=file)
    assert again.packages == simulator.packages
    assert again.artifact("F").archive == simulator.artifact("F").archive
    assert again.artifact("F").parameters == {"a": "ü2"}
    assert (again.artifact("F").version, again.artifact("F").shown_version) == ("1.2.3", "Active")
    assert again.runtime("F") == simulator.runtime("F")
    assert again.is_running_design_time("F")
    _, client = connect(state=again)
    assert len((await client.get("IntegrationDesigntimeLocks", headers={"X": "y"})).json()["d"]["results"]) == 1
    assert [path.name for path in file.parent.iterdir()] == ["tenant.json"]


async def test_deployments_go_on_over_a_restart(
    connect: Connect, flow: Build, tmp_path: Path, autojump_clock: MockClock
) -> None:
    """One under way is finished by the time that passes, and its task is still known."""
    file = tmp_path / "tenant.json"
    settings = SimulatorSettings(deploy_s=3600.0, enforce_csrf="never", stop_s=1.0)
    simulator, client = connect(state=Simulator(settings, state_file=file))
    simulator.add_package("P")
    for name in ("F", "G"):
        simulator.add_artifact("P", name, "Integration", flow(name))
    simulator.set_runtime("G", "STARTED")
    task = (await client.post("DeployIntegrationDesigntimeArtifact?Id='F'&Version='active'")).text
    await client.delete("IntegrationRuntimeArtifacts('G')")
    simulator.save()
    again, client = connect(state=Simulator(settings, state_file=file))
    status = await client.get(f"BuildAndDeployStatus(TaskId='{task}')")
    assert status.json()["d"]["Status"] == "DEPLOYING"
    await trio.sleep(3601)
    shown = again.runtime("F")
    assert shown is not None
    assert shown.status == "STARTED"
    assert again.runtime("G") is None
    assert again.is_running_design_time("F")


def test_nothing_is_written_without_a_change(tmp_path: Path) -> None:
    """An untouched tenant leaves no file, a saved one is not written again."""
    file = tmp_path / "tenant.json"
    simulator = Simulator(state_file=file)
    simulator.save()
    assert not file.exists()
    simulator.add_package("P")
    simulator.save()
    file.unlink()
    simulator.save()
    assert not file.exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"format": 99}',
        '{"format": 1, "packages": [], "locks": [], "runtime": {}}',
        '{"format": 1, "packages": [7], "artifacts": [], "locks": [], "runtime": {}}',
        '{"format": 1, "packages": [], "artifacts": [{"id": "F"}], "locks": [], "runtime": {}}',
        '{"format": 1, "packages": [], "artifacts": [], "locks": [{"x": 1}], "runtime": {}}',
        '{"format": 1, "packages": [], "artifacts": [], "locks": [], "runtime": {"F": {"settled": 1}}}',
        "\x00",
        "[" * 100_000,
    ],
)
def test_a_broken_file_is_a_sentence_that_names_it(tmp_path: Path, text: str) -> None:
    """With what to do about it."""
    file = tmp_path / "tenant.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SimulatorError) as caught:
        Simulator(state_file=file)
    assert f"could not read the embedded tenant's state from '{file}'" in str(caught.value)
    assert "delete the file to begin with an empty tenant" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_cut_short_is_noticed(flow: Build, tmp_path: Path) -> None:
    """Whatever the length, a part of a file is never taken for the whole."""
    file = tmp_path / "tenant.json"
    simulator = Simulator(state_file=file)
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"))
    simulator.set_runtime("F", "STARTED")
    simulator.save()
    whole = file.read_text(encoding="utf-8")
    for length in range(0, len(whole.rstrip()), 97):
        file.write_text(whole[:length], encoding="utf-8")
        with pytest.raises(SimulatorError):
            Simulator(state_file=file)


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    """The old file, if any, stays as it is."""
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    simulator = Simulator()
    simulator.state_file = blocked / "tenant.json"
    simulator.add_package("P")
    with pytest.raises(SimulatorError, match="could not save the embedded tenant to"):
        simulator.save()
    assert blocked.read_text(encoding="utf-8") == "not a folder"
    simulator.state_file = tmp_path / "tenant.json"
    simulator.save()
    assert list(Simulator(state_file=simulator.state_file).packages) == ["P"]


async def test_tags_and_entry_points_survive_and_older_files_are_read(
    connect: Connect, flow: Build, step: Build, tmp_path: Path
) -> None:
    """A file that was written before there were any is no worse for it."""
    file = tmp_path / "tenant.json"
    simulator, client = connect(state=Simulator(SimulatorSettings(deploy_s=0.0, enforce_csrf="never"), state_file=file))
    simulator.add_package("P")
    sender = step(ComponentType="HTTPS", direction="Sender", urlPath="/in")
    simulator.add_artifact("P", "F", "Integration", flow("F", steps=sender))
    await client.post("DeployIntegrationDesigntimeArtifact?Id='F'&Version='active'")
    await client.put("IntegrationPackages('P')/$links/CustomTags('Author')", json={"Value": "Ann"})
    simulator.save()
    again, client = connect(state=Simulator(SimulatorSettings(endpoints_delay_s=0.0), state_file=file))
    assert again.packages["P"].tags == {"Author": "Ann"}
    assert (await client.get("ServiceEndpoints/$count")).text == "1"
    older = json.loads(file.read_text(encoding="utf-8"))
    del older["packages"][0]["tags"]
    for call in older["runtime"]["F"]["calls"]:
        del call["snapshot"]["endpoints"]
        del call["starting_on"]
    file.write_text(json.dumps(older), encoding="utf-8")
    assert Simulator(state_file=file).is_running_design_time("F")
