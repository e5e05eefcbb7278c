"""Tables that diffuse: what they reach on slippery chains, and that arms are what they are called."""

from __future__ import annotations

import numpy as np
import pytest

from mfgsolve.learners.diffusion import DiffDAC
from mfgsolve.learners.diffusion.tables import combined_alone, policies, table_block, table_returns, table_start
from mfgsolve.parts.combine import disagreement
from mfgsolve.tasks import train
from mfgsolve.tasks.chains import SlipperyChains

CHAINS = SlipperyChains()


def trained(episodes=20, **options):
    learner = DiffDAC(episodes=episodes, **options)
    state = table_start(CHAINS, learner)
    table_block(CHAINS, learner, learner.combine(CHAINS), state, range(episodes))
    return state


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_neighbours_learn_what_is_good_on_all_chains_and_loners_do_not(seed):
    numbers = train(CHAINS, DiffDAC(seed=seed)).numbers
    assert numbers["mean_return"] == pytest.approx(0.3823, abs=5e-4)  # 0.38298 is the best common policy's
    assert numbers["return_spread"] < 1e-5
    assert numbers["centralised_return"] == pytest.approx(numbers["mean_return"], abs=1e-4)
    assert numbers["independent_return"] == pytest.approx(0.3105, abs=2e-3)
    assert numbers["independent_spread"] == pytest.approx(0.134, abs=2e-3)
    assert numbers["independent_own_return"] > numbers["own_return"] + 0.03  # who knows its own chain alone fits it
    assert numbers["second_eigenvalue"] == pytest.approx((1 + 2 * np.cos(2 * np.pi / 9)) / 3)


def test_nobody_is_independent_and_everybody_centralised_bit_for_bit():
    none, whole = trained(graph="none"), trained(graph="complete")
    assert (none.held[0] == none.held[1]).all()
    assert (whole.held[0] == whole.held[2]).all()
    ring = trained(graph="ring")
    assert (ring.held[1:] == none.held[1:]).all()
    assert (ring.held[0] != none.held[0]).any()
    assert (ring.held[0] != whole.held[0]).any()


def test_more_rounds_bring_agents_nearer_and_lost_links_farther():
    apart = [disagreement(trained(**options).held[0]) for options in ({"rounds": 4}, {}, {"failure": 0.8})]
    assert apart == sorted(apart)
    lost = trained(failure=1.0)
    assert (lost.held[0] == lost.held[1]).all()


def test_disagreement_is_watched_from_the_first_step_on():
    state = trained()
    first = table_start(CHAINS, DiffDAC())
    assert state.apart.shape == (3, 61)
    assert (state.apart[:, 0] == disagreement(first.held[0])).all()
    assert (state.apart[2, 1:] < 1e-14).all()
    assert (state.apart == trained(1).apart).all()
    short = DiffDAC(episodes=20)
    again = table_start(CHAINS, short)
    table_block(CHAINS, short, short.combine(CHAINS), again, range(7))
    table_block(CHAINS, short, short.combine(CHAINS), again, range(7, 20))
    for name in ("held", "place", "apart"):
        assert (getattr(again, name) == getattr(state, name)).all()
    assert again.agent_steps == 20 * 200 * 27


def test_combining_alone_contracts_by_the_second_eigenvalue():
    for rounds in (1, 2):
        learner = DiffDAC(rounds=rounds)
        combine = learner.combine(CHAINS)
        alone = combined_alone(CHAINS, learner, combine)
        rate = combine.second_eigenvalue**rounds
        assert (alone[1:] <= rate * alone[:-1] * (1 + 1e-6)).all()
        assert alone[-1] / alone[-2] == pytest.approx(rate, rel=1e-3)


def test_policies_are_softmaxes_judged_on_every_chain():
    state = table_start(CHAINS, DiffDAC())
    state.held[:] = 0.0
    state.held[0, :, 9 + 1 :: 2] = 40.0
    found = policies(CHAINS, state.held)
    assert (found[1] == 0.5).all()
    np.testing.assert_allclose(found[0, :, :, 1], 1.0)
    assert table_returns(CHAINS, state)[0].mean() == pytest.approx(0.38298, abs=1e-5)
