"""Learners beside each other: medians and bands over seeds against what their agents did."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from pictured import solved, texts

from mfgsolve import plots
from mfgsolve.errors import InputError
from tests.plots.test_learning import made_up


def seed(level: float, solver: str = "mguni", agents: int = 100, times: int = 1) -> xr.Dataset:
    """Exploitability level / episodes."""
    data = made_up(("x",), (8,))
    data = data.isel(iteration=slice(None, None, times))
    data["relative_exploitability"] = ("iteration", level / data["episodes"].values)
    data["agent_steps"] = ("iteration", agents * data["episodes"].values)
    return data.assign_attrs(solver=solver)


def test_the_median_has_a_band_from_the_least_to_the_most():
    figure = plots.learners({"one": [seed(1.0), seed(4.0), seed(2.0)], "other": seed(3.0, agents=10)})
    (ax,) = figure.axes
    median, single, five = ax.lines
    work = seed(1.0)["agent_steps"].values
    np.testing.assert_allclose(median.get_xdata(), np.unique(work))
    np.testing.assert_allclose(median.get_ydata(), 2.0 * 100 / np.unique(work))
    (band,) = ax.collections
    corners = band.get_paths()[0].vertices
    at = corners[np.isclose(corners[:, 0], work.max())]
    assert (at[:, 1].min(), at[:, 1].max()) == pytest.approx((100 / work.max(), 400 / work.max()))
    np.testing.assert_allclose(single.get_xdata(), np.unique(work) / 10)
    assert set(five.get_ydata()) == {0.05}
    assert "one (3 seeds)" in texts(figure)
    assert "bands from the least to the most" in figure.get_suptitle()


def test_seeds_measured_at_different_work_are_compared_where_all_were():
    (ax,) = plots.learners({"a": [seed(1.0), seed(1.0, agents=300, times=3)]}).axes
    line = ax.lines[0]
    assert line.get_xdata()[0] == pytest.approx(300)
    assert line.get_xdata()[-1] == pytest.approx(100 * seed(1.0)["episodes"].values[-1])
    np.testing.assert_allclose(line.get_ydata(), np.sqrt(300.0 * 100.0) / line.get_xdata(), rtol=1e-6)  # a power law


def test_a_list_goes_by_the_names_of_the_learners_and_work_by_episodes():
    figure = plots.learners([seed(1.0), seed(2.0), seed(3.0, "il")], work="episodes")
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["mguni (2 seeds)", "il", "5%"]
    assert figure.axes[0].get_xlabel() == "episodes"


def test_what_cannot_be_compared_is_refused():
    for runs, words in (
        ({}, "got no solutions"), ({"a": []}, "got no solutions"), (3, "by their labels are needed"),
        ({"a": solved("beach-bar")}, "nobody learned it"),
        ([seed(1.0), seed(1.0).assign_attrs(name="other")], "of 2 games"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=words):
            plots.learners(runs)
    with pytest.raises(InputError, match="did you mean 'agent_steps'"):
        plots.learners([seed(1.0)], work="agent-steps")
    blank = seed(-1.0)
    assert "not measured" in texts(plots.learners([blank]))
