"""What the cache spares: content that stands where it stood is not downloaded again, and nothing else is believed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from trio.testing import MockClock

from cpi_tasks.content import changed_paths
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.naming import Mode, ParameterPolicy, VerifyPolicy
from cpi_tasks.model.records import ArtifactRecord, Known
from tests.support.bench import SCRIPTS, VALUES, Bench, package_of

FULL, PARAMETERS, CACHED = VerifyPolicy.FULL, VerifyPolicy.PARAMETERS, VerifyPolicy.CACHED
LISTS = ["read_package P", "look-all", "list P IntegrationFlow"]


def verifying(bench: Bench, policy: VerifyPolicy) -> None:
    bench.settings = replace(bench.settings, verify=policy)


async def asked(bench: Bench, *contents: ArtifactContent) -> Counter[str]:
    """Read the tenant and give what was asked for details; backups kept on the way are no requests."""
    bench.tenant.calls.clear()
    await bench.read(package_of("P", *(content.spec for content in contents)), contents=contents)
    return Counter(name for name in bench.tenant.names if name.startswith(("download", "parameters")))


async def warm(bench: Bench) -> ArtifactContent:
    """Have a flow on the tenant as the files have it, with a cache that knows that."""
    flow = bench.content("Flow", parameters={"Host": "a", "Port": "1"})
    bench.have(flow)
    await asked(bench, flow)
    assert set(bench.cache.known) == {"Flow"}
    return flow


@pytest.mark.parametrize(
    ("policy", "details"),
    [
        (FULL, ["download Flow", "download Plain", "download Scripts", "download Values", "parameters Flow"]),
        (PARAMETERS, ["download Values", "parameters Flow"]),
        (CACHED, ["download Values"]),
    ],
)
async def test_requests_with_a_warm_cache(
    timed: Bench, autojump_clock: MockClock, policy: VerifyPolicy, details: list[str]
) -> None:
    """Each setting asks exactly its own requests: lists always, details as far as it does not believe the cache."""
    contents = (
        timed.content("Flow", parameters={"Host": "a"}),
        timed.content("Plain"),
        timed.content("Scripts", kind=SCRIPTS),
        timed.content("Values", kind=VALUES),
    )
    for content in contents:
        timed.have(content)
    timed.tenant.artifacts["Values"] = replace(timed.tenant.artifacts["Values"], modified_at=None)
    await asked(timed, *contents)
    verifying(timed, policy)

    await asked(timed, *contents)

    lists = [*LISTS, "list P ScriptCollection", "list P ValueMapping"]
    assert Counter(timed.tenant.names) == Counter([*lists, *details])


@pytest.mark.parametrize("policy", list(VerifyPolicy))
async def test_requests_with_a_cold_cache(timed: Bench, autojump_clock: MockClock, policy: VerifyPolicy) -> None:
    """A cache that knows nothing proves nothing: content and parameters are read once each, and known then."""
    verifying(timed, policy)
    flow = timed.content("Flow", parameters={"Host": "a"})
    timed.have(flow)

    assert await asked(timed, flow) == Counter(["download Flow", "parameters Flow"])
    assert timed.cache.known["Flow"] == Known(
        version="1.0.1",
        modified_at=timed.tenant.artifacts["Flow"].modified_at or 0,
        content=flow.digest.fingerprint,
        parameters={"Host": "Host=a"},
        parameter_digest="Host=a",
    )
    assert timed.cache.saves == 1


async def test_proved_content_counts_as_equal(timed: Bench, autojump_clock: MockClock) -> None:
    """What the cache proves is in the inventory as if it had been read: content, fingerprint, digests of values."""
    verifying(timed, CACHED)
    flow = await warm(timed)

    inventory = await timed.read(package_of("P", flow.spec), contents=(flow,))

    assert changed_paths(flow.digest, inventory.downloads[flow.spec.id].digest) == ()
    assert inventory.fingerprints == {"Flow": flow.digest.fingerprint}
    assert inventory.proved_parameters == {"Flow"}
    assert inventory.parameters == {}
    assert inventory.parameter_digests == {"Flow": "Host=a,Port=1"}
    assert inventory.value_digests == {"Flow": {"Host": "Host=a", "Port": "Port=1"}}


@pytest.mark.parametrize(
    "moved", [{"version": "1.0.2"}, {"modified_at": 99_000}, {"modified_at": 1}, {"modified_at": None}]
)
@pytest.mark.parametrize("policy", [PARAMETERS, CACHED])
async def test_what_has_moved_is_read_again(
    timed: Bench, autojump_clock: MockClock, policy: VerifyPolicy, moved: dict[str, object]
) -> None:
    """Another version, another time of change (also an earlier one) or none: content and parameters are read again."""
    verifying(timed, policy)
    flow = await warm(timed)
    timed.tenant.artifacts["Flow"] = replace(timed.tenant.artifacts["Flow"], **moved)  # type: ignore[arg-type]

    assert await asked(timed, flow) == Counter(["download Flow", "parameters Flow"])


@pytest.mark.parametrize("policy", list(VerifyPolicy))
async def test_without_a_time_of_change_nothing_is_known(
    bench: Bench, autojump_clock: MockClock, policy: VerifyPolicy
) -> None:
    """A family that gives no ``ModifiedAt`` is downloaded every time, and leaves nothing in the cache."""
    verifying(bench, policy)
    flow = bench.content("Flow", parameters={"Host": "a"})
    bench.have(flow)

    for _ in range(2):
        assert await asked(bench, flow) == Counter(["download Flow", "parameters Flow"])
    assert bench.cache.known == {}


async def test_drafts_are_read_every_time(timed: Bench, autojump_clock: MockClock) -> None:
    """A draft changes under one name, so that its content is downloaded whatever its time of change is."""
    verifying(timed, CACHED)
    flow = timed.content("Flow")
    timed.have(flow)
    timed.tenant.artifacts["Flow"] = replace(timed.tenant.artifacts["Flow"], version="Active")

    for _ in range(2):
        assert await asked(timed, flow) == Counter(["download Flow"])


async def test_what_is_known_to_differ_is_downloaded(timed: Bench, autojump_clock: MockClock) -> None:
    """The cache only proves equality: content that will be overwritten is read, and kept, before it is."""
    await warm(timed)
    edited = timed.content("Flow", parameters={"Host": "a", "Port": "1"}, text="edited")

    assert await asked(timed, edited) == Counter(["download Flow", "parameters Flow"])
    assert timed.backups.archives == {"Flow": timed.tenant.archives["Flow"]}


@pytest.mark.parametrize(
    ("overrides", "policy", "reads"),
    [
        ({"Host": "a"}, ParameterPolicy.OVERRIDES, 0),
        ({"Host": "b"}, ParameterPolicy.OVERRIDES, 1),
        ({"New": ""}, ParameterPolicy.OVERRIDES, 1),
        ({"Host": "a"}, ParameterPolicy.ALL, 1),
        ({"Host": "a", "Port": "2"}, ParameterPolicy.ALL, 0),
    ],
)
async def test_only_wanted_values_are_proved(
    timed: Bench, autojump_clock: MockClock, overrides: dict[str, str], policy: ParameterPolicy, reads: int
) -> None:
    """Under ``cached`` parameters are read as soon as one value that the files enforce is not known to be there."""
    flow = await warm(timed)
    timed.tenant.parameters["Flow"] = {"Host": "a", "Port": "2"}
    await asked(timed, flow)
    verifying(timed, CACHED)
    timed.settings = replace(timed.settings, parameter_policy=policy)
    flow = replace(
        flow,
        spec=replace(flow.spec, overrides=overrides),
        parameters={**flow.parameters, **{key: value for key, value in overrides.items() if key != "New"}},
    )

    assert await asked(timed, flow) == Counter({"parameters Flow": reads} if reads else {})


async def test_parameters_that_were_never_shown_are_no_proof(timed: Bench, autojump_clock: MockClock) -> None:
    """Where the tenant did not show a flow's parameters, ``cached`` asks for them again, content unread."""
    verifying(timed, CACHED)
    flow = timed.content("Flow", parameters={"Host": "a"})
    timed.have(flow)
    del timed.tenant.parameters["Flow"]
    await asked(timed, flow)

    assert await asked(timed, flow) == Counter(["parameters Flow"])


async def test_parameters_read_anew_are_known_anew(timed: Bench, autojump_clock: MockClock) -> None:
    """A parameter write that moves no time of change is found by ``parameters``, and the cache knows it then."""
    flow = await warm(timed)
    timed.tenant.parameters["Flow"]["Host"] = "by hand"

    assert await asked(timed, flow) == Counter(["parameters Flow"])
    assert timed.cache.known["Flow"].parameters == {"Host": "Host=by hand", "Port": "Port=1"}
    assert timed.cache.known["Flow"].parameter_digest == "Host=by hand,Port=1"


@pytest.mark.parametrize(
    ("on_tenant", "in_files", "downloads"),
    [("old", "old", 0), ("old", "new", 1), (None, "new", 0), ("old", None, 0), (None, None, 0)],
)
async def test_difference_in_the_description_alone(
    timed: Bench, autojump_clock: MockClock, on_tenant: str | None, in_files: str | None, downloads: int
) -> None:
    """A description counts only where both sides have one: then a difference is downloaded and named."""
    stored, wanted = (timed.content("Flow", description=text) for text in (on_tenant, in_files))
    timed.have(stored)
    await asked(timed, stored)

    requests = await asked(timed, wanted)

    assert requests == Counter({"download Flow": downloads} if downloads else {})
    inventory = await timed.read(package_of("P", wanted.spec), contents=(wanted,))
    paths = changed_paths(wanted.digest, inventory.downloads[wanted.spec.id].digest)
    assert paths == (("metainfo.prop",) if downloads else ())


async def test_deploy_only_takes_its_proof_from_the_cache(timed: Bench, autojump_clock: MockClock) -> None:
    """Without artifact folders, what is known of a flow in the state it is in needs no download to go on record."""
    verifying(timed, CACHED)
    deployed_on = timed.tenant.run("Flow", version="1.0.1").deployed_on
    flow = await warm(timed)
    timed.records.records["Flow"] = ArtifactRecord(content="of some day", deployed_on=deployed_on)
    timed.settings = replace(timed.settings, mode=Mode.DEPLOY_ONLY)
    timed.tenant.calls.clear()

    inventory = await timed.read(package_of("P", flow.spec))

    assert timed.tenant.count("download") == timed.tenant.count("parameters") == 0
    assert inventory.fingerprints == {"Flow": flow.digest.fingerprint}
    assert inventory.parameter_digests == {"Flow": "Host=a,Port=1"}
