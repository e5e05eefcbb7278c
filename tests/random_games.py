"""Random games of all classes, each as a `Problem` and, beside it, as the plain arrays that `independent` certifies.

``random_game(kind, seed)`` is the same game every time.  MFGSOLVE_SEED shifts all seeds: fresh games on demand.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import independent
import numpy as np

import mfgsolve as mfg

SHIFT = int(os.environ.get("MFGSOLVE_SEED", "0")) * 1_000_003
KINDS = (
    "diffusion", "sharp", "warm", "populations", "price", "capacity", "occupation", "coupled", "lattice",
    "diffusion-2d",
)  # fmt: skip


@dataclass
class Case:
    kind: str
    seed: int
    problem: mfg.Problem
    plain: Any  # independent.Finite or independent.Diffusion
    said: str  # what it is made of

    def certify(self, given: Any) -> independent.Found:
        """The independent certificate of a solution, or of an array of speeds or probabilities."""
        data, plain = getattr(given, "dataset", {"speed": given, "policy": given}), self.plain
        if isinstance(plain, independent.Diffusion):
            return independent.diffusion(plain, np.asarray(data["speed"]))
        policy = np.asarray(data["policy"]).reshape(plain.own.shape)
        if not self.problem.is_hard:
            return independent.finite(plain, policy)
        toll = np.asarray(data["capacity_multiplier"]).reshape(plain.steps + 1, *plain.start.shape)
        extra = np.asarray(data["price_multiplier"]) if plain.prices else None
        return independent.finite(plain, policy, toll, extra)

    def random_policy(self, rng: np.random.Generator) -> np.ndarray:
        """Speeds or probabilities, of the shape that `mfgsolve.exploitability` takes."""
        plain = self.plain
        if isinstance(plain, independent.Finite):
            return random_policy(plain, rng).reshape(plain.steps, -1, *self.problem.grid.shape)
        shape = plain.start.shape
        ways = independent.neighbours(shape, plain.periodic, plain.blocked)
        rows = [
            able * rng.uniform(0, plain.spacing[axis] / (2 * len(shape) * plain.dt), (plain.steps, able.size))
            for axis, _, able in ways
        ]
        return np.stack(rows, axis=1).reshape(plain.steps, len(ways), *shape)


def random_policy(plain: independent.Finite, rng: np.random.Generator) -> np.ndarray:
    policy = (rng.gamma(0.5, size=plain.own.shape) + 1e-3) * plain.allowed
    return policy / policy.sum(axis=1, keepdims=True)


def random_game(kind: str, seed: int) -> Case:
    """The game of that kind and seed."""
    rng = np.random.default_rng([seed + SHIFT, KINDS.index(kind)])
    made = _diffusion(rng, 2 if kind.endswith("2d") else 1) if kind.startswith("diffusion") else _finite(rng, kind)
    return Case(kind, seed, *made)


# -- couplings, twice -------------------------------------------------------------------------------------------------

Term = tuple[Any, Callable[[int, np.ndarray], np.ndarray], str]


class Place:
    """Where couplings act: how the package's arrays and the plain ones (of shape ``flat``) belong together."""

    def __init__(
        self, rng: np.random.Generator, shape: Any, flat: Any, dt: float, steps: int, volume: float, grid: Any
    ):
        self.rng, self.shape, self.flat, self.dt = rng, tuple(shape), tuple(flat), dt
        self.steps, self.volume, self.grid = steps, volume, grid
        self.terminal = False  # terminal couplings are asked at their own, only node

    def table(self, low: float, high: float) -> tuple[Callable[..., Any], Callable[[int], np.ndarray]]:
        """A field that changes with time, as a function of (t, coordinates) and of the number of the node."""
        table = self.rng.uniform(low, high, (self.steps + 1, *self.flat))
        if self.rng.random() < 0.3:
            table[:] = table[0]
        at = lambda t, c: table[round(t / self.dt)].reshape(self.shape)
        return at, lambda k: table[k]


def aversion(place: Place, on: str = "state") -> Term:
    power = float(place.rng.choice([1.0, 1.0, 2.0, 1.5]))
    at, strength = place.table(0.05, 1.5)
    return mfg.CrowdAversion(at, power=power, on=on), lambda k, rho: strength(k) * rho**power, f"aversion {power:g}"


def congestion(place: Place, on: str = "state") -> Term:
    c = float(place.rng.uniform(0.1, 2.0))
    at, reward = place.table(0.1, 2.0)
    return mfg.Congestion(at, c, on=on), lambda k, rho: -reward(k) / (1 + c * rho), "congestion"


def logarithm(place: Place, on: str = "state") -> Term:
    strength, floor = float(place.rng.uniform(0.1, 1.0)), float(place.rng.choice([1e-2, 1e-3]))
    shift = float(place.rng.choice([0.0, 0.05]))
    coupling = mfg.LogCongestion(strength, floor=floor, shift=shift, on=on)
    return coupling, lambda k, rho: strength * np.log(np.maximum(rho + shift, floor)), "log"


def running(place: Place, on: str = "state") -> Term:
    at, cost = place.table(-1.0, 1.0)
    return mfg.RunningCost(at, on=on), lambda k, rho: cost(k), "running"


def interaction(place: Place, symmetric: bool, monotone: bool) -> Term:
    size = int(np.prod(place.flat))
    matrix = place.rng.normal(size=(size, size)) / size
    if monotone:
        matrix = matrix @ matrix.T + (0 if symmetric else 1) * (matrix - matrix.T)
    elif symmetric:
        matrix = matrix + matrix.T
    return (
        mfg.Interaction(matrix),
        lambda k, rho: (matrix @ rho.reshape(-1) * place.volume).reshape(rho.shape),
        f"interaction {'symmetric' if symmetric else 'asymmetric'}",
    )


def between_populations(place: Place, symmetric: bool) -> Term:
    count = place.flat[-2]
    matrix = place.rng.normal(size=(count, count))
    matrix = matrix @ matrix.T if symmetric else matrix
    return mfg.Interaction(matrix, between="populations"), lambda k, rho: matrix @ rho, "between populations"


def custom(place: Place, derivative: bool, on: str = "state") -> Term:
    at, strength = place.table(0.1, 1.0)
    coupling = mfg.CustomCoupling(
        lambda t, c, rho: at(t, c) * rho**2,
        potential=lambda t, c, rho: at(t, c) * rho**3 / 3,
        derivative=(lambda t, c, rho: 2 * at(t, c) * rho) if derivative else None,
        monotone=True,
        on=on,
    )
    return coupling, lambda k, rho: strength(k) * rho**2, f"custom {'' if derivative else 'without derivative'}"


def followers(place: Place) -> Term:
    """Agents mind the mean of all others, not the same for all: neither local nor with a potential."""
    size = int(np.prod(place.flat))
    weight, reach = place.rng.normal(size=size), place.rng.normal(size=size)
    f = lambda rho: (weight * np.sin(reach @ rho.reshape(-1) * place.volume)).reshape(rho.shape)

    def tangent(t: float, c: Any, rho: np.ndarray, change: np.ndarray) -> np.ndarray:
        phase, moved = (reach @ a.reshape(-1) * place.volume for a in (rho, change))
        return (weight * np.cos(phase) * moved).reshape(rho.shape)

    return mfg.CustomCoupling(lambda t, c, rho: f(rho), tangent=tangent), lambda k, rho: f(rho), "followers"


def nonlocal_(place: Place) -> Term:
    """Gaussian of unit mass, axis by axis, over images where an axis is a ring."""
    least = max(axis.spacing for axis in place.grid.axes)
    width, strength = float(place.rng.uniform(0.6, 2.0) * least), float(place.rng.uniform(0.1, 1.0))
    matrices = []
    for axis in place.grid.axes:
        images = range(-40, 41) if axis.periodic else (0,)
        gap = axis.centres[:, None] - axis.centres
        matrix = sum(np.exp(-((gap + i * axis.length) ** 2) / (2 * width**2)) for i in images)
        matrices.append(matrix * axis.spacing / (width * np.sqrt(2 * np.pi)))

    def f(k: int, rho: np.ndarray) -> np.ndarray:
        out = rho.reshape(place.shape)
        for n, matrix in enumerate(matrices):
            out = np.moveaxis(np.tensordot(matrix, out, axes=(1, n)), 0, n)
        return strength * out.reshape(rho.shape)

    return mfg.Nonlocal(strength, width=width), f, "nonlocal"


def several(place: Place, makers: list[Callable[[Place], Term]], most: int = 2) -> tuple[Any, list[Any], str]:
    """The sum of some of them."""
    count = int(place.rng.integers(1, most + 1))
    terms = [makers[i](place) for i in place.rng.permutation(len(makers))[:count]]
    coupling = terms[0][0]
    for term in terms[1:]:
        coupling = coupling + term[0]
    return coupling, [term[1] for term in terms], " + ".join(term[2] for term in terms)


SMOOTH: list[Callable[[Place], Term]] = [aversion, congestion, logarithm, running, lambda place: custom(place, True)]


# -- controlled diffusions -------------------------------------------------------------------------------------------


def _diffusion(rng: np.random.Generator, ndim: int) -> tuple[Any, ...]:
    shape = (int(rng.integers(6, 13)),) if ndim == 1 else tuple(int(n) for n in rng.integers(3, 6, 2))
    steps, horizon = int(rng.integers(6, 17)), float(rng.uniform(0.3, 1.5))
    bounds = [(0.0, float(rng.uniform(0.7, 2.0))) for _ in shape]
    boundary = [str(rng.choice(["reflecting", "periodic"])) for _ in shape]
    blocked = rng.random(shape) < (0.15 if ndim == 2 else 0.0)
    blocked.reshape(-1)[0] = False
    grid = mfg.Grid.box(shape, bounds, boundary, blocked=blocked if blocked.any() else None)
    spacing = tuple(axis.spacing for axis in grid.axes)
    dt, implicit = horizon / steps, bool(rng.random() < 0.6)
    viscosity = float(rng.choice([0.0, rng.uniform(0.002, 0.05)]))
    if not implicit:
        viscosity = min(viscosity, 0.45 / (dt * sum(1 / h**2 for h in spacing)))
    c = float(rng.uniform(0.3, 2.0))
    place = Place(rng, shape, shape, dt, steps, grid.cell_volume, grid)
    extra = [nonlocal_, followers, lambda place: custom(place, False), lambda p: interaction(p, False, True)]
    makers = SMOOTH if rng.random() < 0.6 else SMOOTH[:3] + [extra[int(rng.integers(len(extra)))]] * 2
    coupling, running_, said = several(place, makers)
    last, last_plain = None, None
    if rng.random() < 0.3:
        last, f, name = logarithm(place) if rng.random() < 0.5 else congestion(Place(rng, shape, shape, horizon, 1,
                                                                            grid.cell_volume, grid))  # fmt: skip
        last_plain, said = (lambda rho: f(1, rho)), f"{said}; at the end {name}"
    mass = np.where(blocked, 0.0, rng.gamma(0.6, size=shape))
    mass /= mass.sum()
    terminal = rng.uniform(-0.5, 0.5, shape)
    problem = mfg.Problem(
        grid, mfg.TimeGrid(horizon, steps),
        mfg.ControlledDiffusion(viscosity, c, "implicit" if implicit else "explicit", scheme="upwind"),
        coupling, mass / grid.cell_volume, terminal=terminal, terminal_coupling=last, normalise=True,
    )  # fmt: skip
    plain = independent.Diffusion(
        problem.initial_mass(), np.where(blocked, 0.0, terminal), spacing, tuple(b == "periodic" for b in boundary),
        blocked, dt, steps, viscosity, implicit, c, running_, last_plain,
    )  # fmt: skip
    return problem, plain, said


# -- finite games ----------------------------------------------------------------------------------------------------


def _chances(rng: np.random.Generator, *shape: int) -> np.ndarray:
    chance = rng.gamma(0.4, size=shape) * (rng.random(shape) < 0.6)
    chance[..., 0] += 0.01
    return chance / chance.sum(axis=-1, keepdims=True)


def _finite(rng: np.random.Generator, kind: str) -> tuple[Any, ...]:
    if kind == "lattice":
        return _with_couplings(rng, kind, *_lattice(rng))
    count = int(rng.integers(2, 4)) if kind == "populations" else 1
    states, actions, steps = int(rng.integers(2, 6)), int(rng.integers(2, 4)), int(rng.integers(2, 6))
    dt = float(rng.choice([1.0, 0.5]))
    warm = {"warm": 1.0, "sharp": 0.0}.get(kind, 0.4)
    temperature = float(rng.uniform(0.02, 0.5)) if rng.random() < warm else 0.0
    levels = steps if rng.random() < 0.5 else 1
    move: Any = _chances(rng, levels, actions, count, states, states)
    allowed = rng.random((actions, count, states)) < 0.8
    np.put_along_axis(allowed, rng.integers(actions, size=(1, count, states)), True, axis=0)
    own = np.where(allowed, rng.uniform(-0.5, 0.5, (steps, actions, count, states)), 0.0)
    inner = mfg.States(states)
    given = [np.moveaxis(move[:, :, p], 0, 0) for p in range(count)]
    if kind == "coupled":
        other, pull = _chances(rng, 1, actions, count, states, states), rng.random((count, states))
        calm = move[0]

        def share(mass: np.ndarray) -> float:
            return float(np.clip((pull * mass).sum(), 0.0, 1.0))

        move = lambda k, mass: (1 - share(mass)) * calm + share(mass) * other[0]
        given = [lambda t, mass: move(0, mass.reshape(count, states))[:, 0]]
    dynamics = [
        mfg.Tabular(one, cost=own[:, :, p], temperature=temperature, allowed=allowed[:, p])
        for p, one in enumerate(given)
    ]
    grid: Any = inner if count == 1 else mfg.Populations([f"p{p}" for p in range(count)], inner)
    plain = independent.Finite(
        rng.dirichlet(np.full(states, 0.7), count), move, own, allowed, np.zeros((count, states)), dt, temperature
    )
    return _with_couplings(rng, kind, grid, dynamics, plain)


def _lattice(rng: np.random.Generator) -> tuple[Any, ...]:
    shape = (int(rng.integers(3, 7)),) if rng.random() < 0.5 else tuple(int(n) for n in rng.integers(2, 4, 2))
    steps, dt = int(rng.integers(2, 5)), float(rng.choice([1.0, 0.25]))
    bounds = [(0.0, float(rng.uniform(0.7, 2.0))) for _ in shape]
    boundary = [str(rng.choice(["reflecting", "periodic"])) for _ in shape]
    blocked = rng.random(shape) < (0.2 if len(shape) == 2 else 0.0)
    blocked.reshape(-1)[0] = False
    grid = mfg.Grid.box(shape, bounds, boundary, blocked=blocked if blocked.any() else None)
    zero, units = (0,) * len(shape), np.eye(len(shape), dtype=int)
    moves = [zero] + [tuple(int(i) for i in s * unit) for unit in units for s in (1, -1)]
    costs = rng.uniform(-0.2, 0.3, len(moves))
    jumps = {zero: 0.8, moves[1]: 0.15, moves[-1]: 0.05} if rng.random() < 0.5 else {zero: 1.0}
    implicit, walls = bool(rng.random() < 0.5), str(rng.choice(["stay", "forbid"]))
    spacing, periodic = tuple(a.spacing for a in grid.axes), tuple(a.periodic for a in grid.axes)
    viscosity = float(rng.choice([0.0, 0.4 / (dt * sum(1 / h**2 for h in spacing))]))
    temperature = float(rng.uniform(0.02, 0.5)) if rng.random() < 0.4 else 0.0
    matrices, inside = independent.lattice_matrices(
        shape, spacing, periodic, blocked, moves, jumps, viscosity * dt, implicit
    )
    allowed = (inside if walls == "forbid" else np.ones_like(inside)) | blocked.reshape(-1)
    mass = np.where(blocked, 0.0, rng.gamma(0.6, size=shape)).reshape(1, -1)
    own = np.where(allowed, costs[:, None], 0.0)[None, :, None].repeat(steps, 0)
    plain = independent.Finite(
        mass / mass.sum(), matrices[None, :, None], own,
        allowed[:, None], np.zeros_like(mass), dt, temperature, grid.cell_volume, free=~blocked.reshape(1, -1),
    )  # fmt: skip
    given = mfg.LatticeMoves(moves, costs, viscosity, "implicit" if implicit else "explicit", jumps, walls, temperature)
    return grid, [given], plain


def _with_couplings(
    rng: np.random.Generator, kind: str, grid: Any, dynamics: list[Any], plain: independent.Finite
) -> tuple[Any, ...]:
    steps, dt, flat = plain.steps, plain.dt, plain.start.shape
    actions, volume = plain.allowed.shape[0], plain.volume
    place = Place(rng, grid.shape, flat, dt, steps, volume, grid)
    many = kind == "populations"
    odd: list[Callable[[Place], Term]] = [
        lambda p: interaction(p, False, True), lambda p: interaction(p, False, False), followers,
        lambda p: interaction(p, True, True), lambda p: interaction(p, True, False), lambda p: custom(p, False),
    ]  # fmt: skip
    if many:
        odd = [lambda p: between_populations(p, True), lambda p: between_populations(p, False), odd[0]]
    if kind == "lattice":
        odd = [nonlocal_, followers]
    chosen, priced, capped = (
        kind == name or (many and rng.random() < 0.25) for name in ("occupation", "price", "capacity")
    )
    hard = priced or capped
    makers = SMOOTH if hard or rng.random() < 0.5 else SMOOTH[:2] + [odd[int(rng.integers(len(odd)))]] * 2
    coupling, plain.state, said = several(place, makers)
    choices = Place(rng, (actions, *grid.shape), (actions, *flat), dt, steps, volume, grid)
    if chosen:
        more = [lambda p: aversion(p, "occupation"), lambda p: congestion(p, "occupation"), lambda p: running(
            p, "occupation"), lambda p: custom(p, bool(rng.random() < 0.7), "occupation")]  # fmt: skip
        added, plain.occupation, names = several(choices, more)
        coupling, said = coupling + added, f"{said}; on choices {names}"
    if rng.random() < 0.3:
        shifted = Place(rng, grid.shape, flat, dt * steps, 1, volume, grid)
        last, f, name = aversion(shifted)
        plain.last, said = (lambda rho: f(1, rho)), f"{said}; at the end {name}"
    else:
        last = None
    plain.terminal = rng.uniform(-0.5, 0.5, flat)
    if plain.free is not None:
        plain.terminal = np.where(plain.free, plain.terminal, 0.0)
    # hard bounds that some policy keeps
    example = random_policy(plain, rng)
    mass = independent.finite_flow(plain, example)[0]
    if priced:
        amounts, weight, centre = rng.uniform(-1, 1, (actions, *flat)), *rng.uniform(0.2, 2.0, 2)
        low = high = None
        if rng.random() < 0.5:
            amount = (amounts * example * mass[:-1, None]).sum(axis=(1, 2, 3))
            low, high = float(amount.min() - 0.02), float(amount.max() + 0.02)
        price = mfg.Price(
            mfg.QuadraticPotential(weight, centre), None if low is None else (low, high),
            amounts.reshape(actions, *grid.shape),
        )  # fmt: skip
        coupling, said = coupling + price, f"{said}; price{'' if low is None else ' in bounds'}"
        bounds = (-np.inf, np.inf) if low is None else (low, high)
        plain.prices = [independent.Price(amounts, lambda k, a: weight * (a - centre), *bounds)]
    if capped:
        caps = np.where(rng.random(mass.shape) < 0.5, 1.1 * mass / volume + 0.02, np.inf)
        caps[-1] = np.inf  # what the last step leads to is not capped
        coupling = coupling + mfg.Capacity(lambda t, c: caps[round(t / dt)].reshape(grid.shape))
        plain.caps, said = caps, f"{said}; capped"
    problem = mfg.Problem(
        grid, mfg.TimeGrid(dt * steps, steps), dynamics, coupling, (plain.start / volume).reshape(grid.shape),
        terminal=plain.terminal.reshape(grid.shape), terminal_coupling=last, normalise=True,
    )  # fmt: skip
    plain.start = problem.initial_mass().reshape(flat)
    heat = "sharp" if plain.temperature == 0 else f"temperature {plain.temperature:.2g}"
    return problem, plain, f"{flat} states, {actions} actions, {steps} steps, {heat}: {said}"
