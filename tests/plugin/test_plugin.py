"""The fixture ``cpi_tenant`` in the tests of a repository that uses the package."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

# In the file of the tests: pytest refuses it in a conftest that is not the outermost.
pytest_plugins = ["pytester"]

RunTests = Callable[..., pytest.RunResult]

_SERVED = """
    import os
    import subprocess
    import sys
    import urllib.request

    import httpx
    import pytest


    def get(tenant, path):
        login = ("demo-user", "demo-password")
        with httpx.Client(base_url=f"{tenant.url}/api/v1/", auth=login, trust_env=False) as client:
            return client.get(path)


    def test_it_is_served(cpi_tenant):
        cpi_tenant.simulator.add_package("P")
        assert cpi_tenant.url.startswith("http://127.0.0.1:")
        assert get(cpi_tenant, "IntegrationPackages('P')").status_code == 200
        assert cpi_tenant.url == cpi_tenant.url


    def test_it_is_another_one(cpi_tenant):
        assert get(cpi_tenant, "IntegrationPackages('P')").status_code == 404


    def test_programs_find_it(cpi_tenant):
        code = "import os, urllib.request as r; print(r.urlopen(os.environ['CPI_HOST'] + '/x').status)"
        ended = subprocess.run([sys.executable, "-c", code], env={**os.environ, **cpi_tenant.variables}, text=True,
                               capture_output=True)
        assert "404" in ended.stderr
        assert cpi_tenant.simulator.count("GET", "/x") == 1
        assert sorted(cpi_tenant.variables) == ["CPI_HOST", "CPI_PASSWORD", "CPI_USERNAME"]


    def test_tokens_are_given(cpi_tenant):
        names = cpi_tenant.oauth_variables
        login = (names["CPI_CLIENT_ID"], names["CPI_CLIENT_SECRET"])
        address = names["CPI_TOKEN_URL"] + "?grant_type=client_credentials"
        assert httpx.post(address, auth=login, trust_env=False).status_code == 200


    @pytest.mark.cpi_tenant(script="faults: [{request: GET Packages, fault: unavailable, first: 1}]")
    def test_scripts_are_played(cpi_tenant):
        assert [get(cpi_tenant, "IntegrationPackages").status_code for _ in range(2)] == [503, 200]
"""

_IN_PROCESS = """
    import httpx
    import pytest
    import trio

    pytestmark = pytest.mark.cpi_tenant(deploy_s=600.0, failing={"G"})


    async def test_an_hour_takes_no_time(cpi_tenant, autojump_clock):
        cpi_tenant.simulator.set_runtime("F", "STARTED")
        client = httpx.AsyncClient(
            transport=cpi_tenant.transport(),
            base_url="https://tenant.example/api/v1/",
            auth=("demo-user", "demo-password"),
            headers={"Accept": "application/json"},
        )
        async with client:
            await trio.sleep(3600)
            answer = await client.get("IntegrationRuntimeArtifacts('F')")
        assert answer.json()["d"]["Status"] == "STARTED"
        assert cpi_tenant.simulator.requests[0].time == trio.current_time()


    @pytest.mark.cpi_tenant(deploy_s=0.1, profile="strict", late_failing="F")
    def test_markers_add_up(cpi_tenant):
        settings = cpi_tenant.simulator.settings
        assert (settings.deploy_s, settings.enforce_csrf) == (0.1, "basic")
        assert (settings.failing, settings.late_failing) == (frozenset({"G"}), frozenset({"F"}))
"""

_WRONG = """
    import pytest


    @pytest.mark.cpi_tenant(deploys=1)
    def test_unknown_setting(cpi_tenant):
        pass


    @pytest.mark.cpi_tenant(profile="loose")
    def test_unknown_profile(cpi_tenant):
        pass


    @pytest.mark.cpi_tenant(script="faults: [{fault: lock}]")
    def test_wrong_script(cpi_tenant):
        pass


    @pytest.mark.cpi_tenant(0.1)
    def test_no_name(cpi_tenant):
        pass


    @pytest.mark.cpi_tenant(failing=1)
    def test_no_set(cpi_tenant):
        pass


    @pytest.mark.cpi_tenant(script=1)
    def test_no_script(cpi_tenant):
        pass
"""


def test_the_tenant_is_served_on_a_free_port(run_tests: RunTests) -> None:
    """One for each test; programs find it by its variables, scripts come by marker."""
    run_tests(_SERVED).assert_outcomes(passed=5)


def test_the_tenant_is_reached_in_process_under_a_virtual_clock(run_tests: RunTests) -> None:
    """Markers of module and test add up, the closest has the last word."""
    run_tests(_IN_PROCESS).assert_outcomes(passed=2)


def test_it_works_without_pytest_trio(run_tests: RunTests) -> None:
    """Plain repositories need nothing but pytest."""
    run_tests(_SERVED, trio=False).assert_outcomes(passed=5)


def test_mistakes_in_markers_are_told(run_tests: RunTests) -> None:
    """Each in a sentence that names it."""
    result = run_tests(_WRONG)
    result.assert_outcomes(errors=6)
    result.stdout.fnmatch_lines_random(
        [
            "*names a setting 'deploys' that does not exist; did you mean 'deploy_s'?*",
            "*has no profile 'loose'; choose one of*strict*",
            "*faults?0?.fault: must be one of*did you mean 'locked'?*",
            "*takes settings by name only*",
            "*a 'failing' that is no set of texts*",
            "*a 'script' that is neither a FaultScript nor its text*",
        ]
    )


def test_the_marker_and_the_fixture_are_documented(run_tests: RunTests) -> None:
    """Where a person looks for them."""
    told = run_tests("", "--markers", "--fixtures", trio=False).stdout
    told.fnmatch_lines(["@pytest.mark.cpi_tenant(*"])
    told = run_tests("", "--fixtures", trio=False).stdout
    told.fnmatch_lines(["cpi_tenant*", "*empty embedded tenant*"])


def test_loading_the_plugin_imports_nothing_of_weight() -> None:
    """A run that does not use the tenant does not pay for it."""
    heavy = [
        "httpx",
        "trio",
        "starlette",
        "hypercorn",
        "pydantic",
        "rich",
        "cpi_tasks.simulator.tenant",
        "cpi_tasks.app",
    ]
    code = f"import sys, cpi_tasks.simulator.plugin; print(sorted(set({heavy!r}) & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


def test_a_tenant_that_is_not_asked_for_is_not_served(run_tests: RunTests) -> None:
    """No port and no thread without need."""
    code = """
        import threading


        def test_it(cpi_tenant):
            cpi_tenant.simulator.add_package("P")
            assert [thread.name for thread in threading.enumerate()] == ["MainThread"]
            assert cpi_tenant.url
            assert len(threading.enumerate()) == 2


        def test_after(cpi_tenant):
            assert [thread.name for thread in threading.enumerate()] == ["MainThread"]
    """
    run_tests(code, trio=False).assert_outcomes(passed=2)


def test_the_project_registers_the_plugin() -> None:
    """Under the name by which ``-p no:cpi_tenant`` turns it off."""
    root = Path(__file__).resolve().parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"cpi_tenant": "cpi_tasks.simulator.plugin"}
