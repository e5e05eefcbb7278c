"""What a picture is drawn on: a figure of its own, or axes that the user gave; its title, and what finishes it."""

from __future__ import annotations

import functools
import inspect
import io
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, ParamSpec

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text
from matplotlib.transforms import ScaledTranslation

from mfgsolve.errors import InputError, unknown
from mfgsolve.plots.narrow import LOWER, fold, inches_of, settle
from mfgsolve.plots.style import SETTINGS, WIDTH, applied, current, embedding, is_drawing, set_to, style_of

__all__ = [
    "Given",
    "Page",
    "Picture",
    "across",
    "check_labels",
    "explain",
    "explains_inside",
    "fold",
    "headline",
    "legend",
    "page",
    "picture",
    "relabel",
    "relabelled",
    "row",
    "row_height",
    "sides",
    "width",
]

P = ParamSpec("P")
UNIT = re.compile(r"\s*\([^()]*\)$")
BESIDE = 0.93  # of the width, for lines of text: on screens letters are up to 4 % wider than in print
ROOMY = 8.0  # inches from which panels have room for legends


class Picture(Figure):
    """A figure that shows itself in a notebook, without pyplot and its backends, as it was drawn."""

    settings: dict[str, Any] = {}  # what Matplotlib's settings were when it was made
    asked = False  # whether it has the width that was asked for

    def draw(self, renderer: Any) -> None:
        """Without LaTeX, whatever the user's settings: to it, names are commands.

        A file is drawn twice by Matplotlib, first only for the layout and into nothing; the layout alone is enough."""
        plain = {"text.usetex": False} if SETTINGS["text.usetex"] else {}
        with set_to(self.settings | plain):
            if plain:
                for text in self.findobj(Text):
                    text.set_usetex(False)  # type: ignore[attr-defined]
            layout = self.get_layout_engine()
            if self.canvas.is_saving() and isinstance(layout, ConstrainedLayoutEngine):
                layout.execute(self)
                return
            super().draw(renderer)

    def hold_layout(self) -> None:
        """Keep the places of now for all pictures of a film: each is then drawn once, as there is nothing to lay out,
        unless the user's settings put a layout in the place of none."""
        preferred = SETTINGS["figure.autolayout"] or SETTINGS["figure.constrained_layout.use"]
        self.set_layout_engine("none" if preferred else None)

    def savefig(self, *args: Any, **options: Any) -> None:
        """As Matplotlib's, with letters that stay letters in files."""
        with set_to(embedding() | self.settings):
            super().savefig(*args, **options)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=100, bbox_inches="tight")
        return buffer.getvalue()


class Given:
    """Axes of the user's own, handed to a picture one after the other in place of those of a new figure."""

    def __init__(self, axes: Sequence[Axes]):
        self.axes = list(axes)
        self.taken = 0
        self.asked = 0
        self.heading = ""

    def subplots(self, down: int = 1, over: int = 1, *, squeeze: bool = True, **_: Any) -> Any:
        """The next axes, in that shape; what they share is the user's own."""
        self.asked += down * over
        result = np.empty((down, over), dtype=object)
        for place in np.ndindex(down, over):
            result[place] = self.axes[min(self.taken, len(self.axes) - 1)]
            self.taken += 1
        if not squeeze:
            return result
        return result.item() if result.size == 1 else result.squeeze()

    def subfigures(self, down: int = 1, over: int = 1, **_: Any) -> np.ndarray:
        result = np.empty((down, over), dtype=object)
        result.fill(self)
        return result.reshape(-1) if 1 in (down, over) else result

    @property
    def figure(self) -> Any:
        return self.axes[0].figure

    def colorbar(self, image: Any, ax: Any, **options: Any) -> Any:
        return self.figure.colorbar(image, ax=ax, **options)

    def legend(self, *args: Any, loc: str = "", **options: Any) -> Any:
        """Below the last of the axes."""
        ax = self.axes[min(self.taken, len(self.axes)) - 1]
        moved = ScaledTranslation(0.0, -3.6 * SETTINGS["font.size"] / 72.0, ax.figure.dpi_scale_trans)  # type: ignore[union-attr]
        below: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0), "borderaxespad": 0.0}
        return ax.legend(*args, bbox_transform=ax.transAxes + moved, **below, **options)

    def suptitle(self, text: str, **_: Any) -> None:
        self.heading = text

    def supylabel(self, text: str, **_: Any) -> None:
        for ax in self.axes:
            ax.set_ylabel(ax.get_ylabel() or text)

    def set_layout_engine(self, *_: Any, **__: Any) -> None:
        """That of the user's figure stays."""

    def finish(self) -> Figure:
        """The user's figure, once all axes are drawn on."""
        if self.taken != len(self.axes):
            few = "plots.plan and others take times=, a panel each"
            raise InputError(
                f"the picture has {self.taken} panel{'s' if self.taken != 1 else ''}, and ax holds {len(self.axes)} "
                f"axes; give one for each panel ({few})"
            )
        if self.heading:
            first = self.axes[0]
            where: Literal["left", "center"] = "left" if first.get_title(loc="left") else "center"
            first.set_title("\n".join(t for t in (self.heading, first.get_title(loc=where)) if t), loc=where)
        result: Figure = self.figure.figure if isinstance(self.figure, SubFigure) else self.figure
        return result


Page = Any  # Picture | SubFigure | Figure | Given: what has subplots, legend, colorbar and suptitle


def width() -> float:
    """Inches of the page that is drawn on."""
    place = current().ax
    if place is None:
        return current().inches
    if isinstance(place, Figure | SubFigure):
        return float(place.bbox.width / place.figure.dpi)
    axes = _axes(place)
    return float(sum(ax.bbox.width for ax in axes[:1]) / axes[0].figure.dpi)  # type: ignore[union-attr]


def page(height: float, layout: Literal["constrained", "compressed"] = "constrained", share: float = 1.0) -> Page:
    """A page of this height, inches; ``share`` of the width that is asked for."""
    place = current().ax
    if place is None:
        return Picture(figsize=(share * width(), height), layout=layout)
    if isinstance(place, Figure | SubFigure):
        return place
    return Given(_axes(place))


def _axes(place: Any) -> list[Axes]:
    axes = [place] if isinstance(place, Axes) else list(np.ravel(np.asarray(place, dtype=object)))
    for one in axes:
        if not isinstance(one, Axes):
            raise InputError(
                f"ax of a picture holds a {type(one).__name__}; Axes of Matplotlib, or a figure, are needed"
            )
    if not axes or len({id(one) for one in axes}) < len(axes):
        raise InputError(f"ax of a picture holds {len(axes)} axes; one for each panel is needed, each once")
    return axes


def across(count: int, least: float) -> int:
    """How many panels of at least so many inches stand beside each other."""
    return max(1, min(count, int(width() / least + 1e-9)))


def sides(ratios: tuple[float, float], height: float, stacked: tuple[float, float]) -> tuple[Page, list[Page]]:
    """Two parts beside each other on a page of that height; below each other where it is narrow, of heights ``stacked``
    (inches)."""
    if width() >= ROOMY:
        figure = page(height)
        return figure, list(np.asarray(figure.subfigures(1, 2, width_ratios=ratios)))
    figure = page(sum(stacked))
    return figure, list(np.asarray(figure.subfigures(2, 1, height_ratios=stacked)))


def row(
    count: int, height: float, least: float = 2.6, ratios: Sequence[float] | None = None, widest: float = WIDTH
) -> tuple[Page, list[Axes]]:
    """Panels beside each other, in several rows where the page is narrow; ``height`` of a row, and width of a panel
    where no width was asked for, inches, at most."""
    over = across(count, least)
    down = math.ceil(count / over)
    share = min(1.0, over * widest / width()) if current().width is None else 1.0
    figure = page(row_height(count, height, least), share=share)
    if isinstance(figure, Given):
        return figure, list(figure.subplots(1, count, squeeze=False)[0])
    axes = list(figure.subplots(down, over, squeeze=False, width_ratios=ratios if down == 1 else None).flat)
    for ax in axes[count:]:
        ax.remove()
    return figure, axes[:count]


def row_height(count: int, height: float, least: float = 2.6) -> float:
    """Inches of the panels that `row` makes: of full height where the page is wide."""
    over = across(count, least)
    down = math.ceil(count / over)
    each = height if width() >= WIDTH else min(height, max(0.72 * width() / over, 1.7))
    return down * each + 0.35 * (down == 1 < count)


# -- texts -------------------------------------------------------------------------------------------------------------


def headline(figure: Page, text: str, certificate: str = "", warned: str = "") -> None:
    """The title: what is shown, how good it is (in parentheses), and what is to be doubted, which is never left out."""
    style = current()
    own = f"{text} ({certificate})" if certificate and style.certificate else text
    if isinstance(figure, Given):
        own = ""
    told = own if style.title is None else style.title
    told = f"{told}{warned}" if told else warned.lstrip("\n")
    if told:
        points = FontProperties(size=SETTINGS["figure.titlesize"]).get_size_in_points()
        told = fold(told, BESIDE * width(), points)
        figure.suptitle(told, x=0.01, ha="left")


def legend(figure: Page, handles: Sequence[Artist], note: str | None = None, most: int = 5) -> None:
    """Below the panels, in as many columns as there is room for, with a line of explanation above it."""
    if not current().legend or not (handles or note):
        return
    points = FontProperties(size=SETTINGS["legend.fontsize"]).get_size_in_points()
    room = BESIDE * (figure.get_figwidth() if isinstance(figure, Figure) else width())
    if isinstance(figure, SubFigure):
        room = BESIDE * float(figure.bbox.width / figure.figure.dpi)
    widest = max((inches_of(str(one.get_label()), points) for one in handles), default=1.0) + 4.8 * points / 72.0
    columns = max(1, min(len(handles), most, int(room / widest)))
    told = None if note is None else fold(note, room, points)
    figure.legend(handles=list(handles), loc="outside lower center", ncols=columns, title=told)


def explains_inside() -> bool:
    """Whether legends of panels stand inside them, and take room there."""
    return current().legend and (current().ax is not None or width() >= ROOMY)


def explain(ax: Axes, **options: Any) -> None:
    """The legend of one panel: inside where the page is wide, below its axis where it is not, so that it covers no
    curve."""
    handles, texts = ax.get_legend_handles_labels()
    if not current().legend or not handles:
        return
    if explains_inside():
        ax.legend(**options)
        return
    points = float(SETTINGS["legend.fontsize"])
    spec = ax.get_subplotspec()
    room = BESIDE * width() / (1 if spec is None else spec.get_gridspec().ncols)
    widest = max(inches_of(text, points) for text in texts) + 4.8 * points / 72.0
    kept = {key: value for key, value in options.items() if key == "title"}
    shown = ax.legend(ncols=max(1, min(len(texts), int(room / widest))), loc="upper center", borderaxespad=0.0, **kept)
    shown.set_gid(LOWER)


# -- the picture as a whole --------------------------------------------------------------------------------------------


def picture(draw: Callable[P, Any]) -> Callable[P, Figure]:
    """Make a function that draws take the options of all pictures (`Options`), which its parts read by `current`."""
    parameters = inspect.signature(draw).parameters.values()
    own = [one.name for one in parameters if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)]
    takes = [one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]

    @functools.wraps(draw)
    def drawn(*args: P.args, **options: P.kwargs) -> Figure:
        mine = {name: value for name, value in options.items() if name in takes}
        rest = {name: value for name, value in options.items() if name not in takes}
        if is_drawing() and not rest:  # a part of another picture
            return draw(*args, **mine)  # type: ignore[arg-type,no-any-return]
        style = style_of(rest, own[1:], f"plots.{draw.__name__}")
        with applied(style) as settings:
            made = draw(*args, **mine)  # type: ignore[arg-type]
            figure = made.finish() if isinstance(made, Given) else made.figure if isinstance(made, SubFigure) else made
            if isinstance(figure, Picture) and style.ax is None:
                figure.settings, figure.asked = settings, style.width is not None
            if style.labels:
                relabel(figure, style.labels)
            if isinstance(figure, Picture) and style.ax is None and width() < ROOMY:
                settle(figure)
            if not style.legend:
                _unexplained(figure, style.ax)
        return figure

    return drawn


def _unexplained(figure: Figure, place: Any) -> None:
    axes = figure.axes if place is None or isinstance(place, Figure | SubFigure) else _axes(place)
    for ax in axes:
        shown = ax.get_legend()
        if shown is not None:
            shown.remove()
    if place is None:
        for each in [*figure.legends, *(one for sub in figure.subfigs for one in sub.legends)]:
            each.remove()


def relabelled(text: str, labels: Mapping[str, str]) -> str:
    """A text, or its lines, with the user's words; the unit in parentheses may be left out of theirs."""
    lines = [text] if text in labels else text.split("\n")
    return "\n".join(labels.get(line if line in labels else UNIT.sub("", line), line) for line in lines)


def relabel(figure: Figure, labels: Mapping[str, str]) -> None:
    """Put the user's words in place of the picture's, all at once."""
    texts = [one for one in figure.findobj(Text) if one.get_text().strip()]
    check_labels(labels, {one.get_text() for one in texts})
    for one in texts:
        text = one.get_text()
        if relabelled(text, labels) != text:
            one.set_text(relabelled(text, labels))


def check_labels(labels: Mapping[str, str], texts: Iterable[str]) -> None:
    """That each text that is to be replaced is there."""
    lines = {line for text in texts for line in (text, *text.split("\n"))}
    missing = set(labels) - lines - {UNIT.sub("", line) for line in lines}
    if missing:
        there = {part for line in lines for part in line.split("\n") if re.search(r"[^\W\d_]", part)}
        raise InputError(unknown("label in the picture", sorted(missing)[0], there))
