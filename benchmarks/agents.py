"""N agents: exact regret and simulation on the flagship (upwind 64x64, 512 steps, and entropic), one thread.

    python benchmarks/agents.py [--regimes]

Prints the seconds of `nash_gap` for ten numbers of agents, seconds of a replica by counts from 10^2 to 10^9 agents,
agent-steps per second one by one beside vectorised NumPy, and nanoseconds of the random numbers beside NumPy's.
``--regimes`` adds how the regret falls with N for smooth, bang-bang and kinked games.
"""

from __future__ import annotations

import argparse
import time
import warnings

import numba
import numpy as np

import mfgsolve as mfg
from mfgsolve.agents.play import play_of
from mfgsolve.agents.run import Party, run_replicas
from mfgsolve.agents.walk import Walk
from mfgsolve.kernels import random


def seconds(call, repeats=1):
    best = np.inf
    for _ in range(repeats):
        begun = time.perf_counter()
        result = call()
        best = min(best, time.perf_counter() - begun)
    return best, result


def one_replica(walk, agents, method):
    party = Party(walk, np.array([agents]), method)
    return next(run_replicas(party, 1, np.random.SeedSequence(0), threads=1))


def numpy_steps(walk, agents, steps):
    """The same walk as a NumPy user would write it: one array of cells, one step at a time."""
    rng = np.random.default_rng(0)
    cells = rng.choice(walk.states, size=agents, p=walk.game.initial_mass.reshape(-1))
    chain, law = walk.chain, walk.chain.law
    right, left, after, before = law.walk_arrays
    first, successor, _ = law.transitions(0)
    for t in range(steps):
        thresholds = np.cumsum(chain.choices[t], axis=1)
        choice = (rng.random(agents)[:, None] >= thresholds[cells]).sum(axis=1).clip(max=chain.actions - 1)
        cells = successor[first[choice * walk.states + cells]]
        for share, there in ((right, after), (left, before)):
            for axis in range(len(share)):
                moving = np.arange(agents)
                while moving.size:
                    moving = moving[rng.random(moving.size) < share[axis, cells[moving]]]
                    cells[moving] = there[axis, cells[moving]]
    return cells


@numba.njit
def own_binomials(stream, n, p, count):
    total = 0
    for _ in range(count):
        total += random.binomial(stream, n, p)
    return total


@numba.njit
def numpy_binomials(rng, n, p, count):
    total = 0
    for _ in range(count):
        total += rng.binomial(n, p)
    return total


@numba.njit
def own_uniforms(stream, count):
    a, b, c, d = stream[0], stream[1], stream[2], stream[3]
    total = 0.0
    for _ in range(count):
        u, a, b, c, d = random.draw(a, b, c, d)
        total += u
    return total


@numba.njit
def numpy_uniforms(rng, count):
    total = 0.0
    for _ in range(count):
        total += rng.random()
    return total


def print_random_numbers(count=1_000_000):
    print("\nrandom numbers inside kernels, ns each      ours   NumPy's generator called from compiled code")
    stream, rng = np.random.SeedSequence(0).generate_state(4, np.uint64), np.random.default_rng(0)
    rows = [("uniform", lambda m: own_uniforms(stream, m), lambda m: numpy_uniforms(rng, m))]
    for n, p in ((100, 0.016), (1000, 0.016), (10**9, 0.016)):
        rows.append((f"binomial({n:.0e}, {p})", lambda m, n=n, p=p: own_binomials(stream, n, p, m),
                     lambda m, n=n, p=p: numpy_binomials(rng, n, p, m)))  # fmt: skip
    for name, ours, theirs in rows:
        ours(10), theirs(10)
        print(f"  {name:36s} {seconds(lambda f=ours: f(count))[0] / count * 1e9:9.1f} "
              f"{seconds(lambda f=theirs: f(count))[0] / count * 1e9:9.1f}")  # fmt: skip


def print_regret(solution):
    numbers = [10**k for k in range(10)]
    mfg.nash_gap(solution, agents=[3])
    spent, gap = seconds(lambda: mfg.nash_gap(solution, agents=numbers))
    print(f"\nexact regret of the plan for ten numbers of agents: {spent:.2f} s")
    print("       agents       regret   cost - mean-field cost   bound on the error")
    for k, number in enumerate(numbers):
        values = [float(gap[name][k]) for name in ("regret", "cost_difference", "regret_error")]
        print(f"{number:13d} {values[0]:12.4e} {values[1]:24.4e} {values[2]:20.1e}")


def print_simulation(solution):
    walk = Walk(play_of(solution))
    steps, cells = walk.steps, walk.states
    one_replica(walk, 10, "counts"), one_replica(walk, 10, "agents")
    print("\nby counts                   agents   one replica of many, s   ratio   one call of simulate, s   ratio")
    numbers = [10**2, 10**3, 10**4, 10**5, 10**6, 10**7, 10**8, 10**9]
    spent = {number: seconds(lambda n=number: one_replica(walk, n, "counts"), 7)[0] for number in numbers}
    call = {
        number: seconds(lambda n=number: mfg.simulate(solution, agents=n, rng=0, times=[steps], threads=1), 5)[0]
        for number in numbers
    }
    for number in numbers:
        print(f"{number:35d} {spent[number]:24.3f} {spent[number] / spent[10**5]:7.2f} {call[number]:25.3f} "
              f"{call[number] / call[10**5]:15.2f}")  # fmt: skip
    print(f"\nagents one by one, {cells} cells, {steps} steps, million agent-steps / s")
    for number in (10**5, 10**6):
        took, _ = seconds(lambda n=number: one_replica(walk, n, "agents"))
        print(f"  {number:10d} agents: {number * steps / took / 1e6:8.1f}")
    took, _ = seconds(lambda: numpy_steps(walk, 10**5, 32))
    print(f"  vectorised NumPy:  {10**5 * 32 / took / 1e6:8.1f}")


def print_entropic():
    """The same game on the entropic step: two draws a cell and step, whatever N, and the law they keep."""
    plan = mfg.solve(mfg.problems.supply_demand(shape=(64, 64), steps=48, scheme="entropic"), threads=1)
    spent, walk = seconds(lambda: Walk(play_of(plan)))
    mass = walk.game.flat(walk.play.crowd)
    print(f"\nentropic step, 64x64, 48 steps, relative exploitability {plan.relative_exploitability:.1e}")
    print(f"chances of all draws: {spent:.2f} s")
    print("                     agents   one replica, s   ns an agent-step   chi-square, mean   cells and times")
    for number, method in [(10**k, "counts") for k in (3, 5, 7, 9)] + [(10**5, "agents")]:
        spent, run = seconds(lambda n=number, m=method: one_replica(walk, n, m), 3)
        mean = number * mass[1:]
        usual = mean > 5
        square = (run.counts[1:] - mean)[usual] ** 2 / (mean * (1 - mass[1:]))[usual]
        each = spent / number / walk.steps * 1e9
        print(f"{method:>10s} {number:16d} {spent:16.3f} {each:18.4f} {square.mean():18.3f} {usual.sum():17d}")
    numbers = [10**k for k in range(8)]
    spent, gap = seconds(lambda: mfg.nash_gap(plan, agents=numbers))
    regret = gap.regret.values
    print(f"exact regret for {len(numbers)} numbers of agents: {spent:.2f} s, slopes in N: "
          + " ".join(f"{value:.2f}" for value in np.log10(regret[1:] / regret[:-1])))  # fmt: skip


def two_roads():
    """Home to one of two roads: they cost rho each, and the left one 4 max(rho - 1/2, 0) besides; half go each way."""
    kink = mfg.CustomCoupling(
        lambda t, c, rho: 4 * (t > 0) * (c.state == 1) * np.maximum(rho - 0.5, 0.0),
        derivative=lambda t, c, rho: 4.0 * (t > 0) * (c.state == 1) * (rho > 0.5),
    )
    problem = mfg.Problem(
        grid=mfg.States(["home", "left", "right"]), time=mfg.TimeGrid(2, 2), initial=np.array([1.0, 0, 0]),
        dynamics=mfg.Tabular([np.eye(3)[[1, 1, 2]], np.eye(3)[[2, 1, 2]]]),
        coupling=mfg.CrowdAversion(lambda t, c: 1.0 * (t > 0) * (c.state > 0)) + kink,
    )  # fmt: skip
    return problem, np.full((2, 2, 3), 0.5)


def tight(problem):
    """To round-off: the regret ends at the exploitability of the plan."""
    return mfg.solve(problem, tol=1e-14, check="ignore")


def regimes():
    """Games by how one agent's best answer depends on the price, and what its regret should fall like."""
    problems = mfg.problems
    yield "linear-quadratic (closed form)", -2.0, (mfg.solve(problems.linear_quadratic(scheme="upwind")),)
    yield (
        "supply-demand 32x32, 256 steps",
        -2.0,
        (tight(problems.supply_demand(shape=(32, 32), steps=256, scheme="upwind")),),
    )
    yield "montreal 32x32, 512 steps", -2.0, (tight(problems.montreal(shape=(32, 32), steps=512, scheme="upwind")),)
    yield "beach-bar at temperature 0.1", -2.0, (tight(problems.beach_bar(temperature=0.1)),)
    yield "beach-bar, sharp", -1.0, (mfg.solve(problems.beach_bar()),)
    yield "lattice-supply-demand 12x12x24, sharp", -1.0, (
        mfg.solve(problems.lattice_supply_demand(shape=(12, 12), steps=24)),)  # fmt: skip
    yield "two roads, a kink, sharp", -0.5, two_roads()


def print_regimes():
    numbers = [10**k for k in range(1, 8)]
    print("\nregret of one of N agents, and its slope between the two largest N")
    print(f"{'':38s}" + "".join(f"{f'N = {n:.0e}':>11s}" for n in numbers) + "  slope  expected")
    for name, expected, (plan, *policy) in regimes():
        regret = mfg.nash_gap(plan, numbers, policy=policy[0] if policy else None).regret.values
        slope = np.log(regret[-1] / regret[-2]) / np.log(numbers[-1] / numbers[-2])
        print(f"{name:38s}" + "".join(f"{value:11.2e}" for value in regret) + f"  {slope:5.2f} {expected:9.1f}")
    closed = mfg.problems.linear_quadratic(scheme="upwind")
    form = mfg.problems.closed_form(closed)
    exact, numbers = mfg.nash_gap(mfg.solve(closed), [2, 10, 100, 1000]), [2, 10, 100, 1000]
    limit = form.among(10**12).cost
    print("\nlinear-quadratic: N times what an agent pays more than in the limit, and eta(0)")
    print("       N      the plan   equilibrium of N   eta_N(0) - eta(0), times N^2")
    for k, n in enumerate(numbers):
        among, difference = form.among(n), float(exact.cost_difference[k])
        print(f"{n:8d} {n * difference:13.6f} {n * (among.cost - limit):18.6f} "
              f"{n * n * (among.eta(0.0) - form.eta(0.0)):30.6f}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--regimes", action="store_true", help="how the regret falls, in three kinds of games")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    solution = mfg.solve(mfg.problems.supply_demand(shape=(64, 64), steps=512, scheme="upwind"), threads=1)
    print(f"supply-demand, 64x64, 512 steps, relative exploitability {solution.relative_exploitability:.1e}")
    print_regret(solution)
    print_simulation(solution)
    print_entropic()
    print_random_numbers()
    if options.regimes:
        print_regimes()


if __name__ == "__main__":
    main()
