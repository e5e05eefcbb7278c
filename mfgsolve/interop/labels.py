"""Names of the states of a walk through a game of OpenSpiel: its keys without the number that is the time."""

from __future__ import annotations

import itertools
import re

from mfgsolve.interop.walks import CHOICE, CROWD, Walk

__all__ = ["state_names"]


def state_names(walk: Walk) -> list[dict[str, str]]:
    """What every state is called, for each node in time a name by key; two states of one population differ in it.

    A crowd node at which agents choose is called by the key of the choice, where each leads to one choice of its own
    whatever the crowd; so is an end that looks like it.
    """
    nodes = walk.nodes
    choosing = _choosing(walk)
    called = [
        {key: walk.after(key) if choosing and t < walk.levels and nodes[key].kind == CROWD else key for key in keys}
        for t, keys in enumerate(walk.states)
    ]
    level = {name: t for t, names in enumerate(called) for name in names.values()}
    level |= {key: t for t, keys in enumerate(walk.states) for key in keys}
    inner = [name for t, names in enumerate(called) for name in names.values() if t < walk.levels]
    short = _timeless({key: level[key] for key in inner}, walk)
    for names in called[:-1]:
        if len({(nodes[key].population, short[name]) for key, name in names.items()}) < len(names):
            short = {key: key for key in inner}
            break
    out = [{key: short[name] for key, name in names.items()} for names in called[:-1]]
    # an end that looks like an earlier crowd node or choice is called as that one is
    crowds = [key for keys in walk.states for key in keys if nodes[key].kind != CHOICE]
    forms = _timeless({key: level[key] for key in crowds}, walk)
    ends: dict[str, str] = {}
    for names in out:
        for key, name in names.items():
            ends.setdefault(short[key] if nodes[key].kind == CHOICE else forms[key], name)
    last = {key: ends.get(forms[key], forms[key]) for key in walk.states[-1]}
    if len({(nodes[key].population, name) for key, name in last.items()}) < len(last):
        last = {key: key for key in last}
    return [*out, last]


def _choosing(walk: Walk) -> bool:
    """Whether every crowd node but the last ones leads to one choice, and no two of one node in time to the same."""
    for keys in walk.states[:-1]:
        crowds = [walk.nodes[key] for key in keys if walk.nodes[key].kind == CROWD]
        after = {node.edges[0][2] for node in crowds}
        if any(len(node.leads) > 1 for node in crowds) or len(after) < len(crowds):
            return False
        if any(walk.nodes[key].kind != CHOICE for key in after):
            return False
    return True


def _timeless(levels: dict[str, int], walk: Walk) -> dict[str, str]:
    """Keys with the number that is their node in time as ``t`` and, among several populations, theirs as ``p``.

    Which number that is is found from all keys, or from all of one form (the same but for numbers).
    """
    several = walk.populations > 1
    result = _positions(levels)
    groups: dict[str, dict[str, int]] = {"": levels}
    if not result:
        groups = {}
        for key, level in levels.items():
            groups.setdefault(re.sub(r"\d+", "#", key), {})[key] = level
    out = dict[str, str]()
    for group in groups.values():
        times = _positions(group)[:1]
        which: list[int] = []
        if several:
            places = _positions({key: walk.nodes[key].population for key in group})
            which = [position for position in places if position not in times][:1]
        letters = dict.fromkeys(times, "t") | dict.fromkeys(which, "p")
        out |= {key: _blank(key, letters) for key in group}
    return out


def _positions(values: dict[str, int]) -> list[int]:
    """Which of the whole numbers in every key is the value that belongs to the key."""
    common: set[int] | None = None
    for key, value in values.items():
        result = {k for k, match in enumerate(re.finditer(r"\d+", key)) if int(match.group()) == value}
        common = result if common is None else common & result
    return sorted(common or set(), reverse=True)


def _blank(key: str, letters: dict[int, str]) -> str:
    """The key with some of its numbers, counted as in the text, replaced by letters."""
    count = itertools.count()
    return re.sub(r"\d+", lambda match: letters.get(next(count), match.group()), key)
