"""Options of solvers and learners: names and types are checked before anything is made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from typing import Any

from mfgsolve.errors import InputError, real, shown, unknown, whole

__all__ = ["typed_options", "unused"]


def typed_options(
    kind: type,
    options: Mapping[str, Any],
    name: str,
    whose: str | None = None,
    word: str = "option",
    also: Iterable[str] = (),
) -> dict[str, Any]:
    """Options of a frozen dataclass of hyper-parameters, each of the type of its default; a field whose metadata says
    that it is "loose" takes what its class makes something of.

    ``name`` is what the user called it by, ``whose`` how a message speaks of its options ("the learner"), ``word`` what
    it calls them.  ``also`` holds what else may stand beside the options, the arguments of the function that was
    called: a misspelt one is told by the nearest of all.  Those that are `unused` by the class are refused, too.

    Raises
    ------
    InputError
        for a name that is none of its fields, with the nearest spelling; for one that does nothing; for a value of
        another type
    """
    defaults = {part.name: MISSING if "loose" in part.metadata else part.default for part in fields(kind)}
    checked, idle = {}, unused(kind)
    for option, value in options.items():
        if option not in defaults:
            raise InputError(unknown(f"{word} of {name}", option, [*defaults, *also] or ["(none)"]))
        if option in idle:
            raise InputError(f"{word} {option} does nothing in {name}: {idle[option]}; leave it out")
        checked[option] = _like(value, defaults[option], f"{word} {option} of {whose or name}")
    return checked


def unused(kind: type) -> Mapping[str, str]:
    """Fields that a class has from its base and makes no use of, and why; it says so by a mapping ``unused``."""
    told = getattr(kind, "unused", {})
    return told if isinstance(told, Mapping) else {}


def _like(value: Any, default: Any, what: str) -> Any:
    """The value, if it is of the type of a number, a truth value or a text that is the default."""
    if default is None or default is MISSING:
        return value
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise InputError(f"{what} is {shown(value)} ({type(value).__name__}); True or False is needed")
    elif isinstance(default, int):
        return whole(value, what)
    elif isinstance(default, float):
        return real(value, what)
    elif isinstance(default, str) and not isinstance(value, str):
        raise InputError(f"{what} is {shown(value)} ({type(value).__name__}); a text is needed")
    return value
