"""Exact derivatives of equilibria, against central differences of equilibria that are solved again."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.games import make_game
from mfgsolve.studies.implicit import answer, true_belief
from mfgsolve.studies.sensitivity import Mass, sensitivity

P = mfg.problems
GAMES: dict[str, tuple[Any, dict[str, Any], list[str]]] = {
    "entropic": (P.supply_demand, dict(shape=(10, 10), steps=8, viscosity=0.05), ["reward", "congestion", "viscosity"]),
    "upwind": (P.linear_quadratic, dict(shape=(24,), steps=32, scheme="upwind"), ["viscosity"]),
    "logarithm": (P.gaussian_log, dict(shape=(24,), steps=12), ["viscosity"]),
    "finite": (P.beach_bar, dict(temperature=0.1), ["temperature"]),
    "lattice": (P.lattice_supply_demand, dict(shape=(5, 5), steps=6, temperature=0.2), ["temperature"]),
}


@cache
def solved(name: str) -> mfg.Solution:
    make, options, _ = GAMES[name]
    return mfg.solve(make(**options), tol=1e-12, check="ignore")


def equilibrium(name: str, changed: dict[str, float]) -> tuple[Any, np.ndarray]:
    """Game and belief that comes true, at other values of parameters."""
    make, options, _ = GAMES[name]
    options = options | {"steps": solved(name).dataset.sizes["step"]} if name != "finite" else options
    problem = make(**(options | changed))
    solution = mfg.solve(problem, tol=1e-12, check="ignore")
    from mfgsolve.agents.play import play_of

    game = make_game(problem)
    return game, true_belief(game, play_of(solution).crowd)


def number(name: str, objective: Any, changed: dict[str, float]) -> float:
    game, crowd = equilibrium(name, changed)
    if objective == "cost":
        return answer(game, crowd)[2]
    if objective == "potential":
        policy, came, _ = answer(game, crowd)
        return float(game.potential(came) + game.cost(game.policy_of(policy), came).cost)
    mass = game.flat(crowd)[:, : game.cells]
    return float((objective.weights(solved(name).dataset) * mass).sum())


def differences(name: str, objective: Any, parameter: str, value: float) -> float:
    step = 2e-3 * value
    ends = [number(name, objective, {parameter: value + k * step}) for k in (1, -1, 2, -2)]
    return (8 * (ends[0] - ends[1]) - (ends[2] - ends[3])) / (12 * step)


CASES = [
    ("entropic", "cost"),
    ("entropic", Mass("y<0.4", 0.5)),
    ("upwind", "cost"),
    ("logarithm", Mass("x<0.1")),
    ("finite", "cost"),
    ("lattice", "potential"),
    ("lattice", Mass("x>0.5")),
]


@pytest.mark.parametrize(("name", "objective"), CASES, ids=[f"{name}-{objective}" for name, objective in CASES])
def test_derivatives_are_those_of_equilibria_solved_again(name: str, objective: Any):
    parameters = GAMES[name][2]
    found = sensitivity(solved(name), objective, parameters)
    assert found.attrs["residual"] < 1e-10
    for parameter in parameters:
        one = found.sel(parameter=parameter)
        expected = differences(name, objective, parameter, float(one.parameter_value))
        assert float(one.derivative) == pytest.approx(expected, rel=1e-6, abs=1e-9)
        assert float(one.direct + one.through_crowd) == pytest.approx(float(one.derivative), rel=1e-12)


def test_the_numbers_are_those_of_the_certificate():
    plan = solved("entropic")
    found = sensitivity(plan, "cost", ["reward"])
    assert float(found.objective) == pytest.approx(plan.certificate.cost, abs=1e-6)
    assert float(sensitivity(plan, "potential", ["reward"]).objective) == pytest.approx(plan.potential, abs=1e-10)
    mass = sensitivity(plan, Mass("y<0.4", 0.5), ["reward"])
    assert float(mass.objective) == pytest.approx(float(mfg.mass(plan, "y<0.4", 0.5)), abs=1e-5)
    assert float(mass.elasticity[0]) == pytest.approx(2.0 * float(mass.derivative[0] / mass.objective))


def test_functions_of_the_density_are_objectives():
    plan = solved("entropic")

    def spread(density: Any) -> tuple[float, np.ndarray]:
        """int x rho(T) dx, the mean place at the end."""
        weight = np.zeros(density.shape)
        weight[-1] = density.x.values[None, :] / 100
        return float((weight * density.values).sum()), weight

    found = sensitivity(plan, spread, ["congestion"])
    game, crowd = equilibrium("entropic", {})
    place = np.tile(plan.dataset.x.values, 10)
    assert float(found.objective) == pytest.approx(float(game.flat(crowd)[-1] @ place), abs=1e-9)
    ends = []
    for sign in (1, -1):
        _, moved = equilibrium("entropic", {"congestion": 0.1 * (1 + sign * 1e-3)})
        ends.append(float(moved.reshape(9, -1)[-1] @ place))
    assert float(found.derivative[0]) == pytest.approx((ends[0] - ends[1]) / (2e-4), rel=1e-5)


def test_games_of_functions_take_a_function_that_builds_them():
    def build(height: float) -> mfg.Problem:
        return mfg.Problem(
            grid=mfg.Grid.box((16,)), time=mfg.TimeGrid(1.0, 8), initial=lambda t, c: np.exp(-20 * (c.x - 0.3) ** 2),
            normalise=True,
            dynamics=mfg.ControlledDiffusion(0.05, 1.0, scheme="entropic"),
            coupling=mfg.CrowdAversion(0.5) + mfg.RunningCost(lambda t, c: height * (c.x - 0.8) ** 2),
        )  # fmt: skip

    plan = mfg.solve(build(2.0), tol=1e-12, check="ignore")
    found = sensitivity(plan, "cost", {"height": 2.0}, build=build)
    ends = []
    for height in (2.002, 1.998):
        other = mfg.solve(build(height), tol=1e-13, check="ignore")
        game = make_game(build(height))
        from mfgsolve.agents.play import play_of

        ends.append(answer(game, true_belief(game, play_of(other).crowd))[2])
    assert float(found.derivative[0]) == pytest.approx((ends[0] - ends[1]) / 0.004, rel=1e-6)
    with pytest.raises(InputError, match="give build="):
        sensitivity(plan, "cost", ["height"])
    with pytest.raises(InputError, match="a mapping of names and values"):
        sensitivity(plan, "cost", ["height"], build=build)


def test_a_kink_is_told():
    """Speeds of upwind steps stop at 0, where they bend; agents of entropic steps have none."""
    problem = P.supply_demand(shape=(12, 12), steps=32, viscosity=0.05, scheme="upwind")
    plan = mfg.solve(problem, tol=1e-12, check="ignore")
    assert "kink-near" in sensitivity(plan, Mass("y<0.4", 0.5), ["reward"]).attrs["warnings"]
    assert sensitivity(solved("entropic"), Mass("y<0.4", 0.5), ["reward"]).attrs["warnings"] == ""


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: sensitivity(mfg.solve(P.beach_bar()), "cost", ["noise"]), "best responses jump"),
        (lambda: sensitivity(solved("entropic"), "costs", ["reward"]), "objective 'costs'"),
        (lambda: sensitivity(solved("entropic"), 3, ["reward"]), "objective is a int"),
        (lambda: sensitivity(solved("entropic"), "cost", ["rewad"]), "parameter 'rewad'; did you mean 'reward'"),
        (lambda: sensitivity(solved("entropic"), "cost", ["dynamics.scheme"]), "derivatives are by numbers"),
        (lambda: sensitivity(solved("entropic"), "cost", []), "no parameters came"),
        (lambda: sensitivity(solved("entropic"), Mass(None, 0.51), ["reward"]), "is no node"),
        (lambda: sensitivity(solved("entropic"), lambda d: 3.0, ["reward"]), "two values in a tuple"),
        (lambda: sensitivity(solved("entropic"), lambda d: (3.0, np.ones(2)), ["reward"]), "has shape"),
        (lambda: sensitivity(solved("entropic").dataset, "cost", ["reward"]), "a Solution is needed"),
    ],
)
def test_what_has_no_derivative_is_told(call: Any, sentence: str):
    with pytest.raises(InputError) as told:
        call()
    assert sentence in str(told.value)
