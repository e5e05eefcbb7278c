"""States that save themselves by their fields: names, types, what may be missing, and what every solver stores."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from moving_games import problem as moving

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.solvers import SOLVERS
from mfgsolve.solvers.stored import STORED, Stored, pack, stored_as

BAR = mfg.problems.beach_bar(shape=(6,), steps=4)
# games of solvers that are for others
GAMES = {
    "planning": replace(mfg.problems.beach_bar(shape=(6,), steps=4, temperature=0.3), final=np.full(6, 1 / 6)),
    "path-following": mfg.problems.bench_mfg_chain(game="ergodic"),
    "proximal-point": moving(mfg.SpeedLimit(0.6), (6,), 8),
}


@dataclass
class Thing:
    points: np.ndarray = field(metadata=STORED)
    scratch: np.ndarray
    count: int = field(metadata=STORED)
    size: float = field(metadata=stored_as("extent"))
    again: bool = field(default=False, metadata=STORED)
    spare: np.ndarray | None = field(default=None, metadata=stored_as("extra"))


def test_fields_that_say_so_are_stored_by_their_names():
    thing = Thing(np.arange(3.0), np.ones(9), 7, 0.25, True)
    arrays, numbers = pack(thing)
    assert list(arrays) == ["points"]
    assert arrays["points"] is thing.points
    assert numbers == {"count": 7.0, "extent": 0.25, "again": 1.0}
    assert all(type(number) is float for number in numbers.values())
    assert list(pack(replace(thing, spare=np.zeros(2)))[0]) == ["points", "extra"]


def test_values_come_back_in_their_types_and_what_is_missing_is_an_error():
    arrays, numbers = pack(Thing(np.arange(3.0), np.ones(9), 7, 0.25, True))
    values = Stored(arrays, numbers, 0).of(Thing)
    assert {name: type(value) for name, value in values.items()} == {
        "points": np.ndarray, "count": int, "size": float, "again": bool, "spare": type(None),
    }  # fmt: skip
    assert (values["count"], values["size"], values["again"]) == (7, 0.25, True)
    with pytest.raises(KeyError, match="extent"):
        Stored(arrays, {"count": 1.0, "again": 0.0}, 0).of(Thing)
    with pytest.raises(KeyError, match="points"):
        Stored({}, numbers, 0).of(Thing)


# names in the files of 0.5.0 (planning, path-following: 0.10.0; proximal-point: 0.11.0), which must be found again
FILES = {
    "newton": ({"believed", "kept", "best_policy", "best_crowd", "coarser"},
               {"sweeps", "level", "levels", "idle", "phase", "damping", "growth", "breathless", "kept", "best"}),
    "interior-point": ({"value", "level", "price", "choice_slack", "choice_dual", "end_slack", "end_dual",
                        "best_policy", "best_multiplier"}, {"sweeps", "best_score", "best_iteration"}),
    "complementarity": ({"choice", "excess", "value", "best"}, {"sweeps", "short", "least", "again"}),
    "frank-wolfe": ({"crowd", "occupation"}, {"sweeps", "mixed"}),
    "fictitious-play": ({"crowd", "occupation"}, {"sweeps", "mixed"}),
    "prior-descent": ({"prior", "best"}, {"sweeps", "temperature", "heat", "best_temperature", "least", "idle",
                                          "returns"}),
    "mirror-descent": ({"scores"}, {"sweeps", "rate"}),
    "admm": ({"point", "anchor", "guess"}, {"sweeps", "weight", "first_weight", "count", "first", "last"}),
    "planning": ({"believed", "final_price", "best_policy", "best_crowd", "best_price"},
                 {"sweeps", "best", "best_dual", "heat", "heated", "idle", "least", "stiffness"}),
    "path-following": ({"policy", "chosen", "value", "slack", "gain"}, {"sweeps", "best", "idle"}),
    "proximal-point": ({"speeds", "crowd", "best"}, {"sweeps", "stiffness", "least", "idle"}),
    "chambolle-pock": ({"point", "anchor", "guess"}, {"sweeps", "weight", "first_weight", "count", "first", "last"}),
}  # fmt: skip
OPTIONAL = {"best_price", "best_crowd", "best_policy", "gain", "kept", "coarser", "best_multiplier"}


@pytest.mark.parametrize("name", list(SOLVERS.own))
def test_names_in_checkpoints_are_those_of_earlier_files_and_states_go_on(name):
    solver, game = SOLVERS[name](), make_game(GAMES.get(name, BAR))
    state = solver.step(solver.init(game, 1e-12))
    arrays, numbers = state.pack()
    assert FILES[name][0] - OPTIONAL <= set(arrays) <= FILES[name][0]
    assert set(numbers) == FILES[name][1]
    arrays = {key: value.copy() for key, value in arrays.items()}
    again = solver.unpack(make_game(GAMES.get(name, BAR)), 1e-12, arrays, dict(numbers), state.measure)
    for _ in range(3):
        state, again = solver.step(state), solver.step(again)
    assert again.measure == state.measure
    for key, value in state.pack()[0].items():
        np.testing.assert_array_equal(again.pack()[0][key], value)
    assert again.pack()[1] == state.pack()[1]
