"""The error tree: what can go wrong, as plain values with a sentence for a person.

Every class knows the exit code a run ends with when the error ends the run. Errors about one artifact never end a run;
they become that artifact's outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from invoke.exceptions import Exit


class CpiTasksError(Exit):
    """Base of everything this package raises on purpose; ``str()`` is one sentence for a person.

    It is an ``Exit`` of Invoke: a task of yours that does not catch it ends with its sentence on standard error and
    its exit code, without a traceback.
    """

    exit_code: int = 1

    def __init__(self, text: str = "") -> None:
        """Keep the sentence."""
        Exception.__init__(self, text)

    @property
    def message(self) -> str:  # type: ignore[override] # Invoke reads it, nobody sets it
        """Return the sentence, as Invoke prints it."""
        return str(self)

    @property
    def code(self) -> int:
        """Return the exit code, as Invoke takes it."""
        return self.exit_code


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


_MOST_NAMED = 10


class RunFailed(CpiTasksError):
    """A run has ended and not everything asked for is done; ``failures`` has one sentence for each thing."""

    def __init__(self, failures: Sequence[str], *, exit_code: int) -> None:
        """Build the sentence: how many things failed, then the first of them, a line each."""
        self.failures = tuple(failures)
        self.exit_code = exit_code
        amount = len(self.failures)
        head = f"{amount} {'failure' if amount == 1 else 'failures'}" if amount else "the run was interrupted"
        more = [f"and {amount - _MOST_NAMED} more; see the report"] if amount > _MOST_NAMED else []
        super().__init__("\n".join((f"{head}:" if amount else head, *self.failures[:_MOST_NAMED], *more)))


class DriftDetected(CpiTasksError):
    """A tenant differs from the files; ``differences`` has one sentence for each of them."""

    exit_code = 2

    def __init__(self, differences: Iterable[str]) -> None:
        """Build the sentence: how many differences there are, then the first of them, a line each."""
        self.differences = tuple(differences)
        amount = len(self.differences)
        head = f"{amount} {'difference' if amount == 1 else 'differences'}:"
        more = [f"and {amount - _MOST_NAMED} more"] if amount > _MOST_NAMED else []
        super().__init__("\n".join((head, *self.differences[:_MOST_NAMED], *more)))


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


class Call(Enum):
    """What a request was for, as far as that decides what its refusal means."""

    READ = "read"
    WRITE = "write"
    DEPLOY = "deploy"


class RequestRejected(RequestFailed):
    """The tenant answered a request with an error status.

    ``action`` says what was asked in words ("create integration flow 'A'"), ``detail`` is the tenant's own text, empty
    where it gave none. ``hint`` is what that probably means. ``is_page``: a page for browsers came, which the tenant
    itself never sends. ``is_token_refused``: a CSRF token was refused. ``advice`` is what to do, where that is known.
    """

    def __init__(
        self,
        *,
        action: str,
        status: int,
        code: str = "",
        detail: str = "",
        hint: str = "",
        call: Call = Call.WRITE,
        is_page: bool = False,
        is_token_refused: bool = False,
        advice: str = "",
    ) -> None:
        """Build the sentence from its parts, which stay readable as attributes."""
        self.action = action
        self.status = status
        self.status_text = code
        self.detail = detail
        self.call = call
        self.is_page = is_page
        self.is_token_refused = is_token_refused
        self.advice = advice
        said = f"{status} {code}".strip()
        text = "; ".join(part for part in (detail, hint) if part)
        super().__init__(f"could not {action}: the tenant answered {said}{f': {text}' if text else ' without a text'}")


@contextmanager
def raised_alone(*kinds: type[Exception]) -> Iterator[None]:
    """Raise the first error of ``kinds`` instead of an exception group that holds nothing else.

    A group that also holds errors of other kinds is raised as it is. This does not use ``except*``: before
    Python 3.11.4, ``raise error from None`` inside ``except*`` raises a group again (cpython issue 103590).
    """
    try:
        yield
    except BaseExceptionGroup as group:
        _, others = group.split(kinds)
        if others is not None:
            raise
        raise _first(group) from None


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
