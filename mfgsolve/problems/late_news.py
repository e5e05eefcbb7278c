"""News that all agents hear at once: to which end of a line it pays to go is known after a while only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfgsolve.couplings import CrowdAversion, RunningCost
from mfgsolve.dynamics import LatticeMoves
from mfgsolve.errors import InputError
from mfgsolve.grids import Coordinates, Grid, TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.problems.registry import named
from mfgsolve.scenarios import ScenarioTree

__all__ = ["late_news"]


@dataclass(frozen=True)
class Away:
    """Cost of being away from the end that the news names: slope times the number of cells; 0 before the news."""

    slope: float
    last: int

    def __call__(self, t: float, c: Coordinates) -> np.ndarray:
        goal = np.where(c.scenario == 2, float(self.last), 0.0)
        return np.where(c.scenario > 0, self.slope * np.abs(c.x - goal), 0.0)


@named(group="cells")
def late_news(
    *,
    shape: tuple[int] = (5,),
    steps: int = 6,
    news: int = 3,
    left: float = 0.6,
    toll: float = 0.1,
    aversion: float = 1.0,
    slope: float = 0.3,
    last_slope: float = 0.6,
    temperature: float = 0.0,
) -> Problem:
    """Agents spread on a line until they hear, all at once, to which end it pays to go.

    Cells 0, 1, ..., n - 1; an agent stays, or pays a toll to go to a neighbour.  After some steps all hear which end is
    the goal, cell 0 with probability left, or else cell n - 1; from then on a step at distance d from it costs slope d,
    and the end last_slope d.  The crowd dislikes itself, f = aversion m, where m is what it is in the world as it is.

    Parameters
    ----------
    shape : cells (nx,) [cells]
    steps : time steps of length 1 [steps]
    news : step at the start of which the news is heard [steps]
    left : probability that the goal is cell 0 [1]
    toll : cost of a step to a neighbour [cost]
    aversion : cost of a step among all agents [cost]
    slope : cost of a step at distance 1 from the goal, after the news [cost]
    last_slope : cost of ending at distance 1 from the goal [cost]
    temperature : tau, how freely actions are chosen; 0 is sharp [cost]

    Source: common noise as in Carmona, Delarue and Lacker, Mean field games with common noise, arXiv:1407.6181
    """
    if not 0 < left < 1:
        raise InputError(f"late-news has left {left}; a probability between 0 and 1 is needed")
    if not 1 <= news <= steps:
        raise InputError(f"late-news has news {news}; a step from 1 to {steps} is needed")
    (cells,) = shape
    return Problem(
        grid=Grid.box((cells,), bounds=[(-0.5, cells - 0.5)]),
        time=TimeGrid(steps, steps),
        dynamics=LatticeMoves((0, -1, 1), costs=(0.0, toll, toll), temperature=temperature),
        coupling=CrowdAversion(aversion) + RunningCost(Away(slope, cells - 1)),
        initial=1.0 / cells,
        terminal=Away(last_slope, cells - 1),
        scenarios=ScenarioTree([float(news)], [left, 1.0 - left], ["left", "right"]),
    )
