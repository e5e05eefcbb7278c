"""What a study says, in short: mean, spread and interval over seeds or replicas, and tables with a row for each point.

frame = study_table(study, over="rng")
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from mfgsolve.agents.slopes import mean_and_band
from mfgsolve.errors import InputError, unknown
from mfgsolve.studies.points import NUMBERS, OF_AGENTS, OF_REPLICAS

__all__ = ["field_table", "spread", "study_table"]

PARTS = ("mean", "deviation", "low", "high")


def spread(study: xr.Dataset, name: str, over: str) -> xr.Dataset:
    """Mean, standard deviation and a 95 % interval of the mean of a number over seeds, meshes or replicas.

    Parameters
    ----------
    study : what `sweep` returned
    name : of a number
    over : the parameter that is averaged over, say "rng"; points that failed are left out, and counted

    Returns
    -------
    xarray.Dataset
        ``mean``, ``deviation``, ``low``, ``high`` (Student's interval; NaN of a single one) and ``count``
    """
    for what, value, allowed in (("number", name, study.data_vars), ("parameter", over, study["done"].dims)):
        if value not in allowed:
            raise InputError(unknown(f"{what} of the study", value, map(str, allowed)))
    values = study[name].transpose(over, ...)
    flat = values.values.reshape(values.shape[0], -1)
    mean, band = mean_and_band(flat, 0)
    count = np.isfinite(flat).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        squares = np.nansum((flat - mean) ** 2, axis=0)
        deviation = np.where(count > 1, np.sqrt(squares / (count - 1)), np.nan)
    rows = (mean, deviation, band[:, 0], band[:, 1], count.astype(float))
    rest = values.isel({over: 0}, drop=True)
    names = ("mean", "deviation", "low", "high", "count")
    return xr.Dataset({each: rest.copy(data=row.reshape(rest.shape)) for each, row in zip(names, rows, strict=True)})


def study_table(study: xr.Dataset, over: str | None = None, times: Sequence[float] | None = None) -> pd.DataFrame:
    """A row for each point: its parameters, status, all numbers, masses at each time, and its message.

    Parameters
    ----------
    study : what `mfgsolve.sweep` returned
    over : a parameter that is averaged over, say "rng": every number has four columns then, ``NAME mean``,
        ``deviation``, ``low`` and ``high``, and ``points`` counts those that are neither missing nor failed
    times : shares of the horizon, of those that the study kept; all of them by default

    Raises
    ------
    InputError

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> from mfgsolve.studies.summary import study_table
    >>> study = mfg.sweep("left-right", {"temperature": [0.1, 0.2]}, regions={"left": "state == 'left'"}, times=[0, 1])
    >>> list(study_table(study).columns)[:5], len(study_table(study))
    (['temperature', 'status', 'cost', 'potential', 'relative_exploitability'], 2)
    """
    dims = [str(dim) for dim in study["done"].dims]
    if over is not None and over not in dims:
        raise InputError(unknown("parameter of the study", over, dims))
    rows = [dim for dim in dims if dim != over]
    numbers = _numbers(study, times)
    columns: dict[str, Any] = {}
    if over is None:
        columns["status"] = study["status"].where(study["status"] != "", "not done")
        columns |= numbers
        columns["message"] = study["message"]
    else:
        told = {name: spread(study.assign({name: one}), name, over) for name, one in numbers.items()}
        for name, parts in told.items():
            columns |= {f"{name} {part}": parts[part] for part in PARTS}
        columns["points"] = (study["status"] != "failed").where(study["done"] == 1, False).sum(over)
    order = [study.sizes[dim] for dim in rows]
    places = np.indices(order).reshape(len(order), -1) if rows else np.zeros((0, 1), dtype=int)
    frame = pd.DataFrame({dim: study[dim].values[places[k]] for k, dim in enumerate(rows)})
    for name, column in columns.items():
        frame[name] = column.transpose(*rows).values.reshape(-1)
    return frame


def _numbers(study: xr.Dataset, times: Sequence[float] | None) -> dict[str, xr.DataArray]:
    """Everything that is one number a point, by what its column is called."""
    dims = set(study["done"].dims)
    asked = _asked_times(study, times)
    numbers: dict[str, xr.DataArray] = {}
    known = [name for name in (*NUMBERS, *OF_AGENTS, *OF_REPLICAS) if name in study]  # a store lists them by letters
    for name in dict.fromkeys([*known, *map(str, study.data_vars)]):
        one = study[name]
        rest = [str(dim) for dim in one.dims if dim not in dims]
        if name in study.coords or one.dtype.kind != "f" or not set(rest) <= {"time_share", "population"}:
            continue
        if not rest:
            numbers[name] = one
            continue
        label = name.replace("mass_", "mass ", 1)
        for each in asked:
            level = one.sel(time_share=each, method="nearest")
            if "population" in rest:
                for kind in study["population"].values:
                    numbers[f"{label} ({kind}) at {each:g}"] = level.sel(population=kind)
            else:
                numbers[f"{label} at {each:g}"] = level
    return numbers


def _asked_times(study: xr.Dataset, times: Sequence[float] | None) -> list[float]:
    """Shares of the horizon that are asked for, all that the study kept where none are named; others are refused."""
    shares = [float(each) for each in study["time_share"].values] if "time_share" in study.coords else []
    asked = shares if times is None else [float(each) for each in times]
    for each in asked:
        if not any(abs(each - share) < 1e-9 for share in shares):
            raise InputError(f"the study kept nothing at {each:g} of the horizon; it kept shares {shares}")
    return asked


def field_table(study: xr.Dataset, variable: str = "density", times: Sequence[float] | None = None) -> pd.DataFrame:
    """A field that a study kept, in long form: a row for each point, time and cell.

    Parameters
    ----------
    study : what `mfgsolve.sweep` returned
    variable : "density", "value", or the mass of a region
    times : shares of the horizon, of those that the study kept; all of them by default

    Raises
    ------
    InputError
        for what the study did not keep
    """
    dims = set(study["done"].dims)
    kept = [str(name) for name, one in study.data_vars.items() if one.dtype.kind == "f" and set(one.dims) > dims]
    if variable not in kept:
        raise InputError(unknown("field of the study", variable, kept or ["none; sweep with keep=['density']"]))
    values = study[variable]
    if times is not None:
        values = values.sel(time_share=_asked_times(study, times), method="nearest")
    return values.to_dataframe(variable).reset_index()
