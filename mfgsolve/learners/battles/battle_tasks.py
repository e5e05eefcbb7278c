"""Battles as tasks of `mfgsolve.learn`, of a size at which training takes minutes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mfgsolve.errors import InputError
from mfgsolve.learners.battles.hidden_sign import SignedWorlds
from mfgsolve.learners.battles.rules import GATHERING, HIDDEN_SIGN, MULTI_TEAM, PREDATOR_PREY, Rules
from mfgsolve.learners.battles.worlds import Worlds
from mfgsolve.tasks.task import Task

__all__ = ["BattleGathering", "BattleTask", "HiddenSignBattle", "MultiTeamBattle", "PredatorPreyBattle"]


@dataclass(frozen=True)
class BattleTask(Task):
    """A battle of four groups.

    Parameters
    ----------
    size : of the square map, whose outermost cells are walls
    agents : of each group (in predator-prey-battle: predators of each group)
    max_steps : of an episode
    """

    size: int = 24
    agents: int = 12
    max_steps: int = 100
    source = "Ganapathi Subramanian et al., AAMAS 2020, arXiv:2002.02513; on MAgent2"
    learner = "mtmfq"
    rules: ClassVar[Rules]
    contest: ClassVar[bool] = True  # whether somebody wins

    def __post_init__(self) -> None:
        for name, least in (("size", 3), ("agents", 1), ("max_steps", 1)):
            if getattr(self, name) < least:
                raise InputError(f"{name} of {self.name} is {getattr(self, name)}; at least {least} is needed")

    @property
    def counts(self) -> tuple[int, ...]:
        """Agents of each group."""
        return (self.agents,) * len(self.rules.kinds)

    @property
    def foods(self) -> int:
        """How much there is to eat."""
        return 0

    def worlds(self, number: int) -> Worlds:
        """That many worlds side by side."""
        return Worlds(self.rules, self.size, self.counts, self.foods, number)


@dataclass(frozen=True)
class MultiTeamBattle(BattleTask):
    """Four groups that pay differently for one another, see `mfgsolve.learners.battles.multi_team_battle`."""

    name = "multi-team-battle"
    summary = "Four groups of agents hunt one another for different pays."
    rules = MULTI_TEAM


@dataclass(frozen=True)
class BattleGathering(BattleTask):
    """The same with food, see `mfgsolve.learners.battles.battle_gathering`."""

    food: int = 12
    name = "battle-gathering"
    summary = "Four groups of agents hunt one another and stationary food."
    rules = GATHERING

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.food < 0:
            raise InputError(f"food of {self.name} is {self.food}; 0 or more is needed")

    @property
    def foods(self) -> int:
        return self.food


@dataclass(frozen=True)
class PredatorPreyBattle(BattleTask):
    """Two groups of predators and two of prey, see `mfgsolve.learners.battles.predator_prey_battle`."""

    agents: int = 8
    prey: int = 16
    name = "predator-prey-battle"
    summary = "Two groups of predators hunt each other and two groups of prey."
    rules = PREDATOR_PREY

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.prey < 1:
            raise InputError(f"prey of {self.name} is {self.prey}; at least 1 is needed")

    @property
    def counts(self) -> tuple[int, ...]:
        return self.agents, self.agents, self.prey, self.prey


@dataclass(frozen=True)
class HiddenSignBattle(BattleTask):
    """Types must matter: two groups hunt two that look alike and react in opposite ways to a sign that nobody sees.

    See `mfgsolve.learners.battles.hidden_sign`.

    Parameters
    ----------
    flip : probability with which the sign flips after a step
    """

    size: int = 16
    max_steps: int = 50
    flip: float = 0.1
    name = "hidden-sign-battle"
    summary = "Two groups hunt two scripted ones that look alike; only who tells these apart knows when hits pay."
    source = "a controlled variant of Ganapathi Subramanian et al., AAMAS 2020, arXiv:2002.02513; on MAgent2"
    rules = HIDDEN_SIGN
    contest = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.flip <= 1:
            raise InputError(f"flip of {self.name} is {self.flip}; a probability from 0 to 1 is needed")

    def worlds(self, number: int) -> Worlds:
        return SignedWorlds(self.size, self.agents, number, self.flip)
