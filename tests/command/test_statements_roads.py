"""Road networks on the command line: files in, flows, map and table out."""

from __future__ import annotations

import json

import pytest
from command_line import refused, run

NET = """<NUMBER OF ZONES> 2
<FIRST THRU NODE> 1
<END OF METADATA>
~\tinit_node\tterm_node\tcapacity\tlength\tfree_flow_time\tb\tpower\tspeed\ttoll\tlink_type\t;
\t1\t2\t4\t2\t1\t1\t1\t0\t0\t1\t;
\t1\t2\t4\t2\t2\t1\t1\t0\t1\t1\t;
\t2\t1\t4\t2\t2\t1\t1\t0\t0\t1\t;
"""


@pytest.fixture
def city(tmp_path):
    (tmp_path / "c_net.tntp").write_text(NET)
    (tmp_path / "c_trips.tntp").write_text("Origin 1\n 2 : 5.0;\n")
    (tmp_path / "c_node.tntp").write_text("Node X Y ;\n1 0 0 ;\n2 1 0 ;\n")
    return tmp_path


def test_a_city_is_solved_drawn_and_tabulated(city):
    out = city / "flows.nc", city / "map.png", city / "links.csv"
    facts = json.loads(run(
        "solve", city / "c_net.tntp", "--trips", city / "c_trips.tntp", "--nodes", city / "c_node.tntp",
        "-o", out[0], "--plot", out[1], "--table", out[2], "--set", "toll=0.1", "--json",
    ).stdout)  # fmt: skip
    assert facts["status"] == "converged"
    assert facts["files"] == [str(file) for file in out]
    assert facts["confirmed_gap"] < 1e-11
    assert len(out[2].read_text().splitlines()) == 4
    # 1 + x / 4 = 2 + (5 - x) / 2 + 0.1
    assert float(out[2].read_text().splitlines()[1].split(",")[5]) == pytest.approx(4.8, rel=1e-10)
    assert "confirmed_gap" in json.loads(run("show", out[0], "--json").stdout)
    assert "relative gap" in run("show", out[0]).stdout
    run("plot", out[0], "-o", city / "again.png")
    assert "'mfgsolve show' or 'plot'" in refused("export", out[0])


def test_the_social_optimum_and_limits(city):
    words = "solve", city / "c_net.tntp", "--trips", city / "c_trips.tntp"
    assert "social" in run(*words, "--objective", "social").stdout
    assert "iteration limit" in run(*words, "--max-iterations", "0", "--tol", "1e-15", code=3).stdout
    run(*words, "-q")
    run(*words, "-v")


def test_what_cannot_be_is_one_sentence(city):
    net, trips = city / "c_net.tntp", city / "c_trips.tntp"
    assert "has no trips beside it" in refused("solve", net)
    assert "--steps is of games, and c is a road network; leave it out" in refused("solve", net, "--trips", trips, "--steps", "4")
    assert "did you mean 'toll'" in refused("solve", net, "--trips", trips, "--set", "tol=1")
    trips.write_text("Origin 2\n 1 : x;\n")
    assert "line 2: trips to 1 are 'x'" in refused("solve", net, "--trips", trips)
    assert "does not exist" in refused("solve", city / "none_net.tntp", "--trips", trips)


def test_warnings_stand_beside_it_and_strict_counts_them(city):
    trips = city / "c_trips.tntp"
    trips.write_text("Origin 1\n 2 : 5.0; 1 : 2.0;\n")
    words = "solve", city / "c_net.tntp", "--trips", trips
    assert "Warning (roads-intrazonal)" in run(*words).stdout
    run(*words, "--strict", code=3)
