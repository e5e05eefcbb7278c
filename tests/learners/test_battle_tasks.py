"""Battles as tasks: names, sizes, parameters that are none."""

from __future__ import annotations

import pytest

from mfgsolve.errors import InputError
from mfgsolve.tasks import make_task


@pytest.mark.parametrize(
    ("name", "counts", "food"),
    [
        ("multi-team-battle", (12,) * 4, 0),
        ("battle-gathering", (12,) * 4, 12),
        ("predator-prey-battle", (8, 8, 16, 16), 0),
        ("hidden-sign-battle", (12,) * 4, 0),
    ],
)
def test_tasks_by_their_names(name, counts, food):
    task = make_task(name)
    size = 16 if name == "hidden-sign-battle" else 24
    assert (task.counts, task.foods, task.size, task.rules.name) == (counts, food, size, name)
    assert task.contest is (name != "hidden-sign-battle")


def test_parameters_are_checked():
    assert make_task("predator-prey-battle", {"agents": 3, "prey": 5}).counts == (3, 3, 5, 5)
    for name, settings, message in (
        ("multi-team-battle", {"agents": 0}, "agents of multi-team-battle is 0; at least 1"),
        ("multi-team-battle", {"size": 2}, "size of multi-team-battle is 2"),
        ("multi-team-battle", {"max_steps": 0}, "max_steps"),
        ("battle-gathering", {"food": -1}, "food of battle-gathering is -1"),
        ("predator-prey-battle", {"prey": 0}, "prey of predator-prey-battle is 0"),
        ("hidden-sign-battle", {"flip": 1.5}, "flip of hidden-sign-battle is 1.5; a probability"),
        ("multi-team-battle", {"agent": 3}, "did you mean 'agents'"),
    ):
        with pytest.raises(InputError, match=message):
            make_task(name, settings)


def test_groups_that_do_not_fit_are_told():
    pytest.importorskip("magent2", reason="MAgent2 is not installed; it comes with: pip install 'mfgsolve[magent2]'")
    with pytest.raises(InputError, match="do not fit on a map of size 6"):
        make_task("multi-team-battle", {"size": 6}).worlds(1)
