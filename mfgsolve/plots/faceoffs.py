"""Face-offs of battles: who won how often, and one game to be watched."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mfgsolve.errors import InputError
from mfgsolve.plots import panels as part
from mfgsolve.plots.battles import COLOURS
from mfgsolve.plots.reading import words
from mfgsolve.plots.style import applied

__all__ = ["BattleFilm", "faceoff", "is_faceoff"]

FOOD = "#999999"
MARKS = "oD^v"  # of groups a, b, c, d
PALEST = 0.25  # opacity of an agent without power


def is_faceoff(result: Any) -> bool:
    """Whether this is a face-off, or its dataset."""
    dataset = getattr(result, "dataset", result)
    return isinstance(dataset, xr.Dataset) and dataset.attrs.get("kind") == "faceoff"


@part.picture
def faceoff(result: Any, **style: Unpack[part.Options]) -> Figure:
    """Share of games won with its interval of 95 %, agents alive and kills of a group, by algorithm; wins by seat.

    Parameters
    ----------
    result : what `mfgsolve.learners.battles.faceoff` returned, or its dataset
    """
    dataset = _dataset(result)
    figure, (wins, alive, seats) = part.row(3, 3.6)
    names = [words(name) for name in dataset["algorithm"].values]
    place = np.arange(len(names))
    rate = dataset["win_rate"].values
    errors = np.array([rate - dataset["low"].values, dataset["high"].values - rate])
    wins.bar(place, rate, yerr=np.maximum(errors, 0.0), color="0.75", ecolor=part.INK, capsize=4)
    wins.set(ylabel="share of games won", ylim=(0, 1))
    width = 0.4
    alive.bar(place - width / 2, dataset["alive"].values, width, color="0.75", label="alive at the end")
    alive.bar(place + width / 2, dataset["kills"].values, width, color="0.35", label="kills")
    alive.set(ylabel="agents of a group, mean")
    part.explain(alive)
    shares = _wins_by_seat(dataset)
    image = seats.imshow(shares, vmin=0, vmax=1, cmap="Greys", aspect="auto")
    for k, g in np.argwhere(np.isnan(shares)):  # white is a share of 0
        seats.text(g, k, "never\nsat here", ha="center", va="center", fontsize=part.relative(8.6), color=part.INK)
    seats.set(xticks=range(dataset.sizes["group"]), xlabel="group it sat in", yticks=place, yticklabels=names)
    seats.set_xticklabels([words(group) for group in dataset["group"].values])
    figure.colorbar(image, ax=seats, label="share of games won there")
    for ax in (wins, alive):
        ax.set_xticks(place, names)
    games = int(dataset["games"].values[0])
    told = f"{words(dataset.attrs['task'])}: {games} games over {dataset.sizes['seating']} seatings"
    part.headline(figure, told)
    return figure


def _wins_by_seat(dataset: xr.Dataset) -> np.ndarray:
    """Share of games (algorithm, group) in which the algorithm's group had most agents alive, alone."""
    alive, seat = dataset["alive_of_game"].values, dataset["seat"].values
    best = alive == alive.max(axis=2, keepdims=True)
    alone = best & (best.sum(axis=2, keepdims=True) == 1)
    shares = np.full((dataset.sizes["algorithm"], dataset.sizes["group"]), np.nan)
    for k, g in np.ndindex(*shares.shape):
        sat = seat[:, g] == k
        if sat.any():
            shares[k, g] = alone[sat][:, :, g].mean()
    return shares


class BattleFilm:
    """The game that a face-off recorded at one time; ``show`` moves it to another.

    Groups have colours and marks, power is opacity, food is grey squares; the legend counts who is alive.
    """

    def __init__(self, result: Any):
        self.dataset = _dataset(result)
        if "film_power" not in self.dataset:
            raise InputError("the face-off holds no game to watch; play it anew: mfgsolve faceoff")
        self.options = part.current()
        self.place = self.dataset["film_position"].values.astype(float)
        self.power = self.dataset["film_power"].values
        self.times = np.arange(len(self.power), dtype=float)
        seat = self.dataset["seat"].values[0]
        algorithms = [words(name) for name in self.dataset["algorithm"].values]
        groups = [words(name) for name in self.dataset["group"].values]
        names = [f"{group} ({algorithms[seat[g]]})" for g, group in enumerate(groups)]
        part.check_labels(self.options.labels, names)
        self.labels = [part.relabelled(name, self.options.labels) for name in names]
        with applied(self.options) as settings:
            self._build(len(groups))
            self.show(0.0)
            self.figure.settings = settings
        self.figure.draw_without_rendering()
        self.figure.hold_layout()

    def _build(self, groups: int) -> None:
        """The field, with dots for the members of each group, and for food."""
        size, width = int(self.dataset.attrs["parameter_size"]), self.options.width or 6.2
        share = width / 6.2
        self.figure = part.Picture(figsize=(width, width + 0.6 * share), layout="constrained")
        self.axes = self.figure.subplots()
        self.axes.set(xlim=(0.5, size - 1.5), ylim=(0.5, size - 1.5), aspect="equal", xticks=[], yticks=[])
        self._small, members, mark = part.relative(9), self.power.shape[1], 2400.0 * share**2 / size
        self.dots = [
            self.axes.scatter(
                [], [], s=mark, marker=MARKS[g % len(MARKS)] if g < groups else "s",
                color=COLOURS[g % len(COLOURS)] if g < groups else FOOD,
            )
            for g in range(members)
        ]  # fmt: skip

    def show(self, t: float) -> Figure:
        """Move to the step nearest to a time."""
        k = int(np.clip(round(t), 0, len(self.power) - 1))
        handles = []
        for g, dots in enumerate(self.dots):
            living = self.power[k, g] > 0
            dots.set_offsets(self.place[k, g][living])
            power = self.power[k, g][living].astype(float)
            dots.set_alpha(PALEST + (1 - PALEST) * power if power.size else None)
            if g < len(self.labels):
                mark: dict[str, Any] = {"marker": MARKS[g % len(MARKS)], "color": COLOURS[g % len(COLOURS)]}
                handles.append(Line2D([], [], linestyle="", label=f"{self.labels[g]}: {int(living.sum())}", **mark))
        place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.01)}
        if self.options.legend:
            self.axes.legend(handles=handles, ncols=2, frameon=False, fontsize=self._small, **place)
        name = words(self.dataset.attrs["task"]) if self.options.title is None else self.options.title
        step = f"step {k} of {len(self.power) - 1}"
        self.axes.set_title(f"{name}: {step}" if name else step, loc="left")
        return self.figure


def _dataset(result: Any) -> xr.Dataset:
    if not is_faceoff(result):
        raise InputError(f"a face-off is needed, from mfgsolve faceoff; a {type(result).__name__} came")
    dataset: xr.Dataset = getattr(result, "dataset", result)
    return dataset
