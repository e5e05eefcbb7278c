"""Graphs of agents: named ones by hand, those that are given, those that are refused."""

from __future__ import annotations

import importlib

import networkx
import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.csgraph import connected_components, shortest_path

from mfgsolve.errors import InputError
from mfgsolve.parts import graphs
from mfgsolve.parts.graphs import GRAPHS, graph, link_text, second_eigenvalue, within


def test_named_graphs_are_those_of_their_names():
    ring, grid = graph("ring", 6).toarray(), graph("grid", 20).toarray()
    np.testing.assert_array_equal(ring, np.roll(np.eye(6), 1, axis=1) + np.roll(np.eye(6), -1, axis=1))
    assert ring[0, 5] == ring[5, 0] == 1
    same = networkx.to_numpy_array(networkx.grid_2d_graph(4, 5))  # rows of five agents
    np.testing.assert_array_equal(grid, same)
    for name in ("all", "complete"):
        np.testing.assert_array_equal(graph(name, 5).toarray(), 1 - np.eye(5))
    assert graph("none", 5).nnz == 0


@pytest.mark.parametrize("agents", [1, 2, 3, 5, 7, 10])
@pytest.mark.parametrize("name", GRAPHS)
def test_named_graphs_of_any_size_are_symmetric_connected_and_without_loops(name, agents):
    links = graph(name, agents)
    assert links.shape == (agents, agents)
    assert (links != links.T).nnz == 0
    assert links.diagonal().sum() == 0
    assert set(links.data) <= {1.0}
    assert connected_components(links)[0] == (agents if name == "none" else 1)


def test_a_grid_that_is_not_full_has_a_short_last_row():
    pairs = sparse.coo_array(sparse.triu(graph("grid", 7)))
    found = sorted(zip(pairs.row.tolist(), pairs.col.tolist(), strict=True))
    assert found == [(0, 1), (0, 3), (1, 2), (1, 4), (2, 5), (3, 4), (3, 6), (4, 5)]


def test_random_graphs_are_drawn_by_their_seed():
    for name, degree in (("small-world", 4), ("random", 2 * np.log(40))):
        one, again, other = graph(name, 40, 1), graph(name, 40, np.random.default_rng(1)), graph(name, 40, 2)
        assert (one != again).nnz == 0
        assert (one != other).nnz > 0
        assert (graph(name, 40) != graph(name, 40, 0)).nnz == 0
        assert one.sum() / 40 == pytest.approx(degree, abs=0.05)
    regular = graph("random", 200, 3).sum(axis=1)
    assert regular.std() > 1  # an agent has more links than another


def test_matrices_and_graphs_of_networkx_are_taken():
    path = networkx.Graph([(2, 1), (1, 0), (2, 2)])
    wanted = [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    named = networkx.Graph([("b", "a"), ("a", "c")])  # b is agent 0
    for spec in (path, networkx.MultiGraph([(2, 1), (1, 0), (1, 2)])):
        np.testing.assert_array_equal(graph(spec, 3).toarray(), wanted)
    np.testing.assert_array_equal(graph(named, 3).toarray(), wanted)
    star = networkx.Graph([(2, 1), (2, 0)])  # the node 2 is agent 2, though it came first
    np.testing.assert_array_equal(graph(star, 3).toarray(), [[0, 0, 1], [0, 0, 1], [1, 1, 0]])
    for spec in (sparse.csr_matrix(wanted), sparse.coo_array(wanted), np.array(wanted) * 7.5 + 3 * np.eye(3),
                 np.array(wanted, dtype=bool)):  # fmt: skip
        np.testing.assert_array_equal(graph(spec, 3).toarray(), wanted)


def test_links_are_written_and_read_as_a_text():
    for name in ("none", "ring", "grid", "random"):
        links = graph(name, 12, 4)
        assert (graph(link_text(links), 12) != links).nnz == 0
    assert link_text(graph("ring", 3)) == "0-1 0-2 1-2"
    np.testing.assert_array_equal(graph(" 2-1,1-0 1-1 ", 3).toarray(), [[0, 1, 0], [1, 0, 1], [0, 1, 0]])


def test_what_is_within_some_hops_is_what_shortest_paths_say():
    links = graph("random", 30, 5)
    far = shortest_path(links, unweighted=True)
    for hops in (0, 1, 2, 3, 50):
        np.testing.assert_array_equal(within(links, hops).toarray(), far <= hops)
    with pytest.raises(InputError, match=r"hops is -1; 0 \(oneself alone\) or more"):
        within(links, -1)


def test_the_second_eigenvalue_of_a_ring_and_of_many_agents():
    """The walk on a ring that stays with probability 1/3: (1 + 2 cos(2 pi / N)) / 3."""
    for agents in (5, 9, 20):
        ring = graph("ring", agents)
        weights = (ring + sparse.eye_array(agents)) / 3
        assert second_eigenvalue(weights) == pytest.approx((1 + 2 * np.cos(2 * np.pi / agents)) / 3, rel=1e-12)
    assert second_eigenvalue(np.eye(4)) == pytest.approx(1)
    assert second_eigenvalue(np.array([[0.0, 1.0], [1.0, 0.0]])) == pytest.approx(1)  # the eigenvalue is -1
    assert second_eigenvalue(np.eye(1)) == 0
    turn = np.roll(np.eye(3), 1, axis=1)  # not symmetric: (1 + w) / 2, w a third root of 1
    assert second_eigenvalue((turn + np.eye(3)) / 2) == pytest.approx(0.5)


def test_large_matrices_take_another_road_to_the_same_eigenvalue(monkeypatch):
    weights = (graph("random", 60, 1) / 60).tolil()
    weights.setdiag(1 - np.asarray(weights.sum(axis=1)).reshape(-1))
    exact = np.sort(np.abs(np.linalg.eigvalsh(weights.toarray())))[-2]
    assert second_eigenvalue(weights) == pytest.approx(exact, rel=1e-12)
    monkeypatch.setattr(graphs, "DENSE", 10)
    assert second_eigenvalue(weights) == pytest.approx(exact, rel=1e-8)


def test_a_graph_in_parts_says_who_is_cut_off_and_goes_on_if_asked():
    parts = sparse.block_diag([np.ones((4, 4)), np.ones((2, 2)), np.ones((1, 1))], format="csr")
    with pytest.raises(InputError, match=r"3 parts, and agents 4, 5, 6 are cut off.*connected=False"):
        graph(parts, 7)
    assert graph(parts, 7, connected=False).nnz == 12 + 2
    with pytest.raises(InputError, match=r"agents 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, \.\.\. \(29 in all\)"):
        graph(np.eye(30), 30)


@pytest.mark.parametrize(
    ("spec", "match"),
    [
        ("rign", "unknown graph 'rign'; did you mean 'ring'.*or links as in"),
        ("0-1 1-3", "links agent 3; there are 3, 0 to 2"),
        ("0-1 1-", "unknown graph"),
        ("0-1", "agents 2 are cut off"),
        (np.ones((3, 4)), r"shape \(3, 4\)"),
        (np.ones((4, 4)), "is one of 4 agents; there are 3"),
        (np.array([[0, 1, 0], [1, 0, 1], [0, 2, 0]]), r"not symmetric: \(1, 2\) is 1 and \(2, 1\) is 2"),
        (sparse.csr_array(np.full((3, 3), np.nan)), "not finite"),
        (np.full((3, 3), 1j), "real numbers"),
        (networkx.DiGraph([(0, 1), (1, 2)]), "to_undirected"),
        (networkx.path_graph(5), "is one of 5 agents"),
        (None, "a sparse matrix, a graph of NetworkX or a name"),
        (np.ones(3), "a sparse matrix"),
    ],
)
def test_what_is_no_graph_of_three_agents(spec, match):
    with pytest.raises(InputError, match=match):
        graph(spec, 3)


def test_bad_numbers():
    with pytest.raises(InputError, match="number of agents is 0"):
        graph("ring", 0)
    with pytest.raises(InputError, match="rng of the graph is -1"):
        graph("random", 10, -1)


def test_without_networkx_random_graphs_say_what_to_install(monkeypatch):
    def missing(name, package=None):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(importlib, "import_module", missing)
    for name in ("small-world", "random"):
        with pytest.raises(InputError, match=r"pip install 'mfgsolve\[graphs\]'"):
            graph(name, 20)
    assert graph("ring", 20).nnz == 40


def test_bad_luck_ends_with_a_sentence(monkeypatch):
    monkeypatch.setattr(graphs, "TRIES", 3)
    monkeypatch.setattr(networkx, "is_connected", lambda drawn: False)
    with pytest.raises(InputError, match="no connected random graph of 20 agents in 3 draws"):
        graph("random", 20)
