"""A step that an exception leaves in the middle, of solvers that average and of anchored iterations."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import Game, make_game
from mfgsolve.solvers import ADMM, FictitiousPlay, FrankWolfe


@pytest.mark.parametrize("solver", [FrankWolfe(), FictitiousPlay()], ids=lambda solver: solver.name)
@pytest.mark.parametrize("verb", ["respond", "flow"])
def test_a_mean_goes_on_from_where_it_was_left(monkeypatch, line_problem, solver, verb):
    def after(state, iteration):
        while state.iteration < iteration:
            state = solver.step(state)
        return state

    whole = after(solver.init(make_game(line_problem), 1e-10), 9)
    state = after(solver.init(make_game(line_problem), 1e-10), 5)
    measure = state.measure
    real = getattr(Game, verb)

    def interrupted(*arguments, **options):
        real(*arguments, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Game, verb, interrupted)
        with pytest.raises(KeyboardInterrupt):
            solver.step(state)
    assert state.measure == measure
    arrays, numbers = state.pack()
    arrays = {name: array.copy() for name, array in arrays.items()}
    handed = solver.finish(state)
    found = mfg.certificates.certify(handed.game, handed.policy, handed.crowd)  # a policy with its own flow
    assert found.mass_error < 1e-12
    np.testing.assert_allclose(handed.policy.crowd, handed.crowd)
    rest = after(solver.unpack(make_game(line_problem), 1e-10, arrays, numbers, measure), 9)
    assert rest.measure == whole.measure
    for name, array in rest.plan.arrays().items():
        np.testing.assert_array_equal(array, whole.plan.arrays()[name])


def test_anchored_iterations_start_again_from_the_last_certificate(monkeypatch):
    solver, problem = ADMM(every=5), mfg.problems.beach_bar()
    state = solver.step(solver.init(make_game(problem), 1e-10))
    before = {name: np.copy(array) for name, array in state.pack()[0].items()}, state.pack()[1]
    kind, calls = type(state.operator), 0
    real = kind.apply

    def interrupted(*arguments):
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(kind, "apply", interrupted)
        with pytest.raises(KeyboardInterrupt):
            solver.step(state)
    arrays, numbers = state.pack()
    assert (state.iteration, numbers) == (5, before[1])
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, before[0][name])
