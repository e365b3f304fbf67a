"""The cache over any states and any history: the same again where nothing was lost, and never anything untrue."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cpi_tasks.model.naming import ArtifactId
from cpi_tasks.model.records import Known
from cpi_tasks.records import StateFolder, TenantCache
from tests.records.builders import design, known


def opened(project: Path) -> TenantCache:
    """Open the cache as a run does that reads everything anew."""
    return TenantCache(StateFolder(project, run="next"), tenant="https://t1.example.com")


def file_of(project: Path) -> Path:
    return project / ".cpi" / "cache" / "t1.example.com.json"


TEXTS = st.text(max_size=5) | st.sampled_from(["\u2028", "\ud800", '"}\n', "\0", "../x"])
KNOWN = st.builds(
    Known,
    version=TEXTS.filter(lambda text: text.lower() not in {"active", "draft"}),
    modified_at=st.integers(),
    content=TEXTS,
    description=st.none() | TEXTS,
    parameters=st.none() | st.dictionaries(TEXTS, TEXTS, max_size=3),
    parameter_digest=st.none() | TEXTS,
)


@settings(deadline=None, max_examples=100)
@given(st.dictionaries(TEXTS, KNOWN, max_size=4))
def test_any_states_survive_the_file(tmp_path_factory: pytest.TempPathFactory, states: Mapping[str, Known]) -> None:
    """Whatever ids, times and texts are kept, the next run with the same key knows exactly the same."""
    project = tmp_path_factory.mktemp("project")
    StateFolder(project, run="now").key()
    cache = opened(project)
    for artifact, state in states.items():
        cache.keep(design(artifact, state.version, state.modified_at), state)
    cache.save()

    later = opened(project)
    for artifact, state in states.items():
        assert later.find(design(artifact, state.version, state.modified_at)) == state


@dataclass(slots=True)
class _Artifact:
    """An artifact of a tenant on which not every write moves the time of change."""

    id: str
    modified_at: int = 0
    content: int = 0


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["read", "write", "write unnoticed", "save", "kill", "delete", "damage"]),
        st.integers(0, 1),
    ),
    max_size=30,
)


@settings(deadline=None, max_examples=150)
@example([("read", 0), ("save", 0), ("kill", 0), ("write unnoticed", 0), ("kill", 0)])
@given(STEPS)
def test_nothing_untrue_is_known_after_any_history(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    """Runs that read, write, save, are killed and lose their files never call an old content the present one."""
    project = tmp_path_factory.mktemp("project")
    cache, artifacts = opened(project), [_Artifact("One"), _Artifact("Two")]
    for step, number in steps:
        one = artifacts[number]
        match step:
            case "read":
                cache.keep(design(one.id, "1.0.0", one.modified_at), known(str(one.content), "1.0.0", one.modified_at))
            case "write" | "write unnoticed":
                cache.forget(ArtifactId(one.id))
                one.content += 1
                one.modified_at += step == "write"
            case "save":
                cache.save()
            case "kill":
                cache = opened(project)
            case "delete":
                shutil.rmtree(project / ".cpi", ignore_errors=True)
            case _ if file_of(project).exists():
                file_of(project).write_bytes(file_of(project).read_bytes()[:-1])
        for each in artifacts:
            found = cache.find(design(each.id, "1.0.0", each.modified_at))
            assert found is None or found.content == str(each.content)
