"""What subcommands do with statements that are no games."""

from __future__ import annotations

import json

import pytest
from command_line import refused, run
from toy_statements import Root, known

import mfgsolve as mfg


@pytest.fixture(autouse=True)
def toys(monkeypatch):
    known(monkeypatch)


def test_the_command_solves_keeps_shows_and_tabulates(tmp_path):
    file, table = tmp_path / "root.nc", tmp_path / "root.csv"
    facts = json.loads(
        run("solve", "toy-root", "--set", "square=9", "-o", file, "--table", table, "--tol", "1e-3", "--json").stdout
    )
    assert facts["root"] == pytest.approx(3, rel=1e-3)
    assert facts["tol"] == 1e-3
    assert facts["files"] == [str(file), str(table)]
    assert table.read_text().startswith("place,step\n")
    assert json.loads(run("show", file, "--json").stdout) == {k: v for k, v in facts.items() if k != "files"}
    text = run("show", file, "--check").stdout
    assert "The relative exploitability is at or below the tolerance." in text
    assert "made" in text
    assert run("table", file).stdout == table.read_text()
    run("solve", "toy-root", "--max-iterations", "1", code=3)


def test_the_command_refuses_what_is_of_games(tmp_path):
    assert "--shape is of games, and toy-root is a root" in refused("solve", "toy-root", "--shape", "3x3")
    assert "unknown parameter of toy-root 'cube'; allowed: square; write --set" in refused("solve", "toy-root", "--set", "cube=1")
    assert "a root, and a game is needed" in refused("convergence", "toy-root")
    assert "a root, and a game is needed" in refused("write", "toy-root")
    assert "--trips is of files that state a network" in refused("solve", "left-right", "--trips", "a.tntp")
    assert "--table is of road networks" in refused("solve", "left-right", "--table", "a.csv")
    file = tmp_path / "a.root"
    file.write_text("nothing")
    assert "holds no number" in refused("solve", file)
    answer = mfg.solve(Root()).save(tmp_path / "root.nc")
    assert "leave them out" in refused("table", answer, "--times", "0")
