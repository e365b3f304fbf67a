"""A script: everything that shall go wrong, and everything other people shall do, as one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cpi_tasks.errors import SimulatorError
from cpi_tasks.simulator.fates import DeploymentRule
from cpi_tasks.simulator.limits import OtherUsers
from cpi_tasks.simulator.rules import FaultRule, LifeRule
from cpi_tasks.simulator.script_text import read_script

Rule = FaultRule | DeploymentRule | LifeRule | OtherUsers


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultScript:
    """Rules for requests, deployments and other people, and the seed of everything drawn by lot.

    A request goes to the first of ``faults`` that has something for it; rules after that one do not count it. The same
    script and the same requests give the same faults. One with mistakes raises ``SimulatorError`` with all of them.
    """

    faults: tuple[FaultRule, ...] = ()
    deployments: tuple[DeploymentRule, ...] = ()
    life: tuple[LifeRule, ...] = ()
    load: tuple[OtherUsers, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be played."""
        found = [
            f"{section}[{index}]: {problem}"
            for section in ("faults", "deployments", "life", "load")
            for index, rule in enumerate(getattr(self, section))
            for problem in rule.problems()
        ]
        if found:
            raise SimulatorError(wrong_script(found))

    @classmethod
    def of(cls, *rules: Rule, seed: int = 0) -> FaultScript:
        """Make a script from rules of any kind; those of one kind keep their order."""
        return cls(
            faults=tuple(rule for rule in rules if isinstance(rule, FaultRule)),
            deployments=tuple(rule for rule in rules if isinstance(rule, DeploymentRule)),
            life=tuple(rule for rule in rules if isinstance(rule, LifeRule)),
            load=tuple(rule for rule in rules if isinstance(rule, OtherUsers)),
            seed=seed,
        )

    @classmethod
    def parse(cls, text: str) -> FaultScript:
        """Read a script from YAML or JSON; ``SimulatorError`` lists everything that is wrong with it."""
        found: list[str] = []
        parts = read_script(text, found)
        if found:
            raise SimulatorError(wrong_script(found))
        return cls(
            faults=parts.faults,
            deployments=parts.deployments,
            life=parts.life,
            load=parts.load,
            seed=parts.seed,
        )

    def __str__(self) -> str:
        """Give one line for each rule."""
        rules: Sequence[object] = (*self.faults, *self.deployments, *self.life, *self.load)
        return "\n".join([f"seed {self.seed}", *(str(rule) for rule in rules)])


def wrong_script(problems: Sequence[str]) -> str:
    """Give the sentence that lists the mistakes of a script."""
    return "\n".join(["the fault script cannot be played:", *(f"- {problem}" for problem in problems)])
