"""Whole runs in process and under the virtual clock: a project, an embedded tenant, and what a run did to it."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
import trio

from cpi_tasks import app, planning, tenant
from cpi_tasks.errors import Refused
from cpi_tasks.events import Emit, Event, PlanMade
from cpi_tasks.model.config import RunConfig, Selection, TenantAccess
from cpi_tasks.model.drift import DriftReport
from cpi_tasks.model.naming import Mode
from cpi_tasks.model.plan import ArtifactPlan
from cpi_tasks.model.report import ArtifactOutcome, Report, StepOutcome
from cpi_tasks.model.tenant import Tenant
from cpi_tasks.simulator import Simulator, SimulatorSettings
from tests.support.project import Project

URL = "http://127.0.0.1:1"
LOGINS: Mapping[str, Mapping[str, str]] = {
    "basic": {"username": "demo-user", "password": "demo-password"},
    "oauth": {"tokenUrl": f"{URL}/oauth/token", "clientId": "demo-client", "clientSecret": "demo-secret"},
}
_API = "/api/v1/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What one run did: its report, its events, and every request that changed the tenant."""

    report: Report
    events: tuple[Event, ...]
    writes: tuple[str, ...]
    """``METHOD target`` of each modifying request that the tenant took, without the login."""
    took_s: float

    @property
    def exit_code(self) -> int:
        """The code the program would end with."""
        return self.report.exit_code

    @property
    def uploads(self) -> tuple[str, ...]:
        """The writes that are no deployments."""
        return tuple(write for write in self.writes if not write.startswith("POST Deploy"))

    @property
    def deployed(self) -> tuple[str, ...]:
        """The ids of what was triggered, sorted."""
        triggers = [write for write in self.writes if write.startswith("POST Deploy")]
        return tuple(sorted(trigger.partition("Id='")[2].partition("'")[0] for trigger in triggers))

    def kept(self, name: str) -> list[bytes]:
        """Give the uploaded files of a name that were kept, sorted."""
        return sorted(file.read_bytes() for file in Path(self.report.kept_folder).rglob(name))

    def outcome(self, artifact: str) -> ArtifactOutcome:
        """Give what became of one artifact; it must be in the report exactly once."""
        (found,) = (outcome for outcome in self.report.artifacts() if outcome.ref.artifact == artifact)
        return found

    def update(self, artifact: str) -> StepOutcome:
        """Give how an artifact's update ended."""
        step = self.outcome(artifact).update
        assert step is not None
        return step

    def deploy(self, artifact: str) -> StepOutcome:
        """Give how an artifact's deployment ended."""
        step = self.outcome(artifact).deploy
        assert step is not None
        return step

    def plan(self, artifact: str) -> ArtifactPlan:
        """Give what was planned for an artifact."""
        plans = [event.plan for event in self.events if isinstance(event, PlanMade)]
        (found,) = (one for plan in plans for one in plan.artifacts() if one.ref.artifact == artifact)
        return found

    def statuses(self) -> dict[str, tuple[str, ...]]:
        """Give every artifact with the words its steps ended with."""
        outcomes = self.report.artifacts()
        return {str(outcome.ref.artifact): tuple(step.status.value for step in outcome.steps) for outcome in outcomes}


@dataclass(slots=True, kw_only=True)
class World:
    """A project and the tenant its environment names."""

    project: Project
    simulator: Simulator
    fails_requests: bool = False
    """Whether 429 may be answered, because a test plans it; otherwise a run must keep to the published limits."""

    def behave(self, **settings: object) -> None:
        """Change how the tenant behaves from now on."""
        changed = replace(self.simulator.settings, **settings)  # type: ignore[arg-type]
        self.simulator.settings = self.simulator._state.settings = changed

    async def run(
        self,
        selection: Selection | None = None,
        *,
        watch: Callable[[Event], None] | None = None,
        saved: planning.SavedPlan | None = None,
    ) -> Ran:
        """Save the project and run it to its end; what holds for every run is asserted here."""
        before, started = len(self.simulator.requests), trio.current_time()
        events: list[Event] = []
        self.project.save()

        def emit(event: Event) -> None:
            events.append(event)
            if watch is not None:
                watch(event)

        chosen = (selection or Selection()) if saved else replace(selection or Selection(), env="x")
        report = await app.run(chosen, self.project.root, self._terms(emit, saved=saved))
        seen = self.simulator.requests[before:]
        ran = Ran(
            report=report,
            events=tuple(events),
            writes=tuple(
                f"{request.method} {request.target.removeprefix(_API)}"
                for request in seen
                if request.method != "GET" and request.path != "/oauth/token" and request.status < 300
            ),
            took_s=trio.current_time() - started,
        )
        self._check(ran, [request.status for request in seen])
        return ran

    async def run_until(self, is_it: Callable[[Event], bool]) -> None:
        """Run until an event and cut the run off there, as a kill would."""
        self.project.save()
        with trio.CancelScope() as scope:

            def emit(event: Event) -> None:
                if is_it(event):
                    scope.cancel()

            await app.run(Selection(env="x"), self.project.root, self._terms(emit))
        assert scope.cancelled_caught

    async def plan(self, selection: Selection | None = None, *, wants_diff: bool = False) -> app.Preview:
        """Save the project and plan; nothing may be written to the tenant."""
        before = len(self.simulator.requests)
        self.project.save()
        chosen = replace(selection or Selection(), env="x")
        seen = await app.preview(chosen, self.project.root, self._terms(_ignore), wants_diff=wants_diff)
        self._check_read_only(before)
        return seen

    async def drift(self, selection: Selection | None = None) -> DriftReport:
        """Save the project and compare the tenant with it; nothing may be written to the tenant."""
        before = len(self.simulator.requests)
        self.project.save()
        chosen = replace(selection or Selection(), env="x", mode=Mode.UPDATE_AND_DEPLOY)
        found = await app.find_drift(chosen, self.project.root, self._terms(_ignore))
        self._check_read_only(before)
        return found

    async def carry_out(self, plan: app.Preview, *, selection: Selection | None = None) -> Ran:
        """Run exactly what a plan says, as ``orchestrate --plan`` does."""
        saved = planning.read_saved(plan.saved, "plan.json")
        restored = saved.restore(selection or Selection(), root=self.project.root, cwd=Path.cwd())
        return await self.run(restored, saved=saved)

    async def refuse(self, selection: Selection | None = None, *, plan: app.Preview | None = None) -> str:
        """Run, or carry out a plan, where that must be refused before anything is written; gives what is said."""
        before = len(self.simulator.requests)
        with pytest.raises(Refused) as refused:
            await (self.run(selection) if plan is None else self.carry_out(plan, selection=selection))
        self._check_read_only(before)
        assert refused.value.exit_code == 5
        return str(refused.value)

    def _check_read_only(self, before: int) -> None:
        seen = self.simulator.requests[before:]
        assert all(request.method == "GET" or request.path == "/oauth/token" for request in seen), "nothing is written"

    def forget(self) -> None:
        """Lose what earlier runs kept, as CI jobs do."""
        shutil.rmtree(self.project.root / ".cpi")

    def _terms(self, emit: Emit, *, saved: planning.SavedPlan | None = None) -> app.Terms:
        return app.Terms(
            emit=emit,
            note_secret=_ignore,
            confirm=_yes,
            saved=saved,
            reach=self._reach,
            locks=self.project.root / ".locks",
            in_background=_at_once,
        )

    @asynccontextmanager
    async def _reach(
        self,
        config: RunConfig,
        emit: Emit,
        note_secret: Callable[[str], None],
        before_write: Callable[[], Awaitable[None]],
    ) -> AsyncIterator[Tenant]:
        assert isinstance(config.tenant, TenantAccess)
        async with tenant.connect(
            config.tenant,
            designtime_rate=config.settings.designtime_rate,
            runtime_rate=config.settings.runtime_rate,
            request_timeout_s=config.settings.request_timeout_s,
            outage_budget_s=config.settings.outage_budget_s,
            emit=emit,
            note_secret=note_secret,
            before_write=before_write,
            transport=httpx.ASGITransport(app=self.simulator.app),
        ) as client:
            yield client

    def _check(self, ran: Ran, statuses: list[int]) -> None:
        planned = [event.plan for event in ran.events if isinstance(event, PlanMade)]
        ids = Counter(artifact.ref for plan in planned for artifact in plan.artifacts())
        assert ids == Counter(outcome.ref for outcome in ran.report.artifacts()), "planned is what is reported"
        assert set(ids.values()) <= {1}
        deletes = [write for write in ran.writes if write.startswith("DELETE")]
        assert all(write.startswith("DELETE ValueMapping") for write in deletes), "nothing is undeployed or deleted"
        assert self.fails_requests or 429 not in statuses, "the published limits are kept"
        if ran.exit_code == 0:
            wanted = [o.ref.artifact for o in ran.report.artifacts() if o.deploy is not None]
            assert all(self.simulator.is_running_design_time(artifact) for artifact in wanted), "green means running"


MakeWorld = Callable[..., World]


def make_world(root: Path, *, login: str = "basic", settings: SimulatorSettings | None = None) -> World:
    """Begin with an empty tenant that keeps SAP's published limits, and an empty project."""
    chosen = settings or SimulatorSettings()
    limited = replace(chosen, designtime_rate=10, runtime_rate=50)
    project = Project(root, keys={"tenant": {"host": URL, **LOGINS[login]}})
    return World(project=project, simulator=Simulator(limited))


async def _at_once(work: Callable[[], None]) -> None:
    """Do blocking work right here: beside a thread the virtual clock would run away."""
    work()
    await trio.lowlevel.checkpoint()


async def _yes(_: str) -> bool:
    """Confirm whatever is protected."""
    await trio.lowlevel.checkpoint()
    return True


def _ignore(_: object) -> None:
    """Take a secret and do nothing with it."""
