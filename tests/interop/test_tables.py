"""A walk as arrays: places, masses and costs by hand from the stand-ins' rules."""

import numpy as np
import pytest
from openspiel_standins import Duel, Game, State, Weather
from peer_standins import Ring

from mfgsolve.grids import Grid
from mfgsolve.interop.tables import Tables
from mfgsolve.interop.walks import walk


@pytest.fixture(scope="module")
def ring():
    return Tables(walk(Ring(pull=((0.0, 1.0), (-1.0, 0.0)))))


def test_populations_are_blocks_of_one_list_of_states(ring):
    assert (ring.states, ring.size, ring.actions) == (4, 8, 3)
    assert ring.place["(pop=0, x=2, t=1, told)"] == ring.place["(pop=0, x=2, t=3, told)"] == 2
    assert ring.place["(pop=1, x=2, t=1, told)"] == 4 + 2
    np.testing.assert_array_equal(ring.initial, [0.75, 0.25, 0, 0, 0, 0.75, 0.25, 0])
    np.testing.assert_array_equal(ring.reached(0), [1, 1, 0, 0, 0, 1, 1, 0])
    assert ring.reached(1).all()


def test_own_costs_are_negative_rewards_before_any_crowd(ring):
    """0.3 x at t = 0; later rewards come after the crowd was told, and nothing before."""
    np.testing.assert_allclose(ring.own[0], [[0, -0.3, 0, 0, 0, -0.3, -0.6, 0]] * 3)
    assert not ring.own[1:].any()
    assert not ring.terminal.any()
    assert [ring.counts(t) for t in range(3)] == [False, True, True]
    assert ring.pays("(pop=0, x=2, t=1, told)")
    assert not ring.pays("(pop=0, x=0, t=0)")


def test_rows_go_where_the_ring_goes(ring):
    """From x = 0 the actions 1 and 2 are on offer: stay and +1; action 0 does what the first of them does."""
    rows = dict(ring.rows("(pop=0, x=0, t=1, told)"))
    ends = {a: {ring.place[end]: chance for end, chance in row.items()} for a, row in rows.items()}
    assert ends == {0: {0: 0.5, 1: 0.5}, 1: {0: 0.5, 1: 0.5}, 2: {1: 0.5, 2: 0.5}}


def test_a_crowd_node_asks_for_masses_in_its_own_order(ring):
    places, known = ring.asked["(pop=1, x=3, t=2, told)"]
    np.testing.assert_array_equal(places, [0, 4, 1, 5, 2, 6, 3, 7])  # x by x, populations within
    np.testing.assert_array_equal(known, 1.0)


def test_what_a_crowd_node_pays_before_it_is_told():
    weather = Tables(walk(Game(Weather, horizon=2)))
    rained = [weather.place[f"({x}, 1), t=1"] for x in (0, 1)]
    np.testing.assert_allclose(weather.own[3, 0, rained], [0.7, 1.4])
    np.testing.assert_allclose(weather.own[2, 0, weather.place["(1), t=1_told"]], -0.3)
    np.testing.assert_allclose(weather.terminal[weather.place["(1), t=2_end"]], -0.3)
    assert not weather.paid(0).any()
    rows = dict(weather.rows("(0, 1), t=0"))
    assert rows == {0: {"(0), t=1_told": 1.0}, 1: {"(1), t=1_told": 1.0}}


def test_the_end_of_a_normal_form_is_paid_by_the_crowd():
    duel = Tables(walk(Game(Duel)))
    assert duel.names[0] == "start, t=t"
    np.testing.assert_array_equal(duel.initial, [1, 0, 0, 0])
    assert duel.counts(1)
    assert duel.cells is None


class Walker(State):
    """Three columns of two cells, one of them never entered: names hold two numbers."""

    def begin(self):
        self.place, self.turn = (0, 0), "choice"

    def where(self):
        return f"({self.place[0]}, {self.place[1]})"

    def observation_string(self, player):
        return f"at {self.where()}" + ("" if self.turn == "choice" else f" {self.turn}") + f"; t={self.t}"

    def legal_actions(self):
        return [0, 1, 2, 3, 4]

    def act(self, action):
        self.place = [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1)][action]
        self.t, self.turn = self.t + 1, "told"

    def distribution_support(self):
        return []

    def hear(self):
        self.turn = "end" if self.t == 2 else "choice"


def test_names_of_two_numbers_are_the_cells_of_a_grid():
    tables = Tables(walk(Game(Walker)))
    assert isinstance(tables.space, Grid)
    assert tables.space.shape == (2, 3)  # y, x
    np.testing.assert_array_equal(tables.space.mask, [[False] * 3, [False, False, True]])
    assert tables.place["at (1, 1) told; t=1"] == 4
    assert tables.initial[0] == 1.0
