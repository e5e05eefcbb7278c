"""Regions: a part of the space, as the share of every cell that lies in it.

What a user may say (`Where`):

    None                                the whole space
    "x>0.6", "0.2<x<0.5 & y<0.4"        comparisons of coordinates; & before |, no parentheses, no code
    "state == 'A' | state == 'B'"       names, of states or populations; numbers of states may be compared
    "site 3"                            the cells nearer to that site than to any other
    mfgsolve.Box(lower, upper)          corners in the order x, y, z
    f(c) -> truth values                a function of the coordinates, as of a `Grid`'s walls
    an array of truth values            on the space, labelled or not
    ["A", "B"]                          names of states

Comparisons cut through cells: a cell of which a third lies in the region counts a third, so that answers on different
grids can be compared.  Functions and arrays ask for whole cells, by their centres.
"""

from __future__ import annotations

import itertools
import math
import operator as operator_
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from mfgsolve.errors import InputError, shown, unknown
from mfgsolve.fields import Box
from mfgsolve.inputs.calls import ask
from mfgsolve.inputs.labels import aligned
from mfgsolve.spaces import Coordinates

__all__ = ["Where", "edges_of", "share_of", "space_dims", "volumes_of"]

Where = str | Box | Callable[[Coordinates], Any] | np.ndarray | xr.DataArray | Sequence[str] | None

WORDS = {"and": "&", "or": "|", "&&": "&", "||": "|"}
TOKEN = re.compile(r"\s*(<=|>=|==|&&|\|\||[<>=&|]|'[^']*'|\"[^\"]*\"|[-+]?[0-9.][0-9.eE]*(?:(?<=[eE])[-+][0-9]+)?|\w+)")
TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}
MOST = 8  # parts joined by |, whose overlaps are counted
LONGEST = 500  # characters of a condition
FORMS = "comparisons of coordinates joined by & and |, say '0.2<x<0.5 & y<0.4' or \"state == 'A'\""


def space_dims(dataset: xr.Dataset) -> tuple[str, ...]:
    """Dimensions of the space of a solution's dataset, populations included."""
    return tuple(str(name) for name in dataset["density"].dims if name != "time")


def edges_of(dataset: xr.Dataset, name: str) -> np.ndarray | None:
    """Edges of the cells along an axis of a grid; None where that is a list of names."""
    about = dataset[name].attrs
    if "edges" in about:
        return np.asarray(about["edges"], dtype=float)
    if "start" not in about or "stop" not in about:
        return None
    return np.linspace(float(about["start"]), float(about["stop"]), dataset.sizes[name] + 1)


def volumes_of(dataset: xr.Dataset) -> xr.DataArray:
    """Volumes of the cells, on the axes of a grid; 1 of listed states; times the probability of a scenario."""
    result = xr.DataArray(1.0)
    if "scenario" in dataset.dims:
        result = result * dataset["scenario_probability"].reset_coords(drop=True)
    for name in space_dims(dataset):
        edges = edges_of(dataset, name)
        if edges is not None:
            result = result * xr.DataArray(np.diff(edges), {name: dataset[name].values}, (name,))
    return result


def share_of(where: Where, dataset: xr.Dataset, what: str = "where") -> xr.DataArray:
    """Share of every cell that lies in a region, in [0, 1], on those dimensions of the space that it speaks of.

    Parameters
    ----------
    where : see the module
    dataset : of a solution, or of anything else with a density in the schema's form
    what : how a message calls it

    Raises
    ------
    InputError
        for what is no region, coordinates that the space does not have, and a region without any cell
    """
    if where is None:
        return xr.DataArray(1.0)
    if isinstance(where, str):
        share = _of_text(where, dataset, what)
    elif isinstance(where, Box):
        share = _of_box(where, dataset, what)
    elif callable(where):
        share = _of_truth(ask(where, (_coordinates(dataset),), what, "(coordinates)"), dataset, what)
    elif not isinstance(where, xr.DataArray) and _are_names(where):
        share = _of_names([str(name) for name in where], dataset, what)
    else:
        share = _of_truth(where, dataset, what)
    if not bool((share > 0).any()):
        raise InputError(f"{what} is {_short(where)}, in which no cell of the space lies: {_extent(dataset)}")
    return share


def _short(where: Any) -> str:
    return shown(where) if isinstance(where, str) else f"a {type(where).__name__}"


def _extent(dataset: xr.Dataset) -> str:
    """What the space is made of, in words."""
    parts = []
    for name in space_dims(dataset):
        edges = edges_of(dataset, name)
        if edges is None:
            labels = [str(label) for label in dataset[name].values]
            parts.append(f"{name} is one of {', '.join(labels[:6])}{', ...' if len(labels) > 6 else ''}")
        else:
            parts.append(f"{name} goes from {edges[0]:g} to {edges[-1]:g}")
    return "; ".join(parts)


# -- by arrays, functions and names ------------------------------------------------------------------------------------


def _coordinates(dataset: xr.Dataset) -> Coordinates:
    names = [name for name in space_dims(dataset) if name != "population"]
    arrays = np.meshgrid(*(dataset[name].values for name in names), indexing="ij")
    periods = {
        name: float(dataset[name].attrs["stop"]) - float(dataset[name].attrs["start"])
        for name in names
        if dataset[name].attrs.get("boundary") == "periodic"
    }
    return Coordinates(dict(zip(names, arrays, strict=True)), periods)


def _of_truth(values: Any, dataset: xr.Dataset, what: str) -> xr.DataArray:
    names = tuple(name for name in space_dims(dataset) if name != "population")
    if isinstance(values, xr.DataArray) and "population" in values.dims:
        names = space_dims(dataset)
    array = np.asarray(aligned(values, names, {name: dataset[name].values for name in names}, what))
    wanted = tuple(dataset.sizes[name] for name in names)
    if array.dtype != bool or array.shape != wanted:
        raise InputError(
            f"{what} is {array.dtype} of shape {array.shape}; truth values of shape {wanted} are needed, on {names}"
        )
    return xr.DataArray(array.astype(float), {name: dataset[name].values for name in names}, names)


def _are_names(where: Any) -> bool:
    return isinstance(where, list | tuple | set) and len(where) > 0 and all(isinstance(name, str) for name in where)


def _of_names(wanted: Sequence[str], dataset: xr.Dataset, what: str) -> xr.DataArray:
    if "state" not in space_dims(dataset):
        raise InputError(f"{what} is a list of names, and the space is a grid; {FORMS} are possible")
    return _label_share("state", wanted, dataset, what)


def _label_share(name: str, wanted: Sequence[str], dataset: xr.Dataset, what: str) -> xr.DataArray:
    labels = [str(label) for label in dataset[name].values]
    for each in wanted:
        if each not in labels:
            raise InputError(unknown(f"{name} in {what}", each, labels))
    inside = np.isin(labels, list(wanted)).astype(float)
    return xr.DataArray(inside, {name: dataset[name].values}, (name,))


# -- by intervals ------------------------------------------------------------------------------------------------------


@dataclass
class _Part:
    """Intervals of coordinates, and names: all of them hold."""

    between: dict[str, tuple[float, float]] = field(default_factory=dict)
    names: dict[str, set[str]] = field(default_factory=dict)

    def cut(self, name: str, low: float, high: float) -> None:
        before = self.between.get(name, (-math.inf, math.inf))
        self.between[name] = (max(before[0], low), min(before[1], high))

    def keep(self, name: str, labels: set[str]) -> None:
        self.names[name] = self.names[name] & labels if name in self.names else labels

    def share(self, dataset: xr.Dataset) -> xr.DataArray:
        result = xr.DataArray(1.0)
        for name, (low, high) in self.between.items():
            edges = edges_of(dataset, name)
            assert edges is not None
            overlap = np.minimum(edges[1:], high) - np.maximum(edges[:-1], low)
            inside = np.clip(overlap / np.diff(edges), 0.0, 1.0)
            result = result * xr.DataArray(inside, {name: dataset[name].values}, (name,))
        for name, labels in self.names.items():
            inside = np.isin([str(label) for label in dataset[name].values], list(labels)).astype(float)
            result = result * xr.DataArray(inside, {name: dataset[name].values}, (name,))
        return result

    def both(self, other: _Part) -> _Part:
        result = _Part(dict(self.between), dict(self.names))
        for name, ends in other.between.items():
            result.cut(name, *ends)
        for name, labels in other.names.items():
            result.keep(name, labels)
        return result


def _of_box(box: Box, dataset: xr.Dataset, what: str) -> xr.DataArray:
    axes = sorted(name for name in space_dims(dataset) if edges_of(dataset, name) is not None)
    if len(box.lower) != len(axes) or len(box.upper) != len(axes):
        raise InputError(f"{what} is a box of {len(box.lower)} coordinates; the space has {tuple(axes)}")
    part = _Part()
    for name, low, high in zip(axes, box.lower, box.upper, strict=True):
        part.cut(name, low, high)
    return part.share(dataset)


def _of_text(text: str, dataset: xr.Dataset, what: str) -> xr.DataArray:
    site = re.fullmatch(r"\s*site\s+(\d+)\s*", text)
    if site:
        return _of_site(int(site[1]), dataset, what)
    parts = _Reader(text, dataset, what).parts()
    result = xr.DataArray(0.0)
    for count in range(1, len(parts) + 1):  # of a union: what overlaps is counted once
        for some in itertools.combinations(parts, count):
            whole = some[0]
            for other in some[1:]:
                whole = whole.both(other)
            result = result + (-1.0) ** (count + 1) * whole.share(dataset)
    return result.clip(0.0, 1.0)


def _of_site(number: int, dataset: xr.Dataset, what: str) -> xr.DataArray:
    """Cells that are nearer to a site than to all others."""
    count = dataset.sizes.get("site", 0)
    if not count:
        raise InputError(f"{what} names site {number}, and the game has no sites; {FORMS} are possible")
    if number >= count:
        raise InputError(f"{what} names site {number}; the game has the sites 0 to {count - 1}")
    places = {"x": dataset["site_x"].values, "y": dataset["site_y"].values}
    gaps = [(dataset[name] - xr.DataArray(at, dims="site")) ** 2 for name, at in places.items() if name in dataset.dims]
    nearest = sum(gaps).argmin("site")  # type: ignore[union-attr]
    names = [name for name in space_dims(dataset) if name in nearest.dims]
    return (nearest == number).astype(float).transpose(*names)


class _Reader:
    """Reads a condition; data, never code."""

    def __init__(self, text: str, dataset: xr.Dataset, what: str):
        self.text, self.dataset, self.what = text, dataset, what
        self.axes = {name: edges_of(dataset, name) is not None for name in space_dims(dataset)}

    def fault(self, reason: str) -> InputError:
        return InputError(f"{self.what} is {shown(self.text)}: {reason}; write {FORMS}")

    def tokens(self) -> list[str]:
        if len(self.text) > LONGEST:
            raise InputError(f"{self.what} has {len(self.text)} characters; at most {LONGEST} are read")
        found, place = [], 0
        while self.text[place:].strip():
            match = TOKEN.match(self.text, place)
            if match is None:
                raise self.fault(f"{shown(self.text[place:].strip()[:20])} is no comparison")
            found.append(WORDS.get(match[1], match[1]))
            place = match.end()
        if not found:
            raise self.fault("there is nothing in it")
        return found

    def parts(self) -> list[_Part]:
        parts, tokens = [], self.tokens()
        for clause in _split(tokens, "|"):
            part = _Part()
            for comparison in _split(clause, "&"):
                self.compare(comparison, part)
            parts.append(part)
        if len(parts) > MOST:
            raise self.fault(f"{len(parts)} parts are joined by |, and at most {MOST} are read")
        return parts

    def compare(self, words: list[str], part: _Part) -> None:
        """One comparison, a < x < b included."""
        if len(words) == 5:
            self.compare(words[:3], part)
            self.compare(words[2:], part)
            return
        if len(words) != 3:
            raise self.fault(f"{shown(' '.join(words))} is no comparison")
        left, operator, right = words
        operator = "==" if operator == "=" else operator
        if operator not in TURNED:
            raise self.fault(f"{shown(operator)} is no comparison")
        if left not in self.axes and right in self.axes:
            left, operator, right = right, TURNED[operator], left
        if left not in self.axes:
            raise InputError(unknown(f"coordinate in {self.what}", left, self.axes))
        if self.axes[left]:
            self.along(left, operator, right, part)
        else:
            self.among(left, operator, right, part)

    def along(self, name: str, operator: str, right: str, part: _Part) -> None:
        bound = _number(right)
        if bound is None:
            raise self.fault(f"{shown(right)} is no number to compare {name} with")
        if operator == "==":
            raise self.fault(f"a grid has no cell at a single {name}: compare with < or >")
        part.cut(name, *((-math.inf, bound) if operator[0] == "<" else (bound, math.inf)))

    def among(self, name: str, operator: str, right: str, part: _Part) -> None:
        labels = [str(label) for label in self.dataset[name].values]
        if operator == "==":
            wanted = right.strip("'\"")
            if wanted not in labels:
                raise InputError(unknown(f"{name} in {self.what}", wanted, labels))
            part.keep(name, {wanted})
            return
        bound, numbers = _number(right), {label: _number(label) for label in labels}
        holds = {"<": operator_.lt, "<=": operator_.le, ">": operator_.gt, ">=": operator_.ge}[operator]
        if bound is None or None in numbers.values():
            raise self.fault(f"names of {name} have no order: compare with ==")
        part.keep(name, {label for label, number in numbers.items() if number is not None and holds(number, bound)})


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _split(tokens: list[str], at: str) -> list[list[str]]:
    groups: list[list[str]] = [[]]
    for token in tokens:
        if token == at:
            groups.append([])
        else:
            groups[-1].append(token)
    return groups
