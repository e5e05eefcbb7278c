"""Tables of links, nodes and trips: frames, files, mappings, rows, graphs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mfgsolve as mfg
from mfgsolve.roads.links import graph_links, label, links_of, nodes_of, trips_of

ROWS = [
    {"from": "a", "to": "b", "constant": 1.0, "slope": 0.5},
    {"from": "a", "to": "b", "constant": 2.0, "slope": 0.25},
]


def test_all_kinds_of_tables_are_the_same_network(tmp_path):
    frame = pd.DataFrame(ROWS)
    frame.to_csv(tmp_path / "links.csv", index=False)
    columns = {key: [row[key] for row in ROWS] for key in ROWS[0]}
    pd.DataFrame({"origin": ["a"], "destination": ["b"], "trips": [4.0]}).to_csv(tmp_path / "trips.csv", index=False)
    potentials = [
        mfg.solve(mfg.RoadNetwork.from_edges(edges, demand)).potential
        for edges, demand in (
            (ROWS, {("a", "b"): 4.0}), (frame, pd.DataFrame({"o": ["a"], "d": ["b"], "demand": [4.0]})),
            (columns, [{"origin": "a", "destination": "b", "demand": 4}]),
            (tmp_path / "links.csv", tmp_path / "trips.csv"), (str(tmp_path / "links.csv"), {"all": {("a", "b"): 4.0}}),
        )
    ]  # fmt: skip
    assert len(set(potentials)) == 1


def test_labels_agree_between_kinds_of_tables():
    assert [label(v) for v in (1, 1.0, np.int64(1), np.float64(1), "1", " 1 ")] == [1] * 6
    assert label("a1") == "a1"
    assert label(1.5) == 1.5


def test_a_graph_of_networkx_and_anything_like_it():
    class Graph:
        name = "like one"

        def __init__(self, directed):
            self.directed = directed

        def is_directed(self):
            return self.directed

        def edges(self, data):
            return [("a", "b", {"free_flow_time": 1.0, "capacity": 2.0})] if data else [("a", "b")]

        def nodes(self, data):
            return [("a", {"x": 0, "y": 1}), ("b", {"pos": (2, 3)})]

    assert graph_links(Graph(True)).start == ["a"]
    assert graph_links(Graph(False)).start == ["a", "b"]
    assert graph_links(Graph(True)).places == {"a": (0, 1), "b": (2, 3)}
    made = mfg.RoadNetwork.from_networkx(Graph(False), {("b", "a"): 2.0}, elastic=mfg.roads.Elastic(9.0))
    assert made.name == "like one"
    assert made.tail.size == 2
    with pytest.raises(mfg.InputError, match="unknown option of from_networkx 'tolls'; did you mean 'toll'"):
        mfg.RoadNetwork.from_networkx(Graph(True), {("a", "b"): 2.0}, tolls=1)
    with pytest.raises(mfg.InputError, match="got a dict; a graph of NetworkX is needed"):
        mfg.RoadNetwork.from_networkx({}, {("a", "b"): 2.0})


def test_a_real_graph_where_networkx_is_installed():
    networkx = pytest.importorskip("networkx")
    graph = networkx.MultiDiGraph()
    graph.add_edge(1, 2, constant=1.0, slope=1.0)
    graph.add_edge(1, 2, constant=2.0, slope=1.0)
    answer = mfg.solve(mfg.RoadNetwork.from_networkx(graph, {(1, 2): 3.0}))
    np.testing.assert_allclose(answer.dataset["flow"], [2, 1], rtol=1e-12)


@pytest.mark.parametrize(
    ("read", "source", "sentence"),
    [
        (links_of, {"from": ["a"], "too": ["b"]}, "unknown column 'to'; did you mean 'too'"),
        (links_of, {"from": ["a"], "to": ["b"], "tail": ["a"]}, "have the column from twice"),
        (links_of, {"from": ["a"], "to": ["b", "c"]}, "columns of different lengths"),
        (links_of, {"from": [], "to": []}, "are empty"),
        (links_of, {"from": ["a"], "to": ["b"], "b": ["x"]}, "b of the links, row 1, is 'x'"),
        (links_of, {"from": ["a"], "to": ["b"], "b": [np.inf]}, "row 1, is inf"),
        (links_of, 3, "links of a road network are a int"),
        (links_of, "links.txt", "a .csv file is needed"),
        (links_of, "none.csv", "none.csv does not exist"),
        (trips_of, {"a": 1.0}, "demand of a road network are a float"),
        (trips_of, {3: 1.0}, "has the key 3; pairs"),
        (nodes_of, {"a": 3}, r"pairs \(x, y\) by node"),
    ],
)
def test_what_is_no_table_is_refused(read, source, sentence):
    with pytest.raises(mfg.InputError, match=sentence):
        read(source)


def test_files_that_are_no_tables(tmp_path):
    file = tmp_path / "links.csv"
    for text, sentence in (("", "is empty"), ("from,to\na\n", "row 2: 1 values, and 2 columns"),
                           ("from,from\na,b\n", "names a column twice")):  # fmt: skip
        file.write_text(text)
        with pytest.raises(mfg.FileError, match=sentence):
            links_of(file)


def test_columns_that_are_not_read_and_double_pairs_are_said():
    made = mfg.RoadNetwork.from_edges(
        [{**ROWS[0], "colour": "red"}],
        [{"origin": "a", "destination": "b", "demand": 1}, {"origin": "a", "destination": "b", "demand": 2}],
    )
    assert {"roads-columns", "roads-twice"} <= {each.code for each in made.cautions}
    assert made.demand.vehicles == [3.0]


def test_classes_in_a_table():
    entries = trips_of({"origin": ["a", "a"], "destination": ["b", "b"], "demand": [1, 2], "class": ["car", "truck"]})
    assert entries == {"car": {("a", "b"): 1.0}, "truck": {("a", "b"): 2.0}}
    with pytest.raises(mfg.InputError, match="class x has classes of its own"):
        trips_of({"x": {"origin": ["a"], "destination": ["b"], "demand": [1], "class": ["car"]}})
    assert nodes_of({"node": ["a"], "lon": [1], "lat": [2]}) == {"a": (1.0, 2.0)}
