"""``${NAME}`` in environment files."""

from __future__ import annotations

from cpi_tasks.environment.nodes import Scalar
from cpi_tasks.environment.process import Variables
from cpi_tasks.environment.variables import expand
from cpi_tasks.environment.yaml_source import parse


def expanded(text: str, variables: dict[str, str]) -> tuple[list[tuple[str, str]], list[str]]:
    document = parse(text.encode(), "f.yml").document
    assert document is not None
    document, problems = expand(document, Variables(variables))
    nodes = [entry.node for entry in document.root.entries.values()]
    return [(node.text, node.tag) for node in nodes if isinstance(node, Scalar)], [str(each) for each in problems]


def test_part_of_a_text() -> None:
    """References inside a text are replaced, and the result stays a text."""
    assert expanded("a: https://${H}:${P}/x\n", {"H": "h", "P": "12"}) == ([("https://h:12/x", "str")], [])


def test_whole_value_gets_the_type_of_its_text() -> None:
    """A value that is one reference may become a number or a boolean, quoted or not."""
    values, problems = expanded("a: ${N}\nb: '${B}'\nc: ${T}\n", {"N": "7", "B": "true", "T": "abc"})
    assert values == [("7", "int"), ("true", "bool"), ("abc", "str")]
    assert problems == []


def test_doubled_dollar_is_literal() -> None:
    """``$${`` stands for the characters themselves."""
    assert expanded("a: $${A} and ${A}\n", {"A": "x"}) == ([("${A} and x", "str")], [])


def test_values_are_not_expanded_again() -> None:
    """What a variable holds is data, even if it looks like a reference."""
    assert expanded("a: ${A}\n", {"A": "is ${B}", "B": "no"}) == ([("is ${B}", "str")], [])


def test_keys_and_overrides_are_left_alone() -> None:
    """Keys and everything in ``configOverrides`` stay as written."""
    document = parse(b"${A}: 1\nx:\n  - configOverrides: {k: '${B}'}\n", "f.yml").document
    assert document is not None
    result, problems = expand(document, Variables({}))
    assert problems == ()
    node = result.node(("x", 0, "configOverrides", "k"))
    assert isinstance(node, Scalar)
    assert node.text == "${B}"


def test_every_unset_variable_is_reported_with_its_place() -> None:
    """All unset variables are problems, also two in one value and inside lists."""
    _, problems = expanded("a: ${X}-${Y}\nb: [1, '${Z}']\n", {})
    assert problems == [
        "f.yml:1:4: a: the environment variable X is not set",
        "f.yml:1:4: a: the environment variable Y is not set",
        "f.yml:2:8: b.1: the environment variable Z is not set",
    ]


def test_malformed_reference_is_explained() -> None:
    """``${`` without a usable name is a problem that tells how to write it literally."""
    expected = "f.yml:1:4: a: '${' begins a variable such as ${CPI_HOST}; write '$${' for the characters themselves"
    for text in ("a: ${X:-y}\n", "a: ${header.x}\n", "a: '${'\n", "a: ${}\n"):
        assert [expected] == expanded(text, {"X": "1"})[1]


def test_repr_of_a_value_is_safe() -> None:
    """What a variable holds shows in no representation and no message."""
    document = parse(b"a: ${S}\n", "f.yml").document
    assert document is not None
    result, _ = expand(document, Variables({"S": "hunter2"}))
    node = result.node(("a",))
    assert isinstance(node, Scalar)
    assert "hunter2" not in repr(result)
    assert node.shown == "the value of '${S}'"
