"""Numbers of 32 bits are taken within their round-off and made exact in float64, which is said; others are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.cautions import collect
from mfgsolve.games import make_game
from mfgsolve.inputs.precision import precision_of, slack

RNG = np.random.default_rng(5)
CHANCES = RNG.dirichlet(np.ones(7), (3, 7))
COARSE = CHANCES.astype(np.float32)
TIME = mfg.TimeGrid(4.0, 4)
EVEN = np.full(7, 1 / 7)


def table(transitions: Any = CHANCES, **parts: Any) -> mfg.Problem:
    dynamics = mfg.Tabular(transitions, cost=np.arange(21.0).reshape(3, 7) / 20)
    stated: dict[str, Any] = {"coupling": mfg.CrowdAversion(0.3), "initial": EVEN}
    return mfg.Problem(grid=mfg.States(7), time=TIME, dynamics=dynamics, **(stated | parts))


def said(make: Any) -> tuple[Any, list[Any]]:
    with collect() as cautions:
        return make(), list(cautions)


FORMS = {
    "array": COARSE,
    "list": list(COARSE),
    "every step": np.tile(COARSE, (4, 1, 1, 1)),
    "labelled": xr.DataArray(COARSE, dims=("action", "state", "next_state")),
    "of the crowd": lambda t, m: COARSE,
    "of the crowd, a list": lambda t, m: list(COARSE),
}


@pytest.mark.parametrize("name", FORMS)
def test_transitions_of_32_bits_are_made_exact_and_that_is_said(name):
    sums = COARSE.astype(float).sum(axis=2)
    assert 1e-9 < np.abs(sums - 1).max() < 1e-6
    game, cautions = said(lambda: make_game(table(FORMS[name])))
    assert [caution.code for caution in cautions] == ["renormalised"]  # once, of all steps
    assert f"miss 1 by up to {np.abs(sums - 1).max():.1e}" in cautions[0].sentence
    assert "float32" in cautions[0].sentence
    rows = game.step.transitions_at(3, game.initial_mass).matrix(3, 7).toarray()
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=4e-16)
    np.testing.assert_allclose(rows, (COARSE / sums[:, :, None]).reshape(21, 7), rtol=1e-15)
    _, more = said(lambda: game.flow(game.step.uniform()))
    assert more == []  # once for a game, not in every sweep


def test_mass_is_kept_with_transitions_of_32_bits():
    solution = mfg.solve(table(COARSE), check="ignore")
    assert [caution.code for caution in solution.warnings] == ["renormalised"]
    assert solution.certificate.mass_error < 1e-14
    assert solution.converged


def test_a_policy_of_32_bits():
    problem = table()
    policy = RNG.dirichlet(np.ones(3), (4, 7)).transpose(0, 2, 1)
    coarse = policy.astype(np.float32)
    exact = mfg.exploitability(problem, policy)
    found, cautions = said(lambda: mfg.exploitability(problem, coarse))
    assert found.mass_error < 1e-14
    assert found.exploitability == pytest.approx(exact.exploitability, rel=1e-6)
    assert [caution.code for caution in cautions] == ["renormalised"]
    labelled = xr.DataArray(coarse, {"action": ["0", "1", "2"]}, ("step", "action", "state"))
    assert said(lambda: mfg.exploitability(problem, labelled))[1] == cautions
    for given in (coarse.astype(float), policy.astype(np.float16)):
        with pytest.raises(mfg.InputError, match=r"sums to .*miss it by \d\.\de-0.*p / p\.sum\(axis=1"):
            mfg.exploitability(problem, given)
    with pytest.raises(mfg.InputError, match="which came as float16: compute it in float64"):
        mfg.exploitability(problem, policy.astype(np.float16))
    even = np.broadcast_to(np.array([0.5, 0.25, 0.25], dtype=np.float16)[:, None], (4, 3, 7))
    assert said(lambda: mfg.exploitability(problem, even))[1] == []  # exact in any precision
    with pytest.raises(mfg.InputError, match="sums to"):
        mfg.exploitability(problem, coarse * np.float32(1.00001))


def test_a_start_of_32_bits():
    start = RNG.dirichlet(np.ones(7)).astype(np.float32)
    start[0] += np.float32(3e-7)
    for given in (start, lambda t, c: start, xr.DataArray(start, dims="state"), list(start)):
        mass, cautions = said(table(initial=given).initial_mass)
        assert mass.sum() == pytest.approx(1, abs=4e-16)
        assert [caution.code for caution in cautions] == ["renormalised"]
    for given in (start.astype(float), start * np.float32(1.001), start.astype(np.float16) * np.float16(1.01)):
        with pytest.raises(mfg.InputError, match=r"misses it by \d\.\de-0.*normalise=True"):
            table(initial=given).initial_mass()
    assert said(table(initial=start, normalise=True).initial_mass)[1] == []


def test_the_bound_grows_with_the_number_of_terms_and_is_tight_in_64_bits():
    single, double, half = (np.dtype(name) for name in ("f4", "f8", "f2"))
    assert [slack(single, n) for n in (1, 10, 10**7)] == [8 * 2.0**-23, 80 * 2.0**-23, 1e-3]
    assert slack(double, 10**6) == slack(half, 10) == 1e-9
    assert precision_of([np.ones(2, "f4"), np.ones(2)]) == single
    assert precision_of([[1, 2], [3, 4]]) == precision_of(np.ones(2, int)) == precision_of(lambda: 0) == double
    with pytest.raises(mfg.InputError, match=r"sum to 1.0000\d+; they must sum to 1 and miss it by 1.0e-05"):
        make_game(table(COARSE * np.float32(1.00001)))
    with pytest.raises(mfg.InputError, match=r"miss it by .*P / P\.sum\(axis=-1, keepdims=True\)"):
        make_game(table(COARSE.astype(float)))


def test_integers_are_exact():
    swap = np.eye(7, dtype=np.int8)[::-1]
    game, cautions = said(lambda: make_game(table([swap, swap, swap], initial=np.eye(7, dtype=int)[0])))
    assert cautions == []
    np.testing.assert_array_equal(game.step.transitions.matrix(0, 7).toarray()[:7], swap)


# -- what is no real number ------------------------------------------------------------------------------------------

HOLE = np.ma.masked_array(EVEN, [1, 0, 0, 0, 0, 0, 0])
NO_NUMBERS = {
    "complex": EVEN + 0j,
    "masked": HOLE,
    "masked in a list": [*EVEN[:6].tolist(), np.ma.masked],
    "digits": [str(share) for share in EVEN],
    "truth values": np.eye(7, dtype=bool)[0],
    "objects": np.array([*EVEN[:6], None], dtype=object),
    "big objects": np.array([*EVEN[:6], 10**400], dtype=object),
    "missing": pd.array([1, 2, 3, 4, 5, 6, None], dtype="Int64"),
    "missing in a series": pd.Series([1, 2, 3, 4, 5, 6, None], dtype="Int64"),
    "bytes": np.array([b"1"] * 7),
    "dates": np.array(["2020"] * 7, dtype="datetime64[D]"),
}
TAKERS = {
    "initial": lambda v: table(initial=v).initial_mass(),
    "initial, a function": lambda v: table(initial=lambda t, c: v).initial_mass(),
    "terminal": lambda v: make_game(table(terminal=v)),
    "running cost": lambda v: make_game(table(coupling=mfg.RunningCost(v))),
    "running cost, a function": lambda v: make_game(table(coupling=lambda t, c: v)),
    "strength": lambda v: make_game(table(coupling=mfg.CrowdAversion(v))),
    "cap": lambda v: make_game(table(coupling=mfg.Capacity(v))),
    "cap, a function": lambda v: make_game(table(coupling=mfg.Capacity(lambda t, c: v))),
    "amounts": lambda v: make_game(table(coupling=mfg.Price(mfg.QuadraticPotential(1.0), amounts=[v] * 3))),
    "matrix": lambda v: mfg.Interaction([v] * 7),
    "transitions": lambda v: make_game(table([[v] * 7] * 3)),
    "transitions of the crowd": lambda v: make_game(table(lambda t, m: [[v] * 7] * 3)),
    "own cost": lambda v: make_game(mfg.Problem(grid=mfg.States(7), time=TIME, coupling=0.0, initial=EVEN,
                                                dynamics=mfg.Tabular(CHANCES, cost=[v] * 3))),
    "own cost, a function": lambda v: make_game(mfg.Problem(grid=mfg.States(7), time=TIME, coupling=0.0, initial=EVEN,
                                                dynamics=mfg.Tabular(CHANCES, cost=lambda t, c: [v] * 3))),
    "policy": lambda v: mfg.exploitability(table(), [[v] * 3] * 4),
    "custom": lambda v: _price(mfg.CustomCoupling(lambda t, c, rho: v)),
}  # fmt: skip


INDICATORS = ("initial, a function", "running cost, a function")  # which may return the truth of (c.x < 0.3)


def test_functions_may_return_the_indicator_of_a_set():
    game = mfg.Problem(
        mfg.Grid.box((8,)), mfg.TimeGrid(1.0, 4), mfg.ControlledDiffusion(0.1), lambda t, c: c.x > 0.5,
        lambda t, c: c.x < 0.5, normalise=True,
    )  # fmt: skip
    np.testing.assert_array_equal(game.initial_mass(), np.repeat([0.25, 0.0], 4))
    np.testing.assert_array_equal(
        make_game(game).price(np.zeros_like(make_game(game).empty_crowd()))[0].ravel(), np.repeat([0.0, 1], 4)
    )


def _price(coupling: mfg.CustomCoupling) -> None:
    game = make_game(table(coupling=coupling))
    game.price(game.resting_crowd(game.empty_crowd()))


@pytest.mark.parametrize("taker", TAKERS)
@pytest.mark.filterwarnings("error")
def test_what_is_no_real_number_is_refused_everywhere(taker):
    for kind, value in NO_NUMBERS.items():
        if kind == "truth values" and taker in INDICATORS:
            continue
        with pytest.raises(mfg.InputError) as caught:
            TAKERS[taker](value)
        assert len(str(caught.value)) < 500, kind
