"""Cooperative control: agents who push one plant, know how it moves, and see what the others did."""

from mfgsolve.learners.cooperation.ablation import ablation
from mfgsolve.learners.cooperation.cooperative import Cooperative

__all__ = ["Cooperative", "ablation"]
