"""What the command prints: JSON, tables and sentences in what stdout and stderr can take."""

from __future__ import annotations

import io
import json
import math
import os

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.cautions import Caution
from mfgsolve.command import report, speaking
from mfgsolve.command.stored import checkpoint_facts, checkpoint_rows
from mfgsolve.problems import registry


@pytest.fixture(scope="module")
def solution() -> mfg.Solution:
    return mfg.solve(mfg.problems.beach_bar(shape=(6,), steps=4))


def test_json_says_null_for_what_is_no_number() -> None:
    given = {"a": math.nan, "b": [1.5, -math.inf, {"c": math.inf}], "d": "nan", "e": True, "f": 3}
    assert json.loads(report.json_text(given)) == {
        "a": None, "b": [1.5, None, {"c": None}], "d": "nan", "e": True, "f": 3,
    }  # fmt: skip


def test_tables_and_sentences_are_plain_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    report.say("a sentence " * 30, [("name", "value"), ("longer name", "[bold]x[/bold]")])
    lines = capsys.readouterr().out.split("\n")
    assert lines[:2] == ["name         value", "longer name  [bold]x[/bold]"]
    assert lines[2:] == [("a sentence " * 30).rstrip(), ""]  # never folded


def test_a_terminal_acts_on_nothing_that_users_named(capsys: pytest.CaptureFixture[str]) -> None:
    report.say(rows=[("\x1b[2Jname", "a\nb")])
    report.complain("no \x1b]0;title\x07 file")
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert "\x07" not in err
    assert out.count("\n") == 1
    assert err.startswith("Error: no ")


def test_characters_that_stdout_has_not(monkeypatch: pytest.MonkeyPatch) -> None:
    bytes_ = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(bytes_, "ascii"))
    report.write_out("1 \N{PLUS-MINUS SIGN} 2 m\N{SUPERSCRIPT TWO} \N{SNOWMAN}")
    assert bytes_.getvalue() == b"1 +- 2 m^2 ?"


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(28, os.strerror(28))

    monkeypatch.setattr("sys.stdout", Full())
    monkeypatch.setattr(speaking, "silence", lambda: None)
    with pytest.raises(mfg.FileError, match="standard output cannot be written: No space"):
        report.write_out("x")


def test_nothing_is_said_where_there_is_nothing_to_say_it_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    monkeypatch.setattr("sys.stderr", None)
    report.say("x")
    report.to_json({})
    report.complain("x")


def test_rows_of_a_solution_are_its_numbers(solution: mfg.Solution) -> None:
    rows, facts = dict(report.solution_rows(solution)), report.solution_facts(solution)
    assert facts | solution.summary() == facts
    assert rows["problem"] == "beach-bar, shape 6, 3 actions, 4 steps"
    assert rows["solver"] == "interior-point"
    assert float(rows["potential"]) == pytest.approx(solution.potential, rel=1e-14)
    assert rows["relative exploitability"] == f"{solution.relative_exploitability:.2e} (tol 1.00e-10)"
    assert rows["status"] == "converged"
    assert "at the speed cap" not in rows
    assert report.verdict(solution) == mfg.Status.CONVERGED.sentence
    assert not report.is_learned(solution)


def test_a_warning_has_its_code() -> None:
    assert report.told([Caution("steps", "Too few."), Caution("box", "Small.")]) == (
        "\nWarning (steps): Too few.\nWarning (box): Small."
    )


def test_what_is_no_checkpoint_is_told() -> None:
    with pytest.raises(mfg.FileError, match=r"checkpoint c\.nc misses or spoils .*iteration.*; it was not"):
        checkpoint_facts(xr.Dataset(), "c.nc")


def test_the_last_iteration_of_a_checkpoint() -> None:
    names = ("iteration", "sweeps", "seconds", "exploitability", "relative_exploitability", "potential", "duality_gap")
    data = {name: ("row", np.array([1.0, 2.0])) for name in names}
    data["iteration"] = ("row", np.array([4, 5]))
    data |= {"final_grid": ("row", np.array([0, 0])), "stage": ("row", np.array([0, 1]))}
    stored = xr.Dataset(data, attrs={"solver": "portfolio", "option_solvers": "newton,frank-wolfe", "tol": 1e-4})
    assert checkpoint_rows(stored, "c.nc") == [
        ("checkpoint of", "a frank-wolfe solve"),
        ("relative exploitability", "2.00e+00 on a coarser grid (tol 1.00e-04)"),
        ("work so far", "5 iterations, 2.0 sweeps, 2.00 s"),
    ]


def test_parameters_of_a_named_problem() -> None:
    rows = {option: default for option, default, _, _ in report.problem_columns(registry.get("supply-demand"))}
    assert rows["--shape"] == "x".join(str(n) for n in registry.get("supply-demand").resolution["shape"])
    assert {f"--set {name}" for name in registry.get("supply-demand").parameters} < set(rows)


def test_numbers_that_were_not_measured() -> None:
    assert report.short(math.nan) == report._exact(math.nan) == report._share(math.nan) == "not measured"
    assert (report._share(0.0), report._share(0.0312)) == ("0 %", "3.1 %")
