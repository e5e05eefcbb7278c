"""Local couplings f(x, rho(x)): congestion of a reward, crowd aversion, logarithm, a cost the crowd leaves alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mfgsolve.couplings.base import Bound, Coupling, levels_at, nonnegative, target, total
from mfgsolve.errors import InputError, real
from mfgsolve.fields import Field, own_field, sample_nodes
from mfgsolve.spaces import Space, Volumes

__all__ = ["Congestion", "CrowdAversion", "LogCongestion", "RunningCost"]


@dataclass(frozen=True, eq=False)
class Congestion(Coupling):
    """Shared reward: f = -r / (1 + c rho), F = -(r/c) log(1 + c rho).

    Parameters
    ----------
    reward : r(t, X) >= 0, reward per unit time
    congestion : c > 0, volume
    on : "state", or "occupation" where agents crowd each other only if they choose the same
    """

    reward: Field
    congestion: float = 1.0
    on: str = "state"
    is_smooth = True

    def __post_init__(self) -> None:
        target(self.on, "congestion")
        object.__setattr__(self, "reward", own_field(self.reward, "congestion reward"))
        real(self.congestion, "congestion")
        if not (math.isfinite(self.congestion) and self.congestion > 0):
            raise InputError(f"congestion is {self.congestion}; it must be positive (use RunningCost for no crowding)")

    def bind(self, grid: Space, times: np.ndarray) -> Bound:
        reward = nonnegative(sample_nodes(self.reward, times, grid, "congestion reward"), "congestion reward")
        return _BoundCongestion(np.negative(reward, out=reward), self.congestion, grid.volumes)


@dataclass(frozen=True, eq=False)
class _BoundCongestion(Bound):
    loss: np.ndarray  # -r
    congestion: float
    volumes: Volumes

    @property
    def is_fused(self) -> bool:  # type: ignore[override]
        return not isinstance(self.volumes, np.ndarray)

    def fused(
        self, nodes: slice, mass: np.ndarray, cost: np.ndarray | None = None, slope: np.ndarray | None = None,
        factors: np.ndarray | None = None, weights: np.ndarray | None = None,
    ) -> float:  # fmt: skip
        from mfgsolve.kernels.congestion import congestion  # to state a problem takes no compiler

        none, nothing = np.empty((0, mass.shape[1])), np.empty(0)
        cost, slope = (none if levels is None else levels for levels in (cost, slope))
        factors, weights = (nothing if numbers is None else numbers for numbers in (factors, weights))
        loss = levels_at(self.loss, nodes)
        rows = loss.reshape(len(loss), -1)
        volume, rate = float(self.volumes), float(self.congestion)
        return float(congestion(mass, rows, cost, slope, factors, weights, volume, rate)) * volume / rate

    def _crowd(self, rho: np.ndarray) -> np.ndarray:
        crowd = rho * self.congestion
        crowd += 1.0
        return crowd

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        crowd = self._crowd(rho)
        return np.divide(levels_at(self.loss, nodes), crowd, out=crowd)

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        gain = np.log1p(self.congestion * rho)
        gain *= levels_at(self.loss, nodes)
        return total(gain, self.volumes / self.congestion)

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        crowd = self._crowd(rho)
        np.multiply(crowd, crowd, out=crowd)
        np.divide(-self.congestion, crowd, out=crowd)
        crowd *= levels_at(self.loss, nodes)
        return crowd

    def second(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.asarray(2 * self.congestion**2 * levels_at(self.loss, nodes) / self._crowd(rho) ** 3)


@dataclass(frozen=True, eq=False)
class CrowdAversion(Coupling):
    """f = strength rho^power, F = strength rho^(power+1) / (power+1); power 1 is the linear one."""

    strength: Field = 1.0
    power: float = 1.0
    on: str = "state"
    is_smooth = True

    def __post_init__(self) -> None:
        target(self.on, "crowd aversion")
        object.__setattr__(self, "strength", own_field(self.strength, "crowd aversion strength"))
        real(self.power, "power of the crowd aversion")
        if not (math.isfinite(self.power) and self.power > 0):
            raise InputError(f"crowd aversion has power {self.power}; it must be positive")
        object.__setattr__(self, "is_steep", self.power < 1)

    def bind(self, grid: Space, times: np.ndarray) -> Bound:
        strength = nonnegative(sample_nodes(self.strength, times, grid, "crowd aversion"), "crowd aversion strength")
        return _BoundPower(strength, self.power, grid.volumes)


@dataclass(frozen=True, eq=False)
class _BoundPower(Bound):
    strength: np.ndarray
    power: float
    volumes: Volumes

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.asarray(levels_at(self.strength, nodes) * (rho if self.power == 1 else rho**self.power))

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        p = self.power + 1
        return total(levels_at(self.strength, nodes) * (rho**p / p), self.volumes)

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        if self.power == 1:
            return np.broadcast_to(levels_at(self.strength, nodes), rho.shape)
        slope = np.zeros_like(rho)  # and 0 where nobody is: for powers below 1 the slope there is infinite
        np.power(rho, self.power - 1, out=slope, where=rho > 0)
        return np.asarray(levels_at(self.strength, nodes) * (self.power * slope))

    def second(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        p, out = self.power, np.zeros_like(rho)
        if p != 1:
            np.power(rho, p - 2, out=out, where=rho > 0)
        return np.asarray(levels_at(self.strength, nodes) * (p * (p - 1) * out))

    def cost_among(self, nodes: slice, rho: np.ndarray, agents: int) -> np.ndarray | None:
        """From mean and variance of (1 + B) / (agents volume), B binomial."""
        if self.power not in (1, 2):
            return None
        others = 1.0 / self.volumes - rho  # what being here oneself adds to the mean, times agents
        seen = rho + others / agents
        if self.power == 2:
            seen = seen**2 + (agents - 1) / agents**2 * rho * others
        return np.asarray(levels_at(self.strength, nodes) * seen)


@dataclass(frozen=True, eq=False)
class LogCongestion(Coupling):
    """f = strength log(max(rho + shift, floor)), F its integral; ``floor`` keeps empty cells finite, by definition."""

    strength: float = 1.0
    floor: float = 1e-12
    shift: float = 0.0
    on: str = "state"
    is_steep = True

    def __post_init__(self) -> None:
        target(self.on, "log congestion")
        if not (math.isfinite(real(self.shift, "shift of the log congestion")) and self.shift >= 0):
            raise InputError(f"log congestion has shift {self.shift}; it must be zero or positive")
        real(self.strength, "strength of the log congestion")
        real(self.floor, "floor of the log congestion")
        if not (math.isfinite(self.strength) and self.strength >= 0):
            raise InputError(f"log congestion has strength {self.strength}; it must be zero or positive")
        if not (math.isfinite(self.floor) and self.floor > 1e-300):
            raise InputError(f"log congestion has floor {self.floor}; it must be positive")

    def bind(self, grid: Space, times: np.ndarray) -> Bound:
        return _BoundLog(self.strength, self.floor, self.shift, grid.volumes)


@dataclass(frozen=True, eq=False)
class _BoundLog(Bound):
    strength: float
    floor: float
    shift: float
    volumes: Volumes

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.asarray(self.strength * np.log(np.maximum(rho + self.shift, self.floor)))

    def _integral(self, x: np.ndarray) -> np.ndarray:
        a, log, there = self.floor, *self._at_floor  # below the floor x log a
        above = np.maximum(x, a)  # above it a log a + [r log r - r] from a to x
        return np.asarray(np.minimum(x, a) * log + (above * np.log(above) - above) - there)

    @cached_property
    def _at_floor(self) -> tuple[float, float]:
        """log a, and a log a - a."""
        log = float(np.log(self.floor))
        return log, self.floor * log - self.floor

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return total(self.strength * (self._integral(rho + self.shift) - self._empty), self.volumes)

    @cached_property
    def _empty(self) -> np.ndarray:
        return self._integral(np.array(self.shift))

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        x = rho + self.shift
        return np.where(x > self.floor, self.strength / np.maximum(x, self.floor), 0.0)

    def second(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        x = rho + self.shift
        return np.where(x > self.floor, -self.strength / np.maximum(x, self.floor) ** 2, 0.0)


@dataclass(frozen=True, eq=False)
class RunningCost(Coupling):
    """f = cost(t, X) whatever the crowd does: obstacles, prices, wells; F = cost rho."""

    cost: Field
    on: str = "state"
    is_constant = True

    def __post_init__(self) -> None:
        target(self.on, "running cost")
        object.__setattr__(self, "cost", own_field(self.cost, "running cost"))

    def bind(self, grid: Space, times: np.ndarray) -> Bound:
        return _BoundRunning(sample_nodes(self.cost, times, grid, "running cost"), grid.volumes)


@dataclass(frozen=True, eq=False)
class _BoundRunning(Bound):
    field: np.ndarray
    volumes: Volumes

    def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.broadcast_to(levels_at(self.field, nodes), rho.shape)

    def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return total(levels_at(self.field, nodes) * rho, self.volumes)

    def slope(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.zeros_like(rho)

    def second(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
        return np.zeros_like(rho)

    def cost_among(self, nodes: slice, rho: np.ndarray, agents: int) -> np.ndarray:
        return self.cost(nodes, rho)

    def lowered(self, lower: Callable[[np.ndarray], np.ndarray]) -> Bound:
        return _BoundRunning(lower(self.field), self.volumes)
