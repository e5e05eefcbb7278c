"""Pictures as files, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import xarray as xr
from matplotlib.animation import AbstractMovieWriter, FFMpegWriter, PillowWriter
from matplotlib.figure import Figure

from mfgsolve.errors import InputError, real, unknown
from mfgsolve.files import replace_file, told, usable
from mfgsolve.plots.faceoffs import BattleFilm, is_faceoff
from mfgsolve.plots.moving import Film
from mfgsolve.plots.pages import Picture
from mfgsolve.plots.style import Options, applied, embedding, set_to, style_of
from mfgsolve.progress import Counted, live

if TYPE_CHECKING:
    from mfgsolve.solution import Solution

__all__ = ["animate", "save"]

PICTURES = (".jpg", ".pdf", ".png", ".svg")
FILMS = (".gif", ".mp4")
MOST = 100_000  # pictures of a film


def _suffix(path: str | Path, kind: str, allowed: tuple[str, ...]) -> str:
    suffix = usable(path, "output").suffix.lower()
    if suffix not in allowed:
        raise InputError(f"output {told(path)}: {unknown(f'suffix of {kind}', told(suffix) or '(none)', allowed)}")
    return suffix


def _positive(value: object, what: str) -> None:
    number = real(value, what)
    if not 0 < number < float("inf"):
        raise InputError(f"{what} is {number}; it must be positive and finite")


def save(figure: Figure, path: str | Path, dpi: float = 150) -> Path:
    """Write a figure as .png, .jpg, .pdf or .svg; an earlier file stays whole if writing fails.

    Parameters
    ----------
    dpi : dots per inch; figures are 12 inches wide, or as wide as was asked for
    """
    if isinstance(path, Figure):
        came = f"a Figure as its path and a {type(figure).__name__} as its figure"
        raise InputError(f"save got {came}; the figure comes first: mfg.plots.save(figure, path)")
    if not isinstance(figure, Figure):
        raise InputError(f"save got a {type(figure).__name__}; a Figure is needed, say mfg.plots.plan(solution)")
    _suffix(path, "a picture", PICTURES)
    _positive(dpi, "dpi")
    narrow = isinstance(figure, Picture) and figure.asked  # a stated width is kept to the dot

    def write(temporary: Path) -> None:
        try:
            with set_to(embedding()):  # of figures of the user's own, too
                figure.savefig(temporary, dpi=dpi, bbox_inches=None if narrow else "tight")
        except (ValueError, MemoryError) as error:  # of an image of more pixels than there may be
            raise InputError(f"output {told(path)} cannot be drawn with {dpi:g} dots per inch: {error}") from None

    return replace_file(path, write)


def animate(
    solution: Solution | xr.Dataset, path: str | Path, frames: int = 60, fps: int = 15, dpi: float = 100, *,
    callback: Callable[[int, int], Any] | None = None, progress: bool | None = None, verbose: bool | int = False,
    **style: Unpack[Options],
) -> Path:  # fmt: skip
    """Film of the plan from t = 0 to the horizon: .gif, or .mp4 where ffmpeg is installed.

    Parameters
    ----------
    solution : a Solution or its dataset; or a face-off of battles, whose recorded game is shown
    frames, fps : number of pictures, equally spaced in time, and how many a second.  Between nodes the density is exact
        in the entropic scheme, so that films are as fine as wanted with few steps; elsewhere it is linear
    callback : called with (drawn, frames) after every picture
    progress, verbose : a live line, and the work in lines; see `mfgsolve.progress`
    style : options of all pictures but ``ax``, see `mfgsolve.plots.Style`
    """
    look = style_of(style, ("frames", "fps", "dpi", "callback", "progress", "verbose"), "plots.animate")
    if look.ax is not None:
        raise InputError("ax is for pictures; a film has a figure of its own: leave it out")
    suffix = _suffix(path, "an animation", FILMS)
    if isinstance(frames, bool) or not isinstance(frames, int | np.integer) or frames < 2:
        raise InputError(f"frames is {told(repr(frames))}; a whole number of at least 2 is needed")
    if frames > MOST:
        raise InputError(f"frames is {told(repr(frames))}; at most {MOST} are drawn: take fewer")
    for name, number in (("fps", fps), ("dpi", dpi)):
        _positive(number, name)
    if suffix == ".mp4" and not FFMpegWriter.isAvailable():
        raise InputError(
            f"output {told(path)}: .mp4 needs the program ffmpeg, which is not installed; install it or write a .gif"
        )
    if "stationary" in getattr(getattr(solution, "dataset", solution), "attrs", {}):
        raise InputError("a film shows how a plan goes on, and a game without a final time stands still: draw its plan")
    with applied(look):
        film: Film | BattleFilm = BattleFilm(solution) if is_faceoff(solution) else Film(solution)
    moments = np.linspace(film.times[0], film.times[-1], int(frames))
    writer: AbstractMovieWriter = PillowWriter(fps=fps) if suffix == ".gif" else FFMpegWriter(fps=fps)

    def write(temporary: Path) -> None:
        with live(Counted("pictures"), progress, verbose) as line, writer.saving(film.figure, str(temporary), dpi):
            tick = line.beside(callback)
            for number, moment in enumerate(moments):
                film.show(float(moment))
                writer.grab_frame()
                tick(number + 1, len(moments))

    return replace_file(path, write)
