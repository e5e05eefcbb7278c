"""From tables of transitions to what kernels read faster: shifts on lattices, predecessors for threads.

Nothing here changes a result: see `mfgsolve.kernels.shifts`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mfgsolve.kernels import finite, launch
from mfgsolve.kernels.shifts import BLOCK, Reversed, Shifts
from mfgsolve.steps.transitions import Transitions

__all__ = ["Readings", "Table", "reversed_table", "run_kernel", "shifts_of"]

Table = Transitions | Shifts | Reversed
BY_STATE = ("backward", "evaluate", "tangent_backward")  # kernels in which every state is a thing of its own
FEWEST = 64  # states below which a table is read as fast row by row
SAMPLE = 65  # states of which the row that most have in common is looked for
MOST_ODD = 0.5  # share of rows that are no shifts, beyond which there is nothing to win


def shifts_of(table: Transitions, actions: int, states: int) -> Shifts | None:
    """The shifts that most rows of every choice are; None where they are not, or change from step to step."""
    if table.first.shape[0] > 1 or states < FEWEST:
        return None
    first = table.first[0].reshape(-1)
    length = np.diff(first).reshape(actions, states)
    odd, patterns = np.ones((actions, states), dtype=bool), []
    for a in range(actions):
        rows = first[a * states : (a + 1) * states + 1]
        pattern, alike = _pattern(table, rows, length[a])
        odd[a] = ~alike
        patterns.append(pattern)
        if odd[: a + 1].sum() > MOST_ODD * actions * states:
            return None
    count = np.array([len(shift) for shift, _ in patterns], dtype=np.int64)
    shift, weight = np.zeros((actions, count.max(initial=1)), dtype=np.int64), np.zeros((actions, count.max(initial=1)))
    falling, falling_weight = shift.copy(), weight.copy()
    for a, (own, chance) in enumerate(patterns):
        order = np.argsort(-own, kind="stable")
        shift[a, : count[a]], weight[a, : count[a]] = own, chance
        falling[a, : count[a]], falling_weight[a, : count[a]] = own[order], chance[order]
    place = np.flatnonzero(odd.reshape(-1))
    bounds = np.minimum(np.arange(-(-states // BLOCK) + 1) * BLOCK, states)
    start = np.searchsorted(place, np.arange(actions)[:, None] * states + bounds)
    aim = (place % states)[:, None] + shift[place // states]  # where odd states would lead by the shifts
    aim = aim[(np.arange(shift.shape[1]) < count[place // states, None]) & (aim >= 0) & (aim < states)]
    target, into, row, source, back = _targets(table, odd.reshape(-1), aim, states)
    return Shifts(
        *table, count=count, shift=shift, weight=weight, falling=falling, falling_weight=falling_weight,
        start=start.astype(np.int64), odd=(place % states).astype(np.int32), target=target, into=into, row=row,
        source=source, back=back, parts=1,
    )  # fmt: skip


def _pattern(
    table: Transitions, rows: np.ndarray, length: np.ndarray
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Shifts and chances of the row that most states of a sample have, and which states have it."""
    states = length.size
    sample = np.unique((np.arange(SAMPLE) * (0.5 * (5**0.5 - 1)) % 1.0 * states).astype(int))
    found: dict[bytes, list[int]] = {}
    for x in sample.tolist():
        inside = slice(int(rows[x]), int(rows[x + 1]))
        key = (table.successor[inside].astype(np.int64) - x).tobytes() + table.chance[inside].tobytes()
        found.setdefault(key, []).append(x)
    x = max(found.values(), key=len)[0]
    inside = slice(int(rows[x]), int(rows[x + 1]))
    shift, chance = table.successor[inside].astype(np.int64) - x, table.chance[inside].copy()
    alike = length == shift.size
    if alike.mean() > 1 - MOST_ODD:  # else nobody asks
        state = np.flatnonzero(alike)
        entry = rows[state][:, None] + np.arange(shift.size)
        same = (table.successor[entry] - state[:, None] == shift) & (table.chance[entry] == chance)
        alike[state] = same.all(axis=1)
    return (shift, chance), alike


def _targets(table: Transitions, odd: np.ndarray, aim: np.ndarray, states: int) -> tuple[np.ndarray, ...]:
    """States to which odd rows lead or would lead, and all rows that lead there: where they begin, which, their states
    and chances."""
    owner = np.repeat(np.arange(odd.size), np.diff(table.first[0]))
    wanted = np.zeros(states, dtype=bool)
    wanted[table.successor[odd[owner]]] = wanted[aim] = True
    entry = np.flatnonzero(wanted[table.successor])
    entry = entry[np.argsort(table.successor[entry], kind="stable")]
    target, row = np.flatnonzero(wanted), owner[entry].astype(np.int32)
    into = np.searchsorted(table.successor[entry], np.append(target, states)).astype(np.int64)
    return target.astype(np.int32), into, row, row % np.int32(states), table.chance[entry]


def reversed_table(table: Transitions, states: int, threads: int) -> Reversed:
    """The table for so many threads, with the predecessors of every state, step by step, rows in ascending order."""
    into, row, back, done = [], [], [], 0
    for t in range(table.first.shape[0]):
        columns = table.matrix(t, states).tocsc()
        into.append(columns.indptr.astype(np.int64) + done)
        row.append(columns.indices.astype(np.int32))
        back.append(columns.data)
        done += columns.nnz
    return Reversed(*table, np.stack(into), np.concatenate(row), np.concatenate(back), threads)


class Readings:
    """The forms in which kernels read the transitions of a game, by the number of threads; made when asked for."""

    def __init__(self, transitions: Transitions, actions: int, states: int):
        self.transitions, self.actions, self.states = transitions, actions, states
        self._known: dict[int, Table] = {}

    def table(self, threads: int, part: slice) -> Table:
        """Of some steps: by shifts where they are shifts, with predecessors for several threads, or as they are."""
        if threads not in self._known:
            known = next((table for table in self._known.values() if isinstance(table, Shifts)), None)
            shifts = known or (None if self._known else shifts_of(self.transitions, self.actions, self.states))
            if shifts is not None:
                self._known[threads] = shifts._replace(parts=threads)
            elif threads > 1:
                self._known[threads] = reversed_table(self.transitions, self.states, threads)
            else:
                self._known[threads] = self.transitions
        table = self._known[threads]
        if table.first.shape[0] == 1:
            return table
        if isinstance(table, Reversed):
            return table._replace(first=table.first[part], into=table.into[part])
        return table._replace(first=table.first[part])


def run_kernel(name: str, *arguments: Any, table: Table, kernels: Any = finite) -> Any:
    """A kernel, shared by threads where the table is for them; a flow by shifts is not."""
    kernel = getattr(kernels, name)
    if isinstance(table, Transitions) or table.parts == 1 or (isinstance(table, Shifts) and name not in BY_STATE):
        return kernel(*arguments)
    return launch(kernel, getattr(kernels, f"{name}_parallel"), table.parts, *arguments)
