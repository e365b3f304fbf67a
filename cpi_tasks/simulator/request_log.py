"""The request log: what arrived, what was answered, and what in it a gentle client would not have caused."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cpi_tasks.simulator.odata import API_ROOT

Family = Literal["designtime", "runtime", "token", "other"]
_RUNTIME_SETS = ("IntegrationRuntimeArtifacts", "BuildAndDeployStatus", "ServiceEndpoints", "MessageProcessingLogs")
_ROUNDING_S = 1e-9

RECORD = "cpi_tasks.request_record"
"""Where a request's ASGI scope carries its record, for whoever stands in front of the application."""


@dataclass(slots=True, kw_only=True)
class RequestRecord:
    """One request as it arrived: decoded path and query, the status answered (0: none), trio time in seconds.

    ``handled`` is the status the tenant came to, also where the answer was lost (0: not handled); ``fault`` names the
    planned fault that struck.
    """

    method: str
    path: str
    query: str
    time: float
    status: int = 0
    handled: int = 0
    fault: str = ""

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
    return "runtime" if path.removeprefix(f"{API_ROOT}/").startswith(_RUNTIME_SETS) else "designtime"


def highest_rate(records: Iterable[RequestRecord], family: str) -> int:
    """Give the most requests of a family that arrived in any one second, those refused included."""
    window: deque[float] = deque()
    highest = 0
    for record in records:
        if record.family != family:
            continue
        while window and window[0] <= record.time - 1 + _ROUNDING_S:
            window.popleft()
        window.append(record.time)
        highest = max(highest, len(window))
    return highest


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
