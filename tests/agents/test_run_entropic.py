"""Replicas on the entropic step: the law of counts, of single agents and of the flow is one."""

import numpy as np
import pytest
from entropic_agents import ENTROPIC, entropic, play
from scipy import stats

from mfgsolve.agents.run import Party, run_replicas
from mfgsolve.agents.walk import Walk


def masses(here):
    return here.game.flat(here.crowd)


def pooled(seen, expected):
    """P-value of chi-square, rare cells taken together; none is met where nobody can be."""
    usual = expected >= 5
    counts, means = (np.append(a[usual], a[~usual].sum()) for a in (seen, expected))
    keep = means > 1e-9
    assert (counts[~keep] == 0).all()
    return stats.chisquare(counts[keep], means[keep] * (counts.sum() / means[keep].sum())).pvalue


@pytest.mark.parametrize("method", ["counts", "agents"])
@pytest.mark.parametrize("name", ENTROPIC)
def test_agents_follow_the_flow(name, method):
    here = play(ENTROPIC[name]())
    party = Party(Walk(here), np.array([300]), method)
    seen = sum(run.counts for run in run_replicas(party, 60, np.random.SeedSequence(7), 1))
    for t in range(party.walk.steps + 1):
        assert seen[t].sum() == 60 * 300
        assert pooled(seen[t], 60 * 300 * masses(here)[t]) > 1e-4


def test_chi_square_of_all_cells_and_times():
    """Squares of all deviations over their variances have the mean 1, for few agents in a cell and for many."""
    here = play(entropic((12, 10), steps=6), seed=1)
    for agents in (2000, 10**6, 10**12):
        party, squares, count = Party(Walk(here), np.array([agents])), 0.0, 0
        for run in run_replicas(party, 20, np.random.SeedSequence(3), 1):
            mean = agents * masses(here)
            usual = mean > 5
            squares += ((run.counts - mean)[usual] ** 2 / (mean * (1 - masses(here)))[usual]).sum()
            count += usual.sum()
        assert abs(squares / count - 1) < 5 * np.sqrt(2 / count)


@pytest.mark.parametrize("method", ["counts", "agents"])
def test_counts_in_a_cell_are_binomial(method):
    """Not only the mean: replica by replica, the number in the fullest cell at the end."""
    here = play(entropic())
    cell = int(masses(here)[-1].argmax())
    party = Party(Walk(here), np.array([40]), method)
    runs = run_replicas(party, 1500, np.random.SeedSequence(11), 1)
    numbers = np.array([run.counts[-1, cell] for run in runs])
    law = stats.binom(40, masses(here)[-1, cell])
    edges = np.unique(law.ppf([0.1, 0.25, 0.4, 0.55, 0.7, 0.85]))
    chances = np.diff(np.concatenate([[0.0], law.cdf(edges), [1.0]]))
    seen = np.bincount(np.searchsorted(edges, numbers), minlength=chances.size)
    assert stats.chisquare(seen, 1500 * chances).pvalue > 1e-4


def test_steps_of_one_agent_are_those_of_the_chain():
    """Tagged agents, transition by transition, in an even step and in an odd one: chi-square of pairs of cells."""
    here = play(entropic((3, 4), blocked=np.arange(12).reshape(3, 4) == 6), seed=2)
    walk = Walk(here)
    paths = np.concatenate(
        [run.tagged for run in run_replicas(Party(walk, np.array([400]), tagged=400), 10, np.random.SeedSequence(5), 1)]
    )
    for t in (0, 1):
        matrix = np.stack([walk.chain.expect(t, row) for row in np.eye(12)])
        expected = (masses(here)[t][:, None] * matrix * len(paths)).reshape(-1)
        assert pooled(np.bincount(paths[:, t] * 12 + paths[:, t + 1], minlength=144), expected) > 1e-4


def test_a_plan_and_what_deviates_from_it():
    """Tagged agents follow their own law, all others the plan."""
    problem = entropic((9,))
    plan, other = play(problem), play(problem, seed=4)
    chain = plan.game.step.chain(other.policy)
    party = Party(Walk(plan), np.array([300]), tagged=100, deviation=chain)
    seen, alone = np.zeros((2, 5, 9))
    for run in run_replicas(party, 40, np.random.SeedSequence(1), 1):
        alone += np.stack([np.bincount(cells, minlength=9) for cells in run.tagged.T])
        seen += run.counts
    for t in range(5):
        assert pooled(alone[t], 4000 * masses(other)[t]) > 1e-4
        assert pooled(seen[t] - alone[t], 8000 * masses(plan)[t]) > 1e-4


@pytest.mark.parametrize("name", ["walls", "terminal", "discount"])
def test_tagged_agents_pay_what_all_pay(name):
    here = play(ENTROPIC[name]())
    for run in run_replicas(Party(Walk(here), np.array([6]), tagged=6), 3, np.random.SeedSequence(1), 1):
        assert run.tagged_cost.mean() == pytest.approx(run.cost[0], rel=1e-12)
        np.testing.assert_array_equal(np.bincount(run.tagged[:, -1], minlength=run.counts.shape[1]), run.counts[-1])


def test_what_a_replica_costs_by_hand():
    """One agent: its price at every node by the trapezoid rule, the divergence of its law in every step, the end."""
    here = play(entropic((9,), steps=4, discount=1.0))
    game, chain = here.game, Walk(here).chain
    run = next(run_replicas(Party(Walk(here), np.array([1]), tagged=1), 1, np.random.SeedSequence(2), 1))
    path, h, dt = run.tagged[0], 1 / 9, 0.125
    x = (path + 0.5) * h
    t = dt * np.arange(5)
    price = 0.5 * (1 / h) ** 2 - (1 + t + x) / (1 + 0.4 / h)
    weights = np.array([0.5, 1, 1, 1, 0.5]) * dt * np.exp(-t)
    own = sum(chain.own_cost[k, path[k], 0] for k in range(4))
    paid = weights @ price + own + np.exp(-0.5) * (x[-1] - 0.8) ** 2
    assert run.tagged_cost[0] == pytest.approx(paid, rel=1e-12)
    assert run.cost[0] == pytest.approx(paid, rel=1e-12)
    assert game.time.discount == 1.0
