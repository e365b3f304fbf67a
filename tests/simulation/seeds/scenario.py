"""One integer makes everything: a repository, a tenant, what goes wrong, how runs end; the same one makes it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import trio
import trio.testing

from cpi_tasks import app
from cpi_tasks.errors import CpiTasksError, SimulatorError
from cpi_tasks.events import Emit, Event
from cpi_tasks.model.config import Selection
from cpi_tasks.planning import SavedPlan
from cpi_tasks.simulator import Action, ActionKind, FaultScript, SimulatorSettings
from cpi_tasks.simulator.fates import FateBook
from cpi_tasks.simulator.lifecycle import Deployment, Fate
from tests.simulation.seeds import weather
from tests.simulation.seeds.content import Content
from tests.simulation.seeds.endings import End, Killed, exactly
from tests.support.project import Project
from tests.support.world import LOGINS, URL, Ran, World
from tests.support.world import make_world as make_plain_world

_FAMILIES = ("Integration", "MessageMapping", "ScriptCollection", "ValueMapping")
_ENDINGS = ("kill", "kill", "cancel", "SIGTERM", "SIGINT", "SIGINT twice")
_SETTLING = {
    "onDraft": "overwrite",
    "valueMappings": "replace",
    "onDrift": "overwrite",
    "onFailure": "continue",
    "deployTimeoutSeconds": 600,
}


@dataclass(slots=True, kw_only=True)
class SeedWorld(World):
    """A world whose runs are judged by the invariants of the seeds, not by those of plain worlds."""

    is_attended: bool = False

    def _check(self, ran: Ran, statuses: list[int]) -> None:
        """Leave the judgement to the invariants."""

    def _terms(self, emit: Emit, *, saved: SavedPlan | None = None) -> app.Terms:
        return replace(World._terms(self, emit, saved=saved), is_attended=self.is_attended)


@dataclass(slots=True, kw_only=True)
class Ended:
    """How one run ended: with a report, an error, or not at all (killed)."""

    name: str
    first_request: int
    events: list[Event]
    ran: Ran | None = None
    error: CpiTasksError | None = None
    is_light: bool = False
    """Whether nothing stood in the way that a run does not get over."""
    is_cut_off: bool = False
    touched: frozenset[str] = frozenset()
    """What people worked on meanwhile."""
    fated: frozenset[str] = frozenset()
    """Whose deployments were to fail: what ran before may go on running, and be the wanted all the same."""
    overlapped: frozenset[str] = frozenset()
    """Whose deployment by an earlier run was still under way at the beginning."""
    has_others: bool = False


@dataclass(slots=True, kw_only=True)
class Scenario:
    """A seed being played; ``story`` tells what was done, for whoever reads of a failure."""

    seed: int
    lots: Random
    world: SeedWorld
    content: Content
    login: str
    judge: Callable[[Scenario, Ended], None]
    story: list[str] = field(default_factory=list)
    people: bool = False
    """Whether somebody else changed the tenant."""
    joined: bool = False
    """Whether the repairing run met deployments that an earlier run had triggered."""
    is_replaced_by_hand: bool = False
    """Whether somebody deleted an artifact, and with it what had been configured."""
    set_by_hand: dict[tuple[str, str], str] = field(default_factory=dict)

    async def play(self) -> None:
        """Bring something up, change it, let a storm come or two, and settle."""
        self.content.fill()
        if self.lots.random() < 0.6:
            await self.calm("first run", settles=False)
            self._edit_files(self.lots.randint(0, 3))
            self._edit_tenant(self.lots.choice((0, 0, 1, 2)))
            if self.lots.random() < 0.15:
                self.story.append(".cpi is lost")
                self.world.forget()
        await self.storm()
        if self.lots.random() < 0.3:
            self._edit_files(self.lots.randint(0, 2))
            await self.storm()
        await trio.sleep(self.lots.choice((0, 5, 90)))
        self._clear_up()
        if any(count > 1 or is_failing for count, is_failing in self._in_flight().values()):
            # Whoever comes while two deployments of one artifact, or one that will fail, are under way may see either.
            await trio.sleep(100)
        self.world.project.keys.update(_SETTLING)
        self.world.project.keys.pop("maxFailures", None)
        await self.calm("repairing run", settles=True)
        await self.calm("idle run", settles=True)

    async def calm(self, name: str, *, settles: bool) -> None:
        """Run where nothing goes wrong."""
        await self._run(Ended(name=name, first_request=0, events=[], is_light=True), Selection(allow_downgrade=settles))

    async def storm(self) -> None:
        """Run in any weather, with people about, to the end or to some moment."""
        lots, simulator = self.lots, self.world.simulator
        is_light = lots.random() < 0.5
        rules = weather.light(lots, self.login) if is_light else weather.heavy(lots, self.login, self.content)
        life = weather.deeds(lots, self.content) if not is_light and lots.random() < 0.5 else []
        self.people = self.people or bool(life)
        script = FaultScript.of(*rules, *life, seed=self.seed)
        mode = lots.choice(("update-and-deploy",) * 5 + ("update-only", "deploy-only"))
        selection = Selection(mode_flags=(("--mode", mode),), force=lots.random() < 0.1)
        ending = lots.choice(_ENDINGS) if lots.random() < 0.4 else ""
        self.story += [*str(script).splitlines(), f"storm: {mode}, ended by {ending or 'itself'}"]
        is_hard = bool(ending) or self.people or mode == "deploy-only"
        simulator.play(script)
        ended = Ended(
            name="storm",
            first_request=0,
            events=[],
            is_light=is_light and not is_hard,
            touched=frozenset(rule.action.artifact for rule in life),
            fated=frozenset(rule.artifact for rule in script.deployments if rule.fate.ends is not None),
            has_others=bool(script.load),
        )
        await self._run(ended, selection, ending=ending)
        # What people still had to do they do after the run, or not at all.
        self._clear_up()

    async def _run(self, ended: Ended, selection: Selection, *, ending: str = "") -> None:
        # The limits are each run's own: programs that start within one second are not this one's concern.
        await trio.sleep(2)
        ended.overlapped = frozenset(self._in_flight())
        ended.is_light = ended.is_light and (not ended.overlapped or ended.name != "storm")
        ended.first_request = len(self.world.simulator.requests)
        end = End(ending, self.lots.randint(1, 90))
        self.world.is_attended = ending.startswith("SIGINT") and self.lots.random() < 0.5

        def watch(event: Event) -> None:
            ended.events.append(event)
            end.note(event)

        try:
            with end.scope:
                ended.ran = await self.world.run(selection, watch=watch)
        except BaseExceptionGroup as group:
            _, rest = group.split(Killed)
            if rest is not None:
                raise
        except Killed:
            pass
        except CpiTasksError as error:
            ended.error = error
        ended.is_cut_off = ended.ran is None and ended.error is None
        said = "cut off" if ended.is_cut_off else repr(ended.error) if ended.ran is None else str(ended.ran.exit_code)
        self.story.append(f"{ended.name}: {said}")
        self.judge(self, ended)

    def _edit_files(self, times: int) -> None:
        self.story += [self.content.edit() for _ in range(times)]

    def _edit_tenant(self, times: int) -> None:
        for _ in range(times):
            deed = weather.deed(self.lots, self.content)
            if deed is None:
                continue
            self.people = True
            try:
                deed.perform(self.world.simulator)
            except SimulatorError:
                continue
            self.story.append(f"tenant: {deed}")
            self._note_deed(deed)

    def _note_deed(self, deed: Action) -> None:
        self.is_replaced_by_hand = self.is_replaced_by_hand or deed.kind is ActionKind.DELETE
        if deed.kind is ActionKind.SET_PARAMETER:
            self.set_by_hand[deed.artifact, deed.key] = deed.value

    def _in_flight(self) -> dict[str, tuple[int, bool]]:
        """Give of each artifact that is being deployed how often at once, and whether any of these will fail."""
        state = self.world.simulator._state
        now_ms = state.clock.now_ms()
        found: dict[str, tuple[int, bool]] = {}
        for artifact, record in state.runtime.items():
            going = [one for one in record.log if isinstance(one, Deployment) and one.final_ms > now_ms]
            if going:
                found[artifact] = len(going), any(one.fate is not Fate.STARTS for one in going)
        return found

    def _clear_up(self) -> None:
        """End the weather, close editors, and take away what would be starting for ever."""
        simulator = self.world.simulator
        stage = simulator._front.stage
        for action in [one.rule.action for one in simulator.happenings if not one.problem]:
            self._note_deed(action)
        for known in (stage._faults, stage._deeds, stage._load, stage.happenings):
            known.clear()
        simulator._state.fates = FateBook()
        for artifact in simulator.locks:
            simulator.unlock(artifact)
        for artifact, shown in simulator.deployed.items():
            # Such a deployment is watched run after run, until somebody stops it or gives --force.
            last = simulator._state.runtime[artifact].log[-1]
            if shown.status == "STARTING" and getattr(last, "fate", None) is Fate.STAYS_STARTING:
                simulator.undeploy(artifact)


def make_scenario(seed: int, root: Path, judge: Callable[[Scenario, Ended], None]) -> Scenario:
    """Draw repository, environment and tenant of a seed."""
    lots = Random(seed)  # noqa: S311 - no secret
    login = lots.choice(("basic", "oauth"))
    profile = lots.choice(("default", "default", "strict", "lenient", "drafts", "legacy"))
    settings = replace(
        SimulatorSettings.profile(profile),
        deploy_s=lots.choice((1.0, 10.0, 45.0)),
        modified_at_families=frozenset(family for family in _FAMILIES if lots.random() < 0.5),
        gives_task_id_for_all=lots.random() < 0.5,
        gives_deployed_on=lots.random() < 0.9,
        # Where this is forbidden a running value mapping cannot be replaced, whatever a run does.
        deletes_deployed=True,
        parameter_write_moves_modified_at=lots.random() < 0.5,
    )
    plain = make_plain_world(root, login=login, settings=settings)
    world = SeedWorld(project=Project(root), simulator=plain.simulator, fails_requests=True)
    world.project.keys = {"tenant": {"host": URL, **LOGINS[login]}, **_environment(lots)}
    content = Content(random=lots, project=world.project)
    scenario = Scenario(seed=seed, lots=lots, world=world, content=content, login=login, judge=judge)
    shown = {key: value for key, value in world.project.keys.items() if key != "tenant"}
    scenario.story.append(f"tenant {profile}, login {login}, {shown}")
    return scenario


def _environment(lots: Random) -> dict[str, object]:
    keys: dict[str, object] = {
        "parallelDeployments": lots.randint(1, 4),
        "polling": lots.choice(("adaptive", "adaptive", "fixed")),
        "verify": lots.choice(("parameters", "full", "cached")),
        "parameterPolicy": lots.choice(("overrides", "overrides", "all")),
        "valueMappings": lots.choice(("safe", "replace", "keep")),
        "onDraft": lots.choice(("fail", "overwrite", "skip")),
        "onDrift": lots.choice(("warn", "overwrite", "fail")),
        "versioning": lots.choice(("manifest", "manifest", "keep", "bump")),
        "deployDelaySeconds": lots.choice((5, 15)),
        "deployTimeoutSeconds": lots.choice((200, 600)),
        "requestTimeoutSeconds": lots.choice((20, 180)),
        "outageBudgetSeconds": lots.choice((60, 300)),
    }
    if lots.random() < 0.2:
        keys["onFailure"] = "stop"
    if lots.random() < 0.2:
        keys["maxFailures"] = lots.choice((1, "50%"))
    return keys


def play(seed: int, root: Path, judge: Callable[[Scenario, Ended], None]) -> Scenario:
    """Play a seed from beginning to end in a loop of its own; a failure tells the seed and the story."""
    scenario = make_scenario(seed, root, judge)
    with exactly(seed):
        try:
            trio.run(scenario.play, clock=trio.testing.MockClock(autojump_threshold=0))
        except BaseException as error:
            error.add_note(
                "\n".join((f"seed {seed} (replay: pytest tests/simulation/seeds --seed {seed})", *scenario.story))
            )
            raise
    return scenario
