"""What a rate of consumption is worth: constant relative risk aversion, logarithm included."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mfgsolve.errors import InputError, real

__all__ = ["CRRA", "Utility"]


class Utility(Protocol):
    """A strictly concave utility u(c) of c > 0 with u'(0) = infinity; arrays in, arrays out."""

    def of(self, consumption: np.ndarray) -> np.ndarray:
        """u(c)."""

    def marginal(self, consumption: np.ndarray) -> np.ndarray:
        """u'(c)."""

    def curvature(self, consumption: np.ndarray) -> np.ndarray:
        """u''(c)."""

    def consumption(self, marginal: np.ndarray) -> np.ndarray:
        """The consumption whose marginal utility this is, the inverse of u'."""


@dataclass(frozen=True)
class CRRA:
    """u(c) = c^(1 - gamma) / (1 - gamma), and log c where gamma = 1.

    Parameters
    ----------
    gamma : relative risk aversion -c u'' / u' > 0, a pure number; 1 / gamma is the elasticity of substitution over time

    Raises
    ------
    InputError
        for a gamma that is not positive and finite

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> float(mfg.CRRA(2.0).of(0.5)), float(mfg.CRRA(1.0).of(1.0))
    (-2.0, 0.0)
    """

    gamma: float = 2.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "gamma", real(self.gamma, "gamma of the utility"))
        if not (math.isfinite(self.gamma) and self.gamma > 0):
            raise InputError(
                f"gamma of the utility is {self.gamma:g}; a positive number is needed, and 1 is the logarithm"
            )

    def of(self, consumption: np.ndarray) -> np.ndarray:
        """u(c)."""
        if self.gamma == 1:
            return np.asarray(np.log(consumption))
        return np.asarray(consumption ** (1 - self.gamma) / (1 - self.gamma))

    def marginal(self, consumption: np.ndarray) -> np.ndarray:
        """u'(c) = c^(-gamma)."""
        return np.asarray(consumption**-self.gamma)

    def curvature(self, consumption: np.ndarray) -> np.ndarray:
        """u''(c) = -gamma c^(-gamma - 1)."""
        return np.asarray(-self.gamma * consumption ** (-self.gamma - 1))

    def consumption(self, marginal: np.ndarray) -> np.ndarray:
        """c with u'(c) = marginal."""
        return np.asarray(marginal ** (-1 / self.gamma))
