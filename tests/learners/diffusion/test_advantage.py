"""Updates of advantage actor-critics: advantages by their sum, gradients by differences, returns by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from mfgsolve.learners.diffusion import networks
from mfgsolve.learners.diffusion.advantage import Batch, Recipe, _drawn, advantages, gradients, played, returns
from mfgsolve.tasks.control import CartPoleFamily, ControlFamily

RECIPE = Recipe((4, 6, 2), (4, 6, 1), 5, 0.9, 0.8, 0.03)


@dataclass(frozen=True)
class Counter(ControlFamily):
    """A number that grows by the factor of the machine; 1 for action 1; ends at three or more."""

    name, summary = "counter", "counts"
    limit, actions, observations, largest, discount, pace = 4, 2, 1, 2.0, 0.9, 0.1
    parts = ("rate",)
    dimensions = 1

    def started(self, points):
        return 0.0 * points

    def step(self, state, action, factors):
        after = state + factors
        return after, np.asarray(action, dtype=float), after[..., 0] >= 3

    def observed(self, state):
        return state


def test_advantages_are_discounted_sums_of_errors():
    rng = np.random.default_rng(0)
    reward, value, ahead = rng.normal(size=(3, 12, 4))
    over = rng.random((12, 4)) < 0.2
    cut = over | (rng.random((12, 4)) < 0.2)
    found = advantages(reward, value, ahead, over, cut, 0.9, 0.7)
    for k in range(4):
        for t in range(12):
            total, weight = 0.0, 1.0
            for s in range(t, 12):
                total += weight * (reward[s, k] + 0.9 * ahead[s, k] * (not over[s, k]) - value[s, k])
                weight *= 0.9 * 0.7
                if cut[s, k]:
                    break
            assert found[t, k] == pytest.approx(total)


def batch_of(rng, agents=3):
    shape = (RECIPE.steps, agents, 2)
    over = rng.random(shape) < 0.2
    return Batch(
        rng.normal(size=(*shape, 4)), rng.normal(size=(*shape, 4)), rng.integers(2, size=shape), rng.normal(size=shape),
        over, over | (rng.random(shape) < 0.1),
    )  # fmt: skip


def test_gradients_are_those_of_the_objectives():
    rng = np.random.default_rng(2)
    batch, held = batch_of(rng), rng.normal(size=(3, RECIPE.size))
    _, critic = RECIPE.nets(held)

    def values(net, seen):
        return networks.outputs(net, seen.swapaxes(0, 1).reshape(3, 10, 4)).reshape(3, 5, 2).swapaxes(0, 1)

    value = values(critic, batch.seen)
    gain = advantages(batch.reward, value, values(critic, batch.then), batch.over, batch.cut, 0.9, 0.8)
    weight, target = gain / gain.std(axis=(0, 2), keepdims=True), gain + value

    def objective(at):
        actor, critic = RECIPE.nets(at)
        logits = networks.outputs(actor, batch.seen.swapaxes(0, 1).reshape(3, 10, 4)).reshape(3, 5, 2, 2).swapaxes(0, 1)
        policy = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        taken = np.take_along_axis(policy, batch.action[..., None], axis=-1)[..., 0]
        entropy = -(policy * np.log(policy)).sum(axis=-1)
        loss = -weight * np.log(taken) - RECIPE.entropy * entropy + 0.5 * (target - values(critic, batch.seen)) ** 2
        return loss.mean(axis=(0, 2))

    slope = gradients(RECIPE, held, batch)
    for j in rng.integers(RECIPE.size, size=25):
        step = np.zeros(RECIPE.size)
        step[j] = 1e-6
        difference = (objective(held + step) - objective(held - step)) / 2e-6
        np.testing.assert_allclose(slope[:, j], difference, atol=1e-6)


def test_machines_start_anew_where_episodes_end_or_are_cut_off():
    task, recipe = Counter(tasks=2), Recipe((1, 2, 2), (1, 2, 1), 7, 0.9, 0.8, 0.0)
    factors = np.array([1.0, 0.1])[:, None, None]  # the second never reaches three
    machines, age = np.zeros((1, 2, 1, 1)), np.zeros((1, 2, 1), dtype=int)
    held = np.zeros((2, recipe.size))
    batch, machines, age = played(task, recipe, held, machines, age, factors, np.random.default_rng(0))
    assert batch.seen[:, 0, 0, 0].tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert batch.then[:, 0, 0, 0].tolist() == [1, 2, 3, 1, 2, 3, 1]
    assert batch.over[:, 0, 0].tolist() == [False, False, True] * 2 + [False]
    np.testing.assert_allclose(batch.seen[:, 1, 0, 0], [0, 0.1, 0.2, 0.3, 0, 0.1, 0.2])
    assert batch.cut[:, 1, 0].tolist() == [False] * 3 + [True] + [False] * 3
    assert not batch.over[:, 1].any()
    assert age.reshape(-1).tolist() == [1, 3]
    np.testing.assert_allclose(machines.reshape(-1), [1, 0.3])
    np.testing.assert_allclose(batch.reward, batch.action * 0.1 / 2.0)


def test_all_arms_draw_the_same_numbers():
    task = CartPoleFamily(tasks=2)
    recipe = Recipe((4, 3, 2), (4, 3, 1), 6, 0.99, 0.95, 0.01)
    rng = np.random.default_rng(4)
    held = np.tile(rng.normal(size=(2, recipe.size)), (3, 1))
    machines = np.broadcast_to(0.04 * rng.normal(size=(2, 5, 4)), (3, 2, 5, 4)).copy()
    batch, after, _ = played(task, recipe, held, machines, np.zeros((3, 2, 5), int), task.factors[:, None], rng)
    for arm in (1, 2):
        assert (batch.action[:, 2 * arm : 2 * arm + 2] == batch.action[:, :2]).all()
        assert (after[arm] == after[0]).all()


def test_actions_have_the_chances_of_the_softmax():
    logits = np.log(np.array([0.1, 0.0001, 0.6, 0.2999]))
    points = (np.arange(10_000) + 0.5) / 10_000
    share = np.bincount(_drawn(np.broadcast_to(logits, (10_000, 4)), points), minlength=4) / 10_000
    np.testing.assert_allclose(share, [0.1, 0.0001, 0.6, 0.2999], atol=1e-9)


def test_returns_are_sums_of_rewards_until_the_end_by_the_likeliest_choice():
    task, recipe = Counter(tasks=3, variation="extreme", family=4), Recipe((1, 1, 2), (1, 1, 1), 7, 0.9, 0.8, 0.0)
    held = np.zeros((2, recipe.size))
    held[1, networks.size(recipe.actor) - 1] = 1.0  # the bias of action 1
    held[0, networks.size(recipe.actor) - 2] = 1.0
    lengths = np.minimum(np.ceil(3 / task.factors[:, 0]), task.limit)
    assert len(set(lengths.tolist())) > 1
    found = returns(task, recipe, held, 2, np.random.default_rng(0))
    assert (found[0] == 0).all()
    assert (found[1] == lengths).all()
