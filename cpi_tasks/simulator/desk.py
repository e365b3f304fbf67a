"""What every API request passes, alone or inside of a batch: the log, planned faults, the rate limits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import trio
from starlette.responses import Response

from cpi_tasks.simulator.auth import Gatekeeper
from cpi_tasks.simulator.checkpoint import all_or_nothing
from cpi_tasks.simulator.fault_answers import ErrorDocument, answer_instead
from cpi_tasks.simulator.faults import Fault, FaultKind
from cpi_tasks.simulator.limits import LimitedFamily, RateLimits
from cpi_tasks.simulator.odata import ODataError
from cpi_tasks.simulator.playing import Stage
from cpi_tasks.simulator.request_log import RequestLog, RequestRecord
from cpi_tasks.simulator.state import TenantState


class Desk:
    """Takes requests in: whoever handles one asks here first and reports here afterwards."""

    def __init__(self, state: TenantState, log: RequestLog, stage: Stage, gatekeeper: Gatekeeper) -> None:
        """Keep the log and the limits of a tenant; ``stage`` plans its faults."""
        self._state = state
        self._log = log
        self._stage = stage
        self._gatekeeper = gatekeeper
        self._limits = RateLimits(state.settings)

    def log_part(self, batch: RequestRecord, method: str, path: str, query: str) -> RequestRecord:
        """Log a request inside of a batch, by its decoded path and query."""
        record = RequestRecord(method=method, path=path, query=query, time=trio.current_time(), in_batch=True)
        batch.parts.append(record)
        self._log.append(record)
        return record

    def fault_for(self, record: RequestRecord) -> Fault | None:
        """Give the fault meant for a request, if any, and note it in its record."""
        fault = self._stage.fault_for(record)
        record.fault = fault.kind.value if fault else ""
        return fault

    def instead(self, fault: Fault, document: ErrorDocument) -> Response:
        """Give the answer of a fault that takes the place of handling; logins end where it says so."""
        if fault.kind is FaultKind.TOKEN_EXPIRED:
            self._gatekeeper.expire_tokens()
        if fault.kind is FaultKind.CSRF_EXPIRED:
            self._gatekeeper.expire_sessions()
        return answer_instead(fault, document, now_ms=self._state.clock.now_ms())

    def check_rate(self, record: RequestRecord, user: str) -> None:
        """Count a request against the limits of its family; one above them is a 429 and does not count."""
        if record.family == "other":
            return
        family: LimitedFamily = "runtime" if record.family == "runtime" else "designtime"
        others = self._stage.others(family)
        if not self._limits.admits(family, user, now_s=trio.current_time(), others=others):
            seconds = self._state.settings.retry_after_s
            raise ODataError(429, "Too many requests", {} if seconds is None else {"Retry-After": str(seconds)})

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Undo every change to the tenant where the block ends in an ``ODataError``; then it never occurred."""
        with self._stage.chronicle.tentatively(), all_or_nothing(self._state):
            yield

    def finish(self, record: RequestRecord) -> None:
        """Take notice of a request that has been dealt with: other people may have waited for it."""
        self._stage.finish(record)
