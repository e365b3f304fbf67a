"""Whatever the files hold, loading ends with a result, never with an exception or a leaked secret."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cpi_tasks.environment import Loaded, Variables, load
from cpi_tasks.environment.yaml_source import parse
from cpi_tasks.errors import DownloadError
from cpi_tasks.model.config import BasicLogin, Selection

SECRET = "hunter2-secret"
VARIABLES = {"CPI_HOST": "t1.example.com", "CPI_USERNAME": "u", "CPI_PASSWORD": SECRET, "S": SECRET}
FUZZ = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

KEYS = st.sampled_from(
    [
        "packagesDir",
        "deployConfig",
        "deploymentPrefix",
        "packageFilter",
        "artifactFilter",
        "configPattern",
        "mergeConfigs",
        "keepTemp",
        "mode",
        "deployRetries",
        "deployDelaySeconds",
        "parallelDeployments",
        "maxParallelDeployments",
        "requestsPerSecond",
        "designtime",
        "runtime",
        "deployTimeoutSeconds",
        "requestTimeoutSeconds",
        "parameterPolicy",
        "valueMappings",
        "onDraft",
        "tenant",
        "packages",
        "deployConfigToken",
        "polling",
        "protected",
        "host",
        "username",
        "password",
        "tokenUrl",
        "clientId",
        "clientSecret",
        "serviceKey",
        "simulator",
        "deploySeconds",
        "fail",
        "state",
        "integrationSuiteId",
        "packageDir",
        "displayName",
        "description",
        "short_text",
        "sync",
        "deploy",
        "artifacts",
        "artifactId",
        "artifactDir",
        "type",
        "configOverrides",
        "dependsOn",
        "orchestrator",
    ]
)
LEAVES = st.sampled_from(
    [
        None,
        True,
        0,
        5,
        -1,
        1.5,
        "",
        "A",
        "B",
        "${NOPE}",
        "${",
        "../x",
        "config.yml",
        "configs",
        "a\0b",
        ".",
        "IntegrationFlow",
        "ScriptCollection",
        "https://c.example.com/x",
        "ftp://x",
        "update-only",
        "{",
        '{"oauth":{}}',
    ]
)
TREES = st.recursive(
    LEAVES | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
TENANTS = st.dictionaries(KEYS, TREES | st.sampled_from(["${S}", "x${S}", SECRET]), max_size=5)
MAPPINGS = st.dictionaries(KEYS, TREES, max_size=6)


def load_bytes(folder: Path, environment: bytes, config: bytes, variables: Mapping[str, str] | None = None) -> Loaded:
    (folder / "environments").mkdir(exist_ok=True)
    (folder / "environments" / "x.yml").write_bytes(environment)
    (folder / "config.yml").write_bytes(config)

    def fetch(url: str, token: str | BasicLogin | None) -> bytes:
        if len(url) % 2:
            raise DownloadError("not found")
        return config

    given = Variables(VARIABLES | dict(variables or {}))
    return load(Selection(env="x"), root=folder, cwd=folder, variables=given, fetch=fetch)


def check(loaded: Loaded) -> None:
    assert loaded.run is not None or loaded.problems
    for problem in loaded.problems:
        assert problem.file
        assert problem.message
        assert SECRET not in str(problem)


@FUZZ
@given(st.text(max_size=200))
@example("packages: [{integrationSuiteId: &a A, packageDir: *a, <<: {<<: [{}]}}]")
@example("a: ! 'x'\n? !!str\n: !!map {}\n")
def test_any_text(tmp_path: Path, text: str) -> None:
    """Arbitrary text as environment file and as deploy configuration."""
    data = text.encode("utf-8", "replace")
    check(load_bytes(tmp_path, data, b"packages: []"))
    check(load_bytes(tmp_path, b"packagesDir: p\ndeployConfig: config.yml\n", data))


@FUZZ
@given(st.binary(max_size=100))
def test_any_bytes(data: bytes) -> None:
    """Arbitrary bytes give a document or problems."""
    parsed = parse(data, "f.yml")
    assert parsed.document is not None or parsed.problems


@FUZZ
@given(st.text(alphabet="ab:-[]{},&*!|>?'\"#%@`~<= \n\t${}01.", max_size=80))
def test_any_yaml_like_text(text: str) -> None:
    """Text made of YAML's own characters gives a document or problems with a place in the file."""
    parsed = parse(text.encode(), "f.yml")
    assert parsed.document is not None or parsed.problems
    assert all(0 <= problem.line <= text.count("\n") + 2 for problem in parsed.problems)


@FUZZ
@given(MAPPINGS, MAPPINGS)
def test_any_tree_of_known_keys(tmp_path: Path, environment: dict[str, object], config: dict[str, object]) -> None:
    """Known keys with arbitrary values in arbitrary places, in both files."""
    first, second = yaml.safe_dump(environment).encode(), yaml.safe_dump(config).encode()
    check(load_bytes(tmp_path, first, second))
    check(load_bytes(tmp_path, b"packagesDir: p\ndeployConfig: config.yml\n", second))


@FUZZ
@given(TENANTS, st.dictionaries(st.sampled_from(["CPI_SERVICE_KEY", "CPI_CLIENT_ID", "CPI_TOKEN_URL"]), st.text()))
def test_any_tenant(tmp_path: Path, tenant: dict[str, object], variables: dict[str, str]) -> None:
    """Arbitrary tenant sections and variables; no message quotes what they hold."""
    data = yaml.safe_dump({"tenant": tenant, "deployConfigToken": SECRET}).encode()
    check(load_bytes(tmp_path, data, b"", variables))


@FUZZ
@given(st.lists(TREES, max_size=3))
def test_any_packages(tmp_path: Path, packages: list[object]) -> None:
    """Arbitrary entries in the list of packages."""
    data = yaml.safe_dump({"packages": packages}).encode()
    check(load_bytes(tmp_path, b"packagesDir: p\ndeployConfig: config.yml\n", data))
    check(load_bytes(tmp_path, b"packagesDir: p\n" + data, b""))
