"""Types of agents: means of each type, bounds on their errors, types discovered from what was learned."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typed import FAIR

from mfgsolve.errors import InputError
from mfgsolve.stages.multitype import MultiType
from mfgsolve.stages.neighbourhoods import graph_neighbours, mean_actions
from mfgsolve.stages.stage_games import counterexample
from mfgsolve.stages.types import (
    Coding,
    DiscoveredTypes,
    KnownTypes,
    adjusted_rand_index,
    align,
    deviations,
)

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # meant; told without compiler


crowds = st.integers(3, 30).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 3), min_size=n, max_size=n),
        st.lists(st.integers(0, min(2, n - 1)), min_size=n, max_size=n),
        st.integers(0, 2**31),
    )
)


@given(crowds)
@settings(max_examples=80, deadline=None)
def test_typed_means_recombine_and_cells_count_them(crowd):
    actions, types = np.array(crowd[0]), np.array(crowd[1])
    rng = np.random.default_rng(crowd[2])
    n = actions.size
    edges = rng.integers(n, size=(3 * n, 2))
    graph = graph_neighbours(edges[edges[:, 0] != edges[:, 1]], n)
    hot = np.eye(4)[actions]
    typed, one = mean_actions(hot, graph, types, 3), mean_actions(hot, graph)
    degree = np.stack([graph @ (types == m).astype(float) for m in range(3)], axis=1)
    total = (np.nan_to_num(typed) * degree[:, :, None]).sum(axis=1)
    np.testing.assert_allclose(total, np.nan_to_num(one) * degree.sum(axis=1)[:, None], atol=1e-12)
    model = KnownTypes(types)
    who = np.arange(n)
    coding = Coding.of(model, graph, types, 4, who)
    assert coding.size < 1 << 40
    if coding.size < 20_000:
        counts = coding.counts()[coding.cells(graph, types, actions)]
        expected = np.nan_to_num(typed) * degree[:, :, None]
        alike = coding.implied[None, :, None] | (counts >= 0)
        assert alike.all()
        np.testing.assert_allclose(counts, expected[:, : model.count], atol=1e-9)


@given(crowds, st.floats(0.0, 1.0))
@settings(max_examples=150, deadline=None)
def test_deviation_bounds_of_theorems_3_1_and_3_2(crowd, slack):
    actions, types, _ = crowd
    types = np.unique(types, return_inverse=True)[1]
    actions = np.array(actions)
    tight = deviations(actions, types, 4)
    assert tight.one_type <= tight.one_type_bound + 1e-12
    assert tight.typed == pytest.approx(tight.typed_bound, abs=1e-12)  # eps_m the deviation itself
    hot = np.eye(4)[actions]
    means = np.stack([hot[types == m].mean(axis=0) for m in range(types.max() + 1)])
    within = np.array([np.linalg.norm(hot[types == m] - means[m], axis=1).mean() for m in range(types.max() + 1)])
    loose = deviations(actions, types, 4, within=within + slack)
    assert loose.typed <= loose.typed_bound + 1e-12 <= loose.one_type_bound + 2e-12
    assert loose.one_type <= loose.one_type_bound + 1e-12
    # In mean squares the two differ by the spread of the types' means, exactly.
    spread = (np.linalg.norm(means[types] - hot.mean(axis=0), axis=1) ** 2).mean()
    whole = (np.linalg.norm(hot - hot.mean(axis=0), axis=1) ** 2).mean()
    assert whole == pytest.approx((np.linalg.norm(hot - means[types], axis=1) ** 2).mean() + spread, abs=1e-12)
    two = deviations(actions % 2, types, 2)
    assert two.typed <= two.one_type + 1e-12  # 2 sqrt 2 p (1 - p) is concave


def test_bounds_separate_opposed_types():
    actions, types = np.repeat([0, 1], 50), np.repeat([0, 1], 50)
    found = deviations(actions, types, 2)
    assert found.typed == found.typed_bound == 0.0
    assert found.one_type == pytest.approx(np.sqrt(0.5))
    assert found.one_type_bound == pytest.approx(np.sqrt(0.5))


def test_labels_keep_their_names():
    before = np.array([0, 0, 0, 1, 1, 2, 2, 2])
    assert (align(np.array([2, 2, 2, 0, 0, 1, 1, 1]), before, 3) == before).all()
    assert (align(np.array([1, 1, 0, 0, 0, 2, 2, 2]), before, 3) == [0, 0, 1, 1, 1, 2, 2, 2]).all()


def test_adjusted_rand_index_is_that_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    for _ in range(20):
        one, other = rng.integers(3, size=30), rng.integers(4, size=30)
        assert adjusted_rand_index(one, other) == pytest.approx(metrics.adjusted_rand_score(one, other), abs=1e-12)
    assert adjusted_rand_index(one, (one + 1) % 3) == 1.0


def test_scikit_learn_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.cluster", None)
    game = counterexample(FAIR)
    learner = MultiType(DiscoveredTypes(2, window=10))
    with pytest.raises(InputError, match=r"mfgsolve\[learners\]"):
        learner.play(game, learner.start(game, 0), 20)
