"""Cautions: what makes an answer less than it looks, each a code and a sentence, in one list beside the answer.

Whatever reads or solves a game says what it noticed, wherever it stands in the house:

    say("start-renormalised", "initial density came as float32 and sums to 0.99999994; it was scaled to 1 in float64")

and whoever makes something that is kept (a `Problem`, a `Solution`) collects what was said meanwhile:

    with collect() as said: ...

Outside of any collection a caution is a Python warning at once: nothing is said to nobody.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

__all__ = ["Caution", "collect", "from_text", "say", "stored", "to_text", "unique", "warn"]


@dataclass(frozen=True)
class Caution:
    """One caution: ``code`` for programs, ``sentence`` for people (what is the matter, and the remedy)."""

    code: str
    sentence: str

    def __str__(self) -> str:
        return self.sentence


_open: ContextVar[list[Caution] | None] = ContextVar("cautions", default=None)


def say(code: str, sentence: str) -> None:
    """Add a caution to the collection that is open, or warn where none is."""
    collection = _open.get()
    if collection is None:
        warn(sentence)
    else:
        collection.append(Caution(code, sentence))


def warn(sentence: str) -> None:
    """A Python warning at the line outside of this package from which it was called."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == "mfgsolve":
        frame, level = frame.f_back, level + 1
    warnings.warn(sentence, stacklevel=level)


@contextmanager
def collect() -> Iterator[list[Caution]]:
    """Collect what is said in this block (and thread); an outer collection does not see it."""
    said: list[Caution] = []
    token = _open.set(said)
    try:
        yield said
    finally:
        _open.reset(token)


def unique(*collections: Iterable[Caution]) -> tuple[Caution, ...]:
    """All of them in order, each once."""
    return tuple(dict.fromkeys(caution for some in collections for caution in some))


def to_text(cautions: Iterable[Caution]) -> str:
    """One line of JSON, for the attributes of a file; empty where there is nothing to say."""
    rows = [{"code": caution.code, "sentence": caution.sentence} for caution in cautions]
    return json.dumps(rows) if rows else ""


def from_text(text: str) -> tuple[Caution, ...]:
    """What `to_text` wrote.

    Raises
    ------
    ValueError
        if the text is something else
    """
    rows = json.loads(text) if text else []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"warnings {text[:80]!r}")
    return tuple(Caution(str(row.get("code", "")), str(row.get("sentence", ""))) for row in rows)


def stored(attributes: Mapping[str, Any]) -> tuple[Caution, ...]:
    """The warnings among the attributes of a dataset; what cannot be read is one, too."""
    try:
        return from_text(str(attributes.get("warnings", "")))
    except ValueError:
        return (Caution("warnings-spoilt", "The warnings of this file are damaged and cannot be read."),)
