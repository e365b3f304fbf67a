"""Integration packages."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import httpx
import pytest

from cpi_tasks.simulator import Simulator

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
BODY = {"Id": "OrderPkg", "Name": "Order handling", "ShortText": "Order flows", "Description": "demo"}


async def test_a_created_package_is_answered_with_201_and_the_stored_values(connect: Connect) -> None:
    """Creation gives the entity, with text wrapped and lists in brackets as tenants store them."""
    simulator, client = connect()
    answer = await client.post("IntegrationPackages", json={**BODY, "Version": "1.0.0", "Keywords": "a,b"})
    assert answer.status_code == 201
    stored = answer.json()["d"]
    assert stored["Id"] == "OrderPkg"
    assert stored["Description"] == "<p>demo</p>"
    assert stored["SupportedPlatform"] == "[SAP Cloud Integration]"
    assert (stored["Products"], stored["Keywords"], stored["Vendor"]) == ("[]", "[a,b]", "")
    assert (stored["PartnerContent"], stored["Mode"], stored["Version"]) == (False, "EDIT_ALLOWED", "1.0.0")
    assert stored["CreationDate"].isdigit()
    assert stored["IntegrationDesigntimeArtifacts"]["__deferred"]["uri"] == (
        "https://tenant.example:443/api/v1/IntegrationPackages('OrderPkg')/IntegrationDesigntimeArtifacts"
    )
    assert simulator.packages["OrderPkg"].name == "Order handling"


async def test_a_package_body_may_be_wrapped_and_carry_unknown_fields(connect: Connect) -> None:
    """The wrapped form is accepted, and what is not known is ignored."""
    _, client = connect()
    answer = await client.post("IntegrationPackages", json={"d": {**BODY, "Colour": "red", "Number": 7}})
    assert answer.status_code == 201
    assert "Colour" not in answer.json()["d"]


@pytest.mark.parametrize(
    ("change", "status", "text"),
    [
        ({"Id": "Order_Pkg"}, 400, "Property 'Id' value cannot have a special character. Enter a valid Id."),
        ({"Id": "Order.Pkg"}, 400, "Property 'Id' value cannot have a special character. Enter a valid Id."),
        ({"ShortText": ""}, 400, "Property 'ShortText' cannot be empty"),
        ({"Mode": "READ_ONLY"}, 400, "Property 'Mode' cannot be set."),
        ({"Id": ""}, 400, "Property 'Id' cannot be empty"),
        ({"Id": "Taken"}, 409, "Entity with the specified IntegrationPackage id already exist."),
    ],
)
async def test_a_bad_package_is_refused(connect: Connect, change: dict[str, str], status: int, text: str) -> None:
    """Special characters, missing text and a mode are 400, an existing id is 409."""
    simulator, client = connect()
    simulator.add_package("Taken")
    answer = await client.post("IntegrationPackages", json={**BODY, **change})
    assert answer.status_code == status
    assert answer.json()["error"]["message"]["value"] == text
    assert list(simulator.packages) == ["Taken"]


async def test_underscores_in_package_ids_are_a_setting(connect: Connect) -> None:
    """Tenants that allow them can be played."""
    _, client = connect(underscore_package_ids=True)
    assert (await client.post("IntegrationPackages", json={**BODY, "Id": "A_B"})).status_code == 201
    assert (await client.post("IntegrationPackages", json={**BODY, "Id": "A-B"})).status_code == 400


async def test_a_package_update_replaces_everything_and_has_no_body(connect: Connect) -> None:
    """A PUT is answered with an empty 202; fields that are not sent become empty."""
    simulator, client = connect()
    simulator.add_package("P", "Old", description="text", Vendor="SAP", Version="1.0.0")
    answer = await client.put("IntegrationPackages('P')", json={"Name": "New", "ShortText": "s", "Id": "P"})
    assert (answer.status_code, answer.content) == (202, b"")
    stored = (await client.get("IntegrationPackages('P')")).json()["d"]
    assert (stored["Name"], stored["ShortText"]) == ("New", "s")
    assert (stored["Description"], stored["Vendor"], stored["Version"]) == ("", "", "")
    refused = await client.put("IntegrationPackages('P')", json={"Name": "New"})
    assert refused.status_code == 400


async def test_descriptions_are_left_as_they_are_where_the_tenant_does_not_wrap(connect: Connect) -> None:
    """Wrapping is a setting; text that is wrapped already is not wrapped again."""
    _, client = connect(wraps_descriptions=False)
    assert (await client.post("IntegrationPackages", json=BODY)).json()["d"]["Description"] == "demo"
    _, client = connect()
    wrapped = {**BODY, "Description": "<p>demo</p>"}
    assert (await client.post("IntegrationPackages", json=wrapped)).json()["d"]["Description"] == "<p>demo</p>"


async def test_patch_is_not_implemented(connect: Connect) -> None:
    """PATCH on a package is 501."""
    simulator, client = connect()
    simulator.add_package("P")
    assert (await client.patch("IntegrationPackages('P')", json=BODY)).status_code == 501


async def test_deleting_a_package_removes_its_artifacts(connect: Connect, flow: Build) -> None:
    """DELETE is an empty 202; afterwards neither package nor artifact exist, and the id is free again."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"))
    answer = await client.delete("IntegrationPackages('P')")
    assert (answer.status_code, answer.content) == (202, b"")
    assert (simulator.packages, simulator.artifacts) == ({}, {})
    assert (await client.delete("IntegrationPackages('P')")).status_code == 404


async def test_an_unknown_package_is_404_with_its_name(connect: Connect) -> None:
    """Reading, exporting and listing an unknown package say which."""
    _, client = connect()
    for path in ("", "/$value", "/IntegrationDesigntimeArtifacts"):
        answer = await client.get(f"IntegrationPackages('Nope'){path}")
        assert answer.status_code == 404
        assert answer.json()["error"] == {
            "code": "Not Found",
            "message": {"lang": "en", "value": "Integration package Nope does not exist."},
        }


async def test_a_package_export_fails_with_a_draft_inside(connect: Connect, flow: Build) -> None:
    """A package with saved artifacts exports; a draft makes it a 500 that names it."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F"))
    export = await client.get("IntegrationPackages('P')/$value")
    assert export.status_code == 200
    with zipfile.ZipFile(io.BytesIO(export.content)) as archive:
        assert "resources.cnt" in archive.namelist()
    simulator.edit_as_draft("F", {"a.txt": b"1"})
    failed = await client.get("IntegrationPackages('P')/$value")
    assert failed.status_code == 500
    assert failed.json()["error"]["message"]["value"] == (
        "Package export failed. It contains the following artifacts are in draft state: [ {Type=IFlow, Name=F} ]"
    )


async def test_counting_packages_is_not_supported(connect: Connect) -> None:
    """``$inlinecount`` on packages is 501."""
    _, client = connect()
    answer = await client.get("IntegrationPackages?$inlinecount=allpages")
    assert answer.status_code == 501
    assert answer.json()["error"]["message"]["value"] == "$count is not supported"


async def test_packages_come_in_pages_with_links_that_work(connect: Connect) -> None:
    """More than a page is followed by ``__next`` with a skip token; following it to the end gives everything once."""
    simulator, client = connect(page_size=2)
    for number in range(5):
        simulator.add_package(f"P{number}")
    url, seen = "IntegrationPackages", []
    while url:
        page = (await client.get(url)).json()["d"]
        seen.append([row["Id"] for row in page["results"]])
        url = page.get("__next", "")
    assert seen == [["P0", "P1"], ["P2", "P3"], ["P4"]]
    cut = (await client.get("IntegrationPackages?$skip=1&$top=2")).json()["d"]
    assert [row["Id"] for row in cut["results"]] == ["P1", "P2"]
    assert "__next" not in cut


async def test_a_copy_from_the_catalogue_is_404(connect: Connect) -> None:
    """This tenant has no catalogue."""
    _, client = connect()
    answer = await client.post("CopyIntegrationPackage?Id='X'")
    assert answer.status_code == 404
    assert "Copy not successful" in answer.json()["error"]["message"]["value"]
