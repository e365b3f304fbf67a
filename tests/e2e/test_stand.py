"""``invoke simulator``: the real program on a real port."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.project import Project
from tests.support.stand import CHECKOUT, DEMO, refused, started, variables

LOGIN = ("demo-user", "demo-password")


def test_it_says_where_it_is_and_how_to_log_in(tmp_path: Path) -> None:
    """The printed variables are those of both logins, and they work."""
    with started(cwd=tmp_path) as stand:
        exports = stand.exports
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", stand.url)
        assert exports == {
            "CPI_HOST": stand.url,
            "CPI_USERNAME": "demo-user",
            "CPI_PASSWORD": "demo-password",
            "CPI_TOKEN_URL": f"{stand.url}/oauth/token",
            "CPI_CLIENT_ID": "demo-client",
            "CPI_CLIENT_SECRET": "demo-secret",
        }
        assert not [line for line in stand.lines if line.startswith("Warning")]
        basic = httpx.get(f"{stand.url}/api/v1/", auth=(exports["CPI_USERNAME"], exports["CPI_PASSWORD"]))
        login = (exports["CPI_CLIENT_ID"], exports["CPI_CLIENT_SECRET"])
        token = httpx.post(exports["CPI_TOKEN_URL"], data={"grant_type": "client_credentials"}, auth=login)
        assert (basic.status_code, token.status_code) == (200, 200)


def test_requests_are_shown_as_they_come_and_never_a_secret(tmp_path: Path) -> None:
    """Time, method, path, status and duration of each; no header, no token, no query of the token service."""
    with started(cwd=tmp_path) as stand:
        begun = len(stand.lines)
        httpx.get(f"{stand.url}/api/v1/IntegrationPackages", params={"$top": "1"}, auth=LOGIN)
        (line,) = stand.read_until("IntegrationPackages")
        shown = r"\d\d:\d\d:\d\d\.\d{3}  GET    /api/v1/IntegrationPackages\?\$top=1  200  \d+ ms"
        assert re.fullmatch(shown, line), line
        token = httpx.post(
            f"{stand.url}/oauth/token?client_secret=in-the-query",
            data={"grant_type": "client_credentials"},
            auth=("demo-client", "demo-secret"),
        ).json()["access_token"]
        httpx.get(f"{stand.url}/api/v1/Nothing%0Aat%1B%5B31mall", headers={"Authorization": f"Bearer {token}"})
        stand.read_until("Nothing\N{REPLACEMENT CHARACTER}at\N{REPLACEMENT CHARACTER}[31mall  404")
        httpx.get(f"{stand.url}/", headers={"Accept": "text/html"})
        assert stand.end() == 0
    said = "\n".join(stand.lines[begun:])
    assert said.count("\n") == 3, said
    assert not [
        secret for secret in ("demo-password", "demo-secret", "in-the-query", token, "Bearer") if secret in said
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_end_is_clean_and_the_next_run_continues(tmp_path: Path, number: int) -> None:
    """Ctrl-C ends it with 0 and the state on disk; the same file and seed leave alone what is there."""
    flags = ("--state", "kept/tenant.json", "--seed", str(DEMO))
    with started(*flags, cwd=tmp_path) as stand:
        assert "Seeded 2 packages and 10 artifacts" in stand.lines
        url = f"{stand.url}/api/v1/IntegrationDesigntimeArtifacts(Id='CustomerSync',Version='active')"
        with httpx.Client(auth=LOGIN) as client:
            csrf = client.get(f"{stand.url}/api/v1/", headers={"X-CSRF-Token": "Fetch"}).headers["X-CSRF-Token"]
            assert client.delete(url, headers={"X-CSRF-Token": csrf}).status_code == 200
        assert stand.end(number) == 0
        assert stand.lines[-1] == "Ended; the tenant is kept in 'kept/tenant.json'."
    with started("--state", "kept/tenant.json", cwd=tmp_path) as stand:
        assert httpx.get(url.replace(url.partition("/api")[0], stand.url), auth=LOGIN).status_code == 404
        assert stand.end() == 0
    with started(*flags, cwd=tmp_path) as stand:
        assert "Seeded 0 packages and 1 artifact; 9 artifacts already there" in stand.lines


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    """Nothing is served, and the exit code says so."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = refused("--port", str(port), cwd=tmp_path)
    assert code == 1
    assert said.startswith(f"✗ could not serve on 127.0.0.1 port {port}: ")
    assert "Traceback" not in said


def test_everything_wrong_is_listed_at_once(tmp_path: Path) -> None:
    """Flags, folder, script: one run names them all, and nothing is served."""
    (tmp_path / "seed/Bad_Package/NoManifest").mkdir(parents=True)
    (tmp_path / "seed/Bad_Package/NoManifest/file.txt").write_text("x", encoding="utf-8")
    (tmp_path / "script.yml").write_text("fualts: []\n", encoding="utf-8")
    flags = ("--seed", "seed", "--script", "script.yml", "--profile", "none", "--deploy-seconds", "soon", "--port", "x")
    code, said = refused(*flags, cwd=tmp_path)
    assert code == 4
    for part in ("no package id", "no artifact", "fualts", "no profile 'none'", "'soon' is no", "'x' is no port"):
        assert part in said
    assert "export" not in said


def test_a_broken_state_file_is_not_begun_over(tmp_path: Path) -> None:
    """It is left as it is and named."""
    (tmp_path / "tenant.json").write_text("{", encoding="utf-8")
    code, said = refused("--state", "tenant.json", "--port", "0", cwd=tmp_path)
    assert (code, "could not read" in said) == (1, True)
    assert (tmp_path / "tenant.json").read_text(encoding="utf-8") == "{"


def test_two_programs_do_not_share_a_state_file(tmp_path: Path) -> None:
    """The second one is refused in a sentence; after the first was killed, the file is free."""
    with started("--state", "tenant.json", cwd=tmp_path) as stand:
        code, said = refused("--state", str(tmp_path / "tenant.json"), "--port", "0", cwd=tmp_path)
        assert code == 1
        assert said.startswith(f"✗ the embedded tenant in '{tmp_path / 'tenant.json'}' is in use by another program")
        assert ("Traceback" in said, "export" in said) == (False, False)
        stand.process.kill()
        stand.process.wait()
    with started("--state", "tenant.json", cwd=tmp_path) as stand:
        assert stand.end() == 0


def test_a_demo_run_is_refused_while_another_program_has_its_tenant(tmp_path: Path) -> None:
    """One clear sentence and the exit code of the embedded tenant's errors; afterwards the demo runs."""
    shutil.copytree(CHECKOUT / "environments", tmp_path / "environments")
    (tmp_path / "tasks.py").write_text("from cpi_tasks import ns\n", encoding="utf-8")

    def demo() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "invoke", "orchestrate", "--env", "demo"],
            cwd=tmp_path,
            env=variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    with started("--state", ".cpi/demo-tenant.json", cwd=tmp_path) as stand:
        ended = demo()
        assert ended.returncode == 1
        assert ended.stdout.count("is in use by another program, such as a run of the same environment") == 1
        assert "Traceback" not in ended.stdout
        assert stand.end() == 0
    assert demo().returncode == 0


def test_a_batch_is_shown_with_its_parts(tmp_path: Path) -> None:
    """Each request inside has a line of its own, marked, before that of the batch."""
    part = "Content-Type: application/http\r\n\r\nGET IntegrationPackages('X') HTTP/1.1\r\n\r\n\r\n"
    with started("--profile", "lenient", cwd=tmp_path) as stand:
        csrf = {"Content-Type": "multipart/mixed; boundary=b"}
        with httpx.Client(auth=LOGIN) as client:
            fetched = client.get(f"{stand.url}/api/v1/", headers={"X-CSRF-Token": "Fetch"}).headers
            csrf["X-CSRF-Token"] = fetched.get("X-CSRF-Token", "")
            client.post(f"{stand.url}/api/v1/$batch", content=f"--b\r\n{part}--b--\r\n", headers=csrf)
        *_, inside, whole = stand.read_until("$batch")
    assert inside.endswith("GET    /api/v1/IntegrationPackages('X')  404  in a batch")
    assert re.search(r"POST   /api/v1/\$batch  20[02]  \d+ ms$", whole)


def test_other_machines_are_let_in_only_with_a_warning(tmp_path: Path) -> None:
    """What can be reached from elsewhere says so; the printed address is one that works from here."""
    with started("--host", "0.0.0.0", cwd=tmp_path) as stand:  # noqa: S104 - this is what is tested
        assert [line for line in stand.lines if line.startswith("Warning: it can be reached from other machines")]
        assert httpx.get(f"{stand.url}/api/v1/", auth=LOGIN).status_code == 200


def test_our_client_runs_against_it_over_https(tmp_path: Path) -> None:
    """With the printed variables, ``SSL_CERT_FILE`` among them, and not without that one."""
    project = Project(tmp_path / "repository")
    project.root.mkdir()
    project.every_kind()
    project.keys["requestsPerSecond"] = {"designtime": 200, "runtime": 200}
    project.save()
    (project.root / "tasks.py").write_text("from cpi_tasks import ns\n", encoding="utf-8")
    run = [sys.executable, "-m", "invoke", "orchestrate", "--env", "x"]
    with started("--tls", "--deploy-seconds", "0.1", cwd=tmp_path) as stand:
        assert stand.url.startswith("https://127.0.0.1:")
        authority = Path(stand.exports["SSL_CERT_FILE"])
        context = ssl.create_default_context(cafile=str(authority))
        page = httpx.get(f"{stand.url}/", headers={"Accept": "text/html"}, verify=context)
        assert "Embedded CPI tenant" in page.text
        trusting = {**variables(), **stand.exports}
        blind = {name: value for name, value in trusting.items() if name != "SSL_CERT_FILE"}
        codes = [
            subprocess.run(run, cwd=project.root, env=env, capture_output=True, check=False).returncode
            for env in (trusting, blind)
        ]
        assert codes == [0, 3]
        assert stand.end() == 0
    assert not authority.exists()
