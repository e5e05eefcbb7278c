"""Several solvers on one game: histories are those of single solves, budgets hold, files give back what they got."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve import plots
from mfgsolve.errors import FileError, InputError
from mfgsolve.files import file_kind, read_dataset, write_dataset
from mfgsolve.solvers import FictitiousPlay
from mfgsolve.studies.convergence import convergence

MEASURES = (
    "exploitability", "relative_exploitability", "potential", "duality_gap", "violation", "sweeps", "seconds",
    "cell_steps", "final_grid", "best",
)  # fmt: skip


def ring() -> mfg.Problem:
    """A beach bar of 15 cells: sharp, with a potential."""
    return mfg.problems.beach_bar(shape=(15,), steps=8)


def infection() -> mfg.Problem:
    """Transitions that depend on the crowd: Frank-Wolfe does not suit."""

    def transitions(t: float, mass: np.ndarray) -> list[np.ndarray]:
        caught = 0.8 * mass[1]
        return [np.array([[1 - caught, caught], [0.3, 0.7]]), np.array([[1.0, 0.0], [0.3, 0.7]])]

    cost = np.array([[0.0, 1.0], [0.5, 1.5]])
    return mfg.Problem(
        grid=mfg.States(["susceptible", "infected"]), time=mfg.TimeGrid(6, 6), dynamics=mfg.Tabular(transitions, cost),
        coupling=0.0, initial=np.array([0.4, 0.6]),
    )  # fmt: skip


@pytest.fixture(scope="module")
def compared() -> xr.Dataset:
    runs = {"uniform": FictitiousPlay(average="uniform"), "linear": "fictitious-play", "search": "frank-wolfe"}
    return convergence(ring(), runs, max_sweeps=40, options={"frank-wolfe": {"accuracy": 1e-4}})


def test_the_dataset_is_labelled_and_says_where_it_comes_from(compared: xr.Dataset) -> None:
    assert list(compared["solver"].values) == ["uniform", "linear", "search"]
    assert list(compared["method"].values) == ["fictitious-play", "fictitious-play", "frank-wolfe"]
    assert [json.loads(text) for text in compared["options"].values] == [
        {"average": "uniform"}, {"average": "linear"}, {"accuracy": 1e-4},
    ]  # fmt: skip
    for name in MEASURES:
        assert compared[name].dims == ("solver", "iteration")
        assert {"units", "long_name"} <= set(compared[name].attrs)
    attrs = compared.attrs
    assert (attrs["schema"], attrs["kind"], attrs["name"]) == ("mfgsolve/1", "convergence", "beach-bar")
    assert attrs["mfgsolve_version"] == mfg.__version__
    assert "beach-bar" in attrs["problem"]  # the text that rebuilds the game
    assert attrs["max_seconds"] == math.inf


def test_each_history_is_that_of_the_solver_alone(compared: xr.Dataset) -> None:
    for label, name, options in (
        ("uniform", "fictitious-play", {"average": "uniform"}),
        ("search", "frank-wolfe", {"accuracy": 1e-4}),
    ):
        mine = compared.sel(solver=label)
        last = int(np.isfinite(mine["sweeps"]).sum()) - 1
        alone = mfg.solve(ring(), method=name, max_iterations=last, check="ignore", **options).dataset
        for measure in ("exploitability", "potential", "sweeps"):
            np.testing.assert_array_equal(mine[measure].values[: last + 1], alone[measure].values)
            assert np.isnan(mine[measure].values[last + 1 :]).all()


def test_best_so_far_is_the_running_minimum(compared: xr.Dataset) -> None:
    for label in compared["solver"].values:
        values = compared["relative_exploitability"].sel(solver=label).values
        best = compared["best"].sel(solver=label).values
        for k, value in enumerate(values):
            if math.isnan(value):
                assert math.isnan(best[k])
            else:
                assert best[k] == min(values[: k + 1])


def test_a_bound_that_is_violated_is_not_the_best() -> None:
    from mfgsolve.studies.convergence import _best

    relative = np.array([[1e-1, 1e-9, 1e-3, 1e-2, np.nan]])
    violation = np.array([[0.0, 0.5, 0.0, 0.0, np.nan]])
    final = np.array([[1.0, 1.0, 1.0, 1.0, np.nan]])
    np.testing.assert_array_equal(_best(relative, violation, final), [[0.1, 0.1, 1e-3, 1e-3, np.nan]])
    coarse = np.array([[0.0, 1.0, 1.0, 1.0, np.nan]])
    np.testing.assert_array_equal(_best(relative, violation, coarse), [[np.nan, 0.5, 1e-3, 1e-3, np.nan]])


def test_iterations_of_a_hotter_game_do_not_count() -> None:
    """Newton cools: its first iterations solve games of higher temperature, and solve them well."""
    data = convergence(mfg.problems.beach_bar(shape=(30,), steps=10, temperature=0.05), ("newton",))
    run = data.sel(solver="newton")
    hot = run["final_grid"].values == 0
    assert hot.any()
    assert np.isnan(run["best"].values[: int(np.argmin(hot))]).all()
    measured = run["relative_exploitability"].values[~hot]
    assert run["best"].values[-1] == measured.min() <= 1e-10
    assert "of a coarser or hotter game" in texts(plots.convergences(data, stages=True))


def test_the_budget_of_sweeps_is_kept_to_one_iteration(compared: xr.Dataset) -> None:
    assert list(compared["status"].values) == ["sweep limit"] * 3
    assert ((compared["sweeps"].max("iteration") >= 40) & (compared["sweeps"].max("iteration") <= 42)).all()


def test_a_solver_that_is_done_ends_and_the_others_go_on() -> None:
    data = convergence(mfg.problems.supply_demand(shape=(12, 12), steps=96, scheme="upwind"), max_sweeps=120)
    newton = data.sel(solver="newton")
    assert newton["status"].item() == "converged"
    assert newton["best"].min() <= 1e-10
    assert data["status"].sel(solver="fictitious-play").item() == "sweep limit"
    assert np.isfinite(newton["sweeps"]).sum() < np.isfinite(data["sweeps"].sel(solver="fictitious-play")).sum()
    seconds = data["seconds"].values
    assert (np.diff(seconds, axis=1)[np.isfinite(np.diff(seconds, axis=1))] >= 0).all()
    assert np.nanmax(seconds) < 5  # nothing is compiled while the clock runs


def test_the_callback_stops_one_solver() -> None:
    seen: list[tuple[str, int]] = []

    def callback(label: str, measure: mfg.solvers.base.Measure) -> bool:
        seen.append((label, measure.iteration))
        return label == "fictitious-play" and measure.iteration == 3

    data = convergence(ring(), ("fictitious-play", "frank-wolfe"), max_sweeps=12, callback=callback)
    assert list(data["status"].values) == ["stopped by callback", "sweep limit"]
    assert [k for label, k in seen if label == "fictitious-play"] == [0, 1, 2, 3]
    assert len([k for label, k in seen if label == "frank-wolfe"]) > 4


def test_time_limit() -> None:
    data = convergence(ring(), ("fictitious-play",), max_seconds=0.0)
    assert list(data["status"].values) == ["time limit"]
    assert data.sizes["iteration"] == 1
    assert data.attrs["max_seconds"] == 0.0


def test_a_file_gives_back_the_same(compared: xr.Dataset, tmp_path) -> None:
    path = write_dataset(compared, tmp_path / "c.nc")
    assert file_kind(path) == "convergence"
    again = read_dataset(path, "convergence")
    assert again.identical(compared)
    plots.convergences(again)
    with pytest.raises(FileError, match="is a convergence; a solution is needed"):
        mfg.load(path)
    solution = mfg.solve(ring(), method="fictitious-play", max_iterations=2, check="ignore")
    with pytest.raises(FileError, match="is a solution; a convergence is needed"):
        read_dataset(solution.save(tmp_path / "s.nc"), "convergence")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"solvers": ("newtn",)}, "unknown solver 'newtn'; did you mean 'newton'"),
        ({"solvers": "newton"}, "a list of names is needed"),
        ({"solvers": ()}, "a list of names is needed"),
        ({"solvers": 3}, "a list of names is needed"),
        ({"solvers": ("newton", "newton")}, "'newton' is listed twice; give each run a label"),
        ({"options": {"newtn": {}}}, "unknown solver in options 'newtn'; did you mean 'newton'"),
        ({"options": {"fictitious-play": {"avrage": "uniform"}}}, "unknown option .*did you mean 'average'"),
        ({"max_sweeps": 0}, "max_sweeps is 0; a positive number"),
        ({"max_sweeps": "many"}, "a real number is needed"),
        ({"max_seconds": -1.0}, "max_seconds is -1"),
        ({"tol": -1.0}, "tol is -1"),
        (
            {"solvers": {"mine": FictitiousPlay()}, "options": {"mine": {"average": "uniform"}}},
            "set them on the solver",
        ),
    ],
)
def test_bad_input(change: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        convergence(ring(), **change)


def test_an_unsuited_solver_is_told_before_anything_runs() -> None:
    ran = []
    with pytest.raises(InputError, match=r"'frank-wolfe' does not suit .*suited: .*fictitious-play"):
        convergence(infection(), ("fictitious-play", "frank-wolfe"), callback=lambda *_: ran.append(1))
    assert not ran
    with pytest.raises(InputError, match="a Problem is needed"):
        convergence(3.0)  # type: ignore[arg-type]


# -- pictures --------------------------------------------------------------------------------------------------------


def texts(figure) -> str:
    from matplotlib.text import Text

    return "\n".join(text.get_text() for text in figure.findobj(Text))


def test_curves_are_the_data_against_sweeps_and_seconds(compared: xr.Dataset) -> None:
    figure = plots.convergences(compared, "exploitability")
    figure.draw_without_rendering()
    left, right = figure.axes
    assert {left.get_xscale(), left.get_yscale(), right.get_xscale(), right.get_yscale()} == {"log"}
    assert "sweeps" in left.get_xlabel()
    assert "time (s)" in right.get_xlabel()
    assert left.get_ylabel() == "exploitability (cost)"
    assert left.get_ylim() == right.get_ylim()
    run = compared.sel(solver="uniform").dropna("iteration", how="all", subset=["sweeps"])
    for ax, work in ((left, "sweeps"), (right, "seconds")):
        drawn = {tuple(map(tuple, line.get_xydata())) for line in ax.lines}
        assert tuple(zip(run[work].values, run["exploitability"].values, strict=True)) in drawn
    for label in ("uniform", "linear", "search"):
        assert label in texts(figure)
    for ax in figure.axes:
        box = ax.get_tightbbox()
        assert box.x0 >= -2
        assert box.x1 <= figure.bbox.width + 2


def synthetic(power: float, count: int = 300) -> xr.Dataset:
    """A history that falls like t^-power."""
    t = np.arange(1.0, count + 1)
    values = np.stack([3.0 * t**-power])
    names = ("exploitability", "relative_exploitability", "duality_gap")
    both = ("solver", "iteration")
    data = {name: (both, values) for name in names} | {name: (both, t[None]) for name in ("sweeps", "seconds")}
    attrs = {"schema": "mfgsolve/1", "kind": "convergence", "tol": 1e-10, "name": "toy"}
    return xr.Dataset(data, {"solver": ["toy"], "iteration": np.arange(count)}, attrs)


def test_the_slope_stands_beside_curves_that_are_parallel_to_it() -> None:
    figure = plots.convergences(synthetic(1.0))
    (slope,) = [line for line in figure.axes[0].lines if line.get_label() == "slope 1/t"]
    x, y = slope.get_xydata().T
    assert np.polyfit(np.log(x), np.log(y), 1)[0] == pytest.approx(-1.0)
    assert y[-1] > 3.0 / 300
    for power in (0.3, 3.0):
        assert "slope" not in texts(plots.convergences(synthetic(power)))


def test_a_solution_and_several_have_the_same_picture() -> None:
    solution = mfg.solve(ring(), method="fictitious-play", max_iterations=30, check="ignore")
    assert "fictitious-play" in texts(plots.convergences(solution))
    assert "mine" in texts(plots.convergences({"mine": solution}))
    with pytest.raises(InputError, match=r"unknown measure 'gap'.*allowed: duality_gap"):
        plots.convergences(solution, "gap")


def test_violations_are_broken_lines_and_zeros_are_marked() -> None:
    data = synthetic(1.0, 30)
    data["violation"] = data["sweeps"] ** -2.0
    data["relative_exploitability"].values[0, -1] = 0.0
    text = texts(plots.convergences(data))
    assert "violation of bounds" in text
    assert "at or below zero" in text


def test_what_was_not_measured_is_said() -> None:
    data = synthetic(1.0)
    data["duality_gap"].values[:] = np.nan
    assert "duality gap (cost): not measured" in texts(plots.convergences(data, "duality_gap"))
