"""Hints name commands as the person can type them."""

from __future__ import annotations

import sys

import invoke.main
import pytest
from invoke.collection import Collection
from invoke.context import Context
from invoke.parser.context import ParserContext
from invoke.parser.parser import ParseResult
from invoke.program import Program
from invoke.tasks import task

from cpi_tasks import ns
from cpi_tasks.hints import command, name_in


@task
def plan(_: Context) -> None:
    """Plan something else."""


def mounted(*names: str) -> Collection:
    """Return a collection that has ours under some names, beside an own task of a name that ours has too."""
    root = Collection(plan, other=Collection(plan))
    for name in names:
        *outer, last = name.split(".")
        at = root
        for each in outer:
            inner = Collection(each)
            at.add_collection(inner)
            at = inner
        at.add_collection(Collection.from_module(sys.modules["cpi_tasks"]), name=last)
    return root


@pytest.mark.parametrize(
    ("collection", "typed", "name"),
    [
        (ns, ["plan"], "plan"),
        (Collection.from_module(sys.modules["cpi_tasks"]), ["plan"], "plan"),
        (mounted("cpi"), ["other.plan", "cpi.deploy"], "cpi.plan"),
        (mounted("cpi"), ["plan"], "cpi.plan"),
        (mounted("sap_cloud.cpi"), ["sap-cloud.cpi.deploy"], "sap-cloud.cpi.plan"),
        (mounted("one", "two"), ["plan", "two.deploy"], "two.plan"),
        (mounted("one", "two"), ["release"], "one.plan"),
        (mounted(), ["plan"], "plan"),
        (Collection("root", cpi=Collection("cpi", deploy=ns["deploy"], look=ns["plan"])), ["cpi.deploy"], "cpi.look"),
    ],
)
def test_the_name_is_that_of_the_loaded_collection(collection: Collection, typed: list[str], name: str) -> None:
    """Other tasks of the same name do not matter, nor does what else is on the command line."""
    assert name_in(collection, "plan", typed) == name


def test_the_collection_and_the_names_are_those_of_invoke(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the words of the command line: one may be the value of an option."""
    program = Program()
    program.collection, program.tasks = mounted("one", "two"), ParseResult([ParserContext("two.deploy")])
    monkeypatch.setattr(invoke.main, "program", program)
    monkeypatch.setattr(sys, "argv", ["/usr/bin/inv", "two.deploy", "--env", "one.deploy"])
    assert command("plan") == "invoke two.plan"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["C:/bin/cpi-tasks.exe", "plan"], "cpi-tasks runs"),
        (["/usr/bin/cpi-tasks", "plan"], "cpi-tasks runs"),
        (["caller.py"], "invoke runs"),
        ([], "invoke runs"),
    ],
)
def test_the_program_without_a_collection(monkeypatch: pytest.MonkeyPatch, arguments: list[str], hint: str) -> None:
    """Plain functions have none, and the package's own program has the tasks at its top."""
    monkeypatch.setattr(invoke.main, "program", Program())
    monkeypatch.setattr(sys, "argv", arguments)
    assert command("runs") == hint
