"""YAML files: whatever somebody's editor, merge or malice made of them, problems with a place, or the values meant."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cpi_tasks.environment import Loaded, Variables, load, yaml_source
from cpi_tasks.environment.schema import EnvironmentKeys, check
from cpi_tasks.environment.yaml_source import MAX_DEPTH, parse
from cpi_tasks.model.config import Selection

FUZZ = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
SECRET = "hunter2-secret"
VARIABLES = {"CPI_HOST": "t1.example.com", "CPI_USERNAME": "u", "CPI_PASSWORD": SECRET}
ENVIRONMENT = """\
packagesDir: packages
deployConfig: config.yml
tenant: &tenant
  host: t1.example.com
  username: "u"
  password: ${CPI_PASSWORD}
mode: update-and-deploy
requestsPerSecond: {designtime: 9, runtime: 45}
maxFailures: 10%
"""
CONFIG = """\
deploymentPrefix: QA
packages:
  - &first
    integrationSuiteId: Sales
    packageDir: Sales
    artifacts:
      - artifactId: Orders
        artifactDir: Orders
        type: IntegrationFlow
        configOverrides: {Company Code: 0010, Text: "${date:now}"}
        dependsOn: [Scripts]
      - {artifactId: Scripts, artifactDir: Scripts, type: ScriptCollection}
orchestrator:
  parallelDeployments: 5
"""
PIECES = st.sampled_from(
    [
        *("- ", ": ", "\n", "  ", "\t", "'", '"', "[", "]", "{", "}", "|", ">", "&a ", "*a", "*first", "<<: *tenant\n"),
        *(
            "# ",
            "---\n",
            "!!int ",
            "!x ",
            "? ",
            "${CPI_PASSWORD}",
            "${",
            "null",
            "~",
            "\ufeff",
            "\0",
            "\x85",
            "é",
            "1e400",
        ),
        *("0o17", "2001-01-01", "9" * 5_000, "packages:\n", "  - &first\n", "*tenant: 1\n"),
    ]
)


@st.composite
def damaged(draw: st.DrawFn, text: str) -> bytes:
    """Cut pieces out of a text, put others in, and repeat some of its own."""
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        end = min(len(text), at + draw(st.integers(0, 40)))
        put = draw(PIECES | st.just(text[at:end] * 2) | st.just(""))
        text = text[:at] + put + text[end if draw(st.booleans()) else at :]
    return text.encode("utf-8", "replace")


def load_files(folder: Path, environment: bytes, config: bytes) -> Loaded:
    """Load a project that consists of two files."""
    (folder / "environments").mkdir(exist_ok=True)
    (folder / "environments/x.yml").write_bytes(environment)
    (folder / "config.yml").write_bytes(config)
    return load(
        Selection(env="x"), root=folder, cwd=folder, variables=Variables(VARIABLES), fetch=lambda _url, _token: config
    )


@FUZZ
@given(damaged(ENVIRONMENT), damaged(CONFIG))
@example(ENVIRONMENT.encode(), CONFIG.encode())
@example(ENVIRONMENT.encode(), CONFIG.replace("0010", "9" * 5_000).encode())
def test_damaged_files_give_problems_with_a_place(tmp_path: Path, environment: bytes, config: bytes) -> None:
    """Either the run is described, or something is named that is wrong; values of variables are in none of it."""
    for files in ((environment, config), (ENVIRONMENT.encode(), config), (environment, CONFIG.encode())):
        loaded = load_files(tmp_path, *files)
        assert loaded.run is not None or loaded.problems
        for problem in loaded.problems:
            assert problem.file
            assert problem.message
            assert SECRET not in str(problem)


VALUES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]), max_size=30)
STYLES = st.sampled_from(['"', "'", "|", ">", None])


@FUZZ
@given(st.dictionaries(st.text("ab c-_", min_size=1, max_size=8), VALUES, max_size=4), STYLES, st.integers(10, 200))
def test_overrides_are_taken_as_written(
    tmp_path: Path, overrides: dict[str, str], style: str | None, width: int
) -> None:
    """In whatever style a tool wrote them: no number, date or truth value is made of a text that was quoted."""
    document = yaml.safe_load(CONFIG)
    document["packages"][0]["artifacts"][0]["configOverrides"] = overrides
    config = yaml.safe_dump(document, default_style=style, allow_unicode=True, width=width, sort_keys=False)
    loaded = load_files(tmp_path, ENVIRONMENT.encode(), config.encode())
    assert loaded.problems == ()
    assert loaded.run is not None
    assert loaded.run.configs[0].packages[0].artifacts[0].overrides == overrides


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"a:\n  " + b"[" * 10_000, (2, 1)),
        (b"a:\n" + b"- " * 10_000, (2, 79)),
        (b"{a: " * 10_000, (1, 162)),
        (b"".join(b" " * level + b"a:\n" for level in range(1_000)), (41, 41)),
    ],
)
def test_nesting_without_end_has_a_place(data: bytes, place: tuple[int, int]) -> None:
    """Ten thousand levels are one problem, where there is one too many."""
    (problem,) = parse(data, "f.yml").problems
    assert "nest" in problem.message
    assert problem.line == place[0]
    assert MAX_DEPTH == 40


def test_laughs_are_counted() -> None:
    """A billion of them, as aliases of aliases and as merged mappings, cost as much as the file's own few lines."""
    lines = ["a0: &a0 {x: lol}"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    (problem,) = parse("\n".join(lines).encode(), "f.yml").problems
    assert (problem.line, problem.message) == (6, "the aliases of this file stand for far too many values")


def test_many_merged_mappings_are_read_in_one_go() -> None:
    """Each is looked at once, whatever the mapping they go into already holds."""
    own = "".join(f"  k{number}: 1\n" for number in range(20_000))
    parsed = parse(f"a: &a {{k1: 2, z: 3}}\nb:\n{own}  <<: [{'*a,' * 30_000}]\n".encode(), "f.yml")
    assert parsed.problems == ()
    assert parsed.document is not None
    assert len(parsed.document.node(("b",)).entries) == 20_001  # type: ignore[union-attr]


def test_a_file_of_too_many_values_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is not what ends the reading."""
    assert yaml_source.MAX_NODES == 250_000
    monkeypatch.setattr(yaml_source, "MAX_NODES", 1_000)
    assert parse(b"a: [" + b"1," * 997 + b"]", "f.yml").problems == ()
    (problem,) = parse(b"a: [" + b"1," * 998 + b"]", "f.yml").problems
    assert (problem.column, problem.message) == (1999, "the file holds more than 1000 keys and values")


def test_wrong_keys_without_end_are_counted() -> None:
    """Two hundred are named with what could have been meant, the others only counted."""
    document = parse("".join(f"key{number}: 1\n" for number in range(20_000)).encode(), "f.yml").document
    assert document is not None
    problems = check(EnvironmentKeys, document, ()).problems
    assert len(problems) == 201
    assert problems[-1].message == "19800 more keys are wrong, too"


def test_keys_given_twice_without_end_are_told_in_part() -> None:
    """A thousand of them say enough."""
    assert len(parse(b"a: 1\n" * 5_000, "f.yml").problems) == 1_000
