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

*Entropic steps* are another matter: no cap, second order in time, and too *many* of them harm, since the noise of one
step must be as wide as 0.6 cells.  The rule takes the largest number with which it is, so that every kink of the data
has a node (`mfgsolve.resolution.nodes`), and fewer where these are exact already; where the noise of the game bears
hardly any, error in time and error by a viscosity of the scheme's own are balanced (`mfgsolve.resolution.balance`).
"""

from mfgsolve.resolution.judgement import Judgement
from mfgsolve.resolution.rule import judge, settle

__all__ = ["Judgement", "judge", "settle"]
