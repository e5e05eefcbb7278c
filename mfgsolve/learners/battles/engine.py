"""The engine of MAgent2, made for a game's rules; this module alone knows it.

Facts of the engine that shape what is done here:

- one configuration must not serve two engines, so each is made of one of its own;
- groups move in the order in which their actions are handed over; whose attack comes first is left to chance;
- an agent dies of the blow that takes its power below 0: at power 0 it lives, so five blows of 2 do not kill one of 10;
- a blow that kills pays what the rule of kills says and not what the rule of hits says;
- a death replaces what the step and the attack cost; what rules pay in that step is on top of it;
- rewards of attacks and of rules add up until the dead are cleared, which is done after every step;
- without a seed it takes 0, and ``reset`` does not start its random numbers again: ``begin`` sets the seed before;
- an agent on an occupied cell or in a wall is left out without a word: ``begin`` counts;
- numbers of agents count from 0 over all groups in the order in which they were added and stay what they are, while the
  rows of all its arrays close up when the dead are cleared: survivors keep their order;
- its own buffers of what agents see are used again at the next call, and so are those that are handed to it here:
  whatever an `Engine` tells is a copy;
- it is called at the level of its library, with the addresses of arrays that are made once an episode: half of the
  time of a step would be spent on looking these up anew;
- it calls an episode done when any group is gone, food included, and goes on all the same: that is not asked here.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from mfgsolve.interop.peers import required
from mfgsolve.learners.battles.rules import FOOD, GROUPS, Kind, Rules

__all__ = ["NEAR", "Engine", "offsets"]

EXTRA = "magent2"
NEAR = 2.0  # the least radius of a view in which own power can be read, and every attack has a place


class Engine:
    """A world of one game, in which groups are called by their numbers; food is the last.

    Parameters
    ----------
    rules : of the game
    size : of the square map, whose outermost cells are walls
    radius : of what agents see

    Raises
    ------
    InputError
        if MAgent2 is not installed
    """

    def __init__(self, rules: Rules, size: int, radius: float = NEAR):
        magent2 = required("magent2", "MAgent2", EXTRA)
        self._library = required("magent2.c_lib", "MAgent2", EXTRA)._LIB
        self._groups = len(rules.kinds)
        self._grid = magent2.GridWorld(_configured(magent2.gridworld, rules, size, radius))
        self._handles = self._grid.get_handles()
        self._buffers = [_Buffers(self._grid, handle, 1) for handle in self._handles]
        self._there = [0] * len(self._handles)  # agents of each group, the dead included until they are cleared

    def begin(self, positions: Sequence[np.ndarray], seed: int) -> None:
        """Place the agents of every group, (agents, 2) as (x, y); food last."""
        self._grid.set_seed(seed)
        self._grid.reset()
        for g, (handle, places) in enumerate(zip(self._handles, positions, strict=True)):
            if len(places):
                self._grid.add_agents(handle, method="custom", pos=places)
            placed = self._grid.get_num(handle)
            if placed != len(places):
                raise RuntimeError(f"the engine placed {placed} of {len(places)} agents of group {g}")
            self._there[g] = placed
            if self._buffers[g].room < placed:
                self._buffers[g] = _Buffers(self._grid, handle, placed)

    def act(self, actions: Sequence[np.ndarray], first: int = 0) -> None:
        """One step: an action for every living agent of every group; group ``first`` moves first, then those after it
        in the cycle."""
        for k in range(len(actions)):
            g = (first + k) % self._groups if k < self._groups else k
            buffers = self._buffers[g]
            buffers.actions[: len(actions[g])] = actions[g]
            self._library.env_set_action(self._grid.game, buffers.handle, buffers.to_actions)
        self._grid.step()

    def rewards(self, group: int) -> np.ndarray:
        """Rewards of the step, of all who began it."""
        buffers = self._buffers[group]
        self._library.env_get_reward(self._grid.game, buffers.handle, buffers.to_rewards)
        return buffers.rewards[: self._there[group]].copy()

    def survivors(self, group: int) -> np.ndarray:
        """Who survived the step, of all who began it; to be asked before the dead are cleared."""
        return np.asarray(self._grid.get_alive(self._handles[group]))

    def clear(self) -> None:
        """Take the dead off the map, and forget the rewards."""
        self._grid.clear_dead()
        self._there = [self._grid.get_num(handle) for handle in self._handles]

    def numbers(self, group: int) -> np.ndarray:
        """Numbers of the living, from 0 over all groups in their order."""
        return np.asarray(self._grid.get_agent_id(self._handles[group]))

    def positions(self, group: int) -> np.ndarray:
        """(living, 2) as (x, y)."""
        buffers = self._buffers[group]
        self._library.env_get_info(self._grid.game, buffers.handle, b"pos", buffers.to_places)
        return buffers.places[: self._there[group]].copy()

    def powers(self, group: int) -> np.ndarray:
        """(living,) as a share of what they began with."""
        buffers = self._buffers[group]
        self._library.env_get_observation(self._grid.game, buffers.handle, buffers.to_seen)
        return buffers.power[: self._there[group]].copy()

    def view(self, group: int) -> np.ndarray:
        """(living, y, x, channel): walls, then presence and power of one's own group, of the next in the cycle, ...;
        of food last, which the engine counts as one more group of the cycle."""
        seen, _ = self._grid.get_observation(self._handles[group])
        members = len(self._handles)
        cycle = [(group + k) % members for k in range(members)]
        wanted = [(group + k) % self._groups if k < self._groups else k for k in range(members)]
        places = [cycle.index(g) for g in wanted]
        return np.array(seen[..., [0, *(1 + 2 * k + half for k in places for half in (0, 1))]])

    def attack_base(self, group: int) -> int:
        """Number of the first attack among the actions of a group."""
        return int(self._grid.get_view2attack(self._handles[group])[0])

    def actions(self, group: int) -> int:
        """How many actions a group has."""
        return int(self._grid.get_action_space(self._handles[group])[0])


class _Buffers:
    """Arrays that the engine reads and writes for one group of at most ``room`` agents, and their addresses."""

    def __init__(self, grid: Any, handle: Any, room: int):
        self.handle, self.room = handle, room
        self.actions = np.zeros(room, dtype=np.int32)
        self.rewards = np.zeros(room, dtype=np.float32)
        self.places = np.zeros((room, 2), dtype=np.int32)
        self._seen = np.zeros((room, *map(int, grid.get_view_space(handle))), dtype=np.float32)
        self._features = np.zeros((room, *map(int, grid.get_feature_space(handle))), dtype=np.float32)
        self.power = self._seen[:, self._seen.shape[1] // 2, self._seen.shape[2] // 2, 2]
        self.to_actions, self.to_rewards, self.to_places = (
            ctypes.c_void_p(each.ctypes.data) for each in (self.actions, self.rewards, self.places)
        )
        self.to_seen = (ctypes.c_void_p * 2)(self._seen.ctypes.data, self._features.ctypes.data)


def offsets(radius: float, centre: bool) -> np.ndarray:
    """(n, 2) cells (dx, dy) of a disc, row by row: what the engine's numbers of moves (with centre) and of attacks
    (without) mean."""
    reach = int(radius)
    return np.array(
        [
            (x, y)
            for y in range(-reach, reach + 1)
            for x in range(-reach, reach + 1)
            if x * x + y * y <= radius * radius and (centre or x or y)
        ],
        dtype=np.int64,
    ).reshape(-1, 2)


def _configured(gridworld: Any, rules: Rules, size: int, radius: float) -> Any:
    """A configuration of the engine's own."""
    config = gridworld.Config()
    config.set({"map_width": size, "map_height": size, "embedding_size": 0, "seed": 0})
    kinds = list(zip(GROUPS, rules.kinds, strict=True))
    if rules.food is not None:
        kinds.append((FOOD, Kind(rules.food.power, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)))
    symbols = []
    for name, kind in kinds:
        config.register_agent_type(name, _attributes(gridworld, kind, radius))
        symbols.append(gridworld.AgentSymbol(config.add_group(name), "any"))
    _pay(gridworld.Event, config, rules, symbols)
    return config


def _attributes(gridworld: Any, kind: Kind, radius: float) -> dict[str, Any]:
    return {
        "width": 1, "length": 1, "hp": kind.power, "damage": kind.damage, "step_recover": kind.recovery,
        "speed": kind.speed, "attack_range": gridworld.CircleRange(kind.reach),
        "view_range": gridworld.CircleRange(radius), "step_reward": kind.move, "dead_penalty": kind.death,
        "attack_penalty": kind.attack, "kill_reward": 0.0,  # rules of kills pay, and this would come on top of them
    }  # fmt: skip


def _pay(event: Any, config: Any, rules: Rules, symbols: Sequence[Any]) -> None:
    """The rules of what hits and kills pay."""
    groups = range(len(rules.kinds))
    for i in groups:
        for j in groups:
            hit, kill = rules.hits[i][j], rules.kills[i][j]
            who, whom = symbols[i], symbols[j]
            if hit and rules.robbed:
                config.add_reward_rule(event(who, "attack", whom), receiver=[who, whom], value=[hit, -hit])
            elif hit:
                config.add_reward_rule(event(who, "attack", whom), receiver=[who], value=[hit])
            if kill:
                config.add_reward_rule(event(who, "kill", whom), receiver=[who], value=[kill])
        if rules.food is not None:
            food = symbols[len(rules.kinds)]
            config.add_reward_rule(event(symbols[i], "attack", food), receiver=[symbols[i]], value=[rules.food.hit])
            config.add_reward_rule(event(symbols[i], "kill", food), receiver=[symbols[i]], value=[rules.food.capture])
