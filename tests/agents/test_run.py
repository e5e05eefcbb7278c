"""Replicas: the law of counts, of single agents and of the flow is one."""

import numpy as np
import pytest
from scipy import stats
from walkers import PROBLEMS, diffusion, mass_of, play

from mfgsolve.agents.run import Party, _spread_over, run_replicas
from mfgsolve.agents.walk import Walk

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning"),  # meant; told without compiler
]


@pytest.mark.parametrize("method", ["counts", "agents"])
@pytest.mark.parametrize("name", ["2-D", "blocked round", "strong noise", "explicit round", "lattice", "populations"])
def test_agents_follow_the_flow(name, method):
    """Agents are independent, so that all replicas together are multinomial with the mass of the flow: chi-square."""
    here = play(PROBLEMS[name]())
    walk, mass = Walk(here), mass_of(here)
    number = np.full(here.game.grid.populations, 300)
    seen = sum(run.counts for run in run_replicas(Party(walk, number, method), 60, np.random.SeedSequence(7), 1))
    for t in (1, walk.steps):
        for p, part in enumerate(np.split(mass[t], number.size)):
            counts, expected = np.split(seen[t], number.size)[p], part * 60 * 300
            assert counts.sum() == 60 * 300
            usual = expected >= 5
            pooled = [np.append(a[usual], a[~usual].sum()) for a in (counts, expected)]
            keep = pooled[1] > 1e-9
            assert (pooled[0][~keep] == 0).all()
            assert stats.chisquare(pooled[0][keep], pooled[1][keep] * (18000 / pooled[1][keep].sum())).pvalue > 1e-4


@pytest.mark.parametrize("method", ["counts", "agents"])
def test_counts_in_a_cell_are_binomial(method):
    """Not only the mean: replica by replica, the number in the fullest cell at the end."""
    here = play(diffusion((6, 5), steps=5))
    walk, mass = Walk(here), mass_of(here)
    cell = int(mass[-1].argmax())
    runs = run_replicas(Party(walk, np.array([40]), method), 1500, np.random.SeedSequence(11), 1)
    numbers = np.array([run.counts[-1, cell] for run in runs])
    law = stats.binom(40, mass[-1, cell])
    edges = np.unique(law.ppf([0.1, 0.25, 0.4, 0.55, 0.7, 0.85]))
    chances = np.diff(np.concatenate([[0.0], law.cdf(edges), [1.0]]))
    assert (
        stats.chisquare(np.bincount(np.searchsorted(edges, numbers), minlength=chances.size), 1500 * chances).pvalue
        > 1e-4
    )


def test_steps_of_one_agent_are_those_of_the_chain():
    """Tagged agents, transition by transition, in both directions of a ring: chi-square of pairs of cells."""
    here = play(diffusion((8,), boundary="periodic", steps=3, viscosity=0.2))
    walk = Walk(here)
    runs = list(run_replicas(Party(walk, np.array([400]), tagged=400), 10, np.random.SeedSequence(5), 1))
    paths = np.concatenate([run.tagged for run in runs])
    mass = mass_of(here)
    matrix = np.stack([walk.chain.expect(1, row) for row in np.eye(8)])
    expected = (mass[1][:, None] * matrix * len(paths)).reshape(-1)
    pairs = np.bincount(paths[:, 1] * 8 + paths[:, 2], minlength=64)
    assert stats.chisquare(pairs, expected).pvalue > 1e-4


def test_nobody_starts_where_the_mass_is_zero():
    x = np.linspace(-1, 1, 4001)
    mass = np.exp(-(x**2) / 2 / 0.05**2) * (abs(x) < 0.45)
    rng = np.random.default_rng(0)
    assert not any(_spread_over(rng, 10**12, mass / mass.sum())[mass == 0].any() for _ in range(300))


@pytest.mark.parametrize("name", ["2-D", "lattice", "populations"])
def test_tagged_agents_pay_what_their_population_pays(name):
    """All agents are tagged: what each paid has the mean of its population, own costs of choices and walls included."""
    here = play(PROBLEMS[name]())
    populations = here.game.grid.populations
    party = Party(Walk(here), np.full(populations, 6), tagged=6)
    for run in run_replicas(party, 3, np.random.SeedSequence(1), 1):
        np.testing.assert_allclose(run.tagged_cost.reshape(populations, 6).mean(axis=1), run.cost, rtol=1e-12)
        ends = np.bincount(run.tagged[:, -1], minlength=run.counts.shape[1])
        np.testing.assert_array_equal(ends, run.counts[-1])
