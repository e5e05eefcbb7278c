"""Q-learners who push one plant: parts that help them to cooperate, beside plain independent ones on the same seeds.

Every agent knows f and its own reward, and sees the state and, afterwards, the controls of the others.  It has values
of its own, of its own control alone, and after every step learns from a minibatch of what it remembers:

    q_i(x, u_i) += rate (r_i(x', u) + discount max_a q_i(x', a) - q_i(x, u_i)).

The parts are temporal replay (`mfgsolve.parts.temporal`), imagined replay (`mfgsolve.parts.imagination`) and the
step size by impact (`mfgsolve.parts.impact`).  Plain agents draw even minibatches and learn at the rate alpha.  Laws of
age, thresholds of impact and all constants are reconstructed: those of the paper are not public.

Agents are judged by the exact value of their greedy joint policy, mean over agents, from a start drawn evenly, beside
the best that a centre could do (`mfgsolve.tasks.plant`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from mfgsolve.errors import InputError, real, unknown
from mfgsolve.learners.cooperation.cooperative_networks import NetworkAgents
from mfgsolve.learners.cooperation.cooperative_tables import PARTS, Agents, Laws, Memory, TableAgents, empty_memory
from mfgsolve.parts.imagination import Imagination
from mfgsolve.parts.impact import Impact
from mfgsolve.parts.temporal import TemporalBatches
from mfgsolve.tasks.learner import STORED, TaskLearner, TrainingState, number, series
from mfgsolve.tasks.plant import Plant, Tables, optimum, policy_value, tabulate
from mfgsolve.tasks.task import Task

__all__ = ["ARMS", "Cooperative", "CooperativeState", "read_parts"]

ARMS = ("cooperative", "independent")
VALUES = ("table", "mlp")
MOST_BLOCKS = 40


def read_parts(text: str) -> tuple[bool, bool, bool]:
    """Which of temporal, imagined and impact a text names, separated by commas; "none" names no part."""
    names = [name.strip() for name in text.split(",")]
    if names == ["none"]:
        return (False, False, False)
    for name in names:
        if name not in PARTS:
            raise InputError(f"{unknown('part of cooperative learners', name, PARTS)}; or none, alone")
    return ("temporal" in names, "imagined" in names, "impact" in names)


@dataclass
class CooperativeState(TrainingState):
    """Values (arms, seeds, agents, ...) and memories (arms, seeds, capacity, ...) of both arms."""

    agents: Agents
    tables: Tables
    best: np.ndarray  # (states,), of a centre
    choices: np.ndarray  # (states, agents), of a centre
    values: np.ndarray = field(metadata=STORED)
    before: np.ndarray = field(metadata=STORED)
    joint: np.ndarray = field(metadata=STORED)
    after: np.ndarray = field(metadata=STORED)
    seen: np.ndarray = field(metadata=STORED)
    updates: np.ndarray = field(metadata=STORED)

    def memory(self, arm: int) -> Memory:
        """Of one arm, to be written into."""
        return Memory(self.before[arm], self.joint[arm], self.after[arm], self.seen[arm], self.updates[arm])

    def returns(self) -> np.ndarray:
        """Exact value of the greedy joint policies, (arms, seeds)."""
        return np.array([returns(self.tables, self.agents.choices(each)) for each in self.values])


def returns(tables: Tables, choices: np.ndarray) -> np.ndarray:
    """Exact values of joint policies (seeds, states, agents), from a start drawn evenly."""
    return np.array([policy_value(tables, each).mean() for each in choices])


@dataclass(frozen=True)
class Cooperative(TaskLearner[CooperativeState]):
    """The parts that are asked for, beside plain independent learners.

    Parameters
    ----------
    parts : "temporal", "imagined", "impact", some of them with commas between, or "none"
    values : "table", or "mlp": networks with two hidden layers of ``hidden`` units, moved by Adam with step ``step``
    seeds : trainings beside one another, whose spread is told
    episodes : of each
    minibatch, macrobatch, fading : see `mfgsolve.parts.temporal.TemporalBatches`
    memory : transitions that are kept
    idle, coordination : see `mfgsolve.parts.imagination.Imagination`
    alpha, sigma, beta, low, high : see `mfgsolve.parts.impact.Impact`; without it the step size is alpha
    half_life : episodes in which exploration, 1 at first, falls to one half
    least_exploration : below which it does not fall
    """

    parts: str = "temporal,imagined,impact"
    values: str = "table"
    seeds: int = 5
    episodes: int = 400
    minibatch: int = 16
    macrobatch: int = 500
    fading: float = 1000.0
    memory: int = 2000
    idle: float = 1.0
    coordination: float = 1.0
    alpha: float = 0.2
    sigma: float = 0.1
    beta: float = 0.05
    low: float = 0.5
    high: float = 1.5
    half_life: float = 60.0
    least_exploration: float = 0.05
    hidden: int = 32
    step: float = 0.005
    seed: int = 0
    name = "cooperative"
    source = "Köpf et al., arXiv:1910.13196; laws of age, thresholds and constants are reconstructed"
    picture = "cooperation"

    def __post_init__(self) -> None:
        self.laws()
        if self.values not in VALUES:
            raise InputError(unknown("kind of values", self.values, VALUES))
        for name in ("seeds", "episodes", "hidden"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} of cooperative is {getattr(self, name)}; at least 1 is needed")
        if self.memory < self.macrobatch:
            raise InputError(
                f"memory is {self.memory}, less than the macrobatch of {self.macrobatch} that is drawn from it; make "
                "it larger, or the macrobatch smaller"
            )
        if not 0 < self.half_life < float("inf"):
            raise InputError(f"half_life is {self.half_life:g}; a positive number of episodes is needed")
        if not 0 <= self.least_exploration <= 1:
            raise InputError(f"least_exploration is {self.least_exploration:g}; a probability from 0 to 1 is needed")
        if not 0 < real(self.step, "step") < float("inf"):
            raise InputError(f"step is {self.step:g}; a positive finite number is needed")

    def laws(self, plain: bool = False) -> Laws:
        """What an arm learns by; plain agents use no part."""
        return Laws(
            (False, False, False) if plain else read_parts(self.parts),
            TemporalBatches(self.minibatch, self.macrobatch, self.fading),
            Imagination(self.idle, self.coordination),
            Impact(self.alpha, self.sigma, self.beta, self.low, self.high),
        )

    @property
    def episodes_of_block(self) -> int:
        """The least divisor of the episodes with which there are no more than 40 blocks."""
        return next(
            d for d in range(1, self.episodes + 1) if self.episodes % d == 0 and self.episodes / d <= MOST_BLOCKS
        )

    @property
    def blocks(self) -> int:
        return self.episodes // self.episodes_of_block

    def exploration(self, block: int) -> np.ndarray:
        """epsilon of every episode of a block."""
        episodes = block * self.episodes_of_block + np.arange(self.episodes_of_block)
        return np.maximum(0.5 ** (episodes / self.half_life), self.least_exploration)

    def refuses(self, task: Task) -> str | None:
        """Whatever is no plant."""
        return None if isinstance(task, Plant) else "it pushes plants (shared-steering, pushed-pendulum)"

    def start(self, task: Plant, arms: int = len(ARMS)) -> CooperativeState:
        """The state of so many arms, all of which begin alike."""
        tables = tabulate(task)
        kind: Agents = (
            TableAgents(task, tables) if self.values == "table" else NetworkAgents(task, tables, self.hidden, self.step)
        )
        fresh = kind.fresh(self.seeds, self.stream(0, 1))
        values = np.repeat(fresh[None], arms, axis=0)
        none = empty_memory((arms, self.seeds), self.memory, tables.agents)
        return CooperativeState(
            kind, tables, *optimum(tables), values, none.before, none.joint, none.after, none.seen, none.updates
        )

    def init(self, task: Task) -> CooperativeState:
        assert isinstance(task, Plant)
        return self.start(task)

    def advance(self, task: Task, state: CooperativeState) -> xr.Dataset:
        assert isinstance(task, Plant)
        epsilons = self.exploration(state.block)
        for arm in range(len(ARMS)):
            laws = self.laws(plain=ARMS[arm] == "independent")
            state.agents.play(state.values[arm], state.memory(arm), laws, epsilons, self.stream(state.block))
        state.agent_steps += len(ARMS) * self.seeds * len(epsilons) * task.steps * state.tables.agents
        text = "exact discounted return, mean over agents"
        measured = {
            "exploration": series("probability to explore", "1", epsilons[-1]),
            "returns": series(text, "reward", state.returns(), ("arm", "seed")),
            "updates_made": series("updates of values", "1", state.updates.copy(), ("arm", "seed")),
        }
        return xr.Dataset(measured, {"arm": list(ARMS)})

    def finish(self, task: Task, state: CooperativeState, history: xr.Dataset) -> xr.Dataset:
        assert isinstance(task, Plant)
        earned, best = state.returns(), float(state.best.mean())
        (ours, plain), (error, plain_error) = earned.mean(axis=1), standard_errors(earned)
        updates = state.updates.mean(axis=1)
        numbers = {
            "return": number("return of the greedy policies, exact, mean over seeds", "reward", ours),
            "independent_return": number("return of plain independent learners", "reward", plain),
            "optimal_return": number("return of a centre, by dynamic programming", "reward", best),
            "return_error": number("standard error of the return, over seeds", "reward", error),
            "independent_error": number("standard error of independent learners", "reward", plain_error),
            "optimal_error": number("error of the return of a centre, which is exact", "reward", 0.0),
            "updates": number("updates of values, of a seed", "1", updates[0]),
            "independent_updates": number("updates of independent learners", "1", updates[1]),
        }
        return xr.Dataset(numbers | self._tables(task, state), {"arm": list(ARMS)} | _axes(task))

    def _tables(self, task: Plant, state: CooperativeState) -> dict[str, xr.DataArray]:
        """What everybody does where, and what a centre would let all do together."""
        names = tuple(axis.name for axis in task.axes)
        shape = tuple(axis.size for axis in task.axes)
        chosen = np.array([state.agents.choices(each) for each in state.values])
        control = np.moveaxis(state.tables.controls[chosen], -1, 2).reshape(
            *chosen.shape[:2], state.tables.agents, *shape
        )
        total = state.tables.controls[state.choices].sum(axis=-1).reshape(shape)
        return {
            "control": series("greedy control", "1", control, ("arm", "seed", "agent", *names)),
            "optimal_total": series("sum of controls of a centre", "1", total, names),
        }


def standard_errors(values: np.ndarray) -> np.ndarray:
    """Of means over the last axis; NaN of one value, whose spread nobody knows."""
    count = values.shape[-1]
    if count < 2:
        return np.full(values.shape[:-1], np.nan)
    return np.asarray(values.std(axis=-1, ddof=1) / np.sqrt(count))


def _axes(plant: Plant) -> dict[str, Any]:
    return {axis.name: (axis.name, axis.nodes, {"units": axis.units}) for axis in plant.axes}
