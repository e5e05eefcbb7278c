"""First-exit games: closed forms, brute force over policies, laws by plain algebra, and what is refused."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.games import make_game

NU, HALF, WALL = 0.1, 0.706937132410979, 1.27558427053188  # u(1/2), u(1) of the way to an exit


def maze(seed: int = 3, states: int = 4, temperature: float = 0.0, dt: float = 1.0, **more: Any) -> mfg.Problem:
    """Random transitions among some states and two exits, by two actions that cost something."""
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.ones(states), size=(2, states))
    space = mfg.States(states, exits={"low": [0], "high": [states - 1]})
    start = np.append(np.append(0.0, rng.dirichlet(np.ones(states - 2))), 0.0)
    stated = {"exit_cost": {"low": 0.3, "high": -0.1}} | more
    dynamics = mfg.Tabular(chances, cost=rng.uniform(0.5, 2, size=(2, states)), temperature=temperature)
    return mfg.Problem(space, mfg.FirstExit(dt=dt), dynamics, mfg.CrowdAversion(2.0), start, **stated)


def by_hand(problem: mfg.Problem, policy: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Mass inside, shares of the exits, and the cost of an agent, by plain linear algebra; ``policy`` (2, states)."""
    (low, high), dt = (0, policy.shape[1] - 1), problem.time.dt
    inside = slice(1, high)
    table, own = np.array(problem.all_dynamics[0].transitions), np.array(problem.all_dynamics[0].cost)
    chances = np.einsum("as,asn->sn", policy, table)[inside]
    visits = np.linalg.solve(np.eye(high - 1) - chances[:, inside].T, problem.initial_mass()[inside])
    shares = visits @ chances[:, [low, high]]
    mass = dt * visits
    paid = (policy * own).sum(axis=0)[inside] + dt * 2.0 * mass
    return mass, shares, float(visits @ paid + shares @ [0.3, -0.1])


@pytest.mark.parametrize("dt", [1.0, 0.25])
def test_exploitability_is_that_of_every_deterministic_policy(dt: float) -> None:
    problem, rng = maze(dt=dt), np.random.default_rng(0)
    policy = rng.dirichlet(np.ones(2), size=4).T
    mass, _, cost = by_hand(problem, policy)
    certificate = mfg.exploitability(problem, policy)
    assert certificate.cost == pytest.approx(cost, rel=1e-13)
    table, own = np.array(problem.all_dynamics[0].transitions), np.array(problem.all_dynamics[0].cost)
    best = math.inf
    for pure in itertools.product(range(2), repeat=2):
        chances, paid = table[list(pure), [1, 2]], own[list(pure), [1, 2]] + dt * 2.0 * mass
        lasting = paid + chances[:, [0, 3]] @ [0.3, -0.1]
        value = np.linalg.solve(np.eye(2) - chances[:, 1:3], lasting)
        best = min(best, float(problem.initial_mass()[1:3] @ value))
    assert certificate.exploitability == pytest.approx(cost - best, abs=1e-13)
    assert certificate.exploitability > 1e-3
    assert certificate.mass_error < 1e-14


@pytest.mark.parametrize("method", ["path-following", "frank-wolfe", "newton", "fictitious-play", "prior-descent"])
def test_solvers_agree(method: str) -> None:
    problem = maze(seed=8, states=6)
    near = 1e-3 if method == "fictitious-play" else 1e-9
    solution = mfg.solve(problem, method=method, tol=near, max_iterations=400)
    assert solution.relative_exploitability <= near
    reference = mfg.solve(problem, tol=1e-13)
    assert reference.dataset.attrs["solver"] == "path-following"
    np.testing.assert_allclose(solution.density, reference.density, atol=10 * near)


def test_what_a_solution_tells() -> None:
    solution = mfg.solve(maze(dt=0.5), tol=1e-13)
    data = solution.dataset
    mass, shares, cost = by_hand(solution.problem, data["policy"].values)
    np.testing.assert_allclose(data["density"].values[1:3], mass, atol=1e-12)
    np.testing.assert_allclose(data["exited"].values, shares, atol=1e-12)
    assert data.attrs["cost_until_exit"] == pytest.approx(cost, abs=1e-12)
    assert data.attrs["time_until_exit"] == pytest.approx(mass.sum(), abs=1e-12)
    assert float(solution.problem.initial_mass() @ data["value"].values) == pytest.approx(cost, abs=1e-12)
    assert data["value"].values[[0, 3]].tolist() == [0.3, -0.1]
    told = solution.evacuation()
    assert told.mean == data.attrs["time_until_exit"]
    assert told.by_exit == pytest.approx({"low": shares[0], "high": shares[1]})
    assert told.left == pytest.approx(1.0)


@pytest.mark.parametrize("temperature", [0.3])
def test_the_curvature_is_the_derivative_of_the_law(temperature: float) -> None:
    game, rng = make_game(maze(seed=1, states=5, temperature=temperature, dt=0.5)), np.random.default_rng(1)
    belief = game.resting_crowd(game.empty_crowd())
    price, change, step = game.price(belief), np.zeros((2, 5)), 1e-6
    change[0] = np.where(game.grid.inside, rng.normal(size=5), 0.0)

    def crowd(by: float) -> np.ndarray:
        return game.flow(game.respond(price + by * change).policy)

    best = game.respond(price)
    moved = game.curvature(best.policy, game.flow(best.policy), game.weights[:, None] * change, identity=0.0)
    difference = (crowd(step) - crowd(-step)) / (2 * step)
    np.testing.assert_allclose(-moved[0], difference[0], atol=1e-8)
    assert np.abs(difference).max() > 1e-3


def test_with_a_temperature_the_long_horizon_is_the_second_road() -> None:
    """Without a coupling the value from a state is that of a long game with a final time."""
    still = maze(seed=2, temperature=0.2)
    short = mfg.Problem(still.grid, still.time, still.dynamics, 0.0, still.initial, exit_cost=still.exit_cost)
    long = mfg.Problem(still.grid, mfg.TimeGrid(400.0, 400), still.dynamics, 0.0, still.initial,
                       exit_cost=still.exit_cost)  # fmt: skip
    np.testing.assert_allclose(mfg.solve(short, tol=1e-12).value.values, mfg.solve(long, tol=1e-12).value[0].values,
                               atol=1e-11)  # fmt: skip


# -- roads -----------------------------------------------------------------------------------------------------------


def traffic(masses: list[float]) -> mfg.Problem:
    """Braess's network for drivers to D, and for others that go to C; roads fill by the sum of both."""
    names = ["A", "B", "C", "D", "in C"]
    to = {("A", 0): "B", ("A", 1): "C", ("B", 0): "D", ("B", 1): "C", ("C", 0): "D"}
    empty = {("A", 1): 50.0, ("B", 0): 50.0, ("B", 1): 10.0}
    slopes = {("A", 0): 10.0, ("A", 1): 1.0, ("B", 0): 1.0, ("B", 1): 1.0, ("C", 0): 10.0}
    table, cost, slope = np.zeros((2, 2, 5, 5)), np.zeros((2, 5)), np.zeros((2, 5))
    table[:, :, 2:, 3] = 1.0  # of who is not to be anywhere else
    for (place, a), there in to.items():
        table[:, a, names.index(place)] = np.eye(5)[names.index(there)]
        cost[a, names.index(place)] = empty.get((place, a), 0.0)
        slope[a, names.index(place)] = slopes[place, a]
    table[1, :, 2] = np.eye(5)[4]  # who goes to C is there
    allowed = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]], dtype=bool)
    fills = np.zeros((2, 2, 5, 2, 2, 5))  # choice, population, state, and the same of those who are felt
    for a, s in itertools.product(range(2), range(5)):
        felt = [p for p in range(2) if not (s == 2 and p == 1)]  # nobody drives on from C who stays there
        for p, q in itertools.product(felt, felt):
            fills[a, p, s, a, q, s] = slope[a, s]
    space = mfg.Populations(["to D", "to C"], mfg.States(names, exits={"D": ["D"], "C": ["in C"]}), masses=masses)
    moving = [mfg.Tabular(chances, cost=np.where(np.arange(5) < 3, cost, 0.0), allowed=allowed) for chances in table]
    start = np.outer(masses, np.eye(5)[0])
    return mfg.Problem(space, mfg.FirstExit(), moving, mfg.Interaction(fills.reshape(20, 20), on="occupation"), start)


def test_roads_fill_by_the_sum_of_those_who_drive_to_different_places() -> None:
    """User equilibrium by hand: x to C directly or over B; those to D as they like."""
    solution = mfg.solve(traffic([4.0, 2.0]), tol=1e-12)
    value = solution.value
    flow = solution.density.sel(state=["A", "B", "C"]).values
    took = np.einsum("aps,ps->as", solution.dataset["policy"].values[:, :, :3], flow)
    ab, ac, bd, bc, cd = took[0, 0], took[1, 0], took[0, 1], took[1, 1], flow[0, 2]
    times = {"AB": 10 * ab, "AC": 50 + ac, "BD": 50 + bd, "BC": 10 + bc, "CD": 10 * cd}
    assert ab + ac == pytest.approx(6.0)
    to_c = min(times["AC"], times["AB"] + times["BC"])
    to_d = min(to_c + times["CD"], times["AB"] + times["BD"])
    assert value.sel(population="to C", state="A").item() == pytest.approx(to_c, abs=1e-9)
    assert value.sel(population="to D", state="A").item() == pytest.approx(to_d, abs=1e-9)
    total = ab * times["AB"] + ac * times["AC"] + bd * times["BD"] + bc * times["BC"] + cd * times["CD"]
    assert solution.certificate.cost == pytest.approx(total, abs=1e-9)
    assert total == pytest.approx(4 * to_d + 2 * to_c, abs=1e-8)  # all take cheapest ways
    beckmann = 5 * ab**2 + 50 * ac + ac**2 / 2 + 50 * bd + bd**2 / 2 + 10 * bc + bc**2 / 2 + 5 * cd**2
    assert solution.potential == pytest.approx(beckmann, abs=1e-9)
    np.testing.assert_allclose(solution.dataset["exited"].values, np.eye(2), atol=1e-12)


# -- diffusions ------------------------------------------------------------------------------------------------------


def way_out(cells: int, dt: float, scheme: str, exits: Any = None, control_cost: float = 1.0) -> mfg.Solution:
    grid = mfg.Grid.box((cells,), exits=exits or {"door": "x-low"})
    moving = mfg.ControlledDiffusion(NU, control_cost, scheme=scheme)
    return mfg.solve(mfg.Problem(grid, mfg.FirstExit(dt=dt), moving, 1.0, 1.0, normalise=True), tol=1e-10)


def test_the_way_to_an_exit_is_of_second_order() -> None:
    off = [way_out(cells, dt, "entropic").value.values[1:] for cells, dt in ((9, 0.04), (17, 0.02), (33, 0.01))]
    middle = np.array([value[len(value) // 2] for value in off]) - HALF
    assert abs(middle[-1]) < 5e-4
    assert math.log2((middle[0] - middle[1]) / (middle[1] - middle[2])) == pytest.approx(2, abs=0.5)
    assert off[-1][-1] == pytest.approx(WALL, abs=2e-3)


def test_upwind_steps_come_there_too() -> None:
    middle = [way_out(cells, dt, "upwind").value.values[1:][cells // 2] for cells, dt in ((17, 0.02), (33, 0.01))]
    assert 2 * middle[1] - middle[0] == pytest.approx(HALF, abs=2e-3)  # first order, extrapolated


@pytest.mark.parametrize("cells", [11, 21])
def test_noise_alone_takes_as_long_as_brownian_motion(cells: int) -> None:
    """E T(1/2) = 1.25 from exits at both ends; a step more, in which an agent leaves, and h^2 / (8 nu) of the faces."""
    both = {"low": "x-low", "high": "x-high"}
    solution = way_out(cells, 0.01, "upwind", both, control_cost=1e12)
    assert solution.value.values[1:-1][cells // 2] == pytest.approx(1.25 + 0.01 + 1 / (8 * NU * cells**2), abs=1e-9)
    assert solution.dataset["exited"].values == pytest.approx([0.5, 0.5])


# -- what is refused -------------------------------------------------------------------------------------------------


def line(**changes: Any) -> mfg.Problem:
    """Three states before an exit; agents stay or go on."""
    stay, on = np.eye(4), np.eye(4)[[1, 2, 3, 3]]
    given: dict[str, Any] = {
        "grid": mfg.States(["a", "b", "c", "out"], exits={"door": ["out"]}), "time": mfg.FirstExit(),
        "dynamics": mfg.Tabular([stay, on], cost=np.ones((2, 4))), "coupling": mfg.CrowdAversion(1.0),
        "initial": np.array([1.0, 0, 0, 0]),
    }  # fmt: skip
    return mfg.Problem(**(given | changes))


def test_what_cannot_end_is_refused_in_words() -> None:
    with pytest.raises(mfg.InputError, match="the space has no exits"):
        line(grid=mfg.States(4))
    with pytest.raises(mfg.InputError, match=r"FirstExit\(\)"):
        line(time=mfg.Ergodic(), initial=None)
    shut = mfg.Tabular([np.eye(4), np.eye(4)[[0, 2, 1, 3]]], cost=np.ones((2, 4)))
    with pytest.raises(mfg.InputError, match="no exit can be reached from states a, b, c, whatever agents do"):
        mfg.solve(line(dynamics=shut))
    free = mfg.Tabular([np.eye(4), np.eye(4)[[1, 2, 3, 3]]], cost=[[1, -0.5, 1, 0], [1, 1, 1, 0]])
    with pytest.raises(mfg.InputError, match=r"agents never leave states .*b.*costs nothing, or less"):
        mfg.solve(line(dynamics=free, coupling=0.0))
    with pytest.raises(mfg.InputError, match="falls without end"):
        mfg.solve(line(dynamics=mfg.Tabular([np.eye(4), np.eye(4)[[1, 2, 3, 3]]], temperature=5.0), coupling=0.0))
    never = np.zeros((2, 4))
    never[0, 1], never[1, [0, 2, 3]] = 1.0, 1.0
    with pytest.raises(mfg.InputError, match=r"never leads out of states a, b: .*infinite"):
        mfg.exploitability(line(), never)
    with pytest.raises(mfg.InputError, match="dt, the length"):
        mfg.FirstExit(dt=0.0)
    with pytest.raises(mfg.InputError, match="without a final time"):
        mfg.simulate(mfg.solve(line()), agents=10, rng=0)


def test_a_trap_that_nobody_comes_to_harms_no_policy() -> None:
    solution = mfg.solve(line(initial=np.array([0.0, 0, 1.0, 0])), tol=1e-12)
    policy = np.array([[1.0, 0, 0, 0], [0, 1, 1, 1]])  # who is in a stays, and nobody is
    certificate = mfg.exploitability(solution.problem, policy)
    assert certificate.relative_exploitability == pytest.approx(0.0, abs=1e-14)
    assert certificate.cost == pytest.approx(2.0)


def test_a_file_of_it_is_written_and_read(tmp_path: Any) -> None:
    text = """
    name = "way-out"
    states = { names = ["a", "b", "out"] }
    exit = [{ name = "door", states = ["out"], cost = 1.0 }]
    time = { kind = "first-exit", dt = 0.5 }
    dynamics = { kind = "tabular", transitions = [[[1,0,0],[0,1,0],[0,0,1]],[[0,1,0],[0,0,1],[0,0,1]]],
                 cost = [[1,1,1],[1,1,1]] }
    initial = { density = [1.0, 0.0, 0.0] }
    coupling = [{ kind = "crowd-aversion", strength = 1.0 }]
    """.replace("\n                 ", " ")
    problem = mfg.problemfile.problem_from_toml(text)
    solution = mfg.solve(problem, tol=1e-12)
    assert solution.certificate.cost == pytest.approx(2 * 1.0 + 2 * 0.5 * 0.5 + 1.0)  # two steps, the crowd, the door
    solution.save(tmp_path / "way.nc")
    again = mfg.load(tmp_path / "way.nc")
    assert problem.time == mfg.FirstExit(dt=0.5)
    assert again.dataset.attrs["stationary"] == "first-exit"
    assert mfg.exploitability(problem, again).exploitability == pytest.approx(0.0, abs=1e-10)
    figure = mfg.plots.plan(again)
    assert "until an agent leaves" in str([axes.get_ylabel() for axes in mfg.plots.value(again).axes])
    assert figure.axes


def test_a_file_in_which_not_all_leave_is_damaged(tmp_path: Any) -> None:
    solution = mfg.solve(maze())
    solution.save(tmp_path / "whole.nc")
    with xr.open_dataset(tmp_path / "whole.nc", engine="h5netcdf") as whole:
        spoilt = whole.load()
    spoilt["exited"][0] -= 0.1
    spoilt.to_netcdf(tmp_path / "spoilt.nc", engine="h5netcdf")
    with pytest.raises(mfg.FileError, match="everybody leaves"):
        mfg.load(tmp_path / "spoilt.nc")


@pytest.mark.parametrize("seed", range(4))
def test_path_following_sees_what_leaving_costs(seed: int) -> None:
    problem = maze(seed, 6, exit_cost={"low": 6.0, "high": -4.0})
    solution = mfg.solve(problem, method="path-following", tol=1e-11, max_iterations=40)
    assert abs(solution.relative_exploitability) <= 1e-11
