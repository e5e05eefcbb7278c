"""The entropic step is `LatticeMoves` with a temperature, and with walls `Tabular`: whole equilibria, to round-off."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, gmres

import mfgsolve as mfg
from mfgsolve.certificates import certify
from mfgsolve.couplings import Bound, Coupling
from mfgsolve.games import make_game
from mfgsolve.problems.linear_quadratic import MeanAttraction
from mfgsolve.solvers.base import Budget, run
from mfgsolve.solvers.newton import Newton
from tests.dense_entropic import walked

VISCOSITY, CONTROL_COST, REACH = 0.02, 0.7, 2


@dataclass(frozen=True, eq=False)
class Weighed(Coupling):
    """A coupling times a number that depends on the time."""

    of: Coupling
    weight: Callable[[float], float]

    def __post_init__(self):
        for flag in ("is_potential", "is_monotone", "is_local", "is_differentiable"):
            object.__setattr__(self, flag, getattr(self.of, flag))

    def bind(self, grid, times):
        return _BoundWeighed(self.of.bind(grid, times), np.array([self.weight(t) for t in times]))


@dataclass(frozen=True, eq=False)
class _BoundWeighed(Bound):
    of: Bound
    weights: np.ndarray

    def _times(self, nodes, levels):
        return None if levels is None else levels * self.weights[nodes].reshape(-1, *(1,) * (np.ndim(levels) - 1))

    def cost(self, nodes, rho):
        return self._times(nodes, self.of.cost(nodes, rho))

    def potential(self, nodes, rho):
        return self._times(nodes, self.of.potential(nodes, rho))

    def slope(self, nodes, rho):
        return self._times(nodes, self.of.slope(nodes, rho))

    def tangent(self, nodes, rho, change):
        return self._times(nodes, self.of.tangent(nodes, rho, change))


def moves(grid, temperature):
    """Offsets in array order, and what each of them costs: control, and the norm of the stencil of its axis."""
    dt = 0.5 / 4
    eps, control_cost = temperature * dt, temperature * dt / (2 * VISCOSITY)
    strides = np.arange(-REACH, REACH + 1)
    lines = [control_cost * (strides * axis.spacing) ** 2 / (2 * dt) for axis in grid.axes]
    lines = [line + eps * np.log(np.exp(-line / eps).sum()) for line in lines]
    offsets = list(itertools.product(strides, repeat=grid.ndim))
    return offsets, np.array([sum(line[k + REACH] for line, k in zip(lines, move, strict=True)) for move in offsets])


def on_rings(grid, temperature):
    offsets, costs = moves(grid, temperature)
    return mfg.LatticeMoves([move[::-1] for move in offsets], list(costs), temperature=temperature)


def folded(grid, temperature):
    """Both axes at once: in even steps those who moved along the first axis go on along the others, in odd steps the
    other way round."""
    offsets, costs = moves(grid, temperature)
    ends = {(k, stride): walked(grid, k, stride) for k in range(grid.ndim) for stride in range(-REACH, REACH + 1)}

    def matrix(move, order):
        there = np.arange(grid.size)
        for k in order:
            there = ends[k, move[k]][there]
        return sparse.csr_array((np.ones(grid.size), (np.arange(grid.size), there)), shape=(grid.size,) * 2)

    orders = [range(grid.ndim), range(grid.ndim)[::-1]]
    steps = [[matrix(move, orders[t % 2]) for move in offsets] for t in range(4)]
    return mfg.Tabular(steps, cost=costs, temperature=temperature)


def twins(shape, boundary, coupling, terminal_coupling=None, discount=0.0, blocked=None):
    """The same game by the entropic step and by tables."""
    grid = mfg.Grid.box(shape, [(0, n * (0.1 + 0.02 * k)) for k, n in enumerate(shape)], boundary, blocked=blocked)
    time = mfg.TimeGrid(0.5, 4, discount=discount)
    stated = mfg.Problem(
        grid=grid,
        time=time,
        dynamics=mfg.ControlledDiffusion(VISCOSITY, CONTROL_COST, scheme="entropic", reach=REACH),
        coupling=coupling,
        initial=lambda t, c: np.where(grid.mask, 0.0, 1.0 + 0.5 * np.sin(5 * c.x)),
        terminal=lambda t, c: 0.3 * (c.x - 0.6) ** 2,
        terminal_coupling=terminal_coupling,
        normalise=True,
    )
    middle = np.exp(-0.5 * discount * time.dt)  # tables discount what is paid in a step from its start
    last = Weighed(coupling, lambda t: time.dt / 2)
    tables = on_rings if boundary == "periodic" else folded
    other = replace(
        stated,
        dynamics=tables(grid, 2 * VISCOSITY * CONTROL_COST * middle / time.dt),
        coupling=Weighed(coupling, lambda t: 0.5 if t == 0 else 1.0),
        terminal_coupling=last if terminal_coupling is None else last + terminal_coupling,
    )
    return make_game(stated), make_game(other)


def reward(t, c):
    return 2.0 * np.exp(-((c.x - 0.2 - t) ** 2) / 0.1)


ROOM = {"shape": (5, 6), "boundary": "reflecting", "blocked": lambda c: (c.x > 0.3) & (c.x < 0.4) & (c.y > 0.15)}
GAMES = {
    "line": {"shape": (9,), "boundary": "periodic", "coupling": mfg.CrowdAversion(0.3)},
    "ring": {"shape": (4, 8), "boundary": "periodic", "coupling": mfg.Congestion(reward, 0.4)},
    "torus": {"shape": (3, 4, 3), "boundary": "periodic", "coupling": mfg.LogCongestion(0.1)},
    "discounted": {"shape": (5, 4), "boundary": "periodic", "coupling": mfg.CrowdAversion(0.2, 2.0), "discount": 1.3},
    "end": {"shape": (8,), "boundary": "periodic", "coupling": mfg.Nonlocal(0.2, 0.2),
            "terminal_coupling": mfg.CrowdAversion(0.1)},
    "segment": {"shape": (5,), "boundary": "reflecting", "coupling": mfg.CrowdAversion(0.4)},
    "herd": {"shape": (9,), "boundary": "reflecting", "coupling": MeanAttraction(0.5),
             "terminal_coupling": MeanAttraction(1.0)},
    "room": ROOM | {"coupling": mfg.Congestion(reward, 0.4) + mfg.CrowdAversion(0.1)},
    "discounted room": ROOM | {"coupling": mfg.CrowdAversion(0.2), "terminal_coupling": mfg.CrowdAversion(0.1),
                               "discount": 0.8},
    "cube": {"shape": (2, 3, 2), "boundary": "reflecting", "coupling": mfg.CrowdAversion(0.2)},
}  # fmt: skip


@pytest.fixture(scope="module", params=GAMES)
def pair(request):
    return twins(**GAMES[request.param])


def certified(game, crowd):
    """What a best response to a crowd is worth, and its own crowd."""
    answer = game.respond(game.price(crowd))
    flow = game.flow(answer.policy)
    return certify(game, game.policy_of(answer.policy), flow), flow


def test_any_plan_has_the_same_certificate(pair):
    """A best response to a crowd at rest is no equilibrium; potential, costs, exploitability and flow agree."""
    one, other = pair
    (mine, flow), (theirs, their_flow) = (certified(game, game.resting_crowd(game.empty_crowd())) for game in pair)
    assert mine.exploitability > 1e-5
    for name in ("exploitability", "potential", "cost", "movement_cost", "crowd_cost", "terminal_cost"):
        assert getattr(mine, name) == pytest.approx(getattr(theirs, name), rel=1e-13, abs=1e-13)
    np.testing.assert_allclose(one.mass(flow), other.mass(their_flow), atol=1e-14)


def test_values_and_tangents_agree(pair):
    one = pair[0]
    crowds = [game.resting_crowd(game.empty_crowd()) for game in pair]
    values = [game.values(game.price(crowd)) for game, crowd in zip(pair, crowds, strict=True)]
    np.testing.assert_allclose(values[0], values[1], rtol=1e-13, atol=1e-13)
    direction = np.random.default_rng(2).normal(size=(one.steps + 1, one.cells)) * ~one.grid.mask.reshape(-1)
    images = []
    for game, crowd in zip(pair, crowds, strict=True):
        policy = game.respond(game.price(crowd)).policy
        along = direction.reshape(-1, *game.step.shape)
        images.append(game.mass(game.curvature(policy, game.flow(policy), along, identity=0.0)))
    np.testing.assert_allclose(images[0], images[1], atol=1e-13 * np.abs(images[1]).max())


def polished(game, crowd):
    """The equilibrium near a crowd to round-off: twice Newton's step on crowd = flow of the best response to it."""
    for _ in range(2):
        policy = game.respond(game.price(crowd)).policy
        flow = game.flow(policy)

        def residual(change, policy=policy, flow=flow, crowd=crowd):
            change = change.reshape(crowd.shape)
            return (change + game.curvature(policy, flow, game.price_change(crowd, change), identity=0.0)).reshape(-1)

        matrix = LinearOperator((crowd.size, crowd.size), residual, dtype=float)
        found, failed = gmres(matrix, (flow - crowd).reshape(-1), rtol=1e-9, restart=60)
        assert not failed
        crowd = crowd + found.reshape(crowd.shape)
    return crowd


def test_equilibria_agree(pair):
    """Solved apart: potential, density, value and exploitability."""
    ends = [run(Newton(), Newton().init(game, 1e-8), 1e-8, Budget(200, None)) for game in pair]
    games, crowds = zip(*((o.game, o.crowd) for o in (Newton().finish(ended.state) for ended in ends)), strict=True)
    crowds = [polished(game, crowd) for game, crowd in zip(games, crowds, strict=True)]
    (mine, flow), (theirs, their_flow) = (certified(game, crowd) for game, crowd in zip(games, crowds, strict=True))
    assert abs(mine.relative_exploitability) <= 1e-13
    assert abs(theirs.relative_exploitability) <= 1e-13
    assert mine.potential == pytest.approx(theirs.potential, rel=1e-13, abs=1e-13)
    assert mine.exploitability == pytest.approx(theirs.exploitability, abs=1e-13)
    density, their_density = games[0].mass(flow), games[1].mass(their_flow)
    np.testing.assert_allclose(density, their_density, atol=1e-13)
    value, their_value = (game.values(game.price(crowd)) for game, crowd in zip(games, crowds, strict=True))
    np.testing.assert_allclose(value, their_value, rtol=1e-13, atol=1e-13)
