"""Parameters of diff-dac: which are refused."""

from __future__ import annotations

import pytest

from mfgsolve.errors import InputError
from mfgsolve.learners.diffusion import DiffDAC


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"agents": -1}, "agents of diff-dac is -1; at least 0"),
        ({"episodes": 0}, "episodes of diff-dac is 0; at least 1"),
        ({"hidden": 0}, "hidden of diff-dac is 0; at least 1"),
        ({"machines": 0}, "machines of diff-dac is 0; at least 1"),
        ({"seed": -3}, "seed of diff-dac is -3; at least 0"),
        ({"episodes": 2.5}, "episodes of diff-dac"),
        ({"actor": 0.0}, "actor of diff-dac is 0; a finite number of more than 0"),
        ({"critic": -0.1}, "critic of diff-dac is -0.1; a finite number of more than 0"),
        ({"entropy": -1.0}, "entropy of diff-dac is -1; a finite number of 0 or more"),
        ({"step": float("inf")}, "step of diff-dac is inf"),
        ({"step": float("nan")}, "step of diff-dac is nan"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        DiffDAC(**options)


def test_zero_is_for_what_suits():
    assert (DiffDAC(agents=0).agents, DiffDAC(step=0.0).step, DiffDAC(entropy=0.0).entropy) == (0, 0.0, 0.0)
