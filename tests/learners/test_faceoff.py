"""Face-offs: seatings, intervals, who wins, files, and what is refused."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

pytest.importorskip("magent2", reason="MAgent2 is not installed; it comes with: pip install 'mfgsolve[magent2]'")

from mfgsolve.errors import InputError
from mfgsolve.learners.battles.algorithms import IL, MFAC, MFQ, MTMFQ
from mfgsolve.learners.battles.battle_tasks import BattleGathering, MultiTeamBattle
from mfgsolve.learners.battles.faceoff import faceoff, load_faceoff, seatings, wilson
from mfgsolve.tasks import Training, train

TINY = MultiTeamBattle(size=10, agents=3, max_steps=25)
SMALL = {"worlds": 2, "hidden": 8, "batch": 32, "memory": 2, "episodes": 2}


@pytest.fixture(scope="module")
def trainings():
    return {kind.name: train(TINY, kind(**SMALL)) for kind in (IL, MFQ, MTMFQ, MFAC)}


def acting(training: Training, action: int) -> Training:
    """The same, but all its agents do one thing."""
    dataset = training.dataset.copy(deep=True)
    dataset["weights"].values[:] = 0.0
    dataset["weights"].values[:, -25 + action] = 100.0
    return Training(dataset)


def test_seatings():
    assert seatings(2) == [(0, 1, 0, 1), (1, 0, 1, 0)]
    assert len(set(seatings(4))) == 24
    three = seatings(3)
    assert len(set(three)) == len(three) == 36
    for orders in (seatings(2), three, seatings(4)):
        for group in range(4):  # every file has every seat equally often
            assert len(set(Counter(order[group] for order in orders).values())) == 1
    for files in (1, 5):
        with pytest.raises(InputError, match=f"{files} files came to a face-off of 4 groups; 2 to 4"):
            seatings(files)


def test_intervals_of_wilson():
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson(20, 20)[1] == 1.0
    assert np.isnan(wilson(0, 0)).all()


def test_counts_add_up_and_files_keep_them(trainings, tmp_path):
    result = faceoff(list(trainings.values()), games=40, rng=2)
    dataset = result.dataset
    assert list(dataset["algorithm"].values) == ["il", "mfq", "mtmfq", "mfac"]
    assert dataset["alive_of_game"].shape == (24, 2, 4)
    numbers = result.numbers
    assert [each["games"] for each in numbers.values()] == [48] * 4
    alive, seat = dataset["alive_of_game"].values, dataset["seat"].values
    wins, ties, totals = Counter(), Counter(), Counter()
    for k, g in np.ndindex(24, 2):  # counted once more, game by game
        best = {seat[k, j] for j in range(4) if alive[k, g, j] == alive[k, g].max()}
        (wins if len(best) == 1 else ties).update(best)
        for j in range(4):
            totals[seat[k, j]] += dataset["reward_of_game"].values[k, g, j]
    for number, one in enumerate(numbers.values()):
        assert (one["wins"], one["ties"]) == (wins[number], ties[number])
        assert one["reward"] == pytest.approx(totals[number] / 48)
        assert one["low"] <= one["win_rate"] == wins[number] / 48 <= one["high"]
    assert dataset["wins_of_seating"].values.sum(axis=0).tolist() == dataset["wins"].values.tolist()
    assert dataset["alive"].values.mean() == pytest.approx(alive.mean())
    result.save(tmp_path / "f.nc")
    assert load_faceoff(tmp_path / "f.nc").dataset.equals(dataset)
    again = faceoff(list(trainings.values()), games=40, rng=2).dataset
    assert (again["alive_of_game"].values == alive).all()


def test_two_files_play_two_groups_each_and_ties_are_ties(trainings):
    still = acting(trainings["il"], 6)
    result = faceoff([still, still], games=5, names=["x", "y"])
    assert result.dataset["seat"].values.tolist() == [[0, 1, 0, 1], [1, 0, 1, 0]]
    assert result.numbers["x"]["games"] == 6
    assert (result.numbers["x"]["wins"], result.numbers["x"]["ties"], result.numbers["y"]["alive"]) == (0, 6, 3)
    assert result.numbers["y"]["reward"] == pytest.approx(-0.01 * 25 * 3)
    assert list(faceoff([still, still], games=2).dataset["algorithm"].values) == ["il-1", "il-2"]
    assert faceoff([still, still], games=2, max_steps=3).numbers["il-1"]["reward"] == pytest.approx(-0.09)


def test_what_cannot_face_off_is_told(trainings):
    il = trainings["il"]
    other = train(BattleGathering(size=10, agents=3, food=1, max_steps=25), IL(**SMALL))
    larger = train(MultiTeamBattle(size=11, agents=3, max_steps=25), IL(**SMALL))
    with pytest.raises(InputError, match=r"multi-team-battle \(size=10.*and on battle-gathering"):
        faceoff([il, other])
    with pytest.raises(InputError, match=r"size=10.*and on multi-team-battle \(size=11"):
        faceoff([il, larger])
    with pytest.raises(InputError, match="5 files came"):
        faceoff([il] * 5)
    with pytest.raises(InputError, match="holds no weights"):
        faceoff([il, Training(il.dataset.drop_vars("weights"))])
    with pytest.raises(InputError, match="games is 0"):
        faceoff([il, il], games=0)
    with pytest.raises(InputError, match="names are"):
        faceoff([il, il], names=["a", "a"])
