"""The plain functions, called by another program that uses the installed package."""

from __future__ import annotations

from dataclasses import fields

import pytest

from cpi_tasks.functions import Flags, LookFlags, PlanFlags
from cpi_tasks.model.config import Selection
from cpi_tasks.simulator import Simulator, SimulatorSettings, running
from tests.support.consumer import Consumer, Tenant


def test_they_return_the_report_and_print_nothing(repository: Consumer, tenant: Tenant) -> None:
    """The caller says what is shown of it."""
    ended = repository.python(
        "import cpi_tasks\n"
        "report: cpi_tasks.Report = cpi_tasks.orchestrate('qa')\n"
        "for one in report.artifacts():\n"
        "    print(report.exit_code, str(one.ref), [step.status.value for step in one.steps])\n"
    )
    assert (ended.out, ended.err) == ("0 QASales/QA_Orders ['done', 'done']\n", "")
    assert tenant.running == ["QA_Orders"]


def test_a_failed_deployment_is_in_the_report(repository: Consumer) -> None:
    """It is not raised: what else was done is there to be read too."""
    simulator = Simulator(SimulatorSettings(deploy_s=0.1, failing=frozenset({"QA_Orders"})))
    with running(simulator) as url:
        ended = repository.python(
            "import cpi_tasks\n"
            "report = cpi_tasks.orchestrate(env='qa', artifact_filter='Orders')\n"
            "print(report.exit_code, [str(a.ref) for a in report.artifacts() if a.has_failed])\n",
            CPI_HOST=url,
        )
    assert (ended.out, ended.err) == ("1 ['QASales/QA_Orders']\n", "")


def test_every_flag_that_selects_anything_is_one_of_theirs() -> None:
    """What a command line can say, a caller can say too; ``env`` and the mode are parameters of the functions."""
    own = {"env", "env_fallbacks", "env_origin", "mode", "mode_flags"}
    assert set(Flags.__annotations__) == {field.name for field in fields(Selection)} - own
    assert set(PlanFlags.__annotations__) - set(LookFlags.__annotations__) == {
        "force",
        "strict",
        "allow_downgrade",
        "on_drift",
    }


def test_wrong_input_is_raised(repository: Consumer, tenant: Tenant) -> None:
    """With every problem as a value; nothing was sent and nothing is printed."""
    ended = repository.python(
        "import cpi_tasks\n"
        "try:\n"
        "    cpi_tasks.deploy('nowhere')\n"
        "except cpi_tasks.InputError as error:\n"
        "    assert isinstance(error, cpi_tasks.CpiTasksError)\n"
        "    print(error.exit_code, len(error.problems), 'nowhere' in str(error))\n"
    )
    assert (ended.out, ended.err) == ("4 1 True\n", "")
    assert tenant.simulator.requests == []


def test_a_tenant_that_cannot_be_used_is_raised(repository: Consumer) -> None:
    """A refused login is a ``TenantError`` with the exit code of the tasks."""
    ended = repository.python(
        "import cpi_tasks\n"
        "try:\n"
        "    cpi_tasks.orchestrate('qa')\n"
        "except cpi_tasks.TenantError as error:\n"
        "    print(error.exit_code)\n",
        CPI_PASSWORD="wrong",
    )
    assert (ended.out, ended.err) == ("3\n", "")


def test_root_and_events_are_the_callers_choice(repository: Consumer, tenant: Tenant) -> None:
    """``root`` names the repository, ``emit`` is called with every event of the run."""
    ended = repository.python(
        "import os, pathlib, cpi_tasks\n"
        "root = pathlib.Path.cwd()\n"
        "os.chdir('packages')\n"
        "names = []\n"
        "cpi_tasks.update('qa', root=root, emit=lambda event: names.append(type(event).__name__))\n"
        "print(names[0], names[-1], pathlib.Path('.cpi').exists())\n"
    )
    assert (ended.out, ended.err) == ("RunStarted RunFinished False\n", "")
    assert (list(tenant.simulator.artifacts), tenant.running) == (["QA_Orders"], [])


def test_plan_and_drift_look_without_writing(repository: Consumer, tenant: Tenant) -> None:
    """They return what they saw as values, print nothing, and the tenant stays as it is."""
    ended = repository.python(
        "import cpi_tasks\n"
        "seen: cpi_tasks.Preview = cpi_tasks.plan('qa', diff=True)\n"
        "(one,) = (artifact for plan in seen.plans for artifact in plan.artifacts())\n"
        "print(seen.has_changes, one.ref, one.update.action.value, seen.refusals)\n"
        "found: cpi_tasks.DriftReport = cpi_tasks.drift('qa')\n"
        "print(found.has_differences, [(entry.aspect.value, entry.origin.value) for entry in found.entries])\n"
    )
    assert (ended.out.splitlines(), ended.err) == (
        [
            "True QASales/QA_Orders create ()",
            "True [('missing', 'differs, origin unknown'), ('missing', 'differs, origin unknown')]",
        ],
        "",
    )
    assert list(tenant.simulator.packages) == []


def test_a_saved_plan_is_carried_out(repository: Consumer, tenant: Tenant) -> None:
    """The text of a plan is what ``plan=`` reads from a file; once carried out it is refused."""
    ended = repository.python(
        "import pathlib, cpi_tasks\n"
        "pathlib.Path('plan.json').write_text(cpi_tasks.plan('qa', mode='update-only').saved)\n"
        "print(cpi_tasks.orchestrate(plan='plan.json').exit_code)\n"
        "try:\n"
        "    cpi_tasks.orchestrate(plan='plan.json')\n"
        "except cpi_tasks.Refused as error:\n"
        "    print(error.exit_code, 'out of date' in str(error))\n"
    )
    assert (ended.out, ended.err) == ("0\n5 True\n", "")
    assert (list(tenant.simulator.artifacts), tenant.running) == (["QA_Orders"], [])


@pytest.mark.parametrize("function", ["orchestrate", "update", "deploy"])
def test_a_protected_environment_needs_a_yes(repository: Consumer, tenant: Tenant, function: str) -> None:
    """Without it a run is refused before anything is sent; with it the run is as any other."""
    environment = repository.root / "environments/qa.yml"
    repository.write("environments/qa.yml", environment.read_text(encoding="utf-8") + "protected: true\n")
    ended = repository.python(
        "import cpi_tasks\n"
        "try:\n"
        f"    cpi_tasks.{function}('qa')\n"
        "except cpi_tasks.Refused as error:\n"
        "    print(error.exit_code)\n"
    )
    assert (ended.out, ended.err, tenant.simulator.requests) == ("5\n", "", [])
    ended = repository.python(f"import cpi_tasks\nprint(cpi_tasks.{function}('qa', yes=True).environment)\n")
    assert (ended.out, ended.err) == ("qa\n", "")


TASKS = """from invoke import task
import cpi_tasks


@task
def planned(c):
    cpi_tasks.plan("qa").raise_for_refusals()


@task
def compared(c):
    cpi_tasks.drift("qa").raise_for_differences()
"""


def test_what_was_seen_ends_a_task_too(repository: Consumer, tenant: Tenant) -> None:
    """A plan that may be carried out raises nothing; drift ends the task with 2 and names the differences."""
    repository.write("tasks.py", TASKS)
    assert repository.invoke("planned").code == 0
    ended = repository.invoke("compared")
    assert (ended.code, ended.out, "Traceback" in ended.err) == (2, "", False)
    assert ended.err.startswith(
        "2 differences:\npackage QASales: the package is not on the tenant\nQASales/QA_Orders: not on"
    )


def test_a_refused_plan_ends_a_task_with_5(repository: Consumer, tenant: Tenant) -> None:
    """The sentence is the one that a run gives."""
    repository.write("tasks.py", TASKS)
    environment = repository.root / "environments/qa.yml"
    repository.write("environments/qa.yml", environment.read_text(encoding="utf-8") + "versioning: exact\n")
    assert repository.python("import cpi_tasks\ncpi_tasks.orchestrate('qa').raise_for_failures()\n").code == 0
    tenant.simulator.artifacts["QA_Orders"].version = "9.0.0"
    ended = repository.invoke("planned")
    assert (ended.code, "--allow-downgrade" in ended.err, "Traceback" in ended.err) == (5, True, False)
