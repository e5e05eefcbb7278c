"""Braess: the closed form, the paradox, and the price of anarchy."""

from __future__ import annotations

import numpy as np
import pytest
from sharp_games import reward, sharp, uniform

import mfgsolve as mfg
from mfgsolve import problems


def braess_time(bridge: float) -> float:
    """3 + x with x = 1 - bridge on each narrow road, as long as somebody uses the bridge."""
    return 4 - bridge if bridge < 0.5 else 3.5


@pytest.mark.parametrize("bridge", [0.1, 0.25, 0.4, 0.8])
def test_braess(bridge: float) -> None:
    solution = sharp(problems.braess(bridge=bridge))
    assert reward(solution) == pytest.approx(-braess_time(bridge), abs=1e-9)
    first = solution.dataset["policy"].values[0, 0, 0]
    assert first == pytest.approx(max(1 - bridge, 0.5), abs=1e-8)
    assert solution.dataset["density"].sel(state="D").values[-1] == pytest.approx(1, abs=1e-12)


def test_braess_paradox() -> None:
    opened, closed = sharp(problems.braess()), sharp(problems.braess(closed=True))
    assert reward(opened) == pytest.approx(-3.75, abs=1e-9)
    assert reward(closed) == pytest.approx(-3.5, abs=1e-9)
    policy = uniform(problems.braess())
    policy[:, :, 0] = 0.5  # half over B, half over C,
    policy[:, :, 1] = np.array([0.0, 1.0])  # and nobody over the bridge
    optimum = mfg.exploitability(problems.braess(), policy)
    assert optimum.cost == pytest.approx(3.5, abs=1e-14)
    assert optimum.exploitability == pytest.approx(0.25, abs=1e-14), "a deviator takes the bridge and 3.25"
    assert opened.certificate.cost / optimum.cost == pytest.approx(15 / 14, abs=1e-9)


def test_price_of_anarchy_of_braess() -> None:
    anarchy = mfg.price_of_anarchy(problems.braess(temperature=1e-5))
    assert anarchy.ratio == pytest.approx(15 / 14, abs=1e-4)
