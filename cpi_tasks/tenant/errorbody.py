"""The bodies of error answers, in every shape a tenant or something before it sends them."""

from __future__ import annotations

import json
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from cpi_tasks.tenant.text import decoded, is_html, one_line, without_markup

_CODE_LIMIT = 100
_LARGEST = 2**20
"""How much of a body is looked at: an error that says more says it in vain."""


def parse_error(content: bytes) -> tuple[str, str]:
    """Give code and text of an error body, each one line and empty where it says nothing; never raises.

    Understood are the OData 2.0 error as JSON (its text may be null) and XML, the flat errors of token services and
    proxies, HTML pages and plain text.
    """
    content = content[:_LARGEST]
    body = decoded(content).strip()
    if body == "null":
        return "", ""
    code, detail = _from_json(body) or _from_xml(body, content) or ("", without_markup(body) if "<" in body else body)
    return one_line(code, _CODE_LIMIT), one_line(detail)


def _from_json(body: str) -> tuple[str, str] | None:
    if not body.startswith(("{", "[", '"')):
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return "", document if isinstance(document, str) else body if document else ""
    error = document.get("error", document)
    if isinstance(error, str):
        return error, _scalar(document.get("error_description")) or _message(document.get("message"))
    if not isinstance(error, dict) or not {"code", "message"} & error.keys():
        return "", body if error else ""
    return _scalar(error.get("code")), _message(error.get("message"))


def _message(value: object) -> str:
    """Read the message of an OData error: an object with ``value`` (``#text`` in JSON made from XML) or text."""
    if isinstance(value, dict):
        return _scalar(value.get("value")) or _scalar(value.get("#text"))
    return _scalar(value)


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _from_xml(body: str, content: bytes) -> tuple[str, str] | None:
    if not body.startswith("<") or is_html(content):
        return None
    try:
        root: Element = defusedxml.ElementTree.fromstring(body.encode("utf-8", errors="replace"))
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return None
    code, message = _first(root, "code"), _first(root, "message")
    return None if code is None and message is None else (code or "", message or "")


def _first(root: Element, name: str) -> str | None:
    """Give the text of the first element of that name, with everything in it."""
    return next(("".join(node.itertext()) for node in root.iter() if _local_name(node) == name), None)


def _local_name(node: Element) -> str:
    return node.tag.rpartition("}")[2]
