"""Walks through stand-ins of OpenSpiel's games: keys, kinds, ends, and what cannot be taken over."""

from __future__ import annotations

import pytest
from openspiel_standins import Again, Broken, Duel, Game, Grudge, Road, Uneven
from peer_standins import Ring

import mfgsolve as mfg
from mfgsolve import interop
from mfgsolve.interop import walks

pytestmark = pytest.mark.usefixtures("openspiel")


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (Grudge, "remembers at 'x=., t=4_end' the crowd of an earlier step"),
        (Uneven, "all of its states must be of one kind"),
        (Again, "at two depths"),
        (Broken, "broken of OpenSpiel raised IndexError when it was walked: list index out of range"),
    ],
)
def test_games_that_cannot_be_taken_over(state, says):
    with pytest.raises(mfg.InputError, match=says):
        interop.from_openspiel(Game(state))


def test_too_large_a_game_is_refused_early(monkeypatch):
    monkeypatch.setattr(walks, "LARGEST", 30)
    with pytest.raises(mfg.InputError, match=r"road of OpenSpiel has \d+ keys up to move \d of 7; games up to 30 keys"):
        interop.from_openspiel(Game(Road, horizon=7))
    monkeypatch.setattr(walks, "LARGEST", 250_000)
    monkeypatch.setattr(walks, "NUMBERS", 40)
    with pytest.raises(mfg.InputError, match="hold more than 40 numbers"):
        interop.from_openspiel(Game(Road, horizon=7))


def test_a_walk_by_hand():
    """One choice among three, then everybody is told, then the end pays by the crowd."""
    found = walks.walk(Game(Duel))
    assert found.kinds == ["choice", "crowd", "end"]
    assert found.layers[1] == [f"played {a}, t=1_told" for a in range(3)]
    assert (found.depths, found.levels, found.populations) == ([0, 1], 1, 1)
    assert found.nodes["start, t=0"].edges == [(a, 1.0, f"played {a}, t=1_told") for a in range(3)]
    assert not found.is_coupled
    assert found.after("played 1, t=1_told") == "played 1, t=1_end"
    assert (found.hidden, found.history) == (None, None)


def test_chances_add_up_over_ways_to_the_same_key():
    """From x = 1 without choice: stay or go on, half and half; from the start 3/4 and 1/4."""
    found = walks.walk(Ring())
    assert found.ends("(pop=0, start, start)") == {"(pop=0, x=0, t=0)": 0.75, "(pop=0, x=1, t=0)": 0.25}
    child = found.nodes["(pop=0, x=1, t=0)"].edges[1][2]
    assert found.ends(child) == {"(pop=0, x=1, t=1, told)": 0.5, "(pop=0, x=2, t=1, told)": 0.5}
    assert walks.walk(Ring(coupled=True)).is_coupled
    key, one, other = walks.walk(Ring(hidden=True)).hidden
    assert abs(one - other) == pytest.approx(0.1)
    assert "x=" in key


def test_whatever_a_game_raises_is_told_by_its_name():
    with pytest.raises(mfg.InputError, match="game of OpenSpiel raised ValueError when it slept: no message"), \
            walks.foreign("game", "it slept"):  # fmt: skip
        raise ValueError
    with pytest.raises(mfg.InputError, match="without an end"), walks.foreign("game", "it slept"):
        raise RecursionError
