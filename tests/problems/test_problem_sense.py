"""Games that are stated by rewards: told as earnings, solved as before."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve import plots
from mfgsolve.command.report import agents_rows, solution_facts, solution_rows
from mfgsolve.errors import InputError
from mfgsolve.identity import fingerprint
from mfgsolve.problemfile import problem_from_toml, problem_to_toml
from mfgsolve.problemfile.declaring import declared


def beach(sense: str) -> mfg.Problem:
    return replace(mfg.problems.beach_bar(shape=(12,), steps=6), sense=sense, parameters=None, text=None)


@pytest.fixture(scope="module")
def pair() -> tuple[mfg.Solution, mfg.Solution]:
    cost, reward = (mfg.solve(beach(sense), check="ignore") for sense in ("cost", "reward"))
    return cost, reward


def test_the_sense_changes_no_number_of_a_game(pair):
    cost, reward = pair
    assert fingerprint(beach("cost")) == fingerprint(beach("reward"))
    np.testing.assert_array_equal(cost.dataset["density"], reward.dataset["density"])
    np.testing.assert_array_equal(cost.dataset["value"], reward.dataset["value"])
    assert cost.certificate.cost == reward.certificate.cost
    assert "sense" not in cost.dataset.attrs
    assert reward.dataset.attrs["sense"] == "reward"


def test_reports_tell_earnings(pair):
    cost, reward = pair
    assert "earnings" not in solution_facts(cost)
    assert solution_facts(reward)["earnings"] == -cost.certificate.cost
    assert solution_facts(reward)["cost"] == cost.certificate.cost
    rows = dict(solution_rows(reward))
    assert float(rows["earnings of an agent"]) == pytest.approx(-cost.certificate.cost)
    assert "cost of an agent" not in rows
    assert "cost of an agent" in dict(solution_rows(cost))
    told = [dict(agents_rows(mfg.compare(one, agents=[10], replicas=3, rng=0)))["N = 10"] for one in pair]
    paid, earned = (
        float(re.search(rf"{word} (\S+) \(simulated", text)[1])  # type: ignore[index]
        for text, word in zip(told, ("cost", "earnings"), strict=True)
    )
    assert earned == -paid


def test_pictures_show_earnings(pair):
    cost, reward = pair
    below, above = plots.value(cost), plots.value(reward)
    assert "expected cost" in below.get_suptitle()
    assert "expected earnings" in above.get_suptitle()
    assert "expected earnings" in above.axes[1].get_ylabel()
    np.testing.assert_array_equal(above.axes[0].images[0].get_array(), -below.axes[0].images[0].get_array())
    panels = [plots.agents(mfg.compare(one, agents=[10, 100], replicas=3, rng=0)).axes for one in pair]
    low, high = (next(ax for ax in axes if ax.get_ylabel().endswith("of an agent")) for axes in panels)
    assert (low.get_ylabel(), high.get_ylabel()) == ("cost of an agent", "earnings of an agent")
    np.testing.assert_allclose(high.lines[1].get_ydata(), -np.asarray(low.lines[1].get_ydata()))


def test_the_sense_is_kept_in_problem_files():
    named = mfg.problems.beach_bar(shape=(12,), steps=6)
    for problem in (named, replace(named, sense="reward")):
        assert problem_from_toml(problem_to_toml(problem)).sense == problem.sense
    flagship = mfg.problems.supply_demand(shape=(8, 8), steps=32)
    assert flagship.sense == "reward"
    text = problem_to_toml(flagship)
    assert "sense" not in text  # a named problem knows its own
    assert problem_from_toml(text).sense == "reward"
    assert declared(flagship, "mine")[0]["sense"] == "reward"
    assert "sense" not in declared(beach("cost"), "mine")[0]
    changed = replace(flagship, sense="cost")
    assert problem_from_toml(problem_to_toml(changed)).sense == "cost"
    assert problem_from_toml('problem = "beach-bar"\nsense = "reward"').sense == "reward"


def test_a_sense_that_is_none_is_refused():
    with pytest.raises(InputError, match="unknown sense of the problem 'rewards'; did you mean 'reward'"):
        beach("rewards")
