"""Any finite game: states, actions, sparse transitions, costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, real

__all__ = ["Tabular"]


@dataclass(frozen=True, eq=False, repr=False)
class Tabular:
    """Transitions P_t(y | x, a), an own cost l_t(x, a) of each step, and a temperature tau.

    With tau > 0 an agent also pays tau dt sum_a pi log pi, so that best responses are softmax policies.

    Parameters
    ----------
    transitions : one matrix (state, next state) per action, dense or SciPy sparse; or a dense array
        (action, state, next state) or (step, action, state, next state); or a list over steps of lists over actions;
        or a function (t, mass) -> matrices of one step, for dynamics coupled to the crowd: ``t`` is the time of the
        node and ``mass`` an array of the space's shape (all populations, where there are several); what it raises is
        told as an InputError.  Rows must sum to 1 where the action is allowed.  On a grid the states are its cells in
        the order of its arrays, x fastest
    cost : own cost of one step (not per unit time): a number, (action,), (action, *shape), (step, action,
        *shape), or a function (t, coordinates) -> (action, *shape), with the shape of the space (of one population)
    temperature : tau >= 0, cost per unit time
    actions : names of the actions
    allowed : boolean (action, *shape), False where an action is not available

    Examples
    --------
    >>> import numpy as np, mfgsolve as mfg
    >>> stay, swap = np.eye(2), np.eye(2)[::-1]
    >>> game = mfg.Problem(
    ...     grid=mfg.States(2), time=mfg.TimeGrid(3, 3), dynamics=mfg.Tabular([stay, swap], cost=[[0, 0], [0.1, 0.1]]),
    ...     coupling=mfg.CrowdAversion(1.0), initial=np.array([1.0, 0.0]))
    >>> mfg.solve(game).status.name
    'CONVERGED'
    """

    transitions: Any
    cost: Any = 0.0
    temperature: float = 0.0
    actions: Sequence[str] | None = None
    allowed: Any = None

    def __post_init__(self) -> None:
        value = real(self.temperature, "temperature")
        if not (math.isfinite(value) and value >= 0):
            raise InputError(f"temperature is {value}; it must be zero or positive, and finite")
        object.__setattr__(self, "temperature", value)
        if self.is_coupled and not isinstance(self.transitions, _Asked):
            object.__setattr__(self, "transitions", _Asked(self.transitions))
        if self.actions is not None:
            listed = np.iterable(self.actions) and not isinstance(self.actions, str)
            if not (listed and all(isinstance(name, str) for name in self.actions)):
                raise InputError(f"actions are named {self.actions!r}; a list of texts is needed")
            object.__setattr__(self, "actions", tuple(self.actions))
            if len(set(self.actions)) != len(self.actions):  # type: ignore[arg-type]
                raise InputError(f"actions are named {self.actions}; every action needs a name of its own")

    def __repr__(self) -> str:
        given = {name: getattr(self, name) for name in ("transitions", "cost", "temperature", "actions", "allowed")}
        parts = [f"{name}={_brief(value)}" for name, value in given.items() if value is not None]
        return f"Tabular({', '.join(parts)})"

    @property
    def is_coupled(self) -> bool:
        """Whether the transitions depend on the crowd."""
        return isinstance(self.transitions, Callable)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class _Asked:
    """A user's function (t, mass) -> matrices; whatever it raises is told as an error of the dynamics."""

    __wrapped__: Callable[[float, np.ndarray], Any]  # by this name its signature is looked at

    def __call__(self, t: float, mass: np.ndarray) -> Any:
        try:
            return self.__wrapped__(t, mass)
        except InputError:
            raise
        except Exception as error:
            raise InputError(
                f"transitions of the Tabular dynamics, {_brief(self)}, raised {type(error).__name__} at t = {t:g} "
                f"({error}); it is called as f(t, mass) with any mass of shape {np.shape(mass)}, and must return one "
                "matrix for each action"
            ) from error


def _brief(value: Any) -> str:
    """Shapes instead of numbers, the name of a function."""
    if callable(value):
        function = getattr(value, "__wrapped__", value)
        return f"function {getattr(function, '__name__', type(function).__name__)!r}"
    if isinstance(value, list | tuple) and value and not isinstance(value[0], str):
        return f"({len(value)},)" if isinstance(value[0], Real) else f"{len(value)} x {_brief(value[0])}"
    shape = getattr(value, "shape", ())
    return str(tuple(shape)) if shape else repr(value)
