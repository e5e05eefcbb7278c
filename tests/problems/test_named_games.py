"""Named finite games: peers' numbers with their source, closed forms, and a second way to each of our own.

Peers' numbers were computed in float64 by MFGLib 0.3.0 (its exploitability_score) and OpenSpiel 2.0.2 (its NashConv).
"""

from __future__ import annotations

import inspect
import itertools
import math

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve import problems
from mfgsolve.errors import InputError
from mfgsolve.games import Game
from mfgsolve.problemfile import problem_from_toml, problem_to_toml
from mfgsolve.problems.displacement import displaced

GAMES = [
    "beach-bar", "bonnans-lavigne-pfeiffer-1", "bonnans-lavigne-pfeiffer-2", "braess", "crowd-modelling",
    "crowd-modelling-2d", "crowd-motion", "four-rooms", "lattice-supply-demand", "left-right", "predator-prey",
    "rock-paper-scissors", "susceptible-infected",
]  # fmt: skip
MFGLIB_BAR = {"shape": (4,), "steps": 3, "boundary": "reflecting"}


def reward(solution) -> float:
    """V = -<m_0, V_0>, what agents earn at equilibrium."""
    value = np.nan_to_num(solution.dataset["value"].values[0])  # NaN in walls
    return -float((solution.problem.initial_mass() * value).sum())


def uniform(problem) -> np.ndarray:
    game = Game(problem)
    return game.uniform().reshape(game.steps, game.actions, *problem.grid.shape)


def sharp(problem, tol: float = 1e-11):
    return mfg.solve(problem, method="interior-point", tol=tol, check="raise")


# -- the list --------------------------------------------------------------------------------------------------------


def same_game(a, b) -> bool:
    """Whether two problems give the same arrays."""
    one, two = Game(a), Game(b)
    if one.own_cost.shape != two.own_cost.shape:
        return False
    crowd = one.flow(one.uniform())
    arrays = [
        (g.initial_mass, g.terminal_cost, g.price(crowd), g.own_cost, g.allowed, *g.transitions, *g.amounts)
        for g in (one, two)
    ]
    bounds = [
        [b for block in g.blocks for b in block.bound.bounds(slice(0, g.steps)) or ()] for g in (one, two)
    ]  # fmt: skip
    limits = all(np.array_equal(x, y) for x, y in zip(*bounds, strict=True))
    same = all(x.shape == y.shape and np.array_equal(x, y) for x, y in zip(*arrays, strict=True))
    return same and limits and one.tau == two.tau


def test_the_finite_games_are_listed() -> None:
    assert set(GAMES) <= set(problems.names())
    assert [name for name in problems.names() if problems.get(name).build().is_finite] == GAMES


@pytest.mark.parametrize("name", GAMES)
class TestEveryGame:
    def test_tells_what_it_is(self, name: str) -> None:
        entry = problems.get(name)
        assert entry.summary.endswith(".")
        assert len(entry.summary) < 121
        assert len(entry.source) > 20
        assert "arXiv" in entry.source or "doi" in entry.source
        text = inspect.getdoc(entry.build).split("Parameters\n")[1]
        for key, parameter in entry.parameters.items():
            assert isinstance(parameter.default, parameter.kind)
            assert key in text, f"{key} is not documented"

    def test_default_is_a_valid_game(self, name: str) -> None:
        entry = problems.get(name)
        problem = entry.build()
        assert (problem.grid.shape, problem.time.steps) == (entry.shape, entry.steps)
        assert problem.initial_mass().sum() == pytest.approx(problem.grid.populations, abs=1e-12)
        game = Game(problem)
        assert np.isfinite(game.price(game.flow(game.uniform()))).all()

    def test_name_and_parameters_rebuild_it(self, name: str) -> None:
        parameters = problems.get(name).parameters
        odd = {key: p.default * 0.9 for key, p in parameters.items() if p.kind is float}
        problem = problems.build(name, odd)
        again = problems.build(problem.name, problem.parameters, problem.grid.shape, problem.time.steps)
        assert same_game(problem, again)
        assert same_game(problem, problem_from_toml(problem_to_toml(problem)))

    def test_every_parameter_matters(self, name: str) -> None:
        base = problems.get(name).build()
        for key, p in problems.get(name).parameters.items():
            other = {str: "reflecting", bool: True, int: 3}.get(p.kind) or 0.5 * p.default or -0.5
            if key in ("floor", "shift"):
                other = 0.2  # of a mass, so that it is seen
            if key in ("temperature", "viscosity"):
                other = 1e-3
            assert not same_game(base, problems.build(name, {key: other})), key

    def test_refuses_what_it_does_not_know(self, name: str) -> None:
        entry = problems.get(name)
        first = next(iter(entry.parameters))
        with pytest.raises(InputError, match=f"unknown parameter of {name} '{first}x'; did you mean '{first}'"):
            problems.build(name, {first + "x": 1.0})
        with pytest.raises(InputError, match=f"parameter {first} of {name} is None.*default"):
            problems.build(name, {first: None})
        with pytest.raises(InputError, match=f"(shape|steps) of {name}|steps"):
            problems.build(name, steps=2.5)
        with pytest.raises(InputError, match=f"shape of {name} is .*(this problem has|this game has)"):
            problems.build(name, shape=(7, 7, 7, 7))


def test_states_that_are_given_cannot_be_chosen() -> None:
    with pytest.raises(InputError, match=r"shape of left-right is \(5,\); this game has \(3,\) and no other: leave sh"):
        problems.build("left-right", shape=(5,))
    with pytest.raises(InputError, match="steps of rock-paper-scissors is 7; this game has 2 and no other: leave st"):
        problems.build("rock-paper-scissors", steps=7)
    with pytest.raises(InputError, match=r"beach-bar is \(4, 4\); this problem has 1 axis, \(nx,\)"):
        problems.beach_bar(shape=(4, 4))
    assert problems.build("left-right", shape=(3,), steps=2).grid.shape == (3,), "the truth may be told"
    assert problems.susceptible_infected(steps=7).time.steps == 7


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("beach-bar", {"noise": 1.5}, "noise 1.5; the probability of a push must lie between 0 and 1"),
        ("beach-bar", {"boundary": "periodik"}, "did you mean 'periodic'"),
        ("crowd-motion", {"pause": 0}, "pause 0; the bar must wait at least 1 step"),
        ("crowd-modelling-2d", {"aversion": -1.0}, "strength -1.0; it must be zero or positive"),
        ("susceptible-infected", {"recovery": 2.0}, "recovery 2.0; a number between 0 and 1"),
        ("braess", {"bridge": -1.0}, "none may be negative"),
        ("bonnans-lavigne-pfeiffer-2", {"lowest": 1.0}, "lowest 1.0 and highest 0.0; exchange them"),
        ("lattice-supply-demand", {"hold": 1.0}, r"hold 1.0; .* \[0, 1\)"),
        ("predator-prey", {"size": 1}, "1 cells; an axis needs"),
    ],
)
def test_bad_values_are_named_with_a_remedy(name: str, parameters: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Game(problems.build(name, parameters))


def test_a_start_outside_the_torus_is_named() -> None:
    with pytest.raises(InputError, match=r"starts at \(2, 5\); cells go from \(0, 0\) to \(9, 4\)"):
        problems.crowd_modelling_2d(shape=(5, 10))


# -- peers' numbers ----------------------------------------------------------------------------------------------------

UNIFORM = [
    ("beach-bar", MFGLIB_BAR, 1.2212622553),  # MFGLib beach_bar
    ("crowd-motion", {}, 1.46748295157),  # MFGLib crowd_motion, seed 0
    ("left-right", {}, 0.25),  # MFGLib left_right
    ("rock-paper-scissors", {}, 1 / 3),  # MFGLib rock_paper_scissors
    ("susceptible-infected", {}, 5.46687391323),  # MFGLib susceptible_infected
    ("crowd-modelling-2d", {}, 7.757953871773),  # OpenSpiel mfg_crowd_modelling_2d(only_distribution_reward=true)
    ("four-rooms", {}, 167.6604464714),  # OpenSpiel, FOUR_ROOMS with only_distribution_reward=true
    ("predator-prey", {}, 36.968383925226),  # OpenSpiel python_mfg_predator_prey
]


@pytest.mark.parametrize(("name", "options", "score"), UNIFORM)
def test_exploitability_of_the_uniform_policy(name: str, options: dict, score: float) -> None:
    problem = problems.get(name).build(**options)
    assert mfg.exploitability(problem, uniform(problem)).exploitability == pytest.approx(score, rel=1e-11, abs=1e-10)


EQUILIBRIUM = [  # computed by an independent solver, each of exploitability <= 1e-13 by MFGLib's own score
    ("beach-bar", MFGLIB_BAR, 1.369297366401),
    ("left-right", {}, -0.666666666667),
    pytest.param("crowd-motion", {}, 54.945665320197, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("name", "options", "value"), EQUILIBRIUM)
def test_equilibrium_value(name: str, options: dict, value: float) -> None:
    assert reward(sharp(problems.get(name).build(**options))) == pytest.approx(value, abs=1e-8)


def test_fictitious_play_gives_openspiels_number_on_openspiels_game() -> None:
    """NashConv of python_mfg_crowd_modelling after 10 iterations: 0.9908032626911343 by OpenSpiel, 0.991 in its test.

    Only the game that charges a node with the move by which it was first reached has that number; the game that charges
    the move itself has another one.
    """
    options = {"method": "fictitious-play", "average": "uniform", "max_iterations": 10, "tol": 0.0, "check": "ignore"}
    late = mfg.solve(problems.crowd_modelling(late=True), **options)
    assert late.exploitability == pytest.approx(0.9908032626911343, abs=1e-12)
    assert mfg.solve(problems.crowd_modelling(), **options).exploitability == pytest.approx(0.2959983982, abs=1e-9)


def test_mirror_descent_on_openspiels_torus() -> None:
    """Steps of 0.01 from the uniform policy, the policy frozen within a step; computed apart from this code."""
    options = {"method": "mirror-descent", "rate": 0.01, "max_iterations": 3, "tol": 0.0, "check": "ignore"}
    scores = mfg.solve(problems.crowd_modelling_2d(), **options).dataset["exploitability"].values
    assert scores[[0, 1, 3]] == pytest.approx([7.757953871773, 7.561495442480, 7.182602271682], abs=1e-11)


def test_a_charge_of_the_node_is_that_of_some_move_that_leads_there() -> None:
    charge = problems.crowd_modelling.__wrapped__.__globals__["_late_charge"](10, 10)
    assert set(np.unique(charge)) == {0.0, 0.1}
    assert not charge[0].any(), "nobody has moved yet"
    assert charge[1:10].sum(axis=1) * 10 == pytest.approx(9), "one cell of a level is first reached by staying"


@pytest.mark.parametrize("name", ["bonnans-lavigne-pfeiffer-1", "bonnans-lavigne-pfeiffer-2"])
def test_bonnans_lavigne_pfeiffer(name: str) -> None:
    """Optima of an independent interior point (gap <= 1e-12); objectives written down as in the paper."""
    solution = sharp(problems.build(name), tol=1e-10)
    optimum = {"1": 1.128195654578, "2": 0.379828257692}[name[-1]]
    assert solution.potential == pytest.approx(optimum, rel=1e-9)

    nodes = cells = 50
    dt, dx = 1 / nodes, 1 / cells
    rho = solution.dataset["density"].values
    w = solution.dataset["policy"].transpose("step", "action", ...).values * rho[:-1, None]
    speed = np.array([-1, 0, 1]) * dx / dt
    walking = dt * dx * (w.sum(axis=2) * speed**2 / 4).sum()
    if name.endswith("1"):
        objective = walking + dt * dx * (rho[:-1] ** 2 / 2).sum() + dx * (rho[-1] ** 2 / 2).sum()
        node, cell = np.arange(nodes)[:, None], np.arange(cells)
        tight = (nodes / 3 < node) & (node < 2 * nodes / 3) & (cells / 3 < cell) & (cell < 2 * cells / 3)
        assert (rho <= np.where(tight, 0.25, 3.0) + 1e-9).all()
        assert (rho[tight] > 0.25 - 1e-6).any(), "the bottleneck binds"
    else:
        demand = dx * (w.sum(axis=2) * speed).sum(axis=1)
        season = 2 * np.sin(4 * np.pi * np.arange(nodes - 1) / (nodes - 1))
        objective = walking + dt * ((demand + season) ** 2 / 4).sum()
        assert demand.min() > -2 - 1e-9
        assert demand.max() < 1e-9
    assert objective == pytest.approx(optimum, rel=1e-9)
    start = np.exp(-((np.arange(cells) - 25) ** 2) / 12.5**2)
    np.testing.assert_allclose(rho[0], start / start.mean(), rtol=1e-12)


# -- closed forms ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("left", "right"), [(1.0, 2.0), (3.0, 0.5)])
def test_left_right(left: float, right: float) -> None:
    solution = sharp(problems.left_right(left=left, right=right))
    shares = solution.dataset["density"].values[1]
    np.testing.assert_allclose(shares, [0, right / (left + right), left / (left + right)], atol=1e-10)
    assert reward(solution) == pytest.approx(-left * right / (left + right), abs=1e-10)


def test_rock_paper_scissors() -> None:
    problem = problems.rock_paper_scissors()
    policy = uniform(problem)
    policy[0, :, 0] = np.array([26, 20, 31]) / 77
    certificate = mfg.exploitability(problem, policy)
    assert abs(certificate.exploitability) < 1e-15
    assert certificate.cost == pytest.approx(-0.545454545455, abs=1e-11)
    assert not problem.is_potential
    assert not problem.is_monotone
    solution = mfg.solve(problem, method="newton", tol=1e-6, check="ignore")
    assert reward(solution) == pytest.approx(6 / 11, abs=1e-5)


def braess_time(bridge: float) -> float:
    """3 + x with x = 1 - bridge on each narrow road, as long as somebody uses the bridge."""
    return 4 - bridge if bridge < 0.5 else 3.5


@pytest.mark.parametrize("bridge", [0.1, 0.25, 0.4, 0.8])
def test_braess(bridge: float) -> None:
    solution = sharp(problems.braess(bridge=bridge))
    assert reward(solution) == pytest.approx(-braess_time(bridge), abs=1e-9)
    first = solution.dataset["policy"].values[0, 0, 0]
    assert first == pytest.approx(max(1 - bridge, 0.5), abs=1e-8)
    assert solution.dataset["density"].sel(state="D").values[-1] == pytest.approx(1, abs=1e-12)


def test_braess_paradox() -> None:
    opened, closed = sharp(problems.braess()), sharp(problems.braess(closed=True))
    assert reward(opened) == pytest.approx(-3.75, abs=1e-9)
    assert reward(closed) == pytest.approx(-3.5, abs=1e-9)
    policy = uniform(problems.braess())
    policy[:, :, 0] = 0.5  # half over B, half over C,
    policy[:, :, 1] = np.array([0.0, 1.0])  # and nobody over the bridge
    optimum = mfg.exploitability(problems.braess(), policy)
    assert optimum.cost == pytest.approx(3.5, abs=1e-14)
    assert optimum.exploitability == pytest.approx(0.25, abs=1e-14), "a deviator takes the bridge and 3.25"
    assert opened.certificate.cost / optimum.cost == pytest.approx(15 / 14, abs=1e-9)


def test_price_of_anarchy_of_braess() -> None:
    anarchy = mfg.price_of_anarchy(problems.braess(temperature=1e-5))
    assert anarchy.ratio == pytest.approx(15 / 14, abs=1e-4)


def test_susceptible_infected_follows_its_epidemic() -> None:
    problem = problems.susceptible_infected(steps=20)
    game = Game(problem)
    policy = np.zeros((20, 2, 2))
    policy[:, 0], policy[:, 1] = 0.75, 0.25
    sick = [0.6]
    for _ in range(20):
        sick.append(0.7 * sick[-1] + 0.75 * 0.81 * sick[-1] * (1 - sick[-1]))
    np.testing.assert_allclose(game.flow(policy)[:, 1], sick, atol=1e-15)
    cost = sum(sick[:-1]) + 20 * 0.25 * 0.5
    assert mfg.exploitability(problem, policy).cost == pytest.approx(cost, abs=1e-12)


def test_nobody_keeps_the_distance_where_nothing_is_caught() -> None:
    solution = mfg.solve(problems.susceptible_infected(infection=0.0), method="fictitious-play", check="raise")
    assert -reward(solution) == pytest.approx(0.6 * (1 - 0.7**51) / 0.3, abs=1e-12)


def test_an_even_crowd_is_the_equilibrium_of_a_torus_without_a_place_to_go() -> None:
    problem = problems.beach_bar(shape=(6,), distance_cost=0.0, steps=4)
    solution = sharp(problem)
    np.testing.assert_allclose(solution.dataset["density"], 1 / 6, atol=1e-10)
    assert reward(solution) == pytest.approx(4 * math.log(6), abs=1e-9)


# -- dynamics, counted one by one ------------------------------------------------------------------------------------


def test_displaced_against_every_push_by_hand() -> None:
    grid = mfg.Grid.box((3, 4), boundary=("reflecting", "periodic"))
    noise = {(0, 0): 0.5, (1, 0): 0.2, (0, -1): 0.3}
    for (dx, dy), matrix in zip([(1, 0), (0, 1), (-1, -1)], displaced(grid, [(1, 0), (0, 1), (-1, -1)], noise), strict=True):  # fmt: skip  # noqa: E501
        wanted = np.zeros((12, 12))
        for y, x, ((ex, ey), chance) in itertools.product(range(3), range(4), noise.items()):
            to = 4 * min(max(y + dy + ey, 0), 2) + (x + dx + ex) % 4
            wanted[4 * y + x, to] += chance
        np.testing.assert_allclose(matrix.toarray(), wanted, atol=1e-15)


def test_the_beach_clamps_the_sum_of_move_and_push() -> None:
    """In cell 0, moving left and pushed right stays; a lattice that stops at the wall first ends in cell 1."""
    game = Game(problems.beach_bar(**MFGLIB_BAR))
    np.testing.assert_allclose(game.transitions.matrix(0, 4).toarray()[0], [1.0, 0, 0, 0], atol=1e-15)


def test_four_rooms_have_four_doors_and_no_way_through_walls() -> None:
    problem = problems.four_rooms()
    free, game = ~problem.grid.mask, Game(problem)
    assert free.sum() == 4 * 25 + 4
    assert free[3, 6]
    assert free[9, 6]
    assert free[6, 3]
    assert free[6, 9]
    landing = game.transitions.matrix(0, 169).toarray().reshape(5, 169, 169)[game.allowed & free.ravel()]
    assert not landing[:, ~free.ravel()].any()
    level = game.flow(game.uniform())[1, :169].reshape(13, 13)
    assert level[1, 1] == pytest.approx((1 / 3 + 1 / 4 + 1 / 4) / 3), "three open places, then three or four"
    assert np.array_equal(problem.grid.mask, problem.grid.mask.T)


def test_predators_and_prey_turn_in_a_circle() -> None:
    """No potential; R is antisymmetric, so that what one population gains from another the other loses."""
    problem = problems.predator_prey(size=3, steps=3)
    game = Game(problem)
    assert problem.is_monotone
    assert not problem.is_potential
    mass = np.random.default_rng(0).dirichlet(np.ones(9), (4, 3))
    chase = (game.price(mass.reshape(4, 27)).reshape(4, 3, 9) - np.log(mass))[:3]  # nothing at the last node
    mass = mass[:3]
    assert (chase * mass).sum() == pytest.approx(0, abs=1e-13)
    np.testing.assert_allclose(chase[:, 0], mass[:, 1] - mass[:, 2], atol=1e-13)
    solution = mfg.solve(problems.predator_prey(size=3, steps=3, temperature=0.1), method="newton", check="raise")
    assert solution.relative_exploitability <= 1e-10


# -- the flagship on a lattice -----------------------------------------------------------------------------------------


def test_the_lattice_flagship_charges_moves_by_their_speed() -> None:
    problem = problems.lattice_supply_demand(shape=(8, 16), steps=10)
    dt, hx, hy = 0.1, 1 / 16, 1 / 8
    x, y = 0.25 * (hx / dt) ** 2 * dt, 0.25 * (hy / dt) ** 2 * dt
    assert problem.dynamics.costs == pytest.approx((0.0, x, x, y, y))
    diffusion = problems.supply_demand(shape=(8, 16), steps=10)
    np.testing.assert_array_equal(problem.initial_mass(), diffusion.initial_mass())
    lattice, smooth = Game(problem), mfg.games.Game(diffusion)
    crowd = np.random.default_rng(1).random((11, 128))
    np.testing.assert_array_equal(lattice.price(crowd), smooth.price(crowd.reshape(11, 1, 8, 16)).reshape(11, 128))


def test_the_lattice_flagship_is_solved_alike_by_two_solvers() -> None:
    hot = problems.lattice_supply_demand(shape=(8, 8), steps=16, temperature=0.1)
    newton = mfg.solve(hot, method="newton", tol=1e-10, check="raise")
    search = mfg.solve(hot, method="frank-wolfe", tol=3e-7, max_iterations=3000, check="raise")
    assert search.potential == pytest.approx(newton.potential, abs=1e-6)
    cold = problems.lattice_supply_demand(shape=(8, 8), steps=16)
    point = sharp(cold, tol=1e-9)
    assert point.potential > newton.potential, "entropy is worth something"
    found = mfg.solve(cold, method="frank-wolfe", tol=1e-3, max_iterations=3000, check="ignore")
    assert point.potential - 1e-9 <= found.potential <= point.potential + found.exploitability + 1e-9
