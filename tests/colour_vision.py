"""Colours as people without one kind of cones see them, and as grey paper shows them."""

from __future__ import annotations

import numpy as np

VISIONS = {  # linear RGB as people without one kind of cones see it: Machado, Oliveira, Fernandes 2009, severity 1
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "grey": [[0.2126, 0.7152, 0.0722]] * 3,
}


def seen_by(colours: np.ndarray, vision: str) -> np.ndarray:
    """Colours (n, 3) in sRGB as they are seen with one kind of cones missing, or printed grey."""
    colours = np.asarray(colours, dtype=float)
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ np.array(VISIONS[vision]).T, 0.0, 1.0)
    return np.asarray(np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))


def lightness(colours: np.ndarray) -> np.ndarray:
    """L* of colours (n, 3) in sRGB, from 0 to 100."""
    linear = np.asarray(colours, dtype=float)
    linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    bright = linear @ np.array(VISIONS["grey"][0])
    return np.asarray(np.where(bright > 216 / 24389, 116 * np.cbrt(bright) - 16, bright * 24389 / 27))
