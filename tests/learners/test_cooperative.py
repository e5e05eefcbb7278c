"""Cooperative learners: what they are told, what they find, how they go on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from toy_tasks import Coin
from typer.testing import CliRunner

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.learners.cooperation.cooperative import Cooperative, read_parts, standard_errors
from mfgsolve.tasks import load_training, resume_training, train
from mfgsolve.tasks.plant import optimum, policy_value, tabulate
from mfgsolve.tasks.pushed_pendulum import PushedPendulum
from mfgsolve.tasks.steering import SharedSteering

SMALL = SharedSteering(offsets=5, headings=5, steps=10)
FEW = {"seeds": 3, "episodes": 6, "memory": 60, "macrobatch": 30, "minibatch": 4}


def test_parts_by_their_names():
    assert read_parts("temporal, imagined,impact") == (True, True, True)
    assert read_parts("impact") == (False, False, True)
    assert read_parts("none") == (False, False, False)
    with pytest.raises(InputError, match="unknown part of cooperative learners 'imaginned'; did you mean 'imagined'"):
        read_parts("temporal,imaginned")
    for text in ("", "none,impact"):
        with pytest.raises(InputError, match="unknown part"):
            read_parts(text)


def test_numbers_are_told_in_their_order_and_are_exact():
    training = train(SMALL, Cooperative(**FEW))
    assert list(training.numbers)[:6] == [
        "return", "independent_return", "optimal_return", "return_error", "independent_error", "optimal_error",
    ]  # fmt: skip
    tables = tabulate(SMALL)
    assert training.numbers["optimal_return"] == pytest.approx(optimum(tables)[0].mean())
    controls = training.dataset["control"].sel(arm="cooperative").values.astype(int)
    found = []
    for seed in range(3):
        choices = np.array([np.flatnonzero(tables.controls == u)[0] for u in controls[seed].reshape(2, -1).reshape(-1)])
        found.append(policy_value(tables, choices.reshape(2, -1).T).mean())
    assert training.numbers["return"] == pytest.approx(np.mean(found), rel=1e-12)
    assert training.numbers["return_error"] == pytest.approx(np.std(found, ddof=1) / np.sqrt(3), rel=1e-9)
    np.testing.assert_allclose(training.dataset["returns"].sel(arm="cooperative")[-1], found, rtol=1e-12)
    assert training.numbers["optimal_error"] == 0.0
    assert training.numbers["return"] <= training.numbers["optimal_return"]
    assert training.dataset["agent_steps"][-1] == 2 * 3 * 6 * 10 * 2


def test_one_seed_has_no_error_that_was_measured():
    assert np.isnan(train(SMALL, Cooperative(**FEW | {"seeds": 1})).numbers["return_error"])
    np.testing.assert_allclose(standard_errors(np.array([[1.0, 3.0]])), [1.0])


def test_without_parts_they_are_the_independent_ones():
    training = train(SMALL, Cooperative(parts="none", **FEW))
    returns = training.dataset["returns"]
    np.testing.assert_array_equal(returns.sel(arm="cooperative"), returns.sel(arm="independent"))
    other = train(SMALL, Cooperative(parts="imagined,impact", **FEW)).dataset["returns"]
    np.testing.assert_array_equal(other.sel(arm="independent"), returns.sel(arm="independent"))
    assert (other.sel(arm="cooperative") != returns.sel(arm="cooperative")).any()


@pytest.mark.parametrize("values", ["table", "mlp"])
def test_a_checkpoint_goes_on_bit_for_bit(tmp_path: Path, values: str):
    path, task = tmp_path / "c.nc", PushedPendulum(agents=2, angles=5, speeds=5, steps=5)
    learner = Cooperative(values=values, hidden=4, **FEW)
    whole = train(task, learner)
    train(task, learner, checkpoint=path, callback=lambda done: done.block == 2)
    again = resume_training(path)
    assert again.dataset.drop_vars("seconds").equals(whole.dataset.drop_vars("seconds"))
    again.save(tmp_path / "t.nc")
    assert load_training(tmp_path / "t.nc").dataset.equals(again.dataset)


def test_blocks_divide_the_episodes():
    assert (Cooperative().episodes_of_block, Cooperative().blocks) == (10, 40)
    assert (Cooperative(episodes=7).episodes_of_block, Cooperative(episodes=7).blocks) == (1, 7)
    assert (Cooperative(episodes=97).episodes_of_block, Cooperative(episodes=97).blocks) == (97, 1)


def test_exploration_halves():
    epsilons = np.concatenate([Cooperative(episodes=200, half_life=50.0).exploration(k) for k in range(40)])
    np.testing.assert_allclose(epsilons[[0, 50, 100]], [1.0, 0.5, 0.25])
    assert Cooperative().exploration(39)[-1] == 0.05


def test_learning_beats_chance_and_imagining_beats_plain_learning():
    """At equal plays, mean over seeds with a margin of several deviations."""
    training = train("shared-steering", parts="imagined", episodes=120, seeds=4, seed=1)
    numbers = training.numbers
    idle = policy_value(tabulate(SharedSteering()), np.zeros((221, 2), dtype=int)).mean()
    assert numbers["independent_return"] > 0.5 * idle
    ours, plain = (numbers["optimal_return"] - numbers[name] for name in ("return", "independent_return"))
    assert 0 < 2 * ours < plain
    assert plain - ours > 3 * np.hypot(numbers["return_error"], numbers["independent_error"])


@pytest.mark.slow
def test_with_opposed_preferences_plain_learners_get_worse():
    training = train("shared-steering-opposed", parts="imagined", episodes=400, seeds=5, seed=1)
    curve = training.dataset["returns"].sel(arm="independent").mean("seed").values
    assert curve[-1] < curve.max() - 3.0
    assert training.numbers["return"] > training.numbers["independent_return"] + 3.0


def test_the_command_tells_them(tmp_path: Path):
    from mfgsolve.command.application import app

    words = [
        "learn",
        "shared-steering",
        "--learner",
        "cooperative",
        "--parts",
        "temporal,imagined,impact",
        "--rng",
        "1",
    ]
    small = ["--episodes", "4", "--option", "seeds=2", "--set", "offsets=5", "--set", "headings=5"]
    done = CliRunner().invoke(app, [*words, *small, "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert {"return", "independent_return", "optimal_return", "return_error"} <= set(told)
    assert told["options"]["parts"] == "temporal,imagined,impact"
    assert told["options"]["seed"] == 1
    bad = CliRunner().invoke(app, [*words[:5], "temporl", *small, "-o", str(tmp_path / "x.nc")])
    assert bad.exit_code != 0
    assert not (tmp_path / "x.nc").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"alpha": 0.01}, "alpha > sigma > beta"),
        ({"minibatch": 0}, "minibatch is 0"),
        ({"minibatch": 600}, "macrobatch is 500, less than the minibatch of 600"),
        ({"memory": 100}, "memory is 100, less than the macrobatch of 500"),
        ({"values": "tabel"}, "unknown kind of values 'tabel'; did you mean 'table'"),
        ({"seeds": 0}, "seeds of cooperative is 0"),
        ({"episodes": 0}, "episodes of cooperative is 0"),
        ({"half_life": 0.0}, "half_life is 0"),
        ({"least_exploration": 1.5}, "least_exploration is 1.5"),
        ({"step": 0.0}, "step is 0"),
        ({"idle": 2.0}, "idle of the imagined replay is 2"),
        ({"part": "impact"}, "unknown option of cooperative 'part'; did you mean 'parts'"),
    ],
)
def test_bad_input(options, words):
    with pytest.raises(InputError, match=words):
        train(SMALL, "cooperative", **options)


def test_other_tasks_are_refused():
    with pytest.raises(InputError, match="does not suit coin: it pushes plants"):
        mfg.learn(Coin(), Cooperative())
