"""The picture of N agents: on every kind of space it fits its page, says its slopes and hides nothing."""

from __future__ import annotations

import contextlib
import functools
import itertools
import warnings

import numpy as np
import pytest
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

import mfgsolve as mfg
from mfgsolve import plots
from mfgsolve.agents.slopes import mean_and_band, slope
from mfgsolve.studies.agents import MEASURES

NUMBERS = np.array([10, 100, 1000, 10_000])
AXES = {"x": 40, "y": 6, "z": 5}


def made_up(dims: tuple[str, ...], sizes: tuple[int, ...], numbers: np.ndarray = NUMBERS, times: int = 4) -> xr.Dataset:
    """A dataset with the layout of `mfgsolve.compare`, by known laws."""
    rng = np.random.default_rng(0)
    several = dims[0] == "population"
    mass = rng.exponential(size=(times, *sizes))
    lead = tuple(range(1 + several, mass.ndim))
    mass /= mass.sum(axis=lead, keepdims=True)
    shares = mass.reshape(times * (sizes[0] if several else 1), -1)
    runs = np.stack([np.stack([rng.multinomial(n, row) / n for row in shares]).reshape(mass.shape) for n in numbers])
    scale = 1.0 / numbers[:, None, None]
    measured = np.sqrt(scale) * rng.uniform(0.9, 1.1, size=(numbers.size, 20, times))
    who = (sizes[0],) if several else ()
    costs = 1.0 + rng.normal(size=(numbers.size, 20, *who)) * np.sqrt(1 / numbers).reshape(-1, 1, *[1] * len(who)) / 9
    tail = ("population",) if several else ()
    per_agent = lambda values: np.repeat(values[:, None], *who, axis=1) if several else values
    data: dict = {
        "density": (("agents", "time", *dims), runs), "mean_field_density": (("time", *dims), mass),
        "l2": (("agents", "replica", "time"), measured, {"units": "1"}),
        "wasserstein": (("agents", "replica", "time"), 0.1 * measured, {"units": "km"}),
        "simulated_cost": (("agents", "replica", *tail), costs),
        "regret": (("agents", *tail), per_agent(5.0 / numbers**2)),
        "cost": (("agents", *tail), per_agent(1 + 1 / numbers)),
        "cost_difference": (("agents", *tail), per_agent(-1.0 / numbers)),
    }  # fmt: skip
    for name in ("l2", "wasserstein", "simulated_cost"):
        values = data[name][1] if name == "simulated_cost" else data[name][1].mean(axis=2)
        mean, band = mean_and_band(values, 1)
        where = ("agents", *(tail if name == "simulated_cost" else ()))
        data[f"{name}_mean"], data[f"{name}_band"] = (where, mean), ((*where, "end"), band)
    total = 5.0 / numbers**2
    fits = [slope(numbers, data[f"{n}_mean"][1]) for n in ("l2", "wasserstein")]
    fits += [slope(numbers, total, 1e-6), slope(numbers, 1.0 / numbers)]
    data["slope"] = ("measure", [f.value for f in fits])
    data["slope_last"] = ("measure", [f.last for f in fits])
    data["slope_band"] = (("measure", "end"), [[f.low, f.high] for f in fits])
    data["slope_used"] = (("measure", "agents"), np.stack([f.used for f in fits]).astype(np.int8))
    place = {n: (n, np.arange(s, dtype=float), {"units": "km"}) for n, s in zip(dims, sizes, strict=True) if n in AXES}
    place |= {n: (n, [f"{n} {k}" for k in range(s)]) for n, s in zip(dims, sizes, strict=True) if n not in AXES}
    coordinates = {"agents": numbers, "time": ("time", np.arange(times) + 1.0, {"units": "h"}), "end": ["low", "high"],
                   "measure": list(MEASURES)} | place  # fmt: skip
    attributes = {"schema": "mfgsolve/1", "kind": "comparison", "name": "made-up", "exploitability": 1e-9}
    return xr.Dataset(data, coordinates, attributes | {"relative_exploitability": 2e-10})


SPACES = {
    "line": (("x",), (400,)),
    "short line": (("x",), (12,)),
    "plane": (("y", "x"), (12, 16)),
    "wide plane": (("y", "x"), (5, 30)),
    "space": (("z", "y", "x"), (4, 6, 8)),
    "states": (("state",), (4,)),
    "many states": (("state",), (50,)),
    "populations": (("population", "y", "x"), (2, 8, 8)),
    "populations of states": (("population", "state"), (3, 5)),
    "many populations on a line": (("population", "x"), (6, 20)),
}


def drawn(dataset: xr.Dataset) -> Figure:
    """The figure, laid out; a layout that does not work out is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = plots.agents(dataset)
        FigureCanvasAgg(figure).draw()
    return figure


@functools.cache
def usual(name: str) -> Figure:
    return drawn(made_up(*SPACES[name]))


@pytest.mark.slow
@pytest.mark.parametrize("name", SPACES)
def test_everything_stands_inside_its_place(name):
    figure = usual(name)
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    panels = [ax for ax in figure.axes if ax.get_legend() is not None]
    assert len(panels) == 3
    for ax in panels:
        legend, frame = ax.get_legend().get_window_extent(renderer), ax.get_window_extent(renderer)
        assert frame.x0 - 2 <= legend.x0 <= legend.x1 <= frame.x1 + 2, ax.get_ylabel()
        assert frame.y0 - 2 <= legend.y0 <= legend.y1 <= frame.y1 + 2, ax.get_ylabel()
    boxes = [ax.get_window_extent(renderer) for ax in figure.axes]
    for k, one in enumerate(boxes):
        assert all(not one.overlaps(other) for other in boxes[k + 1 :])
    for ax in figure.axes:  # numbers at an axis do not run into each other
        labels = [text for text in ax.get_xticklabels() if text.get_text() and text.get_visible()]
        ends = sorted((box.x0, box.x1) for box in (text.get_window_extent(renderer) for text in labels))
        slanted = any(text.get_rotation() for text in labels)
        assert slanted or all(left[1] <= right[0] + 1 for left, right in itertools.pairwise(ends))


@pytest.mark.parametrize("name", ["line", "states", "populations", "space"])
def test_legends_stand_clear_of_the_curves(name):
    figure = usual(name)
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    for ax in figure.axes:
        if ax.get_legend() is not None and ax.get_yscale() == "log":
            box = ax.get_legend().get_window_extent(renderer)
            for line in ax.lines:
                if len(line.get_xdata()) > 1 and line.get_transform() is ax.transData:
                    ends = ax.transData.transform(np.column_stack([line.get_xdata(), line.get_ydata()]))
                    way = np.concatenate([np.linspace(a, b, 50) for a, b in itertools.pairwise(ends)])
                    assert not any(box.contains(*point) for point in way), line.get_label()


def test_slopes_stand_in_the_legends():
    figure = usual("line")
    texts = [text.get_text() for ax in figure.axes if ax.get_legend() for text in ax.get_legend().get_texts()]
    assert any(text.startswith("L2 distance: slope −0.") and "±" in text for text in texts)
    assert any(text.startswith("Wasserstein-1 (km): slope −0.") for text in texts)
    assert "slope −1/2" in texts
    assert any(text.startswith("regret: slope −2.00, last −2.00") for text in texts)
    assert any(text.startswith("|cost difference|: slope −1.00, last −1.00") for text in texts)


def test_few_agents_are_dots_and_many_are_a_map():
    figure = usual("plane")
    maps = [ax for ax in figure.axes if ax.get_aspect() == 1.0]
    assert len(maps) == 12
    assert [sum(isinstance(c, PathCollection) for c in ax.collections) for ax in maps] == [1] * 4 + [0] * 8
    assert [len(ax.images) for ax in maps] == [0] * 4 + [1] * 8
    assert maps[0].get_ylabel().startswith("10 agents")
    assert maps[4].get_ylabel().startswith("10\N{THIN SPACE}000 agents")
    assert maps[8].get_ylabel().startswith("mean field")
    (dots,) = maps[0].collections
    data = made_up(*SPACES["plane"])
    there = data.density[0, 0].values
    assert len(dots.get_offsets()) == (there > 0).sum()
    assert np.allclose(dots.get_sizes() / dots.get_sizes().min(), there[there > 0] / there[there > 0].min())


def test_steps_keep_the_mass():
    figure = usual("line")
    first = next(ax for ax in figure.axes if ax.get_title() == "t = 1 h")
    for patch in [p for p in first.patches if isinstance(p, StepPatch)]:
        heights, edges, _ = patch.get_data()
        assert (heights * np.diff(edges)).sum() == pytest.approx(1.0)
    labels = [p.get_label() for p in first.patches]
    assert labels[0] == "mean field"
    assert labels[1] == "10 agents, in bins of 16 cells"
    assert labels[2] == "10\N{THIN SPACE}000 agents"


def test_few_states_are_bars():
    figure = usual("states")
    bars = [c for c in figure.axes[0].containers if isinstance(c, BarContainer)]
    assert len(bars) == 3
    assert [tick.get_text() for tick in figure.axes[2].get_xticklabels()] == [f"state {k}" for k in range(4)]


def test_populations_share_the_panels():
    figure = usual("populations")
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert titles == [f"population {p}, t = {t} h" for p in (0, 1) for t in (2, 4)]


def test_a_regret_below_zero_is_a_triangle_and_one_that_no_slope_counts_is_hollow():
    data = made_up(*SPACES["line"])
    data["regret"][3] = -1e-18
    data["slope_used"].loc[{"measure": "regret", "agents": 1000}] = 0
    panel = next(ax for ax in drawn(data).axes if ax.get_ylabel().startswith("exact"))
    marks = {line.get_marker(): line for line in panel.lines if len(line.get_xdata())}
    assert marks["v"].get_xdata().tolist() == [10_000]
    assert "at or below zero" in [text.get_text() for text in panel.get_legend().get_texts()]
    hollow = [line for line in panel.lines if line.get_markerfacecolor() == "white" and len(line.get_xdata())]
    assert hollow[0].get_xdata().tolist()[0] == 1000


def test_what_is_not_known_is_said():
    data = made_up(*SPACES["states"])
    for name in ("regret", "cost", "cost_difference", "wasserstein_mean", "wasserstein_band"):
        data[name] = data[name] * np.nan
    for name in ("wasserstein", "regret", "cost_difference"):
        data["slope"].loc[name] = np.nan
    texts = [t.get_text() for ax in drawn(data).axes if ax.get_legend() for t in ax.get_legend().get_texts()]
    assert "total variation: not measured" in texts
    assert "regret: no exact law for this game" in texts
    assert "exact" not in texts


def test_one_number_of_agents_once():
    data = made_up(*SPACES["plane"], numbers=np.array([1]), times=1)
    one = data.isel(replica=[0])
    one["l2_band"] = one["l2_band"] * np.nan
    one["simulated_cost_band"] = one["simulated_cost_band"] * np.nan
    labels = [ax.get_ylabel() for ax in drawn(one).axes]
    assert any(label.startswith("1 agent\n") for label in labels)


def test_other_datasets_are_refused():
    with pytest.raises(mfg.InputError, match=r"dataset is a convergence; one of mfgsolve\.compare is needed"):
        plots.agents(made_up(*SPACES["line"]).assign_attrs(kind="convergence"))
    with pytest.raises(mfg.InputError, match="a Solution or its dataset is needed"):
        plots.agents("compare.nc")
    with pytest.raises(mfg.InputError, match="has no slope"):
        plots.agents(made_up(*SPACES["line"]).drop_vars("slope"))


PARTS = {
    "density has no dimension agents; keep it with a list": lambda d: d.isel(agents=1),
    "density has no dimension time": lambda d: d.isel(time=0),
    "has no dimension measure": lambda d: d.sel(measure="l2"),
    "dimension agents is empty": lambda d: d.isel(agents=[]),
    "dimension time is empty": lambda d: d.isel(time=[]),
    "dimension x is empty": lambda d: d.isel(x=[]),
    "dimension replica is empty": lambda d: d.isel(replica=[]),
    "dataset has no l2_band; the whole dataset": lambda d: d.drop_vars("l2_band"),
    "dataset has no simulated_cost_mean": lambda d: d.drop_vars("simulated_cost_mean"),
    "dataset has no slope_used": lambda d: d.drop_vars("slope_used"),
    "dataset has no cost_difference": lambda d: d.drop_vars("cost_difference"),
    "dataset has no coordinate agents": lambda d: d.drop_vars("agents"),
    "dataset misses measures": lambda d: d.isel(measure=[0, 1]),
    r"of space x, or x and y are needed": lambda d: d.isel(x=0),
}


@pytest.mark.parametrize("message", PARTS)
def test_parts_of_a_dataset_are_refused_in_a_sentence(message):
    with pytest.raises(mfg.InputError, match=message):
        plots.agents(PARTS[message](made_up(*SPACES["plane"])))


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("spoil", ["dropped", "empty"])
def test_whatever_is_dropped_or_emptied_is_told_or_not_missed(name, spoil):
    data = made_up(*SPACES[name])
    for part in [*data.variables] if spoil == "dropped" else [*data.sizes]:
        with contextlib.suppress(mfg.InputError):
            plots.agents(data.drop_vars(part) if spoil == "dropped" else data.isel({part: []}))


def pixels(figure: Figure) -> np.ndarray:
    return np.asarray(figure.canvas.buffer_rgba())  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["line", "space", "populations of states"])
def test_the_order_of_dimensions_does_not_matter(name):
    data = made_up(*SPACES[name])
    turned = data.transpose(*reversed(list(data.sizes)))
    assert turned.density.dims != data.density.dims
    shuffled = turned.isel(measure=[3, 1, 0, 2], end=[1, 0])
    assert (pixels(drawn(shuffled)) == pixels(usual(name))).all()


def test_populations_that_are_not_drawn_are_told():
    told = usual("many populations on a line").get_suptitle()
    assert told.endswith("\ndensities and costs: the first 4 of 6 populations; distances and regret: all")
    assert "populations" not in usual("populations of states").get_suptitle()
    renderer = usual("many populations on a line").canvas.get_renderer()  # type: ignore[attr-defined]
    box = usual("many populations on a line")._suptitle.get_window_extent(renderer)  # type: ignore[attr-defined]
    assert all(not box.overlaps(ax.get_window_extent(renderer)) for ax in usual("many populations on a line").axes)


def test_real_data_make_a_picture(tmp_path):
    plan = mfg.solve(mfg.problems.beach_bar(), tol=1e-4)
    path = plots.save(plots.agents(mfg.compare(plan, agents=[1, 100], replicas=3)), tmp_path / "agents.png", dpi=50)
    assert path.stat().st_size > 5000


def test_legends_have_room_above_the_curves() -> None:
    """On wide pages, where they stand inside; on narrow ones they stand below, and need none."""
    above = {}
    for width in (12.0, 3.5):
        figure = plots.agents(made_up(*SPACES["line"]), width=width)
        ax = next(one for one in figure.axes if one.get_ylabel() == "distance to mean field")
        low, high = np.log10(ax.get_ylim())
        top = max(np.log10(np.nanmax(line.get_ydata())) for line in ax.lines if len(line.get_ydata()))
        above[width] = (high - top) / (high - low)
    assert above[12.0] > 0.04 + 0.13 * 3
    assert above[3.5] < 0.15


def test_a_slope_that_is_not_resolved_says_so_within_its_panel() -> None:
    data = made_up(*SPACES["short line"])
    data["slope_band"].loc[{"measure": "regret"}] = [-3.4, 1.5]
    figure = drawn(data)
    ax = next(one for one in figure.axes if one.get_ylabel() == "exact, in units of cost")
    assert "regret: slope −3.4 to 1.5, unresolved" in [text.get_text() for text in ax.get_legend().get_texts()]
    assert ax.get_legend().get_window_extent().x0 > ax.get_window_extent().x0
