"""How far a run has come, so that its report can be made whenever it ends."""

from __future__ import annotations

from dataclasses import dataclass, field

import trio

from cpi_tasks import engine
from cpi_tasks.app.plans import Planned
from cpi_tasks.app.prepare import Prepared, tenant_name
from cpi_tasks.errors import StateFolderError
from cpi_tasks.model.config import Settings
from cpi_tasks.model.report import Report


@dataclass(slots=True, kw_only=True)
class Progress:
    """What one run has planned and done so far."""

    started: float
    prepared: Prepared | None = None
    kept_folder: str = ""
    planned: tuple[Planned, ...] = ()
    ledgers: list[engine.Ledger] = field(default_factory=list)
    brake: engine.Brake | None = None
    is_interrupted: bool = False
    begun: float | None = None
    """When the first phase was about to start, by trio's clock."""
    confirmation_s: float = 0.0
    off_record: StateFolderError | None = None
    """Why not everything of the run is on record."""

    def begin(self, planned: tuple[Planned, ...], settings: Settings) -> engine.Brake:
        """Take up what is to be done: from now on the run has a report, however it ends."""
        total = sum(bool(artifact.update or artifact.deploy) for one in planned for artifact in one.plan.artifacts())
        self.begun = trio.current_time()
        self.planned, self.ledgers = planned, [engine.Ledger() for _ in planned]
        self.brake = engine.Brake(settings=settings, total=total)
        return self.brake

    def stop_beginning(self) -> float | None:
        """Begin nothing new; gives the seconds that what is under way may go on, ``None`` if nothing is."""
        if self.brake is None:
            return None
        self.brake.is_interrupted = True
        return self.brake.settings.interrupt_grace_s

    def go_off_record(self, error: StateFolderError) -> str:
        """Begin nothing new because something could not be put on record; gives a warning, empty from the second on.

        Raises the error where nothing was begun yet: then it is what the run ends with.
        """
        if self.brake is None:
            raise error
        if self.off_record is not None:
            return ""
        self.off_record = error
        self.brake.is_off_record = True
        warning = f"what this run does cannot be put on record any more, so nothing new is begun: {error}"
        self.ledgers[0].warnings.append(warning)
        return warning

    def report(self, prepared: Prepared) -> Report:
        """Give the report of what has been done so far; what is under way is told as such."""
        reading_s = None if self.begun is None else self.begun - self.started - self.confirmation_s
        return Report(
            environment=prepared.config.environment,
            tenant=tenant_name(prepared.config),
            parts=tuple(ledger.fold(one.plan) for one, ledger in zip(self.planned, self.ledgers, strict=True)),
            duration_s=trio.current_time() - self.started,
            reading_s=reading_s,
            confirmation_s=self.confirmation_s,
            is_interrupted=self.is_interrupted,
            kept_folder=self.kept_folder,
        )
