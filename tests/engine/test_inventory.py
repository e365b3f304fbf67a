"""Reading the tenant before planning: what is asked for, how often, and what is not asked for."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from trio.testing import MockClock

from cpi_tasks.errors import TenantUnavailable
from cpi_tasks.model.naming import Mode, PackageId
from cpi_tasks.model.records import ArtifactRecord
from tests.support.bench import FLOW, SCRIPTS, VALUES, Bench, package_of, rejected, unavailable


async def test_requests_of_a_whole_run(bench: Bench, autojump_clock: MockClock) -> None:
    """One read for each package, one list for each family it needs, one for what runs, one download each; no more."""
    flow = bench.content("Flow", parameters={"Host": "a"})
    plain = bench.content("Plain")
    values = bench.content("Values", kind=VALUES)
    scripts = bench.content("Scripts", kind=SCRIPTS, package="Q")
    new = bench.content("New", package="Q")
    for content in (flow, plain, values, scripts):
        bench.have(content)
    bench.tenant.have("Foreign")

    inventory = await bench.read(
        package_of("P", flow.spec, plain.spec, values.spec),
        package_of("Q", scripts.spec, new.spec),
        contents=(flow, plain, values, scripts, new),
    )

    assert Counter(bench.tenant.names) == Counter(
        [
            "read_package P",
            "read_package Q",
            "list P IntegrationFlow",
            "list P ValueMapping",
            "list Q ScriptCollection",
            "list Q IntegrationFlow",
            "look-all",
            "download Flow",
            "download Plain",
            "download Values",
            "download Scripts",
            "parameters Flow",
        ]
    )
    assert set(inventory.artifacts) == {"Flow", "Plain", "Values", "Scripts"}
    assert inventory.downloads[flow.spec.id].digest == flow.digest
    assert dict(inventory.values(flow.spec.id)) == {"Host": "a"}
    assert inventory.parameter_digests[flow.spec.id] == "Host=a"


async def test_overrides_are_reason_enough_to_read_parameters(bench: Bench, autojump_clock: MockClock) -> None:
    """Parameters are read for a flow whose files name none but whose overrides do."""
    flow = bench.content("Flow")
    bench.have(flow)
    flow = replace(flow, spec=replace(flow.spec, overrides={"Host": "b"}))

    await bench.read(package_of("P", flow.spec), contents=(flow,))

    assert bench.tenant.count("parameters") == 1


async def test_new_package(bench: Bench, autojump_clock: MockClock) -> None:
    """Of a package that does not exist nothing else is asked."""
    flow = bench.content("Flow")

    inventory = await bench.read(package_of("P", flow.spec), contents=(flow,))

    assert sorted(bench.tenant.names) == ["look-all", "read_package P"]
    assert inventory.packages == {}


async def test_update_only_does_not_ask_what_runs(bench: Bench, autojump_clock: MockClock) -> None:
    """A run without deployments does not look at the runtime, nor at families only deployments need."""
    bench.settings = replace(bench.settings, mode=Mode.UPDATE_ONLY)
    bench.tenant.have("A")

    await bench.read(package_of("P", replace(bench.spec("A"), sync=False), bench.spec("S", kind=SCRIPTS)))

    assert bench.tenant.names == ["read_package P", "list P ScriptCollection"]


async def test_read_only_package_downloads_nothing(bench: Bench, autojump_clock: MockClock) -> None:
    """Of a read-only package the parameters are read, the content is not."""
    flow = bench.content("Flow", parameters={"Host": "a"})
    bench.have(flow)
    bench.tenant.read_only.add("P")

    inventory = await bench.read(package_of("P", flow.spec), contents=(flow,))

    assert bench.tenant.count("download") == 0
    assert bench.tenant.count("parameters") == 1
    assert inventory.packages[PackageId("P")].is_read_only


async def test_rejected_list_concerns_its_package_alone(bench: Bench, autojump_clock: MockClock) -> None:
    """A package whose artifacts cannot be listed is unreadable with the tenant's words; the others are read."""
    left, right = bench.content("Left"), bench.content("Right", package="Q")
    bench.have(left)
    bench.have(right)
    bench.tenant.faults["list P IntegrationFlow"] = [rejected("no access", status=403)]

    inventory = await bench.read(package_of("P", left.spec), package_of("Q", right.spec), contents=(left, right))

    assert set(inventory.unreadable_packages) == {"P"}
    assert "no access" in inventory.unreadable_packages[PackageId("P")]
    assert set(inventory.downloads) == {"Right"}


@pytest.mark.parametrize("call", ["download A", "parameters A"])
async def test_rejected_detail_concerns_its_artifact_alone(bench: Bench, autojump_clock: MockClock, call: str) -> None:
    """An artifact whose content or parameters are refused is unreadable; the others are read."""
    contents = tuple(bench.content(a, parameters={"Host": "a"}) for a in "AB")
    for content in contents:
        bench.have(content)
    bench.tenant.faults[call] = [rejected("no access")]

    inventory = await bench.read(package_of("P", *(c.spec for c in contents)), contents=contents)

    assert set(inventory.unreadable_artifacts) == {"A"}
    assert "B" in inventory.downloads


async def test_damaged_archive_concerns_its_artifact_alone(bench: Bench, autojump_clock: MockClock) -> None:
    """An archive that cannot be read makes its artifact unreadable, not the tenant unreachable."""
    contents = tuple(bench.content(a) for a in "AB")
    for content in contents:
        bench.have(content)
    bench.tenant.archives["A"] = b"no zip"

    inventory = await bench.read(package_of("P", *(c.spec for c in contents)), contents=contents)

    assert set(inventory.unreadable_artifacts) == {"A"}
    assert set(inventory.downloads) == {"B"}


async def test_unreachable_tenant(bench: Bench, autojump_clock: MockClock) -> None:
    """A tenant that gives no answer ends the reading."""
    bench.tenant.faults["read_package P"] = [unavailable()]

    with pytest.RaisesGroup(TenantUnavailable):
        await bench.read(package_of("P", bench.spec("A")))


async def test_id_in_another_package_is_not_taken_for_ours(bench: Bench, autojump_clock: MockClock) -> None:
    """An artifact that stands in one package on the tenant and in another one in the files does not exist there yet."""
    moved = bench.content("Moved", package="Q")
    kept = bench.content("Kept")
    bench.have(kept)
    bench.tenant.have("Moved", package="P")

    inventory = await bench.read(package_of("P", kept.spec), package_of("Q", moved.spec), contents=(moved, kept))

    assert set(inventory.artifacts) == {"Kept"}


RECORD = ArtifactRecord(content="c", parameters="p", deployed_on=2_000)


@pytest.mark.parametrize(
    ("modified_at", "record", "downloads"),
    [
        pytest.param(1_000, RECORD, 0, id="deployed after the last change"),
        pytest.param(3_000, RECORD, 1, id="changed since, but the record names this deployment"),
        pytest.param(3_000, ArtifactRecord(), 0, id="changed since, nothing on record"),
        pytest.param(3_000, replace(RECORD, deployed_on=1_500), 0, id="changed since, another deployment on record"),
        pytest.param(3_000, replace(RECORD, is_pending=True), 0, id="changed since, a write is pending"),
        pytest.param(None, RECORD, 1, id="no time of change, the record names this deployment"),
        pytest.param(None, ArtifactRecord(), 0, id="no time of change, nothing on record"),
    ],
)
async def test_deploy_only_reads_content_for_a_proof(
    bench: Bench, autojump_clock: MockClock, modified_at: int | None, record: ArtifactRecord, downloads: int
) -> None:
    """A run that only deploys reads no package, and content and parameters only where they could prove something."""
    bench.settings = replace(bench.settings, mode=Mode.DEPLOY_ONLY)
    flow = bench.content("Flow", parameters={"Host": "a"})
    bench.have(flow, modified_at=modified_at)
    bench.tenant.run("Flow")
    bench.records.records["Flow"] = record

    inventory = await bench.read(package_of("P", flow.spec), contents=())

    assert bench.tenant.count("read_package") == 0
    assert bench.tenant.count("download") == downloads
    assert bench.tenant.count("parameters") == downloads
    assert inventory.record(flow.spec.id) == record


@pytest.mark.parametrize("call", ["download Flow", "parameters Flow"])
async def test_refused_proof_does_no_harm(bench: Bench, autojump_clock: MockClock, call: str) -> None:
    """Where content is read only to spare a deployment, a refusal leaves the artifact deployable."""
    bench.settings = replace(bench.settings, mode=Mode.DEPLOY_ONLY)
    flow = bench.content("Flow", parameters={"Host": "a"})
    bench.have(flow)
    running = bench.tenant.run("Flow")
    bench.records.records["Flow"] = replace(RECORD, deployed_on=running.deployed_on)
    bench.tenant.faults[call] = [rejected("READ_ONLY")]

    inventory = await bench.read(package_of("P", flow.spec))

    assert bench.tenant.count(call.partition(" ")[0]) == 1
    assert inventory.unreadable_artifacts == {}
    assert inventory.downloads == {}


async def test_deploy_only_leaves_out_what_is_not_deployed(bench: Bench, autojump_clock: MockClock) -> None:
    """Families that only artifacts with deploy: false have are not listed."""
    bench.settings = replace(bench.settings, mode=Mode.DEPLOY_ONLY)
    bench.have(bench.content("A"), modified_at=1_000)

    await bench.read(package_of("P", bench.spec("A"), replace(bench.spec("V", kind=VALUES), deploy=False)))

    assert Counter(bench.tenant.names) == Counter(["look-all", f"list P {FLOW.value}"])
