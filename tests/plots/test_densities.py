"""The plan: what its images and lines show is the density of the dataset, at the times that were asked for."""

from __future__ import annotations

import numpy as np
import pytest
from pictured import panels, solved, texts

from mfgsolve import plots
from mfgsolve.plots.densities import default_counts
from mfgsolve.plots.reading import view


def test_a_strip_shows_the_density_of_its_times_on_one_scale():
    solution = solved("supply-demand")
    nodes, density = solution.dataset["time"].values, solution.dataset["density"].values
    between = 0.5 * (nodes[10] + nodes[11])
    figure = plots.plan(solution, times=[0.0, between, nodes[-1]])
    images = [ax.images[0] for ax in panels(figure)]
    for image, level in zip(images, (density[0], 0.5 * (density[10] + density[11]), density[-1]), strict=True):
        np.testing.assert_allclose(image.get_array(), level, rtol=1e-12)
    assert len({id(image.norm) for image in images}) == 1
    assert "t = 1" in panels(figure)[2].get_title()


def test_a_line_shows_density_over_time_and_profiles():
    solution = solved("gaussian-log")
    density, x = solution.dataset["density"].values, solution.dataset["x"].values
    left, right = panels(plots.plan(solution, times=[0.0, 2.0]))
    np.testing.assert_array_equal(left.images[0].get_array(), density.T)
    profiles = [line for line in right.lines if len(line.get_xdata()) == len(x)]
    assert len(profiles) == 2
    np.testing.assert_array_equal(profiles[0].get_ydata(), density[0])
    np.testing.assert_allclose(profiles[1].get_ydata(), density[-1])
    np.testing.assert_array_equal(profiles[0].get_xdata(), x)


def test_a_few_states_have_a_course_each():
    solution = solved("left-right")
    _, right = panels(plots.plan(solution))
    shown = {line.get_label(): line.get_ydata() for line in right.lines}
    assert list(shown) == solution.dataset["state"].values.tolist()
    for k, share in enumerate(shown.values()):
        np.testing.assert_array_equal(share, solution.dataset["density"].values[:, k])
    assert "share of each state" in texts(right.figure)


@pytest.mark.parametrize(
    ("name", "counts"), [("supply-demand", (6, 5, 7)), ("crowd-aversion", (6,)), ("cube", (6, 5, 7))]
)
def test_wide_planes_have_rows_of_three(name: str, counts: tuple[int, ...]) -> None:
    assert default_counts(view(solved(name))) == counts


def test_time_that_counts_steps_has_whole_ticks() -> None:
    for width in (None, 3.5):
        figure = plots.plan(solved("left-right"), **({} if width is None else {"width": width}))
        figure.draw_without_rendering()
        ticks = panels(figure)[1].get_xticks()
        assert len(ticks) >= 3
        np.testing.assert_array_equal(ticks, np.round(ticks))
