"""Learners: agents that observe only themselves find the equilibrium, judged by the same certificate as the solvers.

`learn` runs a learner of this package, or one of your own (`mfgsolve.learners.own_play`); `SampledGame`,
`to_gymnasium` and `to_pettingzoo` are the games as environments for learners of your own; `multi_type` makes mean-field
learners among neighbours, with types known or discovered; `battles` are games of four groups on MAgent2, their
learners and face-offs.
"""

from typing import TYPE_CHECKING

from mfgsolve.inputs.attributes import missing
from mfgsolve.learners import battles
from mfgsolve.learners.environments.adapters import policy_from, to_gymnasium, to_pettingzoo
from mfgsolve.learners.environments.sampled_game import SampledGame, train
from mfgsolve.learners.learning import LEARNERS, learn
from mfgsolve.learners.mguni import Mguni
from mfgsolve.learners.neighbours_game import hunters_and_hares, learn_from_neighbours
from mfgsolve.learners.occupation import Occupation
from mfgsolve.learners.policy_iteration import GMFQ, BoltzmannIteration
from mfgsolve.learners.protocol import Learner, Observation, Transition
from mfgsolve.learners.q_learning import QLearner
from mfgsolve.learners.sampled import SampledFictitiousPlay, SampledMirrorDescent
from mfgsolve.learners.society import Society, SocietyPlay
from mfgsolve.parts.combine import Combine
from mfgsolve.parts.exploration import Boltzmann, EpsilonGreedy
from mfgsolve.parts.functions import MLP, Linear, Table, gradient_check
from mfgsolve.parts.replay import Replay
from mfgsolve.parts.schedules import Constant, Harmonic, Visits
from mfgsolve.stages.multitype import MultiType, multi_type
from mfgsolve.stages.stage_games import StageGame, best_reward, counterexample, two_camps
from mfgsolve.stages.types import DiscoveredTypes, KnownTypes, NoMeanAction, OneType, adjusted_rand_index

__all__ = [
    "GMFQ",
    "LEARNERS",
    "MLP",
    "Boltzmann",
    "BoltzmannIteration",
    "Combine",
    "Constant",
    "DiscoveredTypes",
    "EpsilonGreedy",
    "Harmonic",
    "KnownTypes",
    "Learner",
    "Linear",
    "Mguni",
    "MultiType",
    "NoMeanAction",
    "Observation",
    "Occupation",
    "OneType",
    "QLearner",
    "Replay",
    "SampledFictitiousPlay",
    "SampledGame",
    "SampledMirrorDescent",
    "Society",
    "SocietyPlay",
    "StageGame",
    "Table",
    "Transition",
    "Visits",
    "adjusted_rand_index",
    "battles",
    "best_reward",
    "counterexample",
    "gradient_check",
    "hunters_and_hares",
    "learn",
    "learn_from_neighbours",
    "multi_type",
    "policy_from",
    "to_gymnasium",
    "to_pettingzoo",
    "train",
    "two_camps",
]


if not TYPE_CHECKING:  # so that names are checked as those of any module

    def __getattr__(name: str) -> object:
        raise missing("module 'mfgsolve.learners'", name, __all__)
