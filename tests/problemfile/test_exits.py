"""Exits in problem files: sides, boxes, states and arrays; what is written again; what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.problemfile import problem_from_toml, problem_to_toml, read_problem
from mfgsolve.problemfile.declaring import write_declared
from mfgsolve.problemfile.reference import all_keys

HALL = """
name = "hall"
[grid]
shape = [4, 6]
[time]
horizon = 1.0
steps = 8
[dynamics]
viscosity = 0.05
[initial]
density = 1.0
normalise = true
[[exit]]
name = "west"
side = "x-low"
cost = 0.3
[[exit]]
name = "hole"
boxes = [{lower = [0.8, 0.8], upper = [1.0, 1.0]}]
"""
ROOMS = """
[states]
names = ["home", "street", "bus"]
[time]
horizon = 2.0
steps = 2
[dynamics]
kind = "tabular"
transitions = [[[0, 1, 0], [0, 0, 1], [0, 0, 1]]]
[initial]
density = [1, 0, 0]
[[exit]]
states = ["bus"]
cost = 2.0
"""


def test_a_hall_with_a_side_and_a_hole():
    problem = problem_from_toml(HALL)
    assert problem.grid.shape == (4, 7)
    assert problem.grid.exits.names == ("west", "hole")
    assert problem.grid.exits.number[:, 0].tolist() == [0] * 4
    assert problem.grid.exits.number[3].tolist() == [0, -1, -1, -1, -1, -1, 1]
    assert problem.terminal_cost()[0, 0] == 0.3
    twin = mfg.Problem(
        mfg.Grid.box((4, 6), exits={"west": "x-low", "hole": lambda c: (c.x > 0.8) & (c.y > 0.8)}),
        mfg.TimeGrid(1.0, 8), mfg.ControlledDiffusion(0.05), 0.0, 1.0, normalise=True, exit_cost={"west": 0.3},
    )  # fmt: skip
    assert problem.bind(problem.initial_mass()).pay.tolist() == twin.bind(twin.initial_mass()).pay.tolist()


def test_it_is_written_as_it_was_stated_and_in_another_size():
    problem = problem_from_toml(HALL)
    again = problem_from_toml(problem_to_toml(problem))
    assert again.grid.identity == problem.grid.identity
    larger = problem_from_toml(HALL, shape=(8, 12))
    assert larger.grid.shape == (8, 13)
    assert larger.grid.axes[1].centres[1] == pytest.approx(1 / 24)
    assert problem_from_toml(problem_to_toml(larger)).grid.identity == larger.grid.identity


def test_a_change_of_what_leaving_costs_is_seen():
    from dataclasses import replace

    problem = problem_from_toml(HALL)
    with pytest.raises(InputError, match="was changed in Python"):
        problem_to_toml(replace(problem, exit_cost={"hole": lambda t, c: t * (t < 0.9) + 0 * c.x}))


def test_listed_states():
    solution = mfg.solve(problem_from_toml(ROOMS))
    assert solution.exited[:, 0].values.tolist() == [0, 0, 1]
    assert solution.certificate.cost == pytest.approx(2.0)


def test_a_solution_keeps_its_text(tmp_path: Path):
    solution = mfg.solve(problem_from_toml(ROOMS))
    path = solution.save(tmp_path / "rooms.nc")
    assert "[[exit]]" in mfg.load(path).dataset.attrs["problem"]


def test_a_named_problem_as_a_file_of_its_own(tmp_path: Path):
    problem = mfg.problems.build("evacuation", {"toll": 0.25}, shape=(22, 32), steps=24)
    path = tmp_path / "room.toml"
    write_declared(problem, path)
    again = read_problem(path)
    assert (again.grid.exits.number == problem.grid.exits.number).all()
    assert again.grid.exits.names == problem.grid.exits.names
    assert (again.grid.mask == problem.grid.mask).all()
    assert again.exit_cost == {"west door": 0.25, "north door": 0.0}


def test_a_game_of_states_as_a_file_of_its_own(tmp_path: Path):
    for states in (["home", "gate"], 2):
        space = mfg.States(states, exits={"out": 1})
        moves = mfg.Tabular(np.array([[[0.5, 0.5], [0, 1.0]]]))
        problem = mfg.Problem(space, mfg.TimeGrid(2.0, 2), moves, 0.0, np.array([1.0, 0]), exit_cost=0.5)
        write_declared(problem, tmp_path / "gate.toml")
        again = read_problem(tmp_path / "gate.toml")
        assert again.grid.exits.number.tolist() == [-1, 0]
        assert mfg.solve(again).certificate.cost == mfg.solve(problem).certificate.cost == 0.375


BAD = {
    "exit 'west' needs one of side, boxes, states and cells, and has none": HALL.replace('side = "x-low"', ""),
    "has side and boxes": HALL.replace('side = "x-low"', 'side = "x-low"\nboxes = [{lower = [0, 0], upper = [1, 1]}]'),
    "two exits are named 'west'": HALL.replace('"hole"', '"west"'),
    "unknown face of exit 'west' 'x-lo'": HALL.replace("x-low", "x-lo"),
    "unknown key 'price'": HALL.replace("cost = 0.3", "price = 0.3"),
    "unknown state of exit 'exit' 'buss'": ROOMS.replace('states = ["bus"]', 'states = ["buss"]'),
    r"exit\[0\].cost: nan is not finite": HALL.replace("cost = 0.3", "cost = nan"),
}


@pytest.mark.parametrize("message", BAD)
def test_what_is_no_exit(message: str):
    with pytest.raises(InputError, match=message):
        problem_from_toml(BAD[message])


def test_keys_are_told():
    assert "[[exit]]" in all_keys()
    assert "boxes" in all_keys().split("[[exit]]")[1].split("\n\n")[0]


def test_cells_from_an_array(tmp_path: Path):
    np.savez(tmp_path / "data.npz", gone=np.array([False, False, True]))
    text = 'data = "data.npz"\n' + ROOMS.replace('states = ["bus"]', 'cells = "gone"')
    problem = problem_from_toml(text, folder=tmp_path)
    assert problem.grid.exits.number.tolist() == [-1, -1, 0]
