"""One door to all pictures: what is drawn is what the result is of, or the kind that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from mfgsolve.errors import InputError, unknown
from mfgsolve.plots.agents import agents
from mfgsolve.plots.choices import policy
from mfgsolve.plots.cooperation import ablation
from mfgsolve.plots.densities import plan
from mfgsolve.plots.design import design
from mfgsolve.plots.exits import exits
from mfgsolve.plots.faceoffs import faceoff
from mfgsolve.plots.fields import speed, value
from mfgsolve.plots.history import convergence, convergences
from mfgsolve.plots.learning import learning
from mfgsolve.plots.markets import economy
from mfgsolve.plots.refinement import refinement
from mfgsolve.plots.roads import roads
from mfgsolve.plots.scenarios import scenarios
from mfgsolve.plots.sweep import study
from mfgsolve.plots.training import training
from mfgsolve.plots.transition import transition

__all__ = ["KINDS", "OWN", "draw"]

KINDS: dict[str, Callable[..., Figure]] = {  # of a solution
    "plan": plan, "value": value, "speed": speed, "policy": policy, "convergence": convergence, "learning": learning,
    "exits": exits, "scenarios": scenarios,
}  # fmt: skip
OWN: dict[str, Callable[..., Figure]] = {  # of other results, by the kind in their dataset
    "ablation": ablation, "comparison": agents, "convergence": convergences, "economy": economy, "faceoff": faceoff,
    "refinement": refinement, "roads": roads, "sweep": study, "training": training,
    "transition": transition,
}  # fmt: skip


def draw(result: Any, kind: str | None = None, **options: Any) -> Figure:
    """The picture of a result.

    Parameters
    ----------
    result : a Solution or its dataset; or what `mfgsolve.convergence`, `compare`, `refine`, `sweep`, `design`, `learn`
        or a face-off returned, each of which has one picture
    kind : of a solution: "plan" (default), "value", "speed", "policy", "convergence", "learning", "exits" or
        "scenarios"
    options : of that picture (times, measures, stages, ...) and of all pictures, see `mfgsolve.plots.Style`

    Raises
    ------
    InputError
        for a kind or an option that there is none of, with the nearest spelling

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> solution = mfg.solve(mfg.problems.beach_bar(shape=(12,), steps=6))
    >>> figure = mfg.plots.draw(solution, "policy", width=3.5, title="", labels={"x": "place on the beach"})
    >>> float(figure.get_figwidth())
    3.5
    """
    data = getattr(result, "dataset", getattr(result, "history", result))
    if isinstance(data, xr.Dataset) and "control" in data.dims and "kind" not in data.attrs:
        own: Callable[..., Figure] | None = design
    else:
        own = OWN.get(str(data.attrs.get("kind", ""))) if isinstance(data, xr.Dataset) else None
    if own is not None:
        if kind is not None:
            raise InputError(f"kind is {kind!r}, and this result has one picture (plots.{own.__name__}): leave it out")
        return own(result, **options)
    if kind is not None and kind not in KINDS:
        raise InputError(unknown("kind of picture", kind, KINDS))
    return KINDS[kind or "plan"](result, **options)
