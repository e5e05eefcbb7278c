"""Films: the frames asked for, each with the density and the marker of its time."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.animation import FFMpegWriter
from pictured import PICTURES, panels, solved
from PIL import Image

from mfgsolve import plots
from mfgsolve.errors import InputError
from mfgsolve.plots.moving import Film
from mfgsolve.plots.style import applied, style_of


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


def test_films_take_words_of_the_users_own(tmp_path) -> None:
    words = {"x": "y", "y": "x", "red": "fox"}
    with applied(style_of({"labels": words})):
        film = Film(solved("predator-prey"))
    first, *_ = panels(film.figure)
    for time in (0.0, 4.0):
        film.show(time)
        assert (first.get_xlabel(), first.get_ylabel()) == ("y", "x")
        assert first.get_title(loc="left").split("\n")[-1] == "fox"
    with pytest.raises(InputError, match="unknown label in the picture 'rde'; did you mean 'red'"):
        plots.animate(solved("predator-prey"), tmp_path / "plan.gif", labels={"rde": "fox"})
    with pytest.raises(InputError, match="ax is for pictures"):
        plots.animate(solved("predator-prey"), tmp_path / "plan.gif", ax=first)
    assert not list(tmp_path.iterdir())
