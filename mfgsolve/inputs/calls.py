"""Functions that a user brings: called in one place, so that whatever goes wrong in them is told in a sentence."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, shown

__all__ = ["ask", "callable_as", "function_name", "is_of_package"]


def is_of_package(part: Any) -> bool:
    """Whether an object is of a class of mfgsolve, which is believed, and not of somebody's own."""
    return type(part).__module__.startswith("mfgsolve.")


def function_name(function: Any) -> str:
    """What a function is called: its name, or that of its class."""
    function = getattr(function, "__wrapped__", function)
    return str(getattr(function, "__name__", type(function).__name__))


def callable_as(function: Any, arguments: tuple[Any, ...], what: str, call: str, hint: str = "") -> None:
    """That a function can be called with these arguments, said in a sentence where it cannot.

    Raises
    ------
    InputError
        "running cost: a function is called as f(t, coordinates), and this one cannot be (...)"
    """
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError as error:
        raise InputError(f"{what}: a function is called as f{call}, and this one cannot be ({error}){hint}") from None
    except ValueError:  # a function of C has no signature to look at
        pass


def ask(function: Any, arguments: tuple[Any, ...], what: str, call: str, when: str = "", hint: str = "") -> Any:
    """function(*arguments); what is wrong with the call, and whatever it raises, becomes an `InputError`.

    Warnings of floating-point numbers inside the function are silent: whoever asks looks at the values themselves.

    Parameters
    ----------
    function, arguments : what is called
    what : whose function it is, "running cost"
    call : how it is called, "(t, coordinates)"
    when : at which point, " at t = 0.5"
    hint : what to do where it cannot be called like that
    """
    try:
        with np.errstate(all="ignore"):
            return function(*arguments)
    except InputError:
        raise
    except Exception as error:  # whatever a user's function raises; the cause stays in the traceback
        if isinstance(error, TypeError):  # looked at only now: a signature takes longer than most fields
            callable_as(function, arguments, what, call, hint)
        if isinstance(error, AttributeError) and str(error).startswith("unknown coordinate"):
            raise InputError(f"{what}: {error}") from None
        told = shown(str(error))[1:-1]
        raise InputError(
            f"{what}, the function {function_name(function)!r}, raised {type(error).__name__}{when}"
            f"{f' ({told})' if told else ''}; it is called as f{call}"
        ) from error
