"""Steps: what one step does to one agent, for every kind of dynamics."""

from mfgsolve.steps.chain import Chain, Law, MarkovChain
from mfgsolve.steps.costs import Costs, OwnCost, Totals
from mfgsolve.steps.entropic import EntropicStep
from mfgsolve.steps.entropic_policies import BeliefAverage, EntropicPolicy
from mfgsolve.steps.factors import Factor, Noise
from mfgsolve.steps.movement import MovementStep
from mfgsolve.steps.policies import Average, Policy
from mfgsolve.steps.speeds import SpeedStep
from mfgsolve.steps.step import Step
from mfgsolve.steps.tables import TableStep
from mfgsolve.steps.transitions import Matrices, Transitions
from mfgsolve.steps.walks import LineWalk

__all__ = [
    "Average",
    "BeliefAverage",
    "Chain",
    "Costs",
    "EntropicPolicy",
    "EntropicStep",
    "Factor",
    "Law",
    "LineWalk",
    "MarkovChain",
    "Matrices",
    "MovementStep",
    "Noise",
    "OwnCost",
    "Policy",
    "SpeedStep",
    "Step",
    "TableStep",
    "Totals",
    "Transitions",
]
