"""A script under way: what has been counted, what is drawn by lot, what other people still have to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from cpi_tasks.errors import SimulatorError
from cpi_tasks.simulator.fates import FateBook
from cpi_tasks.simulator.faults import IN_A_BATCH, Fault
from cpi_tasks.simulator.history import Chronicle
from cpi_tasks.simulator.life import Person
from cpi_tasks.simulator.limits import LimitedFamily, OtherUsers
from cpi_tasks.simulator.odata import ODataError
from cpi_tasks.simulator.request_log import RequestRecord
from cpi_tasks.simulator.rules import FaultRule, LifeRule, When
from cpi_tasks.simulator.script import FaultScript
from cpi_tasks.simulator.state import TenantState


@dataclass(slots=True, kw_only=True)
class _Fault:
    rule: FaultRule
    random: Random
    begin_ms: float
    matches: int = 0


@dataclass(slots=True, kw_only=True)
class _Deed:
    rule: LifeRule
    begin_ms: float
    matches: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """A deed of other people that is done (``problem`` empty) or was not possible then; time in epoch milliseconds."""

    time_ms: float
    rule: LifeRule
    problem: str = ""


@dataclass(slots=True)
class Stage:
    """Where scripts are played: faults and deeds still to come, in the order they were planned."""

    state: TenantState
    person: Person
    chronicle: Chronicle
    happenings: list[Happening] = field(default_factory=list)
    _faults: list[_Fault] = field(default_factory=list)
    _deeds: list[_Deed] = field(default_factory=list)
    _load: list[tuple[float, OtherUsers]] = field(default_factory=list)
    _is_playing: bool = False

    def play(self, script: FaultScript) -> None:
        """Begin with a script; faults planned before go first, its deployment rules replace those of another."""
        begin_ms = self.state.clock.now_ms()
        for index, rule in enumerate(script.faults):
            self.plan(rule, lots=f"{script.seed}/{index}")
        self.chronicle.expect(*(rule.after for rule in script.life))
        self._deeds += [_Deed(rule=rule, begin_ms=begin_ms) for rule in script.life]
        self._load += [(begin_ms, load) for load in script.load]
        if script.deployments:
            self.state.fates = FateBook(script.deployments, script.seed)

    def plan(self, rule: FaultRule, *, lots: str = "") -> None:
        """Plan one fault, from now on; it comes after those planned before."""
        random = Random(lots)  # noqa: S311 - no secret
        self.chronicle.expect(rule.when.after, rule.when.before)
        self._faults.append(_Fault(rule=rule, random=random, begin_ms=self.state.clock.now_ms()))

    def fault_for(self, record: RequestRecord) -> Fault | None:
        """Give the fault meant for a request that has just arrived, if any.

        A request inside of a batch is passed over by rules whose fault can only strike a connection or a whole answer.
        """
        now_ms = self.state.clock.now_ms()
        for item in self._faults:
            when = item.rule.when
            if record.in_batch and item.rule.fault.kind not in IN_A_BATCH:
                continue
            if not record.matches(item.rule.method, item.rule.pattern) or not self._is_time(when, item, now_ms):
                continue
            item.matches += 1
            if _strikes(when, item):
                return item.rule.fault
        return None

    def _is_time(self, when: When, item: _Fault, now_ms: float) -> bool:
        if now_ms < item.begin_ms + when.after_s * 1000:
            return False
        if when.after is not None and not self.chronicle.has_occurred(when.after):
            return False
        return when.before is None or not self.chronicle.has_occurred(when.before)

    def others(self, family: LimitedFamily) -> int:
        """Tell how many requests other users sent in the second that ends now."""
        now_ms = self.state.clock.now_ms()
        return sum(load.requests(family, (now_ms - begin_ms) / 1000) for begin_ms, load in self._load)

    def catch_up(self) -> None:
        """Do what other people have done by now, each deed at its own moment."""
        if self._is_playing or not self._deeds:
            return
        now_ms = self.state.clock.now_ms()
        timed = [(deed.begin_ms + deed.rule.at_s * 1000, deed) for deed in self._deeds if deed.rule.at_s is not None]
        for moment_ms, deed in sorted((item for item in timed if item[0] <= now_ms), key=lambda item: item[0]):
            self._perform(deed, moment_ms)
        self._do_what_waited(now_ms)

    def finish(self, record: RequestRecord) -> None:
        """Take notice of a request that has been dealt with, and do what was waiting for it."""
        if record.handled:
            self.chronicle.note(record)
        now_ms = self.state.clock.now_ms()
        for deed in [deed for deed in self._deeds if deed.rule.nth is not None]:
            if record.matches(deed.rule.method, deed.rule.pattern):
                deed.matches += 1
                if deed.matches == deed.rule.nth:
                    self._perform(deed, now_ms)
        self._do_what_waited(now_ms)

    def _do_what_waited(self, now_ms: float) -> None:
        for deed in [deed for deed in self._deeds if deed.rule.after is not None]:
            if deed.rule.after is not None and self.chronicle.has_occurred(deed.rule.after):
                self._perform(deed, now_ms)

    def _perform(self, deed: _Deed, moment_ms: float) -> None:
        self._deeds.remove(deed)
        self._is_playing = True
        problem = ""
        try:
            with self.state.clock.standing_at(moment_ms):
                deed.rule.action.perform(self.person)
        except (SimulatorError, ODataError) as error:
            problem = str(error)
        finally:
            self._is_playing = False
        self.happenings.append(Happening(time_ms=moment_ms, rule=deed.rule, problem=problem))


def _strikes(when: When, item: _Fault) -> bool:
    count = item.matches
    # Drawn for every match, so that what else is asked for does not move the lots.
    is_drawn = when.probability is None or item.random.random() < when.probability
    if when.nth is not None and count != when.nth:
        return False
    if when.first is not None and count > when.first:
        return False
    return is_drawn and (when.every is None or count % when.every == 0)
