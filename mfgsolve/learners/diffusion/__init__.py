"""Diffusion over a graph: agents learn from their own data alone, and meet their neighbours after every step."""

from mfgsolve.learners.diffusion.diff_dac import DiffDAC

__all__ = ["DiffDAC"]
