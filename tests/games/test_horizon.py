"""Every kind of times has a horizon of its own, and what all horizons say is asked of each."""

from __future__ import annotations

import inspect

import pytest

import mfgsolve as mfg
from mfgsolve.games.horizon import Horizon
from mfgsolve.games.horizons import Finite, horizon_of
from mfgsolve.games.stationary import Repeated


@pytest.mark.parametrize(
    ("time", "kind"),
    [(mfg.TimeGrid(1.0, 4), Finite), (mfg.Ergodic(), Repeated), (mfg.Discounted(factor=0.9), Repeated)],
)
def test_times_have_their_horizon(time, kind):
    horizon = horizon_of(time)
    assert type(horizon) is kind
    assert not inspect.isabstract(type(horizon))
    assert isinstance(horizon, Horizon)


def test_other_times_are_refused():
    with pytest.raises(mfg.InputError, match="times are a str; a TimeGrid is needed"):
        horizon_of("a week")
