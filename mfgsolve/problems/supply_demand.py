"""Supply against moving demand: the flagship."""

from __future__ import annotations

from mfgsolve.couplings import Congestion
from mfgsolve.dynamics import ControlledDiffusion
from mfgsolve.errors import InputError
from mfgsolve.fields import Arc, Bump
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.problems.registry import named


def demand(reward: float, width: float, hold: float) -> Arc:
    """reward exp(-|X - centre(t)|^2 / (2 width^2)), riding half an ellipse until t = 1 - hold, then waiting."""
    return Arc(reward, width, centre=(0.5, 0.2), radii=(0.35, 0.6), arrival=1 - hold)


def kinks(hold: float) -> tuple[float, ...]:
    """When it stops, if it does."""
    return (1 - hold,) if hold > 0 else ()


@named(group="space")
def supply_demand(
    *,
    shape: tuple[int, int] = (64, 64),
    steps: int | None = None,
    scheme: str | None = None,
    reward: float = 2.0,
    viscosity: float = 0.002,
    control_cost: float = 0.5,
    congestion: float = 0.1,
    width: float = 0.1,
    hold: float = 0.3,
) -> Problem:
    """Supply goes where demand will be: demand takes a detour and waits at its end, the crowd takes the shortcut.

    f = -r / (1 + congestion rho) with r(t, X) = reward exp(-|X - centre(t)|^2 / (2 width^2)) on [0, 1]^2, reflecting
    walls, horizon 1; agents start in a Gaussian at (0.15, 0.2) of standard deviation 0.05.

    Parameters
    ----------
    shape : cells (ny, nx) [cells]
    steps : time steps; by default as many as the speeds of the game ask for [steps]
    scheme : "entropic" or "upwind"; by default what suits, see `ControlledDiffusion` [name]
    reward : what an agent alone earns in a unit of time at the centre of demand [cost / time]
    viscosity : nu, half the variance that noise adds in a unit of time, per axis [length^2 / time]
    control_cost : c; moving at speed a costs c |a|^2 / 2 in a unit of time [cost time / length^2]
    congestion : the reward is halved where the density is 1 / congestion [area]
    width : standard deviation of demand in space [length]
    hold : share of the time at the end during which demand waits at (0.85, 0.2) [1]

    Source: the spatial supply game of Mguni, Jennings and Munoz de Cote, arXiv:1803.05028, with congestion made convex.
    """
    if not 0 <= hold < 1:
        raise InputError(f"supply-demand has hold {hold}; the share of time that demand waits must lie in [0, 1)")
    moving = demand(reward, width, hold)
    return Problem(
        grid=Grid.box(shape),
        time=TimeGrid(1.0, steps),
        dynamics=ControlledDiffusion(viscosity, control_cost, scheme=scheme),
        coupling=Congestion(moving, congestion),
        initial=Bump(1.0, 0.05, (0.15, 0.2)),
        normalise=True,
        sense="reward",
        track=moving.position,
        kinks=kinks(hold),
    )
