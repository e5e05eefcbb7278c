"""The picture of learners: on every kind of space it fits its page, shows what is in the dataset and hides nothing."""

from __future__ import annotations

import functools
import warnings

import numpy as np
import pytest
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

import mfgsolve as mfg
from mfgsolve import plots

AXES = ("x", "y", "z")
SPACES = {
    "line": (("x",), (20,)),
    "long line": (("x",), (200,)),
    "plane": (("y", "x"), (12, 12)),
    "wide plane": (("y", "x"), (5, 30)),
    "tall plane": (("y", "x"), (30, 5)),
    "space": (("z", "y", "x"), (4, 6, 8)),
    "states": (("state",), (4,)),
    "many states": (("state",), (50,)),
    "populations": (("population", "y", "x"), (2, 8, 8)),
    "populations on a line": (("population", "x"), (3, 20)),
    "populations of states": (("population", "state"), (3, 5)),
    "many populations": (("population", "y", "x"), (6, 5, 5)),
}


def made_up(dims: tuple[str, ...], sizes: tuple[int, ...], times: int = 9, level: float = 1e-6) -> xr.Dataset:
    """A dataset with the layout of `mfgsolve.learn`."""
    rng = np.random.default_rng(0)
    mass = rng.exponential(size=(2, times, *sizes))
    lead = tuple(range(2 + (dims[0] == "population"), mass.ndim))
    mass /= mass.sum(axis=lead, keepdims=True)
    about = {"units": "1", "long_name": "density"}
    episodes = np.minimum(1 + 20 * np.arange(101), 2000)
    data: dict = {
        "density": (("time", *dims), mass[0], about), "reference_density": (("time", *dims), mass[1], about),
        "relative_exploitability": ("iteration", 2.0 / episodes), "episodes": ("iteration", episodes),
        "agent_steps": ("iteration", 1000.0 * episodes), "policy": (("step", "action"), np.ones((times - 1, 1))),
    }  # fmt: skip
    place = {n: (n, np.arange(s, dtype=float), {"units": "1"}) for n, s in zip(dims, sizes, strict=True) if n in AXES}
    place |= {n: (n, [f"{n} {k}" for k in range(s)]) for n, s in zip(dims, sizes, strict=True) if n not in AXES}
    moment = np.arange(times, dtype=float)
    coordinates = {"time": ("time", moment, {"units": "1"}), "step": ("step", moment[:-1]), "action": ["go"]} | place
    attributes = {"schema": "mfgsolve/1", "kind": "solution", "name": "made-up", "solver": "mguni", "agents": 1000}
    return xr.Dataset(data, coordinates, attributes | {"density_distance": 0.04, "reference_exploitability": level})


def drawn(dataset: object) -> Figure:
    """The figure, laid out; a layout that does not work out is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = plots.learning(dataset)  # type: ignore[arg-type]
        FigureCanvasAgg(figure).draw()
    return figure


@functools.cache
def usual(name: str) -> Figure:
    return drawn(made_up(*SPACES[name]))


def lines(figure: Figure) -> dict:
    return {line.get_label(): line for line in figure.axes[0].lines}


@pytest.mark.parametrize("name", SPACES)
def test_everything_stands_inside_its_place(name):
    figure = usual(name)
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    page = figure.bbox
    boxes = [ax.get_window_extent(renderer) for ax in figure.axes]
    for k, one in enumerate(boxes):
        assert one.width > 20
        assert one.height > 5
        assert all(not one.overlaps(other) for other in boxes[k + 1 :])
        tight = figure.axes[k].get_tightbbox(renderer)
        assert tight.x0 >= page.x0 - 2
        assert tight.x1 <= page.x1 + 2
        assert tight.y0 >= page.y0 - 2
    title = figure._suptitle.get_window_extent(renderer)  # type: ignore[attr-defined]
    assert title.x1 <= page.x1


@pytest.mark.parametrize("name", ["plane", "space", "populations", "wide plane"])
def test_maps_are_those_of_the_dataset(name):
    dims, sizes = SPACES[name]
    dataset, figure = made_up(dims, sizes), usual(name)
    images = [ax.images[0] for ax in figure.axes if ax.images]
    columns = len(images) // 2
    assert columns == 4
    moments = [1, 3, 5, 7] if "population" not in dims else [2, 6, 2, 6]
    for variable, row in (("density", images[:columns]), ("reference_density", images[columns:])):
        for j, (image, k) in enumerate(zip(row, moments, strict=True)):
            field = dataset[variable].values[k]
            if "population" in dims:
                field = field[j // 2]
            expected = field.sum(axis=0) if name == "space" else field  # cells of length 1
            np.testing.assert_allclose(image.get_array(), expected)
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert titles == [
        f"population {j // 2}, t = {k}" if "population" in dims else f"t = {k}" for j, k in enumerate(moments)
    ]
    assert len({image.norm.vmax for image in images}) == 1  # one scale


def test_a_line_has_both_densities_over_time_and_profiles():
    dataset, figure = made_up(*SPACES["line"]), usual("line")
    shown = [ax.images[0].get_array() for ax in figure.axes if ax.images and ax.get_title()]
    np.testing.assert_allclose(shown[0], dataset["density"].values.T)
    np.testing.assert_allclose(shown[1], dataset["reference_density"].values.T)
    profiles = next(ax for ax in figure.axes if ax.get_title() == "lines: solver, dots: learned")
    assert len(profiles.lines) == 8
    np.testing.assert_allclose(profiles.lines[0].get_ydata(), dataset["density"].values[0])
    np.testing.assert_allclose(profiles.lines[1].get_ydata(), dataset["reference_density"].values[0])
    assert any(ax.get_title() == "lines: solver, broken: learned" for ax in usual("long line").axes)


def test_states_are_bars_side_by_side():
    dataset, figure = made_up(*SPACES["states"]), usual("states")
    panels = [ax for ax in figure.axes if ax.get_title().startswith("t = ")]
    assert [ax.get_title() for ax in panels] == ["t = 1", "t = 3", "t = 5", "t = 7"]
    for ax, k in zip(panels, (1, 3, 5, 7), strict=True):
        learned, solver = (c for c in ax.containers if isinstance(c, BarContainer))
        np.testing.assert_allclose([bar.get_height() for bar in learned], dataset["density"].values[k])
        np.testing.assert_allclose([bar.get_height() for bar in solver], dataset["reference_density"].values[k])
        assert learned[0].get_x() + learned[0].get_width() <= solver[0].get_x() + 1e-9


def test_the_course_is_logarithmic_with_five_percent_and_the_solver():
    figure = usual("plane")
    ax, shown = figure.axes[0], lines(figure)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    np.testing.assert_allclose(
        shown["learned (mguni)"].get_ydata(), made_up(*SPACES["plane"])["relative_exploitability"]
    )
    assert shown["5%"].get_ydata()[0] == 0.05
    assert shown["solver: 1e-06"].get_ydata()[0] == 1e-6
    low, high = ax.get_ylim()
    assert low < 1e-6 < 2.0 < high


def test_what_cannot_stand_on_a_logarithmic_axis_is_told():
    dataset = made_up(*SPACES["plane"])
    dataset["relative_exploitability"].values[-3:] = [0.0, -1e-17, 0.0]
    dataset["episodes"].values[0] = 0
    shown = lines(plots.learning(dataset))
    assert len(shown["at or below zero"].get_xdata()) == 3
    assert len(shown["learned (mguni)"].get_xdata()) == 97
    for level, label in ((0.0, "solver: 0e+00, below the axis"), (1e-14, "solver: 1e-14, below the axis")):
        figure = plots.learning(made_up(*SPACES["plane"], level=level))
        assert label in lines(figure)
        assert figure.axes[0].get_ylim()[0] > 1e-6


def test_without_a_reference_the_learned_density_stands_alone():
    for name in ("plane", "line", "states"):
        dataset = made_up(*SPACES[name]).drop_vars("reference_density")
        dataset.attrs |= {"density_distance": np.nan, "reference_exploitability": np.nan}
        figure = drawn(dataset) if name == "plane" else plots.learning(dataset)
        assert "solver" not in figure._suptitle.get_text()  # type: ignore[attr-defined]
        assert not any("solver" in label for label in lines(figure))
        assert len(figure.axes) < len(usual(name).axes) or name == "states"


def test_the_track_of_demand_and_the_shortcut_are_seen():
    problem = mfg.problems.lattice_supply_demand(shape=(8, 8), steps=12)
    learned = mfg.learn(problem, agents=50, episodes=20)
    figure = plots.learning(learned)
    maps = [ax for ax in figure.axes if ax.images and ax.get_title() == ""] + [
        ax for ax in figure.axes if ax.get_title().startswith("t = ")
    ]
    tracks = [line for ax in maps for line in ax.lines if line.get_label() == "path of demand"]
    assert len(tracks) == 8
    np.testing.assert_allclose(np.array(tracks[0].get_data()).T, learned.dataset["track"].values)
    assert "50 agents learned" in figure._suptitle.get_text()  # type: ignore[attr-defined]


def test_what_nobody_learned_is_refused():
    solved = mfg.solve(mfg.problems.beach_bar(), tol=1e-2)
    with pytest.raises(mfg.InputError, match=r"nobody learned it; mfg\.plots\.convergence shows"):
        plots.learning(solved)
    with pytest.raises(mfg.InputError, match="a Solution or its dataset is needed"):
        plots.learning([1, 2])  # type: ignore[arg-type]


def test_agents_with_tables_of_their_own_have_their_disagreement_below():
    dataset = made_up(*SPACES["line"])
    apart = np.linspace(5.0, 1.0, 101)
    apart[3] = np.nan  # not measured
    figure = drawn(dataset.assign(disagreement=("iteration", apart)))
    (below,) = (ax for ax in figure.axes if ax.get_ylabel() == "disagreement")
    assert below.get_yscale() == "log"
    episodes, shown = below.lines[0].get_data()
    np.testing.assert_array_equal(shown, np.delete(apart, 3))
    np.testing.assert_array_equal(episodes, np.delete(dataset.episodes.values, 3))
    alike = drawn(dataset.assign(disagreement=("iteration", np.zeros(101))))
    assert next(ax for ax in alike.axes if ax.get_ylabel() == "disagreement").lines[:] == []
