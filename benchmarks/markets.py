"""Markets: prices of Huggett's and Aiyagari's economies by several roads, how wrong grids are, and what a solve takes.

    python benchmarks/markets.py              # everything, a minute
    python benchmarks/markets.py --quick      # without the largest grids

Every chain is solved twice: by the package (Howard's rule, banded systems, Brent), and here by the false-transient
iteration of widely copied codes on sparse matrices, bisection, and the law with one entry fixed; they share nothing but
the numbers of the economy.  Limits of chains, by Richardson's table, stand beside collocation of the Euler equations.
! marks a number that misses its target.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from measure import seconds_of, table
from scipy import sparse
from scipy.optimize import bisect
from scipy.sparse.linalg import spsolve

import mfgsolve as mfg
from mfgsolve.markets import continuum
from mfgsolve.markets.adjustment import adjust, relaxation

HUGGETT = 0.03609950634306
CHAINS = {500: 0.031916582659, 1000: 0.033934833707, 2000: 0.034994572274, 4000: 0.035539587565}
QUADRATIC = 0.036099150261  # 4001 points, once Richardson
ATOM, HIGHEST = 0.010539493909212, 3.116470079230
NEAR = 1e-12
SHOCK = (9.9e-3, 9.0e-5, 5.8e-7, 1.4e-9, 1.1e-11, 7e-14, 1e-15)  # excess after each sweep


# -- the other road ----------------------------------------------------------------------------------------------------


def false_transient(a: np.ndarray, income: np.ndarray, rates: np.ndarray, r: float, rho: float) -> float:
    """Mean wealth of households with utility -1 / c at r, for incomes as they are paid (two)."""
    points, gap = a.size, np.diff(a)
    earned = income[:, None] + r * a
    value, jumps = -1 / (rho * earned), sparse.kron(sparse.csr_matrix(rates), sparse.identity(points))
    for _ in range(200):
        slope = np.diff(value, axis=1) / gap
        forward, backward = np.c_[slope, np.full(2, np.nan)], np.c_[np.full(2, np.nan), slope]
        spend_f, spend_b = np.maximum(forward, 1e-9) ** -0.5, np.maximum(backward, 1e-9) ** -0.5
        up, down = earned - spend_f, earned - spend_b
        gains = np.array([-1 / earned, -1 / spend_f + up * forward, -1 / spend_b + down * backward])
        gains[1][~(up > 0)], gains[2][~(down < 0)] = -np.inf, -np.inf
        choice = gains.argmax(axis=0)
        spend = np.choose(choice, [earned, spend_f, spend_b])
        right = np.where(choice == 1, up, 0.0) / np.append(gap, 1.0)
        left = np.where(choice == 2, -down, 0.0) / np.append(1.0, gap)
        moves = [
            sparse.diags_array([left[j, 1:], -left[j] - right[j], right[j, :-1]], offsets=[-1, 0, 1]) for j in (0, 1)
        ]
        chain = sparse.block_diag(moves) + jumps
        step = 1e6
        system = (1 / step + rho) * sparse.identity(2 * points) - chain
        after = spsolve(system.tocsc(), -1 / spend.ravel() + value.ravel() / step).reshape(2, points)
        change, value = np.abs(after - value).max(), after
        if change < 1e-11 * np.abs(value).max():
            break
    balance = chain.T.tolil()
    balance[0, :] = 1.0  # instead of one of the equations, which follows from the others
    mass = spsolve(balance.tocsc(), np.r_[1.0, np.zeros(2 * points - 1)]).reshape(2, points)
    return float(mass.sum(axis=0) @ a)


def huggett_again(points: int) -> float:
    a, rates = np.linspace(-0.15, 5, points), np.array([[-1.2, 1.2], [1.2, -1.2]])
    excess = lambda r: false_transient(a, np.array([0.1, 0.2]), rates, r, 0.05)
    return float(bisect(excess, 0.03, 0.037, xtol=1e-14))


def aiyagari_again(points: int) -> float:
    a, rates = np.linspace(0, 20, points), np.array([[-1, 1], [1, -1]]) / 3

    def excess(r: float) -> float:
        capital = 1.5 * (0.1 / 3 / (r + 0.05)) ** 1.5
        wage = 2 / 3 * 0.1 * (capital / 1.5) ** (1 / 3)
        return false_transient(a, wage * np.array([1.0, 2.0]), rates, r, 0.05) - capital

    return float(bisect(excess, 0.043, 0.047, xtol=1e-14))


# -- tables ------------------------------------------------------------------------------------------------------------


def price(name: str, points: int, exponent: float) -> float:
    return mfg.solve(name, points=points, exponent=exponent, estimate=False).price


def marked(value: float, target: float, near: float) -> str:
    return f"{value - target:+.1e}" + ("" if abs(value - target) <= near else " !")


def chains(name: str, again: Callable[[int], float], counts: Sequence[int], true: float) -> None:
    """Chains on even points, by both roads, and how far they say, and are, from the continuum."""
    rows = []
    for points in counts:
        answer = mfg.solve(name, points=points, exponent=1.0, check="ignore")
        published = marked(answer.price, CHAINS[points], NEAR) if name == "huggett" and points in CHAINS else "-"
        proof, off = answer.certificate, answer.discretisation
        rows.append([
            points, f"{answer.price:.13f}", published, marked(answer.price, again(points), 1e-11),
            f"{proof.relative_regret:.0e}", f"{proof.price_error:.0e}", f"{100 * abs(answer.price / true - 1):.1f} %",
            f"{abs(answer.price - true):.1e}", f"{off.price:.1e}", f"{abs(off.extrapolated_price - true):.1e}",
            f"{off.extrapolated_price_error:.1e}",
        ])  # fmt: skip
    print(f"\n{name}, even points")
    table(["points", "r", "- published", "- other road", "regret", "price error", "off by", "", "estimated",
           "extrapolated", "estimated"], rows)  # fmt: skip


def limits(name: str, true: mfg.markets.Continuum, counts: Sequence[int]) -> None:
    """Richardson's table on quadratic points, beside collocation."""
    row, rows = [price(name, points, 2.0) for points in counts], []
    for power in range(len(counts)):
        cells = [f"{value:.12f}" for value in row]
        rows.append(
            [power, *cells, *[""] * power, marked(row[-1], true.price, 1e-9 if power == len(counts) - 1 else 1)]
        )
        row = [(2 ** (power + 1) * fine - coarse) / (2 ** (power + 1) - 1) for coarse, fine in pairwise(row)]
    print(f"\n{name}, quadratic points: Richardson's table in whole powers")
    table(["times", *counts, "last - collocation"], rows)
    if name == "huggett":
        once = 2 * price(name, 4001, 2.0) - price(name, 2001, 2.0)
        print(f"4001 points, once: {once:.12f}, - published {marked(once, QUADRATIC, NEAR)}")


def collocation() -> dict[str, mfg.markets.Continuum]:
    """The continuum of both economies, with as many nodes and with more."""
    rows, result = [], {}
    for name in ("huggett", "aiyagari"):
        for nodes in (30, 40, 50):
            begun = time.process_time()
            found = result[name] = continuum(mfg.problems.build(name), nodes)
            taken = time.process_time() - begun
            rows.append([name, nodes, f"{found.price:.15f}", f"{found.mean_wealth:.12f}", f"{found.atom:.14f}",
                         f"{found.highest:.11f}", f"{abs(found.shares[0] - 0.5):.0e}", f"{taken:.2f}"])  # fmt: skip
    print("\nCollocation of the Euler equations")
    table(["economy", "nodes", "r", "wealth", "atom", "upper wealth", "share of the poor - 1/2", "CPU s"], rows)
    of = result["huggett"]
    print("huggett - published:", marked(of.price, HUGGETT, 2e-14), marked(of.atom, ATOM, 1e-13),
          marked(of.highest, HIGHEST, 2e-11))  # fmt: skip
    return result


def shock(quick: bool) -> None:
    """After a fall of productivity: excess after each sweep on the chain of a published code, by both roads."""
    economy, fall = mfg.problems.aiyagari(points=500, exponent=1.0), mfg.Shock(productivity=-0.03, recovery=0.2)
    times = mfg.TimeGrid(200.0, 400)
    begun = time.process_time()
    result = adjust(economy, fall, times, estimate=False)
    taken = time.process_time() - begun
    rows = [[k, f"{sweep.excess:.1e}", f"{known:.1e}"]
            for k, (sweep, known) in enumerate(zip(result.sweeps, SHOCK, strict=False), 1)]  # fmt: skip
    print(f"\nAiyagari after a shock, 500 even points, 400 steps: {len(result.sweeps)} sweeps, {taken:.1f} CPU s")
    table(["sweep", "excess", "published"], rows)
    path, sizes = relaxation(economy, fall, times, tol=1e-5 if quick else 8e-10)
    apart = np.abs(path - result.path).max()
    print(f"other road, relaxation by a fifth: {len(sizes)} sweeps to {sizes[-1]:.1e}, paths {apart:.1e} apart")
    lecture = mfg.solve("aiyagari-lecture", check="ignore")
    told = ("exploitability", "excess", "capital", "mixing_share")
    numbers = ", ".join(f"{name} {lecture.numbers[name]:.6g}" for name in told)
    print(f"\nAiyagari in discrete time, sharp: r = {lecture.price:.15f} ({numbers})")


def work() -> None:
    """CPU seconds of a whole solve, grid error included and left out, in turns."""
    runs = {
        (name, points, estimate): lambda name=name, points=points, estimate=estimate: mfg.solve(
            name, points=points, estimate=estimate
        )
        for name in ("huggett", "aiyagari") for points in (1001, 4001) for estimate in (False, True)
    }  # fmt: skip
    taken = seconds_of(runs, 3)
    print("\nCPU seconds, least of three")
    rows = [[name, points, f"{taken[name, points, False]:.2f}", f"{taken[name, points, True]:.2f}"]
            for name, points, estimate in runs if estimate]  # fmt: skip
    table(["economy", "quadratic points", "alone", "with the grid error"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="without the largest grids")
    quick = parser.parse_args().quick
    true = collocation()
    chains("huggett", huggett_again, (500, 1000) if quick else (500, 1000, 2000, 4000), true["huggett"].price)
    chains("aiyagari", aiyagari_again, (500,) if quick else (500, 1000), true["aiyagari"].price)
    for name in ("huggett", "aiyagari"):
        limits(name, true[name], (251, 501, 1001, 2001) if quick else (501, 1001, 2001, 4001))
    shock(quick)
    work()


if __name__ == "__main__":
    main()
