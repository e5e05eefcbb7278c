"""The command on tasks of societies."""

from __future__ import annotations

import json

import pytest
from commands import run


def test_the_command_tells_the_numbers_in_order(tmp_path):
    picture, file = tmp_path / "s.png", tmp_path / "s.nc"
    done = run("learn", "auction-chain", "--learner", "society", "--mechanism", "credit-conserving", "--rng", "3",
               "--episodes", "2000", "--json", "-o", str(file), "--plot", str(picture))  # fmt: skip
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert list(facts)[3:7] == ["bid_error", "optimal_states", "credit_error", "return"]
    assert facts["bid_error"] < 1e-3
    assert facts["options"]["mechanism"] == "credit-conserving"
    assert picture.stat().st_size > 0
    shown = run("show", str(file), "--json")
    assert json.loads(shown.stdout)["bid_error"] == facts["bid_error"]
    alone = run("learn", "auction-chain", "--mechanism", "credit-conserving", "--solitary", "--json")
    assert json.loads(alone.stdout)["bid_error"] > 0.3
    assert json.loads(alone.stdout)["warnings"][0]["code"] == "sold-below-worth"


def test_a_society_learns_a_game_from_the_command():
    done = run("learn", "beach-bar", "--shape", "5", "--steps", "4", "--learner", "society-play", "--episodes", "60",
               "--mechanism", "vickrey", "--solitary", "--json")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["relative_exploitability"] < 0.1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--mechanism", "vickry"], "did you mean 'vickrey'"),
        (["--option", "bids=exp4"], "did you mean 'exp3'"),
        (["--option", "initial=2"], "bids lie from 0 to 1"),
        (["--set", "discount=1"], "above 0 and below 1"),
    ],
)
def test_bad_input_is_a_sentence_and_nothing_is_written(tmp_path, words, sentence):
    file = tmp_path / "s.nc"
    done = run("learn", "auction-chain", *words, "-o", str(file))
    assert done.exit_code == 2
    assert sentence in done.output.replace("\n", " ") or sentence in " ".join(done.output.split())
    assert not file.exists()
