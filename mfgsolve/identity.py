"""Which game is this?  A digest of all that a game is made of: no file is continued in, or compared with, another.

Everything counts that an answer can depend on: the space with its walls and names, the times, the dynamics, their
arrays and those of what acts beside the control, the initial density, the terminal cost, and the couplings.  A coupling
is a function of the crowd and is told by its values *at all nodes and cells* for two crowds that nobody states by
chance (irrational masses, one nearly even and one that gathers in few cells): its cost at both, its derivative from
one toward the other, its potential, its bounds, the amounts of prices, and what it claims of itself.  So are
transitions that depend on the crowd.

Numbers count by their bits, -0.0 as 0.0; how they were stated (a function or an array, Python or TOML) does not.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from mfgsolve.couplings import Coupling, by_target
from mfgsolve.errors import InputError
from mfgsolve.games import Game, make_game
from mfgsolve.games.measures import Block
from mfgsolve.problem import Problem
from mfgsolve.steps.identity import GOLDEN, unchanging

__all__ = ["VERSIONS", "fingerprint"]

VERSIONS = ("0.5.0", "0.6.0", "0.7.0", "0.8.0", "0.9.0", "0.10.0", "0.11.0")  # that tell games apart by this digest

SILVER = math.sqrt(2) - 1  # beside GOLDEN, the other irrational step of the two crowds
CLAIMS = (
    "is_potential", "is_monotone", "is_local", "is_differentiable", "is_hard", "is_smooth", "on", "total_is_convex",
)  # fmt: skip


def fingerprint(problem: Problem) -> str:
    """Digest of what a game is made of, so that a checkpoint is never continued in another one."""
    game, digest = make_game(problem), hashlib.blake2b(digest_size=32)
    for part in _parts(game):
        _add(digest, part)
    return digest.hexdigest()


# -- what a game is made of ------------------------------------------------------------------------------------------


def _parts(game: Game) -> Iterator[Any]:
    problem = game.problem
    yield from (problem.grid.identity, game.time, len(problem.all_dynamics))
    yield from (dynamics.identity for dynamics in problem.all_dynamics)
    yield from (game.initial_mass.reshape(-1), game.terminal_cost.reshape(-1))
    crowds = [_crowd(game, stride) for stride in (GOLDEN, SILVER)]
    yield from game.step.identity([mass for mass, _ in crowds])
    yield from (unchanging(amounts) for amounts in game.amounts)
    yield from _claims(problem.couplings[0])
    for block in game.blocks:
        yield from _samples(block, [_seen(game, block, crowd) for crowd in crowds], game.steps)
    if game.final_mass is not None:
        yield "the final density is given"
    if game.terminal_block is not None:
        yield from _claims(problem.couplings[1])
        yield from _samples(game.terminal_block, [_seen(game, game.terminal_block, crowd) for crowd in crowds], 1)


def _claims(coupling: Coupling) -> Iterator[Any]:
    """What a coupling says of itself, which chooses solvers and certificates."""
    for terms in by_target(coupling).values():
        for term in terms:
            yield tuple(getattr(term, claim, None) for claim in CLAIMS)


def _crowd(game: Game, stride: float) -> tuple[np.ndarray, np.ndarray | None]:
    """Mass (states,), 1 in every population and 0 in blocked cells, and the occupation (actions, states) it chooses."""
    free = ~game.grid.mask.reshape(game.grid.populations, -1)
    share = np.arange(1, free.size + 1) * stride % 1.0
    share = 0.5 + share if stride == GOLDEN else 1e-3 + share**8
    mass = share.reshape(free.shape) * free
    mass /= mass.sum(axis=1, keepdims=True)
    mass = mass.reshape(-1)
    if not game.step.actions:
        return mass, None
    allowed = game.step.allowed
    choice = (0.5 + np.arange(1, allowed.size + 1) * (stride / 2) % 1.0).reshape(allowed.shape) * allowed
    totals = choice.sum(axis=0)
    return mass, mass * choice / np.where(totals > 0, totals, 1.0)


def _seen(game: Game, block: Block, crowd: tuple[np.ndarray, np.ndarray | None]) -> np.ndarray:
    """What a coupling sees of a crowd that rests: its density, or an aggregate at each step, (1 or steps, *shape)."""
    mass, chosen = crowd
    if block.on == "state":
        return (mass.reshape(block.shape) / block.volumes)[None]
    assert chosen is not None
    if block.on == "occupation":
        return (chosen.reshape(block.shape) / block.volumes)[None]
    first = next(k for k, other in enumerate(b for b in game.blocks if b.on == "aggregate") if other is block)
    return np.array([[float((alpha * chosen).sum())] for alpha in game.amounts[first]])


def _samples(block: Block, crowds: list[np.ndarray], levels: int) -> Iterator[Any]:
    """Values of a coupling at every node, a few nodes at a time so that temporaries stay small."""
    bound, size = block.bound, max(1, 16384 // max(1, math.prod(block.shape)))
    yield (block.on, block.shape, block.columns.start, levels)
    for begin in range(0, levels, size):
        nodes = slice(begin, min(begin + size, levels))
        one, other = (_levels(crowd, nodes) for crowd in crowds)
        yield bound.cost(nodes, one)
        yield bound.cost(nodes, other)
        yield bound.potential(nodes, one)
        yield _derivative(bound, nodes, one, other - one)
        limits = bound.bounds(nodes)
        yield None if limits is None else tuple(np.broadcast_to(limit, one.shape) for limit in limits)


def _levels(crowd: np.ndarray, nodes: slice) -> np.ndarray:
    """The crowd at these nodes, an array of its own."""
    count = nodes.stop - nodes.start
    return np.repeat(crowd, count, axis=0) if crowd.shape[0] == 1 else crowd[nodes].copy()


def _derivative(bound: Any, nodes: slice, rho: np.ndarray, change: np.ndarray) -> np.ndarray | None:
    """f' at a crowd, applied to a change; None where there is none."""
    try:
        return np.asarray(bound.tangent(nodes, rho, change))
    except InputError:  # not differentiable
        return None


# -- to bytes --------------------------------------------------------------------------------------------------------


def _add(digest: Any, value: Any) -> None:
    """Add a value, told by its kind and its size, so that no two values run into each other."""
    if isinstance(value, np.ndarray):
        kind = "d" if value.dtype.kind == "f" else "q" if value.dtype.kind in "iu" else "?"
        _head(digest, f"array {kind}", *value.shape)
        plain = np.ascontiguousarray(value, dtype=kind)
        digest.update(np.add(plain, 0.0) if kind == "d" else plain)  # -0.0 + 0.0 = 0.0
    elif isinstance(value, list | tuple):
        _head(digest, "list", len(value))
        for entry in value:
            _add(digest, entry)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        _head(digest, type(value).__name__)
        _add(digest, [getattr(value, part.name) for part in dataclasses.fields(value) if _counts(value, part)])
    elif isinstance(value, str | bytes):
        data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        _head(digest, type(value).__name__, len(data))
        digest.update(data)
    elif value is None or isinstance(value, bool | np.bool_):
        _head(digest, str(value))
    elif isinstance(value, int | float | np.number):
        digest.update(b"number" + struct.pack("<d", float(value) + 0.0))
    else:
        raise TypeError(f"identity of a game holds a {type(value).__name__}")


def _counts(value: Any, part: dataclasses.Field[Any]) -> bool:
    """Whether a field is part of the identity; one that came ``since`` some version is not at its default, so that the
    games that could be stated before keep their digests."""
    return part.compare and not ("since" in part.metadata and getattr(value, part.name) == part.default)


def _head(digest: Any, kind: str, *sizes: int) -> None:
    digest.update(f"{kind} {sizes};".encode())
