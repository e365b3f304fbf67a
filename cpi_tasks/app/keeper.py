"""What a run puts on record of itself: journal and report. A disk that takes no more ends it in good order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cpi_tasks import records, report
from cpi_tasks.app.prepare import Prepared
from cpi_tasks.app.progress import Progress
from cpi_tasks.errors import NotRecorded, StateFolderError
from cpi_tasks.events import Emit, Event, RunFinished, WarningRaised
from cpi_tasks.model.discretion import together, values_in, values_of
from cpi_tasks.model.report import Report
from cpi_tasks.model.tenant import ENDS_WHAT_BEGAN


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Puts one run on record. What fails before the run begins is raised; what fails later lets it begin nothing more.

    ``tell`` is called with what people are to know.
    """

    prepared: Prepared
    progress: Progress
    redactor: report.Redactor
    journal: records.RunJournal
    tell: Emit

    def emit(self, event: Event) -> None:
        """Put an event on record and tell it."""
        with self._going_on():
            self.journal.note(event)
        self.tell(event)

    def notice(self, error: StateFolderError) -> None:
        """Take notice that something could not be kept; raises it where nothing was begun yet."""
        warning = self.progress.go_off_record(error)
        if warning:
            self.tell(WarningRaised(text=warning))

    async def before_write(self) -> None:
        """Wait until the write that is about to be sent is on disk; raises ``NotRecorded`` where it must not be sent.

        That is where anything of the run could not be kept, unless the tenant must not be left as it is now.
        """
        with self._going_on():
            await self.journal.sync()
        if self.progress.off_record is not None and not ENDS_WHAT_BEGAN.get():
            raise NotRecorded(
                f"nothing was sent, because it could not be put on record before: {self.progress.off_record}"
            )

    def write_report(self) -> None:
        """Write the report as it stands, if the run has begun."""
        if self.progress.ledgers:
            contents = (content for found in self.prepared.contents.values() for content in found.values())
            values = together(values_of(contents), *(values_in(one.plan) for one in self.progress.planned))
            text = report.report_json(self.progress.report(self.prepared), self.redactor, values)
            with self._going_on():
                self.prepared.folder.write_report(text)

    def finish(self) -> Report:
        """Put the end of the run on record, tell it, and give the report."""
        with self._going_on():
            self.journal.note(RunFinished(report=self.progress.report(self.prepared)))
        self.write_report()
        result = report.masked(self.progress.report(self.prepared), self.redactor)
        self.tell(RunFinished(report=result))
        return result

    @contextmanager
    def _going_on(self) -> Iterator[None]:
        try:
            yield
        except StateFolderError as error:
            self.notice(error)
