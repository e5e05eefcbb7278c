"""Finite potential games as convex programmes: published, tiny, and with all kinds of couplings."""

from __future__ import annotations

import numpy as np

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.solvers.proximal import Programme


def transport(example: int, n: int = 50) -> mfg.Problem:
    """Examples 1 (congestion, hard cap) and 2 (Cournot price, bounded demand) of arXiv:2106.07463."""
    moves, dt = (-1, 0, 1), 1 / n
    bump = np.exp(-((np.arange(n) - n / 2) ** 2) / (n / 4) ** 2)
    dynamics = mfg.LatticeMoves(moves, [dt * k**2 / 4 for k in moves], walls="forbid")

    def cap(t, c):
        step, cell = round(t * n), np.round(c.x * n - 0.5)
        return np.where((n / 3 < step < 2 * n / 3) & (cell > n / 3) & (cell < 2 * n / 3), 0.25, 3.0)

    def centre(t):
        return -2 * np.sin(4 * np.pi * round(t * n) / (n - 1))

    if example == 1:
        coupling = mfg.CrowdAversion(1.0) + mfg.Capacity(cap)
        terminal = mfg.CrowdAversion(1.0) + mfg.Capacity(3.0)
    else:
        coupling, terminal = mfg.Price(mfg.QuadraticPotential(0.5, centre), bounds=(-2.0, 0.0)), None
    return mfg.Problem(
        grid=mfg.Grid.box((n,)), time=mfg.TimeGrid((n - 1) * dt, n - 1), dynamics=dynamics, coupling=coupling,
        terminal_coupling=terminal, initial=bump * n / bump.sum(),
    )  # fmt: skip


def tiny(cap: float = np.inf, seed: int = 0, steps: int = 3, states: int = 3) -> mfg.Problem:
    """A random game that SciPy can optimise; the cap holds in state 0."""
    rng = np.random.default_rng(seed)
    rewards = rng.uniform(1, 6, states)
    return mfg.Problem(
        grid=mfg.States(states),
        time=mfg.TimeGrid(0.5 * steps, steps),
        dynamics=mfg.Tabular(rng.dirichlet(np.ones(states), (2, states)), rng.uniform(0, 1, (steps, 2, states))),
        coupling=mfg.Congestion(lambda t, c: rewards[c.state], 3.0)
        + mfg.Capacity(lambda t, c: np.where((c.state == 0) & (t > 0), cap, np.inf)),
        initial=rng.dirichlet(np.ones(states)),
        terminal=rng.uniform(0, 1, states),
    )


def everything(temperature: float = 0.0) -> mfg.Problem:
    """States, choices, a price, a terminal coupling, two populations, walls, implicit noise, at once."""
    space = mfg.Grid.box((4, 3), blocked=lambda c: (c.x > 0.4) & (c.x < 0.6) & (c.y > 0.7))
    one = mfg.LatticeMoves(((0, 0), (1, 0), (0, -1)), (0.0, 0.1, 0.2), viscosity=0.02, temperature=temperature)
    jumps = {(0, 1): 0.3, (0, 0): 0.7}
    two = mfg.LatticeMoves(((0, 0), (-1, 0)), 0.1, jumps=jumps, walls="forbid", temperature=temperature)
    return mfg.Problem(
        grid=mfg.Populations(["a", "b"], space),
        time=mfg.TimeGrid(1.0, 4),
        dynamics=(one, two),
        coupling=mfg.CrowdAversion(lambda t, c: 0.5 + t + c.x)
        + mfg.Congestion(1.0, 0.2)
        + mfg.CrowdAversion(0.3, on="occupation")
        + mfg.Price(mfg.QuadraticPotential(0.7, 0.2), bounds=(None, 0.4), amounts=[1.0, -2.0, 0.5]),
        terminal_coupling=mfg.CrowdAversion(0.4),
        initial=1.0,
        normalise=True,
    )


def smooth() -> mfg.Problem:
    return mfg.Problem(
        grid=mfg.Grid.box((8,)), time=mfg.TimeGrid(1.0, 6), dynamics=mfg.LatticeMoves((-1, 0, 1), 0.05, viscosity=0.02),
        coupling=mfg.CrowdAversion(1.0), initial=lambda t, c: 2 * (c.x < 0.5), terminal=lambda t, c: -c.x,
    )  # fmt: skip


def meeting(strength: float) -> mfg.Problem:
    """One step from the first of two places, each crowded at cost ``strength`` m: half stays and half goes."""
    return mfg.Problem(
        mfg.States(2), mfg.TimeGrid(1.0, 1), mfg.Tabular((np.eye(2), np.eye(2)[::-1])), 0.0, np.array([1.0, 0.0]),
        terminal_coupling=mfg.CrowdAversion(strength),
    )  # fmt: skip


def stands_still_at_the_solution(solver):
    """Assert that its operator keeps the solution, whatever its weight, and sees what is none.

    From the first of two places half stays and half goes, each at the cost of a crowd of 1/2.
    """
    programme = Programme(make_game(meeting(3.0)))
    half = np.array([0.5, 0.5])
    u = programme.unknowns(np.full((1, 2, 2), 0.5), np.array([[1.0, 0.0], half]))
    x, price = programme.observe @ u, programme.marginal(programme.observe @ u)
    np.testing.assert_allclose((x, price), (half, 3.0 * half))
    y = programme.multipliers(programme.price_of(price))
    operator = solver.operator(programme)
    for share in (0.5, 1.0, 2.0):
        point, weight = operator.start(u, y, x, price)
        point, weight = operator.reweighted(point, weight, share * weight), share * weight
        image = operator.apply(point, weight, x)
        np.testing.assert_allclose(image.point, point, atol=1e-13)
        np.testing.assert_allclose(image.u, u, atol=1e-13)
        np.testing.assert_allclose(image.price, price, atol=1e-13)
        wrong = operator.apply(point + 0.1, weight, x)
        assert operator.norm(wrong.point - point - 0.1, weight) > 1e-2
