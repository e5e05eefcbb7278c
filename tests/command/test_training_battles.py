"""The command `learn` on battles: agents are the task's, groups are told, networks stay in the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import refused, run

pytest.importorskip("magent2", reason="MAgent2 is not installed; it comes with: pip install 'mfgsolve[magent2]'")

SMALL = ("--set", "size=10", "--set", "max_steps=20", "--agents", 3, "--option", "worlds=2", "--option", "hidden=8")


def test_learn_prints_writes_and_draws(folder: Path) -> None:
    out = run(
        "learn", "multi-team-battle", "--learner", "mfq", *SMALL, "--episodes", 4, "--rng", 1, "-o", "t.nc",
        "--plot", "t.png", "--json",
    )  # fmt: skip
    facts = json.loads(out.stdout)
    assert facts["parameters"] == {"size": 10, "agents": 3, "max_steps": 20}
    assert (facts["episodes"], facts["options"]["seed"], facts["blocks"]) == (4, 1, 2)
    assert 0 < facts["agent_steps"] <= 4 * 12 * 20
    assert facts["seconds"] > 0
    for group in "abcd":
        assert isinstance(facts[f"reward_{group}_first"], float)
        assert isinstance(facts[f"reward_{group}_last"], float)
    shown = json.loads(run("show", "t.nc", "--json").stdout)
    assert shown["reward_a_last"] == facts["reward_a_last"]
    assert Path("t.png").stat().st_size > 1000


def test_bad_input_is_refused(folder: Path) -> None:
    assert "do not fit on a map of size 6" in refused("learn", "multi-team-battle", "--set", "size=6", "--agents", 9)
    assert "agents of task multi-team-battle is 2.5" in refused("learn", "multi-team-battle", "--set", "agents=2.5")
    assert "it is no battle" in refused("learn", "slippery-chains", "--learner", "il")
