"""What the crowd does to an agent in somebody else's game, found out by asking its reward function.

A peer's reward is an opaque function of the distribution.  Asked at a few dozen distributions, most of those in use
turn out to have the form

    f_t(x, m) = k_t(x) + c_t(x) log(m(x) + eps) + sum_y B_t(x, y) m(y),

which is then verified at others and used in closed form: exact, differentiable, with a potential where B is diagonal.
What does not have it becomes a `CustomCoupling` that keeps asking.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq

from mfgsolve.couplings import Coupling, CustomCoupling, Interaction, LogCongestion
from mfgsolve.errors import InputError
from mfgsolve.interop.closedforms import CrowdLogarithm, Linear

__all__ = ["Found", "crowds", "is_local", "state_coupling"]

Ask = Callable[[int, np.ndarray], np.ndarray]  # (level, mass (S,)) -> cost (S,)
Change = Callable[[int, np.ndarray, np.ndarray], np.ndarray]  # (level, mass, change of mass) -> change of cost

AGREE = 1e-11  # relative to the largest cost seen: what counts as the same number


class Found(NamedTuple):
    """A coupling, and what remains: the cost of a state at a level that the crowd does not change (levels, S).

    ``asked`` says, for a sentence "rewards of this game ...", why the peer is asked in every sweep; empty where it is
    not.
    """

    coupling: Coupling | None
    constant: np.ndarray
    asked: str = ""


# -- asking ----------------------------------------------------------------------------------------------------------


class _Form(NamedTuple):
    """k + c log(m + floor) + B m at one level; ``clamped`` has max(m, floor) in place of the sum."""

    constant: np.ndarray
    strength: np.ndarray
    floor: float
    clamped: bool
    matrix: np.ndarray  # (S,) where it is diagonal, (S, S) else

    def logarithm(self, mass: np.ndarray) -> np.ndarray:
        return _logarithm(mass, self.floor, self.clamped)

    def restricted(self, states: np.ndarray, inside: np.ndarray) -> _Form | None:
        """The same on some of its states, or None where others are asked for."""
        if not np.isin(inside, states).all():
            return None
        at = np.searchsorted(states, inside)
        matrix = self.matrix[at] if self.matrix.ndim == 1 else self.matrix[np.ix_(at, at)]
        return self._replace(constant=self.constant[at], strength=self.strength[at], matrix=matrix)

    def __call__(self, mass: np.ndarray) -> np.ndarray:
        linear = self.matrix * mass if self.matrix.ndim == 1 else self.matrix @ mass
        return np.asarray(self.constant + self.strength * self.logarithm(mass) + linear)


def _logarithm(mass: np.ndarray, floor: float, clamped: bool) -> np.ndarray:
    return np.asarray(np.log(np.maximum(mass, floor) if clamped else mass + floor))


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    scale = max(1.0, float(np.abs(a).max(initial=0.0)), float(np.abs(b).max(initial=0.0)))
    return bool(np.abs(a - b).max(initial=0.0) <= AGREE * scale)  # a NaN is no agreement


def crowds(size: int, count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Random distributions over ``size`` states, smooth and spiky in turn."""
    return [rng.dirichlet(np.full(size, 1.0 if k % 2 == 0 else 0.2)) + 0.0 for k in range(count)]


def is_local(ask: Callable[[np.ndarray], np.ndarray], size: int, rng: np.random.Generator) -> bool:
    """Whether the cost of a state follows from the mass of that state alone.

    The masses of some states change and the costs of the others must not; the binary digits of the numbers of the
    states choose which, so that any two are told apart once.
    """
    number, mass = np.arange(size), crowds(size, 1, rng)[0]
    cost = ask(mass)
    for digit in range(max(1, (size - 1).bit_length())):
        fixed = (number >> digit) & 1 == 0
        for keep in (fixed, ~fixed):
            if not _same(cost[keep], ask(np.where(keep, mass, mass * rng.uniform(0.2, 0.8, size)))[keep]):
                return False
    return True


def _fit(
    ask: Callable[[np.ndarray], np.ndarray], size: int, rng: np.random.Generator, guess: _Form | None
) -> _Form | None:
    """The closed form of one level, or None where the answers do not have it; ``guess`` is that of another level."""
    zero = np.zeros(size)
    tests = crowds(size, 4, rng)
    tests.append(tests[0] * 10.0 ** rng.uniform(-20, 0, size))  # densities of all sizes
    if guess is not None and all(_same(guess(mass), ask(mass)) for mass in (*tests, zero)):
        return guess
    first = ask(tests[0])
    if all(_same(first, ask(mass)) for mass in tests[1:]):
        return _Form(first, zero, 1.0, False, zero)
    try:
        with np.errstate(all="ignore"):
            form = _fit_rows(ask, size)
    except InputError:  # a peer that takes distributions alone
        return None
    if form is None:
        return None
    if not is_local(ask, size, rng):
        empty = ask(zero) - form.strength * form.logarithm(zero)
        columns = [ask(unit) - form.strength * form.logarithm(unit) - empty for unit in np.eye(size)]
        form = form._replace(matrix=np.stack(columns, axis=1), constant=empty)
    return form if all(_same(form(mass), ask(mass)) for mass in (*tests, *np.eye(size)[:3])) else None


def _fit_rows(ask: Callable[[np.ndarray], np.ndarray], size: int) -> _Form | None:
    """k, c, eps and the row sums of B from crowds that are the same everywhere."""

    def at(mass: float) -> np.ndarray:
        return ask(np.full(size, mass))

    nothing, quarter, half, whole = (at(m) for m in (0.0, 0.25, 0.5, 1.0))
    scale = max(1.0, float(np.abs(whole).max()))
    if not all(np.isfinite(v).all() for v in (nothing, quarter, half, whole)):
        return None
    # (whole - half) - 2 (half - quarter) has no k and no b
    bend = (whole - half) - 2 * (half - quarter)
    bend[np.abs(bend) < 1e-9 * scale] = 0.0
    main = int(np.argmax(np.abs(bend)))

    def form(floor: float, clamped: bool) -> _Form:
        low, middle, top = (_logarithm(np.array(m), floor, clamped) for m in (0.25, 0.5, 1.0))
        strength = bend / ((top - middle) - 2 * (middle - low)) if bend.any() else bend
        slope = 2 * (whole - half - strength * (top - middle))
        slope[np.abs(slope) < 1e-12 * scale] = 0.0
        return _Form(whole - strength * top - slope, strength, floor, clamped, slope)

    if not bend.any():
        return form(1.0, False)

    def missing(exponent: float) -> float:
        """What a floor leaves unexplained of the cost of an empty state."""
        guess = form(float(np.exp(exponent)), False)
        return float(guess.constant[main] + guess.strength[main] * exponent - nothing[main])

    def agrees(guess: _Form) -> bool:
        probes = (0.0, 0.5 * guess.floor, guess.floor, 3.0 * guess.floor, 1e-12, 1e-6, 1e-3, 0.1)
        return all(_same(guess(np.full(size, m)), at(m)) for m in probes)

    # floors of (m + eps), between two of a ladder where the sign changes
    rungs = np.linspace(np.log(1e-300), np.log(100.0), 140)
    left = [missing(e) for e in rungs]
    for (low, one), (high, other) in pairwise(zip(rungs, left, strict=True)):
        if one == 0 or one * other < 0:
            exponent = brentq(missing, low, high, xtol=1e-15, rtol=1e-15) if one else low
            guess = form(float(np.exp(exponent)), False)
            plain = guess._replace(  # without a linear part, which may be nothing but round-off
                constant=whole - guess.strength * guess.logarithm(np.array(1.0)), matrix=np.zeros(size)
            )
            for candidate in (plain, guess):
                if agrees(candidate):
                    return candidate
    sharp = form(1e-300, True)  # floors of max(m, eps), which tell nothing above themselves
    guess = form(float(np.exp((nothing[main] - sharp.constant[main]) / sharp.strength[main])), True)
    return guess if 0 < guess.floor < 0.25 and agrees(guess) else None


# -- from answers to couplings ---------------------------------------------------------------------------------------


def state_coupling(
    ask: Ask, levels: Sequence[int], size: int, *, reached: Sequence[np.ndarray] | None = None,
    change: Change | None = None, initial: np.ndarray | None = None, seed: int = 0,
) -> Found:  # fmt: skip
    """A coupling on states from answers (level, mass) -> cost, in closed form where they have one.

    Parameters
    ----------
    ask : cost of every state; it must answer for any array of masses, also one that does not sum to 1
    levels : nodes in time at which the crowd may count; at all others, up to the last of them, it does not
    size : number of states S
    reached : boolean (S,) for each level, False where nobody can be; None is everywhere
    change : derivative of ``ask``; None takes differences for general couplings, where they can be trusted
    initial : mass at level 0, where a linear interaction is taken back if level 0 is not among the levels
    seed : of the distributions asked about
    """
    rng, count = np.random.default_rng(seed), max(levels, default=0) + 2
    constant, strength, diagonal = (np.zeros((count, size)) for _ in range(3))
    logs: set[tuple[float, bool]] = set()
    matrix: np.ndarray | None = None
    form: _Form | None = None
    last = np.zeros(0, dtype=int)
    for k, t in reversed(list(enumerate(levels))):  # the last level is that where most states are reached
        inside = np.flatnonzero(reached[k]) if reached is not None else np.arange(size)

        def within(mass: np.ndarray, t: int = t, inside: np.ndarray = inside) -> np.ndarray:
            everywhere = np.zeros(size)
            everywhere[inside] = mass
            return ask(t, everywhere)[inside]

        form = _fit(within, len(inside), rng, form and form.restricted(last, inside))
        if form is None:
            return _general(ask, change, levels, size, rng, constant.shape)
        last = inside
        constant[t, inside], strength[t, inside] = form.constant, form.strength
        if form.strength.any():
            logs.add((float(f"{form.floor:.9e}"), form.clamped))
        if form.matrix.ndim == 1:
            diagonal[t, inside] = form.matrix
            continue
        full = np.zeros((size, size))
        full[np.ix_(inside, inside)] = form.matrix
        if matrix is None:
            matrix = full
        unknown_yet = (matrix == 0) & (full != 0)
        matrix = np.where(unknown_yet, full, matrix)
        if not _same(matrix[np.ix_(inside, inside)], form.matrix):
            return _general(ask, change, levels, size, rng, constant.shape)
    terms = _terms(strength, logs, diagonal, matrix, levels)
    if terms is None:
        return _general(ask, change, levels, size, rng, constant.shape)
    if matrix is not None and 0 not in levels:
        constant[0] = -(matrix @ (initial if initial is not None else np.zeros(size)))
    coupling: Coupling | None = None
    for term in terms:
        coupling = term if coupling is None else coupling + term
    return Found(coupling, constant)


def _terms(
    strength: np.ndarray, logs: set[tuple[float, bool]], diagonal: np.ndarray, matrix: np.ndarray | None,
    levels: Sequence[int],
) -> list[Coupling] | None:  # fmt: skip
    if len(logs) > 1:
        return None
    terms: list[Coupling] = []
    for floor, clamped in logs:
        if not clamped:
            terms.append(CrowdLogarithm(strength, floor))
        elif np.ptp(strength[list(levels)]) <= 1e-12 * strength.max() and min(levels) == 0:
            terms.append(LogCongestion(float(strength.max()), floor))
        else:
            return None
    if matrix is None:
        if diagonal.any():
            terms.append(Linear(diagonal))
    elif np.ptp(diagonal[list(levels)], axis=0).any():
        return None
    else:
        terms.append(Interaction(matrix + np.diag(diagonal[levels[0]])))
    return terms


def _general(
    ask: Ask, change: Change | None, levels: Sequence[int], size: int, rng: np.random.Generator, shape: tuple[int, ...]
) -> Found:
    """A coupling that keeps asking; with a potential by quadrature where it is local."""
    known, exact = set(levels), change is not None
    local = all(is_local(lambda m, t=t: ask(t, m), size, rng) for t in levels)  # type: ignore[misc]
    if change is None:
        change = _differences(ask, levels, size, rng)
    asked = "have no closed form that is known here, and are asked for in every sweep; " + (
        "their derivative is exact"
        if exact
        else "their derivative is by differences"
        if change is not None
        else "they have no derivative (differences disagree): solvers that need one refuse"
    )

    def at(t: float, rho: np.ndarray, function: Callable[..., np.ndarray], *rest: np.ndarray) -> Any:
        level = round(t)
        if level not in known:
            return 0.0
        return function(level, rho.reshape(-1), *(r.reshape(-1) for r in rest)).reshape(rho.shape)

    if not local:
        tangent = None if change is None else (lambda t, c, rho, d: at(t, rho, change, d))
        return Found(CustomCoupling(lambda t, c, rho: at(t, rho, ask), tangent=tangent), np.zeros(shape), asked)
    points, weights = np.polynomial.legendre.leggauss(24)

    def potential(level: int, mass: np.ndarray) -> np.ndarray:
        """F(m) = int_0^m f(u) du, by Gauss-Legendre."""
        parts = [w * ask(level, mass * (0.5 + 0.5 * p)) for p, w in zip(points, weights, strict=True)]
        return np.asarray(0.5 * mass * sum(parts))

    masses = np.linspace(0.01, 1, 12)
    try:
        told = [[ask(t, np.full(size, m)) for m in masses] for t in levels]
        rising = all((more >= less).all() for costs in told for less, more in pairwise(costs))
    except InputError:
        rising = False
    coupling = CustomCoupling(
        lambda t, c, rho: at(t, rho, ask),
        potential=lambda t, c, rho: at(t, rho, potential),
        derivative=None if change is None else (lambda t, c, rho: at(t, rho, change, np.ones_like(rho))),
        monotone=rising,
    )
    return Found(coupling, np.zeros(shape), asked)


STEP = 1e-5  # of a difference quotient, mass


def _differences(ask: Ask, levels: Sequence[int], size: int, rng: np.random.Generator) -> Change | None:
    """A derivative of ``ask`` by central differences; None where two steps disagree at random crowds.

    f'(m) d = [f(m + h d) - f(m - h d)] / 2h + O(h^2), with h |d| = 1e-5.
    """

    def change(t: int, mass: np.ndarray, direction: np.ndarray, step: float = STEP) -> np.ndarray:
        h = step / max(float(np.abs(direction).max(initial=0.0)), 1e-300)
        return np.asarray((ask(t, mass + h * direction) - ask(t, mass - h * direction)) / (2 * h))

    for t in levels:
        for mass in crowds(size, 2, rng):
            direction = rng.dirichlet(np.ones(size)) - mass
            try:
                fine, coarse = (change(t, mass, direction, step) for step in (STEP, 3 * STEP))
            except InputError:  # no such crowd to the peer
                return None
            scale = max(1e-6, float(np.abs(fine).max(initial=0.0)), float(np.abs(ask(t, mass)).max(initial=0.0)))
            if not np.abs(fine - coarse).max(initial=0.0) <= 1e-5 * scale:
                return None
    return change
