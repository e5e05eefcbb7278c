"""Files of the format TNTP: what is read, and every trap in a sentence."""

from __future__ import annotations

import re

import pytest

import mfgsolve as mfg
from mfgsolve.roads import tntp

NET = """<NUMBER OF ZONES> 2
<NUMBER OF NODES> 4
<FIRST THRU NODE> 1
<NUMBER OF LINKS> 5
<ORIGINAL HEADER>~ \tInit node \tTerm node \t;
<END OF METADATA>


~\tinit_node\tterm_node\tcapacity\tlength\tfree_flow_time\tb\tpower\tspeed\ttoll\tlink_type\t;
\t1\t3\t1\t2\t1\t1\t1\t0\t0\t1\t;
\t1\t4\t1\t2\t5\t0.2\t1\t0\t3\t1\t;
\t3\t2\t1\t2\t5\t0.2\t1\t0\t0\t1\t;
\t4\t2\t1\t2\t1\t1\t1\t0\t0\t1\t;
\t3\t4\t1\t2\t1\t1\t1\t0\t0\t1\t;
"""
TRIPS = """<NUMBER OF ZONES> 2
<TOTAL OD FLOW> 6.5
<END OF METADATA>

Origin \t1
    1 :      0.5;     2 :    6.0;
"""


def network(tmp_path, net=NET, trips=TRIPS, **options):
    (tmp_path / "small_net.tntp").write_text(net)
    (tmp_path / "small_trips.tntp").write_text(trips)
    return mfg.RoadNetwork.from_tntp(tmp_path / "small_net.tntp", tmp_path / "small_trips.tntp", **options)


def codes(made):
    return {each.code: each.sentence for each in made.cautions}


def test_a_network_is_what_its_files_say(tmp_path):
    made = network(tmp_path)
    assert made.name == "small"
    assert made.nodes == (1, 2, 3, 4)
    assert made.source == "files small_net.tntp, small_trips.tntp"
    assert list(made.toll) == [0, 3, 0, 0, 0]
    assert made.demand.vehicles == [6.0]
    assert "0.5 stays within its node" in codes(made).pop("roads-intrazonal")
    assert set(codes(made)) == {"roads-intrazonal"}
    answer = mfg.solve(made, check="ignore")
    assert [each.code for each in answer.warnings] == ["roads-intrazonal"]
    assert answer.converged


def test_toll_and_length_count_by_their_weights(tmp_path):
    made = network(tmp_path, toll=2.0, distance=0.25)
    assert list(made.fixed[0]) == [0.5, 6.5, 0.5, 0.5, 0.5]
    with pytest.raises(mfg.InputError, match="weight of toll is -1"):
        network(tmp_path, toll=-1.0)


def test_columns_in_another_order_are_read_by_their_names(tmp_path):
    head = "~\tterm_node\tinit_node\tfree_flow_time\tb\tpower\tcapacity\t;\n"
    body = "2\t1\t7\t0.15\t4\t9\t;\n"
    made = network(tmp_path, NET[: NET.index("~\tinit")].replace("LINKS> 5", "LINKS> 1") + head + body)
    assert (made.tail[0], made.head[0]) == (0, 1)
    assert made.costs.time(made.costs.capacity)[0] == pytest.approx(7 * 1.15)


def test_the_order_is_the_usual_one_where_the_names_are_not_known():
    assert tntp._order(["~ what somebody wrote"]) == tntp.ORDER
    assert tntp._order([]) == tntp.ORDER
    spaced = "~ \tTail\tHead\tCapacity (veh/h)\tLength (ft)\tFree Flow Time (min)\tB\tPower\t;"
    assert tntp._order([spaced]) == ("from", "to", "capacity", "length", "free_time", "b", "power")


def test_no_path_goes_through_a_centroid(tmp_path):
    shut = NET.replace("<FIRST THRU NODE> 1", "<FIRST THRU NODE> 3")
    two = shut.replace("\t3\t2\t1", "\t1\t2\t1")  # 1 -> 3 -> 4 -> 2, and 1 -> 2 directly
    assert mfg.solve(network(tmp_path, two), check="ignore").converged
    blocked = NET.replace("<FIRST THRU NODE> 1", "<FIRST THRU NODE> 5")
    with pytest.raises(mfg.InputError, match=r"no path leads from origin to destination for 1 -> 2 .*centroids"):
        network(tmp_path, blocked)
    assert "no <FIRST THRU NODE>" in codes(network(tmp_path, NET.replace("<FIRST THRU NODE> 1\n", "")))["roads-through"]


@pytest.mark.parametrize(
    ("old", "new", "code", "sentence"),
    [
        ("<NUMBER OF LINKS> 5", "<NUMBER OF LINKS> 7", "roads-links", "declares 7 links, and holds 5"),
        ("\t1\t;\n\t1\t4", "\t1\n\t1\t4", "roads-semicolons", "1 of 5 rows of network .* end without a semicolon"),
        ("\t1\t2\t1\t1\t1\t0\t0\t1\t;", "\t1\t2\t0\t1\t1\t0\t0\t1\t;", "roads-free", "time is 0 on link 1 -> 3"),
        ("\t1\t2\t1\t1\t1\t0\t0\t1\t;", "\t1\t2\t1\t1\t0\t0\t0\t1\t;", "roads-flat", "power is 0 on link 1 -> 3"),
        ("\t1\t2\t1\t1\t1\t0\t0\t1\t;", "\t0\t2\t1\t0\t1\t0\t0\t1\t;", "roads-not-unique", "not depend on its"),
        ("\t3\t4\t1\t2", "\t3\t3\t1\t2", "roads-rings", "begins and ends at one node"),
    ],
)  # fmt: skip
def test_what_is_odd_is_said(tmp_path, old, new, code, sentence):
    assert old in NET
    made = network(tmp_path, NET.replace(old, new, 1))
    assert re.search(sentence, codes(made)[code])
    assert mfg.solve(made, check="ignore").converged


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("\t1\t3\t1\t2\t1\t1\t1", "\t1\t3\t0\t2\t1\t1\t1", "capacity is 0 on link 1 -> 3 .number 1., whose time"),
        ("\t1\t3\t1\t2\t1\t1\t1", "\t1\t3\t1\t2\t-1\t1\t1", "free-flow time is negative, -1, on link 1 -> 3"),
        ("\t1\t3\t1\t2\t1\t1\t1", "\t1\t3\t1\t2\t1\t1\t0.5", "power is between 0 and 1 on link 1 -> 3"),
        ("\t1\t3\t1\t2\t1\t1\t1", "\t1\t3\t1\t2\tfast\t1\t1", "line 10: free_time is 'fast'; a number is needed"),
        ("\t1\t3\t1\t2\t1\t1\t1", "\t1\t3\t1\t2\tnan\t1\t1", "free-flow time is not a finite number"),
        ("\t1\t3\t1\t2\t1\t1\t1\t0\t0\t1\t;", "\t1\t3\t1;", "line 10: 3 numbers; from, to, capacity"),
        ("\t1\t3\t1\t2", "\t1.5\t3\t1\t2", "line 10: the from node is 1.5"),
        ("\t1\t3\t1\t2", "\t1\t9\t1\t2", "declares 4 nodes, and has links at node 9"),
        ("\t3\t2\t1\t2\t5", "\t2\t3\t1\t2\t5", None),
        ("<NUMBER OF NODES> 4", "<NUMBER OF NODES> many", "<NUMBER OF NODES> is 'many'"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(tmp_path, old, new, sentence):
    assert old in NET
    text = NET.replace(old, new, 1)
    if sentence is None:  # still reached over 4
        assert mfg.solve(network(tmp_path, text), check="ignore").converged
        return
    with pytest.raises(mfg.InputError, match=sentence):
        network(tmp_path, text)


@pytest.mark.parametrize(
    ("trips", "sentence"),
    [
        (TRIPS.replace("2 :    6.0", "2 :    many"), "line 6: trips to 2 are 'many'"),
        (TRIPS.replace("2 :    6.0", "2 :    -6"), "line 6: trips to 2 are -6.0; at least 0"),
        (TRIPS.replace("2 :    6.0", "7 :    6.0"), "line 6: zone 7, and the network has the zones 1 to 2"),
        (TRIPS.replace("2 :    6.0", "2 6.0"), "line 6: '2 6.0' is no entry"),
        (TRIPS.replace("Origin \t1\n", ""), "trips stand before the first 'Origin'"),
        (TRIPS.replace("6.0", "0.0"), "demand of the network is empty"),
        (TRIPS.replace("<TOTAL OD FLOW> 6.5", "<TOTAL OD FLOW> some"), "<TOTAL OD FLOW> is 'some'"),
        ("<NUMBER OF ZONES> 2\n", "holds no rows"),
    ],
)
def test_trips_that_cannot_be_are_refused(tmp_path, trips, sentence):
    with pytest.raises(mfg.InputError, match=sentence):
        network(tmp_path, trips=trips)


def test_totals_zones_and_double_pairs_are_compared(tmp_path):
    assert "declares a total of 9, and its trips add up to 6.5" in codes(
        network(tmp_path, trips=TRIPS.replace("6.5", "9"))
    )["roads-total"]  # fmt: skip
    assert "declares 3 zones, and the network 2" in codes(
        network(tmp_path, trips=TRIPS.replace("ZONES> 2", "ZONES> 3"))
    )["roads-zones"]  # fmt: skip
    twice = network(tmp_path, trips=TRIPS.replace("2 :    6.0;", "2 : 4.0; 2 : 2.0"))
    assert "1 pairs of trips" in codes(twice)["roads-twice"]
    assert twice.demand.vehicles == [6.0]


def test_pairs_that_nothing_leads_to_are_named(tmp_path):
    trips = TRIPS + "Origin 2\n 1 : 2.0;\n"
    with pytest.raises(mfg.InputError, match=r"no path leads .* for 2 -> 1 \(a demand of 2\); add links"):
        network(tmp_path, trips=trips.replace("6.5", "8.5"))


def test_places_of_nodes_and_missing_files(tmp_path):
    nodes = tmp_path / "small_node.tntp"
    nodes.write_text("Node\tX\tY\t;\n1\t0\t0\t;\n2\t2\t0\t;\n3\t1\t1\t;\n4\t1\t-1\t;\n")
    made = network(tmp_path, nodes=nodes)
    assert made.places.tolist() == [[0, 0], [2, 0], [1, 1], [1, -1]]
    nodes.write_text("1 0 0\n2 2 0\n")
    made = network(tmp_path, nodes=nodes)
    assert made.places is None
    assert "2 nodes have no coordinates" in codes(made)["roads-places"]
    nodes.write_text("1 0\n")
    with pytest.raises(mfg.FileError, match="line 1: '1 0'; node, x and y"):
        network(tmp_path, nodes=nodes)
    nodes.write_text("Node X Y\n")
    with pytest.raises(mfg.FileError, match="holds no places"):
        network(tmp_path, nodes=nodes)
    with pytest.raises(mfg.FileError, match=r"network .*none_net.tntp does not exist"):
        mfg.RoadNetwork.from_tntp(tmp_path / "none_net.tntp", tmp_path / "small_trips.tntp")
    (tmp_path / "bad_net.tntp").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(mfg.FileError, match="cannot be read as text"):
        mfg.RoadNetwork.from_tntp(tmp_path / "bad_net.tntp", tmp_path / "small_trips.tntp")


def test_classes_have_files_of_their_own(tmp_path):
    (tmp_path / "trucks.tntp").write_text("Origin 1\n2 : 1.5\n")
    network(tmp_path)
    made = mfg.RoadNetwork.from_tntp(
        tmp_path / "small_net.tntp", {"car": tmp_path / "small_trips.tntp", "truck": tmp_path / "trucks.tntp"},
        pce={"truck": 2.0},
    )  # fmt: skip
    assert made.demand.cars.tolist() == [6.0, 3.0]
    with pytest.raises(mfg.InputError, match="unknown class of drivers in pce 'lorry'"):
        mfg.RoadNetwork.from_tntp(
            tmp_path / "small_net.tntp", {"car": tmp_path / "small_trips.tntp"}, pce={"lorry": 2.0}
        )
