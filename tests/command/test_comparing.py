"""The command `compare`."""

from __future__ import annotations

import json
import re
from pathlib import Path

from command_line import refused, run

import mfgsolve as mfg


def test_convergence_compares_and_keeps(folder: Path) -> None:
    words = ["convergence", "rock-paper-scissors", "--set", "temperature=0.5", "--max-sweeps", 200]
    text = run(*words, "--solvers", "newton,fictitious-play", "-o", "conv.nc", "--plot", "conv.png").stdout
    assert re.search(r"^newton +\S+e-\d+  converged, ", text, re.M)
    assert "Wrote conv.nc and conv.png." in text
    facts = json.loads(run("show", "conv.nc", "--json").stdout)
    assert list(facts["solvers"]) == ["newton", "fictitious-play"]
    assert facts["solvers"]["newton"]["best"] <= 1e-10 < facts["solvers"]["fictitious-play"]["best"]
    assert "fictitious-play" in run("show", "conv.nc").stdout
    assert run("plot", "conv.nc", "-o", "again.svg").stdout == "Wrote again.svg.\n"
    suited = mfg.solvers.suited(mfg.problems.rock_paper_scissors(temperature=0.5))
    assert list(json.loads(run(*words, "--json").stdout)["solvers"]) == suited
    assert "did you mean 'newton'" in refused(*words, "--solvers", "neton")
    assert "--output conv.txt has the suffix" in refused(*words, "-o", "conv.txt")
