"""References to what the configuration has and does not deploy: as good as anything else outside the plan."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cpi_tasks.errors import InputError
from cpi_tasks.model.config import Settings
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, DraftPolicy
from tests.planning.builders import (
    MAPPING,
    OTHER,
    SCRIPTS,
    content,
    depends_on,
    design,
    inventory,
    plan_with_library,
    runtime,
    spec,
)

STRICT = Settings(is_strict=True)
IDLE = "integration flow 'Flow' needs 'Lib', which is not deployed on the tenant; nor does this run deploy it first"


def with_idle_library(kind: ArtifactKind) -> Inventory:
    """Give a tenant that has the library and does not run it."""
    return replace(inventory(design("Lib", kind)), elsewhere={ArtifactId("Lib"): True})


@pytest.mark.parametrize("kind", [SCRIPTS, MAPPING])
def test_a_library_with_deploy_false_that_does_not_run_is_a_warning(kind: ArtifactKind) -> None:
    """That the files have it starts nothing: a flow that needs it is told as one that needs somebody else's."""
    library = content(spec("Lib", kind, package="Libs", deploy=False))

    planned = plan_with_library(library, with_idle_library(kind))

    assert planned.warnings == (IDLE,)
    assert depends_on(planned) == {"Flow": set()}


def test_strict_refuses_it() -> None:
    """Under ``--strict`` it is invalid input."""
    library = content(spec("Lib", SCRIPTS, package="Libs", deploy=False))

    with pytest.raises(InputError) as caught:
        plan_with_library(library, with_idle_library(SCRIPTS), STRICT)

    assert [problem.message for problem in caught.value.problems] == [IDLE]


def test_a_library_with_deploy_false_that_runs_is_fine() -> None:
    """What runs on the tenant is there, whoever deployed it."""
    library = content(spec("Lib", SCRIPTS, package="Libs", deploy=False))
    tenant = inventory(design("Lib", SCRIPTS), running=[runtime("Lib")])
    known = replace(tenant, elsewhere={ArtifactId("Lib"): True})

    assert plan_with_library(library, known, STRICT).warnings == ()


def test_a_library_that_is_deployed_is_nothing_to_ask_about() -> None:
    """What this very run deploys needs not be on the tenant."""
    library = content(spec("Lib", SCRIPTS, package="Libs"))
    tenant = replace(inventory(), elsewhere={ArtifactId("Lib"): False})

    assert plan_with_library(library, tenant, STRICT).warnings == ()


LEFT_ALONE = (
    "integration flow 'Flow' needs 'Lib', which is left alone as somebody's draft and is not deployed on the tenant; "
    "nor does this run deploy it first"
)


def test_a_library_left_alone_as_a_draft_that_does_not_run_is_a_warning() -> None:
    """Under ``onDraft: skip`` somebody's draft is not deployed: what needs it is told, unless an older state runs."""
    library = content(spec("Lib", SCRIPTS, package="Libs"), OTHER)
    draft = design("Lib", SCRIPTS, version="Active")
    settings = Settings(on_draft=DraftPolicy.SKIP)

    assert plan_with_library(library, inventory(draft), settings).warnings == (LEFT_ALONE,)
    assert plan_with_library(library, inventory(draft, running=[runtime("Lib")]), settings).warnings == ()
    with pytest.raises(InputError, match="left alone as somebody's draft"):
        plan_with_library(library, inventory(draft), replace(settings, is_strict=True))
