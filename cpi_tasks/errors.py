"""The error tree: what can go wrong, as plain values with a sentence for a person.

Every class knows the exit code a run ends with when the error ends the run. Errors about one artifact never end a run;
they become that artifact's outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class CpiTasksError(Exception):
    """Base of everything this package raises on purpose; ``str()`` is one sentence for a person."""

    exit_code: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One thing wrong with the input, with the place to mend it (line and column count from 1; 0 = whole file)."""

    file: str
    line: int = 0
    column: int = 0
    path: str = ""
    message: str
    rule: str = ""
    """The kind of problem, where somebody treats that kind differently: ``unset-variable``, ``login``."""

    def __str__(self) -> str:
        """Give ``file:line:column: path: message``, leaving out what is not known."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return ": ".join(part for part in (place, self.path, self.message) if part)


class InputError(CpiTasksError):
    """The environment, configuration, content or flags are wrong; nothing was sent that changes the tenant."""

    exit_code = 4

    def __init__(self, problems: tuple[Problem, ...] | list[Problem]) -> None:
        """Keep all problems, sorted by place, each once."""
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Refused(CpiTasksError):
    """Something stands in the way that only a person may clear; nothing was sent that changes the tenant.

    A stale plan, drift, a downgrade, protection, another run.
    """

    exit_code = 5


class DownloadError(CpiTasksError):
    """A deploy configuration could not be fetched from its URL; the sentence names the URL without its query."""

    exit_code = 4


class StateFolderError(CpiTasksError):
    """The project's ``.cpi`` folder could not be used: without records nothing is written to a tenant."""


class Interrupted(CpiTasksError):
    """A signal ended the run before anything was planned, so that there is no report to give."""

    exit_code = 130


class SimulatorError(CpiTasksError):
    """The embedded tenant could not be started or its state file could not be used."""


class TenantError(CpiTasksError):
    """The tenant did not do what it was asked to do."""


class AuthenticationError(TenantError):
    """The tenant or its token service refused the login."""

    exit_code = 3


class NotRecorded(TenantError):
    """A write was not sent, because it could not be put on record first; the sentence says why."""


class TenantUnavailable(TenantError):
    """No usable answer came from the tenant: no connection, a time-out, a gateway's error or an unreadable body."""

    exit_code = 3


class TenantGone(TenantUnavailable):
    """The tenant has been waited for as long as the run may wait: it is asked nothing more, whoever asks."""


class RequestFailed(TenantError):
    """One request came to nothing, though the tenant answers: what it was about fails, and nothing else."""


class UnreadableAnswer(RequestFailed):
    """The tenant answered with a row or entity that cannot be read, such as one without its key."""


class RequestRejected(RequestFailed):
    """The tenant answered a request with an error status.

    ``action`` says what was asked in words ("create integration flow 'A'"), ``detail`` is the tenant's own text.
    """

    def __init__(self, *, action: str, status: int, code: str = "", detail: str = "") -> None:
        """Build the sentence from its parts, which stay readable as attributes."""
        self.action = action
        self.status = status
        self.code = code
        self.detail = detail
        said = f"{status} {code}".strip()
        text = f": {detail}" if detail else " without a text"
        super().__init__(f"could not {action}: the tenant answered {said}{text}")
