"""Incomes of a household: a Markov chain of a few levels, by rates in continuous time or by chances in discrete."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, numbers
from mfgsolve.inputs.labels import aligned, frozen

__all__ = ["Income"]

ROUND = 1e-12  # that rows may miss their sum by


@dataclass(frozen=True, eq=False, repr=False)
class Income:
    """Levels z_j > 0 of income (or of labour, where a firm pays wages) and how a household moves among them.

    Parameters
    ----------
    levels : positive increasing numbers, one for each state
    rates : of continuous time, (levels, levels): entry (i, j) is the rate from i to j, per unit of time; the diagonal
        is what makes rows sum to 0, and may be left 0.  For two levels also a pair, the rates up and down
    probabilities : of discrete time, (levels, levels): the chance of j in the next period, rows sum to 1

    Raises
    ------
    InputError
        unless one of rates and probabilities is given, and for a chain in which some level is never reached again

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> income = mfg.Income([0.1, 0.2], rates=[1.2, 0.6])
    >>> income.law.round(3).tolist(), income.time
    ([0.333, 0.667], 'continuous')
    """

    levels: Any  # a list of numbers as it is stated, an array from then on, as are the others
    rates: Any = None
    probabilities: Any = None

    def __post_init__(self) -> None:
        levels = numbers(self.levels, "levels of income")
        if levels.ndim != 1 or not levels.size:
            raise InputError(f"levels of income have shape {levels.shape}; a list of numbers is needed")
        if not (np.isfinite(levels).all() and (levels > 0).all() and (np.diff(levels) > 0).all()):
            raise InputError(
                f"levels of income are {levels.tolist()}; positive finite numbers in increasing order are needed"
            )
        object.__setattr__(self, "levels", frozen(levels))
        if (self.rates is None) == (self.probabilities is None):
            raise InputError(
                "income needs either rates (continuous time) or probabilities (discrete time), and not both"
            )
        name = "rates" if self.probabilities is None else "probabilities"
        matrix = self._matrix(name)
        object.__setattr__(self, name, frozen(_generator(matrix) if name == "rates" else _stochastic(matrix)))
        self._check_one_class()

    def _matrix(self, name: str) -> np.ndarray:
        what, count = f"{name} of income", self.count
        labels = {"income": self.levels, "next_income": self.levels}
        matrix = numbers(aligned(getattr(self, name), ("income", "next_income"), labels, what), what)
        if name == "rates" and matrix.shape == (2,) and count == 2:
            matrix = np.array([[0.0, matrix[0]], [matrix[1], 0.0]])
        if matrix.shape != (count, count):
            pair = " (or two rates, up and down)" if count == 2 else ""
            raise InputError(f"{what} have shape {matrix.shape}; a matrix {(count, count)}, from row to column{pair}")
        off = matrix[~np.eye(count, dtype=bool)]
        if not np.isfinite(matrix).all() or (off < 0).any():
            raise InputError(f"{what} are {matrix.tolist()}; finite numbers of at least 0 are needed off the diagonal")
        return matrix

    def _check_one_class(self) -> None:
        """Every level is reached from every other, else the law of incomes depends on where households begin."""
        from scipy.sparse.csgraph import connected_components

        moves = (self.matrix > 0) & ~np.eye(self.count, dtype=bool)
        count, part = connected_components(moves, connection="strong")
        if count > 1:
            leaves = {int(p) for p in np.unique(part) if moves[np.ix_(part == p, part != p)].any()}
            groups = [self.levels[part == p].tolist() for p in np.unique(part)]
            told = ", ".join(f"{g}{' (left for ever)' if k in leaves else ''}" for k, g in enumerate(groups))
            raise InputError(
                f"the income chain is reducible: levels fall into groups {told} that do not all lead to each other, so "
                "that there is no single law of incomes; drop the levels that are left for ever, or give every level a "
                "positive rate back"
            )

    @property
    def count(self) -> int:
        """Number of levels."""
        return self.levels.size

    @property
    def time(self) -> str:
        """ "continuous" or "discrete"."""
        return "discrete" if self.rates is None else "continuous"

    @property
    def matrix(self) -> np.ndarray:
        """Rates or probabilities, whichever is stated."""
        return np.asarray(self.probabilities if self.rates is None else self.rates)

    @cached_property
    def law(self) -> np.ndarray:
        """Share of households at each level, for ever the same (levels,)."""
        generator = self.matrix - (np.eye(self.count) if self.rates is None else 0.0)
        rows = np.vstack([generator.T, np.ones(self.count)])
        return frozen(np.linalg.lstsq(rows, np.r_[np.zeros(self.count), 1.0], rcond=None)[0])

    @property
    def mean(self) -> float:
        """Mean level, the supply of labour where levels are of labour."""
        return float(self.law @ self.levels)

    @property
    def stated(self) -> dict[str, Any]:
        """What makes it again, as plain values."""
        name = "probabilities" if self.rates is None else "rates"
        return {"levels": self.levels.tolist(), name: self.matrix.tolist()}

    def __repr__(self) -> str:
        return f"Income({self.levels.tolist()}, {self.time} time)"


def _generator(matrix: np.ndarray) -> np.ndarray:
    """Rates with a diagonal that makes rows sum to 0."""
    rates = matrix * ~np.eye(len(matrix), dtype=bool)
    own, made = matrix.diagonal(), -rates.sum(axis=1)
    if own.any() and (np.abs(own - made) > ROUND * np.abs(made).max()).any():
        raise InputError(
            f"rates of income have the diagonal {own.tolist()}, and rows sum to 0 with {made.tolist()}; leave the "
            "diagonal 0, or give chances of discrete time as probabilities="
        )
    return np.asarray(rates + np.diag(made))


def _stochastic(matrix: np.ndarray) -> np.ndarray:
    """Chances whose rows sum to 1."""
    sums = matrix.sum(axis=1)
    if (matrix < 0).any() or (np.abs(sums - 1) > ROUND).any():
        raise InputError(
            f"rows of the probabilities of income sum to {sums.tolist()}; each must sum to 1, of numbers from 0 to 1 "
            "(rates of continuous time are given as rates=)"
        )
    return matrix
