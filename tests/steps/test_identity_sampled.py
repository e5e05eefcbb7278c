"""What identities sample: responses, factors and transitions, at every step that differs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.identity import fingerprint
from mfgsolve.steps import Factor, Transitions
from mfgsolve.steps.identity import sampled_factors, sampled_responses, sampled_transitions, unchanging
from tests.own_steps import STATES, hopping


class Turn(Factor):
    """All go one cell on in the step ``at`` (None: in all of them)."""

    def __init__(self, at: int | None = None):
        self.at, self.is_steady = at, at is None

    def expect(self, t, value):
        return np.roll(value, -1, -1) if self.at in (None, t) else value

    def push(self, t, mass):
        return np.roll(mass, 1, -1) if self.at in (None, t) else mass


def told(parts) -> list:
    return [part.tobytes() if isinstance(part, np.ndarray) else part for part in parts]


@pytest.fixture
def masses() -> list[np.ndarray]:
    return [mass / mass.sum() for mass in (np.arange(1.0, STATES + 1), np.arange(1.0, STATES + 1) ** 3)]


def test_levels_that_are_all_the_same_count_once():
    assert unchanging(np.ones((4, 3))).shape == (1, 3)
    assert unchanging(np.arange(4.0)[:, None]).shape == (4, 1)


def test_responses_are_by_hand(masses):
    """A sharp value draws all who gain by it; at tau = 0.5 the least value is the softmin of the two hops."""
    step = make_game(hopping(price=0.1, temperature=0.5)).step
    parts = list(sampled_responses(step, masses))
    after = np.arange(1, STATES + 1) * (5**0.5 - 1) / 2 % 1.0
    stay, hop = after, 0.1 + np.roll(after, -1)
    np.testing.assert_allclose(parts[3], -0.5 * np.log(np.exp(-stay / 0.5) + np.exp(-hop / 0.5)), rtol=1e-13)
    chance = 1 / (1 + np.exp((hop - stay) / 0.5))
    moved = (1 - chance) * masses[0] + np.roll(chance * masses[0], 1)
    np.testing.assert_allclose(parts[4], moved, rtol=1e-13)
    assert len(parts) == 3 + step.steps * 2 * (1 + len(masses))


@pytest.mark.parametrize(
    "change",
    [
        {"own_cost": np.array([[[0.0] * STATES, [0.1 + 1e-15] * STATES]])},
        {"factors": (Turn(),)},
        {"factors": (Turn(2),)},
    ],
)
def test_responses_tell_costs_and_factors(change, masses):
    step = make_game(hopping()).step
    assert told(sampled_responses(step, masses)) == told(sampled_responses(make_game(hopping()).step, masses))
    assert told(step.with_changes(**change).identity(masses)) != told(step.identity(masses))


def test_where_a_dear_hop_leads_is_told_by_steep_values(masses):
    """Nobody hops for 8 at next to no temperature where values differ by less than 1; over there it pays."""
    step = make_game(hopping(price=8.0, temperature=1e-3)).step
    farther = step.with_changes(matrices=np.stack([np.eye(STATES), np.roll(np.eye(STATES), 2, axis=1)]))
    assert told(farther.identity(masses)) != told(step.identity(masses))


def test_factors_are_sampled_when_they_change(masses):
    step = make_game(hopping()).step
    steady = list(sampled_factors(step, [Turn()], masses))
    assert steady[0] == (0, 0)
    np.testing.assert_array_equal(steady[1:], [np.roll(mass, 1) for mass in masses])
    once = list(sampled_factors(step, [Turn(2)], masses))
    assert [part for part in once if isinstance(part, tuple)] == [(0, 0), (0, 2), (0, 3)]
    np.testing.assert_array_equal(once[4], np.roll(masses[0], 1))


def test_a_diffusion_tells_the_factors_besides_its_noise():
    problem = mfg.Problem(
        mfg.Grid.box((5,)), mfg.TimeGrid(1.0, 8), mfg.ControlledDiffusion(0.1, scheme="upwind"), 0.0, 1.0
    )
    step, mass = make_game(problem).step, np.arange(1.0, 6.0)
    assert list(step.identity([mass])) == []  # its dynamics tell control and noise
    (place, pushed) = step.with_changes(others=(Turn(),)).identity([mass])
    assert place == (0, 0)
    np.testing.assert_array_equal(pushed.reshape(-1), np.roll(mass, 1))


def test_transitions_count_whatever_they_were_stored_as():
    """Dense, sparse with explicit zeros and entries in two parts: one game."""
    dense = np.array([[0.25, 0.75, 0.0], [0.0, 1.0, 0.0], [0.5, 0.0, 0.5]])
    rows, columns = [0, 0, 0, 0, 1, 1, 2, 2], [0, 1, 1, 2, 1, 0, 2, 0]
    split = sparse.csr_array((np.array([0.25, 0.25, 0.5, 0.0, 1.0, 0.0, 0.5, 0.5]), (rows, columns)), shape=(3, 3))

    def problem(first, second):
        return mfg.Problem(
            mfg.States(3), mfg.TimeGrid(2, 2), mfg.Tabular([first, second]), mfg.CrowdAversion(1.0), np.full(3, 1 / 3)
        )

    known = fingerprint(problem(dense, np.eye(3)))
    assert fingerprint(problem(split, sparse.eye_array(3))) == known
    assert fingerprint(problem(np.eye(3), dense)) != known
    (t, *parts) = sampled_transitions(make_game(problem(split, np.eye(3))).step, [np.ones(3)])
    assert t == 0
    matrix = sparse.csr_array((parts[2], parts[1], parts[0]), shape=(6, 3))
    np.testing.assert_array_equal(matrix.toarray(), np.concatenate([dense, np.eye(3)]))


def test_entries_of_one_place_add_up():
    """A row 1/2 + 1/2 on the same state is a row of 1."""
    problem = mfg.Problem(mfg.States(2), mfg.TimeGrid(1, 1), mfg.Tabular([np.eye(2)]), 0.0, np.array([0.5, 0.5]))
    step = make_game(problem).step
    split = Transitions(np.array([[0, 2, 3]]), np.array([0, 0, 1], dtype=np.int32), np.array([0.5, 0.5, 1.0]))
    mass = [np.ones(2)]
    assert told(sampled_transitions(step.with_changes(transitions=split), mass)) == told(
        sampled_transitions(step, mass)
    )
