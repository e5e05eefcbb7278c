"""Supply against moving demand on a lattice: the flagship as a finite game."""

from __future__ import annotations

from mfgsolve.couplings import Congestion
from mfgsolve.dynamics import LatticeMoves
from mfgsolve.errors import InputError
from mfgsolve.fields import Bump
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.problems.registry import named
from mfgsolve.problems.supply_demand import demand, kinks

MOVES = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))


@named(group="cells")
def lattice_supply_demand(
    *,
    shape: tuple[int, int] = (32, 32),
    steps: int = 60,
    reward: float = 2.0,
    control_cost: float = 0.5,
    congestion: float = 0.1,
    width: float = 0.1,
    hold: float = 0.3,
    viscosity: float = 0.0,
    temperature: float = 0.0,
) -> Problem:
    """Supply goes where demand will be, cell by cell: the flagship as a game of five moves.

    supply-demand with moves to the four neighbours or none instead of speeds; a move of length h in a step of length dt
    costs control_cost |h / dt|^2 dt / 2, and after it the noise stencil I + nu dt Lap acts.

    Parameters
    ----------
    shape : cells (ny, nx) [cells]
    steps : time steps [steps]
    reward : what an agent alone earns in a unit of time at the centre of demand [cost / time]
    control_cost : c; moving at speed a costs c |a|^2 / 2 in a unit of time [cost time / length^2]
    congestion : the reward is halved where the density is 1 / congestion [area]
    width : standard deviation of demand in space [length]
    hold : share of the time at the end during which demand waits at (0.85, 0.2) [1]
    viscosity : nu, half the variance that noise adds in a unit of time, per axis [length^2 / time]
    temperature : tau, how freely moves are chosen; 0 is sharp [cost / time]

    Source: the spatial supply game of Mguni, Jennings and Munoz de Cote, arXiv:1803.05028, with congestion made convex.
    """
    if not 0 <= hold < 1:
        raise InputError(
            f"lattice-supply-demand has hold {hold}; the share of time that demand waits must lie in [0, 1)"
        )
    grid, time, moving = Grid.box(shape), TimeGrid(1.0, steps), demand(reward, width, hold)
    length = {axis.name: axis.spacing for axis in grid.axes}
    lengths = [abs(x) * length["x"] + abs(y) * length["y"] for x, y in MOVES]
    costs = [0.5 * control_cost * (h / time.dt) ** 2 * time.dt for h in lengths]
    return Problem(
        grid=grid,
        time=time,
        dynamics=LatticeMoves(MOVES, costs, viscosity=viscosity, noise="explicit", temperature=temperature),
        coupling=Congestion(moving, congestion),
        initial=Bump(1.0, 0.05, (0.15, 0.2)),
        normalise=True,
        sense="reward",
        track=moving.position,
        kinks=kinks(hold),
    )
