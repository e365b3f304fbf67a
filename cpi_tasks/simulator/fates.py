"""How deployments go on where a script says so, for each artifact and each of its deployments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from fnmatch import fnmatchcase
from random import Random
from typing import Literal

_SHAPE = 1.2
"""Of the heavy tail's Pareto distribution: half of the draws are below 1.8 times the least, few above 100 times."""


class Ending(StrEnum):
    """How a scripted deployment ends, by the names in script texts."""

    STARTED = "started"
    BUILD_FAILS = "build-fails"
    """The task ends in FAIL, the runtime in ERROR."""
    FAILS_LATE = "fails-late"
    """The task ends in SUCCESS before the runtime goes to ERROR."""
    NEVER_APPEARS = "never-appears"
    STAYS_STARTING = "stays-starting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """How many seconds deployments take: always ``least``, evenly up to ``most``, or mostly near ``least``."""

    kind: Literal["fixed", "uniform", "heavy-tail"] = "fixed"
    least: float
    most: float | None = None

    def draw(self, random: Random) -> float:
        """Draw one, in seconds."""
        most = self.least if self.most is None else self.most
        if self.kind == "uniform":
            return random.uniform(self.least, most)
        if self.kind == "heavy-tail":
            return min(self.least * random.paretovariate(_SHAPE), most)
        return self.least

    def problems(self) -> list[str]:
        """List what is wrong with the numbers."""
        if not 0 <= self.least < float("inf"):
            return ["duration must not be negative"]
        if self.kind != "fixed" and (self.most is None or not self.least <= self.most < float("inf")):
            return [f"duration {self.kind} needs a longest time that is not below the least"]
        return (
            ["duration heavy-tail needs a least time above 0"] if self.kind == "heavy-tail" and not self.least else []
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What is said about a deployment; ``None`` leaves it to the tenant's settings.

    ``task_hangs`` keeps the task in DEPLOYING for ever. For ``old_version_s`` seconds from the trigger the runtime goes
    on showing what was there. The text of an ERROR comes only after so many looks or seconds.
    """

    ends: Ending | None = None
    duration: Duration | None = None
    task_hangs: bool | None = None
    old_version_s: float | None = None
    error: str | None = None
    error_looks: int | None = None
    error_s: float | None = None


NOTHING_SAID = Fate()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRule:
    """A fate for the deployments of some artifacts: an id with the wildcards of file names, and which of each one's.

    ``nth`` is one deployment (counted from 1), ``first`` the first so many; all where neither is given.
    """

    artifact: str
    fate: Fate
    nth: int | None = None
    first: int | None = None

    def is_about(self, artifact_id: str, number: int) -> bool:
        """Whether it speaks of this deployment of this artifact."""
        fits = (self.nth is None or number == self.nth) and (self.first is None or number <= self.first)
        return fits and fnmatchcase(artifact_id, self.artifact)

    def problems(self) -> list[str]:
        """List what is wrong."""
        found = [
            f"{name} must be at least 1"
            for name in ("nth", "first")
            if (value := getattr(self, name)) is not None and value < 1
        ]
        found += [
            f"{name} must not be negative"
            for name in ("old_version_s", "error_looks", "error_s")
            if not 0 <= (getattr(self.fate, name) or 0) < float("inf")
        ]
        return found + (self.fate.duration.problems() if self.fate.duration else [])

    def __str__(self) -> str:
        """Give the rule in words."""
        which = (
            f"deployment {self.nth}" if self.nth else f"first {self.first} deployments" if self.first else "deployments"
        )
        said = {item.name: getattr(self.fate, item.name) for item in fields(Fate)}
        return f"{which} of {self.artifact}: " + ", ".join(
            f"{key} {val}" for key, val in said.items() if val is not None
        )


@dataclass(slots=True)
class FateBook:
    """Tells every deployment's fate and counts them; the same seed gives each deployment the same time.

    Of several rules about one deployment the first that says something about a point is heard.
    """

    rules: Sequence[DeploymentRule] = ()
    seed: int = 0
    _numbers: Counter[str] = field(default_factory=Counter)

    def next(self, artifact_id: str) -> tuple[Fate, float | None]:
        """Give the fate of the deployment that begins now, and its seconds where they are scripted."""
        self._numbers[artifact_id] += 1
        number = self._numbers[artifact_id]
        fates = [rule.fate for rule in self.rules if rule.is_about(artifact_id, number)]
        if not fates:
            return NOTHING_SAID, None
        said = {
            item.name: next((value for fate in fates if (value := getattr(fate, item.name)) is not None), None)
            for item in fields(Fate)
        }
        fate = Fate(**said)
        # Drawn for each deployment by itself, so that the order in which artifacts are triggered does not matter.
        random = Random(f"{self.seed}/{artifact_id}/{number}")  # noqa: S311 - no secret
        return fate, fate.duration.draw(random) if fate.duration else None
