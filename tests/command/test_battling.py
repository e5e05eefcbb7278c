"""The command `faceoff`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("magent2", reason="MAgent2 is not installed; it comes with: pip install 'mfgsolve[magent2]'")

from command_line import refused, run

from mfgsolve.command.battling import Games
from mfgsolve.tasks import Training, load_training

TRAIN = ("--set", "size=10", "--agents", 3, "--episodes", 2, "--set", "max_steps=20")
QUICK = [word for pair in ("worlds=2", "hidden=8", "batch=32", "memory=2") for word in ("--option", pair)]


@pytest.mark.slow
def test_faceoffs_are_played_told_drawn_and_watched(folder: Path) -> None:
    for name in ("il", "mfq"):
        run("learn", "multi-team-battle", "--learner", name, *TRAIN, *QUICK, "-o", f"{name}.nc")
    words = ("faceoff", "il.nc", "mfq.nc", "--games", 4, "--rng", 1, "-o", "f.nc", "--plot", "f.png")
    text = run(*words).stdout
    assert "Wrote f.nc and f.png." in text
    assert "won " in text
    facts = json.loads(run("show", "f.nc", "--json").stdout)
    assert list(facts["algorithms"]) == ["il", "mfq"]
    one = facts["algorithms"]["il"]
    assert one["games"] == 4
    assert one["low"] <= one["win_rate"] <= one["high"]
    assert sum(each["wins"]["il"] for each in facts["seatings"]) == one["wins"]
    assert facts["seatings"][0]["seats"] == {"a": "il", "b": "mfq", "c": "il", "d": "mfq"}
    again = json.loads(run("faceoff", "il.nc", "mfq.nc", "--games", 4, "--rng", 1, "--json").stdout)
    assert again == facts
    assert run("plot", "f.nc", "-o", "again.svg").stdout == "Wrote again.svg.\n"
    assert run("animate", "f.nc", "-o", "battle.gif", "--frames", 3).stdout == "Wrote battle.gif.\n"
    assert "face-off of 4 groups" in refused("faceoff", "il.nc", "-o", "g.nc")
    assert "give them once" in refused("learn", "multi-team-battle", *TRAIN, "--set", "agents=4", "-o", "other.nc")
    run("learn", "multi-team-battle", "--learner", "il", "--set", "size=12", *TRAIN[2:], *QUICK, "-o", "large.nc")
    assert "the same game and the same sizes" in refused("faceoff", "il.nc", "large.nc", "-o", "g.nc")
    assert not Path("g.nc").exists()


def test_bad_files_and_a_missing_engine_lose_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("learn", "multi-team-battle", "--learner", "il", *TRAIN, *QUICK, "-o", "il.nc")
    held = Path("il.nc").read_bytes()
    dataset = load_training("il.nc").dataset
    Training(dataset.drop_vars("weights")).save("bare.nc")
    assert "5 files came to a face-off of 4 groups" in refused("faceoff", *["il.nc"] * 5, "-o", "f.nc")
    assert "holds no weights" in refused("faceoff", "il.nc", "bare.nc", "-o", "f.nc")
    signed = ("learn", "hidden-sign-battle", "--set", "size=10", "--agents", 3, "--episodes", 2, *QUICK)
    run(*signed, "--option", "shuffled=true", "-o", "sign.nc")
    assert json.loads(run("show", "sign.nc", "--json").stdout)["options"]["shuffled"] == 1
    assert "hidden-sign-battle, which nobody wins" in refused("faceoff", "sign.nc", "sign.nc", "-o", "f.nc")
    monkeypatch.setitem(sys.modules, "magent2", None)
    for words in (("learn", "multi-team-battle", "-o", "il.nc"), ("faceoff", "il.nc", "il.nc", "-o", "f.nc")):
        assert "pip install 'mfgsolve[magent2]'" in refused(*words)
    assert not Path("f.nc").exists()
    assert Path("il.nc").read_bytes() == held


def test_files_that_are_no_trainings_are_told(folder: Path) -> None:
    assert "does not exist" in refused("faceoff", "a.nc", "b.nc")
    assert "--rng is -1" in refused("faceoff", "a.nc", "b.nc", "--rng", -1)


def test_the_live_line_counts_games() -> None:
    line = Games(24)
    line.ticked(12, 48)
    assert line.share() == 0.25
    assert next(iter(line.texts()))[0] == "12 of 48 games"
