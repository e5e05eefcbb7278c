"""sweep: one game at many values of its parameters, on this machine or on a cluster, nothing of it lost.

    study = sweep("supply-demand", {"reward": [1, 2, 3], "congestion": [0.05, 0.1]}, shape=(32, 32),
                  regions={"shortcut": "y<0.4"}, output="sweep.zarr", workers=2)
    study.cost.plot()

Points of small games are solved along paths on which neighbours are starts for each other (`mfgsolve.studies.paths`);
all others from nothing, since there the solver's own coarse meshes are the better start.  Either way the numbers of a
point are the same bit for bit in any order, on any number of workers, after any number of interruptions.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import math
import pathlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

import mfgsolve
from mfgsolve import methods, problems
from mfgsolve.checkpoints import PYTHON_PROBLEM, problem_text
from mfgsolve.errors import FileError, InputError, shown, unknown
from mfgsolve.problem import Problem
from mfgsolve.progress import Counted, live
from mfgsolve.resolution import settle
from mfgsolve.solution.regions import share_of
from mfgsolve.studies.paths import Path, along, paths, starts_help
from mfgsolve.studies.points import (
    ASKED,
    FIELDS,
    NUMBERS,
    OF_AGENTS,
    OF_REPLICAS,
    PLAYED,
    Answer,
    Point,
    fingerprint_of,
)  # fmt: skip
from mfgsolve.studies.store import LONGEST, Memory, Store, template_of
from mfgsolve.studies.workers import Batch, batches

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Progress", "sweep"]


@dataclass(frozen=True)
class Progress:
    """What a callback is told after a point: how many are done (failed ones among them), and when all will be."""

    done: int
    failed: int
    points: int
    seconds: float
    left: float  # seconds, NaN before anything is known


def sweep(
    problem: str | Problem | Callable[..., Problem],
    over: Mapping[str, Sequence[Any]],
    *,
    settings: Mapping[str, Any] | None = None,
    shape: Sequence[int] | None = None,
    steps: int | None = None,
    scheme: str | None = None,
    tol: float = 1e-10,
    method: str | None = None,
    learner: str | None = None,
    options: Mapping[str, Any] | None = None,
    keep: Sequence[str] = (),
    regions: Mapping[str, str] | None = None,
    times: Sequence[float] = (0.0, 0.25, 0.5, 0.75, 1.0),
    output: str | pathlib.Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    workers: int | None = None,
    client: Client | str | None = None,
    warm: bool = True,
    callback: Callable[[Progress], Any] | None = None,
    progress: bool | None = None,
    verbose: bool | int = False,
) -> xr.Dataset:
    """Solve a game at every combination of values, and put what comes out into one dataset.

    Parameters
    ----------
    problem : a name of ``mfgsolve list``, a problem that can be written as a file, or a function of the parameters that
        makes one (for workers it must be importable there)
    over : values of each parameter by name; besides those of the problem "shape", "steps", "scheme", "discount",
        "agents" (regret of N agents; with a learner how many learn), "rng" (seeds of a learner, or of games of N agents
        who follow the plan), and with a learner "episodes"
    settings, shape, steps, scheme : of all points; "agents", "rng" and "episodes" may be among the settings
    tol, method, options : of `mfgsolve.solve` at all points; of `mfgsolve.learn` with ``learner``
    keep : of the numbers those that take work of their own, "potential_error" (a solve on a coarser mesh at every
        point); and of "density" and "value", at ``times``
    regions : conditions by name (see `mfgsolve.solution.regions`), whose mass is kept at ``times``
    times : shares of the horizon
    output : a Zarr store; each point is written when it is finished
    resume, overwrite : go on with the study that is there, or replace it
    workers : processes on this machine; None works in this one
    client : of dask.distributed, or the address of a scheduler, in place of workers of one's own
    warm : whether neighbouring points of small games may be starts for each other; else every point is solved from
        nothing, as `mfgsolve.solve` would.  Both reach the same tolerance
    callback : called with `Progress` after every point; a true value stops, and what is done stays
    progress, verbose : see `mfgsolve.progress`

    Returns
    -------
    xarray.Dataset
        on the parameters: cost, potential, ... (`mfgsolve.studies.points.NUMBERS`), ``mass_NAME`` (..., time),
        fields, ``status`` and ``message`` (a failed point has its reason there, and NaN elsewhere), ``done`` (0 of what
        is still to come, and where a worker died with the point: ``resume`` tries that once more)

    Raises
    ------
    InputError, FileError

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> study = mfg.sweep("left-right", {"temperature": [0.1, 0.2]}, regions={"left": "state == 'left'"})
    >>> study.cost.dims, int(study.done.sum())
    (('temperature',), 2)
    """
    values = _checked(over)
    point = _first_point(problem, settings, shape, steps, scheme)
    point = _asked(point, tol, method, learner, options, keep, regions, times)
    begin = point.with_settings({name: each[0] for name, each in values.items()})
    first = settle(begin.problem())
    way = along(values) if warm and "shape" not in values and starts_help(first, begin) else None
    template = _template(point, values, first, way)
    kept = Memory(template) if output is None else Store(output, template, resume, overwrite)
    todo = _todo(kept, point, values, way)
    line = Counted("points", counted=lambda now: (now.done, now.points))
    clock = _Clock(sum(len(path.wanted) for path in todo), int(template["done"].size), line.beside(callback))
    with live(line, progress, verbose), contextlib.closing(batches(todo, workers, client)) as coming:
        for batch in coming:
            for index, answer in batch.answers:
                _keep(kept, index, answer, output)
            if clock.ticked(batch):
                break
    return kept.result()


def _todo(kept: Memory, point: Point, values: Mapping[str, list[Any]], way: str | None) -> list[Path]:
    """What is still to be solved, path by path; points that are done only where others need them."""
    done, todo = kept.done, []
    for indices in paths(values, way):
        wanted = tuple(k for k, index in enumerate(indices) if not done[index])
        if not wanted:
            continue
        settings = [{name: values[name][i] for name, i in zip(values, index, strict=True)} for index in indices]
        points = tuple(point.with_settings(each) for each in settings)
        places = () if way is None else tuple(float(each[way]) for each in settings)
        todo.append(Path(tuple(indices), points, way or "", places, wanted))
    return todo


def _checked(over: Any) -> dict[str, list[Any]]:
    if not isinstance(over, Mapping) or not over:
        raise InputError("no parameters came to sweep over; give values by name, say {'reward': [1, 2, 3]}")
    values = {}
    for name, given in over.items():
        if isinstance(given, str) or not np.iterable(given):
            raise InputError(f"values of {name} are {given!r}; a list is needed")
        listed = [_plain(value) for value in given]
        if not listed or len({str(value) for value in listed}) < len(listed):
            raise InputError(f"values of {name} are {listed}; at least one, all different, are needed")
        values[str(name)] = listed
    return values


def _plain(value: Any) -> Any:
    """A value as a file holds it; a shape as the text 32x32."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return "x".join(str(int(n)) for n in value)
    return value


def _first_point(
    problem: Any, settings: Mapping[str, Any] | None, shape: Any, steps: int | None, scheme: str | None
) -> Point:
    given = dict(settings or {})
    for name, value in (("shape", None if shape is None else _plain(tuple(np.atleast_1d(shape)))),
                        ("steps", steps), ("scheme", scheme)):  # fmt: skip
        if value is not None:
            given[name] = value
    if isinstance(problem, str):
        if problem.replace("_", "-") not in problems.names():
            raise InputError(unknown("problem", problem, problems.names()))
        return Point(name=problem.replace("_", "-"), settings=given)
    if isinstance(problem, Problem):
        text = problem_text(problem)
        if text == PYTHON_PROBLEM:
            raise InputError(
                f"{problem.name} was made of Python functions, which do not travel; give a function of the parameters "
                "that makes it"
            )
        return Point(text=text, settings=given)
    if callable(problem):
        return Point(build=problem, settings=given)
    raise InputError(
        f"problem is a {type(problem).__name__}; a name, a Problem, or a function that makes one is needed"
    )


def _asked(
    point: Point, tol: float, method: str | None, learner: str | None, options: Mapping[str, Any] | None,
    keep: Sequence[str], regions: Mapping[str, str] | None, times: Sequence[float],
) -> Point:  # fmt: skip
    chosen: dict[str, Any] = dict(options or {})
    if learner is None:
        chosen |= {"tol": tol, "method": method, "threads": 1}
    elif learner not in methods.LEARNERS:
        raise InputError(unknown("learner", learner, methods.LEARNERS))
    for name in keep:
        if name not in (*FIELDS, *NUMBERS):
            raise InputError(unknown("field or number to keep", name, (*FIELDS, *NUMBERS)))
    asked = tuple(name for name in (*FIELDS, *ASKED) if name in keep)  # all other numbers are kept anyway
    shares = tuple(float(t) for t in times)
    if not shares or not all(0 <= t <= 1 for t in shares):
        raise InputError(f"times of the study are {list(times)}; shares of the horizon from 0 to 1 are needed")
    for name in regions or {}:
        if not name.strip() or "/" in name or name.startswith("."):  # names of arrays in a Zarr store, where / divides
            raise InputError(f"region {shown(name)} has no name that a store can keep; leave out '/' and leading dots")
    settings = {key: value for key, value in point.settings.items() if key not in PLAYED}
    played = {key: value for key, value in point.settings.items() if key in PLAYED}
    asking = replace(
        point, settings=settings, learner=learner, options=chosen, keep=asked, regions=dict(regions or {}),
        times=shares, version=mfgsolve.__version__,
    )  # fmt: skip
    return asking.with_settings(played)


def _template(point: Point, over: Mapping[str, list[Any]], first: Problem, way: str | None) -> xr.Dataset:
    """The study before anything is done; the first problem tells whether parameters, regions and shapes make sense."""
    grid = first.grid
    coordinates = {name: ((name,), *rest) for name, rest in grid.dimension_coordinates.items()}
    density = xr.Dataset({"density": (("time", *grid.dims), np.zeros((1, *grid.shape)))}, coordinates)
    for name, where in point.regions.items():
        share_of(where, density, f"region {name!r}")
    fields: dict[str, xr.DataArray] = {}
    share = xr.DataArray(list(point.times), dims="time_share", attrs={"units": "1", "long_name": "time / horizon"})
    several = {"population": density["population"]} if "population" in grid.dims else {}
    for name in point.regions:
        like = np.zeros((len(share), *(len(one) for one in several.values())))
        fields[f"mass_{name}"] = xr.DataArray(
            like, {"time_share": share, **several}, ("time_share", *several),
            attrs={"long_name": f"mass in {name}", "units": "1"},
        )  # fmt: skip
    kept_fields = [name for name in FIELDS if name in point.keep]
    if kept_fields and "shape" in over:
        raise InputError("fields of several shapes do not fit into one array; leave keep= out, or the shapes")
    for name in kept_fields:
        fields[name] = xr.DataArray(
            np.zeros((len(share), *grid.shape)), {"time_share": share, **{d: density[d] for d in grid.dims}},
            ("time_share", *grid.dims), attrs={"long_name": name, "units": "1/volume" if name == "density" else "cost"},
        )  # fmt: skip
    numbers = {
        name: about
        for name, about in NUMBERS.items()
        if not (name == "steps" and name in over) and (name not in ASKED or name in point.keep)  # steps: a label then
    }
    if point.learner is None:
        agents, seeds = point.agents or "agents" in over, point.rng is not None or "rng" in over
        if seeds and not agents:
            raise InputError(
                "rng is the seed of learners, or of games of N agents, and the study has neither; name a learner, or "
                "give agents, too"
            )
        numbers |= (OF_AGENTS if agents else {}) | (OF_REPLICAS if seeds else {})
    taken = {*numbers, *fields, *grid.dims, "time_share", "status", "message", "done"}
    for name in over:
        if name in taken or "/" in name:
            raise InputError(
                f"parameter {shown(name)} has the name of what the study keeps; build it under another name"
            )
    attributes = {
        "mfgsolve_version": mfgsolve.__version__, "fingerprint": fingerprint_of(point, over, way), "name": first.name,
        "source": first.source, "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "settings": json.dumps(dict(point.settings), default=str), "tol": float(point.options.get("tol", math.nan)),
    }  # fmt: skip
    return template_of(over, numbers, fields, attributes)


def _keep(kept: Memory, index: tuple[int, ...], answer: Answer, output: Any) -> None:
    known = {name: value for name, value in answer.numbers.items() if name in kept.dataset.data_vars}
    values: dict[str, Any] = {**known, **answer.fields}
    for name, value in values.items():
        wanted = kept.dataset[name].shape[len(index) :]
        if np.shape(value) != wanted:
            answer = Answer({}, {}, "failed", f"{name} has shape {np.shape(value)}, and the study keeps {wanted}")
            values = {}
            break
    values |= {"status": answer.status, "message": answer.message[:LONGEST]}
    try:
        kept.write(index, values, answer.finished)
    except OSError as error:
        raise FileError(
            f"output {output} cannot be written: {error.strerror or error}; what was finished before is there, and "
            "--resume goes on"
        ) from None


class _Clock:
    """Counts points, and says when all will be done: from the pace after the first batch of every worker, which
    compiles."""

    def __init__(self, todo: int, points: int, callback: Callable[[Progress], Any] | None):
        self.todo, self.points, self.callback = todo, points, callback
        self.batches = self.done = self.failed = self.before = 0
        self.begun = self.second = time.perf_counter()

    def ticked(self, batch: Batch) -> bool:
        """Whether somebody wants to stop."""
        now = time.perf_counter()
        self.batches += 1
        self.done += len(batch.answers)
        if self.batches <= batch.workers:
            self.second, self.before = now, self.done
        since = self.done - self.before
        left = (self.todo - self.done) * (now - self.second) / since if since else math.nan
        self.failed += sum(answer.status == "failed" for _, answer in batch.answers)
        told = Progress(self.points - self.todo + self.done, self.failed, self.points, now - self.begun, left)
        return self.callback is not None and bool(self.callback(told))
