"""What an environment of one agent, or of N, does at reset and step; `adapters` adds the base class.

Neither Gymnasium nor PettingZoo is imported here: the spaces come from whoever makes the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mfgsolve.agents.simulation import seed_sequence
from mfgsolve.errors import InputError
from mfgsolve.games import Game
from mfgsolve.learners.sampler import Sampler
from mfgsolve.spaces import Populations

__all__ = ["Crowd", "OneAgent"]

Observation = np.ndarray
Info = dict[str, Any]


class OneAgent:
    """One agent against a frozen crowd; see `mfgsolve.learners.environments.adapters.to_gymnasium`."""

    metadata: dict[str, Any] = {"render_modes": []}
    render_mode = None
    np_random: np.random.Generator

    def __init__(
        self, game: Game, crowd: np.ndarray, price: np.ndarray, population: int, spaces: Any, rng: Any,
        draws: bool = False,
    ) -> None:  # fmt: skip
        self.draws = draws  # whether an allowed action is drawn in place of a forbidden one
        self.game, self.population, self._sampler = game, population, Sampler(game)
        self._mass = crowd[:, : game.cells]
        self._action_cost = [self._sampler.action_cost(t, price[t]) for t in range(game.steps)]
        self._state_cost = [self._sampler.state_cost(t, price[t]) for t in range(game.steps + 1)]
        self.observation_space = spaces.MultiDiscrete([game.steps + 1, self._sampler.cells])
        self.action_space = spaces.Discrete(game.step.actions)
        self.np_random = np.random.Generator(np.random.PCG64(seed_sequence(rng)))
        self._t, self._cell = game.steps, np.zeros(1, dtype=np.int64)  # as after an episode: reset comes first

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observation, Info]:
        """A new agent, drawn from the initial density."""
        super().reset(seed=seed)  # type: ignore[misc]
        self._t, self._cell = 0, self._sampler.start(np.array([self.population]), self.np_random)
        return self._seen(), self._info()

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, Info]:
        """Choose, pay, move; in the last step also what the end costs."""
        t, x, game = self._t, int(self._cell[0]), self.game
        if t == game.steps:
            raise InputError("the episode has ended (or not begun); call reset()")
        a = self._drawn(action, x)
        cost = float(self._action_cost[t][a, x] + self._state_cost[t][x])
        self._cell = self._sampler.move(t, self._cell, np.array([a]), self._mass[t], self.np_random)
        self._t = t + 1
        done = self._t == game.steps
        if done:
            cost += float(self._state_cost[-1][self._cell[0]])
        return self._seen(), -cost, done, False, self._info() | ({"action": a} if self.draws else {})

    def _drawn(self, action: Any, x: int) -> int:
        """The action, or an allowed one where it is not and one is drawn."""
        a, allowed = _number(action, self.game), self.game.step.allowed[:, x]
        if self.draws and not allowed[a]:
            return int(self.np_random.choice(np.flatnonzero(allowed)))
        return _allowed(a, self.game, self._t, x)

    def action_masks(self) -> np.ndarray:
        """Which actions are allowed now, boolean (actions,)."""
        return np.array(self.game.step.allowed[:, self._cell[0]])

    def _seen(self) -> Observation:
        return np.array([self._t, self._cell[0] % self._sampler.cells], dtype=np.int64)

    def _info(self) -> Info:
        return {"action_mask": self.action_masks().astype(np.int8)}


class Crowd:
    """N agents who are the crowd; see `mfgsolve.learners.environments.adapters.to_pettingzoo`."""

    metadata: dict[str, Any] = {"name": "mfgsolve", "render_modes": []}
    render_mode = None

    def __init__(self, game: Game, counts: np.ndarray, spaces: Any, rng: Any) -> None:
        self.game, self._sampler = game, Sampler(game)
        self._population = np.repeat(np.arange(counts.size), counts)
        self._share = 1.0 / counts[self._population]  # mass of one agent
        kinds = game.grid.names if isinstance(game.grid, Populations) else ("agent",)
        self.possible_agents = [f"{kind}_{i}" for kind, count in zip(kinds, counts, strict=True) for i in range(count)]
        seen, chosen = spaces.MultiDiscrete([game.steps + 1, self._sampler.cells]), spaces.Discrete(game.step.actions)
        self.observation_spaces = dict.fromkeys(self.possible_agents, seen)
        self.action_spaces = dict.fromkeys(self.possible_agents, chosen)
        self.agents: list[str] = []
        self._rng = np.random.Generator(np.random.PCG64(seed_sequence(rng)))
        self._t, self._cells = game.steps, np.zeros(self._population.size, dtype=np.int64)

    def observation_space(self, agent: str) -> Any:
        """The same object at every call, as PettingZoo asks for."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        """The same object at every call, as PettingZoo asks for."""
        return self.action_spaces[agent]

    @property
    def mass(self) -> np.ndarray:
        """Share of every population in every cell, of the shape of the space."""
        return self._masses().reshape(self.game.grid.shape)

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Observation], dict[str, Info]]:
        """All agents anew, independent draws from the initial density."""
        if seed is not None:
            self._rng = np.random.Generator(np.random.PCG64(seed_sequence(seed)))
        self.agents, self._t = list(self.possible_agents), 0
        self._cells = self._sampler.start(self._population, self._rng)
        return self._seen(), self._infos()

    def step(self, actions: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
        """All choose at once, pay for the crowd that they are, and move."""
        if not self.agents:
            return {}, {}, {}, {}, {}
        game, t, cells = self.game, self._t, self._cells
        missing = [name for name in self.agents if name not in actions]
        if missing:
            raise InputError(f"actions of {len(missing)} agents are missing, {missing[0]!r} first; all act at once")
        numbers = [_number(actions[name], game) for name in self.agents]
        chosen = np.array([_allowed(a, game, t, x) for a, x in zip(numbers, cells.tolist(), strict=True)])
        mass, choices = self._masses(), np.zeros((game.step.actions, game.cells))
        np.add.at(choices, (chosen, cells), self._share)
        price = self._sampler.price(t, self._sampler.level(t, mass, choices))
        costs = self._sampler.action_cost(t, price)[chosen, cells] + self._sampler.state_cost(t, price)[cells]
        self._cells, self._t = self._sampler.move(t, cells, chosen, mass, self._rng), t + 1
        done, names = self._t == game.steps, self.agents
        if done:
            last = self._sampler.price(game.steps, self._sampler.level(game.steps, self._masses(), choices))
            costs += self._sampler.state_cost(game.steps, last)[self._cells]
        result = (
            self._seen(),
            dict(zip(names, (-costs).tolist(), strict=True)),
            dict.fromkeys(names, done),
            dict.fromkeys(names, False),
            self._infos(),
        )
        self.agents = [] if done else names
        return result

    def render(self) -> None:
        """Nothing to show; `mfgsolve.plots` draws densities."""

    def close(self) -> None:
        """Nothing is open."""

    def _masses(self) -> np.ndarray:
        return np.bincount(self._cells, self._share, self.game.cells)

    def _seen(self) -> dict[str, Observation]:
        cells = self._cells % self._sampler.cells
        rows = np.stack([np.full(cells.size, self._t), cells], axis=1)
        return dict(zip(self.agents, rows, strict=True))

    def _infos(self) -> dict[str, Info]:
        masks = self.game.step.allowed.T[self._cells].astype(np.int8)
        return {name: {"action_mask": mask} for name, mask in zip(self.agents, masks, strict=True)}


def _number(action: Any, game: Game) -> int:
    """The number of an action."""
    number = np.asarray(action)
    if number.size != 1 or number.dtype.kind not in "iu" or not 0 <= number.item() < game.step.actions:
        raise InputError(f"action is {action!r}; a whole number from 0 to {game.step.actions - 1} is needed")
    return int(number.item())


def _allowed(a: int, game: Game, t: int, x: int) -> int:
    """The same number, where the action is allowed in state x."""
    if not game.step.allowed[a, x]:
        raise InputError(
            f"action {a} is not allowed in state {x} at step {t}; the info's action_mask says which ones are"
        )
    return a
