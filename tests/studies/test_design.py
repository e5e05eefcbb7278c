"""Incentives and parameters chosen by gradients: the social optimum, gradients against differences, what is refused."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.studies.design import _Incentives, design
from mfgsolve.studies.sensitivity import Mass


@cache
def roads() -> mfg.Problem:
    return mfg.problems.braess(temperature=0.3)


def of_state(k: int) -> Any:
    return lambda t, c: (c.state == k) * 1.0


def test_tolls_on_all_states_bring_about_the_social_optimum():
    apart = mfg.price_of_anarchy(roads(), tol=1e-11)
    found = design(roads(), {f"state {k}": of_state(k) for k in range(6)}, (-3, 3), tol=1e-14)
    assert found.before == pytest.approx(apart.equilibrium_cost, abs=1e-8)
    assert found.after == pytest.approx(apart.optimal_cost, abs=1e-8)
    assert float(found.history.attrs["best"]) == int(found.history.objective.values.argmin())
    tolls = np.array(list(found.values.values()))
    mass = np.einsum("ts,s->", found.solution.density.values[:-1], tolls)  # steps of length 1
    assert found.transfer == pytest.approx(mass, abs=1e-6)


def test_gradients_are_differences_of_equilibria_solved_again():
    game = mfg.problems.supply_demand(shape=(8, 8), steps=6, viscosity=0.05)
    fields = {"west": lambda t, c: (c.x < 0.5) * 1.0, "late": lambda t, c: (t >= 0.5) * c.y}
    for goal in ("cost", Mass("x>0.6")):
        plan = _Incentives(mfg.resolution.settle(game), fields, goal, None)
        here = {"west": 0.2, "late": -0.1}
        found = plan.point(here, None)
        for j, name in enumerate(fields):
            ends = [plan.point(here | {name: here[name] + sign * 1e-3}, None).objective for sign in (1, -1)]
            assert found.gradient[j] == pytest.approx((ends[0] - ends[1]) / 2e-3, rel=1e-5)


def test_labelled_controls_are_read_by_their_names():
    game = mfg.resolution.settle(mfg.problems.supply_demand(shape=(8, 8), steps=6, viscosity=0.05))
    place = (np.arange(8) + 0.5) / 8
    labels = {"x": place, "time": game.time.nodes, "y": place}
    array = xr.DataArray(np.random.default_rng(0).random((8, 7, 8)), labels, ("x", "time", "y"))
    levels = _Incentives(game, {"a": array}, "cost", None).fields["a"]
    np.testing.assert_array_equal(levels, array.transpose("time", "y", "x"))


def test_mass_can_be_kept_out_of_a_region():
    game = mfg.problems.supply_demand(shape=(8, 8), steps=6, viscosity=0.05)
    told: list[float] = []
    found = design(
        game, {"south": lambda t, c: (c.y < 0.4) * 1.0}, (0.0, 0.5), Mass("y<0.4"), max_iterations=8,
        callback=lambda values, objective: told.append(objective),
    )  # fmt: skip
    assert found.values["south"] == pytest.approx(0.5)  # the highest toll
    assert found.after < found.before
    assert told == found.history.objective.values.tolist()


def test_parameters_are_designed_alike():
    found = design(roads(), ["bridge"], (0.1, 3.0), tol=1e-12)
    ends = [
        mfg.solve(mfg.problems.braess(temperature=0.3, bridge=value), tol=1e-11).certificate.cost
        for value in (0.1, 0.25, 1.0, 3.0)
    ]
    assert found.after <= min(ends) + 1e-8
    assert found.before == pytest.approx(ends[1], abs=1e-8)
    assert np.isnan(found.transfer)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: design(3, ["a"], (0, 1)), "a Problem is needed"),
        (lambda: design(roads(), {}, (0, 1)), "no controls came"),
        (lambda: design(roads(), ["brigde"], (0, 1)), "parameter 'brigde'; did you mean 'bridge'"),
        (lambda: design(roads(), {"a": 1.0}, (1, 0)), "low must lie below high"),
        (lambda: design(roads(), {"a": 1.0}, {"b": (0, 1)}), "control in bounds 'b'"),
        (lambda: design(roads(), {"a": 1.0}, {}), "a pair \\(low, high\\)"),
        (lambda: design(roads(), {"a": 1.0}, (0, 1), "potential"), "take the objective 'cost'"),
        (lambda: design(roads(), {"a": 1.0}, (0, 1), start={"a": 2.0}), "outside its bounds"),
        (lambda: design(roads(), {"a": 1.0}, (0, 1), max_iterations=0), "max_iterations is 0"),
        (lambda: design(mfg.problems.braess(), {"a": 1.0}, (0, 1)), "best responses jump"),
    ],
)
def test_what_cannot_be_designed_is_told(call: Any, sentence: str):
    with pytest.raises(InputError, match=sentence):
        call()
