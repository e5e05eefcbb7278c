"""What the three games of battle pay, by the numbers of their statement."""

from __future__ import annotations

import pytest

from mfgsolve.learners.battles.rules import GATHERING, GROUPS, MULTI_TEAM, PREDATOR_PREY

ORDER = {"a": "bcd", "b": "cda", "c": "dab", "d": "abc"}  # whom a group gets least, more and most for


@pytest.mark.parametrize("rules", [MULTI_TEAM, GATHERING])
@pytest.mark.parametrize("group", ORDER)
def test_pay_of_the_cycle(rules, group):
    i = GROUPS.index(group)
    victims = [GROUPS.index(other) for other in ORDER[group]]
    assert [rules.hits[i][j] for j in victims] == [0.2, 0.3, 0.4]
    assert [rules.kills[i][j] for j in victims] == [80.0, 90.0, 100.0]
    assert (rules.hits[i][i], rules.kills[i][i]) == (0.0, 0.0)
    assert not rules.robbed


def test_pay_of_predators():
    assert [PREDATOR_PREY.hits[0][j] for j in (1, 2, 3)] == [0.5, 1.0, 3.0]
    assert [PREDATOR_PREY.hits[1][j] for j in (0, 3, 2)] == [0.5, 1.0, 3.0]
    assert PREDATOR_PREY.hits[2] == PREDATOR_PREY.kills[3] == (0.0,) * 4
    assert {PREDATOR_PREY.kills[0][j] for j in (1, 2, 3)} == {5.0}
    predator, prey = PREDATOR_PREY.kinds[1:3]
    assert (predator.power, predator.speed, predator.reach, predator.recovery) == (10.0, 2.0, 2.0, 0.1)
    assert (predator.death, predator.attack, prey.speed, prey.reach) == (-0.1, -0.2, 2.5, 0.0)


def test_kills_are_told_from_hits():
    assert 0.5 < GATHERING.paid_kill < 79
    assert 0.4 < MULTI_TEAM.paid_kill < 79
    assert 3.0 - 0.2 < PREDATOR_PREY.paid_kill < 5.0 - 0.2
