"""Which deployments make a timer fire, so that a plan can warn of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cpi_tasks.model.config import Settings
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactId, Mode, ParameterPolicy
from cpi_tasks.model.plan import DeployAction
from tests.planning.builders import OTHER, content, deploy_of, design, inventory, one_flow, runtime, spec
from tests.planning.remembered import visited

AT_ONCE = "fireNow=true"
EVERY_DAY = "0+0+3+?+*+*+*&trigger.timeZone=UTC"
NEW = inventory()
RUNNING = one_flow(design(), runtime())


@pytest.mark.parametrize(
    ("timers", "tenant", "fires"),
    [
        ((AT_ONCE,), NEW, True),
        ((EVERY_DAY, AT_ONCE), NEW, True),
        ((EVERY_DAY,), NEW, False),
        ((), NEW, False),
        ((AT_ONCE,), one_flow(design()), True),
        # Nothing is deployed, or the deployment is under way already.
        ((AT_ONCE,), RUNNING, False),
        ((AT_ONCE,), one_flow(design(), runtime(status="STARTING")), False),
    ],
)
def test_a_deployment_that_fires_a_timer_is_marked(timers: tuple[str, ...], tenant: Inventory, fires: bool) -> None:
    """Only where this run deploys the flow and one of its timers is for the moment of deployment."""
    assert deploy_of(content(spec(), timers=timers), tenant).fires_timer is fires


@pytest.mark.parametrize(
    ("files", "enforced", "tenant", "fires"),
    [
        (AT_ONCE, False, None, True),
        (EVERY_DAY, False, None, False),
        # What a person configured stays, unless the files enforce something else.
        (AT_ONCE, False, EVERY_DAY, False),
        (EVERY_DAY, False, AT_ONCE, True),
        (AT_ONCE, True, EVERY_DAY, True),
        (EVERY_DAY, True, AT_ONCE, False),
    ],
)
def test_a_schedule_that_is_a_parameter_counts_with_the_value_it_will_have(
    files: str, enforced: bool, tenant: str | None, fires: bool
) -> None:
    """The enforced value, else the tenant's, else the file's: just as the flow will be configured when it starts."""
    values = {"schedule": files}
    of = content(spec(overrides=values if enforced else {}), OTHER, parameters=values, timers=("{{schedule}}",))
    there = NEW if tenant is None else visited(parameters={"schedule": tenant})

    step = deploy_of(of, there)

    assert step.action is DeployAction.DEPLOY
    assert step.fires_timer is fires


def test_under_all_the_files_schedule_is_not_enforced() -> None:
    """A schedule stays as somebody configured it, unless an override names it; the mark follows that."""
    of = content(
        spec(),
        OTHER,
        parameters={"schedule": AT_ONCE},
        types={"schedule": "custom:schedule"},
        timers=("{{schedule}}",),
    )

    step = deploy_of(of, visited(parameters={"schedule": EVERY_DAY}), Settings(parameter_policy=ParameterPolicy.ALL))

    assert step.fires_timer is False


def test_forced_and_deploy_only_runs_are_marked_too() -> None:
    """The mark belongs to the deployment, whatever leads to it."""
    of = content(spec(), timers=(AT_ONCE,))
    stopped = replace(RUNNING, runtime={ArtifactId("Flow"): runtime(status="ERROR")})

    assert deploy_of(of, RUNNING, Settings(force=True)).fires_timer
    assert deploy_of(of, stopped, Settings(mode=Mode.DEPLOY_ONLY)).fires_timer
