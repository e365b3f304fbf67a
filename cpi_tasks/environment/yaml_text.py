"""The bytes of a YAML file -> text, and what people usually meant where that text is not valid YAML."""

from __future__ import annotations

import re
import unicodedata

import yaml
from yaml.reader import Reader

from cpi_tasks.environment.nodes import Mark
from cpi_tasks.foreign import find_foreign

MAX_BYTES = 16 * 1024 * 1024

_ANY_YAML = "file.yml"
"""What is read is YAML whatever its name or address is."""
_HALF_MERGE = re.compile(r"^={7}[ \t]*$", re.MULTILINE)
_VALUE = re.compile(r"^[ \t]*(?:-[ \t]+)*(?:[^\s:#\"'][^:#]*:[ \t]+)?(?P<value>\S.*)$")
_RESERVED = tuple("*!&%@`|>")
_CLOSED = re.compile(r"(?:\[[^\]]*\]|\{[^}]*\})[ \t]*[^ \t#,\]}]")
"""A list or a mapping that goes on after its end: a text that begins like one."""


class UnreadableError(Exception):
    """The file, or the rest of it, cannot be used; carries the place and the sentence."""

    def __init__(self, mark: Mark, message: str) -> None:
        """Keep the place; ``message`` is the sentence."""
        self.mark = mark
        super().__init__(message)


def decode(data: bytes) -> str:
    """Return the text of a YAML file without its byte order mark; raise ``UnreadableError`` where it has none."""
    if len(data) > MAX_BYTES:
        raise UnreadableError(Mark(0, 0), f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB")
    if foreign := find_foreign(_ANY_YAML, data):
        raise UnreadableError(Mark(foreign.line, 1 if foreign.line else 0), foreign.message)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        mark = Mark(before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        raise UnreadableError(mark, "the file is not UTF-8 text; save it as UTF-8") from None
    if odd := Reader.NON_PRINTABLE.search(text):
        line = text.count("\n", 0, odd.start()) + 1
        mark = Mark(line, odd.start() - text.rfind("\n", 0, odd.start()))
        raise UnreadableError(mark, f"the character U+{ord(odd.group()):04X} is not allowed in YAML")
    return text


def explain(error: yaml.MarkedYAMLError, text: str) -> tuple[Mark, str]:
    """Return the place of a syntax error, and the parser's sentence with the likely cause."""
    found = error.problem_mark or error.context_mark
    mark = Mark(found.line + 1, found.column + 1) if found is not None else Mark(0, 0)
    parts = " ".join(part for part in (error.context, error.problem) if part)
    return mark, f"this is not valid YAML: {parts}{_hint(error.problem or '', mark, text)}"


def name_invisible(text: str) -> str:
    """Return ``; it contains the invisible character U+00A0`` for the first such one, or an empty text."""
    odd = next((each for each in text if _is_invisible(each)), "")
    return f"; it contains the invisible character U+{ord(odd):04X}: type the line again" if odd else ""


def _is_invisible(character: str) -> bool:
    return character not in " \n" and unicodedata.category(character) in {"Cf", "Zs", "Zl", "Zp"}


def _hint(problem: str, mark: Mark, text: str) -> str:
    """Return what people usually did where the parser stops so, as a clause with its semicolon; else an empty text."""
    if half := _HALF_MERGE.search(text):
        line = text.count("\n", 0, half.start()) + 1
        return f"; line {line} looks like the rest of a merge conflict"
    lines = re.split(r"\r\n?|\n", text)
    line_text = lines[mark.line - 1] if 0 < mark.line <= len(lines) else ""
    before, at = line_text[: max(mark.column - 1, 0)], line_text[mark.column - 1 : mark.column]
    value = found["value"] if (found := _VALUE.match(line_text)) else ""
    if "\t" in before[len(before.rstrip()) :] or (at == "\t" and not before.strip()):
        return "; indent with spaces, not with tabs"
    if (before.strip() and value.startswith(_RESERVED)) or _CLOSED.match(value):
        return f"; put a text that begins with '{value[0]}' in quotes"
    if "unknown escape character" in problem or "escape sequence" in problem:
        return "; write a backslash twice in double quotes, or use single quotes"
    if "mapping values are not allowed" in problem:
        return "; write a blank after the colon of each key, and put a value with ': ' in quotes"
    return name_invisible(line_text)
