"""Small XML files (``parameters.propdef``, ``value_mapping.xml``): safe parsing and a form that can be compared."""

from __future__ import annotations

from typing import NoReturn
from xml.etree.ElementTree import Element, ParseError
from xml.parsers import expat

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

MAX_BYTES = 64 * 2**20
MAX_TAGS = 1_000_000
MAX_DEPTH = 64
"""Far more than any content has; what is beyond would cost more memory and time than a comparison is worth."""


_NO_ELEMENT = expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS]
_CUT_WITHIN = frozenset(
    expat.errors.codes[text]
    for text in (
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
    )
)


class UnreadableXml(ValueError):
    """The bytes are no XML that is safe to read; the text says why, ``line`` where (0: nowhere in particular)."""

    def __init__(self, message: str, *, line: int = 0) -> None:
        """Keep the place beside the sentence."""
        super().__init__(message)
        self.line = line


def read_root(data: bytes) -> tuple[str, str]:
    """Return namespace and local name of a document's root; raise ``UnreadableXml`` where it is not well-formed.

    The whole document is read, but nothing of it is kept, so its size does not matter.
    """
    names: list[str] = []
    parser = expat.ParserCreate(namespace_separator=" ")

    def note_root(name: str, _attributes: object) -> None:
        names.append(name)
        parser.StartElementHandler = None

    def refuse(*_: object) -> NoReturn:
        raise UnreadableXml("it declares a document type or entities", line=parser.CurrentLineNumber)

    parser.StartElementHandler = note_root
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)  # noqa: FBT003 - takes no keywords
    except expat.ExpatError as error:
        is_cut = error.code in _CUT_WITHIN or (bool(names) and error.code == _NO_ELEMENT)
        why = "it is cut off: not all of its elements are closed" if is_cut else expat.ErrorString(error.code)
        raise UnreadableXml(why, line=error.lineno) from error
    except (ValueError, LookupError) as error:
        raise UnreadableXml(f"its encoding cannot be read ({error})") from error
    namespace, _, name = names[0].rpartition(" ")
    return namespace, name


def parse_xml(data: bytes) -> Element:
    """Parse a document without DTD, entities and external references; raises ``UnreadableXml``.

    A document of more than 64 MiB, a million tags or 64 levels counts as unreadable, too.
    """
    if len(data) > MAX_BYTES or data.count(b"<") > MAX_TAGS:
        raise UnreadableXml("it is far too large")
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except ParseError as error:
        raise UnreadableXml(str(error), line=error.position[0]) from error
    except DefusedXmlException as error:
        raise UnreadableXml("it declares a document type or entities") from error
    except (ValueError, LookupError) as error:
        raise UnreadableXml(f"its encoding cannot be read ({error})") from error
    level, depth = [root], 1
    while level := [child for element in level for child in element]:
        depth += 1
        if depth > MAX_DEPTH:
            raise UnreadableXml("it is nested too deeply")
    return root


def local_name(element: Element) -> str:
    """Give an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def child_text(element: Element, name: str) -> str:
    """Give the text of the first child of that name; empty where there is none."""
    return next((leaf_text(child) for child in element if local_name(child) == name), "")


def leaf_text(element: Element) -> str:
    """Give an element's own text; blanks around it go only where a line break shows that they are layout."""
    text = element.text or ""
    return text.strip() if "\n" in text or not text.strip() else text


def canonical_xml(root: Element, *, without: frozenset[tuple[str, str]] = frozenset()) -> str:
    """Give a form that is equal for documents that differ in order, layout, repetition and empty elements only.

    ``without`` names (element, attribute) pairs that do not count; ``root`` is what ``parse_xml`` gave.
    """
    return _canonical(root, without)


def readable_xml(root: Element, *, without: frozenset[tuple[str, str]] = frozenset()) -> list[str]:
    """Give indented lines for a person that are equal where ``canonical_xml`` is."""
    return _readable(root, without)


def _readable(element: Element, without: frozenset[tuple[str, str]]) -> list[str]:
    name = local_name(element)
    attributes = sorted((key, value) for key, value in element.attrib.items() if (name, key) not in without)
    text = leaf_text(element)
    # What has a name is sorted by it, so that it keeps its place when something else of it changes.
    children = {(local_name(child), child_text(child, "name"), tuple(_readable(child, without))) for child in element}
    inner = [f"  {line}" for _, _, lines in sorted(children) for line in lines]
    if not (attributes or text or inner):
        return []
    start = " ".join([name, *(f'{key}="{value}"' for key, value in attributes)])
    if inner:
        return [*f"<{start}>{text}".split("\n"), *inner, f"</{name}>"]
    return f"<{start}>{text}</{name}>".split("\n") if text else [f"<{start}/>"]


def _canonical(element: Element, without: frozenset[tuple[str, str]]) -> str:
    name = local_name(element)
    attributes = sorted((key, value) for key, value in element.attrib.items() if (name, key) not in without)
    text = leaf_text(element)
    children = sorted({form for child in element if (form := _canonical(child, without))})
    if not (attributes or text or children):
        return ""
    return f"({name!r}{attributes!r}{text!r}{''.join(children)})"
