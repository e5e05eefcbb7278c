"""Spaces and the couplings on them: shapes, coordinates, formulas by hand, finite differences, bad input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.couplings import by_target
from mfgsolve.errors import numbers
from mfgsolve.games import make_game
from mfgsolve.spaces import Choices

BOX = mfg.Grid.box(
    (2, 3), bounds=[(0, 2), (0, 6)], boundary=("reflecting", "periodic"), blocked=lambda c: c.x * c.y > 7
)
TYPES = mfg.Populations(["car", "bus"], BOX)
NAN = math.nan


# -- spaces ------------------------------------------------------------------------------------------------------------


def test_states():
    five, named = mfg.States(5.0), mfg.States(["S", "I"])
    assert (five.shape, five.size, five.ndim, five.dims, five.names) == ((5,), 5, 1, ("state",), None)
    assert (named.shape, named.names, named.cell_volume, named.populations) == ((2,), ("S", "I"), 1.0, 1)
    np.testing.assert_array_equal(five.coordinates.state, np.arange(5))
    assert not five.mask.any()
    assert five.identity == mfg.States(5).identity != mfg.States(4).identity
    assert named.identity == mfg.States(("S", "I")).identity != mfg.States(2).identity
    assert named.dimension_coordinates["state"][0].tolist() == ["S", "I"]
    for array in (five.mask, five.coordinates.state):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(mfg.InputError, match="no cells to refine"):
        five.refined((4,))


def test_populations_are_a_leading_axis():
    assert (TYPES.shape, TYPES.dims, TYPES.size) == ((2, 2, 3), ("population", "y", "x"), 12)
    assert (TYPES.cell_volume, TYPES.populations) == (BOX.cell_volume, 2)
    c = TYPES.coordinates
    assert set(c) == {"x", "y"}
    assert len(c) == 2
    for p in range(2):
        np.testing.assert_array_equal(c.x[p], BOX.coordinates.x)
        np.testing.assert_array_equal(TYPES.mask[p], BOX.mask)
        assert (c.population[p] == p).all()
    assert BOX.mask.sum() == 1
    assert c.periods == {"x": 6.0}
    assert c.gap("x", 6.0).tolist()[0][0] == [1.0, 3.0, -1.0] or c.gap("x", 6.0).tolist()[0][0] == [1.0, -3.0, -1.0]
    assert TYPES.dimension_coordinates["population"][0].tolist() == ["car", "bus"]
    assert list(TYPES.dimension_coordinates) == ["population", "y", "x"]
    others = [mfg.Populations(["bus", "car"], BOX), mfg.Populations(["car", "bus"], mfg.Grid.box((2, 3)))]
    assert all(other.identity != TYPES.identity for other in others)
    with pytest.raises(AttributeError, match=r"unknown coordinate 'populations'; did you mean 'population'"):
        _ = c.populations


def test_choices_put_actions_before_everything():
    choices = Choices(4, TYPES)
    assert (choices.shape, choices.dims) == ((4, 2, 2, 3), ("action", "population", "y", "x"))
    c = choices.coordinates
    index = np.indices(choices.shape)
    np.testing.assert_array_equal(c.action, index[0])
    np.testing.assert_array_equal(c.population, index[1])
    np.testing.assert_array_equal(c.y[3, 1], BOX.coordinates.y)
    np.testing.assert_array_equal(choices.mask, np.broadcast_to(BOX.mask, choices.shape))
    assert choices.cell_volume == BOX.cell_volume
    assert Choices(4, BOX).identity != Choices(3, BOX).identity
    assert set(Choices(2, mfg.States(3)).coordinates) == {"state"}


def test_the_mass_of_every_population_is_one():
    def start(values, **options):
        problem = mfg.Problem(grid=TYPES, time=mfg.TimeGrid(1, 1), coupling=0.0, initial=values,
                              dynamics=[mfg.LatticeMoves([(0, 0)])] * 2, **options)  # fmt: skip
        return problem.initial_mass()

    mass = start(lambda t, c: (1 + c.population) * c.x, normalise=True)
    np.testing.assert_allclose(mass.sum(axis=(1, 2)), 1.0, atol=1e-15)
    np.testing.assert_allclose(mass[0], mass[1], atol=1e-15)  # the second has twice the density, until it is normalised
    assert (mass[:, BOX.mask] == 0).all()
    density = np.where(BOX.mask, 0.0, 1 / (5 * BOX.cell_volume)) * np.ones((2, 1, 1))
    np.testing.assert_allclose(start(density), density * BOX.cell_volume)
    with pytest.raises(mfg.InputError, match=r"density of population 'bus' sums to 0\.5 over the grid, expected 1"):
        start(density * np.array([1.0, 0.5]).reshape(2, 1, 1))
    with pytest.raises(mfg.InputError, match=r"density of population 'bus' is zero in every free cell"):
        start(density * np.array([1.0, 0.0]).reshape(2, 1, 1), normalise=True)


# -- couplings by hand and by finite differences -----------------------------------------------------------------------

RNG = np.random.default_rng(7)
SYMMETRIC = RNG.normal(size=(3, 3)) @ np.diag([1.0, 2.0, 0.5])
SYMMETRIC = SYMMETRIC @ SYMMETRIC.T
SKEW = np.array([[0.0, 1.0, -2.0], [-1.0, 0.0, 0.5], [2.0, -0.5, 0.0]])
CUBIC = {
    "cost": lambda t, c, rho: (1 + t) * rho**3, "potential": lambda t, c, rho: (1 + t) * rho**4 / 4,
    "derivative": lambda t, c, rho: 3 * (1 + t) * rho**2, "second": lambda t, c, rho: 6 * (1 + t) * rho,
    "monotone": True,
}  # fmt: skip
THREE = mfg.Populations(["a", "b", "c"], mfg.Grid.box((2,), bounds=[(0, 4)]))
WHOLE = mfg.CustomCoupling(
    cost=lambda t, c, rho: (rho**2).sum() * rho, potential=lambda t, c, rho: (rho**2).sum() ** 2 / 4 / rho.size,
    tangent=lambda t, c, rho, change: 2 * (rho * change).sum() * rho + (rho**2).sum() * change, monotone=True,
)  # fmt: skip
BOUND: dict[str, tuple[Any, Any]] = {
    "interaction of states": (mfg.States(3), mfg.Interaction(SYMMETRIC)),
    "interaction on a grid": (mfg.Grid.box((3,), bounds=[(0, 6)]), mfg.Interaction(SYMMETRIC)),
    "interaction of populations": (THREE, mfg.Interaction(SYMMETRIC, between="populations")),
    "interaction that turns": (THREE, mfg.Interaction(SKEW, between="populations")),
    "interaction of choices": (Choices(3, mfg.States(1)), mfg.Interaction(SYMMETRIC, on="occupation")),
    "custom": (THREE, mfg.CustomCoupling(**CUBIC)),
    "custom on choices": (Choices(2, THREE), mfg.CustomCoupling(**CUBIC, on="occupation")),
    "custom tangent": (mfg.States(4), WHOLE),
    "aversion": (Choices(2, BOX), mfg.CrowdAversion(lambda t, c: 1 + t + c.action, power=2.0, on="occupation")),
    "logarithm": (TYPES, mfg.LogCongestion(0.4, shift=0.2)),
    "congestion": (mfg.States(3), mfg.Congestion(lambda t, c: 1.0 + c.state, 0.6)),
    "running": (TYPES, mfg.RunningCost(lambda t, c: t + c.population)),
    "capacity": (mfg.States(3), mfg.Capacity(0.5)),
}


@pytest.mark.parametrize("name", BOUND)
def test_cost_potential_tangent_and_second_belong_together(name):
    space, coupling = BOUND[name]
    bound, nodes = coupling.bind(space, np.array([0.0, 0.5, 2.0])), slice(1, 3)
    rng, h = np.random.default_rng(1), 1e-5
    free = ~space.mask
    rho, change = rng.uniform(0.2, 2, (2, *space.shape)) * free, rng.normal(size=(2, *space.shape)) * free
    up, down = rho + h * change, rho - h * change
    cost = bound.cost(nodes, rho)
    assert cost.shape == rho.shape
    bend = (bound.cost(nodes, up) - bound.cost(nodes, down)) / (2 * h)
    np.testing.assert_allclose(bound.tangent(nodes, rho, change), bend, rtol=1e-6, atol=1e-8)
    if coupling.is_potential:
        rise = (bound.potential(nodes, up) - bound.potential(nodes, down)) / (2 * h)
        paid = (cost * change).reshape(2, -1).sum(axis=1) * space.cell_volume
        np.testing.assert_allclose(rise, paid, rtol=1e-6, atol=1e-8)
    slope = bound.slope(nodes, rho)
    assert (slope is not None) == coupling.is_local
    second = bound.second(nodes, rho)
    if slope is not None and second is not None:
        np.testing.assert_allclose(slope * change, bend, rtol=1e-6, atol=1e-8)
        turn = (bound.slope(nodes, up) - bound.slope(nodes, down)) / (2 * h)
        np.testing.assert_allclose(second * change, turn, rtol=1e-6, atol=1e-8)
    if not isinstance(space, Choices):
        report = mfg.check_coupling(coupling, space, t=0.5)
        assert report.is_potential == coupling.is_potential
        assert report.is_monotone or not coupling.is_monotone


def test_interactions_by_hand():
    nodes, rho = slice(0, 1), np.arange(6.0).reshape(1, 3, 2)
    between = mfg.Interaction(SKEW, between="populations")
    np.testing.assert_allclose(between.bind(THREE, np.zeros(1)).cost(nodes, rho)[0], SKEW @ rho[0], atol=1e-14)
    assert not between.is_potential
    assert between.is_monotone  # M + M' = 0
    everyone = np.arange(36.0).reshape(6, 6)
    cost = mfg.Interaction(everyone).bind(THREE, np.zeros(1)).cost(nodes, rho)  # cells have volume 2
    np.testing.assert_allclose(cost.ravel(), 2 * everyone @ rho.ravel())
    assert not mfg.Interaction(everyone).is_potential
    assert mfg.Interaction(SYMMETRIC).is_potential
    assert mfg.Interaction(SYMMETRIC).is_monotone
    assert not mfg.Interaction(-SYMMETRIC).is_monotone
    matrix = np.eye(2)
    kept = mfg.Interaction(matrix)
    matrix[:] = 7.0
    np.testing.assert_array_equal(kept.matrix, np.eye(2))


def test_prices_by_hand():
    price = mfg.Price(mfg.QuadraticPotential(2.0, lambda t: 10 * t), bounds=(lambda t: -t, None), amounts=[1.0, -3.0])
    bound, nodes = price.bind(mfg.States(2), np.array([0.0, 0.5])), slice(0, 2)
    amount = np.array([[1.0], [3.0]])
    np.testing.assert_allclose(bound.cost(nodes, amount), [[2.0], [2 * (3 - 5)]])
    np.testing.assert_allclose(bound.potential(nodes, amount), [1.0, 4.0])
    np.testing.assert_allclose(bound.slope(nodes, amount), [[2.0], [2.0]])
    low, high = bound.bounds(nodes)
    assert low.tolist() == [[0.0], [-0.5]]
    assert high.tolist() == [[math.inf], [math.inf]]
    assert price.is_hard
    assert not mfg.Price(mfg.QuadraticPotential(), amounts=[1.0]).is_hard
    assert not mfg.Price(mfg.QuadraticPotential(), (None, None), [1.0]).is_hard
    choices = Choices(2, THREE)
    np.testing.assert_array_equal(price.amounts_on(choices, np.zeros(1), None)[0, 1], np.full((3, 2), -3.0))
    assert price.amounts_on(choices, np.zeros(1), None).shape == (1, 2, 3, 2)


def test_the_amount_of_a_lattice_is_its_speed():
    """Moves of 1 and -2 cells of width 0.5 in steps of 0.25 have speeds 2 and -4."""
    game = make_game(mfg.Problem(
        grid=mfg.Grid.box((4,), bounds=[(0, 2)]), time=mfg.TimeGrid(0.5, 2), dynamics=mfg.LatticeMoves((0, 1, -2)),
        coupling=mfg.Price(mfg.QuadraticPotential(3.0)), initial=0.5))  # fmt: skip
    np.testing.assert_allclose(game.amounts[0][0], np.array([0.0, 2.0, -4.0])[:, None] * np.ones(4))
    policy = np.zeros((2, 3, 4))
    policy[0, 1] = policy[1, 2] = 1.0
    crowd = game.flow(policy)
    np.testing.assert_allclose(crowd[:, 4], [2.0, -4.0, 0.0])
    np.testing.assert_allclose(game.price(crowd)[:, 4], [6.0, -12.0, 0.0])
    np.testing.assert_allclose(game.price(crowd)[:, :4], 0.0)


def test_capacities_and_violations():
    problem = mfg.Problem(
        grid=mfg.States(3), time=mfg.TimeGrid(2, 2), dynamics=mfg.Tabular([np.eye(3)]),
        initial=np.array([0.7, 0.2, 0.1]),
        coupling=mfg.Capacity(lambda t, c: np.array([0.5 + t, np.inf, 0.05])) + mfg.CrowdAversion(1.0),
        terminal_coupling=mfg.Capacity(0.6),
    )  # fmt: skip
    game = make_game(problem)
    crowd = game.flow(game.uniform())
    assert problem.is_hard
    assert game.violation(crowd) == pytest.approx(0.2)  # 0.7 over 0.5 at node 0, relative to max(cap, 1)
    (running, nodes, low, high), (_, last, _, end) = game.bounds()
    assert (nodes, last, running.on) == (slice(0, 2), slice(2, 3), "state")
    np.testing.assert_array_equal(low, 0.0)
    np.testing.assert_array_equal(high, [[0.5, np.inf, 0.05], [1.5, np.inf, 0.05]])
    np.testing.assert_array_equal(end, np.full((1, 3), 0.6))
    multiplier = np.zeros((3, 3))
    multiplier[1, 0], multiplier[2, 0] = 2.0, 3.0  # dt 2 (1.5 - 0.7) + 3 (0.6 - 0.7)
    assert game.slack_cost(multiplier, crowd) == pytest.approx(1.6 - 0.3)
    for method in ("newton", "frank-wolfe", "fictitious-play"):
        with pytest.raises(mfg.InputError, match="hard bounds"):
            mfg.solve(problem, method=method)


def test_sums_are_sorted_by_what_they_act_on():
    one, two = mfg.CrowdAversion(1.0), mfg.CrowdAversion(2.0, on="occupation")
    price = mfg.Price(mfg.QuadraticPotential(), amounts=[0, 1])
    groups = by_target(one + two + price + (mfg.RunningCost(1.0) + price))
    assert [type(c).__name__ for c in groups["state"]] == ["Sum"]
    assert groups["occupation"] == [two]
    assert groups["aggregate"] == [price, price]
    assert (one + two).on == "several"
    assert (one + one).on == "state"


# -- bad input -------------------------------------------------------------------------------------------------------


def game(**changes: Any) -> Any:
    parts: dict[str, Any] = {
        "grid": mfg.States(2), "time": mfg.TimeGrid(3, 3), "dynamics": mfg.Tabular([np.eye(2), np.eye(2)[::-1]]),
        "coupling": mfg.CrowdAversion(1.0), "initial": np.array([1.0, 0.0]),
    }  # fmt: skip
    return make_game(mfg.Problem(**{**parts, **changes}))


def price(*args: Any, **options: Any) -> Any:
    return game(coupling=mfg.Price(mfg.QuadraticPotential(), *args, **{"amounts": [0, 1], **options}))


def custom(function: Any) -> Any:
    made = game(coupling=mfg.CustomCoupling(function))
    return made.price(made.resting_crowd(made.empty_crowd()))


TWO = {"grid": mfg.Populations(["a", "b"], mfg.States(2)), "initial": np.eye(2)}
HOLES = np.ma.masked_array(np.eye(2), mask=np.eye(2) > 0)


class Odd(mfg.Coupling):
    on = "prices"

    def bind(self, grid: Any, times: np.ndarray) -> Any:
        raise NotImplementedError


SPACES = [
    (lambda: mfg.States(0), r"a list of 0 states came; at least 1"),
    (lambda: mfg.States(-2), r"-2 states"),
    (lambda: mfg.States(2.5), r"number of states is 2\.5; a whole number"),
    (lambda: mfg.States(True), r"number of states is True \(bool\)"),
    (lambda: mfg.States([]), r"0 states came"),
    (lambda: mfg.States("ab"), r"states is the text 'ab'"),
    (lambda: mfg.States(None), r"states is a NoneType; a number or a list of names"),
    (lambda: mfg.States(1j), r"states is a complex"),
    (lambda: mfg.States(["a", "a"]), r"state 'a' is named twice"),
    (lambda: mfg.States([1, 2]), r"state name 1 is a int; a text"),
    (lambda: mfg.Populations("ab", BOX), r"populations are named 'ab'; a list of texts"),
    (lambda: mfg.Populations(2, BOX), r"populations are named 2; a list of texts"),
    (lambda: mfg.Populations(None, BOX), r"populations are named None"),
    (lambda: mfg.Populations([], BOX), r"at least one"),
    (lambda: mfg.Populations(["a", "a"], BOX), r"each with a name of its own"),
    (lambda: mfg.Populations(["a"], 3), r"populations live on a int; a Grid or States"),
    (lambda: mfg.Populations(["a"], TYPES), r"populations live on a Populations"),
]
PROBLEMS = [
    (lambda: game(**TWO), r"has 2 populations and dynamics are given for 1; give one for each"),
    (lambda: game(**TWO, dynamics=[mfg.Tabular([np.eye(2)])] * 3), r"dynamics are given for 3"),
    (lambda: game(grid=TWO["grid"], dynamics=[mfg.Tabular([np.eye(2)])] * 2), r"initial density has shape \(2,\)"),
    (lambda: game(initial=np.array([1j, 0])), r"initial of the problem holds complex128; real numbers or a function"),
    (lambda: game(initial=np.array([True, False])), r"initial of the problem holds bool"),
    (lambda: game(initial=np.ma.masked_array([1.0, 0.0], mask=[0, 1])), r"initial of the problem has masked entries"),
    (lambda: game(initial=[[1], [1, 2]]), r"initial of the problem is no array of numbers"),
    (lambda: game(initial="uniform"), r"initial of the problem holds <U7"),
    (lambda: game(initial=True, normalise=True), r"initial of the problem is True \(bool\)"),
    (lambda: game(terminal=True), r"terminal of the problem is True"),
    (lambda: game(terminal=np.ones(3)), r"terminal cost has shape \(3,\)"),
    (lambda: game(initial=np.array([1.5, -0.5])), r"initial density is negative \(-0\.5 at cell \(1,\)\)"),
    (lambda: game(initial=np.array([NAN, 1.0])), r"initial density is nan"),
    (lambda: game(initial=lambda t, c: c.x), r"unknown coordinate 'x'; allowed: state"),
    (lambda: game(coupling=True), r"coupling of the problem is True"),
    (lambda: game(coupling=1j), r"coupling of the problem is a complex"),
    (lambda: game(coupling=Odd()), r"target of the coupling Odd 'prices'; allowed: aggregate, occupation, state"),
    (lambda: game(coupling=mfg.Nonlocal(width=0.1)), r"needs distances, which a States has not; use Interaction"),
    (lambda: game(terminal_coupling=mfg.CrowdAversion(on="occupation")), r"terminal coupling acts on 'occupation'"),
    (lambda: game(terminal_coupling=mfg.Price(mfg.QuadraticPotential(), amounts=[0, 1])), r"acts on 'aggregate'"),
    (lambda: mfg.solve(mfg.Problem(grid=mfg.Grid.box((4,)), time=mfg.TimeGrid(1, 4), initial=1.0,
                                   dynamics=mfg.ControlledDiffusion(), coupling=mfg.CrowdAversion(on="occupation"))),
     r"needs a finite list of actions"),
]  # fmt: skip
COUPLINGS = [
    (
        lambda: mfg.CrowdAversion(1.0, on="states"),
        r"unknown target of the crowd aversion 'states'; did you mean 'state'",
    ),
    (lambda: game(coupling=mfg.Capacity(-1.0)), r"capacity is negative \(-1\)"),
    (lambda: game(coupling=mfg.Capacity(lambda t, c: -c.state)), r"capacity is negative \(-1\)"),
    (lambda: game(coupling=mfg.Capacity(NAN)), r"capacity is nan"),
    (lambda: game(coupling=mfg.Capacity("1")), r"capacity is '1' \(str\)"),
    (lambda: game(coupling=mfg.Capacity(True)), r"capacity is True \(bool\)"),
    (lambda: game(coupling=mfg.Capacity(np.ones(3))), r"capacity gives ndarray of shape \(3,\)"),
    (lambda: game(coupling=mfg.Capacity(lambda t, c: np.ones(3))), r"capacity gives ndarray of shape \(3,\)"),
    (lambda: game(coupling=mfg.Capacity(lambda t, c: np.ones(2) * 1j)), r"capacity holds complex128"),
    (lambda: game(coupling=mfg.Capacity(lambda t: 1.0)), r"capacity: a function is called as f\(t, coordinates\)"),
    (lambda: game(coupling=mfg.Capacity(lambda t, c: c.x)), r"capacity: unknown coordinate 'x'"),
    (lambda: price((1, 0)), r"bounds of the price at step 0 are \(1\.0, 0\.0\); lowest <= highest"),
    (lambda: price((lambda t: t, 1.5)), r"bounds of the price at step 2 are \(2\.0, 1\.5\)"),
    (lambda: price((1,)), r"bounds of the price are \(1,\); a pair"),
    (lambda: price(3), r"bounds of the price are 3; a pair"),
    (lambda: price("ab"), r"bounds of the price are 'ab'; a pair"),
    (lambda: price(("a", None)), r"bound of the price is 'a' \(str\)"),
    (lambda: price((NAN, 1)), r"bounds of the price at step 0 are \(nan, 1\.0\)"),
    (lambda: mfg.Price(1.0), r"potential of the price is a float without value\(t, A\); use QuadraticPotential"),
    (lambda: price(amounts=None), r"amounts of the price are missing"),
    (lambda: price(amounts=[1, 2, 3]), r"amounts of the price have shape \(3,\); \(2,\) or \(2, 2\) is needed"),
    (lambda: price(amounts=[[1], [2, 3]]), r"amounts of the price is no array of numbers"),
    (lambda: price(amounts=[1j, 2]), r"amounts of the price holds complex128"),
    (lambda: price(amounts=[True, False]), r"amounts of the price holds bool"),
    (lambda: price(amounts=["1", "2"]), r"amounts of the price holds <U1"),
    (lambda: price(amounts=HOLES), r"amounts of the price has masked entries"),
    (lambda: price(amounts=[NAN, 0]), r"not finite"),
    (lambda: price(amounts=lambda t, c: c.actio), r"unknown coordinate 'actio'; did you mean 'action'"),
    (lambda: mfg.QuadraticPotential(-1), r"weight of the price is -1; it must be positive"),
    (lambda: mfg.QuadraticPotential("1"), r"weight of the price is '1'"),
    (lambda: mfg.QuadraticPotential(1, "a"), r"centre of the price is 'a'"),
    (lambda: mfg.QuadraticPotential(1, NAN), r"centre of the price is nan; it must be finite"),
    (lambda: mfg.Interaction(np.ones((2, 3))), r"interaction has shape \(2, 3\); a square"),
    (lambda: mfg.Interaction(np.zeros((0, 0))), r"shape \(0, 0\); a square"),
    (lambda: mfg.Interaction(NAN * np.eye(2)), r"square of finite numbers"),
    (lambda: mfg.Interaction(np.eye(2) * 1j), r"matrix of the interaction holds complex128"),
    (lambda: mfg.Interaction(np.eye(2) > 0), r"matrix of the interaction holds bool"),
    (lambda: mfg.Interaction(HOLES), r"matrix of the interaction has masked entries"),
    (lambda: mfg.Interaction([["1"]]), r"matrix of the interaction holds <U1"),
    (lambda: mfg.Interaction([[1, 2], [3]]), r"matrix of the interaction is no array of numbers"),
    (lambda: mfg.Interaction(None), r"matrix of the interaction holds object"),
    (lambda: mfg.Interaction(np.eye(2), "stats"), r"unknown interaction between 'stats'; did you mean 'states'"),
    (lambda: mfg.Interaction(np.eye(2), on="junk"), r"unknown target of the interaction 'junk'"),
    (lambda: game(coupling=mfg.Interaction(np.eye(3))), r"has 3 rows; there are 2 states"),
    (lambda: game(coupling=mfg.Interaction(np.eye(2), "populations")), r"needs a space of Populations"),
    (lambda: mfg.CustomCoupling(None), r"cost of the custom coupling is a NoneType; a function is needed"),
    (lambda: mfg.CustomCoupling(lambda t, c, m: m, potential=3.0), r"potential of the custom coupling is a float"),
    (lambda: mfg.CustomCoupling(lambda t, c, m: m, on="aggregate"), r"unknown target of the custom coupling"),
    (lambda: custom(lambda t, c, m: np.ones(3)), r"cost of a custom coupling has shape \(3,\); the grid has \(2,\)"),
    (lambda: custom(lambda t, c, m: 1j * m), r"cost of a custom coupling holds complex128"),
    (lambda: custom(lambda t, c, m: m > 0), r"cost of a custom coupling holds bool"),
    (lambda: custom(lambda t, c, m: "much"), r"cost of a custom coupling holds <U4"),
    (lambda: custom(lambda t, c, m: np.ma.masked_array(m, mask=m > 0)), r"cost of a custom coupling has masked"),
    (lambda: numbers([HOLES, HOLES], "table"), r"table has masked entries"),
]


@pytest.mark.parametrize(("make", "message"), SPACES + PROBLEMS + COUPLINGS)
@pytest.mark.filterwarnings("error")
def test_bad_input_is_told_in_a_sentence(make, message):
    with pytest.raises(mfg.InputError, match=message):
        make()


def test_a_list_of_numbers_is_as_good_as_an_array():
    for value in ([1, 0], (1, 0), np.array([1, 0]), np.ma.masked_array([1, 0]), np.array([1, 0], dtype=np.float32)):
        np.testing.assert_array_equal(game(initial=value).initial_mass, [1.0, 0.0])
