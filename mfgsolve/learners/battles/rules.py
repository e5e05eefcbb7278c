"""What games of battle pay, and what their agents can do: numbers alone, before any engine.

    rules = MULTI_TEAM
    rules.hits[0][1], rules.kills[0][1]      what group a gets for hitting and for killing one of group b

Groups are in a cycle a, b, c, d, a: what a pair of groups pays follows from how far the one is ahead of the other.
Source: Ganapathi Subramanian, Poupart, Taylor, Hegde, "Multi Type Mean Field Reinforcement Learning", AAMAS 2020,
arXiv:2002.02513.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

__all__ = ["FOOD", "GATHERING", "GROUPS", "HIDDEN_SIGN", "MULTI_TEAM", "PREDATOR_PREY", "Food", "Kind", "Rules"]

GROUPS = ("a", "b", "c", "d")
FOOD = "food"
Table = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Kind:
    """What an agent of a group can do, and what it pays for whatever it does.

    Attributes
    ----------
    power : at the start, and the most that it can have; the blow that takes it below 0 kills
    damage : that a hit does to the power of who is hit
    recovery : of power, in every step
    speed, reach : radius of the discs of cells that it can move to, and attack; a reach of 0 attacks nothing
    move : reward of every step, whatever it does
    attack : reward of every attack, on whomever or on nobody
    death : reward of the step in which it dies, instead of what the step and an attack cost
    """

    power: float = 10.0
    damage: float = 2.0
    recovery: float = 0.1
    speed: float = 2.0
    reach: float = 2.0
    move: float = 0.0
    attack: float = -0.1
    death: float = -1.0


@dataclass(frozen=True)
class Food:
    """Stationary food: what a hit on it pays, and the hit that finishes it."""

    power: float = 10.0
    hit: float = 0.5
    capture: float = 80.0


@dataclass(frozen=True)
class Rules:
    """Rewards of a game of four groups.

    Attributes
    ----------
    kinds : of the agents of each group
    hits, kills : (attacker, victim) what the attacker gets; a blow that kills pays the kill alone
    robbed : whether who is hit, and survives, loses what the attacker gets
    food : what there is to eat, or None
    """

    name: str
    kinds: tuple[Kind, ...]
    hits: Table
    kills: Table
    robbed: bool = False
    food: Food | None = None

    @property
    def paid_kill(self) -> float:
        """A reward above it was paid for a kill, one below it was not (as long as its agent was not itself robbed of
        more than the difference); inf where nobody kills."""
        most_of_hits = max(map(max, self.hits)) if self.food is None else max(*map(max, self.hits), self.food.hit)
        return (most_of_hits + min((pay for row in self.kills for pay in row if pay), default=inf)) / 2


def _by_distance(*pays: float) -> Table:
    """(attacker, victim): the pay for the next group in the cycle, for the one after that, ..."""
    return tuple(tuple((0.0, *pays)[(victim - attacker) % 4] for victim in range(4)) for attacker in range(4))


SOLDIER = Kind(move=-0.01)
MULTI_TEAM = Rules("multi-team-battle", (SOLDIER,) * 4, _by_distance(0.2, 0.3, 0.4), _by_distance(80.0, 90.0, 100.0))
GATHERING = replace(MULTI_TEAM, name="battle-gathering", food=Food())

PREDATOR = Kind(attack=-0.2, death=-0.1)
PREY = Kind(speed=2.5, reach=0.0, attack=0.0, death=-0.1)  # what is not said of it is as of predators
NONE = (0.0,) * 4
PREDATOR_PREY = Rules(
    "predator-prey-battle", (PREDATOR, PREDATOR, PREY, PREY),
    hits=((0.0, 0.5, 1.0, 3.0), (0.5, 0.0, 3.0, 1.0), NONE, NONE),
    kills=((0.0, 5.0, 5.0, 5.0), (5.0, 0.0, 5.0, 5.0), NONE, NONE),
    robbed=True,
)  # fmt: skip

HUNTER = Kind(damage=0.0, recovery=0.0, move=-0.01)  # nobody dies
WALKER = replace(HUNTER, speed=1.0, reach=0.0, attack=0.0)
HIDDEN_SIGN = Rules(  # what hits pay while the sign is +1, see `mfgsolve.learners.battles.hidden_sign`
    "hidden-sign-battle", (HUNTER, WALKER, WALKER, HUNTER),
    hits=((0.0, 0.5, 0.5, 0.0), NONE, NONE, (0.0, 0.5, 0.5, 0.0)),
    kills=(NONE,) * 4,
)  # fmt: skip
