"""What the crowd costs one of N agents, in expectation over the N - 1 others: the price of the finite game.

All agents start independently from m_0 and follow the plan; none moves another.  So the others stay independent
whatever one agent does, and it sees (1 + B) / N of its population in a cell of mass m, B ~ Binomial(N - 1, m):

    gamma^N_t(x) = E f_t(x, (1 + B) / (N volume))

A coupling on choices is the same with the occupation for the mass.  Linear couplings (nonlocal ones too), squares and
the price of a quadratic potential have closed forms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfgsolve.agents.binomial import expectation
from mfgsolve.agents.play import Play
from mfgsolve.couplings import Bound, Capacity, Coupling, CustomCoupling, Price, Sum, by_target
from mfgsolve.couplings.base import unscaled
from mfgsolve.errors import InputError
from mfgsolve.games import Game
from mfgsolve.games.measures import Block
from mfgsolve.spaces import Volumes

__all__ = ["ExpectedPrice", "mean_field_price", "price_among"]

PROBES = 9  # amounts at which a price must have the same slope to count as linear
STRAIGHT = 1e-12


@dataclass(frozen=True, eq=False)
class ExpectedPrice:
    """A game in which one agent pays a price that nobody changes.

    Attributes
    ----------
    game : the game, with what a choice costs an agent by its own share in the aggregate as part of its own cost
    price : expected cost of the crowd per unit time, multipliers included (shape of a price)
    error : bound on the error of the price, largest at each level (T+1,)
    """

    game: Game
    price: np.ndarray
    error: np.ndarray


def mean_field_price(play: Play) -> ExpectedPrice:
    """The price that infinitely many agents pay."""
    price = play.game.price(play.crowd)
    return ExpectedPrice(play.game, _with_multiplier(price, play), np.zeros(play.game.steps + 1))


def price_among(play: Play, agents: int) -> ExpectedPrice:
    """The price that one of ``agents`` agents (in every population) pays.

    Raises
    ------
    InputError
        for a coupling that is neither local nor of closed form, and a price whose potential is not quadratic
    """
    game = play.game
    crowd, price, error = game.flat(play.crowd), game.empty_crowd(), np.zeros(game.steps + 1)
    view = game.flat(price)
    view[:] = 0.0
    stated = [coupling for couplings in by_target(game.problem.couplings[0]).values() for coupling in couplings]
    for block, coupling in zip(game.blocks, stated, strict=True):
        for nodes in game.node_slabs():
            if block.on == "aggregate":  # what an agent's own share adds to it: see _own_share
                view[nodes, block.columns] = block.bound.cost(nodes, crowd[nodes, block.columns])
            else:
                view[nodes, block.columns] = _expected(block, coupling, nodes, crowd[nodes], agents, error[nodes])
    if game.terminal_block is not None:
        block, coupling, missed = game.terminal_block, game.problem.couplings[1], np.zeros(1)
        last = _expected(block, coupling, slice(0, 1), crowd[-1:], agents, missed)
        view[-1:, block.columns] += game.last_price * last
        error[-1:] += game.last_price * missed
    return ExpectedPrice(_with_own_share(play, agents), _with_multiplier(price, play), error)


def _with_multiplier(price: np.ndarray, play: Play) -> np.ndarray:
    return price if play.multiplier is None else price + play.multiplier


def _expected(
    block: Block, coupling: Coupling, nodes: slice, crowd: np.ndarray, agents: int, error: np.ndarray
) -> np.ndarray:
    """E f on the columns of a block, term by term; ``error`` (levels,) grows by its bound."""
    rho = block.density(crowd)
    total = np.zeros((rho.shape[0], rho[0].size))
    terms = coupling.terms if isinstance(coupling, Sum) else (coupling,)
    for bound, term in zip(block.bound.parts, terms, strict=True):
        if isinstance(unscaled(term), Capacity):  # costs nothing but its multiplier
            continue
        known = bound.cost_among(nodes, rho, agents)
        if known is None:
            known, missed = _local(
                bound, term, nodes, crowd[:, block.columns].reshape(rho.shape), block.volumes, agents
            )
            error += missed.reshape(total.shape).max(axis=1)
        total += known.reshape(total.shape)
    return total


def _local(
    bound: Bound, term: Coupling, nodes: slice, mass: np.ndarray, volumes: Volumes, agents: int
) -> tuple[np.ndarray, np.ndarray]:
    if not term.is_local:
        raise InputError(
            f"the exact regret of N agents needs couplings that are local, linear or quadratic in the crowd, and "
            f"{type(term).__name__} says that it is not local (a CustomCoupling is where it has a derivative); "
            "estimate it by sampling: mfg.simulate, mfg.simulate_deviation"
        )
    if isinstance(unscaled(term), CustomCoupling):
        _check_pointwise(bound, nodes, mass / volumes)
    scale = 1.0 / (agents * volumes)

    def cost(k: np.ndarray) -> np.ndarray:
        seen = k + 1.0
        seen *= scale
        return bound.cost(nodes, seen)

    return expectation(cost, mass, agents - 1, smooth=term.is_smooth)


def _check_pointwise(bound: Bound, nodes: slice, rho: np.ndarray) -> None:
    """A cost that says that it is local must not change in a cell where only others gain or lose agents."""
    one, first = slice(nodes.start, nodes.start + 1), rho[:1]
    coins = np.random.default_rng(0)
    for _ in range(4):  # halves of all cells, drawn: no pattern of the coupling can hide from all of them
        moved = coins.random(first.shape) < 0.5
        if moved.all() or not moved.any():
            continue
        crowded = np.where(moved, 1.7 * first + 0.3 * first.mean(), first)
        before, after = bound.cost(one, first)[~moved], bound.cost(one, crowded)[~moved]
        if not np.allclose(before, after, rtol=1e-12, atol=0.0, equal_nan=True):
            raise InputError(
                "a CustomCoupling with a derivative says that f(x) depends on the density in x alone (of its own "
                "population), and its cost changes with the density elsewhere; give tangent= instead, "
                "and estimate the regret by sampling: mfg.simulate, mfg.simulate_deviation"
            )


def _with_own_share(play: Play, agents: int) -> Game:
    """The game in which a choice costs an agent what its own share does to prices, in place of one of its population.

    An agent that chooses alpha pays alpha phi'(A + (alpha - A_p) / N), A_p the mean of its population: besides
    alpha phi'(A) it pays alpha phi''(A) (alpha - A_p) / N where phi' is linear.
    """
    game, step = play.game, play.game.step
    prices = [block for block in game.blocks if block.on == "aggregate"]
    if not prices:
        return game
    count, weight = game.grid.populations, game.weights[:-1, None, None]
    occupation = step.choices(play.policy) * play.crowd[:-1, None, : game.cells]
    own = np.broadcast_to(step.own_cost, occupation.shape).copy()
    for block, stated, alpha in zip(prices, game.prices, game.amounts, strict=True):
        slope = _steady_slope(block, stated, play.crowd[:-1, block.columns], alpha, game)
        mean = (alpha * occupation).reshape(game.steps, step.actions, count, -1).sum(axis=(1, 3))
        gap = alpha - np.repeat(mean, game.cells // count, axis=1)[:, None]
        own += np.where(step.allowed, alpha * slope[:, :, None] * gap * (weight / agents), 0.0)
    return game.with_costs(own)


def _steady_slope(block: Block, stated: Price, now: np.ndarray, alpha: np.ndarray, game: Game) -> np.ndarray:
    """phi'' (steps, 1), which must be the same at all amounts that can occur."""
    nodes, count = slice(0, game.steps), game.grid.populations
    slope = block.bound.slope(nodes, now)
    assert slope is not None
    usable = np.where(game.step.allowed, alpha, np.nan)
    low, high = np.nanmin(usable) * count, np.nanmax(usable) * count
    for amount in np.linspace(low, high, PROBES):
        other = block.bound.slope(nodes, np.full_like(now, amount))
        assert other is not None
        if not (np.abs(other - slope) <= STRAIGHT * np.abs(slope)).all():
            what = getattr(stated, "potential", stated)
            raise InputError(
                f"the exact regret of N agents needs a price that is linear in the aggregate, and that of a "
                f"{type(what).__name__} bends; use QuadraticPotential, or estimate it by sampling: mfg.simulate, "
                "mfg.simulate_deviation"
            )
    return slope
