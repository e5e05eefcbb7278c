"""Values given besides the file: dotted keys, shape, steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, unknown
from mfgsolve.inputs.texts import cut, one_line, visible

__all__ = ["override"]


def override(
    document: dict[str, Any],
    shape: Sequence[int] | None,
    steps: int | None,
    settings: Mapping[str, Any],
    where: str,
) -> None:
    named = "problem" in document
    _check_texts(settings, where)
    for key, value in settings.items():
        path = key.split(".")
        if named and key == "scheme":
            path = ["dynamics", key]
        elif named and len(path) == 1 and key not in ("shape", "steps", "problem", "kinks", "sense"):
            path = ["parameters", key]
        _set(document, path, value, where)
    if shape is not None and "states" in document:
        raise InputError(f"{where}: shape is given, and the problem has [states] and no grid; leave the shape out")
    for key, given, section in (("shape", shape, "grid"), ("steps", steps, "time")):
        if given is not None:
            _set(document, [key] if named else [section, key], np.asarray(given).tolist(), where)


def _check_texts(value: Any, where: str) -> None:
    """Refuse texts that no file can hold: bytes of a command line that are no UTF-8, and NUL."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            _check_texts(key, where)
            _check_texts(item, where)
    elif isinstance(value, list | tuple):
        for item in value:
            _check_texts(item, where)
    elif isinstance(value, str):
        one_line(value.replace("\n", " "), f"{where}: a text among the settings")


def _set(document: dict[str, Any], path: Sequence[str], value: Any, where: str) -> None:
    """Set a dotted key; tables on the way are made (a wrong name among them is found later), list items are not."""

    def entered(place: Any, step: str) -> Any:
        if isinstance(place, list):
            return place[_index(place, step, path, where)]
        if not isinstance(place, dict):
            raise InputError(f"{where}: setting {_told(path)!r} goes through a value that is no table; set it whole")
        return place.setdefault(step, {})

    *ways, last = path
    place = reduce(entered, ways, document)
    if isinstance(place, list):
        place[_index(place, last, path, where)] = value
    elif isinstance(place, dict):
        place[last] = value
    else:
        raise InputError(f"{where}: setting {_told(path)!r} goes through a value that is no table; set it whole")


def _told(path: Sequence[str]) -> str:
    return cut(visible(".".join(path)))


def _index(place: list[Any], step: str, path: Sequence[str], where: str) -> int:
    if not (step.isascii() and step.isdigit() and int(step) < len(place)):
        allowed = [str(i) for i in range(len(place))]
        raise InputError(f"{where}: setting {_told(path)!r}: {unknown('place in a list', step, allowed)}")
    return int(step)
