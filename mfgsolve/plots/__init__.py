"""Pictures of a solution: every function reads its dataset alone (schema mfgsolve/1) and returns a Matplotlib figure.

    figure = mfg.plots.plan(solution)
    mfg.plots.save(figure, "plan.png")

All take the same options besides their own (`Style`): axes to draw on, the width on paper, title, labels, and more.

    mfg.plots.save(mfg.plots.plan(solution, times=[0, 0.5, 1], width=3.5, certificate=False), "plan.pdf")

No pyplot, and no state that is left behind: figures can be made in threads and on machines without a display, and need
no closing.
"""

from mfgsolve.plots.agents import agents
from mfgsolve.plots.battles import battle
from mfgsolve.plots.choices import policy
from mfgsolve.plots.cooperation import ablation
from mfgsolve.plots.densities import plan
from mfgsolve.plots.design import design
from mfgsolve.plots.diffusion import diffusion
from mfgsolve.plots.drawing import KINDS, OWN, draw
from mfgsolve.plots.exits import exits
from mfgsolve.plots.faceoffs import faceoff
from mfgsolve.plots.fields import speed, value
from mfgsolve.plots.history import convergence, convergences
from mfgsolve.plots.learners import learners
from mfgsolve.plots.learning import learning
from mfgsolve.plots.markets import economy
from mfgsolve.plots.output import animate, save
from mfgsolve.plots.refinement import refinement
from mfgsolve.plots.roads import roads
from mfgsolve.plots.scenarios import scenarios
from mfgsolve.plots.society import society
from mfgsolve.plots.style import Style
from mfgsolve.plots.sweep import study, sweep, sweep_densities
from mfgsolve.plots.training import training
from mfgsolve.plots.transition import transition

__all__ = [
    "KINDS", "OWN", "Style", "ablation", "agents", "animate", "battle", "convergence", "convergences", "design",
    "diffusion", "draw", "economy", "exits", "faceoff", "learners", "learning", "plan", "policy", "refinement", "roads",
    "save", "scenarios", "society", "speed", "study", "sweep", "sweep_densities", "training", "transition", "value",
]  # fmt: skip
