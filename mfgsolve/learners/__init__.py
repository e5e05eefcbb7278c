"""Learners: agents that observe only themselves find the equilibrium, judged by the same certificate as the solvers."""

from mfgsolve.learners.environment import SampledGame, train
from mfgsolve.learners.exploration import Boltzmann, EpsilonGreedy
from mfgsolve.learners.functions import MLP, Linear, Table, gradient_check
from mfgsolve.learners.learning import LEARNERS, learn
from mfgsolve.learners.mguni import Mguni
from mfgsolve.learners.occupation import Occupation
from mfgsolve.learners.protocol import Learner, Observation, Transition
from mfgsolve.learners.q_learning import QLearner
from mfgsolve.learners.replay import Replay
from mfgsolve.learners.sampled import SampledFictitiousPlay, SampledMirrorDescent
from mfgsolve.learners.schedules import Constant, Harmonic, Visits

__all__ = [
    "LEARNERS",
    "MLP",
    "Boltzmann",
    "Constant",
    "EpsilonGreedy",
    "Harmonic",
    "Learner",
    "Linear",
    "Mguni",
    "Observation",
    "Occupation",
    "QLearner",
    "Replay",
    "SampledFictitiousPlay",
    "SampledGame",
    "SampledMirrorDescent",
    "Table",
    "Transition",
    "Visits",
    "gradient_check",
    "learn",
    "train",
]
