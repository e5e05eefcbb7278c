"""How a picture is to look: the options that all pictures take, and the settings of Matplotlib that follow from them.

Pictures follow ``matplotlib.rcParams`` and style sheets: whatever a user changed there is taken as it is, and what was
left at Matplotlib's own default is set for a page of that width (`settings`) while the picture is drawn, under a lock,
and put back.  Options of one picture are known to all its parts by `current`, in each thread on its own.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, TypedDict

import matplotlib
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from mfgsolve.errors import InputError, real, shown, unknown

__all__ = [
    "OPTIONS", "PALETTE", "WIDTH", "Options", "Style", "applied", "current", "embedding", "is_drawing", "relative",
    "set_to", "sheet", "style_of",
]  # fmt: skip

WIDTH = 12.0  # inches of a figure where nothing else is asked for
NARROWEST, WIDEST = 2.0, 100.0
LARGEST = 1000.0  # points of type
TYPE = ((3.5, 7.0, 11.0), (7.0, 8.0, 10.0))  # inches of a page: points of its type
SETTINGS: Any = matplotlib.rcParams
DEFAULTS: Any = matplotlib.rcParamsDefault
SMALL = 0.9  # of the size of type: numbers at axes, legends, notes
LETTERS = {"pdf.fonttype": 42, "ps.fonttype": 42, "svg.fonttype": "none"}  # letters stay letters
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8c6d00", "#56b4e9", "#222222", "#e69f00")

Sheet = str | PathLike[str] | Mapping[str, Any]
Place = Axes | Figure | SubFigure | Sequence[Axes] | np.ndarray


class Options(TypedDict, total=False):
    """What every picture takes besides its own arguments; see `Style`."""

    ax: Place | None
    width: float | None
    title: str | None
    labels: Mapping[str, str] | None
    certificate: bool
    legend: bool
    style: Sheet | Sequence[Sheet] | None
    slice: Mapping[str, float] | None
    project: str | None


@dataclass(frozen=True, eq=False)
class Style:
    """Options of all pictures.

    Parameters
    ----------
    ax : where to draw: axes of the user's own, as many as the picture has panels, in its order; or a (sub)figure, which
        is filled.  Axes of the user's own get no title, but warnings
    width : inches of the figure.  Panels go below each other where there is no room beside, and type has the size of
        print: 7 points at 3.5 inches, 8 at 7, numbers at axes 0.9 of it; ``rcParams["font.size"]``, where it was
        changed, is taken as it is
    title : text in place of the picture's own; "" for none.  Warnings stand below it all the same
    labels : texts of the picture (of axes, colours, curves, panels) by what is to stand there instead; the unit in
        parentheses may be left out
    certificate : whether the title tells how good the solution is
    legend : whether curves and marks are explained
    style : Matplotlib style sheets, names or files or settings, for this picture alone
    slice : of three axes, the height at which they are cut: {"z": 0.5}, the cells that hold it
    project : "z": of three axes, densities and speeds integrated over z, as they are without ``slice``
    """

    ax: Place | None = None
    width: float | None = None
    title: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    certificate: bool = True
    legend: bool = True
    sheet: Mapping[str, Any] = field(default_factory=dict)
    slice: Mapping[str, float] | None = None
    project: str | None = None

    @property
    def inches(self) -> float:
        return WIDTH if self.width is None else self.width


OPTIONS = tuple(Options.__annotations__)
_LOCK = threading.RLock()
_CURRENT: ContextVar[Style | None] = ContextVar("style of a picture", default=None)


def current() -> Style:
    """Options of the picture that is being drawn."""
    return _CURRENT.get() or Style()


def is_drawing() -> bool:
    """Whether a picture is being drawn."""
    return _CURRENT.get() is not None


def style_of(options: Mapping[str, Any], own: Sequence[str] = (), what: str = "picture") -> Style:
    """Options, checked; ``own`` are the names of what a picture takes besides.

    Raises
    ------
    InputError
        for an option that there is none of, with the nearest spelling, and for a value that is none
    """
    for name in options:
        if name not in OPTIONS:
            raise InputError(unknown(f"option of {what}", name, [*own, *OPTIONS]))
    given = {name: value for name, value in options.items() if value is not None}
    if "width" in given:
        given["width"] = real(given["width"], "width of a picture")
        if not NARROWEST <= given["width"] <= WIDEST:
            raise InputError(f"width of a picture is {given['width']:g} inches; {NARROWEST:g} to {WIDEST:g} are drawn")
    if "ax" in given and "width" in given:
        raise InputError(
            "ax and width of a picture are both given; the width of a figure with axes is its own: drop it"
        )
    for name in ("certificate", "legend"):
        if name in given and not isinstance(given[name], bool | np.bool_):
            raise InputError(f"{name} of a picture is {shown(given[name])}; True or False is needed")
    if "title" in given and not isinstance(given["title"], str):
        raise InputError(f"title of a picture is {shown(given['title'])}; a text is needed, '' for none")
    labels = given.get("labels", {})
    if not isinstance(labels, Mapping) or not all(isinstance(t, str) for pair in labels.items() for t in pair):
        raise InputError(f'labels of a picture are {shown(labels)}; texts by texts are needed: {{"x": "east"}}')
    _check_plane(given)
    if "style" in given:
        given["sheet"] = sheet(given.pop("style"))
    return Style(**given)


def _check_plane(given: Mapping[str, Any]) -> None:
    """That a cut, or a projection, is one of z."""
    cut = given.get("slice", {})
    if not isinstance(cut, Mapping) or set(cut) - {"z"} or ("slice" in given and not cut):
        raise InputError(f'slice of a picture is {shown(cut)}; a height is needed: {{"z": 0.5}} (x and y are shown)')
    for height in cut.values():
        real(height, "slice of a picture")
    if "project" in given and given["project"] != "z":
        raise InputError(f"project of a picture is {shown(given['project'])}; 'z' is needed (x and y are shown)")
    if cut and "project" in given:
        raise InputError("slice and project of a picture are both given; give one")


def sheet(given: Any) -> dict[str, Any]:
    """Settings of style sheets, the last one wins."""
    import matplotlib.style

    result: dict[str, Any] = {}
    kinds = (str, PathLike, Mapping)
    listed = [given] if isinstance(given, kinds) else given
    if not isinstance(listed, Sequence) or not all(isinstance(one, kinds) for one in listed):
        raise InputError(
            f"style of a picture is {shown(given)}; a style sheet is needed (a name, a file .mplstyle or settings), or "
            "a list of them"
        )
    for one in listed:
        if isinstance(one, Mapping):
            wrong = [key for key in one if key not in SETTINGS]
            if wrong:
                raise InputError(unknown("setting of a style", wrong[0], SETTINGS))
            result |= one
        elif isinstance(one, str) and one in matplotlib.style.library:
            result |= _plain(matplotlib.style.library[one])
        elif isinstance(one, str | PathLike) and Path(one).is_file():
            result |= _plain(matplotlib.rc_params_from_file(one, use_default_template=False))
        elif one != "default":
            raise InputError(unknown("style", one, matplotlib.style.available) + "; or a file .mplstyle")
        else:
            result |= _plain(DEFAULTS)
    return {key: value for key, value in result.items() if key != "backend"}


def _plain(settings: Any) -> dict[str, Any]:
    return {key: settings[key] for key in settings}


@contextmanager
def applied(style: Style) -> Iterator[dict[str, Any]]:
    """Draw with this style; gives the settings that hold meanwhile, for the figure to be painted with them, too."""
    token = _CURRENT.set(style)
    try:
        with _LOCK:
            wanted = _settings(style)
            with set_to(wanted):
                yield wanted
    finally:
        _CURRENT.reset(token)


@contextmanager
def set_to(settings: Mapping[str, Any]) -> Iterator[None]:
    """These settings of Matplotlib for a while; only they are put back."""
    with _LOCK:
        before = {key: SETTINGS[key] for key in settings}
        try:
            try:
                SETTINGS.update(settings)
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(f"a setting of the style is refused: {error}") from None
            yield
        finally:
            SETTINGS.update(before)


def _settings(style: Style) -> dict[str, Any]:
    """The style's own, and for all that neither it nor the user changed, those of a page of this width."""
    own = dict(style.sheet)

    def is_free(key: str) -> bool:
        return key not in own and bool(SETTINGS[key] == DEFAULTS[key])

    size = real(own.get("font.size", SETTINGS["font.size"]), "font.size of a style")
    if not 0 < size < LARGEST:
        raise InputError(f"font.size of a style is {size:g} points; more than 0, and less than {LARGEST:g}, are needed")
    if style.ax is None and is_free("font.size"):
        size = float(np.interp(style.inches, *TYPE))
    share = size / 10.0
    page: dict[str, Any] = {
        "font.size": size, "figure.titlesize": 1.1 * size, "axes.titlesize": size, "axes.labelsize": 0.95 * size,
        "xtick.labelsize": SMALL * size, "ytick.labelsize": SMALL * size, "legend.fontsize": SMALL * size,
        "legend.title_fontsize": SMALL * size, "legend.frameon": False, "lines.linewidth": 1.3 * share,
        "lines.markersize": 4.5 * share, "axes.linewidth": 0.8 * share, "grid.linewidth": 0.8 * share,
        "xtick.major.width": 0.8 * share, "ytick.major.width": 0.8 * share, "xtick.minor.width": 0.6 * share,
        "ytick.minor.width": 0.6 * share, "xtick.major.size": 3.5 * share, "ytick.major.size": 3.5 * share,
        "axes.titlepad": 6.0 * share, "axes.prop_cycle": cycler(color=PALETTE),
    }  # fmt: skip
    return own | {key: value for key, value in page.items() if is_free(key)}


def relative(points: float) -> float:
    """Points at type of 10 points, at the size of type of this page."""
    return points * float(SETTINGS["font.size"]) / 10.0


def embedding() -> dict[str, Any]:
    """Settings with which letters in files stay letters (Type 42), where the user did not choose others."""
    return {key: value for key, value in LETTERS.items()
            if SETTINGS[key] == DEFAULTS[key]}  # fmt: skip
