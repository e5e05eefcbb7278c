"""The small table of a plan in the entropic scheme."""

import numpy as np
from entropic_games import solved

from mfgsolve.command.report import solution_rows


def test_the_fastest_velocity_is_that_of_agents_and_no_cap_is_spoken_of():
    for name, unit in (("plane", ""), ("cube", " m/s")):
        solution = solved(name)
        rows, data = dict(solution_rows(solution)), solution.dataset
        fastest = 0.0
        for k in range(data.sizes["step"]):
            density, velocity = data["density"].values[k], data["velocity"].values[k]
            there = density >= 0.01 * density.max()
            fastest = max(fastest, np.sqrt((velocity**2).sum(axis=0))[there].max())
        assert rows["fastest"] == f"{fastest:.3g}{unit} (mean velocity)"
        assert fastest > 0.1
        assert "at the speed cap" not in rows
        assert rows["its own cost"] == f"{solution.certificate.movement_cost:.15g}"
