"""Entries of value mappings."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from cpi_tasks.simulator import Simulator

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
MAPPING = "ValueMappingDesigntimeArtifacts(Id='V',Version='active')"
SCHEME = "SrcAgency='ERP',SrcId='Country',TgtAgency='CRM',TgtId='Code'"
ARGUMENTS = "Id='V'&Version='active'&" + SCHEME.replace(",", "&")
FILE = (
    b'<vm version="2.0"><group id="g1"><entry><agency>ERP</agency><schema>Country</schema><value>DE</value></entry>'
    b"<entry><agency>CRM</agency><schema>Code</schema><value>Germany</value></entry></group></vm>"
)


def _with_mapping(simulator: Simulator, bundle: Build, content: bytes = FILE) -> None:
    simulator.add_package("P")
    files = {"value_mapping.xml": content}
    simulator.add_artifact("P", "V", "ValueMapping", bundle("V", "ValueMapping", files=files))


async def _pairs(client: httpx.AsyncClient, navigation: str = "ValMaps") -> list[tuple[str, str]]:
    answer = await client.get(f"{MAPPING}/ValMapSchema({SCHEME})/{navigation}")
    rows = answer.json()["d"]["results"] if answer.status_code == 200 else []
    return [(row["Value"]["SrcValue"], row["Value"]["TgtValue"]) for row in rows]


async def test_schemes_and_pairs_are_read_from_the_file(connect: Connect, bundle: Build) -> None:
    """Both directions of a pair; an unknown scheme is 404."""
    simulator, client = connect()
    _with_mapping(simulator, bundle)
    rows = (await client.get(f"{MAPPING}/ValMapSchema")).json()["d"]["results"]
    assert [(row["SrcAgency"], row["TgtId"], row["State"]) for row in rows] == [
        ("CRM", "Country", "Not Configured"),
        ("ERP", "Code", "Not Configured"),
    ]
    assert (await client.get(rows[1]["__metadata"]["uri"])).status_code == 200
    assert await _pairs(client) == [("DE", "Germany")]
    assert await _pairs(client, "DefaultValMaps") == []
    unknown = await client.get(f"{MAPPING}/ValMapSchema({SCHEME.replace('ERP', 'X')})")
    assert unknown.status_code == 404


async def test_pairs_are_added_changed_and_made_the_default(connect: Connect, bundle: Build) -> None:
    """All answers are empty 202; a configured scheme stays configured."""
    simulator, client = connect()
    _with_mapping(simulator, bundle)
    add = f"UpsertValMaps?{ARGUMENTS}&SrcValue='FR'&TgtValue='France'&IsConfigured=true"
    answers = [
        await client.post(add),
        await client.post(f"UpsertValMaps?{ARGUMENTS}&SrcValue='DE'&TgtValue='D'&ValMapId='g1'&IsConfigured=true"),
        await client.post(f"UpdateDefaultValMap?{ARGUMENTS}&ValMapId='g1'&IsConfigured=true"),
    ]
    assert [(answer.status_code, answer.content) for answer in answers] == [(202, b"")] * 3
    assert await _pairs(client) == [("DE", "D"), ("FR", "France")]
    assert await _pairs(client, "DefaultValMaps") == [("DE", "D")]
    scheme = (await client.get(f"{MAPPING}/ValMapSchema({SCHEME})")).json()["d"]
    assert scheme["State"] == "Configured"
    back = await client.post(add.replace("IsConfigured=true", "IsConfigured=false"))
    assert back.status_code == 400
    assert simulator.artifact("V").shown_version == "1.0.0"


@pytest.mark.parametrize(
    ("rule", "after_upsert", "after_deletion"),
    [("working", [("DE", "Germany"), ("FR", "France")], []), ("as-observed", [("FR", "France")], [("FR", "France")])],
)
async def test_the_functions_may_behave_as_they_were_seen(
    connect: Connect,
    bundle: Build,
    rule: str,
    after_upsert: list[tuple[str, str]],
    after_deletion: list[tuple[str, str]],
) -> None:
    """An upsert that drops what was there, a deletion without effect: both still answer 202."""
    simulator, client = connect(value_mapping_functions=rule)
    _with_mapping(simulator, bundle)
    await client.post(f"UpsertValMaps?{ARGUMENTS}&SrcValue='FR'&TgtValue='France'&IsConfigured=false")
    assert await _pairs(client) == after_upsert
    assert (await client.post(f"DeleteValMaps?{ARGUMENTS}")).status_code == 202
    assert await _pairs(client) == after_deletion


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (f"UpsertValMaps?{ARGUMENTS}&SrcValue='x'&IsConfigured=true", 400),
        (f"UpsertValMaps?{ARGUMENTS}&SrcValue='x'&TgtValue='y'&IsConfigured=maybe", 400),
        (f"UpsertValMaps?{ARGUMENTS}&SrcValue='%01'&TgtValue='y'&IsConfigured=true", 400),
        (f"UpsertValMaps?{ARGUMENTS}&SrcValue='x'&TgtValue='y'&ValMapId='no'&IsConfigured=true", 404),
        (f"UpdateDefaultValMap?{ARGUMENTS}&ValMapId='no'&IsConfigured=true", 404),
        (f"DeleteValMaps?{ARGUMENTS.replace('ERP', 'X')}", 404),
        (f"DeleteValMaps?{ARGUMENTS.replace(chr(39) + 'V' + chr(39), chr(39) + 'X' + chr(39))}", 404),
    ],
)
async def test_bad_calls_are_refused(connect: Connect, bundle: Build, call: str, status: int) -> None:
    """Missing or malformed arguments are 400, unknown things 404; nothing changes."""
    simulator, client = connect()
    _with_mapping(simulator, bundle)
    assert (await client.post(call)).status_code == status
    assert await _pairs(client) == [("DE", "Germany")]


async def test_locks_and_absurd_files(connect: Connect, bundle: Build) -> None:
    """A locked mapping refuses entries; files that cannot be read, or have absurdly many pairs, are 500."""
    simulator, client = connect()
    _with_mapping(simulator, bundle)
    simulator.lock("V")
    assert (await client.post(f"DeleteValMaps?{ARGUMENTS}")).status_code == 400
    many = "".join(f"<entry><agency>{number}</agency></entry>" for number in range(1500))
    for content in (b"<vm", b"<!DOCTYPE x [<!ENTITY a 'a'>]><vm>&a;</vm>", f"<vm><group>{many}</group></vm>".encode()):
        simulator, client = connect()
        _with_mapping(simulator, bundle, content)
        assert (await client.get(f"{MAPPING}/ValMapSchema")).status_code == 500
