"""mfgsolve learn: what it prints, writes and refuses, what an interrupt costs, and how a checkpoint goes on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from command_line import refused, run

import mfgsolve as mfg
from mfgsolve.command import arguments, preflight
from mfgsolve.command.progress import Episodes
from mfgsolve.files import read_dataset
from mfgsolve.learners import LEARNERS
from mfgsolve.solution.datasets import Measure

SHORT = ["learn", "beach-bar", "--agents", 50, "--episodes", 40]
KEYS = ["exploitability", "relative_exploitability", "density_distance", "episodes", "agent_steps", "seconds"]


def test_table_files_json_and_show(folder: Path) -> None:
    text = run(*SHORT, "--rng", 3, "-o", "learn.nc", "--plot", "learn.png").stdout
    assert re.search(r"^learner +mguni$", text, re.M)
    assert re.search(r"^learned by +50 agents, 40 episodes, 4\.00e\+04 agent-steps$", text, re.M)
    assert re.search(r"^distance to the solver's +total variation \S+ \(its relative exploitability \S+\)$", text, re.M)
    assert re.search(r"^relative exploitability +\S+$", text, re.M)  # there is no tolerance to tell
    assert "All episodes were played" in text
    assert text.endswith("Wrote learn.nc and learn.png.\n")
    assert (folder / "learn.png").read_bytes()[:4] == b"\x89PNG"
    facts = json.loads(run(*SHORT, "--rng", 3, "--json", "--threads", 1).stdout)
    assert (facts["status"], facts["learner"], facts["agents"]) == ("finished", "mguni", 50)
    assert (facts["episodes"], facts["agent_steps"]) == (40, 50 * 40 * 20)
    same = mfg.learn(mfg.problems.beach_bar(), agents=50, episodes=40, rng=3)
    assert facts["relative_exploitability"] == same.relative_exploitability
    assert facts["density_distance"] == same.dataset.attrs["density_distance"]
    data = mfg.load("learn.nc").dataset
    apart = 0.5 * abs(data["density"] - data["reference_density"]).sum("x").mean("time")
    assert facts["density_distance"] == pytest.approx(float(apart), rel=1e-12)
    shown = json.loads(run("show", "learn.nc", "--json").stdout)
    for key in set(facts) - {"seconds", "files", "created"}:
        assert shown[key] == facts[key], key
    assert set(KEYS) <= set(shown)
    assert re.search(r"^learned by +50 agents, 40 episodes", run("show", "learn.nc").stdout, re.M)


def test_another_learner_with_parameters_of_its_own() -> None:
    words = ["learn", "beach-bar", "--learner", "gmf-q", "--episodes", 60, "--json"]
    facts = json.loads(run(*words, "--checkpoint", "c.nc", "--plot", "learn.png").stdout)
    assert (facts["learner"], facts["agents"], facts["episodes"]) == ("gmf-q", 100, 60)
    assert facts["agent_steps"] == 100 * 60 * 20
    assert json.loads(run("show", "c.nc", "--json").stdout)["episode"] == 60
    again = json.loads(run("resume", "c.nc", "--json").stdout)
    assert again == facts | {key: again[key] for key in ("seconds", "files", "created")}


def test_another_seed_another_plan_and_settings_reach_the_game() -> None:
    words = [*SHORT, "--json", "--shape", "10", "--steps", "8", "--set", "aversion=2.0"]
    one, other = (json.loads(run(*words, "--rng", seed).stdout) for seed in (0, 1))
    assert one["agent_steps"] == 50 * 40 * 8
    assert one["exploitability"] != other["exploitability"]
    problem = mfg.problems.beach_bar(shape=(10,), steps=8, aversion=2.0)
    assert one["cost"] == mfg.learn(problem, agents=50, episodes=40).certificate.cost


def test_a_tolerance_ends_it_early() -> None:
    facts = json.loads(run("learn", "beach-bar", "--agents", 100, "--episodes", 2000, "--tol", 0.3, "--json").stdout)
    assert facts["status"] == "converged"
    assert facts["relative_exploitability"] <= 0.3
    assert facts["episodes"] < 2000


@pytest.mark.slow
def test_a_checkpoint_goes_on_to_the_same_plan(folder: Path) -> None:
    whole = json.loads(run(*SHORT, "--json", "-o", "whole.nc").stdout)
    first = run(*SHORT, "--max-seconds", 0, "--checkpoint", "half.nc", "-o", "first.nc", code=3).stdout
    assert re.search(r"^status +time limit$", first, re.M)
    assert mfg.load("first.nc").dataset["episodes"].values.tolist() == [1]
    text = run("show", "half.nc").stdout
    assert re.search(r"^checkpoint of +50 agents that learn \(mguni\)$", text, re.M)
    assert re.search(r"^work so far +1 of 40 episodes, ", text, re.M)
    assert "Go on with:  mfgsolve resume half.nc" in text
    facts = json.loads(run("show", "half.nc", "--json").stdout)
    assert (facts["episode"], facts["episodes"], facts["agents"]) == (1, 40, 50)
    parts = json.loads(run("resume", "half.nc", "-o", "parts.nc", "--plot", "parts.png", "--json").stdout)
    assert parts.pop("seconds") > 0
    assert parts.pop("files") == ["parts.nc", "parts.png"]
    assert parts.pop("created") > ""
    assert parts == {key: value for key, value in whole.items() if key not in ("seconds", "files", "created")}
    for name in ("density", "policy", "value", "exploitability", "episodes", "reference_density"):
        assert np.array_equal(mfg.load("whole.nc").dataset[name], mfg.load("parts.nc").dataset[name]), name
    again = json.loads(run("resume", "half.nc", "--json").stdout)  # nothing is left to do
    assert (again["status"], again["exploitability"]) == ("finished", whole["exploitability"])


def test_a_solver_goes_on_as_before() -> None:
    run("solve", "beach-bar", "--max-iterations", 1, "--checkpoint", "c.nc", code=3)
    facts = json.loads(run("resume", "c.nc", "--tol", 1e-4, "--json").stdout)
    assert facts["status"] == "converged"
    assert "episodes" not in facts


@pytest.mark.slow
def test_plot_draws_learning_and_plans(folder: Path) -> None:
    run(*SHORT, "-o", "learn.nc")
    run("plot", "learn.nc", "-o", "a.png", "--kind", "learning")
    run("plot", "learn.nc", "-o", "b.png")
    assert (folder / "a.png").read_bytes() != (folder / "b.png").read_bytes()
    run("solve", "beach-bar", "--tol", 1e-3, "-o", "plan.nc")
    assert "has no episodes: nobody learned it" in refused("plot", "plan.nc", "-o", "c.png", "--kind", "learning")
    assert not Path("c.png").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--learner", "mgun"], "unknown learner 'mgun'; did you mean 'mguni'?"),
        (["--agents", "0"], "--agents is 0; a whole number of at least 1 is needed"),
        (["--agents", "1"], "agents of the learner is 1; a whole number of at least 2 is needed"),
        (["--agents", "-5"], "--agents is -5"),
        (["--episodes", "0"], "--episodes is 0; a whole number of at least 1 is needed"),
        (["--rng", "-1"], "--rng is -1; a whole number of at least 0 is needed"),
        (["--tol", "-1"], "tol is -1"),
        (["--tol", "nan"], "tol is nan"),
        (["--max-seconds", "-1"], "max_seconds is -1"),
        (["--threads", "0"], "threads is 0"),
        (["--shape", "20x20"], "shape"),
        (["--set", "aversoin=1"], "did you mean 'aversion'"),
        (["-o", "learn.txt"], "--output learn.txt has the suffix '.txt'"),
        (["--plot", "nowhere/learn.png"], "nowhere does not exist; create it or name another"),
        (["--checkpoint", "nowhere/half.nc"], "--checkpoint nowhere/half.nc: the folder"),
        (["--checkpoint", "same.nc", "-o", "same.nc"], "--checkpoint same.nc is the same file as --output"),
    ],
)
def test_bad_options_end_before_any_work_and_lose_nothing(words: list[str], sentence: str) -> None:
    Path("same.nc").write_bytes(b"kept")
    before = sorted(os.listdir())
    told = refused(*SHORT, *words)
    assert sentence in told
    assert len(told.splitlines()) == 1
    assert sorted(os.listdir()) == before
    assert Path("same.nc").read_bytes() == b"kept"


def test_bad_words() -> None:
    assert "'some' came; a whole number is needed" in run("learn", "beach-bar", "--agents", "some", code=2).stderr
    assert "'2.5' came; a whole number is needed" in run("learn", "beach-bar", "--episodes", "2.5", code=2).stderr


def test_games_that_cannot_be_learned() -> None:
    told = refused("learn", "supply-demand", "--checkpoint", "c.nc")
    assert "learner 'mguni' does not suit supply-demand: its agents have no finite list of actions" in told
    assert "state it with LatticeMoves or Tabular, as lattice-supply-demand does" in told
    told = refused("learn", "bonnans-lavigne-pfeiffer-1", "--checkpoint", "c.nc")
    assert "learner 'mguni' does not suit bonnans-lavigne-pfeiffer-1: " in told
    assert "bounds" in told
    assert "did you mean 'beach-bar'" in refused("learn", "beach-ba")
    assert os.listdir() == []


def test_a_crowd_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "_memory", lambda: 2e9)
    told = refused("learn", "beach-bar", "--agents", 100_000_000)
    assert "an episode of 100000000 agents needs 15.3 GiB of memory, more than this machine has" in told


def test_a_checkpoint_without_its_learner_is_told(folder: Path) -> None:
    run(*SHORT, "--max-seconds", 0, "--checkpoint", "half.nc", code=3)
    stored = read_dataset("half.nc", "checkpoint")
    stored.attrs["solver"] = "teacher"
    stored.to_netcdf("other.nc", engine="h5netcdf")
    assert "checkpoint other.nc misses or spoils 'teacher'" in refused("resume", "other.nc")
    del stored.attrs["option_agents"]
    stored.attrs["solver"] = "mguni"
    stored.to_netcdf("other.nc", engine="h5netcdf")
    assert "misses or spoils 'option_agents'" in refused("resume", "other.nc")


@pytest.mark.slow
def test_an_interrupt_keeps_the_checkpoint(folder: Path) -> None:
    words = ["learn", "beach-bar", "--agents", "1000", "--episodes", "100000", "--checkpoint", "c.nc", "-o", "p.nc"]
    child = subprocess.Popen(
        [sys.executable, "-m", "mfgsolve", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    for _ in range(600):
        if Path("c.nc").exists() or child.poll() is not None:
            break
        time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (130, ""), err
    assert os.listdir() == ["c.nc"]
    episode = json.loads(run("show", "c.nc", "--json").stdout)["episode"]
    holds = f"go on from the checkpoint, which holds episode {episode} of 100000, with: mfgsolve resume c.nc"
    assert err == f"Stopped: interrupted; {holds}\n"
    assert episode < 100_000
    run("resume", "c.nc", "--max-seconds", 0, code=3)


def test_an_interrupt_of_the_comparison_loses_no_episode(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("mfgsolve.command.learning.compared", interrupted)
        told = run(*SHORT, "--checkpoint", "c.nc", code=130).stderr
    assert "the checkpoint, which holds episode 40 of 40, with: mfgsolve resume c.nc" in " ".join(told.split())
    assert json.loads(run("resume", "c.nc", "--json").stdout)["episodes"] == 40


def test_the_live_line_counts_episodes() -> None:
    line = Episodes.of_learner(LEARNERS["mguni"]())
    assert next(line.texts())[0] == "compiling and starting"
    assert line.share() == 0.0
    line.update(Measure(50, 1.0, 3.0, 0.0123, 0.0, 3.0, 400, True))
    assert line.share() == pytest.approx(1001 / 2000)
    left, right = next(line.texts())
    assert left == "episode 1001 of 2000  1000 agents"
    assert right.startswith("relative exploitability 1.2e-02  0")
    assert list(line.texts())[-1] == ("", "1.2e-02")
    widths = [len(left) + len(right) for left, right in line.texts()]
    assert widths == sorted(widths, reverse=True)
    line.update(Measure(100, 1.0, 3.0, 0.0123, 0.0, 3.0, 400, True))
    assert (line.played, line.share()) == (2000, 1.0)
    line.doing = "drawing learn.png"
    assert next(line.texts())[0] == "drawing learn.png"


def test_help_has_an_example_and_names_all_learners() -> None:
    text = run("learn", "--help").stdout
    assert "Example:  mfgsolve learn beach-bar --agents" in text
    assert ", ".join(LEARNERS) == arguments.LEARNERS
    assert "learn" in run("--help").stdout


def test_agents_with_tables_of_their_own_tell_disagreement_and_regret() -> None:
    words = [
        "learn",
        "beach-bar",
        "--agents",
        6,
        "--episodes",
        8,
        "--option",
        "shared=false",
        "--graph",
        "ring",
        "--hops",
        2,
    ]
    facts = json.loads(run(*words, "--json").stdout)
    same = mfg.learn(mfg.problems.beach_bar(), shared=False, graph="ring", hops=2, agents=6, episodes=8, rng=0)
    assert facts["disagreement"] == same.dataset["disagreement"].values[-1]
    assert facts["mean_regret"] == same.dataset["agent_regret"].values.mean()
    assert "shared" in refused("learn", "beach-bar", "--graph", "ring")
