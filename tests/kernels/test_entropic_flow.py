"""Flows and tangents of entropic steps: threads change no bit, and moves cost what their entropy is."""

import numpy as np
import pytest
from scaled_games import GAMES, entropic_game, some_price

pytestmark = pytest.mark.kernel


def test_threads_change_no_bit():
    one, two = (entropic_game((70, 40), threads=threads) for threads in (1, 2))
    price = some_price(one)
    answers = [g.respond(price) for g in (one, two)]
    np.testing.assert_array_equal(answers[0].policy, answers[1].policy)
    crowds = [g.flow(answer.policy) for g, answer in zip((one, two), answers, strict=True)]
    np.testing.assert_array_equal(*crowds)
    np.testing.assert_array_equal(*(g.curvature(answers[0].policy, crowds[0], price) for g in (one, two)))


@pytest.mark.parametrize("name", ["line", "walls", "box", "steep line", "cells"])
def test_moves_cost_their_entropy(name):
    g = entropic_game(**GAMES[name])
    policy = g.respond(some_price(g)).policy
    crowd, total = g.flow(policy), 0.0
    for t in range(g.steps):
        level = crowd[t].reshape(-1)
        for stencil, (near, chance) in zip(g.step.passes(t), g.step.chances(t, policy[t]), strict=True):
            ratio = np.log(np.where(chance > 0, chance / stencil.taps, 1.0))
            total += g.step.entropy[t] * (level[:, None] * chance * ratio).sum()
            level = np.bincount(near.reshape(-1), (level[:, None] * chance).reshape(-1), minlength=g.cells)
    assert g.cost(g.policy_of(policy), crowd).cost == pytest.approx(total, rel=1e-8)
