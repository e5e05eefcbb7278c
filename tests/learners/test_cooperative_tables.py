"""Agents with tables: how they begin and choose, and that they learn what a tiny plant asks for."""

from __future__ import annotations

import numpy as np

from mfgsolve.learners.cooperation import cooperative_tables
from mfgsolve.learners.cooperation.cooperative import Cooperative
from mfgsolve.learners.cooperation.cooperative_tables import TableAgents, empty_memory
from mfgsolve.tasks.plant import optimum, policy_value, tabulate
from mfgsolve.tasks.pushed_pendulum import PushedPendulum
from mfgsolve.tasks.steering import SharedSteering

TINY = SharedSteering(offsets=5, headings=3, discount=0.6, steps=20)


def test_at_first_all_idle():
    agents = TableAgents(TINY, tabulate(TINY))
    values = agents.fresh(2, np.random.default_rng(0))
    assert values.shape == (2, 2, 15, 5)
    assert not agents.choices(values).any()
    values[1, 0, 7, 3] = 1.0
    assert agents.choices(values)[1, 7].tolist() == [3, 0]


def test_they_learn_a_tiny_plant_far_better_than_chance():
    tables = tabulate(TINY)
    agents, best = TableAgents(TINY, tables), optimum(tables)[0].mean()
    learner = Cooperative(parts="imagined", alpha=0.1, sigma=0.05, beta=0.02)
    values, memory = agents.fresh(4, np.random.default_rng(0)), empty_memory((4,), 2000, 2)
    agents.play(values, memory, learner.laws(), np.maximum(0.98 ** np.arange(300), 0.02), np.random.default_rng(1))
    rng = np.random.default_rng(2)
    lost = best - np.array([policy_value(tables, each).mean() for each in agents.choices(values)])
    chance = best - np.mean([policy_value(tables, rng.integers(5, size=(15, 2))).mean() for _ in range(20)])
    assert (lost >= -1e-12).all()
    assert lost.mean() < 0.15 * chance


def test_the_same_stream_the_same_tables():
    agents, made = TableAgents(TINY, tabulate(TINY)), []
    for seed in (3, 3, 4):
        values, memory = agents.fresh(2, np.random.default_rng(0)), empty_memory((2,), 600, 2)
        agents.play(values, memory, Cooperative().laws(), np.ones(3), np.random.default_rng(seed))
        made.append(values)
    np.testing.assert_array_equal(made[0], made[1])
    assert (made[0] != made[2]).any()


def test_thresholds_are_in_even_shares(monkeypatch):
    given = []
    monkeypatch.setattr(cooperative_tables.kernel, "train", lambda *arguments: given.append(arguments))
    agents = TableAgents(PushedPendulum(agents=4), tabulate(PushedPendulum(agents=4)))
    values, memory = agents.fresh(1, np.random.default_rng(0)), empty_memory((1,), 10, 4)
    learner = Cooperative(low=0.4, high=1.2, fading=10.0, parts="impact", idle=0.3, coordination=0.7)
    agents.play(values, memory, learner.laws(), np.ones(2), np.random.default_rng(0))
    ((*_, batch, parts, imagined, law),) = given
    assert parts == (False, False, True)
    assert imagined == (0.3, 0.7)
    np.testing.assert_allclose(law, (0.2, 0.1, 0.05, 0.1, 0.3))
    assert batch[:2] == (16, 500)
    np.testing.assert_allclose(batch[2], np.exp(np.arange(10) / 10))
