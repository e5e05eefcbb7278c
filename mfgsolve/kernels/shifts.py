"""What sweeps of finite games ask of a table of transitions: row by row, or by shifts where most rows are alike.

On a lattice choice a leads from almost every state x to the same x + d_1, x + d_2, ... with the same chances: there

    q(a, x) = l(a, x) + sum_j c_j V(x + d_j)           m'(x + d_j) += c_j w(a, x)

are operations on whole vectors, with w = pi m.  Rows that are not so (``odd``: at walls and blocked cells, around
rings) are read from the table as before; of states to which they lead, all predecessors are added up anew, in the order
of the rows.  A state meets its terms in the same order on both roads, and the results are the same bits.

Legend as in `mfgsolve.kernels.finite`; ``chosen`` (states,) is the chance of one choice.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba.extending import overload

from mfgsolve.kernels import jit

BLOCK = 1024  # states whose choices are worked on at once: two dozen rows of them fit into the nearest cache


class Reversed(NamedTuple):
    """Transitions, and of every state y the rows that lead there: for threads that share the states of a flow."""

    first: Any  # as of `Transitions`
    successor: Any
    chance: Any
    into: Any  # (1 or steps, states + 1) int64: where the predecessors of a state begin
    row: Any  # int32, ascending
    back: Any  # chance of that row
    parts: int  # how many pieces of a time level run side by side


class Shifts(NamedTuple):
    """Transitions of all steps, and the shifts that most rows of a choice are."""

    first: Any  # (1, rows + 1), as of `Transitions`
    successor: Any
    chance: Any
    count: Any  # (actions,) int64: shifts of a choice
    shift: Any  # (actions, most shifts) int64, in the order of the rows
    weight: Any  # their chances
    falling: Any  # the same, from the farthest forward shift on: masses that meet come from ascending states
    falling_weight: Any
    start: Any  # (actions, blocks + 1) int64: where the odd states of a block begin
    odd: Any  # int32: states whose row is none of the shifts, choice by choice
    target: Any  # int32: states to which these lead, or would lead by the shifts
    into: Any  # (targets + 1,) int64, and all their predecessors, as of `Reversed`
    row: Any
    source: Any  # int32: the state of that row
    back: Any
    parts: int


def _listed_expect(first, successor, chance, step, value, cost, begin, end, at, out):
    """Row by row; whole numbers without a sign index without a look at the end of the array."""
    for a in range(out.shape[0]):
        row, into = a * value.size, out[a, at : at + end - begin]
        for x in range(begin, end):
            total = cost[a, x]
            for k in range(np.uint64(first[step, row + x]), np.uint64(first[step, row + x + 1])):
                total += chance[k] * value[np.uint32(successor[k])]
            into[x - begin] = total


def _first_term(out, cost, value, weight):
    for x in range(out.size):
        out[x] = cost[x] + weight * value[x]


def _next_term(out, value, weight):
    for x in range(out.size):
        out[x] += weight * value[x]


listed_expect, first_term, next_term = jit(_listed_expect), jit(_first_term), jit(_next_term)


def _shifted_expect(table, value, cost, begin, end, at, out):
    """By shifts, then the odd rows anew."""
    first, successor, chance, block = table.first, table.successor, table.chance, begin // BLOCK
    states, to = value.size, at - begin
    for a in range(out.shape[0]):
        if table.count[a] == 0:  # it leads nowhere but from odd states
            for x in range(end - begin):
                out[a, at + x] = cost[a, begin + x]
        for j in range(table.count[a]):
            d = table.shift[a, j]
            low, high = max(begin, -d), min(end, states - d)  # beyond these the row is odd
            if low < high and j == 0:
                first_term(
                    out[a, low + to : high + to], cost[a, low:high], value[low + d : high + d], table.weight[a, j]
                )
            elif low < high:
                next_term(out[a, low + to : high + to], value[low + d : high + d], table.weight[a, j])
        for i in range(table.start[a, block], table.start[a, block + 1]):
            x = table.odd[i]
            row, total = a * states + x, cost[a, x]
            for k in range(np.uint64(first[0, row]), np.uint64(first[0, row + 1])):
                total += chance[k] * value[np.uint32(successor[k])]
            out[a, x + to] = total


def _listed_push(first, successor, chance, step, a, chosen, mass, out):
    """out += P' (pi m) of choice a, row by row."""
    row = a * mass.size
    for x in range(mass.size):
        here = chosen[x] * mass[x]
        if here != 0.0:
            for k in range(np.uint64(first[step, row + x]), np.uint64(first[step, row + x + 1])):
                out[np.uint32(successor[k])] += chance[k] * here


def _push_term(out, chosen, mass, weight):
    for x in range(out.size):
        out[x] += weight * (chosen[x] * mass[x])


push_term = jit(_push_term)


def _shifted_push(table, a, chosen, mass, out):
    """out += P' (pi m) of choice a, as if all its rows were shifts."""
    states = mass.size
    for low in range(0, states, BLOCK):
        high = min(low + BLOCK, states)
        for j in range(table.count[a]):
            d = table.falling[a, j]
            left, right = max(low, -d), min(high, states - d)
            if left < right:
                push_term(out[left + d : right + d], chosen[left:right], mass[left:right], table.falling_weight[a, j])


def _collect(into, row, back, moved, first, last, out):
    """out(y) = sum over the predecessors of y, for the states first..last; ``moved`` is flat."""
    for y in range(first, last):
        total = 0.0
        for k in range(np.uint64(into[y]), np.uint64(into[y + 1])):
            total += back[k] * moved[np.uint32(row[k])]
        out[y] = total


def _settle_targets(table, policy, mass, out):
    """What came from odd rows, or as if they were none: all that comes to these states, anew."""
    flat = policy.reshape(policy.size)
    for i in range(table.target.size):
        total = 0.0
        for k in range(np.uint64(table.into[i]), np.uint64(table.into[i + 1])):
            total += table.back[k] * (flat[np.uint32(table.row[k])] * mass[np.uint32(table.source[k])])
        out[table.target[i]] = total


shifted_expect, listed_push, shifted_push = jit(_shifted_expect), jit(_listed_push), jit(_shifted_push)
collect, settle_targets = jit(_collect), jit(_settle_targets)

# -- either kind -----------------------------------------------------------------------------------------------------


def parts_of(table: Any) -> int:
    """How many pieces of a time level run side by side."""
    return 1 if len(table) == 3 else int(table.parts)


def expect_in(table: Any, step: int, value: Any, cost: Any, begin: int, end: int, at: int, out: Any) -> None:
    """out(a, at + x - begin) = cost(a, x) + sum_y P(y | x, a) V(y), for the states begin..end of one block."""
    if isinstance(table, Shifts):
        shifted_expect(table, value, cost, begin, end, at, out)
    else:
        listed_expect(table[0], table[1], table[2], step, value, cost, begin, end, at, out)


def push_from(table: Any, step: int, a: int, chosen: Any, mass: Any, out: Any) -> None:
    """out += P' (pi m) (states,) of choice a."""
    if isinstance(table, Shifts):
        shifted_push(table, a, chosen, mass, out)
    else:
        listed_push(table[0], table[1], table[2], step, a, chosen, mass, out)


def settle(table: Any, policy: Any, mass: Any, out: Any) -> None:
    """What pushing all choices of a step left wrong."""
    if isinstance(table, Shifts):
        settle_targets(table, policy, mass, out)


def _is_shifts(kind: Any) -> bool:
    return getattr(kind, "instance_class", None) is Shifts


@overload(parts_of)
def _parts_of(table):
    return (lambda table: 1) if len(table) == 3 else (lambda table: table.parts)


@overload(expect_in)
def _expect_in(table, step, value, cost, begin, end, at, out):
    if _is_shifts(table):
        return lambda table, step, value, cost, begin, end, at, out: shifted_expect(
            table, value, cost, begin, end, at, out
        )
    return lambda table, step, value, cost, begin, end, at, out: listed_expect(
        table[0], table[1], table[2], step, value, cost, begin, end, at, out
    )


@overload(push_from)
def _push_from(table, step, a, chosen, mass, out):
    if _is_shifts(table):
        return lambda table, step, a, chosen, mass, out: shifted_push(table, a, chosen, mass, out)
    return lambda table, step, a, chosen, mass, out: listed_push(
        table[0], table[1], table[2], step, a, chosen, mass, out
    )


@overload(settle)
def _settle(table, policy, mass, out):
    if _is_shifts(table):
        return lambda table, policy, mass, out: settle_targets(table, policy, mass, out)
    return lambda table, policy, mass, out: None
