"""How the solvers got there: the certificate against the work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

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


@part.picture
def convergence(
    solutions: Solution | xr.Dataset | Mapping[str, Any] | Iterable[tuple[str, Any]],
    measures: Sequence[str] = tuple(MEASURES),
    stages: bool = False,
    **style: Unpack[part.Options],
) -> Figure:
    """Measures of every iteration of the game itself against sweeps of its grid, both logarithmic.

    Solvers may begin on coarser grids (whose iterations cost less than a sweep) or with hotter games, which is another
    game than the one that was asked for: a line joins iterations of one game alone, and begins with the work that was
    done before.  A measure at or below zero (by round-off, or where hard bounds are violated) cannot stand on a
    logarithmic axis: it is drawn as a triangle at the bottom.  What was not measured is not drawn.

    Parameters
    ----------
    solutions : one solution (or its dataset), or several: a mapping or a list of (label, solution); or a dataset of
        `mfgsolve.convergence`
    measures : a panel each: "relative_exploitability", "exploitability" or "duality_gap"
    stages : whether iterations of the coarser and hotter games are drawn, too, hollow
    style : options of all pictures, see `mfgsolve.plots.Style`
    """
    measures = [measures] if isinstance(measures, str) else list(measures)
    if not measures:
        raise InputError(f"measures is empty; name one at least, of {', '.join(COMPARED)}")
    for measure in measures:
        if measure not in COMPARED:
            raise InputError(unknown("measure", measure, COMPARED))
    picture = _Comparison(solutions, len(measures), stages=stages)
    picture.title("how far from equilibrium, iteration by iteration")
    for ax, measure in zip(picture.axes, measures, strict=True):
        picture.draw(ax, "sweeps", measure)
        ax.set(xlabel=WORK["sweeps"], ylabel=COMPARED[measure])
        if measure == "relative_exploitability":
            picture.tolerances([ax])
    picture.legend()
    return picture.figure


@part.picture
def convergences(
    runs: Solution | xr.Dataset | Mapping[str, Any] | Iterable[tuple[str, Any]],
    measure: str = "relative_exploitability",
    stages: bool = False,
    **style: Unpack[part.Options],
) -> Figure:
    """One measure of several solvers on the same game, against sweeps and against seconds, all logarithmic.

    A full line is the best so far, which is what a user would keep; a pale one is the iteration itself, where the two
    differ.  Broken lines are violations of hard bounds.  The dotted slope 1/t stands beside the first curve that is
    close to parallel to it.

    Parameters
    ----------
    runs : a dataset of `mfgsolve.convergence`; or solutions, as for `convergence`
    measure : "relative_exploitability", "exploitability" or "duality_gap"
    stages : whether iterations of coarser and hotter games, on the way to this one, are drawn, too, hollow
    style : options of all pictures, see `mfgsolve.plots.Style`
    """
    if measure not in COMPARED:
        raise InputError(unknown("measure", measure, COMPARED))
    picture = _Comparison(runs, len(WORK), best=True, stages=stages)
    for ax, (work, label) in zip(picture.axes, WORK.items(), strict=True):
        picture.draw(ax, work, measure)
        ax.set(xlabel=label, ylabel=COMPARED[measure] if ax is picture.axes[0] or part.leftmost(ax) else "")
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
        few = MaxNLocator(2 if part.width() <= part.BELOW else 4)  # of a range in which 1, 2, 5, ... hardly come by
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)) if high > 5 * low else few)
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

    def itself(self) -> _Track:
        """Of the game that was asked for alone."""
        here = ~self.coarse
        return _Track(self.work[here], self.values[here], self.coarse[here], self.games[here])

    def best(self) -> np.ndarray:
        """Least value so far on the final grid; those at or below zero have a mark of their own."""
        least = np.fmin.accumulate(np.where(self.above & ~self.coarse, self.values, np.nan))
        return np.asarray(np.where(self.known & ~self.coarse, least, np.nan))


class _Comparison:
    """Two logarithmic panels with one colour per run, and what the legend has to explain."""

    def __init__(self, runs: Runs, count: int, best: bool = False, stages: bool = False):
        self.runs, self.best, self.stages = _runs(runs), best, stages
        self.figure, self.axes = part.row(count, 4.4)
        self.series = [part.series(k) for k in range(len(self.runs))]
        self.coarse = self.floored = self.pale = self.violated = False
        self.empty: list[Axes] = []  # panels where nothing stands above zero
        self.extra: list[Line2D] = []

    @property
    def names(self) -> str:
        return ", ".join(dict.fromkeys(words(d.attrs.get("name", "solution")) for _, d in self.runs))

    def title(self, text: str) -> None:
        warned = doubts(*(dataset for _, dataset in self.runs))
        part.headline(self.figure, f"{self.names}: {text}", warned=warned)

    def draw(self, ax: Axes, work: str, measure: str) -> None:
        ax.set(xscale="log", yscale="log")
        ax.grid(alpha=0.3)
        known = above = False
        skipped = False
        for (_, dataset), style in zip(self.runs, self.series, strict=True):
            track = _Track.of(dataset, work, measure)
            if not self.stages:
                skipped |= bool((track.known & track.coarse).any())
                track = track.itself()
            known, above = known or bool(track.known.any()), above or bool(track.above.any())
            self._curve(ax, track, style)
            if self.best and "violation" in dataset:
                self._violation(ax, _Track.of(dataset, work, "violation"), style["color"])
        if not known:
            text = (
                "no iteration of the game itself yet:\nstages=True shows those before"
                if skipped
                else (f"{COMPARED[measure]}: not measured")
            )
            ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", color=part.INK)
        if not above:
            self.empty.append(ax)
        _plain_numbers(ax)

    def _curve(self, ax: Axes, track: _Track, look: dict[str, Any]) -> None:
        work, values, best = track.work, track.values, track.best()
        colour, line, marker = look["color"], look["linestyle"], look["marker"]
        pale = self.best and bool((values > VISIBLE * best).any())
        self.pale |= pale
        width = part.relative(1.6 if self.best and not pale else 1.2)
        for game in np.unique(track.games):
            same = track.above & (track.games == game)
            ax.plot(work[same], values[same], linestyle=line, color=colour, linewidth=width, alpha=0.3 if pale else 1)
        if pale:
            there = np.isfinite(best)
            ax.plot(work[there], best[there], linestyle=line, color=colour, linewidth=part.relative(1.6))
        fine = track.above & ~track.coarse
        if fine.sum() > FEW:
            fine &= np.arange(fine.size) == np.flatnonzero(fine)[-1]  # the last mark says where the run ended
        elif pale:
            fine &= values == best
        for here, face in ((track.above & track.coarse, "white"), (fine, colour)):
            heights = best if pale and face != "white" else values  # a mark stands on the full line
            ax.plot(work[here], heights[here], marker, color=colour, markerfacecolor=face)
            floor = track.below & (track.coarse if face == "white" else ~track.coarse)
            if floor.any():
                style: dict[str, Any] = {"markerfacecolor": face, "markersize": part.relative(7), "clip_on": False}
                ax.plot(work[floor], np.zeros(floor.sum()), "v", color=colour, transform=ax.get_xaxis_transform(),
                        **style)  # fmt: skip
        self.coarse |= bool(track.coarse.any())
        self.floored |= bool(track.below.any())

    def _violation(self, ax: Axes, track: _Track, colour: Any) -> None:
        if track.above.any():
            ax.plot(
                track.work[track.above],
                track.values[track.above],
                "--",
                color=colour,
                linewidth=part.relative(1),
                alpha=0.7,
            )
            self.violated = True

    def tolerances(self, axes: list[Axes]) -> None:
        for tolerance in {float(d.attrs["tol"]) for _, d in self.runs if float(d.attrs.get("tol", 0.0)) > 0}:
            for ax in axes:
                if ax in self.empty:  # a line alone has no scale
                    ax.set_ylim(tolerance / 10, 10 * tolerance)
                line = ax.axhline(tolerance, color=part.INK, linestyle=(0, (6, 3)), linewidth=part.relative(1),
                                  label="tolerance")  # fmt: skip
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
            self.extra.append(ax.plot(ends, above / ends, ":", color=part.INK, label="slope 1/t")[0])
            return

    def share_heights(self) -> None:
        """One scale of height for both panels."""
        self.axes[1].sharey(self.axes[0])
        self.axes[0].autoscale_view()
        self.axes[1].tick_params(labelleft=part.leftmost(self.axes[1]))

    def legend(self) -> None:
        lines = [
            Line2D([], [], **look, label=words(text)) for (text, _), look in zip(self.runs, self.series, strict=True)
        ]
        notes = [
            (self.pale, Line2D([], [], color=part.INK, alpha=0.3, label="each iteration")),
            (self.violated, Line2D([], [], color=part.INK, linestyle="--", label="violation of bounds")),
            (self.coarse, _mark("o", "of a coarser or hotter game")),
            (self.floored, _mark("v", "at or below zero")),
        ]
        handles = [*lines, *(line for shown, line in notes if shown), *self.extra]
        part.legend(self.figure, handles)


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
