"""Battles of many agents: three games of four groups on MAgent2, learners of them, and games between learners."""

from mfgsolve.learners.battles.games import attack, battle_gathering, multi_team_battle, predator_prey_battle, stay

__all__ = ["attack", "battle_gathering", "multi_team_battle", "predator_prey_battle", "stay"]
