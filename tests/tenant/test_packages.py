"""Calls on integration packages."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpi_tasks.errors import RequestRejected
from cpi_tasks.model.config import OAuthLogin
from cpi_tasks.model.naming import PackageId
from cpi_tasks.model.tenant import IntegrationPackage
from cpi_tasks.tenant import TenantClient
from cpi_tasks.tenant.packages import plain_description, plain_list

Connected = Callable[..., AbstractAsyncContextManager[TenantClient]]

STORED = {
    "Id": "OrderPkg",
    "Name": "Order handling",
    "ResourceId": "5f0c",
    "Description": "<p><p>demo &amp; more</p></p>",
    "ShortText": "Order flows",
    "Version": "1.0.0",
    "Vendor": None,
    "PartnerContent": False,
    "Mode": "EDIT_ALLOWED",
    "SupportedPlatform": "[SAP Cloud Integration]",
    "Products": "[]",
    "Keywords": "[a, b]",
    "Countries": "[]",
    "Industries": "[]",
    "IntegrationDesigntimeArtifacts": {"__deferred": {"uri": "https://t1.example.com"}},
}


async def test_reading_a_package(connected: Connected) -> None:
    """Writable fields are given as they are sent; missing and null ones are empty."""

    def tenant(request: httpx.Request) -> httpx.Response:
        assert request.url.raw_path.decode() == "/api/v1/IntegrationPackages('OrderPkg')"
        return httpx.Response(200, json={"d": STORED})

    async with connected(tenant) as client:
        package = await client.read_package(PackageId("OrderPkg"))
    assert (
        IntegrationPackage(
            id=PackageId("OrderPkg"),
            name="Order handling",
            short_text="Order flows",
            description="demo & more",
            is_read_only=False,
            metadata={
                "Name": "Order handling",
                "ShortText": "Order flows",
                "Description": "demo & more",
                "Version": "1.0.0",
                "Vendor": "",
                "SupportedPlatform": "SAP Cloud Integration",
                "Products": "",
                "Keywords": "a, b",
                "Countries": "",
                "Industries": "",
                "LineOfBusiness": "",
            },
        )
        == package
    )


async def test_a_read_only_package_is_known_as_such(connected: Connected) -> None:
    """Configure-only packages say so in their mode."""
    async with connected(lambda _: httpx.Response(200, json={"d": {"Id": "P", "Mode": "READ_ONLY"}})) as client:
        package = await client.read_package(PackageId("P"))
    assert package is not None
    assert package.is_read_only


async def test_an_unknown_package_is_none(connected: Connected) -> None:
    """A 404 is the normal answer for a package that does not exist."""
    body = {"error": {"code": "Not Found", "message": {"value": "Requested entity could not be found."}}}
    async with connected(lambda _: httpx.Response(404, json=body)) as client:
        assert await client.read_package(PackageId("P")) is None


async def test_a_login_without_the_role_is_told_which(connected: Connected) -> None:
    """A 403 with an empty message names the role that is probably missing."""
    body = {"error": {"code": "Forbidden", "message": {"lang": "en", "value": None}}}
    async with connected(lambda _: httpx.Response(403, json=body)) as client:
        with pytest.raises(RequestRejected) as caught:
            await client.read_package(PackageId("P"))
    assert (caught.value.status, caught.value.status_text) == (403, "Forbidden")
    assert "the login probably lacks the role WorkspacePackagesRead" in str(caught.value)


async def test_creating_a_package(connected: Connected, oauth: OAuthLogin) -> None:
    """The bare entity is sent with its id and never with a mode."""
    sent: list[httpx.Request] = []

    def tenant(request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.example.com":
            return httpx.Response(200, json={"access_token": "t"})
        sent.append(request)
        return httpx.Response(201, json={"d": {"Id": "P"}})

    async with connected(tenant, login=oauth) as client:
        await client.create_package(PackageId("P"), {"Name": "N", "ShortText": "S", "Mode": "EDIT_ALLOWED"})
    (request,) = sent
    assert (request.method, request.url.raw_path) == ("POST", b"/api/v1/IntegrationPackages")
    assert json.loads(request.content) == {"Id": "P", "Name": "N", "ShortText": "S"}
    assert request.headers["content-type"] == "application/json"


async def test_updating_a_package(connected: Connected) -> None:
    """Metadata is replaced without id and mode; 200, 202 and 204 are success."""
    sent: list[httpx.Request] = []
    statuses = iter([200, 202, 204])

    def tenant(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200)
        sent.append(request)
        return httpx.Response(next(statuses))

    async with connected(tenant) as client:
        for _ in range(3):
            await client.update_package(PackageId("P'1"), {"Id": "P", "Name": "N", "ShortText": "S", "Mode": "x"})
    assert {("PUT", b"/api/v1/IntegrationPackages('P%27%271')")} == {(r.method, r.url.raw_path) for r in sent}
    assert [json.loads(request.content) for request in sent] == [{"Name": "N", "ShortText": "S"}] * 3


async def test_a_refused_package_says_why(connected: Connected) -> None:
    """The tenant's own text is part of the error."""
    text = "Property 'Id' value cannot have a special character. Enter a valid Id."
    body = {"error": {"code": "Bad Request", "message": {"lang": "en", "value": text}}}
    async with connected(lambda _: httpx.Response(400, json=body)) as client:
        with pytest.raises(RequestRejected) as caught:
            await client.create_package(PackageId("P_1"), {"Name": "N", "ShortText": "S"})
    assert f"could not create integration package 'P_1': the tenant answered 400 Bad Request: {text}" == str(
        caught.value
    )


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ("<p>demo</p>", "demo"),
        ("<p><p>demo</p></p>", "demo"),
        (" <P>a &lt; b</P>\n", "a < b"),
        ("<p></p>", ""),
        ("", ""),
        ("plain &amp; simple", "plain &amp; simple"),
        ("<p>one</p><p>two</p>", "<p>one</p><p>two</p>"),
        ("<p>with <b>bold</b></p>", "<p>with <b>bold</b></p>"),
        ('<p class="x">styled</p>', '<p class="x">styled</p>'),
    ],
)
def test_descriptions_are_unwrapped(stored: str, expected: str) -> None:
    """Only what the tenant itself wrapped around plain text is taken off."""
    assert expected == plain_description(stored)


@settings(deadline=None, max_examples=100)
@given(st.text(), st.integers(0, 3))
def test_descriptions_do_not_grow(text: str, times: int) -> None:
    """However often a plain text was wrapped, it comes back; and what comes back is not unwrapped further."""
    stripped = text.replace("<", "").replace("&", "").strip()
    wrapped = "<p>" * times + stripped + "</p>" * times
    assert stripped == plain_description(wrapped)


@pytest.mark.parametrize(
    ("stored", "expected"), [("[A, B]", "A, B"), ("[]", ""), ("[ A ]", "A"), ("A, B", "A, B"), ("", ""), ("[A", "[A")]
)
def test_lists_are_unwrapped(stored: str, expected: str) -> None:
    """A stored list is given as it is sent."""
    assert expected == plain_list(stored)
