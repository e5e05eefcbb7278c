"""Problem -> Game: arrays only, every validity check once, and the verbs that all solvers use."""

from mfgsolve.games.diffusion import DiffusionGame

__all__ = ["DiffusionGame"]
