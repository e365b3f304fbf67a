"""Another repository that uses the package as its wheel installs it, and the real programs run in it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from cpi_tasks.simulator import Simulator
from tests.support.project import Project

CHECKOUT = Path(__file__).resolve().parents[2]
_HANGS_AFTER_S = 120
_INVOKE = Path(sysconfig.get_path("scripts")) / "invoke"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a program ended: its exit code and what it wrote."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A tenant on loopback, with the variables that name it."""

    simulator: Simulator
    url: str

    @property
    def basic(self) -> Mapping[str, str]:
        """Give the variables of a login by name and password."""
        return {"CPI_HOST": self.url, "CPI_USERNAME": "demo-user", "CPI_PASSWORD": "demo-password"}

    @property
    def oauth(self) -> Mapping[str, str]:
        """Give the variables of a login by client credentials."""
        return {
            "CPI_HOST": self.url,
            "CPI_TOKEN_URL": f"{self.url}/oauth/token",
            "CPI_CLIENT_ID": "demo-client",
            "CPI_CLIENT_SECRET": "demo-secret",
        }

    @property
    def running(self) -> list[str]:
        """Give the ids of what runs as design time has it, sorted."""
        return sorted(id_ for id_ in self.simulator.artifacts if self.simulator.is_running_design_time(id_))


@dataclass(slots=True, kw_only=True)
class Consumer:
    """The repository. ``library`` is the folder the wheel was installed into; ``variables`` go to every program."""

    root: Path
    library: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    project: Project = field(init=False)

    def __post_init__(self) -> None:
        """Make the folder."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.project = Project(self.root)

    def write(self, name: str, text: str) -> Path:
        """Write a file of the repository."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def configure(self, name: str, packages: Sequence[str]) -> Path:
        """Write a deploy configuration with some of the project's packages."""
        listed = [self.project.packages[package] for package in packages]
        return self.write(name, yaml.safe_dump({"packages": listed}, sort_keys=False))

    def invoke(self, *arguments: str, cwd: str = ".", **variables: str) -> Ended:
        """Run the ``invoke`` program, started from a folder of the repository."""
        return self._run([str(_INVOKE), *arguments], cwd=cwd, variables=variables)

    def python(self, code: str, **variables: str) -> Ended:
        """Run Python code in the root of the repository."""
        return self._run([sys.executable, "-c", code], cwd=".", variables=variables)

    def _run(self, command: Sequence[str], *, cwd: str, variables: Mapping[str, str]) -> Ended:
        ours = ("CI", "CPI_", "GITHUB_", "TF_BUILD", "INVOKE_", "PYTHON")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        ended = subprocess.run(
            command,
            cwd=self.root / cwd,
            env={**kept, "PYTHONPATH": str(self.library), **self.variables, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=_HANGS_AFTER_S,
            check=False,
        )
        return Ended(code=ended.returncode, out=ended.stdout, err=ended.stderr)
