"""The table [time] of a game without a final time: read, written, changed by a dotted key, told of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from stationary_games import chain

import mfgsolve as mfg
from mfgsolve.problemfile import all_keys, problem_from_toml, problem_to_toml
from mfgsolve.problemfile.declaring import write_declared

TEXT = """
name = "toggle"
[states]
count = 2
[time]
{time}
[dynamics]
kind = "tabular"
transitions = [[[0.9, 0.1], [0.1, 0.9]], [[0.1, 0.9], [0.9, 0.1]]]
cost = [[0.0, 0.0], [0.2, 0.2]]
[[coupling]]
kind = "crowd-aversion"
{rest}
"""
ERGODIC = 'kind = "ergodic"'


def text(time: str, rest: str = "") -> str:
    return TEXT.format(time=time, rest=rest)


@pytest.mark.parametrize(
    ("time", "rest", "wanted"),
    [
        (ERGODIC, "", mfg.Ergodic()),
        ('kind = "ergodic"\ndt = 0.5\nunit = "h"', "", mfg.Ergodic(dt=0.5, unit="h")),
        ('kind = "discounted"\nfactor = 0.9', "", mfg.Discounted(factor=0.9)),
        (
            'kind = "discounted"\nrate = 0.1\ndt = 0.5\npopulation = "renewal"', "[initial]\ndensity = 0.5",
            mfg.Discounted(rate=0.1, dt=0.5, population="renewal"),
        ),
    ],
)  # fmt: skip
def test_times_of_every_kind_are_read_and_written(time: str, rest: str, wanted: mfg.TimeGrid) -> None:
    problem = problem_from_toml(text(time, rest))
    assert problem.time == wanted
    assert problem.initial_mass().sum() == pytest.approx(1.0)
    again = problem_from_toml(problem_to_toml(problem))
    assert again.time == problem.time
    assert mfg.solve(again).density.equals(mfg.solve(problem).density)


def test_a_dotted_key_changes_them() -> None:
    problem = problem_from_toml(text('kind = "discounted"\nfactor = 0.9'), settings={"time.factor": 0.5})
    assert problem.time == mfg.Discounted(factor=0.5)
    assert problem_from_toml(problem_to_toml(problem)).time == problem.time


@pytest.mark.parametrize(
    ("time", "rest", "match"),
    [
        ('kind = "ergodig"', "", "did you mean 'ergodic'"),
        ('kind = "ergodic"\nrate = 0.1', "", "time: unknown key 'rate'; allowed: dt, unit"),
        ('kind = "discounted"\nrate = 0.1\nfactor = 0.9', "", "time: a Discounted got both"),
        ('kind = "discounted"\nrate = -1.0', "", "time: discount rate is -1.0"),
        ('kind = "discounted"\nfactor = 0.9\npopulation = "renewal"', "", "initial.density: this key is missing"),
        (ERGODIC, "[initial]\ndensity = 0.5", "nothing depends on where agents begin"),
        (ERGODIC, "[terminal]\ncost = 1.0", "terminal of the problem is given"),
        ("horizon = 1.0\nsteps = 2", "", "initial.density: this key is missing"),
    ],
)
def test_tables_that_make_no_sense(time: str, rest: str, match: str) -> None:
    with pytest.raises(mfg.InputError, match=match):
        problem_from_toml(text(time, rest))


@pytest.mark.parametrize("game", ["invariant", "ergodic", "renewal"])
def test_a_named_problem_is_written_in_full(game: str, tmp_path: Path) -> None:
    problem = chain(game)
    assert problem_from_toml(problem_to_toml(problem)).time == problem.time
    write_declared(problem, tmp_path / "chain.toml")
    again = mfg.read_problem(tmp_path / "chain.toml")
    assert again.time == problem.time
    np.testing.assert_array_equal(mfg.solve(again).density, mfg.solve(problem).density)


def test_all_keys_tell_of_them() -> None:
    told = all_keys()
    assert '[time] kind = "discounted"' in told
    assert "factor : a number; b itself, between 0 and 1" in told
    with pytest.raises(mfg.InputError, match="has no final time"):
        problem_from_toml('problem = "bench-mfg-chain"\n[time]\ndiscount = 0.1')
