"""The games of Bonnans, Lavigne and Pfeiffer: optima of an independent interior point, objectives as in the paper."""

from __future__ import annotations

import numpy as np
import pytest
from sharp_games import sharp

from mfgsolve import problems


@pytest.mark.parametrize("name", ["bonnans-lavigne-pfeiffer-1", "bonnans-lavigne-pfeiffer-2"])
def test_bonnans_lavigne_pfeiffer(name: str) -> None:
    """Optima of an independent interior point (gap <= 1e-12); objectives written down as in the paper."""
    solution = sharp(problems.build(name), tol=1e-10)
    optimum = {"1": 1.128195654578, "2": 0.379828257692}[name[-1]]
    assert solution.potential == pytest.approx(optimum, rel=1e-9)

    nodes = cells = 50
    dt, dx = 1 / nodes, 1 / cells
    rho = solution.dataset["density"].values
    w = solution.dataset["policy"].transpose("step", "action", ...).values * rho[:-1, None]
    speed = np.array([-1, 0, 1]) * dx / dt
    walking = dt * dx * (w.sum(axis=2) * speed**2 / 4).sum()
    if name.endswith("1"):
        objective = walking + dt * dx * (rho[:-1] ** 2 / 2).sum() + dx * (rho[-1] ** 2 / 2).sum()
        node, cell = np.arange(nodes)[:, None], np.arange(cells)
        tight = (nodes / 3 < node) & (node < 2 * nodes / 3) & (cells / 3 < cell) & (cell < 2 * cells / 3)
        assert (rho <= np.where(tight, 0.25, 3.0) + 1e-9).all()
        assert (rho[tight] > 0.25 - 1e-6).any(), "the bottleneck binds"
    else:
        demand = dx * (w.sum(axis=2) * speed).sum(axis=1)
        season = 2 * np.sin(4 * np.pi * np.arange(nodes - 1) / (nodes - 1))
        objective = walking + dt * ((demand + season) ** 2 / 4).sum()
        assert demand.min() > -2 - 1e-9
        assert demand.max() < 1e-9
    assert objective == pytest.approx(optimum, rel=1e-9)
    start = np.exp(-((np.arange(cells) - 25) ** 2) / 12.5**2)
    np.testing.assert_allclose(rho[0], start / start.mean(), rtol=1e-12)
