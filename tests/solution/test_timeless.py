"""Datasets without times: what they hold, in memory and in files, and for readers that go by times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from stationary_games import TIMES, chain, two_populations

import mfgsolve as mfg
from mfgsolve.files import write_dataset
from mfgsolve.solution.timeless import is_timeless, with_times, without_times


@pytest.mark.parametrize("kind", TIMES)
def test_a_file_has_no_times_and_gives_the_same_numbers_back(kind: str, tmp_path: Path) -> None:
    problem = chain(kind)
    solution = mfg.solve(problem, tol=1e-11)
    assert not {"time", "step"} & set(solution.dataset.dims)
    assert not {"time", "step"} & set(solution.dataset.coords)
    assert solution.density.dims == ("state",)
    assert solution.policy.dims == ("action", "state")
    name = "average_cost" if kind == "ergodic" else "discounted_cost"
    loaded = mfg.load(solution.save(tmp_path / "s.nc"))
    for variable in solution.dataset.variables:
        np.testing.assert_array_equal(loaded.dataset[variable].values, solution.dataset[variable].values)
    assert loaded.dataset.attrs[name] == solution.dataset.attrs[name]
    assert loaded.dataset.attrs["stationary"] == kind
    again = mfg.exploitability(problem, loaded)
    assert again.exploitability == pytest.approx(solution.exploitability, abs=1e-12)
    assert mfg.exploitability(problem, loaded.policy).cost == pytest.approx(solution.certificate.cost, abs=1e-12)
    with pytest.raises(mfg.InputError, match="no final time"):
        solution.density_at(0.0)


def test_values_last() -> None:
    """What an agent pays from each state on: in all, or beside the average, with mean 0."""
    for kind in ("invariant", "ergodic"):
        solution = mfg.solve(chain(kind), tol=1e-12)
        density, policy, value = (np.asarray(solution.dataset[n].values) for n in ("density", "policy", "value"))
        moves = [np.clip(np.arange(7) + move, 0, 6) for move in (-1, 0, 1)]
        spread = np.zeros((7, 7))
        for x in range(7):
            for thrown, chance in ((-1, 0.025), (0, 0.95), (1, 0.025)):
                spread[x, np.clip(x + thrown, 0, 6)] += chance
        paid = 3.0 * (np.arange(7) - 3.0) ** 2 + 40.0 * density
        factor = 1.0 if kind == "ergodic" else 0.9
        ahead = sum(policy[a] * (2.0 * abs(a - 1) + factor * (spread @ value)[moves[a]]) for a in range(3))
        average = solution.certificate.cost if kind == "ergodic" else 0.0
        np.testing.assert_allclose(value + average, paid + ahead, atol=1e-6)
        if kind == "ergodic":
            assert value.mean() == pytest.approx(0.0, abs=1e-10)


def test_times_come_back_for_readers_that_go_by_them() -> None:
    problem = two_populations(TIMES["ergodic"], 0.3)
    dataset = mfg.solve(problem, tol=1e-9).dataset
    timed = with_times(dataset)
    assert timed["density"].dims == ("time", "population", "state")
    assert timed["policy"].dims == ("step", "action", "population", "state")
    np.testing.assert_array_equal(timed["time"], [0.0, 1.0])
    assert without_times(timed)["density"].identical(dataset["density"])
    assert is_timeless(dataset)
    finite = mfg.solve(mfg.problems.left_right()).dataset
    assert with_times(finite) is finite
    assert not is_timeless(finite)


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [
        ("stationary", "eternal", "'stationary', one of ergodic, first-exit, invariant, renewal"),
        ("step_length", -1.0, "'step_length', which is positive"),
        ("discount_factor", 1.5, "'discount_factor', between 0 and 1"),
    ],
)
def test_a_spoilt_file_is_told(name: str, value: object, match: str, tmp_path: Path) -> None:
    dataset = mfg.solve(chain("invariant")).dataset.assign_attrs({name: value})
    write_dataset(dataset, tmp_path / "s.nc")
    with pytest.raises(mfg.FileError, match=match):
        mfg.load(tmp_path / "s.nc")


def test_policies_of_one_step_come_in_either_form() -> None:
    problem = chain("ergodic")
    policy = np.full((3, 7), 1 / 3)
    both = [mfg.exploitability(problem, each).exploitability for each in (policy, policy[None])]
    labelled = xr.DataArray(policy[::-1], dims=("action", "state"), coords={"action": ["right", "stay", "left"]})
    assert both[0] == both[1] == mfg.exploitability(problem, labelled).exploitability
    with pytest.raises(mfg.InputError):
        mfg.exploitability(problem, policy[:2])


def test_cards(tmp_path: Path) -> None:
    problem = two_populations(TIMES["ergodic"], 0.3)
    text = mfg.solve(problem, tol=1e-9)._repr_html_()
    assert "density at all times" in text
    assert "Ergodic(dt=1)" in problem._repr_html_()
