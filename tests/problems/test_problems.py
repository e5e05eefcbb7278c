"""Named problems: they build, rebuild, refuse bad input, and their closed forms solve both equations."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
from scipy.integrate import solve_bvp, solve_ivp

from mfgsolve import problems
from mfgsolve.couplings import check_coupling
from mfgsolve.errors import InputError
from mfgsolve.fields import Box, Separable, Total, sample_nodes
from mfgsolve.games import Game
from mfgsolve.grids import Coordinates, Grid
from mfgsolve.problems.linear_quadratic import LinearQuadratic, MeanAttraction
from mfgsolve.problems.montreal import EARTH_RADIUS, DailyDemand, zones

SMALL = {
    "cole-hopf": ((12,), 16),
    "crowd-aversion": ((8, 16), 16),
    "gaussian-log": ((12,), 16),
    "linear-quadratic": ((12,), 16),
    "montreal": ((8, 10), 16),
    "supply-demand": ((8, 10), 16),
}
CLOSED = ["cole-hopf", "gaussian-log", "linear-quadratic"]


def same_game(a, b) -> bool:
    """Whether two problems give the same arrays."""
    one, two = Game(a), Game(b)
    mass = np.random.default_rng(0).random((one.steps + 1, *one.shape))
    mass /= mass.sum(axis=(1, 2, 3), keepdims=True)
    arrays = [(g.initial_mass, g.terminal_cost, g.price(mass), g.scheme.spacing, g.scheme.cap) for g in (one, two)]
    numbers = [(g.dt, tuple(g.scheme.control_cost), tuple(g.scheme.rate)) for g in (one, two)]
    return numbers[0] == numbers[1] and all(np.array_equal(x, y) for x, y in zip(*arrays, strict=True))


def test_the_list_is_complete() -> None:
    assert [name for name in problems.names() if not problems.get(name).build().is_finite] == sorted(SMALL)


@pytest.mark.parametrize("name", sorted(SMALL))  # the finite games have their own file, test_named_games.py
class TestEveryProblem:
    def test_tells_what_it_is(self, name: str) -> None:
        entry = problems.get(name)
        assert entry.name == name
        assert entry.summary.endswith(".")
        assert len(entry.summary) < 121
        assert len(entry.source) > 20
        text = inspect.getdoc(entry.build)
        for key, parameter in entry.parameters.items():
            assert isinstance(parameter.default, parameter.kind)
            assert key in text.split("Parameters\n")[1], f"{key} is not documented"

    def test_default_resolution_is_a_valid_game(self, name: str) -> None:
        entry = problems.get(name)
        problem = entry.build()
        assert (problem.grid.shape, problem.time.steps) == (entry.shape, entry.steps)
        assert problem.initial_mass().sum() == pytest.approx(1, abs=1e-12)
        assert (problem.initial_mass()[problem.grid.mask] == 0).all()
        assert np.isfinite(problem.terminal_cost()).all()

    def test_name_and_parameters_rebuild_it(self, name: str) -> None:
        shape, steps = SMALL[name]
        odd = {
            key: p.default * 1.01 if p.kind is float else p.default for key, p in problems.get(name).parameters.items()
        }
        problem = problems.build(name, odd, shape, steps)
        assert problem.name == name
        assert problem.parameters == odd
        assert problem.source
        assert all(type(value) in (int, float, str, bool) for value in problem.parameters.values())
        again = problems.build(problem.name, problem.parameters, problem.grid.shape, problem.time.steps)
        assert same_game(problem, again)
        assert not same_game(problem, problems.build(name, {}, shape, steps))

    def test_every_parameter_matters(self, name: str) -> None:
        shape, steps = SMALL[name]
        base = problems.build(name, {}, shape, steps)
        for key, p in problems.get(name).parameters.items():
            other = {"boundary": "periodic"}.get(key) if p.kind is str else p.default / 2 or 0.05
            if "door" in key:  # seen on fine grids only
                shape, base = (32, 64), problems.build(name, {}, (32, 64), steps)
            assert not same_game(base, problems.build(name, {key: other}, shape, steps)), key

    def test_rescaled_is_the_problem_built_at_that_size(self, name: str) -> None:
        shape, steps = SMALL[name]
        built = problems.build(name, {}, shape, steps)
        assert same_game(problems.get(name).build().rescaled(shape, steps), built)

    def test_refuses_what_it_does_not_know(self, name: str) -> None:
        entry = problems.get(name)
        first = next(iter(entry.parameters))
        with pytest.raises(InputError, match=f"unknown parameter of {name} '{first}x'; did you mean '{first}'"):
            problems.build(name, {first + "x": 1.0})
        with pytest.raises(InputError, match="by name"):
            entry.build(1.0)
        for bad, words in (
            (math.nan, "finite"),
            ("2", "number"),
            (True, "number"),
            (None, "number"),
            ([1.0], "number"),
        ):
            with pytest.raises(InputError, match=f"parameter {first} of {name} is .*{words}.*default"):
                problems.build(name, {first: bad})
        for bad in ("8x8", (8.5, 8), (8,) * 4, (8, 1), (True, 8)):
            with pytest.raises(InputError, match=r"shape|cells"):
                problems.build(name, shape=bad)
        for bad in (0, -1, 2.5, "7", math.inf):
            with pytest.raises(InputError, match="steps"):
                problems.build(name, steps=bad)


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("supply-demand", {"reward": -1.0}, "congestion reward is negative"),
        ("supply-demand", {"viscosity": -0.1}, "viscosity is -0.1; it must be zero or positive"),
        ("supply-demand", {"congestion": 0.0}, "congestion is 0.0; it must be positive .use RunningCost"),
        ("supply-demand", {"width": 0.0}, "congestion reward: bump width is 0.0; it must be positive"),
        ("supply-demand", {"hold": 1.0}, r"hold 1.0; .* \[0, 1\)"),
        ("crowd-aversion", {"wide_door": 0.6}, "doors of width 0.6 .* below 0.5"),
        (
            "crowd-aversion",
            {"narrow_door": 0.001},
            "no cell of shape .* narrow door .*; take more cells or a wider door",
        ),
        ("crowd-aversion", {"aversion": -1.0}, "crowd aversion strength is negative"),
        ("crowd-aversion", {"horizon": 0.0}, "time horizon is 0.0; it must be positive"),
        ("linear-quadratic", {"kappa": 0.0}, "kappa 0.0 .* kappa > 0"),
        ("linear-quadratic", {"centre": 2.0}, "spread .* at most 3"),
        ("gaussian-log", {"stiffness": -1.0}, "stiffness .* must be positive"),
        ("gaussian-log", {"strength": 5.0}, "spread .* at least 4 times the spread is needed: take a smaller reach"),
        ("cole-hopf", {"goal": 1.0}, "goal 1.0 .* between -1 and 1"),
        ("cole-hopf", {"viscosity": 0.0}, "viscosity 0.0; it must be positive"),
        ("cole-hopf", {"control_cost": 0.0}, "control cost is 0.0; it must be positive"),
        ("cole-hopf", {"boundary": "reflectin"}, "did you mean 'reflecting'"),
        ("montreal", {"width": 0.0}, "width 0.0 .* the width must be positive"),
        ("montreal", {"congestion": -1.0}, "congestion is -1.0; it must be positive"),
    ],
)
def test_bad_values_are_named_with_a_remedy(name: str, parameters: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Game(problems.build(name, parameters, steps=8))


def test_unknown_names_get_the_nearest_spelling() -> None:
    with pytest.raises(InputError, match="unknown problem 'suply-demand'; did you mean 'supply-demand'"):
        problems.build("suply-demand")
    with pytest.raises(InputError, match="no closed form; those that have one: cole-hopf, gaussian-log"):
        problems.closed_form(problems.build("supply-demand", steps=8))
    with pytest.raises(InputError, match="one or two axes"):
        problems.build("gaussian-log", shape=(8, 8, 8))


# -- closed forms ----------------------------------------------------------------------------------------------------

CASES = [
    ("cole-hopf", 1, {}),
    ("cole-hopf", 2, {"boundary": "periodic", "control_cost": 0.5}),
    ("linear-quadratic", 1, {"centre": 0.3}),
    ("linear-quadratic", 2, {"terminal": 0.2}),
    ("gaussian-log", 1, {}),
    ("gaussian-log", 2, {"strength": 0.4, "viscosity": 0.1}),
]


def derivative(function, c: Coordinates, name: str, order: int, step: float = 2e-3) -> np.ndarray:
    """Central difference of fourth order along one coordinate."""

    def at(k: int) -> np.ndarray:
        return function(Coordinates({n: c[n] + k * step * (n == name) for n in c}))

    if order == 1:
        return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * step)
    return (16 * (at(1) + at(-1)) - (at(2) + at(-2)) - 30 * at(0)) / (12 * step**2)


def crowd_cost(problem, form, t: float, c: Coordinates) -> np.ndarray:
    """f of the named problem, written down a second time."""
    p = problem.parameters
    if problem.name == "linear-quadratic":
        return 0.5 * p["kappa"] * sum((c[n] - p["centre"]) ** 2 for n in c)
    if problem.name == "gaussian-log":
        well = dict(zip("xy", problem.track(t), strict=False))
        return 0.5 * p["stiffness"] * sum((c[n] - well[n]) ** 2 for n in c) + p["strength"] * np.log(form.density(t, c))
    return np.zeros(c.x.shape)


@pytest.mark.parametrize(("name", "axes", "parameters"), CASES)
@pytest.mark.parametrize("share", [0.2, 0.7])
def test_closed_forms_solve_both_equations(name: str, axes: int, parameters: dict, share: float) -> None:
    problem = problems.build(name, parameters, shape=(16,) * axes)
    form, t = problems.closed_form(problem), share * problem.time.horizon
    rng = np.random.default_rng(3)
    low = 0.1 if name == "cole-hopf" else -0.9
    c = Coordinates({n: rng.uniform(low, 0.9, 40) for n in problem.grid.dims})
    nu, cost = problem.dynamics.viscosity, problem.dynamics.hamiltonian.weight
    step = 1e-4
    slopes = {n: lambda q, n=n: derivative(lambda r: form.value(t, r), q, n, 1) for n in c}

    value_t = (form.value(t + step, c) - form.value(t - step, c)) / (2 * step)
    curve = sum(derivative(lambda r: form.value(t, r), c, n, 2) for n in c)
    gain = sum(slopes[n](c) ** 2 for n in c) / (2 * cost)
    np.testing.assert_allclose(-value_t - nu * curve + gain, crowd_cost(problem, form, t, c), atol=1e-6)

    density_t = (form.density(t + step, c) - form.density(t - step, c)) / (2 * step)
    spread = sum(derivative(lambda r: form.density(t, r), c, n, 2) for n in c)
    drift = sum(derivative(lambda r, n=n: form.density(t, r) * slopes[n](r), c, n, 1) for n in c) / cost
    np.testing.assert_allclose(density_t, nu * spread + drift, atol=2e-6)


@pytest.mark.parametrize(("name", "axes", "parameters"), CASES)
def test_closed_forms_meet_both_ends(name: str, axes: int, parameters: dict) -> None:
    problem = problems.build(name, parameters, shape=(64,) * axes, steps=4)
    form, c, game = problems.closed_form(problem), problem.coordinates, Game(problem)
    exact = form.density(0.0, c)
    np.testing.assert_allclose(problem.initial_mass() / problem.grid.cell_volume, exact, atol=1e-4 * exact.max())
    last = np.stack([form.density(t, c) for t in problem.time.nodes]) * problem.grid.cell_volume
    terminal = game.terminal_cost + game.weights[-1] * game.price(last.reshape(-1, *game.shape))[-1]
    np.testing.assert_allclose(terminal.reshape(c.x.shape), form.value(problem.time.horizon, c), atol=1e-3)


def test_linear_quadratic_against_its_differential_equations() -> None:
    problem = problems.build("linear-quadratic", {"kappa": 0.7, "terminal": 0.3}, shape=(16,))
    form, end = problems.closed_form(problem), problem.time.horizon
    eta = solve_ivp(lambda t, y: y**2 - 0.7, (end, 0), [0.3], rtol=1e-11, atol=1e-13, dense_output=True).sol
    variance = solve_ivp(lambda t, v: -2 * eta(t)[0] * v + 0.1, (0, end), [0.25], rtol=1e-11, atol=1e-13).y[0, -1]
    assert form.eta(0.0) == pytest.approx(eta(0.0)[0], abs=1e-9)
    assert form.variance(end) == pytest.approx(variance, abs=1e-9)


def test_linear_quadratic_gain_of_the_paper() -> None:
    # drift K and cross term q shift the gain: eta + K + q solves the equation without them
    drift, cross, kappa, terminal = 0.3, 0.1, 0.5, 1.0
    shifted = (drift + cross) ** 2 + kappa - cross**2
    form = LinearQuadratic(0.1, shifted, terminal + drift + cross, 2.0, 0.0, 1.0)
    assert form.eta(0.0) - drift - cross == pytest.approx(0.4236668300, abs=1e-10)


def test_gaussian_log_mean_against_a_boundary_value_solver() -> None:
    problem = problems.build("gaussian-log", {"strength": 0.4, "viscosity": 0.1}, shape=(16, 16))
    form, end = problems.closed_form(problem), problem.time.horizon
    v, a = form.variance, form.curvature
    assert v == pytest.approx((0.4 + math.sqrt(0.4**2 + 2.0 * 0.2**2)) / 4.0)
    for axis in (0, 1):
        well = np.vectorize(lambda t, axis=axis: problem.track(t)[axis])
        found = solve_bvp(
            lambda t, y: [-a * y[0] - y[1], a * y[1] + 2.0 * well(t) - 0.4 / v * y[0]],  # noqa: B023
            lambda y0, y1: [y0[0] - problem.track(0.0)[axis], y1[1] + a * problem.track(end)[axis]],  # noqa: B023
            np.linspace(0, end, 50),
            np.zeros((2, 50)),
            tol=1e-9,
        )
        assert found.success
        for t in (0.0, 0.6, 1.3, end):
            assert form.mean(t)[axis] == pytest.approx(found.sol(t)[0], abs=1e-7)
            assert form.tilt(t)[axis] == pytest.approx(found.sol(t)[1], abs=1e-7)


def test_the_mean_cuts_the_corner_of_the_wells_path() -> None:
    problem = problems.build("gaussian-log", shape=(8, 8))
    form, times = problems.closed_form(problem), np.linspace(0, problem.time.horizon, 400)

    def length(path) -> float:
        return float(np.linalg.norm(np.diff([path(t) for t in times], axis=0), axis=1).sum())

    assert length(form.mean) < 0.8 * length(problem.track)


# -- the herding coupling --------------------------------------------------------------------------------------------


def test_mean_attraction_is_a_concave_potential() -> None:
    grid = Grid.box((5, 6), bounds=[(-1, 2), (0, 1)], blocked=lambda c: (c.x > 0.8) & (c.y > 1.5))
    report = check_coupling(MeanAttraction(0.7), grid)
    assert report.is_potential
    assert report.potential_error < 1e-7
    assert not report.is_monotone
    assert MeanAttraction.is_potential
    assert not MeanAttraction.is_monotone


def test_mean_attraction_potential_is_the_variance_and_its_tangent_the_derivative() -> None:
    grid, rng = Grid.box((40,), bounds=[(-2, 2)]), np.random.default_rng(1)
    bound = MeanAttraction(1.4).bind(grid, np.zeros(3))
    rho = rng.random((3, 40))
    rho /= rho.sum(axis=1, keepdims=True) * grid.cell_volume
    x, weight = grid.coordinates.x, rho * grid.cell_volume
    variance = weight @ x**2 - (weight @ x) ** 2
    np.testing.assert_allclose(bound.potential(slice(0, 3), rho), 0.7 * variance, rtol=1e-13)
    change, step = rng.standard_normal((3, 40)), 1e-6
    moved = bound.cost(slice(0, 3), rho + step * change) - bound.cost(slice(0, 3), rho - step * change)
    np.testing.assert_allclose(bound.tangent(slice(0, 3), rho, change), moved / (2 * step), atol=1e-7)


# -- the two doors ---------------------------------------------------------------------------------------------------


def fictitious_play(problem, sweeps: int = 60) -> tuple[Game, np.ndarray]:
    game = Game(problem)
    mass = game.flow(game.respond(game.price(np.stack([game.initial_mass] * (game.steps + 1)))).policy)
    for k in range(1, sweeps):
        mass += 2 / (k + 2) * (game.flow(game.respond(game.price(mass)).policy) - mass)
    return game, mass


def test_a_crowd_uses_both_doors_and_a_lone_agent_the_near_one() -> None:
    def narrow_share(aversion: float) -> float:
        problem = problems.build("crowd-aversion", {"aversion": aversion}, shape=(16, 32), steps=384)
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


# -- Montreal --------------------------------------------------------------------------------------------------------


def test_projection_keeps_the_distances_of_the_sphere() -> None:
    rows = np.loadtxt(
        inspect.getfile(problems).replace("__init__.py", "data/montreal-carshare.csv"), delimiter=",", skiprows=1
    )
    z = zones()
    assert len(z.x) == len(rows) == 249
    latitude, longitude = np.radians(rows[:, 0]), np.radians(rows[:, 1])
    i, j = np.random.default_rng(0).integers(0, 249, (2, 500))
    half = (
        np.sin((latitude[i] - latitude[j]) / 2) ** 2
        + np.cos(latitude[i]) * np.cos(latitude[j]) * np.sin((longitude[i] - longitude[j]) / 2) ** 2
    )
    sphere = 2 * EARTH_RADIUS * np.arcsin(np.sqrt(half))
    flat = np.hypot(z.x[i] - z.x[j], z.y[i] - z.y[j])
    np.testing.assert_allclose(flat, sphere, rtol=3e-3, atol=1e-9)


def test_montreal_has_units_zones_and_room_around_them() -> None:
    problem = problems.build("montreal", shape=(8, 8), steps=4)
    y, x = problem.grid.axes
    assert (y.unit, x.unit, problem.time.unit, problem.time.horizon) == ("km", "km", "h", 24.0)
    for axis, column in ((x, 0), (y, 1)):
        assert axis.start + 2 <= problem.sites[:, column].min()
        assert problem.sites[:, column].max() <= axis.stop - 2
    assert problem.sites.shape == (249, 3)
    assert problem.sites[:, 2].sum() == pytest.approx(272039.6667)
    path = np.array([problem.track(t) for t in range(25)])
    np.testing.assert_allclose(path[0], path[24], atol=1e-12)  # the day is a circle
    assert np.ptp(path, axis=0).max() > 0.5


def test_montreal_demand_is_the_sum_over_all_zones() -> None:
    problem = problems.build("montreal", shape=(7, 9), steps=5)
    reward, z, c = problem.coupling.reward, zones(), problem.coordinates
    share = z.car_hours / z.car_hours.sum()
    overlap = sum(
        share[i] * share[j] * math.exp(-((z.x[i] - z.x[j]) ** 2 + (z.y[i] - z.y[j]) ** 2) / 4) / (4 * math.pi)
        for i in range(249)
        for j in range(249)
    )
    profile = [math.exp(2 * math.cos(2 * math.pi * k / 2400)) for k in range(2400)]
    for t in (0.0, 9.6, 24.0):
        plain = sum(
            share[i]
            * math.exp(2 * math.cos(2 * math.pi * (t - z.peak_hour[i]) / 24))
            / (sum(profile) / 2400)
            * np.exp(-((c.x - z.x[i]) ** 2 + (c.y - z.y[i]) ** 2) / 2)
            / (2 * math.pi)
            for i in range(249)
        )
        np.testing.assert_allclose(reward(t, c), plain / overlap, rtol=1e-10)


def test_montreal_reward_is_the_mean_earning_of_a_car_alone() -> None:
    grid = problems.build("montreal", shape=(48, 48), steps=4).grid
    demand, start = DailyDemand(1.7, 1.0, 2.0), problems.build("montreal", shape=(48, 48), steps=4).initial_mass()
    hours = np.arange(0, 24, 0.5)
    field = np.tensordot(demand.profile(hours), demand.maps(grid.coordinates), axes=1)
    assert (field * start).sum(axis=(1, 2)).mean() == pytest.approx(1.7, rel=2e-3)


def test_montreal_price_of_an_empty_city_follows_the_clock() -> None:
    problem = problems.build("montreal", shape=(6, 7), steps=5)
    game = Game(problem)
    price = game.price(np.zeros((6, *game.shape)))
    for k, t in enumerate(problem.time.nodes[:-1]):
        np.testing.assert_allclose(price[k, 0], -problem.coupling.reward(t, problem.coordinates), rtol=1e-12)


# -- fields that add up ----------------------------------------------------------------------------------------------


def test_fields_are_sampled_at_their_times() -> None:
    grid, times = Grid.box((3, 4)), np.array([0.0, 0.5, 2.0])
    tides = Separable(lambda t: np.stack([t, 1 - t], axis=1), lambda c: np.stack([c.x, c.y**2]))
    moving = Total((tides, 2.0, lambda t, c: t * c.x))
    c = grid.coordinates
    for field, exact in (
        (tides, lambda t: t * c.x + (1 - t) * c.y**2),
        (moving, lambda t: 2 * t * c.x + (1 - t) * c.y**2 + 2),
    ):
        np.testing.assert_allclose(sample_nodes(field, times, grid, "it"), [exact(t) for t in times], rtol=1e-13)
    assert sample_nodes(Total((1.0, Box((0.5, 0.5), (1.0, 1.0)))), times, grid, "it").shape == (1, 3, 4)
    with pytest.raises(InputError, match=r"tide is nan at t = 0.5, cell \(0, 0\); every value must be finite"):
        sample_nodes(
            Separable(lambda t: np.where(t == 0.5, np.nan, t)[:, None], lambda c: c.x[None]), times, grid, "tide"
        )
