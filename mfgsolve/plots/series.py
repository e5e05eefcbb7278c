"""Curves beside each other: each has a colour, a line and a mark of its own, so that grey paper tells them apart, too.

The colours are Okabe and Ito's (https://jfly.uni-koeln.de/color/), who chose them for people who see two kinds of
cones; those that are pale on white are darker or come last.  Where a user set a cycle of their own
(``axes.prop_cycle``), its colours, lines and marks are taken first.
"""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import to_hex

from mfgsolve.plots.style import SETTINGS

__all__ = ["LINES", "MARKS", "series", "shades"]

LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)))
MARKS = "osD^v<>pXP*"


def series(k: int) -> dict[str, Any]:
    """Colour, line and mark of the curve with this number."""
    cycle = SETTINGS["axes.prop_cycle"].by_key()
    own = {key: values[k % len(values)] for key, values in cycle.items() if values}
    return {"color": "C0", "linestyle": LINES[k % len(LINES)], "marker": MARKS[k % len(MARKS)]} | own


def shades(count: int, top: float = 0.9) -> list[str]:
    """Colours of an order (times, states), from dark to pale: grey paper keeps the order."""
    return [to_hex(matplotlib.colormaps["viridis"](s)) for s in np.linspace(0.0, top, max(count, 1))]
