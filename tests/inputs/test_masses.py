"""Populations of different mass: a game of one population in parts, brute force, agents, files, and bad input."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.problemfile import problem_from_toml, problem_to_toml

NAMES, MASSES = ["many", "few"], [0.75, 0.25]
RING = mfg.Grid.box((12,), boundary="periodic")
DENSITY = np.exp(np.sin(2 * np.pi * (np.arange(12) + 0.5) / 12))
DENSITY /= DENSITY.mean()


def moves(tau=0.05):
    return mfg.LatticeMoves([(0,), (1,), (-1,)], costs=[0.0, 0.1, 0.1], viscosity=0.002, temperature=tau)


def parts(masses=MASSES, tau=0.05, normalise=False, coupling=None):
    """Two populations that dislike everybody alike: one population in two parts."""
    space = mfg.Populations(NAMES[: len(masses)], RING, masses)
    initial = DENSITY * (1.0 if normalise else np.array(masses)[:, None])
    return mfg.Problem(
        grid=space, time=mfg.TimeGrid(1.0, 6), dynamics=[moves(tau)] * len(masses), normalise=normalise,
        coupling=coupling or mfg.Interaction(np.ones((len(masses),) * 2), between="populations"),
        initial=np.broadcast_to(initial, space.shape).copy(), terminal=lambda t, c: np.cos(2 * np.pi * c.x),
    )  # fmt: skip


def whole(tau=0.05):
    return mfg.Problem(
        grid=RING, time=mfg.TimeGrid(1.0, 6), dynamics=moves(tau), coupling=mfg.CrowdAversion(1.0), initial=DENSITY,
        terminal=lambda t, c: np.cos(2 * np.pi * c.x),
    )  # fmt: skip


@pytest.mark.parametrize(("method", "tau"), [("newton", 0.05), ("complementarity", 0.0), (None, 0.05)])
def test_one_population_in_parts(method, tau):
    options = {} if method is None else {"method": method}
    split, one = (mfg.solve(problem, tol=1e-11, **options) for problem in (parts(tau=tau), whole(tau)))
    assert split.status.name == one.status.name == "CONVERGED"
    density = split.density.sum("population").values
    np.testing.assert_allclose(density, one.density.values, atol=1e-7 if tau else 1e-5)
    np.testing.assert_allclose(split.density.sum("x") / 12, np.broadcast_to(MASSES, (7, 2)), rtol=1e-12)
    for name in ("movement_cost", "crowd_cost", "terminal_cost", "potential"):
        assert getattr(split.certificate, name) == pytest.approx(getattr(one.certificate, name), rel=1e-6), name
    assert split.certificate.mass_error < 1e-13
    np.testing.assert_allclose(split.value[0, 0], one.value[0], rtol=1e-6)  # of one agent, whatever its population


def test_exploitability_counts_a_population_by_its_mass():
    """Against all policies of one agent of a small game, one population after the other."""
    space = mfg.Populations(["a", "b"], mfg.States(3), {"a": 2.0, "b": 0.5})
    steps, chances = 2, [np.roll(np.eye(3), k, axis=1) for k in range(2)]
    start = np.array([[1.0, 0.5, 0.5], [0.25, 0.25, 0.0]])
    game = mfg.Problem(
        grid=space, time=mfg.TimeGrid(2.0, steps), dynamics=[mfg.Tabular(chances, cost=[0.0, 0.3])] * 2,
        coupling=mfg.Interaction([[1.0, 0.4], [0.4, 2.0]], between="populations"), initial=start,
        terminal=np.array([[0.0, 1.0, 0.5], [0.2, 0.0, 0.3]]),
    )  # fmt: skip
    policy = np.random.default_rng(0).dirichlet([1, 1], (steps, 2, 3)).transpose(0, 3, 1, 2)  # (step, action, p, state)
    mass = [start]
    for t in range(steps):
        new = np.zeros((2, 3))
        for p, a in itertools.product(range(2), range(2)):
            new[p] += (mass[-1][p] * policy[t, a, p]) @ chances[a]
        mass.append(new)
    paid = [np.array([[1.0, 0.4], [0.4, 2.0]]) @ m for m in mass[:-1]]

    def cost(p, chosen):
        """Of an agent of p in each state."""
        value = game.terminal[p]
        for t in reversed(range(steps)):
            value = paid[t][p] + sum(chosen(t, a) * (0.3 * a + chances[a] @ value) for a in range(2))
        return value

    total = 0.0
    for p in range(2):
        mine = cost(p, lambda t, a, p=p: policy[t, a, p])
        pure = itertools.product(range(2), repeat=3 * steps)
        best = np.min([cost(p, lambda t, a, c=np.reshape(c, (steps, 3)): (c[t] == a) * 1.0) for c in pure], axis=0)
        total += float(start[p] @ (mine - best))
    assert float(mfg.exploitability(game, policy)) == pytest.approx(total, rel=1e-12)


def test_prices_hear_everybody():
    """A price of one population with mass 2 is that of two populations of mass 1."""

    def game(masses):
        space = mfg.Populations(NAMES[: len(masses)], RING, masses)
        return mfg.Problem(
            grid=space, time=mfg.TimeGrid(1.0, 4), dynamics=[moves()] * len(masses), normalise=True, initial=1.0,
            coupling=mfg.couplings.Price(mfg.couplings.QuadraticPotential(0.7, centre=0.2), amounts=[0.0, 1.0, 1.0]),
            terminal=lambda t, c: np.cos(2 * np.pi * c.x),
        )  # fmt: skip

    double, two = (mfg.solve(game(masses), tol=1e-11) for masses in ([2.0], [1.0, 1.0]))
    assert double.certificate.scale == pytest.approx(two.certificate.scale, rel=1e-8)
    np.testing.assert_allclose(double.density.sum("population"), two.density.sum("population"), atol=1e-7)


def test_agents_come_in_these_masses():
    problem = parts()
    solution = mfg.solve(problem, tol=1e-10)
    played = mfg.simulate(solution, agents={"many": 300_000, "few": 100_000}, replicas=2, rng=0)
    np.testing.assert_allclose(played.density.sum("x") / 12, np.broadcast_to(MASSES, (2, 7, 2)), rtol=1e-12)
    np.testing.assert_allclose(played.mean_field_density, solution.density, rtol=1e-10)
    assert abs(played.density - played.mean_field_density).max() < 0.05
    np.testing.assert_allclose(played.cost.mean("replica"), played.mean_field_cost, rtol=5e-3)
    shared = float((np.array(MASSES) * played.mean_field_cost).sum())  # a cost of one agent, times how many there are
    certificate = solution.certificate
    entropy = shared - certificate.movement_cost - certificate.crowd_cost - certificate.terminal_cost
    assert abs(entropy) < 1e-9


TOML = """
[grid]
shape = [6]
boundary = ["periodic"]

[[population]]
name = "many"
mass = 0.75
density = 0.75

[[population]]
name = "few"
mass = 0.25
density = 0.25

[time]
horizon = 1.0
steps = 3

[dynamics]
kind = "lattice"
moves = [0, 1, -1]
temperature = 0.1

[[coupling]]
kind = "interaction"
between = "populations"
matrix = [[1.0, 0.5], [0.5, 2.0]]
"""


def test_files_keep_masses(tmp_path):
    problem = problem_from_toml(TOML)
    assert problem.grid.masses == tuple(MASSES)
    again = problem_from_toml(problem_to_toml(problem))
    assert again.grid.identity == problem.grid.identity
    solution = mfg.solve(again, tol=1e-9)
    loaded = mfg.load(solution.save(tmp_path / "plan.nc"))
    np.testing.assert_allclose(loaded.dataset.population.attrs["masses"], MASSES)
    with pytest.raises(mfg.InputError, match="expected 0.6"):
        problem_from_toml(TOML.replace("mass = 0.75", "mass = 0.6")).initial_mass()


@pytest.mark.parametrize(("make", "says"), [
    (lambda: mfg.Populations(NAMES, RING, [1.0]), "one number for each of many, few"),
    (lambda: mfg.Populations(NAMES, RING, [1.0, 0.0]), "positive and finite"),
    (lambda: mfg.Populations(NAMES, RING, {"fw": 2.0}), "did you mean 'few'"),
    (lambda: parts(masses=[0.5, 0.5], normalise=False, coupling=1.0).grid and mfg.Problem(
        grid=mfg.Populations(NAMES, RING, MASSES), time=mfg.TimeGrid(1.0, 2), dynamics=[moves()] * 2, coupling=0.0,
        initial=1.0).initial_mass(), "population 'many' sums to 1 over the grid, expected 0.75"),
    (lambda: mfg.learn(parts()), "learn is for populations of mass 1.*many: 0.75"),
    (lambda: mfg.nash_gap(mfg.solve(parts(), tol=1e-6), agents=[10]), "nash_gap is for populations of mass 1"),
    (lambda: mfg.Problem(grid=mfg.Populations(NAMES, RING, MASSES), time=mfg.Ergodic(), dynamics=[moves()] * 2,
                         coupling=0.0), "is for populations of mass 1"),
])  # fmt: skip
def test_bad_masses(make, says):
    with pytest.raises(mfg.InputError, match=says):
        make()


def test_caps_ask_for_room_for_the_mass():
    roomy = parts(tau=0.0, masses=[2.0, 0.5], coupling=mfg.Capacity(4.5))
    assert mfg.solve(roomy, tol=1e-8).certificate.mass_error < 1e-12
    tight = mfg.Problem(
        grid=mfg.Populations(NAMES, RING, [2.0, 0.5]), time=mfg.TimeGrid(1.0, 2), dynamics=[moves(0.0)] * 2,
        coupling=mfg.Capacity(lambda t, c: np.where(t > 0, 1.5, 9.0) + 0 * c.x), initial=1.0, normalise=True,
    )  # fmt: skip
    with pytest.raises(mfg.InputError, match=r"room for a mass of 1.5 .* the crowd has 2"):
        mfg.solve(tight)
