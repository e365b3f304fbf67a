"""What README and CHANGELOG say is true: flags, keys, variables, exit codes, paths, and the examples they show."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from cpi_tasks import environment
from cpi_tasks.environment import schema
from cpi_tasks.errors import CpiTasksError
from cpi_tasks.model.config import RunConfig, Selection, Settings
from cpi_tasks.model.naming import (
    ArtifactKind,
    DraftPolicy,
    DriftPolicy,
    Mode,
    ParameterPolicy,
    ValueMappingPolicy,
    VerifyPolicy,
    VersionPolicy,
)
from cpi_tasks.simulator import Simulator, SimulatorSettings, running
from tests.support.consumer import CHECKOUT, Consumer, Tenant

README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
TASKS = ("orchestrate", "update", "deploy", "plan", "drift", "validate", "runs", "simulator")
PHASES = {"--mode", "--update", "--update-only", "--deploy-only"}
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*|(?<![\w-])-e\b")
VARIABLES = {"CPI_HOST": "t1.example.com", "CPI_USERNAME": "deployer", "CPI_PASSWORD": "made-up"}


def section(title: str) -> str:
    """Give the text under a heading of README, up to the next heading of any level."""
    match = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", README, re.MULTILINE | re.DOTALL)
    assert match is not None, title
    return match[1]


def blocks(title: str, language: str) -> list[str]:
    """Give the code blocks of a language under a heading. Comments in them must not look like headings."""
    start = README.index(f" {title}\n")
    found = re.findall(rf"^```{language}\n(.*?)^```", README[start:], re.MULTILINE | re.DOTALL)
    return [str(text) for text in found]


def prose() -> str:
    """Give README without its code blocks."""
    return re.sub(r"^```.*?^```", "", README, flags=re.MULTILINE | re.DOTALL)


def rows(title: str) -> list[list[str]]:
    """Give the cells of the tables under a heading, without heads."""
    lines = [line.strip("|").split("|") for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in cells] for cells in lines if not set("".join(cells)) <= set("- |")]


@pytest.fixture(scope="module")
def flags(tmp_path_factory: pytest.TempPathFactory, library: Path) -> dict[str, set[str]]:
    """Give the flags of every task, as ``invoke --help`` shows them."""
    repository = Consumer(root=tmp_path_factory.mktemp("help"), library=library)
    repository.write("tasks.py", "from cpi_tasks import ns\n")
    shown = {task: repository.invoke("--help", task).out.partition("Options:")[2] for task in TASKS}
    starts = {
        task: [line.strip() for line in text.splitlines() if line.startswith("  -")] for task, text in shown.items()
    }
    return {
        task: {flag for line in lines for flag in FLAG.findall(line.split("  ")[0])} for task, lines in starts.items()
    }


def test_the_flags(flags: dict[str, set[str]]) -> None:
    """README's table names every flag of the tasks, and no other."""
    listed = {flag for cells in rows("Tasks and flags") for flag in FLAG.findall(cells[0])}
    looking = {"--format", "--out", "--detailed-exitcode"}
    assert listed == set().union(*(flags[task] for task in TASKS if task != "simulator"))
    assert (
        flags["orchestrate"] == flags["update"] | flags["deploy"] | PHASES | {"--plan"} == listed - looking - {"--run"}
    )
    assert flags["plan"] >= PHASES
    assert not PHASES & (flags["update"] | flags["deploy"] | flags["drift"] | flags["validate"])


def test_the_flags_of_the_simulator(flags: dict[str, set[str]]) -> None:
    """Its own table names each of its flags, and no other."""
    listed = {flag for cells in rows("The embedded tenant as a server") for flag in FLAG.findall(cells[0])}
    assert listed == flags["simulator"]


def test_the_tasks() -> None:
    """README's table names every task."""
    named = [cells[0].strip("`") for cells in rows("Tasks and flags") if cells[0].startswith("`invoke")]
    assert named == [f"invoke {task}" for task in TASKS]


def test_flags_in_commands_exist(flags: dict[str, set[str]]) -> None:
    """Every command line that README shows has only flags of its task."""
    commands = re.findall(rf"invoke (?:cpi\.)?({'|'.join(TASKS)})((?: [^\s`#]+)*)", README)
    assert len(commands) > 20
    for task, arguments in commands:
        # Where a command line goes on with another task, its flags are that one's; all of them are flags of some task.
        assert set(FLAG.findall(arguments)) <= flags[task], (task, arguments)


def aliases(keys: type[BaseModel]) -> set[str]:
    """Give the keys that a schema accepts."""
    return set(schema.key_names(keys))


def test_the_keys_of_the_environment_file() -> None:
    """The annotated example names every key that is accepted, and no other; commented ones count."""
    (text,) = blocks("The environment file", "yaml")[:1]
    top = set(re.findall(r"^(?:# )?([a-z]\w*):", text, re.MULTILINE))
    tenant = re.findall(r"^  (?:# )?([a-z]\w*(?:, [a-z]\w*)*)(?:: | #)", text, re.MULTILINE)
    simulator = re.search(r"simulator: \{(.*?)\}  ", text)
    rates = re.search(r"requestsPerSecond: \{(.*?)\}  ", text)
    assert simulator is not None
    assert rates is not None
    assert top == aliases(schema.EnvironmentKeys)
    assert {key for line in tenant for key in line.split(", ")} == aliases(schema.TenantKeys)
    assert set(re.findall(r"(\w+): ", simulator[1])) == aliases(schema.SimulatorKeys)
    assert set(re.findall(r"(\w+): ", rates[1])) == aliases(schema.Rates)


def test_the_keys_of_the_deploy_configuration() -> None:
    """So does the example of the deploy configuration."""
    (text,) = blocks("The deploy configuration", "yaml")[:1]
    words = set(re.findall(r"[a-z]\w*", text, re.IGNORECASE))
    for keys in (schema.ConfigFileKeys, schema.PackageKeys, schema.ArtifactKeys):
        assert aliases(keys) <= words


def shown_run(tmp_path: Path) -> RunConfig:
    """Load README's two examples as they are, as the files of one repository."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments/prod.yml").write_text(blocks("The environment file", "yaml")[0], encoding="utf-8")
    (tmp_path / "configs/production.yml").write_text(blocks("The deploy configuration", "yaml")[0], encoding="utf-8")
    loaded = environment.load(
        Selection(env="prod"),
        root=tmp_path,
        cwd=tmp_path,
        variables=environment.Variables(VARIABLES),
        fetch=lambda _url, _token: b"",
    )
    assert loaded.problems == ()
    assert loaded.run is not None
    return loaded.run


def test_the_examples_are_valid(tmp_path: Path) -> None:
    """Both example files work as they stand; values are taken as written and the environment's prefix wins."""
    (config,) = shown_run(tmp_path).configs
    (package,) = config.packages
    (artifact,) = package.artifacts
    assert (package.id, package.name) == ("PRODCustomerIntegration", "PROD - Customer Integration")
    assert (artifact.id, artifact.kind) == ("PROD_CustomerSync", ArtifactKind.INTEGRATION_FLOW)
    assert artifact.overrides == {
        "Company Code": "0010",
        "Audit Text": "received on ${date:now:yyyy-MM-dd}",
    }


def test_the_example_shows_the_defaults(tmp_path: Path) -> None:
    """What the annotated environment file writes down is what holds without it."""
    assert shown_run(tmp_path).settings == Settings()


@pytest.mark.parametrize(
    ("key", "choices"),
    [
        ("mode", Mode),
        ("parameterPolicy", ParameterPolicy),
        ("valueMappings", ValueMappingPolicy),
        ("onDraft", DraftPolicy),
        ("versioning", VersionPolicy),
        ("onDrift", DriftPolicy),
        ("verify", VerifyPolicy),
        ("type", ArtifactKind),
    ],
)
def test_the_choices(key: str, choices: type[Enum]) -> None:
    """Beside each key that takes one of some words stand all of them."""
    line = next(line for line in README.splitlines() if line.strip().startswith(f"{key}: "))
    assert {choice.value for choice in choices} <= set(re.findall(r"[A-Za-z]+(?:-[a-z]+)*", line)), line


def test_the_variables() -> None:
    """Every variable of the process environment that is read is named."""
    sources = "".join(path.read_text(encoding="utf-8") for path in (CHECKOUT / "cpi_tasks").rglob("*.py"))
    read = set(re.findall(r"\bCPI_[A-Z_]*[A-Z]", sources))
    assert read == set(re.findall(r"\bCPI_[A-Z_]*[A-Z]", README))


def error_classes(base: type[CpiTasksError] = CpiTasksError) -> Iterator[type[CpiTasksError]]:
    """Give all classes of the error tree."""
    yield base
    for child in base.__subclasses__():
        yield from error_classes(child)


def test_the_exit_codes() -> None:
    """The table has the codes that runs, looks and errors end with, and no other."""
    listed = {int(cells[0]) for cells in rows("Exit codes") if cells[0].isdigit()}
    assert listed == {0, 2, *(error.exit_code for error in error_classes())} == {0, 1, 2, 3, 4, 5, 130}


def test_the_paths_exist() -> None:
    """Every file and folder of this repository that the text names is there."""
    spans = re.findall(r"`([\w.][\w./-]*)`", prose())
    paths = {span for span in spans if re.search(r"/|\.(py|yml|md|toml)$", span)}
    ours = {path for path in paths if not path.startswith(".cpi/")}
    places = (CHECKOUT, CHECKOUT / "cpi_tasks", CHECKOUT / "environments", CHECKOUT / "environments/demo")
    assert {"tasks.py", "app/", "engine/", "environments/dev.yml", "prod.yml", "ci.yml"} <= ours
    assert sorted(path for path in ours if not any((place / path).exists() for place in places)) == []
    assert (CHECKOUT / ".ci/run").is_file()


def test_the_links_lead_somewhere() -> None:
    """Links inside README point to its headings."""
    headings = {
        re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-")
        for title in re.findall(r"^#+ (.*)", README, re.MULTILINE)
    }
    targets = re.findall(r"\]\(#([^)]*)\)", README)
    assert targets
    assert set(targets) <= headings


def pipelines() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Give what the two pipelines of README run, each with the name of its job."""
    github, gitlab = (yaml.safe_load(text) for text in blocks("Pipelines", "yaml")[:2])
    steps = [(name, step) for name, job in github["jobs"].items() for step in job["steps"]]
    scripts = [(name, line) for name, job in gitlab.items() if "script" in job for line in job["script"]]
    return [(name, step["run"]) for name, step in steps if step.get("run", "").startswith("invoke")], scripts


def test_the_pipelines_do_the_same() -> None:
    """Validate, plan, carry that plan out, look for drift; only what changes a tenant waits for people."""
    github, gitlab = pipelines()
    assert github == [
        ("validate", "invoke validate --env prod --format github"),
        ("plan", "invoke plan --env prod --diff --out plan.json"),
        ("deploy", "invoke orchestrate --plan plan.json --yes"),
        ("drift", "invoke drift --env prod --detailed-exitcode"),
    ]
    assert gitlab == [
        ("validate", "invoke validate --env prod --format gitlab --out validate.json"),
        ("plan-prod", "invoke plan --env prod --diff --out plan.json"),
        ("deploy-prod", "invoke orchestrate --plan plan.json --yes"),
        ("drift-prod", "invoke drift --env prod --detailed-exitcode"),
    ]


def test_the_pipelines_keep_what_runs_remember_also_after_a_failed_one() -> None:
    """Every job that changes a tenant restores and saves it; by default neither service saves it in a failed job."""
    github, gitlab = (yaml.safe_load(text) for text in blocks("Pipelines", "yaml")[:2])
    kept = [".cpi/cache", ".cpi/records", ".cpi/key"]
    assert github["env"]["KEPT"].split() == kept
    for name, job in github["jobs"].items():
        uses = [step.get("uses", "").partition("@")[0] for step in job["steps"]]
        runs = next((n for n, step in enumerate(job["steps"]) if "invoke orchestrate" in step.get("run", "")), None)
        assert "actions/cache" not in uses, name
        assert ("actions/cache/save" in uses) is (runs is not None), name
        if runs is not None:
            assert uses.index("actions/cache/restore") < runs < uses.index("actions/cache/save")
            assert job["steps"][uses.index("actions/cache/save")]["if"] == "always()"
    cache = gitlab["deploy-prod"]["cache"]
    assert (cache["when"], cache["policy"], cache["paths"]) == ("always", "pull-push", kept)
    assert (gitlab["default"]["cache"]["policy"], gitlab["default"]["cache"]["paths"]) == ("pull", kept)


def test_the_pipelines_keep_secrets_where_they_are_needed() -> None:
    """The job of a pull request has none, and no cache takes the backups along."""
    github, gitlab = (yaml.safe_load(text) for text in blocks("Pipelines", "yaml")[:2])
    assert [name for name, job in github["jobs"].items() if "env" in job] == ["plan", "deploy", "drift"]
    assert github["env"]["KEPT"].split() == gitlab["default"]["cache"]["paths"]
    assert gitlab["default"]["cache"]["paths"] == [".cpi/cache", ".cpi/records", ".cpi/key"]


@pytest.mark.parametrize("number", [0, 1], ids=["github", "gitlab"])
def test_the_pipelines_work(repository: Consumer, tenant: Tenant, tmp_path: Path, number: int) -> None:
    """Their commands, one after the other in a fresh checkout each, with nothing handed on but plan and cache."""
    repository.write("environments/prod.yml", (repository.root / "environments/qa.yml").read_text(encoding="utf-8"))
    for _, command in pipelines()[number]:
        ended = repository.invoke(*command.split()[1:])
        assert (ended.code, ended.err) == (0, ""), ended.out
        for path in (repository.root / ".cpi").glob("*"):
            if path.name not in {"cache", "records", "key"}:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert tenant.running == ["QA_Orders"]


def test_the_chaining_example_works(repository: Consumer, tenant: Tenant) -> None:
    """README's tasks file, as it is, runs a release: update, then deploy from a task, with the report in hand."""
    repository.write("tasks.py", blocks("Chaining with your own tasks", "python")[0])
    ended = repository.invoke("release")
    assert (ended.code, ended.err) == (0, "")
    assert tenant.running == ["QA_Orders"]
    assert "cpi.orchestrate" in repository.invoke("--list").out


def test_the_chaining_example_ends_with_the_exit_code_of_its_run(repository: Consumer) -> None:
    """A deployment that fails ends the task with 1 and names what failed, without a traceback."""
    repository.write("tasks.py", blocks("Chaining with your own tasks", "python")[0])
    simulator = Simulator(SimulatorSettings(deploy_s=0.1, failing=frozenset({"QA_Orders"})))
    with running(simulator) as url:
        ended = repository.invoke("release", CPI_HOST=url)
    assert (ended.code, "Traceback" in ended.err) == (1, False)
    assert ended.err.startswith("1 failure:\nQASales/QA_Orders: deployment failed")


def test_input_that_a_plain_function_refuses_ends_a_task_with_4(repository: Consumer, tenant: Tenant) -> None:
    """What is raised needs no ``except`` in the task: Invoke prints the sentence and takes the exit code."""
    repository.write(
        "tasks.py",
        "from invoke import task\nimport cpi_tasks\n\n\n@task\ndef release(c):\n    cpi_tasks.deploy('nowhere')\n",
    )
    ended = repository.invoke("release")
    assert (ended.code, "Traceback" in ended.err, "nowhere" in ended.err) == (4, False, True)
    assert tenant.simulator.requests == []


def test_the_changelog_has_a_place_for_what_is_new() -> None:
    """Under ``Unreleased``, with something in it as long as nothing was released."""
    text = (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")
    unreleased = re.search(r"^## \[Unreleased\]\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert unreleased is not None
    assert re.search(r"^### (Added|Changed|Fixed)\n- ", unreleased[1], re.MULTILINE)
