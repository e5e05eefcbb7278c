"""The same game in other words has the same answer: relabelled, in other units, shifted, split, mirrored, padded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.solvers import suited

SEEDS = range(4)
STRICT = 1e-9  # tolerance of solves whose plans are compared


@dataclass(frozen=True)
class Told:
    """A finite game of one population in arrays."""

    chance: np.ndarray  # (T, A, S, S)
    own: np.ndarray  # (T, A, S)
    aversion: np.ndarray  # (T + 1, S)
    field: np.ndarray  # (T + 1, S)
    matrix: np.ndarray  # (S, S)
    choice: np.ndarray  # (T, A, S), crowd aversion of choices
    amounts: np.ndarray  # (A, S) of a price
    weight: float
    terminal: np.ndarray  # (S,)
    start: np.ndarray
    temperature: float = 0.0
    dt: float = 1.0

    def problem(self) -> mfg.Problem:
        steps, states = self.own.shape[0], self.own.shape[2]
        at = lambda table: lambda t, c: table[round(t / self.dt)]
        return mfg.Problem(
            grid=mfg.States(states),
            time=mfg.TimeGrid(self.dt * steps, steps),
            dynamics=mfg.Tabular(self.chance, cost=self.own, temperature=self.temperature),
            coupling=mfg.CrowdAversion(at(self.aversion)) + mfg.RunningCost(at(self.field))
            + mfg.Interaction(self.matrix) + mfg.CrowdAversion(at(self.choice), on="occupation")
            + mfg.Price(mfg.QuadraticPotential(self.weight, 0.1), amounts=self.amounts),
            initial=self.start,
            terminal=self.terminal,
        )  # fmt: skip

    def policy(self, seed: int = 0) -> np.ndarray:
        policy = np.random.default_rng(seed).gamma(0.5, size=self.own.shape) + 1e-3
        return policy / policy.sum(axis=1, keepdims=True)


def told(seed: int, temperature: float = 0.0) -> Told:
    rng = np.random.default_rng(seed)
    steps, actions, states = 4, 3, 4
    root = rng.normal(size=(states, states)) / 2
    return Told(
        chance=rng.dirichlet(np.full(states, 0.5), (steps, actions, states)),
        own=rng.uniform(-0.5, 0.5, (steps, actions, states)),
        aversion=rng.uniform(0.5, 1.5, (steps + 1, states)),
        field=rng.uniform(-1, 1, (steps + 1, states)),
        matrix=root @ root.T,
        choice=rng.uniform(0.5, 1.5, (steps + 1, actions, states)),
        amounts=rng.uniform(-1, 1, (actions, states)),
        weight=0.7,
        terminal=rng.uniform(-0.5, 0.5, states),
        start=rng.dirichlet(np.ones(states)),
        temperature=temperature,
    )


def certificate(game: Told, policy: np.ndarray) -> mfg.Certificate:
    return mfg.exploitability(game.problem(), policy)


def density(game: Told) -> np.ndarray:
    solution = mfg.solve(game.problem(), tol=STRICT)
    assert solution.converged
    return solution.dataset["density"].values


@pytest.mark.parametrize("temperature", [0.0, 0.2])
@pytest.mark.parametrize("seed", SEEDS)
def test_names_of_states_and_actions_do_not_matter(seed: int, temperature: float) -> None:
    game = told(seed, temperature)
    rng = np.random.default_rng(seed)
    s, a = rng.permutation(4), rng.permutation(3)
    other = replace(
        game, chance=game.chance[:, a][:, :, s][:, :, :, s], own=game.own[:, a][:, :, s], aversion=game.aversion[:, s],
        field=game.field[:, s], matrix=game.matrix[np.ix_(s, s)], choice=game.choice[:, a][:, :, s],
        amounts=game.amounts[a][:, s], terminal=game.terminal[s], start=game.start[s],
    )  # fmt: skip
    policy = game.policy()
    one, two = certificate(game, policy), certificate(other, policy[:, a][:, :, s])
    for name in ("exploitability", "relative_exploitability", "cost", "potential", "scale"):
        assert getattr(two, name) == pytest.approx(getattr(one, name), abs=1e-13), name
    np.testing.assert_allclose(density(other), density(game)[:, s], atol=1e-4)


def scaled(game: Told, factor: float) -> Told:
    names = ("own", "aversion", "field", "matrix", "choice", "weight", "terminal", "temperature")
    return replace(game, **{name: factor * getattr(game, name) for name in names})


@pytest.mark.parametrize("factor", [1e-6, 1e6])
@pytest.mark.parametrize("temperature", [0.0, 0.2])
def test_the_unit_of_costs_does_not_matter(factor: float, temperature: float) -> None:
    game = told(5, temperature)
    policy = game.policy()
    one, two = certificate(game, policy), certificate(scaled(game, factor), policy)
    assert two.relative_exploitability == pytest.approx(one.relative_exploitability, rel=1e-12)
    for name in ("exploitability", "cost", "potential", "scale"):
        assert getattr(two, name) == pytest.approx(factor * getattr(one, name), rel=1e-11), name
    np.testing.assert_allclose(density(scaled(game, factor)), density(game), atol=1e-4)


def shifted(game: Told, size: float) -> Told:
    """Constants added to all costs of a time: own costs, fields, and the terminal cost."""
    rng = np.random.default_rng(7)
    steps = game.own.shape[0]
    return replace(
        game, own=game.own + size * rng.normal(size=(steps, 1, 1)), field=game.field + size * rng.normal(
            size=(steps + 1, 1)), terminal=game.terminal + size)  # fmt: skip


@pytest.mark.parametrize("temperature", [0.0, 0.2])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_constant_more_at_all_places_changes_no_certificate(seed: int, temperature: float) -> None:
    game = told(seed, temperature)
    other, policy = shifted(game, 1000.0), game.policy()
    one, two = certificate(game, policy), certificate(other, policy)
    assert two.exploitability == pytest.approx(one.exploitability, abs=1e-11)
    assert two.relative_exploitability == pytest.approx(one.relative_exploitability, rel=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [0.0, 0.2])
def test_a_constant_more_at_all_places_changes_no_solve(temperature: float) -> None:
    game = told(2, temperature)
    one, two = game.problem(), shifted(game, 100.0).problem()
    for name in suited(one):
        plain, moved = (mfg.solve(p, method=name, tol=1e-7, max_iterations=40, check="ignore") for p in (one, two))
        assert moved.status is plain.status, name
        assert moved.iterations == plain.iterations, name
        np.testing.assert_allclose(
            moved.dataset["density"].values, plain.dataset["density"].values, atol=1e-4, err_msg=name
        )


def test_a_large_constant_converges_nothing() -> None:
    """Beach bar with a running cost of 1e9 for everybody everywhere is no easier."""
    bar = mfg.problems.beach_bar()
    dear = replace(bar, coupling=bar.couplings[0] + mfg.RunningCost(1e9), parameters=None, text=None)
    steps, states = bar.time.steps, bar.grid.size
    actions = mfg.solve(bar, max_iterations=1, check="ignore").dataset["policy"].shape[1]
    lazy = np.zeros((steps, actions, states))
    lazy[:, 0] = 1.0
    plain, moved = mfg.exploitability(bar, lazy), mfg.exploitability(dear, lazy)
    assert plain.relative_exploitability > 1e-2
    assert moved.relative_exploitability == pytest.approx(plain.relative_exploitability, rel=1e-4)


@pytest.mark.parametrize("temperature", [0.0, 0.2])
@pytest.mark.parametrize("where", ["before", "after"])
def test_an_idle_step_changes_nothing(temperature: float, where: str) -> None:
    """A step in which everybody stays at no cost; at a temperature it earns its entropy, tau log 3 at most."""
    game = told(3, temperature)
    before = where == "before"

    def pad(array: np.ndarray, idle: Any = 0.0) -> np.ndarray:
        return np.insert(array, 0 if before else array.shape[0] - (array.shape[0] == 5), idle, axis=0)

    other = replace(
        game, chance=pad(game.chance, np.broadcast_to(np.eye(4), (3, 4, 4))), own=pad(game.own),
        aversion=pad(game.aversion), field=pad(game.field), choice=pad(game.choice),
        matrix=0 * game.matrix, weight=1e-12,
    )  # fmt: skip
    game = replace(game, matrix=0 * game.matrix, weight=1e-12)
    policy = game.policy()
    longer = np.insert(policy, 0 if before else 4, 1 / 3, axis=0)
    one, two = certificate(game, policy), certificate(other, longer)
    assert two.exploitability == pytest.approx(one.exploitability, abs=1e-11)
    assert two.cost == pytest.approx(one.cost - temperature * np.log(3), abs=1e-11)
    short, long = density(game), density(other)
    np.testing.assert_allclose(np.delete(long, 0 if before else 4, axis=0), short, atol=1e-4)


# -- several populations ---------------------------------------------------------------------------------------------


def halves(temperature: float, split: bool, asymmetric: bool = False) -> mfg.Problem:
    """One crowd that minds its density, or two halves of it that mind the mean of both."""
    moves = mfg.LatticeMoves([-1, 0, 1], costs=[0.1, 0.0, 0.1], temperature=temperature)
    grid: Any = mfg.Grid.box((6,), boundary="periodic")
    field = mfg.RunningCost(lambda t, c: np.cos(2 * np.pi * (c.x - 0.3 * t)))
    start = lambda t, c: 1 + 0.5 * np.sin(2 * np.pi * c.x)
    if not split:
        return mfg.Problem(grid, mfg.TimeGrid(1.0, 4), moves, mfg.CrowdAversion(2.0) + field, start, normalise=True)
    matrix = np.ones((2, 2)) + (asymmetric and np.array([[0, 1e-3], [-1e-3, 0]]))
    return mfg.Problem(
        mfg.Populations(["a", "b"], grid), mfg.TimeGrid(1.0, 4), [moves, moves],
        mfg.Interaction(matrix, between="populations") + field, start, normalise=True,
    )  # fmt: skip


@pytest.mark.parametrize("temperature", [0.0, 0.3])
def test_a_crowd_in_two_halves_is_the_same_crowd(temperature: float) -> None:
    whole, split = halves(temperature, False), halves(temperature, True)
    policy = np.random.default_rng(0).dirichlet(np.ones(3), (4, 6)).transpose(0, 2, 1)
    both = np.stack([policy, policy], axis=2)
    one, two = mfg.exploitability(whole, policy), mfg.exploitability(split, both)
    assert two.exploitability == pytest.approx(2 * one.exploitability, rel=1e-12)
    assert two.cost == pytest.approx(2 * one.cost, rel=1e-12)
    assert two.relative_exploitability == pytest.approx(one.relative_exploitability, rel=1e-12)
    if temperature:
        alone, together = mfg.solve(whole, tol=STRICT), mfg.solve(split, tol=STRICT)
        assert together.converged
        for name in "ab":
            np.testing.assert_allclose(
                together.dataset["density"].sel(population=name).values, alone.dataset["density"].values, atol=1e-4
            )


# -- grids -----------------------------------------------------------------------------------------------------------


def room(length: float = 1.0, pace: float = 1.0, euro: float = 1.0, blocked: bool = True) -> mfg.Problem:
    """A walk through a room, in other units: a length of 1 is told as ``length``, a time of 1 as ``pace``."""
    wall = (lambda c: (np.abs(c.x / length - 0.5) < 0.1) & (c.y / length > 0.6)) if blocked else None
    return mfg.Problem(
        grid=mfg.Grid.box((5, 8), [(0, length), (0, length)], boundary=("periodic", "reflecting"), blocked=wall),
        time=mfg.TimeGrid(1.0 * pace, 24),
        dynamics=mfg.ControlledDiffusion(0.02 * length**2 / pace, 0.7 * euro * pace / length**2, scheme="upwind"),
        coupling=mfg.CrowdAversion(0.3 * euro * length**2 / pace)
        + mfg.Congestion(lambda t, c: euro / pace * (1 + np.sin(3 * c.x / length + t / pace)), 0.4 * length**2),
        initial=lambda t, c: np.exp(-((c.x / length - 0.2) ** 2) / 0.05),
        terminal=lambda t, c: euro * (c.x / length - 0.8) ** 2,
        terminal_coupling=mfg.LogCongestion(0.1 * euro, floor=1e-9 / length**2),
        normalise=True,
    )


@pytest.mark.parametrize(("length", "pace", "euro"), [(1e-3, 1.0, 1.0), (1e4, 3600.0, 1.0), (1e6, 1e-2, 1e5)])
def test_units_of_length_time_and_cost_do_not_matter(length: float, pace: float, euro: float) -> None:
    rng = np.random.default_rng(0)
    ask, told_ = room(), room(length, pace, euro)
    speeds = mfg.solve(ask, max_iterations=2, check="ignore").dataset["speed"].values * rng.uniform(0, 1, (24, 4, 5, 8))
    one, two = mfg.exploitability(ask, speeds), mfg.exploitability(told_, speeds * length / pace)
    assert one.relative_exploitability > 1e-3
    assert two.relative_exploitability == pytest.approx(one.relative_exploitability, rel=1e-9)
    assert two.exploitability == pytest.approx(euro * one.exploitability, rel=1e-9)
    plain, other = mfg.solve(ask), mfg.solve(told_)
    assert other.converged
    # the potential of a logarithm depends on the unit of density; the plan and its cost do not
    np.testing.assert_allclose(other.dataset["density"].values * length**2, plain.dataset["density"].values, atol=1e-6)
    moved = other.certificate.movement_cost / euro
    assert moved == pytest.approx(plain.certificate.movement_cost, rel=1e-6)


def lawn(mirrored: bool = False, turned: bool = False, blocked: bool = False) -> mfg.Problem:
    def place(c: Any) -> tuple[np.ndarray, np.ndarray]:
        x, y = (c.y, c.x) if turned else (c.x, c.y)
        return (1 - x if mirrored else x), y

    def start(t: float, c: Any) -> np.ndarray:
        x, y = place(c)
        return np.exp(-((x - 0.2) ** 2 + (y - 0.4) ** 2) / 0.05)

    def reward(t: float, c: Any) -> np.ndarray:
        x, y = place(c)
        return np.exp(-((x - 0.8) ** 2 + (y - 0.2 - 0.5 * t) ** 2) / 0.1)

    def wall(c: Any) -> np.ndarray:
        x, y = place(c)
        return (np.abs(x - 0.45) < 0.1) & (y > 0.55)

    shape = (5, 7)
    return mfg.Problem(
        grid=mfg.Grid.box(shape[::-1] if turned else shape, blocked=wall if blocked else None),
        time=mfg.TimeGrid(1.0, 32),
        dynamics=mfg.ControlledDiffusion(0.02, 0.4, scheme="upwind"),
        coupling=mfg.Congestion(reward, 0.3) + mfg.CrowdAversion(0.1),
        initial=start,
        normalise=True,
    )


@pytest.mark.parametrize(
    ("mirrored", "turned", "blocked"), [(True, False, True), (False, True, False), (True, True, False)]
)
def test_a_mirrored_or_turned_room_is_the_same_room(mirrored: bool, turned: bool, blocked: bool) -> None:
    """Noise acts axis by axis, which only walls can tell: what is turned has none."""
    plain, other = mfg.solve(lawn(blocked=blocked)), mfg.solve(lawn(mirrored, turned, blocked))
    assert other.potential == pytest.approx(plain.potential, abs=1e-9)
    seen = other.dataset["density"].values
    seen = seen.transpose(0, 2, 1) if turned else seen
    seen = seen[:, :, ::-1] if mirrored else seen
    np.testing.assert_allclose(seen, plain.dataset["density"].values, atol=1e-4)
