"""Tables of links, nodes and trips: columns of a CSV file, of a frame, of a list of rows, or of a graph of NetworkX."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mfgsolve.cautions import say
from mfgsolve.errors import FileError, InputError, cut, shown, unknown
from mfgsolve.files import regular, told

__all__ = ["COLUMNS", "LinkTable", "graph_links", "label", "links_of", "nodes_of", "trips_of"]

NAMES = {  # what columns are called elsewhere, by what they are called here
    "from": ("from", "init_node", "tail", "source", "u", "from_node", "a_node"),
    "to": ("to", "term_node", "head", "target", "v", "to_node", "b_node"),
    "free_time": ("free_time", "free_flow_time", "fftt", "t0"),
    "capacity": ("capacity",),
    "b": ("b", "alpha"),
    "power": ("power", "beta"),
    "constant": ("constant",),
    "slope": ("slope",),
    "length": ("length", "distance"),
    "toll": ("toll",),
}
COLUMNS = tuple(name for name in NAMES if name not in ("from", "to"))  # of numbers
NODE_NAMES = {"node": ("node", "id", "name"), "x": ("x", "lon", "longitude"), "y": ("y", "lat", "latitude")}
TRIP_NAMES = {
    "origin": ("origin", "o", "from"), "destination": ("destination", "d", "to"),
    "demand": ("demand", "trips", "vehicles", "flow"), "class": ("class", "vehicle"),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class LinkTable:
    """Links as they are told: ends by their labels, numbers by the names of `COLUMNS`.

    Attributes
    ----------
    shut : labels of nodes that no path may pass, centroids that only begin and end trips
    places : coordinates (x, y) by label
    """

    start: Sequence[Any]
    end: Sequence[Any]
    numbers: Mapping[str, np.ndarray]
    shut: frozenset[Any] = frozenset()
    places: Mapping[Any, tuple[float, float]] = field(default_factory=dict)


def label(value: Any) -> Any:
    """A node's name: whole numbers, also written as texts, are numbers, so that tables of all kinds agree."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        text = value.strip()
        return int(text) if text.isascii() and text.isdigit() else text
    return value


def links_of(source: Any) -> LinkTable:
    """Links of a table with the columns from, to, and free_time and capacity (b, power), or constant and slope.

    Raises
    ------
    InputError
        for missing and double columns, and what is no number, naming the row
    """
    columns = _columns(source, "links", NAMES, ("from", "to"))
    numbers = {name: _floats(columns[name], name, "links") for name in COLUMNS if name in columns}
    return LinkTable([label(v) for v in columns["from"]], [label(v) for v in columns["to"]], numbers)


def nodes_of(source: Any) -> dict[Any, tuple[float, float]]:
    """Coordinates by node: a table with the columns node, x, y; or a mapping from nodes to pairs."""
    if isinstance(source, Mapping) and not _is_table(source, NODE_NAMES):
        try:
            return {label(node): (float(x), float(y)) for node, (x, y) in source.items()}
        except (TypeError, ValueError):
            raise InputError("nodes of a road network: pairs (x, y) by node are needed") from None
    columns = _columns(source, "nodes", NODE_NAMES, ("node", "x", "y"))
    pairs = zip(_floats(columns["x"], "x", "nodes"), _floats(columns["y"], "y", "nodes"), strict=True)
    return {label(node): (float(x), float(y)) for node, (x, y) in zip(columns["node"], pairs, strict=True)}


def trips_of(source: Any) -> dict[str, dict[tuple[Any, Any], float]]:
    """Demand by class and pair: a table with the columns origin, destination, demand (class); a mapping from pairs; or
    a mapping from classes to one of these."""
    if isinstance(source, Mapping) and not _is_table(source, TRIP_NAMES):
        if all(isinstance(key, tuple) and len(key) == 2 for key in source):
            return {"all": {(label(o), label(d)): value for (o, d), value in source.items()}}
        if all(isinstance(key, str) for key in source) and source:
            return {name: _only(trips_of(value), name) for name, value in source.items()}
        raise InputError(
            f"demand of a road network has the key {shown(next(iter(source), None))}; pairs (origin, destination), or "
            "names of classes, are needed"
        )
    columns = _columns(source, "demand", TRIP_NAMES, ("origin", "destination", "demand"))
    vehicles = _floats(columns["demand"], "demand", "demand")
    classes = columns.get("class", ["all"] * len(vehicles))
    result: dict[str, dict[tuple[Any, Any], float]] = {}
    twice = 0
    for name, start, end, value in zip(classes, columns["origin"], columns["destination"], vehicles, strict=True):
        pairs, pair = result.setdefault(str(name), {}), (label(start), label(end))
        twice += pair in pairs
        pairs[pair] = pairs.get(pair, 0.0) + float(value)
    if twice:
        say("roads-twice", f"{twice} pairs of origin and destination stand more than once; their demand was added up.")
    return result


def _only(entries: Mapping[str, dict[tuple[Any, Any], float]], name: str) -> dict[tuple[Any, Any], float]:
    if list(entries) != ["all"]:
        raise InputError(f"demand of class {cut(name)} has classes of its own; one table a class is needed")
    return entries["all"]


def graph_links(graph: Any) -> LinkTable:
    """Links of a graph of NetworkX, or anything like one: ``edges(data=True)``, ``nodes(data=True)``, attributes by the
    names of `COLUMNS`; edges without a direction go both ways; coordinates by the attributes x and y, or pos."""
    try:
        edges, nodes, directed = list(graph.edges(data=True)), list(graph.nodes(data=True)), graph.is_directed()
    except (AttributeError, TypeError):
        raise InputError(f"from_networkx got a {type(graph).__name__}; a graph of NetworkX is needed") from None
    rows = []
    for start, end, data in edges:
        rows.append({"from": start, "to": end, **data})
        if not directed:
            rows.append({"from": end, "to": start, **data})
    table, places = links_of(rows), dict[Any, tuple[float, float]]()
    for node, data in nodes:
        place = data.get("pos", (data["x"], data["y"]) if {"x", "y"} <= set(data) else None)
        if place is not None:
            places[label(node)] = (float(place[0]), float(place[1]))
    return LinkTable(table.start, table.end, table.numbers, places=places)


# -- columns -----------------------------------------------------------------------------------------------------------


def _is_table(source: Mapping[Any, Any], names: Mapping[str, Sequence[str]]) -> bool:
    """Whether a mapping is one of columns by their names."""
    needed = list(names.values())[:2]
    keys = {str(key).strip().lower() for key in source}
    return all(keys & set(words) for words in needed)


def _columns(
    source: Any, what: str, names: Mapping[str, Sequence[str]], needed: Sequence[str]
) -> dict[str, list[Any]]:  # fmt: skip
    """Columns by the names of this package."""
    raw = _raw(source, what)
    result: dict[str, list[Any]] = {}
    idle = []
    for head, values in raw.items():
        word = str(head).strip().lower()
        name = next((name for name, words in names.items() if word in words), None)
        if name is None:
            idle.append(str(head))
        elif name in result:
            raise InputError(f"{what} of a road network have the column {name} twice (as {cut(str(head))}); leave one")
        else:
            result[name] = values
    for name in needed:
        if name not in result:
            raise InputError(f"{what} of a road network: {unknown('column', name, map(str, raw))}; it is needed")
    if idle:
        say(
            "roads-columns",
            f"Of the {what}, the columns {cut(', '.join(idle))} were not read: nothing depends on them.",
        )
    if len({len(values) for values in result.values()}) > 1:
        raise InputError(f"{what} of a road network have columns of different lengths")
    if not result[needed[0]]:
        raise InputError(f"{what} of a road network are empty; give at least one row")
    return result


def _raw(source: Any, what: str) -> dict[Any, list[Any]]:
    """Columns as they came: of a file, a frame, a mapping, or a list of rows."""
    if isinstance(source, str | Path):
        return _file(source, what)
    if hasattr(source, "keys") and hasattr(source, "__getitem__"):
        return {key: list(source[key]) for key in source.keys()}  # noqa: SIM118 (a frame's keys are its columns)
    if isinstance(source, Sequence) and all(isinstance(row, Mapping) for row in source):
        keys = dict.fromkeys(key for row in source for key in row)
        return {key: [row.get(key, np.nan) for row in source] for key in keys}
    raise InputError(
        f"{what} of a road network are a {type(source).__name__}; a CSV file, a frame, a mapping of columns or a "
        "list of "
        "rows is needed"
    )


def _file(path: str | Path, what: str) -> dict[Any, list[Any]]:
    if Path(path).suffix.lower() != ".csv":
        raise FileError(f"{what} {told(path)}: a .csv file is needed (of TNTP files: RoadNetwork.from_tntp)")
    try:
        with open(regular(path, f"{what} of a road network"), newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FileError(f"{what} {told(path)} cannot be read as CSV: {cut(str(error))}") from None
    if not rows:
        raise FileError(f"{what} {told(path)} is empty")
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(rows[0]):
            raise FileError(
                f"{what} {told(path)}, row {number}: {len(row)} values, and {len(rows[0])} columns are named"
            )
    if len(set(rows[0])) < len(rows[0]):
        raise FileError(f"{what} {told(path)} names a column twice")
    return {head: [row[k] for row in rows[1:]] for k, head in enumerate(rows[0])}


def _floats(values: Sequence[Any], name: str, what: str) -> np.ndarray:
    result = np.empty(len(values))
    for k, value in enumerate(values):
        try:
            result[k] = float(value)
        except (TypeError, ValueError):
            raise InputError(f"{name} of the {what}, row {k + 1}, is {shown(value)}; a number is needed") from None
        if not np.isfinite(result[k]):
            raise InputError(f"{name} of the {what}, row {k + 1}, is {result[k]}; a finite number is needed")
    return result
