"""Which differing parameters a drift check tells, and whose doing they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from cpi_tasks.model.config import Settings
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactId, ParameterPolicy
from cpi_tasks.model.records import Baseline
from tests.planning.builders import content, spec
from tests.planning.remembered import ANN, drift, left, remembering, told, visited

FLOW = ArtifactId("Flow")
NOT_AS_WANTED = "parameter 'host' is not as the files say"
KEPT = "parameter 'free' was changed; a run keeps it"
HIDDEN = ("unreadable", "differs, origin unknown", "the tenant does not show the flow's parameters")


def told_of(files: Mapping[str, str], tenant: Inventory, *, enforced: bool = True) -> list[tuple[str, str, str]]:
    of = content(spec(overrides=files if enforced else {}), parameters=files)
    return told(drift(of, tenant))


def known(now: Mapping[str, str], files: Mapping[str, str], baseline: Baseline | None) -> Inventory:
    of = content(spec(), parameters=files)
    return remembering(visited(parameters=now), baseline, [of])


@pytest.mark.parametrize(
    ("was", "tenant", "files", "origin"),
    [
        ("a", "a", "b", "your change"),
        ("a", "x", "a", "someone's edit"),
        ("a", "x", "b", "changed on both sides"),
        (None, "x", "b", "differs, origin unknown"),
    ],
)
def test_an_enforced_parameter_that_differs_is_told(was: str | None, tenant: str, files: str, origin: str) -> None:
    """What a run would set is a difference, with the side that moved since the last run."""
    baseline = None if was is None else left(parameters={"host": was})
    of = content(spec(overrides={"host": files}), parameters={"host": files})

    (entry,) = drift(of, known({"host": tenant}, {"host": files}, baseline))

    assert told([entry]) == [("parameter", origin, NOT_AS_WANTED)]
    assert (entry.by, entry.at) == (("", None) if origin == "your change" else (ANN, 1_000))


def test_no_value_is_told() -> None:
    """Entries name keys only: values may be secrets."""
    files, now = {"host": "ours-1", "free": "ours-2"}, {"host": "theirs-1", "free": "theirs-2"}
    of = content(spec(overrides={"host": "ours-1"}), parameters=files)

    entries = drift(of, known(now, files, left(parameters={"host": "old", "free": "old"})))

    assert [entry.detail for entry in entries] == [NOT_AS_WANTED, KEPT]
    assert not any(word in repr(entry) for entry in entries for word in ("ours-", "theirs-"))


@pytest.mark.parametrize(
    ("was", "tenant", "files", "said"),
    [
        ("a", "x", "a", [("parameter", "someone's edit", KEPT)]),
        ("a", "x", "b", [("parameter", "changed on both sides", KEPT)]),
        # A person configured it before the last run, or you changed what only a new flow would get.
        ("a", "a", "b", []),
        (None, "x", "b", []),
        ("a", "x", "x", []),
    ],
)
def test_a_parameter_that_nobody_enforces_is_told_only_as_an_edit(
    was: str | None, tenant: str, files: str, said: list[tuple[str, str, str]]
) -> None:
    """How a person configured it before the last run stays so and is no drift; what moved since is."""
    baseline = None if was is None else left(parameters={"free": was})

    assert told_of({"free": files}, known({"free": tenant}, {"free": files}, baseline), enforced=False) == said


def test_an_edit_of_a_parameter_is_told_beside_your_content() -> None:
    """Your change of the content does not hide somebody's edit of a parameter."""
    of = content(spec(), {"script/a.groovy": "mine"}, parameters={"free": "a"})
    tenant = known({"free": "x"}, {"free": "a"}, left(parameters={"free": "a"}))

    assert [(aspect, origin) for aspect, origin, _ in told(drift(of, tenant))] == [
        ("content", "your change"),
        ("parameter", "someone's edit"),
    ]


def test_under_all_every_value_of_the_file_is_enforced() -> None:
    """Then a parameter without an override is one that a run would set."""
    tenant = known({"host": "x"}, {"host": "a"}, left(parameters={"host": "a"}))
    of = content(spec(), parameters={"host": "a"})

    assert told(drift(of, tenant, Settings(parameter_policy=ParameterPolicy.ALL))) == [
        ("parameter", "someone's edit", NOT_AS_WANTED)
    ]


@pytest.mark.parametrize("was", [{"host": "a"}, {}])
def test_an_enforced_parameter_that_the_tenant_lacks_is_told(was: Mapping[str, str]) -> None:
    """Somebody took it away where the last run left it there; else it is new in the files."""
    said = "someone's edit" if was else "your change"

    assert told_of({"host": "a"}, known({}, {"host": "a"}, left(parameters=was))) == [
        ("parameter", said, NOT_AS_WANTED)
    ]


@pytest.mark.parametrize(
    ("enforced", "was", "said"),
    [(True, {}, [HIDDEN]), (False, {"host": "a"}, [HIDDEN]), (False, {}, [])],
)
def test_hidden_parameters_pass_for_neither_equal_nor_different(
    enforced: bool, was: Mapping[str, str], said: list[tuple[str, str, str]]
) -> None:
    """Where the tenant does not show them, that is said, if a run would set one or the last one saw them."""
    tenant = replace(remembering(visited(), left(parameters=was)), parameters={FLOW: None})

    assert told_of({"host": "a"}, tenant, enforced=enforced) == said


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("a", "x", [("parameter", "someone's edit", KEPT)]),
        ("x", "x", []),
        ("a", "a", []),
    ],
)
def test_what_was_not_read_again_is_told_as_the_cache_knows_it(
    was: str, now: str, said: list[tuple[str, str, str]]
) -> None:
    """Under ``verify: cached`` an edit that an earlier look saw does not vanish with the second look."""
    files = {"host": "b", "free": "a"}
    baseline = left(parameters={"host": "b", "free": was})
    tenant = replace(
        known({"host": "b", "free": now}, files, baseline), parameters={}, proved_parameters=frozenset({FLOW})
    )
    of = content(spec(overrides={"host": "b"}), parameters=files)

    assert told(drift(of, tenant)) == said


def test_equal_parameters_are_not_told() -> None:
    """What is as wanted is no difference, also where both sides moved to it."""
    assert told_of({"host": "b"}, known({"host": "b"}, {"host": "b"}, left(parameters={"host": "a"}))) == []
