"""The social optimum of any differentiable coupling: gradients, brute force over all policies, closed forms, what the
certificate is worth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize

import mfgsolve as mfg
from mfgsolve import problems
from mfgsolve.couplings.social import adjoint, marginal

STAY, SWAP = np.eye(2), np.eye(2)[::-1]
TOLL, END = 0.2, np.array([0.3, 0.0])
WEAK = "ignore:the total cost of all is not known to be convex:UserWarning"
pytestmark = pytest.mark.filterwarnings(WEAK)

WIND = np.array([[2.0, 1.5], [-0.5, 1.0]])  # asymmetric; W + W' is positive definite
DRAW = np.array([0.7, -0.4])
CUBIC: dict[str, Any] = {"cost": lambda t, c, rho: rho**3, "derivative": lambda t, c, rho: 3 * rho**2}


def wave(rho: np.ndarray) -> np.ndarray:
    """A cost of both places that minds both: f = (1, 2) exp(draw . rho)."""
    return np.array([1.0, 2.0]) * np.exp(DRAW @ rho.reshape(-1))


WAVE: dict[str, Any] = {
    "cost": lambda t, c, rho: wave(rho),
    "tangent": lambda t, c, rho, change: wave(rho) * (DRAW @ change.reshape(-1)),
}
ADJOINT = {"adjoint": lambda t, c, rho, weight: DRAW * (wave(rho) @ weight)}


class Bare:
    """phi = A^3 / 3 + A^2 without a third derivative."""

    def value(self, t: float, a: float) -> float:
        return a**3 / 3 + a**2

    def derivative(self, t: float, a: float) -> float:
        return a**2 + 2 * a

    def second(self, t: float, a: float) -> float:
        return 2 * a + 2


class Convex(Bare):
    total_is_convex = True


COUPLINGS: dict[str, tuple[Any, Any]] = {  # the coupling, and the cost of all in a step of (mass, mass that swaps)
    "asymmetric": (mfg.Interaction(WIND), lambda m, s: m @ WIND @ m),
    "local": (mfg.CustomCoupling(**CUBIC), lambda m, s: (m**4).sum()),
    "nonlocal": (mfg.CustomCoupling(**WAVE), lambda m, s: m @ wave(m)),
    "with adjoint": (mfg.CustomCoupling(**WAVE, **ADJOINT), lambda m, s: m @ wave(m)),
    "on choices": (
        mfg.CustomCoupling(**CUBIC, on="occupation"), lambda m, s: ((m - s) ** 4 + s**4).sum()),
    "price": (mfg.Price(Bare(), amounts=[0.1, 1.0]), lambda m, s: Bare().derivative(0, 0.1 + 0.9 * s.sum())
              * (0.1 + 0.9 * s.sum())),
    "sum": (mfg.Interaction(WIND) + mfg.CustomCoupling(**CUBIC) + mfg.RunningCost(lambda t, c: 1.0 * c.state),
            lambda m, s: m @ WIND @ m + (m**4).sum() + m[1]),
}  # fmt: skip
BOUND = ("asymmetric",)


def two_places(coupling: Any, temperature: float = 0.0) -> mfg.Problem:
    return mfg.Problem(
        grid=mfg.States(2), time=mfg.TimeGrid(2, 2), initial=np.array([1.0, 0.0]), terminal=END, coupling=coupling,
        dynamics=mfg.Tabular([STAY, SWAP], cost=[[0, 0], [TOLL, TOLL]], temperature=temperature),
    )  # fmt: skip


def total(shares: np.ndarray, crowd: Any, temperature: float) -> float:
    """Cost of all if (at step t, in place x) a share swaps, written out."""
    mass, cost = np.array([1.0, 0.0]), 0.0
    for share in shares.reshape(2, 2):
        swapping = mass * share
        both = np.stack([share, 1 - share])
        entropy = (both * np.log(np.maximum(both, 1e-300))).sum(axis=0)
        cost += crowd(mass, swapping) + TOLL * swapping.sum() + temperature * (mass * entropy).sum()
        mass = mass - swapping + swapping[::-1]
    return float(cost + END @ mass)


@pytest.mark.parametrize("temperature", [0.0, 0.3])
@pytest.mark.parametrize("name", COUPLINGS)
def test_the_optimum_is_the_least_total_cost(name: str, temperature: float) -> None:
    coupling, crowd = COUPLINGS[name]
    anarchy = mfg.price_of_anarchy(two_places(coupling, temperature))
    starts = np.random.default_rng(0).uniform(0.05, 0.95, (12, 4))
    arguments = (crowd, temperature)
    tries = [minimize(total, x, arguments, bounds=[(0, 1)] * 4, method="L-BFGS-B", tol=1e-15) for x in starts]
    assert anarchy.optimal_cost == pytest.approx(min(one.fun for one in tries), abs=1e-7)
    assert anarchy.optimum.converged
    played = anarchy.equilibrium.dataset["policy"].sel(action="1").values.reshape(-1)
    assert anarchy.equilibrium_cost == pytest.approx(total(played, *arguments), abs=1e-8)
    assert anarchy.difference >= -1e-8
    assert anarchy.guarantee == ("bound" if name in BOUND else "stationary")
    assert anarchy.optimum.dataset.attrs["optimum"] == anarchy.guarantee


def test_two_populations_that_do_not_mind_each_other_alike() -> None:
    """f_p = sum_q W[p, q] rho_q, with W + W' positive definite: one optimum, found by brute force."""
    matrix, swap_cost = np.array([[2.0, 1.4], [-0.9, 1.0]]), np.array([0.1, 0.3])
    game = mfg.Problem(
        grid=mfg.Populations(["a", "b"], mfg.States(2)), time=mfg.TimeGrid(2, 2),
        initial=np.array([[1.0, 0], [0.3, 0.7]]),
        dynamics=[mfg.Tabular([STAY, SWAP], cost=[[0, 0], [c, c]]) for c in swap_cost],
        coupling=mfg.Interaction(matrix, between="populations"), terminal_coupling=mfg.Interaction(
            matrix, between="populations"),
    )  # fmt: skip

    def cost(shares: np.ndarray) -> float:
        mass, paid = np.array([[1.0, 0], [0.3, 0.7]]), 0.0
        for share in shares.reshape(2, 2, 2):
            swapping = mass * share
            paid += (mass * (matrix @ mass)).sum() + swap_cost @ swapping.sum(axis=1)
            mass = mass - swapping + swapping[:, ::-1]
        return float(paid + (mass * (matrix @ mass)).sum())

    starts = np.random.default_rng(1).uniform(0.05, 0.95, (12, 8))
    least = min(minimize(cost, x, bounds=[(0, 1)] * 8, method="L-BFGS-B", tol=1e-15).fun for x in starts)
    anarchy = mfg.price_of_anarchy(game, check="ignore")
    assert anarchy.guarantee == "bound"
    assert anarchy.optimal_cost == pytest.approx(least, abs=1e-7)
    assert anarchy.optimum.certificate.duality_gap <= 1e-8


def test_the_certificate_bounds_the_distance_where_the_total_is_convex() -> None:
    """Stopped early, potential - exploitability still lies below the optimum; stationary plans promise nothing."""
    convex = problems.supply_demand(shape=(8, 8), steps=16, scheme="upwind")
    exact = mfg.solve(convex, objective="social").potential
    rough = mfg.solve(convex, objective="social", method="frank-wolfe", max_iterations=4, check="ignore")
    assert rough.exploitability > 1e-6
    assert rough.potential - rough.exploitability <= exact + 1e-12
    assert rough.dataset.attrs["optimum"] == "bound"
    assert "stationary" not in {caution.code for caution in rough.warnings}
    loose = mfg.solve(two_places(mfg.CustomCoupling(**CUBIC)), objective="social", check="ignore")
    assert "stationary" in {caution.code for caution in loose.warnings}
    assert np.isnan(loose.certificate.duality_gap)


def test_what_is_stated_of_the_total_is_used_and_verified() -> None:
    said = mfg.price_of_anarchy(two_places(mfg.CustomCoupling(**CUBIC, total_is_convex=True)))
    assert said.guarantee == "bound"
    assert "bounds how far" in said.sentence
    assert mfg.price_of_anarchy(two_places(mfg.Price(Convex(), amounts=[0.1, 1.0]))).guarantee == "bound"
    concave = {"cost": lambda t, c, rho: 3 - rho, "derivative": lambda t, c, rho: -1 + 0 * rho}
    wrong = two_places(mfg.CustomCoupling(**concave, total_is_convex=True), 0.3)
    solution = mfg.solve(wrong, objective="social", check="ignore")
    assert {caution.code for caution in solution.warnings} >= {"claim-withdrawn", "stationary"}
    assert "the convexity of the total cost that the CustomCoupling claims" in solution.warnings[0].sentence
    assert solution.dataset.attrs["optimum"] == "stationary"


def test_a_hill_is_left_downhill() -> None:
    """Total cost 3 - sum m^2: spread evenly is stationary and the worst; the best of several starts is taken."""
    concave = {"cost": lambda t, c, rho: 3 - rho, "derivative": lambda t, c, rho: -1 + 0 * rho}
    moves = mfg.Tabular([np.eye(2)[[0, 0]], np.eye(2)[[1, 1]]])
    game = mfg.Problem(mfg.States(2), mfg.TimeGrid(3, 3), moves, mfg.CustomCoupling(**concave), np.array([0.5, 0.5]))
    anarchy = mfg.price_of_anarchy(game, check="ignore")
    assert anarchy.optimal_cost == pytest.approx(2.5 + 2 + 2, abs=1e-8)
    assert anarchy.guarantee == "stationary"
    assert "another plan may cost less" in anarchy.sentence


# -- closed forms ----------------------------------------------------------------------------------------------------


def pigou(**claims: Any) -> mfg.Problem:
    """The long road takes 1, the short one the share of its users, told as a function; each is driven once."""
    short = lambda t, c: 1.0 * ((t > 0) & (c.state == 2))
    return mfg.Problem(
        grid=mfg.States(["home", "long", "short"]), time=mfg.TimeGrid(2, 2), initial=np.array([1.0, 0.0, 0.0]),
        dynamics=mfg.Tabular([np.eye(3)[[1, 1, 1]], np.eye(3)[[2, 2, 2]]]),
        coupling=mfg.CustomCoupling(
            lambda t, c, rho: short(t, c) * rho + (t > 0) * (c.state == 1), derivative=lambda t, c, rho: short(t, c)
            + 0 * rho, potential=lambda t, c, rho: short(t, c) * rho**2 / 2 + (t > 0) * (c.state == 1) * rho, **claims),
    )  # fmt: skip


@pytest.mark.parametrize("claims", [{"monotone": True, "total_is_convex": True}, {}])
def test_pigou_by_functions(claims: dict[str, Any]) -> None:
    anarchy = mfg.price_of_anarchy(pigou(**claims), check="ignore")
    assert anarchy.ratio == pytest.approx(4 / 3, abs=1e-4)
    assert anarchy.optimal_cost == pytest.approx(3 / 4, abs=1e-8)
    assert anarchy.guarantee == ("bound" if claims else "stationary")


def test_games_without_potential() -> None:
    """What rock, paper and scissors pay each other adds up to nothing: together, only where they stand counts."""
    cycle = mfg.Interaction([[0, 1, -1], [-1, 0, 1], [1, -1, 0]])
    game = mfg.Problem(
        mfg.States(3), mfg.TimeGrid(4, 4), mfg.Tabular([np.eye(3)[[k] * 3] for k in range(3)]),
        cycle + mfg.RunningCost(lambda t, c: 0.1 * c.state), np.full(3, 1 / 3),
    )  # fmt: skip
    anarchy = mfg.price_of_anarchy(game)
    assert anarchy.guarantee == "bound"
    assert anarchy.optimal_cost == pytest.approx(0.1, abs=1e-9), "after the first step everybody is a rock"
    assert anarchy.equilibrium_cost > 0.2
    named = mfg.price_of_anarchy(problems.rock_paper_scissors(), check="ignore")
    assert named.difference >= -1e-9


def test_the_mean_is_minded_by_everybody_alike() -> None:
    """f = (x - mean)^2 / 2 with total Var / 2, whose gradient is f itself: nothing is lost by selfishness."""
    grid = mfg.Grid.box((9,), [(-1, 1)])

    def gap(c: Any, rho: np.ndarray) -> np.ndarray:
        return c.x - (c.x * rho).sum() / rho.sum()

    attraction = mfg.CustomCoupling(
        lambda t, c, rho: gap(c, rho) ** 2 / 2, tangent=lambda t, c, rho, d: -gap(c, rho) * ((c.x * d).sum()
        / rho.sum() - (c.x * rho).sum() * d.sum() / rho.sum() ** 2),
    )  # fmt: skip
    game = mfg.Problem(
        grid, mfg.TimeGrid(1.0, 16), mfg.ControlledDiffusion(0.02, 1.0, scheme="upwind"), attraction,
        lambda t, c: np.exp(-8 * (c.x - 0.2) ** 2), normalise=True,
    )  # fmt: skip
    anarchy = mfg.price_of_anarchy(game, check="ignore", method="newton")
    assert anarchy.optimum.converged
    assert anarchy.equilibrium.converged
    assert anarchy.ratio == pytest.approx(1.0, abs=1e-8)


def test_a_diffusion_by_functions_and_by_formula() -> None:
    parts: dict[str, Any] = {
        "grid": mfg.Grid.box((12,)), "time": mfg.TimeGrid(1.0, 24),
        "dynamics": mfg.ControlledDiffusion(0.01, scheme="upwind"),
        "initial": mfg.Bump(1.0, 0.1, (0.3,)), "terminal": lambda t, c: (c.x - 0.8) ** 2, "normalise": True,
    }  # fmt: skip
    told = mfg.CustomCoupling(
        lambda t, c, rho: 0.3 * rho**2, derivative=lambda t, c, rho: 0.6 * rho,
        potential=lambda t, c, rho: 0.1 * rho**3, monotone=True, total_is_convex=True,
    )  # fmt: skip
    one = mfg.price_of_anarchy(mfg.Problem(coupling=told, **parts))
    two = mfg.price_of_anarchy(mfg.Problem(coupling=mfg.CrowdAversion(0.3, power=2), **parts))
    assert one.ratio == pytest.approx(two.ratio, rel=1e-9)
    assert one.ratio > 1.01


# -- gradients -------------------------------------------------------------------------------------------------------

PLACES = {
    "asymmetric": (mfg.States(4), mfg.Interaction(np.random.default_rng(2).normal(size=(4, 4)))),
    "local": (mfg.States(4), mfg.CustomCoupling(**CUBIC)),
    "neighbour": (
        mfg.Grid.box((4, 3), [(0, 30), (0, 20)]),
        mfg.CustomCoupling(
            lambda t, c, rho: 50 * rho * np.roll(rho, 1), tangent=lambda t, c, rho, d: 50 * (d * np.roll(rho, 1)
            + rho * np.roll(d, 1)),
        ),
    ),
    "price": (mfg.States(1), mfg.Price(Bare(), amounts=[1.0])),
}  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_marginal_costs_are_the_gradient_of_the_total_and_bend_as_they_say(name: str) -> None:
    space, coupling = PLACES[name]
    bound, plain = (one.bind(space, np.arange(3.0)) for one in (marginal(coupling), coupling))
    rng, nodes = np.random.default_rng(3), slice(0, 3)
    rho = rng.uniform(0.2, 1.0, (3, *space.shape)) / space.cell_volume
    change, axes = rng.normal(size=rho.shape) * rho.mean(), tuple(range(1, rho.ndim))
    rho[:, 0], change[:, 0] = 0.0, np.abs(change[:, 0])  # an empty cell, which can only fill up
    if name == "price":
        rho += 0.3

    def whole(crowd: np.ndarray) -> np.ndarray:
        return (crowd * plain.cost(nodes, crowd)).sum(axis=axes) * space.cell_volume

    step = 1e-6
    rise = (whole(rho + step * change) - whole(rho - step * change)) / (2 * step)
    volume = 1.0 if name == "price" else space.cell_volume
    np.testing.assert_allclose((bound.cost(nodes, rho) * change).sum(axis=axes) * volume, rise, rtol=1e-7)
    bend = (bound.cost(nodes, rho + step * change) - bound.cost(nodes, rho)) / step
    size = np.abs(bend).max()
    np.testing.assert_allclose(bound.tangent(nodes, rho, change), bend, rtol=1e-4, atol=1e-5 * size)
    if name != "price":
        weight = rng.normal(size=rho.shape)
        forth = (weight * plain.tangent(nodes, rho, change)).sum(axis=axes)
        np.testing.assert_allclose((adjoint(plain, nodes, rho, weight) * change).sum(axis=axes), forth, rtol=1e-12)


def test_a_large_game_needs_its_adjoint() -> None:
    large = mfg.CustomCoupling(lambda t, c, r: np.roll(r, 1), tangent=lambda t, c, r, d: np.roll(d, 1))
    bound, rho = marginal(large).bind(mfg.States(2000), np.arange(1.0)), np.ones((1, 2000))
    with pytest.raises(mfg.InputError, match=r"on 2000 cells \(more than 1024\) .*state adjoint="):
        bound.cost(slice(0, 1), rho)
