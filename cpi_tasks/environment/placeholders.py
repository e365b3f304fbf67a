"""Values that somebody forgot to fill in: references that no shell or CI service expanded, and samples from a page.

A message names the form, never the value: what looks like a reference may be a password after all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORDS = r"[A-Za-z_][\w.:\-]*"
_LIKE_A_NAME = r"(?:[A-Z]{3,}|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[a-z]{3,}|[a-z][a-z0-9]*(?:_[a-z0-9]+)+)"
"""A password may begin with a dollar sign; what follows counts as a name only where it is written as names are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    shown: str
    cause: str
    whole: re.Pattern[str]
    guarded: re.Pattern[str]
    """Like ``whole``, for values that may hold any character."""
    part: re.Pattern[str]
    """Finds the form within an address."""


def _form(shown: str, cause: str, whole: str, *, guarded: str = "", part: str = "") -> _Form:
    return _Form(
        shown=shown,
        cause=cause,
        whole=re.compile(whole, re.ASCII),
        guarded=re.compile(guarded or whole, re.ASCII),
        part=re.compile(part or whole, re.ASCII),
    )


_FORMS = (
    _form(
        "${{ … }}",
        "GitHub Actions and Azure Pipelines replace it only in the workflow file itself",
        r"\$\{\{[^{}]*\}\}",
    ),
    _form(
        "$(NAME)",
        "Azure Pipelines leaves it as it is where the pipeline has no variable of that name",
        r"\$[(\[][^()\[\]]*[)\]]",
        guarded=rf"\$[(\[]{_WORDS}[)\]]",
    ),
    _form("${NAME}", "nothing replaced it: the variable is not defined where the value was set", r"\$\{[^{}]*\}"),
    _form(
        "$env:NAME",
        "PowerShell replaces it only outside single quotes",
        r"\$[Ee][Nn][Vv]:\w+",
    ),
    _form(
        "$NAME",
        "nothing replaced it: the variable is not defined (GitLab: not for this branch), or stood in single quotes",
        rf"\$+{_WORDS}",
        guarded=rf"\${_LIKE_A_NAME}",
        part=r"\$[A-Za-z_]\w*",
    ),
    _form(
        "%NAME%",
        "cmd.exe and TeamCity leave it as it is where no variable has that name",
        rf"%{_WORDS}%",
        guarded=rf"%(?:env\.)?{_LIKE_A_NAME}%",
        part=r"%(?:env\.)?[A-Za-z_]\w{2,}%",
    ),
    _form("{{ NAME }}", "no template engine filled it in", r"\{\{[^{}]*\}\}"),
    _form("#{NAME}#", "no step replaced the tokens", r"#\{[^{}]*\}#?"),
    _form("__NAME__", "no step replaced the tokens", r"__[A-Z][A-Z0-9_]*[A-Z0-9]__"),
    _form(
        "<name>",
        "it is the placeholder of a sample: put the real value there",
        r"<[^<>]+>",
        guarded=r"<(?:[a-z]+(?:[ _\-][a-z0-9]+)*|[A-Z]+(?:[ _\-][A-Z0-9]+)*)>",
    ),
)


def find_placeholder(text: str, *, may_hold_anything: bool = False, is_address: bool = False) -> str:
    """Return why a value cannot be meant as it stands, as the rest of a sentence; empty where it can.

    ``may_hold_anything``: the value is a secret, which may begin like a reference. ``is_address``: a reference within
    the text is one too.
    """
    for form in _FORMS:
        if is_address:
            is_found = form.part.search(text) is not None
        else:
            is_found = (form.guarded if may_hold_anything else form.whole).fullmatch(text) is not None
        if is_found:
            return f"still holds the text of a reference or placeholder of the form {form.shown}: {form.cause}"
    return ""
