"""A coupling of which some claims are not believed: the same cost and bounds, and nothing that they would say."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.couplings.social import marginal
from mfgsolve.couplings.withdrawn import Withdrawn

OF = mfg.CrowdAversion(2.0, power=2.0)
RHO, ONE = np.array([[1.0, 3.0]]), slice(0, 1)
FLAGS = ("is_potential", "is_monotone", "is_differentiable", "is_local")


@pytest.mark.parametrize(
    ("claim", "lost"),
    [
        ("potential", {"is_potential"}),
        ("monotone", {"is_monotone"}),
        ("derivative", {"is_differentiable", "is_local"}),
        ("local", {"is_local"}),
        ("second", set()),
    ],
)
def test_only_what_is_withdrawn_is_lost(claim, lost):
    less = Withdrawn(OF, frozenset({claim}))
    assert {flag for flag in FLAGS if not getattr(less, flag)} == lost
    assert less.on == "state"
    bound = less.bind(mfg.States(2), np.zeros(1))
    np.testing.assert_array_equal(bound.cost(ONE, RHO), [[2.0, 18.0]])
    value = bound.potential(ONE, RHO)
    assert np.isnan(value).all() if claim == "potential" else value == pytest.approx([2 / 3 * (1 + 27)])
    second = bound.second(ONE, RHO)
    assert (second is None) == (claim in ("derivative", "second"))
    if claim == "derivative":
        assert bound.slope(ONE, RHO) is None
        with pytest.raises(mfg.InputError, match="has no derivative"):
            bound.tangent(ONE, RHO, RHO)
    else:
        np.testing.assert_array_equal(bound.slope(ONE, RHO), 4 * RHO)
        np.testing.assert_array_equal(bound.tangent(ONE, RHO, 2 * RHO), 8 * RHO**2)


def test_bounds_and_amounts_stay():
    cap = Withdrawn(mfg.Capacity(0.5), frozenset({"monotone"}))
    assert cap.is_hard
    low, high = cap.bind(mfg.States(2), np.zeros(1)).bounds(ONE)
    assert (low.tolist(), high.tolist()) == ([[0.0, 0.0]], [[0.5, 0.5]])
    price = Withdrawn(mfg.Price(mfg.QuadraticPotential(), amounts=[1.0, -2.0]), frozenset({"second"}))
    assert price.on == "aggregate"
    choices = mfg.spaces.Choices(2, mfg.States(3))
    np.testing.assert_array_equal(price.amounts_on(choices, np.zeros(1), None)[0, :, 0], [1.0, -2.0])


class _Remembered(type(mfg.CrowdAversion(1.0).bind(mfg.States(2), np.zeros(1)))):
    sees_history = True


@pytest.mark.parametrize("derived", [lambda of: 2 * of, marginal, lambda of: Withdrawn(of, frozenset({"second"}))])
def test_whoever_is_made_of_one_that_remembers_remembers(derived, monkeypatch):
    bound = OF.bind(mfg.States(2), np.zeros(1))
    remembered = _Remembered(**{name: getattr(bound, name) for name in type(bound).__dataclass_fields__})
    assert not derived(OF).bind(mfg.States(2), np.zeros(1)).sees_history
    monkeypatch.setattr(type(OF), "bind", lambda self, grid, times: remembered)
    assert derived(OF).bind(mfg.States(2), np.zeros(1)).sees_history
