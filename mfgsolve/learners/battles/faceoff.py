"""Face-offs: groups that were trained by different algorithms play one another, over all seatings.

    result = faceoff([load_training("mtmfq.nc"), load_training("il.nc")], games=200, rng=0)
    result.numbers, result.dataset, result.save("faceoff.nc")

Who sits where decides more than who was trained how: whoever is followed in the cycle by the weakest group is hunted by
nobody.  So every seating is played equally often: the 24 of four files, the 36 of three (one of which has two seats),
and of two files the two in which they take turns around the cycle.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import mfgsolve
from mfgsolve.errors import InputError, whole
from mfgsolve.files import SCHEMA, read_dataset, write_dataset
from mfgsolve.learners.battles.battle_tasks import BattleTask
from mfgsolve.learners.battles.matches import Outcome, Player, play, record
from mfgsolve.learners.battles.rules import GROUPS
from mfgsolve.tasks import Training, make_task
from mfgsolve.tasks.learner import series
from mfgsolve.watch import look

__all__ = ["FaceOff", "faceoff", "load_faceoff", "seatings", "wilson"]

LEVEL = 1.959964  # of the normal distribution, for intervals of 95 %


@dataclass(frozen=True, eq=False)
class FaceOff:
    """Result of `faceoff`: counts and means by algorithm, by seating, and of every game, in one dataset."""

    dataset: xr.Dataset

    @property
    def numbers(self) -> dict[str, dict[str, float]]:
        """By algorithm: games, wins, ties, win_rate with its interval low to high, and means."""
        names = ("games", "wins", "ties", "win_rate", "low", "high", "alive", "kills", "reward")
        return {
            str(one): {name: self.dataset[name].sel(algorithm=one).item() for name in names}
            for one in self.dataset["algorithm"].values
        }

    def save(self, path: str | Path) -> Path:
        """Write the dataset as NetCDF."""
        return write_dataset(self.dataset, path)


def load_faceoff(path: str | Path) -> FaceOff:
    """Read what `FaceOff.save` wrote."""
    return FaceOff(read_dataset(path, "faceoff"))


def seatings(files: int, groups: int = 4) -> list[tuple[int, ...]]:
    """Which file plays each group, in every seating.

    Raises
    ------
    InputError
        for fewer than two files, or more than there are groups
    """
    if not 2 <= files <= groups:
        raise InputError(f"{files} files came to a face-off of {groups} groups; 2 to {groups} are possible")
    if files == 2:
        return [tuple((seat + k) % 2 for seat in range(groups)) for k in range(2)]
    twice = [[*range(files), *extra] for extra in ([()] if files == groups else [(k,) for k in range(files)])]
    return sorted({order for seats in twice for order in permutations(seats)})


def wilson(wins: int, games: int) -> tuple[float, float]:
    """Interval of 95 % of a probability from so many successes (Wilson, JASA 22, 1927, doi:10.2307/2276774)."""
    if not games:
        return math.nan, math.nan
    share, square = wins / games, LEVEL**2
    middle = (share + square / (2 * games)) / (1 + square / games)
    half = LEVEL / (1 + square / games) * math.sqrt(share * (1 - share) / games + square / (4 * games**2))
    return (middle - half if wins else 0.0), (middle + half if wins < games else 1.0)


def faceoff(
    trainings: Sequence[Training], games: int = 200, rng: Any = 0, *, names: Sequence[str] | None = None,
    max_steps: int | None = None, callback: Callable[[int, int], Any] | None = None,
) -> FaceOff:  # fmt: skip
    """Games between groups of different trainings.

    An algorithm wins a game in which all groups with most agents alive are its own; where several algorithms have such
    a group, the game is tied.

    Parameters
    ----------
    trainings : two to four, of learners of battles, on the same task with the same sizes
    games : at least so many; every seating has the same number
    rng : seed
    names : of the algorithms; their learners' without, numbered where several are alike
    max_steps : of a game; the task's without
    callback : called with (games played, games in all) after every seating

    Returns
    -------
    FaceOff

    Raises
    ------
    InputError
        for trainings of different tasks, for a number of them that cannot be seated, for one without networks
    """
    orders = seatings(len(trainings))
    task = _task_of(trainings, max_steps)
    labels = _labels(trainings, names)
    each = -(-whole(games, "games") // len(orders))
    if each < 1:
        raise InputError(f"games is {games}; at least 1 is needed")
    players = [[Player.of(training, g, task) for g in range(len(GROUPS))] for training in trainings]
    *seeds, watched = np.random.SeedSequence(rng).spawn(len(orders) + 1)
    outcomes = []
    for order, seed in zip(orders, seeds, strict=True):
        look()
        outcomes.append(play(task, [players[file][g] for g, file in enumerate(order)], each, seed))
        if callback is not None:
            callback(each * len(outcomes), each * len(orders))
    dataset = _collected(task, labels, orders, outcomes, rng)
    position, power = record(task, [players[file][g] for g, file in enumerate(orders[0])], watched)
    dataset["film_position"] = series(
        "place (x, y) in one more game of the first seating", "cells", position.astype(np.int16),
        ("frame", "member", "slot", "axis"),
    )  # fmt: skip
    dataset["film_power"] = series(
        "power in that game, 0 of the dead", "1", power.astype(np.float32), ("frame", "member", "slot")
    )
    return FaceOff(dataset)


def _task_of(trainings: Sequence[Training], max_steps: int | None) -> BattleTask:
    """The game of all trainings."""
    stated = []
    for training in trainings:
        attrs = training.dataset.attrs
        settings = {
            str(name).removeprefix("parameter_"): value.item() if hasattr(value, "item") else value
            for name, value in attrs.items()
            if str(name).startswith("parameter_")
        }
        stated.append((str(attrs["task"]), settings))
    for name, settings in stated[1:]:
        if (name, settings) != stated[0]:
            raise InputError(
                f"a face-off of trainings on {_told(*stated[0])} and on {_told(name, settings)}; the same game and the "
                "same sizes are needed"
            )
    task = make_task(*stated[0])
    if not isinstance(task, BattleTask):
        raise InputError(f"a face-off of trainings on {task.name}, which is no battle")
    if not task.contest:
        raise InputError(
            f"a face-off of trainings on {task.name}, which nobody wins; compare the rewards that the trainings tell"
        )
    return task if max_steps is None else replace(task, max_steps=whole(max_steps, "max_steps"))


def _told(name: str, settings: dict[str, Any]) -> str:
    return f"{name} ({', '.join(f'{key}={value}' for key, value in settings.items())})"


def _labels(trainings: Sequence[Training], names: Sequence[str] | None) -> list[str]:
    """A name for each training, no two alike."""
    if names is not None:
        if len(names) != len(trainings) or len(set(names)) != len(names):
            raise InputError(f"names are {list(names)}; {len(trainings)} different ones are needed")
        return [str(name) for name in names]
    learners = [str(training.dataset.attrs["learner"]) for training in trainings]
    return [
        name if learners.count(name) == 1 else f"{name}-{learners[: k + 1].count(name)}"
        for k, name in enumerate(learners)
    ]


def _collected(
    task: BattleTask, labels: list[str], orders: list[tuple[int, ...]], outcomes: list[Outcome], rng: Any
) -> xr.Dataset:
    """All counts: (seating, game, group) as they were, (seating, algorithm) and (algorithm) as they add up."""
    seat = np.array(orders)
    games = {
        name: np.stack([getattr(outcome, name) for outcome in outcomes]).astype(float)
        for name in ("alive", "kills", "reward")
    }
    best = np.stack([outcome.best for outcome in outcomes])
    own = seat[:, None] == np.arange(len(labels))[None, :, None]  # (seating, algorithm, group)
    among = (best[:, :, None] & own[:, None]).any(axis=3)  # (seating, game, algorithm)
    tied = among.sum(axis=2) > 1
    wins = (among & ~tied[..., None]).sum(axis=1)
    number = games["alive"].shape[1]
    data = {
        "seat": series("number of the algorithm of each group", "1", seat, ("seating", "group")),
        "wins_of_seating": series("games won", "1", wins, ("seating", "algorithm")),
        "ties_of_seating": series("games tied", "1", tied.sum(axis=1), ("seating",)),
        "games": series("games", "1", np.full(len(labels), number * len(orders)), ("algorithm",)),
        "wins": series("games won", "1", wins.sum(axis=0), ("algorithm",)),
        "ties": series(
            "games tied that it was the best in", "1", (among & tied[..., None]).sum(axis=(0, 1)), ("algorithm",)
        ),
    }
    total = number * len(orders)
    bounds = np.array([wilson(int(won), total) for won in wins.sum(axis=0)])
    data["win_rate"] = series("share of games won", "1", wins.sum(axis=0) / total, ("algorithm",))
    data["low"] = series("lower end of the interval of 95 %", "1", bounds[:, 0], ("algorithm",))
    data["high"] = series("upper end of the interval of 95 %", "1", bounds[:, 1], ("algorithm",))
    for name, words in (("alive", "agents of a group alive at the end"), ("kills", "kills and captures of a group"),
                        ("reward", "total reward of a group")):  # fmt: skip
        data[f"{name}_of_game"] = series(words, "1", games[name], ("seating", "game", "group"))
        mean = games[name].mean(axis=1)  # (seating, group)
        by_seating = (mean[:, None] * own).sum(axis=2) / np.maximum(own.sum(axis=2), 1)
        data[f"{name}_of_seating"] = series(f"{words}, mean", "1", by_seating, ("seating", "algorithm"))
        share = (mean[:, None] * own).sum(axis=(0, 2)) / own.sum(axis=(0, 2))
        data[name] = series(f"{words}, mean", "1", share, ("algorithm",))
    attrs = {
        "schema": SCHEMA, "kind": "faceoff", "mfgsolve_version": mfgsolve.__version__,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "task": task.name, "seed": str(rng), "source": task.source,
    }  # fmt: skip
    attrs |= {f"parameter_{name}": value for name, value in task.parameters.items()}
    coords = {"algorithm": labels, "group": list(GROUPS)}
    return xr.Dataset(data, coords, attrs)
