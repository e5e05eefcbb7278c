"""Solves of finite games that are gone on with, and solutions that are read back and certified again."""

from __future__ import annotations

import numpy as np
import pytest
from finite_games import epidemic, hunters, sharp_game, small_game

import mfgsolve as mfg

RUNS = {
    "newton, cooled to zero": (sharp_game, {"method": "newton", "tol": 1e-6}),
    "newton, warm": (lambda: small_game(1, 2, 3, 0.05)[0], {"method": "newton", "tol": 1e-12}),
    "newton, no potential": (hunters, {"method": "newton", "tol": 1e-11}),
    "frank-wolfe": (lambda: small_game(0, 2, 3, 0.1)[0], {"method": "frank-wolfe"}),
    "frank-wolfe, sharp": (sharp_game, {"method": "frank-wolfe"}),
    "fictitious-play": (lambda: small_game(1, 2, 3)[0], {"method": "fictitious-play"}),
    "uniform play": (hunters, {"method": "fictitious-play", "average": "uniform"}),
    "epidemic": (lambda: epidemic()[0], {"method": "fictitious-play"}),
}


@pytest.mark.parametrize("name", RUNS)
def test_resume_continues_bit_for_bit(name, tmp_path):
    make, options = RUNS[name]
    limit, file = 9, tmp_path / "point.nc"
    whole = mfg.solve(make(), max_iterations=limit, check="ignore", **options)
    assert whole.iterations >= 3
    mfg.solve(make(), max_iterations=2, checkpoint=file, check="ignore", **options)
    assert mfg.resume(file, problem=make(), max_iterations=4, check="ignore").iterations <= 4
    rest = mfg.resume(file, problem=make(), max_iterations=limit, check="ignore")
    assert rest.iterations == whole.iterations
    for variable in whole.dataset.data_vars:
        if variable != "seconds":
            np.testing.assert_array_equal(rest.dataset[variable].values, whole.dataset[variable].values, variable)
    assert repr(rest.certificate) == repr(whole.certificate)  # NaN and all
    assert rest.status == whole.status


def test_a_checkpoint_is_not_continued_in_another_finite_game(tmp_path):
    file = tmp_path / "point.nc"
    mfg.solve(sharp_game(), method="frank-wolfe", max_iterations=1, checkpoint=file, check="ignore")
    with pytest.raises(mfg.InputError, match="another game"):
        mfg.resume(file, problem=sharp_game().at_temperature(0.1))


SAVED = {
    "tabular": lambda: small_game(1, 1, 3, 0.5)[0],
    "types": lambda: small_game(1, 2, 3, 0.5)[0],
    "lattice": lambda: sharp_game().at_temperature(0.2),
    "lattices": hunters,
    "named states": lambda: mfg.Problem(
        grid=mfg.States(["home", "work"]), time=mfg.TimeGrid(3.0, 3, "h"), coupling=mfg.CrowdAversion(1.0),
        dynamics=mfg.Tabular([np.eye(2), np.eye(2)[::-1]], actions=["stay", "swap"], temperature=0.1),
        initial=np.array([1.0, 0.0])),
}  # fmt: skip


@pytest.mark.parametrize("name", SAVED)
def test_solutions_are_read_back_and_certified_again(name, tmp_path):
    problem = SAVED[name]()
    solution = mfg.solve(problem)
    back = mfg.load(solution.save(tmp_path / "plan.nc"))
    for variable in solution.dataset.variables:
        np.testing.assert_array_equal(back.dataset[variable].values, solution.dataset[variable].values, variable)
        assert back.dataset[variable].dims == solution.dataset[variable].dims
    again = {key: value for key, value in back.summary().items() if value == value}
    assert again == {key: value for key, value in solution.summary().items() if value == value}
    for policy in (solution, back, solution.dataset["policy"].values, back.dataset["policy"][:, ::-1]):
        certificate = mfg.exploitability(problem, policy)
        assert certificate.exploitability == pytest.approx(
            solution.exploitability, abs=1e-15 + 1e-13 * certificate.scale
        )
        assert certificate.cost == pytest.approx(solution.certificate.cost, rel=1e-13)
    assert mfg.solve(problem, start=back).converged
