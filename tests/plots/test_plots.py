"""Pictures: they build for every problem, say their units, and put things where the dataset has them."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from matplotlib.animation import FFMpegWriter
from matplotlib.collections import PathCollection
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.quiver import Quiver, QuiverKey
from matplotlib.text import Text
from PIL import Image

import mfgsolve as mfg
from mfgsolve import plots
from mfgsolve.errors import FileError, InputError
from mfgsolve.plots.fields import _net, arrows
from mfgsolve.plots.moving import Film
from mfgsolve.plots.reading import View, offset_of, round_times


def cube() -> mfg.Problem:
    """Three axes, in metres and seconds, with a column that is blocked over its whole height and one that is not."""
    column = lambda c: ((c.x > 0.7) & (c.y > 0.65)) | ((c.x < 0.3) & (c.y < 0.25) & (c.z > 0.6))
    return mfg.Problem(
        grid=mfg.Grid.box((4, 5, 6), blocked=column, unit="m"),
        time=mfg.TimeGrid(2.0, 32, unit="s"),
        dynamics=mfg.ControlledDiffusion(0.05),
        coupling=mfg.CrowdAversion(0.1),
        initial=mfg.Bump(1.0, 0.2, (0.5, 0.5, 0.5)),
        terminal=lambda t, c: (c.x - 0.2) ** 2 + c.z**2,
        normalise=True,
    )


def jumps(space: mfg.Grid | mfg.States | mfg.Populations, actions: int = 7) -> mfg.Problem:
    """Actions that are no moves: each leads from anywhere to one cell."""
    below = space.space if isinstance(space, mfg.Populations) else space
    free = np.flatnonzero(~below.mask.ravel())
    to = lambda k: np.eye(below.size)[np.full(below.size, free[(5 * k) % len(free)])]
    one = mfg.Tabular([to(k) for k in range(actions)], actions=[f"to {k}" for k in range(actions)])
    count = space.populations
    density = np.where(space.mask, 0.0, count / (~space.mask).sum() / space.cell_volume)
    return mfg.Problem(
        grid=space, time=mfg.TimeGrid(4, 4), dynamics=[one] * count, coupling=mfg.CrowdAversion(1.0), initial=density,
        name="jumps",
    )  # fmt: skip


def lattice_line() -> mfg.Problem:
    """One axis, seven moves, a blocked cell."""
    return mfg.Problem(
        grid=mfg.Grid.box((16,), blocked=lambda c: np.abs(c.x - 0.53) < 0.02), time=mfg.TimeGrid(1.0, 8),
        dynamics=mfg.LatticeMoves(range(-3, 4), costs=[0.01 * abs(k) for k in range(-3, 4)]),
        coupling=mfg.CrowdAversion(0.1), initial=lambda t, c: np.where(c.x < 0.5, 1.0, 0.0),
        terminal=lambda t, c: (c.x - 0.8) ** 2, normalise=True, name="long-moves",
    )  # fmt: skip


MAKERS = {
    "supply-demand": lambda: mfg.problems.supply_demand(shape=(12, 12), steps=96),
    "crowd-aversion": lambda: mfg.problems.crowd_aversion(shape=(16, 32), steps=192),
    "gaussian-log": lambda: mfg.problems.gaussian_log(shape=(48,), steps=96),
    "linear-quadratic": lambda: mfg.problems.linear_quadratic(shape=(32,), steps=64),
    "cole-hopf": lambda: mfg.problems.cole_hopf(shape=(32,), steps=64),
    "montreal": lambda: mfg.problems.montreal(shape=(12, 12), steps=192),
    "cube": cube,
}
PICTURES = {"plan": plots.plan, "value": plots.value, "speed": plots.speed, "convergence": plots.convergence}
FINITE = {
    "beach-bar": lambda: mfg.problems.beach_bar(shape=(12,), steps=6),
    "four-rooms": lambda: mfg.problems.four_rooms(steps=12),
    "predator-prey": lambda: mfg.problems.predator_prey(),
    "crowd-motion": lambda: mfg.problems.crowd_motion(shape=(8, 8)),
    "left-right": lambda: mfg.problems.left_right(),
    "jumps": lambda: jumps(mfg.Grid.box((6, 8))),
    "many-jumps": lambda: jumps(mfg.Grid.box((5, 5)), actions=23),
    "two-queues": lambda: jumps(mfg.Populations(["vans", "cars"], mfg.States(14))),
    "rooftops": lambda: jumps(mfg.Grid.box((2, 4, 5), blocked=lambda c: (c.z > 0.5) & (c.x < 0.5))),
    "long-moves": lambda: lattice_line(),
}
CHOSEN = {"plan": plots.plan, "value": plots.value, "policy": plots.policy}
_solved: dict[str, mfg.Solution] = {}


def solved(name: str) -> mfg.Solution:
    if name not in _solved:
        if name in FINITE:
            _solved[name] = mfg.solve(FINITE[name](), method="fictitious-play", max_iterations=30, check="ignore")
        else:
            _solved[name] = mfg.solve(MAKERS[name](), tol=1e-4, check="ignore")
    return _solved[name]


def panels(figure: Figure) -> list:
    """Axes that are not colour bars."""
    return [ax for ax in figure.axes if ax.get_label() != "<colorbar>"]


def texts(figure: Figure) -> str:
    return "\n".join(t.get_text() for t in figure.findobj(Text))


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("name", MAKERS)
def test_every_picture_of_every_problem_draws_inside_its_page(name: str, picture: str) -> None:
    stands_on_its_page(PICTURES[picture](solved(name)), solved(name).dataset.attrs["name"])


@pytest.mark.parametrize("picture", CHOSEN)
@pytest.mark.parametrize("name", FINITE)
def test_every_picture_of_finite_games_draws_inside_its_page(name: str, picture: str) -> None:
    stands_on_its_page(CHOSEN[picture](solved(name)), solved(name).dataset.attrs["name"])


def stands_on_its_page(figure: Figure, name: str) -> None:
    figure.draw_without_rendering()  # warnings are errors here: NaN, layouts that collapse
    assert isinstance(figure, Figure)
    assert name in texts(figure)
    axes = panels(figure)
    assert any(ax.get_xlabel() for ax in axes)
    assert axes[0].get_ylabel()
    width, height = figure.bbox.width, figure.bbox.height
    for ax in figure.axes:
        box = ax.get_tightbbox()
        assert box.x0 >= -2
        assert box.y0 >= -2
        assert box.x1 <= 1.02 * width
        assert box.y1 <= 1.02 * height


@pytest.mark.parametrize(("name", "unit"), [("montreal", "km"), ("cube", "m")])
@pytest.mark.parametrize("picture", ["plan", "value", "speed"])
def test_axes_colours_times_and_speeds_carry_their_units(name: str, unit: str, picture: str) -> None:
    figure = PICTURES[picture](solved(name))
    axes, text, clock = panels(figure), texts(figure), {"km": "h", "m": "s"}[unit]
    assert axes[0].get_xlabel() == f"x ({unit})"
    assert axes[0].get_ylabel() == f"y ({unit})"
    assert (axes[1].get_title() or axes[1].get_title(loc="left")).endswith(f" {clock}")
    assert ("(cost)" if picture == "value" else f"(mass per {unit}²)") in text
    if picture == "speed":
        (key,) = axes[-1].findobj(QuiverKey)
        assert key.text.get_text().endswith(f" {unit}/{clock}")
    if name == "cube":
        assert ("cut at z = 0.625 m" if picture == "value" else "integrated over z") in text


def test_numbers_without_unit_are_not_given_one() -> None:
    figure = plots.plan(solved("supply-demand"))
    assert panels(figure)[0].get_xlabel() == "x"
    assert "mass per unit area" in texts(figure)
    assert "mass per unit length" in texts(plots.plan(solved("gaussian-log")))


def test_the_plan_shows_the_density_of_the_dataset_on_one_stated_scale() -> None:
    solution = solved("supply-demand")
    data, figure = solution.dataset, plots.plan(solution, times=[0, 0.5, 1])
    axes = panels(figure)
    assert [ax.get_title() for ax in axes] == ["t = 0", "t = 0.5", "t = 1"]
    norms = {id(ax.images[0].norm) for ax in axes}
    assert len(norms) == 1
    assert isinstance(axes[0].images[0].norm, PowerNorm)
    assert "√density" in texts(figure)
    for ax, node in zip(axes, (0, 48, 96), strict=True):
        np.testing.assert_allclose(ax.images[0].get_array(), data["density"].values[node], rtol=1e-12)
        assert ax.images[0].origin == "lower"
        np.testing.assert_allclose(ax.images[0].get_extent(), (0, 1, 0, 1), atol=1e-12)


@pytest.mark.parametrize("name", ["supply-demand", "montreal"])
@pytest.mark.parametrize("picture", ["plan", "value", "speed"])
def test_the_marker_stands_where_the_track_is(name: str, picture: str) -> None:
    data = solved(name).dataset
    nodes = [0, 40, 77]
    figure = PICTURES[picture](data, times=data["time"].values[nodes])
    for ax, node in zip(panels(figure), nodes, strict=True):
        path, now = (line.get_xydata() for line in ax.lines[:2])
        np.testing.assert_allclose(now, [data["track"].values[node]], atol=1e-12)
        np.testing.assert_array_equal(path, data["track"].values)


def test_the_marker_moves_forward_in_time() -> None:
    """Demand starts at the left of the map and ends at the right: a mirrored clock would show here."""
    x = [ax.lines[1].get_xdata()[0] for ax in panels(plots.plan(solved("supply-demand")))]
    assert x[0] == pytest.approx(0.15)
    assert x[-1] == pytest.approx(0.85)


def test_profiles_of_one_axis_are_the_densities_and_dots_the_track() -> None:
    data = solved("gaussian-log").dataset
    t = data["time"].values[[0, 33]]
    _, right = panels(plots.plan(data, times=t))
    for pair, node in zip((right.lines[:2], right.lines[2:]), (0, 33), strict=True):
        np.testing.assert_allclose(pair[0].get_ydata(), data["density"].values[node], rtol=1e-12)
        np.testing.assert_allclose(pair[1].get_xdata(), data["track"].values[node], atol=1e-12)


def test_walls_are_drawn_exactly_where_cells_are_blocked() -> None:
    data = solved("crowd-aversion").dataset
    for picture in ("plan", "speed"):
        overlay = panels(PICTURES[picture](data))[0].images[1].get_array()
        np.testing.assert_array_equal(~np.ma.getmaskarray(overlay), data["blocked"].values.astype(bool))
    seen = View(solved("cube").dataset)
    assert seen.walls is not None
    assert seen.walls_cut is not None
    assert seen.walls.sum() == 4
    assert seen.walls_cut.sum() == 4 + 2  # two cells hang from the ceiling: in the cut, not in the shadow


def test_sites_are_dots_with_area_by_size() -> None:
    data = solved("montreal").dataset
    (dots,) = panels(plots.plan(data))[0].findobj(PathCollection)
    np.testing.assert_array_equal(dots.get_offsets(), np.column_stack([data["site_x"], data["site_y"]]))
    sizes, hours = dots.get_sizes(), data["site_size"].values
    np.testing.assert_allclose(sizes / sizes.max(), hours / hours.max())
    assert "car hours" in texts(plots.plan(data))


def test_three_axes_are_integrated_over_z() -> None:
    data = solved("cube").dataset
    image = panels(plots.plan(data, times=[1.0]))[0].images[0].get_array()
    np.testing.assert_allclose(image, data["density"].sel(time=1.0).sum("z") * 0.25, rtol=1e-12)
    assert float(np.sum(image)) / (5 * 6) == pytest.approx(1.0)  # all agents are in the picture, per square metre


def test_times_between_nodes_are_linear() -> None:
    data = solved("supply-demand").dataset
    t = data["time"].values
    middle = panels(plots.plan(data, times=[(t[3] + t[4]) / 2]))[0].images[0].get_array()
    np.testing.assert_allclose(
        middle, (data["density"].values[3] + data["density"].values[4]) / 2, rtol=1e-9, atol=1e-9
    )


def test_arrows_are_the_mean_momentum_of_their_block() -> None:
    """Uneven blocks of 2 and 1 cells along each of 23 cells; speeds and masses drawn at random; brute force."""
    rng = np.random.default_rng(3)
    n, centres = 23, (np.arange(23) + 0.5) / 23
    dims = ("y", "x")
    data = xr.Dataset(
        {
            "density": (("time", *dims), rng.uniform(0.1, 1.0, (3, n, n))),
            "speed": (("step", "move", *dims), rng.uniform(0.0, 1.0, (2, 4, n, n))),
        },
        {"time": [0.0, 0.5, 1.0], "step": [0.0, 0.5], "move": ["x+", "x-", "y+", "y-"], "x": centres, "y": centres},
        {"schema": "mfgsolve/1"},
    )
    data["density"].values[1, 4:6, 8:10] = 1e-9  # one empty block
    seen = View(data)
    at = lambda t: arrows(seen, t, [_net(seen, name, seen.step_at(t)) for name in "xy"])
    x, y, u, v = at(0.7)  # in the second step
    expected = []
    for j in range(0, n, 2):
        for i in range(0, n, 2):
            block = data.isel(step=1, y=slice(j, j + 2), x=slice(i, i + 2))
            mass, speed = block["density"].values[1], block["speed"].values
            if (j, i) != (4, 8):
                net = [speed[0] - speed[1], speed[2] - speed[3]]
                gx, gy = np.meshgrid(block["x"].values, block["y"].values)
                expected.append([(mass * a).sum() / mass.sum() for a in (gx, gy, *net)])
    np.testing.assert_allclose(np.column_stack([x, y, u, v]), expected, rtol=1e-12)
    for t in (0.5, 1.0):  # the step that starts then, and the last one at the horizon
        np.testing.assert_array_equal(np.array(at(t)), [x, y, u, v])
    assert not np.allclose(at(0.0)[2][:50], u[:50])


def test_arrows_stand_only_where_there_is_a_crowd() -> None:
    ax = panels(plots.speed(solved("supply-demand"), times=[0.0]))[0]
    (quiver,) = ax.findobj(Quiver)
    distance = np.hypot(quiver.X - 0.15, quiver.Y - 0.2)
    assert 0 < quiver.N < 50
    assert distance.max() < 0.3
    assert quiver.U.mean() > 0  # and go to the right


def test_convergence_separates_grids_and_shows_what_is_below_zero() -> None:
    solution = solved("crowd-aversion")
    data = solution.dataset.copy(deep=True)
    data["relative_exploitability"].values[-1] = -1e-17
    data["cell_steps"].values[:3] /= 8
    figure = plots.convergence({"newton": data, "again": solution})
    text = texts(figure)
    assert "newton" in text
    assert "again" in text
    assert "at or below zero" in text
    assert "tolerance" in text
    left = figure.axes[0]
    assert left.get_yscale() == "log"
    hollow = sum(len(line.get_xdata()) for line in left.lines if line.get_marker() == "o" and line.get_mfc() == "white")
    cells = [d["cell_steps"].values for d in (data, solution.dataset)]
    assert hollow == sum((c < c[-1]).sum() for c in cells) >= 3
    below = [line for line in left.lines if line.get_marker() == "v"]
    assert [len(line.get_xdata()) for line in below] == [1]
    assert "at or below zero" not in texts(plots.convergence(solution))


# -- finite games ----------------------------------------------------------------------------------------------------


def test_populations_have_a_row_each_on_one_scale() -> None:
    data = solved("predator-prey").dataset
    names = [str(name) for name in data["population"].values]
    axes = panels(plots.plan(data, times=[0, 2, 10]))
    assert len(axes) == 9
    assert [ax.get_ylabel().split("\n")[0] for ax in axes[::3]] == names
    assert len({id(ax.images[0].norm) for ax in axes}) == 1
    for k in range(3):
        for ax, node in zip(axes[3 * k : 3 * k + 3], (0, 2, 10), strict=True):
            np.testing.assert_array_equal(ax.images[0].get_array(), data["density"].values[node, k])
    values = panels(plots.value(data, times=[3]))
    for k, ax in enumerate(values):
        np.testing.assert_allclose(ax.images[0].get_array(), data["value"].values[3, k], rtol=1e-12)


def test_a_crowd_that_starts_in_a_point_lies_beyond_the_scale_which_the_bar_says() -> None:
    data = solved("predator-prey").dataset
    figure = plots.plan(data, times=[0, 5, 10])
    norm = panels(figure)[0].images[0].norm
    assert norm.vmax == data["density"].sel(time=[5, 10]).max() < 0.2 * data["density"].sel(time=0).max()
    assert norm.extend == "max"
    assert "beyond the arrow: the start" in texts(figure)
    assert "beyond" not in texts(plots.plan(solved("crowd-motion")))


def test_finite_games_are_shown_at_their_nodes_cell_by_cell() -> None:
    data = solved("beach-bar").dataset
    left, right = panels(plots.plan(data))
    np.testing.assert_array_equal(left.images[0].get_array(), data["density"].values.T)
    np.testing.assert_allclose(left.images[0].get_extent(), (-0.5, 6.5, -0.5, 11.5))  # a column a node, a row a cell
    times = {float(text.get_text().removeprefix("t = ")) for text in right.get_legend().get_texts()}
    assert times <= set(data["time"].values)
    assert len(times) > 3


def test_states_have_their_names_and_shares() -> None:
    data = solved("left-right").dataset
    left, right = panels(plots.plan(data))
    assert [text.get_text() for text in left.get_yticklabels()] == ["start", "left", "right"]
    for line, name in zip(right.lines, data["state"].values, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), data["density"].sel(state=name))
    assert "share of agents" in right.get_ylabel()
    many = panels(plots.plan(solved("two-queues")))
    assert len(many) == 4
    assert many[0].get_ylabel().startswith("vans")


def test_probabilities_of_actions_are_hidden_where_nobody_is() -> None:
    data = solved("left-right").dataset
    figure = plots.policy(data)
    assert "nobody is there" in texts(figure) + "".join(t.get_text() for t in figure.legends[0].get_texts())
    for ax, action in zip(panels(figure), data["action"].values, strict=True):
        assert ax.get_title() == action
        shown = ax.images[0].get_array()
        empty = (data["density"].values[:-1] == 0).T
        np.testing.assert_array_equal(np.ma.getmaskarray(shown), empty)
        np.testing.assert_array_equal(shown[~empty], data["policy"].sel(action=action).values.T[~empty])


def test_arrows_of_lattice_moves_are_the_mean_of_the_moves() -> None:
    data = solved("crowd-motion").dataset
    ax = panels(plots.policy(data, times=[1]))[0]
    (quiver,) = ax.findobj(Quiver)
    chosen = data["policy"].isel(step=1)
    east = (chosen.sel(action="x+") - chosen.sel(action="x-")).values
    north = (chosen.sel(action="y+") - chosen.sel(action="y-")).values
    assert east.size == quiver.N  # the crowd is everywhere: an arrow in every cell
    place = {(round(float(x), 6), round(float(y), 6)): k for k, (x, y) in enumerate(quiver.get_offsets())}
    for j, y in enumerate(data["y"].values):
        for i, x in enumerate(data["x"].values):
            k = place[round(float(x), 6), round(float(y), 6)]
            assert (quiver.U[k], quiver.V[k]) == pytest.approx((east[j, i], north[j, i]), abs=1e-12)
    assert max(np.hypot(quiver.U, quiver.V)) / quiver.scale <= 0.9 / 8 + 1e-12  # none reaches beyond its cell


def test_many_moves_on_a_line_are_shown_by_their_mean() -> None:
    data = solved("long-moves").dataset
    (ax,) = panels(plots.policy(data))
    moves = np.arange(-3, 4)
    mean = np.einsum("tax,a->tx", data["policy"].values, moves)
    shown = np.asarray(ax.images[0].get_array()).T
    there = np.isfinite(shown)
    assert there.any()
    np.testing.assert_allclose(shown[there], mean[there], atol=1e-12)
    assert mean[0][there[0]].max() > 0  # toward the goal


@pytest.mark.parametrize("name", ["jumps", "two-queues"])
def test_the_likeliest_action_has_its_colour_in_the_legend(name: str) -> None:
    data = solved(name).dataset
    figure = plots.policy(data) if name == "two-queues" else plots.policy(data, times=[0, 2])
    named = {text.get_text() for text in figure.legends[0].get_texts()}
    likeliest = data["policy"].argmax("action").values
    for ax, k in zip(panels(figure), (0, 1) if name == "two-queues" else (0, 2), strict=True):
        shown = ax.images[0].get_array()
        truth = likeliest[:, k].T if name == "two-queues" else likeliest[k]
        free = ~np.ma.getmaskarray(shown)
        np.testing.assert_array_equal(shown[free], truth[free])
        assert {f"to {a}" for a in np.unique(truth[free])} <= named


def test_names_of_moves_say_where_they_lead() -> None:
    from mfgsolve.dynamics.lattice import move_name

    for offset in [(0, 0, 0), (1, 0, 0), (-2, 0, 0), (0, -1, 0), (3, -2, 0), (0, 0, 11), (-1, 1, -1)]:
        assert offset_of(move_name(offset)) == offset
    for other in ("go out", "", "x", "x++", "left", "xy", "y+x+", "to 3"):
        assert offset_of(other) is None


def test_speeds_and_policies_are_not_confused() -> None:
    with pytest.raises(InputError, match=r"it is of a finite game; use mfg\.plots\.policy"):
        plots.speed(solved("beach-bar"))
    with pytest.raises(InputError, match=r"it is of a controlled diffusion; use mfg\.plots\.speed"):
        plots.policy(solved("supply-demand"))
    with pytest.raises(InputError, match="leave times out"):
        plots.policy(solved("beach-bar"), times=[1])
    with pytest.raises(InputError, match="outside the horizon"):
        plots.policy(solved("four-rooms"), times=[99])


def test_the_film_of_populations_shows_each() -> None:
    data = solved("predator-prey").dataset
    film = Film(data)
    film.show(4.0)
    axes = panels(film.figure)
    for k, ax in enumerate(axes):
        np.testing.assert_allclose(ax.images[0].get_array(), data["density"].values[4, k], atol=1e-15)
        assert str(data["population"].values[k]) in ax.get_title(loc="left")
    bars = Film(solved("left-right").dataset)
    bars.show(1.0)
    heights = [bar.get_height() for bar in bars.axes.patches]
    np.testing.assert_allclose(heights, solved("left-right").dataset["density"].values[1], atol=1e-15)


def test_a_measure_that_was_not_taken_is_said_to_be_missing() -> None:
    data = solved("gaussian-log").dataset.copy(deep=True)
    data["duality_gap"].values[:] = np.nan
    assert "not measured" in texts(plots.convergence(data))


def test_round_times_are_short_to_write() -> None:
    np.testing.assert_allclose(round_times(1.0, (6, 5, 7)), [0, 0.2, 0.4, 0.6, 0.8, 1.0])
    np.testing.assert_allclose(round_times(24.0, (6, 5, 7)), [0, 6, 12, 18, 24])


def test_pictures_need_neither_pyplot_nor_the_compiler() -> None:
    code = (
        "import sys, mfgsolve; before = 'matplotlib' in sys.modules; mfgsolve.plots.plan; print(before, *sys.modules)"
    )
    words = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert words[0] == "False"
    assert "matplotlib.figure" in words
    assert not {"matplotlib.pyplot", "numba"} & set(words)


def test_a_figure_shows_itself_in_a_notebook() -> None:
    assert plots.convergence(solved("cole-hopf"))._repr_png_().startswith(b"\x89PNG")


# -- files ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg", ".jpg"])
def test_saved_pictures_are_whole(tmp_path, suffix: str) -> None:
    path = plots.save(plots.plan(solved("supply-demand")), tmp_path / f"plan{suffix}")
    assert path.stat().st_size > 5000
    assert [p.name for p in tmp_path.iterdir()] == [f"plan{suffix}"]
    if suffix == ".png":
        with Image.open(path) as image:
            assert 1700 < image.width < 1900  # 12 inches at 150 dots


def test_a_failed_save_leaves_the_earlier_picture(tmp_path, monkeypatch) -> None:
    path = tmp_path / "plan.png"
    path.write_bytes(b"earlier")
    figure = plots.plan(solved("cole-hopf"))

    def fails(target, **_):
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figure, "savefig", fails)
    with pytest.raises(FileError, match="No space left"):
        plots.save(figure, path)
    assert path.read_bytes() == b"earlier"
    assert [p.name for p in tmp_path.iterdir()] == ["plan.png"]


@pytest.mark.parametrize("name", ["supply-demand", "gaussian-log", "cube", "predator-prey", "left-right", "two-queues"])
def test_an_animation_has_the_frames_asked_for(tmp_path, name: str) -> None:
    path = plots.animate(solved(name), tmp_path / "plan.gif", frames=7, fps=10, dpi=50)
    with Image.open(path) as image:
        assert image.n_frames == 7
        assert image.info["duration"] == 100
    assert [p.name for p in tmp_path.iterdir()] == ["plan.gif"]


def test_the_film_shows_density_and_marker_of_its_time() -> None:
    data = solved("supply-demand").dataset
    film = Film(data)
    film.show(float(data["time"].values[60]))
    np.testing.assert_allclose(film.axes.images[0].get_array(), data["density"].values[60], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(film.axes.lines[1].get_xydata(), [data["track"].values[60]], atol=1e-12)
    assert "t = 0.62" in film.axes.get_title(loc="left")


def test_films_of_ffmpeg(tmp_path) -> None:
    path = tmp_path / "plan.mp4"
    if FFMpegWriter.isAvailable():
        assert plots.animate(solved("cole-hopf"), path, frames=3, dpi=50).stat().st_size > 0
    else:
        with pytest.raises(InputError, match=r"ffmpeg.*write a \.gif"):
            plots.animate(solved("cole-hopf"), path, frames=3)


# -- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("picture", ["plan", "value", "speed"])
@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([0, 1.5], r"time 1\.5 lies outside the horizon; times from 0 to 1"),
        ([-0.1], "outside the horizon"),
        ([float("nan")], "outside the horizon"),
        ([], "at least one time"),
        (["noon"], "numbers from 0 to 1"),
    ],
)
def test_times_outside_the_horizon(picture: str, times: list, words: str) -> None:
    with pytest.raises(InputError, match=words):
        PICTURES[picture](solved("supply-demand"), times=times)


@pytest.mark.parametrize("picture", ["value", "speed"])
def test_one_axis_takes_no_times_for_a_picture_of_all(picture: str) -> None:
    with pytest.raises(InputError, match="leave times out"):
        PICTURES[picture](solved("gaussian-log"), times=[0.5])


@pytest.mark.parametrize("picture", PICTURES)
def test_what_is_no_solution(picture: str) -> None:
    draw = PICTURES[picture]
    with pytest.raises(InputError, match="schema 'missing'"):
        draw(xr.Dataset({"density": ("x", [1.0])}))
    with pytest.raises(InputError, match=r"is needed"):
        draw(3.0)
    needed = {"plan": "density", "value": "value", "speed": "speed", "convergence": "sweeps"}[picture]
    with pytest.raises(InputError, match=f"has no .*{needed}"):
        draw(solved("supply-demand").dataset.drop_vars(needed))


def test_nothing_to_compare() -> None:
    for nothing in ({}, [], [solved("cole-hopf")]):
        with pytest.raises(InputError, match=r"list of \(label, solution\)"):
            plots.convergence(nothing)


def test_bad_outputs(tmp_path) -> None:
    figure, solution = plots.plan(solved("cole-hopf")), solved("cole-hopf")
    cases = [
        (lambda: plots.save(figure, tmp_path / "plan.pgn"), r"unknown suffix .*'\.pgn'; did you mean '\.png'"),
        (lambda: plots.save(figure, tmp_path / "plan"), r"\(none\).*allowed: \.jpg"),
        (lambda: plots.save(solution, tmp_path / "plan.png"), "save got a Solution"),
        (lambda: plots.save(figure, tmp_path / "no" / "plan.png"), "folder .* does not exist"),
        (lambda: plots.save(figure, tmp_path / "plan.png", dpi=0), "dpi is 0"),
        (lambda: plots.animate(solution, tmp_path / "plan.png"), r"allowed: \.gif, \.mp4"),
        (lambda: plots.animate(solution, tmp_path / "plan.gif", frames=1), "at least 2"),
        (lambda: plots.animate(solution, tmp_path / "plan.gif", frames=2.5), "whole number"),
        (lambda: plots.animate(solution, tmp_path / "plan.gif", fps=0), "fps is 0"),
    ]
    for call, words in cases:
        with pytest.raises(InputError, match=words):
            call()
    assert not list(tmp_path.iterdir())
