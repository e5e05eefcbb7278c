"""Networks of learners: who hears whom, what they tell each other, by hand; what is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pytest
from scipy import sparse

from mfgsolve.errors import InputError
from mfgsolve.learners.communication import (
    LOOSE,
    Network,
    check_network,
    checked_course,
    checked_links,
)
from mfgsolve.parts.combine import Combine
from mfgsolve.parts.graphs import graph


@dataclass(frozen=True)
class Talking:
    agents: int = 6
    seed: int = 0
    shared: bool = False
    graph: object = field(default="none", metadata=LOOSE)
    hops: int = 1
    combine: str = "episodes"
    connected: bool = True

    name: ClassVar[str] = "talking"

    def __post_init__(self):
        check_network(self)


def lists(first, who):
    return [who[a:b].tolist() for a, b in pairwise(first)]


def test_agents_hear_those_within_some_hops_in_order():
    assert lists(*Network.of(Talking(graph="ring")).heard) == [
        [0, 1, 5], [0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5], [0, 4, 5],
    ]  # fmt: skip
    assert lists(*Network.of(Talking(graph="ring", hops=2)).heard)[0] == [0, 1, 2, 4, 5]
    for nobody in (Talking(), Talking(graph="ring", hops=0), Talking(graph="ring", combine="diffusion")):
        assert lists(*Network.of(nobody).heard) == [[k] for k in range(6)]
    for everybody in (Talking(graph="all"), Talking(graph="ring", hops=3), Talking(graph="grid", hops=50)):
        assert lists(*Network.of(everybody).heard) == [list(range(6))] * 6
    assert Network.of(Talking(shared=True)) is None


def test_diffusion_takes_metropolis_means_of_values_and_leaves_counts():
    network = Network.of(Talking(graph="ring", hops=2, combine="diffusion"))
    values, counts = np.random.default_rng(0).normal(size=(6, 3, 2)), np.arange(6)
    told, kept = network.told([values, counts], never)
    far = graph("ring", 6) @ graph("ring", 6) + graph("ring", 6)
    np.testing.assert_allclose(told, Combine(6, far)(values), atol=1e-15)
    assert kept is counts
    alone = Network.of(Talking(combine="diffusion")).told([values], never)[0]
    assert alone.tobytes() == values.tobytes()


def never():
    raise AssertionError("nobody asks what agents expect")


def test_agents_follow_the_best_they_hear():
    network = Network.of(Talking(graph="ring", combine="adoption"))
    returns = np.array([0.0, 3.0, 1.0, 1.0, 1.0, 3.0])
    np.testing.assert_array_equal(network.best(returns), [1, 1, 1, 3, 5, 5])  # 0 hears 1 and 5 alike; 3 stays
    tables = [np.arange(6.0), np.arange(6) * 10]
    told = network.told(tables, lambda: returns)
    np.testing.assert_array_equal(told[0], [1, 1, 1, 3, 5, 5])
    np.testing.assert_array_equal(told[1], [10, 10, 10, 30, 50, 50])
    same = network.told(tables, lambda: np.zeros(6))
    assert same[0] is tables[0]
    episodes = Network.of(Talking(graph="ring")).told(tables, never)
    assert episodes[0] is tables[0]


def test_a_matrix_becomes_a_text_that_files_hold_and_links_of_a_file_are_taken():
    path = sparse.diags_array([np.ones(5), np.ones(5)], offsets=[1, -1])
    made = Talking(graph=path)
    assert made.graph == "0-1 1-2 2-3 3-4 4-5"
    network = Network.of(made)
    assert network.pairs.tolist() == [[0, 1], [1, 2], [2, 3], [3, 4], [4, 5]]
    assert Network.of(Talking()).pairs is None
    other = Network.of(Talking(graph="ring"), network.pairs)  # a file's own graph, whatever would be drawn now
    assert (other.links != network.links).nnz == 0
    assert Talking(graph=np.zeros((6, 6)), connected=False).graph == "none"


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"graph": "rign"}, "did you mean 'ring'"),
        ({"graph": np.ones((4, 4))}, "is one of 4 agents; there are 6"),
        ({"graph": "0-1 2-3 4-5"}, "falls into 3 parts, and agents 2, 3, 4, 5 are cut off"),
        ({"graph": "0-9"}, "links agent 9; there are 6"),
        ({"hops": -1}, r"hops of talking is -1; 0 \(oneself alone\)"),
        ({"hops": 1.5}, "hops of talking is 1.5; a whole number"),
        ({"combine": "diffuse"}, "combine of talking 'diffuse'; did you mean 'diffusion'"),
        ({"shared": True, "graph": "ring"}, "graph of talking is 'ring', and agents share one table.*shared=False"),
        ({"shared": True, "graph": np.ones((6, 6))}, "graph of talking is a ndarray, and agents share one table"),
        ({"shared": True, "hops": 2}, "hops of talking is 2, and agents share"),
        ({"shared": True, "combine": "adoption"}, "combine of talking is 'adoption', and agents share"),
        ({"shared": True, "connected": False}, "connected of talking is False, and agents share"),
        ({"shared": 1}, "shared of talking is 1; True or False"),
        ({"connected": "no"}, "connected of talking is 'no'; True or False"),
    ],
)
def test_what_is_no_network(options, match):
    with pytest.raises(InputError, match=match):
        Talking(**options)
    assert Talking(graph="0-1 2-3 4-5", connected=False).hops == 1


def test_what_no_learner_wrote():
    for pairs in (np.zeros((2, 3), dtype=int), np.zeros((2, 2)), np.array([[0, 6]]), np.array([[-1, 2]])):
        with pytest.raises(ValueError, match="links"):
            checked_links(pairs, 6)
    checked_links(np.array([[0, 5]]), 6)
    checked_links(None, 6)
    for apart in (np.zeros((2, 2)), np.zeros(5), np.array([-1.0])):
        with pytest.raises(ValueError, match="differed"):
            checked_course(apart, 3)
    checked_course(np.zeros(4), 3)
    checked_course(None, 3)
