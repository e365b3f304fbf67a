"""Whatever a file holds: it is a saved plan, or bad input with a sentence."""

from __future__ import annotations

import json
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpi_tasks.errors import InputError
from cpi_tasks.planning import read_saved
from tests.planning.saving import ROOT, Situation

Json = dict[str, object]
HERE = Situation()
TEXT = HERE.save()
NO_JSON = "the saved plan cannot be used: it is not a saved plan (no JSON)"
OTHER_FORMAT = "the saved plan cannot be used: another version of cpi-tasks saved it"
NO_PLAN = "the saved plan cannot be used: it is not a saved plan, or somebody changed it"


def complaint(text: str) -> str:
    with pytest.raises(InputError) as raised:
        read_saved(text, "plan.json")
    (problem,) = raised.value.problems
    assert (problem.file, problem.path) == ("plan.json", "--plan")
    return problem.message


def document() -> Json:
    return cast("Json", json.loads(TEXT))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plan",
        TEXT[:-5],
        f"{TEXT}}}",
        "[" * 100_000,
        f'{{"format": {"1" * 5_000}}}',
        '{"format": 1, "x": "\\ud800"}',
        '{"format": 1, "x": "\\u0000"}',
    ],
    ids=[
        "empty",
        "a word",
        "cut short",
        "something after it",
        "deep",
        "long number",
        "half a character",
        "no character",
    ],
)
def test_what_is_no_json_is_bad_input(text: str) -> None:
    """Also what only Python's own reader would take, or gives up on."""
    assert complaint(text) == NO_JSON


@pytest.mark.parametrize("found", [0, 2, 99])
def test_another_format_is_bad_input(found: int) -> None:
    """A newer version's plan is not half understood."""
    assert complaint(json.dumps({**document(), "format": found})) == OTHER_FORMAT


@pytest.mark.parametrize("text", ["{}", "[]", "1", "null", '"plan"', '{"format": 1}', '{"format": "1"}'])
def test_other_json_is_bad_input(text: str) -> None:
    """A file that is no saved plan is not taken for an empty one."""
    assert complaint(text) == NO_PLAN


@pytest.mark.parametrize("key", [key for key in json.loads(TEXT) if key != "what"])
def test_every_part_is_needed(key: str) -> None:
    """A plan from which something was taken away is none."""
    kept = {name: value for name, value in document().items() if name != key}

    assert complaint(json.dumps(kept)) == NO_PLAN


@pytest.mark.parametrize(
    ("part", "edit"),
    [
        ("flags", {"force": "yes"}),
        ("flags", {"artifact_filter": True}),
        ("flags", {"mode": "everything"}),
        ("flags", {"mode": None}),
        ("flags", {"yes": True}),
        ("flags", {"packages_dir": ["a"]}),
        ("settings", {"mode": 1}),
        ("facts", {"'Pack/Flow'": "update"}),
        ("facts", {"'Pack/Flow'": {"does": "update", "files": "", "tenant": "", "values": {"host": 1}, "runs": ""}}),
        ("facts", {"'Pack/Flow'": {"does": "update"}}),
    ],
)
def test_a_part_of_another_kind_is_bad_input(part: str, edit: Json) -> None:
    """Types are checked before anything is made of them."""
    changed = document()
    changed[part] = {**cast("Json", changed[part]), **edit}

    assert complaint(json.dumps(changed)) == NO_PLAN


@pytest.mark.parametrize("flag", ["mode", "force", "deploy_config"])
def test_every_flag_is_needed(flag: str) -> None:
    """A missing flag is not taken for one that was not given."""
    changed = document()
    changed["flags"] = {name: value for name, value in cast("Json", changed["flags"]).items() if name != flag}

    assert complaint(json.dumps(changed)) == NO_PLAN


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=200)
@given(VALUES.map(json.dumps) | st.text())
def test_arbitrary_files_are_bad_input(text: str) -> None:
    """Whatever JSON or text it is, no other error comes out of reading it."""
    try:
        read_saved(text, "plan.json")
    except InputError:
        return
    raise AssertionError(f"taken for a saved plan: {text}")


PARTS = st.sampled_from(sorted(json.loads(TEXT)))


@settings(deadline=None, max_examples=200)
@given(PARTS, VALUES, st.none() | st.sampled_from(["mode", "force", "deploy_config", "'Pack/Flow'", "new"]))
def test_a_changed_file_is_bad_input_or_refused(part: str, value: object, inner: str | None) -> None:
    """Any part of a plan may be anything: it is bad input, or it can be restored and looked at without an error."""
    changed = document()
    old = changed[part]
    changed[part] = {**old, inner: value} if inner is not None and isinstance(old, dict) else value
    try:
        saved = read_saved(json.dumps(changed), "plan.json")
    except InputError:
        return
    try:
        saved.restore(HERE.given, root=ROOT, cwd=ROOT)
    except InputError:
        return
    if changed != document():
        assert saved.seal != document()["seal"] or saved.text != read_saved(TEXT, "plan.json").text
