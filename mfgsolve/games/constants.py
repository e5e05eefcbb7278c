"""Costs that everybody pays whatever all do: they decide nothing, and are kept apart from what does.

A constant added to all costs of a time step changes no best response.  Left in the arrays it does harm all the same:
beside a constant of 1e9 a difference of costs has seven digits, not sixteen.  A game of a `Levelled` problem has it
taken out of its own costs, of the running costs and of the terminal cost (each is lowered by its least value over what
is allowed, population by population), and says here what was taken.  Costs, potentials and values that are told to
anybody have it put back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["Constants"]


@dataclass
class Constants:
    """What was taken out, in the units of the arrays it was taken from; zeros where nothing was.

    Attributes
    ----------
    own : (T, populations), of the own costs of a step
    state, choice : (T+1, populations), of the crowd costs per unit time, on states and on choices
    terminal : (populations,)
    weights : (T+1,) of the nodes
    masses : (populations,), by which what all agents pay is summed up

    Sums are taken when they are first asked for, after all has been taken out.
    """

    own: np.ndarray
    state: np.ndarray
    choice: np.ndarray
    terminal: np.ndarray
    weights: np.ndarray
    masses: np.ndarray

    @classmethod
    def none(cls, weights: np.ndarray, masses: Sequence[float]) -> Constants:
        levels, populations = len(weights), len(masses)
        own, state, choice = (np.zeros((n, populations)) for n in (levels - 1, levels, levels))
        return cls(own, state, choice, np.zeros(populations), weights, np.array(masses))

    @cached_property
    def own_total(self) -> float:
        return float((self.own @ self.masses).sum())

    @cached_property
    def running_total(self) -> float:
        return float(self.weights @ ((self.state + self.choice) @ self.masses))

    @cached_property
    def terminal_total(self) -> float:
        return float(self.terminal @ self.masses)

    @cached_property
    def total(self) -> float:
        """What all agents pay of it over the whole time."""
        return self.own_total + self.terminal_total + self.running_total

    def ahead(self) -> np.ndarray:
        """What an agent pays of it from each node on, (T+1, populations)."""
        paid = self.weights[:, None] * (self.state + self.choice)
        paid[:-1] += self.own
        paid[-1] += self.terminal
        return np.cumsum(paid[::-1], axis=0)[::-1]
