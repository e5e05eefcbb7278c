"""The identity of a game: two games that differ anywhere have two, one game stated twice has one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.identity import VERSIONS, fingerprint
from mfgsolve.problemfile import problem_from_toml

STAY, SWAP = np.eye(2), np.eye(2)[::-1].copy()
TIME = mfg.TimeGrid(2.0, 8)


def room(**parts: Any) -> mfg.Problem:
    stated: dict[str, Any] = {
        "grid": mfg.Grid.box((4, 6)), "time": TIME, "dynamics": mfg.ControlledDiffusion(0.02, 1.0, scheme="upwind"),
        "coupling": mfg.CrowdAversion(0.3), "initial": 1.0, "terminal": lambda t, c: c.x,
    }  # fmt: skip
    return mfg.Problem(**(stated | parts))


def table(dynamics: Any = None, **parts: Any) -> mfg.Problem:
    stated: dict[str, Any] = {
        "grid": mfg.States(["up", "down"]), "time": TIME, "coupling": mfg.CrowdAversion(0.3),
        "initial": np.array([0.75, 0.25]),
    }  # fmt: skip
    dynamics = mfg.Tabular([STAY, SWAP], cost=[0.0, 0.1]) if dynamics is None else dynamics
    return mfg.Problem(dynamics=dynamics, **(stated | parts))


def late(value: float) -> Any:
    """A cost that tells at one node, the last step, alone."""
    return lambda t, c: np.where(t > 1.7, value, 0.0) + 0.0 * c.x


def custom(slope: float = 2.0, **parts: Any) -> mfg.CustomCoupling:
    functions: dict[str, Any] = {"cost": lambda t, c, rho: rho**2, "derivative": lambda t, c, rho: slope * rho}
    return mfg.CustomCoupling(**(functions | parts))


def price(bounds: Any = None, amounts: Any = (0.0, 1.0), weight: float = 1.0, centre: Any = 0.3) -> mfg.Price:
    return mfg.Price(mfg.QuadraticPotential(weight, centre), bounds=bounds, amounts=np.array(amounts))


def follow(share: float) -> mfg.Tabular:
    """Where the crowd decides the transitions; at the start, (3/4, 1/4), no share tells."""
    part = lambda m: share * (m[0] - 0.75) ** 2
    return mfg.Tabular(lambda t, m: [STAY, (1 - part(m)) * STAY + part(m) * SWAP])


def matrices(late_chance: float) -> np.ndarray:
    out = np.tile(np.array([STAY, SWAP]), (8, 1, 1, 1))
    out[7, 1] = [[1 - late_chance, late_chance], [0.0, 1.0]]
    return out


BLOCK = np.zeros((4, 6), dtype=bool)
BLOCK[1, 2] = True
OTHER = np.zeros((4, 6), dtype=bool)
OTHER[2, 2] = True
PAIR = mfg.Populations(["fox", "hen"], mfg.States(2))


def two(first: Any, second: Any, space: Any = PAIR) -> mfg.Problem:
    return table([first, second], grid=space, initial=np.full((2, 2), 0.5))


DIFFERENT = {
    "horizon": (room(), room(time=mfg.TimeGrid(2.5, 8))),
    "steps": (room(), room(time=mfg.TimeGrid(2.0, 9))),
    "unit of time": (room(), room(time=mfg.TimeGrid(2.0, 8, "h"))),
    "bounds of the box": (room(initial=0.5, grid=mfg.Grid.box((4, 6), [(0, 1), (0, 2)])),
                          room(initial=0.5, grid=mfg.Grid.box((4, 6), [(0, 2), (0, 1)]))),
    "boundary": (room(), room(grid=mfg.Grid.box((4, 6), boundary="periodic"))),
    "walls": (room(grid=mfg.Grid.box((4, 6), blocked=BLOCK), normalise=True),
              room(grid=mfg.Grid.box((4, 6), blocked=OTHER), normalise=True)),
    "viscosity": (room(), room(dynamics=mfg.ControlledDiffusion(0.02 + 1e-15, 1.0, scheme="upwind"))),
    "control cost": (room(), room(dynamics=mfg.ControlledDiffusion(0.02, 1.1, scheme="upwind"))),
    "noise": (room(), room(dynamics=mfg.ControlledDiffusion(0.02, 1.0, noise="explicit", scheme="upwind"))),
    "initial": (room(), room(initial=lambda t, c: 1 + 0.1 * (c.x - 0.5))),
    "terminal": (room(), room(terminal=lambda t, c: c.x + 1e-12 * c.y)),
    "strength": (room(), room(coupling=mfg.CrowdAversion(0.3 + 1e-15))),
    "one late node": (room(coupling=mfg.RunningCost(late(1.0))), room(coupling=mfg.RunningCost(late(2.0)))),
    "power, alike at density 1": (room(), room(coupling=mfg.CrowdAversion(0.3, 2.0))),
    "derivative alone": (room(coupling=custom(2.0)), room(coupling=custom(2.1))),
    "a claim alone": (room(coupling=custom()), room(coupling=custom(monotone=True))),
    "potential alone": (room(coupling=custom(potential=lambda t, c, rho: rho**3 / 3)),
                        room(coupling=custom(potential=lambda t, c, rho: rho**3 / 2))),
    "tangent alone": (room(coupling=custom(derivative=None, tangent=lambda t, c, rho, d: 2 * rho * d)),
                      room(coupling=custom(derivative=None, tangent=lambda t, c, rho, d: rho * d))),
    "terminal coupling": (room(), room(terminal_coupling=mfg.CrowdAversion(0.1))),
    "another terminal coupling": (room(terminal_coupling=mfg.CrowdAversion(0.1)),
                                  room(terminal_coupling=mfg.CrowdAversion(0.2))),
    "terminal cap": (table(terminal_coupling=mfg.Capacity(0.9)), table(terminal_coupling=mfg.Capacity(0.8))),
    "cap": (table(coupling=mfg.Capacity(0.9)), table(coupling=mfg.Capacity(0.95))),
    "cap at one late node": (table(coupling=mfg.Capacity(lambda t, c: 0.9 + 0.0 * c.state)),
                             table(coupling=mfg.Capacity(lambda t, c: 0.9 + 0.05 * (t > 1.7) + 0.0 * c.state))),
    "bound of a price": (table(coupling=price((-1.0, 1.0))), table(coupling=price((-1.0, 1.5)))),
    "no bound of a price": (table(coupling=price((-1.0, 1.0))), table(coupling=price((-1.0, None)))),
    "amounts": (table(coupling=price()), table(coupling=price(amounts=(0.0, 1.0 + 1e-9)))),
    "late centre of a price": (table(coupling=price(centre=lambda t: 0.3)),
                               table(coupling=price(centre=lambda t: 0.3 + 0.1 * (t > 1.7)))),
    "on what": (table(coupling=mfg.CrowdAversion(0.3)), table(coupling=mfg.CrowdAversion(0.3, on="occupation"))),
    "names of the states": (table(), table(grid=mfg.States(["up", "left"]))),
    "names of the actions": (table(mfg.Tabular([STAY, SWAP], actions=["a", "b"])),
                             table(mfg.Tabular([STAY, SWAP], actions=["a", "c"]))),
    "names of the populations": (two(mfg.Tabular([STAY]), mfg.Tabular([SWAP])),
                                 two(mfg.Tabular([STAY]), mfg.Tabular([SWAP]),
                                     mfg.Populations(["fox", "cat"], mfg.States(2)))),
    "names of the actions of the second population": (
        two(mfg.Tabular([STAY, SWAP], actions=["a", "b"]), mfg.Tabular([STAY, SWAP], actions=["b", "a"])),
        two(mfg.Tabular([STAY, SWAP], actions=["b", "a"]), mfg.Tabular([STAY, SWAP], actions=["a", "b"]))),
    "late transitions": (table(mfg.Tabular(matrices(0.5))), table(mfg.Tabular(matrices(0.6)))),
    "late own cost": (table(mfg.Tabular([STAY, SWAP], cost=lambda t, c: np.zeros((2, 2)))),
                      table(mfg.Tabular([STAY, SWAP], cost=lambda t, c: np.zeros((2, 2)) + (t > 1.7)))),
    "temperature": (table(), table(mfg.Tabular([STAY, SWAP], cost=[0.0, 0.1], temperature=0.1))),
    "allowed": (table(mfg.Tabular([STAY, SWAP], allowed=np.ones((2, 2), bool))),
                table(mfg.Tabular([STAY, SWAP], allowed=np.array([[True, True], [True, False]])))),
    "crowd-dependent transitions": (table(follow(1.0)), table(follow(0.5))),
    "interaction": (table(coupling=mfg.Interaction([[0, 1], [2, 0]])),
                    table(coupling=mfg.Interaction([[0, 2], [1, 0]]))),
    "walls of a lattice": tuple(room(dynamics=mfg.LatticeMoves([(0, 0), (1, 0)], walls=w)) for w in ("stay", "forbid")),
    "noise of a lattice": tuple(room(dynamics=mfg.LatticeMoves([(0, 0), (1, 0)], viscosity=v)) for v in (0.01, 0.02)),
}  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENT)
def test_games_that_differ_have_two_identities(name):
    one, other = DIFFERENT[name]
    assert fingerprint(one) == fingerprint(one)
    assert fingerprint(one) != fingerprint(other)


GRID = mfg.Grid.box((4, 6))
SAME = {
    "function and array": (room(coupling=mfg.RunningCost(lambda t, c: c.x * c.y)),
                           room(coupling=mfg.RunningCost(GRID.coordinates.x * GRID.coordinates.y))),
    "number and array": (room(initial=1.0), room(initial=np.ones((4, 6)))),
    "terminal": (room(), room(terminal=GRID.coordinates.x)),
    "walls": (room(grid=mfg.Grid.box((4, 6), blocked=BLOCK), normalise=True),
              room(grid=mfg.Grid.box((4, 6), blocked=lambda c: BLOCK), normalise=True)),
    "control cost": (
        room(), room(dynamics=mfg.ControlledDiffusion(0.02, mfg.dynamics.QuadraticCost(1.0), scheme="upwind")),
    ),
    "dense and sparse": (table(), table(mfg.Tabular([sparse.csr_array(STAY), sparse.coo_array(SWAP)], cost=[0, 0.1]))),
    "list and array": (table(), table(mfg.Tabular(np.array([STAY, SWAP]).tolist(), cost=[[0, 0], [0.1, 0.1]]))),
    "own cost": (table(), table(mfg.Tabular([STAY, SWAP], cost=lambda t, c: np.array([[0.0, 0.0], [0.1, 0.1]])))),
    "every step": (table(), table(mfg.Tabular([[STAY, SWAP]] * 8, cost=np.tile([[0.0, 0.0], [0.1, 0.1]], (8, 1, 1))))),
    "minus nought": (table(), table(mfg.Tabular([STAY, SWAP], cost=[-0.0, 0.1]))),
    "number and function": (table(coupling=mfg.Capacity(0.9)),
                            table(coupling=mfg.Capacity(lambda t, c: np.full(2, 0.9)))),
    "name and source": (room(), replace(room(), name="other", source="a book")),
    "names of no use": (table(mfg.Tabular([STAY, SWAP])), table(mfg.Tabular([STAY, SWAP], actions=["0", "1"]))),
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_one_game_stated_twice_has_one_identity(name):
    one, other = SAME[name]
    assert fingerprint(one) == fingerprint(other)


def test_a_file_and_python_state_the_same_game():
    text = """
    name = "two"
    [states]
    names = ["up", "down"]
    [time]
    horizon = 2.0
    steps = 8
    [dynamics]
    kind = "tabular"
    transitions = [[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]
    cost = [[0.0, 0.0], [0.1, 0.1]]
    [[coupling]]
    kind = "crowd-aversion"
    strength = 0.3
    [initial]
    density = [0.75, 0.25]
    """
    assert fingerprint(problem_from_toml(text)) == fingerprint(table())


def test_a_checkpoint_is_not_continued_in_a_game_that_differs_late(tmp_path):
    path = tmp_path / "half.nc"
    one, other = (room(coupling=mfg.CrowdAversion(0.3) + mfg.RunningCost(late(v))) for v in (1.0, 2.0))
    mfg.solve(one, checkpoint=path, max_iterations=1, check="ignore")
    with pytest.raises(mfg.InputError, match="is of another game"):
        mfg.resume(path, problem=other)
    assert mfg.resume(path, problem=one, check="ignore").converged


def test_this_version_tells_games_apart_by_the_digest_of_this_module():
    assert mfg.__version__ == VERSIONS[-1]
