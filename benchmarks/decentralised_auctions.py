"""Societies of auctions: mechanisms, clones and learners of bids on three processes; games; throughput.

Tables, each a line per row:

1. winning bids against max Q* (largest and mean error over states), states that the right primitive wins, and credit
   made per auction: mechanism x clones x learner of bids on bandit, chain (discount 0.99, and 0.9) and duality,
   means over seeds
2. the bubble of Vickrey auctions on the chain, by the number of levels of bids, beside credit conservation
3. the bids of losers with and without random reserve prices
4. relative exploitability of societies inside fictitious play on a beach bar of 10 cells and 10 steps
5. auctions per second

    python benchmarks/decentralised_auctions.py                # all, about five minutes
    python benchmarks/decentralised_auctions.py --quick        # a tenth of the episodes, one seed: for a look
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np

import mfgsolve as mfg
from mfgsolve.learners.society import MECHANISMS, Society
from mfgsolve.tasks import Training
from mfgsolve.tasks.auctions import AuctionBandit, AuctionChain, AuctionDuality, AuctionTask

WEIGHTS = "multiplicative-weights"
EPISODES = {"truthful": 20_000, WEIGHTS: 20_000, "exp3": 100_000}
TASKS: dict[str, AuctionTask] = {
    "bandit": AuctionBandit(), "chain": AuctionChain(), "chain at 0.9": AuctionChain(discount=0.9),
    "duality": AuctionDuality(),
}  # fmt: skip


def trained(task: AuctionTask, society: Society) -> Training:
    """What a society makes of a task."""
    result = mfg.learn(task, society)
    assert isinstance(result, Training)
    return result


def mean_of(task: AuctionTask, seeds: int, **options: object) -> dict[str, float]:
    """Numbers of a society, means over seeds, and the largest excess of a winning bid."""
    found: list[dict[str, float]] = []
    for seed in range(seeds):
        training = trained(task, Society(seed=seed, **options))  # type: ignore[arg-type]
        data = training.dataset
        over = data["bids"].max("primitive") - data["worth"].max("primitive")
        losers = float(np.abs(data["bids"] - data["worth"]).mean())
        found.append(training.numbers | {"excess": float(over.max()), "all_bids": losers})
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


def mechanisms(seeds: int, share: float) -> None:
    print("1. Winning bids against max Q*, means over", seeds, "seeds")
    print(f"{'process':13s} {'bids':23s} {'mechanism':18s} {'':9s}  largest    mean   right  credit made")
    for place, task in TASKS.items():
        for bids, episodes in EPISODES.items():
            for mechanism in MECHANISMS:
                for solitary in (False, True):
                    found = mean_of(
                        task, seeds, mechanism=mechanism, solitary=solitary, bids=bids, episodes=int(episodes * share)
                    )
                    print(
                        f"{place:13s} {bids:23s} {mechanism:18s} {'solitary' if solitary else 'cloned':9s} "
                        f"{found['bid_error']:8.4f} {found['mean_bid_error']:7.4f} {found['optimal_states']:7.0%} "
                        f"{found['credit_error']:12.1e}",
                        flush=True,
                    )


def bubbles(seeds: int, share: float) -> None:
    print("\n2. Cloned societies with multiplicative weights on the chain, by the number of levels")
    print(f"{'discount':>8s} {'levels':>7s} {'mechanism':18s} largest excess  right")
    for discount in (0.9, 0.95, 0.99):
        for levels in (21, 51, 101):
            for mechanism in ("vickrey", "credit-conserving"):
                found = mean_of(
                    AuctionChain(discount=discount), seeds, mechanism=mechanism, bids=WEIGHTS, levels=levels,
                    episodes=int(20_000 * share),
                )  # fmt: skip
                print(
                    f"{discount:8g} {levels:7d} {mechanism:18s} {found['excess']:14.4f} {found['optimal_states']:6.0%}",
                    flush=True,
                )


def losers(seeds: int, share: float) -> None:
    print("\n3. Mean error of all bids, those of losers included, by the share of auctions with a reserve price")
    for place, task in TASKS.items():
        row = [
            mean_of(task, seeds, bids=WEIGHTS, reserve=reserve, episodes=int(20_000 * share))["all_bids"]
            for reserve in (0.0, 0.1, 0.3, 0.5)
        ]
        print(f"{place:13s} none {row[0]:.4f}   0.1 {row[1]:.4f}   0.3 {row[2]:.4f}   0.5 {row[3]:.4f}", flush=True)


def games(seeds: int, share: float) -> None:
    print("\n4. A society in fictitious play: relative exploitability on beach_bar(shape=(10,), steps=10)")
    problem, episodes = mfg.problems.beach_bar(shape=(10,), steps=10), int(300 * share)
    for text, options in (
        ("truthful, credit-conserving, cloned", {}),
        ("truthful, credit-conserving, solitary", {"solitary": True}),
        ("truthful, vickrey, cloned", {"mechanism": "vickrey"}),
        ("multiplicative weights, credit-conserving, cloned", {"bids": WEIGHTS}),
    ):
        gaps = []
        for seed in range(seeds):
            learned = mfg.learn(problem, "society-play", rng=seed, episodes=episodes, reference=False, **options)
            gaps.append(learned.dataset["relative_exploitability"].values)
        course = np.mean(gaps, axis=0)
        last = np.array([one[-1] for one in gaps])
        print(f"{text:50s} {course[0]:.3f} -> {last.mean():.5f} +- {last.std():.5f} in {episodes} episodes", flush=True)


def throughput(share: float) -> None:
    print("\n5. Auctions per second of processor time (the chain; compiled before)")
    for bids in EPISODES:
        for levels in (21, 51, 101) if bids != "truthful" else (51,):
            trained(AuctionChain(), Society(bids=bids, levels=levels, episodes=10))
            society = Society(bids=bids, levels=levels, episodes=int(100_000 * share))
            begun = time.process_time()
            held = int(trained(AuctionChain(), society).dataset["agent_steps"].values[-1])
            print(
                f"{bids:23s} {levels:4d} levels {held / (time.process_time() - begun) / 1e6:6.2f} million", flush=True
            )


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="a tenth of the episodes, one seed")
    quick = parser.parse_args(words).quick
    seeds, share = (1, 0.1) if quick else (3, 1.0)
    mechanisms(seeds, share)
    bubbles(seeds, share)
    losers(seeds, share)
    games(seeds, share)
    throughput(share)


if __name__ == "__main__":
    main()
