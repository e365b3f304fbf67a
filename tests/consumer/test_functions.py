"""The plain functions, called by another program that uses the installed package."""

from __future__ import annotations

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
