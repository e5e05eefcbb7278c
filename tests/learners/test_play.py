"""A society inside fictitious play finds the equilibrium of a mean-field game, judged by the exact certificate."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.games import make_game
from mfgsolve.learners.society import SocietyPlay
from mfgsolve.learners.society.play import _winning

BAR = mfg.problems.beach_bar(shape=(10,), steps=10)
SMALL = mfg.problems.beach_bar(shape=(5,), steps=4)


def test_truthful_bidders_find_the_equilibrium_of_a_beach():
    learned = mfg.learn(BAR, "society-play", rng=0, reference=False)
    assert learned.status is mfg.Status.FINISHED
    assert learned.relative_exploitability <= 0.005
    data = learned.dataset
    assert data["relative_exploitability"].values[0] > 0.5
    assert data["episodes"].values[-1] == 300
    assert data["agent_steps"].values[-1] == 300 * 1000 * 10
    again = mfg.exploitability(BAR, learned)
    assert again.relative_exploitability == pytest.approx(learned.relative_exploitability, rel=1e-9)


def test_levels_of_bids_are_no_best_response_to_a_crowd_that_moves():
    options = {"agents": 100, "episodes": 60, "rng": 0, "reference": False}
    rough = mfg.learn(BAR, "society-play", bids="multiplicative-weights", **options)
    assert rough.relative_exploitability > 0.05
    assert rough.relative_exploitability > 2 * mfg.learn(BAR, "society-play", **options).relative_exploitability


@pytest.mark.parametrize(
    "problem",
    [mfg.problems.predator_prey(), mfg.problems.lattice_supply_demand(shape=(4, 4), steps=5)],
    ids=["populations", "lattice"],
)
def test_other_games_are_learned_too(problem):
    learned = mfg.learn(problem, "society-play", agents=300, episodes=100, rng=0, reference=False)
    gaps = learned.dataset["relative_exploitability"].values
    assert gaps[-1] < 0.1 * gaps[0]


def test_transitions_that_the_crowd_decides_are_learned():
    from finite_games import epidemic

    learned = mfg.learn(epidemic(6)[0], "society-play", agents=200, episodes=40, rng=0, reference=False)
    gaps = learned.dataset["relative_exploitability"].values
    assert gaps[-1] < 0.5 * gaps[0]


@pytest.mark.parametrize("options", [{}, {"bids": "multiplicative-weights", "levels": 11}])
def test_learning_is_reproducible_and_goes_on_bit_for_bit(tmp_path, options):
    options = options | {"agents": 20, "episodes": 120, "reference": False}
    whole, other = (mfg.learn(SMALL, "society-play", rng=seed, **options) for seed in (3, 4))
    assert not whole.dataset.policy.equals(other.dataset.policy)
    file = tmp_path / "half.nc"
    half = mfg.learn(SMALL, "society-play", rng=3, checkpoint=file, callback=lambda m: m.iteration >= 40, **options)
    assert half.status is mfg.Status.STOPPED
    again = mfg.resume(file, check="ignore")
    assert again.status is mfg.Status.FINISHED
    assert again.dataset.policy.equals(whole.dataset.policy)
    assert again.dataset.density.equals(whole.dataset.density)
    assert again.dataset.relative_exploitability.equals(whole.dataset.relative_exploitability)


def test_spoilt_checkpoints_are_refused(tmp_path):
    import xarray as xr

    file, spoilt = tmp_path / "half.nc", tmp_path / "spoilt.nc"
    mfg.learn(SMALL, "society-play", agents=10, episodes=5, rng=0, reference=False, checkpoint=file)
    stored = xr.load_dataset(file, engine="h5netcdf", decode_times=False)
    for name, value in (("bids", np.nan), ("wins", -1), ("auctions", -1), ("occupation", np.inf)):
        bad = stored.copy(deep=True)
        bad[f"array_{name}"].values.reshape(-1)[0] = value
        bad.to_netcdf(spoilt, engine="h5netcdf")
        with pytest.raises(mfg.FileError, match=name):
            mfg.resume(spoilt)


def test_the_highest_bidder_acts_and_ties_are_shared():
    game = make_game(SMALL)
    bids = np.zeros((3, 20))
    bids[1, 3], bids[2, 4] = 0.5, 0.9
    allowed = np.ones((3, 20), bool)
    allowed[2, 4] = False
    policy = _winning(bids, allowed, game)
    assert policy.shape == (4, 3, 5)
    assert policy[0, :, 3].tolist() == [0, 1, 0]
    assert policy[0, :, 4].tolist() == [0.5, 0.5, 0]
    np.testing.assert_allclose(policy[1:], 1 / 3)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"mechanism": "vickry"}, "did you mean 'vickrey'"),
        ({"bids": "exp4"}, "did you mean 'exp3'"),
        ({"agents": 0}, "at least 1"),
        ({"episodes": 0}, "at least 1"),
        ({"lots": 1.5}, "from 0 to 1"),
        ({"levels": 1}, "at least 2"),
    ],
)
def test_options_that_are_none_are_refused(options, sentence):
    with pytest.raises(InputError, match=sentence):
        SocietyPlay(**options)


def test_games_in_which_no_single_action_is_best_are_refused():
    with pytest.raises(InputError, match="smooth at a temperature"):
        mfg.learn(mfg.problems.beach_bar(temperature=0.1), "society-play", reference=False)
