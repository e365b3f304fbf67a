"""The real program: how it is called, what it says, and the code it ends with."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cpi_tasks.simulator import SimulatorSettings
from tests.support.program import CHECKOUT, Program, read_until
from tests.support.project import SCRIPT

SHARED = [
    "--artifact-filter",
    "--config-pattern",
    "--deploy-config",
    "--deployment-prefix",
    "--env",
    "--merge-configs",
    "--orchestrator-config",
    "--package-filter",
    "--packages-dir",
]
RUNNING = [
    *("--debug", "--diff", "--dry-run", "--lock-wait", "--max-failures", "--on-failure"),
    *("--run-dir", "--verify", "--yes"),
]
DEPLOYING = [
    "--deploy-delay",
    "--deploy-retries",
    "--deploy-timeout",
    "--force",
    "--max-parallel-deployments",
    "--parallel-deployments",
    "--strict",
]
UPDATING = ["--allow-downgrade", "--keep-temp", "--on-drift"]
PHASES = ["--mode", "--update", "--update-only", "--deploy-only"]
LOOKING = ["--debug", "--detailed-exitcode", "--format", "--verify"]
FLAGS = {
    "update": sorted([*SHARED, *RUNNING, *UPDATING]),
    "deploy": sorted([*SHARED, *RUNNING, *DEPLOYING]),
    "orchestrate": sorted([*SHARED, *RUNNING, *UPDATING, *DEPLOYING, *PHASES, "--plan"]),
    "plan": sorted(
        [*SHARED, *PHASES, *LOOKING, "--allow-downgrade", "--diff", "--force", "--on-drift", "--out", "--strict"]
    ),
    "drift": sorted([*SHARED, *LOOKING]),
    "validate": sorted([*SHARED, "--format", "--out"]),
    "runs": ["--format", "--run", "--run-dir"],
}
TERMINAL_ONLY = re.compile(r"[\x1b\r]")


@pytest.fixture
def small(program: Program) -> Program:
    """Give the program with a small project of all four types."""
    program.project.every_kind()
    program.project.keys["requestsPerSecond"] = {"designtime": 200, "runtime": 200}
    program.project.save()
    return program


@pytest.mark.parametrize("login", ["basic", "oauth"])
def test_a_run_that_does_everything_ends_with_0(small: Program, login: str) -> None:
    """The output names environment, tenant and login, shows both phases and the summary, and is plain in a pipe."""
    ended = small.run("orchestrate", "--env", "x")

    assert ended.code == 0, ended.said
    host = small.variables["CPI_HOST"]
    shown = {"basic": "Basic", "oauth": "OAuth client credentials"}[login]
    assert ended.said.splitlines()[0] == f"Environment: x (--env) | Tenant: {host} | Login: {shown}"
    assert "✓ Orders deployed 1.0.0" in ended.said
    assert "Artifacts Deployed OK:   5" in ended.said
    assert TERMINAL_ONLY.search(ended.said) is None
    assert "demo-client" not in ended.said
    assert small.run("orchestrate", "--env", "x").writes == ()


def test_a_failed_artifact_ends_with_1(small: Program) -> None:
    """What failed is at the end of the output, with the tenant's text, and the others are done."""
    (small.project.folder("Sales", "Orders") / SCRIPT).unlink()
    ended = small.run("orchestrate", "--env", "x")

    assert ended.code == 1
    last = ended.said[ended.said.index("WHAT FAILED") :]
    assert "✗ Orders (integration flow, package Sales)" in last
    assert "Script file 'Main.groovy' not found" in last
    assert small.simulator.is_running_design_time("Counting")


def test_a_wrong_password_ends_with_3(small: Program) -> None:
    """The sentence says what was refused and what to check, and does not show the password."""
    ended = small.run("orchestrate", "--env", "x", CPI_PASSWORD="never-to-be-shown")

    assert ended.code == 3
    assert "refused the login" in ended.said
    assert "never-to-be-shown" not in ended.said
    assert "Traceback" not in ended.said


def test_a_host_that_does_not_answer_ends_with_3(small: Program) -> None:
    """Nobody listening is told with the host and what to check."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        ended = small.run("orchestrate", "--env", "x", CPI_HOST=f"http://127.0.0.1:{taken.getsockname()[1]}")

    assert ended.code == 3
    assert "check CPI_HOST" in ended.said
    assert "Traceback" not in ended.said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env", "y"], "there is no environment 'y'"),
        ([], "no environment is named"),
        (["--env", "x", "--update-only", "--deploy-only"], "--update-only, --deploy-only"),
        (["--env", "x", "--mode", "both"], "--mode"),
        (["--env", "x", "--artifact-filter", "Nothing"], "Nothing"),
        (["--env", "x", "--deploy-config", "missing.yml"], "missing.yml"),
        (["--env", "x", "--parallel-deployments", "many"], "--parallel-deployments"),
        (["--env", "x", "--verify", "most"], "--verify: 'most' is not one of full, parameters, cached"),
        (["--env", "x", "--diff"], "use it with --dry-run"),
        (["--plan", "none.json"], "none.json: --plan: the saved plan cannot be read: No such file"),
        (["--plan", "config.yml"], "config.yml: --plan: the saved plan cannot be used: it is not a saved plan"),
    ],
)
def test_wrong_flags_end_with_4_and_send_nothing(small: Program, arguments: list[str], message: str) -> None:
    """Bad input is named, and no request is made."""
    ended = small.run("orchestrate", *arguments)

    assert ended.code == 4
    assert message in ended.said
    assert small.simulator.requests == []


def test_broken_yaml_ends_with_4_and_its_place(small: Program) -> None:
    """A file that is no YAML is named with line and column, as a user would type its name."""
    (small.project.root / "config.yml").write_text("packages:\n  - integrationSuiteId: [\n")
    ended = small.run("orchestrate", "--env", "x")

    assert ended.code == 4
    assert re.search(r"^config\.yml:\d+:\d+: ", ended.said, re.MULTILINE)
    assert small.simulator.requests == []


@pytest.mark.parametrize("settings", [SimulatorSettings(deploy_s=60)])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupted_run_ends_with_130(small: Program, settings: SimulatorSettings, name: str) -> None:
    """Ctrl-C in the deploy phase ends the run at once, with a summary of what is not finished and no traceback."""
    process = small.start("orchestrate", "--env", "x")
    said = read_until(process, "→ deploying Scripts")
    process.send_signal(signal.Signals[name])
    said += process.communicate(timeout=30)[0]
    small.outputs.append(said)

    assert process.returncode == 130, said
    assert "NOT FINISHED: THE RUN WAS INTERRUPTED" in said
    assert "DEPLOYMENT SUMMARY" in said
    assert "Interrupted after" in said
    assert "Traceback" not in said


def test_the_environment_comes_from_a_variable(small: Program) -> None:
    """Without ``--env``, ``CPI_ENV`` names the environment, and the first line says so."""
    ended = small.run("orchestrate", CPI_ENV="x")

    assert ended.code == 0
    assert ended.said.startswith("Environment: x (CPI_ENV) | ")


def test_chained_tasks_share_the_environment(small: Program) -> None:
    """``update --env x deploy`` updates and then deploys the same environment, and again there is nothing to do."""
    ended = small.run("update", "--env", "x", "deploy")

    assert ended.code == 0, ended.said
    assert "Environment: x (an earlier task of this command line)" in ended.said
    assert all(small.simulator.is_running_design_time(artifact) for artifact in small.simulator.artifacts)
    again = small.run("update", "-e", "x", "deploy")
    assert again.code == 0
    assert again.writes == ()


def test_debug_shows_requests_and_no_secret(small: Program) -> None:
    """``--debug`` adds a line for each request; what was written is searched for secrets after every test."""
    ended = small.run("orchestrate", "--env", "x", "--debug")

    assert ended.code == 0
    assert "GET /api/v1/IntegrationPackages('Sales')" in ended.said
    assert "POST /api/v1/DeployIntegrationDesigntimeArtifact?Id='Orders'&Version='active'" in ended.said


@pytest.mark.parametrize("login", ["oauth"])
def test_debug_shows_no_token_either(small: Program, login: str) -> None:
    """With OAuth the token request is shown without client, secret or token."""
    ended = small.run("orchestrate", "--env", "x", "--debug")

    assert ended.code == 0
    assert "demo-client" not in ended.said


def test_kept_content_is_named_and_unpacked(small: Program) -> None:
    """``--keep-temp`` names the folder where the upload lies, with overrides and prefix in it."""
    ended = small.run("orchestrate", "--env", "x", "--keep-temp", "--deployment-prefix", "DEV")

    found = re.search(r"was kept in (\S+)", ended.said)
    assert found is not None
    kept = Path(found.group(1))
    assert b"DEV_Orders; singleton:=true" in (kept / "DEVSales/DEV_Orders/META-INF/MANIFEST.MF").read_bytes()
    properties = kept / "DEVStock/DEV_Counting/src/main/resources/parameters.prop"
    assert "c.example" in properties.read_text()


@pytest.mark.parametrize("task", FLAGS)
def test_the_flags_are_these(program: Program, task: str) -> None:
    """Users rely on the names of flags: they change only on purpose, and only ``-e`` is short."""
    ended = program.run("--help", task)

    assert ended.code == 0
    options = ended.said[ended.said.index("Options:") :]
    flags = re.findall(r"^  (?:-(\w) \S+, )?(--[a-z-]+)", options, re.MULTILINE)
    assert sorted(flag for _, flag in flags) == FLAGS[task]
    assert [short for short, _ in flags if short] == (["e"] if "--env" in FLAGS[task] else [])


def test_listing_the_tasks_is_complete(program: Program) -> None:
    """``invoke --list`` shows every task, in a sentence each."""
    ended = program.run("--list")

    assert ended.code == 0
    assert re.findall(r"^  (\w+)  ", ended.said, re.MULTILINE) == [
        *("deploy", "drift", "orchestrate", "plan", "runs", "simulator", "update", "validate"),
    ]


@pytest.mark.parametrize(
    "work", ["import cpi_tasks", "from invoke.main import program; program.run('invoke --list', exit=False)"]
)
def test_importing_and_listing_import_nothing_heavy(work: str) -> None:
    """HTTP, terminal, schema and server libraries load with the first run, not with the import or ``invoke --list``."""
    heavy = "httpx trio rich pydantic starlette hypercorn stamina javaproperties filelock"
    code = f"import sys; {work}; print([name for name in {heavy.split()!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)

    assert done.stdout.endswith("[]\n")
