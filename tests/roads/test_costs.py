"""Link costs: formulas, integrals and slopes belong together, marginal costs, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

import mfgsolve as mfg
from mfgsolve.roads import BPR, Affine, OwnCosts
from mfgsolve.roads.costs import named_links

NUMBERS = st.floats(0.1, 10)


@given(NUMBERS, NUMBERS, st.floats(0, 2), st.sampled_from([0.0, 1.0, 2.5, 4.0, 5.0]),
       st.just(0.0) | st.floats(1e-6, 30))  # fmt: skip
def test_integral_slope_and_marginal_cost_are_those_of_the_time(free, room, b, power, x):
    costs = BPR([free], [room], b, power)
    at = np.array([x])

    def time(v, of=costs):
        return float(of.time(np.array([v]))[0])

    assert time(x) == pytest.approx(free * (1 + b * (x / room) ** power), rel=1e-13)
    assert costs.integral(at)[0] == pytest.approx(quad(time, 0, x)[0], rel=1e-9, abs=1e-12)
    step = 1e-6 * (1 + x)
    rise = (time(x + step) - time(max(x - step, 0))) / (step + min(step, x))
    assert costs.slope(at)[0] == pytest.approx(rise, rel=1e-4, abs=1e-4)
    marginal = costs.marginal()
    assert marginal.time(at)[0] == pytest.approx(time(x) + x * costs.slope(at)[0], rel=1e-12)
    assert marginal.integral(at)[0] == pytest.approx(x * time(x), rel=1e-12, abs=1e-12)


def test_a_power_of_nought_is_a_constant_and_a_line_is_a_line():
    flat = BPR([2.0], [0.0], 0.5, 0.0)
    assert flat.time(np.array([0.0]))[0] == flat.time(np.array([9.0]))[0] == 3.0
    assert flat.slope(np.array([0.0]))[0] == 0
    assert flat.constant_links.tolist() == [True]
    line = Affine([1.0, 2.0], [0.5, 0.0])
    assert line.time(np.array([2.0, 2.0])).tolist() == [2.0, 2.0]
    assert line.constant_links.tolist() == [False, True]


def test_functions_that_do_not_belong_together_are_told_apart():
    def network(time, integral, slope):
        return mfg.RoadNetwork.from_edges(
            {"from": ["a"], "to": ["b"]}, {("a", "b"): 3.0}, costs=OwnCosts(time, integral, slope, 1)
        )

    fine = (lambda x: 1 + x**2, lambda x: x + x**3 / 3, lambda x: 2 * x)
    assert mfg.solve(network(*fine)).potential == pytest.approx(12, rel=1e-12)
    for changed, sentence in (
        ({1: lambda x: x + x**3 / 2}, "integral of OwnCosts is .* and the integral of its time is"),
        ({2: lambda x: 2.1 * x}, "slope of OwnCosts is .* and the slope of its time is"),
        ({0: lambda x: 1 - x**2, 1: lambda x: x - x**3 / 3, 2: lambda x: -2 * x}, "slope of OwnCosts is -"),
        ({0: lambda x: 9 - x, 1: lambda x: 9 * x - x**2 / 2, 2: lambda x: -1 + 0 * x}, "times must not decrease"),
        ({1: lambda x: x + x**3 / 3 + 1}, "integral of OwnCosts at no flow is not 0"),
        ({0: lambda x: x + np.nan}, "time of OwnCosts is nan"),
        ({0: lambda: 1}, r"a function is called as f\(flows\)"),
        ({0: lambda x: 1 / 0}, "raised ZeroDivisionError"),
    ):
        functions = [changed.get(k, fine[k]) for k in range(3)]
        with pytest.raises(mfg.InputError, match=sentence):
            network(*functions)
    with pytest.raises(mfg.InputError, match="slope of OwnCosts is a int"):
        OwnCosts(fine[0], fine[1], 3, 1)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Affine([1.0], [-1.0]), "slope is -1 on link a -> b .number 1."),
        (lambda: Affine([np.inf], [1.0]), "constant is inf on link"),
        (lambda: BPR([1.0], [1.0], np.nan), "b is not a finite number on link"),
        (lambda: BPR([1.0], [-1.0]), "capacity is negative, -1"),
        (lambda: BPR([1.0, 1.0], [1.0, 1.0]), "costs of the network are of 2 links, and it has 1"),
        (lambda: 3.0, "costs of the network are a float"),
        (lambda: BPR([[1.0]], [1.0]), "has the shape"),
        (lambda: BPR([1.0, 2.0], [1.0]), "2 numbers, one a link"),
    ],
)
def test_costs_that_cannot_be_are_refused(make, sentence):
    with pytest.raises(mfg.InputError, match=sentence):
        mfg.RoadNetwork.from_edges({"from": ["a"], "to": ["b"]}, {("a", "b"): 1.0}, costs=make())


def test_many_links_are_named_by_a_few():
    assert named_links(np.ones(7, dtype=bool), str) == "links 0, 1, 2, 3 and 3 others"
    assert named_links(np.arange(3) == 1, str) == "link 1"
