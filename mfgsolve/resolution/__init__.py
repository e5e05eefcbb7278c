"""Time steps: chosen from the game where nobody states them, judged where somebody does.

`settle` gives a problem its number of steps; `judge` tells what that number does to the answer, and cautions where it
is too small.  Both ask a coarse copy of the game; see `mfgsolve.resolution.coarse` and `mfgsolve.resolution.measuring`.

*Leave the steps out.* An agent of a controlled diffusion crosses at most half a cell a step and axis, so that the
number of steps must grow with the number of cells: at least 2 d T v / h for speeds up to v on d axes, about 8 steps a
cell on the flagship. With fewer the plan is the equilibrium of *slower* agents, and with far fewer nobody moves,
since nobody can: ``mfgsolve solve supply-demand --steps 64`` converges to a plan in which nearly all stay. A game
without steps chooses them from its own speeds, measured on a coarse grid (4 % of the work of the 64x64 solve), and
the result says how many they are and what they cost in accuracy. A stated number is judged on the same coarse grid,
against enough steps; one that is too small is a warning with the estimated error (of 0.189 for 64 steps, 0.201) and
the number to take.
"""

from mfgsolve.resolution.rule import Judgement, judge, settle

__all__ = ["Judgement", "judge", "settle"]
