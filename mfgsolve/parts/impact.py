"""Impact step size: who moved the plant learns from what came of it, who hardly did does not.

From Köpf et al. (arXiv:1910.13196).  The impact of agent i is its share in what all do,

    lambda_i = |u_i| / sum_j |u_j|,      psi_i = sign(u_i sum_{j != i} u_j)

tells whether it pushes as the others do.  Of a temporal-difference error delta (good news if it is 0 or more) it learns
at the rate

    beta    if lambda_i is low,
    alpha   if delta < 0 (bad news) and lambda_i is not low, or delta >= 0 and lambda_i is high,
    sigma   else; alpha where psi_i > 0,                             alpha > sigma > beta.

With psi_i > 0 there is no coordination to be simulated, with psi_i < 0 the three scenarios of
`mfgsolve.parts.imagination` are trained on too, at rate beta.  What is low and what is high is not public: here they
are multiples of an even share 1/N.  If nobody does anything, all have an even share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, numbers, real

__all__ = ["Impact"]


@dataclass(frozen=True)
class Impact:
    """Step sizes by impact.

    Parameters
    ----------
    alpha, sigma, beta : rates, 1 >= alpha > sigma > beta > 0
    low, high : impacts, in even shares 1/N: up to ``low`` / N it is low, from ``high`` / N on it is high
    """

    alpha: float = 0.2
    sigma: float = 0.1
    beta: float = 0.05
    low: float = 0.5
    high: float = 1.5

    def __post_init__(self) -> None:
        alpha, sigma, beta = (real(getattr(self, name), name) for name in ("alpha", "sigma", "beta"))
        if not 1 >= alpha > sigma > beta > 0:
            raise InputError(
                f"alpha, sigma, beta are {alpha:g}, {sigma:g}, {beta:g}; 1 >= alpha > sigma > beta > 0 is needed: what "
                "matters more is learned faster"
            )
        if not 0 <= real(self.low, "low") < real(self.high, "high") < float("inf"):
            raise InputError(f"low is {self.low:g} and high {self.high:g}; 0 <= low < high is needed")

    @staticmethod
    def shares(controls: Any) -> np.ndarray:
        """lambda, (..., agents), of controls (..., agents)."""
        size = np.abs(_checked(controls))
        total = size.sum(axis=-1, keepdims=True)
        return np.where(total > 0, size / np.where(total > 0, total, 1.0), 1.0 / size.shape[-1])

    @staticmethod
    def signs(controls: Any) -> np.ndarray:
        """psi, (..., agents): 1 with the others, -1 against them, 0 if one or the others do nothing."""
        u = _checked(controls)
        return np.asarray(np.sign(u * (u.sum(axis=-1, keepdims=True) - u)))

    def rates(self, controls: Any, errors: Any) -> np.ndarray:
        """Step sizes (..., agents), of controls and temporal-difference errors (..., agents)."""
        u, delta = _checked(controls), numbers(errors, "errors")
        share, agents = self.shares(u), u.shape[-1]
        fast = (delta < 0) | (share >= self.high / agents) | (self.signs(u) > 0)
        return np.where(share <= self.low / agents, self.beta, np.where(fast, self.alpha, self.sigma))

    @property
    def law(self) -> tuple[float, float, float, float, float]:
        """All five, in the order of the fields."""
        return (float(self.alpha), float(self.sigma), float(self.beta), float(self.low), float(self.high))


def _checked(controls: Any) -> np.ndarray:
    u = numbers(controls, "controls")
    if u.ndim == 0 or u.shape[-1] < 2:
        raise InputError(f"controls have shape {u.shape}; (..., agents) of at least 2 agents are needed")
    return u
