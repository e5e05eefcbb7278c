"""One door to all pictures."""

from __future__ import annotations

import pytest
from pictured import solved

from mfgsolve import plots
from mfgsolve.errors import InputError
from tests.plots.test_agents import made_up as compared
from tests.plots.test_design import history
from tests.plots.test_faceoffs import result
from tests.plots.test_refinement import ladder


def test_solutions_have_pictures_by_kind_and_other_results_their_own():
    assert "where the crowd is" in plots.draw(solved("beach-bar")).get_suptitle()
    assert "expected cost" in plots.draw(solved("beach-bar"), "value").get_suptitle()
    assert len(plots.draw(solved("supply-demand"), times=[0.0, 1.0]).axes) == 3
    for other, words in (
        (ladder(), "to the continuum"), (history(2), "incentives"), (result(), "games over"),
        (compared(("x",), (12,)), "N agents"),
    ):  # fmt: skip
        assert words in plots.draw(other).get_suptitle()


def test_kinds_and_options_that_there_are_none_of_are_refused():
    with pytest.raises(InputError, match="did you mean 'speed'"):
        plots.draw(solved("beach-bar"), "sped")
    with pytest.raises(InputError, match=r"has one picture \(plots.refinement\)"):
        plots.draw(ladder(), "plan")
    with pytest.raises(InputError, match=r"option of plots\.convergence 'times'"):
        plots.draw(solved("beach-bar"), "convergence", times=[0])
    with pytest.raises(InputError, match="a Solution or its dataset is needed"):
        plots.draw(3)
    assert set(plots.KINDS) == {"plan", "value", "speed", "policy", "convergence", "learning", "exits", "scenarios"}
