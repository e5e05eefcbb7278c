"""Problems written out in full: the same game, bit by bit, or a sentence why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.identity import fingerprint
from mfgsolve.problemfile import read_problem
from mfgsolve.problemfile.declaring import boxes, declared, write_declared
from mfgsolve.resolution import settle

SHAPES = {"evacuation": (22, 32), "supply-demand": (8, 10), "crowd-aversion": (8, 16), "planned-room": (8, 16)}
AS_DATA = [
    "beach-bar", "bench-mfg-chain", "bonnans-lavigne-pfeiffer-2", "braess", "braess-traffic", "crowd-aversion",
    "crowd-modelling", "crowd-modelling-2d", "crowd-motion", "evacuation", "four-rooms", "lattice-supply-demand",
    "left-right", "planned-room", "predator-prey", "rock-paper-scissors", "supply-demand",
]  # fmt: skip
REFUSED = {
    "bonnans-lavigne-pfeiffer-1": "cannot be written out in full: what the text makes differs from it in some bits",
    "cole-hopf": "the initial density is a function of Python",
    "gaussian-log": "the cost of coupling running-cost is a function of Python",
    "late-news": "it has scenarios",
    "linear-quadratic": "its coupling is a MeanAttraction",
    "montreal": "the reward of coupling congestion is a function of Python",
    "susceptible-infected": "its transitions depend on the crowd",
}


def test_every_named_problem_is_in_one_of_the_lists() -> None:
    assert sorted([*AS_DATA, *REFUSED]) == mfg.problems.names("game")


@pytest.mark.parametrize("name", AS_DATA)
def test_the_file_is_the_same_game_to_the_last_bit(name: str, tmp_path: Path) -> None:
    problem = mfg.problems.build(name, None, SHAPES.get(name), 16 if name in SHAPES else None)
    text, files = write_declared(problem, tmp_path / "my.toml", "# a head\n")
    assert text.startswith("# a head\n")
    assert files[0].read_text() == text
    again = read_problem(tmp_path / "my.toml")
    assert "problem =" not in text
    assert fingerprint(settle(again)) == fingerprint(settle(problem))
    assert again.kinks == problem.kinks
    assert (again.track is None) == (problem.track is None) or name == "crowd-motion"  # whose bar is a table of costs


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_cannot_be_data_is_refused_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    with pytest.raises(mfg.InputError, match=f"problem '{name}' cannot be written") as error:
        write_declared(mfg.problems.build(name), tmp_path / "my.toml")
    assert REFUSED[name] in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_the_flagship_solves_to_the_same_numbers_and_takes_a_wall(tmp_path: Path) -> None:
    problem = mfg.problems.supply_demand(shape=(12, 12), viscosity=0.01)
    text, _ = write_declared(problem, tmp_path / "my.toml")
    named, full = mfg.solve(problem, check="ignore"), mfg.solve(read_problem(tmp_path / "my.toml"), check="ignore")
    for variable in ("density", "value"):
        assert np.array_equal(named.dataset[variable], full.dataset[variable])
    assert named.certificate == full.certificate
    walled = text.replace("\n# blocked = [{lower = [0.4, 0.4]", "\nblocked = [{lower = [0.4, 0.4]")
    assert walled != text
    (tmp_path / "walled.toml").write_text(walled)
    grid = read_problem(tmp_path / "walled.toml").grid
    assert grid.mask.sum() == 4, "cells 5 and 6 along both axes"
    plan = mfg.solve(read_problem(tmp_path / "walled.toml"), check="ignore")
    assert plan.converged
    assert (plan.dataset["density"].fillna(0.0).values[:, grid.mask] == 0).all()


def test_parameters_times_and_units_are_written(tmp_path: Path) -> None:
    grid = mfg.Grid.box((6, 8), bounds=[(0, 3), (1, 5)], boundary=["periodic", "reflecting"], unit="km")
    problem = mfg.Problem(
        grid=grid, time=mfg.TimeGrid(2.0, 9, unit="h", discount=0.1),
        dynamics=mfg.ControlledDiffusion(0.3, 0.7, scheme="upwind", drift=(0.25, mfg.Bump(1.0, 0.5, (2.0, 1.0)))),
        coupling=mfg.CrowdAversion(0.5, power=2.0) + mfg.Nonlocal(0.3, 0.5), initial=mfg.Bump(1.0, 0.4, (3.0, 1.5)),
        terminal=mfg.Quadratic(2.0, (4.0, 1.0)), terminal_coupling=mfg.CrowdAversion(0.1), normalise=True, name="mine",
        kinks=[0.25],
    )  # fmt: skip
    write_declared(problem, tmp_path / "my.toml")
    again = read_problem(tmp_path / "my.toml")
    assert fingerprint(again) == fingerprint(problem)
    assert again.kinks == problem.kinks == (0.25,)
    assert (again.name, again.grid.axes[0].unit, again.time.unit, again.time.discount) == ("my", "km", "h", 0.1)


def test_uneven_axes_and_arrays_of_a_lattice_game(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    problem = mfg.Problem(
        grid=mfg.Grid.box((4, 32)), time=mfg.TimeGrid(1.0, 4),
        dynamics=mfg.LatticeMoves([(0, 0), (1, 0)], [0.0, 0.1], jumps={(0, 0): 0.75, (1, 0): 0.25}),
        coupling=mfg.RunningCost(lambda t, c: t * c.x) + mfg.Capacity(30.0), initial=rng.uniform(0.5, 1.5, (4, 32)),
        normalise=True,
    )  # fmt: skip
    _, files = write_declared(problem, tmp_path / "my.toml")
    assert [file.name for file in files] == ["my.toml", "my.npz"]
    assert sorted(np.load(files[1])) == ["cost", "density"]
    edges = np.array([0.0, 0.1, 0.4, 1.0])
    uneven = mfg.Problem(
        grid=mfg.Grid((mfg.Axis.from_edges("x", edges),)), time=mfg.TimeGrid(1.0, 4),
        dynamics=mfg.ControlledDiffusion(0.1, scheme="upwind"), coupling=mfg.CrowdAversion(1.0), initial=1.0,
    )  # fmt: skip
    assert declared(uneven, "x")[0]["grid"]["edges"] == [edges.tolist()]


def test_names_with_points_have_files_of_arrays_of_their_own(tmp_path: Path) -> None:
    games = {f"bar.{noise}": mfg.problems.beach_bar(shape=(80,), steps=4, noise=noise) for noise in (0.1, 0.2)}
    for name, game in games.items():
        _, files = write_declared(game, tmp_path / f"{name}.toml")
        assert [file.name for file in files] == [f"{name}.toml", f"{name}.npz"]
    for name, game in games.items():  # after both are written
        assert fingerprint(read_problem(tmp_path / f"{name}.toml")) == fingerprint(settle(game))


def test_arrays_need_a_file_to_stand_beside() -> None:
    with pytest.raises(mfg.InputError, match="has arrays, which a file beside the text holds; name it"):
        write_declared(mfg.problems.beach_bar(), None)
    assert write_declared(mfg.problems.supply_demand(shape=(8, 8)), None)[1] == []


def test_functions_of_python_in_a_diffusion_are_refused() -> None:
    problem = mfg.Problem(
        grid=mfg.Grid.box((8,)), time=mfg.TimeGrid(1.0, 4), dynamics=mfg.ControlledDiffusion(0.1),
        coupling=mfg.CustomCoupling(lambda t, c, rho: rho), initial=1.0,
    )  # fmt: skip
    with pytest.raises(mfg.InputError, match="its coupling is a CustomCoupling, which a problem file has no words for"):
        declared(problem, "x")


@pytest.mark.parametrize("seed", range(5))
def test_boxes_cover_walls_exactly(seed: int) -> None:
    walls = np.random.default_rng(seed).random((7, 9)) < 0.4
    grid = mfg.Grid.box((7, 9), bounds=[(0, 2), (-1, 5)], blocked=walls)
    stated = [mfg.fields.Box(box["lower"], box["upper"]) for box in boxes(grid, grid.mask)]
    again = mfg.Grid.box((7, 9), bounds=[(0, 2), (-1, 5)], blocked=lambda c: np.any([b.contains(c) for b in stated], 0))
    assert np.array_equal(again.mask, grid.mask)
    assert len(stated) <= walls.sum()
