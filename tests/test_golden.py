"""Golden numbers: what is kept of a case, and what is told of two that differ."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import mfgsolve as mfg

FILE = Path(__file__).parent.parent / "benchmarks" / "golden.py"


@pytest.fixture(scope="module")
def golden():
    spec = importlib.util.spec_from_file_location("golden", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_named_problem_is_solved_by_every_solver_that_suits_it(golden):
    names = [name for name, _ in golden.cases()]
    assert len(set(names)) == len(names)
    for problem in mfg.problems.names("game"):
        assert f"solve {problem}" in names
        for method in mfg.solvers.suited(golden.build(problem)()):
            assert f"solve {problem} by {method}" in names


def test_a_bit_is_told_and_how_much_it_is(golden):
    one = np.array([1.0, 2.0, 3.0])
    other = one + [0.0, 0.0, 4.5e-16]
    assert golden.apart(golden.array(one), golden.array(one - 0.0)) is None
    assert "bits differ" in golden.apart(golden.array(one), golden.array(other))
    assert "shape" in golden.apart(golden.array(one), golden.array(one[:2]))
    assert "relative 2.2e-16" in golden.apart(golden.number(1.0), golden.number(1.0 + 2.0**-52))
    assert golden.apart(golden.number(float("nan")), golden.number(float("nan"))) is None
    assert golden.apart("converged", "stalled") == "converged -> stalled"


def test_what_is_missing_or_new_is_told(golden):
    before, now = {"a": {"x": "1"}, "b": {"y": "1"}}, {"a": {"x": "1", "z": "2"}, "c": {}}
    assert golden.differences(before, now) == ["a: z: new", "b: missing", "c: new"]


def test_compare_ends_with_1_where_anything_differs(golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    path = tmp_path / "golden.json"

    def run(task: str) -> int:
        monkeypatch.setattr("sys.argv", ["golden.py", task, str(path), "--only", "solve left-right by newton"])
        return golden.main()

    assert run("write") == 0
    assert run("compare") == 0
    stored = json.loads(path.read_text())
    case = stored["cases"]["solve left-right by newton"]
    case["potential"] = (float.fromhex(case["potential"]) + 1e-3).hex()
    path.write_text(json.dumps(stored))
    assert run("compare") == 1
    assert "solve left-right by newton: potential" in capsys.readouterr().out
