"""Two doors: a crowd uses both, a lone agent the near one."""

from __future__ import annotations

import numpy as np

from mfgsolve import problems
from mfgsolve.games import Game


def fictitious_play(problem, sweeps: int = 60) -> tuple[Game, np.ndarray]:
    game = Game(problem)
    mass = game.flow(game.respond(game.price(np.stack([game.initial_mass] * (game.steps + 1)))).policy)
    for k in range(1, sweeps):
        mass += 2 / (k + 2) * (game.flow(game.respond(game.price(mass)).policy) - mass)
    return game, mass


def test_a_crowd_uses_both_doors_and_a_lone_agent_the_near_one() -> None:
    def narrow_share(aversion: float) -> float:
        problem = problems.build("crowd-aversion", {"aversion": aversion}, shape=(16, 32), steps=384, scheme="upwind")
        _game, mass = fictitious_play(problem)
        assert abs(mass[:, 0][:, problem.grid.mask]).max() == 0
        rows = (
            mass[:, 0].sum(axis=0)[:, (problem.coordinates.x[0] > 0.93) & (problem.coordinates.x[0] < 1.07)].sum(axis=1)
        )
        assert mass[-1, 0][problem.coordinates.x > 1].sum() > 0.95  # they get there
        return rows[8:].sum() / rows.sum()

    crowd, alone = narrow_share(0.1), narrow_share(1e-6)
    assert alone > 0.8
    assert 0.45 < crowd < 0.75
