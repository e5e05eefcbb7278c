"""A final density as it is stated: what is kept of it, what is refused, what a game makes of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.cautions import collect
from mfgsolve.couplings.final import FinalDensity, final_cap, scaled_to_one, with_final
from mfgsolve.games import make_game

STAY, SWAP = np.eye(3), np.roll(np.eye(3), 1, 1)
START, TARGET = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.2, 0.6])


def stated(final: object = TARGET, temperature: float = 0.5, **changes: object) -> mfg.Problem:
    arguments = {
        "grid": mfg.States(3), "time": mfg.TimeGrid(3, 3), "coupling": mfg.CrowdAversion(0.5), "initial": START,
        "dynamics": mfg.Tabular([STAY, SWAP], cost=[[0.0] * 3, [0.1] * 3], temperature=temperature),
    }  # fmt: skip
    return mfg.Problem(**(arguments | changes), final=final)  # type: ignore[arg-type]


def test_it_is_a_terminal_cap_of_mass_one_beside_other_terminal_costs() -> None:
    problem = stated(terminal_coupling=mfg.CrowdAversion(1.0))
    game = make_game(problem)
    assert isinstance(problem.final, FinalDensity)
    assert problem.is_hard
    assert len(problem.couplings) == 2
    assert problem.terminal_coupling is not None
    assert not problem.terminal_coupling.is_hard
    np.testing.assert_array_equal(game.final_mass, TARGET)
    again = replace(problem, name="other")
    assert again.final is problem.final
    assert len(again.couplings[1].terms) == 2  # type: ignore[attr-defined]


def test_the_total_variation_is_measured_and_a_cap_has_none() -> None:
    game = make_game(stated())
    crowd = game.resting_crowd(game.empty_crowd())
    assert game.final_distance(crowd) == pytest.approx(0.5 * np.abs(START - TARGET).sum(), abs=1e-15)
    capped = make_game(stated(mfg.Capacity(0.6)))
    assert np.isnan(capped.final_distance(crowd))
    assert capped.final_mass is None


def test_the_price_balances_over_the_target() -> None:
    game = make_game(stated())
    multiplier = np.zeros((4, 3))
    multiplier[-1] = [3.0, 1.0, 2.0]
    balanced = game.balanced(multiplier)
    assert balanced[-1] @ TARGET == pytest.approx(0.0, abs=1e-15)
    np.testing.assert_allclose(np.diff(balanced[-1]), np.diff(multiplier[-1]))
    np.testing.assert_array_equal(multiplier[-1], [3.0, 1.0, 2.0])


@pytest.mark.parametrize(
    ("final", "told"),
    [
        (np.array([0.2, 0.2, 0.5]), "final density sums to 0.9"),
        (np.array([-0.2, 0.6, 0.6]), "final density is negative"),
        (np.array([0.5, 0.5]), "final density has shape"),
        (np.zeros(3), "zero in every free cell"),
        (mfg.CrowdAversion(1.0), "final of the problem is a CrowdAversion"),
        ("full", "capacity is 'full'"),
    ],
)
def test_what_is_no_density_is_refused(final: object, told: str) -> None:
    with pytest.raises(mfg.InputError, match=told):
        make_game(stated(final))


def test_a_target_in_a_wall_is_refused() -> None:
    grid = mfg.Grid.box((4,), blocked=np.array([False, False, True, False]))
    problem = mfg.Problem(
        grid, mfg.TimeGrid(1.0, 4), mfg.ControlledDiffusion(0.1), 0.0, np.array([4.0, 0, 0, 0]),
        final=np.array([0, 0, 4.0, 0]),
    )  # fmt: skip
    with pytest.raises(mfg.InputError, match="not zero in 1 blocked cells"):
        make_game(problem)


def test_it_is_normalised_with_the_start_and_read_by_names() -> None:
    problem = stated(10 * TARGET, initial=7 * START, normalise=True)
    np.testing.assert_allclose(make_game(problem).final_mass, TARGET, rtol=1e-15)
    named = xr.DataArray(TARGET[::-1].copy(), dims="state", coords={"state": [2, 1, 0]})
    np.testing.assert_array_equal(make_game(stated(named)).final_mass, TARGET)


def test_what_a_problem_keeps() -> None:
    cap = mfg.Capacity(0.5)
    assert final_cap(cap, False) is cap
    assert final_cap(None, True) is None
    assert with_final(None, None) is None
    target = FinalDensity(TARGET)
    assert final_cap(target, True) is target
    made, listed = scaled_to_one(target), final_cap(TARGET, True)
    assert isinstance(made, FinalDensity)
    assert isinstance(listed, FinalDensity)
    assert made.normalise
    assert listed.normalise
    assert scaled_to_one(cap) is cap


def test_two_populations_have_a_target_each() -> None:
    space = mfg.Populations(["a", "b"], mfg.States(3))
    rows = np.stack([TARGET, TARGET[::-1]])
    problem = stated(rows, grid=space, initial=np.stack([START, START]), dynamics=[stated().dynamics] * 2)
    solution = mfg.solve(problem, tol=1e-12)
    np.testing.assert_allclose(solution.density.values[-1], rows, atol=1e-10)
    price = solution.dataset["final_price"].values
    np.testing.assert_allclose((price * rows).sum(axis=1), 0.0, atol=1e-12)
    with pytest.raises(mfg.InputError, match="of population 'b' sums to"):
        make_game(replace(problem, final=np.stack([TARGET, 0.5 * TARGET])))


def test_what_came_in_few_digits_is_said_to_be_scaled() -> None:
    coarse = (TARGET * (1 + 3e-7)).astype(np.float32)
    with collect() as said:
        mass = FinalDensity(coarse).mass(mfg.States(3), 3.0)
    assert [caution.code for caution in said] == ["renormalised"]
    assert mass.sum() == pytest.approx(1.0, abs=1e-15)
    with pytest.raises(mfg.InputError, match=r"misses 1 by \d\.\de-07; agents neither leave nor come; pass FinalDens"):
        FinalDensity(coarse.astype(float)).mass(mfg.States(3), 3.0)


def test_names_that_a_target_leaves_out_are_the_same_everywhere() -> None:
    target = FinalDensity(xr.DataArray([0.5, 1.0, 1.5], dims="x"))
    mass = target.mass(mfg.Grid.box((2, 3)), 1.0)
    np.testing.assert_allclose(mass, np.array([[0.5, 1.0, 1.5]] * 2) / 6)
    with pytest.raises(mfg.InputError, match=r"final density has shape \(1, 3\); the grid has \(2, 4\)"):
        target.mass(mfg.Grid.box((2, 4)), 1.0)
