"""Pictures of a solution: every function reads its dataset alone (schema mfgsolve/1) and returns a Matplotlib figure.

    figure = mfg.plots.plan(solution)
    mfg.plots.save(figure, "plan.png")

No pyplot, no global state: figures can be made in threads and on machines without a display, and need no closing.
"""

from mfgsolve.plots.agents import agents
from mfgsolve.plots.battles import battle
from mfgsolve.plots.choices import policy
from mfgsolve.plots.cooperation import ablation
from mfgsolve.plots.densities import plan
from mfgsolve.plots.design import design
from mfgsolve.plots.diffusion import diffusion
from mfgsolve.plots.faceoffs import faceoff
from mfgsolve.plots.fields import speed, value
from mfgsolve.plots.history import convergence, convergences
from mfgsolve.plots.learning import learning
from mfgsolve.plots.output import animate, save
from mfgsolve.plots.refinement import refinement
from mfgsolve.plots.society import society
from mfgsolve.plots.sweep import study, sweep, sweep_densities
from mfgsolve.plots.training import training

__all__ = [
    "ablation", "agents", "animate", "battle", "convergence", "convergences", "design", "diffusion", "faceoff",
    "learning", "plan", "policy", "refinement", "save", "society", "speed", "study", "sweep", "sweep_densities",
    "training", "value",
]  # fmt: skip
