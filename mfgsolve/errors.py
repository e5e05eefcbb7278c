"""Errors a user can mend: each message names the object, what came, what is allowed and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from numbers import Real
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Doubtful", "FileError", "InputError", "NotConverged", "numbers", "real", "unknown", "whole"]


class InputError(ValueError):
    """What the user stated cannot be solved as it stands."""


class FileError(InputError):
    """A file cannot be read or written."""


class Doubtful(RuntimeError):
    """Raised by ``check="raise"`` when warnings stand beside an answer; ``solution`` is the answer."""

    def __init__(self, message: str, solution: Any = None):
        super().__init__(message)
        self.solution = solution


class NotConverged(Doubtful):
    """Raised by ``check="raise"`` when a solve stops before its tolerance; ``solution`` is what it came to."""


def unknown(kind: str, name: object, allowed: Iterable[str]) -> str:
    """One sentence for an unknown name, with the nearest spelling: unknown option 'rewrd'; did you mean 'reward'?"""
    names = sorted(allowed)
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown {kind} {str(name)!r}; {hint}allowed: {', '.join(names)}"


def real(value: object, what: str) -> float:
    """The value as a float, if it is a real number (a NaN is one; a bool or a text is not)."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InputError(f"{what} is {value!r} ({type(value).__name__}); a real number is needed")
    return float(value)


def whole(value: object, what: str) -> int:
    """The value as an int, if it is a whole number (4.0 is one)."""
    number = real(value, what)
    if number != number or number in (float("inf"), float("-inf")) or int(number) != number:
        raise InputError(f"{what} is {value!r}; a whole number is needed")
    return int(number)


def numbers(value: Any, what: str, needed: str = "real numbers are needed") -> np.ndarray:
    """The value as an array of floats, if it holds real numbers: no truth values, texts, complex or masked entries."""
    import numpy as np  # here, so that an error costs no import

    try:
        array = np.asarray(value)
    except ValueError as error:
        raise InputError(f"{what} is no array of numbers ({error})") from None
    if array.dtype.kind not in "fiu":
        raise InputError(f"{what} holds {array.dtype}; {needed}")
    parts = value if isinstance(value, list | tuple) else [value]
    if any(np.ma.is_masked(part) for part in parts):
        raise InputError(f"{what} has masked entries; {needed}: fill them first, say with array.filled(0)")
    return np.asarray(array, dtype=float)
