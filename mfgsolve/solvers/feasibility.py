"""Hard bounds of a finite game: what they are in masses and aggregates, and whether any flow meets them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from mfgsolve.errors import InputError
from mfgsolve.games import Game
from mfgsolve.solvers.proximal import noise_inverse
from mfgsolve.spaces import flat_volumes
from mfgsolve.watch import left, look

__all__ = ["Limits", "check_limits", "infeasibility"]

LARGEST = 200_000  # choices of a game whose contradiction a linear programme looks for
ROUND = 1e-9
GIVE = 1e-3  # by how much a bound gives way to a change of its multiplier, in units of the first slack and multiplier


@dataclass
class Limits:
    """Caps on masses and bounds on aggregates, infinite where there are none.

    ``values`` holds "cap" (T+1, states), "highest" and "lowest" (T, prices), as far as any is finite; ``first`` what
    slacks and multipliers of each are measured by.
    """

    highest_mass: np.ndarray
    values: dict[str, np.ndarray]
    first_column: int  # of the aggregates in a level
    first: dict[str, tuple[np.ndarray, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, game: Game) -> Limits:
        """Read the bounds of all couplings; caps on choices are not supported."""
        cap = np.full((game.steps + 1, game.cells), np.inf)
        first = game.width - len(game.prices)
        low, high = (np.full((game.steps, len(game.prices)), sign * np.inf) for sign in (-1, 1))
        for block, levels, lower, upper in game.bounds():
            flat = (levels.stop - levels.start, -1)
            if block.on == "aggregate":
                column = slice(block.columns.start - first, block.columns.stop - first)
                low[levels, column], high[levels, column] = lower.reshape(flat), upper.reshape(flat)
                continue
            if block.on != "state" or (lower > 0).any():
                raise InputError(
                    f"a hard bound on {'choices' if block.on != 'state' else 'the density from below'} is not "
                    "supported by interior-point; use Capacity on the density, or another solver"
                )
            cap[levels] = np.minimum(cap[levels], (upper * block.volumes).reshape(flat))
        result = {"cap": cap, "highest": high, "lowest": low}
        return cls(cap, {name: value for name, value in result.items() if np.isfinite(value).any()}, first)

    def seen(self, crowd: np.ndarray) -> dict[str, tuple[np.ndarray, float]]:
        """What every family of bounds limits, and 1 if from above, -1 if from below."""
        states, first = self.highest_mass.shape[1], self.first_column
        both = {"cap": (crowd[:, :states], 1.0)}
        both |= {"highest": (crowd[:-1, first:], 1.0), "lowest": (crowd[:-1, first:], -1.0)}
        return {name: both[name] for name in self.values}

    def pairs(
        self, crowd: np.ndarray, barrier: np.ndarray, rise: float, sharp: bool, make: Callable[..., Any]
    ) -> dict[str, Any]:
        """Slacks well inside, multipliers a tenth of the costs of a step; bounds give way in a ``sharp`` game, where
        their multipliers drift otherwise, while a temperature holds them and would converge slower.  A cap gives way by
        less than itself: a multiplier that is too large comes down by the cap over ``give`` in a step."""
        result = {}
        for name, (seen, sign) in self.seen(crowd).items():
            limit = np.where(np.isfinite(self.values[name]), self.values[name], 0.0)
            live = np.isfinite(self.values[name])
            if name == "cap":
                live &= barrier > 0
                live[0] = False  # m_0 is given, and checked
                least, weight = np.full(limit.shape, 0.1 / limit.shape[1]), barrier
            else:
                least = np.full(limit.shape, 0.1 * (np.abs(seen).max() + np.abs(limit).max()) or 1.0)
                weight = np.ones(limit.shape)
            slack, paid = np.maximum(sign * (limit - seen), least), 0.1 * rise
            room = np.where(limit > 0, limit, least) if name == "cap" else least
            give = GIVE * np.minimum(least, room) / paid if sharp else None
            self.first[name] = least, paid
            result[name] = make(slack, np.full(limit.shape, paid), np.where(live, weight, 0.0), give)
        return result

    def multiplier(self, game: Game, pairs: dict[str, Any], rounded: bool = False) -> np.ndarray:
        """Multipliers per unit time, in the shape of a price: positive above, negative below; ``rounded`` those to 0
        that are smaller, against the first ones, than their slacks against the first slacks."""

        def dual(name: str) -> np.ndarray:
            pair = pairs[name]
            keep = pair.dual * self.first[name][0] > pair.slack * self.first[name][1]
            return np.where(keep, pair.dual, 0.0) if rounded else np.asarray(pair.dual)

        out = np.zeros((game.steps + 1, game.width))
        if "cap" in pairs:
            out[:, : game.cells] += dual("cap")
        for name, sign in (("highest", 1.0), ("lowest", -1.0)):
            if name in pairs:
                out[:-1, self.first_column :] += sign * dual(name)
        weights = np.where(game.weights > 0, game.weights, 1.0)
        return out / weights[:, None]


def check_limits(game: Game, limits: Limits) -> None:
    """What can be seen at once: caps below the initial mass or below the whole mass, prices beyond every flow.

    Raises
    ------
    InputError
        naming the node or step, the cell, and by how much
    """
    cap, count = limits.highest_mass, game.grid.populations
    excess = game.initial_mass - cap[0]
    if excess.max() > ROUND * max(1.0, float(game.initial_mass.max())):
        cell = int(excess.argmax())
        where = tuple(int(i) for i in np.unravel_index(cell, game.grid.shape))
        volume = np.broadcast_to(flat_volumes(game.grid), game.cells)[cell]
        raise InputError(
            f"capacity {cap[0, cell] / volume:.6g} at node 0 in cell {where} is below the initial density "
            f"{game.initial_mass[cell] / volume:.6g} there, by {excess[cell] / volume:.6g}; raise the cap or "
            "spread the initial density"
        )
    free = ~game.grid.mask.reshape(-1)
    room = np.where(free, cap, 0.0).reshape(game.steps + 1, count, -1).sum(axis=2)
    masses = np.asarray(game.grid.masses)
    if (room < masses * (1.0 - ROUND)).any():
        t, p = (int(i) for i in np.argwhere(room < masses * (1.0 - ROUND))[0])
        raise InputError(
            f"capacity at node {t} has room for a mass of {room[t, p]:.6g} in all cells together, and the crowd has "
            f"{masses[p]:g}: {masses[p] - room[t, p]:.6g} too little; raise the cap"
        )
    for name, sign in (("highest", 1.0), ("lowest", -1.0)):
        if name in limits.values:
            _check_aggregates(game, limits.values[name], name, sign)


def _check_aggregates(game: Game, bound: np.ndarray, name: str, sign: float) -> None:
    """The smallest (largest) aggregate of any flow, one backward recursion per step and price."""
    for t, k in np.argwhere(np.isfinite(bound)):
        reached = sign * _least(game, int(t), int(k), sign)
        short = sign * (reached - bound[t, k])
        if short > ROUND * max(1.0, abs(bound[t, k])):
            side = "least" if sign > 0 else "largest"
            raise InputError(
                f"{name} aggregate {bound[t, k]:.6g} allowed by price {k} at step {t} cannot be met: the {side} one "
                f"of any flow is {reached:.6g}, {short:.6g} beyond the bound; move the bound"
            )


def _least(game: Game, step: int, k: int, sign: float) -> float:
    """min over flows of sign * <alpha, w_step>: a best response that pays for this alone."""
    alpha = game.amounts[k]
    pay = np.where(game.step.allowed, sign * alpha[min(step, alpha.shape[0] - 1)], np.inf)
    value = pay.min(axis=0)
    for t in range(step - 1, -1, -1):
        if game.step.has_noise:
            value = game.step.diffuse(value, False)
        ahead = (game.step.transitions.matrix(t, game.cells) @ value).reshape(game.step.actions, game.cells)
        value = np.where(game.step.allowed, ahead, np.inf).min(axis=0)
    return float((game.initial_mass * np.where(game.initial_mass > 0, value, 0.0)).sum())


def infeasibility(game: Game, limits: Limits) -> str | None:
    """A sentence which bounds no flow meets together, and by how much; None if some flow meets them all.

    Solves  min e  over flows with every bound relaxed by e (densities and aggregates alike); the multipliers of the
    optimum name the bounds in conflict.  Games beyond `LARGEST` choices are not examined.
    """
    choices = game.step.actions * game.cells
    if choices * game.steps > LARGEST:
        return None
    from scipy.optimize import linprog

    unknowns = choices * game.steps + game.cells + 1  # w, m_T, e
    equal, right = _flow_rows(game, unknowns)
    rows, bounds, labels = _bound_rows(game, limits, unknowns)
    cost = np.zeros(unknowns)
    cost[-1] = 1.0
    live = np.append(np.tile(game.step.allowed.reshape(-1), game.steps), np.ones(game.cells + 1, dtype=bool))
    box = [(0.0, None if use else 0.0) for use in live]
    programme: dict[str, Any] = {"A_ub": rows, "b_ub": bounds, "A_eq": equal, "b_eq": right, "bounds": box}
    if left() < math.inf:
        programme["options"] = {"time_limit": max(left(), 1.0)}
    result: Any = linprog(cost, method="highs", **programme)
    look()
    if result.status != 0 or result.x[-1] <= 1e-7:
        return None
    name, t, place = labels[int(np.argmin(result.ineqlin.marginals))]
    if name == "cap":
        cell = tuple(int(i) for i in np.unravel_index(place, game.grid.shape))
        limit = limits.values["cap"][t, place] / np.broadcast_to(flat_volumes(game.grid), game.cells)[place]
        what = f"capacity {limit:.6g} at node {t} in cell {cell}"
    else:
        what = f"{name} aggregate {limits.values[name][t, place]:.6g} allowed by price {place} at step {t}"
    return (
        f"no flow meets all hard bounds: they would have to give way by {result.x[-1]:.6g} (density or aggregate), "
        f"first of all the {what}; relax it, or allow faster moves"
    )


def _flow_rows(game: Game, unknowns: int) -> tuple[sparse.csr_array, np.ndarray]:
    """sum_a w_0 = m_0 and E m_{t+1} = P' w_t."""
    n, choices = game.cells, game.step.actions * game.cells
    total = sparse.csr_array(sparse.kron(np.ones((1, game.step.actions)), sparse.eye_array(n)))
    inverse = noise_inverse(game)
    blocks: list[list[Any]] = [[None] * (game.steps + 1) for _ in range(game.steps + 1)]
    blocks[0][0] = total
    for t in range(game.steps):
        blocks[t + 1][t] = -game.step.transitions.matrix(t, n).T
        blocks[t + 1][t + 1] = inverse @ total if t + 1 < game.steps else inverse
    flow = sparse.csr_array(sparse.block_array(blocks))
    assert flow.shape[1] == choices * game.steps + n
    right = np.zeros(flow.shape[0])
    right[:n] = game.initial_mass
    return sparse.csr_array(sparse.hstack([flow, sparse.csr_array((flow.shape[0], 1))])), right


def _bound_rows(
    game: Game, limits: Limits, unknowns: int
) -> tuple[sparse.csr_array, np.ndarray, list[tuple[str, int, int]]]:
    """Rows of every bound, densities and aggregates minus e <= limit, and what each one is."""
    n, choices, volume = (
        game.cells,
        game.step.actions * game.cells,
        np.broadcast_to(flat_volumes(game.grid), game.cells),
    )
    rows, bounds, labels = [], [], []
    for name, value in limits.values.items():
        sign = -1.0 if name == "lowest" else 1.0
        for t, place in np.argwhere(np.isfinite(value)):
            look()
            row = sparse.lil_array((1, unknowns))
            if name != "cap":
                alpha = game.amounts[place]
                row[0, t * choices : (t + 1) * choices] = sign * alpha[min(t, alpha.shape[0] - 1)].reshape(1, -1)
            elif t == 0:
                continue
            elif t < game.steps:
                row[0, [t * choices + a * n + place for a in range(game.step.actions)]] = 1.0 / volume[place]
            else:
                row[0, game.steps * choices + place] = 1.0 / volume[place]
            row[0, -1] = -1.0
            rows.append(row.tocsr())
            bounds.append(sign * value[t, place] / (volume[place] if name == "cap" else 1.0))
            labels.append((name, int(t), int(place)))
    return sparse.csr_array(sparse.vstack(rows)), np.array(bounds), labels
