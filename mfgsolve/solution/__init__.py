"""Solutions: what a solve hands over, its labelled dataset, and its file."""

from mfgsolve.solution.learning import Learning
from mfgsolve.solution.solution import Solution, Status, believed_crowd, load, load_header

__all__ = ["Learning", "Solution", "Status", "believed_crowd", "load", "load_header"]
