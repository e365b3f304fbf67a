"""Reading YAML with positions and limits."""

from __future__ import annotations

import pytest

from cpi_tasks.environment.nodes import Scalar
from cpi_tasks.environment.yaml_source import parse
from cpi_tasks.environment.yaml_text import MAX_BYTES


def problems(data: bytes) -> list[str]:
    return [str(problem) for problem in parse(data, "f.yml").problems]


QUOTE = "; put a text that begins with '!' in quotes"
BRACE = "; put a text that begins with '{' or '[' in quotes"
STAR = "; put a text that begins with '*' in quotes"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "f.yml: the file is empty"),
        (b"# only a comment\n", "f.yml: the file has only comments"),
        (b"---\n...\n", "f.yml: the file is empty"),
        (b"- a\n", "f.yml:1:1: the file must hold keys and values, not a list"),
        (b"just text", "f.yml:1:1: the file must hold keys and values, not a single value"),
        (b"a: 1\nb: caf\xe9\n", "f.yml:2:7: the file is not UTF-8 text; save it as UTF-8"),
        (b"a: 1\nb: x\x07\n", "f.yml:2:5: the character U+0007 is not allowed in YAML"),
        (b"a: 1\na: 2\n", "f.yml:2:1: the key 'a' is given twice (first in line 1)"),
        (b"a: 1\n---\nb: 1\n", "f.yml:2:1: a second YAML document starts here; give each document a file of its own"),
        (b"? [a]\n: 1\n", "f.yml:1:3: a key must be plain text, not a list or a mapping" + BRACE),
        (
            b"a: !!python/name:os.system ''\n",
            "f.yml:1:4: the tag 'tag:yaml.org,2002:python/name:os.system' is not supported" + QUOTE,
        ),
        (b"a: !secret x\n", "f.yml:1:4: the tag '!secret' is not supported" + QUOTE),
        (b"a: ! x\n", "f.yml:1:4: '!' is a YAML tag here" + QUOTE),
        (b"a: !env {b: c}\n", "f.yml:1:4: the tag '!env' is not supported" + QUOTE),
        (b"a: !!set [b]\n", "f.yml:1:4: the tag 'tag:yaml.org,2002:set' is not supported" + QUOTE),
        (b"a: *b\n", "f.yml:1:4: the alias *b has no complete anchor before it" + STAR),
        (b"a: &b [*b]\n", "f.yml:1:8: the alias *b has no complete anchor before it" + STAR),
        (b"a:\n  <<: text\n", "f.yml:2:3: '<<' needs a mapping or a list of mappings"),
    ],
)
def test_unusable_files(data: bytes, expected: str) -> None:
    """Everything that makes a file unusable has its place and its sentence."""
    assert [expected] == problems(data)


def test_syntax_error_has_line_and_column() -> None:
    """A syntax error points to where the parser stopped."""
    (text,) = problems(b"a: 1\nb: [1, 2\nc: 3\n")
    assert text.startswith("f.yml:3:")
    assert "this is not valid YAML: while parsing a flow sequence" in text


def test_tab_gets_a_hint() -> None:
    """A tab as indentation is named as the likely cause."""
    (text,) = problems(b"a:\n\tb: 1\n")
    assert text.startswith("f.yml:2:1: this is not valid YAML")
    assert text.endswith("indent with spaces, not with tabs")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a:\n  b: 1\n\tc: 1\n", "f.yml:3:1: this is not valid YAML"),
        (b"a:\n  b: 1\n  \tc: 1\n", "indent with spaces, not with tabs"),
        (b"a:\n\t- b\n", "indent with spaces, not with tabs"),
        ("a: 1\n".encode("utf-16"), "f.yml: is encoded as UTF-16"),
        ("a: 1\n".encode("utf-16-be"), "NUL byte"),
        ("a: 1\n".encode("utf-32"), "f.yml: is encoded as UTF-32"),
        (
            b"a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> x\n",
            "f.yml:2:1: has merge conflict markers (lines 2, 4, 6)",
        ),
        (b"a: 1\r\n<<<<<<< HEAD\r\n=======\r\n>>>>>>> x\r\n", "has merge conflict markers"),
        (b"a: |\n  x\n||||||| base\nb: 1\n", "f.yml:3:1: has merge conflict markers (line 3)"),
        (b"a: 1\n=======\nb: 2\n", "line 2 looks like the rest of a merge conflict"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n", "f.yml:1:1: is a Git LFS pointer"),
        (b"<!DOCTYPE html>\n<html></html>", "is an HTML page"),
        (b"../shared/base.yml", "symbolic link that Git checked out as text"),
        (b"base.yaml", "symbolic link that Git checked out as text"),
        (b"$ANSIBLE_VAULT;1.1;AES256\n61\n", "is encrypted (Ansible Vault)"),
        (b"a: ENC[AES256_GCM,data:x]\n", "encrypted with SOPS"),
        (b"\0GITCRYPT\0x", "encrypted with git-crypt"),
        (
            b"a: @x\n",
            "f.yml:1:4: this is not valid YAML: while scanning for the next token found character that cannot start",
        ),
        (b"a: %x\n", "put a text that begins with '%' in quotes"),
        (b"a: {{x}}\n", BRACE),
        (b"a: *\n", "put a text that begins with '*' in quotes"),
        (b"a: *,!Old\nb: 1\n", "f.yml:1:5: this is not valid YAML: while scanning an alias"),
        (b"a: *,!Old\nb: 1\n", "put a text that begins with '*' in quotes"),
        (b"a: !Old,!Older\n", "put a text that begins with '!' in quotes"),
        (b"a:\n  - !Old,!Older\n", "put a text that begins with '!' in quotes"),
        (b"a: [AB]*,C\n", "put a text that begins with '[' in quotes"),
        (b"a: {b}c\n", "put a text that begins with '{' in quotes"),
        (b'a: "C:\\work"\n', "write a backslash twice in double quotes, or use single quotes"),
        (b"a:1\nb: 2\n", "write a blank after the colon of each key"),
        ("a:\u00a0b\n".encode(), "invisible character U+00A0"),
        ("a: 1\n\ufeffb: 1\n".encode(), "invisible character U+FEFF"),
    ],
)
def test_the_likely_cause_is_named(data: bytes, said: str) -> None:
    """What a checkout, a merge, an editor or a habit from another format left behind is named as that."""
    (text,) = problems(data)
    assert said in text


@pytest.mark.parametrize(
    "data",
    [
        b"a: 1\r\nb: 2\r\n",
        b"---\n# nothing here\n---\na: 1\n",
        b"a: 1\n---\n# nothing more\n",
        b"a: 1\n---\n---\n...\n",
        b"%YAML 1.2\n---\na: 1\n",
        b'{\n\t"a": 1\n}\n',
        b"a:\tb\t# after a tab\n",
        b"a: |\n  =======\n  <<<<<<< x\n",
        b"a: 1 # ======= no marker\n",
    ],
)
def test_odd_but_sound_files(data: bytes) -> None:
    """Windows line ends, documents without content, JSON and markers in a text's indentation are no problem."""
    assert problems(data) == []


def test_all_duplicates_are_reported() -> None:
    """Every key given twice is a problem, at any depth."""
    assert len(problems(b"a: {b: 1, b: 2}\nc: 1\nc: 2\n")) == 2


def test_byte_order_mark_is_tolerated() -> None:
    """Files saved with a byte order mark are read."""
    assert problems(b"\xef\xbb\xbfa: 1\n") == []


def test_alias_bomb_is_refused() -> None:
    """Aliases that multiply are stopped by their number, before memory is."""
    lines = [b"a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]".encode() for n in range(1, 12)]
    (text,) = problems(b"\n".join(lines))
    assert text.endswith("the aliases of this file stand for far too many values")


@pytest.mark.parametrize("data", [b"a: " + b"[" * 100_000, b"a: " + b"{b: " * 5_000])
def test_absurd_nesting_is_refused(data: bytes) -> None:
    """Deep nesting is stopped at a fixed depth, ours or a lower one that the parser has read ahead to."""
    (text,) = problems(data)
    assert text.endswith(("nested more than 40 levels deep", "exceeded maximum nesting depth"))


def test_depth_through_aliases_is_refused() -> None:
    """A chain of aliases cannot build a tree deeper than the limit."""
    lines = [b"a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]".encode() for n in range(1, 60)]
    (text,) = problems(b"\n".join(lines))
    assert text.endswith("nested more than 40 levels deep")


def test_huge_file_is_refused() -> None:
    """A file beyond the size limit is not parsed."""
    assert problems(b" " * (MAX_BYTES + 1)) == ["f.yml: the file is larger than 16 MiB"]


def test_merge_keys_fill_in_what_is_not_given() -> None:
    """``<<`` works as in other tools: own keys win, then the earlier source."""
    data = b"one: &one {a: 1, b: 1}\ntwo: &two {b: 2, c: 2}\nall:\n  <<: [*one, *two]\n  a: own\n"
    document = parse(data, "f.yml").document
    assert document is not None
    found = [document.node(("all", key)) for key in "abc"]
    assert [node.text for node in found if isinstance(node, Scalar)] == ["own", "1", "2"]


def test_columns_count_characters() -> None:
    """Characters beyond ASCII do not shift the column."""
    document = parse("größe: ä\nü: {é: 1}\n".encode(), "f.yml").document
    assert document is not None
    position = document.position(("ü", "é"))
    assert (position.line, position.column) == (2, 8)
