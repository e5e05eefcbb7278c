"""A policy of a discounted game leaves with a caution: games of other libraries know no rate."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

import mfgsolve as mfg
from mfgsolve.cautions import collect
from mfgsolve.interop.peers import say_discounted


def test_a_rate_is_told_of_and_none_is_not():
    late, plain = (SimpleNamespace(dataset=SimpleNamespace(attrs=attrs)) for attrs in ({"discount": 0.3}, {}))
    with collect() as said:
        say_discounted(plain, "OpenSpiel")
        say_discounted(late, "OpenSpiel")
    assert [caution.code for caution in said] == ["discounted-export"]
    assert "discount rate of 0.3, and games of OpenSpiel have none" in said[0].sentence


@pytest.mark.slow
def test_a_policy_for_mfglib():
    pytest.importorskip("torch")
    from mfgsolve.interop import to_mfglib_policy

    problem = mfg.problems.left_right()
    problem = replace(problem, grid=mfg.States(["0", "1", "2"]), dynamics=replace(problem.dynamics, actions=["0", "1"]))
    for rate in (0.0, 0.3):
        plan = mfg.solve(replace(problem, time=replace(problem.time, discount=rate)), check="ignore")
        with collect() as said:
            to_mfglib_policy(plan)
        assert len(said) == (rate > 0)
