"""What another repository's ``tasks.py`` can do with the tasks, run by the real ``invoke`` program."""

from __future__ import annotations

import json

import pytest

from tests.support.consumer import Consumer, Tenant

CHAIN = """from invoke import Collection, call, task
import cpi_tasks


@task(pre=[call(cpi_tasks.ns["update"], env="{env}")], post=[call(cpi_tasks.ns["deploy"], env="{env}")])
def release(c):
    print("own work")


ns = Collection(release)
"""
OWN_TASK = """from invoke import task
from cpi_tasks import ns


@task
def lint(c):
    print("linted")


ns.add_task(lint)
"""
OWN_CALL = """from invoke import task
import cpi_tasks


@task
def release(c):
    cpi_tasks.ns["update"](c, env="dev")
"""
SUB_COLLECTION_AND_UPDATE = """from invoke import Collection, task
import cpi_tasks


@task
def update(c):
    print("own work")


ns = Collection(update)
ns.add_collection(cpi_tasks.ns, name="cpi")
"""
SUB_COLLECTION = """from invoke import Collection
import cpi_tasks

ns = Collection()
ns.add_collection(cpi_tasks.ns, name="cpi")
"""


def state_folders(consumer: Consumer) -> list[str]:
    """Give the folders that hold state, relative to the repository."""
    return [str(path.relative_to(consumer.root)) for path in consumer.root.rglob(".cpi")]


def test_at_top_level(repository: Consumer, tenant: Tenant) -> None:
    """A run, here by the short flag, brings the repository's content to the tenant."""
    ended = repository.invoke("orchestrate", "-e", "dev")
    assert (ended.code, ended.err) == (0, "")
    assert (list(tenant.simulator.packages), tenant.running) == (["DEVSales"], ["DEV_Orders"])


def test_beside_tasks_of_ones_own(repository: Consumer) -> None:
    """The namespace takes further tasks."""
    repository.write("tasks.py", OWN_TASK)
    assert repository.invoke("lint").out == "linted\n"


def test_as_a_sub_collection(repository: Consumer, tenant: Tenant) -> None:
    """Under a name that the other repository chooses."""
    repository.write("tasks.py", SUB_COLLECTION)
    assert repository.invoke("cpi.orchestrate", "--env", "dev").code == 0
    assert tenant.running == ["DEV_Orders"]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["cpi.plan", "--env", "dev", "--out", "plan.json"], "carried out by: invoke cpi.orchestrate --plan plan.json"),
        (["cpi.runs", "--run", "plan"], "invoke cpi.runs lists those there are"),
        (["cpi.update", "--env", "dev", "--diff"], "or with invoke cpi.plan"),
        (["update", "cpi.plan", "--env", "dev"], "run invoke cpi.orchestrate to carry this out"),
    ],
)
def test_hints_name_the_tasks_of_a_sub_collection(repository: Consumer, arguments: list[str], hint: str) -> None:
    """Also where the repository has a task ``update`` of its own on the same command line."""
    repository.write("tasks.py", SUB_COLLECTION_AND_UPDATE)
    ended = repository.invoke(*arguments)
    assert hint in ended.out + ended.err


def test_before_and_after_a_task_of_ones_own(repository: Consumer, tenant: Tenant) -> None:
    """``pre`` and ``post`` with ``call`` and an environment: the one updates, the other deploys."""
    repository.write("tasks.py", CHAIN.format(env="qa"))
    ended = repository.invoke("release")
    told = [line for line in ended.out.splitlines() if line.startswith(("→ creating", "→ deploying", "own"))]
    assert (ended.code, ended.err) == (0, "")
    assert told == [
        "→ creating QA_Orders (integration flow)",
        "own work",
        "→ deploying QA_Orders (integration flow)",
    ]
    assert tenant.running == ["QA_Orders"]


def test_a_task_that_failed_keeps_the_next_from_running(repository: Consumer, tenant: Tenant) -> None:
    """The exit code of the failed one is that of the command line, and nothing after it happens."""
    repository.write("tasks.py", CHAIN.format(env="nowhere"))
    ended = repository.invoke("release")
    assert (ended.code, "own work" in ended.out) == (4, False)
    assert tenant.simulator.requests == []


def test_called_by_a_task_of_ones_own(repository: Consumer, tenant: Tenant) -> None:
    """A task is called with the other's context, as any other task."""
    repository.write("tasks.py", OWN_CALL)
    assert repository.invoke("release").code == 0
    assert list(tenant.simulator.artifacts) == ["DEV_Orders"]


@pytest.mark.parametrize(
    ("tasks", "name"),
    [
        ("from cpi_tasks import ns\n", "update"),
        (SUB_COLLECTION, "cpi.update"),
    ],
    ids=["top level", "sub-collection"],
)
def test_the_collections_setting_names_the_environment(
    repository: Consumer, tenant: Tenant, tasks: str, name: str
) -> None:
    """A repository with one environment writes it into its tasks file."""
    repository.write("tasks.py", tasks + 'ns.configure({"cpi": {"env": "qa"}})\n')
    assert repository.invoke(name).code == 0
    assert list(tenant.simulator.artifacts) == ["QA_Orders"]


def test_invokes_configuration_file_names_the_environment(repository: Consumer, tenant: Tenant) -> None:
    """``invoke.yaml`` beats what the tasks file says."""
    repository.write("tasks.py", 'from cpi_tasks import ns\n\nns.configure({"cpi": {"env": "dev"}})\n')
    repository.write("invoke.yaml", "cpi: {env: qa}\n")
    assert repository.invoke("update").code == 0
    assert list(tenant.simulator.artifacts) == ["QA_Orders"]


@pytest.mark.parametrize(
    ("text", "variables", "expected"),
    [
        ("cpi: {evn: qa}\n", {}, "unknown Invoke setting cpi.evn; did you mean 'env'?"),
        (
            "cpi: {env: qa}\n",
            {"INVOKE_CPI_EVN": "qa"},
            "unknown Invoke setting in the environment variable INVOKE_CPI_EVN; did you mean 'INVOKE_CPI_ENV'?",
        ),
        ("cpi: {env: 5}\n", {}, "the Invoke setting cpi.env must be text: put it in quotes"),
        ("cpi: {env: $(ENV)}\n", {}, "the Invoke setting cpi.env: still holds the text of a reference"),
    ],
)
def test_invoke_settings_that_cannot_be_meant(
    repository: Consumer, tenant: Tenant, text: str, variables: dict[str, str], expected: str
) -> None:
    """They are named, and nothing is done: they would have no effect in silence."""
    repository.write("invoke.yaml", text)
    ended = repository.invoke("update", **variables)
    assert ended.code == 4
    assert expected in ended.out + ended.err
    assert tenant.simulator.requests == []


def test_an_invoke_setting_with_a_line_end(repository: Consumer, tenant: Tenant) -> None:
    """It is cleaned as ``CPI_ENV`` is, with a warning."""
    ended = repository.invoke("update", INVOKE_CPI_ENV="qa\r\n")
    assert ended.code == 0
    assert "the Invoke setting cpi.env has a line break around the value" in ended.out
    assert list(tenant.simulator.artifacts) == ["QA_Orders"]


@pytest.mark.parametrize(
    ("flags", "used"),
    [((), "DEV_Orders"), (("--env", "qa"), "QA_Orders")],
    ids=["variable over setting", "flag over variable"],
)
def test_a_variable_names_the_environment(
    repository: Consumer, tenant: Tenant, flags: tuple[str, ...], used: str
) -> None:
    """``CPI_ENV`` beats Invoke's setting, and the flag beats ``CPI_ENV``."""
    repository.write("invoke.yaml", "cpi: {env: qa}\n")
    assert repository.invoke("update", *flags, CPI_ENV="dev").code == 0
    assert list(tenant.simulator.artifacts) == [used]


def test_a_chain_on_the_command_line(repository: Consumer, tenant: Tenant) -> None:
    """What an earlier task was told holds for the next one; the environment, not the filters."""
    ended = repository.invoke("update", "--env", "qa", "--artifact-filter", "Orders", "deploy")
    assert (ended.code, ended.err) == (0, "")
    assert tenant.running == ["QA_Orders"]


def test_without_an_environment_nothing_happens(repository: Consumer, tenant: Tenant) -> None:
    """Not even where there is only one: the message names those that exist."""
    ended = repository.invoke("orchestrate")
    assert (ended.code, "dev" in ended.out, "qa" in ended.out) == (4, True, True)
    assert tenant.simulator.requests == []


def test_the_root_is_the_folder_of_the_tasks_file(repository: Consumer, tenant: Tenant) -> None:
    """Wherever ``invoke`` was started, paths in files and the state folder belong to that one."""
    ended = repository.invoke("orchestrate", "--env", "dev", cwd="packages/Sales")
    assert ended.code == 0
    assert (tenant.running, state_folders(repository)) == (["DEV_Orders"], [".cpi"])


def test_a_package_of_tasks_is_a_tasks_file_too(repository: Consumer, tenant: Tenant) -> None:
    """``tasks/__init__.py`` stands in the root as ``tasks.py`` does."""
    (repository.root / "tasks.py").replace(repository.write("tasks/__init__.py", ""))
    assert repository.invoke("update", "--env", "dev", cwd="packages").code == 0
    assert (list(tenant.simulator.artifacts), state_folders(repository)) == (["DEV_Orders"], [".cpi"])


def test_flags_alone_describe_a_run(repository: Consumer, tenant: Tenant) -> None:
    """No environment file is needed, and paths in flags are relative to the current folder."""
    flags = ("--packages-dir", ".", "--deploy-config", "../config.yml")
    assert repository.invoke("orchestrate", *flags, cwd="packages").code == 0
    assert (tenant.running, state_folders(repository)) == (["Orders"], [".cpi"])


@pytest.mark.parametrize("task", ["orchestrate", "update", "deploy"])
@pytest.mark.parametrize("flags", [("--dry", "{}"), ("{}", "--dry-run")], ids=["of invoke", "of the task"])
def test_a_dry_run_changes_nothing(repository: Consumer, tenant: Tenant, task: str, flags: tuple[str, str]) -> None:
    """Invoke's own flag and the task's show the plan of that task and send no write."""
    arguments = [flag.format(task) for flag in flags]
    ended = repository.invoke(*arguments, "--env", "dev")
    assert (ended.code, ended.err, list(tenant.simulator.packages)) == (0, "", [])
    assert "PLAN: 1 package, 1 artifact" in ended.out
    assert ("DEV_Orders (integration flow): create" in ended.out) == (task != "deploy")
    assert {request.method for request in tenant.simulator.requests} == {"GET"}


@pytest.mark.parametrize(("task", "key"), [("plan", "hasChanges"), ("drift", "hasDifferences")])
def test_what_is_for_machines_is_alone_on_standard_output(repository: Consumer, task: str, key: str) -> None:
    """``--format json`` can be piped as it is; nothing else is written where nothing went wrong."""
    ended = repository.invoke(task, "--env", "dev", "--format", "json", "--detailed-exitcode")
    found = json.loads(ended.out)
    assert (ended.code, ended.err) == (2, "")
    assert (found["formatVersion"], found["environment"], found[key]) == (1, "dev", True)
    assert ended.out.endswith("}\n")


@pytest.mark.parametrize("task", ["plan", "drift"])
def test_what_goes_wrong_leaves_standard_output_empty(repository: Consumer, task: str) -> None:
    """A program that reads JSON never reads a sentence instead."""
    ended = repository.invoke(task, "--env", "dev", "--format", "json", CPI_PASSWORD="wrong")
    assert (ended.code, ended.out) == (3, "")
    assert "refused the login" in ended.err


def test_where_a_plan_was_saved_is_no_part_of_its_json(repository: Consumer) -> None:
    """With ``--out`` too: the sentence for people goes to standard error."""
    ended = repository.invoke("plan", "--env", "dev", "--format", "json", "--out", "plans/dev.json")
    assert (ended.code, json.loads(ended.out)["hasChanges"]) == (0, True)
    assert ended.err == "Saved; exactly this is carried out by: invoke orchestrate --plan plans/dev.json\n"


def test_without_a_task_nothing_runs(repository: Consumer, tenant: Tenant) -> None:
    """A bare ``invoke`` deploys nothing, also where a variable names an environment: there is no default task."""
    ended = repository.invoke(CPI_ENV="dev")
    assert "Environment:" not in ended.out
    assert (list(tenant.simulator.packages), tenant.simulator.requests) == ([], [])
