"""The subcommand that solves a problem at many values of its parameters."""

from __future__ import annotations

import json as json_
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mfgsolve.command import comparing
from mfgsolve.command.arguments import (
    LEARNERS,
    Json,
    Method,
    Scheme,
    Settings,
    Shape,
    Steps,
    Tolerance,
    read_settings,
    read_shape,
    read_value,
    whole,
)
from mfgsolve.command.progress import Progress as Line
from mfgsolve.command.tables import read_regions
from mfgsolve.errors import InputError
from mfgsolve.inputs.texts import cut, visible
from mfgsolve.progress.lines import left_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xarray as xr
    from matplotlib.figure import Figure

    from mfgsolve.studies.sweep import Progress

__all__ = ["Points", "read_over", "study_facts", "study_rows", "sweep"]

STORES = (".zarr",)
MOST = 10**7  # points of a study


class Points(Line):
    """The live line of a sweep: how many points are done, how many failed, and when all will be."""

    def __init__(self) -> None:
        super().__init__(0.0)
        self.now: Progress | None = None

    def ticked(self, now: Progress) -> None:
        """Show how far it is."""
        self.now, self.doing = now, ""

    def share(self) -> float:
        return 0.0 if self.now is None else self.now.done / self.now.points

    def texts(self) -> Iterator[tuple[str, str]]:
        if self.doing or self.now is None:
            yield from super().texts()
            return
        now = self.now
        failed = f", {now.failed} failed" if now.failed else ""
        count = f"{now.done} of {now.points} points{failed}"
        left = left_text(now.left)
        yield count, f"{left}  {self.clock()}" if left else self.clock()
        yield count, self.clock()
        yield "", count


def sweep(
    problem: Annotated[str, typer.Argument(metavar="NAME|FILE.toml", help="A problem of 'mfgsolve list', or a file.")],
    over: Annotated[
        list[str] | None,
        typer.Option("--over", metavar="KEY=A:B:N", help="Values of a parameter: 1:4:13, or 0.05,0.1,0.2; repeatable."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="NAME: x>0.6", help="A region whose mass is kept; repeatable."),
    ] = None,
    keep: Annotated[
        str | None, typer.Option("--keep", metavar="A,B", help="Keep density, value, potential_error, too.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.zarr", help="Keep every point here (Zarr).")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE.png", help="Draw the study here (.png, .pdf or .svg).")
    ] = None,
    json: Json = False,
    resume: Annotated[bool, typer.Option("--resume", help="Compute only what is missing in the output.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a study that is there.")] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", parser=whole, metavar="N", help="Processes; else this one alone.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", metavar="tcp://HOST:PORT", help="A cluster of dask.distributed.")
    ] = None,
    solver: Method = None,
    learner: Annotated[
        str | None, typer.Option(metavar="NAME", help=f"Let agents learn instead: {LEARNERS}; --over rng=0:4:5.")
    ] = None,
    shape: Shape = None,
    steps: Steps = None,
    scheme: Scheme = None,
    settings: Settings = None,
    cold: Annotated[
        bool, typer.Option("--cold", help="Solve each point from nothing, also where its neighbours are good starts.")
    ] = False,
    tol: Tolerance = 1e-10,
) -> None:
    """Solve a problem at every combination of values, on this machine or on a cluster.

    Each point is kept the moment it is finished; a point that fails leaves its message and the rest goes on.

    Exit code 0: all points are done; 3: some failed or did not converge; 2: bad input; 130: interrupted.

    Example:  mfgsolve sweep supply-demand --over reward=1:4:13 --over congestion=0.05,0.1 -o sweep.zarr --plot s.png
    """
    from mfgsolve.command.preflight import PICTURES, check_outputs

    check_outputs({"--plot": (plot, PICTURES)}, {"the problem file": problem})
    values = dict(read_over(text) for text in over or [])
    if len(values) < len(over or []):
        raise InputError("--over names a parameter twice; give all of its values at once")
    if math.prod(len(each) for each in values.values()) > MOST:
        raise InputError(f"the study has {math.prod(len(each) for each in values.values())} points; at most {MOST}")
    stated: Any = problem
    if Path(problem).suffix == ".toml":
        from mfgsolve.problemfile import read_problem

        stated = read_problem(problem)
    from mfgsolve.command.interrupts import Interrupts
    from mfgsolve.command.report import NOT_CONVERGED, say, to_json
    from mfgsolve.studies.sweep import sweep

    line = Points()
    go_on = "; nothing was written: -o FILE.zarr keeps every point" if output is None else (
        f"; what is done is kept, go on with --resume -o {visible(str(output))}")  # fmt: skip
    try:
        with Interrupts() as interrupts, line:

            def watch(now: Progress) -> None:
                interrupts.check()
                line.ticked(now)

            study = sweep(
                stated, values, settings=read_settings(settings or []), shape=read_shape(shape), steps=steps,
                scheme=scheme, tol=tol, method=solver, learner=learner, regions=read_regions(where or []),
                keep=[] if keep is None else [name.strip() for name in keep.split(",")], output=output, resume=resume,
                overwrite=overwrite, workers=workers, client=scheduler, warm=not cold,
                callback=watch,
            )  # fmt: skip
            interrupts.check()
    except KeyboardInterrupt:
        raise KeyboardInterrupt(go_on) from None
    written = [] if output is None else [output]
    failure = comparing.keep(study, None, plot, _drawn, line, written)  # the study itself was kept point by point
    if json:
        to_json(study_facts(study))
    else:
        say(f"Wrote {' and '.join(map(str, written))}." if written else "", study_rows(study))
    if failure is not None:
        raise failure
    facts = study_facts(study)
    if facts["failed"] or facts["not_converged"] or facts["done"] < facts["points"]:
        raise typer.Exit(NOT_CONVERGED)


def _drawn(study: xr.Dataset) -> Figure:
    from mfgsolve import plots

    return plots.study(study)


def read_over(text: str) -> tuple[str, list[Any]]:
    """A parameter and its values: KEY=A:B:N (N equal steps from A to B), or KEY=A,B,C."""
    name, equals, listed = text.partition("=")
    name, listed = name.strip(), listed.strip()
    form = "write --over reward=1:4:13 (13 values from 1 to 4), or --over congestion=0.05,0.1,0.2"
    if not (name and equals and listed):
        raise InputError(f"--over {cut(ascii(text))} is no range; {form}")
    parts = listed.split(":")
    if len(parts) == 1:
        return name, [read_value(each.strip()) for each in listed.split(",") if each.strip()]
    try:
        low, high, count = float(parts[0]), float(parts[1]), int(parts[2])
    except (ValueError, IndexError):
        count = 0
    if len(parts) != 3 or not 1 <= count <= MOST or not (math.isfinite(low) and math.isfinite(high)):
        raise InputError(f"--over {cut(ascii(text))} is no range; {form}")
    if count > 1 and low == high:
        raise InputError(f"--over {cut(ascii(text))} has {count} times the same value")
    values = [low + (high - low) * k / max(count - 1, 1) for k in range(count)]
    values[-1] = high if count > 1 else low
    whole = all(value == int(value) for value in values) and not any("." in part for part in parts)
    return name, [int(value) for value in values] if whole else values


def study_facts(study: xr.Dataset) -> dict[str, Any]:
    """What a study holds, in numbers."""
    status = study["status"].values
    return {
        "problem": str(study.attrs["name"]), "settings": json_.loads(str(study.attrs.get("settings", "{}"))),
        "over": {str(dim): study[dim].values.tolist() for dim in study["done"].dims},
        "points": int(study["done"].size), "done": int(study["done"].sum()), "failed": int((status == "failed").sum()),
        "not_converged": int(((status != "converged") & (status != "finished") & (status != "failed")
                              & (study["done"].values == 1)).sum()),
        "with_warnings": int(((study["message"].values != "") & (status != "failed")).sum()),
        "cost": study["cost"].values.tolist(),
        "mfgsolve_version": str(study.attrs.get("mfgsolve_version", "unknown")),
    }  # fmt: skip


def study_rows(study: xr.Dataset) -> list[tuple[str, str]]:
    """The small table of a study: what was swept, and the least and largest of every number."""
    import numpy as np

    facts = study_facts(study)
    rows = [("study of", facts["problem"])]
    for name, values in facts["over"].items():
        rows.append((name, f"{len(values)} values, {values[0]} to {values[-1]}" if len(values) > 1 else str(values[0])))
    state = f"{facts['done']} of {facts['points']} done"
    for word in ("failed", "not_converged", "with_warnings"):
        state += f", {facts[word]} {word.replace('_', ' ')}" if facts[word] else ""
    rows.append(("points", state))
    for name, one in study.data_vars.items():
        if one.dtype.kind == "f" and one.dims == study["done"].dims and np.isfinite(one.values).any():
            rows.append((str(name), f"{np.nanmin(one.values):.6g} to {np.nanmax(one.values):.6g}"))
        elif str(name).startswith("mass_") and np.isfinite(one.values).any():
            last = one.isel(time_share=-1)
            label = f"{str(name).replace('_', ' ', 1)} at {float(last.time_share):g} of the horizon"
            rows.append((label, f"{float(last.min()):.6g} to {float(last.max()):.6g}"))
    failed = study["message"].values[study["status"].values == "failed"]
    if len(failed):
        rows.append(("first failure", str(failed[0])))
    return rows
