"""``ErrorInformation`` of a runtime artifact: several shapes on the wire, one text for a person."""

from __future__ import annotations

import json
import re

from cpi_tasks.tenant.text import decoded, readable, without_markup

_DEEPEST = 12
_LARGEST = 2**20
_LONGEST_FILLED = 50_000
"""How many characters parameters may add to one template, which may name each of them any number of times."""
_CHILDREN = ("childInstances", "childMessageInstances")
_PARAMETERS = ("parameter", "parameters")
_PLACEHOLDER = re.compile(r"\{([0-9]{1,3})[^{}]*\}")
_SALVAGE = re.compile(r'"(?:messageText|message|parameters?)"\s*:\s*\[?\s*"((?:[^"\\]|\\.)*)')


def error_text(content: bytes) -> str | None:
    """Give the readable text of an error information; ``None`` where there is none. Never raises.

    The message is a template for its parameters or empty; parameters stand beside the message, may hold JSON
    themselves, even cut off, and causes nest (seen by flashpipe, figaf and landscaper). Every text is given once.
    """
    body = decoded(content[:_LARGEST]).strip()
    if body == "null":
        return None
    lines = dict.fromkeys(line for line in _lines(body, 0) if line.strip())
    if not lines and any(character.isalnum() for character in body):
        lines = {body: None}  # a document of a shape not known: better raw than lost
    return readable("\n".join(lines)) or None


def _lines(text: str, depth: int) -> list[str]:
    """Read text that may be a document of its own."""
    stripped = text.strip()
    if stripped.startswith(("{", "[", '"')):
        try:
            document = json.loads(stripped, strict=False)
        except (ValueError, RecursionError):
            return _salvaged(stripped) or [stripped]
        return _walk(document, depth + 1)
    if stripped.startswith("<") and stripped.endswith(">"):
        return [without_markup(stripped)]
    return [text]


def _walk(node: object, depth: int) -> list[str]:
    if node is None or isinstance(node, bool):
        return []
    if depth > _DEEPEST:
        return [node] if isinstance(node, str) else []
    if isinstance(node, str):
        return _lines(node, depth)
    if isinstance(node, list):
        return [line for item in node for line in _walk(item, depth + 1)]
    if isinstance(node, dict):
        return _instance(node, depth)
    return [str(node)]


def _instance(node: dict[str, object], depth: int) -> list[str]:
    """Read one message instance: its message filled with its parameters, the parameters not used, then its causes."""
    node = _first_dict(node.get("d"), node.get("error")) or node
    message = node.get("message")
    inner = message if isinstance(message, dict) else {}
    template = _first_text(inner.get("messageText"), inner.get("value"), message, node.get("messageText"))
    parameters = [item for part in (node, inner) for name in _PARAMETERS for item in _as_list(part.get(name))]
    text, unused = _filled(template, parameters)
    lines = _lines(text, depth) if text else []
    for item in unused:
        lines += _walk(item, depth + 1)
    for part in (node, inner):
        for name in _CHILDREN:
            lines += _walk(part.get(name), depth + 1)
    return lines or [_first_text(inner.get("messageId"), node.get("messageId"), node.get("code"))]


def _filled(template: str, parameters: list[object]) -> tuple[str, list[object]]:
    """Fill ``{0}`` and the like; only short plain parameters go into the sentence, documents are read by themselves."""
    used: set[int] = set()
    room = _LONGEST_FILLED

    def fill(match: re.Match[str]) -> str:
        nonlocal room
        index = int(match[1])
        if index >= len(parameters) or room <= 0:
            return match[0]
        value = parameters[index]
        if not isinstance(value, str | int | float) or (
            isinstance(value, str) and value.lstrip().startswith(("{", "["))
        ):
            return match[0]
        used.add(index)
        room -= len(str(value))
        return str(value)

    text = _PLACEHOLDER.sub(fill, template)
    rest = [item for index, item in enumerate(parameters) if index not in used]
    # A template that is nothing but a place for a document would only repeat the document's place in the text.
    return ("" if rest and _PLACEHOLDER.fullmatch(text.strip()) else text), rest


def _salvaged(text: str) -> list[str]:
    """Give the texts of a JSON document that was cut off on its way ("... [truncated]")."""
    return [_unescaped(found) for found in _SALVAGE.findall(text) if found.strip()]


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text


def _as_list(value: object) -> list[object]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _first_text(*values: object) -> str:
    return next((value for value in values if isinstance(value, str) and value.strip()), "")


def _first_dict(*values: object) -> dict[str, object] | None:
    return next((value for value in values if isinstance(value, dict)), None)
