"""Plans that are saved and looked at again, on a project with two packages and three artifacts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cpi_tasks.model.config import (
    BasicLogin,
    DeployConfig,
    OAuthLogin,
    PackageSpec,
    RunConfig,
    Selection,
    Settings,
    TenantAccess,
)
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactId
from cpi_tasks.planning import Basis, SavedPlan, make_plan, read_saved, save_plan, why_stale
from tests.planning.builders import OTHER, SCRIPTS, content, design, inventory, package, runtime, spec

ROOT = Path("/projects/one")
URL = "https://t1.example.com"
LOGIN = BasicLogin(username="deployer", password="pass-word-1")
PARAMETERS = {"host": "enforced.example", "free": "file-value"}
FLOW = ArtifactId("Flow")
LIBRARY = ArtifactId("Library")
NOTHING = Selection()


def flow(
    entries: Mapping[str, str] = OTHER,
    *,
    version: str = "1.1.0",
    parameters: Mapping[str, str] = PARAMETERS,
    host: str = "enforced.example",
    deploy: bool = True,
) -> ArtifactContent:
    """Give the flow as the files have it: with other content than the tenant's, and one enforced parameter."""
    of = spec("Flow", overrides={"host": host}, deploy=deploy)
    return content(of, entries, version=version, parameters={**parameters, "host": host}, references=["Library"])


def library(entries: Mapping[str, str] | None = None) -> ArtifactContent:
    """Give a script collection that is as on the tenant."""
    return content(spec("Library", SCRIPTS), entries)


def tenant_side() -> Inventory:
    """Give the tenant: flow and library run, and the flow has another value of the enforced parameter."""
    return inventory(
        design("Flow"),
        design("Library", SCRIPTS),
        parameters={"Flow": {"host": "tenant.example", "free": "configured-value"}},
        running=[runtime("Flow"), runtime("Library")],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything that a plan is made from; ``given`` are the flags and ``at`` the project root."""

    artifacts: tuple[ArtifactContent, ...] = field(default_factory=lambda: (flow(), library()))
    tenant: Inventory = field(default_factory=tenant_side)
    settings: Settings = field(default_factory=Settings)
    login: BasicLogin | OAuthLogin = LOGIN
    url: str = URL
    short_text: str = "Pack"
    given: Selection = NOTHING
    at: Path = ROOT
    environment_file: str | None = "environments/prod.yml"
    environment: str = "prod"

    def named(self) -> PackageSpec:
        """Give the one package."""
        return package(*(one.spec for one in self.artifacts), short_text=self.short_text)

    def config(self) -> RunConfig:
        """Give the checked input of a run."""
        return RunConfig(
            root=self.at,
            environment=self.environment,
            environment_origin="--env",
            environment_file=None if self.environment_file is None else self.at / self.environment_file,
            settings=self.settings,
            tenant=TenantAccess(url=self.url, login=self.login),
            configs=(self._deploy_config(),),
        )

    def parts(self) -> tuple[Basis, ...]:
        """Give the plan with what it was made from."""
        config, contents = self._deploy_config(), {one.spec.ref: one for one in self.artifacts}
        plan = make_plan(config, contents, self.tenant, self.settings)
        return (Basis(plan=plan, config=config, contents=contents, inventory=self.tenant),)

    def save(self) -> str:
        """Give the text of the saved plan."""
        return save_plan(
            self.parts(),
            config=self.config(),
            selection=self.given,
            tenant=self.url,
            cwd=self.at,
            made_at="2026-11-26T01:02:03+00:00",
        )

    def saved(self) -> SavedPlan:
        """Give the plan as it is read from its file."""
        return read_saved(self.save(), "plan.json")

    def why_stale(self, saved: SavedPlan) -> tuple[str, ...]:
        """Say why a plan that was saved before cannot be carried out in this situation."""
        return why_stale(saved, self.parts(), config=self.config(), tenant=self.url)

    def _deploy_config(self) -> DeployConfig:
        return DeployConfig(source="deploy.yml", prefix="", packages=(self.named(),), renames={})


def with_design(tenant: Inventory, artifact: ArtifactId = FLOW, **changes: object) -> Inventory:
    """Give a tenant on which one design-time artifact is another."""
    other = replace(tenant.artifacts[artifact], **changes)  # type: ignore[arg-type] # as typed in the tests
    return replace(tenant, artifacts={**tenant.artifacts, artifact: other})


def with_runtime(tenant: Inventory, artifact: ArtifactId = FLOW, **changes: object) -> Inventory:
    """Give a tenant on which one artifact runs otherwise."""
    other = replace(tenant.runtime[artifact], **changes)  # type: ignore[arg-type] # as typed in the tests
    return replace(tenant, runtime={**tenant.runtime, artifact: other})
