"""A game owns its arrays: what happens to the caller's buffers afterwards changes nothing, and nobody can write in."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.fields import Box, Bump, Quadratic, Total
from mfgsolve.identity import fingerprint
from mfgsolve.inputs.labels import frozen

GRID = mfg.Grid.box((3, 4))


class Buffers:
    """Arrays that are handed out, and spoilt later."""

    def __init__(self) -> None:
        self.spoil: list[Callable[[], Any]] = []

    def __call__(self, values: Any, dtype: Any = float) -> np.ndarray:
        base = np.array(values, dtype=dtype)
        self.spoil.append(lambda: base.__setitem__(..., 1 - base if base.dtype == bool else base * 0.25 + 0.125))
        return base[...]  # a view, whose base is written to

    def list(self, *values: Any) -> list[Any]:
        given = list(values)
        self.spoil.append(given.reverse)
        return given

    def sparse(self, values: Any, kind: Any = sparse.csr_array) -> Any:
        matrix = kind(np.array(values))
        self.spoil.append(lambda: matrix.data.__imul__(0.5))
        return matrix

    def labelled(self, values: Any, *dims: str) -> xr.DataArray:
        return xr.DataArray(self(values), dims=dims)


def room(**parts: Any) -> mfg.Problem:
    stated: dict[str, Any] = {
        "grid": GRID, "time": mfg.TimeGrid(1.0, 4), "dynamics": mfg.ControlledDiffusion(0.02, 1.0),
        "coupling": mfg.CrowdAversion(0.3), "initial": 1.0, "normalise": True,
    }  # fmt: skip
    return mfg.Problem(**(stated | parts))


STAY, SWAP = np.eye(2), np.eye(2)[::-1]


def table(transitions: Any = None, coupling: Any = None, cost: Any = 0.0, allowed: Any = None, **parts: Any) -> Any:
    transitions = [STAY, SWAP] if transitions is None else transitions
    return mfg.Problem(
        grid=mfg.States(["up", "down"]), time=mfg.TimeGrid(2.0, 4),
        dynamics=mfg.Tabular(transitions, cost=cost, allowed=allowed),
        coupling=mfg.CrowdAversion(0.3) if coupling is None else coupling, initial=np.array([0.75, 0.25]), **parts,
    )  # fmt: skip


def returning(value: Any) -> Callable[..., Any]:
    return lambda c: value


RAMP = np.linspace(0.1, 1.0, 12).reshape(3, 4)
PAIR = np.array([STAY, SWAP]) * 0.5 + 0.25
QUADRATIC = mfg.QuadraticPotential(1.0, 0.3)
STATED: dict[str, Callable[[Buffers], mfg.Problem]] = {
    "initial": lambda b: room(initial=b(RAMP)),
    "initial, labelled": lambda b: room(initial=b.labelled(RAMP.T, "x", "y")),
    "initial of 32 bits": lambda b: room(initial=b(RAMP, np.float32)),
    "initial, a list": lambda b: room(initial=b.list(*RAMP.tolist())),
    "terminal": lambda b: room(terminal=b(RAMP)),
    "terminal, labelled": lambda b: room(terminal=b.labelled(RAMP[0], "x")),
    "blocked": lambda b: room(grid=mfg.Grid.box((3, 4), blocked=b(RAMP > 0.8, bool))),
    "blocked by a function": lambda b: room(grid=mfg.Grid.box((3, 4), blocked=returning(b(RAMP > 0.8, bool)))),
    "axes": lambda b: room(grid=mfg.Grid(b.list(mfg.Axis("y", 3), mfg.Axis("x", 3)))),
    "sites": lambda b: room(sites=b(np.ones((2, 3)))),
    "running cost": lambda b: room(coupling=mfg.RunningCost(b(RAMP))),
    "running cost, labelled": lambda b: room(coupling=mfg.RunningCost(b.labelled(RAMP.T, "x", "y"))),
    "running cost in time": lambda b: room(coupling=mfg.RunningCost(b.labelled([RAMP[0]] * 5, "time", "x"))),
    "strength": lambda b: room(coupling=mfg.CrowdAversion(b(RAMP))),
    "reward": lambda b: room(coupling=mfg.Congestion(b(RAMP))),
    "sum of fields": lambda b: room(coupling=mfg.RunningCost(Total((lambda t, c: c.x, b(RAMP))))),
    "bump": lambda b: room(coupling=mfg.RunningCost(Bump(1.0, 0.1, centre=b([0.2, 0.3])))),
    "path of a bump": lambda b: room(coupling=mfg.RunningCost(Bump(1.0, 0.1, path=b([[0, 0.2, 0.3], [1, 0.5, 0.5]])))),
    "quadratic": lambda b: room(terminal=Quadratic(1.0, b([0.2, 0.3]))),
    "box": lambda b: room(terminal=Box(b([0.2, 0.3]), b([0.9, 0.9]))),
    "sum of couplings": lambda b: room(
        coupling=mfg.couplings.Sum(b.list(mfg.CrowdAversion(0.3), mfg.RunningCost(b(RAMP))))),
    "cap": lambda b: table(coupling=mfg.Capacity(b([0.9, 0.8]))),
    "matrix of an interaction": lambda b: table(coupling=mfg.Interaction(b([[0, 1], [2, 0]]))),
    "amounts": lambda b: table(coupling=mfg.Price(QUADRATIC, amounts=b([0.0, 1.0]))),
    "amounts, a list": lambda b: table(coupling=mfg.Price(QUADRATIC, amounts=b.list(0.0, 1.0))),
    "bounds of a price": lambda b: table(coupling=mfg.Price(QUADRATIC, bounds=b.list(-1.0, 1.0), amounts=[0, 1])),
    "transitions": lambda b: table(b(PAIR)),
    "transitions in time": lambda b: table(b(np.tile(PAIR, (4, 1, 1, 1)))),
    "transitions, a list": lambda b: table(b.list(b(PAIR[0]), b(PAIR[1]))),
    "transitions, lists": lambda b: table(b.list(*PAIR.tolist())),
    "transitions, lists in time": lambda b: table([b.list(b(PAIR[0]), b(PAIR[1])) for _ in range(4)]),
    "transitions, sparse": lambda b: table([b.sparse(PAIR[0]), b.sparse(PAIR[1], sparse.coo_matrix)]),
    "transitions, labelled": lambda b: table(b.labelled(PAIR, "action", "state", "next_state")),
    "own cost": lambda b: table(cost=b([[0.0, 0.1], [0.2, 0.3]])),
    "own cost, a list": lambda b: table(cost=b.list(0.0, 0.1)),
    "own cost, labelled": lambda b: table(cost=b.labelled([0.0, 0.1], "action")),
    "allowed": lambda b: table(allowed=b([[True, True], [True, False]], bool)),
    "names of states": lambda b: mfg.Problem(
        grid=mfg.States(b.list("up", "down")), time=mfg.TimeGrid(2.0, 4), dynamics=mfg.Tabular([STAY]), coupling=0.0,
        initial=np.array([0.75, 0.25])),
    "names of populations": lambda b: mfg.Problem(
        grid=mfg.Populations(b.list("fox", "hen"), mfg.States(2)), time=mfg.TimeGrid(2.0, 4), coupling=0.0,
        dynamics=b.list(mfg.Tabular([STAY, SWAP], actions=b.list("rest", "hunt")), mfg.Tabular([SWAP, STAY])),
        initial=np.full((2, 2), 0.5)),
    "moves of a lattice": lambda b: room(dynamics=mfg.LatticeMoves(
        b.list(b.list(0, 1), b.list(1, 0)), costs=b([0.1, 0.2]), jumps=b.list(((0, 0), 0.5), ((1, 0), 0.5)))),
}  # fmt: skip


@pytest.mark.parametrize("name", STATED)
def test_buffers_overwritten_afterwards_change_nothing(name):
    buffers = Buffers()
    problem = STATED[name](buffers)
    before = fingerprint(problem)
    assert buffers.spoil
    untouched, spoilt = (STATED[name](Buffers()) for _ in range(2))
    for spoil in buffers.spoil:
        spoil()
    assert fingerprint(problem) == before == fingerprint(untouched) == fingerprint(spoilt)


def arrays_in(value: Any, seen: set[int]) -> Iterator[np.ndarray]:
    """Every array that can be reached from the attributes of a value."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, np.ndarray):
        yield value
    elif sparse.issparse(value):
        yield from (value.data, value.indices, value.indptr)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from arrays_in(part, seen)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for part in vars(value).values():
            yield from arrays_in(part, seen)


@pytest.mark.parametrize("name", STATED)
def test_what_a_problem_shows_of_itself_cannot_be_written_to(name):
    problem = STATED[name](Buffers())
    fingerprint(problem)
    shown = [*arrays_in(problem, set()), problem.grid.mask, *problem.coordinates.values()]
    assert all(not array.flags.writeable for array in shown)
    for array in shown:
        if array.base is not None or array.size == 0:
            continue
        with pytest.raises(ValueError, match=r"read-only|WRITEABLE"):
            array[...] = 0
    fresh = (problem.initial_mass, problem.terminal_cost, lambda: problem.time.nodes)
    for make in fresh:
        before = fingerprint(problem)
        array = make()
        if array.flags.writeable:
            array[...] = 7.0
        assert fingerprint(problem) == before


def test_a_plan_stays_an_equilibrium_of_its_game():
    """Overwriting transitions and costs of the caller moved a plan's own exploitability from 1e-10 to 0.2."""
    transitions, cost = PAIR.copy(), np.array([[0.0, 0.0], [0.1, 0.1]])
    problem = table(transitions, cost=cost)
    plan = mfg.solve(problem)
    transitions[:], cost[:] = transitions[::-1].copy(), cost[::-1] * 5
    assert mfg.exploitability(problem, plan).relative_exploitability < 1e-9


def test_frozen_copies_are_made_once_and_can_never_be_written_to():
    base = np.arange(6.0).reshape(2, 3)
    base.setflags(write=False)
    copy = frozen(base)
    assert copy is not base
    assert frozen(copy) is copy
    assert frozen(copy[1]).base is copy.base or frozen(copy[1]) is not base
    with pytest.raises(ValueError, match="WRITEABLE"):
        copy.setflags(write=True)
    dynamics = mfg.Tabular(PAIR)
    again = dataclasses.replace(dynamics, temperature=0.5)
    assert again.transitions is dynamics.transitions  # cooling does not copy
    rows = mfg.Tabular([sparse.csr_array(PAIR[0])])
    assert dataclasses.replace(rows, temperature=0.5).transitions[0] is rows.transitions[0]
    assert frozen(np.zeros((0, 3))).shape == (0, 3)
