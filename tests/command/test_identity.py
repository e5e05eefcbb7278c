"""A line of JSON stands alone: the game, its parameters, the solver, the files, the version."""

from __future__ import annotations

import json
from pathlib import Path

from command_line import run

import mfgsolve as mfg
from mfgsolve.command.identity import comparison_identity, parameters_in, solution_identity


def test_a_line_tells_where_its_numbers_come_from(folder: Path) -> None:
    line = ("solve", "supply-demand", "--shape", "8x8", "--set", "viscosity=0.05", "--set", "reward=3")
    facts = json.loads(run(*line, "--json", "-o", "plan.nc").stdout)
    assert facts["problem"] == "supply-demand"
    assert (facts["parameters"]["reward"], facts["parameters"]["viscosity"]) == (3.0, 0.05)
    assert facts["parameters"]["dynamics"] == {"scheme": "entropic"}
    assert facts["shape"] == [8, 8]
    assert facts["steps"] == mfg.load("plan.nc").dataset.sizes["step"]
    assert (facts["solver"], facts["tol"], facts["status"]) == ("newton", 1e-10, "converged")
    assert facts["sentence"].startswith("The relative exploitability")
    assert facts["files"] == ["plan.nc"]
    assert facts["mfgsolve_version"] == mfg.__version__
    shown = json.loads(run("show", "plan.nc", "--json").stdout)
    assert {name: facts[name] for name in shown} == shown
    compared = json.loads(run("compare", "plan.nc", "--agents", "10", "--replicas", 2, "--json").stdout)
    assert compared["parameters"] == facts["parameters"]
    assert compared["shape"] == [8, 8]


def test_games_of_files_and_of_python(folder: Path) -> None:
    assert parameters_in("python") == {}
    assert parameters_in('name = "a"\n[time]\nhorizon = 2.0\n') == {"name": "a", "time": {"horizon": 2.0}}
    finite = mfg.solve(mfg.problems.braess())
    found = solution_identity(finite)
    assert (found["shape"], found["steps"]) == ([6], 3)
    data = mfg.compare(finite, agents=[2], replicas=2)
    assert comparison_identity(data)["shape"] == [6]
