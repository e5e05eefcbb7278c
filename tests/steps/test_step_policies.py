"""Policies of every kind of step as variables of a dataset, and back again, by their names."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.games import Game, make_game
from tests.own_steps import hopping


def diffusion(shape: tuple[int, ...], boundary: str = "reflecting") -> mfg.Problem:
    grid = mfg.Grid.box(shape, boundary=boundary, blocked=lambda c: c.x > 0.9 if len(shape) > 1 else c.x > 2)
    return mfg.Problem(
        grid, mfg.TimeGrid(1.0, 16), mfg.ControlledDiffusion(0.02, scheme="upwind"), mfg.CrowdAversion(0.3),
        lambda t, c: np.where(grid.mask, 0.0, 1.0 + c.x), lambda t, c: (c.x - 0.3) ** 2, normalise=True,
    )  # fmt: skip


def chase() -> mfg.Problem:
    return mfg.problems.predator_prey(size=2, steps=3)


def unlike() -> mfg.Problem:
    """Two populations whose actions have other names; one has fewer."""
    stay, swap = np.eye(2), np.eye(2)[::-1]
    return mfg.Problem(
        mfg.Populations(("cats", "mice"), mfg.States(2)), mfg.TimeGrid(2, 2),
        (mfg.Tabular([stay, swap], actions=["wait", "hunt"]), mfg.Tabular([stay], actions=["hide"])),
        mfg.CrowdAversion(1.0), np.full((2, 2), 0.5),
    )  # fmt: skip


GAMES = {
    "line": lambda: diffusion((7,)),
    "ring": lambda: diffusion((8,), "periodic"),
    "plane": lambda: diffusion((4, 5)),
    "space": lambda: diffusion((3, 4, 5)),
    "lattice": lambda: mfg.problems.lattice_supply_demand(shape=(4, 3), steps=4, temperature=0.2),
    "tables": mfg.problems.left_right,
    "populations": chase,
    "unlike": unlike,
    "own": hopping,
}


@pytest.fixture(params=GAMES)
def game(request) -> Game:
    return make_game(GAMES[request.param]())


def answer(game: Game) -> np.ndarray:
    price = np.random.default_rng(1).normal(size=(game.steps + 1, *game.level_shape))
    return game.respond(0.1 * price).policy


def dataset_of(game: Game, policy) -> xr.Dataset:
    variable = game.step.described(policy)
    nodes = {"step": game.time.nodes[:-1]}
    return xr.Dataset(variable.variables, nodes | variable.coordinates | game.grid.labels)


def test_a_policy_comes_back_and_leads_the_crowd_the_same_way(game):
    policy = game.policy_of(answer(game))
    data, crowd = dataset_of(game, policy), game.follow(policy)
    name = game.step.policy_form.name
    turned = data.transpose(*list(data.dims)[::-1])
    for dim in data[name].dims:  # every coordinate backwards
        turned = turned.isel({dim: slice(None, None, -1)})
    for brought in (data, turned, turned[name], data[name].values):
        again = game.step.policy_from(brought)
        np.testing.assert_allclose(game.follow(again), crowd, rtol=0, atol=1e-14)
        np.testing.assert_array_equal(game.step.described(again).values, data[name].values)


def test_the_mean_of_policies_stands_as_its_occupation_says(game):
    plan, policy = game.new_average(), answer(game)
    plan.mix(game, policy, game.flow(policy), 1.0)
    values = game.step.described(plan).values
    np.testing.assert_allclose(game.follow(game.step.policy_from(values)), plan.crowd, rtol=0, atol=1e-13)


def test_speeds_are_differences_of_the_value_over_distance_and_cost():
    """W = x (1 - x): toward x+ the best speed is (W(x) - W(x+h)) / (h c), toward x- the other way, none at walls."""
    cells, cost = 5, 2.0
    problem = mfg.Problem(
        mfg.Grid.box((cells,), unit="km"),
        mfg.TimeGrid(1.0, 40, "h"),
        mfg.ControlledDiffusion(0.0, cost, scheme="upwind"),
        0.0,
        1.0,
    )
    game, h = make_game(problem), 1 / cells
    x = (np.arange(cells) + 0.5) * h
    w = x * (1 - x)
    variable = game.step.described(game.policy_of(np.broadcast_to(w, (40, 1, 1, cells))))
    slope = np.diff(w) / (h * cost)
    right, left = np.append(np.maximum(-slope, 0), 0.0), np.append(0.0, np.maximum(slope, 0))
    assert variable.name == "speed"
    assert variable.dims == ("step", "move", "x")
    assert variable.attrs["units"] == "km/h"
    np.testing.assert_allclose(variable.values[3], [right, left], rtol=0, atol=1e-15)
    assert list(variable.coordinates["move"][1]) == ["x+", "x-"]


def test_names_that_populations_do_not_share_stand_beside():
    game = make_game(unlike())
    variable = game.step.described(game.policy_of(answer(game)))
    names = variable.variables["action_name"]
    assert names[0] == ("population", "action")
    assert names[1].tolist() == [["wait", "hunt"], ["hide", ""]]
    assert list(variable.coordinates["action"][1]) == ["wait/hide", "hunt"]
    same = make_game(chase())
    assert set(same.step.described(same.policy_of(answer(same))).variables) == {"policy"}


def test_a_step_of_ones_own_checks_what_it_is_brought():
    step = make_game(hopping()).step
    wrong = np.full((4, 2, 5), 0.5)
    wrong[2, 0, 3] = 0.6
    with pytest.raises(mfg.InputError, match=r"policy in state 3 at step 2 sums to 1\.1"):
        step.policy_from(wrong)
    with pytest.raises(mfg.InputError, match=r"policy has shape \(4, 5, 2\); \(step, action, ...\) = \(4, 2, 5\)"):
        step.policy_from(wrong.transpose(0, 2, 1))
