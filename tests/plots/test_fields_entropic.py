"""Pictures of plans in the entropic scheme: arrows of mean velocities, densities that are exact between nodes."""

import numpy as np
import pytest
from entropic_games import solved
from matplotlib.quiver import Quiver, QuiverKey
from pictured import panels

import mfgsolve as mfg
from mfgsolve import plots
from mfgsolve.plots.moving import Film
from mfgsolve.plots.reading import view


def test_arrows_are_mean_velocities_weighed_by_mass_and_true_to_scale():
    data = solved("plane").dataset
    figure = plots.speed(data, times=[0.2])
    (ax,) = panels(figure)
    quiver = next(child for child in ax.get_children() if isinstance(child, Quiver))
    mass = data["density"].values[1]  # 0.2 lies in the second step; every cell is a block of its own
    there = (mass >= 0.01 * mass.max()) & (mass > 0)
    for k, component in enumerate((quiver.U, quiver.V)):
        assert component == pytest.approx(data["velocity"].values[1, k][there], rel=1e-12)
    x, y = np.meshgrid(data["x"], data["y"])
    assert list(quiver.X) == pytest.approx(x[there])
    assert list(quiver.Y) == pytest.approx(y[there])
    longest = np.hypot(quiver.U, quiver.V).max()
    assert quiver.scale == pytest.approx(6 * longest)  # the longest one is a sixth of a panel
    assert longest > 0.1


def test_velocities_of_a_line_and_of_a_cube():
    line = solved("line").dataset
    (ax,) = panels(plots.speed(line))[:1]
    shown = np.asarray(ax.images[0].get_array().filled(np.nan)).T
    density = line["density"].values[:-1]
    there = density >= 0.01 * density.max(axis=1, keepdims=True)
    assert shown[there] == pytest.approx(line["velocity"].values[:, 0][there])
    (key,) = plots.speed(solved("cube")).findobj(QuiverKey)
    assert key.text.get_text().endswith(" m/s")


def test_policy_says_which_picture_there_is():
    with pytest.raises(mfg.InputError, match=r"it is of a controlled diffusion; use mfg\.plots\.speed"):
        plots.policy(solved("plane"))


def test_a_plan_at_a_time_between_two_nodes_is_the_bridge():
    solution = solved("plane")
    times = [0.0, 0.07, 0.2, 0.5]
    for ax, t in zip(panels(plots.plan(solution, times=times)), times, strict=True):
        assert np.array_equal(ax.images[0].get_array(), solution.density_at(t))
    between = solution.dataset["density"].interp(time=0.07)
    assert np.abs(solution.density_at(0.07) - between).max() > 0.05


def test_a_film_shows_the_density_of_its_moments(tmp_path):
    for name in ("plane", "line", "cube"):
        solution = solved(name)
        film, t = Film(solution), 0.37 * float(solution.dataset["time"][-1])
        film.show(t)
        wanted = solution.density_at(t).values
        if name == "line":
            assert np.array_equal(film.axes.lines[0].get_ydata(), wanted)
            continue
        if name == "cube":
            wanted = wanted.sum(axis=0) * float(np.diff(solution.dataset["z"])[0])
        assert np.allclose(film.axes.images[0].get_array(), wanted, atol=1e-15)
    assert plots.animate(solved("plane"), tmp_path / "film.gif", frames=3, dpi=40).stat().st_size > 1000


def test_an_image_over_time_has_columns_between_the_nodes():
    seen = view(solved("line"))
    times, levels = seen.course(100)
    assert len(times) == 8 * 13 + 1  # 13 parts of each of 8 steps
    assert np.array_equal(times[::13], seen.times)
    assert np.array_equal(levels[::13], seen.densities())
    assert np.diff(times) == pytest.approx(np.full(104, 1 / 104))
    for k in (5, 77):
        assert np.array_equal(levels[k], solved("line").density_at(float(times[k])))
    left, right, *_ = panels(plots.plan(solved("line")))[0].images[0].get_extent()
    assert (left, right) == pytest.approx((-0.5 / 128, 1 + 0.5 / 128))


def test_other_plans_have_columns_at_their_nodes_alone(small_problem):
    seen = view(mfg.solve(small_problem, max_iterations=0, check="ignore"))
    times, levels = seen.course(10_000)
    assert np.array_equal(times, seen.times)
    assert np.array_equal(levels, seen.densities())
