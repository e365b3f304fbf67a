"""What the looks at one deployment have shown since its trigger, and what is known of deployments before it."""

from __future__ import annotations

from cpi_tasks.engine.judge import Expectation, Look, is_built, is_candidate, is_end, is_preceded
from cpi_tasks.model.records import NOTHING_RAN, ArtifactRecord
from cpi_tasks.model.tenant import RuntimeArtifact

# Where a tenant gives neither a time nor a task, the old state cannot be told from the new one before this long; and a
# task that says DEPLOYING for so long after an end was seen is taken to hang.
_AMPLE_TIME_S = 60.0


class Evidence:
    """Collects looks: each is noted, and completed once the build task was asked or need not be."""

    def __init__(self, expected: Expectation, *, timeout_s: float) -> None:
        """Know nothing yet; ``expected`` may be replaced where it turns out that more was triggered than one."""
        self.expected = expected
        self.task: str | None = None
        """The build task's status as last known."""
        self._ample_s = min(_AMPLE_TIME_S, timeout_s / 2)
        self._has_changed = False
        self._changes: set[int] = set()
        self._was_candidate = False
        self._stood: set[tuple[str, int | None]] = set()
        self._held_since_s: float | None = None
        self._absent_since_s: float | None = None
        self.is_absent_for_good = False
        """Whether the task has said SUCCESS for a minute and the runtime still shows nothing."""

    @property
    def is_preceded(self) -> bool:
        """Whether a deployment triggered earlier is known whose end may not have been seen."""
        return is_preceded(self.expected, Look(seen=None, changes=len(self._changes)))

    def note(self, seen: RuntimeArtifact | None) -> Look:
        """Note what a look showed, and give it with what was known before it began."""
        before = self.expected.before
        self._has_changed = self._has_changed or _is_other(seen, before)
        if seen is not None and seen.deployed_on is not None and stamp_of(seen) != stamp_of(before):
            self._changes.add(seen.deployed_on)
        return Look(
            seen=seen,
            has_changed=self._has_changed,
            changes=len(self._changes),
            was_candidate=self._was_candidate,
            was_built=is_built(self.task),
        )

    def complete(self, look: Look, task: str | None, *, elapsed_s: float) -> Look:
        """Put in the build task's status, read after the look, and how long it is since the trigger."""
        look.task, look.is_late = task, elapsed_s >= self._ample_s
        seen = look.seen
        self._note_absence(is_absent=seen is None and task == "SUCCESS", elapsed_s=elapsed_s)
        if seen is not None and is_end(self.expected, look):
            end = seen.status, seen.deployed_on
            if task == "DEPLOYING":
                self._stood.add(end)
            if self._held_since_s is None:
                self._held_since_s = elapsed_s
            look.stood_while_building = end in self._stood
            look.was_held_long = elapsed_s - self._held_since_s >= self._ample_s
        self.task = task
        self._was_candidate = is_candidate(self.expected, look)
        return look

    def _note_absence(self, *, is_absent: bool, elapsed_s: float) -> None:
        if not is_absent:
            self._absent_since_s = None
        elif self._absent_since_s is None:
            self._absent_since_s = elapsed_s
        self.is_absent_for_good = is_absent and elapsed_s - (self._absent_since_s or 0.0) >= _AMPLE_TIME_S


def stamp_of(runtime: RuntimeArtifact | None) -> int | None:
    """Give the ``DeployedOn`` of what runs, ``NOTHING_RAN`` where nothing does; ``None``: the tenant gives none."""
    return NOTHING_RAN if runtime is None else runtime.deployed_on


def count_under_way(record: ArtifactRecord, before: RuntimeArtifact | None) -> int:
    """Tell how many deployments triggered earlier may still be under way when ``before`` is what runs.

    Once something else runs than at the first of these triggers, the first is taken to have shown its end. Somebody
    else's deployment is known only where it is seen.
    """
    if record.unseen:
        return record.unseen if _is_where_it_was(record, before) else record.unseen - 1
    return int(before is not None and before.status == "STARTING")


def changes_after_trigger(under_way: int) -> int:
    """Tell how many changes it takes until a deployment triggered after others is what is seen."""
    return under_way + 1 if under_way else 0


def changes_when_joined(record: ArtifactRecord, before: RuntimeArtifact | None) -> int:
    """Tell the same for the last of several deployments under way, of which ``before`` shows one as STARTING."""
    if record.unseen <= 1:
        return 0
    return record.unseen if _is_where_it_was(record, before) else record.unseen - 1


def _is_where_it_was(record: ArtifactRecord, before: RuntimeArtifact | None) -> bool:
    return record.ran_before is None or stamp_of(before) in {None, record.ran_before}


def _is_other(seen: RuntimeArtifact | None, before: RuntimeArtifact | None) -> bool:
    if seen is None or before is None:
        return seen is not before
    return (seen.status, seen.version) != (before.status, before.version)
