"""Games against a crowd that stays: the values of the decision process are those of the game's own backward sweep."""

from __future__ import annotations

import numpy as np
import pytest
from finite_games import epidemic

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.games import make_game
from mfgsolve.tasks.frozen_crowd import FrozenCrowd

WALLED = mfg.Problem(
    grid=mfg.Grid.box((5,), blocked=lambda c: np.abs(c.x - 0.5) < 0.05), time=mfg.TimeGrid(1.0, 4, discount=0.3),
    dynamics=mfg.LatticeMoves([-1, 0, 1], costs=[0.1, 0.0, 0.1], viscosity=0.02), coupling=mfg.CrowdAversion(0.3),
    terminal=lambda t, c: (c.x - 0.2) ** 2, initial=lambda t, c: np.where(c.x < 0.5, 1.0, 0.5), normalise=True,
)  # fmt: skip


GAMES = {
    "beach": mfg.problems.beach_bar(shape=(7,), steps=5),
    "lattice": mfg.problems.lattice_supply_demand(shape=(4, 4), steps=5),
    "walls, noise and a discount": WALLED,
    "three populations": mfg.problems.predator_prey(),
    "routes": mfg.problems.braess(),
    "coupled": epidemic(5)[0],
}


@pytest.mark.parametrize("name", list(GAMES))
def test_values_are_those_of_the_game(name):
    game = make_game(GAMES[name])
    crowd = game.flow(game.step.uniform())
    process = FrozenCrowd(game).process(crowd)
    process.check()
    price = game.price(crowd)
    q = game.evaluate(game.respond(price, crowd=crowd).policy, price, crowd)[1]
    q = q + (price[:, : game.cells] * game.weights[:, None])[:-1, None]  # what it costs to be there
    open_ = game.step.allowed & (game.flat(crowd)[:-1, : game.cells] > 0)[:, None]
    mine = -process.optimal.reshape(game.step.actions, game.steps, game.cells).transpose(1, 0, 2)
    np.testing.assert_allclose(mine[open_], q[open_], rtol=1e-10, atol=1e-12)
    earned = float(process.start @ process.best) * game.initial_mass.sum()
    assert earned == pytest.approx(-game.respond(price, crowd=crowd).mean_value, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("name", list(GAMES))
def test_scaled_rewards_keep_the_order_and_lie_between_0_and_1(name):
    game = make_game(GAMES[name])
    frozen, crowd = FrozenCrowd(game), game.flow(game.step.uniform())
    plain, unit = frozen.process(crowd), frozen.process(crowd, unit=True)
    values = unit.optimal[unit.allowed]
    assert values.min() >= -1e-12
    assert values.max() <= 1 + 1e-12
    left = np.repeat(np.arange(game.steps, 0, -1), game.cells)  # steps to go
    rate = np.ptp(plain.reward[plain.allowed]) * game.steps
    high = -plain.reward[plain.allowed].min()
    np.testing.assert_allclose(unit.optimal * rate, plain.optimal + high * left, atol=1e-9 * max(rate, 1))


def test_transitions_are_made_once_and_rewards_for_each_crowd():
    game = make_game(GAMES["beach"])
    frozen, crowd = FrozenCrowd(game), game.flow(game.step.uniform())
    one, other = frozen.process(crowd), frozen.process(0.5 * crowd)
    assert one.chance is other.chance
    assert not np.array_equal(one.reward, other.reward)


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (mfg.problems.beach_bar(temperature=0.1), "smooth at a temperature"),
        (mfg.problems.cole_hopf(shape=(8,), steps=8, scheme="upwind"), "no finite list of actions"),
    ],
)
def test_games_without_a_single_winner_are_refused(problem, sentence):
    with pytest.raises(InputError, match=sentence):
        FrozenCrowd(make_game(problem))
