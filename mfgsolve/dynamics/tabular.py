"""Any finite game: states, actions, sparse transitions, costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any

import numpy as np
from scipy import sparse

from mfgsolve.dynamics.base import TableDynamics
from mfgsolve.dynamics.matrices import (
    allowed_choices,
    as_matrices,
    callable_as,
    costs_of_choices,
    count_actions,
    count_chances,
    is_timed,
    matrices_by_step,
)
from mfgsolve.errors import InputError, has_labels, masked, real, shown
from mfgsolve.grids import TimeGrid
from mfgsolve.inputs.calls import function_name
from mfgsolve.inputs.forms import NUMBER_OR_ARRAY, TEXT, TRANSITIONS, TRUTHS, many
from mfgsolve.inputs.labels import Labelled, aligned, frozen, labelled
from mfgsolve.spaces import Space, repeated
from mfgsolve.steps.transitions import Matrices

__all__ = ["Tabular"]


@dataclass(frozen=True, eq=False, repr=False)
class Tabular(TableDynamics):
    """Transitions P_t(y | x, a), an own cost l_t(x, a) of each step, and a temperature tau.

    With tau > 0 an agent also pays tau dt sum_a pi log pi, so that best responses are softmax policies.  What carries
    agents on after their choice is part of P: of a drift on a grid, P @ `mfgsolve.steps.drift.Drift` (...).matrix(t).

    The game keeps copies of all arrays.  Arrays with names (xarray, pandas) are read by them: the dimensions ``step``
    (or ``time``), ``action``, ``state`` and ``next_state`` of transitions, and those of the space in place of the
    states in costs and allowed actions, where dimensions may be left out; coordinates are compared with the game's.

    Parameters
    ----------
    transitions : one matrix (state, next state) per action, dense or SciPy sparse; or a dense array
        (action, state, next state) or (step, action, state, next state); or a list over steps of lists over actions;
        or a function (t, mass) -> matrices of one step, for dynamics coupled to the crowd: ``t`` is the time of the
        node and ``mass`` an array of the space's shape (all populations, where there are several); what it raises is
        told as an InputError; quickest is a CSR matrix (action * state, next
        state), actions one below the other.  Rows must sum to 1 where the action is allowed.  On a grid the states are
        its cells in the order of its arrays, x fastest
    cost : own cost of one step (not per unit time): a number, (action,), (action, *shape), (step, action,
        *shape), or a function (t, coordinates) -> (action, *shape), with the shape of the space (of one population)
    temperature : tau >= 0, cost per unit time
    actions : names of the actions; labelled transitions bring their own
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

    transitions: Any = field(metadata={"form": TRANSITIONS})
    cost: Any = field(default=0.0, metadata={"form": NUMBER_OR_ARRAY})
    temperature: float = 0.0
    actions: Sequence[str] | None = field(default=None, metadata={"form": many(TEXT)})
    allowed: Any = field(default=None, metadata={"form": TRUTHS})

    has_arrays = True

    def __post_init__(self) -> None:
        value = real(self.temperature, "temperature")
        if not (math.isfinite(value) and value >= 0):
            raise InputError(f"temperature is {value}; it must be zero or positive, and finite")
        object.__setattr__(self, "temperature", value)
        if self.is_coupled and not isinstance(self.transitions, _Asked):
            object.__setattr__(self, "transitions", _Asked(self.transitions))
        object.__setattr__(self, "transitions", own_matrices(self.transitions, "transitions"))
        object.__setattr__(self, "cost", _own(self.cost, "own cost"))
        object.__setattr__(self, "allowed", _own(self.allowed, "allowed actions"))
        names = self.actions if self.actions is not None else _names_of(self.transitions)
        if names is not None:
            listed = np.iterable(names) and not isinstance(names, str)
            if not (listed and all(isinstance(name, str) for name in names)):
                raise InputError(f"actions are named {shown(names)}; a list of texts is needed")
            object.__setattr__(self, "actions", tuple(str(name) for name in names))
            if repeated(self.actions) is not None:  # type: ignore[arg-type]
                raise InputError(f"actions are named {shown(self.actions)}; every action needs a name of its own")

    def on(self, space: Space, time: TimeGrid, where: str = "") -> Tabular:
        """The same dynamics with labelled arrays in the order of a space and the starts of the steps; itself, if it has
        none.

        Raises
        ------
        InputError
            for other dimensions and coordinates than those of the space, the steps and the actions
        """
        if not (self.is_coupled or any(map(has_labels, (self.transitions, self.cost, self.allowed)))):
            return self

        def nodes(_: int) -> np.ndarray:  # asked only where an array has steps: they may not be settled yet
            return time.nodes[:-1]

        labels = {"step": nodes, "next_state": _numbered(space), "state": _numbered(space)}
        if isinstance(self.transitions, _Asked):
            transitions: Any = replace(self.transitions, space=space, actions=self.actions)
        else:
            transitions = _plain_matrices(self.transitions, labels | self._action_labels(), f"transitions{where}")
        # only costs and allowed actions are laid out on the space; matrices count its states
        laid = {"step": nodes} | self._action_labels() | space.labels
        dims = ("step", "action", *space.dims)
        cost = aligned(self.cost, dims, laid, f"own cost{where}", partial=True)
        allowed = aligned(self.allowed, dims[1:], laid, f"allowed actions{where}", partial=True)
        return replace(self, transitions=transitions, cost=cost, allowed=allowed)

    def _action_labels(self) -> dict[str, Any]:
        return {"action": np.arange if self.actions is None else np.array(self.actions)}

    def check(self, space: Space) -> None:
        """Transitions that the crowd decides are a function of (t, mass)."""
        if self.is_coupled:
            callable_as(self.transitions, "transitions", "(t, mass)")

    # -- how large it is, and for how many steps it is stated -----------------------------------------------------

    @property
    def action_count(self) -> int:
        """As many as have names or matrices; 0 where the crowd decides the matrices, and they have no names."""
        if self.actions is not None:
            return len(self.actions)
        return 0 if self.is_coupled else count_actions(self.transitions)

    def chance_count(self, space: Space, time: TimeGrid) -> int:
        """What the matrices hold; 0 where the crowd decides them."""
        return 0 if self.is_coupled else count_chances(self.transitions)

    def listed_steps(self, space: Space) -> set[int]:
        """Steps of the transitions and of the costs, where these are stated step by step."""
        listed = set()
        if not self.is_coupled and is_timed(self.transitions):
            listed.add(len(self.transitions))
        if not callable(self.cost) and np.ndim(self.cost) == 2 + space.ndim:  # (step, action, *shape)
            listed |= {len(self.cost)} - {1}  # one level stands for any number, as costs named (action, state) do
        return listed

    # -- what tables are made of -------------------------------------------------------------------------------

    @property
    def action_names(self) -> Sequence[str] | None:
        """Names of the actions, where they were given."""
        return self.actions

    def asked(self, t: float, mass: np.ndarray) -> Any:
        """What the function of (t, mass) returns."""
        return self.transitions(t, mass)

    def tables(
        self, space: Space, time: TimeGrid, where: str = "", asked: Any = None, moment: str = ""
    ) -> tuple[list[Matrices], np.ndarray]:
        """The matrices, and what is allowed."""
        if self.is_coupled:
            by_step = [as_matrices(asked, space, where + moment, None)]
        else:
            by_step = matrices_by_step(self.transitions, space, time.steps, where)
        allowed = allowed_choices(self.allowed, space, len(by_step[0]), where)
        if self.actions is not None and len(self.actions) != len(by_step[0]):
            raise InputError(f"transitions{where} have {len(by_step[0])} actions and {len(self.actions)} names")
        return by_step, allowed

    def step_costs(self, space: Space, times: np.ndarray, actions: int, where: str = "") -> np.ndarray:
        """Costs of the choices, whatever form they were given in."""
        return costs_of_choices(self.cost, self.actions, space, times, actions, where)

    @property
    def identity(self) -> Any:
        """What tells two such dynamics apart beside their arrays, which a game has laid out on its space."""
        return ("tabular", self.temperature, self.is_coupled)

    def __repr__(self) -> str:
        statement = {name: getattr(self, name) for name in ("transitions", "cost", "temperature", "actions", "allowed")}
        parts = [f"{name}={_brief(value)}" for name, value in statement.items() if value is not None]
        return f"Tabular({', '.join(parts)})"

    @property
    def is_coupled(self) -> bool:
        """Whether the transitions depend on the crowd."""
        return isinstance(self.transitions, Callable)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class _Asked:
    """A user's function (t, mass) -> matrices; whatever it raises is told as an error of the dynamics."""

    __wrapped__: Callable[[float, np.ndarray], Any]  # by this name its signature is looked at
    space: Space | None = None
    actions: Sequence[str] | None = None

    def __call__(self, t: float, mass: np.ndarray) -> Any:
        try:
            with np.errstate(all="ignore"):
                answer = self.__wrapped__(t, mass)
        except InputError:
            raise
        except Exception as error:
            raise InputError(
                f"transitions of the Tabular dynamics, {_brief(self)}, raised {type(error).__name__} at t = {t:g} "
                f"({shown(str(error))[1:-1]}); it is called as f(t, mass) with any mass of shape {np.shape(mass)}, and "
                "must return one matrix for each action"
            ) from error
        if self.space is None or isinstance(answer, np.ndarray) or not has_labels(answer):
            return answer
        states, actions = _numbered(self.space), self.actions
        labels = {"state": states, "next_state": states, "action": np.arange if actions is None else np.array(actions)}
        where = f"transitions at t = {t:g}"
        return _plain_matrices(own_matrices(answer, where), labels, where)


def _own(value: Any, what: str) -> Any:
    """A copy of an array that nobody can change; numbers, functions and nothing as they are."""
    if value is None or callable(value) or isinstance(value, bool | int | float | str):
        return value
    if masked(value):
        return value  # which is refused when a game is made of it
    if isinstance(value, list | tuple) and has_labels(value):
        raise InputError(
            f"{what} is a list of labelled arrays; stack them into one, say by xarray.concat(..., 'action')"
        )
    array = labelled(value, what)
    if array is not None:
        return array
    try:
        return frozen(value)
    except (TypeError, ValueError):
        return value  # no array of numbers: told with its population


def own_matrices(matrices: Any, what: str) -> Any:
    """Copies of the matrices of transitions, in the lists they came in; a game checks them when it is made."""
    if callable(matrices) or isinstance(matrices, str):
        return matrices
    if sparse.issparse(matrices):
        return _own_sparse(matrices)
    if np.ma.is_masked(matrices):
        return matrices  # which is refused when a game is made of it
    if isinstance(matrices, np.ndarray):
        return frozen(matrices)
    if isinstance(matrices, Sequence):
        if matrices and all(isinstance(entry, float | int) for entry in matrices):
            return tuple(matrices)
        return tuple(own_matrices(item, what) for item in matrices)
    array = labelled(matrices, what)
    if array is not None:
        return array
    if hasattr(matrices, "__array__"):
        return frozen(matrices)
    return matrices  # other things are refused with the space at hand


def _own_sparse(matrix: Any) -> Any:
    """A sparse matrix, row by row, that cannot be changed."""
    if isinstance(matrix, sparse.csr_array) and all(frozen(p) is p for p in (matrix.data, matrix.indices)):
        return matrix
    rows = sparse.csr_array(matrix, copy=True)
    rows.sum_duplicates()
    parts = (frozen(rows.data), frozen(rows.indices), frozen(rows.indptr))
    return sparse.csr_array(parts, shape=rows.shape)


def _plain_matrices(matrices: Any, labels: Mapping[str, Any], what: str) -> Any:
    """Matrices in the order of the labels, whatever names they came with."""
    if isinstance(matrices, Labelled):
        dims = ("state", "next_state") if matrices.ndim == 2 else ("action", "state", "next_state")
        if matrices.along("step") is not None:
            dims = ("step", *dims)
        return frozen(aligned(matrices, dims, labels, what))
    if isinstance(matrices, tuple) and has_labels(matrices):
        return tuple(_plain_matrices(item, labels, what) for item in matrices)
    return matrices


def _numbered(space: Space) -> np.ndarray:
    """Labels of the states as matrices count them: their names, or numbers in the order of the arrays."""
    return space.labels["state"] if space.dims == ("state",) else np.arange(space.size)


def _names_of(transitions: Any) -> list[str] | None:
    """Names of the actions that labelled transitions bring."""
    axis = transitions.along("action") if isinstance(transitions, Labelled) else None
    names = None if axis is None else transitions.coordinates[axis]  # type: ignore[union-attr]
    return [str(name) for name in names] if names is not None and names.dtype.kind in "OUST" else None


def _brief(value: Any) -> str:
    """Shapes instead of numbers, the name of a function."""
    if callable(value):
        return f"function {function_name(value)!r}"
    if isinstance(value, list | tuple) and value and not isinstance(value[0], str):
        return f"({len(value)},)" if isinstance(value[0], Real) else f"{len(value)} x {_brief(value[0])}"
    shape = getattr(value, "shape", ())
    return str(tuple(shape)) if shape else repr(value)
