"""An exception that leaves a solve, a checkpoint that cannot be written: what is kept is whole and says what it is."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve import watch
from mfgsolve.checkpoints import held_iteration
from mfgsolve.learners import GMFQ, BoltzmannIteration, Mguni

SOLVES = {
    "newton": (lambda: mfg.problems.supply_demand(shape=(8, 8), steps=16, scheme="upwind"), {"method": "newton"}),
    "frank-wolfe": (
        lambda: mfg.problems.supply_demand(shape=(8, 8), steps=16, scheme="upwind"),
        {"method": "frank-wolfe"},
    ),
    "interior-point": (
        lambda: mfg.problems.lattice_supply_demand(shape=(6, 6), steps=12),
        {"method": "interior-point"},
    ),
    "mirror-descent": (mfg.problems.beach_bar, {"method": "mirror-descent"}),
    "gmf-q": (mfg.problems.beach_bar, {"method": GMFQ(agents=10, episodes=100, block=10)}),
    "boltzmann": (mfg.problems.beach_bar, {"method": BoltzmannIteration(0.5, 0.5)}),
    "mguni": (mfg.problems.beach_bar, {"method": Mguni(agents=10, episodes=200)}),
}


class Fault(RuntimeError):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, Fault])
@pytest.mark.parametrize("name", SOLVES)
def test_whatever_ends_a_solve_inside_a_step_the_last_whole_state_is_written(name, kind, tmp_path, monkeypatch):
    make, options = SOLVES[name]
    problem, file, iterations = make(), tmp_path / "c.nc", []
    real, countdown = watch.look, [None]

    def look() -> None:
        real()
        if countdown[0] is not None:
            countdown[0] -= 1
            if countdown[0] == 0:
                raise kind

    for module in ("games.crowd", "steps.tables", "steps.speeds", "learners.mguni", "learners.policy_iteration"):
        monkeypatch.setattr(f"mfgsolve.{module}.look", look)
    monkeypatch.setattr("mfgsolve.solvers.base.RARELY", 0)  # every state is kept, however fast it was made

    def callback(measure) -> None:
        iterations.append(measure.iteration)
        if len(iterations) == 4:
            countdown[0] = 2

    common = {"tol": 0.0, "check": "ignore", **options}
    with pytest.raises(kind) as caught:
        mfg.solve(problem, checkpoint=file, callback=callback, **common)
    held = held_iteration(file)
    assert held in (iterations[-1], iterations[-1] + (name == "frank-wolfe"))
    assert caught.value.__notes__ == [f"mfgsolve: the checkpoint holds iteration {held}"]
    countdown[0] = None
    goal = held + 3
    parts = mfg.resume(file, max_iterations=goal, check="ignore", problem=problem)
    whole = mfg.solve(problem, max_iterations=goal, **common)
    assert parts.exploitability == whole.exploitability
    np.testing.assert_array_equal(parts.dataset.density, whole.dataset.density)
    np.testing.assert_array_equal(parts.dataset.exploitability, whole.dataset.exploitability)


def test_an_interrupt_in_a_callback_keeps_the_iteration_that_it_was_told_of(tmp_path):
    file = tmp_path / "c.nc"

    def callback(measure) -> None:
        if measure.iteration == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mfg.solve(mfg.problems.beach_bar(), method="mirror-descent", tol=0.0, checkpoint=file, callback=callback)
    assert held_iteration(file) == 3


def test_a_second_interrupt_does_not_tear_the_last_checkpoint(tmp_path, monkeypatch):
    file, write = tmp_path / "c.nc", mfg.checkpoints.write_dataset

    def impatient(*given):
        signal.raise_signal(signal.SIGINT)
        return write(*given)

    def callback(measure) -> None:
        if measure.iteration == 3:
            monkeypatch.setattr(mfg.checkpoints, "write_dataset", impatient)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mfg.solve(mfg.problems.beach_bar(), method="mirror-descent", tol=0.0, checkpoint=file, callback=callback)
    assert held_iteration(file) == 3
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


# -- checkpoints that cannot be written --------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "No space left on device"), MemoryError(),
                                   mfg.errors.FileError("output c.nc cannot be written: disk full")])  # fmt: skip
def test_a_checkpoint_that_cannot_be_written_is_a_caution_and_the_answer_stays(fault, tmp_path, monkeypatch):
    def full(*_):
        raise fault

    wanted = mfg.solve(mfg.problems.beach_bar(), check="ignore")
    monkeypatch.setattr(mfg.checkpoints, "write_dataset", full)
    found = mfg.solve(mfg.problems.beach_bar(), checkpoint=tmp_path / "c.nc", check="ignore")
    assert found.converged
    assert found.exploitability == wanted.exploitability
    codes = [caution.code for caution in found.warnings]
    assert codes.count("checkpoint-not-written") == 1


def test_a_folder_that_goes_away_while_a_solve_runs(tmp_path):
    folder = tmp_path / "there"
    folder.mkdir()

    def callback(measure) -> None:
        if measure.iteration == 1:
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()

    found = mfg.solve(mfg.problems.beach_bar(), checkpoint=folder / "c.nc", callback=callback, check="ignore")
    assert found.converged
    assert "does not exist" in next(c.sentence for c in found.warnings if c.code == "checkpoint-not-written")


def test_a_disk_that_is_full_for_a_while_is_not_spoken_of(tmp_path, monkeypatch):
    write, count = mfg.checkpoints.write_dataset, [0]

    def now_and_then(*given):
        count[0] += 1
        if count[0] == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(*given)

    monkeypatch.setattr(mfg.checkpoints, "write_dataset", now_and_then)
    found = mfg.solve(mfg.problems.beach_bar(), checkpoint=tmp_path / "c.nc", check="ignore")
    assert held_iteration(tmp_path / "c.nc") == found.iterations
    assert "checkpoint-not-written" not in [caution.code for caution in found.warnings]


@pytest.mark.parametrize("path", ["missing/c.nc", "."])
def test_a_place_where_no_checkpoint_can_be_is_told_before_anything_is_solved(path, tmp_path):
    def callback(measure) -> None:
        raise AssertionError("solved")

    with pytest.raises(mfg.errors.FileError, match=r"checkpoint .* (folder|does not exist)"):
        mfg.solve(mfg.problems.beach_bar(), checkpoint=tmp_path / path, callback=callback)


def test_the_note_of_an_interrupt_says_that_nothing_could_be_written(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    def callback(measure) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(mfg.checkpoints, "write_dataset", full)
    with pytest.raises(KeyboardInterrupt) as caught:
        mfg.solve(mfg.problems.beach_bar(), checkpoint=tmp_path / "c.nc", callback=callback)
    assert "No space left on device" in caught.value.__notes__[0]


# -- learners ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", ["given", True, False])
@pytest.mark.parametrize("learner", ["mguni", "gmf-q"])
def test_a_resumed_learner_returns_what_learn_returns(learner, reference, tmp_path):
    problem, file = mfg.problems.crowd_modelling(temperature=0.1), tmp_path / "c.nc"
    compared = mfg.solve(problem, tol=1e-2, check="ignore") if reference == "given" else reference
    common = {"agents": 20, "episodes": 120, "rng": 1, "reference": compared}

    def stop(measure) -> bool:
        return measure.iteration == 3

    mfg.learn(problem, learner, checkpoint=file, callback=stop, **common)
    resumed, whole = mfg.resume(file, check="ignore"), mfg.learn(problem, learner, **common)
    assert type(resumed) is type(whole)
    assert resumed.status is whole.status is mfg.Status.FINISHED
    assert resumed.exploitability == whole.exploitability
    assert set(resumed.dataset.variables) == set(whole.dataset.variables)
    for name in set(whole.dataset.variables) - {"seconds"}:
        np.testing.assert_array_equal(resumed.dataset[name], whole.dataset[name], err_msg=name)
    for name in ("agents", "density_distance", "reference_exploitability", "status", "solver"):
        np.testing.assert_equal(resumed.dataset.attrs[name], whole.dataset.attrs[name])
    again = mfg.resume(file, check="ignore")  # the file that resume wrote keeps the reference, too
    np.testing.assert_equal(again.dataset.attrs["density_distance"], whole.dataset.attrs["density_distance"])


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no hang-ups here")
def test_a_hang_up_says_which_episode_the_checkpoint_of_a_learner_holds(tmp_path):
    file, words = tmp_path / "c.nc", ["learn", "beach-bar", "--agents", "50", "--episodes", "4000000", "--checkpoint"]
    child = subprocess.Popen([sys.executable, "-m", "mfgsolve", *words, str(file)], stderr=subprocess.PIPE, text=True,
                             env=os.environ | {"PYTHONPATH": os.getcwd()})  # fmt: skip
    limit = time.monotonic() + 300
    while not file.exists() and child.poll() is None and time.monotonic() < limit:
        time.sleep(0.05)
    child.send_signal(signal.SIGHUP)
    said = child.communicate(timeout=300)[1]
    assert child.returncode == 128 + signal.SIGHUP, said
    learner = Mguni(agents=50, episodes=4_000_000)
    episode = learner.before + held_iteration(file) * learner.block
    assert f"which holds episode {episode} of 4000000, with: mfgsolve resume" in " ".join(said.split())


def test_a_checkpoint_of_a_solver_of_ones_own_is_told(tmp_path):
    class Mine(BoltzmannIteration):
        name = "mine"

    file = tmp_path / "c.nc"
    mfg.solve(mfg.problems.beach_bar(), method=Mine(), max_iterations=2, checkpoint=file, check="ignore")
    with pytest.raises(mfg.InputError, match="it names 'mine', which mfgsolve does not have"):
        mfg.resume(file)


# -- the watch itself --------------------------------------------------------------------------------------------------


def test_what_is_held_back_acts_at_the_end(monkeypatch):
    monkeypatch.setattr(watch, "clock", lambda: 2.0)
    with watch.watching(1.0):
        assert watch.over()
        with watch.held_back():
            watch.look()
        with pytest.raises(watch.TimeUp):
            watch.look()
    with watch.watching(1.0, raises=False):
        watch.look()
        with pytest.raises(watch.TimeUp), watch.strictly():
            watch.look()
    done = []

    def work() -> None:
        with watch.held_back():
            signal.raise_signal(signal.SIGINT)
            with watch.held_back():
                signal.raise_signal(signal.SIGINT)
            done.append(1)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == [1]
    watch.ask(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        watch.look()
    watch.forget()
    watch.look()


COMPARISON = """
import os, signal, threading
import mfgsolve as mfg
plan = mfg.solve(mfg.problems.beach_bar())
mfg.compare(plan, agents=[10], replicas=2, method="agents", rng=0)  # compiled
threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    mfg.compare(plan, agents=[2_000_000], replicas=20_000, method="agents", rng=0)  # hours, if nobody stops it
except KeyboardInterrupt:
    print("stopped")
"""


@pytest.mark.slow
def test_agents_that_are_compared_one_by_one_stop_when_asked_to():
    done = subprocess.run([sys.executable, "-c", COMPARISON], capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "stopped", done.stderr
