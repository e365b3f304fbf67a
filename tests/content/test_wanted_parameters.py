"""Which values are enforced on the tenant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cpi_tasks.content import load_content, wanted_parameters
from cpi_tasks.model.config import ArtifactSpec
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.naming import ParameterPolicy

MODEL_PATH = "src/main/resources/scenarioflows/integrationflow/flow.iflw"
PROP = b"Host=a.example.com\nEmpty=\nUnset=<Define_Host>\nBody=<a><b/></a>\nTimer=t\nPoll=p\n"
PROPDEF = b"<parameters><parameter><name>Timer</name><type>custom:schedule</type></parameter></parameters>"
Load = Callable[..., ArtifactContent]


@pytest.fixture
def load(make_folder: Callable[..., Path], make_spec: Callable[..., ArtifactSpec]) -> Load:
    """Give a function that loads a flow with parameters of every sort."""
    folder = make_folder(
        "A",
        files={
            "src/main/resources/parameters.prop": PROP,
            "src/main/resources/parameters.propdef": PROPDEF,
            MODEL_PATH: b"<model>{{Modelled}}</model>",
        },
    )

    def run(overrides: Mapping[str, str] | None = None) -> ArtifactContent:
        return load_content(make_spec(folder, overrides=overrides), {})

    return run


def test_overrides_alone_are_enforced(load: Load) -> None:
    """By default the file's values are only for creation, and every override counts as it is written."""
    overrides = {"Host": "b.example.com", "Empty": "", "Unset": "<x>", "Timer": "007", "Elsewhere": "yes"}
    content = load(overrides)

    assert wanted_parameters(content.spec, content, ParameterPolicy.OVERRIDES, ()) == overrides
    assert wanted_parameters(load().spec, load(), ParameterPolicy.OVERRIDES, ()) == {}


def test_all_enforces_the_files_values(load: Load) -> None:
    """Empty values, placeholders and schedules of either side are left to the tenant; XML is a value."""
    content = load()

    assert wanted_parameters(content.spec, content, ParameterPolicy.ALL, {"Poll"}) == {
        "Host": "a.example.com",
        "Body": "<a><b/></a>",
    }
    assert "Poll" in wanted_parameters(content.spec, content, ParameterPolicy.ALL, ())


def test_an_override_names_what_would_be_left_out(load: Load) -> None:
    """An override is enforced under ``all`` too: empty, placeholder, schedule, or unknown to the file."""
    overrides = {"Empty": "", "Unset": "<x>", "Timer": "t2", "Poll": "p2", "Elsewhere": "1"}
    content = load(overrides)
    wanted = wanted_parameters(content.spec, content, ParameterPolicy.ALL, ["Poll"])

    assert wanted == {"Host": "a.example.com", "Body": "<a><b/></a>", **overrides}
