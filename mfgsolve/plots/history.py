"""How the solvers got there: the certificate against the work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from mfgsolve.errors import InputError, unknown
from mfgsolve.plots import panels as part
from mfgsolve.plots.reading import dataset_of, doubts, words

if TYPE_CHECKING:
    from mfgsolve.solution import Solution

__all__ = ["convergence", "convergences"]

MEASURES = {"relative_exploitability": "relative exploitability", "duality_gap": "duality gap (cost)"}
COMPARED = MEASURES | {"exploitability": "exploitability (cost)"}
WORK = {"sweeps": "work (sweeps of the final grid)", "seconds": "wall time (s)"}
NEEDED = ("iteration", *WORK, *COMPARED)
FEW = 60  # iterations up to which each has a mark
VISIBLE = 1.02  # ratio from which two values stand apart on logarithmic axes

Runs = Any  # Solution | xr.Dataset | Mapping[str, Any] | Iterable[tuple[str, Any]]


def convergence(solutions: Solution | xr.Dataset | Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Figure:
    """Relative exploitability and duality gap of every iteration against sweeps of the final grid, both logarithmic.

    Iterations on coarser grids (which cost less than a sweep) and of hotter games are hollow.  A measure at or below
    zero (by round-off, or where hard bounds are violated) cannot stand on a logarithmic axis: it is drawn as a triangle
    at the bottom.  What was not measured is not drawn.

    Parameters
    ----------
    solutions : one solution (or its dataset), or several: a mapping or a list of (label, solution); or a dataset of
        `mfgsolve.convergence`
    """
    picture = _Comparison(solutions)
    picture.title("how far from equilibrium, iteration by iteration")
    for ax, (measure, label) in zip(picture.axes, MEASURES.items(), strict=True):
        picture.draw(ax, "sweeps", measure)
        ax.set(xlabel=WORK["sweeps"], ylabel=label)
    picture.tolerances(picture.axes[:1])
    picture.legend()
    return picture.figure


def convergences(
    runs: Solution | xr.Dataset | Mapping[str, Any] | Iterable[tuple[str, Any]],
    measure: str = "relative_exploitability",
) -> Figure:
    """One measure of several solvers on the same game, against sweeps and against seconds, all logarithmic.

    A full line is the best so far, which is what a user would keep; a pale one is the iteration itself, where the two
    differ.  Broken lines are violations of hard bounds.  The dotted slope 1/t stands beside the first curve that is
    close to parallel to it.

    Parameters
    ----------
    runs : a dataset of `mfgsolve.convergence`; or solutions, as for `convergence`
    measure : "relative_exploitability", "exploitability" or "duality_gap"
    """
    if measure not in COMPARED:
        raise InputError(unknown("measure", measure, COMPARED))
    picture = _Comparison(runs, best=True)
    for ax, (work, label) in zip(picture.axes, WORK.items(), strict=True):
        picture.draw(ax, work, measure)
        ax.set_xlabel(label)
    picture.axes[0].set_ylabel(COMPARED[measure])
    if measure == "relative_exploitability":
        picture.tolerances(picture.axes)
    picture.slope(picture.axes[0], measure)
    picture.share_heights()
    picture.title("how far from equilibrium, solver by solver")
    picture.legend()
    return picture.figure


def _plain_numbers(ax: Axes) -> None:
    """Work of less than two decades at 1, 2, 5, ...: powers of ten with factors in front would overlap."""
    low, high = ax.get_xlim()
    if low > 0 and high < 100 * low:
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


@dataclass(frozen=True, eq=False)
class _Track:
    """One measure of one run on logarithmic axes."""

    work: np.ndarray
    values: np.ndarray
    coarse: np.ndarray  # of a coarser grid, or another game on the way to the one asked for
    games: np.ndarray  # a number for each game and solver: a line joins iterations of one

    @property
    def known(self) -> np.ndarray:
        return np.asarray(np.isfinite(self.values) & (self.work > 0))

    @property
    def above(self) -> np.ndarray:
        return np.asarray(self.known & (self.values > 0))

    @property
    def below(self) -> np.ndarray:
        return np.asarray(self.known & ~self.above)

    @classmethod
    def of(cls, dataset: xr.Dataset, work: str, measure: str) -> _Track:
        at = dataset[work].values
        cells = dataset["cell_steps"].values if "cell_steps" in dataset else np.ones_like(at)
        coarse = cells < cells[-1:]
        if "final_grid" in dataset:
            coarse |= dataset["final_grid"].values == 0
        games = np.where(coarse, -cells, cells)
        stages = dataset["stage"].values if "stage" in dataset else np.zeros_like(games)  # a solver's line ends with it
        kinds = np.unique(np.stack([games, stages]), axis=1, return_inverse=True)[1]
        return cls(at, dataset[measure].values, coarse, kinds.reshape(-1))

    def best(self) -> np.ndarray:
        """Least value so far on the final grid; those at or below zero have a mark of their own."""
        least = np.fmin.accumulate(np.where(self.above & ~self.coarse, self.values, np.nan))
        return np.asarray(np.where(self.known & ~self.coarse, least, np.nan))


class _Comparison:
    """Two logarithmic panels with one colour per run, and what the legend has to explain."""

    def __init__(self, runs: Runs, best: bool = False):
        self.runs, self.best = _runs(runs), best
        self.figure = part.Picture(figsize=(part.WIDTH, 4.4), layout="constrained")
        self.axes: list[Axes] = list(self.figure.subplots(1, 2))
        palette = matplotlib.colormaps["tab10"]
        self.colours = [palette(k % 10) for k in range(len(self.runs))]
        self.styles: list[Literal["-", "-."]] = ["-" if k < 10 else "-." for k in range(len(self.runs))]
        self.coarse = self.floored = self.pale = self.violated = False
        self.extra: list[Line2D] = []

    @property
    def names(self) -> str:
        return ", ".join(dict.fromkeys(words(d.attrs.get("name", "solution")) for _, d in self.runs))

    def title(self, text: str) -> None:
        warned = doubts(*(dataset for _, dataset in self.runs))
        self.figure.suptitle(f"{self.names}: {text}{warned}", x=0.01, ha="left")

    def draw(self, ax: Axes, work: str, measure: str) -> None:
        ax.set(xscale="log", yscale="log")
        ax.grid(alpha=0.3)
        known = False
        for (_, dataset), colour, style in zip(self.runs, self.colours, self.styles, strict=True):
            track = _Track.of(dataset, work, measure)
            known |= bool(track.known.any())
            self._curve(ax, track, colour, style)
            if self.best and "violation" in dataset:
                self._violation(ax, _Track.of(dataset, work, "violation"), colour)
        if not known:
            text = f"{COMPARED[measure]}: not measured"
            ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", color=part.INK)
        _plain_numbers(ax)

    def _curve(self, ax: Axes, track: _Track, colour: Any, style: str) -> None:
        work, values, best = track.work, track.values, track.best()
        pale = self.best and bool((values > VISIBLE * best).any())
        self.pale |= pale
        width = 1.6 if self.best and not pale else 1.2
        for game in np.unique(track.games):
            same = track.above & (track.games == game)
            ax.plot(work[same], values[same], style, color=colour, linewidth=width, alpha=0.3 if pale else 1.0)
        if pale:
            there = np.isfinite(best)
            ax.plot(work[there], best[there], style, color=colour, linewidth=1.6)
        fine = track.above & ~track.coarse
        if fine.sum() > FEW:
            fine &= np.arange(fine.size) == np.flatnonzero(fine)[-1]  # the last mark says where the run ended
        elif pale:
            fine &= values == best
        for here, face in ((track.above & track.coarse, "white"), (fine, colour)):
            heights = best if pale and face != "white" else values  # a mark stands on the full line
            ax.plot(work[here], heights[here], "o", color=colour, markerfacecolor=face, markersize=4.5)
            floor = track.below & (track.coarse if face == "white" else ~track.coarse)
            if floor.any():
                ax.plot(work[floor], np.zeros(floor.sum()), "v", color=colour, markerfacecolor=face, markersize=7,
                        clip_on=False, transform=ax.get_xaxis_transform())  # fmt: skip
        self.coarse |= bool(track.coarse.any())
        self.floored |= bool(track.below.any())

    def _violation(self, ax: Axes, track: _Track, colour: Any) -> None:
        if track.above.any():
            ax.plot(track.work[track.above], track.values[track.above], "--", color=colour, linewidth=1.0, alpha=0.7)
            self.violated = True

    def tolerances(self, axes: list[Axes]) -> None:
        for tolerance in {float(d.attrs["tol"]) for _, d in self.runs if float(d.attrs.get("tol", 0.0)) > 0}:
            for ax in axes:
                line = ax.axhline(tolerance, color=part.INK, linestyle=(0, (6, 3)), linewidth=1, label="tolerance")
            self.extra = [line]

    def slope(self, ax: Axes, measure: str) -> None:
        """1/t beside the first long curve whose last decade falls about like it."""
        for _, dataset in self.runs:
            track = _Track.of(dataset, "sweeps", measure)
            best = track.best()
            late = np.isfinite(best) & (track.work >= 0.1 * track.work[-1])
            if late.sum() < 20 or track.work[-1] < 50:
                continue
            x, y = np.log(track.work[late]), np.log(best[late])
            if not -1.6 < np.polyfit(x, y, 1)[0] < -0.6:
                continue
            ends = np.array([max(1.0, 0.01 * track.work[-1]), track.work[-1]])
            above = 2.5 * np.exp(y.mean() + x.mean())
            self.extra.append(ax.plot(ends, above / ends, ":", color=part.INK, linewidth=1.4, label="slope 1/t")[0])
            return

    def share_heights(self) -> None:
        """One scale of height for both panels."""
        self.axes[1].sharey(self.axes[0])
        self.axes[0].autoscale_view()
        self.axes[1].tick_params(labelleft=False)

    def legend(self) -> None:
        lines = [
            Line2D([], [], color=colour, linestyle=style, marker="o", label=words(text))
            for (text, _), colour, style in zip(self.runs, self.colours, self.styles, strict=True)
        ]
        notes = [
            (self.pale, Line2D([], [], color=part.INK, alpha=0.3, linewidth=1.2, label="each iteration")),
            (self.violated, Line2D([], [], color=part.INK, linestyle="--", linewidth=1, label="violation of bounds")),
            (self.coarse, _mark("o", "of a coarser or hotter game")),
            (self.floored, _mark("v", "at or below zero")),
        ]
        handles = [*lines, *(line for shown, line in notes if shown), *self.extra]
        columns = min(len(handles), 5)
        self.figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False, fontsize=10)


def _mark(marker: str, label: str) -> Line2D:
    return Line2D([], [], color=part.INK, marker=marker, markerfacecolor="white", linestyle="", label=label)


def _runs(solutions: Any) -> list[tuple[str, xr.Dataset]]:
    """One dataset with a history on ``iteration`` per run, by label."""
    if isinstance(solutions, xr.Dataset) or hasattr(solutions, "dataset"):
        dataset = dataset_of(solutions, NEEDED)
        if "solver" not in dataset.dims:
            attributes = dataset.attrs
            return [(str(attributes.get("stages", attributes.get("solver", "solver"))), dataset)]
        each = [(str(name), dataset.sel(solver=name)) for name in dataset["solver"].values]
        return [(label, run.isel(iteration=np.isfinite(run["sweeps"].values))) for label, run in each]
    pairs = list(solutions.items()) if isinstance(solutions, Mapping) else solutions
    if not isinstance(pairs, list | tuple) or not pairs or not all(isinstance(p, tuple) and len(p) == 2 for p in pairs):
        raise InputError(
            f"convergence got a {type(solutions).__name__}; a solution, a mapping from labels to solutions or a "
            "list of (label, solution), not empty, is needed"
        )
    return [(str(label), dataset_of(run, NEEDED)) for label, run in pairs]
