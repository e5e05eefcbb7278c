"""The learner: numbers in order, checkpoints bit for bit, files, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.learners.diffusion import DiffDAC
from mfgsolve.tasks import load_training, resume_training, train
from mfgsolve.tasks.chains import SlipperyChains
from mfgsolve.tasks.control import CartPoleFamily

TOLD = ["mean_return", "own_return", "return_spread", "independent_return", "centralised_return", "disagreement",
        "second_eigenvalue"]  # fmt: skip
SMALL = {"episodes": 4, "machines": 2, "hidden": 4}


def test_numbers_come_in_their_order_and_follow_from_the_curves():
    training = train(SlipperyChains(tasks=4, cells=5), DiffDAC(episodes=30, agents=4))
    assert list(training.numbers)[:7] == TOLD
    last, numbers = training.dataset["task_return"].values[-1], training.numbers
    assert training.dataset["task_return"].shape == (3, 3, 4, 4)
    assert numbers["mean_return"] == last[0].mean()
    assert numbers["own_return"] == np.diag(last[0]).mean()
    assert numbers["return_spread"] == last[0].mean(axis=1).std()
    assert numbers["independent_return"] == last[1].mean()
    assert numbers["centralised_return"] == last[2].mean()
    assert numbers["disagreement"] == training.dataset["arm_disagreement"].values[-1, 0]
    assert numbers["lowest_return"] == last[0].mean(axis=1).min()
    assert set(map(tuple, training.dataset["link"].values.tolist())) == {(0, 1), (1, 2), (2, 3), (0, 3)}
    own = training.dataset["agent_disagreement"].values
    assert np.sqrt((own**2).mean()) == pytest.approx(numbers["disagreement"])


@pytest.mark.parametrize("task", [SlipperyChains(tasks=4), CartPoleFamily(tasks=3)])
@pytest.mark.parametrize("failure", [0.0, 0.4])
def test_a_checkpoint_goes_on_bit_for_bit(tmp_path: Path, task, failure):
    learner = DiffDAC(**SMALL | {"episodes": 30}, failure=failure)
    whole = train(task, learner)
    train(task, learner, checkpoint=tmp_path / "c.nc", callback=lambda done: done.block == 1)
    again = resume_training(tmp_path / "c.nc")
    xr.testing.assert_identical(
        again.dataset.drop_vars("seconds").drop_attrs(deep=False),
        whole.dataset.drop_vars("seconds").drop_attrs(deep=False),
    )
    whole.save(tmp_path / "t.nc")
    assert load_training(tmp_path / "t.nc").numbers == whole.numbers


def test_a_training_that_has_not_begun_tells_nothing():
    numbers = train("slippery-chains", max_seconds=0).numbers
    assert list(numbers)[:7] == TOLD
    assert numbers.pop("second_eigenvalue") == pytest.approx(0.844, abs=1e-3)
    assert np.isnan(list(numbers.values())).all()


def test_episodes_are_divided_evenly():
    assert (DiffDAC(episodes=500).blocks, DiffDAC(episodes=500).episodes_of_block) == (50, 10)
    assert (DiffDAC(episodes=35).blocks, DiffDAC(episodes=35).episodes_of_block) == (7, 5)
    assert (DiffDAC(episodes=7).blocks, DiffDAC(episodes=7).episodes_of_block) == (7, 1)


def test_where_adam_is_not_the_centralised_learner_is_told():
    def codes(task, graph):
        return [code for code, _ in DiffDAC(graph=graph).warnings(task)]

    assert codes(CartPoleFamily(), "complete") == ["adam-not-centralised"]
    assert codes(CartPoleFamily(), "ring") == []
    assert codes(SlipperyChains(), "complete") == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"agents": 5}, "it has 9 tasks, and there are 5 agents; .* take 9 agents, or set its parameter tasks=5"),
        ({"agents": 12}, "it has 9 tasks, and there are 12 agents"),
        ({"graph": "rimg"}, "ring"),
        ({"graph": "0-1,1-2"}, "not connected.*agents 3, 4, 5, 6, 7, 8 are cut off"),
        ({"graph": "0-9"}, "a link of agent 9; there are 9"),
        ({"weights": "metro"}, "metropolis"),
        ({"failure": 1.5}, "failure of Combine is 1.5"),
        ({"rounds": 0}, "rounds of Combine is 0"),
        ({"graf": "ring"}, "graph"),
    ],
)
def test_what_does_not_suit_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        mfg.learn("slippery-chains", **options)


def test_parts_that_are_cut_off_learn_if_asked():
    numbers = train("slippery-chains", graph="0-1,1-2", connected=False, episodes=10).numbers
    assert numbers["second_eigenvalue"] == pytest.approx(1.0)


def test_other_tasks_are_refused():
    assert "neither a family of tables" in str(DiffDAC().refuses(object()))
