"""The picture of a density: which times it shows, and walls."""

from __future__ import annotations

import mfgsolve as mfg
from mfgsolve.solution.display import density_picture, solution_card


def test_a_plane_is_shown_at_four_times_and_a_line_at_all():
    plane = mfg.solve("four-rooms", tol=1e-2, check="ignore", max_iterations=1)
    line = mfg.solve("beach-bar", tol=1e-2, check="ignore", max_iterations=1)
    assert density_picture(plane.density)[1].startswith("density at t = 0, ")
    assert density_picture(plane.density)[1].count(",") == 3
    assert density_picture(line.density)[1] == "place across, time upward from 0 to 20"
    assert "Solution of four-rooms" in solution_card(plane)
