"""Tables that meet: against the same steps in plain NumPy, and C = 11'/N against one table that learns from all."""

from __future__ import annotations

import numpy as np
import pytest

from mfgsolve.kernels import diffusion
from mfgsolve.kernels.diffusion import MEAN, NEIGHBOURS, NOBODY, diffuse
from mfgsolve.learners.diffusion.arms import upper_links
from mfgsolve.parts.combine import Combine
from mfgsolve.tasks.chains import SlipperyChains

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning"),  # meant; told without compiler
]
AGENTS, CRITIC, ACTOR = 5, 0.3, 0.7
CHAIN = SlipperyChains(tasks=AGENTS, cells=4)
STATES = CHAIN.states
WORDS = np.random.SeedSequence(5).generate_state(8, np.uint64)


def run(kernel, hears, steps, combine=None, held=None, rounds=1, failure=0.0):
    """Tables, places and streams after so many steps."""
    held = started() if held is None else held
    place, stream, fate = np.zeros(AGENTS, dtype=np.int64), WORDS[:4].copy(), WORDS[4:].copy()
    links = upper_links(Combine(AGENTS, "none") if combine is None else combine)
    kernel(
        held, place, CHAIN.successor, CHAIN.chance, CHAIN.reward, CHAIN.ends, 0, CHAIN.discount, CRITIC, ACTOR, hears,
        *links, rounds, failure, stream, fate, steps,
    )  # fmt: skip
    return held, place, stream, fate


def started():
    return np.random.default_rng(3).normal(size=(AGENTS, 3 * STATES))


def by_numpy(held, steps, meet):
    """The equations of a step in plain NumPy, of agents that draw the kernel's own random numbers."""
    stream, place = WORDS[:4].copy(), np.zeros(AGENTS, dtype=int)
    for _ in range(steps):
        push = np.zeros_like(held)
        for k in range(AGENTS):
            x = place[k]
            row = slice(STATES + 2 * x, STATES + 2 * x + 2)
            policy = np.exp(held[k, row]) / np.exp(held[k, row]).sum()
            action = int(diffusion.uniform(stream) >= policy[0])
            y = CHAIN.successor[action, x, int(diffusion.uniform(stream) >= CHAIN.chance[k, action, x, 0])]
            delta = CHAIN.reward[x] + CHAIN.discount * held[k, y] * (not CHAIN.ends[x]) - held[k, x]
            push[k, x] = CRITIC * delta
            push[k, row] = ACTOR * delta * (np.eye(2)[action] - policy)
            place[k] = 0 if CHAIN.ends[x] else y
        held = meet(held, push)
    return held


def test_independent_agents_follow_their_own_gradients():
    held, *_ = run(diffuse, NOBODY, 300)
    np.testing.assert_allclose(held, by_numpy(started(), 300, lambda held, push: held + push), atol=1e-10)


@pytest.mark.parametrize("graph", ["ring", "grid", "complete"])
@pytest.mark.parametrize("rounds", [1, 3])
def test_neighbours_adapt_and_then_combine(graph, rounds):
    combine = Combine(AGENTS, graph, rounds=rounds)
    held, *_ = run(diffuse, NEIGHBOURS, 200, combine, rounds=rounds)
    np.testing.assert_allclose(held, by_numpy(started(), 200, lambda held, push: combine(held + push)), atol=1e-10)


def test_the_mean_of_all_is_one_table_that_moves_by_the_mean_of_all_gradients():
    """C = 11'/N with plain gradient steps is the centralised learner."""
    first = np.broadcast_to(started()[0], (AGENTS, 3 * STATES)).copy()
    held, *_ = run(diffuse, MEAN, 400, held=first.copy())
    central = by_numpy(first, 400, lambda held, push: np.broadcast_to(held[0] + push.mean(axis=0), held.shape))
    np.testing.assert_allclose(held, central, atol=1e-10)
    assert (held == held[0]).all()
    whole, *_ = run(diffuse, NEIGHBOURS, 400, Combine(AGENTS, "complete"), held=first.copy())
    np.testing.assert_allclose(held, whole, atol=1e-10)


def test_links_that_fail_leave_the_mean_where_it_is():
    combine = Combine(AGENTS, "ring")
    links = upper_links(combine)
    held, fate = started(), WORDS[4:].copy()
    mean, before = held.mean(axis=0), held.copy()
    diffusion.meet(held, np.empty_like(held), *links, 0.5, fate)
    np.testing.assert_allclose(held.mean(axis=0), mean, atol=1e-14)
    assert not np.allclose(held, combine(before))
    lost = before.copy()
    diffusion.meet(lost, np.empty_like(lost), *links, 1.0, fate)
    assert (lost == before).all()
    alone, *_ = run(diffuse, NOBODY, 50)
    cut, _, stream, fate = run(diffuse, NEIGHBOURS, 50, combine, failure=1.0)
    assert (cut == alone).all()
    assert (fate != WORDS[4:]).any()
    assert (stream == run(diffuse, NOBODY, 50)[2]).all()
