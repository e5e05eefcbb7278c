"""Price of anarchy: closed forms of two road networks, hard bounds, two solvers, and SciPy's optimum of tiny games."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize

import mfgsolve as mfg
from mfgsolve import problems

STAY, SWAP = np.eye(2), np.eye(2)[::-1]
TOLL = 0.2
FLAT = 3e-5  # at x = 1 - d on the short road only d^2 can be gained by leaving, and the cost is wrong by d


def pigou(temperature: float = 0.0, cap: float = math.inf, power: float = 1.0) -> mfg.Problem:
    """Two roads: the long one takes 1, the short one the share of its users (to a power); each is driven once."""
    short = mfg.Capacity(lambda t, c: np.where((t > 0) & (c.state == 2), cap, math.inf))
    return mfg.Problem(
        grid=mfg.States(["home", "long", "short"]),
        time=mfg.TimeGrid(2, 2),
        dynamics=mfg.Tabular([np.eye(3)[[1, 1, 1]], np.eye(3)[[2, 2, 2]]], temperature=temperature),
        coupling=mfg.CrowdAversion(lambda t, c: 1.0 * ((t > 0) & (c.state == 2)), power=power)
        + mfg.RunningCost(lambda t, c: 1.0 * ((t > 0) & (c.state == 1)))
        + short,
        initial=np.array([1.0, 0.0, 0.0]),
    )


def two_places(coupling: mfg.Coupling, temperature: float = 0.0) -> mfg.Problem:
    """Stay or swap between two places, twice; a swap costs a toll."""
    return mfg.Problem(
        grid=mfg.States(2),
        time=mfg.TimeGrid(2, 2),
        dynamics=mfg.Tabular([STAY, SWAP], cost=[[0, 0], [TOLL, TOLL]], temperature=temperature),
        coupling=coupling,
        initial=np.array([1.0, 0.0]),
        terminal=np.array([0.3, 0.0]),
    )


def test_pigou() -> None:
    """All take the short road; half would be best: 1 against 1/4 + 1/2 (Pigou; Roughgarden and Tardos)."""
    anarchy = mfg.price_of_anarchy(pigou())
    assert anarchy.ratio == pytest.approx(4 / 3, abs=FLAT)
    assert anarchy.difference == pytest.approx(1 / 4, abs=FLAT)
    assert anarchy.optimal_cost == pytest.approx(3 / 4, abs=1e-9)
    assert float(anarchy) == anarchy.ratio
    assert anarchy.equilibrium.dataset["density"].values[1] == pytest.approx([0, 0, 1], abs=FLAT)
    assert anarchy.optimum.dataset["density"].values[1] == pytest.approx([0, 0.5, 0.5], abs=FLAT)


@pytest.mark.parametrize("power", [2.0, 4.0])
def test_pigou_of_any_power(power: float) -> None:
    """min over x of 1 - x + x^(p+1) is 1 - p (p+1)^(-(p+1)/p): the worst ratio of all networks of that degree."""
    least = 1 - power * (power + 1) ** (-(power + 1) / power)
    anarchy = mfg.price_of_anarchy(pigou(power=power))
    assert anarchy.optimal_cost == pytest.approx(least, abs=1e-9)
    assert anarchy.ratio == pytest.approx(1 / least, abs=FLAT / least)


def test_braess() -> None:
    """3.75 against 3.5, with the bridge; without it nothing is lost."""
    anarchy = mfg.price_of_anarchy(problems.braess())
    assert anarchy.ratio == pytest.approx(15 / 14, abs=1e-8)
    assert anarchy.equilibrium_cost == pytest.approx(3.75, abs=1e-8)
    assert anarchy.optimal_cost == pytest.approx(3.5, abs=1e-8)
    assert mfg.price_of_anarchy(problems.braess(closed=True)).ratio == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize(("cap", "ratio"), [(0.8, (0.64 + 0.2) / 0.75), (0.5, 1.0), (0.3, 1.0)])
def test_a_capacity_forces_better_manners(cap: float, ratio: float) -> None:
    """With room for a share c on the short road they take c^2 + 1 - c; best is 3/4, or the same below c = 1/2."""
    anarchy = mfg.price_of_anarchy(pigou(cap=cap))
    assert anarchy.ratio == pytest.approx(ratio, abs=1e-7)
    assert anarchy.equilibrium_cost == pytest.approx(cap**2 + 1 - cap, abs=1e-7), "multipliers are no cost to all"
    toll = anarchy.equilibrium.dataset["capacity_multiplier"].values[1, 2]
    assert toll == pytest.approx(1 - cap, abs=1e-6), "agents pay what makes both roads alike"


def test_rewards_turn_the_ratio_around() -> None:
    """A bonus b on arrival turns costs into rewards: the ratio is at most 1, and NaN where the signs differ."""

    def paid(bonus: float) -> mfg.Problem:
        game = pigou()
        parts = {name: getattr(game, name) for name in ("grid", "time", "dynamics", "coupling", "initial")}
        return mfg.Problem(**parts, terminal=-bonus)

    assert mfg.price_of_anarchy(paid(2.0)).ratio == pytest.approx((1 - 2) / (3 / 4 - 2), abs=FLAT)
    mixed = mfg.price_of_anarchy(paid(0.9))
    assert math.isnan(mixed.ratio)
    assert mixed.difference == pytest.approx(1 / 4, abs=FLAT)


def test_the_flagship_by_two_solvers() -> None:
    game = problems.supply_demand(shape=(8, 8), steps=16, scheme="upwind")
    exact = mfg.price_of_anarchy(game)
    other = mfg.price_of_anarchy(game, method="frank-wolfe", tol=1e-7)
    assert exact.ratio == pytest.approx(other.ratio, abs=1e-4)
    assert exact.difference == pytest.approx(other.difference, abs=1e-5)
    assert exact.difference > 1e-3
    assert exact.ratio == pytest.approx(exact.equilibrium_cost / exact.optimal_cost, rel=1e-14)


def test_the_lattice_flagship_by_two_solvers() -> None:
    game = problems.lattice_supply_demand(shape=(5, 5), steps=8)
    exact, other = mfg.price_of_anarchy(game), mfg.price_of_anarchy(game, method="chambolle-pock", tol=1e-8)
    assert exact.equilibrium_cost == pytest.approx(other.equilibrium_cost, abs=1e-6)
    assert exact.optimal_cost == pytest.approx(other.optimal_cost, abs=1e-7)
    assert exact.difference > 1e-4


# -- total cost of all by hand, and its minimum by SciPy ---------------------------------------------------------------


def entropy(share: float) -> float:
    return sum(p * math.log(p) for p in (share, 1 - share) if p > 0)


def total(shares: np.ndarray, kind: str, temperature: float) -> float:
    """Cost of all together if (at step t, in place x) a share of agents swaps; written out, without mfgsolve."""
    mass, cost = np.array([1.0, 0.0]), 0.0
    for t in range(2):
        share = shares[2 * t : 2 * t + 2]
        swapping = mass * share
        if kind == "state":
            cost += float((2.0 * mass * mass).sum())
        elif kind == "occupation":
            cost += float(2.0 * ((mass - swapping) ** 2 + swapping**2).sum())
        elif kind == "price":  # phi'(A) A with phi' = 2 (A - 0.1), A the mass that swaps
            cost += 2.0 * (swapping.sum() - 0.1) * swapping.sum() + float((2.0 * mass * mass).sum())
        cost += TOLL * swapping.sum() + temperature * sum(m * entropy(p) for m, p in zip(mass, share, strict=True))
        mass = mass - swapping + swapping[::-1]
    return float(cost + 0.3 * mass[0])


COUPLINGS: dict[str, Any] = {
    "state": lambda: mfg.CrowdAversion(2.0),
    "occupation": lambda: mfg.CrowdAversion(2.0, on="occupation"),
    "price": lambda: mfg.CrowdAversion(2.0) + mfg.Price(mfg.QuadraticPotential(2.0, 0.1), amounts=[0.0, 1.0]),
}


@pytest.mark.parametrize("temperature", [0.0, 0.3])
@pytest.mark.parametrize("kind", COUPLINGS)
def test_the_optimum_is_the_least_total_cost(kind: str, temperature: float) -> None:
    game = two_places(COUPLINGS[kind](), temperature)
    anarchy = mfg.price_of_anarchy(game)
    starts = np.random.default_rng(0).uniform(0.1, 0.9, (6, 4))
    found = [
        minimize(total, start, (kind, temperature), bounds=[(0, 1)] * 4, method="L-BFGS-B", tol=1e-15)
        for start in starts
    ]
    least = min(result.fun for result in found)
    assert anarchy.optimal_cost == pytest.approx(least, abs=1e-7)
    played = anarchy.equilibrium.dataset["policy"].sel(action="1").values.reshape(-1)
    assert anarchy.equilibrium_cost == pytest.approx(total(played, kind, temperature), abs=1e-8)
    assert anarchy.difference >= -1e-8
    if kind != "state" or temperature > 0:
        assert anarchy.difference > 1e-4, "the test could fail"


def test_a_bounded_price_has_its_optimum_too() -> None:
    """At most 0.2 may swap at once, by bounds on the price."""
    bounded = mfg.Price(mfg.QuadraticPotential(2.0, 0.1), bounds=(0.0, 0.2), amounts=[0.0, 1.0])
    anarchy = mfg.price_of_anarchy(two_places(mfg.CrowdAversion(2.0) + bounded, 0.3))
    within = {
        "type": "ineq",
        "fun": lambda p: np.array([0.2 - p[0], 0.2 - ((1 - p[0]) * p[2] + p[0] * p[3])]),
    }
    found = minimize(
        total, np.full(4, 0.1), ("price", 0.3), bounds=[(1e-9, 1 - 1e-9)] * 4, constraints=within, method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )  # fmt: skip
    assert anarchy.optimal_cost == pytest.approx(found.fun, abs=1e-6)
    assert anarchy.difference >= -1e-9


def test_the_named_game_of_prices() -> None:
    """Sellers earn more together than each for itself."""
    anarchy = mfg.price_of_anarchy(problems.bonnans_lavigne_pfeiffer_2())
    other = mfg.solve(problems.bonnans_lavigne_pfeiffer_2(), objective="social", method="admm", tol=1e-7)
    assert anarchy.optimal_cost == pytest.approx(other.potential, abs=1e-8)
    assert anarchy.difference > 0.01


# -- what is refused ---------------------------------------------------------------------------------------------------


REFUSED = [
    (
        lambda: mfg.price_of_anarchy(problems.susceptible_infected()),
        r"the social optimum is not available where the transitions depend on the crowd",
    ),
    (
        lambda: mfg.price_of_anarchy(two_places(mfg.CustomCoupling(lambda t, c, rho: rho))),
        r"needs the derivative of every coupling, and a CustomCoupling came without .*state derivative=",
    ),
    (lambda: mfg.price_of_anarchy(pigou(), objective="social"), r"price_of_anarchy got objective, .*leave it out"),
    (lambda: mfg.price_of_anarchy(pigou(), checkpoint="c.nc"), r"price_of_anarchy got checkpoint, .*leave it out"),
    (lambda: mfg.price_of_anarchy(3), r"price_of_anarchy got a int; a Problem is needed"),  # type: ignore[arg-type]
    (lambda: mfg.price_of_anarchy(pigou(), speed=1), r"unknown option of interior-point 'speed'"),
]


@pytest.mark.parametrize(("ask", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_what_has_no_price_of_anarchy_is_told_at_once(ask: Any, words: str) -> None:
    with pytest.raises(mfg.InputError, match=words):
        ask()


def test_games_by_name_with_parameters_among_the_options():
    by_name = mfg.price_of_anarchy("braess", temperature=0.3, tol=1e-9)
    stated = mfg.price_of_anarchy(problems.braess(temperature=0.3), tol=1e-9)
    assert by_name.ratio == pytest.approx(stated.ratio, rel=1e-9)
    with pytest.raises(mfg.InputError, match="unknown option, or parameter of braess, 'temprature'; did you mean"):
        mfg.price_of_anarchy("braess", temprature=0.3)
    with pytest.raises(mfg.InputError, match="price_of_anarchy got a float"):
        mfg.price_of_anarchy(1.5)
