"""Named finite games: peers' numbers with their source.

Peers' numbers were computed in float64 by MFGLib 0.3.0 (its exploitability_score) and OpenSpiel 2.0.2 (its NashConv).
"""

from __future__ import annotations

import pytest
from sharp_games import reward, sharp, uniform

import mfgsolve as mfg
from mfgsolve import problems

MFGLIB_BAR = {"shape": (4,), "steps": 3, "boundary": "reflecting"}


UNIFORM = [
    ("beach-bar", MFGLIB_BAR, 1.2212622553),  # MFGLib beach_bar
    ("crowd-motion", {}, 1.46748295157),  # MFGLib crowd_motion, seed 0
    ("left-right", {}, 0.25),  # MFGLib left_right
    ("rock-paper-scissors", {}, 1 / 3),  # MFGLib rock_paper_scissors
    ("susceptible-infected", {}, 5.46687391323),  # MFGLib susceptible_infected
    ("crowd-modelling-2d", {}, 7.757953871773),  # OpenSpiel mfg_crowd_modelling_2d(only_distribution_reward=true)
    ("four-rooms", {}, 167.6604464714),  # OpenSpiel, FOUR_ROOMS with only_distribution_reward=true
    ("predator-prey", {}, 36.968383925226),  # OpenSpiel python_mfg_predator_prey
]


@pytest.mark.parametrize(("name", "options", "score"), UNIFORM)
def test_exploitability_of_the_uniform_policy(name: str, options: dict, score: float) -> None:
    problem = problems.get(name).build(**options)
    assert mfg.exploitability(problem, uniform(problem)).exploitability == pytest.approx(score, rel=1e-11, abs=1e-10)


EQUILIBRIUM = [  # computed by an independent solver, each of exploitability <= 1e-13 by MFGLib's own score
    ("beach-bar", MFGLIB_BAR, 1.369297366401),
    ("left-right", {}, -0.666666666667),
    pytest.param("crowd-motion", {}, 54.945665320197, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("name", "options", "value"), EQUILIBRIUM)
def test_equilibrium_value(name: str, options: dict, value: float) -> None:
    assert reward(sharp(problems.get(name).build(**options))) == pytest.approx(value, abs=1e-8)
