"""What hits an economy that was at rest: how much more or less productive, or impatient, it is for a while.

A shock is small change of a number over time, told at the beginning t_k of each step and kept over it:

    productivity A (1 + x_k) of the firm, or of incomes where there is none,     impatience rho (1 + x_k).

A number x is the size at t = 0, of which e^(-recovery t) is left at time t.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, numbers, real
from mfgsolve.grids import TimeGrid
from mfgsolve.inputs.calls import ask
from mfgsolve.inputs.labels import Labelled, aligned, owned

__all__ = ["Shock"]

NAMES = ("productivity", "impatience")


@dataclass(frozen=True, eq=False)
class Shock:
    """Relative changes of an economy over time, all of which pass.

    Parameters
    ----------
    productivity, impatience : -0.03 is 3 % less; a number (with a recovery), one number for each step, or a function of
        the time t
    recovery : rate > 0 at which numbers fade, per unit of time

    Raises
    ------
    InputError
        for changes that are no finite numbers above -1, and for a number without a recovery

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> shock = mfg.Shock(productivity=-0.03, recovery=0.2)
    >>> shock.path("productivity", mfg.TimeGrid(10.0, 2)).round(6).tolist()
    [-0.03, -0.011036]
    """

    productivity: Any = 0.0
    impatience: Any = 0.0
    recovery: float | None = None

    def __post_init__(self) -> None:
        if self.recovery is not None:
            object.__setattr__(self, "recovery", real(self.recovery, "recovery of the shock"))
            if not (math.isfinite(self.recovery) and self.recovery > 0):
                raise InputError(
                    f"recovery of the shock is {self.recovery:g}; a positive rate per unit of time is needed, at which "
                    "it fades: what stays for ever is another economy"
                )
        sizes = []
        for name in NAMES:
            given = getattr(self, name)
            if callable(given):
                continue
            given = owned(given, f"{name} of the shock")
            if np.ndim(given) == 0:
                given = real(given, f"{name} of the shock")
                sizes += [name] * (given != 0)
                _check(np.array([given]), name)
            object.__setattr__(self, name, given)
        if sizes and self.recovery is None:
            raise InputError(
                f"{sizes[0]} of the shock is a number, and nothing says how it fades; give recovery=, a rate per unit "
                "of time, or a path: one number for each step, or a function of the time"
            )
        if self.recovery is not None and not sizes:
            raise InputError(
                f"recovery of the shock is {self.recovery:g}, and there is no number that fades; leave it out, or give "
                "productivity= or impatience= as a number"
            )

    def path(self, name: str, time: TimeGrid) -> np.ndarray:
        """Relative change in each step (steps,), of "productivity" or "impatience"."""
        given, starts, what = (
            getattr(self, name),
            time.horizon * np.arange(time.steps) / time.steps,
            f"{name} of the shock",
        )
        if callable(given):
            values = np.array([real(ask(given, (float(t),), what, "(t)"), what) for t in starts])
        elif np.ndim(given) == 0:
            values = given * np.exp(-(self.recovery or 0.0) * starts)
        else:
            values = numbers(aligned(given, ("time",), {"time": starts}, what), what)
            if values.shape != starts.shape:
                raise InputError(
                    f"{what} has shape {values.shape}; one number for each of the {time.steps} steps is needed, at its "
                    "beginning"
                )
        _check(values, name)
        return values

    @property
    def stated(self) -> dict[str, Any]:
        """What makes it again, as plain values, where no function is in it."""
        told = {name: _plain(getattr(self, name)) for name in NAMES}
        made = {name: value for name, value in told.items() if np.any(value)}
        return made | ({} if self.recovery is None else {"recovery": self.recovery})


def _plain(value: Any) -> Any:
    """A number, a list of the steps, a table of times and values of what came with names; a function as "custom"."""
    if callable(value):
        return "custom"
    if isinstance(value, Labelled):
        times = value.coordinates[0]
        return {"values": value.values.tolist()} | ({} if times is None else {"time": np.asarray(times).tolist()})
    return np.asarray(value).tolist()


def _check(values: np.ndarray, name: str) -> None:
    bad = ~(np.isfinite(values) & (values > -1))
    if bad.any():
        raise InputError(
            f"{name} of the shock is {values[bad][0]:g}; a relative change is needed, a finite number above -1: -0.03 "
            "is 3 % less"
        )
