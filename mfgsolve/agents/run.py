"""One replica of the game of N agents: they start, walk step by step, may leave, and pay.

Agents are exchangeable, so that only their counts matter: ``method="counts"`` splits the counts of every cell by
binomials, at a cost that does not grow with N; ``method="agents"`` moves each agent by itself, to the same law.
A few ``tagged`` agents always walk by themselves, on a policy of their own if there is a ``deviation``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event

import numpy as np

from mfgsolve.agents.walk import CrowdCosts, Walk
from mfgsolve.exits import Exits
from mfgsolve.kernels import threads_available
from mfgsolve.steps import MarkovChain
from mfgsolve.steps.chain import Moves
from mfgsolve.watch import look

__all__ = ["Party", "Run", "run_replicas"]

BATCH = 1 << 16  # agents that share a stream of random numbers
NOBODY = np.empty(0, dtype=np.int32)
NO_CHOICES = np.empty((0, 0), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Party:
    """Who plays, and how: everything that the replicas of one simulation share.

    walk : of everybody
    agents : how many, per population (tagged ones included)
    method : "counts" or "agents"
    tagged : how many (of each population) walk by themselves, and are remembered
    deviation : the chain of the tagged agents, if it is not the one of everybody
    start : cells of all agents at t = 0 (flat states); None draws them from the initial mass
    exits : cells in which agents leave, who then neither pay nor count; None keeps all.  A game that has exits of its
        own keeps who has left in their cells
    """

    walk: Walk
    agents: np.ndarray
    method: str = "counts"
    tagged: int = 0
    deviation: MarkovChain | None = None
    start: np.ndarray | None = None
    exits: Exits | None = None


@dataclass(frozen=True, eq=False)
class Run:
    """One replica.

    counts : agents in every cell, (T+1, states) int64
    cost : mean over the agents of each population of what they paid, (populations,)
    tagged : cell of every tagged agent, (agents, T+1); -1 once it has left
    tagged_cost : what each of them paid
    left : agents that have left by each exit, (T+1, populations, exits)
    """

    counts: np.ndarray
    cost: np.ndarray
    tagged: np.ndarray
    tagged_cost: np.ndarray
    left: np.ndarray


def run_replicas(
    party: Party, replicas: int, seeds: np.random.SeedSequence, threads: int | None = None
) -> Iterator[Run]:
    """Replicas in order, each on its own stream of random numbers: the same for any number of threads."""
    streams = seeds.spawn(replicas)
    workers = min(threads_available() if threads is None else threads, replicas)
    if workers == 1:
        for stream in streams:
            yield _Replica(party, stream).run()
        return
    given_up = Event()
    with ThreadPoolExecutor(workers) as pool:  # no more in flight than workers: a run holds all its levels
        try:
            waiting = [pool.submit(_Replica(party, stream, given_up).run) for stream in streams[:workers]]
            for k in range(replicas):
                done = waiting.pop(0).result()
                if k + workers < replicas:
                    waiting.append(pool.submit(_Replica(party, streams[k + workers], given_up).run))
                yield done
        finally:  # an interrupt reaches this thread alone, and must not wait for the replicas of the others
            given_up.set()


class _GivenUp(Exception):
    """Nobody waits for this replica any more."""


class _Replica:
    def __init__(self, party: Party, seeds: np.random.SeedSequence, given_up: Event | None = None):
        self.given_up = given_up
        self.party, self.walk, self.game = party, party.walk, party.walk.game
        self.chain = party.walk.chain
        drawn, together, alone, tagged = seeds.spawn(4)
        self.rng = np.random.Generator(np.random.PCG64(drawn))
        self.stream = together.generate_state(4, np.uint64)
        self.alone, self.tagged_seeds = alone, tagged
        masses = np.asarray(self.game.grid.masses)
        self.share = np.repeat(masses / party.agents, self.walk.states // party.agents.size)  # mass of one agent

    def run(self) -> Run:
        walk, party = self.walk, self.party
        steps, remembered = walk.steps, party.tagged * party.agents.size
        tagged = np.empty((remembered, steps + 1), dtype=np.int32)
        actions = np.empty((remembered, steps), dtype=np.int32)
        cells, others, counts = self._start()
        levels = np.empty((steps + 1, walk.states), dtype=np.int64)
        chosen = self._choice_counts()
        streams, left = self._tagged_streams(remembered), self._nobody(steps)
        batches = self._streams(others.size)
        for t in range(steps + 1):
            self._look()
            if party.exits is not None:
                gone = party.exits.cells.reshape(-1)
                here = counts + _histogram(cells, walk.states)
                left[t:] += party.exits.totals(here[None], party.agents.size)
                counts[gone] = 0
                for some in (cells, others):
                    some[(some >= 0) & gone[some]] = -1
            tagged[:, t] = cells
            levels[t] = counts + _histogram(cells, walk.states)
            if t == steps:
                break
            if not levels[t].any():  # all have left
                counts = levels[t].copy()
                continue
            mass = levels[t] * self.share
            moves = self.chain.moves(t, mass)
            alone = moves if party.deviation is None else party.deviation.moves(t, mass)
            now = chosen[t] if chosen.size else NO_CHOICES
            self._move_tagged(alone, cells, streams[:, t], actions[:, t], now)
            if party.method == "agents":
                counts = self._move_agents(moves, others, batches, now)
            else:
                counts = moves.split(counts, self.stream, now)
        cost, tagged_cost = self._pay(levels, chosen, tagged, actions)
        if self.game.grid.exits is not None:  # whose cells have kept them
            left = self.game.grid.exits.totals(levels, party.agents.size)
        return Run(levels, cost, tagged, tagged_cost, left)

    def _nobody(self, steps: int) -> np.ndarray:
        """How many have left by each exit, still empty."""
        names = () if self.party.exits is None else self.party.exits.names
        return np.zeros((steps + 1, self.party.agents.size, len(names)), dtype=np.int64)

    def _look(self) -> None:
        """Between two pieces of work that take long where there are many agents."""
        look()
        if self.given_up is not None and self.given_up.is_set():
            raise _GivenUp

    # -- start -------------------------------------------------------------------------------------------------

    def _start(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cells of the tagged agents, of the others (if they walk by themselves), and counts of the others."""
        party, states = self.party, self.walk.states
        one_by_one = party.method == "agents"
        if party.start is not None:
            listed = party.start.astype(np.int32)
            population = listed // (states // party.agents.size)
            first = [np.flatnonzero(population == p)[: party.tagged] for p in range(party.agents.size)]
            remembered = np.concatenate(first)
            rest = np.delete(listed, remembered)
            return listed[remembered], rest if one_by_one else NOBODY, _histogram(rest, states)
        mass = self.game.initial_mass.reshape(party.agents.size, -1)
        cells, others, counts = [], [], []
        for p, number in enumerate(party.agents.tolist()):
            rest, offset = number - party.tagged, p * mass.shape[1]
            share = mass[p] / mass[p].sum()
            cells.append(_drawn(self.rng, share, party.tagged) + offset)
            if one_by_one:
                others.append(_drawn(self.rng, share, rest, self._look) + offset)
                counts.append(np.bincount(others[-1] - offset, minlength=share.size))
            else:
                counts.append(_spread_over(self.rng, rest, share))
        all_others = np.concatenate(others).astype(np.int32) if one_by_one else NOBODY
        return np.concatenate(cells).astype(np.int32), all_others, np.concatenate(counts).astype(np.int64)

    def _tagged_streams(self, number: int) -> np.ndarray:
        """A generator for every tagged agent and step: two policies then meet the same random numbers, step by step."""
        words = 4 * self.walk.steps
        states = [seed.generate_state(words, np.uint64) for seed in self.tagged_seeds.spawn(number)]
        return np.array(states, dtype=np.uint64).reshape(number, self.walk.steps, 4)

    def _streams(self, number: int) -> list[np.ndarray]:
        return [seed.generate_state(4, np.uint64) for seed in self.alone.spawn(-(-number // BATCH))]

    def _choice_counts(self) -> np.ndarray:
        """Where who chose what is counted; empty where it costs nothing of its own."""
        chain = self.chain
        if not chain.pays_by_choice:
            return NO_CHOICES
        return np.zeros((chain.steps, chain.actions, chain.states), dtype=np.int64)

    # -- steps -------------------------------------------------------------------------------------------------

    def _move_tagged(
        self, moves: Moves, cells: np.ndarray, streams: np.ndarray, actions: np.ndarray, chosen: np.ndarray
    ) -> None:
        """Each on its own stream (agents, 4)."""
        before, choice = cells.copy(), np.zeros(1, dtype=np.int32)
        for k in range(cells.size):
            moves.walk(cells[k : k + 1], streams[k], choice)
            actions[k] = choice[0]
        here = before >= 0
        if chosen.size:
            np.add.at(chosen, (actions[here], before[here]), 1)

    def _move_agents(
        self, moves: Moves, others: np.ndarray, batches: list[np.ndarray], chosen: np.ndarray
    ) -> np.ndarray:
        states = self.walk.states
        actions = np.empty(min(BATCH, others.size) if chosen.size else 0, dtype=np.int32)
        for k, stream in enumerate(batches):
            some = others[k * BATCH : (k + 1) * BATCH]
            before = some.copy() if chosen.size else some
            self._look()
            now = actions[: some.size]
            moves.walk(some, stream, now)
            if chosen.size:
                here = before >= 0
                pairs = now[here].astype(np.int64) * states + before[here]
                chosen += np.bincount(pairs, minlength=chosen.size).reshape(chosen.shape)
        return _histogram(others, states)

    # -- costs -------------------------------------------------------------------------------------------------

    def _pay(
        self, levels: np.ndarray, chosen: np.ndarray, tagged: np.ndarray, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Mean cost of every population, and what each tagged agent paid, in the crowd as it was."""
        weights = chosen * self.share if chosen.size else chosen
        costs = self.walk.costs(levels * self.share, weights)
        mean = costs.total.reshape(self.party.agents.size, -1).sum(axis=1) / np.asarray(self.game.grid.masses)
        return mean, self._pay_tagged(costs, tagged, actions)

    def _pay_tagged(self, costs: CrowdCosts, tagged: np.ndarray, actions: np.ndarray) -> np.ndarray:
        own = (self.party.deviation or self.chain).own_cost
        steps, total = self.walk.steps, np.zeros(len(tagged))
        for k, (path, choice) in enumerate(zip(tagged, actions, strict=True)):
            here = np.flatnonzero(path >= 0)
            total[k] = costs.state[here, path[here]].sum()
            t = here[here < steps]
            total[k] += own[t, path[t], choice[t] if own.shape[2] > 1 else 0].sum()
            if costs.action is not None:
                total[k] += costs.action[t, choice[t], path[t]].sum()
        return total


def _histogram(cells: np.ndarray, states: int) -> np.ndarray:
    return np.bincount(cells[cells >= 0], minlength=states).astype(np.int64)


def _spread_over(rng: np.random.Generator, number: int, share: np.ndarray) -> np.ndarray:
    """Counts of ``number`` agents; NumPy gives what round-off leaves to the last cell, which must not be empty."""
    here = np.flatnonzero(share)
    counts = np.zeros(share.size, dtype=np.int64)
    counts[here] = rng.multinomial(number, share[here])
    return counts


def _drawn(rng: np.random.Generator, share: np.ndarray, number: int, between: Callable[[], None] = look) -> np.ndarray:
    """Cells of ``number`` agents drawn from a distribution, batch by batch; ``between`` is called before each."""
    cumulative, last = np.cumsum(share), np.flatnonzero(share)[-1]
    cells = np.empty(number, dtype=np.int32)
    for first in range(0, number, BATCH):
        between()
        some = cells[first : first + BATCH]
        marks = rng.random(some.size) * cumulative[-1]
        some[:] = np.minimum(np.searchsorted(cumulative, marks, side="right"), last)
    return cells
