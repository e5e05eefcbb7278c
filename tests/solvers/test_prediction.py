"""Linear solves that end on a prediction: against dense algebra, and against the exploitability that comes true."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.solvers.krylov import Linearisation, Vectors
from mfgsolve.solvers.newton import Newton
from mfgsolve.solvers.prediction import Aim, solve_as_foreseen

METHODS = ["gradient", "least"]


def problem():
    return mfg.Problem(
        grid=mfg.Grid.box((9,)),
        time=mfg.TimeGrid(1.0, 5),
        dynamics=mfg.ControlledDiffusion(0.02, 0.3, scheme="entropic"),
        coupling=mfg.CrowdAversion(0.5) + mfg.RunningCost(lambda t, c: np.cos(4 * c.x + t)),
        initial=mfg.Bump(1.0, 0.3, (0.4,)),
        normalise=True,
    )


def system_at(game, believed):
    ahead = game.respond(game.price(believed)).policy
    return Linearisation(game, ahead, game.flow(ahead), believed, game.slope(believed))


def at_rest():
    game = make_game(problem())
    system = system_at(game, game.resting_crowd(game.empty_crowd()))
    return system, system.crowd - system.believed


def solved(method, system, right, aim, limit=200):
    """Solution, what was found, and the residual of the solution."""
    arrays = [np.empty_like(right) for _ in range(5)]
    work = Vectors(arrays[0], right.copy(), arrays[1], arrays[2])
    near = np.inf if method == "least" else 0.0
    found = solve_as_foreseen(system, work, (arrays[3], arrays[4]), lambda first: Aim(*aim, near), limit)
    return arrays[0], found


def operator(system, vector):
    return system.game.curvature(system.policy, system.crowd, vector, system.scale)


def foreseen(system, residual):
    """<r, (A - 1) r> / 2 in the inner product with B."""
    return 0.5 * float((system.scale * residual * (operator(system, residual) - residual)).sum())


@pytest.mark.parametrize("method", METHODS)
def test_both_methods_solve_the_system(method):
    system, right = at_rest()
    x, found = solved(method, system, right, (0.0, 1e-28 * foreseen(system, right)))
    left = right - operator(system, x)
    assert foreseen(system, left) < 1e-24 * foreseen(system, right)
    assert 5 < found.uses < 60


@pytest.mark.parametrize("share", [0.3, 1e-2, 1e-4])
def test_the_prediction_is_that_of_the_residual(share):
    """The method that minimises it knows it; conjugate gradients know it of the step before their last."""
    system, right = at_rest()
    first = foreseen(system, right)
    x, found = solved("least", system, right, (share, 0.0))
    assert found.predicted == pytest.approx(foreseen(system, right - operator(system, x)), rel=1e-9)
    assert 0.01 * share * first < found.predicted <= share * first
    _, wanted = solved("gradient", system, right, (share, 0.0))
    assert wanted.predicted <= share * first
    before, _ = solved("gradient", system, right, (0.0, 0.0), limit=wanted.uses - 1)
    assert wanted.predicted == pytest.approx(foreseen(system, right - operator(system, before)), rel=1e-9)


@pytest.mark.parametrize("uses", [2, 3, 5, 8])
def test_no_other_vector_of_the_same_passes_predicts_less(uses):
    system, right = at_rest()
    x, found = solved("least", system, right, (0.0, 0.0), limit=uses)
    assert found.uses == uses
    space, vector = [], right
    for _ in range(uses - 1):
        space.append(vector.reshape(-1) / np.linalg.norm(vector))
        vector = operator(system, vector)
    basis = np.ascontiguousarray(np.linalg.qr(np.stack(space, axis=1))[0].T).reshape(-1, *right.shape)
    images = [operator(system, one) for one in basis]
    metric = [system.scale * (operator(system, one) - one) for one in images]
    matrix = np.array([[float((a * b).sum()) for b in images] for a in metric])
    share = np.linalg.solve(matrix, [float((a * right).sum()) for a in metric])
    best = sum(c * one for c, one in zip(share, basis, strict=True))
    least = foreseen(system, right - operator(system, best))
    assert found.predicted == pytest.approx(least, rel=1e-6)
    assert foreseen(system, right - operator(system, x)) == pytest.approx(least, rel=1e-6)


def test_conjugate_gradients_predict_more_after_as_many_passes():
    system, right = at_rest()
    for uses in (4, 6, 8):
        _, least = solved("least", system, right, (0.0, 0.0), limit=uses)
        x, _ = solved("gradient", system, right, (0.0, 0.0), limit=uses - 1)
        assert least.predicted < foreseen(system, right - operator(system, x))


@pytest.mark.parametrize("method", METHODS)
def test_nothing_to_solve_is_no_step(method):
    system, right = at_rest()
    x, found = solved(method, system, np.zeros_like(right), (0.1, 0.0))
    assert not x.any()
    assert found.uses <= 1
    assert found.predicted == 0.0


def test_predictions_come_true():
    """Within 10 % early and 3 % late, of an iteration that has both."""
    game, solver = make_game(problem().levelled()), Newton()
    state = solver.init(game, 1e-12)
    while not state.final or state.certificate.relative_exploitability > 1e-4:
        state = solver.step(state)
    for far in (0.1, 0.1, 0.03, 0.03, 0.03):
        system = system_at(game, state.believed)
        right = system.crowd - system.believed
        x, found = solved("least", system, right, (0.1, 0.0))
        there = system_at(game, np.maximum(state.believed + x, 0.0))
        certificate = mfg.certificates.certify(game, game.policy_of(there.policy), there.crowd)
        assert found.predicted == pytest.approx(certificate.exploitability, rel=far)
        state.believed[:] = there.believed
