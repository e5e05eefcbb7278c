"""Errors a user can mend: each message names the object, what came, what is allowed and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["FileError", "InputError", "NotConverged", "unknown"]


class InputError(ValueError):
    """What the user stated cannot be solved as it stands."""


class FileError(InputError):
    """A file cannot be read or written."""


class NotConverged(RuntimeError):
    """Raised by ``check="raise"`` when a solve stops before its tolerance."""


def unknown(kind: str, name: object, allowed: Iterable[str]) -> str:
    """One sentence for an unknown name, with the nearest spelling: unknown option 'rewrd'; did you mean 'reward'?"""
    names = sorted(allowed)
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown {kind} {str(name)!r}; {hint}allowed: {', '.join(names)}"
