"""What a policy costs above the best response: the difference of two costs, without its round-off."""

from __future__ import annotations

import numpy as np
import pytest
from sparse_factors import any_price, blown, diffusion, lattice, leaking, ring_shift

from mfgsolve.games import Game, make_game
from mfgsolve.steps import Step

RNG = np.random.default_rng(7)
GAMES = {
    "diffusion": lambda: make_game(diffusion()),
    "explicit": lambda: make_game(diffusion(noise="explicit")),
    "soft lattice": lambda: make_game(lattice()),
    "sharp lattice": lambda: make_game(lattice(0.0)),
    "blown ring": lambda: blown(diffusion((12,), boundary="periodic"), ring_shift(12, 0.4)),
    "blown plane": lambda: blown(diffusion(), *[leaking(42, RNG) for _ in range(8)]),
    "blown lattice": lambda: blown(lattice(), leaking(20, RNG)),
}


@pytest.fixture(params=GAMES)
def game(request) -> Game:
    return GAMES[request.param]()


def cost_of(game: Game, policy, price: np.ndarray) -> float:
    """Mean cost of an agent who follows a policy against a price that nobody changes."""
    crowd = game.follow(policy)
    running = (game.weights @ (game.flat(price) * game.flat(crowd))).sum()
    return float(game.cost(policy, crowd).cost + running + game.terminal_total(crowd))


def test_it_is_the_difference_of_costs(game):
    price = 0.3 * any_price(game)
    policy = game.policy_of(game.respond(any_price(game, 1)).policy)
    mass = game.mass(game.follow(policy)).reshape(-1, *game.step.shape)
    best = game.respond(price.copy()).mean_value
    excess, value = game.step.excess(policy, mass, game.costs(price.copy()))
    assert (game.initial_mass * value).sum() == pytest.approx(best, abs=1e-14)
    assert excess.shape == (1,)
    assert excess[0] > 1e-3
    assert excess[0] == pytest.approx(cost_of(game, policy, price) - best, abs=1e-12)


def test_any_step_knows_it_from_its_chain(game):
    """The plain road, from values and chances alone, that steps without formulas of their own take."""
    price = 0.3 * any_price(game)
    policy = game.policy_of(game.respond(any_price(game, 1)).policy)
    mass = game.mass(game.follow(policy)).reshape(-1, *game.step.shape)
    excess, value = game.step.excess(policy, mass, game.costs(price.copy()))
    plain, same = Step.excess(game.step, policy, mass, game.costs(price.copy()))
    free = ~game.grid.mask.reshape(game.step.shape)
    np.testing.assert_allclose(same[free], value[free], rtol=0, atol=1e-14)
    np.testing.assert_allclose(plain, excess, rtol=0, atol=1e-12)


def test_the_best_response_has_none(game):
    price = 0.3 * any_price(game)
    policy = game.policy_of(game.respond(price.copy()).policy)
    mass = game.mass(game.follow(policy)).reshape(-1, *game.step.shape)
    excess, _ = game.step.excess(policy, mass, game.costs(price.copy()))
    assert 0 <= excess[0] < 1e-28


def test_far_below_the_round_off_of_the_cost():
    """A policy that misses the best one by 1e-10 costs c s^2 / 2 of that more: 1e-20, beside costs of order 1."""
    game = make_game(diffusion())
    price = 0.3 * any_price(game)
    best = game.respond(price.copy()).policy
    excesses = []
    for small in (1e-6, 1e-10):
        policy = game.policy_of(best + small * any_price(game, 2)[:-1])
        mass = game.mass(game.follow(policy)).reshape(-1, *game.step.shape)
        excesses.append(game.step.excess(policy, mass, game.costs(price.copy()))[0][0])
    assert excesses[1] == pytest.approx(excesses[0] * 1e-8, rel=1e-3)
