"""Battles of four groups: what training costs, what it comes to, and who wins when algorithms meet.

    python benchmarks/battles.py [--seeds 3] [--games 192] [--quick | --paper]

Prints agent-steps per second of the engine alone and of everything; games won by a trained group against three random
ones in the tiny case (4 x 6 on 16x16, 64 episodes); kills over the training in the three games (4 x 12 on 24x24,
predator-prey 2 x 8 and 2 x 16), mean and spread over seeds; and face-offs of the four algorithms over all seatings, for
each seed and together.  ``--quick`` trains a tenth; ``--paper`` is of the paper's size (4 x 72 on 60x60, 500 steps) and
takes hours.  Needs mfgsolve[magent2,learners].
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from measure import table

from mfgsolve.learners.battles.battle_tasks import (
    BattleGathering,
    BattleTask,
    MultiTeamBattle,
    PredatorPreyBattle,
)
from mfgsolve.learners.battles.faceoff import FaceOff, faceoff, wilson
from mfgsolve.learners.battles.matches import Player, play
from mfgsolve.tasks import Training, train

LEARNERS = ("il", "mfq", "mtmfq", "mfac")
REDUCED = (MultiTeamBattle(), BattleGathering(), PredatorPreyBattle())
PAPER = (
    MultiTeamBattle(size=60, agents=72, max_steps=500),
    BattleGathering(size=60, agents=72, max_steps=500, food=72),
    PredatorPreyBattle(size=60, agents=45, prey=90, max_steps=500),
)


def cpu(task: BattleTask, learner: str, **options: Any) -> float:
    """Agent-steps per second of this process's own time."""
    begun = time.process_time()
    training = train(task, learner, **options)
    return float(training.dataset["agent_steps"].values[-1]) / (time.process_time() - begun)


def engine_alone(task: BattleTask, steps: int = 300) -> float:
    """Agent-steps per second of random play, positions and powers read as in training."""
    worlds, rng = task.worlds(8), np.random.default_rng(0)
    worlds.begin([worlds.scattered(rng) for _ in range(8)], range(8), range(8))
    many = np.array(worlds.actions)[:, None]
    actions = rng.integers(many, size=(steps, 8, worlds.groups, worlds.slots))
    begun, done = time.process_time(), 0
    for each in actions:
        done += int(worlds.standing.sum())
        worlds.step(each)
    return done / (time.process_time() - begun)


def throughput(task: BattleTask, episodes: int) -> None:
    """What a second of one core is worth."""
    rows = [["engine alone", f"{engine_alone(task):,.0f}"]]
    for learner in LEARNERS:
        train(task, learner, episodes=8)  # compiles
        rows.append([learner, f"{cpu(task, learner, episodes=episodes):,.0f}"])
    print(f"\nAgent-steps per second of a core, {task.name} at {task.counts} on {task.size}x{task.size}")
    table(["", "agent-steps/s"], rows)


def tiny(seeds: int) -> None:
    """Whether a trained group beats three random ones."""
    short, long = MultiTeamBattle(size=16, agents=6), MultiTeamBattle(size=16, agents=6, max_steps=200)
    rows = []
    for learner in LEARNERS:
        won = []
        for seed in range(seeds):
            training = train(short, learner, episodes=64, seed=seed)
            for group in range(4):
                players: list[Player | None] = [None] * 4
                players[group] = Player.of(training, group, long)
                won.append(int(play(long, players, games=64, rng=seed).wins[group]))
        rows.append([learner, f"{np.mean(won) / 64:.0%}", f"{min(won) / 64:.0%}"])
    print(f"\nGames of 200 steps won against three random groups, 64 for each of 4 groups and {seeds} seeds")
    table(["", "mean", "least"], rows)


def curves(task: BattleTask, trainings: dict[str, list[Training]]) -> None:
    """Kills of all groups in an episode, over the training."""
    shares, rows = (0.0, 0.25, 0.5, 0.75, 1.0), []
    for learner, all_seeds in trainings.items():
        kills = np.array([one.dataset["kills"].values.sum(axis=1) for one in all_seeds])
        at = [kills[:, round(share * (kills.shape[1] - 1))] for share in shares]
        rows.append([learner, *(f"{each.mean():.1f} ± {each.std():.1f}" for each in at)])
    print(f"\nKills and captures in an episode, {task.name} at {task.counts}, after a share of the episodes")
    table(["", *(f"{share:.0%}" for share in shares)], rows)


def table_of(results: list[FaceOff]) -> None:
    """Wins of all face-offs together, and their spread over the seeds."""
    rows = []
    for learner in LEARNERS:
        numbers = [result.numbers[learner] for result in results]
        games, wins = (int(sum(each[name] for each in numbers)) for name in ("games", "wins"))
        low, high = wilson(wins, games)
        rates = [each["win_rate"] for each in numbers]
        alive, reward = (np.mean([each[name] for each in numbers]) for name in ("alive", "reward"))
        rows.append([
            learner, str(games), str(wins), str(int(sum(each["ties"] for each in numbers))), f"{wins / games:.3f}",
            f"{low:.3f} to {high:.3f}", f"{min(rates):.3f} to {max(rates):.3f}", f"{alive:.2f}", f"{reward:.0f}",
        ])  # fmt: skip
    names = ["", "games", "wins", "ties", "win rate", "95 %", "over seeds", "alive", "reward"]
    table(names, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--games", type=int, default=192)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--paper", action="store_true")
    options = parser.parse_args()
    episodes = 24 if options.quick else 200
    tasks = PAPER if options.paper else REDUCED
    throughput(tasks[0], min(episodes, 40))
    if not options.paper:
        tiny(1 if options.quick else options.seeds)
    for task in tasks:
        trainings = {
            learner: [train(task, learner, episodes=episodes, seed=seed) for seed in range(options.seeds)]
            for learner in LEARNERS
        }
        curves(task, trainings)
        results = [
            faceoff([trainings[learner][seed] for learner in LEARNERS], options.games, seed)
            for seed in range(options.seeds)
        ]
        print(f"\nFace-offs over all seatings, {task.name}, {options.seeds} seeds")
        table_of(results)


if __name__ == "__main__":
    main()
