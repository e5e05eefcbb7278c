"""The ablation: all combinations on the same seeds, at equal plays or equal updates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.errors import FileError, InputError
from mfgsolve.files import read_dataset, write_dataset
from mfgsolve.learners.cooperation import Cooperative, ablation
from mfgsolve.learners.cooperation.ablation import COMBINATIONS
from mfgsolve.tasks import train
from mfgsolve.tasks.steering import SharedSteering

SMALL = SharedSteering(offsets=5, headings=5, steps=10)
FEW = Cooperative(seeds=2, episodes=20, memory=100, macrobatch=50, minibatch=4, seed=3)


def test_all_eight_each_once():
    assert COMBINATIONS == (
        "none", "temporal", "imagined", "impact", "temporal,imagined", "temporal,impact", "imagined,impact",
        "temporal,imagined,impact",
    )  # fmt: skip


def test_arms_are_those_of_a_training():
    table = ablation(SMALL, FEW)
    assert table["returns"].dims == ("parts", "iteration", "seed")
    for parts in ("imagined", "temporal,impact"):
        one = train(SMALL, replace(FEW, parts=parts)).dataset
        np.testing.assert_array_equal(table["returns"].sel(parts=parts), one["returns"].sel(arm="cooperative"))
        np.testing.assert_array_equal(table["returns"].sel(parts="none"), one["returns"].sel(arm="independent"))
        assert float(table["updates"].sel(parts=parts)) == float(one["updates"])
    assert (table["returns"] <= table["optimal_return"] + 1e-12).all()
    assert table["episodes"].values.tolist() == list(range(1, 21))


def test_equal_updates_are_nearly_equal():
    plays, updates = ablation(SMALL, FEW), ablation(SMALL, FEW, equal="updates")
    assert plays["updates"].max() > 2.5 * plays["updates"].min()
    assert updates["updates"].max() < 1.25 * updates["updates"].min()
    assert updates["minibatch"].sel(parts="none") > 2 * FEW.minibatch
    assert updates["minibatch"].min() == FEW.minibatch


def test_a_file_keeps_it(tmp_path):
    table = ablation(SMALL, replace(FEW, episodes=2))
    write_dataset(table, tmp_path / "a.nc")
    again = read_dataset(tmp_path / "a.nc", "ablation")
    assert again.equals(table)
    assert again.attrs["option_minibatch"] == 4
    assert again.attrs["parameter_offsets"] == 5
    assert "option_parts" not in again.attrs
    with pytest.raises(FileError, match="ablation; a solution is needed"):
        mfg.load(tmp_path / "a.nc")


def test_bad_input():
    with pytest.raises(InputError, match="unknown kind of equal work 'play'; did you mean 'plays'"):
        ablation(SMALL, FEW, equal="play")
    with pytest.raises(InputError, match="a plant that agents push is needed"):
        ablation(3)
