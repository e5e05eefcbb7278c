"""Random games of all classes under a certificate written apart from the package: nothing is called converged that is
not, and the package's own certificate is the independent one to round-off."""

from __future__ import annotations

import numpy as np
import pytest
from random_games import KINDS, Case, random_game

import mfgsolve as mfg
from mfgsolve.solvers import suited

TOL = 1e-9
ROUND = 1e-12  # of what costs sum to in absolute value
WORK: dict[str | None, int] = {
    "newton": 100,
    "interior-point": 100,
    "complementarity": 100,
    "admm": 200,
    "chambolle-pock": 200,
}  # iterations
GAMES = [(kind, seed) for seed in range(30) for kind in KINDS]


def same(certificate: mfg.Certificate, found: object, case: Case, who: str) -> None:
    """The package's numbers are the independent ones."""
    about = f"{case.kind} {case.seed} by {who}: {case.said}"
    room = ROUND * max(1.0, found.size)
    assert certificate.exploitability == pytest.approx(found.exploitability, abs=room), about
    assert certificate.cost == pytest.approx(found.cost, abs=room), about
    if abs(found.exploitability) > room:  # below it the package takes the costs in absolute value
        assert certificate.scale == pytest.approx(found.scale, rel=1e-9), about
    assert certificate.violation == pytest.approx(found.violation, abs=1e-12), about
    assert found.exploitability >= -room or found.violation > 0, about


def check(kind: str, seed: int) -> None:
    case = random_game(kind, seed)
    rng = np.random.default_rng(seed)
    if not case.problem.is_hard:
        policy = case.random_policy(rng)
        certificate = mfg.exploitability(case.problem, policy)
        same(certificate, case.certify(policy), case, "a random policy")
    for name in (None, *suited(case.problem)):
        solution = mfg.solve(
            case.problem,
            method=name,
            tol=TOL,
            max_iterations=WORK.get(name, 100 if name is None else 60),
            max_seconds=20,
            check="ignore",
        )
        found = case.certify(solution)
        same(solution.certificate, found, case, name or "the default")
        np.testing.assert_allclose(
            solution.dataset["density"].values.reshape(found.flow.shape) * case.problem.grid.cell_volume,
            found.flow, atol=1e-12,
        )  # fmt: skip
        if solution.converged:
            about = f"{kind} {seed} by {name}: {case.said}"
            room = ROUND * max(1.0, found.size)
            assert abs(found.exploitability) <= TOL * found.scale + room, f"{about}: {found.relative:.1e}"
            assert found.violation <= TOL + 1e-12, about


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "seed"), GAMES[: 2 * len(KINDS)])
def test_random_games(kind: str, seed: int) -> None:
    check(kind, seed)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "seed"), GAMES[2 * len(KINDS) :])
def test_more_random_games(kind: str, seed: int) -> None:
    check(kind, seed)
