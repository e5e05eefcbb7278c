"""What pictures read from a solution: times between nodes, and what is no solution."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from pictured import PICTURES, panels, solved

from mfgsolve import plots
from mfgsolve.errors import InputError
from mfgsolve.plots.reading import round_times


def test_times_between_nodes_are_linear() -> None:
    data = solved("supply-demand").dataset
    t = data["time"].values
    middle = panels(plots.plan(data, times=[(t[3] + t[4]) / 2]))[0].images[0].get_array()
    np.testing.assert_allclose(
        middle, (data["density"].values[3] + data["density"].values[4]) / 2, rtol=1e-9, atol=1e-9
    )


def test_round_times_are_short_to_write() -> None:
    np.testing.assert_allclose(round_times(1.0, (6, 5, 7)), [0, 0.2, 0.4, 0.6, 0.8, 1.0])
    np.testing.assert_allclose(round_times(24.0, (6, 5, 7)), [0, 6, 12, 18, 24])


# -- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("picture", ["plan", "value", "speed"])
@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([0, 1.5], r"time 1\.5 lies outside the horizon; times from 0 to 1"),
        ([-0.1], "outside the horizon"),
        ([float("nan")], "outside the horizon"),
        ([], "at least one time"),
        (["noon"], "numbers from 0 to 1"),
    ],
)
def test_times_outside_the_horizon(picture: str, times: list, words: str) -> None:
    with pytest.raises(InputError, match=words):
        PICTURES[picture](solved("supply-demand"), times=times)


@pytest.mark.parametrize("picture", ["value", "speed"])
def test_one_axis_takes_no_times_for_a_picture_of_all(picture: str) -> None:
    with pytest.raises(InputError, match="leave times out"):
        PICTURES[picture](solved("gaussian-log"), times=[0.5])


@pytest.mark.parametrize("picture", PICTURES)
def test_what_is_no_solution(picture: str) -> None:
    draw = PICTURES[picture]
    with pytest.raises(InputError, match="schema 'missing'"):
        draw(xr.Dataset({"density": ("x", [1.0])}))
    with pytest.raises(InputError, match=r"is needed"):
        draw(3.0)
    needed = {"plan": "density", "value": "value", "speed": "speed", "convergence": "sweeps"}[picture]
    with pytest.raises(InputError, match=f"has no .*{needed}"):
        draw(solved("supply-demand").dataset.drop_vars(needed))
