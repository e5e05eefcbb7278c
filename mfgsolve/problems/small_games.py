"""Three games of a few states: left or right, rock-paper-scissors, susceptible and infected."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfgsolve.couplings import CrowdAversion, Interaction
from mfgsolve.dynamics import Tabular
from mfgsolve.errors import InputError
from mfgsolve.fields import Still
from mfgsolve.grids import TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.problems.registry import named
from mfgsolve.spaces import States


def _to(target: int, states: int) -> np.ndarray:
    """Transitions (S, S) of an action that leads to one state from everywhere."""
    matrix = np.zeros((states, states))
    matrix[:, target] = 1.0
    return matrix


@named(group="states")
def left_right(*, left: float = 1.0, right: float = 2.0, temperature: float = 0.0) -> Problem:
    """Go left or right, and pay for every one who goes there too.

    Everybody starts in state 0 at t = 0; action a leads to state 1 + a, and at t = 1 an agent pays left m(1) or
    right m(2).  At equilibrium m(1) = right / (left + right), and everybody pays left right / (left + right).

    Parameters
    ----------
    left : cost of going left if the whole crowd does [cost]
    right : cost of going right if the whole crowd does [cost]
    temperature : tau, how freely actions are chosen; 0 is sharp [cost]

    Source: Cui and Koeppl, Approximately solving mean field games via entropy-regularized deep reinforcement learning,
    arXiv:2102.01585
    """
    return Problem(
        grid=States(["start", "left", "right"]),
        time=TimeGrid(2, 2),
        dynamics=Tabular([_to(1, 3), _to(2, 3)], temperature=temperature, actions=["left", "right"]),
        coupling=CrowdAversion(Still(np.array([0.0, left, right]))),
        initial=np.array([1.0, 0.0, 0.0]),
    )


@named(group="states")
def rock_paper_scissors(*, temperature: float = 0.0) -> Problem:
    """Rock, paper, scissors against the crowd, with other stakes for each: no potential, and not monotone.

    Everybody starts in state 0 at t = 0; action a leads to state 1 + a, and at t = 1 an agent earns

        r(1) = 2 m(3) - m(2),    r(2) = 4 m(1) - 2 m(3),    r(3) = 6 m(2) - 3 m(1).

    At equilibrium m = (26, 20, 31) / 77 and everybody earns 6/11.

    Parameters
    ----------
    temperature : tau, how freely actions are chosen; 0 is sharp [cost]

    Source: Cui and Koeppl, Approximately solving mean field games via entropy-regularized deep reinforcement learning,
    arXiv:2102.01585
    """
    rewards = np.array([[0, 0, 0, 0], [0, 0, -1, 2], [0, 4, 0, -2], [0, -3, 6, 0]], dtype=float)
    return Problem(
        grid=States(["start", "rock", "paper", "scissors"]),
        time=TimeGrid(2, 2),
        dynamics=Tabular(
            [_to(1, 4), _to(2, 4), _to(3, 4)], temperature=temperature, actions=["rock", "paper", "scissors"]
        ),
        coupling=Interaction(-rewards),
        initial=np.array([1.0, 0.0, 0.0, 0.0]),
    )


@dataclass(frozen=True)
class Infection:
    """Transitions of those who go out and of those who keep the distance, by the share that is infected."""

    infection: float
    recovery: float

    def __call__(self, t: float, mass: np.ndarray) -> list[np.ndarray]:
        caught = self.infection * mass[1]
        recover = [self.recovery, 1 - self.recovery]
        return [np.array([[1 - caught, caught], recover]), np.array([[1.0, 0.0], recover])]


@named(group="states")
def susceptible_infected(
    *,
    steps: int = 51,
    infection: float = 0.81,
    recovery: float = 0.3,
    sickness: float = 1.0,
    distance: float = 0.5,
    infected: float = 0.6,
    temperature: float = 0.0,
) -> Problem:
    """Go out or keep the distance while an infection runs: the crowd decides how likely one falls ill.

    A susceptible agent that goes out is infected with probability infection m_t(I), and one that keeps the distance
    never; an infected one recovers with probability ``recovery``.  At t = 0..steps-1 an agent pays ``sickness`` if
    infected and ``distance`` if it keeps the distance.

    Parameters
    ----------
    steps : time steps of length 1 [steps]
    infection : chance of falling ill in a step outside if the whole crowd is infected [1]
    recovery : chance of recovering in a step [1]
    sickness : cost of a step while infected [cost]
    distance : cost of keeping the distance for a step [cost]
    infected : share of the crowd that is infected at t = 0 [1]
    temperature : tau, how freely actions are chosen; 0 is sharp [cost]

    Source: Cui and Koeppl, Approximately solving mean field games via entropy-regularized deep reinforcement learning,
    arXiv:2102.01585
    """
    for what, share in (("infection", infection), ("recovery", recovery), ("infected", infected)):
        if not 0 <= share <= 1:
            raise InputError(f"susceptible-infected has {what} {share}; a number between 0 and 1 is needed")

    return Problem(
        grid=States(["susceptible", "infected"]),
        time=TimeGrid(steps, steps),
        dynamics=Tabular(
            Infection(infection, recovery),
            cost=np.array([[0.0, sickness], [distance, sickness + distance]]),
            temperature=temperature,
            actions=["go out", "keep distance"],
        ),
        coupling=0.0,
        initial=np.array([1 - infected, infected]),
    )
