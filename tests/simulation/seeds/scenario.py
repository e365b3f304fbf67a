"""One integer makes everything: a repository, a tenant, what goes wrong, how runs end; the same one makes it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import trio

from cpi_tasks import app
from cpi_tasks.errors import CpiTasksError, SimulatorError
from cpi_tasks.events import Emit, Event
from cpi_tasks.model.report import Status
from cpi_tasks.planning import SavedPlan
from cpi_tasks.simulator import Action, ActionKind, FaultScript
from cpi_tasks.simulator.fates import FateBook
from cpi_tasks.simulator.lifecycle import Fate
from tests.simulation.seeds import under_way, weather
from tests.simulation.seeds.asking import Ask, draw_ask
from tests.simulation.seeds.content import Content
from tests.simulation.seeds.ended import Ended, deployments_alive, picture
from tests.simulation.seeds.endings import End, Killed
from tests.simulation.seeds.obstacles import is_smooth
from tests.simulation.seeds.placing import place
from tests.support.world import Ran, World

_ENDINGS = ("kill", "kill", "cancel", "SIGTERM", "SIGINT", "SIGINT twice")
_SETTLED = {Status.DONE, Status.UNCHANGED}
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

    def run_folders(self) -> set[Path]:
        """Give the folders of all runs so far."""
        return set((self.project.root / ".cpi" / "runs").glob("*"))


@dataclass(slots=True, kw_only=True)
class Scenario:
    """A seed being played; ``story`` tells what was done, for whoever reads of a failure."""

    seed: int
    lots: Random
    world: SeedWorld
    content: Content
    login: str
    judge: Judge
    story: list[str] = field(default_factory=list)
    people: bool = False
    """Whether somebody else changed the tenant."""
    joined: bool = False
    """Whether the repairing run met deployments that an earlier run had triggered."""
    is_replaced_by_hand: bool = False
    """Whether somebody deleted an artifact, and with it what had been configured."""
    set_by_hand: dict[tuple[str, str], str] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    """What the last run is on record to have left as the files want it."""
    drifted: dict[str, bytes] = field(default_factory=dict)
    """What somebody wrote over what a run is on record to have left, by artifact."""

    async def play(self) -> None:
        """Bring something up, change it, let a storm come or two, and settle."""
        self.content.fill()
        self.story += await place(self.content, self.world.simulator)
        if self.lots.random() < 0.7:
            await self.calm("first run", settles=False)
            self._edit_files(self.lots.randint(1, 5))
            self._edit_tenant(self.lots.choice((0, 0, 1, 2)))
            if self.lots.random() < 0.15:
                self.story.append(".cpi is lost")
                self.drifted.clear()
                self.world.forget()
        await self.storm()
        if self.lots.random() < 0.3:
            self._edit_files(self.lots.randint(0, 4))
            await self.storm()
        await trio.sleep(self.lots.choice((0, 5, 90)))
        if self._stuck():
            # The runtime may show it only after a while.
            await trio.sleep(30)
        self._clear_up()
        if self._unsure():
            await trio.sleep(100)
        self._settle()
        await self.calm("repairing run", settles=True)
        await self.calm("idle run", settles=True)

    def _settle(self) -> None:
        keys = self.world.project.keys
        keys.update(_SETTLING)
        keys.pop("maxFailures", None)
        if self.world.simulator.settings.save_version_rule != "any" and keys["versioning"] == "exact":
            # What has a higher version there keeps it, whatever a run does.
            keys["versioning"] = "manifest"

    async def calm(self, name: str, *, settles: bool) -> None:
        """Run where nothing goes wrong."""
        await self._run(Ended(name=name, first_request=0, events=[], is_light=True, ask=Ask(allow_downgrade=settles)))

    async def storm(self) -> None:
        """Run in any weather, with people about, to the end or to some moment."""
        lots, simulator = self.lots, self.world.simulator
        is_light = lots.random() < 0.5
        gives_texts = simulator.settings.error_body not in {"empty", "null-message"}
        rules = (
            weather.light(lots, self.login, gives_texts=gives_texts)
            if is_light
            else weather.heavy(lots, self.login, self.content)
        )
        life = weather.deeds(lots, self.content) if not is_light and lots.random() < 0.5 else []
        self.people = self.people or bool(life)
        script = FaultScript.of(*rules, *life, seed=self.seed)
        ask = draw_ask(lots, self.content)
        ending = lots.choice(_ENDINGS) if lots.random() < 0.4 else ""
        self.story += [*str(script).splitlines(), f"storm: {ask}, ended by {ending or 'itself'}"]
        is_hard = bool(ending) or self.people or ask.mode == "deploy-only"
        simulator.play(script)
        ended = Ended(
            name="storm",
            first_request=0,
            events=[],
            ask=ask,
            is_light=is_light and not is_hard,
            has_others=bool(script.load),
        )
        await self._run(ended, ending=ending)
        # What people still had to do they do after the run, or not at all.
        self._clear_up()

    async def _run(self, ended: Ended, *, ending: str = "") -> None:
        # The limits are each run's own: programs that start within one second are not this one's concern.
        await trio.sleep(2)
        world, simulator = self.world, self.world.simulator
        ended.overlapped, ended.unsure = frozenset(under_way.in_flight(simulator)), self._unsure()
        ended.is_light = ended.is_light and (not ended.unsure or ended.name != "storm")
        ended.is_light = ended.is_light and is_smooth(ended.ask, self.content, world)
        ended.first_request = len(simulator.requests)
        ended.before = picture(simulator)
        known = world.run_folders()
        end = End(ending, self.lots.randint(1, 90))
        world.is_attended = ending.startswith("SIGINT") and self.lots.random() < 0.5

        def watch(event: Event) -> None:
            ended.events.append(event)
            ended.times.append(trio.current_time())
            end.note(event)

        world.project.keys.update(ended.ask.keys)
        try:
            with end.scope:
                ended.ran = await world.run(ended.ask.selection, watch=watch)
        except BaseExceptionGroup as group:
            _, rest = group.split(Killed)
            if rest is not None:
                raise
        except Killed:
            pass
        except CpiTasksError as error:
            ended.error = error
        ended.requests = simulator.requests[ended.first_request :]
        ended.folders = tuple(world.run_folders() - known)
        ended.is_cut_off = ended.ran is None and ended.error is None
        ended.touched = frozenset(one.rule.action.artifact for one in simulator.happenings if not one.problem)
        ended.fated = frozenset(
            item
            for item in map(self.content.final, self.content.items)
            if any(one.fate is not Fate.STARTS for one in deployments_alive(simulator, item, ended.before.now_ms))
        )
        said = "cut off" if ended.is_cut_off else repr(ended.error) if ended.ran is None else str(ended.ran.exit_code)
        self.story.append(f"{ended.name}: {said}")
        self._note_asked()
        self.judge(self, ended)
        if ended.ran is not None:
            updates = [(str(one.ref.artifact), one.update) for one in ended.ran.report.artifacts()]
            self.settled = {id_ for id_, step in updates if step is not None and step.status in _SETTLED}
        for key in ended.ask.keys:
            del world.project.keys[key]

    def _edit_files(self, times: int) -> None:
        self.story += [self.content.edit(self.world.simulator.artifacts) for _ in range(times)]

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
            item = self.content.find(deed.artifact)
            if deed.kind is ActionKind.EDIT and item is not None and deed.artifact in self.settled:
                self.drifted |= {deed.artifact: next(iter(deed.files.values()))}

    def _note_deed(self, deed: Action) -> None:
        self.is_replaced_by_hand = self.is_replaced_by_hand or deed.kind is ActionKind.DELETE
        if deed.kind is ActionKind.SET_PARAMETER:
            self.set_by_hand[deed.artifact, deed.key] = deed.value

    def _note_asked(self) -> None:
        """Forget what a person configured where it has become what the files ask for: later they may ask for less."""
        for item in self.content.items:
            artifact = self.content.final(item)
            found = self.world.simulator.artifacts.get(artifact)
            for key, value in item.overrides.items():
                if found is not None and found.parameters.get(key) == value:
                    self.set_by_hand.pop((artifact, key), None)

    def _unsure(self) -> frozenset[str]:
        return under_way.unsure(self.world.simulator, self.world.project.root / ".cpi")

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
        deployed = simulator.deployed
        for artifact in self._stuck():
            # Such a deployment is watched run after run, until somebody stops it or gives --force.
            if artifact in deployed and deployed[artifact].status == "STARTING":
                simulator.undeploy(artifact)

    def _stuck(self) -> list[str]:
        """Give what will be starting for ever."""
        records = self.world.simulator._state.runtime.items()
        return [id_ for id_, one in records if one.log and getattr(one.log[-1], "fate", None) is Fate.STAYS_STARTING]


Judge = Callable[[Scenario, Ended], None]
