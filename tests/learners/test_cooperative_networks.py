"""Agents with networks: what is packed comes back, features, imagined rows, and that they learn."""

from __future__ import annotations

import numpy as np
import pytest

from mfgsolve.learners.cooperation.cooperative import Cooperative
from mfgsolve.learners.cooperation.cooperative_networks import NetworkAgents, features, packed, unpacked
from mfgsolve.learners.cooperation.cooperative_tables import empty_memory
from mfgsolve.parts.functions import MLP
from mfgsolve.tasks import train
from mfgsolve.tasks.plant import tabulate
from mfgsolve.tasks.pushed_pendulum import PushedPendulum
from mfgsolve.tasks.steering import SharedSteering

TINY = SharedSteering(offsets=5, headings=5, discount=0.6, steps=20)


def test_a_network_comes_back_with_its_optimiser():
    rng = np.random.default_rng(0)
    net = MLP((2, 3, 4), rng)
    inputs, targets = rng.standard_normal((5, 2)), rng.standard_normal((5, 4))
    again = unpacked(net.sizes, packed(net))
    for _ in range(3):
        assert net.fit(inputs, targets, 0.1) == again.fit(inputs, targets, 0.1)
        again = unpacked(net.sizes, packed(again))
    np.testing.assert_array_equal(packed(net), packed(again))


def test_features_are_coordinates():
    plain = features(TINY)
    assert plain.shape == (25, 2)
    assert plain[0].tolist() == [-1, -1]
    assert plain[24].tolist() == [1, 1]
    assert plain[6].tolist() == [-0.5, -0.5]
    turned = features(PushedPendulum(angles=4, speeds=5))
    np.testing.assert_allclose(turned[7], [0, 1, 0], atol=1e-15)


def agents_of(task):
    tables = tabulate(task)
    return NetworkAgents(task, tables, 8, 0.01), tables


def test_imagined_rows_follow_what_happened():
    agents, tables = agents_of(TINY)
    x, u, y = np.array([12, 3]), np.array([[2, 4], [2, 1]]), np.array([13, 3])
    rng = np.random.default_rng(0)
    plain = agents._imagined(x, u, y, 0, Cooperative(parts="temporal").laws(), 0.5, rng)
    assert [len(each) for each in plain] == [2, 2, 2, 2]
    _, acted, _, slow = agents._imagined(x, u, y, 0, Cooperative(parts="imagined").laws(), 1.0, rng)
    assert acted[2:].tolist() == [[2, 0], [2, 0]]
    assert not slow.any()
    start, acted, _, slow = agents._imagined(x, u, y, 0, Cooperative(parts="impact").laws(), 1.0, rng)
    assert acted[2:].tolist() == [[0, 1], [1, 1], [2, 2]]  # of the second alone, where the two push apart
    assert start.tolist() == [12, 3, 3, 3, 3]
    assert slow.tolist() == [False, False, True, True, True]
    _, acted, z, slow = agents._imagined(x, u, y, 0, Cooperative(parts="imagined").laws(), 0.0, rng)
    assert acted[2:].tolist() == [[0, 4], [0, 1], [4, 4], [1, 1], [2, 2], [2, 2]]
    assert not slow.any()
    for k, place in enumerate([0, 1] * 3, start=2):
        assert z[k] in tables.successor[x[place], tables.sums(acted[k])]
    alike = np.array([[2, 2], [2, 0]])
    _, acted, _, _ = agents._imagined(x, alike, y, 0, Cooperative(parts="imagined,impact").laws(), 0.0, rng)
    assert acted[2:].tolist() == [[0, 0], [0, 0], [2, 2]]  # none of the first, where both push alike


class Recorder:
    """A network whose outputs are zero, and what it is asked to learn."""

    def value(self, inputs):
        return np.zeros((len(inputs), 5))

    def fit(self, inputs, targets, step, chosen):
        self.inputs, self.targets, self.step, self.chosen = inputs, targets, step, chosen


def test_targets_by_hand():
    """One transition, of two drivers who pull apart: the second of equal strength, so that good news counts sigma."""
    agents, tables = agents_of(TINY)
    memory = empty_memory((1,), 1, 2)
    memory.before[0, 0], memory.joint[0, 0], memory.after[0, 0], memory.seen[0] = 12, [2, 1], 13, 1
    ahead, net = np.full(25, 2.0), Recorder()  # all news are good
    options = {"minibatch": 1, "macrobatch": 1, "memory": 1}
    for parts, weights in [("none", [1.0]), ("impact", [0.5, 0.25, 0.25, 0.25])]:
        agents._learn(
            net, ahead, 0, memory, 0, Cooperative(parts=parts, **options).laws(), 0.0, np.random.default_rng(0)
        )
        gain = (tables.reward[0, 13] - 0.05 * (1 + 1) / 2) / agents.unit + 0.6 * 2.0
        assert net.targets[0] == pytest.approx(weights[0] * gain)
        assert len(net.targets) == len(weights)
        assert net.chosen[0] == 2
    assert net.chosen.tolist() == [2, 0, 1, 2]
    for k, joint in enumerate(np.array([[0, 1], [1, 1], [2, 2]]), start=1):
        paid = 0.05 * np.square(tables.controls[joint]).sum() / 2
        possible = [
            0.25 * ((tables.reward[0, z] - paid) / agents.unit + 1.2) for z in tables.successor[12, tables.sums(joint)]
        ]
        assert np.abs(net.targets[k] - possible).min() < 1e-12
    assert memory.updates[0] == 1 + 4


def test_the_next_state_is_drawn_by_its_chance():
    agents, tables = agents_of(SharedSteering())
    u, rng = np.array([[0, 1]] * 4000), np.random.default_rng(0)
    x = np.full(4000, 100)
    found = np.bincount(agents._arrive(x, u, rng), minlength=tables.states) / 4000
    expected = np.zeros(tables.states)
    np.add.at(expected, tables.successor[100, tables.sums(u[0])], tables.chance[100, tables.sums(u[0])])
    np.testing.assert_allclose(found, expected, atol=5 * 0.5 / np.sqrt(4000))


@pytest.mark.slow
def test_networks_learn():
    training = train(TINY, Cooperative(values="mlp", parts="imagined", seeds=2, episodes=60, half_life=10.0, hidden=16))
    first, last = (training.dataset["returns"].sel(arm="cooperative").mean("seed").values[k] for k in (0, -1))
    best = training.numbers["optimal_return"]
    assert best - last < 0.3 * (best - first)
