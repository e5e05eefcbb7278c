"""Mean-field games learned by agents with tables of their own who talk to neighbours.

    python benchmarks/decentralised_games.py [--seeds 3] [--quick]

Prints, for 20 agents on three games, who hears whom against the exact relative exploitability of their mean occupation
after equal numbers of plays of the game (mean, and spread over seeds of the last), and beside it the regret of single
agents against the present crowd; the same for GMF-Q; and how the disagreement of agents contracts under averaging
beside |lambda_2|^k.  ``--quick`` plays a tenth.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from measure import table
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.learners import Mguni
from mfgsolve.parts.combine import Combine, disagreement

AGENTS = 20
EPISODES = (95, 300, 949, 3000)
SHORT = (3000,)
MEDIUM = (949,)
LONG = (20_000,)


def chords(agents: int = AGENTS, far: int = 7) -> sparse.csr_array:
    """A ring whose agents also talk to those ``far`` away: four neighbours, as two hops along a ring."""
    ring = sparse.eye_array(agents).toarray()
    links = sum(np.roll(ring, shift, axis=1) for shift in (1, -1, far, -far))
    return sparse.csr_array(links)


HEARD: dict[str, dict[str, Any]] = {
    "nobody": {},
    "ring (3 with itself)": {"graph": "ring"},
    "ring, two hops (5)": {"graph": "ring", "hops": 2},
    "ring, four hops (9)": {"graph": "ring", "hops": 4},
    "grid 4x5 (4.1)": {"graph": "grid"},
    "ring and far chords (5)": {"graph": chords()},
    "all (= shared tables)": {"shared": True},
}
ELSE: dict[str, dict[str, Any]] = {
    "mean of tables, ring": {"graph": "ring", "combine": "diffusion"},
    "mean of tables, all": {"graph": "all", "combine": "diffusion"},
    "adoption, ring": {"graph": "ring", "combine": "adoption"},
    "adoption, all": {"graph": "all", "combine": "adoption"},
}
FEW = ("nobody", "ring (3 with itself)", "grid 4x5 (4.1)", "ring, two hops (5)", "ring, four hops (9)",
       "all (= shared tables)", "mean of tables, ring")  # fmt: skip


def reached(
    problem: mfg.Problem, episodes: Sequence[int], seeds: Sequence[int], learner: str = "mguni", **options: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Relative exploitability (seeds, episodes), and relative regrets of single agents at the end (seeds, agents); NaN
    where agents share a table."""
    stated = {"agents": AGENTS, "shared": False, "reference": False} | options
    gaps, regrets = np.empty((len(seeds), len(episodes))), np.full((len(seeds), AGENTS), np.nan)
    for k, seed in enumerate(seeds):
        for j, plays in enumerate(episodes):
            learned = mfg.learn(problem, learner, episodes=plays, rng=seed, **stated)
            gaps[k, j] = learned.relative_exploitability
        if "agent_regret" in learned.dataset:  # of games of one population
            regrets[k] = learned.dataset.agent_regret.values
    return gaps, regrets


def rows(
    problem: mfg.Problem, who: Mapping[str, Mapping[str, Any]], episodes: Sequence[int], seeds: Sequence[int],
    **settings: Any,
) -> Iterator[list[str]]:  # fmt: skip
    """A line of the table for everyone heard."""
    for name, options in who.items():
        gaps, regrets = reached(problem, episodes, seeds, **settings, **options)
        spread = gaps[:, -1].std(ddof=1) if len(seeds) > 1 else np.nan
        regret = "one policy" if np.isnan(regrets).all() else f"{regrets.mean():.3f} to {regrets.max():.3f}"
        yield [name, *(f"{gap:.4f}" for gap in gaps.mean(axis=0)), f"{spread:.4f}", regret]


def contraction(graph: Any = "ring", rounds: int = 12, episodes: int = 100) -> np.ndarray:
    """Disagreement (rounds + 1,) of agents who have learned alone and then take means, in units of the first, beside
    |lambda_2|^k: an array (rounds + 1, 2)."""
    learner = Mguni(agents=AGENTS, episodes=episodes, shared=False, recent=0.0)
    state = learner.init(make_game(mfg.problems.beach_bar(temperature=0.1)), 0.0)
    while not state.finished:
        state = learner.step(state)
    combine, tables = Combine(AGENTS, graph), state.preference
    apart = [disagreement(tables)]
    for _ in range(rounds):
        tables = combine(tables)
        apart.append(disagreement(tables))
    return np.stack([np.array(apart) / apart[0], combine.second_eigenvalue ** np.arange(rounds + 1.0)], axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a tenth of the plays")
    arguments = parser.parse_args()
    seeds = range(arguments.seeds)

    def at(episodes: Sequence[int]) -> list[int]:
        return [max(1, plays // 10) if arguments.quick else plays for plays in episodes]

    few = {name: (HEARD | ELSE)[name] for name in FEW}
    tau, sharp = mfg.problems.beach_bar(temperature=0.1), mfg.problems.beach_bar()
    lattice = mfg.problems.lattice_supply_demand(shape=(6, 6), steps=12)
    values = {"learner": "gmf-q", "softness": 0.1, "weight": 0.05, "block": 5}
    for title, problem, who, episodes, settings in (
        ("mguni, beach bar at temperature 0.1", tau, HEARD | ELSE, EPISODES, {"recent": 0.0}),
        ("mguni, beach bar, sharp", sharp, few, SHORT, {"recent": 0.0}),
        ("mguni, lattice-supply-demand 6x6x12", lattice, few, LONG, {"recent": 0.0}),
        ("gmf-q, beach bar at temperature 0.1", tau, few, MEDIUM, values),
    ):
        print(f"\n{title}: {AGENTS} agents, {len(seeds)} seeds")
        head = ["an agent hears", *(f"{plays} plays" for plays in at(episodes)), "+-", "regret, mean to most"]
        table(head, list(rows(problem, who, at(episodes), seeds, **settings)))
    print("\ndisagreement after k means, beside |lambda_2|^k")
    course = {graph: contraction(graph) for graph in ("ring", "grid")}
    lines = [[k, *(f"{number:.4f}" for one in course.values() for number in one[k])] for k in range(0, 13, 2)]
    table(["k", *(text for graph in course for text in (graph, "|lambda_2|^k"))], lines)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
