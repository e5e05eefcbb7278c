"""Battles of four groups as parallel environments of PettingZoo, on the engine of MAgent2.

    env = multi_team_battle(size=16, agents=6, rng=0)
    observations, infos = env.reset()
    observations, rewards, terminations, truncations, infos = env.step({"a_0": attack(env, "a_0", 1, 0)})

Both libraries come with the extra ``mfgsolve[magent2]`` and are imported when a game is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, shown, unknown, whole
from mfgsolve.interop.peers import required
from mfgsolve.learners.battles.engine import EXTRA
from mfgsolve.learners.battles.rules import GATHERING, GROUPS, MULTI_TEAM, PREDATOR_PREY, Rules
from mfgsolve.learners.battles.worlds import Worlds, members, placed

__all__ = ["attack", "battle_gathering", "multi_team_battle", "predator_prey_battle", "stay"]

VIEW = 6.0  # radius of what agents see
_kinds: dict[type, type] = {}


class Battle:
    """Groups a, b, c, d on one map, until one of them is left or time is up.

    Attributes
    ----------
    possible_agents, agents : a_0, a_1, ..., d_k; who is still alive
    worlds : `Worlds` of one world: places, power and life of all, as arrays
    groups : names of the groups
    """

    metadata = {"name": "battle", "render_modes": [], "is_parallelizable": True}
    render_mode = None

    def __init__(self, worlds: Worlds, max_steps: int, positions: list[np.ndarray] | None, spaces: Any, rng: Any):
        self.worlds, self.max_steps, self.steps = worlds, max_steps, 0
        self.groups = GROUPS[: worlds.groups]
        self.metadata = {**Battle.metadata, "name": worlds.rules.name}
        self._positions, self._rng = positions, np.random.default_rng(rng)
        self._place = {f"{name}_{k}": (g, k) for g, name in enumerate(self.groups) for k in range(worlds.counts[g])}
        self.possible_agents, self.agents = list(self._place), list[str]()
        side = 2 * int(VIEW) + 1
        seen = spaces.Box(0.0, 1.0, (side, side, 1 + 2 * worlds.members), np.float32)
        self.observation_spaces = dict.fromkeys(self.possible_agents, seen)
        self.action_spaces = {name: spaces.Discrete(worlds.actions[g]) for name, (g, _) in self._place.items()}

    def observation_space(self, agent: str) -> Any:
        """(y, x, channel) around the agent: walls, then presence and power of its own group, of the next one, ..."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        """Moves, then attacks; `attack` and `stay` tell their numbers."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """All agents anew, at their places or at random ones; groups take turns in moving first."""
        if seed is not None:
            self._rng, self._first = np.random.default_rng(seed), 0
        first = getattr(self, "_first", 0)
        self._first, self.steps, self.agents = first + 1, 0, list(self.possible_agents)
        places = self.worlds.scattered(self._rng) if self._positions is None else self._positions
        self.worlds.begin([places], [int(self._rng.integers(2**31))], [first])
        return self._seen(), {name: {} for name in self.agents}

    def step(self, actions: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
        """All act at once; who is not named in ``actions`` stays.

        Raises
        ------
        InputError
            for a name that no agent has, and for a number that is no action of the agent
        """
        if not self.agents:
            return {}, {}, {}, {}, {}
        names = self.agents
        self.worlds.step(self._chosen(actions))
        self.steps += 1
        alive, paid = self.worlds.alive[0], self.worlds.reward[0]
        over, late = bool(self.worlds.over[0]), self.steps >= self.max_steps
        self.agents = [name for name in names if alive[self._place[name]]]
        seen = self._seen()
        nothing = np.zeros(next(iter(self.observation_spaces.values())).shape, np.float32)
        result: tuple[dict[str, Any], ...] = (
            {name: seen.get(name, nothing) for name in names},
            {name: float(paid[self._place[name]]) for name in names},
            {name: over or not alive[self._place[name]] for name in names},
            {name: late and not over and bool(alive[self._place[name]]) for name in names},
            {name: {} for name in names},
        )
        if over or late:
            self.agents = []
        return result

    def _chosen(self, actions: Mapping[str, Any]) -> np.ndarray:
        """(world, group, slot) numbers of actions."""
        worlds = self.worlds
        chosen = np.tile(np.array(worlds.stay)[:, None], (1, 1, worlds.slots))
        for name, action in actions.items():
            g, k = _place(self, name)
            number = np.asarray(action)
            if number.size != 1 or number.dtype.kind not in "iu" or not 0 <= number.item() < worlds.actions[g]:
                raise InputError(f"action of {name} is {shown(action)}; a number from 0 to {worlds.actions[g] - 1}")
            chosen[0, g, k] = number.item()
        return chosen

    def _seen(self) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for g, name in enumerate(self.groups):
            rows, views = self.worlds.view(0, g)
            seen |= {f"{name}_{k}": view for k, view in zip(rows.tolist(), views, strict=True)}
        return {name: seen[name] for name in self.agents}

    @property
    def standing(self) -> dict[str, int]:
        """How many of each group are alive."""
        return dict(zip(self.groups, self.worlds.standing[0].tolist(), strict=True))

    @property
    def winners(self) -> list[str]:
        """Groups that have most agents alive: one, or several in a tie."""
        standing = self.standing
        return [name for name, count in standing.items() if count == max(standing.values())]

    def state(self) -> np.ndarray:
        """(member, y, x) power on each cell, 0 where nobody is; food last."""
        worlds = self.worlds
        result = np.zeros((worlds.members, worlds.size, worlds.size), dtype=np.float32)
        g, k = np.nonzero(worlds.alive[0])
        x, y = worlds.position[0, g, k].T
        result[g, y, x] = worlds.power[0, g, k]
        return result

    def render(self) -> None:
        """Nothing is shown here; `state` is the picture."""

    def close(self) -> None:
        """Nothing is open."""


def multi_team_battle(
    size: int = 60, agents: int = 72, max_steps: int = 500, positions: Any = None, rng: Any = 0
) -> Any:
    """Four groups that pay differently for one another.

    Every step pays -0.01, an attack -0.1 more whomever it hits; a hit on the next group in the cycle a, b, c, d pays
    0.2, on the one after it 0.3, on the one after that 0.4; a blow that kills 80, 90, 100 instead.  Who dies gets -1
    instead of what that step and its attack cost.  Power 10, damage 2, recovery 0.1 a step; agents move and attack
    within 2 cells.

    Parameters
    ----------
    size : of the square map, whose outermost cells are walls
    agents : of each group
    max_steps : after which time is up
    positions : mapping from names of groups to pairs (x, y): just these agents, at these places; by default ``agents``
        of every group at random places
    rng : seed of the episodes until ``reset(seed=...)`` sets another

    Returns
    -------
    pettingzoo.ParallelEnv
        `Battle`

    Raises
    ------
    InputError
        if MAgent2 or PettingZoo is not installed; for groups that do not fit on the map; for positions that collide,
        lie in a wall or name no group
    """
    return _made(MULTI_TEAM, size, (agents,) * 4, 0, max_steps, positions, rng)


def battle_gathering(
    size: int = 60, agents: int = 72, max_steps: int = 500, positions: Any = None, rng: Any = 0,
    food: int | None = None,
) -> Any:  # fmt: skip
    """`multi_team_battle` with stationary food of power 10: a hit on it pays 0.5, the hit that finishes it 80.

    Parameters
    ----------
    size, agents, max_steps, positions, rng : see `multi_team_battle`; positions of "food" say where it is
    food : how much; as many as agents of a group without
    """
    return _made(GATHERING, size, (agents,) * 4, agents if food is None else food, max_steps, positions, rng)


def predator_prey_battle(
    size: int = 60, agents: int = 45, max_steps: int = 500, positions: Any = None, rng: Any = 0,
    prey: int | None = None,
) -> Any:  # fmt: skip
    """Two groups of predators, a and b, who hunt each other and two groups of prey, c and d.

    A hit of a on b, c, d pays 0.5, 1, 3, one of b on a, d, c the same, and who is hit loses as much; a blow that kills
    pays 5.  An attack costs 0.2, death 0.1 (instead of what else that step cost).  Power 10, damage 2, recovery 0.1
    a step; predators move and attack within 2 cells, prey moves within 2.5 and cannot attack.

    Parameters
    ----------
    size, max_steps, positions, rng : see `multi_team_battle`
    agents : predators of each group
    prey : of each group; twice as many as predators without
    """
    prey = 2 * whole(agents, "agents") if prey is None else prey
    return _made(PREDATOR_PREY, size, (agents, agents, prey, prey), 0, max_steps, positions, rng)


def attack(env: Any, agent: str, dx: int, dy: int) -> int:
    """The action by which an agent attacks the cell (dx, dy) from its own.

    Raises
    ------
    InputError
        if its group cannot reach there
    """
    g, _ = _place(env, agent)
    targets = env.worlds.attacks[g].tolist()
    if [dx, dy] not in targets:
        allowed = ", ".join(f"({x}, {y})" for x, y in targets) or "nothing, it cannot attack"
        raise InputError(f"{agent} cannot attack ({dx}, {dy}) from its cell; within reach: {allowed}")
    return len(env.worlds.moves[g]) + targets.index([dx, dy])


def stay(env: Any, agent: str) -> int:
    """The action by which an agent does nothing."""
    return int(env.worlds.stay[_place(env, agent)[0]])


def _place(env: Any, agent: str) -> tuple[int, int]:
    place: tuple[int, int] | None = env._place.get(agent) if isinstance(agent, str) else None
    if place is None:
        raise InputError(unknown("agent", agent, env._place))
    return place


def _made(rules: Rules, size: Any, agents: tuple[Any, ...], food: Any, max_steps: Any, positions: Any, rng: Any) -> Any:
    """The environment of a game."""
    size, max_steps, food = whole(size, "size"), whole(max_steps, "max_steps"), whole(food, "food")
    counts = tuple(whole(each, "agents") for each in agents)
    for name, value, least in (("size", size, 3), ("max_steps", max_steps, 1), ("agents", min(counts), 1)):
        if value < least:
            raise InputError(f"{name} is {value}; a whole number of at least {least} is needed")
    if food < 0:
        raise InputError(f"food is {food}; a whole number of at least 0 is needed")
    places = None if positions is None else _stated(positions, size, rules)
    if places is not None:
        counts, food = tuple(map(len, places[:4])), len(places[4]) if rules.food else 0
    module = required("pettingzoo", "PettingZoo", EXTRA)
    spaces = required("gymnasium.spaces", "Gymnasium", EXTRA)
    parent = module.ParallelEnv
    if parent not in _kinds:  # made here and not in the module, since the library may be missing
        _kinds[parent] = type("Battle", (Battle, parent), {"__doc__": Battle.__doc__})
    return _kinds[parent](Worlds(rules, size, counts, food, radius=VIEW), max_steps, places, spaces, rng)


def _stated(positions: Any, size: int, rules: Rules) -> list[np.ndarray]:
    names = members(rules)
    if not isinstance(positions, Mapping):
        raise InputError(f"positions is a {type(positions).__name__}; a mapping from {', '.join(names)} is needed")
    for name in positions:
        if name not in names:
            raise InputError(unknown("group in positions", name, names))
    places = placed(positions, size, names)
    if sum(len(each) > 0 for each in places[: len(GROUPS)]) < 2:
        raise InputError("positions hold agents of fewer than two groups; a battle needs two")
    return places
