"""Kernels of small networks against the same formulas written with arrays of NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from mfgsolve.kernels import networks as kernels

pytestmark = pytest.mark.kernel


def softmax(values):
    chance = np.exp(values - values.max(axis=-1, keepdims=True))
    return chance / chance.sum(axis=-1, keepdims=True)


def test_choices_follow_the_boltzmann_policy():
    rng = np.random.default_rng(0)
    values = np.array([[0.0, 1.0, -np.inf, 0.5]])
    chance = softmax(values / 0.4)
    points = (np.arange(4000) + 0.5) / 4000  # every part of the unit interval alike
    actions = np.empty(4000, dtype=np.int64)
    kernels.choose(np.repeat(values, 4000, axis=0), 0.4, points, actions)
    assert np.bincount(actions, minlength=4) / 4000 == pytest.approx(chance[0], abs=5e-4)
    judged = rng.random((1, 4))
    out = np.empty(1)
    kernels.worth(judged, values, 0.4, out)
    assert out == pytest.approx((chance * judged).sum(axis=1))


def test_a_point_at_the_end_takes_the_last_action_that_has_a_weight():
    actions = np.empty(1, dtype=np.int64)
    for values, wanted in (([0.0, 0.0, 0.0], 2), ([5.0, 0.0, 0.0], 0)):
        kernels.choose(np.array([values]), 0.05, np.array([1.0 - 1e-16]), actions)
        assert actions[0] == wanted


def test_layers_bend_hold_and_add_up():
    rng = np.random.default_rng(0)
    rows, shift = rng.normal(size=(5, 7)).astype(np.float32), rng.normal(size=7).astype(np.float32)
    for floor in (False, True):
        out = rows.copy()
        kernels.bend(out, shift, floor)
        assert (out == (np.maximum(rows + shift, 0) if floor else rows + shift)).all()
    push = rng.normal(size=(5, 7)).astype(np.float32)
    held = push.copy()
    kernels.hold(held, out)
    assert (held == push * (out > 0)).all()
    sums = np.empty(7, dtype=np.float32)
    kernels.total(push, sums)
    assert sums == pytest.approx(push.sum(axis=0), abs=1e-5)


def test_errors_are_those_of_huber():
    rng = np.random.default_rng(1)
    values, ahead = rng.normal(size=(6, 4)) * 2, rng.normal(size=6)
    places = np.array([3, 0, 7, 7, 1, 2])
    action, reward = rng.integers(4, size=8), rng.normal(size=8)
    ended = np.arange(8) % 2 == 1
    push = np.full((6, 4), np.nan)
    kernels.correct(values, places, action, reward, ended, ahead, 0.9, push)

    def loss(shifted):
        aims = reward[places] + 0.9 * ahead * ~ended[places]
        gap = np.abs(shifted[np.arange(6), action[places]] - aims)
        return np.where(gap <= 1, gap**2 / 2, gap - 0.5).mean()

    for i, a in np.ndindex(6, 4):
        moved = np.zeros((6, 4))
        moved[i, a] = 1e-6
        assert push[i, a] == pytest.approx((loss(values + moved) - loss(values - moved)) / 2e-6, abs=1e-6)


def test_actors_climb_their_objective():
    rng = np.random.default_rng(2)
    logits, values = rng.normal(size=(5, 4)), rng.normal(size=(5, 4)) * 1.5
    push = np.empty((5, 4))
    kernels.climb(logits, values, 0.3, push)
    chance = softmax(logits)
    advantage = np.clip(values - (chance * values).sum(axis=1, keepdims=True), -1, 1)
    assert (np.abs(advantage) == 1).any()

    def loss(shifted):
        now = softmax(shifted)
        return -(now * (advantage - 0.3 * np.log(now))).sum(axis=1).mean()

    for i, a in np.ndindex(5, 4):
        moved = np.zeros((5, 4))
        moved[i, a] = 1e-6
        assert push[i, a] == pytest.approx((loss(logits + moved) - loss(logits - moved)) / 2e-6, abs=1e-6)


def test_adam_moves_as_it_is_written():
    rng = np.random.default_rng(0)
    weights, target = rng.random(4).astype(np.float32), rng.random(4).astype(np.float32)
    means, squares = np.zeros(4, np.float32), np.zeros(4, np.float32)
    w, t, m, v = weights.astype(float), target.astype(float), np.zeros(4), np.zeros(4)
    for count in range(1, 4):
        gradient = rng.normal(size=4).astype(np.float32)
        kernels.adam(weights, gradient, means, squares, target, 1e-2, count, 0.1)
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient.astype(float) ** 2
        w = w - 1e-2 * (m / (1 - 0.9**count)) / (np.sqrt(v / (1 - 0.999**count)) + 1e-8)
        t = t + 0.1 * (w - t)
    assert weights == pytest.approx(w, abs=1e-5)
    assert target == pytest.approx(t, abs=1e-5)
