"""The command on tasks of societies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import refused, run


def test_the_command_tells_the_numbers_in_order(folder: Path) -> None:
    words = ["learn", "auction-chain", "--learner", "society", "--mechanism", "credit-conserving", "--rng", 3]
    facts = json.loads(run(*words, "--episodes", 2000, "--json", "-o", "s.nc", "--plot", "s.png").stdout)
    assert list(facts)[3:7] == ["bid_error", "optimal_states", "credit_error", "return"]
    assert facts["bid_error"] < 1e-3
    assert facts["options"]["mechanism"] == "credit-conserving"
    assert Path("s.png").stat().st_size > 1000
    assert json.loads(run("show", "s.nc", "--json").stdout)["bid_error"] == facts["bid_error"]
    alone = json.loads(run(*words, "--solitary", "--json").stdout)
    assert alone["bid_error"] > 0.3
    assert [each["code"] for each in alone["warnings"]] == ["sold-below-worth"]


def test_a_society_learns_a_game_from_the_command(folder: Path) -> None:
    words = ["--shape", 5, "--steps", 4, "--learner", "society-play", "--episodes", 60, "--mechanism", "vickrey"]
    facts = json.loads(run("learn", "beach-bar", *words, "--solitary", "--json").stdout)
    assert facts["relative_exploitability"] < 0.1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--mechanism", "vickry"], "did you mean 'vickrey'"),
        (["--option", "bids=exp4"], "did you mean 'exp3'"),
        (["--option", "initial=2"], "bids lie from 0 to 1"),
        (["--set", "discount=1"], "above 0 and below 1"),
    ],
)
def test_bad_input_is_a_sentence_and_nothing_is_written(folder: Path, words: list[str], sentence: str) -> None:
    assert sentence in refused("learn", "auction-chain", *words, "-o", "s.nc")
    assert not Path("s.nc").exists()
