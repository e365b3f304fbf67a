"""The request log: what arrived, what was answered, and what in it a gentle client would not have caused."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Literal

from cpi_tasks.errors import SimulatorError
from cpi_tasks.simulator.odata import API_ROOT

Family = Literal["designtime", "runtime", "token", "other"]
_RUNTIME_SETS = ("IntegrationRuntimeArtifacts", "BuildAndDeployStatus", "ServiceEndpoints")
_LOGS = "MessageProcessingLogs"
_ROUNDING_S = 1e-9

KEPT_REQUESTS = 100_000
"""How many requests a tenant keeps where nothing else is asked for."""

RECORD = "cpi_tasks.request_record"
"""Where a request's ASGI scope carries its record, for whoever stands in front of the application."""


@dataclass(slots=True, kw_only=True)
class RequestRecord:
    """One request as it arrived: decoded path and query, the status answered (0: none), trio time in seconds.

    ``handled`` is the status the tenant came to, also where the answer was lost (0: not handled); ``fault`` names the
    planned fault that struck. A request inside of a ``$batch`` has a record of its own (``in_batch``), with the path it
    came to; ``parts`` of the batch lists these. Where a change set was undone, no part but the failed one was answered
    or handled.
    """

    method: str
    path: str
    query: str
    time: float
    status: int = 0
    handled: int = 0
    fault: str = ""
    in_batch: bool = False
    parts: list[RequestRecord] = field(default_factory=list, repr=False)

    @property
    def target(self) -> str:
        """Path and query, decoded."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def family(self) -> Family:
        """Whose rate limit the request counts against; ``token`` and ``other`` have none."""
        return family_of(self.path)

    def matches(self, method: str, pattern: str) -> bool:
        """Whether the method (``*`` for any) fits and the target begins with the pattern or contains it as a regex."""
        if method not in {"*", self.method}:
            return False
        if self.target.startswith((pattern, f"{API_ROOT}/{pattern}")):
            return True
        try:
            return re.search(pattern, self.target) is not None
        except re.error:
            return False


def family_of(path: str) -> Family:
    """Tell which published limit a path falls under."""
    if path == "/oauth/token":
        return "token"
    if path != API_ROOT and not path.startswith(f"{API_ROOT}/"):
        return "other"
    resource = path.removeprefix(f"{API_ROOT}/")
    if resource.startswith(_LOGS):
        # Their limit (100 requests a second for one user) is far above what anybody sends.
        return "other"
    return "runtime" if resource.startswith(_RUNTIME_SETS) else "designtime"


class RequestLog:
    """The latest requests, and what is known of all of them: how many, and the highest rate of each family.

    At most ``limit`` requests are kept; older ones are dropped, and stay counted. Callable from any thread.
    """

    def __init__(self, limit: int = KEPT_REQUESTS) -> None:
        """Begin with none."""
        self._kept: deque[RequestRecord] = deque(maxlen=limit)
        self._second: dict[Family, deque[float]] = {}
        self._peaks: dict[str, int] = {}
        self._lock = Lock()
        self.total = 0

    def append(self, record: RequestRecord) -> None:
        """Take notice of a request that has just arrived."""
        with self._lock:
            self._kept.append(record)
            self.total += 1
            family = record.family
            second = self._second.setdefault(family, deque())
            while second and second[0] <= record.time - 1 + _ROUNDING_S:
                second.popleft()
            second.append(record.time)
            self._peaks[family] = max(self._peaks.get(family, 0), len(second))

    @property
    def dropped(self) -> int:
        """How many requests are not kept any more."""
        with self._lock:
            return self.total - len(self._kept)

    def kept(self) -> list[RequestRecord]:
        """Give the latest requests, in order of arrival."""
        with self._lock:
            return list(self._kept)

    def whole(self) -> list[RequestRecord]:
        """Give every request there was; ``SimulatorError`` where some are not kept any more."""
        kept = self.kept()
        if self.dropped:
            raise SimulatorError(
                f"the embedded tenant has had {self.total} requests and keeps the latest {len(kept)}, so it cannot "
                "tell about all of them; give Simulator(keep_requests=...) a higher number"
            )
        return kept

    def highest_rate(self, family: str) -> int:
        """Give the most requests of a family that arrived in any one second, those refused included."""
        with self._lock:
            return self._peaks.get(family, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """Something a run has to answer for: a request above the limits, something deleted, something stopped."""

    kind: Literal["refused", "delete", "undeploy"]
    method: str
    target: str
    time: float

    def __str__(self) -> str:
        """Give kind and request."""
        return f"{self.kind}: {self.method} {self.target}"


def violations(records: Iterable[RequestRecord]) -> list[Violation]:
    """Pick what was refused with 429 (not where a script planned that), and deletions and undeployments done."""
    found: list[Violation] = []
    for record in records:
        kind = _violation_of(record)
        if kind is not None:
            found.append(Violation(kind=kind, method=record.method, target=record.target, time=record.time))
    return found


def _violation_of(record: RequestRecord) -> Literal["refused", "delete", "undeploy"] | None:
    if record.handled == 429:  # noqa: PLR2004 - Too Many Requests
        return "refused"
    if record.method != "DELETE" or not 200 <= record.handled < 300:  # noqa: PLR2004 - done
        return None
    return "undeploy" if record.family == "runtime" else "delete"
