"""Networks that diffuse: arms that are what they are called, where Adam breaks C = 11'/N, and cart-poles solved."""

from __future__ import annotations

import numpy as np
import pytest

from mfgsolve.learners.diffusion import DiffDAC
from mfgsolve.learners.diffusion.populations import network_block, network_returns, network_start
from mfgsolve.tasks import train
from mfgsolve.tasks.control import AcrobotFamily, CartPoleFamily, PendulumFamily

POLES = CartPoleFamily(tasks=4)


def trained(updates=3, task=POLES, **options):
    learner = DiffDAC(episodes=20, machines=3, hidden=8, **options)
    state = network_start(task, learner)
    network_block(task, learner, learner.combine(task), state, range(updates))
    return state


def test_nobody_is_independent_bit_for_bit():
    none, ring = trained(graph="none"), trained(graph="ring")
    for name in ("held", "mean", "square", "machines", "age"):
        assert (getattr(none, name)[0] == getattr(none, name)[1]).all()
        assert (getattr(ring, name)[1:] == getattr(none, name)[1:]).all()
    assert (ring.held[0] != ring.held[1]).any()


def test_the_centralised_arm_is_one_network_and_adam_makes_it_another_than_the_mean_of_all():
    state = trained(graph="complete")
    assert (state.held[2] == state.held[2, 0]).all()
    assert (state.held[0] == state.held[0, 0]).all()
    assert np.abs(state.held[0] - state.held[2]).max() > 1e-5
    assert (state.mean[0, 0] != state.mean[0, 1]).any()


def test_the_first_step_of_adam_has_the_length_of_the_step_and_is_then_combined():
    learner = DiffDAC(episodes=20, machines=3, hidden=8, graph="ring", step=0.01)
    start, state = network_start(POLES, learner), trained(1, graph="ring", step=0.01)
    moved = np.abs(state.held - start.held)[1]
    assert moved.max() == pytest.approx(0.01, rel=1e-2)
    combine = learner.combine(POLES)
    np.testing.assert_allclose(state.held[0], combine(state.held[1]), atol=1e-15)
    later = trained(2, graph="ring", step=0.01).held  # and goes on from what was combined
    assert np.abs(later[0] - combine(later[1])).max() > 1e-4


def test_steps_fall_to_nothing_and_blocks_do_not_matter():
    whole = trained(20)
    learner = DiffDAC(episodes=20, machines=3, hidden=8)
    state = network_start(POLES, learner)
    for episodes in (range(5), range(5, 13), range(13, 20)):
        network_block(POLES, learner, learner.combine(POLES), state, episodes)
    for name in ("held", "mean", "square", "machines", "age"):
        assert (getattr(state, name) == getattr(whole, name)).all()
    assert state.agent_steps == 20 * 32 * 3 * 4 * 3
    before = state.held.copy()
    network_block(POLES, learner, learner.combine(POLES), state, range(20, 21))
    assert (state.held[1] == before[1]).all()


def test_returns_are_of_every_agent_on_every_task():
    state = trained()
    found = network_returns(POLES, DiffDAC(episodes=20, machines=3, hidden=8), state)
    assert found.shape == (3, 4, 4)
    assert (found[2] == found[2, 0]).all()
    assert ((found >= 1) & (found <= 500)).all()


@pytest.mark.parametrize("kind", [PendulumFamily, AcrobotFamily])
def test_other_machines_learn_too(kind):
    numbers = train(kind(tasks=3), DiffDAC(episodes=2, machines=2, hidden=4)).numbers
    assert all(np.isfinite(each) for each in numbers.values())


def test_poles_are_balanced_better_after_a_few_updates():
    training = train(CartPoleFamily(tasks=5), DiffDAC(episodes=40, step=0.003))
    seen = training.dataset["task_return"].mean(("agent", "task")).values
    assert seen[-1, 0] > 250
    assert training.numbers["return_spread"] < 0.5 * training.numbers["independent_spread"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_cart_poles_are_solved(seed):
    training = train("cart-pole-family", "diff-dac", seed=seed)
    assert training.dataset["task_return"].values[-1, 0].min() >= 475  # every agent on every task
    assert training.numbers["lowest_return"] >= 475
    early = training.dataset["task_return"].sel(iteration=5).mean("task").values
    assert early[0].mean() > early[1].mean()
    assert early[0].std() < 0.3 * early[1].std()


@pytest.mark.slow
def test_acrobots_are_swung_up_by_all_who_hear_each_other():
    numbers = train("acrobot-family", "diff-dac", episodes=150).numbers
    assert numbers["lowest_return"] > -130
    assert numbers["independent_return"] < numbers["mean_return"] - 50
