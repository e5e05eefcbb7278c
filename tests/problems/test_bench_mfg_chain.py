"""The chain in all three senses, against numbers that two independent roads gave."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve import problems

CENTRE = {"invariant": 0.3437, "renewal": 0.3384, "ergodic": 0.3508}


@pytest.mark.parametrize("game", CENTRE)
def test_solved_in_all_three_senses(game: str) -> None:
    solution = mfg.solve(problems.bench_mfg_chain(game=game), tol=1e-12)
    assert solution.dataset.solver == "path-following"
    assert solution.iterations <= 30
    assert abs(solution.relative_exploitability) <= 1e-12
    assert float(solution.density[3]) == pytest.approx(CENTRE[game], abs=5e-5)
    np.testing.assert_allclose(solution.density, solution.density[::-1], atol=1e-12)


def test_invariant_law_and_cost_of_a_lifetime() -> None:
    solution = mfg.solve("bench-mfg-chain", tol=1e-13)
    half = [0.00111786706244081, 0.0495239407664346, 0.277501859110173, 0.343712666121904]
    np.testing.assert_allclose(solution.density, half + half[2::-1], atol=1e-12)
    assert solution.dataset.attrs["discounted_cost"] == pytest.approx(140.31075724516, abs=1e-10)
    assert solution.certificate.cost == pytest.approx(14.031075724516, abs=1e-11)


def test_words_that_there_are_not() -> None:
    with pytest.raises(mfg.InputError, match="did you mean 'ergodic'"):
        problems.bench_mfg_chain(game="ergodi")
    with pytest.raises(mfg.InputError, match="1 states; at least 2"):
        problems.bench_mfg_chain(states=1)
    with pytest.raises(mfg.InputError, match=r"noise 0\.6"):
        problems.bench_mfg_chain(noise=0.6)
    with pytest.raises(mfg.InputError, match=r"discount factor of a step is 1\.0"):
        problems.bench_mfg_chain(factor=1.0)
