"""Sharp games without a potential: closed forms, the interior point where there is one, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve import problems
from mfgsolve.solvers import Complementarity, suited


def test_rock_paper_scissors_has_its_closed_form() -> None:
    solution = mfg.solve(problems.rock_paper_scissors())
    assert solution.converged
    np.testing.assert_allclose(solution.dataset["density"][1, 1:], np.array([26, 20, 31]) / 77, atol=1e-9)
    assert -float(solution.dataset["value"][0, 0]) == pytest.approx(6 / 11, abs=1e-8)  # shared value 0.545454545455


def test_left_right_has_its_closed_form() -> None:
    solution = mfg.solve(problems.left_right(), method="complementarity")
    np.testing.assert_allclose(solution.dataset["density"][1], [0, 2 / 3, 1 / 3], atol=1e-9)
    assert -float(solution.dataset["value"][0, 0]) == pytest.approx(-2 / 3, abs=1e-9)


def test_predators_chase_prey_to_nine_digits_and_more() -> None:
    solution = mfg.solve(problems.predator_prey(), tol=1e-10)
    assert solution.dataset.attrs["solver"] == "complementarity"
    assert solution.converged
    assert solution.relative_exploitability <= 1e-10
    assert np.isnan(solution.potential)


@pytest.mark.parametrize("name", ["beach-bar", "crowd-modelling", "braess"])
def test_agrees_with_the_interior_point_where_there_is_a_potential(name: str) -> None:
    problem = problems.build(name, **({"shape": (8,), "steps": 6} if name != "braess" else {}))
    one, other = (mfg.solve(problem, method=method, tol=1e-10) for method in ("complementarity", "interior-point"))
    assert one.potential == pytest.approx(other.potential, rel=1e-9)
    if name != "braess":  # strictly crowd-averse: one equilibrium
        np.testing.assert_allclose(one.dataset["density"], other.dataset["density"], atol=1e-5)


def test_resumes_bit_for_bit(tmp_path) -> None:
    problem, file = problems.predator_prey(size=3, steps=4), tmp_path / "half.nc"
    whole = mfg.solve(problem, method="complementarity")
    mfg.solve(problem, method="complementarity", max_iterations=2, checkpoint=file, check="ignore")
    again = mfg.resume(file)
    assert again.relative_exploitability == whole.relative_exploitability
    np.testing.assert_array_equal(again.dataset["policy"], whole.dataset["policy"])


def test_says_what_it_cannot_do() -> None:
    for problem, why in (
        (problems.rock_paper_scissors(temperature=0.1), "smooth"),
        (problems.susceptible_infected(), "depend on the crowd"),
        (problems.bonnans_lavigne_pfeiffer_1(), "hard bounds"),
        (problems.cole_hopf(shape=(8,), steps=8, scheme="upwind"), "speeds"),
    ):
        with pytest.raises(mfg.InputError, match=why):
            mfg.solve(problem, method="complementarity")


def test_is_what_a_sharp_game_without_a_potential_gets() -> None:
    assert suited(problems.rock_paper_scissors())[0] == "complementarity"
    assert suited(problems.left_right())[0] == "interior-point"
    assert Complementarity().warmth > 0
