"""Battles of many agents: three games of four groups on MAgent2, learners of them, and games between learners."""

from mfgsolve.learners.battles.densities import occupation
from mfgsolve.learners.battles.faceoff import FaceOff, faceoff, load_faceoff
from mfgsolve.learners.battles.games import attack, battle_gathering, multi_team_battle, predator_prey_battle, stay

__all__ = [
    "FaceOff",
    "attack",
    "battle_gathering",
    "faceoff",
    "load_faceoff",
    "multi_team_battle",
    "occupation",
    "predator_prey_battle",
    "stay",
]
