"""What a tenant rewrites is no difference; everything else is."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpi_tasks.content import changed_paths
from cpi_tasks.content.canonical import CanonicalDigest
from cpi_tasks.model.content import ContentDigest
from cpi_tasks.model.naming import ArtifactId, ArtifactKind

FLOW = ArtifactKind.INTEGRATION_FLOW
MAPPING = ArtifactKind.MESSAGE_MAPPING
PROP = "src/main/resources/parameters.prop"
PROPDEF = "src/main/resources/parameters.propdef"
SCRIPT = "src/main/resources/script/a.groovy"
MANIFEST = "META-INF/MANIFEST.MF"
HEADERS = {
    "Manifest-Version": "1.0",
    "Bundle-SymbolicName": "MM_Order; singleton:=true",
    "Bundle-Name": "Bestellungen für äußerst lange Namen, die in mehr als eine Zeile gehen müssen",
    "Bundle-Version": "1.0.0",
    "Provide-Capability": 'messagemapping.MM_Order;version:Version="1.0.0"',
    "Require-Capability": 'scriptcollection.A;resolution:=optional;source:String="x,y",messagemapping.B',
    "SAP-BundleType": "MessageMapping",
}


def digest(files: Mapping[str, bytes], kind: ArtifactKind = FLOW, artifact: str = "MM_Order") -> ContentDigest:
    canonical = CanonicalDigest(ArtifactId(artifact), kind)
    for path, data in files.items():
        canonical.add(path, data)
    return canonical.result()


def changes(one: Mapping[str, bytes], other: Mapping[str, bytes], kind: ArtifactKind = FLOW) -> tuple[str, ...]:
    return changed_paths(digest(one, kind), digest(other, kind))


def manifest(headers: Mapping[str, str], *, width: int = 60, eol: str = "\r\n") -> bytes:
    lines = []
    for name, value in headers.items():
        data = f"{name}: {value}".encode()
        pieces = [data[at : at + width] for at in range(0, len(data), width)]
        lines.append(f"{eol} ".encode().join(pieces))
    return eol.encode().join([*lines, b""]) + eol.encode()


@pytest.mark.parametrize(
    ("path", "data", "counts"),
    [
        (MANIFEST, b"Bundle-SymbolicName: A\n", True),
        (PROP, b"a=1\n", True),
        (SCRIPT, b"code", True),
        (PROPDEF, b"<parameters><parameter><name>a</name></parameter></parameters>", False),
        ("src/main/resources/scenarioflows/integrationflow/a.iflw", b"<definitions/>", False),
        ("src/main/resources/mapping/A.mmap", b"<xiObj/>", False),
        ("src/main/resources/xsd/a.xsd", b"<a/>", False),
    ],
)
def test_a_byte_order_mark_on_the_tenant_counts_where_java_reads_it(path: str, data: bytes, *, counts: bool) -> None:
    """In XML it means nothing; elsewhere what the tenant has is broken, and an upload repairs it."""
    for kind in (FLOW, MAPPING):
        assert bool(changes({path: data}, {path: b"\xef\xbb\xbf" + data}, kind)) is counts


@settings(deadline=None, max_examples=60)
@given(st.permutations(list(HEADERS)), st.integers(min_value=22, max_value=71), st.sampled_from(["\r\n", "\n", "\r"]))
def test_a_tenant_may_refold_and_reorder_a_manifest(order: list[str], width: int, eol: str) -> None:
    """Folding (also inside characters), order of headers and line ends do not count."""
    tenant = manifest({name: HEADERS[name] for name in order}, width=width, eol=eol)

    assert changes({MANIFEST: manifest(HEADERS)}, {MANIFEST: tenant}) == ()


@pytest.mark.parametrize(
    "rewritten",
    [
        {"Bundle-SymbolicName": "MM_Order"},
        {"Bundle-SymbolicName": "MM_Order;singleton:=true"},
        {"Bundle-Version": "1.0.7"},
        {"Provide-Capability": 'messagemapping.MM_Order;version:Version="1.0.7"'},
        {"Provide-Capability": "messagemapping.MM_Order"},
        {"Require-Capability": 'messagemapping.B , scriptcollection.A;source:String="x,y";resolution:=optional'},
        {"Origin-Bundle-Name": "x", "Origin-ModifiedDate": "1", "Import-Package": "a.b"},
        {"Import-Service": "", "SAP-ArtifactTrait": "", "Created-By": "17", "Build-Jdk-Spec": "17", "Tool": "Bnd"},
    ],
)
def test_what_tenants_rewrite_in_a_manifest_is_no_difference(rewritten: dict[str, str]) -> None:
    """Versions, directives, origin, imports, empty headers and traces of build tools do not count."""
    assert changes({MANIFEST: manifest(HEADERS)}, {MANIFEST: manifest({**HEADERS, **rewritten})}) == ()


@pytest.mark.parametrize(
    "rewritten",
    [
        {"Bundle-Name": "Other"},
        {"Bundle-SymbolicName": "MM_Other"},
        {"Provide-Capability": "messagemapping.MM_Other"},
        {"Require-Capability": "messagemapping.B"},
        {"SAP-RuntimeProfile": "iflmap"},
    ],
)
def test_other_headers_count(rewritten: dict[str, str]) -> None:
    """Names, references and profiles are content."""
    assert changes({MANIFEST: manifest(HEADERS)}, {MANIFEST: manifest({**HEADERS, **rewritten})}) == (MANIFEST,)


@pytest.mark.parametrize("tenant", [b"a\nb\n", b"a\rb\r", b"a\r\nb\n"])
def test_line_ends_do_not_count(tenant: bytes) -> None:
    """Git and tenants write different line ends."""
    assert changes({SCRIPT: b"a\r\nb\r\n"}, {SCRIPT: tenant}) == ()


@pytest.mark.parametrize("tenant", [b"a\n b\n", b"a\n\nb\n", b"a\nb", b"a\nb "])
def test_blanks_in_scripts_count(tenant: bytes) -> None:
    """A blank may be the change somebody made."""
    assert changes({SCRIPT: b"a\nb\n"}, {SCRIPT: tenant}) == (SCRIPT,)


def test_bytes_are_compared_as_bytes() -> None:
    """In a file with a NUL byte a line end is not a line end."""
    assert changes({SCRIPT: b"\0\r\n"}, {SCRIPT: b"\0\n"}) == (SCRIPT,)


def test_of_a_flows_parameters_the_keys_count() -> None:
    """Values are configured on the tenant; a key that is new or gone is content, no file equals an empty one."""
    assert changes({PROP: b"#t\nb=1\na\\ a=2\n"}, {PROP: b"a\\u0020a=9\nb=\n"}) == ()
    assert changes({PROP: b"a=1\n"}, {PROP: b"a=1\nb=1\n"}) == (PROP,)
    assert changes({PROP: b"#only a comment\n"}, {}) == ()
    assert changes({PROP: b"a=1\n"}, {PROP: b"a=2\n"}, ArtifactKind.SCRIPT_COLLECTION) == (PROP,)


def test_a_tenant_may_reorder_parameter_definitions() -> None:
    """Order, layout and empty elements of the definition do not count; its types do."""
    a = b"<parameter><key/><name>A</name><type>xsd:string</type></parameter>"
    b = b"<parameter><name>B</name></parameter>"
    other_a = b"<parameter>\n<type>xsd:string</type><name>A</name><constraint/></parameter>"
    one = b"<parameters>" + a + b + b"<param_references/></parameters>"
    other = b"<?xml version='1.0'?><parameters>\n " + b + b"\n" + other_a + b"</parameters>"

    assert changes({PROPDEF: one}, {PROPDEF: other}) == ()
    assert changes({PROPDEF: one}, {PROPDEF: other.replace(b"xsd:string", b"xsd:integer")}) == (PROPDEF,)
    assert changes({PROPDEF: b"<parameters><param_references/></parameters>"}, {}) == ()


def test_project_files_do_not_count() -> None:
    """Eclipse files say nothing about an artifact."""
    assert changes({".project": b"a", ".classpath": b"b"}, {}) == ()


def test_a_description_counts_only_where_both_sides_have_one() -> None:
    """Downloads may lack the file; its comments and other keys are noise."""
    local = {"metainfo.prop": b"#Mon\ndescription=Orders\\: in\n"}

    assert changes(local, {"metainfo.prop": b"#Tue\ndescription=Orders: in\nsource=x\n"}) == ()
    assert changes(local, {}) == ()
    assert changes(local, {"metainfo.prop": b"description=Other\n"}) == ("metainfo.prop",)
    assert changes(local, {"metainfo.prop": b"#none\n"}) == ("metainfo.prop",)


def mmap(*names: str) -> dict[str, bytes]:
    return {f"src/main/resources/mapping/{name}.mmap": name[:1].encode() for name in names}


def test_a_mappings_file_is_known_by_its_kind_not_its_name() -> None:
    """The tenant names it by the id; in a flow the name counts, because the model refers to it."""
    one, other = mmap("Map"), {"src/main/resources/mapping/MM_Order.mmap": b"M"}

    assert changes(one, other, MAPPING) == ()
    assert changes(one, {"src/main/resources/mapping/MM_Order.mmap": b"x"}, MAPPING) == (
        "src/main/resources/mapping/*.mmap",
    )
    assert len(changes(one, other, FLOW)) == 2


def test_digests_are_the_same_in_every_process() -> None:
    """Fingerprints are kept between runs: they depend on the content alone."""
    values = b"<vm><group><entry><agency>A</agency><schema>S</schema><value>1</value></entry></group></vm>"
    files = {MANIFEST: manifest(HEADERS), "value_mapping.xml": values}

    assert digest(files, ArtifactKind.VALUE_MAPPING).fingerprint == (
        "6a15bdb020d5fc102586cdd02bb81709260b11f1f4c3e6e6925fba47dfaeac15"
    )


def test_of_several_mapping_files_the_artifacts_own_is_known_by_its_id() -> None:
    """The others keep their names."""
    assert sorted(digest(mmap("MM_Order", "B"), MAPPING).entries) == [
        "src/main/resources/mapping/*.mmap",
        "src/main/resources/mapping/B.mmap",
    ]


def test_of_a_value_mapping_only_manifest_and_values_count() -> None:
    """Whatever else is in the folder, the tenant keeps no more."""
    kind = ArtifactKind.VALUE_MAPPING
    group = b"<group id='%s'><entry><agency>A</agency></entry></group>"
    one = {"value_mapping.xml": b"<vm>" + group % b"1" + b"</vm>", SCRIPT: b"x"}

    assert changes(one, {"value_mapping.xml": b"<vm>\n" + group % b"2" + b"\n</vm>"}, kind) == ()
    assert changes(one, {"value_mapping.xml": b"<vm/>"}, kind) == ("value_mapping.xml",)
    assert changes(one, {"value_mapping.xml": b"broken"}, kind) == ("value_mapping.xml",)


def test_what_cannot_be_parsed_is_compared_as_text() -> None:
    """Nobody can mend what is on the tenant, so it is a difference and not an error."""
    for path, data in {MANIFEST: b"no manifest", PROP: b"a=\\uXY\n", PROPDEF: b"<a>", "metainfo.prop": b"\\u"}.items():
        assert changes({path: data + b"\r\n"}, {path: data + b"\n"}) == ()
