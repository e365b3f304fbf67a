"""Content made to take time or memory: it is read in one go, or refused."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from cpi_tasks.content import flow
from cpi_tasks.content.manifest import Manifest
from cpi_tasks.content.properties import read_properties
from cpi_tasks.content.value_mapping import read_groups
from cpi_tasks.content.xml import UnreadableXml, canonical_xml, parse_xml, readable_xml
from cpi_tasks.report.masking import looks_secret

ROOM = Path(__file__).resolve().parents[2] / "cpi_tasks"
SHELLS = {"subprocess", "pty", "popen2", "commands"}


@pytest.mark.parametrize(
    "data",
    [
        b'<!DOCTYPE vm [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]><vm>&b;</vm>',
        b'<!DOCTYPE vm [<!ENTITY a SYSTEM "file:///etc/passwd">]><vm>&a;</vm>',
        b'<!DOCTYPE vm SYSTEM "http://127.0.0.1:1/evil.dtd"><vm/>',
        '<!DOCTYPE vm [<!ENTITY a "lol">]><vm>&a;</vm>'.encode("utf-16"),
        b"<vm>" * 65 + b"</vm>" * 65,
        b"<vm>" + b"<group/>" * 1_000_000 + b"</vm>",
    ],
)
def test_no_entities_and_no_end(data: bytes) -> None:
    """No definition is followed, wherever it comes from, and neither depth nor number grow beyond what content has."""
    with pytest.raises(UnreadableXml):
        parse_xml(data)
    with pytest.raises(UnreadableXml):
        read_groups(data)


def test_the_deepest_document_is_compared_and_shown() -> None:
    """What is not refused needs no recursion that could fail."""
    root = parse_xml(b"<a>" * 64 + b"x" + b"</a>" * 64)
    assert canonical_xml(root).count("'a'") == 64
    assert len(readable_xml(root)) == 127


@pytest.mark.parametrize("opened", [b"<bpmn2:startEvent>", b"<startEvent x='1'>", b"<ifl:messageFlow id='1'>"])
def test_elements_that_are_never_closed_are_none(opened: bytes) -> None:
    """A model with thousands of them is read once, not once for each."""
    model = opened * 50_000 + b"timerEventDefinition ProcessDirect"
    assert flow.timer_schedules(model) == ()
    assert flow.fixed_addresses(model) == ()
    assert flow.process_direct(model, {}) == (frozenset(), frozenset())


def test_blanks_in_a_model_are_read_once() -> None:
    """So are thousands of blanks around a key."""
    blanks = b" " * 100_000
    settings = b"<key>%sdirection%s</key><value>Sender</value><key>address%s</key><value>/a</value>"
    channel = b"<messageFlow >" + settings + b"</messageFlow>"
    assert flow.fixed_addresses(channel % (blanks, blanks, blanks)) == ("/a",)
    assert flow.rename_references(b"<key>" + blanks + b"x", {"a": "b"}) == b"<key>" + blanks + b"x"


def test_lines_continued_without_end() -> None:
    """A manifest's are joined in one go; those of a properties file, which its library reads again, are refused."""
    assert Manifest(b"A: 1\n" + b" a\n" * 300_000).get("A") == "1" + "a" * 300_000
    assert read_properties(b"a=1\\\n" * 1_000) == {"a": "1" + "a=1" * 999}
    with pytest.raises(ValueError, match="continued far too often"):
        read_properties(b"a=1\\\n" * 100_000)


def test_a_value_that_looks_like_many_addresses() -> None:
    """Whether it looks secret is found out in one go."""
    assert not looks_secret("k", "://a:" * 50_000)
    assert looks_secret("k", "://a:" * 50_000 + "b@host")


def test_no_file_name_reaches_a_shell() -> None:
    """The program starts no other one: there is no shell that a name could say anything to."""
    found = []
    for file in ROOM.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found += [alias.name for alias in node.names if alias.name.partition(".")[0] in SHELLS]
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                found += [node.module] if node.module.partition(".")[0] in SHELLS else []
            elif isinstance(node, ast.Attribute):
                name = ast.unparse(node)
                found += (
                    [name] if name.startswith(("os.system", "os.popen", "os.exec", "os.spawn", "os.startfile")) else []
                )
                found += [name] if name in {"trio.run_process", "trio.lowlevel.open_process", "context.run"} else []
    assert found == []
