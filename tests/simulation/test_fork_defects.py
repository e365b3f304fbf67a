"""One regression test for each defect known of the orchestrator this package takes after, by its number.

Rows 15 and 16 are about request rates and speed: ``test_rate_limits.py`` and ``test_fork_speed.py``.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from itertools import pairwise

import pytest
import trio

from cpi_tasks import app
from cpi_tasks.errors import InputError
from cpi_tasks.events import Event, Phase, PhaseStarted
from cpi_tasks.model.config import Selection, Settings
from cpi_tasks.model.naming import DraftPolicy, Mode, ParameterPolicy, ValueMappingPolicy
from cpi_tasks.model.report import Status
from tests.support.program import CHECKOUT
from tests.support.project import PROP, PROPDEF, SCRIPT, definitions
from tests.support.world import MakeWorld, World

LONG_ID = "A_flow_whose_id_is_so_long_that_the_line_in_its_manifest_has_to_be_folded_at_least_once"
LONG_NAME = "A flow whose name is long too, so that its line in the manifest (with an umlaut: ä) is folded as well"


def stored(world: World, artifact: str) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(world.simulator.artifact(artifact).archive)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize(("deploy_s", "status"), [(70, "done"), (90, "failed")])
async def test_row_01_retries_and_delay_are_not_swapped(
    make: MakeWorld, autojump_clock: trio.testing.MockClock, deploy_s: float, status: str
) -> None:
    """Five retries of 15 s are 75 s for an artifact, with looks never more than 15 s apart."""
    world = make(deploy_s=deploy_s)
    world.project.keys |= {"deployRetries": 5, "deployDelaySeconds": 15}
    world.project.flow("Sales", "Orders")
    ran = await world.run()

    assert ran.deploy("Orders").status.value == status
    assert ("not seen running after 75 s" in ran.deploy("Orders").reason) is (status == "failed")
    triggered = next(r.time for r in world.simulator.requests if r.path.endswith("DeployIntegrationDesigntimeArtifact"))
    looks = [r.time for r in world.simulator.requests if r.path.startswith("/api/v1/IntegrationRuntimeArtifacts")]
    times = [triggered, *(time for time in looks if time > triggered)]
    assert max(after - before for before, after in pairwise(times)) < 15.1


async def test_row_02_an_artifact_that_never_appears_is_no_success(
    make: MakeWorld, autojump_clock: trio.testing.MockClock
) -> None:
    """What the runtime never shows has failed, and the run with it."""
    world = make(never_appearing=frozenset({"Orders"}))
    world.project.flow("Sales", "Orders")
    ran = await world.run()

    assert ran.exit_code == 1
    assert ran.deploy("Orders").status is Status.FAILED
    assert ran.deploy("Orders").reason == "not seen running after 600 s; last seen: not deployed yet"


async def test_row_03_the_old_version_still_running_is_no_success(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """A redeployment whose old state says STARTED until the new one ends in ERROR has failed."""
    world.project.flow("Sales", "Orders")
    await world.run()
    world.behave(late_failing=frozenset({"Orders"}), deploy_s=30)
    world.project.edit("Sales", "Orders", SCRIPT, b"changed")
    ran = await world.run()

    assert ran.exit_code == 1
    assert "The endpoint address is already in use" in ran.deploy("Orders").reason


async def test_row_04_a_changed_override_reaches_an_existing_flow(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """One changed override is one parameter written and one deployment, without an upload."""
    world.project.every_kind()
    await world.run()
    world.project.override("Counting", {"Receiver Host": "d.example"})
    ran = await world.run()

    assert ran.writes == (
        "PUT IntegrationDesigntimeArtifacts(Id='Counting',Version='active')/$links/Configurations('Receiver Host')",
        "POST DeployIntegrationDesigntimeArtifact?Id='Counting'&Version='active'",
    )
    assert world.simulator.artifact("Counting").parameters["Receiver Host"] == "d.example"
    assert world.simulator.is_running_design_time("Counting")


async def test_row_05_nothing_is_stopped_in_order_to_be_updated(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """A change under the same version leaves the old state running through the whole update phase."""
    world.project.flow("Sales", "Orders")
    await world.run()
    world.project.edit("Sales", "Orders", SCRIPT, b"changed")
    running: list[str] = []

    def watch(event: Event) -> None:
        runtime = world.simulator.runtime("Orders")
        running.append("nothing" if runtime is None else runtime.status)
        if isinstance(event, PhaseStarted) and event.phase is Phase.DEPLOY:
            assert set(running) == {"STARTED"}

    ran = await world.run(watch=watch)

    assert ran.deployed == ("Orders",)
    assert set(running) == {"STARTED", "STARTING"}


async def test_row_06_a_failing_package_update_is_a_failure(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Metadata that the tenant refuses fails the package by name; its artifacts go on."""
    world.project.package("Sales", displayName="Sales")
    world.project.flow("Sales", "Orders")
    await world.run()
    world.project.packages["Sales"]["displayName"] = "Sales and more"
    world.project.edit("Sales", "Orders", SCRIPT, b"changed")
    world.simulator.fail_next("PUT", "IntegrationPackages", 403, b"no permission to edit")
    ran = await world.run()

    (package,) = ran.report.packages()
    assert ran.exit_code == 1
    assert package.update is not None
    assert package.update.status is Status.FAILED
    assert "'Sales'" in package.update.reason
    assert "no permission to edit" in package.update.reason
    assert ran.statuses() == {"Orders": ("done", "done")}


@pytest.mark.parametrize("missing", ["Sales", "Sales/Orders"])
async def test_row_07_a_missing_folder_stops_the_run_before_anything_is_sent(
    world: World, autojump_clock: trio.testing.MockClock, missing: str
) -> None:
    """A folder that is configured and not there is bad input: exit code 4, no request."""
    world.project.flow("Sales", "Orders")
    (world.project.root / "packages" / missing).rename(world.project.root / "elsewhere")

    with pytest.raises(InputError, match=f"packages/{missing}") as caught:
        await world.run()
    assert caught.value.exit_code == 4
    assert world.simulator.requests == []


async def test_row_08_a_broken_file_in_a_folder_stops_the_run_before_anything_is_sent(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """A YAML file that cannot be read is named with its place, and its neighbours are not deployed either."""
    world.project.flow("Sales", "Orders")
    world.project.configs = {"good": ["Sales"]}
    world.project.save()
    (world.project.root / "configs/bad.yml").write_text("packages:\n  - integrationSuiteId: [\n")

    with pytest.raises(InputError, match=r"bad\.yml:\d+:\d+: ") as caught:
        await world.run()
    assert caught.value.exit_code == 4
    assert world.simulator.requests == []


async def test_row_09_filters_name_ids_as_written_also_for_merged_files_with_a_prefix(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Merging, prefix and filters together deploy exactly what the filters name."""
    world.project.flow("Sales", "Orders")
    world.project.flow("Stock", "Counting")
    world.project.flow("Stock", "Ordering")
    world.project.configs = {"a": ["Sales"], "b": ["Stock"]}
    world.project.keys |= {"mergeConfigs": True, "deploymentPrefix": "DEV"}
    ran = await world.run(Selection(package_filter="Stock", artifact_filter="Counting"))

    assert ran.statuses() == {"DEV_Counting": ("done", "done")}
    assert list(world.simulator.artifacts) == ["DEV_Counting"]
    assert list(world.simulator.packages) == ["DEVStock"]


async def test_row_10_folded_names_and_directives_survive_a_prefix(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Rewriting a manifest leaves no rest of a folded value, keeps directives, and folds at 72 bytes."""
    world.behave(artifact_names="any")
    world.project.keys["deploymentPrefix"] = "DEV"
    world.project.flow("Sales", LONG_ID, name=LONG_NAME)
    ran = await world.run(Selection(keep_temp=True))

    artifact = world.simulator.artifact(f"DEV_{LONG_ID}")
    assert artifact.name == LONG_NAME
    assert artifact.content.headers["Bundle-Name"] == LONG_NAME
    assert artifact.content.headers["Bundle-SymbolicName"] == f"DEV_{LONG_ID}; singleton:=true"
    (sent,) = ran.kept("MANIFEST.MF")
    assert max(len(line) for line in sent.splitlines()) <= 72


async def test_row_11_comments_escapes_and_continued_lines_survive_an_override(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Overriding one parameter of a flow that is created leaves every other line of the file as it was."""
    prop = b"#written by hand\nSender\\ Host\\:Port=old\\: value\nLong=one \\\n   two\n! the end\nLast=\\u00e4\n"
    keys = ["Sender Host:Port", "Long", "Last"]
    world.project.flow("Sales", "Orders", files={PROP: prop, PROPDEF: definitions(keys, {})})
    world.project.override("Orders", {"Sender Host:Port": "a=b #c ä"})
    await world.run()

    assert world.simulator.artifact("Orders").parameters == {
        "Sender Host:Port": "a=b #c ä",
        "Long": "one two",
        "Last": "ä",
    }
    sent = stored(world, "Orders")[PROP].decode().splitlines()
    assert [line for line in sent if not line.startswith("Sender")] == [
        "#written by hand",
        "Long=one \\",
        "   two",
        "! the end",
        "Last=\\u00e4",
    ]


async def test_row_12_an_unknown_type_is_bad_input(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """A type that does not exist never becomes an integration flow."""
    world.project.flow("Sales", "Orders")
    world.project.artifacts["Orders"]["type"] = "IntegrationFlows"

    with pytest.raises(InputError, match="type"):
        await world.run()
    assert world.simulator.requests == []


def test_row_13_the_defaults_are_those_that_are_documented(world: World) -> None:
    """A project that sets nothing gets the documented settings, and one part for each file: merging is off."""
    world.project.flow("Sales", "Orders")
    world.project.flow("Stock", "Counting")
    world.project.configs = {"a": ["Sales"], "b": ["Stock"]}
    world.project.save()
    config = app.prepare(Selection(env="x"), root=world.project.root, note_secret=lambda _: None).config

    assert len(config.configs) == 2
    assert [part.prefix for part in config.configs] == ["", ""]
    assert config.settings == Settings(
        mode=Mode.UPDATE_AND_DEPLOY,
        keep_temp=False,
        force=False,
        parallel_deployments=3,
        max_parallel_deployments=9,
        deploy_delay_s=15,
        deploy_timeout_s=600,
        request_timeout_s=180,
        designtime_rate=9,
        runtime_rate=45,
        parameter_policy=ParameterPolicy.OVERRIDES,
        value_mappings=ValueMappingPolicy.SAFE,
        on_draft=DraftPolicy.FAIL,
    )


async def test_row_14_folders_of_one_name_in_two_packages_do_not_mix(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """Two packages may each have an artifact folder of the same name, also where the content is kept."""
    for package, artifact in (("Sales", "Orders"), ("Stock", "Counting")):
        text = f"def of{package}() {{}}".encode()
        world.project.flow(package, artifact, artifactDir="Main", files={SCRIPT: text})
    ran = await world.run(Selection(keep_temp=True))

    assert stored(world, "Orders")[SCRIPT] == b"def ofSales() {}"
    assert stored(world, "Counting")[SCRIPT] == b"def ofStock() {}"
    assert ran.kept("Main.groovy") == [b"def ofSales() {}", b"def ofStock() {}"]


def test_row_17_the_program_prints_no_debug_lines_and_no_client_id(world: World) -> None:
    """At the default level there is no DEBUG line, no request, and neither client id nor secret."""
    world.project.keys["tenant"] = {"simulator": {"deploySeconds": 0}}
    world.project.flow("Sales", "Orders")
    world.project.save()
    (world.project.root / "tasks.py").write_text("from cpi_tasks import ns\n")
    done = subprocess.run(
        [sys.executable, "-m", "invoke", "orchestrate", "--env", "x"],
        cwd=world.project.root,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = done.stdout + done.stderr

    assert done.returncode == 0, said
    assert "Orders deployed 1.0.0" in said
    assert "DEBUG" not in said
    assert "/api/v1" not in said
    assert "demo-client" not in said
    assert "demo-secret" not in said
