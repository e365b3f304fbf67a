"""Properties files: what we read is what Java reads, and what we write is read back, whatever the text."""

from __future__ import annotations

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cpi_tasks.content.properties import find_faults, in_ascii, merge_properties, read_properties

FUZZ = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
BLANKS = " \t\f"
ENDS = "\r\n"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SIGNS = st.text(alphabet="ab\\\\\\=: \t\f\r\n#!u00e4ntrf\u00e4\ufeff\U0001f600", max_size=60)


class JavaError(Exception):
    """Java would refuse the file."""


def java_lines(text: str) -> list[str]:  # noqa: C901 - one function there, too
    """Give the logical lines, character by character as ``java.util.Properties.LineReader`` does."""
    lines, line = [], ""
    is_comment = is_escaped = skips_feed = was_continued = False
    skips_blanks = is_new = True
    for char in text:
        if skips_feed:
            skips_feed = False
            if char == "\n":
                continue
        if skips_blanks:
            if char in BLANKS or (not was_continued and char in ENDS):
                continue
            skips_blanks = was_continued = False
        if is_new:
            is_new = False
            if char in "#!":
                is_comment = True
                continue
        if char not in ENDS:
            line += char
            is_escaped = char == "\\" and not is_escaped
        elif is_comment or not line:
            is_comment, is_new, skips_blanks, line = False, True, True, ""
        elif is_escaped:
            line, is_escaped, skips_blanks, was_continued, skips_feed = line[:-1], False, True, True, char == "\r"
        else:
            lines.append(line)
            line, is_new, skips_blanks = "", True, True
    # Of a backslash alone at the end Java makes an empty key, which is left out here: ``find_faults`` refuses it.
    last = line[:-1] if is_escaped else line
    return lines if is_comment or not last else [*lines, last]


def java_text(raw: str) -> str:
    """Give what a raw key or value means, as ``loadConvert`` does."""
    found, at = "", 0
    while at < len(raw):
        char, at = raw[at], at + 1
        if char != "\\" or at == len(raw):
            found += char
            continue
        char, at = raw[at], at + 1
        if char != "u":
            found += {"t": "\t", "r": "\r", "n": "\n", "f": "\f"}.get(char, char)
            continue
        digits, at = raw[at : at + 4], at + 4
        if len(digits) != 4 or set(digits) - set("0123456789abcdefABCDEF"):
            raise JavaError
        found += chr(int(digits, 16))
    return found.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def java_properties(text: str) -> dict[str, str]:
    """Read a file as ``java.util.Properties.load`` does."""
    found: dict[str, str] = {}
    for line in java_lines(text):
        end, is_escaped = 0, False
        while end < len(line) and (is_escaped or line[end] not in f"=:{BLANKS}"):
            is_escaped = line[end] == "\\" and not is_escaped
            end += 1
        rest = line[end:].lstrip(BLANKS)
        value = rest[1:].lstrip(BLANKS) if rest[:1] in {"=", ":"} else rest
        found[java_text(line[:end])] = java_text(value)
    return found


@FUZZ
@given(SIGNS | TEXTS)
@example("a=1\\\n#b")
@example("\\\n\na=1")
@example("a\\:b c\\\\=d\\")
def test_we_read_what_java_reads(text: str) -> None:
    """Any text means the same to us as to an independent reading by Java's rules, also where both refuse it."""
    try:
        expected: dict[str, str] | None = java_properties(text.removeprefix("\ufeff"))
    except JavaError:
        expected = None
    try:
        found: dict[str, str] | None = read_properties(text.encode())
    except ValueError:
        found = None
    assert found == expected


@FUZZ
@given(SIGNS, st.dictionaries(TEXTS, TEXTS, max_size=3))
def test_what_is_merged_is_what_java_reads(text: str, values: dict[str, str]) -> None:
    """Every value set is there, every other is as it was."""
    try:
        before = java_properties(text.removeprefix("\ufeff"))
    except JavaError:
        return
    merged = merge_properties(text.encode(), values).decode()
    assert java_properties(merged.removeprefix("\ufeff")) == {**before, **values}


@FUZZ
@given(SIGNS | TEXTS)
@example("== Sender ==")
@example("a=1\n\\")
@example("\\\n=a")
def test_faults_are_what_java_refuses_or_nobody_means(text: str) -> None:
    """A file without a fault has no empty key and no malformed escape, and a fault names a line that is there."""
    faults = list(find_faults(text.encode()))
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert all(1 <= line <= len(lines) and message for line, message in faults)
    try:
        keys = java_properties(text.removeprefix("\ufeff")).keys()
    except JavaError:
        assert faults
        return
    assert faults or "" not in keys
    if "" in keys:
        assert any("no key" in message or "backslash" in message for _, message in faults)


@FUZZ
@given(SIGNS | TEXTS)
@example("\ufeffk\u00e4=1\n#\u00e4\n")
def test_what_is_sent_is_what_java_reads_in_any_encoding(text: str) -> None:
    """Without a mark, and the same as UTF-8 and as ISO-8859-1."""
    try:
        expected = java_properties(text.removeprefix("\ufeff"))
        sent = in_ascii(text.encode())
    except (JavaError, ValueError):
        return
    assert java_properties(sent.decode()) == java_properties(sent.decode("iso-8859-1")) == expected


@FUZZ
@given(st.binary(max_size=80))
def test_any_bytes(data: bytes) -> None:
    """They are a file, or an error with a sentence."""
    said = "fine"
    try:
        read_properties(data)
    except ValueError as error:
        said = str(error)
    assert said
