"""Answers that SAP's own specification has (Business Accelerator Hub, Integration Content 1.0.0), text for text."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from cpi_tasks.simulator import Simulator
from cpi_tasks.simulator.settings import Kind

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
Encode = Callable[[bytes], str]
FAMILIES = [kind.value for kind in Kind]
NAMED = [(kind.value, kind.words) for kind in Kind]


def _answer(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["error"]["message"]["value"])


def _path(kind: str, name: str = "A") -> str:
    return f"{kind}DesigntimeArtifacts(Id='{name}',Version='active')"


async def test_an_existing_package_is_a_conflict(connect: Connect) -> None:
    """409, with the specification's text."""
    simulator, client = connect()
    simulator.add_package("P")
    answer = await client.post("IntegrationPackages", json={"Id": "P", "Name": "P", "ShortText": "P"})
    assert _answer(answer) == (409, "Entity with the specified IntegrationPackage id already exist.")
    assert answer.json()["error"]["code"] == "Conflict"


@pytest.mark.parametrize("rule", ["specified", "uniform"])
@pytest.mark.parametrize("kind", FAMILIES)
async def test_locks_of_mappings_have_answers_of_their_own(
    connect: Connect, bundle: Build, encode: Encode, kind: str, rule: str
) -> None:
    """A mapping's update and a value mapping's deletion are 500; other clients saw 400 (cpi-project) everywhere."""
    simulator, client = connect(lock_errors=rule)
    simulator.add_package("P")
    simulator.add_artifact("P", "A", kind, bundle("A", kind))
    simulator.lock("A")
    usual = (400, "Cannot update the artifact as it is locked")
    deleted = _answer(await client.delete(_path(kind)))
    is_own = rule == "specified" and kind == "ValueMapping"
    assert deleted == ((500, "Cannot delete the artifact as it is locked.") if is_own else usual)
    if kind == "ValueMapping":
        return
    updated = _answer(await client.put(_path(kind), json={"ArtifactContent": encode(bundle("A", kind))}))
    own = (500, "Update of Message Mapping failed. Cannot update the artifact as it is locked.")
    assert updated == (own if rule == "specified" and kind == "MessageMapping" else usual)
    simulator.unlock("A")
    assert (await client.delete(_path(kind))).status_code == 200


@pytest.mark.parametrize(("kind", "words"), NAMED)
async def test_content_of_a_configure_only_package_is_refused(
    connect: Connect, bundle: Build, encode: Encode, kind: str, words: str
) -> None:
    """Creating, downloading, updating and deleting name the family and the package."""
    simulator, client = connect()
    simulator.add_package("P", mode="READ_ONLY")
    simulator.add_artifact("P", "A", kind, bundle("A", kind))
    content = encode(bundle("A", kind))
    answers = [
        await client.post(f"{kind}DesigntimeArtifacts", json={"Id": "B", "Name": "B", "PackageId": "P"}),
        await client.get(f"{_path(kind)}/$value"),
        await client.delete(_path(kind)),
    ]
    if kind != "ValueMapping":
        answers.append(await client.put(_path(kind), json={"ArtifactContent": content}))
    text = f"{words} artifact consists in a configure only package with Id: P"
    assert {_answer(answer) for answer in answers} == {(400, text)}


@pytest.mark.parametrize(
    ("rule", "ending"),
    [
        ("specified", "with the ID A already exists in the package P. Please rename the artifact ID."),
        ("observed", "already exists in the Orders package. To create /upload an {words}, use a different ID."),
    ],
)
@pytest.mark.parametrize(("kind", "words"), NAMED)
async def test_an_artifact_id_that_exists(
    connect: Connect, bundle: Build, rule: str, ending: str, kind: str, words: str
) -> None:
    """500 with the specification's text, or the one that mcp-cpi saw on a tenant."""
    simulator, client = connect(duplicate_artifact_text=rule)
    simulator.add_package("P", "Orders")
    simulator.add_package("Q")
    simulator.add_artifact("P", "A", kind, bundle("A", kind))
    status, text = _answer(
        await client.post(f"{kind}DesigntimeArtifacts", json={"Id": "A", "Name": "A", "PackageId": "Q"})
    )
    assert status == 500
    assert words.lower() in text
    assert text.endswith(ending.format(words=words.lower()))


@pytest.mark.parametrize(
    ("name", "is_allowed"),
    [
        ("Order In", True),
        ("_x.1-2", True),
        ("Größe", True),
        ("N" * 120, True),
        ("1st", False),
        (" In", False),
        ("-In", False),
        ("In.", False),
        ("In (2)", False),
        ("In/Out", False),
        ("N" * 121, False),
    ],
)
@pytest.mark.parametrize("kind", FAMILIES)
async def test_names_of_artifacts(connect: Connect, bundle: Build, name: str, kind: str, *, is_allowed: bool) -> None:
    """They begin with a letter or an underscore; creating and renaming are refused with 400 otherwise."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "A", kind, bundle("A", kind))
    created = await client.post(f"{kind}DesigntimeArtifacts", json={"Id": "B", "Name": name, "PackageId": "P"})
    assert created.status_code == (201 if is_allowed else 400)
    answers = [] if kind == "ValueMapping" else [await client.put(_path(kind), json={"Name": name})]
    assert [answer.status_code for answer in answers] == [200 if is_allowed else 400] * len(answers)
    for answer in () if is_allowed else (created, *answers):
        assert _answer(answer)[1].startswith("Name should begin with alphabet or underscore")


async def test_a_tenant_may_take_any_name(connect: Connect) -> None:
    """Published packages have names that the specification does not allow."""
    simulator, client = connect(artifact_names="any")
    simulator.add_package("P")
    sent = {"Id": "A", "Name": "In (2)", "PackageId": "P"}
    assert (await client.post("IntegrationDesigntimeArtifacts", json=sent)).status_code == 201


@pytest.mark.parametrize("field", ["Id", "PackageId"])
async def test_a_mapping_is_not_moved_by_an_update(connect: Connect, bundle: Build, encode: Encode, field: str) -> None:
    """500, whatever the field says."""
    simulator, client = connect()
    simulator.add_package("P")
    simulator.add_artifact("P", "A", "MessageMapping", bundle("A", "MessageMapping"))
    sent = {"ArtifactContent": encode(bundle("A", "MessageMapping")), field: ""}
    answer = _answer(await client.put(_path("MessageMapping"), json=sent))
    assert answer == (500, "Update of Message Mapping failed : Update of PackageId and Id are not allowed")


@pytest.mark.parametrize(("rule", "shown"), [("null", None), ("empty", "")])
async def test_a_resource_that_nothing_refers_to(
    connect: Connect, flow: Build, encode: Encode, rule: str, shown: str | None
) -> None:
    """``ReferencedResourceType`` is null in the specification's examples; a filter finds it by an empty text."""
    simulator, client = connect(plain_referenced_type=rule)
    simulator.add_package("P")
    files = {"src/main/resources/script/a.js": b"1", "src/main/resources/wsdl/t.xsd": b"2"}
    simulator.add_artifact("P", "A", "Integration", flow("A", files=files))
    path = f"{_path('Integration')}/Resources"
    rows = (await client.get(path)).json()["d"]["results"]
    assert {row["Name"]: row["ReferencedResourceType"] for row in rows} == {"a.js": shown, "t.xsd": "wsdl"}
    sent = {"Name": "b.js", "ResourceType": "js", "ResourceContent": encode(b"1")}
    assert (await client.post(path, json=sent)).json()["d"]["ReferencedResourceType"] == shown
    one = await client.get(f"{path}(Name='a.js',ResourceType='js')")
    assert one.json()["d"]["ReferencedResourceType"] == shown
    chosen = (await client.get(f"{path}?$filter=ReferencedResourceType eq 'wsdl'")).json()["d"]["results"]
    assert [row["Name"] for row in chosen] == ["t.xsd"]
