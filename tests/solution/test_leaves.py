"""Solutions with common noise read along their branches, also by pictures."""

from __future__ import annotations

import noisy_worlds as worlds
import numpy as np
from pictured import panels

import mfgsolve as mfg
from mfgsolve import plots
from mfgsolve.solution.leaves import by_branch


def test_each_branch_is_a_course_of_the_crowd() -> None:
    data = mfg.solve(worlds.line(), check="ignore").dataset
    branches = by_branch(data)
    assert branches["population"].values.tolist() == ["left (60 %)", "right (40 %)"]
    density = branches["density"]
    assert density.dims == ("time", "population", "state")
    np.testing.assert_allclose(density.sum("state"), 1.0, atol=1e-9)
    np.testing.assert_array_equal(density[:3, 0], data["density"][:3, 0])
    np.testing.assert_array_equal(density[3:, 1], data["density"][3:, 2])
    assert branches["policy"].dims == ("step", "action", "population", "state")
    free = mfg.solve(mfg.problems.left_right()).dataset
    assert by_branch(free) is free


def test_regions_weigh_scenarios_by_their_probability() -> None:
    solution = mfg.solve(mfg.problems.late_news(), check="ignore")
    np.testing.assert_allclose(mfg.mass(solution), 1.0, atol=1e-9)
    np.testing.assert_allclose(mfg.mass(solution, "scenario == 'left'"), [0, 0, 0, 0.6, 0.6, 0.6, 0.6], atol=1e-9)
    both = mfg.mass(solution, "x > 2") + mfg.mass(solution, "x < 2")
    np.testing.assert_allclose(both, 1.0, atol=1e-9)


def test_pictures_have_a_row_for_each_branch() -> None:
    solution = mfg.solve(worlds.line(), check="ignore")
    figure = plots.plan(solution)
    titles = [ax.get_title() + ax.get_ylabel() for ax in panels(figure)]
    assert len(panels(figure)) == 4
    assert any("left (60" in title for title in titles)
    plots.value(solution)
    plots.policy(solution)
