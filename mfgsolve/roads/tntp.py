"""Files of the format TNTP: _net.tntp, _trips.tntp and _node.tntp, as those of the collection of test networks at
https://github.com/bstabler/TransportationNetworks, whose README describes it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from mfgsolve.cautions import say
from mfgsolve.errors import FileError, cut, shown
from mfgsolve.files import regular, told
from mfgsolve.roads.links import LinkTable

__all__ = ["read_net", "read_nodes", "read_trips"]

ORDER = ("from", "to", "capacity", "length", "free_time", "b", "power", "speed", "toll", "link_type")
HEADS = {
    "initnode": "from", "termnode": "to", "tail": "from", "head": "to", "capacity": "capacity", "length": "length",
    "freeflowtime": "free_time", "b": "b", "power": "power", "speed": "speed", "speedlimit": "speed", "toll": "toll",
    "type": "link_type", "linktype": "link_type",
}  # fmt: skip
NEEDED = ("from", "to", "capacity", "free_time", "b", "power")
TAG = re.compile(r"<([^<>]+)>\s*([^;]*)")
CLOSE = 1e-6  # relative, of totals that are told rounded


def _lines(path: str | Path, what: str) -> tuple[dict[str, str], list[tuple[int, str]], list[str]]:
    """Entries of the head by their names, lines that hold something with their numbers, and comments."""
    try:
        text = regular(path, what).read_text(encoding="utf-8-sig", errors="strict")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{what} {told(path)} cannot be read as text: {cut(str(error))}") from None
    head, rows, comments = dict[str, str](), list[tuple[int, str]](), list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        tag = TAG.match(line)
        if tag:
            head[tag[1].strip().upper()] = tag[2].strip()
        elif line.startswith("~"):
            comments.append(line)
        elif line:
            rows.append((number, line))
    if not rows:
        raise FileError(f"{what} {told(path)} holds no rows; it is empty, or no file of the format TNTP")
    return head, rows, comments


def _whole(head: dict[str, str], name: str, where: str) -> int | None:
    if name not in head:
        return None
    try:
        return int(float(head[name]))
    except ValueError:
        raise FileError(f"{where}: <{name}> is {shown(head[name])}; a whole number is needed") from None


def _order(comments: list[str]) -> tuple[str, ...]:
    """Order of the columns: as the comment above them names them, else the usual one."""
    for comment in comments:
        text = comment.strip("~; \t")
        words = [re.sub(r"[^a-z]", "", re.sub(r"\(.*?\)", "", word.lower())) for word in re.split(r"\t+|\s{2,}", text)]
        names = [HEADS.get(word, "") for word in words if word]
        if set(NEEDED) <= set(names) and len(set(names)) == len(names) and "" not in names:
            return tuple(names)
    return ORDER


def read_net(path: str | Path) -> tuple[LinkTable, int | None, int | None]:
    """Links, and how many nodes and zones the file declares.

    Raises
    ------
    FileError
        naming file and line, for what is no number, too short, or not as declared
    """
    where = f"network {told(path)}"
    head, rows, comments = _lines(path, "network")
    order = _order(comments)
    width, bare = max(order.index(name) for name in NEEDED) + 1, 0
    table = np.full((len(rows), len(order)), np.nan)
    for k, (number, line) in enumerate(rows):
        bare += not line.endswith(";")
        words = line.rstrip("; \t").replace(",", " ").split()
        if len(words) < width:
            raise FileError(f"{where}, line {number}: {len(words)} numbers; {', '.join(order[:width])} are needed")
        for j, word in enumerate(words[: len(order)]):
            try:
                table[k, j] = float(word)
            except ValueError:
                raise FileError(f"{where}, line {number}: {order[j]} is {shown(word)}; a number is needed") from None
    columns = dict(zip(order, table.T, strict=True))
    if bare:
        say(
            "roads-semicolons",
            f"{bare} of {len(rows)} rows of {where} end without a semicolon; they were read as rows.",
        )
    ends = [_numbers(columns[name], name, rows, where) for name in ("from", "to")]
    links, nodes = _whole(head, "NUMBER OF LINKS", where), _whole(head, "NUMBER OF NODES", where)
    largest = int(max(ends[0].max(), ends[1].max()))
    if nodes is not None and largest > nodes:
        raise FileError(f"{where} declares {nodes} nodes, and has links at node {largest}")
    if links is not None and links != len(rows):
        say("roads-links", f"{where} declares {links} links, and holds {len(rows)}: all that it holds were taken.")
    first = _whole(head, "FIRST THRU NODE", where)
    if first is None:
        say("roads-through", f"{where} has no <FIRST THRU NODE>: paths were let through all nodes.")
    shut = frozenset(range(1, first or 1))
    numbers: dict[str, np.ndarray] = {}
    for name in ("capacity", "length", "free_time", "b", "power", "toll"):
        if name in columns and (name in NEEDED or not np.isnan(columns[name]).any()):
            numbers[name] = columns[name]
    links_read = LinkTable(ends[0].tolist(), ends[1].tolist(), numbers, shut=shut)
    return links_read, nodes, _whole(head, "NUMBER OF ZONES", where)


def _numbers(values: np.ndarray, name: str, rows: list[tuple[int, str]], where: str) -> np.ndarray:
    wrong = ~(np.isfinite(values) & (values == np.round(values)) & (values >= 1))
    if wrong.any():
        k = int(np.argmax(wrong))
        raise FileError(
            f"{where}, line {rows[k][0]}: the {name} node is {values[k]:g}; a whole number from 1 is needed"
        )
    return values.astype(np.int64)


def read_trips(path: str | Path, zones: int | None = None) -> dict[tuple[int, int], float]:
    """Demand by (origin, destination); zeros are left out.

    Raises
    ------
    FileError
        naming file and line, for what is no number, and zones beyond those of the network
    """
    where = f"trips {told(path)}"
    head, rows, _ = _lines(path, "trips")
    declared = _whole(head, "NUMBER OF ZONES", where)
    if zones is not None and declared is not None and declared != zones:
        say("roads-zones", f"{where} declares {declared} zones, and the network {zones}.")
    trips: dict[tuple[int, int], float] = {}
    origin, twice = None, 0
    for number, line in rows:
        begun = re.match(r"origin\s+(\S+)", line, re.IGNORECASE)
        if begun:
            origin = _zone(begun[1], where, number, zones)
            line = line[begun.end() :].strip()
        for entry in filter(None, (part.strip() for part in re.split(r";|(?<=\d)\s+(?=\d+\s*:)", line))):
            end, colon, text = entry.partition(":")
            if not colon:
                raise FileError(f"{where}, line {number}: {shown(entry)} is no entry; 'destination : trips;' is needed")
            if origin is None:
                raise FileError(f"{where}, line {number}: trips stand before the first 'Origin'")
            pair = origin, _zone(end.strip(), where, number, zones)
            try:
                value = float(text)
            except ValueError:
                raise FileError(
                    f"{where}, line {number}: trips to {pair[1]} are {shown(text.strip())}; a number is needed"
                ) from None
            if not (np.isfinite(value) and value >= 0):
                raise FileError(f"{where}, line {number}: trips to {pair[1]} are {value}; at least 0 is needed")
            twice += pair in trips
            trips[pair] = trips.get(pair, 0.0) + value
    if twice:
        say("roads-twice", f"{twice} pairs of {where} stand more than once; their trips were added up.")
    _total(head, sum(trips.values()), where)
    return {pair: value for pair, value in trips.items() if value > 0}


def _zone(text: str, where: str, number: int, zones: int | None) -> int:
    if not (text.isascii() and text.isdigit()):
        raise FileError(f"{where}, line {number}: zone {shown(text)} is no whole number")
    if zones is not None and not 1 <= int(text) <= zones:
        raise FileError(f"{where}, line {number}: zone {text}, and the network has the zones 1 to {zones}")
    return int(text)


def _total(head: dict[str, str], read: float, where: str) -> None:
    """That the trips add up to what the head says, or a word about it."""
    if "TOTAL OD FLOW" not in head:
        return
    try:
        declared = float(head["TOTAL OD FLOW"])
    except ValueError:
        raise FileError(f"{where}: <TOTAL OD FLOW> is {shown(head['TOTAL OD FLOW'])}; a number is needed") from None
    if abs(declared - read) > CLOSE * max(abs(declared), read):
        say(
            "roads-total",
            f"{where} declares a total of {declared:.10g}, and its trips add up to {read:.10g}: what it holds was "
            "taken.",
        )


def read_nodes(path: str | Path) -> dict[int, tuple[float, float]]:
    """Coordinates (x, y) by node.

    Raises
    ------
    FileError
        naming file and line
    """
    where = f"nodes {told(path)}"
    _, rows, _ = _lines(path, "nodes")
    places: dict[int, tuple[float, float]] = {}
    for k, (number, line) in enumerate(rows):
        words = line.rstrip("; \t").replace(",", " ").split()
        if k == 0 and words and not words[0].replace(".", "").isdigit():
            continue  # the names of the columns
        try:
            places[int(float(words[0]))] = (float(words[1]), float(words[2]))
        except (ValueError, IndexError):
            raise FileError(f"{where}, line {number}: {shown(line)}; node, x and y are needed") from None
    if not places:
        raise FileError(f"{where} holds no places")
    return places
