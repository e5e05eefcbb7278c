"""mfgsolve compare: what it prints, writes and refuses, and what an interrupt costs."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from command_line import refused, run

import mfgsolve as mfg
from mfgsolve.command import agents
from mfgsolve.files import read_dataset


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plans")
    mfg.solve(mfg.problems.beach_bar(), tol=1e-6).save(folder / "plan.nc")
    mfg.solve(mfg.problems.susceptible_infected(), max_iterations=2, check="ignore").save(folder / "coupled.nc")
    mfg.solve(mfg.problems.predator_prey(), max_iterations=5, check="ignore").save(folder / "three.nc")
    custom = mfg.Problem(
        grid=mfg.Grid.box(8), time=mfg.TimeGrid(1.0, 8), dynamics=mfg.ControlledDiffusion(0.05, scheme="upwind"),
        coupling=mfg.CrowdAversion(1.0), initial=lambda t, c: 1 + c.x, normalise=True,
    )  # fmt: skip
    mfg.solve(custom, max_iterations=2, check="ignore").save(folder / "python.nc")
    return folder


@pytest.fixture(autouse=True)
def kept(plans: Path, folder: Path) -> None:
    """The plans in the folder in which the command runs."""
    for plan in plans.iterdir():
        shutil.copy(plan, folder)


def test_plans_of_the_entropic_step(folder: Path) -> None:
    """From its file alone, and as in Python."""
    problem = mfg.problems.supply_demand(shape=(8, 8), steps=6, viscosity=0.02, scheme="entropic")
    plan = mfg.solve(problem, check="ignore")
    plan.save("entropic.nc")
    facts = json.loads(run("compare", "entropic.nc", "--agents", "10,1000", "--replicas", 5, "--json").stdout)
    exact = mfg.nash_gap(plan, [10, 1000])
    for number, one in facts["agents"].items():
        assert one["regret"] == pytest.approx(float(exact.regret.sel(agents=int(number))), rel=1e-6)
    assert facts["agents"]["1000"]["simulated_cost"]["mean"] == pytest.approx(float(exact.cost[1]), abs=0.1)


@pytest.mark.slow
def test_table_files_and_json(folder: Path) -> None:
    words = ["compare", "plan.nc", "--agents", "100, 10", "--replicas", 5, "--rng", 3]
    text = run(*words, "-o", "compare.nc", "--plot", "compare.png").stdout
    assert re.search(
        r"^N = 10 +L2 \S+, W1 \S+, regret \S+, cost difference \S+, cost \S+ \(simulated \S+ ± \S+\)", text, re.M
    )
    assert re.search(
        r"^slopes in N +L2 -0\.\d+ \(last \S+\), W1 -0\.\d+ .+, regret -\d\.\d+ .+ \|cost difference\| -\d\.\d+",
        text,
        re.M,
    )
    assert text.endswith("Wrote compare.nc and compare.png.\n")
    assert (folder / "compare.png").read_bytes()[:4] == b"\x89PNG"
    data = read_dataset("compare.nc", "comparison")
    assert data.agents.values.tolist() == [10, 100]
    facts = json.loads(run(*words, "--json", "--threads", 1, "--method", "counts").stdout)
    assert list(facts["agents"]) == ["10", "100"]
    for number, one in facts["agents"].items():
        assert one["regret"] == float(data.regret.sel(agents=int(number)))
        assert one["l2"]["mean"] == float(data.l2_mean.sel(agents=int(number)))
        assert one["simulated_cost"]["low"] < one["simulated_cost"]["mean"] < one["simulated_cost"]["high"]
    assert set(facts["slopes"]) == {"l2", "wasserstein", "regret", "cost_difference"}
    assert facts["slopes"]["l2"]["low"] is None  # two points give no interval
    same = mfg.compare(mfg.load("plan.nc"), agents=[10, 100], replicas=5, rng=3)
    assert np.array_equal(same.l2, data.l2)


def test_where_there_is_no_exact_regret_it_says_why() -> None:
    words = ["compare", "coupled.nc", "--agents", "10,100", "--replicas", 2]
    assert "no exact regret  the dynamics depend on the crowd" in run(*words).stdout
    facts = json.loads(run(*words, "--json").stdout)
    assert facts["agents"]["10"]["regret"] is None
    assert facts["slopes"]["regret"]["slope"] is None
    assert "simulate" in facts["regret_unknown"]


def test_populations_have_costs_of_their_own() -> None:
    words = ["compare", "three.nc", "--agents", "10", "--replicas", 2]
    facts = json.loads(run(*words, "--json").stdout)
    names = list(mfg.problems.predator_prey().grid.names)
    assert list(facts["agents"]["10"]["populations"]) == names
    assert all(re.search(rf"^  {name} +regret ", run(*words).stdout, re.M) for name in names)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--agents", "10,many"], "--agents holds 'many'; whole numbers of at least 1 are needed"),
        (["--agents", "10,0"], "--agents holds '0'"),
        (["--agents", "-10"], "--agents holds '-10'"),
        (["--agents", "2.5"], "--agents holds '2.5'"),
        (["--agents", ""], "--agents holds ''"),
        (["--agents", "10,10"], "--agents lists 10 twice"),
        (["--agents", "10000000000000"], "a whole number from 1 to 1e+12 is needed"),
        (["--replicas", "0"], "--replicas is 0; a whole number of at least 1 is needed"),
        (["--replicas", "-5"], "--replicas is -5"),
        (["--rng", "-1"], "--rng is -1"),
        (["--threads", "0"], "threads is 0"),
        (["--method", "count"], "did you mean 'counts'"),
        (["-o", "compare.txt"], "--output compare.txt has the suffix '.txt'"),
        (["-o", "plan.nc"], "--output plan.nc is the same file as the plan"),
        (["--plot", "nowhere/compare.png"], "nowhere does not exist; create it or name another"),
    ],
)
def test_bad_options_end_before_any_work(words: list[str], sentence: str) -> None:
    assert sentence in refused("compare", "plan.nc", *words)


def test_bad_words() -> None:
    assert "'some' came; a whole number is needed" in run("compare", "plan.nc", "--replicas", "some", code=2).stderr


def test_what_is_no_plan_is_refused(folder: Path) -> None:
    Path("game.toml").write_text("name = 'x'\n")
    assert "game.toml is a problem, and a plan is needed: mfgsolve solve game.toml -o plan.nc" in refused(
        "compare", "game.toml"
    )
    assert "file none.nc does not exist" in refused("compare", "none.nc")
    Path("game.txt").write_text("x")
    assert "cannot be read as NetCDF" in refused("compare", "game.txt")
    run("solve", "beach-bar", "--max-iterations", 1, "--checkpoint", "c.nc", code=3)
    assert "file c.nc is a checkpoint; a solution is needed: use 'mfgsolve resume'" in refused("compare", "c.nc")
    sentence = refused("compare", "python.nc")
    assert "made of Python functions, which a file cannot keep; compare it in Python: mfgsolve.compare(" in sentence
    assert "problem=" in sentence


def test_an_interrupt_tells_what_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    count = agents.Replicas.update

    def interrupted(line: agents.Replicas, number: int, replica: int) -> None:
        count(line, number, replica)
        if (number, replica) == (10, 2):
            raise KeyboardInterrupt

    monkeypatch.setattr(agents.Replicas, "update", interrupted)
    words = ["compare", "plan.nc", "--agents", "10,100", "--replicas", 4, "-o", "lost.nc"]
    stopped = run(*words, code=130)
    assert "interrupted after 3 of 8 replicas; nothing was written" in stopped.stderr
    assert not Path("lost.nc").exists()


def test_an_interrupt_while_drawing_tells_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mfgsolve.plots.agents", interrupted)
    words = ["compare", "plan.nc", "--agents", "10", "--replicas", 1, "-o", "kept.nc", "--plot", "kept.png"]
    assert "interrupted after 1 of 1 replicas; kept.nc is written" in run(*words, code=130).stderr
    assert Path("kept.nc").exists()


def test_the_live_line_counts_replicas() -> None:
    line = agents.Replicas([10, 1000], 50)
    assert next(line.texts())[0] == "exact regret, and compiling"
    line.update(1000, 24)
    assert line.share() == 0.75
    assert next(line.texts())[0] == "N = 1000  replica 25 of 50"
    assert next(line.texts())[1].startswith("75%  0")
    assert list(line.texts())[-1] == ("", "75%")
    line.doing = "drawing compare.png"
    assert next(line.texts())[0] == "drawing compare.png"


def test_help_has_an_example() -> None:
    assert "Example:  mfgsolve compare plan.nc --agents" in run("compare", "--help").stdout
