"""Sweeps: numbers of every point, workers, interruptions, files, and what is refused."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.errors import FileError, InputError
from mfgsolve.studies.store import open_sweep
from mfgsolve.studies.summary import spread
from mfgsolve.studies.sweep import Progress, sweep

pytest.importorskip("zarr", minversion="3", reason="studies are kept in Zarr stores: pip install 'mfgsolve[studies]'")
OVER = {"reward": [1.0, 2.0], "congestion": [0.05, 0.1, -1.0]}
PLACE = {"shape": (8, 8), "settings": {"viscosity": 0.05}, "regions": {"shortcut": "y<0.4"}}


def same(one: xr.Dataset, other: xr.Dataset) -> bool:
    """The same numbers, but for seconds and when it was made."""
    return one.drop_vars("seconds").drop_attrs(deep=False).identical(other.drop_vars("seconds").drop_attrs(deep=False))


@pytest.fixture(scope="module")
def study() -> xr.Dataset:
    return sweep("supply-demand", OVER, keep=["density", "value"], **PLACE)


def test_every_point_is_the_solve_of_its_parameters(study: xr.Dataset):
    problem = mfg.problems.supply_demand(shape=(8, 8), viscosity=0.05, reward=2.0, congestion=0.1)
    solution = mfg.solve(problem, check="ignore")
    one = study.sel(reward=2.0, congestion=0.1)
    assert float(one.cost) == solution.certificate.cost
    assert float(one.potential) == solution.potential
    assert str(one.status.values) == "converged"
    masses = mfg.mass(solution, "y<0.4", [0.0, 0.25, 0.5, 0.75, 1.0])
    np.testing.assert_array_equal(one.mass_shortcut, masses)
    np.testing.assert_array_equal(one.density.sel(time_share=1.0), solution.density[-1])
    np.testing.assert_allclose(one.value.sel(time_share=0.0), solution.value[0])


def test_a_point_that_fails_leaves_its_message(study: xr.Dataset):
    failed = study.sel(congestion=-1.0)
    assert failed.status.values.tolist() == ["failed", "failed"]
    assert "congestion is -1.0" in str(failed.message.values[0])
    assert np.isnan(failed.cost).all()
    assert int(study.done.sum()) == 6


def test_points_are_kept_at_once_and_gone_on_with(study: xr.Dataset, tmp_path: Path):
    path, told = tmp_path / "s.zarr", []

    def stop(now: Progress) -> bool:
        told.append(now)
        return len(told) == 2

    part = sweep("supply-demand", OVER, keep=["density", "value"], output=path, callback=stop, **PLACE)
    assert int(part.done.sum()) == int(open_sweep(path).done.sum()) == 2
    assert (told[0].done, told[0].points) == (1, 6)
    assert math.isnan(told[0].left)
    assert told[1].left > 0
    with pytest.raises(FileError, match="--resume goes on with it"):
        sweep("supply-demand", OVER, keep=["density", "value"], output=path, **PLACE)
    with pytest.raises(FileError, match="two are never mixed"):
        sweep("supply-demand", OVER, keep=["density"], output=path, resume=True, **PLACE)
    counted: list[Progress] = []
    whole = sweep(
        "supply-demand", OVER, keep=["density", "value"], output=path, resume=True, callback=counted.append, **PLACE
    )
    assert [now.done for now in counted] == [3, 4, 5, 6]
    assert same(whole, study)
    assert same(open_sweep(path), study)
    again = sweep("supply-demand", {"reward": [1.0]}, output=path, overwrite=True, **PLACE)
    assert again.done.shape == (1,)


def test_a_full_disk_ends_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from mfgsolve.studies import store

    path, kept, write = tmp_path / "s.zarr", [], store.Memory.write

    def full(self: store.Memory, index: tuple[int, ...], values: dict, finished: bool = True) -> None:
        if kept:
            raise OSError(28, "No space left on device")
        kept.append(index)
        write(self, index, values, finished)

    monkeypatch.setattr(store.Memory, "write", full)
    with pytest.raises(FileError, match=r"No space left on device; what was finished before is there"):
        sweep("left-right", {"temperature": [0.1, 0.2, 0.3]}, output=path)
    monkeypatch.undo()
    assert int(open_sweep(path).done.sum()) == 1
    assert int(sweep("left-right", {"temperature": [0.1, 0.2, 0.3]}, output=path, resume=True).done.sum()) == 3


def test_estimates_take_work_and_are_kept_if_asked_for(study: xr.Dataset):
    assert "potential_error" not in study
    place = {"shape": (20, 20), "settings": {"viscosity": 0.02}}
    asked = sweep("supply-demand", {"reward": [2.0]}, keep=["cost", "potential_error"], **place)
    problem = mfg.problems.supply_demand(shape=(20, 20), viscosity=0.02, reward=2.0)
    assert float(asked.potential_error[0]) == mfg.solve(problem, check="ignore").discretisation.potential > 0


def test_the_clock_counts_batches_and_leaves_out_the_first_of_every_worker(monkeypatch: pytest.MonkeyPatch):
    from mfgsolve.studies import sweep as module
    from mfgsolve.studies.points import Answer
    from mfgsolve.studies.workers import Batch

    now, told = iter([0.0, 30.0, 31.0, 33.0, 35.0]), []
    monkeypatch.setattr(module.time, "perf_counter", lambda: next(now))
    clock = module._Clock(20, 20, told.append)
    for _ in range(4):
        clock.ticked(Batch([((k,), Answer({}, {}, "converged")) for k in range(4)], workers=2))
    assert [each.done for each in told] == [4, 8, 12, 16]
    assert np.isnan(told[1].left)
    assert [each.left for each in told[2:]] == [pytest.approx(4.0), pytest.approx(2.0)]


def test_shapes_seeds_agents_and_functions_are_swept_alike():
    shapes = sweep("supply-demand", {"shape": ["8x8", (12, 12)]}, settings={"viscosity": 0.05})
    assert shapes.shape.values.tolist() == ["8x8", "12x12"]
    alone = mfg.solve(mfg.problems.supply_demand(shape=(12, 12), viscosity=0.05), check="ignore")
    assert float(shapes.potential[1]) == alone.potential
    steps = sweep("linear-quadratic", {"steps": [8, 16]}, shape=(12,))
    assert steps.steps.dims == ("steps",)
    alone = mfg.solve(mfg.problems.linear_quadratic(shape=(12,), steps=16), check="ignore")
    assert float(steps.cost[1]) == alone.certificate.cost
    many = sweep("left-right", {"agents": [10, 100]}, settings={"temperature": 0.2})
    assert float(many.regret[0]) > float(many.regret[1]) > 0
    games = sweep("left-right", {"rng": [4, 5]}, settings={"temperature": 0.2, "agents": 50})
    alone = mfg.simulate(mfg.solve(mfg.problems.left_right(temperature=0.2)), 50, rng=5)
    assert float(games.simulated_cost[1]) == pytest.approx(float(alone.cost[0]), abs=1e-12)
    assert float(games.simulated_cost[0]) != float(games.simulated_cost[1])
    seeds = sweep("left-right", {"rng": [0, 1, 2]}, learner="mguni", options={"agents": 10, "episodes": 20})
    assert seeds.status.values.tolist() == ["finished"] * 3
    told = spread(seeds, "cost", "rng")
    values = seeds.cost.values
    assert float(told["mean"]) == pytest.approx(values.mean())
    assert float(told.deviation) == pytest.approx(values.std(ddof=1))
    half = 4.302652729911275 * values.std(ddof=1) / math.sqrt(3)  # Student, 2 degrees of freedom
    assert float(told.high - told.low) == pytest.approx(2 * half)

    def build(heat: float) -> mfg.Problem:
        return mfg.problems.left_right(temperature=heat)

    made = sweep(build, {"heat": [0.2]})
    assert float(made.cost[0]) == float(sweep("left-right", {"temperature": [0.2]}).cost[0])
    written = sweep(mfg.problems.left_right(temperature=0.5), {"temperature": [0.2]})
    assert float(written.cost[0]) == float(made.cost[0])


@pytest.mark.parametrize(
    ("over", "settings", "options"),
    [
        ({"congestion": [0.05], "agents": [20]}, {}, {}),
        ({"congestion": [0.05], "rng": [1, 2]}, {"agents": 20}, {}),
        ({"congestion": [0.05]}, {}, {"tol_continuum": 0.5}),
        ({"congestion": [0.05]}, {}, {}),
    ],
)
def test_paths_are_not_for_games_that_agents_play_nor_for_several_meshes(over, settings, options, monkeypatch):
    from mfgsolve.studies import sweep as module

    ways = []
    monkeypatch.setattr(module, "_todo", lambda kept, point, values, way: ways.append(way) or [])
    given = {"reward": [1.0, 1.5, 2.0, 2.5], **over}
    sweep("supply-demand", given, shape=(8, 8), settings={"viscosity": 0.05, **settings}, options=options)
    assert ways == ["reward" if len(over) == 1 and not options else None]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: sweep("supply-demnd", {"reward": [1]}), "did you mean 'supply-demand'"),
        (lambda: sweep("supply-demand", {}), "no parameters came"),
        (lambda: sweep("supply-demand", {"reward": 3}), "a list is needed"),
        (lambda: sweep("supply-demand", {"reward": [1, 1]}), "all different"),
        (lambda: sweep("supply-demand", {"rewad": [1]}, shape=(8, 8)), "did you mean 'reward'"),
        (lambda: sweep("supply-demand", {"reward": [1]}, shape=(8, 8), keep=["densty"]), "did you mean 'density'"),
        (
            lambda: sweep("supply-demand", {"reward": [1]}, shape=(8, 8), regions={"a": "q<1"}),
            "coordinate in region 'a'",
        ),
        (lambda: sweep("supply-demand", {"reward": [1]}, shape=(8, 8), times=[2.0]), "shares of the horizon"),
        (lambda: sweep("left-right", {"rng": [1]}, learner="mgumi"), "did you mean 'mguni'"),
        (lambda: sweep("supply-demand", {"shape": ["8x8", "9x9"]}, keep=["density"]), "do not fit into one array"),
        (lambda: sweep("left-right", {"temperature": [1.0]}, workers=0), "workers is 0"),
        (lambda: sweep("left-right", {"temperature": [1.0]}, workers=1, client="x"), "give one of them"),
        (lambda: sweep("left-right", {"temperature": [1.0]}, client="tcp://127.0.0.1:9"), "cannot be reached"),
        (lambda: sweep("left-right", {"temperature": [1.0]}, output="s.nc"), ".zarr is needed"),
        (lambda: open_sweep("no.zarr"), "does not exist"),
        (lambda: sweep("left-right", {"temperature": [1.0]}, regions={"a/b": "state == 'left'"}), "leave out '/'"),
        (lambda: sweep(lambda cost: mfg.problems.left_right(), {"cost": [1.0]}), "what the study keeps"),
        (lambda: sweep(lambda time_share: mfg.problems.left_right(), {"time_share": [1.0]}), "what the study keeps"),
        (lambda: sweep(3, {"a": [1]}), "a name, a Problem, or a function"),
        (lambda: sweep("left-right", {"rng": [1]}), "games of N agents, and the study has neither"),
        (lambda: sweep("left-right", {"episodes": [1]}), "episodes are those of a learner"),
    ],
)
def test_what_cannot_be_swept_is_told(call, sentence: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mfgsolve.studies.workers.WAIT", 0.5)  # seconds for a scheduler that is not there
    with pytest.raises(InputError) as told:
        call()
    assert sentence in str(told.value)


# -- with real processes -----------------------------------------------------------------------------------------------

PATHS = {"reward": [1.0, 1.5, 2.0, 2.5, 3.0], "congestion": [0.05, -1.0]}  # along the rewards


@pytest.fixture(scope="module")
def walked() -> xr.Dataset:
    found = sweep("supply-demand", PATHS, keep=["density"], **PLACE)
    alone = sweep("supply-demand", PATHS, keep=["density"], warm=False, **PLACE)
    assert (found.sweeps < 0.8 * alone.sweeps).values[:, 0].tolist() == [False, False, True, True, True]
    np.testing.assert_allclose(found.potential, alone.potential, rtol=1e-9)
    return found


@pytest.mark.slow
def test_workers_give_the_same_bits_also_when_one_is_killed(walked: xr.Dataset, tmp_path: Path):
    distributed = pytest.importorskip("distributed", reason="workers need dask: pip install 'mfgsolve[studies]'")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        killed = []

        def kill(now: Progress) -> None:
            if not killed:
                victim = next(iter(client.run(os.getpid).values()))
                os.kill(victim, signal.SIGKILL)
                killed.append(victim)

        found = sweep(
            "supply-demand", PATHS, keep=["density"], client=client, callback=kill,
            output=tmp_path / "s.zarr", **PLACE,
        )  # fmt: skip
    assert killed
    assert same(found, walked)


@pytest.mark.slow
def test_a_killed_driver_is_gone_on_with(walked: xr.Dataset, tmp_path: Path):
    script = textwrap.dedent(f"""
        from mfgsolve.studies.sweep import sweep
        sweep("supply-demand", {PATHS!r}, keep=["density"], output="s.zarr",
              callback=lambda now: print(now.done, flush=True), **{PLACE!r})
    """)
    driver = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, stdout=subprocess.PIPE)
    assert driver.stdout is not None
    for _ in range(3):  # in the middle of a path
        driver.stdout.readline()
    time.sleep(0.01)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    before = int(open_sweep(tmp_path / "s.zarr").done.sum())
    assert 3 <= before < 10
    counted: list[Progress] = []
    whole = sweep(
        "supply-demand", PATHS, keep=["density"], output=tmp_path / "s.zarr", resume=True,
        callback=counted.append, **PLACE,
    )  # fmt: skip
    assert len(counted) == 10 - before
    assert same(whole, walked)
