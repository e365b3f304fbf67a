"""Scripts as text: YAML or JSON, and everything that is wrong with one at once."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpi_tasks.errors import SimulatorError
from cpi_tasks.simulator import (
    Action,
    ActionKind,
    DeploymentRule,
    Duration,
    Ending,
    Fate,
    Fault,
    FaultKind,
    FaultRule,
    FaultScript,
    LifeRule,
    OtherUsers,
    When,
)

OCCURRENCES = ("triggered", "started", "failed", "undeployed", "request")
TEXT = r"""
seed: 7
faults:
  - request: GET RuntimeArtifacts\('F'\)
    fault: too-many-requests
    retryAfter: 2
    retryAfterForm: date
    first: 3
    after: triggered F
  - {request: IntegrationPackages, fault: slow-first-byte, seconds: 1.5, probability: 0.1, afterSeconds: 10}
  - {request: POST, fault: status, status: 418, body: tea, headers: {X-A: b}, every: 4}
deployments:
  - {artifact: "F*", nth: 1, ends: build-fails, errorLooks: 2, errorSeconds: 3, error: no, taskHangs: true}
  - {artifact: "*", duration: {heavy-tail: [5, 600]}, oldVersionSeconds: 4}
  - {artifact: "*", duration: 6}
life:
  - {do: edit, artifact: F, files: {a.txt: x}, atSeconds: 30}
  - {do: set-parameter, artifact: F, key: a, value: "1", nth: 2, request: POST Deploy}
  - {do: lock, artifact: F, user: me, after: started F}
load:
  - {designtime: 8, runtime: 40, fromSeconds: 1, untilSeconds: 60}
""".replace("error: no,", "error: 'no',")

SCRIPT = FaultScript(
    seed=7,
    faults=(
        FaultRule(
            method="GET",
            pattern=r"RuntimeArtifacts\('F'\)",
            when=When(first=3, after="triggered F"),
            fault=Fault(kind=FaultKind.TOO_MANY_REQUESTS, retry_after_s=2, retry_after_form="date"),
        ),
        FaultRule(
            pattern="IntegrationPackages",
            when=When(probability=0.1, after_s=10.0),
            fault=Fault(kind=FaultKind.SLOW_FIRST_BYTE, seconds=1.5),
        ),
        FaultRule(
            method="POST",
            when=When(every=4),
            fault=Fault(kind=FaultKind.STATUS, status=418, body=b"tea", headers={"X-A": "b"}),
        ),
    ),
    deployments=(
        DeploymentRule(
            artifact="F*",
            nth=1,
            fate=Fate(ends=Ending.BUILD_FAILS, error_looks=2, error_s=3.0, error="no", task_hangs=True),
        ),
        DeploymentRule(
            artifact="*",
            fate=Fate(duration=Duration(kind="heavy-tail", least=5.0, most=600.0), old_version_s=4.0),
        ),
        DeploymentRule(artifact="*", fate=Fate(duration=Duration(least=6.0))),
    ),
    life=(
        LifeRule(action=Action(kind=ActionKind.EDIT, artifact="F", files={"a.txt": b"x"}), at_s=30.0),
        LifeRule(
            action=Action(kind=ActionKind.SET_PARAMETER, artifact="F", key="a", value="1"),
            nth=2,
            method="POST",
            pattern="Deploy",
        ),
        LifeRule(action=Action(kind=ActionKind.LOCK, artifact="F", user="me"), after="started F"),
    ),
    load=(OtherUsers(designtime=8.0, runtime=40.0, from_s=1.0, until_s=60.0),),
)


def heard(text: str) -> str:
    """Give the script's lines, or what is wrong with it."""
    try:
        return str(FaultScript.parse(text))
    except SimulatorError as error:
        return str(error)


def problems(text: str) -> list[str]:
    with pytest.raises(SimulatorError) as caught:
        FaultScript.parse(text)
    return [line.removeprefix("- ") for line in str(caught.value).splitlines()[1:]]


def test_a_text_says_what_python_says() -> None:
    """Every key of every section."""
    assert FaultScript.parse(TEXT) == SCRIPT


@pytest.mark.parametrize("text", ["", "{}", "# nothing\n"])
def test_an_empty_text_is_an_empty_script(text: str) -> None:
    """Nothing goes wrong then."""
    assert FaultScript.parse(text) == FaultScript()


def test_json_will_do() -> None:
    """JSON is YAML."""
    text = json.dumps({"faults": [{"request": "* x", "fault": "locked"}]})
    assert FaultScript.parse(text).faults == (FaultRule(pattern="x", fault=Fault(kind=FaultKind.LOCKED)),)


def test_every_mistake_is_listed_with_its_place() -> None:
    """Wrong words, wrong types, wrong numbers and unknown keys, all in one error."""
    text = """
    seed: x
    fault: []
    faults:
      - {fault: unavailible, nth: soon}
      - {fault: locked, request: "GET (", first: 0, probability: true}
      - what
      - {fault: status, status: 99, headers: {a: 1}}
    deployments:
      - {ends: fails, duration: {uniform: 1}, taskHangs: 1}
      - {artifact: F, duration: {uniform: [9, 1]}}
    life:
      - {do: edit, artifact: F, atSeconds: 1}
      - {do: dance, artifact: F, nth: 1}
      - {do: lock, artifact: F, after: noon}
      - {do: lock, artifact: F, atSeconds: soon}
      - {do: lock, artifact: F}
    load: 5
    """
    assert problems(text) == [
        "seed: must be a whole number",
        "faults[0].nth: must be a whole number",
        f"faults[0].fault: must be one of {', '.join(FaultKind)}; did you mean 'unavailable'?",
        "faults[1].probability: must be a number",
        "faults[1]: pattern '(' is no regular expression: missing ), unterminated subpattern at position 0",
        "faults[1]: first must be at least 1",
        "faults[2]: must be a mapping",
        "faults[3].headers: must be a mapping of texts",
        "faults[3]: status must be from 200 to 599",
        f"deployments[0].ends: must be one of {', '.join(Ending)}; did you mean 'fails-late'?",
        "deployments[0].duration: must be a number of seconds, {uniform: [least, most]} or {heavy-tail: [least, most]}",
        "deployments[0].taskHangs: must be true or false",
        "deployments[0].artifact: must be given, as a text",
        "deployments[1]: duration uniform needs a longest time that is not below the least",
        "life[0]: files must be given for edit",
        f"life[1].do: must be one of {', '.join(ActionKind)}",
        f"life[2]: 'noon' is no occurrence; write one of {', '.join(OCCURRENCES)} and what it is about",
        "life[3].atSeconds: must be a number",
        "life[4]: exactly one of atSeconds, nth and after must be given",
        "load: must be a list",
        "fault: is not known here; did you mean 'faults'?",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("faults: [", "neither YAML nor JSON"),
        ("seed: 1\nseed: 2", "the key 'seed' stands twice"),
        ("a: 1\n---\nb: 2", "neither YAML nor JSON"),
        ("!!python/object:os.system {}", "neither YAML nor JSON"),
        ("[1]", "the script: must be a mapping"),
        ("seed: 2021-13-45", "neither YAML nor JSON"),
        ("\x00", "neither YAML nor JSON"),
        ("[" * 5000, "neither YAML nor JSON"),
    ],
)
def test_a_text_that_is_no_mapping_is_refused(text: str, words: str) -> None:
    """With what the parser said; nothing is executed, no key is lost silently."""
    (problem,) = problems(text)
    assert words in problem


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_WORDS = st.sampled_from([*FaultKind, *Ending, *ActionKind, "triggered F", "GET x", "F", "date"])
_KEYS = st.sampled_from(re.findall(r"([\w-]+):", TEXT))
_VALUES = st.recursive(
    _SCALARS | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS | st.text(max_size=4), inner, max_size=6),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(["seed", "faults", "deployments", "life", "load"]), st.lists(_VALUES) | _VALUES))
def test_any_document_is_a_script_or_a_list_of_mistakes(document: dict[str, object]) -> None:
    """Whatever stands in the text, nothing but ``SimulatorError`` comes out, and what is accepted can be read."""
    said = heard(json.dumps(document))
    assert said.startswith(("seed ", "the fault script cannot be played:\n- "))


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_script_or_a_list_of_mistakes(text: str) -> None:
    """Also what is neither YAML nor JSON."""
    assert heard(text).startswith(("seed ", "the fault script cannot be played:\n- "))
