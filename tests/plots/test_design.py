"""Pictures of incentive design."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from mfgsolve import plots
from mfgsolve.errors import InputError


def history(controls: int) -> xr.Dataset:
    return xr.Dataset(
        {
            "objective": ("iteration", [3.0, 1.0, 2.0]),
            "value": (("iteration", "control"), np.arange(3.0 * controls).reshape(3, -1)),
        },
        {"iteration": [0, 1, 2], "control": [f"toll {k}" for k in range(controls)]},
        {"name": "braess", "warnings": ""},
    )


def test_the_objective_and_its_best_are_drawn():
    goal, controls = plots.design(history(2)).axes
    assert [line.get_ydata().tolist() for line in goal.lines] == [[3.0, 1.0, 2.0], [3.0, 1.0, 1.0]]
    assert [text.get_text() for text in controls.get_legend().get_texts()] == ["toll 0", "toll 1"]
    assert plots.design(history(20)).axes[1].get_legend() is None


def test_what_is_no_design_is_refused():
    with pytest.raises(InputError, match="a design is needed"):
        plots.design(xr.Dataset())
