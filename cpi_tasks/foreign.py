"""What stands in place of a file's content after a checkout, merge or download that went wrong, and how to tell."""

from __future__ import annotations

import re
from dataclasses import dataclass

MARK = b"\xef\xbb\xbf"
"""A UTF-8 byte order mark, as Windows editors put before a text."""

XML_SUFFIXES = (".iflw", ".mmap", ".propdef", ".xsd", ".wsdl", ".edmx", ".xsl", ".xslt", ".xml", ".opmap", ".project")
_CODE_SUFFIXES = (".groovy", ".gsh", ".gvy", ".js", ".java", ".prop", ".properties", ".mf", ".json", ".dtd")
TEXT_SUFFIXES = XML_SUFFIXES + _CODE_SUFFIXES
_YAML_SUFFIXES = (".yml", ".yaml")
_KNOWN_TEXT = TEXT_SUFFIXES + _YAML_SUFFIXES
_PACKED_SUFFIXES = (".jar", ".zip", ".class")
_STYLESHEETS = (".xsl", ".xslt")

_LFS = re.compile(rb"\Aversion https?://(?:git-lfs\.github\.com|hawser\.github\.com|git-media\.io)/\S*\s+(?:ext-|oid )")
_LONGEST_POINTER = 1024
_ANNEX = re.compile(rb"\A(?:\.\./)*(?:\.git)?/annex/objects/\S+\s*\Z")
_LINK = re.compile(rb"\A\.\.?/[^\r\n\0<>{}\"';]+\Z")
_YAML_LINK = re.compile(rb"\A[^\s:{}\[\]\"']+\.ya?ml\Z")
_GIT_CRYPT = b"\0GITCRYPT\0"
_SOPS = b"ENC[AES256_GCM,data:"
_ENCRYPTED = {
    b"$ANSIBLE_VAULT;": "Ansible Vault",
    b"age-encryption.org/v1": "age",
    b"-----BEGIN AGE ENCRYPTED FILE-----": "age",
    b"-----BEGIN PGP MESSAGE-----": "PGP",
    b"U2FsdGVkX1": "transcrypt or OpenSSL",
    b"Salted__": "OpenSSL",
}
_COMMENTS = rb"(?:<!--(?:(?!-->).)*-->\s*)*"
_HTML = re.compile(
    rb"\A\s*(?:<\?xml[^>]*>\s*)?" + _COMMENTS + rb"<(?:!doctype\s+html|html)[\s>]", re.IGNORECASE | re.DOTALL
)
_XSLT = b"http://www.w3.org/1999/XSL/Transform"
_MARKERS = (b"<" * 7, b">" * 7, b"|" * 7)
# Git's are seven characters long if not set otherwise (gitattributes, conflict-marker-size).
_SIDES = rb"(?:<{7}|>{7}|\|{7})(?=[ \t\r\n]|\Z)|(?:<{8,}|>{8,}|\|{8,})(?= \S)"
_MARKER = re.compile(rb"(?:\A|[\r\n])(" + _SIDES + rb")")
_ANY_MARKER = re.compile(rb"(?:\A|[\r\n])(" + _SIDES + rb"|={7,}(?=[ \t\r\n]|\Z))")
_PERFORCE = re.compile(rb"(?:\A|[\r\n])>>>> ORIGINAL ")
_ERROR_ANSWER = re.compile(
    rb"\A\s*(?:(?:HTTP/[\d.]+ )?[45]\d\d:? [A-Z][A-Za-z ]{2,40}\s*\Z"
    rb"|(?:<\?xml[^>]*>\s*)?<Error>\s*<Code>|\{\s*\"message\"\s*:\s*\"Not Found\")"
)
_LINE_END = re.compile(rb"\r\n?|\n")
_WIDE = {
    b"\xff\xfe\0\0": "UTF-32",
    b"\0\0\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_SAYS_WIDE = re.compile(r"\A\s*<\?xml[^>]*\bencoding\s*=\s*[\"']utf-16", re.IGNORECASE)
_SCHEMAS = (".xsd", ".wsdl", ".edmx", ".xsl", ".xslt")
_SHOWN_LINES = 6


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Fault:
    """Something wrong with one file; ``line`` counts from 1, 0 where no single line is to blame."""

    line: int = 0
    message: str


def is_text(path: str, data: bytes) -> bool:
    """Return whether a file is one of the text types, or of an unknown type and without a NUL byte."""
    lower = path.lower()
    return lower.endswith(_KNOWN_TEXT) or not (lower.endswith(_PACKED_SUFFIXES) or b"\0" in data)


def find_foreign(path: str, data: bytes) -> Fault | None:
    """Return what is in the file instead of its content; ``None`` where nothing says that it is not its own."""
    return _find_damage(path, data) or _find_stand_in(path, data) or _find_wide(path, data) or _find_markers(path, data)


def _find_damage(path: str, data: bytes) -> Fault | None:
    """Return the fault of what an editor or a download made of the file."""
    if data.startswith(MARK * 2) and path.lower().endswith(TEXT_SUFFIXES):
        return Fault(line=1, message="begins with two byte order marks; save it as UTF-8 without them")
    if _ERROR_ANSWER.match(data.removeprefix(MARK)[:_LONGEST_POINTER]):
        return Fault(line=1, message="is the error answer of a server, saved in place of the file; download it again")
    return None


def _find_stand_in(path: str, data: bytes) -> Fault | None:
    body = data.removeprefix(MARK)
    if len(body) <= _LONGEST_POINTER and _LFS.match(body):
        return Fault(
            line=1,
            message="is a Git LFS pointer, not the file itself; run 'git lfs pull', and in CI check out with LFS "
            "('lfs: true' for actions/checkout)",
        )
    if len(body) <= _LONGEST_POINTER and _ANNEX.match(body):
        return Fault(line=1, message="is a git-annex pointer, not the file itself; run 'git annex get'")
    if body.startswith(_GIT_CRYPT):
        return Fault(message="is encrypted with git-crypt; run 'git-crypt unlock' first")
    lower = path.lower()
    if not lower.endswith(_KNOWN_TEXT + _PACKED_SUFFIXES):
        return None
    if _HTML.match(body) and not (lower.endswith(_STYLESHEETS) and _XSLT in body):
        return Fault(
            line=1,
            message="is an HTML page, probably a sign-in page in place of the file; check the address and the login "
            "that it needs, and download the file again",
        )
    return _find_encrypted(body) or _find_link(lower, body) if lower.endswith(_KNOWN_TEXT) else None


def _find_encrypted(body: bytes) -> Fault | None:
    tool = next((tool for start, tool in _ENCRYPTED.items() if body.startswith(start)), "")
    if tool:
        return Fault(message=f"is encrypted ({tool}); decrypt it first")
    at = body.find(_SOPS)
    if at < 0:
        return None
    return Fault(line=line_at(body, at), message="has values encrypted with SOPS; decrypt the file first")


def _find_link(path: str, body: bytes) -> Fault | None:
    is_link = _LINK.match(body) or (path.endswith(_YAML_SUFFIXES) and _YAML_LINK.match(body))
    if len(body) > _LONGEST_POINTER or not is_link:
        return None
    return Fault(
        line=1,
        message="holds nothing but a path: it is a symbolic link that Git checked out as text; "
        "set core.symlinks=true and check out again, or put the content itself there",
    )


def _find_wide(path: str, data: bytes) -> Fault | None:
    """Return the fault of a text in UTF-16 or UTF-32; a schema that says so itself is legal XML and stays."""
    if not path.lower().endswith(_KNOWN_TEXT):
        return None
    encoding = next((name for start, name in _WIDE.items() if data.startswith(start)), "")
    if encoding == "UTF-16" and path.lower().endswith(_SCHEMAS) and _says_wide(data):
        return None
    if encoding:
        return Fault(
            message=f"is encoded as {encoding}, as by '>' in Windows PowerShell; save it as UTF-8",
        )
    at = data.find(b"\0")
    if at < 0:
        return None
    return Fault(
        line=line_at(data, at),
        message="has a NUL byte, so it is no text or encoded as UTF-16; save it as UTF-8",
    )


def _says_wide(data: bytes) -> bool:
    return bool(_SAYS_WIDE.match(data[:400].decode("utf-16", errors="ignore")))


def _find_markers(path: str, data: bytes) -> Fault | None:
    """Return the fault of a text with markers of an unresolved merge; ``=======`` alone may be a heading."""
    body = data.removeprefix(MARK)
    # The search is slow, and hardly any file has what it looks for.
    if b">>>> ORIGINAL " in body and (match := _PERFORCE.search(body)) and is_text(path, data):
        line = line_at(body, match.end() - len(">>>> ORIGINAL "))
        return Fault(line=line, message=f"has merge conflict markers of Perforce (line {line}); resolve the conflict")
    is_suspicious = any(marker in body for marker in _MARKERS)
    if not is_suspicious or not _MARKER.search(body) or not is_text(path, data):
        return None
    lines = [str(line_at(body, match.start(1))) for match in _ANY_MARKER.finditer(body)]
    shown = ", ".join(lines[:_SHOWN_LINES]) + (", …" if len(lines) > _SHOWN_LINES else "")
    return Fault(
        line=int(lines[0]),
        message=f"has merge conflict markers (line{'s' if len(lines) > 1 else ''} {shown}); resolve the conflict",
    )


def line_at(data: bytes, at: int) -> int:
    """Return the number of the line, counted from 1, that a byte stands in."""
    return 1 + sum(1 for _ in _LINE_END.finditer(data, 0, at))
