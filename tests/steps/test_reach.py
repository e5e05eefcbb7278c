"""How often agents go to the edge of a stencil: against the mass itself where all go there, and where none do."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

import mfgsolve as mfg
from mfgsolve.games import Game, make_game
from mfgsolve.steps.reach import edge_mass


def line(reach: int | None, slope: float = 0.0, steps: int = 8, **words: object) -> Game:
    """A ring on which a terminal cost falls towards one place; or nobody wants to go anywhere."""
    problem = mfg.Problem(
        mfg.Grid.box((32,), **words), mfg.TimeGrid(1.0, steps),  # type: ignore[arg-type]
        mfg.ControlledDiffusion(0.02, scheme="entropic", reach=reach), 0.0, 1.0, terminal=lambda t, c: -slope * c.x,
    )  # fmt: skip
    return make_game(problem)


def edge(game: Game) -> float:
    policy = game.respond(game.price(game.resting_crowd(game.empty_crowd()))).policy
    return edge_mass(game.step, policy, game.flow(policy))


@pytest.mark.parametrize("reach", [1, 3, 6])
def test_of_noise_alone_it_is_the_end_of_the_gaussian(reach: int) -> None:
    game = line(reach)
    taps = norm.pdf(np.arange(-reach, reach + 1) / 32, scale=np.sqrt(2 * 0.02 / 8))
    assert edge(game) == pytest.approx(2 * taps[0] / taps.sum(), rel=1e-10)


def test_where_all_want_to_go_farther_nearly_everybody_does() -> None:
    assert edge(line(1, slope=50.0)) > 0.9
    assert edge(line(None, slope=2.0)) < 1e-6


def test_every_step_is_looked_at_alike_where_there_are_many() -> None:
    """The mean over some of the steps is about that over all."""
    game = line(4, slope=3.0, steps=64)
    policy = game.respond(game.price(game.resting_crowd(game.empty_crowd()))).policy
    mass, total = game.flow(policy), 0.0
    for t in range(64):
        ((_, chance),) = list(game.step.chances(t, policy[t]))  # type: ignore[attr-defined]
        total += float(mass[t].reshape(-1) @ (chance[:, 0] + chance[:, -1])) / 64
    assert edge_mass(game.step, policy, mass) == pytest.approx(total, rel=0.1)


def test_both_axes_count() -> None:
    def plane(reach: int) -> mfg.Problem:
        return mfg.Problem(
            mfg.Grid.box((12, 12)), mfg.TimeGrid(1.0, 4),
            mfg.ControlledDiffusion(0.02, scheme="entropic", reach=reach), 0.0, 1.0,
        )  # fmt: skip

    game = make_game(plane(2))
    taps = norm.pdf(np.arange(-2, 3) / 12, scale=np.sqrt(2 * 0.02 / 4))
    assert edge(game) == pytest.approx(4 * taps[0] / taps.sum(), rel=1e-10)


def test_steps_without_a_stencil_have_no_edge() -> None:
    game = make_game(mfg.problems.supply_demand(shape=(8, 8), steps=8, scheme="upwind"))
    assert not game.step.reach
    assert edge_mass(game.step, np.empty(0), np.empty(0)) == 0.0
