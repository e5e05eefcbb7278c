"""Texts and legends on narrow pages: lines are broken where they are longer than there is room, legends stand below."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
from matplotlib.transforms import ScaledTranslation

__all__ = ["LOWER", "fold", "inches_of", "settle"]

LOWER = "below its axis"  # name of a legend that is put there
SHORT = 12  # letters of a text that is not broken: t = 0.25 km
LEFT = 0.95  # of the room above and below panels true to scale: as much is taken away
GAP = 0.6  # sizes of type between an axis and its legend


def inches_of(text: str, points: float) -> float:
    """How wide a line of text is."""
    plain = text.replace(r"\$", "S")
    return float(text_to_path.get_text_width_height_descent(plain, FontProperties(size=points), False)[0]) / 72.0


def fold(text: str, room: float, points: float) -> str:
    """The text in lines of at most so many inches, broken at spaces."""
    return "\n".join(folded for line in text.split("\n") for folded in _folded(line, room, points))


def _folded(line: str, room: float, points: float) -> Iterable[str]:
    start, *rest = line.split(" ")
    for word in rest:
        if inches_of(f"{start} {word}", points) <= room:
            start = f"{start} {word}"
        else:
            yield start
            start = word
    yield start


def settle(figure: Figure) -> None:
    """Break labels and titles that are longer than their axes, and put legends below them: each part of the figure
    grows by what that takes, and loses the room that panels true to scale leave empty."""
    parts: list[Figure | SubFigure] = [*figure.subfigs] if figure.subfigs else [figure]
    for part in parts:
        part.align_ylabels()
    figure.draw_without_rendering()  # now axes have places
    heights = np.array([part.bbox.height / figure.dpi for part in parts])
    heights += [_grown(part) - _empty(part) for part in parts]
    heading = _heading(figure) if figure.subfigs else 0.0
    stacked = getattr(figure.subfigs[0], "_subplotspec", None) if figure.subfigs else None
    if stacked is not None:
        stacked.get_gridspec().set_height_ratios(list(heights))
        heading += figure.get_figheight() - sum(part.bbox.height for part in parts) / figure.dpi
    figure.set_figheight(float(sum(heights)) + heading)


def _grown(part: Figure | SubFigure) -> float:
    """Inches more that titles, labels and legends of a part of a figure take, once they are broken and put in place."""
    dpi, added = part.figure.dpi, _heading(part)
    for ax in part.axes:
        box = ax.get_window_extent()
        for text, room in (
            (ax.xaxis.label, 1.15 * box.width), (ax.yaxis.label, 1.1 * box.height), (ax.title, 1.02 * box.width)
        ):  # fmt: skip
            folded = _broken(text.get_text(), room / dpi, float(text.get_fontsize()))
            added += (
                _height(text, folded.count("\n") - text.get_text().count("\n")) if text is not ax.yaxis.label else 0
            )
            text.set_text(folded)
    rows: dict[tuple[int, int], float] = defaultdict(float)
    for ax in part.axes:
        legend = ax.get_legend()
        if legend is not None and legend.get_gid() == LOWER:
            row = _row(ax)
            rows[row] = max(rows[row], _lower(ax))
    return added + sum(rows.values())


def _row(ax: Axes) -> tuple[int, int]:
    place = ax.get_subplotspec()
    return id(ax.figure), 0 if place is None else place.rowspan.start


def _empty(part: Figure | SubFigure) -> float:
    """Inches that rows of panels true to scale leave above and below themselves."""
    rows: dict[tuple[int, int], float] = {}
    for ax in part.axes:
        if ax.get_label() != "<colorbar>":
            cell, row = ax.get_position(original=True).transformed(ax.figure.transSubfigure), _row(ax)
            taken = ax.get_tightbbox() if ax.get_window_extent().height < cell.height - 1.0 else cell
            room = 0.0 if taken is None else max(cell.y1 - taken.y1, 0.0) + max(taken.y0 - cell.y0, 0.0)
            rows[row] = min(rows.get(row, np.inf), room / part.figure.dpi)
    return LEFT * float(sum(rows.values()))


def _heading(part: Figure | SubFigure) -> float:
    """Inches of the lines of a title beyond its first."""
    heading: Text | None = getattr(part, "_suptitle", None)
    return 0.0 if heading is None else _height(heading, heading.get_text().count("\n"))


def _broken(text: str, room: float, points: float) -> str:
    """In lines: between the parts of a list if there is one, at spaces if need be."""
    if len(text) <= SHORT:
        return text
    if "," in text and max(inches_of(line, points) for line in text.split("\n")) > room:
        text = text.replace("\n", " ").replace(", ", ",\n")
    return fold(text, room, points)


def _height(text: Text, lines: int) -> float:
    return 1.2 * lines * float(text.get_fontsize()) / 72.0


def _lower(ax: Axes) -> float:
    """Put the legend of a panel below all that is at its axis; the height of it, inches."""
    legend, figure = ax.get_legend(), ax.figure
    assert legend is not None
    bottom = ax.get_window_extent().y0
    axis = ax.xaxis.get_tightbbox()
    below = (bottom - (bottom if axis is None else min(axis.y0, bottom))) / figure.dpi
    gap = GAP * float(legend.get_texts()[0].get_fontsize()) / 72.0
    moved = ax.transAxes + ScaledTranslation(0.0, -(below + gap), figure.dpi_scale_trans)
    legend.set_bbox_to_anchor((0.5, 0.0), transform=moved)
    return float(legend.get_window_extent().height) / figure.dpi + gap
