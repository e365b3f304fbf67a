"""Reading what is uploaded: manifests, hostile archives, what makes a difference when it runs."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Callable

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cpi_tasks.simulator import Simulator, manifest
from cpi_tasks.simulator.archive import read, unpack
from cpi_tasks.simulator.odata import ODataError
from cpi_tasks.simulator.settings import Kind

Connect = Callable[..., tuple[Simulator, httpx.AsyncClient]]
Build = Callable[..., bytes]
Encode = Callable[[bytes], str]

_values = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=200).map(str.strip)
_names = st.from_regex(r"[A-Za-z][A-Za-z-]{0,20}", fullmatch=True)


@given(st.dictionaries(_names, _values, max_size=6))
@settings(max_examples=80, deadline=None)
def test_a_manifest_survives_folding(headers: dict[str, str]) -> None:
    """Lines have at most 72 bytes, and unfolding brings every value back, also where a character was cut in two."""
    data = manifest.render(headers)
    assert all(len(line) <= 72 for line in data.split(b"\r\n"))
    assert manifest.parse(data) == headers


def test_a_manifest_is_read_whatever_its_line_ends() -> None:
    """CR LF and LF, continuations in the middle of a name, a second section that does not count."""
    text = (
        b"Manifest-Version: 1.0\r\nBundle-SymbolicName: My_\r\n Flow; singleton:=true\nBundle-Name: A\n B\n\nName: x\n"
    )
    headers = manifest.parse(text)
    assert headers == {
        "Manifest-Version": "1.0",
        "Bundle-SymbolicName": "My_Flow; singleton:=true",
        "Bundle-Name": "AB",
    }
    assert manifest.symbolic_name(headers) == "My_Flow"
    assert manifest.get(headers, "bundle-name") == "AB"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"\xef\xbb\xbfManifest-Version: 1.0\n", 1),
        (b" a\nManifest-Version: 1.0\n", 1),
        (b"Manifest-Version: 1.0\nBundle-Version:1.0.0\n", 2),
        (b"Manifest-Version: 1.0\nBundle-Version : 1.0.0\n", 2),
        (b"Manifest-Version: 1.0\n\nBundle-Version: 1.0.0\n", 3),
        (b"\xff\xfeM\0a\0n\0\n\0", 1),
    ],
)
def test_a_manifest_that_java_refuses_is_refused(text: bytes, line: int) -> None:
    """Nothing is corrected that ``java.util.jar.Manifest`` would not correct."""
    with pytest.raises(ODataError, match=f"cannot be read: invalid line {line}"):
        manifest.parse(text)


def test_a_manifest_is_read_as_java_does() -> None:
    """A last line without an end is lost, and of a header given twice the last counts, whatever its case."""
    assert manifest.parse(b"Manifest-Version: 1.0\nBundle-Version: 1.0.0") == {"Manifest-Version": "1.0"}
    headers = manifest.parse(b"Bundle-Version: 1\nbundle-version: 2\n")
    assert manifest.get(headers, "Bundle-Version") == "2"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1.0.0", True), ("2147483647.0.1", True), ("1.0.20260101120000", False), ("1.0.2147483648", False)],
)
def test_a_versions_numbers_are_javas_integers(text: str, *, expected: bool) -> None:
    """OSGi reads them so."""
    assert manifest.is_version(text) is expected


async def test_an_upload_with_a_byte_order_mark_in_its_manifest_is_refused(
    connect: Connect, pack: Build, encode: Encode
) -> None:
    """400 with the line, and nothing is stored."""
    simulator, client = connect()
    simulator.add_package("P")
    text = b"\xef\xbb\xbfManifest-Version: 1.0\nBundle-SymbolicName: F\nBundle-Version: 1.0.0\n\n"
    answer = await _post(client, encode(pack({"META-INF/MANIFEST.MF": text})))
    assert answer.status_code == 400
    assert "invalid line 1" in answer.json()["error"]["message"]["value"]
    assert simulator.artifacts == {}


async def _post(client: httpx.AsyncClient, content: str) -> httpx.Response:
    body = {"Id": "F", "Name": "F", "PackageId": "P", "ArtifactContent": content}
    return await client.post("IntegrationDesigntimeArtifacts", json=body)


@pytest.mark.parametrize(
    "path", ["../evil", "a/../../evil", "/etc/passwd", "C:/evil", "a\\..\\evil", "META-INF/../../x"]
)
async def test_paths_that_leave_the_archive_are_refused(
    connect: Connect, bundle: Build, encode: Encode, path: str
) -> None:
    """400, and nothing is stored."""
    simulator, client = connect()
    simulator.add_package("P")
    answer = await _post(client, encode(bundle("F", files={path: b"x"})))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "Bad Request")
    assert simulator.artifacts == {}


async def test_a_small_archive_that_unpacks_to_a_huge_one_is_refused(
    connect: Connect, bundle: Build, encode: Encode
) -> None:
    """The unpacked size is limited before anything is unpacked."""
    simulator, client = connect()
    simulator.add_package("P")
    data = bytearray(bundle("F", files={"a": b"x"}))
    place = data.rindex(b"PK\x01\x02") + 24
    data[place : place + 4] = (129 * 1024 * 1024).to_bytes(4, "little")
    answer = await _post(client, encode(bytes(data)))
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]["value"] == "The artifact content is too large."


@pytest.mark.parametrize(
    "content",
    ["not base64!", "QUJD", base64.b64encode(b"PK\x03\x04broken").decode(), base64.b64encode(b"").decode() or "===="],
)
async def test_what_is_no_archive_is_refused(connect: Connect, content: str) -> None:
    """Bad base64 and bad zips are 400."""
    simulator, client = connect()
    simulator.add_package("P")
    assert (await _post(client, content)).status_code == 400


async def test_base64_may_be_url_safe(connect: Connect, bundle: Build) -> None:
    """The documented alphabet works as well as the one that clients send."""
    simulator, client = connect()
    simulator.add_package("P")
    data = bundle("F", files={"a": bytes(range(256)) * 9})
    assert (await _post(client, base64.urlsafe_b64encode(data).decode())).status_code == 201


@example(noise=b"\x00\x00\x00\x00\x01\x00", place=396, value=0)  # an entry without a name
@given(noise=st.binary(max_size=200), place=st.integers(0, 400), value=st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_no_damage_to_an_archive_breaks_the_reader(noise: bytes, place: int, value: int) -> None:
    """Damaged archives are read or refused with 400."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/MANIFEST.MF", noise)
    damaged = bytearray(buffer.getvalue())
    damaged[place % len(damaged)] = value
    try:
        read(unpack(bytes(damaged)), Kind.FLOW)
    except ODataError as error:
        assert error.status == 400  # noqa: PT017 - both ways out are right


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
async def test_other_compressions_are_refused(connect: Connect, encode: Encode, method: int) -> None:
    """Their readers take memory that the size of the archive does not tell."""
    simulator, client = connect()
    simulator.add_package("P")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
    assert (await _post(client, encode(buffer.getvalue()))).status_code == 400


async def test_an_archive_without_manifest_is_refused(connect: Connect, pack: Build, encode: Encode) -> None:
    """There is nothing to store it by."""
    simulator, client = connect()
    simulator.add_package("P")
    assert (await _post(client, encode(pack({"a.txt": b"x"})))).status_code == 400


async def test_hostile_xml_in_a_model_fails_the_build_and_nothing_else(connect: Connect, flow: Build) -> None:
    """Entities are not expanded; the upload is stored as a tenant would, the deployment fails."""
    simulator, client = connect(deploy_s=0.0, error_information_delay_s=0.0)
    simulator.add_package("P")
    model = "src/main/resources/scenarioflows/integrationflow/model.iflw"
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'
    simulator.add_artifact("P", "F", "Integration", flow("F", files={model: bomb}))
    await client.post("DeployIntegrationDesigntimeArtifact?Id='F'&Version='active'")
    answer = await client.get("IntegrationRuntimeArtifacts('F')/ErrorInformation/$value")
    assert "Integration flow model 'model.iflw' is not well-formed" in answer.json()["parameter"][0]


def test_what_makes_no_difference_at_run_time_is_not_in_the_digest(bundle: Build) -> None:
    """Version, origin, description and project file do not count; scripts and other headers do."""

    def digest(**changes: object) -> str:
        return read(unpack(bundle("F", **changes)), Kind.FLOW).digest

    plain = digest()
    assert digest(version="9.9.9") == plain
    assert digest(headers={"Origin-Bundle-Name": "x"}) == plain
    assert digest(files={"metainfo.prop": b"description=x", ".project": b"x"}) == plain
    assert digest(files={"src/main/resources/script/a.groovy": b"x"}) != plain
    assert digest(headers={"Import-Package": "x"}) != plain


def test_damaged_properties_are_refused(bundle: Build) -> None:
    """A bad escape in ``parameters.prop`` is 400."""
    with pytest.raises(ODataError) as caught:
        read(unpack(bundle("F", files={"src/main/resources/parameters.prop": b"a=\\u12\n"})), Kind.FLOW)
    assert caught.value.status == 400
