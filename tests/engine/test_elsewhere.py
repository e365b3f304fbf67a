"""What is needed and not deployed by the run is looked up on the tenant, in one request where that is enough."""

from __future__ import annotations

from dataclasses import replace

from trio.testing import MockClock

from cpi_tasks.model.config import Position
from cpi_tasks.model.naming import ArtifactId, Mode
from tests.support.bench import FLOW, SCRIPTS, Bench, package_of, rejected

PLACE = Position(file="deploy.yml", line=1, column=1)


async def test_what_the_configuration_does_not_have_is_looked_up(bench: Bench, autojump_clock: MockClock) -> None:
    """A used collection and a named artifact are looked for in every family until they are found."""
    flow = bench.content("Flow", uses="Lib")
    spec = replace(flow.spec, depends_on={ArtifactId("Named"): PLACE, ArtifactId("Nowhere"): PLACE})
    bench.tenant.have("Lib", package="Other", kind=SCRIPTS)
    bench.tenant.have("Named", package="Other", kind=FLOW)

    inventory = await bench.read(package_of("P", spec), contents=(replace(flow, spec=spec),))

    assert inventory.elsewhere == {"Lib": True, "Named": True, "Nowhere": False}
    assert bench.tenant.count("read Nowhere") == 4


async def test_what_the_configuration_has_and_does_not_deploy_is_looked_up(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """A collection with ``deploy: false`` is needed from the tenant like anybody else's."""
    flow, library = bench.content("Flow", uses="Lib"), bench.content("Lib", kind=SCRIPTS)
    left_out = replace(library.spec, deploy=False)
    bench.tenant.have("Lib", kind=SCRIPTS)

    inventory = await bench.read(package_of("P", flow.spec, left_out), contents=(flow, replace(library, spec=left_out)))

    assert inventory.elsewhere == {"Lib": True}


async def test_what_runs_or_is_deployed_is_not_asked_about(bench: Bench, autojump_clock: MockClock) -> None:
    """The list of what runs is read anyway, and what the run deploys will be there."""
    flow, other = bench.content("Flow", uses="Lib"), bench.content("Second", uses="Own")
    own = bench.content("Own", kind=SCRIPTS)
    bench.tenant.run("Lib")

    inventory = await bench.read(package_of("P", flow.spec, other.spec, own.spec), contents=(flow, other, own))

    assert inventory.elsewhere == {}
    assert bench.tenant.count("read") == 0


async def test_updates_alone_ask_nothing(bench: Bench, autojump_clock: MockClock) -> None:
    """Where nothing is deployed, nothing is needed."""
    bench.settings = replace(bench.settings, mode=Mode.UPDATE_ONLY)
    flow = bench.content("Flow", uses="Lib")

    inventory = await bench.read(package_of("P", flow.spec), contents=(flow,))

    assert (inventory.elsewhere, bench.tenant.count("read")) == ({}, 0)


async def test_a_refusal_says_nothing(bench: Bench, autojump_clock: MockClock) -> None:
    """Where the tenant will not tell, the reference is neither there nor absent."""
    flow = bench.content("Flow", uses="Lib")
    bench.tenant.faults["read Lib"] = [rejected("no permission", status=403)]

    inventory = await bench.read(package_of("P", flow.spec), contents=(flow,))

    assert inventory.elsewhere == {}
