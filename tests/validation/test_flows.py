"""Parameters and references that only the tenant could know, and parameters it would choke on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cpi_tasks.content.folder import PROP_PATH
from cpi_tasks.content.parameters import PROPDEF_PATH
from cpi_tasks.errors import Problem
from cpi_tasks.model.naming import ArtifactKind
from tests.validation.desk import Desk


def test_doubts_are_warnings(desk: Desk) -> None:
    """What is read differently from what its author may think is shown, and stops nothing."""
    desk.add()
    (ref, content) = desk.contents.popitem()
    doubt = Problem(file="a", line=3, message="'k' has another value in line 1")
    desk.contents[ref] = replace(content, doubts=(doubt,))

    assert "a:3 warning ambiguous-content" in desk.found()


def test_a_sound_flow_draws_nothing(desk: Desk) -> None:
    """Known overrides, provided references, definitions beside the values."""
    desk.renames = {"Scripts": "QA_Scripts"}
    desk.add(
        overrides={"Host": "a", "Port": "1"},
        parameters={"Host": "b"},
        known=frozenset({"Port"}),
        references=frozenset({"QA_Scripts"}),
        files=(PROP_PATH, PROPDEF_PATH),
    )
    assert desk.found() == []


def test_an_override_no_file_names_is_a_warning_at_its_line(desk: Desk) -> None:
    """The tenant may have the parameter; a name much like it is suggested."""
    desk.add(overrides={"Host": "a", "Prot": "1"}, parameters={"Host": "b", "Port": "2"})
    assert desk.found() == ["config.yml:12 warning unknown-parameter"]
    (finding,) = desk.check()
    told = "'Prot' is no parameter of integration flow 'Flow' in its files; a run fails unless the tenant has it"
    assert finding.problem.message == f"{told}; did you mean 'Port'?"


def test_a_reference_no_configuration_has_is_a_warning(desk: Desk) -> None:
    """The collection may live on the tenant; final ids count."""
    desk.renames = {"Scripts": "QA_Scripts"}
    desk.add(references=frozenset({"QA_Script", "QA_Scripts", "Elsewhere"}))
    first, second = (finding.problem.message for finding in desk.check())
    told = "integration flow 'Flow' uses '{}', which no configuration has; it must be on the tenant already"
    assert first == told.format("Elsewhere")
    assert second == told.format("QA_Script") + "; did you mean 'QA_Scripts'?"


def test_references_are_not_judged_by_an_incomplete_configuration(desk: Desk) -> None:
    """Where entries had to be left out, one of them may be what is missing."""
    desk.add(references=frozenset({"Elsewhere"}))
    assert desk.found(is_complete=False) == []


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ((), []),
        ((PROPDEF_PATH,), []),
        ((PROP_PATH,), [f"packages/Pack/Flow/{PROP_PATH}:0 error missing-definitions"]),
    ],
)
def test_values_without_definitions_are_an_error(desk: Desk, files: tuple[str, ...], expected: list[str]) -> None:
    """Tenants answer such an update with 500."""
    desk.add(files=files)
    assert expected == desk.found()


def test_only_flows_need_definitions(desk: Desk) -> None:
    """A file of that name means nothing in other artifacts."""
    desk.add(kind=ArtifactKind.SCRIPT_COLLECTION, files=(PROP_PATH,))
    assert desk.found() == []
