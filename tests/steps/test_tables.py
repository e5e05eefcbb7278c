"""The step of a finite list of actions: one step by hand, populations as blocks, crowds that decide, names."""

import numpy as np
import pytest
from scipy.special import logsumexp, softmax

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.steps.costs import Costs
from mfgsolve.steps.table_policies import OccupationAverage, TablePolicy

STAY, SWAP = np.eye(2), np.eye(2)[::-1]
COST = np.array([[0.0, 0.1], [0.3, 0.2]])
AFTER = np.array([1.0, 0.4])


def step_of(temperature=0.5, transitions=(STAY, SWAP), **parts):
    dynamics = mfg.Tabular(transitions, cost=COST, temperature=temperature, **parts)
    return make_game(
        mfg.Problem(mfg.States(2), mfg.TimeGrid(1.0, 2), dynamics, mfg.CrowdAversion(), np.array([0.5, 0.5]))
    ).step


def test_one_step_of_a_soft_best_response():
    step, policy = step_of(), np.empty((2, 2))
    tau = 0.5 * step.dt
    q = step.own_cost[0] + np.stack([AFTER, AFTER[::-1]])
    nothing = Costs(np.zeros((3, 2)), np.ones(3), np.zeros(2))
    np.testing.assert_allclose(step.best(0, AFTER, nothing, policy), -tau * logsumexp(-q / tau, axis=0))
    np.testing.assert_allclose(policy, softmax(-q / tau, axis=0))
    asked = nothing._replace(action=lambda part, own: own + np.array([0.0, 5.0])[:, None])
    step.best(0, AFTER, asked, policy)
    np.testing.assert_allclose(policy, softmax(-(q + [[0.0], [5.0]]) / tau, axis=0))


def test_one_step_of_a_crowd_and_its_change():
    step, pi, mass = step_of(), np.array([[0.2, 0.7], [0.8, 0.3]]), np.array([0.6, 0.4])
    np.testing.assert_allclose(step.push(0, pi, mass), [0.2 * 0.6 + 0.3 * 0.4, 0.8 * 0.6 + 0.7 * 0.4])
    np.testing.assert_allclose(step.expect(0, pi, AFTER), [0.2 * 1 + 0.8 * 0.4, 0.7 * 0.4 + 0.3 * 1])
    tau, small = 0.5 * step.dt, 1e-6
    nothing = Costs(np.zeros((3, 2)), np.ones(3), np.zeros(2))

    def pushed(after):
        policy = np.empty((2, 2))
        step.best(0, after, nothing, policy)
        return step.push(0, policy, mass), policy

    change = np.array([0.3, -1.0])
    ends = [pushed(AFTER + sign * small * change)[0] for sign in (1, -1)]
    found = step.tangent(0, pushed(AFTER)[1], mass, change)
    np.testing.assert_allclose(found, (ends[0] - ends[1]) / (2 * small), rtol=1e-7)
    assert tau > 0
    assert step.is_smooth


def test_a_sharp_step_takes_the_best_and_has_no_derivative():
    step, policy = step_of(0.0), np.empty((2, 2))
    nothing = Costs(np.zeros((3, 2)), np.ones(3), np.zeros(2))
    q = step.own_cost[0] + np.stack([AFTER, AFTER[::-1]])
    np.testing.assert_allclose(step.best(0, AFTER, nothing, policy), q.min(axis=0))
    np.testing.assert_array_equal(policy, q == q.min(axis=0))
    assert not step.is_smooth
    with pytest.raises(mfg.InputError, match="temperature 0 jumps"):
        step.tangent(0, policy, AFTER, AFTER)
    with pytest.raises(mfg.InputError, match="temperature 0 jumps"):
        step.change(nothing, np.zeros((2, 2, 2)), np.zeros((3, 2)))


def test_own_cost_of_a_policy_with_its_entropy():
    step, mass = step_of(), np.array([[0.6, 0.4], [0.5, 0.5], [0.0, 0.0]])
    pi = np.array([[[0.2, 0.7], [0.8, 0.3]]] * 2)
    w, tau = pi * mass[:2, None], 0.5 * step.dt
    linear, entropy = (step.own_cost * w).sum(), tau * (w * np.log(pi)).sum()
    found = step.cost(TablePolicy(pi), mass)
    assert found.cost == pytest.approx(linear + entropy)
    assert found.above == pytest.approx(((step.own_cost - step.own_cost.min()) * w).sum() - entropy)
    assert found.size == pytest.approx(linear - entropy)
    assert np.isnan(found.capped)


def test_a_crowd_that_decides_is_needed_to_respond():
    step = step_of(transitions=lambda t, mass: [STAY, mass[0] * STAY + (1 - mass[0]) * SWAP])
    assert step.is_coupled
    table = step.transitions_at(1, np.array([0.25, 0.75])).matrix(0, 2).toarray()
    np.testing.assert_allclose(table, np.vstack([STAY, 0.25 * STAY + 0.75 * SWAP]))
    nothing = Costs(np.zeros((3, 2)), np.ones(3), np.zeros(2))
    with pytest.raises(mfg.InputError, match="a crowd is needed to respond to"):
        step.backward(nothing, np.empty((2, 2, 2)))


def test_populations_are_blocks_with_names_of_their_own():
    space = mfg.Populations(["fox", "hare"], mfg.States(2))
    fox, hare = mfg.Tabular((STAY, SWAP), actions=["wait", "hunt"]), mfg.Tabular((STAY,), actions=["hide"])
    start = np.full((2, 2), 0.5)
    step = make_game(mfg.Problem(space, mfg.TimeGrid(1.0, 1), (fox, hare), mfg.CrowdAversion(), start)).step
    assert step.action_names == ["wait/hide", "hunt"]
    assert step.population_action_names == [["wait", "hunt"], ["hide", ""]]
    np.testing.assert_array_equal(step.allowed, [[1, 1, 1, 1], [1, 1, 0, 0]])
    np.testing.assert_array_equal(step.uniform()[0], [[0.5, 0.5, 1, 1], [0.5, 0.5, 0, 0]])
    pi = np.array([[0.25, 0.5, 1.0, 1.0], [0.75, 0.5, 0.0, 0.0]])
    np.testing.assert_allclose(step.push(0, pi, np.array([1.0, 0, 0.3, 0.7])), [0.25, 0.75, 0.3, 0.7])


def test_least_costs_are_taken_out_once():
    step = step_of().with_changes()
    before = step.own_cost.copy()
    least = step.lower()
    np.testing.assert_allclose(step.own_cost + least.reshape(-1, 1, 1), before)
    np.testing.assert_array_equal(step.lower(), 0.0)


def test_forms_of_policies():
    step = step_of()
    pi = np.full((2, 2, 2), 0.5)
    assert step.choices(step.policy_of(pi)) is pi
    mean = step.new_average(np.zeros((3, 2)))
    assert isinstance(mean, OccupationAverage)
    assert step.has_tables
