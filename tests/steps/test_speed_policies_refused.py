"""Speeds that a user brings: what is no policy of a diffusion is refused in a sentence."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from plain_games import SHAPE, STEPS, problem, solve

import mfgsolve as mfg


def policy(change: Callable[[np.ndarray], Any] | None = None, shape: tuple[int, ...] = (STEPS, 4, *SHAPE)) -> Any:
    speeds = np.zeros(shape)
    if change is not None:
        change(speeds)
    return mfg.exploitability(problem(), speeds)


def put(index: tuple[Any, ...], value: float) -> Callable[[np.ndarray], Any]:
    return lambda speeds: speeds.__setitem__(index, value)


POLICIES = [
    (lambda: policy(shape=(STEPS, 2, *SHAPE)), r"policy has shape \(8, 2, 4, 6\); .*= \(8, 4, 4, 6\) is needed"),
    (lambda: policy(shape=(STEPS + 1, 4, *SHAPE)), r"policy has shape \(9, 4, 4, 6\)"),
    (lambda: policy(put((0, 0, 1, 1), math.nan)), r"policy has a speed toward x\+ that is not finite"),
    (lambda: policy(put((0, 3, 1, 1), -1.0)), r"negative speed toward y- \(-1\); use the opposite move"),
    (lambda: policy(put((0, 0, 1, 1), 1e6)), r"speed 1e\+06 toward x\+; the scheme's cap is .*: take more time steps"),
    (lambda: policy(put((0, 0, 1, -1), 0.1)), r"moves toward x\+ through a wall .*set that speed to 0"),
    (lambda: policy(put((0, 1, 1, 0), 0.1)), r"moves toward x- through a wall"),
    (
        lambda: mfg.exploitability(problem(), solve(check="ignore").dataset.drop_vars("speed")),
        r"policy dataset has variables .*one named 'speed' is needed",
    ),
]


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
@pytest.mark.parametrize(("state", "words"), POLICIES, ids=[words for _, words in POLICIES])
def test_bad_input_is_one_sentence(state: Callable[[], Any], words: str) -> None:
    with pytest.raises(mfg.InputError, match=words) as caught:
        state()
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None, "the sentence stands alone, without a chain of tracebacks"


def test_the_valid_neighbours_pass() -> None:
    """Each refusal above is of the change, not of the game that was changed."""
    assert float(policy()) >= 0
    assert float(policy(put((0, 0, 1, 1), 0.1))) > 0
