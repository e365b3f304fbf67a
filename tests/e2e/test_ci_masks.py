"""The real program in a job of a CI service: secrets are registered before anything else could show them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.program import Program

ENCODED = "ZGVtby11c2VyOmRlbW8tcGFzc3dvcmQ="  # demo-user:demo-password


@pytest.fixture
def small(program: Program) -> Program:
    """Give the program with one flow."""
    program.project.flow("Sales", "Orders")
    program.project.save()
    return program


def streams(program: Program, *arguments: str, **variables: str) -> tuple[list[str], list[str]]:
    """Run it, and give the lines of standard output and of standard error."""
    done = subprocess.run(
        program.command(*arguments),
        cwd=program.project.root,
        env=program.environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=100,
        check=True,
    )
    return done.stdout.splitlines(), done.stderr.splitlines()


@pytest.mark.parametrize(
    ("variables", "command"),
    [({"GITHUB_ACTIONS": "true"}, "::add-mask::"), ({"TF_BUILD": "True"}, "##vso[task.setsecret]")],
)
def test_masks_come_first(small: Program, variables: dict[str, str], command: str) -> None:
    """Password and its encoded form, then the CSRF token; after the masks no secret is to be seen."""
    out, err = streams(small, "orchestrate", "--env", "x", **variables)
    assert err == []
    assert out[:2] == [f"{command}demo-password", f"{command}{ENCODED}"]
    masks = [line for line in out if line.startswith(command)]
    assert len(masks) == 3
    small.outputs.append("\n".join(line for line in out if line not in masks))


@pytest.mark.parametrize("login", ["oauth"])
def test_tokens_are_masked_too(small: Program, login: str) -> None:
    """As soon as the service handed them out."""
    out, _ = streams(small, "plan", "--env", "x", GITHUB_ACTIONS="true")
    (token,) = small.simulator._front.gatekeeper._tokens
    assert f"::add-mask::{token}" in out


def test_a_document_stays_one(small: Program) -> None:
    """With ``--format json`` masks go to standard error, which GitHub reads as well and Azure does not."""
    out, err = streams(small, "plan", "--env", "x", "--format", "json", GITHUB_ACTIONS="true")
    assert out[0] == "{"
    assert err == ["::add-mask::demo-password", f"::add-mask::{ENCODED}"]
    assert streams(small, "plan", "--env", "x", "--format", "json", TF_BUILD="True") == (out, [])


def test_a_file_gets_no_masks(small: Program, tmp_path: Path) -> None:
    """What is redirected is read by no service, and would keep the secret."""
    with (tmp_path / "log.txt").open("w") as log:
        subprocess.run(
            small.command("plan", "--env", "x"),
            cwd=small.project.root,
            env=small.environment(GITHUB_ACTIONS="true"),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            timeout=100,
            check=True,
        )
    said = (tmp_path / "log.txt").read_text(encoding="utf-8")
    assert said.startswith("Environment: x"), said
    small.outputs.append(said)
