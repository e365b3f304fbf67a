"""Every file of an artifact is checked before anything is sent; what is accepted arrives with the meaning it has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks.content import build_archive, load_content, load_contents
from cpi_tasks.errors import InputError
from cpi_tasks.model.config import ArtifactSpec, DeployConfig
from tests.content.conftest import MODEL_PATH, model
from tests.content.texts import (
    BOM,
    EVERY_TEXT,
    FLOW,
    HEADERS,
    LFS,
    MANIFEST,
    MAPPING,
    MMAP,
    PROP,
    PROPDEF,
    SCRIPT,
    SCRIPTS,
    TEXTS,
    VALUES,
    faults,
    messages,
    sent,
)

Folders = Callable[..., Path]
Specs = Callable[..., ArtifactSpec]
Configs = Callable[..., DeployConfig]


@EVERY_TEXT
def test_a_byte_order_mark_is_accepted_and_not_sent(path: str, make_folder: Folders, make_spec: Specs) -> None:
    """The files with and without it are the same artifact, byte by byte; schemas, where it is legal, keep it."""
    with_mark = make_spec(make_folder("A", files={**TEXTS, path: BOM + TEXTS[path]}))
    without = make_spec(make_folder("A", files=TEXTS, package="Other"))

    kept = {path: BOM + TEXTS[path]} if path.endswith((".xsd", ".wsdl", ".edmx", ".json")) else {}
    assert sent(with_mark) == {**sent(without), **kept}
    if not path.endswith(".json"):
        assert load_content(with_mark, {}).digest == load_content(without, {}).digest
    assert load_content(with_mark, {}).parameters == {"Max_Readings": "100"}


def test_a_value_mapping_may_begin_with_a_byte_order_mark(make_folder: Folders, make_spec: Specs) -> None:
    """It is not sent either."""
    spec = make_spec(make_folder("V", VALUES, {"value_mapping.xml": BOM + b"<vm version='2.0'/>"}), VALUES)

    assert sent(spec)["value_mapping.xml"] == b"<vm version='2.0'/>"


def test_a_mark_before_a_comment_makes_no_parameter(make_folder: Folders, make_spec: Specs) -> None:
    """The comment stays one."""
    spec = make_spec(make_folder("A", files={PROP: BOM + b"#comment\na=1\n"}))

    assert (load_content(spec, {}).parameters, sent(spec)[PROP]) == ({"a": "1"}, b"#comment\na=1\n")


def test_a_mark_that_contradicts_the_declaration_is_a_problem() -> None:
    """Without the mark the bytes would mean other characters."""
    declared = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>%s</a>"
    path = "src/main/resources/xsd/a.xsd"

    assert "declares the encoding ISO-8859-1" in faults(path, BOM + declared % "ä".encode())[0]
    assert faults(path, BOM + declared % b"a") == []
    assert faults(path, declared % b"\xe4") == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "0: is empty, so it is not the model of an integration flow"),
        (b" \r\n", "0: is empty, so it is not the model of an integration flow"),
        (model()[:-9], "1: cannot be read as the model of an integration flow: it is cut off: not all of its elements"),
        (model()[:90], "1: cannot be read as the model of an integration flow: it is cut off"),
        (model()[:-1], "1: cannot be read as the model of an integration flow: it is cut off"),
        (model(b"<a/>" * 9)[:-22], "1: cannot be read as the model of an integration flow: it is cut off"),
        (b"not XML", "1: cannot be read as the model of an integration flow: syntax error"),
        (b"{}", "1: cannot be read as the model of an integration flow: not well-formed"),
        (b"<bpmn2:definitions/>", "1: cannot be read as the model of an integration flow: unbound prefix"),
        (b"<model/>", "its root element is 'model', not 'definitions' of BPMN 2.0"),
        (
            b"<definitions xmlns='http://schemas.xmlsoap.org/wsdl/'/>",
            "'definitions' of http://schemas.xmlsoap.org/wsdl/",
        ),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><definitions/>", "it declares a document type or entities"),
        (model() + b"\n" + model(), "junk after document element"),
    ],
)
def test_what_is_no_model_is_a_problem(data: bytes, said: str) -> None:
    """A flow's model is well-formed and BPMN."""
    (found,) = faults(MODEL_PATH, data)

    assert said in found


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "0: is empty, so it is not a message mapping"),
        (b"<xiObj>", "1: cannot be read as a message mapping: it is cut off"),
        (b"\x89PNG", "1: cannot be read as a message mapping"),
        (b"<schema/>", "its root element is 'schema', not 'xiObj'"),
        (model(), "its root element is 'definitions', not 'xiObj'"),
    ],
)
def test_what_is_no_message_mapping_is_a_problem(data: bytes, said: str) -> None:
    """In flows as in mappings of their own."""
    for kind in (FLOW, MAPPING):
        (found,) = faults(MMAP, data, kind)
        assert said in found


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"", "no element found"), (b"<parameters>", "no element found"), (b"<a/>", "its root element is 'a'")],
)
def test_what_defines_no_parameters_is_a_problem(data: bytes, said: str) -> None:
    """Not XML, or XML of something else."""
    (found,) = faults(PROPDEF, data)

    assert said in found


def test_two_models_are_a_problem(make_folder: Folders, make_spec: Specs) -> None:
    """A tenant takes one of them, nobody knows which."""
    other = MODEL_PATH.replace("flow.", "copy.")
    spec = make_spec(make_folder("A", files={other: model()}))

    assert messages(spec) == [
        f"src/main/resources: integration flow 'A' has more than one model: {other}, {MODEL_PATH}; keep only one"
    ]


@pytest.mark.parametrize(
    ("line", "sign"), [("== Sender ==", "="), ("=======", "="), (": x", ":"), ("=x", "="), ("  \t= y", "="), (":", ":")]
)
def test_an_empty_key_is_a_problem_with_its_line(line: str, sign: str) -> None:
    """Java reads a parameter without a name; most often it is meant as a heading."""
    assert faults(PROP, f"a=1\r\nb=\\\r\n  2\r\n{line}\r\nc=3".encode()) == [
        f"4: has no key before '{sign}': Java reads an empty key; put '#' before it if it is a comment"
    ]


@pytest.mark.parametrize("data", [b"a=1\n\\", b"a=1\n \\\nb=2", b"a=1\n\\\n#b"])
def test_a_backslash_alone_is_a_problem(data: bytes) -> None:
    """Releases of Java differ in what they read."""
    (found,) = faults(PROP, data)

    assert found.startswith("2: has a backslash alone on its line")


@pytest.mark.parametrize("data", [b"a=1\nb=\\u12\n", b"a=1\nb=C:\\users\n", b"a=1\n\\uzzzz=1"])
def test_a_malformed_escape_is_a_problem_with_its_line(data: bytes) -> None:
    """Java refuses the whole file."""
    (found,) = faults(PROP, data)

    assert found.startswith("2: is no properties file that Java could read")


@pytest.mark.parametrize("data", ["a=1\n\ufeffb=2", "a=1\n\u00a0b=2", "a=1\nb\u200b=2"])
def test_a_key_with_an_invisible_character_is_a_problem(data: str) -> None:
    """Two files joined into one leave a mark in the middle."""
    (found,) = faults(PROP, data.encode())

    assert found.startswith("2: has a key with an invisible character")


def test_every_bad_line_is_told(make_folder: Folders, make_spec: Specs) -> None:
    """One does not hide another."""
    assert [found.partition(":")[0] for found in faults(PROP, b"=1\na=b\n:2\nc=\\u1\n")] == ["1", "3", "4"]


def test_values_read_the_same_in_any_encoding(make_folder: Folders, make_spec: Specs) -> None:
    """What is not ASCII is sent escaped, from UTF-8 and from ISO-8859-1; comments and other lines stay."""
    for data in ("#ü\nä=ü\r\nb : \\\n c\n".encode(), "#ü\nä=ü\r\nb : \\\n c\n".encode("iso-8859-1")):
        spec = make_spec(make_folder("A", files={PROP: data}))
        uploaded = sent(spec)[PROP]

        assert load_content(spec, {}).parameters == {"ä": "ü", "b": "c"}
        assert uploaded == data.splitlines(keepends=True)[0] + b"\\u00e4=\\u00fc\r\nb : \\\n c\n"


def test_all_files_problems_are_told_at_once(make_folder: Folders, make_spec: Specs, make_config: Configs) -> None:
    """Of one artifact and of all artifacts, whether or not its manifest and model can be read."""
    files = {SCRIPT: LFS, "src/main/resources/lib/a.jar": LFS, PROP: b"=x\n", PROPDEF: b"<parameters/>"}
    one = make_spec(make_folder("A", files={**files, MANIFEST: b"x", MODEL_PATH: b"<"}))
    other = make_spec(
        make_folder("B", SCRIPTS, files={SCRIPT: LFS, SCRIPT + "x": b"", "metainfo.prop": b"\\u"}), SCRIPTS
    )
    (one.folder / MODEL_PATH).write_bytes(b"")
    contents, problems = load_contents(make_config(one, other))

    assert contents == {}
    assert [problem.file.removeprefix(f"{one.folder.parent}/") for problem in problems] == [
        f"A/{MANIFEST}",
        "A/src/main/resources/lib/a.jar",
        f"A/{PROP}",
        f"A/{MODEL_PATH}",
        f"A/{SCRIPT}",
        "B/metainfo.prop",
        f"B/{SCRIPT}",
    ]


def test_a_file_that_goes_bad_during_the_run_is_not_sent(make_folder: Folders, make_spec: Specs) -> None:
    """The files are read again when the archive is built, and checked again."""
    spec = make_spec(make_folder("A", files={SCRIPT: b"fine"}))
    content = load_content(spec, {})
    (spec.folder / SCRIPT).write_bytes(b"<<<<<<< HEAD\n")

    with pytest.raises(InputError, match="merge conflict"):
        build_archive(content)


def test_what_may_be_misread_is_a_doubt(make_folder: Folders, make_spec: Specs) -> None:
    """Keys and headers given twice, and names in different case, are accepted as Java and Linux take them."""
    upper = SCRIPT.replace("a.", "A.")
    files = {
        PROP: b"a=1\nb=2\na=3\nb=2\n",
        MANIFEST: HEADERS.replace(b"\n\n", b"\nBundle-Version: 1.0.2\n\n"),
        SCRIPT: b"",
        upper: b"",
    }
    spec = make_spec(make_folder("A", files=files))
    content = load_content(spec, {})

    assert (content.version, content.parameters) == ("1.0.2", {"a": "3", "b": "2"})
    assert [str(doubt).removeprefix(f"{spec.folder}/") for doubt in content.doubts] == [
        f"{PROP}:3:1: 'a' has another value in line 1; Java takes the last, which is this one",
        f"{MANIFEST}:4:1: 'Bundle-Version' has another value in line 3; Java takes the last, which is this one",
        f"{SCRIPT}: differs from {upper} in upper and lower case only: on Windows and macOS one of them is lost",
    ]
