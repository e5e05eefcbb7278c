"""What pictures are drawn on: axes and figures of the user's own, titles in lines, files whose letters stay letters."""

from __future__ import annotations

import io
import re
import zlib

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pictured import solved

from mfgsolve import plots
from mfgsolve.errors import InputError
from mfgsolve.plots.narrow import fold, inches_of
from mfgsolve.plots.pages import Picture, row_height
from mfgsolve.plots.style import applied, style_of

PLAN = "supply-demand"


def test_a_picture_is_drawn_on_axes_of_the_users_own():
    figure = Figure(figsize=(7, 2.5), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    right.plot([0, 1], [0, 1])
    made = plots.plan(solved(PLAN), times=[0.0, 1.0], ax=[left, middle], legend=False)
    assert made is figure
    np.testing.assert_allclose(middle.images[0].get_array(), solved(PLAN).dataset["density"].values[-1])
    assert len(right.lines) == 1
    assert not right.images
    assert figure._suptitle is None  # type: ignore[attr-defined]
    assert " ".join(left.get_title().split()) == "warning: too few steps t = 0"  # warnings stand wherever answers do
    assert middle.get_title() == "t = 1"
    figure.draw_without_rendering()


def test_a_file_is_laid_out_and_drawn_once_and_looks_as_matplotlib_draws_it(monkeypatch):
    files, drawn, draw = {}, [], Axes.draw
    monkeypatch.setattr(Axes, "draw", lambda ax, renderer: (drawn.append(ax), draw(ax, renderer)))
    for name, drawing in (("once", Picture.draw), ("twice", Figure.draw)):
        monkeypatch.setattr(Picture, "draw", drawing)
        for box in ("tight", None):
            drawn.clear()
            figure, file = plots.plan(solved(PLAN), times=[0.0, 1.0], width=10.0), io.BytesIO()
            figure.savefig(file, format="png", dpi=60, bbox_inches=box)
            files[name, box], count = file.getvalue(), len(drawn)
            assert count == len(figure.axes) * (1 if name == "once" else 2)
    for box in ("tight", None):
        assert files["once", box] == files["twice", box]


@pytest.mark.parametrize("asked", [{}, {"figure.constrained_layout.use": True}, {"figure.autolayout": True}])
def test_a_film_keeps_its_places_whatever_layout_the_user_prefers(asked):
    with rc_context(asked):
        figure = Picture(figsize=(3, 2), layout="compressed")
        ax = figure.subplots()
        figure.draw_without_rendering()
        place = ax.get_position().bounds
        figure.hold_layout()
        ax.set_ylabel("a label\nof several\nlines")
        drawn = []
        ax.draw = lambda renderer: (drawn.append(renderer), Axes.draw(ax, renderer))  # type: ignore[method-assign]
        for _ in range(2):  # the second time, too
            figure.savefig(io.BytesIO(), format="png")
        assert ax.get_position().bounds == place
        assert len(drawn) == (4 if asked else 2)


def test_axes_are_as_many_as_panels():
    figure = Figure()
    axes = figure.subplots(1, 3)
    for count, given in ((2, axes), (6, axes[:1])):
        times = np.linspace(0, 1, count)
        with pytest.raises(InputError, match=rf"the picture has {count} panels, and ax holds {len(given)} axes"):
            plots.plan(solved(PLAN), times=times, ax=given)
    with pytest.raises(InputError, match="each once"):
        plots.plan(solved(PLAN), times=[0, 1], ax=[axes[0], axes[0]])
    with pytest.raises(InputError, match="ax and width"):
        plots.plan(solved(PLAN), times=[0], ax=axes[0], width=3.0)


@pytest.mark.parametrize(
    ("draw", "count"),
    [
        (lambda ax: plots.convergence(solved(PLAN), measures=["duality_gap"], ax=ax), 1),
        (lambda ax: plots.speed(solved(PLAN), times=[0.0, 0.5], ax=ax), 2),
        (lambda ax: plots.value(solved("beach-bar"), ax=ax), 1),
        (lambda ax: plots.policy(solved("beach-bar"), ax=ax), 3),
        (lambda ax: plots.plan(solved("left-right"), ax=ax), 2),
    ],
)
def test_every_kind_of_picture_stands_on_given_axes(draw, count):
    figure = Figure(figsize=(9, 3), layout="constrained")
    axes = np.ravel(figure.subplots(1, count))
    assert draw(axes if count > 1 else axes[0]) is figure
    assert all(ax.has_data() for ax in axes)
    figure.draw_without_rendering()


def test_a_picture_fills_a_part_of_a_figure():
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subfigures(1, 2)
    assert plots.convergence(solved(PLAN), ax=left) is figure
    plots.plan(solved("beach-bar"), ax=right, title="the beach")
    assert len(left.axes) == 2
    assert "supply-demand" in left._suptitle.get_text()
    assert right._suptitle.get_text() == "the beach"
    figure.draw_without_rendering()


def test_lines_are_broken_where_they_are_too_long():
    text = "supply-demand: where the crowd is (converged, relative exploitability 3e-11)"
    folded = fold(text, 2.5, 8.0)
    assert folded.replace("\n", " ") == text
    assert max(inches_of(line, 8.0) for line in folded.split("\n")) <= 2.5
    assert inches_of("wide", 16.0) == pytest.approx(2 * inches_of("wide", 8.0))
    assert fold("unbreakable", 0.1, 8.0) == "unbreakable"


@pytest.mark.slow
def test_files_keep_letters(tmp_path):
    figure = plots.convergence(solved(PLAN), width=3.5)
    pdf = plots.save(figure, tmp_path / "c.pdf").read_bytes()
    assert b"/FontFile2" in pdf
    assert b"/CIDFontType2" in pdf  # Type 42: outlines as they are, which can be searched and edited
    assert b"/Subtype /Type3" not in pdf
    streams = [zlib.decompress(part) for part in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.S)
               if part[:1] == b"x"]  # fmt: skip
    assert any(b" Tf" in part for part in streams)
    svg = plots.save(figure, tmp_path / "c.svg").read_text()
    assert "<text" in svg
    assert "sweeps of the final grid" in svg
    figure.savefig(tmp_path / "own.pdf")  # as Matplotlib's users do
    assert b"/CIDFontType2" in (tmp_path / "own.pdf").read_bytes()


def test_a_stated_width_is_that_of_the_file(tmp_path):
    from PIL import Image

    for width in (3.5, 7.0):
        path = plots.save(plots.convergence(solved(PLAN), width=width), tmp_path / "c.png", dpi=100)
        with Image.open(path) as image:
            assert image.width == round(100 * width)


def test_wide_pages_keep_the_full_height_of_a_row() -> None:
    for count, height in ((1, 4.4), (3, 4.2), (5, 3.0)):
        assert row_height(count, height) == pytest.approx(height * -(-count // 4) + 0.35 * (1 < count <= 4))
    with applied(style_of({"width": 3.5})):
        assert row_height(2, 4.4) == pytest.approx(2 * 0.72 * 3.5)
