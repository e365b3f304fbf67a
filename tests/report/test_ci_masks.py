"""Masks of a CI service: registered where the service reads them, and nowhere else."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from cpi_tasks.report import register_masks

GITHUB = {"GITHUB_ACTIONS": "true"}
AZURE = {"TF_BUILD": "True"}


@pytest.mark.parametrize(
    ("variables", "is_output", "expected"),
    [
        (GITHUB, True, "::add-mask::hunter2\n"),
        (GITHUB, False, "::add-mask::hunter2\n"),
        (AZURE, True, "##vso[task.setsecret]hunter2\n"),
        (AZURE, False, ""),
        ({}, True, ""),
        ({"CI": "true", "GITHUB_ACTIONS": "false"}, True, ""),
    ],
)
def test_each_service_in_its_own_words(variables: dict[str, str], is_output: bool, expected: str) -> None:
    """Where no service listens, nothing is written: it would only show the secret."""
    stream = io.StringIO()
    register_masks(variables, stream, is_output=is_output)("hunter2")
    assert stream.getvalue() == expected


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        ("", ""),
        ("abc", ""),
        ("  padded ", "::add-mask::padded\n"),
        ("100%0Asure", "::add-mask::100%250Asure\n"),
        ("first\r\nsecond\nno\n", "::add-mask::first\n::add-mask::second\n"),
    ],
)
def test_no_part_of_a_secret_ends_the_command(secret: str, expected: str) -> None:
    """Every line is a mask of its own; what is too short to be masked stays unknown to the service, too."""
    stream = io.StringIO()
    register_masks(GITHUB, stream, is_output=True)(secret)
    assert stream.getvalue() == expected


def test_azure_has_an_escape_of_its_own() -> None:
    """``%`` must not be taken for the beginning of an escape."""
    stream = io.StringIO()
    register_masks(AZURE, stream, is_output=True)("100%25")
    assert stream.getvalue() == "##vso[task.setsecret]100%AZP2525\n"


def test_a_secret_is_told_once() -> None:
    """However often a run learns of it."""
    stream = io.StringIO()
    mask = register_masks(GITHUB, stream, is_output=True)
    mask("hunter2")
    mask("hunter2")
    assert stream.getvalue() == "::add-mask::hunter2\n"


def test_no_secret_goes_into_a_file(tmp_path: Path) -> None:
    """Redirected output is read by no service, and stays."""
    with (tmp_path / "log.txt").open("w") as stream:
        register_masks(GITHUB, stream, is_output=True)("hunter2")
    assert (tmp_path / "log.txt").read_text() == ""


def test_a_stream_that_takes_nothing_is_no_reason_to_fail() -> None:
    """A closed pipe ends no run."""
    stream = io.StringIO()
    mask = register_masks(GITHUB, stream, is_output=True)
    stream.close()
    mask("hunter2")
