"""Time steps: chosen from the game where nobody states them, judged where somebody does.

`settle` gives a problem its number of steps; `judge` tells what that number does to the answer, and cautions where it
is too small.  Both ask a coarse copy of the game; see `mfgsolve.resolution.coarse` and `mfgsolve.resolution.measuring`.
"""

from mfgsolve.resolution.rule import Judgement, judge, settle

__all__ = ["Judgement", "judge", "settle"]
