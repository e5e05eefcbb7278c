"""What a plan is measured by, whatever the dynamics: what all pay, what mass is lost, which bounds are exceeded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mfgsolve.couplings import Bound
from mfgsolve.kernels import vectors
from mfgsolve.spaces import Space, Volumes
from mfgsolve.steps.costs import Totals, least_allowed
from mfgsolve.steps.identity import GOLDEN

__all__ = ["Block", "Measures"]

SAMPLES, FEW = 32, 2  # nodes at most at which the effect of the crowd is measured, and those measured at once


@dataclass(frozen=True)
class Block:
    """One coupling and the columns of a level that it acts on."""

    bound: Bound
    columns: slice
    shape: tuple[int, ...]
    volumes: Volumes  # of its cells, as of a `Space`
    on: str

    def density(self, level: np.ndarray) -> np.ndarray:
        """What the coupling sees of flat levels (levels, columns)."""
        return level[:, self.columns].reshape(level.shape[0], *self.shape) / self.volumes


class Measures:
    """The measures of a `Game`, from its arrays."""

    problem: Any
    grid: Space
    cells: int
    steps: int
    dt: float
    width: int
    weights: np.ndarray
    shares: np.ndarray | None
    end: float
    terminal_cost: np.ndarray
    blocks: list[Block]
    terminal_block: Block | None

    def flat(self, levels: np.ndarray) -> np.ndarray:
        """The same levels as rows."""
        return levels.reshape(levels.shape[0], -1)

    @cached_property
    def open_cells(self) -> np.ndarray:
        """Where agents may be, (1, populations, cells of each)."""
        return ~self.grid.mask.reshape(1, self.grid.populations, -1)

    def weighed(self, field: np.ndarray, levels: slice) -> np.ndarray:
        """A field (levels, ...) of costs per unit time, each level times the share of its node; see `Crowd`."""
        if self.shares is None:
            return field
        return np.asarray(field * self.shares[levels].reshape((-1,) + (1,) * (field.ndim - 1)))

    def unweighed(self, field: np.ndarray, levels: slice) -> np.ndarray:
        """The inverse of `weighed`: costs as they are at their own time, comparable from level to level."""
        if self.shares is None:
            return field
        return np.asarray(field / self.shares[levels].reshape((-1,) + (1,) * (field.ndim - 1)))

    def crowd_totals(self, price: np.ndarray, crowd: np.ndarray) -> Totals:
        """sum_t weight_t <price_t, crowd_t>, over states; finite games add what choices cost."""
        prices, masses = self.flat(price), self.flat(crowd)
        if self.grid.populations == 1 and self.width == self.cells:
            return Totals(*vectors.crowd_totals(self.weights, prices, masses, self._shut))
        cells = self.cells // self.grid.populations
        result = np.zeros(3)
        for p in range(self.grid.populations):
            own = slice(p * cells, (p + 1) * cells)
            rows = (np.ascontiguousarray(levels[:, own]) for levels in (prices, masses))
            result += vectors.crowd_totals(self.weights, *rows, self._shut[own])
        return Totals(*map(float, result))

    @cached_property
    def _shut(self) -> np.ndarray:
        return np.where(self.grid.mask.reshape(-1), np.inf, 0.0)

    def crowd_effect(self, crowd: np.ndarray, spare: np.ndarray | None = None) -> float:
        """sum_t weight_t <|f_t(m) - f_t(w m)|, m_t>: how much of what all pay is the crowd's doing.

        w is a fixed pattern between 1/2 and 1, (1 + frac(golden ratio times the number of the cell)) / 2.  A yardstick
        that no constant reaches, and that does not vanish where costs do; measured at some 32 nodes where there are
        more; 0 where it is not finite.  ``spare`` (the shape of ``crowd``) is overwritten.
        """
        flat, total = self.flat(crowd), 0.0
        room = np.empty(self._most) if spare is None else spare.reshape(-1)
        with np.errstate(all="ignore"):
            for block, times, levels, weight in self._samples:
                done = 0
                few = self.steps if any(each.sees_history for each in block.bound.parts) else FEW
                for part in _parts(times, levels, few):
                    paid = self._effect(block, *part, flat)
                    room[done : done + paid.size] = paid.reshape(-1)
                    done += paid.size
                total += weight * float(room[:done].sum())
        return total if math.isfinite(total) else 0.0

    def _effect(self, block: Block, times: slice, levels: slice, flat: np.ndarray) -> np.ndarray:
        """|f_t(m) - f_t(w m)| m_t of those levels, each times the share of its node."""
        here = flat[levels]
        there = block.bound.cost(times, block.density(here * self._pattern))
        paid = np.asarray(block.bound.cost(times, block.density(here)) - there).reshape(len(here), -1)
        np.abs(paid, out=paid)
        paid *= np.abs(here[:, block.columns])
        return paid * self.end if block is self.terminal_block else self.weighed(paid, levels)

    @cached_property
    def _samples(self) -> list[tuple[Block, slice, slice, float]]:
        """Where the effect of the crowd is measured: couplings, their nodes, the levels, and what each counts."""
        stride = -(-self.steps // SAMPLES)
        nodes = slice(0, self.steps, stride)
        each = self.dt * self.steps / len(range(0, self.steps, stride))
        parts = []
        for block in self.blocks:
            if any(part.sees_history for part in block.bound.parts):
                parts.append((block, slice(0, self.steps), slice(0, self.steps), self.dt))
            else:
                parts.append((block, nodes, nodes, each))
        if self.terminal_block is not None:
            parts.append((self.terminal_block, slice(0, 1), slice(self.steps, self.steps + 1), 1.0))
        return parts

    @cached_property
    def _most(self) -> int:
        """Numbers in the largest sample."""
        return max(
            (len(range(levels.stop)[levels]) * len(range(self.width)[block.columns])
             for block, _, levels, _ in self._samples),
            default=0,
        )  # fmt: skip

    @cached_property
    def _pattern(self) -> np.ndarray:
        return 0.5 + 0.5 * (np.arange(1, self.width + 1) * GOLDEN % 1.0)

    def terminal_totals(self, crowd: np.ndarray) -> Totals:
        """<g, m_T>."""
        return Totals(*(self._terminal_rows * self.flat(crowd)[-1, : self.cells]).sum(axis=1).tolist())

    @cached_property
    def _terminal_rows(self) -> np.ndarray:
        """g, g less its least value and |g|, (3, cells)."""
        cost = self.terminal_cost.reshape(-1)
        least = least_allowed(cost.reshape(1, *self.open_cells.shape), self.open_cells)
        above = (cost.reshape(self.grid.populations, -1) - least.reshape(-1, 1)).reshape(-1)
        return np.stack([cost, above, np.abs(cost)])

    def terminal_total(self, crowd: np.ndarray) -> float:
        """<g, m_T>."""
        return float((self.terminal_cost.reshape(-1) * self.flat(crowd)[-1, : self.cells]).sum())

    def mass_error(self, crowd: np.ndarray) -> float:
        """Largest deviation of the mass of a population from its own, which need not be 1."""
        mass = self.flat(crowd)[:, : self.cells].reshape(crowd.shape[0], self.grid.populations, -1)
        return float(np.abs(mass.sum(axis=2) - np.asarray(self.grid.masses)).max())

    def bounds(self) -> list[tuple[Block, slice, np.ndarray, np.ndarray]]:
        """Hard constraints: block, the levels they hold at, and the lowest and highest of what the coupling sees."""
        result = []
        for block in self.blocks:
            nodes = slice(0, self.steps)
            limits = block.bound.bounds(nodes)
            if limits is not None:
                result.append((block, nodes, *_full(limits, self.steps, block.shape)))
        if self.terminal_block is not None:
            limits = self.terminal_block.bound.bounds(slice(0, 1))
            if limits is not None:
                last = slice(self.steps, self.steps + 1)
                result.append((self.terminal_block, last, *_full(limits, 1, self.terminal_block.shape)))
        return result

    def violation(self, crowd: np.ndarray) -> float:
        """Largest excess over a hard bound, relative to its size (1 if that is smaller); 0 where nothing is capped."""
        worst, flat = 0.0, self.flat(crowd)
        for block, levels, lower, upper in self.bounds():
            seen = block.density(flat[levels])
            for excess, limit in ((lower - seen, lower), (seen - upper, upper)):
                finite = np.isfinite(limit)
                if finite.any():
                    worst = max(worst, float((excess[finite] / np.maximum(np.abs(limit[finite]), 1.0)).max()))
        return worst

    @cached_property
    def final_mass(self) -> np.ndarray | None:
        """Mass (cells) that is to be reached at the horizon; None where the final density is free."""
        if self.terminal_block is None or not _is_target(self.terminal_block):
            return None
        block = self.terminal_block
        (upper,) = (part.bounds(slice(0, 1))[1] for part in block.bound.parts if part.is_target)  # type: ignore[index]
        return np.asarray((upper[0] * block.volumes).reshape(-1))

    @property
    def has_caps(self) -> bool:
        """Whether densities have hard bounds beside a final one that is given."""
        return any(
            part.bounds(slice(0, 1)) is not None and not part.is_target
            for block in (*self.blocks, *([] if self.terminal_block is None else [self.terminal_block]))
            if block.on == "state"
            for part in block.bound.parts
        )

    def final_distance(self, crowd: np.ndarray) -> float:
        """Total variation of m_T - target, sum |m_T - target| / 2; NaN where the final density is free."""
        target = self.final_mass
        if target is None:
            return math.nan
        return 0.5 * float(np.abs(self.flat(crowd)[-1, : self.cells] - target).sum())

    def final_gap(self, multiplier: np.ndarray, crowd: np.ndarray) -> float:
        """weight_T <multiplier_T, target - m_T>: what the price of a final density pays for being missed."""
        target = self.final_mass
        if target is None:
            return 0.0
        missed = target - self.flat(crowd)[-1, : self.cells]
        return float(self.weights[-1] * (self.flat(multiplier)[-1, : self.cells] * missed).sum())

    def balanced(self, multiplier: np.ndarray) -> np.ndarray:
        """The same multiplier (shape of a price), whose last level has mean 0 over a final density that is given."""
        target = self.final_mass
        if target is None:
            return multiplier
        result = multiplier.copy()
        last, by_population = self.flat(result)[-1, : self.cells], (self.grid.populations, -1)
        means = (last * target).reshape(by_population).sum(axis=1, keepdims=True)
        means /= np.asarray(self.grid.masses)[:, None]
        last -= np.broadcast_to(means, target.reshape(by_population).shape).reshape(-1)
        return result

    def slack_cost(self, multiplier: np.ndarray, crowd: np.ndarray) -> float:
        """sum_t weight_t (sup of <multiplier, crowd> over the bounds - <multiplier, crowd>) >= 0 for a feasible crowd.

        A final density that is given is no part of it.  ``multiplier`` has the shape of a price; positive parts belong
        to upper bounds, negative ones to lower bounds.
        """
        total, flat, price = 0.0, self.flat(crowd), self.flat(multiplier)
        for block, levels, lower, upper in self.bounds():
            if _is_target(block):
                continue
            size = (levels.stop - levels.start, -1)
            pay = price[levels, block.columns].reshape(size[0], *block.shape) * block.volumes
            limit = np.where(pay > 0, upper, lower)
            seen = block.density(flat[levels])
            gap = np.where(pay == 0, 0.0, pay * (np.where(pay == 0, 0.0, limit) - seen))
            total += float((self.weights[levels] * gap.reshape(size).sum(axis=1)).sum())
        return total


def _is_target(block: Block) -> bool:
    return any(part.is_target for part in block.bound.parts)


def _full(limits: tuple[np.ndarray, np.ndarray], levels: int, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    low, high = (np.broadcast_to(limit, (levels, *shape)) for limit in limits)
    return low, high


def _parts(times: slice, levels: slice, few: int) -> Iterator[tuple[slice, slice]]:
    """Times and levels of a sample, a few at a time, so that temporaries are small."""
    stride = times.step or 1
    for k in range(0, times.stop - times.start, few * stride):
        first, second = (slice(s.start + k, min(s.start + k + few * stride, s.stop), s.step) for s in (times, levels))
        yield first, second
