"""The loop that trains learners on tasks: results, limits, files, and going on bit for bit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import toy_tasks
from toy_tasks import Coin, Mean

import mfgsolve as mfg
from mfgsolve.errors import FileError, InputError
from mfgsolve.tasks import load_training, resume_training, train
from mfgsolve.tasks.training import learner_of, make_task_learner


def test_a_training_tells_numbers_curves_and_what_is_to_be_known():
    training = train(Coin(bias=1.0), Mean(agents=4))
    assert training.numbers == {"error": 0.0}
    assert training.dataset["mean"].dims == ("iteration", "agent")
    assert training.dataset["agent_steps"].values.tolist() == [20, 40, 60, 80]
    assert (np.diff(training.dataset["seconds"].values) >= 0).all()
    assert training.status == "finished"
    assert [each.code for each in training.warnings] == ["unfair"]
    assert "error 0" in repr(training)
    assert "bias of 1.0" in repr(training)


def test_learn_takes_tasks_by_name_and_as_objects():
    with toy_tasks.listed():
        by_name = mfg.learn("coin", agents=2, rng=3)
    assert by_name.dataset.equals(
        mfg.learn(Coin(), Mean(agents=2, seed=3)).dataset.assign(seconds=by_name.dataset.seconds)
    )
    with pytest.raises(InputError, match="tol is of mean-field games"):
        mfg.learn(Coin(), Mean(), tol=0.1)
    with pytest.raises(InputError, match="a Problem is needed"):
        mfg.learn(3)


@pytest.mark.parametrize("stop", [0, 1, 2, 4])
def test_a_checkpoint_goes_on_bit_for_bit(tmp_path: Path, stop: int):
    path = tmp_path / "c.nc"
    with toy_tasks.listed():
        whole = train("coin", agents=5, seed=7)
        limit = 0.0 if stop == 0 else None
        first = train("coin", agents=5, seed=7, checkpoint=path, max_seconds=limit, callback=lambda p: p.block == stop)
        assert first.status == ("time limit" if stop == 0 else "stopped by callback")
        assert first.dataset.sizes["iteration"] == stop
        assert math.isnan(first.numbers["error"]) == (stop == 0)
        second = resume_training(path)
    assert second.status == "finished"
    assert second.dataset.drop_vars("seconds").equals(whole.dataset.drop_vars("seconds"))
    assert second.dataset["mean"].attrs == whole.dataset["mean"].attrs


def test_files_keep_everything(tmp_path: Path):
    training = train(Coin(bias=0.25), Mean(fair=True))
    training.save(tmp_path / "t.nc")
    again = load_training(tmp_path / "t.nc")
    assert again.dataset.equals(training.dataset)
    assert again.numbers == training.numbers
    assert again.warnings == training.warnings
    assert again.dataset.attrs["parameter_bias"] == 0.25
    assert again.dataset.attrs["option_fair"] == 1


def test_spoilt_checkpoints_are_refused(tmp_path: Path):
    path = tmp_path / "c.nc"
    with toy_tasks.listed():
        train("coin", checkpoint=path, callback=lambda p: True)
        import xarray as xr

        from mfgsolve.files import read_dataset, write_dataset

        held = read_dataset(path, "training-checkpoint")
        write_dataset(held.assign(array_total=("total_0", np.zeros(7))), path)
        with pytest.raises(FileError, match="total as float64 of shape"):
            resume_training(path)
        write_dataset(held.assign_attrs(task="cain"), path)
        with pytest.raises(FileError, match="names the task 'cain'"):
            resume_training(path)
        write_dataset(held.isel(iteration=slice(0, 0)), path)
        with pytest.raises(FileError, match="history of 0 blocks"):
            resume_training(path)
        assert isinstance(held, xr.Dataset)


def test_what_does_not_suit_is_told():
    with toy_tasks.listed():
        with pytest.raises(InputError, match=r"coin.*\?|mean"):
            train("coyn")
        with pytest.raises(InputError, match="agents"):
            train("coin", agnts=3)
        with pytest.raises(InputError, match="learner of tasks 'meen'"):
            train("coin", "meen")
        with pytest.raises(InputError, match="come with a ready learner"):
            make_task_learner(Mean(), {"agents": 3})
        with pytest.raises(InputError, match="max_seconds is -1"):
            train("coin", max_seconds=-1)
    with pytest.raises(InputError, match="a Task"):
        train(3)


def test_agents_are_of_the_task_where_the_learner_has_none():
    @dataclass(frozen=True)
    class Crowded(Coin):
        agents: int = 1

    with toy_tasks.listed():
        task, learner = learner_of(Crowded(), "mean", {"agents": 5})
        assert (task.agents, learner.agents) == (1, 5)
    with pytest.raises(InputError, match="learner of tasks"):
        learner_of(Coin(), "mean-without-such-a-name", {"agents": 5})
