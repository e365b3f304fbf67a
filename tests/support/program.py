"""The real program, started as a user starts it, against a tenant on a loopback socket."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cpi_tasks.simulator import Simulator
from tests.support.project import Project

CHECKOUT = Path(__file__).resolve().parents[2]
BASIC = {"CPI_USERNAME": "demo-user", "CPI_PASSWORD": "demo-password"}
OAUTH = {"CPI_CLIENT_ID": "demo-client", "CPI_CLIENT_SECRET": "demo-secret"}
SECRETS = ("demo-password", "demo-secret", base64.b64encode(b"demo-user:demo-password").decode(), "Authorization")
_HANGS_AFTER_S = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How the program ended: exit code and everything it wrote."""

    code: int
    said: str
    writes: tuple[str, ...]
    """``METHOD target`` of each request that changed the tenant, without the login."""


@dataclass(slots=True, kw_only=True)
class Program:
    """A consumer's repository, the tenant, and all that was ever written to a terminal."""

    project: Project
    simulator: Simulator
    variables: Mapping[str, str]
    outputs: list[str] = field(default_factory=list)

    def run(self, *arguments: str, cwd: Path | None = None, **variables: str) -> Ended:
        """Run ``invoke`` with some arguments to its end."""
        before = len(self.simulator.requests)
        done = subprocess.run(
            self.command(*arguments),
            cwd=cwd or self.project.root,
            env=self.environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=_HANGS_AFTER_S,
            check=False,
        )
        self.outputs.append(done.stdout)
        seen = [request for request in self.simulator.requests[before:] if request.path != "/oauth/token"]
        writes = [
            f"{request.method} {request.target.removeprefix('/api/v1/')}"
            for request in seen
            if request.method != "GET" and request.status < 300
        ]
        return Ended(code=done.returncode, said=done.stdout, writes=tuple(writes))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start ``invoke`` and do not wait for its end; its output is to be read from ``stdout``."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.project.root,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )

    def command(self, *arguments: str) -> list[str]:
        """Give the command line."""
        return [sys.executable, "-m", "invoke", *arguments]

    def environment(self, **variables: str) -> dict[str, str]:
        """Give the process environment: this machine's without what concerns us, and the tenant's variables."""
        ours = ("CI", "CPI_", "GITHUB_", "TF_BUILD", "INVOKE_", "PYTHON", "NO_COLOR", "FORCE_COLOR")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        state = str(self.project.root / ".state")
        return {**kept, "PYTHONPATH": str(CHECKOUT), "XDG_STATE_HOME": state, **self.variables, **variables}

    def check_outputs(self) -> None:
        """Assert that no secret was ever written, nor a token the tenant handed out."""
        gatekeeper = self.simulator._front.gatekeeper
        tokens = [*gatekeeper._tokens, *(token for token, _ in gatekeeper._sessions.values()), *gatekeeper._sessions]
        for output in self.outputs:
            assert not [secret for secret in (*SECRETS, *tokens) if secret in output]


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """Read what a started program says until ``text`` is in it, and give that; fails where the program ends before."""
    assert process.stdout is not None
    said = ""
    while text not in said:
        line = process.stdout.readline()
        assert line, f"ended with {process.wait()} without saying '{text}': {said}"
        said += line
    return said


def make_program(root: Path, simulator: Simulator, url: str, *, login: str = "basic") -> Program:
    """Begin with an empty project whose tenant comes from the variables."""
    project = Project(root)
    root.mkdir(parents=True, exist_ok=True)
    (root / "tasks.py").write_text("from cpi_tasks import ns\n", encoding="utf-8")
    chosen = BASIC if login == "basic" else {**OAUTH, "CPI_TOKEN_URL": f"{url}/oauth/token"}
    return Program(project=project, simulator=simulator, variables={"CPI_HOST": url, **chosen})
