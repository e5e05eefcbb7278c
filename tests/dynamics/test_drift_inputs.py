"""A drift as it is stated: arrays, names, files, what is refused and when; and what tells two of them apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve import earlier
from mfgsolve.dynamics import Dynamics
from mfgsolve.errors import InputError
from mfgsolve.games import Game
from mfgsolve.identity import fingerprint
from mfgsolve.problemfile import problem_from_toml, problem_to_toml, read_problem
from mfgsolve.steps.drift import Drift

GRID = mfg.Grid.box((3, 4), bounds=[(0, 3), (0, 4)])
NORTH = np.arange(12.0).reshape(3, 4) / 12
KINDS: dict[str, Any] = {
    "diffusion": lambda drift: mfg.ControlledDiffusion(0.1, drift=drift, scheme="upwind"),
    "lattice": lambda drift: mfg.LatticeMoves([(0, 0), (1, 0)], temperature=0.1, drift=drift),
}


@pytest.fixture(params=KINDS)
def kind(request) -> Any:
    return KINDS[request.param]


def room(dynamics: Dynamics | list[Dynamics], grid: Any = GRID, **parts: Any) -> mfg.Problem:
    stated: dict[str, Any] = {"coupling": mfg.CrowdAversion(0.3), "initial": 1.0, "normalise": True}
    return mfg.Problem(grid=grid, dynamics=dynamics, **({"time": mfg.TimeGrid(1.0, 4)} | stated | parts))


def velocity(problem: mfg.Problem) -> np.ndarray:
    """b (1 or T, axes, *shape) as the game has it."""
    (factor,) = [factor for factor in Game(problem, 1).step.factors if isinstance(factor, Drift)]
    return factor.velocity


def refusal(make: Any) -> str:
    with pytest.raises(InputError) as caught:
        make()
    return str(caught.value)


# -- in Python ---------------------------------------------------------------------------------------------------------


def test_arrays_are_copied_and_may_have_names_in_any_order():
    own = NORTH.copy()
    named = xr.DataArray(NORTH[::-1].T, {"y": [2.5, 1.5, 0.5]}, ("x", "y"))
    along = xr.DataArray([0.1, 0.2, 0.3, 0.4], dims="x")  # the same for all y
    dynamics = mfg.ControlledDiffusion(0.1, drift=[along, own], scheme="upwind")
    own[:] = 0.0
    for problem in (room(dynamics), room(mfg.ControlledDiffusion(0.1, drift=(along, named), scheme="upwind"))):
        found = velocity(problem)
        np.testing.assert_array_equal(found[0, 1], NORTH)
        np.testing.assert_array_equal(found[0, 0], [[0.1, 0.2, 0.3, 0.4]] * 3)
    times = xr.DataArray([1.0, 2.0, 3.0, 4.0], {"time": [0.0, 0.25, 0.5, 0.75]}, "time")
    moving = velocity(room(mfg.ControlledDiffusion(0.1, drift=(times, lambda t, c: along), scheme="upwind")))
    np.testing.assert_array_equal(moving[:, 0, 0, 0], [1, 2, 3, 4])
    np.testing.assert_array_equal(moving[3, 1], found[0, 0])


def test_plain_arrays_that_change_with_time_have_a_level_for_each_step_or_node(kind):
    """As functions and arrays with names have; in one axis too, and one of the axes may rest."""
    levels = np.random.default_rng(5).uniform(0.1, 0.2, size=(5, 3, 4))
    by_function = lambda t, c: levels[round(4 * t)]
    named = xr.DataArray(levels[:4], {"time": [0.0, 0.25, 0.5, 0.75]}, ("time", "y", "x"))
    wanted = room(kind([NORTH, by_function]))
    for given in (levels, levels[:4], named):
        assert fingerprint(room(kind([NORTH, given]))) == fingerprint(wanted)
    assert fingerprint(room(kind([NORTH, levels[1:]]))) != fingerprint(wanted)
    rows = levels[:, 0]
    found = velocity(room(mfg.ControlledDiffusion(0.1, drift=rows, scheme="upwind"), mfg.Grid.box((4,))))
    np.testing.assert_array_equal(found[:, 0], rows[:4])


def test_levels_of_other_numbers_of_steps_are_refused(kind):
    levels = np.full((7, 3, 4), 0.1)
    told = refusal(lambda: room(kind([0.1, levels])))
    assert "drift along y has shape (7, 3, 4); 4 levels, one for each step, or 5, one for each node" in told
    chosen = refusal(lambda: room(mfg.ControlledDiffusion(0.1, drift=[0.1, levels]), time=mfg.TimeGrid(1.0)))
    assert "the number of steps is not stated; write TimeGrid(horizon, 7)" in chosen


def test_on_one_axis_a_single_one_a_list_of_one_and_the_values_of_all_cells():
    line, values = mfg.Grid.box((4,)), [0.1, 0.2, 0.3, 0.4]
    for drift in (values, np.array(values), [np.array(values)], [lambda t, c: 0.4 * c.x + 0.05]):
        found = velocity(room(mfg.ControlledDiffusion(0.1, drift=drift, scheme="upwind"), line))
        np.testing.assert_allclose(found, [[values]], rtol=0, atol=1e-16)
    for drift in (0.5, [0.5], np.float32(0.5), np.array(0.5)):
        np.testing.assert_array_equal(
            velocity(room(mfg.ControlledDiffusion(0.1, drift=drift, scheme="upwind"), line)), [[[0.5] * 4]]
        )


def test_dynamics_with_a_drift_are_compared_and_hashed_like_others():
    assert mfg.ControlledDiffusion(0.1, drift=(1, 2.0), scheme="upwind") == mfg.ControlledDiffusion(
        0.1, drift=[1.0, 2], scheme="upwind"
    )
    assert mfg.ControlledDiffusion(0.1, drift=0.5, scheme="upwind") != mfg.ControlledDiffusion(0.1, scheme="upwind")
    assert mfg.LatticeMoves([0], drift=NORTH) != mfg.LatticeMoves([0], drift=NORTH)  # not known to be the same
    assert (
        len(
            {mfg.ControlledDiffusion(drift=NORTH, scheme="upwind"), mfg.ControlledDiffusion(drift=0.5, scheme="upwind")}
        )
        == 2
    )


@pytest.mark.parametrize(
    ("drift", "sentence"),
    [
        (0.5, "drift has a single field; the grid has the axes x, y: a list with one for each axis, x, y, is needed"),
        (lambda t, c: c.x, "drift has a single field"),
        (NORTH, "drift has a single field"),
        ((1.0, 2.0, 3.0), "drift has 3 fields; the grid has the axes x, y"),
        ((), "drift has 0 fields"),
    ],
)
def test_one_field_for_each_axis_or_the_problem_is_not_stated(kind, drift, sentence):
    assert sentence in refusal(lambda: room(kind(drift)))


def test_other_numbers_of_fields_on_one_axis():
    line = mfg.Grid.box((4,))
    assert "drift has 2 fields; the grid has the axes x: a single one is needed" in refusal(
        lambda: room(mfg.ControlledDiffusion(drift=(lambda t, c: c.x, 0.0), scheme="upwind"), line)
    )
    assert "drift along x gives" in refusal(
        lambda: Game(room(mfg.ControlledDiffusion(drift=(1.0, 2.0), scheme="upwind"), line))
    )


@pytest.mark.parametrize(
    ("drift", "sentence"),
    [
        ("north", "drift is 'north' (str); a number, an array or a function of (t, coordinates) is needed"),
        (None, "drift is None"),
        (True, "drift is True"),
        ((0.5, None), "field 1 of the drift is None"),
        (float("nan"), "drift is nan; it must be finite"),
        ((0.0, float("inf")), "field 1 of the drift is inf; it must be finite"),
        ((0.0, np.ma.masked_array([1.0, 2.0], [True, False])), "field 1 of the drift"),
        ((0.0, np.array(["a", "b"])), "field 1 of the drift"),
    ],
)
def test_what_is_no_field_is_refused_when_it_is_stated(kind, drift, sentence):
    assert sentence in refusal(lambda: kind(drift))


def raising(t, c):
    raise ZeroDivisionError("no wind")


@pytest.mark.parametrize(
    ("drift", "sentence"),
    [
        ((0.0, NORTH[:2]), "drift along y gives ndarray of shape (2, 4); numbers of the grid's shape (3, 4) are"),
        ((NORTH.T, 0.0), "drift along x gives ndarray of shape (4, 3)"),
        ((0.0, np.where(NORTH > 0.5, np.nan, 0.0)), "drift along y is nan at t = 0, cell (1, 3); every value must be"),
        ((lambda t, c: np.log(0.6 - t) + c.x, 0.0), "drift along x is nan at t = 0.75, cell (0, 0)"),
        ((0.0, raising), "drift along y, the function 'raising', raised ZeroDivisionError at t = 0 (no wind)"),
        ((0.0, lambda x: x), "drift along y: a function is called as f(t, coordinates), and this one cannot be"),
        ((lambda t, c: c.z, 0.0), "drift along x: unknown coordinate 'z'"),
        ((xr.DataArray(NORTH, {"x": [9, 8, 7, 6]}, ("y", "x")), 0.0), "drift along x has the coordinate x = [9, 8"),
        ((xr.DataArray(NORTH, dims=("y", "z")), 0.0), "drift along x has the dimensions ['y', 'z']"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_space_is_told_when_the_game_is_made(kind, drift, sentence):
    problem = room(kind(drift))
    assert sentence in refusal(lambda: Game(problem, 1)).replace("('y', 'z')", "['y', 'z']")


def test_populations_are_named():
    line = mfg.Grid.box((4,))
    still, windy = mfg.LatticeMoves([0]), mfg.LatticeMoves([0], drift=lambda t, c: c.y)
    space = mfg.Populations(["up", "down"], line)
    problem = room([still, windy], space)
    assert "drift of population 'down' along x: unknown coordinate 'y'" in refusal(lambda: Game(problem, 1))


def test_states_have_no_axes_along_which_anybody_could_be_carried():
    still = np.eye(3)
    moves = mfg.LatticeMoves([0], drift=0.5)
    said = refusal(lambda: room(moves, mfg.States(3)))
    assert "a drift is a field for each axis of a Grid; the space is States: make it part of the transitions" in said
    with pytest.raises(TypeError, match="drift"):
        mfg.Tabular([still], drift=0.5)  # type: ignore[call-arg]


# -- in files ----------------------------------------------------------------------------------------------------------

TEXT = """
name = "windy"
[grid]
shape = [3, 4]
[time]
horizon = 1.0
steps = 4
[dynamics]
kind = "diffusion"
viscosity = 0.1
drift = DRIFT
[[coupling]]
kind = "crowd-aversion"
strength = 0.3
[initial]
density = 1.0
"""
LATTICE = TEXT.replace('kind = "diffusion"', 'kind = "lattice"\nmoves = [[0, 0], [1, 0]]')


def stated(drift: str, text: str = TEXT) -> mfg.Problem:
    return problem_from_toml(text.replace("DRIFT", drift))


LEVELS = [[[k] * 4] * 3 for k in range(4)]  # (steps, y, x), as other arrays of files


@pytest.mark.parametrize("text", [TEXT, LATTICE])
@pytest.mark.parametrize(
    ("drift", "first", "second"),
    [
        ("[0.5, -1]", lambda t, c: 0.5, lambda t, c: -1.0),
        ("[0.0, {quadratic = {weight = 2.0, centre = [0.5, 0.5]}}]", lambda t, c: 0.0,
         lambda t, c: (c.x - 0.5) ** 2 + (c.y - 0.5) ** 2),
        (f"[{NORTH.tolist()}, [1.0, {{box = {{lower = [0, 0], upper = [0.5, 1]}}}}]]",
         lambda t, c: NORTH, lambda t, c: 1.0 + (c.x < 0.5)),
        (f"[{LEVELS}, 1]", lambda t, c: 4 * t, lambda t, c: 1.0),
    ],
)  # fmt: skip
def test_numbers_arrays_and_tables_go_round(text: str, drift: str, first: Any, second: Any) -> None:
    problem = stated(drift, text)
    again = problem_from_toml(problem_to_toml(problem))
    assert fingerprint(again) == fingerprint(problem)
    dynamics: Dynamics = mfg.ControlledDiffusion(0.1, drift=(first, second), scheme="upwind")
    if text is LATTICE:
        dynamics = mfg.LatticeMoves([(0, 0), (1, 0)], viscosity=0.1, drift=(first, second))
    assert fingerprint(room(dynamics, mfg.Grid.box((3, 4)), normalise=False)) == fingerprint(problem), "in Python"


def test_arrays_of_data_files_and_columns_of_tables(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("wind.npz", u=NORTH)
    points = mfg.Grid.box((3, 4)).coordinates
    rows = [f"{x},{y},{v}" for x, y, v in zip(points.x.flat, points.y.flat, NORTH.flat, strict=True)]
    Path("wind.csv").write_text("\n".join(["x,y,v", *rows]))
    text = TEXT.replace('name = "windy"', 'name = "windy"\ndata = "wind.npz"')
    Path("game.toml").write_text(text.replace("DRIFT", '[{array = "u"}, {csv = "wind.csv", column = "v"}]'))
    problem = read_problem("game.toml")
    np.testing.assert_array_equal(velocity(problem), [[NORTH, NORTH]])
    solution = mfg.solve(problem, check="ignore")
    path = solution.save("plan.nc")
    again = mfg.load(path)
    assert fingerprint(problem_from_toml(again.dataset.attrs["problem"])) == fingerprint(problem)


def test_functions_stay_in_python() -> None:
    problem = room(KINDS["diffusion"]((lambda t, c: c.x, 0.0)))
    with pytest.raises(InputError, match="was made from Python functions, which a file cannot hold"):
        problem_to_toml(problem)


@pytest.mark.parametrize(
    ("drift", "sentence"),
    [
        ("0.5", "dynamics.drift: 0.5 came; a list of 2 fields, one for each axis in the order x, y, is needed"),
        ("[0.5]", "[0.5] came; a list of 2 fields"),
        ('[0.5, "x"]', "dynamics.drift[1]: 'x' is no number"),
        ("[0.5, [1, 2, 3]]", "has shape (3,); (3, 4) or"),
        ("[0.5, nan]", "dynamics.drift[1]: nan is not finite"),
    ],
)
def test_faults_are_told_with_their_place(drift: str, sentence: str) -> None:
    assert sentence in refusal(lambda: stated(drift))


# -- what tells two of them apart --------------------------------------------------------------------------------------

LATE = lambda t, c: np.where(t > 0.7, -1e-6, 0.0) * (c.x > 3) * (c.y > 2)  # one cell, in the last step


@pytest.mark.parametrize("digest", [fingerprint, earlier.fingerprint])
def test_two_winds_are_two_games_and_none_is_the_game_as_it_was(kind, digest) -> None:
    winds = [0.0, (0.5, 0.0), (0.0, 0.5), (0.5, NORTH), (LATE, 0.0), (0.0, LATE)]
    digests = [digest(room(kind(drift))) for drift in winds]
    assert len(set(digests)) == len(winds)
    for nothing in ((0.0, 0.0), (np.zeros((3, 4)), lambda t, c: 0.0)):
        assert digest(room(kind(nothing))) == digests[0]
    assert digest(room(kind((lambda t, c: 0.5, np.zeros((3, 4)))))) == digests[1]


def test_the_digest_of_a_game_without_is_that_of_the_version_before() -> None:
    """Dynamics had no field of that name then: what they are told by has not changed."""
    cost = mfg.ControlledDiffusion(scheme="upwind").hamiltonian
    assert mfg.ControlledDiffusion(0.1, scheme="upwind").identity == ("diffusion", 0.1, "implicit", cost)
    assert "drift" not in str(mfg.LatticeMoves([0]).identity)
    assert len(mfg.LatticeMoves([0], drift=NORTH).identity) == 8


def test_a_checkpoint_goes_on_in_its_own_wind_alone(tmp_path: Path) -> None:
    path, options = tmp_path / "half.nc", {"method": "fictitious-play", "check": "ignore", "tol": 1e-8}
    problem = room(KINDS["diffusion"]((0.5, NORTH)), terminal=lambda t, c: c.x)
    whole = mfg.solve(problem, max_iterations=30, **options)
    mfg.solve(problem, max_iterations=7, checkpoint=path, **options)
    with pytest.raises(InputError, match="is of another game than the problem given"):
        mfg.resume(path, problem=room(KINDS["diffusion"]((0.5, 1.001 * NORTH)), terminal=lambda t, c: c.x))
    again = mfg.resume(path, problem=problem, max_iterations=30, check="ignore")
    np.testing.assert_array_equal(again.dataset["density"], whole.dataset["density"])
