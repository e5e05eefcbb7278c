"""Economies of the tests: those of Achdou et al. (2022), on any points of wealth, and small ones."""

from __future__ import annotations

from typing import Any

import numpy as np

import mfgsolve as mfg

HUGGETT = 0.03609950634306  # price of the continuum
HUGGETT_CHAINS = {500: 0.031916582659, 1000: 0.033934833707, 2000: 0.034994572274, 4000: 0.035539587565}


def huggett(points: int = 120, exponent: float = 1.0, **market: Any) -> mfg.Economy:
    wealth = mfg.Wealth.power(-0.15, 5.0, points, exponent)
    income = mfg.Income([0.1, 0.2], rates=[1.2, 1.2])
    households = mfg.Households(wealth, income, mfg.CRRA(2), discount_rate=0.05)
    return mfg.Economy(households, mfg.Market(**market), name="huggett")


def aiyagari(points: int = 120, exponent: float = 2.0, **market: Any) -> mfg.Economy:
    wealth = mfg.Wealth.power(0.0, 20.0, points, exponent)
    income = mfg.Income([1.0, 2.0], rates=[1 / 3, 1 / 3])
    households = mfg.Households(wealth, income, mfg.CRRA(2), discount_rate=0.05)
    firm = mfg.Firm(mfg.CobbDouglas(share=1 / 3, productivity=0.1), depreciation=0.05)
    return mfg.Economy(households, mfg.Market(**market), firm, name="aiyagari")


def three_incomes(points: int = 40, gamma: float = 2.0) -> mfg.Households:
    """Uneven points, and incomes that lead to each other in a circle."""
    rates = [[0.0, 0.4, 0.1], [0.2, 0.0, 0.5], [0.6, 0.3, 0.0]]
    levels = mfg.Wealth(-0.3 + 3.0 * np.linspace(0, 1, points) ** 1.5)
    return mfg.Households(levels, mfg.Income([0.2, 0.35, 0.5], rates=rates), mfg.CRRA(gamma), discount_rate=0.08)


def dense(households: mfg.Households, saving: np.ndarray) -> np.ndarray:
    """The generator of a plan as a matrix, entry by entry, states in the order (income, wealth)."""
    incomes, points = households.shape
    a, rates = households.wealth.points, households.income.matrix
    matrix = np.zeros((incomes, points, incomes, points))
    for j in range(incomes):
        for i in range(points):
            s = saving[j, i]
            if s > 0:
                matrix[j, i, j, i + 1] += s / (a[i + 1] - a[i])
            if s < 0:
                matrix[j, i, j, i - 1] += -s / (a[i] - a[i - 1])
            for k in range(incomes):
                if k != j:
                    matrix[j, i, k, i] += rates[j, k]
    flat = matrix.reshape(incomes * points, -1)
    return flat - np.diag(flat.sum(axis=1))
