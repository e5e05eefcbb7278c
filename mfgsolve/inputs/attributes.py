"""Attributes that are not there: the nearest name is told, of modules and of objects."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

__all__ = ["Suggesting", "missing"]


def missing(owner: str, name: str, names: Iterable[str], hint: str = "") -> AttributeError:
    """The error of an attribute that is not there: module 'mfgsolve' has no attribute 'sove'; did you mean 'solve'?

    Names that begin with an underscore, which notebooks and copies ask for, are told without a search.
    """
    near = [] if name.startswith("_") else difflib.get_close_matches(name, sorted(names), n=1, cutoff=0.6)
    told = f"; did you mean {near[0]!r}?" if near else ""
    return AttributeError(f"{owner} has no attribute {name!r}{told}{hint}")


class Suggesting:
    """Base of objects that tell the nearest name where an attribute is not there."""

    def _elsewhere(self, name: str) -> str:
        """Where else a name is, as the end of a sentence; empty where nowhere."""
        return ""

    if not TYPE_CHECKING:  # so that attributes are checked as those of any class

        def __getattr__(self, name: str) -> Any:
            if hasattr(type(self), name):  # a property that failed: its own error
                return object.__getattribute__(self, name)
            hint = "" if name.startswith("_") else self._elsewhere(name)
            raise missing(f"{type(self).__name__!r} object", name, [] if hint else _public(self), hint)


def _public(owner: object) -> list[str]:
    return [name for name in {*dir(type(owner)), *vars(owner)} if not name.startswith("_")]
