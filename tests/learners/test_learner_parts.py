"""Parts that learners combine: exploration, step sizes, replay, functions; each against its limits and other roads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mfgsolve.errors import InputError
from mfgsolve.parts.exploration import Boltzmann, EpsilonGreedy, draw
from mfgsolve.parts.functions import MLP, SGD, Adam, Linear, Table, gradient_check
from mfgsolve.parts.replay import Replay
from mfgsolve.parts.schedules import Constant, Harmonic, Visits

# -- exploration -------------------------------------------------------------------------------------------------------

Q = np.array([[1.0, 3.0, 3.0, 2.0], [5.0, -1.0, 0.0, 5.0]])
TIES = np.array([[0.0, 0.5, 0.5, 0.0], [0.5, 0.0, 0.0, 0.5]])
ALLOWED = np.array([[True, False, True, True], [False, True, False, False]])


def test_limits_of_exploration_and_ties():
    for uniform in (Boltzmann(0.0), EpsilonGreedy(1.0)):
        np.testing.assert_array_equal(uniform.probabilities(Q), 0.25)
        np.testing.assert_allclose(uniform.probabilities(Q, ALLOWED), ALLOWED / ALLOWED.sum(axis=1, keepdims=True))
    for greedy in (Boltzmann(np.inf), EpsilonGreedy(0.0), Boltzmann(1e300)):
        np.testing.assert_array_equal(greedy.probabilities(Q), TIES)
        np.testing.assert_array_equal(greedy.probabilities(Q, ALLOWED), [[0, 0, 1, 0], [0, 1, 0, 0]])
    np.testing.assert_allclose(EpsilonGreedy(0.2).probabilities(Q), 0.8 * TIES + 0.05)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**31), beta=st.floats(0, 50))
def test_boltzmann_by_its_formula(seed, beta):
    rng = np.random.default_rng(seed)
    q, allowed = rng.normal(size=(6, 4)), rng.random((6, 4)) < 0.7
    allowed[:, 0] = True
    found = Boltzmann(beta).probabilities(q, allowed)
    np.testing.assert_allclose(found.sum(axis=-1), 1.0, rtol=1e-14)
    assert (found[~allowed] == 0).all()
    expected = np.where(allowed, np.exp(beta * q), 0.0)
    np.testing.assert_allclose(found, expected / expected.sum(axis=1, keepdims=True), rtol=1e-11)
    np.testing.assert_allclose(Boltzmann(beta).probabilities(q + 100.0, allowed), found, rtol=1e-10)
    best = np.where(allowed, q, -np.inf).max(axis=1)
    assert ((found * q).sum(axis=1) <= best + 1e-12).all()


def test_boltzmann_of_huge_values_is_finite():
    found = Boltzmann(1e200).probabilities(np.array([1e300, -1e300, 0.0]))
    np.testing.assert_array_equal(found, [1, 0, 0])


@pytest.mark.parametrize("rule", [Boltzmann(0.7), EpsilonGreedy(0.3)])
def test_samples_follow_the_probabilities(rule):
    rng, n = np.random.default_rng(1), 40_000
    rows, allowed = np.repeat(Q[:1], n, axis=0), np.array([True, True, True, False])
    counts = np.bincount(rule.sample(rows, rng, allowed), minlength=4)
    expected = rule.probabilities(Q[0], allowed)
    assert counts[3] == 0
    assert stats.chisquare(counts[:3], n * expected[:3]).pvalue > 1e-3
    again = rule.sample(rows, np.random.default_rng(1), allowed)
    np.testing.assert_array_equal(np.bincount(again, minlength=4), counts)


def test_draws_never_take_what_has_no_chance():
    chance = np.tile([0.0, 0.3, 0.0, 0.7 - 1e-17, 0.0], (20_000, 1))
    assert set(draw(chance, np.random.default_rng(0)).tolist()) == {1, 3}
    assert draw(np.array([0.0, 1.0]), np.random.default_rng(0)).shape == ()


def test_bad_input_of_exploration():
    for wrong, match in (
        (lambda: Boltzmann(-1.0), "beta is -1"),
        (lambda: Boltzmann(float("nan")), "beta is nan"),
        (lambda: EpsilonGreedy(1.5), "epsilon is 1.5"),
        (lambda: Boltzmann(1.0).probabilities([0.0, np.nan]), "diverges"),
        (lambda: Boltzmann(1.0).probabilities([0.0, 1.0], [False, False]), "no action is allowed"),
        (lambda: Boltzmann(1.0).probabilities([0.0, 1.0], [1, 0]), "truth values"),
        (lambda: Boltzmann(1.0).probabilities([0.0, 1.0], [True] * 3), r"shape \(3,\)"),
        (lambda: Boltzmann(1.0).sample([0.0, 1.0], 0), "numpy.random.Generator"),
    ):
        with pytest.raises(InputError, match=match):
            wrong()
    hidden = Boltzmann(1.0).probabilities([0.0, np.nan], [True, False])  # what is not allowed need not be known
    np.testing.assert_array_equal(hidden, [1.0, 0.0])


# -- step sizes --------------------------------------------------------------------------------------------------------


def test_harmonic_steps_make_the_running_mean():
    targets, mean = np.random.default_rng(2).normal(size=50), 7.0
    for k, target in enumerate(targets, start=1):
        mean += Harmonic()(k) * (target - mean)
    assert mean == pytest.approx(targets.mean(), rel=1e-13)
    assert Harmonic(0.5, delay=3)(13) == pytest.approx(0.5)
    np.testing.assert_allclose(Constant(0.1)(np.array([1, 9])), 0.1)


def test_visits_count_every_entry():
    visits = Visits(Harmonic(), (3, 2))
    np.testing.assert_allclose(visits.visit((np.array([0, 2]), np.array([1, 0]))), [1, 1])
    np.testing.assert_allclose(visits.visit((np.array([0, 1]), np.array([1, 1]))), [0.5, 1])
    np.testing.assert_allclose(visits.visit((np.array([2, 2]), np.array([0, 0]))), 1 / 3)
    np.testing.assert_array_equal(visits.counts, [[0, 2], [0, 1], [3, 0]])


def test_bad_step_sizes():
    for wrong, match in (
        (lambda: Constant(0.0), "step size is 0"),
        (lambda: Harmonic(1.5), "power is 1.5"),
        (lambda: Harmonic(1.0, -1.0), "delay is -1"),
        (lambda: Harmonic()(0), "from 1 on"),
        (lambda: Visits(0.1, 3), "StepSize"),  # type: ignore[arg-type]
    ):
        with pytest.raises(InputError, match=match):
            wrong()


# -- replay ------------------------------------------------------------------------------------------------------------


def test_replay_keeps_the_latest_and_draws_uniformly():
    replay, rng = Replay(50), np.random.default_rng(3)
    for start in range(0, 84, 7):
        numbers = np.arange(start, start + 7)
        replay.add(state=numbers, action=np.eye(2)[numbers % 2], reward=numbers * 0.5)
    assert len(replay) == 50
    kept = replay.arrays()
    np.testing.assert_array_equal(kept["state"], np.arange(34, 84))
    drawn = replay.sample(50_000, rng)
    np.testing.assert_array_equal(drawn["reward"], drawn["state"] * 0.5)  # rows stay together
    np.testing.assert_array_equal(drawn["action"], np.eye(2)[drawn["state"] % 2])
    assert stats.chisquare(np.bincount(drawn["state"] - 34, minlength=50)).pvalue > 1e-3
    again = Replay(50)
    again.add(**kept)
    for name, values in again.sample(20, np.random.default_rng(4)).items():
        assert values.dtype == kept[name].dtype
        assert len(values) == 20


def test_a_replay_that_is_not_full_draws_only_what_is_there():
    replay = Replay(1000)
    replay.add(state=np.array([5, 6]))
    assert set(replay.sample(200, np.random.default_rng(0))["state"].tolist()) == {5, 6}


def test_bad_input_of_replay():
    replay = Replay(4)
    with pytest.raises(InputError, match="empty"):
        replay.sample(1, np.random.default_rng(0))
    replay.add(state=np.arange(3), reward=np.zeros(3))
    for wrong, match in (
        (lambda: Replay(0), "capacity"),
        (lambda: replay.add(state=np.arange(2), rewrd=np.zeros(2)), "did you mean 'reward'"),
        (lambda: replay.add(state=np.arange(2)), "missing"),
        (lambda: replay.add(state=np.arange(2), reward=np.zeros(3)), "one row for each"),
        (lambda: replay.add(state=np.arange(2), reward=np.array([0.0, np.nan])), "not finite"),
        (lambda: replay.add(state=np.array([0.5]), reward=np.zeros(1)), "holds int64"),
        (lambda: replay.add(state=np.arange(5), reward=np.zeros(5)), "make it larger"),
        (lambda: replay.sample(0, np.random.default_rng(0)), "minibatch"),
    ):
        with pytest.raises(InputError, match=match):
            wrong()
    assert len(replay) == 3


# -- functions ---------------------------------------------------------------------------------------------------------


def features(x):
    return np.stack([np.ones(len(x)), x[:, 0], x[:, 1] ** 2], axis=1)


@pytest.mark.parametrize("sizes", [(2, 3), (2, 5, 3), (2, 4, 6, 3)])
@pytest.mark.parametrize("picked", [False, True])
def test_gradients_of_networks(sizes, picked):
    rng = np.random.default_rng(5)
    network, x = MLP(sizes, rng), rng.normal(size=(7, 2))
    chosen = rng.integers(3, size=7) if picked else None
    targets = rng.normal(size=7 if picked else (7, 3))
    assert gradient_check(network, x, targets, chosen) < 1e-8
    network._gradient = lambda layers, push: [1.01 * g for g in MLP._gradient(network, layers, push)]  # type: ignore
    assert gradient_check(network, x, targets, chosen) > 1e-3


def test_gradient_of_a_linear_function():
    rng = np.random.default_rng(6)
    assert gradient_check(Linear(features, 3, 2), rng.normal(size=(9, 2)), rng.normal(size=(9, 2))) < 1e-8


@pytest.mark.parametrize("seed", range(3))
def test_a_network_fits_a_function(seed):
    rng = np.random.default_rng(seed)
    network = MLP((2, 32, 32, 2), rng)

    def truth(x):
        return np.stack([np.sin(2 * x[:, 0]) * x[:, 1], x[:, 0] ** 2], axis=1)

    losses = []
    for k in range(2000):
        x = rng.uniform(-1, 1, (64, 2))
        losses.append(network.fit(x, truth(x), 5e-3 * (1 - k / 2000)))
    test = rng.uniform(-1, 1, (1000, 2))
    error = np.square(network.value(test) - truth(test)).mean()
    assert error < 2e-3 * truth(test).var()
    assert losses[-1] < 0.02 * losses[0]


def test_linear_descent_finds_least_squares():
    rng = np.random.default_rng(7)
    x, targets = rng.normal(size=(40, 2)), rng.normal(size=(40, 2))
    linear = Linear(features, 3, 2)
    for _ in range(3000):
        linear.fit(x, targets, 0.2)
    exact = np.linalg.lstsq(features(x), targets, rcond=None)[0]
    np.testing.assert_allclose(linear.parameters[0], exact, atol=1e-10)


def test_chosen_outputs_move_alone():
    x, picks = np.ones((1, 2)), np.array([1])
    for function in (Linear(features, 3, 2), Table(3, 2)):
        inputs = np.array([2]) if isinstance(function, Table) else x
        loss = function.fit(inputs, np.array([4.0]), 0.1, picks)
        assert loss == 8.0
        assert function.value(inputs)[0, 0] == 0.0
        assert function.value(inputs)[0, 1] > 0


def test_a_table_follows_its_equation():
    table = Table((2, 3), 2)
    place = np.array([[1, 2], [0, 0]])
    table.fit(place, np.array([[1.0, 2.0], [4.0, 8.0]]), 0.5)
    np.testing.assert_allclose(table.value(place), [[0.5, 1.0], [2.0, 4.0]])
    table.fit(place, np.array([1.0, 0.0]), np.array([0.5, 0.25]), np.array([0, 1]))
    np.testing.assert_allclose(table.value(place), [[0.75, 1.0], [2.0, 3.0]])
    assert np.count_nonzero(table.entries) == 4
    twice = Table(2, 1)
    twice.fit(np.array([1, 1]), np.array([[1.0], [3.0]]), 0.5)  # the mean of both steps
    assert twice.value([1])[0, 0] == 1.0
    mean, targets = Table(1, 1), np.random.default_rng(8).normal(size=30)
    for k, target in enumerate(targets, start=1):
        mean.fit([0], [target], Harmonic()(k), [0])
    assert mean.value([0])[0, 0] == pytest.approx(targets.mean(), rel=1e-12)


def test_adam_by_its_first_steps():
    """The first step of Adam is the step size against the sign of the gradient, whatever its length."""
    adam, start = Adam(), [np.array([1.0, 1.0])]
    (moved,) = adam.moved(start, [np.array([1e-3, -50.0])], 0.1)
    np.testing.assert_allclose(moved, [0.9, 1.1], rtol=1e-5)
    (moved,) = SGD().moved(start, [np.array([1.0, -2.0])], 0.1)
    np.testing.assert_allclose(moved, [0.9, 1.2])


def test_divergence_is_an_error_and_leaves_the_parameters_whole():
    x, targets = np.full((4, 2), 3.0), np.ones((4, 1))
    linear = Linear(features, 3, 1)
    kept = linear.parameters

    def descend():
        for _ in range(1000):
            linear.fit(x, targets, 10.0)

    with pytest.raises(InputError, match="diverges"):
        descend()
    assert linear.parameters is kept
    assert np.isfinite(linear.parameters[0]).all()
    for function in (linear, Table(3, 1)):
        with pytest.raises(InputError, match="target is not finite"):
            function.fit(
                x if function is linear else np.arange(3), np.full((4 if function is linear else 3, 1), np.inf), 0.1
            )


def test_bad_input_of_functions():
    rng, table, network = np.random.default_rng(0), Table(3, 2), MLP((2, 2), np.random.default_rng(0))
    for wrong, match in (
        (lambda: Table(0, 2), "at least 1"),
        (lambda: table.value([3]), "the table has"),
        (lambda: table.value([0.5]), "whole numbers"),
        (lambda: table.fit([0], [[1.0, 1.0]], 1.5), "step is 1.5"),
        (lambda: table.fit([0], [1.0], 0.5), "give all, or chosen"),
        (lambda: table.fit([0], [1.0], 0.5, [2]), "outputs are 2"),
        (lambda: MLP((2,), rng), "sizes are"),
        (lambda: MLP((2, 2), 0), "numpy.random.Generator"),  # type: ignore[arg-type]
        (lambda: network.value(np.ones((1, 3))), r"\(rows, 2\)"),
        (lambda: network.fit(np.ones((1, 2)), np.ones((1, 2)), 0.0), "positive finite"),
        (lambda: Linear(features, 2, 1).value(np.ones((1, 2))), "features have shape"),
        (lambda: Linear(3, 2, 1), "function of the inputs"),  # type: ignore[arg-type]
    ):
        with pytest.raises(InputError, match=match):
            wrong()
