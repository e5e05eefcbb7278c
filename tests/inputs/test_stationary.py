"""Times of games without a final time: what they take, what they refuse, and who refuses them."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from stationary_games import chain

import mfgsolve as mfg
from mfgsolve.problems import bench_mfg_chain


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: mfg.Discounted(), "neither of rate and factor"),
        (lambda: mfg.Discounted(rate=1.0, factor=0.5), "both of rate and factor"),
        (lambda: mfg.Discounted(rate=0.0), r"rate is 0.0 .*Ergodic\(\)"),
        (lambda: mfg.Discounted(rate=-1.0), "rate is -1.0"),
        (lambda: mfg.Discounted(rate=math.nan), "rate is nan"),
        (lambda: mfg.Discounted(rate=1e4), "between 0 and 1"),
        (lambda: mfg.Discounted(factor=1.0), r"factor of a step is 1.0.*Ergodic\(\)"),
        (lambda: mfg.Discounted(factor=0.0), "factor of a step is 0.0"),
        (lambda: mfg.Discounted(factor="much"), "discount factor"),
        (lambda: mfg.Discounted(factor=0.5, population="renewed"), "did you mean 'renewal'"),
        (lambda: mfg.Discounted(factor=0.5, dt=0.0), "dt, the length of a step, is 0"),
        (lambda: mfg.Ergodic(dt=math.inf), "dt, the length of a step, is inf"),
    ],
)
def test_times_that_make_no_sense(make: Callable[[], Any], match: str) -> None:
    with pytest.raises(mfg.InputError, match=match):
        make()


def test_rate_and_factor_say_the_same() -> None:
    assert mfg.Discounted(rate=0.4, dt=0.5).factor == pytest.approx(math.exp(-0.2))
    time = mfg.Discounted(factor=0.9, dt=2.0)
    assert time.rate == pytest.approx(-math.log(0.9) / 2)
    assert time == mfg.Discounted(factor=0.9, dt=2.0) != mfg.Discounted(factor=0.8, dt=2.0)
    assert mfg.Discounted(factor=0.9) != mfg.Discounted(factor=0.9, population="renewal")
    assert pickle.loads(pickle.dumps(time)) == copy.copy(time) == time
    assert time.later().nodes[0] > 0
    assert time.later().later() is None


def on_a_line(grid: mfg.Grid, viscosity: float = 0.1) -> mfg.Problem:
    return mfg.Problem(grid, mfg.Ergodic(dt=0.01), mfg.ControlledDiffusion(viscosity), mfg.CrowdAversion(1.0))


def stated(time: Any = None, **changes: Any) -> mfg.Problem:
    given = {"dynamics": mfg.Tabular([np.eye(2), np.eye(2)[::-1]]), "coupling": mfg.CrowdAversion(1.0)} | changes
    return mfg.Problem(mfg.States(2), time or mfg.Ergodic(), **given)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: stated(initial=np.array([0.5, 0.5])), "nothing depends on where agents begin"),
        (lambda: stated(mfg.Discounted(factor=0.5), initial=np.array([0.5, 0.5])), "population='renewal'"),
        (lambda: stated(mfg.Discounted(factor=0.5, population="renewal")), "initial of the problem is missing"),
        (lambda: stated(mfg.TimeGrid(2, 2)), "initial of the problem is missing"),
        (lambda: stated(terminal=1.0), "terminal of the problem is given"),
        (lambda: stated(terminal=np.array([1.0, 0.0])), "terminal of the problem is given"),
        (lambda: stated(terminal_coupling=mfg.CrowdAversion(1.0)), "terminal_coupling of the problem is given"),
        (lambda: stated(kinks=[0.5]), "kinks of the problem are given"),
        (lambda: stated(final=np.array([0.5, 0.5])), "final of the problem is given"),
        (lambda: on_a_line(mfg.Grid.box((8,), exits={"door": "x-low"})), "the grid has exits"),
        (lambda: stated(coupling=mfg.CrowdAversion(1.0) + mfg.Capacity(0.4)), "hard bounds"),
        (lambda: stated().with_steps(5), "5 time steps are asked for"),
        (lambda: mfg.solve(stated(dynamics=mfg.Tabular([[np.eye(2)]] * 2))), "given for 2 steps"),
        (
            lambda: mfg.Problem(
                mfg.Grid.box((8,)), mfg.Ergodic(), mfg.ControlledDiffusion(0.0), mfg.CrowdAversion(1.0)
            ),
            "has no noise",
        ),
    ],
)
def test_problems_that_make_no_sense(make: Callable[[], Any], match: str) -> None:
    with pytest.raises(mfg.InputError, match=match):
        make()


def test_those_who_need_an_end_say_why() -> None:
    problem = chain("ergodic", temperature=1.0)
    plan = mfg.solve(problem)
    for ask in (
        lambda: mfg.simulate(plan, agents=10, rng=0), lambda: mfg.nash_gap(plan, 10),
        lambda: mfg.compare(plan, agents=[10]),
        lambda: mfg.refine(problem), lambda: mfg.solve(problem, tol_continuum=0.1), lambda: mfg.learn(problem),
        lambda: mfg.design(problem, {"toll": lambda t, c: 1.0}, "cost"), lambda: mfg.learners.SampledGame(problem),
        lambda: mfg.learners.to_gymnasium(problem), lambda: mfg.arrival(plan, "state=3"),
    ):  # fmt: skip
        with pytest.raises(mfg.InputError, match="not for games without a final time"):
            ask()
    assert float(mfg.mass(plan)) == pytest.approx(1.0)
    assert float(mfg.convergence(problem, ["newton"]).best.min()) < 1e-9
    assert mfg.price_of_anarchy(bench_mfg_chain(game="ergodic")).ratio > 1.05


@pytest.mark.parametrize("time", [mfg.Ergodic(), mfg.Discounted(factor=0.9)])
def test_states_that_are_divided_whatever_agents_do(time: Any) -> None:
    half = np.full((2, 2), 0.5)
    apart = np.block([[half, np.zeros((2, 2))], [np.zeros((2, 2)), half]])
    problem = mfg.Problem(mfg.States(4), time, mfg.Tabular([apart]), mfg.CrowdAversion(1.0))
    with pytest.raises(
        mfg.InputError, match=r"every policy divides the states into 2 classes .* \(states 0, 1; states 2, 3\)"
    ):
        mfg.solve(problem)
