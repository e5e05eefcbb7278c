"""Two populations with opposed interests whose agents see the agents around them, and neither place nor time.

Hunters want to be where hares are, hares want to be where hunters are not, and both avoid their own kind:

    f_hunter = aversion rho_hunter - hunt rho_hare,    f_hare = aversion rho_hare + hunt rho_hunter

on a torus.  They start on the two colours of a soft chess board, so that all of them together are spread evenly: who
cannot tell one kind from the other sees the same wherever he is.

An agent sees the mean offset of the agents within a radius, of all alike (MFQ; Yang et al., ICML 2018,
arXiv:1802.05438) or kind by kind (MTMFQ; Ganapathi Subramanian et al., AAMAS 2020, arXiv:2002.02513),

    o_q(x) = sum_y N(x, y) (y - x) m_q(y) / sum_y N(x, y) m_q(y),

each component as its sign, or 0 within a threshold.  It learns, one table for each population,

    Q(o, a) <- (1 - alpha) Q(o, a) + alpha [r + gamma v(o')],   v(o) = sum_a pi(a | o) Q(o, a),   pi = softmax(beta Q),

where r is minus the cost of the move and of the crowd that the agent arrives in.  Against masses instead of agents the
same table is a policy of the exact game, step after step as the masses move (`policy_along`), and is certified there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from mfgsolve.agents.simulation import seed_sequence
from mfgsolve.certificates import Certificate, exploitability
from mfgsolve.couplings import CrowdAversion, Interaction
from mfgsolve.dynamics import LatticeMoves
from mfgsolve.errors import InputError
from mfgsolve.games import Game
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.learners.sampler import Sampler, finite_game
from mfgsolve.parts.exploration import Boltzmann, draw
from mfgsolve.problem import Problem
from mfgsolve.spaces import Populations, Space
from mfgsolve.stages.neighbourhoods import grid_neighbours

__all__ = [
    "Blind", "Learned", "MeanOffset", "NeighbourActor", "NeighbourLearner", "hunters_and_hares",
    "learn_from_neighbours", "play", "policy_along",
]  # fmt: skip

MOVES = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))


def hunters_and_hares(
    *,
    size: int = 8,
    steps: int = 6,
    hunt: float = 1.0,
    aversion: float = 0.5,
    move_cost: float = 0.05,
    noise: float = 0.1,
    contrast: float = 0.9,
) -> Problem:
    """The game of the module, on the unit torus (a density of 1 is an even spread).

    The crowd's matrix is antisymmetric but for the aversion: there is no potential, and the game is monotone.

    Parameters
    ----------
    size : cells along each axis
    steps : time steps of length 1
    hunt, aversion : cost per step and unit of density
    move_cost : of a step to a neighbour; staying is free
    noise : probability of being pushed to one of the four neighbours
    contrast : of the chess board at the start, 0 (even) to 1: density 1 +- contrast cos(2 pi x) cos(2 pi y)
    """
    for what, share in (("noise", noise), ("contrast", contrast)):
        if not 0 <= share <= 1:
            raise InputError(f"hunters and hares have {what} {share}; a number between 0 and 1 is needed")
    dynamics = LatticeMoves(
        MOVES,
        costs=[move_cost * any(move) for move in MOVES],
        jumps={move: noise / 4 if any(move) else 1 - noise for move in MOVES},
    )
    space = Populations(["hunters", "hares"], Grid.box((size, size), boundary="periodic"))
    c = space.space.coordinates
    board = contrast * np.cos(2 * np.pi * c.x) * np.cos(2 * np.pi * c.y)
    return Problem(
        grid=space,
        time=TimeGrid(steps, steps),
        dynamics=(dynamics,) * 2,
        coupling=CrowdAversion(aversion) + Interaction(hunt * np.array([[0.0, -1.0], [1.0, 0.0]]), "populations"),
        initial=1.0 + np.stack([board, -board]),
        normalise=True,
        name="hunters-and-hares",
        source="mfgsolve",
    )


class MeanOffset:
    """What agents see of the masses around them: a number below ``count`` for every population and cell.

    Parameters
    ----------
    space : a grid, or populations on one
    typed : whether kind by kind, or all alike
    radius : of the neighbourhood, in steps
    threshold : up to which a mean offset (in cells) counts as none
    """

    def __init__(self, space: Space, typed: bool, radius: int = 2, threshold: float = 0.15):
        grid = space.space if isinstance(space, Populations) else space
        if not isinstance(grid, Grid):
            raise InputError(
                f"agents see the offsets of the agents around them, and the space is a {type(space).__name__}; "
                "a Grid, or Populations on one, is needed"
            )
        if not 0 < threshold < radius:
            raise InputError(f"threshold is {threshold}; it lies between 0 and the radius {radius}")
        self.typed, self.threshold, self.populations = typed, threshold, space.populations
        self.near = grid_neighbours(grid, radius, itself=True)
        self.ahead = [self._offsets(grid, axis) for axis in range(grid.ndim)]
        self.count = 3 ** (grid.ndim * (space.populations if typed else 1))

    def _offsets(self, grid: Grid, axis: int) -> sparse.csr_array:
        """The offset to every neighbour along an axis, in cells; around a ring the shorter way."""
        pairs = self.near.tocoo()
        place = np.indices(grid.shape)[axis].reshape(-1)
        gap, cells = place[pairs.coords[1]] - place[pairs.coords[0]], grid.shape[axis]
        if grid.axes[axis].periodic:
            gap = (gap + cells // 2) % cells - cells // 2
        return sparse.csr_array((gap.astype(float), pairs.coords), shape=self.near.shape)

    def means(self, mass: np.ndarray) -> np.ndarray:
        """Mean offset (seen, axis, cells) of each population, or of all; 0 where nobody is near; mass (P, cells)."""
        seen = mass if self.typed else mass.sum(axis=0, keepdims=True)
        total = seen @ self.near.T
        sums = np.stack([seen @ ahead.T for ahead in self.ahead], axis=1)
        return np.divide(sums, total[:, None], out=np.zeros_like(sums), where=total[:, None] > 0)

    def __call__(self, mass: np.ndarray) -> np.ndarray:
        """Number of what is seen in each cell, (cells,); the same for all populations."""
        means = self.means(mass).reshape(-1, mass.shape[1])
        signs = 1 + (means > self.threshold).astype(np.int64) - (means < -self.threshold)
        return np.asarray(3 ** np.arange(len(signs)) @ signs)


class Blind:
    """The sight of agents who see nobody: one observation, whatever the masses."""

    count = 1

    def __init__(self, cells: int):
        self.cells = cells

    def __call__(self, mass: np.ndarray) -> np.ndarray:
        return np.zeros(self.cells, dtype=np.int64)


class NeighbourLearner:
    """Q(o, a) of every population from what its agents earn; see the module.

    Parameters
    ----------
    seen : number of observations
    populations, actions : sizes of the tables
    beta : of the softmax, 1 / reward
    discount : gamma
    power : alpha = (1 + visits)^-power
    """

    def __init__(self, seen: int, populations: int, actions: int, beta: float, discount: float, power: float):
        if not 0 <= discount < 1:
            raise InputError(f"discount is {discount}; 0 or more and below 1 is needed: nobody sees when the game ends")
        if not 0 < power <= 1:
            raise InputError(f"power of the step size is {power}; above 0 and at most 1 is needed")
        self.explore, self.discount, self.power = Boltzmann(beta), discount, power
        self.q = np.zeros((populations, seen, actions))
        self.visits = np.zeros(self.q.shape)
        self.logits = np.zeros(0)  # of an actor

    def policy(self) -> np.ndarray:
        """pi(a | o), (populations, seen, actions)."""
        return self.explore.probabilities(self.q)

    def update(
        self, kind: np.ndarray, seen: np.ndarray, action: np.ndarray, reward: np.ndarray, then: np.ndarray
    ) -> None:
        """Learn from agents that act at once: one update of an entry for each that chose it, with their mean target."""
        value = (self.policy() * self.q).sum(axis=2)
        entry = kind, seen, action
        counts, sums = np.zeros((2, *self.q.shape))
        np.add.at(counts, entry, 1.0)
        np.add.at(sums, entry, reward + self.discount * value[kind, then])
        hit = counts > 0
        share = 1.0 - (1.0 - (1.0 + self.visits[hit]) ** -self.power) ** counts[hit]
        self.q[hit] += share * (sums[hit] / counts[hit] - self.q[hit])
        self.visits += counts


class NeighbourActor(NeighbourLearner):
    """The same table as a critic, and an actor whose preferences climb what it expects, v(o) = sum_a pi(a | o) Q(o, a):

    logits(o, a) <- logits(o, a) + rate pi(a | o) [Q(o, a) - v(o)],    pi = softmax(logits)

    once a step of the game, where agents see o.  The softmax of Q, and its beta, are of no use here.

    Parameters
    ----------
    seen, populations, actions, discount, power : as of `NeighbourLearner`
    rate : step of the preferences, 1 / reward
    """

    def __init__(self, seen: int, populations: int, actions: int, rate: float, discount: float, power: float):
        super().__init__(seen, populations, actions, 1.0, discount, power)
        if not 0 < rate < np.inf:
            raise InputError(f"rate of the actor is {rate}; a positive number is needed, 1 / reward")
        self.rate = rate
        self.logits = np.zeros(self.q.shape)

    def policy(self) -> np.ndarray:
        return softmax(self.logits)

    def update(
        self, kind: np.ndarray, seen: np.ndarray, action: np.ndarray, reward: np.ndarray, then: np.ndarray
    ) -> None:
        super().update(kind, seen, action, reward, then)
        policy, here = self.policy(), np.zeros(self.q.shape[:2], dtype=bool)
        here[kind, seen] = True
        better = policy * (self.q - (policy * self.q).sum(axis=2, keepdims=True))
        self.logits = self.logits + np.where(here[..., None], self.rate * better, 0.0)


def softmax(logits: np.ndarray) -> np.ndarray:
    """exp / sum of exp along the last axis."""
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=-1, keepdims=True))


@dataclass(frozen=True)
class Learned:
    """Tables Q (populations, seen, actions), the policy (step, action, ...) they make, and its certificate."""

    q: np.ndarray
    policy: np.ndarray
    certificate: Certificate
    agent_steps: int


def learn_from_neighbours(
    problem: Problem,
    *,
    typed: bool,
    agents: int = 500,
    episodes: int = 60,
    beta: float = 3.0,
    discount: float = 0.7,
    power: float = 0.7,
    radius: int = 2,
    threshold: float = 0.15,
    rng: int | np.random.SeedSequence | np.random.Generator | None = 0,
) -> Learned:
    """Let N agents of every population play the game and learn from what each sees and earns.

    Parameters
    ----------
    problem : lattice moves of several populations on a grid, say `hunters_and_hares`
    typed : MTMFQ (kind by kind) or MFQ (all alike)
    agents : N of every population
    episodes : how often the game is played; the samples are populations N steps episodes
    beta, discount, power : see `NeighbourLearner`
    radius, threshold : see `MeanOffset`
    rng : seed

    Returns
    -------
    Learned
    """
    game = finite_game(problem, "learn_from_neighbours")
    if not isinstance(game.grid, Populations):
        raise InputError("learn_from_neighbours needs several populations; the game has a single one")
    if game.width != game.cells or game.is_coupled or not game.step.allowed.all():
        raise InputError(
            f"learn_from_neighbours got {problem.name!r}, in which choices are priced, forbidden somewhere, or moved "
            "by the crowd; couplings of densities and moves that are free everywhere are needed"
        )
    if agents < 1 or episodes < 1:
        raise InputError(f"{agents} agents and {episodes} episodes came; at least 1 of each is needed")
    look, sampler = MeanOffset(game.grid, typed, radius, threshold), Sampler(game)
    learner = NeighbourLearner(look.count, sampler.populations, game.step.actions, beta, discount, power)
    stream = np.random.Generator(np.random.PCG64(seed_sequence(rng)))
    kind = np.repeat(np.arange(sampler.populations), agents)
    for _ in range(episodes):
        play(sampler, look, learner, kind, stream)
    policy = policy_along(game, look, learner.policy())
    return Learned(learner.q, policy, exploitability(problem, policy), kind.size * game.steps * episodes)


def play(
    sampler: Sampler, look: MeanOffset | Blind, learner: NeighbourLearner, kind: np.ndarray, rng: np.random.Generator
) -> None:
    """One episode; everybody learns after every step."""
    game, share, cells = sampler.game, 1.0 / np.bincount(kind)[kind], sampler.start(kind, rng)
    none = np.zeros((game.step.actions, game.cells))

    def around(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mass = np.bincount(cells, share, game.cells)
        return mass, look(mass.reshape(sampler.populations, -1))[cells % sampler.cells]

    mass, seen = around(cells)
    for t in range(game.steps):
        action = draw(learner.policy()[kind, seen], rng)
        after = sampler.move(t, cells, action, mass, rng)
        own = sampler.own_cost(t)[action, cells]
        mass, then = around(after)
        cost = sampler.state_cost(t + 1, sampler.price(t + 1, sampler.level(t + 1, mass, none)))
        learner.update(kind, seen, action, -(own + cost[after]), then)
        cells, seen = after, then


def policy_along(game: Game, look: MeanOffset | Blind, tables: np.ndarray) -> np.ndarray:
    """The policy (step, action, ...) of agents who look at the masses around them, as these move by that very policy.

    tables : pi(a | o), (populations, seen, actions)
    """
    mass, kinds = game.initial_mass, tables.shape[0]
    policy = game.step.uniform()
    for t in range(game.steps):
        seen = look(mass.reshape(kinds, -1))
        policy[t] = tables[:, seen].transpose(2, 0, 1).reshape(game.step.actions, game.cells)
        mass = game.flow(policy)[t + 1, : game.cells]
    return policy.reshape(game.steps, game.step.actions, *game.grid.shape)
