"""Shifts of lattice games: the same bits as row by row, for all that a lattice can have; threads, too."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.kernels import finite, finite_tangent
from mfgsolve.kernels.shifts import BLOCK, Reversed, Shifts
from mfgsolve.steps.shifts import reversed_table, shifts_of
from mfgsolve.steps.transitions import Transitions

properties = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LINE, PLANE = (-1, 0, 2), ((0, 0), (1, 0), (-1, 0), (0, 1), (1, -1))
JUMPS = {1: {-1: 0.1, 0: 0.7, 1: 0.2}, 2: {(0, 0): 0.5, (1, 1): 0.25, (-1, 0): 0.25}}


def lattice(shape, rng, *, periodic=False, blocked=0, walls="stay", jumps=None, viscosity=0.0, temperature=0.0):
    """The step of a lattice game with anything that tables can hold."""
    mask = np.zeros(shape, dtype=bool)
    mask.reshape(-1)[rng.choice(mask.size, blocked, replace=False)] = True
    boundaries = ["periodic" if periodic else "reflecting", "reflecting"][: len(shape)]
    axes = [
        mfg.Axis(*part) for part in zip("yx"[-len(shape) :], shape, (0.0, 0.0), (1.0, 1.0), boundaries, strict=False)
    ]
    moves = LINE if len(shape) == 1 else PLANE
    dynamics = mfg.LatticeMoves(
        moves, rng.uniform(0, 1, len(moves)), jumps=jumps, walls=walls, viscosity=viscosity / max(shape) ** 2,
        noise="explicit", temperature=temperature,
    )  # fmt: skip
    problem = mfg.Problem(
        mfg.Grid(tuple(axes), blocked=mask if blocked else None), mfg.TimeGrid(1.0, 3), dynamics,
        mfg.CrowdAversion(), np.where(mask, 0.0, 1.0), normalise=True,
    )  # fmt: skip
    return make_game(problem).step


def sweeps(table, step, seed):
    """All sweeps of a step by one table."""
    rng = np.random.default_rng(seed)
    steps, actions, states = step.steps, step.actions, step.states
    levels, tau = (steps + 1, states), np.full(steps, step.temperature)
    cost = rng.uniform(0, 1, (steps if seed % 2 else 1, actions, states))
    crowd, value, policy = rng.normal(size=levels), np.zeros(levels), np.empty((steps, actions, states))
    finite.backward(cost, crowd, step.allowed, tau, table, value, policy)
    mass, q, paid = np.zeros(levels), np.empty_like(policy), value.copy()
    mass[0] = rng.dirichlet(np.ones(states))
    finite.forward(policy, table, mass)
    finite.evaluate(cost, crowd, step.allowed, tau, table, policy, paid, q)
    answers = [value, policy, mass, paid, q]
    if step.is_smooth:
        result, change = np.empty(levels), np.empty_like(policy)
        finite_tangent.curvature(crowd, crowd, policy, mass, tau, table, change, result, 0.5)
        answers += [result, change]
    return answers


KINDS = {
    "walls": {},
    "a ring": {"periodic": True},
    "blocked cells": {"blocked": 5},
    "moves that are not allowed": {"walls": "forbid", "blocked": 3},
    "noise": {"viscosity": 0.5},
}


@pytest.mark.kernel
@properties
@given(st.integers(0, 2**31), st.sampled_from(sorted(KINDS)), st.sampled_from([0.0, 0.3]), st.integers(1, 2))
def test_shifts_give_the_bits_of_the_table(seed, kind, temperature, ndim):
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(64, 90)),) if ndim == 1 else tuple(rng.integers(8, 11, 2).tolist())
    jumps = JUMPS[ndim] if seed % 3 == 0 and "noise" not in kind else None
    step = lattice(shape, rng, jumps=jumps, temperature=temperature, **KINDS[kind])
    table = shifts_of(step.transitions, step.actions, step.states)
    assume(table is not None)  # jumps and noise on few cells: most rows are near a wall
    for found, known in zip(sweeps(table, step, seed), sweeps(step.transitions, step, seed), strict=True):
        np.testing.assert_array_equal(found, known)


@pytest.mark.kernel
def test_states_of_several_blocks():
    step = lattice((BLOCK + 40,), np.random.default_rng(3), temperature=0.2)
    table = shifts_of(step.transitions, 3, BLOCK + 40)
    assert table.odd.size == 3 + 0  # one cell below, two above, of which one stays where it is
    for found, known in zip(sweeps(table, step, 1), sweeps(step.transitions, step, 1), strict=True):
        np.testing.assert_array_equal(found, known)


def test_what_the_shifts_are():
    step = lattice((100,), np.random.default_rng(0))
    table = shifts_of(step.transitions, 3, 100)
    np.testing.assert_array_equal(table.count, 1)
    np.testing.assert_array_equal(table.shift[:, 0], LINE)
    np.testing.assert_array_equal(table.weight, 1.0)
    np.testing.assert_array_equal(table.odd, [0, 98, 99])  # x- at 0; x+2 stops at 99
    np.testing.assert_array_equal(table.target, [0, 99])
    np.testing.assert_array_equal(np.diff(table.into), [3, 4])  # from 0, 1 and 0; from 99 and 97, 98, 99


def test_what_has_no_shifts():
    rng = np.random.default_rng(1)
    assert shifts_of(lattice((20,), rng).transitions, 3, 20) is None  # small
    chance = rng.dirichlet(np.ones(5), 2 * 100)
    first = np.arange(0, 1001, 5)[None]
    table = Transitions(first, rng.integers(0, 100, 1000).astype(np.int32), chance.reshape(-1))
    assert shifts_of(table, 2, 100) is None  # random
    steady = lattice((100,), rng).transitions
    timed = Transitions(np.concatenate([steady.first, steady.first]), steady.successor, steady.chance)
    assert shifts_of(timed, 3, 100) is None  # another one at every step


def test_predecessors():
    first = np.array([[0, 2, 3, 5, 6]])
    table = Transitions(first, np.array([0, 1, 1, 0, 1, 0], dtype=np.int32), np.array([0.5, 0.5, 1, 0.25, 0.75, 1]))
    back = reversed_table(table, 2, 3)
    np.testing.assert_array_equal(back.into, [[0, 3, 6]])
    np.testing.assert_array_equal(back.row, [0, 2, 3, 0, 1, 2])
    np.testing.assert_array_equal(back.back, [0.5, 0.25, 1, 0.5, 1, 0.75])
    assert back.parts == 3


def random_step(states, timed=False, temperature=0.2):
    """A random game, in which some choices are not allowed."""
    rng, tables = np.random.default_rng(2), []
    for _ in range(6):
        chances = sparse.random_array((states, states), density=3 / states, rng=rng) + sparse.eye_array(states)
        tables.append(sparse.csr_array(sparse.diags_array(1 / chances.sum(axis=1)) @ chances))
    allowed = rng.random((3, states)) < 0.8
    allowed[1] = True
    dynamics = mfg.Tabular(
        [tables[:3], tables[3:]] if timed else tables[:3], rng.random((3, states)), temperature, allowed=allowed
    )
    time = mfg.TimeGrid(2.0, 2)
    return make_game(mfg.Problem(mfg.States(states), time, dynamics, mfg.CrowdAversion(), 1 / states)).step


@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("temperature", [0.0, 0.2])
def test_threads_give_the_same_bits(timed, temperature):
    step = random_step(BLOCK + 300, timed, temperature)
    table = reversed_table(step.transitions, step.states, 2)
    assert isinstance(table, Reversed)
    rng, levels = np.random.default_rng(4), (3, step.states)
    cost, crowd, tau = step.own_cost, rng.normal(size=levels), np.full(2, temperature)

    def answers(table, kernel, tangent):
        value, policy, mass = np.zeros(levels), np.empty((2, 3, step.states)), np.zeros(levels)
        kernel("backward")(cost, crowd, step.allowed, tau, table, value, policy)
        mass[0] = 1 / step.states
        kernel("forward")(policy, table, mass)
        out = [value, policy, mass]
        if temperature:
            result, change = np.empty(levels), np.empty_like(policy)
            tangent(crowd, crowd, policy, mass, tau, table, change, result, 0.5)
            out += [result, change]
        return out

    shared = answers(table, lambda name: getattr(finite, f"{name}_parallel"), finite_tangent.curvature_parallel)
    serial = answers(step.transitions, lambda name: getattr(finite, name), finite_tangent.curvature)
    for found, known in zip(shared, serial, strict=True):
        np.testing.assert_array_equal(found, known)


def test_a_step_reads_shifts_where_it_can():
    step = lattice((10, 10), np.random.default_rng(0))
    assert isinstance(step._table(slice(0, 3), None), Shifts)
    assert isinstance(random_step(80)._table(slice(0, 2), None), Transitions)


def test_a_policy_may_lie_in_memory_as_it_likes():
    """Policies of other libraries are transposed views."""
    game = make_game(mfg.problems.lattice_supply_demand(shape=(9, 9), steps=3))
    step = game.step
    assert step._table(slice(0, 3), None).parts == 1, "by shifts"
    rng = np.random.default_rng(0)
    chances = rng.random((step.cells, step.steps, step.actions))
    turned = (chances / chances.sum(axis=2, keepdims=True)).transpose(1, 2, 0)
    plain = np.ascontiguousarray(turned)
    assert not turned.flags.c_contiguous
    np.testing.assert_array_equal(game.follow(step.policy_of(turned)), game.follow(step.policy_of(plain)))
    price = game.price(game.follow(step.policy_of(plain)))
    for one, other in zip(game.evaluate(turned, price), game.evaluate(plain, price), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("tau", [0.0, 0.2])
def test_a_choice_that_most_states_do_not_have_is_written_all_the_same(tau):
    """Nothing is read of memory that nobody wrote: a table of shifts, of which one choice is allowed in two states."""
    states, few = 100, np.zeros((100, 100))
    few[3, 4] = few[70, 71] = 1.0
    allowed = np.ones((3, states), dtype=bool)
    allowed[2] = few.any(axis=1)
    stay, right = np.eye(states), np.roll(np.eye(states), 1, axis=1)
    dynamics = mfg.Tabular([stay, right, few], cost=np.ones((3, states)), allowed=allowed, temperature=tau)
    problem = mfg.Problem(mfg.States(states), mfg.TimeGrid(2, 2), dynamics, 0.0, np.full(states, 0.01))
    step = make_game(problem).step
    table = step._table(slice(0, 2), None)
    assert isinstance(table, Shifts)
    assert table.count[2] == 0
    value, q = np.zeros((3, states)), np.full((2, 3, states), np.nan)
    pi, crowd, sure = step.uniform(), np.zeros((3, states)), step.allowed
    finite.evaluate(step.own_cost, crowd, sure, step.entropy_cost, table, pi, value, q)
    assert np.isfinite(q).all()
    np.testing.assert_array_equal(q[1, 2], step.own_cost[0, 2])


def test_a_push_takes_a_policy_in_any_order_of_memory():
    step = make_game(mfg.problems.lattice_supply_demand(shape=(9, 9), steps=3)).step
    policy, mass = step.uniform()[0], np.full(81, 1 / 81)
    np.testing.assert_array_equal(step.push(0, np.asfortranarray(policy), mass), step.push(0, policy, mass))
