"""Combine: doubly stochastic means over graphs; what they keep, how fast agents agree, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from mfgsolve.errors import InputError
from mfgsolve.parts.combine import Combine, disagreement
from mfgsolve.parts.graphs import graph


def test_metropolis_weights_by_hand():
    """A star of a centre and two leaves, one of which has a leaf of its own: degrees 2, 1, 2, 1."""
    links = np.zeros((4, 4))
    for k, j in ((0, 1), (0, 2), (2, 3)):
        links[k, j] = links[j, k] = 1
    third = 1 / 3
    wanted = [[third, third, third, 0], [third, 2 / 3, 0, 0], [third, 0, third, third], [0, 0, third, 2 / 3]]
    np.testing.assert_allclose(Combine(4, links).matrix.toarray(), wanted, atol=1e-15)
    star = graph(np.array([[0, 1, 1, 1], [1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]]), 4)
    uniform = Combine(4, star, "uniform").matrix.toarray()
    np.testing.assert_allclose(uniform, np.where(star.toarray() > 0, 0.25, np.diag([0.25, 0.75, 0.75, 0.75])))


def test_the_ring_of_nine_agents_has_the_eigenvalue_of_the_walk():
    assert Combine(9, "ring").second_eigenvalue == pytest.approx(0.844, abs=5e-4)


def test_nobody_who_talks_leaves_all_bits_and_all_who_talk_are_alike():
    values = np.random.default_rng(0).normal(size=(7, 3, 2))
    values[0, 0, 0] = -0.0
    for combine in (Combine(7, "none"), Combine(7, weights=np.eye(7), connected=False)):
        kept = combine(values)
        assert kept.tobytes() == values.tobytes()
        assert not np.shares_memory(kept, values)
        assert combine.second_eigenvalue == pytest.approx(1)
    for combine in (
        Combine(7, "all"),
        Combine(7, "complete", "uniform", rounds=3),
        Combine(7, "all", np.full((7, 7), 1 / 7)),
    ):
        together = combine(values)
        assert all(row.tobytes() == together[0].tobytes() for row in together)
        np.testing.assert_array_equal(together[0], values.mean(axis=0))
        assert combine.second_eigenvalue == 0


def some_combine(seed, agents, weights, failure=0.0, rounds=1):
    """On a random graph that is connected by a ring."""
    rng = np.random.default_rng(seed)
    links = np.triu(rng.random((agents, agents)) < 0.3, 1)
    return Combine(
        agents, graph(links + links.T, agents, connected=False) + graph("ring", agents), weights, rounds, failure
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 12), st.sampled_from(["metropolis", "uniform"]), st.integers(1, 4))
def test_the_mean_stays_and_agents_agree_by_the_second_eigenvalue(seed, agents, weights, rounds):
    combine, rng = some_combine(seed, agents, weights, rounds=rounds), np.random.default_rng(seed)
    values = rng.normal(size=(agents, 2, 3)) * 10.0 ** rng.integers(-3, 4)
    after, scale = combine(values), np.abs(values).max()
    np.testing.assert_allclose(after.mean(axis=0), values.mean(axis=0), atol=1e-13 * scale)
    power = np.linalg.matrix_power(combine.matrix.toarray(), rounds)
    np.testing.assert_allclose(after, np.tensordot(power, values, axes=1), atol=1e-13 * scale)
    assert disagreement(after) <= combine.second_eigenvalue**rounds * disagreement(values) + 1e-13 * scale


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 12), st.sampled_from(["metropolis", "uniform"]), st.floats(0.01, 1.0))
def test_links_that_fail_leave_weights_doubly_stochastic(seed, agents, weights, failure):
    combine, rng = some_combine(seed, agents, weights, failure), np.random.default_rng(seed)
    drawn, whole = combine.drawn(rng).toarray(), combine.matrix.toarray()
    np.testing.assert_allclose(drawn.sum(axis=0), 1, atol=1e-14)
    np.testing.assert_allclose(drawn.sum(axis=1), 1, atol=1e-14)
    assert drawn.min() >= 0
    np.testing.assert_array_equal(drawn, drawn.T)
    off = ~np.eye(agents, dtype=bool)
    assert ((drawn == whole) | (drawn == 0))[off].all()
    values = rng.normal(size=(agents, 3))
    np.testing.assert_allclose(combine(values, rng).mean(axis=0), values.mean(axis=0), atol=1e-13)


def test_links_fail_as_often_as_they_are_said_to():
    combine, rng = Combine(20, "complete", failure=0.3), np.random.default_rng(1)
    up = [sparse.triu(combine.drawn(rng), 1).count_nonzero() for _ in range(200)]
    assert np.mean(up) == pytest.approx(0.7 * 190, abs=5 * np.sqrt(0.21 * 190 / 200))
    never = Combine(5, "ring", failure=1.0)
    values = np.arange(5.0)
    np.testing.assert_array_equal(never(values, rng), values)


def test_a_slow_ring_agrees_in_the_end():
    combine, values = Combine(12, "ring"), np.random.default_rng(3).normal(size=12)
    gaps, held = [disagreement(values)], values
    for _ in range(60):
        held = combine(held)
        gaps.append(disagreement(held))
    assert gaps[60] / gaps[59] == pytest.approx(combine.second_eigenvalue, rel=1e-6)  # the slowest mode alone is left


def test_the_disagreement_by_hand():
    assert disagreement(np.array([[0.0, 0.0], [2.0, 4.0]])) == pytest.approx(np.sqrt(5))
    assert disagreement(np.ones((3, 2))) == 0


def test_weights_of_ones_own():
    turn = np.roll(np.eye(4), 1, axis=1)
    combine = Combine(4, weights=0.5 * (np.eye(4) + turn))  # not symmetric, and the graph is that of the weights
    np.testing.assert_array_equal(combine(np.array([0.0, 2.0, 4.0, 8.0])), [1, 3, 6, 4])
    assert combine.links.nnz == 8
    with pytest.raises(InputError, match="not symmetric, and links fail"):
        Combine(4, weights=0.5 * (np.eye(4) + turn), failure=0.1)
    listed = Combine(2, "ring", [[0.75, 0.25], [0.25, 0.75]])
    np.testing.assert_array_equal(listed(np.array([0.0, 4.0])), [1, 3])


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"graph": "ring", "weights": "metropolitan"}, "did you mean 'metropolis'.*or a matrix"),
        ({"graph": "ring", "weights": 3}, "'metropolis', 'uniform' or a matrix"),
        ({"graph": "rign"}, "did you mean 'ring'"),
        ({}, "neither a graph nor a matrix"),
        ({"graph": "ring", "rounds": 0}, "rounds of Combine is 0"),
        ({"graph": "ring", "failure": 1.5}, "failure of Combine is 1.5"),
        ({"graph": "ring", "weights": np.eye(3)}, r"shape \(3, 3\); \(4, 4\) is needed"),
        ({"graph": "ring", "weights": 1.5 * np.eye(4) - 0.125}, "none below 0"),
        ({"graph": "ring", "weights": np.full((4, 4), 0.25)}, r"0.25 at \(0, 2\), where the graph has no link"),
        ({"graph": "all", "weights": np.full((4, 4), 0.2)}, "sum to 0.8 in row 0"),
        ({"graph": "all", "weights": np.eye(4)[[0, 0, 2, 3]]}, "sum to 2 in column 0"),
        ({"graph": "all", "weights": np.full((4, 4), np.inf)}, "not finite"),
        ({"weights": np.eye(4)}, "not connected: it falls into 4 parts"),
    ],
)
def test_what_cannot_combine(options, match):
    with pytest.raises(InputError, match=match):
        Combine(4, **options)


def test_what_cannot_be_combined():
    combine = Combine(4, "ring")
    for values, match in ((np.zeros(3), r"shape \(3,\)"), (1.0, r"shape \(\)"), (np.zeros(4) * 1j, "complex")):
        with pytest.raises(InputError, match=match):
            combine(values)
    with pytest.raises(InputError, match="rng is None and links fail"):
        Combine(4, "ring", failure=0.5)(np.zeros(4))
    with pytest.raises(InputError, match="a row for each agent"):
        disagreement(1.0)
