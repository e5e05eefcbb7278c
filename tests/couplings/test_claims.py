"""What a cost refutes of what is claimed of it: each wrong claim by its name, and no right one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.couplings.claims import direction, peaked_crowd, price_refutations, random_crowd, refutations

LINE, TIMES = mfg.Grid.box((6,), bounds=[(0, 3)]), np.array([0.0, 1.0])
RIGHT: dict[str, Any] = {
    "cost": lambda t, c, rho: (1 + t) * rho**3, "potential": lambda t, c, rho: (1 + t) * rho**4 / 4,
    "derivative": lambda t, c, rho: 3 * (1 + t) * rho**2, "second": lambda t, c, rho: 6 * (1 + t) * rho,
    "monotone": True,
}  # fmt: skip
WRONG: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing": ({}, []),
    "derivative": ({"derivative": lambda t, c, rho: 3.1 * (1 + t) * rho**2}, ["derivative"]),
    "derivative at t = 0 alone": ({"derivative": lambda t, c, rho: 6 * rho**2}, ["derivative"]),
    "second": ({"second": lambda t, c, rho: 3 * (1 + t) * rho}, ["second"]),
    "potential": ({"potential": lambda t, c, rho: (1 + t) * rho**4}, ["potential"]),
    "crowd-seeking": ({"cost": lambda t, c, rho: -rho, "potential": lambda t, c, rho: -(rho**2) / 2,
                       "derivative": lambda t, c, rho: -1.0, "second": lambda t, c, rho: 0.0}, ["monotone"]),
    "a threshold": ({"cost": lambda t, c, rho: 1.0 * (rho > 0.4), "potential": lambda t, c, rho: np.maximum(rho, 0.4),
                     "derivative": lambda t, c, rho: 0.0, "second": lambda t, c, rho: 0.0}, ["derivative"]),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_the_cost_refutes_what_is_wrong_alone(name: str) -> None:
    changes, claims = WRONG[name]
    coupling, rng = mfg.CustomCoupling(**(RIGHT | changes)), np.random.default_rng(0)
    crowds = [np.stack([make(LINE, rng) for _ in TIMES]) for make in (random_crowd, peaked_crowd, random_crowd)]
    found = refutations(coupling, coupling.bind(LINE, TIMES), LINE, TIMES, crowds, rng)
    assert [one.claim for one in found] == claims
    if name == "a threshold":
        assert "between two crowds the cost jumps by -1, of which the derivative knows nothing" in found[0].evidence


def test_the_adjoint_is_held_against_the_tangent() -> None:
    def told(turned: float) -> list[str]:
        matrix = np.random.default_rng(1).normal(size=(6, 6))
        coupling, rng = mfg.CustomCoupling(
            lambda t, c, rho: matrix @ rho, tangent=lambda t, c, rho, change: matrix @ change,
            adjoint=lambda t, c, rho, weight: turned * matrix.T @ weight,
        ), np.random.default_rng(0)  # fmt: skip
        crowds = [np.stack([random_crowd(LINE, rng) for _ in TIMES]) for _ in range(2)]
        return [one.claim for one in refutations(coupling, coupling.bind(LINE, TIMES), LINE, TIMES, crowds, rng)]

    assert told(1.0) == []
    assert told(1.001) == ["adjoint"]


class Phi:
    """phi = sign A^2 / 2, whose second derivative is said to be ``said``."""

    def __init__(self, sign: float, said: float):
        self.sign, self.said = sign, said

    def value(self, t: float, a: float) -> float:
        return self.sign * a**2 / 2

    def derivative(self, t: float, a: float) -> float:
        return self.sign * a

    def second(self, t: float, a: float) -> float:
        return self.said


@pytest.mark.parametrize(
    ("sign", "said", "claims"), [(1, 1, []), (1, 2, ["derivative"]), (-1, -1, ["monotone"]), (-1, 1, None)]
)
def test_prices(sign: float, said: float, claims: list[str] | None) -> None:
    price = mfg.Price(Phi(sign, said), amounts=[1.0])
    low, high = np.full((2, 1), -1.0), np.full((2, 1), 3.0)
    found = price_refutations(price, price.bind(mfg.States(1), TIMES), TIMES, low, high)
    assert [one.claim for one in found] == (["derivative", "monotone"] if claims is None else claims)


def test_crowds_have_mass_one_and_changes_keep_it_where_volumes_differ() -> None:
    axis = mfg.Axis.from_edges("x", [0.0, 0.5, 0.6, 1.5, 2.0])
    space, rng = mfg.Populations(["a", "b"], mfg.Grid((axis,))), np.random.default_rng(0)
    weight = np.array([0.5, 0.1, 0.9, 0.5])
    for rho in (random_crowd(space, rng), peaked_crowd(space, rng)):
        np.testing.assert_allclose((rho * weight).sum(axis=1), 1.0)
        change = direction(space, rho, rng.uniform(-1, 1, rho.shape))
        np.testing.assert_allclose((change * weight).sum(axis=1), 0.0, atol=1e-15)
    assert ((rho * weight).max(axis=1) >= 0.8).all(), "most of a peaked crowd is in one cell"
