"""A game without a final time is the same at all times."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game

STAY, SWAP = np.eye(2), np.eye(2)[::-1]


def stated(**changes: object) -> mfg.Problem:
    given = {"dynamics": mfg.Tabular([STAY, SWAP]), "coupling": mfg.CrowdAversion(1.0)} | changes
    return mfg.Problem(mfg.States(2), mfg.Ergodic(), **given)


def transitions(t: float, mass: np.ndarray) -> list[np.ndarray]:
    share = 0.1 if t > 1 else 0.2
    return [np.array([[1 - share, share], [0.5, 0.5]]), SWAP]


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("costs of the crowd", {"coupling": mfg.CrowdAversion(1.0) + mfg.RunningCost(lambda t, c: t + 0.0 * c.state)}),
        ("costs of the crowd", {"coupling": mfg.CrowdAversion(lambda t, c: 1.0 + np.sin(t) + 0.0 * c.state)}),
        (
            "own costs",
            {"dynamics": mfg.Tabular([STAY, SWAP], cost=lambda t, c: t + np.array([[0.0, 0.0], [1.0, 1.0]]))},
        ),
        ("transitions", {"dynamics": mfg.Tabular(transitions, actions=["a", "b"])}),
    ],
)
def test_what_changes_with_time_is_named(what: str, changes: dict[str, object]) -> None:
    with pytest.raises(mfg.InputError, match=f"{what} of problem 'custom' change with time.*without t"):
        make_game(stated(**changes))


def test_a_drift_that_changes() -> None:
    dynamics = mfg.ControlledDiffusion(0.1, drift=lambda t, c: np.sin(t) + 0.0 * c.x)
    with pytest.raises(mfg.InputError, match="change with time"):
        make_game(mfg.Problem(mfg.Grid.box((8,)), mfg.Ergodic(dt=0.01), dynamics, mfg.CrowdAversion(1.0)))


def test_functions_that_do_not_change_are_welcome() -> None:
    game = make_game(stated(coupling=mfg.CrowdAversion(1.0) + mfg.RunningCost(lambda t, c: 1.0 * c.state)))
    assert game.steps == 1
