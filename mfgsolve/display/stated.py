"""The card of a problem: where it is played, when, by whom, for what; and how the crowd starts."""

from __future__ import annotations

from typing import Any

import numpy as np

from mfgsolve.display.cards import card
from mfgsolve.display.pictures import strip
from mfgsolve.errors import InputError

__all__ = ["flat_levels", "problem_card", "space_sentence"]

LARGE = 10**6  # cells above which nothing is sampled to be shown


def space_sentence(space: Any) -> str:
    """Where agents live: "64 x 64 cells, 0 to 1 x 0 to 1 km"."""
    names = [str(name) for name in getattr(space, "names", None) or ()]
    if hasattr(space, "space"):  # populations
        return f"populations {', '.join(names)} on {space_sentence(space.space)}"
    axes = getattr(space, "axes", None)
    if axes is None:
        return f"{space.size} states" + (f" ({', '.join(names)})" if 0 < len(names) <= 6 else "")
    unit = "" if axes[0].unit == "1" else f" {axes[0].unit}"
    sides = " x ".join(f"{axis.start:g} to {axis.stop:g}" for axis in reversed(axes))
    blocked = int(space.mask.sum())
    walls = f", {blocked} of them walls" if blocked else ""
    return f"{' x '.join(str(axis.cells) for axis in axes)} cells{walls}, {sides}{unit}"


def flat_levels(levels: np.ndarray, populations: int) -> np.ndarray:
    """Levels (levels, *shape) as pictures (levels, rows, columns): populations one above the other, a row of NaN
    between them, depth summed out, a line as one row."""
    parts = levels if populations > 1 else levels[:, None]
    while parts.ndim > 4:
        parts = parts.sum(axis=2)
    if parts.ndim == 3:
        parts = parts[:, :, None]
    parts = np.pad(parts.astype(float), ((0, 0), (0, 0), (0, 1), (0, 0)), constant_values=np.nan)
    return np.asarray(parts.reshape(len(parts), -1, parts.shape[-1])[:, :-1])


def problem_card(problem: Any) -> str:
    """The card of a `Problem`."""
    grid, time = problem.grid, problem.time
    unit = "" if time.unit == "1" else f" {time.unit}"
    steps = f"{time.steps} steps" if time.settled else "steps chosen by the game"
    kinds = [type(getattr(term, "of", term)).__name__ for c in problem.couplings for term in getattr(c, "terms", (c,))]
    flags = [word for word, held in (("potential", problem.is_potential), ("monotone", problem.is_monotone),
             ("hard bounds", problem.is_hard), ("transitions by the crowd", problem.is_coupled)) if held]  # fmt: skip
    discounted = f", discount {time.discount:g}" if time.discount else ""
    rows = {
        "where": space_sentence(grid),
        "when": repr(time) if time.is_stationary else f"0 to {time.horizon:g}{unit}, {steps}{discounted}",
        "agents": ", ".join(dict.fromkeys(type(one).__name__ for one in problem.all_dynamics))
        + (f", scheme {problem.scheme}" if problem.scheme else f", temperature {problem.temperature:g}"),
        "crowd": ", ".join(dict.fromkeys(kinds)),
        "game": ", ".join(flags) or "neither potential nor monotone",
    }
    if problem.parameters:
        rows["parameters"] = ", ".join(f"{name} {value}" for name, value in problem.parameters.items())
    picture, doubts = _start(problem), [caution.sentence for caution in problem.cautions]
    below = "the crowd as it starts" if picture else ""
    return card(f"Problem {problem.name}", problem.source, rows, picture=picture, below=below, warnings=doubts)


def _start(problem: Any) -> str:
    if problem.initial is None or problem.grid.size > LARGE:
        return ""
    try:
        density = problem.initial_mass() / problem.grid.volumes
    except InputError:  # what is wrong with it is told by a solve
        return ""
    levels = flat_levels(density[None], problem.grid.populations)
    walls = flat_levels(np.array(problem.grid.mask, dtype=float)[None], problem.grid.populations)[0] > 0
    return strip(levels, walls, ["density of the crowd at the start"])
