"""Texts and legends on narrow pages: lines are broken where they are longer than there is room, legends stand below."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
from matplotlib.transforms import ScaledTranslation

__all__ = ["LOWER", "fold", "inches_of", "settle"]

LOWER = "below its axis"  # name of a legend that is put there
SHORT = 12  # letters of a text that is not broken: t = 0.25 km
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
    """Break labels and titles that are longer than their axes, and put legends below them, with the height it takes."""
    figure.draw_without_rendering()  # now axes have places
    dpi, added = figure.dpi, 0.0
    for ax in figure.axes:
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
    for ax in figure.axes:
        legend = ax.get_legend()
        if legend is not None and legend.get_gid() == LOWER:
            height, place = _lower(figure, ax), ax.get_subplotspec()
            row = (id(ax.figure), 0 if place is None else place.rowspan.start)
            rows[row] = max(rows[row], height)
    heading: Text | None = getattr(figure, "_suptitle", None)
    more = sum(rows.values()) + added + (0.0 if heading is None else _height(heading, heading.get_text().count("\n")))
    figure.set_figheight(figure.get_figheight() + more)


def _broken(text: str, room: float, points: float) -> str:
    """In lines: between the parts of a list if there is one, at spaces if need be."""
    if len(text) <= SHORT:
        return text
    if ", " in text and max(inches_of(line, points) for line in text.split("\n")) > room:
        text = text.replace(", ", ",\n")
    return fold(text, room, points)


def _height(text: Text, lines: int) -> float:
    return 1.2 * lines * float(text.get_fontsize()) / 72.0


def _lower(figure: Figure, ax: Axes) -> float:
    """Put the legend of a panel below all that is at its axis; the height of it, inches."""
    legend = ax.get_legend()
    assert legend is not None
    bottom = ax.get_window_extent().y0
    axis = ax.xaxis.get_tightbbox()
    below = (bottom - (bottom if axis is None else min(axis.y0, bottom))) / figure.dpi
    gap = GAP * float(legend.get_texts()[0].get_fontsize()) / 72.0
    moved = ax.transAxes + ScaledTranslation(0.0, -(below + gap), figure.dpi_scale_trans)
    legend.set_bbox_to_anchor((0.5, 0.0), transform=moved)
    return float(legend.get_window_extent().height) / figure.dpi + gap
