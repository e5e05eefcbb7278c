"""Viscosity and control cost that differ from place to place: games by another road, closed forms, files, refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.agents.play import play_of
from mfgsolve.agents.walk import Walk
from mfgsolve.errors import InputError
from mfgsolve.fields import Total
from mfgsolve.games import Game
from mfgsolve.identity import fingerprint
from mfgsolve.problemfile import problem_from_toml
from mfgsolve.problemfile.declaring import write_declared
from mfgsolve.steps import Costs

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def thin(t: float, c: Any) -> np.ndarray:
    return 0.02 + 0.05 * c.x**2 * (1 + t)


def rough(t: float, c: Any) -> np.ndarray:
    return 0.5 + c.x + 0.3 * t


def line(viscosity: Any = 0.02, cost: Any = 1.0, cells: int = 24, steps: int = 40, **parts: Any) -> mfg.Problem:
    words = {"noise", "form", "movement", "drift", "scheme"}
    words_of = {"scheme": "upwind"} | {key: parts.pop(key) for key in words & parts.keys()}
    stated: dict[str, Any] = {
        "grid": mfg.Grid.box((cells,)), "time": mfg.TimeGrid(0.5, steps), "coupling": mfg.CrowdAversion(0.3),
        "initial": lambda t, c: np.exp(-(((c.x - 0.3) / 0.1) ** 2)), "terminal": lambda t, c: (c.x - 0.7) ** 2,
        "normalise": True, "dynamics": mfg.ControlledDiffusion(viscosity, cost, **words_of),
    }  # fmt: skip
    return mfg.Problem(**(stated | parts))


def value_and_flow(problem: mfg.Problem, price: np.ndarray, nu: Any, c: Any, form: str) -> tuple[Any, Any]:
    """V and m of the best response on a line, cell by cell: least costs by trying, noise by a dense inverse."""
    n, dt, h, x = problem.grid.size, problem.time.dt, 1 / problem.grid.size, problem.coordinates
    nodes = problem.time.nodes
    noises = []
    for t in nodes[:-1]:
        rate, along = nu(t, x) * dt / h**2, np.zeros((n, n))
        for i, j in [(i, i + 1) for i in range(n - 1)] + [(i + 1, i) for i in range(n - 1)]:
            along[i, j] = rate[i] if form == "ito" else 0.5 * (rate[i] + rate[j])
        noises.append(np.linalg.inv(np.eye(n) - along + np.diag(along.sum(axis=1))))
    value, speeds = problem.terminal_cost(), []
    for k in reversed(range(len(nodes) - 1)):
        after, cost = noises[k] @ value, c(nodes[k], x)
        right, left = np.append(after[1:], after[-1]), np.append(after[0], after[:-1])
        speed = np.maximum((after - right) / (h * cost), 0), np.maximum((after - left) / (h * cost), 0)
        pays = 0.5 * cost * (speed[0] ** 2 + speed[1] ** 2)
        value = dt * price[k] + after + dt * (pays + (speed[0] * (right - after) + speed[1] * (left - after)) / h)
        speeds.append(speed)
    mass = [problem.initial_mass()]
    for k, (onward, back) in enumerate(reversed(speeds)):
        out, moved = dt / h * onward * mass[-1], dt / h * back * mass[-1]
        after = mass[-1] - out - moved + np.append(0, out[:-1]) + np.append(moved[1:], 0)
        mass.append(noises[k].T @ after)
    return value, np.array(mass)


CASES = {
    "viscosity": (thin, 1.0, {}),
    "divergence": (thin, 1.0, {"form": "divergence"}),
    "cost": (0.02, rough, {}),
    "both": (thin, rough, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_value_and_flow_are_those_of_a_few_lines_of_numpy(case: str) -> None:
    viscosity, cost, words = CASES[case]
    problem = line(viscosity, cost, **words)
    game, rng = Game(problem, 1), np.random.default_rng(2)
    price = 0.2 * rng.random((41, 24))
    functions = [f if callable(f) else (lambda t, c, f=f: np.full(24, f)) for f in (viscosity, cost)]
    value, mass = value_and_flow(problem, price, *functions, words.get("form", "ito"))
    levels = price.reshape(41, *game.step.shape)
    policy = game.step.new_policy(levels.copy())[:40]
    ours = game.step.backward(Costs(levels, game.weights, game.terminal_cost.reshape(game.step.shape)), policy)
    flow = np.empty((41, *game.step.shape))
    flow[0] = mass[0]
    game.step.forward(policy, flow)
    np.testing.assert_allclose(ours.reshape(-1), value, rtol=0, atol=1e-13)
    np.testing.assert_allclose(flow.reshape(41, 24), mass, rtol=0, atol=1e-13)


@pytest.mark.parametrize("case", CASES)
def test_newton_and_fictitious_play_agree_and_are_certified(case: str) -> None:
    viscosity, cost, words = CASES[case]
    problem = line(viscosity, cost, **words)
    solution = mfg.solve(problem, tol=1e-11)
    assert solution.status.name == "CONVERGED"
    assert solution.dataset.attrs["solver"] == "newton"
    assert solution.certificate.mass_error < 1e-13
    other = mfg.solve(problem, method="frank-wolfe", tol=1e-5)
    assert other.certificate.potential == pytest.approx(solution.certificate.potential, abs=1e-5)
    assert solution.dataset.attrs["discretisation_own_viscosity"] > 0 or case in ("cost", "both")


@pytest.mark.slow
def test_numbers_stay_bit_for_bit_and_fields_that_are_numbers_come_near() -> None:
    plain = mfg.solve(line(0.03, 2.0, steps=80), tol=1e-11)
    for viscosity, cost in (((0.03,), 2.0), (np.float64(0.03), mfg.QuadraticCost(2.0))):
        same = mfg.solve(line(viscosity, cost, steps=80), tol=1e-11)
        np.testing.assert_array_equal(same.dataset["density"], plain.dataset["density"])
    for viscosity, cost in ((np.full(24, 0.03), 2.0), (0.03, lambda t, c: 2.0), (lambda t, c: 0.03, np.full(24, 2.0))):
        near = mfg.solve(line(viscosity, cost, steps=80), tol=1e-11)
        assert near.certificate.potential == pytest.approx(plain.certificate.potential, rel=1e-11)


def test_axes_of_their_own_viscosities_are_games_of_their_own() -> None:
    """Without a crowd, costs that are sums: V(x, y) = V(x) + V(y), each with its viscosity."""
    room = mfg.Problem(
        grid=mfg.Grid.box((20, 24)), time=mfg.TimeGrid(0.5, 80), coupling=0.0, initial=1.0, normalise=True,
        dynamics=mfg.ControlledDiffusion((0.1, 0.02), 2.0, scheme="upwind"),
        terminal=lambda t, c: (c.x - 0.7) ** 2 + (c.y - 0.2) ** 2,
    )  # fmt: skip
    alone = [
        line(nu, 2.0, n, 80, coupling=0.0, terminal=lambda t, c, end=end: (c.x - end) ** 2, initial=1.0)
        for nu, n, end in ((0.1, 24, 0.7), (0.02, 20, 0.2))
    ]
    x, y = (mfg.solve(problem).dataset["value"].values[0] for problem in alone)
    for other in (room, replace(room, dynamics=replace(room.dynamics, viscosity=(lambda t, c: 0.1, 0.02)))):
        value = mfg.solve(other).dataset["value"].values[0]
        np.testing.assert_allclose(value, x[None] + y[:, None], rtol=0, atol=1e-13)


def test_dear_places_in_closed_form() -> None:
    """nu = 0, c = (1 + x)^2, terminal k y with y = x + x^2 / 2: speed k / (1 + x), V(0, x) = k y - k^2 T / 2."""
    errors, k = [], -0.6
    for n in (40, 80, 160):
        problem = line(
            0.0, lambda t, c: (1 + c.x) ** 2, n, 4 * n, coupling=0.0, initial=lambda t, c: abs(c.x - 0.3) < 0.1,
            terminal=lambda t, c: k * (c.x + c.x**2 / 2), time=mfg.TimeGrid(0.4, 2 * n),
        )  # fmt: skip
        x, value = problem.coordinates.x, mfg.solve(problem).dataset["value"].values[0]
        errors.append(abs(value - k * (x + x**2 / 2) + k**2 * 0.4 / 2)[(x > 0.1) & (x < 0.5)].max())
    assert errors[0] < 2e-3
    assert np.log2(errors[0] / errors[1]) > 0.9
    assert np.log2(errors[1] / errors[2]) > 0.9


@pytest.mark.slow
def test_moving_may_cost_a_power_or_more_in_a_crowd_with_a_cost_of_each_place() -> None:
    for movement in (mfg.PowerCost(3.0), mfg.CongestionCost(1.0, 0.5)):
        solution = mfg.solve(line(thin, rough, movement=movement), tol=1e-10)
        assert solution.status.name == "CONVERGED"
        plain = mfg.solve(line(0.02, 2.0, movement=movement), tol=1e-11)
        near = mfg.solve(line(0.02, lambda t, c: 2.0 + 0 * c.x, movement=movement), tol=1e-11)
        assert near.certificate.cost == pytest.approx(plain.certificate.cost, rel=1e-12)
    with pytest.raises(InputError, match="moving costs nothing up to the limit of a SpeedLimit"):
        line(0.02, rough, movement=mfg.SpeedLimit(1.0))


STEADY = {"implicit": lambda t, c: 0.02 + 0.1 * c.x, "explicit": thin}


@pytest.mark.parametrize("noise", STEADY)
def test_agents_one_by_one_are_the_flow(noise: str) -> None:
    problem = line(STEADY[noise], rough, 12, 200, noise=noise)
    solution = mfg.solve(problem, method="fictitious-play", max_iterations=2, check="ignore")
    here = play_of(solution)
    walk, mass = Walk(here), here.game.flat(here.crowd)[:, : here.game.cells]
    for t in range(walk.steps):
        np.testing.assert_allclose(walk.chain.expect(t, mass[t]), mass[t + 1], rtol=0, atol=1e-14)
    assert walk.mean_costs(mass).total.sum() == pytest.approx(solution.certificate.cost, rel=1e-12)
    assert mfg.simulate(solution, agents=50, replicas=2, rng=1) is not None


def test_agents_in_implicit_noise_that_changes_with_time_are_refused() -> None:
    solution = mfg.solve(line(thin), tol=1e-6)
    with pytest.raises(InputError, match="take noise = 'explicit'"):
        mfg.simulate(solution, agents=5, replicas=1, rng=1)


def test_without_a_final_time_the_divergence_form_rests_even() -> None:
    for form, density in (("divergence", lambda x: 1.0), ("ito", lambda x: 1 / (0.1 + x))):
        problem = line(
            lambda t, c: 0.1 + c.x, form=form, time=mfg.Ergodic(dt=0.05), initial=None, normalise=False, terminal=0.0,
            coupling=mfg.RunningCost(0.0),
        )  # fmt: skip
        solution, x = mfg.solve(problem), problem.coordinates.x
        wanted = density(x) * np.ones(24)
        found = np.squeeze(solution.dataset["density"].values)
        np.testing.assert_allclose(found, wanted / wanted.mean(), rtol=1e-9)


def test_steps_are_upwind_and_say_why() -> None:
    words = {
        "its viscosity is a field": mfg.ControlledDiffusion(thin),
        "its viscosity is not the same along all axes": mfg.ControlledDiffusion((0.1, 0.2)),
        "its control cost is a field": mfg.ControlledDiffusion(0.1, rough),
    }
    for sentence, dynamics in words.items():
        grid = mfg.Grid.box((6, 6) if isinstance(dynamics.viscosity, tuple) else (6,))
        problem = line(dynamics=dynamics, grid=grid, terminal=0.0)
        assert problem.scheme == "upwind"
        assert any(caution.code == "upwind-scheme" and sentence in caution.sentence for caution in problem.cautions)
        with pytest.raises(InputError, match="scheme of a diffusion is 'entropic', which does not suit this game"):
            line(dynamics=replace(dynamics, scheme="entropic"), grid=grid)
    alike = line(dynamics=mfg.ControlledDiffusion((0.1, 0.1)), grid=mfg.Grid.box((6, 6)))
    assert alike.scheme == "entropic"
    assert alike.all_dynamics[0].viscosity == 0.1


def test_arrays_names_and_levels_over_time() -> None:
    x, steps = line().coordinates.x, line().time.nodes[:-1]
    levels = np.array([thin(t, line().coordinates) for t in steps])
    named = xr.DataArray(levels, {"time": steps, "x": x}, ("time", "x")).transpose("x", "time")
    wanted = fingerprint(line(thin))
    assert fingerprint(line(levels)) == fingerprint(line(named)) == wanted
    costs = np.array([rough(t, line().coordinates) for t in steps])
    assert fingerprint(line(0.02, costs)) == fingerprint(line(0.02, rough)) != fingerprint(line(0.02))
    assert len({fingerprint(line(STEADY["implicit"], form=form)) for form in ("ito", "divergence")} | {wanted}) == 3


@pytest.mark.parametrize(
    ("stated", "sentence"),
    [
        ({"viscosity": -0.1}, "viscosity is -0.1; it must be zero or positive, and finite"),
        ({"viscosity": (0.1, 0.2)}, "viscosity has 2 entries; the grid has the axes x: one number or field for all"),
        ({"viscosity": (float("nan"),)}, "entry 0 of the viscosity is nan; it must be zero or positive, and finite"),
        ({"viscosity": lambda t, c: 0.1 - c.x}, "viscosity is -0.0041"),
        ({"viscosity": lambda t, c: np.log(c.x - 0.1)}, "viscosity is nan at t = 0, cell (0,); every value must be"),
        ({"viscosity": np.ones(5)}, "viscosity gives ndarray of shape (5,); numbers of the grid's shape (24,) are"),
        ({"viscosity": "much"}, "viscosity"),
        ({"cost": lambda t, c: c.x - 0.5}, "control cost is -0.479167 at t = 0, cell (0,); it must be positive"),
        ({"cost": np.zeros(24)}, "control cost is 0 at t = 0, cell (0,); it must be positive"),
        ({"cost": np.ones((7, 24))}, "control cost"),
        ({"form": "stratonovich"}, "unknown form of the noise 'stratonovich'"),
    ],
)  # fmt: skip
def test_what_is_out_of_range_is_refused(stated: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        Game(line(**stated))
    assert str(refused.value).startswith(sentence.split("nan")[0][:20])
    assert sentence in str(refused.value)


@pytest.mark.parametrize("part", [{"viscosity": STEADY["implicit"]}, {"cost": rough}])
def test_exits_want_one_number(part: dict[str, Any]) -> None:
    grid = mfg.Grid.box((24,), exits={"door": lambda c: c.x < 0.1})
    with pytest.raises(InputError, match="is not one number, and its space has exits"):
        Game(line(grid=grid, **part))


TEXT = """
[grid]
shape = [4, 6]
[time]
horizon = 1.0
steps = 8
[dynamics]
kind = "diffusion"
viscosity = [0.1, {quadratic = {weight = 1.0, centre = [0.5, 0.5]}}]
control_cost = [1.0, {bump = {amplitude = 2.0, width = 0.2, centre = [0.5, 0.5]}}]
form = "divergence"
scheme = "upwind"
[[coupling]]
kind = "crowd-aversion"
strength = 1.0
[initial]
density = 1.0
normalise = true
"""


def test_problem_files_state_both() -> None:
    problem = problem_from_toml(TEXT)
    dynamics: Any = problem.dynamics
    assert dynamics.viscosity == (0.1, mfg.Quadratic(1.0, (0.5, 0.5)))
    assert dynamics.control_cost == Total((1.0, mfg.Bump(2.0, 0.2, (0.5, 0.5))))
    assert dynamics.form == "divergence"
    again = problem_from_toml(write_declared(problem, None)[0])
    assert fingerprint(again) == fingerprint(problem)
    by_cell = problem_from_toml(TEXT.replace("[0.1, {quadratic = {weight = 1.0, centre = [0.5, 0.5]}}]", "0.25"))
    assert by_cell.dynamics.viscosity == 0.25
    with pytest.raises(InputError, match="a list of 2 numbers or fields, one for each axis in the order x, y, is"):
        problem_from_toml(TEXT.replace("viscosity = [0.1, ", "viscosity = [0.1, 0.2, "))


@pytest.mark.parametrize("single", [np.array, xr.DataArray])
def test_an_array_of_one_number_and_no_axis_is_that_number(single: Any) -> None:
    stated = mfg.ControlledDiffusion(single(0.02), single(3.0))
    assert (stated.viscosity, stated.control_cost, stated.has_cost_field) == (0.02, 3.0, False)
    assert stated == mfg.ControlledDiffusion(0.02, 3.0)
    assert replace(line(), dynamics=stated).scheme == "entropic"
    with pytest.raises(InputError, match=r"control cost is -3\.0; it must be positive"):
        mfg.ControlledDiffusion(0.02, single(-3.0))
    assert mfg.LatticeMoves([0, 1], costs=[single(0.5), 1.0]).costs == (0.5, 1.0)
