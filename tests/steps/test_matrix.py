"""The transitions of a step as one matrix, against what the step does to every cell."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.steps import matrix
from mfgsolve.steps.matrix import chances_of


def games() -> dict[str, mfg.Problem]:
    line, plane = mfg.Grid.box((9,)), mfg.Grid.box((4, 5), blocked=lambda c: (c.x > 0.7) & (c.y > 0.7))
    time, crowd = mfg.TimeGrid(0.1, 2), mfg.CrowdAversion(1.0)
    start = {"initial": lambda t, c: 1.0 + c.x, "normalise": True, "terminal": lambda t, c: (c.x - 0.3) ** 2}
    moves = mfg.LatticeMoves([(0, 0), (1, 0), (-1, 0), (0, 1)], 0.1, viscosity=0.02, temperature=0.2)
    explicit = mfg.LatticeMoves([(0, 0), (1, 0)], 0.1, viscosity=0.02, noise="explicit", temperature=0.2)
    return {
        "entropic": mfg.Problem(line, time, mfg.ControlledDiffusion(0.1, scheme="entropic"), crowd, **start),
        "entropic plane": mfg.Problem(plane, time, mfg.ControlledDiffusion(0.1, scheme="entropic"), crowd, **start),
        "upwind": mfg.Problem(plane, time, mfg.ControlledDiffusion(0.05, scheme="upwind"), crowd, **start),
        "implicit": mfg.Problem(plane, time, moves, crowd, **start),
        "explicit": mfg.Problem(plane, time, explicit, crowd, **start),
    }


@pytest.mark.parametrize("name", games())
def test_each_cell_lands_where_the_step_puts_it(name: str) -> None:
    game = make_game(games()[name])
    belief = game.flow(game.respond(game.price(game.resting_crowd(game.empty_crowd()))).policy)
    policy = game.respond(game.price(belief)).policy
    chances = chances_of(game.step, game.step.policy_of(policy), game.initial_mass, 0)
    full = chances if isinstance(chances, np.ndarray) else chances.toarray()
    free = ~game.grid.mask.reshape(-1)
    np.testing.assert_allclose(full[free].sum(axis=1), 1.0, atol=1e-12)
    for x in np.flatnonzero(free):
        unit = np.eye(game.cells)[x].reshape(game.step.shape)
        landed = game.step.diffuse(game.step.push(0, policy[0], unit), True, 0)
        np.testing.assert_allclose(full[x], landed.reshape(-1), atol=1e-13)


def test_a_thin_matrix_stays_thin(monkeypatch: pytest.MonkeyPatch) -> None:
    game = make_game(games()["explicit"])
    policy = game.step.policy_of(game.step.uniform())
    monkeypatch.setattr(matrix, "THIN", 0.5)
    assert sparse.issparse(chances_of(game.step, policy, game.initial_mass))


def test_a_full_matrix_of_many_cells_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "MOST", 10)
    game = make_game(games()["implicit"])
    with pytest.raises(mfg.InputError, match="noise='explicit'"):
        chances_of(game.step, game.step.policy_of(game.step.uniform()), game.initial_mass)
