"""What may stand in a problem file: its tables, and a strict reading of them that tells every fault at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

import numpy as np
from cattrs import BaseValidationError, Converter, ForbiddenExtraKeysError, transform_error
from cattrs.gen import make_dict_structure_fn, override

from mfgsolve.couplings import Congestion, Coupling, CrowdAversion, LogCongestion, Nonlocal, RunningCost
from mfgsolve.dynamics import ControlledDiffusion
from mfgsolve.errors import InputError, unknown
from mfgsolve.fields import Box, Bump, Field, Quadratic, Total
from mfgsolve.grids import Coordinates, Grid, TimeGrid

__all__ = ["DeclaredProblem", "NamedProblemTable", "structure"]

T = TypeVar("T")

COUPLINGS: dict[str, type[Coupling]] = {
    "congestion": Congestion,
    "crowd-aversion": CrowdAversion,
    "log": LogCongestion,
    "nonlocal": Nonlocal,
    "running-cost": RunningCost,
}
FIELDS: dict[str, type] = {"bump": Bump, "quadratic": Quadratic, "box": Box}


@dataclass(frozen=True)
class Corners:
    """A blocked box, from corner to corner (x, y, ...)."""

    lower: tuple[float, ...]
    upper: tuple[float, ...]


class _Union:
    """Cells in any of the boxes."""

    def __init__(self, boxes: Sequence[Box]):
        self.boxes = boxes

    def __call__(self, c: Coordinates) -> np.ndarray:
        return np.asarray(np.any([box.contains(c) for box in self.boxes], axis=0))


# The tables below are checked when they are read (``made`` in ``__post_init__``), so that all faults are told at once.


@dataclass(frozen=True)
class GridTable:
    shape: tuple[int, ...]
    bounds: tuple[tuple[float, float], ...] | None = None
    boundary: str | tuple[str, ...] = "reflecting"
    unit: str = "1"
    blocked: tuple[Corners, ...] = ()

    def __post_init__(self) -> None:
        self.made()

    def made(self) -> Grid:
        boxes = [Box(corners.lower, corners.upper) for corners in self.blocked]
        return Grid.box(self.shape, self.bounds, self.boundary, self.unit, _Union(boxes) if boxes else None)


@dataclass(frozen=True)
class TimeTable:
    horizon: float
    steps: int
    unit: str = "1"

    def __post_init__(self) -> None:
        self.made()

    def made(self) -> TimeGrid:
        return TimeGrid(self.horizon, self.steps, self.unit)


@dataclass(frozen=True)
class DynamicsTable:
    viscosity: float = 0.0
    control_cost: float = 1.0
    noise: str = "implicit"

    def __post_init__(self) -> None:
        self.made()

    def made(self) -> ControlledDiffusion:
        return ControlledDiffusion(self.viscosity, self.control_cost, self.noise)


@dataclass(frozen=True)
class InitialTable:
    density: Field
    normalise: bool = False


@dataclass(frozen=True)
class TerminalTable:
    cost: Field = 0.0
    coupling: tuple[Coupling, ...] = ()


@dataclass(frozen=True)
class DeclaredProblem:
    """A problem stated in full."""

    grid: GridTable
    time: TimeTable
    dynamics: DynamicsTable
    initial: InitialTable
    terminal: TerminalTable = field(default_factory=TerminalTable)
    coupling: tuple[Coupling, ...] = ()
    name: str = "declared"
    source: str = ""


@dataclass(frozen=True)
class NamedProblemTable:
    """The name of a problem of the list, and its parameters."""

    problem: str
    parameters: dict[str, Any] = field(default_factory=dict)
    shape: tuple[int, ...] | None = None
    steps: int | None = None


def structure(document: Mapping[str, Any], kind: type[T], where: str) -> T:
    """The document as a table of this kind, or one `InputError` with a line for every fault."""
    try:
        return _CONVERTER.structure(document, kind)
    except BaseValidationError as error:
        faults = transform_error(error, path="", format_exception=_sentence)
        lines = [_tidy(fault) for fault in faults]
        raise InputError("\n".join(f"{where}: {line}" for line in lines)) from None


def _tidy(fault: str) -> str:
    """``sentence @ .path`` of cattrs as ``path: sentence``."""
    sentence, _, path = fault.rpartition(" @ ")
    path = path.removeprefix(".")
    return f"{path}: {sentence}" if path else sentence


def _sentence(error: BaseException, kind: type | None) -> str:
    if isinstance(error, ForbiddenExtraKeysError):
        allowed = [f.name for f in fields(error.cl) if f.init]
        return "; ".join(unknown("key", key, allowed) for key in sorted(error.extra_fields))
    if isinstance(error, KeyError):
        return "this key is missing, and needed"
    return str(error)


# -- strict hooks: nothing is coerced --------------------------------------------------------------------------------


def _number(value: Any, _: Any = float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{value!r} is no number")
    if not math.isfinite(value):
        raise InputError(f"{value} is not finite; every number must be")
    return float(value)


def _whole(value: Any, _: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"{value!r} is no whole number")
    return value


def _exactly(kind: type, word: str) -> Any:
    def hook(value: Any, _: Any) -> Any:
        if not isinstance(value, kind):
            raise InputError(f"{value!r} is {word}")
        return value

    return hook


def _one_or_many(value: Any, _: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise InputError(f"{value!r} is neither a text nor a list of texts")


def _field(value: Any, _: Any) -> Field:
    """Number; {bump|quadratic|box = {...}}; list of those, their sum."""
    if isinstance(value, list) and value:
        return Total(tuple(_CONVERTER.structure(value, tuple[Field, ...])))
    if isinstance(value, dict) and len(value) == 1:
        ((name, table),) = value.items()
        if name not in FIELDS:
            raise InputError(unknown("field", name, FIELDS))
        made: Field = _CONVERTER.structure(table, FIELDS[name])
        return made
    if isinstance(value, dict | list):
        raise InputError(
            f"a field is a number, a table with one of {', '.join(FIELDS)}, or a list of those that is their sum; "
            f"this {'table' if isinstance(value, dict) else 'list'} has {len(value)} entries"
        )
    return _number(value)


def _coupling(value: Any, _: Any) -> Coupling:
    if not isinstance(value, dict) or "kind" not in value:
        raise InputError(f"a coupling is a table with a kind, one of {', '.join(COUPLINGS)}")
    kind = value["kind"]
    if not isinstance(kind, str) or kind not in COUPLINGS:
        raise InputError(unknown("kind of coupling", kind, COUPLINGS))
    rest = {key: item for key, item in value.items() if key != "kind"}
    return _CONVERTER.structure(rest, COUPLINGS[kind])


def _converter() -> Converter:
    converter = Converter(forbid_extra_keys=True, detailed_validation=True)
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(int, _whole)
    converter.register_structure_hook(str, _exactly(str, "no text"))
    converter.register_structure_hook(bool, _exactly(bool, "neither true nor false"))
    converter.register_structure_hook_func(lambda kind: kind == Field, _field)
    converter.register_structure_hook_func(lambda kind: kind == str | tuple[str, ...], _one_or_many)
    converter.register_structure_hook_func(lambda kind: kind is Coupling, _coupling)
    nonlocal_hook = make_dict_structure_fn(
        Nonlocal, converter, _cattrs_forbid_extra_keys=True, kernel=override(omit=True)
    )
    converter.register_structure_hook_func(lambda kind: kind is Nonlocal, nonlocal_hook)
    return converter


_CONVERTER = _converter()
