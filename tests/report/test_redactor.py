"""Secrets never get out and no text moves the cursor."""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpi_tasks.report import Redactor
from cpi_tasks.report.redactor import dumped

SPELLINGS: list[Callable[[str], str]] = [
    lambda secret: secret,
    quote,
    lambda secret: quote(secret, safe=""),
    lambda secret: re.sub("%..", lambda match: match[0].lower(), quote(secret, safe="")),
    quote_plus,
    lambda secret: base64.b64encode(secret.encode()).decode(),
    lambda secret: base64.b64encode(secret.encode()).decode().rstrip("="),
    lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    lambda secret: json.dumps(secret)[1:-1],
    lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
]
SECRETS = st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=24)
TEXTS = st.text(max_size=30)


@settings(deadline=None, max_examples=150)
@given(secret=SECRETS, before=TEXTS, after=TEXTS, spelling=st.sampled_from(SPELLINGS))
def test_no_spelling_of_a_secret_survives(secret: str, before: str, after: str, spelling: Callable[[str], str]) -> None:
    """Whatever stands around it and however it is written, a secret is not in the cleaned text."""
    written = spelling(secret)
    redactor = Redactor([secret])
    assert written not in redactor.clean(before + written + after)
    assert written not in "\n".join(redactor.clean_lines(before + written + after))


@settings(deadline=None, max_examples=60)
@given(text=st.text(max_size=60))
def test_cleaned_text_has_no_control_characters(text: str) -> None:
    """Whatever comes in, one line of harmless characters comes out, and cleaning it again changes nothing."""
    cleaned = Redactor().clean(text)
    assert not [c for c in cleaned if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]
    assert cleaned == Redactor().clean(cleaned)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("50%\r100%", "50% 100%"),
        ("ring\x07", "ring\\x07"),
        ("c1 \x9b2J", "c1 \\x9b2J"),
        ("abc\u202etxt.exe", "abc\\u202etxt.exe"),
        ("a\r\nb\tc", "a b c"),
        ("half \ud83d", "half \\ud83d"),
        ("Überweisung ✓", "Überweisung ✓"),
    ],
)
def test_control_characters_become_visible(text: str, cleaned: str) -> None:
    """Escape sequences, bells, carriage returns and bidi overrides are shown, not obeyed."""
    assert cleaned == Redactor().clean(text)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("::add-mask::a", "\\x3a:add-mask::a"),
        ("  ::error file=x::y", "  \\x3a:error file=x::y"),
        ("\n::stop-commands::t", " \\x3a:stop-commands::t"),
        ("a ##vso[task.setvariable variable=PATH]b", "a \\x23#vso[task.setvariable variable=PATH]b"),
        ("##[add-mask]e", "\\x23#[add-mask]e"),
        ("the address ::1, a::b and ## of them", "the address ::1, a::b and ## of them"),
        ("::1 is this machine", "::1 is this machine"),
    ],
)
def test_no_ci_service_finds_a_command(text: str, cleaned: str) -> None:
    """GitHub and Azure obey what a job prints, also what it only quotes; what merely looks similar stays as it is."""
    assert cleaned == Redactor().clean(text)


def test_no_ci_service_finds_a_command_in_a_document() -> None:
    """In JSON it is spelt otherwise, and means the same."""
    texts = ["##vso[task.setvariable variable=PATH]b", "###[x", "a#b", "####"]
    assert "##" not in dumped(texts)
    assert json.loads(dumped(texts)) == texts


def test_a_text_of_several_lines_keeps_its_lines_and_indentation() -> None:
    """``clean_lines`` keeps line breaks and leading spaces, and drops blank lines at either end."""
    assert Redactor().clean_lines("\n first".replace(" ", "") + "\r\n\n\tat com.sap\n\n") == [
        "first",
        "",
        "    at com.sap",
    ]


@pytest.mark.parametrize("text", ["hun\x1bter2!", "hun\u202eter2!"])
def test_a_control_character_inside_does_not_leave_the_secret_readable(text: str) -> None:
    """Removing nothing, an escape inside a secret stays visible, so the secret is not joined again."""
    assert "hunter2!" not in Redactor(["hunter2!"]).clean(text)


def test_a_secret_of_several_lines_is_masked_before_lines_are_split() -> None:
    """Of a key file's text no line gets out."""
    redactor = Redactor(["-----BEGIN\nMIIabc\n-----END"])
    assert redactor.clean_lines("key -----BEGIN\nMIIabc\n-----END\n") == ["key ***"]


def test_a_secret_with_a_line_break_at_its_end_is_masked_without_it() -> None:
    """A password read from a file with its final newline is still found."""
    assert Redactor(["hunter2!\n"]).clean("say hunter2!.") == "say ***."


def test_a_basic_login_header_does_not_show_the_password() -> None:
    """Base64 of user and password together hides the password at each of its three alignments."""
    redactor = Redactor(["correct horse"])
    for user in ("a", "ab", "abc"):
        header = base64.b64encode(f"{user}:correct horse".encode()).decode()
        cleaned = redactor.clean(f"Authorization: Basic {header}")
        assert "***" in cleaned
        assert header[8:18] not in cleaned


def test_overlapping_secrets_leave_no_tail() -> None:
    """Where one secret begins inside another, neither shows."""
    assert Redactor(["abcdef", "defghi"]).clean("xabcdefghiy") == "x***y"


def test_a_secret_that_the_mask_spells_again_is_masked_again() -> None:
    """Masking goes on until nothing is left to mask."""
    assert "***x" not in Redactor(["***x"]).clean("***xxxxx")


def test_short_secrets_are_ignored() -> None:
    """Three characters occur in ordinary words: masking them would garble everything."""
    assert Redactor(["aba", ""]).clean("no masks in an abacus") == "no masks in an abacus"


def test_secrets_can_be_added_later() -> None:
    """A token learnt during the run is masked from then on."""
    redactor = Redactor()
    assert redactor.clean("tok-1234") == "tok-1234"
    redactor.add("tok-1234")
    assert redactor.clean("tok-1234") == "***"
