"""Couplings that are none are told in a sentence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from plain_games import game

import mfgsolve as mfg
from mfgsolve.errors import numbers

NAN = math.nan


def price(*args: Any, **options: Any) -> Any:
    return game(coupling=mfg.Price(mfg.QuadraticPotential(), *args, **{"amounts": [0, 1], **options}))


def custom(function: Any) -> Any:
    made = game(coupling=mfg.CustomCoupling(function))
    return made.price(made.resting_crowd(made.empty_crowd()))


HOLES = np.ma.masked_array(np.eye(2), mask=np.eye(2) > 0)
COUPLINGS = [
    (
        lambda: mfg.CrowdAversion(1.0, on="states"),
        r"unknown target of the crowd aversion 'states'; did you mean 'state'",
    ),
    (lambda: game(coupling=mfg.Capacity(-1.0)), r"capacity is negative \(-1\)"),
    (lambda: game(coupling=mfg.Capacity(lambda t, c: -c.state)), r"capacity is negative \(-1\)"),
    (lambda: game(coupling=mfg.Capacity(NAN)), r"capacity is nan"),
    (lambda: game(coupling=mfg.Capacity("1")), r"capacity is '1' \(str\)"),
    (lambda: game(coupling=mfg.Capacity(True)), r"capacity is True \(bool\)"),
    (lambda: game(coupling=mfg.Capacity(np.ones(3))), r"capacity gives ndarray of shape \(3,\)"),
    (lambda: game(coupling=mfg.Capacity(lambda t, c: np.ones(3))), r"capacity gives ndarray of shape \(3,\)"),
    (lambda: game(coupling=mfg.Capacity(lambda t, c: np.ones(2) * 1j)), r"capacity holds complex128"),
    (lambda: game(coupling=mfg.Capacity(lambda t: 1.0)), r"capacity: a function is called as f\(t, coordinates\)"),
    (lambda: game(coupling=mfg.Capacity(lambda t, c: c.x)), r"capacity: unknown coordinate 'x'"),
    (lambda: price((1, 0)), r"bounds of the price at step 0 are \(1\.0, 0\.0\); lowest <= highest"),
    (lambda: price((lambda t: t, 1.5)), r"bounds of the price at step 2 are \(2\.0, 1\.5\)"),
    (lambda: price((1,)), r"bounds of the price are \(1,\); a pair"),
    (lambda: price(3), r"bounds of the price are 3; a pair"),
    (lambda: price("ab"), r"bounds of the price are 'ab'; a pair"),
    (lambda: price(("a", None)), r"bound of the price is 'a' \(str\)"),
    (lambda: price((NAN, 1)), r"bounds of the price at step 0 are \(nan, 1\.0\)"),
    (lambda: mfg.Price(1.0), r"potential of the price is a float without value\(t, A\); use QuadraticPotential"),
    (lambda: price(amounts=None), r"amounts of the price are missing"),
    (lambda: price(amounts=[1, 2, 3]), r"amounts of the price have shape \(3,\); \(2,\) or \(2, 2\) is needed"),
    (lambda: price(amounts=[[1], [2, 3]]), r"amounts of the price is no array of numbers"),
    (lambda: price(amounts=[1j, 2]), r"amounts of the price holds complex128"),
    (lambda: price(amounts=[True, False]), r"amounts of the price holds bool"),
    (lambda: price(amounts=["1", "2"]), r"amounts of the price holds <U1"),
    (lambda: price(amounts=HOLES), r"amounts of the price has masked entries"),
    (lambda: price(amounts=[NAN, 0]), r"not finite"),
    (lambda: price(amounts=lambda t, c: c.actio), r"unknown coordinate 'actio'; did you mean 'action'"),
    (lambda: mfg.QuadraticPotential(-1), r"weight of the price is -1; it must be positive"),
    (lambda: mfg.QuadraticPotential("1"), r"weight of the price is '1'"),
    (lambda: mfg.QuadraticPotential(1, "a"), r"centre of the price is 'a'"),
    (lambda: mfg.QuadraticPotential(1, NAN), r"centre of the price is nan; it must be finite"),
    (lambda: mfg.Interaction(np.ones((2, 3))), r"interaction has shape \(2, 3\); a square"),
    (lambda: mfg.Interaction(np.zeros((0, 0))), r"shape \(0, 0\); a square"),
    (lambda: mfg.Interaction(NAN * np.eye(2)), r"square of finite numbers"),
    (lambda: mfg.Interaction(np.eye(2) * 1j), r"matrix of the interaction holds complex128"),
    (lambda: mfg.Interaction(np.eye(2) > 0), r"matrix of the interaction holds bool"),
    (lambda: mfg.Interaction(HOLES), r"matrix of the interaction has masked entries"),
    (lambda: mfg.Interaction([["1"]]), r"matrix of the interaction holds <U1"),
    (lambda: mfg.Interaction([[1, 2], [3]]), r"matrix of the interaction is no array of numbers"),
    (lambda: mfg.Interaction(None), r"matrix of the interaction holds object"),
    (lambda: mfg.Interaction(np.eye(2), "stats"), r"unknown interaction between 'stats'; did you mean 'states'"),
    (lambda: mfg.Interaction(np.eye(2), on="junk"), r"unknown target of the interaction 'junk'"),
    (lambda: game(coupling=mfg.Interaction(np.eye(3))), r"has 3 rows; there are 2 states"),
    (lambda: game(coupling=mfg.Interaction(np.eye(2), "populations")), r"needs a space of Populations"),
    (lambda: mfg.CustomCoupling(None), r"cost of the custom coupling is a NoneType; a function is needed"),
    (lambda: mfg.CustomCoupling(lambda t, c, m: m, potential=3.0), r"potential of the custom coupling is a float"),
    (lambda: mfg.CustomCoupling(lambda t, c, m: m, on="aggregate"), r"unknown target of the custom coupling"),
    (lambda: custom(lambda t, c, m: np.ones(3)), r"cost of a custom coupling has shape \(3,\); the grid has \(2,\)"),
    (lambda: custom(lambda t, c, m: 1j * m), r"cost of a custom coupling holds complex128"),
    (lambda: custom(lambda t, c, m: m > 0), r"cost of a custom coupling holds bool"),
    (lambda: custom(lambda t, c, m: "much"), r"cost of a custom coupling holds <U4"),
    (lambda: custom(lambda t, c, m: np.ma.masked_array(m, mask=m > 0)), r"cost of a custom coupling has masked"),
    (lambda: numbers([HOLES, HOLES], "table"), r"table has masked entries"),
]


@pytest.mark.parametrize(("make", "message"), COUPLINGS)
@pytest.mark.filterwarnings("error")
def test_bad_input_is_told_in_a_sentence(make, message):
    with pytest.raises(mfg.InputError, match=message):
        make()
