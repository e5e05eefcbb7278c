"""Battles of four groups: what training costs, what it comes to, and who wins when algorithms meet.

    python benchmarks/battles.py [--seeds 3] [--games 192] [--part NAME ...] [--quick]
    python benchmarks/battles.py --paper [--hours 0.5] [--part NAME ...]

Prints agent-steps per second of a core, of the engine alone and of everything; games won by a trained group against
three random ones in the tiny case (4 x 6 on 16x16, 64 episodes); rewards in the battle with a hidden sign, in which
types must matter, with types dealt out at random as the control and rules made by hand as the bound; kills and rewards
over the training in the three games (4 x 12 on 24x24, predator-prey 2 x 8 and 2 x 16), mean and spread over seeds; and
face-offs of the four algorithms over all seatings, together and seed by seed.  ``--quick`` trains a tenth.

``--paper`` is of the paper's size (4 x 72 on 60x60, 500 steps; 2 x 45 and 2 x 90) and takes hours; ``--hours`` is what
it may take in all: every training gets the same share of it, and as many episodes as fit are trained and told.
Needs mfgsolve[magent2,learners].
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
    HiddenSignBattle,
    MultiTeamBattle,
    PredatorPreyBattle,
)
from mfgsolve.learners.battles.faceoff import FaceOff, faceoff, wilson
from mfgsolve.learners.battles.hidden_sign import HandMade
from mfgsolve.learners.battles.matches import Acts, Player, play
from mfgsolve.tasks import Training, train

LEARNERS = ("il", "mfq", "mtmfq", "mfac")
REDUCED = (MultiTeamBattle(), BattleGathering(), PredatorPreyBattle())
PAPER = (
    MultiTeamBattle(size=60, agents=72, max_steps=500),
    BattleGathering(size=60, agents=72, max_steps=500, food=72),
    PredatorPreyBattle(size=60, agents=45, prey=90, max_steps=500),
)

PARTS = ("throughput", "tiny", HiddenSignBattle.name, *(task.name for task in REDUCED))


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
    """What a second of one core is worth; the engine is measured beside each learner, since machines are shared."""
    rows = []
    for learner in LEARNERS:
        train(task, learner, episodes=8)  # compiles
        engine, everything = engine_alone(task, 100), cpu(task, learner, episodes=episodes)
        rows.append([learner, f"{everything:,.0f}", f"{engine:,.0f}", f"{everything / engine:.3f}"])
    print(f"\nAgent-steps per second of a core, {task.name} at {task.counts} on {task.size}x{task.size}")
    table(["", "everything", "engine alone, with what is read of it", "ratio"], rows)


def tiny(seeds: int) -> None:
    """Whether a trained group beats three random ones."""
    short, long = MultiTeamBattle(size=16, agents=6), MultiTeamBattle(size=16, agents=6, max_steps=200)
    rows = []
    for learner in LEARNERS:
        won = []
        for seed in range(seeds):
            training = train(short, learner, episodes=64, seed=seed)
            for group in range(4):
                players: list[Acts | None] = [None] * 4
                players[group] = Player.of(training, group, long)
                won.append(int(play(long, players, games=64, rng=seed).wins[group]))
        below = sum(each < 0.8 * 64 for each in won)
        rows.append([learner, f"{np.mean(won) / 64:.0%}", f"{min(won) / 64:.0%}", f"{below} of {len(won)}"])
    print(f"\nGames of 200 steps won against three random groups, 64 for each of 4 groups and {seeds} seeds")
    table(["", "mean", "least", "below 80 %"], rows)


def hidden_sign(seeds: int, episodes: int) -> None:
    """Whether types are used where they must matter: reward of a hunter in a step."""
    task = HiddenSignBattle()

    def paid(players: list[Acts | None], seed: int) -> float:
        hunters = play(task, players, games=64, rng=seed).reward[:, [0, 3]]
        return float(hunters.mean() / task.agents / task.max_steps)

    rows = []
    for name, options in (("il", {}), ("mfq", {}), ("mtmfq", {}), ("mtmfq", {"shuffled": True}), ("mfac", {})):
        rewards = []
        for seed in range(seeds):
            training = train(task, name, episodes=episodes, cold=0.05, seed=seed, **options)
            a, d = (Player.of(training, group, task) for group in (0, 3))
            rewards.append(paid([a, None, None, d], seed))
        label = f"{name}, types dealt out at random" if options else name
        rows.append([label, f"{np.mean(rewards):+.3f}", f"{min(rewards):+.3f} to {max(rewards):+.3f}"])
    for label, rule in (
        ("rule by hand, sees b and c", HandMade(knows=False)),
        ("rule by hand, knows the sign", HandMade()),
    ):
        rewards = [paid([rule, None, None, rule], seed) for seed in range(seeds)]
        rows.append([label, f"{np.mean(rewards):+.3f}", f"{min(rewards):+.3f} to {max(rewards):+.3f}"])
    print(f"\nReward of a hunter in a step, {task.name}, {episodes} episodes, {seeds} seeds, 64 games each")
    table(["", "mean", "over seeds"], rows)


def curves(task: BattleTask, trainings: dict[str, list[Training]]) -> None:
    """Kills of all groups, and reward of an agent, in an episode, over the training."""
    shares = (0.0, 0.25, 0.5, 0.75, 1.0)
    for name, words, digits in (("kills", "Kills and captures", 1), ("reward", "Reward of an agent", 2)):
        rows = []
        for learner, all_seeds in trainings.items():
            curve = np.array([one.dataset[name].values for one in all_seeds])
            curve = curve.sum(axis=2) if name == "kills" else curve.mean(axis=2)
            at = [curve[:, round(share * (curve.shape[1] - 1))] for share in shares]
            episodes = min(int(one.numbers["episodes"]) for one in all_seeds)
            cells = [f"{each.mean():.{digits}f} ± {each.std():.{digits}f}" for each in at]
            rows.append([learner, str(episodes), *cells])
        print(f"\n{words} in an episode, {task.name} at {task.counts}, after a share of the episodes")
        table(["", "episodes", *(f"{share:.0%}" for share in shares)], rows)


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


def seed_by_seed(results: list[FaceOff]) -> None:
    """The share of games that each algorithm won, for every seed: how far one seed can be trusted."""
    rows = []
    for learner in LEARNERS:
        rates = [result.numbers[learner]["win_rate"] for result in results]
        rows.append([learner, *(f"{rate:.3f}" for rate in rates), f"{np.std(rates):.3f}"])
    table(["win rate", *(f"seed {seed}" for seed in range(len(results))), "spread"], rows)


def trained(task: BattleTask, learner: str, seed: int, episodes: int, seconds: float | None) -> Training:
    """A training of so many episodes, or of as many as fit into so many seconds by the time of its first block."""
    if seconds is not None:
        begun = time.perf_counter()
        train(task, learner, episodes=8, seed=seed)
        block = time.perf_counter() - begun
        episodes = 8 * max(1, min(episodes // 8, int(0.8 * seconds / block)))  # the rest is for face-offs
        print(f"  {learner}: {block:.0f} s for 8 episodes, so {episodes} episodes", flush=True)
    return train(task, learner, episodes=episodes, seed=seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--games", type=int, default=192)
    parser.add_argument("--part", action="append", choices=PARTS, help="may be repeated; all without")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--paper", action="store_true")
    parser.add_argument("--hours", type=float, help="with --paper: the most it may take")
    options = parser.parse_args()
    episodes, parts = 24 if options.quick else 200, options.part or PARTS
    tasks = [task for task in (PAPER if options.paper else REDUCED) if task.name in parts]
    if "throughput" in parts:
        throughput((PAPER if options.paper else REDUCED)[0], 8 if options.paper else min(episodes, 40))
    if "tiny" in parts and not options.paper:
        tiny(1 if options.quick else options.seeds)
    if "hidden-sign-battle" in parts and not options.paper:
        hidden_sign(1 if options.quick else options.seeds, 240 // (10 if options.quick else 1))
    many = max(len(tasks) * len(LEARNERS) * options.seeds, 1)
    seconds = None if options.hours is None else 3600 * options.hours / many
    for task in tasks:
        print(f"\n{task.name} at {task.counts} on {task.size}x{task.size}", flush=True)
        trainings = {
            learner: [trained(task, learner, seed, episodes, seconds) for seed in range(options.seeds)]
            for learner in LEARNERS
        }
        curves(task, trainings)
        results = [
            faceoff([trainings[learner][seed] for learner in LEARNERS], options.games, seed)
            for seed in range(options.seeds)
        ]
        print(f"\nFace-offs over all seatings, {task.name}, {options.seeds} seeds")
        table_of(results)
        seed_by_seed(results)


if __name__ == "__main__":
    main()
