"""Names of states: keys without the number that is the time, and without that of the population."""

import pytest
from openspiel_standins import Duel, Game, Weather
from peer_standins import Ring

from mfgsolve.interop.labels import _blank, _positions, state_names
from mfgsolve.interop.walks import walk


def test_the_number_that_is_the_value_of_every_key_is_found():
    assert _positions({"x=2, t=0": 0, "x=0, t=1": 1, "x=1, t=1": 1}) == [1]
    assert _positions({"(3, 3)": 3, "(4, 4)": 4}) == [1, 0]
    assert _positions({"x=2, t=0": 1}) == []
    assert _blank("x=12, t=3, p=0", {1: "t", 2: "p"}) == "x=12, t=t, p=p"


@pytest.mark.parametrize(("pull", "which"), [(((0.0,),), "0"), (((0.0, 1.0), (-1.0, 0.0)), "p")])
def test_crowd_nodes_are_called_as_the_choices_that_follow(pull, which):
    *inner, last = state_names(walk(Ring(pull=pull)))
    assert inner[0]["(pop=0, x=1, t=0)"] == f"(pop={which}, x=1, t=t)"
    for t, names in enumerate([*inner[1:], last], start=1):
        for p in range(len(pull)):
            assert names[f"(pop={p}, x=3, t={t}, told)"] == f"(pop={'p' if len(pull) > 1 else p}, x=3, t=t)"
    assert len(set(last.values())) == 4  # one list of states for all times and populations


def test_keys_whose_numbers_tell_no_node_stay_as_they_are():
    """The weather comes between the crowd and the choice: two nodes of the problem have one number."""
    for names in state_names(walk(Game(Weather, horizon=2))):
        assert all(key == name for key, name in names.items())


def test_an_end_has_a_name_of_its_own_where_nothing_looks_like_it():
    start, end = state_names(walk(Game(Duel)))
    assert start == {"start, t=0": "start, t=t"}
    assert set(end.values()) == {f"played {a}, t=t_told" for a in range(3)}
