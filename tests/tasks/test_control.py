"""Families of machines: step for step as Gymnasium's environments, and what is drawn and refused."""

from __future__ import annotations

import numpy as np
import pytest

from mfgsolve.errors import InputError
from mfgsolve.tasks.control import AcrobotFamily, CartPoleFamily, PendulumFamily

FAMILIES = (CartPoleFamily, PendulumFamily, AcrobotFamily)
NAMES = {CartPoleFamily: "CartPole-v1", PendulumFamily: "Pendulum-v1", AcrobotFamily: "Acrobot-v1"}


def environment(kind, factors):
    """Gymnasium's own, with its masses and lengths multiplied."""
    gymnasium = pytest.importorskip("gymnasium")
    env = gymnasium.make(NAMES[kind]).unwrapped
    if kind is CartPoleFamily:
        env.masscart, env.masspole, env.length = factors * (1.0, 0.1, 0.5)
        env.total_mass, env.polemass_length = env.masscart + env.masspole, env.masspole * env.length
    elif kind is PendulumFamily:
        env.m, env.l = factors
    else:
        env.LINK_MASS_1, env.LINK_MASS_2, env.LINK_LENGTH_1, env.LINK_LENGTH_2 = factors
        env.LINK_COM_POS_1, env.LINK_COM_POS_2 = 0.5 * factors[2], 0.5 * factors[3]
        env.LINK_MOI = factors[0] * factors[2] ** 2
    env.reset(seed=0)
    return env


@pytest.mark.parametrize("kind", FAMILIES)
@pytest.mark.parametrize("own", [False, True])
def test_steps_are_those_of_gymnasium(kind, own):
    task, rng = kind(), np.random.default_rng(0)
    factors = np.ones(len(task.parts))
    if own:
        factors = rng.uniform(0.7, 1.4, factors.size)
        if kind is AcrobotFamily:
            factors[1::2] = factors[0], factors[2]  # Gymnasium knows one inertia for both links
    env, ended = environment(kind, factors), 0
    for _ in range(400):
        state, action = np.array(env.state, dtype=float), int(rng.integers(task.actions))
        seen, reward, over, _, _ = env.step(np.array([action - 2.0]) if kind is PendulumFamily else action)
        after, mine, mine_over = task.step(state, np.array(action), factors)
        np.testing.assert_allclose(after, np.array(env.state, dtype=float), atol=1e-12)
        assert float(mine) == pytest.approx(float(reward), abs=1e-12)
        assert bool(mine_over) == over
        shown = task.observed(after) * {CartPoleFamily: (1, 1, 0.2, 1), PendulumFamily: (1, 1, 8)}.get(
            kind, (1, 1, 1, 1, 4, 9)
        )
        order = [0, 1, 2, 3, 4, 5][: shown.size]
        np.testing.assert_allclose(shown[order], np.asarray(seen, dtype=float)[order], atol=2e-6)
        ended += over
        if over:
            env.reset()
    assert (ended > 0) == (kind is CartPoleFamily)


def test_an_acrobot_ends_where_its_tip_is_high():
    task, up = AcrobotFamily(), np.array([[np.pi - 0.01, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    _, reward, over = task.step(up, np.ones(2), np.ones((2, 4)))
    assert over.tolist() == [True, False]
    assert reward.tolist() == [0.0, -1.0]


@pytest.mark.parametrize("kind", FAMILIES)
def test_factors_are_as_they_are_said_to_be(kind):
    parts = len(kind.parts)
    standard, extreme = kind(tasks=500).factors, kind(tasks=500, variation="extreme").factors
    assert standard.shape == extreme.shape == (500, parts)
    assert standard.min(axis=0) == pytest.approx(0.75, abs=0.02)
    assert standard.max() <= 1.25
    assert standard.mean() == pytest.approx(1.0, abs=0.02)
    assert extreme.min() >= 0.25
    assert 3.9 < extreme.max() <= 4
    assert np.log(extreme).mean() == pytest.approx(0, abs=0.1)
    assert (kind(variation="none").factors == 1).all()
    assert (kind(family=1).factors != kind().factors).all()
    assert (kind(tasks=3).factors == kind(tasks=3).factors).all()


@pytest.mark.parametrize("kind", FAMILIES)
def test_machines_are_stepped_all_at_once_as_one_by_one(kind):
    task, rng = kind(tasks=4), np.random.default_rng(1)
    state = task.started(rng.uniform(-1, 1, (4, 3, task.dimensions)))
    action = rng.integers(task.actions, size=(4, 3))
    together = task.step(state, action, task.factors[:, None, :])
    for k in range(4):
        for j in range(3):
            alone = task.step(state[k, j], action[k, j], task.factors[k])
            for one, all_ in zip(alone, together, strict=True):
                np.testing.assert_array_equal(one, all_[k, j])
    assert task.observed(state).shape == (4, 3, task.observations)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"tasks": 0}, "tasks of cart-pole-family is 0; at least 1"),
        ({"family": -1}, "family of cart-pole-family is -1"),
        ({"variation": "extrem"}, "variation of cart-pole-family.*extreme"),
    ],
)
def test_what_is_no_family_is_refused(parameters, message):
    with pytest.raises(InputError, match=message):
        CartPoleFamily(**parameters)
