"""How far two occupations are apart, at each time."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import xarray as xr

from mfgsolve.agents.distances import l2, transport
from mfgsolve.errors import InputError, unknown
from mfgsolve.spaces import Space

__all__ = ["check_alike", "distance"]

DISTANCES = ("tv", "l2", "w1")


class Occupied(Protocol):
    """What distances look at; see `mfgsolve.learners.Occupation`."""

    @property
    def mass(self) -> xr.DataArray: ...

    @property
    def space(self) -> Space: ...

    @property
    def ends(self) -> bool: ...

    @property
    def allowed(self) -> np.ndarray | None: ...

    @property
    def has_time(self) -> bool: ...

    @property
    def density(self) -> xr.DataArray: ...

    def marginal(self, *dims: str) -> xr.DataArray: ...


def distance(this: Occupied, other: Occupied, kind: str, actions: bool) -> xr.DataArray:
    """See `Occupation.distance`."""
    if kind not in DISTANCES:
        raise InputError(unknown("distance", kind, DISTANCES))
    check_alike(this, other)
    lead = this.mass.shape[: int(this.has_time)]
    if actions and kind == "w1":
        raise InputError("w1 moves agents through space, and actions have no place there; use 'tv' or 'l2'")
    if kind == "w1":
        result = transport(this.space)(this.density.values, other.density.values)
    elif kind == "l2" and not actions:
        result = l2(this.density.values, other.density.values, this.space)
    else:
        here, there = (x.mass if actions else x.marginal(*this.space.dims) for x in (this, other))
        gap, volumes = (here.values - there.values).reshape(*lead, -1), this.space.volumes
        if kind == "tv":
            result = 0.5 * np.abs(gap).sum(axis=-1)
        else:
            if isinstance(volumes, np.ndarray):
                each = np.sqrt(np.broadcast_to(volumes, this.space.shape)).reshape(-1)
                gap, volumes = gap / np.repeat(each, this.mass.sizes["action"]), 1.0
            result = np.sqrt(np.square(gap).sum(axis=-1) / volumes)
    coordinates = {"time": this.mass["time"]} if this.has_time else {}
    return xr.DataArray(np.asarray(result), coordinates, ("time",) * len(lead), "distance", {"kind": kind})


def check_alike(this: Occupied, other: Any) -> None:
    """The same space, actions and times."""
    if type(other) is not type(this):
        raise InputError(f"a {type(other).__name__} came; an Occupation is needed")
    for what, here, there in (
        ("space", this.space.identity, other.space.identity),
        ("actions", this.mass["action"].values.tolist(), other.mass["action"].values.tolist()),
        ("times", *(x.mass["time"].size if x.has_time else 0 for x in (this, other))),
        ("ends", this.ends, other.ends),
    ):
        if here != there:
            raise InputError(f"occupations have different {what}: {here} and {there}")
    if (this.space.mask != other.space.mask).any():
        raise InputError("occupations have different blocked cells")
    assert this.allowed is not None
    if (this.allowed != other.allowed).any():
        raise InputError("occupations allow different actions")
    if this.has_time and not np.allclose(this.mass["time"].values, other.mass["time"].values, rtol=1e-9, atol=0):
        raise InputError("occupations are of different times")
