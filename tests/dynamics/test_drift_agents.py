"""Agents one by one, comparisons and learners in an uncontrolled drift: the flow of the game is what they do."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

import mfgsolve as mfg
from mfgsolve.agents.play import play_of
from mfgsolve.agents.run import Party, run_replicas
from mfgsolve.agents.walk import Walk
from mfgsolve.learners.policy_iteration import BoltzmannIteration
from mfgsolve.problems.linear_quadratic import MeanAttraction

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

TURNING = (lambda t, c: 0.5 - c.y, lambda t, c: (1 + t) * (c.x - 0.5))
MOVES: dict[str, Any] = {"moves": [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)], "costs": 0.02, "temperature": 0.1}


def room(dynamics: Any, shape: tuple[int, ...] = (6, 7), **parts: Any) -> mfg.Problem:
    stated: dict[str, Any] = {
        "grid": mfg.Grid.box(shape, blocked=lambda c: (abs(c.x - 0.5) < 0.1) & (c.y < 0.5)),
        "time": mfg.TimeGrid(0.5, 6), "coupling": mfg.CrowdAversion(0.3), "initial": lambda t, c: (c.x < 0.3) * 1.0,
        "terminal": lambda t, c: (c.x - 0.8) ** 2 + (c.y - 0.6) ** 2, "normalise": True,
    }  # fmt: skip
    return mfg.Problem(dynamics=dynamics, **(stated | parts))


EDGES = [0.0, 0.1, 0.3, 0.6, 0.8, 1.0]
GAMES = {
    "diffusion": lambda: room(mfg.ControlledDiffusion(0.02, drift=TURNING, scheme="upwind")),
    "steady": lambda: room(mfg.ControlledDiffusion(0.02, drift=(2.0, -1.0), scheme="upwind")),
    "explicit": lambda: room(
        mfg.ControlledDiffusion(0.01, noise="explicit", drift=TURNING, scheme="upwind"), time=mfg.TimeGrid(0.5, 20)
    ),
    "no noise": lambda: room(mfg.ControlledDiffusion(drift=TURNING, scheme="upwind")),
    "uneven ring": lambda: room(
        mfg.ControlledDiffusion(0.02, drift=lambda t, c: 3.0 + np.sin(9 * t) + c.x, scheme="upwind"),
        terminal=lambda t, c: c.x,
        grid=mfg.Grid((mfg.Axis.from_edges("x", EDGES, "periodic"),)),
    ),
    "lattice": lambda: room(mfg.LatticeMoves(**MOVES, viscosity=0.03, drift=TURNING)),
    "lattice, explicit": lambda: room(
        mfg.LatticeMoves(**MOVES, viscosity=0.03, noise="explicit", jumps={(0, 1): 0.3, (0, 0): 0.7}, drift=TURNING)
    ),
    "steady lattice": lambda: room(mfg.LatticeMoves(**MOVES, drift=(2.0, -1.0))),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", GAMES)
def test_the_mean_of_an_agent_is_the_flow_and_what_it_pays_the_cost(name: str) -> None:
    solution = mfg.solve(GAMES[name](), method="fictitious-play", max_iterations=2, check="ignore")
    here = play_of(solution)
    walk, mass = Walk(here), here.game.flat(here.crowd)[:, : here.game.cells]
    for t in range(walk.steps):
        np.testing.assert_allclose(walk.chain.expect(t, mass[t]), mass[t + 1], rtol=0, atol=1e-15)
    paid = walk.mean_costs(mass).total.sum()
    assert math.isclose(paid, solution.certificate.cost, rel_tol=1e-13, abs_tol=1e-13)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["counts", "agents"])
@pytest.mark.parametrize("name", ["diffusion", "uneven ring", "lattice"])
def test_simulated_agents_follow_the_flow(name: str, method: str) -> None:
    """300 agents in 60 replicas are multinomial with the mass of the flow: chi-square."""
    here = play_of(mfg.solve(GAMES[name](), method="fictitious-play", max_iterations=2, check="ignore"))
    walk, mass = Walk(here), here.game.flat(here.crowd)[:, : here.game.cells]
    party = Party(walk, np.array([300]), method)
    seen = sum(run.counts for run in run_replicas(party, 60, np.random.SeedSequence(4), 1))
    for t in (1, walk.steps):
        counts, expected = seen[t], mass[t] * 60 * 300
        usual = expected >= 5
        assert counts.sum() == 60 * 300
        pooled = [np.append(a[usual], a[~usual].sum()) for a in (counts, expected)]
        keep = pooled[1] > 1e-9
        wanted = pooled[1][keep] * (18000 / pooled[1][keep].sum())
        assert stats.chisquare(pooled[0][keep], wanted).pvalue > 1e-4


def test_agents_on_a_ring_are_where_the_wind_has_carried_them() -> None:
    """Three cells a step, and nothing else: every single one of them."""
    problem = mfg.Problem(
        grid=mfg.Grid.box((10,), boundary="periodic"), time=mfg.TimeGrid(1.0, 5), coupling=0.0, initial=1.0,
        dynamics=mfg.ControlledDiffusion(drift=1.5, scheme="upwind"),
    )  # fmt: skip
    counts = mfg.simulate(mfg.solve(problem, check="ignore"), agents=50, replicas=3, rng=1)["density"].values
    for t in range(counts.shape[1]):
        np.testing.assert_allclose(counts[:, t], np.roll(counts[:, 0], 3 * t, axis=1), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["diffusion", "lattice"])
def test_comparisons_and_regrets_know_the_wind(name: str) -> None:
    """What one of so many agents gains is exact, falls as 1 / N, and vanishes in the limit."""
    solution = mfg.solve(GAMES[name](), check="ignore")
    assert solution.converged
    compared = mfg.compare(solution, agents=[10, 1000], replicas=20, rng=0)
    assert 0 < compared.regret[1] < 0.02 * compared.regret[0]
    assert compared.l2_mean[0] / compared.l2_mean[1] == pytest.approx(10, rel=0.3)
    limit = mfg.nash_gap(solution, 10**12)
    assert abs(limit.relative_regret.item()) < 1e-9
    assert limit.cost.item() == pytest.approx(solution.certificate.cost, rel=1e-9)


def test_agents_of_the_linear_quadratic_game_in_the_wind() -> None:
    """What one agent pays in the limit: the integral of (1 + eta^2) variance / 2; the scheme is of first order."""
    found = []
    for cells in (48, 96):
        problem = mfg.Problem(
            grid=mfg.Grid.box((cells,), bounds=[(-3, 3)]), time=mfg.TimeGrid(1.0, 2 * cells), normalise=True,
            dynamics=mfg.ControlledDiffusion(0.1, drift=lambda t, c: -c.x / 2, scheme="upwind"),
            coupling=MeanAttraction(1.0),
            initial=mfg.Bump(1.0, 0.3, (0.3,)),
        )  # fmt: skip
        limit = mfg.nash_gap(mfg.solve(problem, check="raise"), 10**9)
        assert abs(limit.regret.item()) < 1e-9
        found.append(limit.cost.item())
    root, steps = np.sqrt(5) / 2, 20_000  # eta' = eta^2 + eta - 1, v' = -(2 eta + 1) v + 0.2, by fine steps
    eta = 1 / (0.5 + root / np.tanh(root * np.linspace(1, 1 / steps, steps)))
    variance, cost = 0.09, 0.0
    for e in eta:
        cost += 0.5 * (1 + e**2) * variance / steps
        variance += (0.2 - (2 * e + 1) * variance) / steps
    assert found[1] - cost == pytest.approx(0.0028, abs=2e-4)
    assert 2 * found[1] - found[0] == pytest.approx(cost, rel=0.01)


def test_learners_learn_in_the_wind() -> None:
    """At the temperature of the game Boltzmann iteration is the equilibrium; sampled learners come near it."""
    problem = room(mfg.LatticeMoves([0, 1, -1], costs=0.02, temperature=0.3, viscosity=0.01,
                                    drift=lambda t, c: (1 + t) * (0.5 - c.x)),
                   grid=mfg.Grid.box((8,)), terminal=lambda t, c: (c.x - 0.8) ** 2)  # fmt: skip
    exact = mfg.solve(problem, tol=1e-12)
    method = BoltzmannIteration(softness=0.3 * problem.time.dt, weight=0.2)
    found = mfg.solve(problem, method=method, tol=0.0, max_iterations=300, check="ignore")
    np.testing.assert_allclose(found.dataset.density, exact.dataset.density, rtol=0, atol=1e-6)
    for learner, options in (("mguni", {}), ("gmf-q", {"softness": 0.3 * problem.time.dt, "weight": 0.2})):
        learned = mfg.learn(problem, learner, agents=200, episodes=400, rng=0, reference=exact, **options)
        assert learned.dataset.attrs["density_distance"] < 0.02, learner
