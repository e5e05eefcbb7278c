"""What goes wrong in a user's hands is one sentence: functions that raise, odd constructors, names, sizes, options."""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.errors import InputError, shown, unknown
from mfgsolve.games import make_game
from mfgsolve.inputs.memory import affordable, available_memory, human_size

TIME = mfg.TimeGrid(1.0, 4)


def failing(*_: Any) -> Any:
    raise KeyError("bus stop")


def room(**parts: Any) -> Any:
    stated: dict[str, Any] = {
        "grid": mfg.Grid.box((4, 4)), "time": TIME, "dynamics": mfg.ControlledDiffusion(0.02), "coupling": 0.0,
        "initial": 1.0,
    }  # fmt: skip
    return make_game(mfg.Problem(**(stated | parts)))


def table(coupling: Any = 0.0, **parts: Any) -> Any:
    dynamics = mfg.Tabular([np.eye(2), np.eye(2)[::-1]], **parts)
    return make_game(mfg.Problem(grid=mfg.States(2), time=TIME, dynamics=dynamics, coupling=coupling,
                                 initial=np.array([0.5, 0.5])))  # fmt: skip


class BadPotential:
    value = second = staticmethod(lambda t, a: 0.0)
    derivative = staticmethod(failing)


RAISING = {
    r"initial density, the function 'failing', raised KeyError at t = 0 \('bus stop'\)": lambda: room(initial=failing),
    "terminal cost, the function 'failing', raised KeyError at t = 1 ": lambda: room(terminal=failing),
    "running cost, the function 'failing', raised KeyError at t = 0 ": lambda: room(coupling=mfg.RunningCost(failing)),
    "crowd aversion, the function 'failing'": lambda: room(coupling=mfg.CrowdAversion(failing)),
    "congestion reward, the function 'failing'": lambda: room(coupling=mfg.Congestion(failing)),
    "nonlocal kernel, the function 'failing', raised KeyError": lambda: room(coupling=mfg.Nonlocal(kernel=failing)),
    "nonlocal kernel gives an array of shape": lambda: room(coupling=mfg.Nonlocal(kernel=lambda x, y: np.ones(3))),
    "blocked, the function 'failing', raised KeyError": lambda: mfg.Grid.box((4, 4), blocked=failing),
    "capacity, the function 'failing', raised KeyError": lambda: table(mfg.Capacity(failing)),
    "own cost, the function 'failing', raised KeyError": lambda: table(cost=failing),
    "bound of the price, the function 'failing', raised": lambda: table(
        mfg.Price(mfg.QuadraticPotential(1.0), bounds=(failing, 1.0), amounts=[0, 1])),
    "centre of the price, the function 'failing', raised": lambda: price(mfg.QuadraticPotential(1.0, failing)),
    "derivative of the potential of the price, a BadPotential, raised KeyError at t = 0, A": lambda: price(
        BadPotential()),
    "cost of a custom coupling, the function 'failing', raised KeyError at t = 0 ": lambda: price_of(
        table(mfg.CustomCoupling(failing))),
    "track of the problem, the function 'failing', raised": lambda: room(track=failing),
    "running cost: unknown coordinate 'u'; did you mean 'x'|running cost: unknown coordinate 'u'": lambda: room(
        coupling=lambda t, c: c.u),
    r"running cost: a function is called as f\(t, coordinates\)": lambda: room(coupling=lambda t: 0.0),
}  # fmt: skip


def price(potential: Any) -> None:
    price_of(table(mfg.Price(potential, amounts=[0, 1])))


def price_of(game: Any) -> None:
    game.price(game.resting_crowd(game.empty_crowd()))


@pytest.mark.parametrize("message", RAISING)
def test_functions_that_raise_are_named_with_the_time_and_what_they_raised(message):
    with pytest.raises(InputError, match=message) as caught:
        RAISING[message]()
    assert caught.value.__cause__ is None or isinstance(caught.value.__cause__, KeyError)


@pytest.mark.filterwarnings("error")
def test_no_warning_escapes_from_a_formula():
    with pytest.raises(InputError, match="running cost is -inf at t = 0, cell"):
        room(coupling=mfg.RunningCost(lambda t, c: np.log(c.x * 0)))
    with pytest.raises(InputError, match="own cost of action 0 in state 0 at step 0 is inf"):
        table(cost=lambda t, c: np.ones((2, 2)) / np.zeros((2, 2)))
    game = room(coupling=mfg.RunningCost(lambda t, c: np.where(c.x > 0.5, np.log(c.x - 0.5), 0.0)))  # inside, no matter
    price_of(game)
    cap = mfg.Capacity(lambda t, c: 1.0 / (c.state * np.array([0.0, 1.0])))  # infinite where nothing is capped
    assert np.isinf(table(cap).bounds()[0][3][:, 0]).all()
    coupled = mfg.Tabular(lambda t, m: [np.where(m[:, None] * 0 == 0, np.eye(2), np.log(m * 0))])
    make_game(mfg.Problem(grid=mfg.States(2), time=TIME, dynamics=coupled, coupling=0.0, initial=np.array([1.0, 0.0])))


ODD = {
    r"axes of the grid are \(16, 16\); .*Grid\.box\(shape, bounds\)": lambda: mfg.Grid((16, 16)),
    "axes of the grid are 16": lambda: mfg.Grid(16),
    r"bounds is \(0, 1\); a pair .* say \[\(0, 1\)\]": lambda: mfg.Grid.box((4,), bounds=(0, 1)),
    r"bounds is \(0, 1\); a pair .* say \[\(0, 1\), \(0, 1\)\]": lambda: mfg.Grid.box((4, 4), bounds=(0, 1)),
    "bounds is 5": lambda: mfg.Grid.box((4,), bounds=5),
    "bounds is 'ab'": lambda: mfg.Grid.box((4, 4), bounds="ab"),
    r"stop of axis x is 'a' \(str\)": lambda: mfg.Grid.box((4,), bounds=[(0, "a")]),
    "boundary is 3": lambda: mfg.Grid.box((4,), boundary=3),
    "blocked is a list, and no array of truth values|blocked cells came as": lambda: mfg.Grid.box(4, blocked=[[1], []]),
    r"sites of the problem have shape \(3,\)": lambda: room(sites=[1, 2, 3]),
    "too large for a number of 64 bits": lambda: mfg.Grid.box(10**400),
    "option agents of the learner is 'ten'": lambda: mfg.learn(mfg.problems.beach_bar(), learner="gmf-q", agents="ten"),
    "option softness of the learner is '1'": lambda: mfg.learn(mfg.problems.beach_bar(), learner="gmf-q", softness="1"),
    "option weight of gmf-q is None": lambda: mfg.learners.GMFQ(weight=None),
    "option empirical of gmf-q is 1 .*True or False": lambda: mfg.learners.GMFQ(empirical=1),
    "option rate of mirror-descent is 'a'": lambda: mfg.solve(
        mfg.problems.beach_bar(), method="mirror-descent", rate="a"),
    "unknown option of newton": lambda: mfg.solve(mfg.problems.beach_bar(), method="newton", rate=1.0),
}  # fmt: skip


@pytest.mark.parametrize("message", ODD)
def test_odd_arguments_are_told_in_a_sentence(message):
    with pytest.raises(InputError, match=message):
        ODD[message]()


LONG = {
    "text": lambda: mfg.States("a" * 10**6),
    "name": lambda: mfg.States([7, "a" * 10**6]),
    "twice": lambda: mfg.States(["a" * 10**6] * 2),
    "cells": lambda: mfg.Grid.box(["a" * 10**6]),
    "bounds": lambda: mfg.Grid.box(4, bounds=list(range(10**5))),
    "axes": lambda: mfg.Grid(list(range(10**5))),
    "populations": lambda: mfg.Populations(list(range(10**5)), mfg.States(2)),
    "actions": lambda: mfg.Tabular([np.eye(2)], actions=list(range(10**5))),
    "option": lambda: mfg.solve(mfg.problems.beach_bar(), **{"a" * 10**6: 1}),
    "method": lambda: mfg.solve(mfg.problems.beach_bar(), method="a" * 10**6),
    "move": lambda: mfg.LatticeMoves(["a" * 10**6]),
    "initial": lambda: room(initial=["a" * 10**6]),
    "cost": lambda: mfg.RunningCost("a" * 10**6),
    "raised": lambda: room(initial=lambda t, c: {}["a" * 10**6]),
    "dataset": lambda: room(initial=xr.Dataset({f"v{k}": 1.0 for k in range(10**4)})),
    "state": lambda: mfg.simulate(mfg.problems.beach_bar(), policy=np.full((20, 3, 20), 1 / 3), start=["a" * 10**6]),
    "jumps": lambda: mfg.LatticeMoves([0], jumps="a" * 10**6),
    "price": lambda: mfg.Price(mfg.QuadraticPotential(1.0), bounds=[0] * 10**5),
}


@pytest.mark.parametrize("name", LONG)
def test_values_are_echoed_up_to_200_characters(name):
    with pytest.raises(InputError) as caught:
        LONG[name]()
    assert len(str(caught.value)) <= 1000
    assert max(map(len, str(caught.value).split())) <= 210


def test_every_message_is_cut_in_one_place():
    error = InputError("path " + "a" * 6000 + " cannot be read\n" + "words " * 400 + "end")
    first, second = str(error).split("\n")
    assert first.startswith("path aaa")
    assert first.endswith("aaa cannot be read")
    assert len(first) < 230
    assert len(second) == 1000
    assert second.endswith("end")
    assert shown("a" * 300).startswith("'aaa")
    assert len(shown("a" * 300)) == 200
    assert "(5000 in all)" in unknown("state", "z", [f"s{k}" for k in range(5000)])


# -- names and sizes -------------------------------------------------------------------------------------------------


def test_a_hundred_thousand_names_are_no_matter():
    """A search through all names for each took minutes, for states, populations and starts alike."""
    code = """
import numpy as np, mfgsolve as mfg
from mfgsolve.agents.starting import start_cells
from mfgsolve.games import make_game
from scipy import sparse
names = [f"state {k}" for k in range(100_000)]
space = mfg.States(names)
try:
    mfg.States([*names, "state 7"])
except mfg.InputError as error:
    assert "'state 7' is named twice" in str(error)
try:
    mfg.Tabular([sparse.eye_array(2)], actions=[*names, "state 7"])
except mfg.InputError:
    pass
mfg.Populations(names, mfg.States(2))
time, stay = mfg.TimeGrid(1, 1), mfg.Tabular([sparse.eye_array(100_000)])
game = make_game(mfg.Problem(grid=space, time=time, dynamics=stay, coupling=0.0, initial=np.full(100_000, 1e-5)))
assert (start_cells(names[::-1], game)[0] == np.arange(100_000)[::-1]).all()
"""
    subprocess.run([sys.executable, "-c", code], timeout=120, check=True)


HUGE = {
    r"grid of shape \(100000, 100000\) needs at least 224 GiB of memory, and .* are available": lambda: mfg.Grid.box(
        (100000, 100000)),
    r"grid of shape \(9223372036854775808,\)": lambda: mfg.Grid.box(2**63),
    "list of 10000000000000 states needs at least": lambda: mfg.States(10**13),
    "space of 1000 populations in 10000000 cells each needs": lambda: mfg.Populations(
        [str(k) for k in range(1000)], mfg.States(10**7)),
    "density in 16 cells at 1000000000001 times needs": lambda: room(time=mfg.TimeGrid(1.0, 10**12)),
}  # fmt: skip


@pytest.mark.parametrize("message", HUGE)
def test_sizes_beyond_the_memory_are_told_before_anything_is_allocated(message):
    with pytest.raises(InputError, match=message):
        HUGE[message]()


def test_limits_of_the_process_count():
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))

    code = """
import mfgsolve as mfg
try:
    mfg.Grid.box((20_000, 20_000))
except mfg.InputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True,
                          preexec_fn=limited)  # fmt: skip
    assert "grid of shape (20000, 20000) needs at least 8.94 GiB of memory, and" in done.stdout


def test_sizes_for_people():
    assert [human_size(n) for n in (0, 1023, 1024, 1536, 2**30, 10**20)] == [
        "0 bytes", "1023 bytes", "1 KiB", "1.5 KiB", "1 GiB", "8.88e+04 PiB"]  # fmt: skip
    assert affordable(10, 8, "small array") == 80
    there = available_memory()
    assert there is None or there > 2**20


# -- names of actions ------------------------------------------------------------------------------------------------


def test_every_population_keeps_the_names_of_its_actions(tmp_path):
    """All populations had the names of the first one: hens 'hunt'."""
    stay, swap = np.eye(2), np.eye(2)[::-1]
    problem = mfg.Problem(
        grid=mfg.Populations(["fox", "hen", "hawk"], mfg.States(2)), time=TIME, coupling=mfg.CrowdAversion(1.0),
        dynamics=[mfg.Tabular([stay, swap, stay], actions=["rest", "hunt", "hide"]),
                  mfg.Tabular([stay, swap], actions=["rest", "flee"]), mfg.Tabular([stay])],
        initial=np.full((3, 2), 0.5),
    )  # fmt: skip
    plan = mfg.solve(problem)
    plan.save(tmp_path / "plan.nc")
    for dataset in (plan.dataset, mfg.load(tmp_path / "plan.nc").dataset):
        assert dataset["action"].values.tolist() == ["rest/0", "hunt/flee", "hide"]
        names = dataset["action_name"].sel(population=["fox", "hen", "hawk"]).values.tolist()
        assert names == [["rest", "hunt", "hide"], ["rest", "flee", ""], ["0", "", ""]]
    assert mfg.exploitability(problem, plan.dataset).relative_exploitability < 1e-9
    swapped = mfg.Problem(
        grid=mfg.Populations(["fox", "hen"], mfg.States(2)), time=TIME, coupling=0.0, initial=np.full((2, 2), 0.5),
        dynamics=[mfg.Tabular([stay, swap], actions=["a", "b"]), mfg.Tabular([stay, swap], actions=["b", "a"])],
    )  # fmt: skip
    assert make_game(swapped).action_names == ["a/b", "b/a"]
    alike = mfg.solve(mfg.problems.predator_prey()).dataset
    assert "action_name" not in alike
