"""Tables, linear functions and networks: gradients against differences, fits against least squares."""

from __future__ import annotations

import numpy as np
import pytest

from mfgsolve.errors import InputError
from mfgsolve.parts.functions import MLP, SGD, Adam, Linear, Table, gradient_check
from mfgsolve.parts.schedules import Harmonic


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


@pytest.mark.parametrize("seed", range(2))
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
