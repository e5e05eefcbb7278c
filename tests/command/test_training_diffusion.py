"""The command `learn` on tasks whose agents diffuse what they learn: numbers in their order, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

from command_line import refused, run

TOLD = ["mean_return", "own_return", "return_spread", "independent_return", "centralised_return", "disagreement",
        "second_eigenvalue"]  # fmt: skip


def test_the_command_prints_numbers_in_their_order(folder: Path):
    facts = json.loads(
        run("learn", "slippery-chains", "--learner", "diff-dac", "--graph", "ring", "--agents", 9, "--rng", 7,
            "--episodes", 100, "--json").stdout
    )  # fmt: skip
    assert list(facts)[:10] == ["task", "learner", "status", *TOLD]
    assert facts["options"]["graph"] == "ring"
    few = run("learn", "cart-pole-family", "--graph", "ring", "--agents", 3, "--set", "tasks=3", "--episodes", 2,
              "--option", "hidden=4", "--json", "--plot", "p.png").stdout  # fmt: skip
    assert list(json.loads(few))[3:10] == TOLD
    assert Path("p.png").stat().st_size > 1000
    message = refused("learn", "cart-pole-family", "--agents", 5, "-o", "t.nc")
    assert "8 tasks, and there are 5 agents" in message
    assert not Path("t.nc").exists()
