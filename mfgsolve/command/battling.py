"""The subcommand that lets trained groups of battles play one another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mfgsolve.command.arguments import Json, Seed, whole
from mfgsolve.command.comparing import keep
from mfgsolve.command.progress import Counted
from mfgsolve.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Games", "faceoff", "faceoff_facts", "faceoff_rows"]


class Games(Counted):
    """The live line of a face-off: how many games are played."""

    def __init__(self, games: int):
        super().__init__("games", games)

    ticked = Counted.update


def faceoff(
    files: Annotated[list[Path], typer.Argument(metavar="A.nc B.nc ...", help="Two to four trainings on one battle.")],
    games: Annotated[
        int, typer.Option(parser=whole, metavar="N", help="At least so many; every seating has the same number.")
    ] = 200,
    rng: Seed = 0,
    max_steps: Annotated[
        int | None, typer.Option(parser=whole, metavar="N", help="Of a game; else as in training.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.nc", help="Keep the numbers and one game here.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE.png", help="Draw who won here (.png, .pdf or .svg).")
    ] = None,
    json: Json = False,
) -> None:
    """Let groups trained by different learners play one another, over all seatings: wins with intervals, kills, reward.

    Who sits where decides more than who was trained how, so every seating is played equally often.  The file keeps one
    game to be watched: mfgsolve animate faceoff.nc -o battle.gif

    Example:  mfgsolve faceoff mtmfq.nc il.nc --games 200 -o faceoff.nc --plot faceoff.png
    """
    from mfgsolve.command.preflight import DATA, PICTURES, check_outputs

    check_outputs(
        {"--output": (output, DATA), "--plot": (plot, PICTURES)}, {f"training {k + 1}": f for k, f in enumerate(files)}
    )
    if rng < 0:
        raise InputError(f"--rng is {rng}; a whole number of at least 0 is needed")
    from mfgsolve import plots
    from mfgsolve.command.interrupts import Interrupts, nothing_written
    from mfgsolve.command.report import say, to_json
    from mfgsolve.learners.battles.faceoff import faceoff, seatings
    from mfgsolve.tasks import load_training

    seatings(len(files))
    trainings = [load_training(file) for file in files]
    written: list[Path] = []
    line = Games(games)
    with nothing_written("fewer --games take less time"), Interrupts() as interrupts, line:

        def watch(played: int, of: int) -> None:
            interrupts.check()
            line.ticked(played, of)

        result = faceoff(trainings, games, rng, max_steps=max_steps, callback=watch)
        interrupts.check()
        failure = keep(result.dataset, output, plot, plots.faceoff, line, written)
    if json:
        to_json(faceoff_facts(result.dataset))
    else:
        files_told = f"Wrote {' and '.join(str(path) for path in written)}." if written else ""
        say(files_told, faceoff_rows(result.dataset))
    if failure is not None:
        raise failure


def faceoff_facts(dataset: xr.Dataset) -> dict[str, Any]:
    """Who played what, and by algorithm games, wins, ties, rate with its interval, and means; by seating, too."""
    attrs = dataset.attrs
    names = {"games": int, "wins": int, "ties": int, "win_rate": float, "low": float, "high": float}
    means = ("alive", "kills", "reward")
    by = {}
    for k, algorithm in enumerate(map(str, dataset["algorithm"].values)):
        one = {name: kind(dataset[name].values[k]) for name, kind in names.items()}
        by[algorithm] = one | {f"mean_{name}": float(dataset[name].values[k]) for name in means}
    settings = {
        str(name).removeprefix("parameter_"): getattr(value, "item", lambda v=value: v)()
        for name, value in attrs.items()
        if str(name).startswith("parameter_")
    }
    labels = [str(name) for name in dataset["algorithm"].values]
    seats = [
        {
            "seats": {
                str(group): labels[int(dataset["seat"].values[s, g])] for g, group in enumerate(dataset["group"].values)
            },
            "wins": {name: int(dataset["wins_of_seating"].values[s, k]) for k, name in enumerate(labels)},
            "ties": int(dataset["ties_of_seating"].values[s]),
        }
        for s in range(dataset.sizes["seating"])
    ]
    head = {"task": str(attrs["task"]), "parameters": settings, "seed": str(attrs.get("seed", ""))}
    return head | {"algorithms": by, "seatings": seats, "mfgsolve_version": str(attrs.get("mfgsolve_version", ""))}


def faceoff_rows(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """The small table of a face-off."""
    facts = faceoff_facts(dataset)
    rows = [("face-off on", f"{facts['task']}, {len(facts['seatings'])} seatings")]
    for name, one in facts["algorithms"].items():
        rate = f"{one['win_rate']:.0%} ({one['low']:.0%} to {one['high']:.0%})"
        rest = f"{one['mean_alive']:.1f} alive, {one['mean_kills']:.1f} kills, reward {one['mean_reward']:.4g}"
        rows.append((name, f"won {one['wins']} of {one['games']}, {one['ties']} tied: {rate}; {rest}"))
    return rows
