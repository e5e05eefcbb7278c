"""What the command says of games without a final time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import refused, run

import mfgsolve as mfg
from mfgsolve.command.report import solution_rows


@pytest.mark.parametrize(
    ("game", "words"),
    [
        ("ergodic", "ergodic, steps of 1"),
        ("invariant", "discounted by 0.9 a step, invariant population, steps of 1"),
    ],
)
def test_solve_show_and_plot(game: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "s.nc"
    done = run("solve", "bench-mfg-chain", "--set", f"game={game}", "-o", file, "--plot", tmp_path / "s.png")
    assert f"7 states, 3 actions, {words}" in done.stdout
    assert "per unit of time" in done.stdout
    assert ("... in all, discounted" in done.stdout) == (game == "invariant")
    shown = run("show", file)
    assert words in shown.stdout
    facts = json.loads(run("show", file, "--json").stdout)
    assert facts["steps"] is None
    assert facts["stationary"] == game
    assert facts["shape"] == [7]
    run("plot", file, "--kind", "policy", "-o", tmp_path / "p.png")
    assert "leave times out" in refused("plot", file, "-o", tmp_path / "p.png", "--times", "0")


def test_refusals() -> None:
    for arguments, words in (
        (("solve", "bench-mfg-chain", "--set", "time.discount=0.1"), "has no final time"),
        (("solve", "bench-mfg-chain", "--steps", "5"), "leave steps out"),
        (("solve", "bench-mfg-chain", "--solver", "admm"), "it has no final time"),
        (("refine", "bench-mfg-chain"), "refine is not for games without a final time"),
    ):
        assert words in " ".join(refused(*arguments).split())


def test_places_are_told_without_a_single_population_and_with_scenarios_apart():
    rows = dict(solution_rows(mfg.solve("braess-traffic")))
    assert rows["problem"] == "braess-traffic, 4 states, 2 actions, first-exit, steps of 1"
    news = dict(solution_rows(mfg.solve("late-news")))
    assert news["problem"] == "late-news, 3 scenarios, shape 5, 3 actions, 6 steps"
