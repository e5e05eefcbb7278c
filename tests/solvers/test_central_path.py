"""Pairs of slacks and multipliers, directions between two, and what one Newton step does to the flow."""

import numpy as np
import pytest
from lattice_games import moving, published

from mfgsolve.games import make_game
from mfgsolve.solvers.central_path import Direction, Newton, Pair, longest
from mfgsolve.solvers.interior_point import InteriorPoint


def test_a_pair_has_no_slack_where_there_is_no_inequality():
    pair = Pair(np.array([2.0, 5.0]), np.array([4.0, 5.0]), np.array([1.0, 0.0]))
    np.testing.assert_array_equal(pair.over(np.array([8.0, 8.0])), [4.0, 0.0])
    assert [list(rate) for rate in pair.rates(np.array([1.0, 9.0]), np.array([-8.0, 9.0]))] == [[0.5], [-2.0]]
    giving = Pair(np.array([2.0]), np.array([4.0]), np.array([1.0]), give=np.array([0.5]))
    np.testing.assert_array_equal(giving.over(np.array([8.0])), [2.0])


def test_the_longest_step_keeps_what_changes_positive():
    assert longest(np.array([-4.0, 3.0])) == 0.25
    assert longest(np.array([-0.5, 3.0])) == 1.0
    assert longest(np.empty(0)) == 1.0


def test_directions_are_mixed():
    one, other = (Direction({"a": k * np.ones(2)}, {"a": k * np.ones(3)}, *(np.full(2, k),) * 4) for k in (1.0, 5.0))
    between = one.toward(other, 0.25)
    for part in (between.slack["a"], between.dual["a"], between.value, between.level, between.price, between.unknowns):
        np.testing.assert_array_equal(part, 2.0)


@pytest.mark.parametrize("problem", [moving((5,), 4, 0.05), published(2, 6, 5)])
def test_a_full_step_meets_the_flow(problem):
    """The equations of the flow are linear: after a step of length 1 the masses are those of the occupations."""
    solver = InteriorPoint(system="cholesky")
    state = solver.init(make_game(problem), 1e-9)
    newton = Newton(state, solver._system(state))
    newton.factor()
    direction, _ = newton.direct(0)
    occupation = state.pairs["choice"].slack + direction.slack["choice"]
    end = state.pairs["end"].slack + direction.slack["end"]
    mass = np.concatenate([occupation.sum(axis=1), end[None]])
    np.testing.assert_allclose(mass[0], state.game.initial_mass, atol=1e-12)
    np.testing.assert_allclose(state.maps.sharpen(mass[1:]), state.maps.gather(occupation), atol=1e-12)
