"""Errors a user can mend: each message names the object, what came, what is allowed and the remedy."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from numbers import Real
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "Doubtful",
    "FileError",
    "InputError",
    "NotConverged",
    "cut",
    "has_labels",
    "nearest",
    "numbers",
    "real",
    "shown",
    "unknown",
    "whole",
]

LONG = 200  # characters up to which a value is echoed in a message,
LINE = 1000  # and those of a line of a message, whatever it echoes
MANY = 1000  # names up to which the nearest spelling is looked for,
LISTED = 30  # and up to which all of them are listed


class InputError(ValueError):
    """What the user stated cannot be solved as it stands."""

    def __init__(self, message: object = "", *rest: object):
        super().__init__("\n".join(_shortened(line) for line in str(message).split("\n")), *rest)


class FileError(InputError):
    """A file cannot be read or written."""


class Doubtful(RuntimeError):
    """Raised by ``check="raise"`` when warnings stand beside an answer; ``solution`` is the answer."""

    def __init__(self, message: str, solution: Any = None):
        super().__init__(message)
        self.solution = solution


class NotConverged(Doubtful):
    """Raised by ``check="raise"`` when a solve stops before its tolerance; ``solution`` is what it came to."""


def cut(text: str, length: int = LONG) -> str:
    """The text, or its beginning and its end where it is too long."""
    if len(text) <= length:
        return text
    tail = length // 4
    return f"{text[: length - tail - 3]}...{text[-tail:]}"


def _shortened(line: str) -> str:
    """A line of a message in which no word, and not the whole, is longer than anybody reads."""
    if len(line) <= LONG:
        return line
    return cut(re.sub(rf"\S{{{LONG + 1},}}", lambda word: cut(word[0]), line), LINE)


def shown(value: object) -> str:
    """A value as messages echo it: its repr, cut at 200 characters."""
    try:
        return cut(repr(value))
    except Exception:  # a repr of the user's own
        return f"a {type(value).__name__}"


def nearest(name: object, allowed: Iterable[str]) -> str:
    """The name that is spelt most like this one; "" where none is near, or there are too many to look at."""
    names = sorted(allowed)
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5) if len(names) <= MANY else []
    return near[0] if near else ""


def unknown(kind: str, name: object, allowed: Iterable[str]) -> str:
    """One sentence for an unknown name, with the nearest spelling: unknown option 'rewrd'; did you mean 'reward'?"""
    names = sorted(allowed)
    near = nearest(name, names)
    hint = f"did you mean {near!r}? " if near else ""
    more = f", ... ({len(names)} in all)" if len(names) > LISTED else ""
    return f"unknown {kind} {shown(str(name))}; {hint}allowed: {', '.join(names[:LISTED])}{more}"


def real(value: object, what: str) -> float:
    """The value as a float, if it is a real number (a NaN is one; a bool or a text is not)."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InputError(f"{what} is {shown(value)} ({type(value).__name__}); a real number is needed")
    try:
        return float(value)
    except OverflowError:
        raise InputError(f"{what} is {shown(value)}, which is too large for a number of 64 bits") from None


def whole(value: object, what: str) -> int:
    """The value as an int, if it is a whole number (4.0 is one)."""
    number = real(value, what)
    if number != number or number in (float("inf"), float("-inf")) or int(number) != number:
        raise InputError(f"{what} is {shown(value)}; a whole number is needed")
    return int(value) if isinstance(value, int) else int(number)


def has_labels(value: Any) -> bool:
    """Whether a value is an array with names (xarray, pandas), whose order is told by them and not by its position."""
    if hasattr(value, "data_vars"):
        return True
    if hasattr(value, "dims") and hasattr(value, "values"):
        return len(value.dims) > 0
    if hasattr(value, "iloc"):
        return any(_named_index(axis) for axis in value.axes)
    if isinstance(value, list | tuple):
        return any(has_labels(part) for part in value if not isinstance(part, float | int | str))
    return False


def _named_index(index: Any) -> bool:
    """Whether the index of a pandas object is more than 0, 1, 2, ..."""
    plain = type(index).__name__ == "RangeIndex" and index.start == 0 and index.step == 1
    return not plain or index.name is not None


def numbers(value: Any, what: str, needed: str = "real numbers are needed") -> np.ndarray:
    """The value as an array of floats, if it holds real numbers: no truth values, texts, complex or masked entries.

    Values with names of their own are taken by ``labels.aligned`` before they come here; where nobody asked for the
    names they are refused, since an array that is read by position may be another one.
    """
    import numpy as np  # here, so that an error costs no import

    if has_labels(value):
        raise InputError(
            f"{what} is a {type(value).__name__}, whose names are not read here; {needed} in a plain array, "
            "say array.values (after array.transpose(...))"
        )
    if masked(value):
        raise InputError(f"{what} has masked entries; {needed}: fill them first, say with array.filled(0)")
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{what} is no array of numbers ({cut(str(error))})") from None
    if array.dtype.kind not in "fiu":
        raise InputError(f"{what} holds {array.dtype}; {needed}{_odd(array)}")
    return np.asarray(array, dtype=float)


def masked(value: Any) -> bool:
    """Whether a value, or anything in its lists, has entries that are masked or missing."""
    if isinstance(value, list | tuple):
        return any(masked(part) for part in value if not isinstance(part, float | int))
    if not (hasattr(value, "mask") or hasattr(value, "isna")):
        return False
    import numpy as np

    if hasattr(value, "isna") and not isinstance(getattr(value, "dtype", None), np.dtype):  # pandas' own missing values
        return bool(np.asarray(value.isna()).any())
    return bool(np.ma.is_masked(value))


def _odd(array: np.ndarray) -> str:
    """What is in an array of objects that is no number."""
    entries = array.reshape(-1) if array.dtype.kind == "O" else ()
    odd = [entry for entry in entries if isinstance(entry, bool) or not isinstance(entry, Real)]
    return f" (the first of the {len(odd)} others is {shown(odd[0])}, a {type(odd[0]).__name__})" if odd else ""
