"""How primitives bid, as numbers: mean bids and winners of strategies, and the density of a population of clones."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from mfgsolve.errors import InputError
from mfgsolve.learners.occupation import Occupation
from mfgsolve.spaces import Populations, States

__all__ = ["bid_occupation", "mean_bids", "winners"]


def mean_bids(bids: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Mean bid (primitives, states) of bids, or of chances (primitives, states, levels) of the levels of ``grid``."""
    return bids if bids.ndim == 2 else np.asarray(bids @ grid)


def winners(bids: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Number of the primitive that bids most in each state, (states,)."""
    return np.asarray(np.where(allowed, bids, -np.inf).argmax(axis=0))


def spread_bids(bids: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Chances (primitives, states, levels) whose mean is a bid: between the two levels that it lies between."""
    place = np.clip(bids, grid[0], grid[-1]) * (grid.size - 1)
    low = np.minimum(place.astype(np.int64), grid.size - 2)
    share = place - low
    chances = np.zeros((*bids.shape, grid.size))
    np.put_along_axis(chances, low[..., None], (1.0 - share)[..., None], axis=-1)
    np.put_along_axis(chances, low[..., None] + 1, share[..., None], axis=-1)
    return chances


def bid_occupation(training: Any) -> Occupation:
    """The bids of ever so many clones of each primitive as a density over (state, bid).

    A primitive is a population on the states of the process, its members are where auctions are held (as often as they
    were in training), and what they choose is a bid: mass w(primitive, state, bid) = share of auctions at the state
    times chance of the bid.  A bid that lies between two levels is divided between them, with the same mean.

    Parameters
    ----------
    training : of a learner "society", what `mfgsolve.learn` returned of it, or its dataset

    Raises
    ------
    InputError

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> from mfgsolve.learners.society import bid_occupation
    >>> crowd = bid_occupation(mfg.learn("auction-bandit", episodes=500))
    >>> float(crowd.marginal("population").sum())
    4.0
    """
    dataset = getattr(training, "dataset", training)
    if not isinstance(dataset, xr.Dataset) or "strategy" not in dataset or "auctions" not in dataset:
        raise InputError(
            f"bids were asked of a {type(training).__name__}; what mfgsolve.learn returned of a learner 'society' is "
            "needed"
        )
    counts = dataset["auctions"].values.astype(float)
    if not counts.sum() > 0:
        raise InputError("no auction has been held in this training, so that nobody is anywhere; train it first")
    share = counts / counts.sum()
    strategy = dataset["strategy"].transpose("primitive", "state", "bid").values
    space = Populations(dataset["primitive"].values.tolist(), States(dataset["state"].values.tolist()))
    return Occupation.of_array(
        strategy * share[None, :, None], space, [f"{bid:.6g}" for bid in dataset["bid"].values.tolist()]
    )
