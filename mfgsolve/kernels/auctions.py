"""Auctions in which primitives bid for the right to act: walks of a society through a decision process.

Legend: action ``a`` is a primitive, of which there are ``clones`` (1 or 2) that bid by one ``bid`` (primitives, states)
or ``strategy`` (primitives, states, levels), the chances of the bids ``grid`` (levels,).  ``first``, ``successor`` and
``chance`` are rows (primitive states + state) of transitions that may sum to less than 1: with the rest the process
ends.  ``reward`` and ``allowed`` (primitives, states); ``ladder`` is the cumulated chance of the state at the start,
``even`` that of a state anywhere.
``pays`` and ``gets`` say which bid the winner pays, and which one the owner before it gets: 1 the highest, 2 the
highest of another bidder.  ``wealth`` (primitives + 1,): what each has earned, the last entry is the house, which is
paid where nobody owned the state and pays where a walk is broken off.  ``tally``: auctions, rewards,
episodes, returns; ``wins`` (primitives, states), ``seen`` (states,): how often each was auctioned.
"""

from __future__ import annotations

import numpy as np

from mfgsolve.kernels import jit
from mfgsolve.kernels.random import uniform

FLOOR = 1e-200  # least chance of a bid: what it is multiplied by can raise it again


def _begin(ladder, even, anywhere, stream):
    """Where a walk begins: with chance ``anywhere`` drawn from the ladder ``even``, else from ``ladder``."""
    steps = even if anywhere > 0.0 and uniform(stream) < anywhere else ladder
    low, high = 0, steps.size - 1
    u = uniform(stream) * steps[high]
    while low < high:
        middle = (low + high) // 2
        if u < steps[middle]:
            high = middle
        else:
            low = middle + 1
    return low


def _successor_of(row, first, successor, chance, stream):
    """Where a choice leads; -1 where the process ends."""
    u = uniform(stream)
    for k in range(first[row], first[row + 1]):
        u -= chance[k]
        if u < 0.0:
            return successor[k]
    left = 1.0
    for k in range(first[row], first[row + 1]):
        left -= chance[k]
    return -1 if left > 1e-12 else successor[first[row + 1] - 1]


def _highest(bid, allowed, s, clones, stream, found):
    """Fill ``found`` with the highest bid and that of another bidder (0 without one); returns the winner.

    Ties fall by lot.
    """
    most, second, winner, tied = -np.inf, -np.inf, -1, 0
    for a in range(allowed.shape[0]):
        if allowed[a, s]:
            b = bid[a, s]
            if b > most:
                second = most
                most, winner, tied = b, a, 1
            elif b == most:
                second, tied = b, tied + 1
                if uniform(stream) * tied < 1.0:
                    winner = a
            else:
                second = max(second, b)
    if clones > 1:
        second = most
    found[0] = most
    found[1] = second if second > -np.inf else 0.0
    return winner


begin, successor_of, highest = jit(_begin), jit(_successor_of), jit(_highest)


def _truthful(
    bid, wins, seen, wealth, tally, first, successor, chance, reward, allowed, ladder, even, discount, longest, clones,
    pays, gets, episodes, anywhere, lots, slowest, power, stream,
):  # fmt: skip
    """Walk, then let the winners learn what winning was worth, from the end of the walk to its start:

        b(a, s) += n^-power (r + discount price(s') - b(a, s))     (``slowest`` in place of n^-power, if that is more)

    with the price that the next owner's auction would bring now.  With chance ``lots`` the winner is drawn by lot.
    """
    states, many = allowed.shape[1], allowed.shape[0]
    places, winners, found = np.empty(longest, np.int64), np.empty(longest, np.int64), np.empty(2)
    for _ in range(episodes):
        s, length, owner = begin(ladder, even, anywhere, stream), 0, many
        worth, gained = 1.0, 0.0
        while s >= 0 and length < longest:
            winner = highest(bid, allowed, s, clones, stream, found)
            if lots > 0.0 and uniform(stream) < lots:
                tied = 0
                for a in range(many):
                    if allowed[a, s]:
                        tied += 1
                        if uniform(stream) * tied < 1.0:
                            winner = a
            wealth[owner] += found[gets - 1]
            wealth[winner] += reward[winner, s] - found[pays - 1]
            tally[0] += 1.0
            tally[1] += reward[winner, s]
            gained += worth * reward[winner, s]
            worth *= discount
            places[length], winners[length] = s, winner
            seen[s] += 1
            length += 1
            owner = winner
            s = successor_of(winner * states + s, first, successor, chance, stream)
        last = s
        if s >= 0:  # broken off: the house buys
            highest(bid, allowed, s, clones, stream, found)
            wealth[owner] += found[gets - 1]
            wealth[many] -= found[gets - 1]
        tally[2] += 1.0
        tally[3] += gained
        for k in range(length - 1, -1, -1):
            after, s, a = last if k == length - 1 else places[k + 1], places[k], winners[k]
            target = reward[a, s]
            if after >= 0:
                highest(bid, allowed, after, clones, stream, found)
                target += discount * found[gets - 1]
            wins[a, s] += 1
            bid[a, s] += max(wins[a, s] ** -power, slowest) * (target - bid[a, s])


def _bids_of(strategy, grid, allowed, s, clones, spread, stream, drawn, found):
    """Draw everybody's level into ``drawn`` (primitives, clones) and fill ``found`` as `highest` does.

    Each strategy is taken with chance 1 - ``spread``, else every level alike.  Returns the number of the winner, that
    is, primitive clones + clone; ties fall by lot.
    """
    most, second, winner, tied = -1, -1, -1, 0
    levels = grid.size
    for a in range(allowed.shape[0]):
        if not allowed[a, s]:
            continue
        row = strategy[a, s]
        for c in range(clones):
            u = uniform(stream)
            if u < spread:
                level = min(int(u / spread * levels), levels - 1)
            else:
                u = (u - spread) / (1.0 - spread)
                level = -1
                for x in range(levels):
                    u -= row[x]
                    if u < 0.0:
                        level = x
                        break
                if level < 0:  # round-off
                    level = levels - 1
                    while row[level] <= FLOOR and level > 0:
                        level -= 1
            drawn[a, c] = level
            if level > most:
                second = most
                most, winner, tied = level, a * clones + c, 1
            elif level == most:
                second, tied = level, tied + 1
                if uniform(stream) * tied < 1.0:
                    winner = a * clones + c
            else:
                second = max(second, level)
    found[0] = grid[most]
    found[1] = grid[second] if second >= 0 else 0.0
    return winner


def _rival(drawn, allowed, s, clones, a, c):
    """The highest level of another bidder than clone c of a; -1 without one."""
    most = -1
    for other in range(allowed.shape[0]):
        if allowed[other, s]:
            for d in range(clones):
                if other != a or d != c:
                    most = max(most, drawn[other, d])
    return most


bids_of, rival = jit(_bids_of), jit(_rival)


def _reweigh(row, grid, against, price, tied, value, pays, rate):
    """Multiplicative weights with full information: every level x by exp(rate u(x)), u what it would have earned,

        u(x) = value - price   above the level ``against``, ``tied`` times as much at that level, 0 below

    (where the winner ``pays`` its own bid, that is the price).
    """
    levels, total = grid.size, 0.0
    if pays == 1:
        for x in range(max(against, 0), levels):
            won = tied if x == against else 1.0
            row[x] *= np.exp(rate * won * (value - grid[x]))
    else:
        gain = np.exp(rate * (value - price))
        if against >= 0:
            row[against] *= gain**tied
        for x in range(against + 1, levels):
            row[x] *= gain
    for x in range(levels):
        total += row[x]
    for x in range(levels):
        row[x] = row[x] / total + FLOOR


def _learn_own(row, level, earned, rate, spread):
    """EXP3: the level that was bid by exp(rate earned / its chance); the others earned nothing that one would know."""
    levels, total = row.size, 0.0
    chance = (1.0 - spread) * row[level] + spread / levels
    row[level] *= np.exp(min(rate * earned / chance, 30.0))
    for x in range(levels):
        total += row[x]
    for x in range(levels):
        row[x] = row[x] / total + FLOOR


reweigh, learn_own = jit(_reweigh), jit(_learn_own)


def _open_to_one(drawn, allowed, s, clones, levels, stream):
    """Who is admitted alone, by lot, and the reserve price, any level alike: primitive, clone, level."""
    free = 0
    for a in range(allowed.shape[0]):
        free += 1 if allowed[a, s] else 0
    place = min(int(uniform(stream) * free * clones), free * clones - 1)
    admitted = -1
    for a in range(allowed.shape[0]):
        if allowed[a, s]:
            if place < clones and admitted < 0:
                admitted = a
                break
            place -= clones
    return admitted, place, min(int(uniform(stream) * levels), levels - 1)


open_to_one = jit(_open_to_one)


def _discretised(
    strategy, wins, seen, wealth, tally, grid, first, successor, chance, reward, allowed, ladder, even, discount,
    longest, clones, pays, gets, episodes, anywhere, reserve, informed, rate, spread, stream,
):  # fmt: skip
    """Walk by auctions with bids drawn from strategies, which learn after each of them.

    ``informed``: every primitive sees where it would have led and what that would have brought (`reweigh`); otherwise
    a bidder sees what it has earned itself with the bid that it has made (EXP3, with the exploration ``spread``).  With
    chance ``reserve`` an auction admits one bidder alone, drawn by lot, at a reserve price, any level alike; if the bid
    is less, there is another auction.  The owner before gets what all bids would have brought, the house the rest.  The
    n-th auction of a state is learned from at the rate ``rate`` / sqrt(n).
    """
    states, many, levels = allowed.shape[1], allowed.shape[0], grid.size
    drawn, after, trial = (
        np.empty((many, clones), np.int64), np.empty((many, clones), np.int64), np.empty((many, clones), np.int64)
    )  # fmt: skip
    found, ahead, tried = np.empty(2), np.empty(2), np.empty(2)
    for _ in range(episodes):
        s, length, owner = begin(ladder, even, anywhere, stream), 0, many
        worth, gained = 1.0, 0.0
        winner = bids_of(strategy, grid, allowed, s, clones, spread, stream, drawn, found)
        while True:
            a, c, floor = winner // clones, winner % clones, -1
            if reserve > 0.0 and uniform(stream) < reserve:
                a, c, floor = open_to_one(drawn, allowed, s, clones, levels, stream)
            y, later = successor_of(a * states + s, first, successor, chance, stream), -1
            ahead[:] = 0.0
            if y >= 0:
                later = bids_of(strategy, grid, allowed, y, clones, spread, stream, after, ahead)
            seen[s] += 1
            tally[0] += 1.0
            speed = rate / np.sqrt(seen[s])
            price = grid[drawn[a, c]] if pays == 1 else grid[floor] if floor >= 0 else found[1]
            if informed:
                for b in range(many):
                    if not allowed[b, s]:
                        continue
                    value = reward[b, s]
                    if b == a:
                        value += discount * ahead[gets - 1]
                    else:
                        z = successor_of(b * states + s, first, successor, chance, stream)
                        if z >= 0:
                            bids_of(strategy, grid, allowed, z, clones, spread, stream, trial, tried)
                            value += discount * tried[gets - 1]
                    for d in range(clones):
                        if floor >= 0:
                            reweigh(strategy[b, s], grid, floor - 1, grid[floor], 0.0, value, pays, speed)
                        else:
                            against = rival(drawn, allowed, s, clones, b, d)
                            dear = grid[against] if against >= 0 else 0.0
                            reweigh(strategy[b, s], grid, against, dear, 0.5, value, pays, speed)
            elif drawn[a, c] >= floor:
                value = reward[a, s] + discount * ahead[gets - 1]
                learn_own(strategy[a, s], drawn[a, c], value - price, speed, spread)
            if drawn[a, c] < floor:
                winner = bids_of(strategy, grid, allowed, s, clones, spread, stream, drawn, found)
                continue
            wealth[owner] += found[gets - 1]
            wealth[a] += reward[a, s] - price
            wins[a, s] += 1
            if floor >= 0:
                wealth[many] += price - found[gets - 1]
            tally[1] += reward[a, s]
            gained += worth * reward[a, s]
            worth *= discount
            length += 1
            owner, s, winner = a, y, later
            if s < 0:
                break
            drawn[:] = after
            found[:] = ahead
            if length == longest:  # broken off: the house buys
                wealth[owner] += found[gets - 1]
                wealth[many] -= found[gets - 1]
                break
        tally[2] += 1.0
        tally[3] += gained


truthful, discretised = jit(_truthful), jit(_discretised)
