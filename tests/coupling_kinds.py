"""A coupling of every kind, and a grid to look at it on."""

from __future__ import annotations

import numpy as np

import mfgsolve as mfg

COUPLINGS = {
    "congestion": mfg.Congestion(lambda t, c: 1 + c.x + t, 0.7),
    "linear": mfg.CrowdAversion(0.4),
    "power": mfg.CrowdAversion(lambda t, c: 1 + c.x, power=2.5),
    "log": mfg.LogCongestion(0.3),
    "running": mfg.RunningCost(lambda t, c: c.x * t),
    "nonlocal": mfg.Nonlocal(0.8, width=0.25),
    "kernel": mfg.Nonlocal(0.8, kernel=lambda dx, dy: np.exp(-(dx**2 + dy**2) / 0.02)),
    "sum": mfg.CrowdAversion(0.4) + mfg.Congestion(2.0, 0.1) + mfg.Nonlocal(0.2, width=0.3),
    "custom": mfg.CustomCoupling(
        lambda t, c, rho: rho**3, potential=lambda t, c, rho: rho**4 / 4, derivative=lambda t, c, rho: 3 * rho**2,
        monotone=True,
    ),
}  # fmt: skip


BOX = mfg.Grid.box((6, 5), bounds=[(0, 1), (0, 2)], boundary=("periodic", "reflecting"))
