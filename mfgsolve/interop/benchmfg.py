"""The border to Bench-MFG (https://pypi.org/project/bench-mfg-suite): its stationary games, and policies it can score.

An environment of Bench-MFG is a step for ever: rewards r(s, a, m), transitions s' = T(s, a, noise, m) with chances of
the noise, and a discount factor.  Its equilibrium is of the *invariant* kind (`mfgsolve.Discounted`); the same step is
a renewal or an ergodic game, too.  Bench-MFG's exploitability is lifetime reward from the law of the policy,

    <m, V*(m)> - <m, V_pi(m)>,      ours, per step, is (1 - factor) times that.

It follows the law through 50 steps from ``env.stationary_mean_field`` and values through ``env.horizon`` - 1 steps;
with that law set to ours (`to_bench_mfg_mean_field`) and a long horizon both agree to round-off.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Any

import numpy as np
from scipy import sparse

from mfgsolve.cautions import collect, say, unique
from mfgsolve.couplings import Coupling, CustomCoupling, Sum
from mfgsolve.dynamics import Tabular
from mfgsolve.errors import InputError, unknown
from mfgsolve.grids import Grid
from mfgsolve.interop.closedforms import CrowdLogarithm, Linear
from mfgsolve.interop.peers import required, split_settings
from mfgsolve.interop.rewards import crowds, state_coupling
from mfgsolve.problem import Problem
from mfgsolve.spaces import Space, States
from mfgsolve.stationary import Discounted, Ergodic

__all__ = ["bench_mfg_names", "build_bench_mfg", "from_bench_mfg", "to_bench_mfg_mean_field", "to_bench_mfg_policy"]

GAMES = ("invariant", "renewal", "ergodic")
SOURCE = "Bench-MFG, arXiv:2602.12517"
NEEDED = ("N_states", "N_actions", "noise_prob", "stationary_mean_field", "gamma", "transition", "reward")
ALIKE = 1e-11  # relative: what counts as the same reward
REMEMBERED = 16  # crowds
LARGEST = 10_000_000  # numbers of a matrix of costs worth asking for
EXTRA = ("Bench-MFG", "bench-mfg")


def from_bench_mfg(
    env: Any, *, game: str = "invariant", name: str = "bench-mfg", parameters: Mapping[str, Any] | None = None
) -> Problem:
    """A stationary environment of Bench-MFG as a `Problem` without a final time: cost = -reward, steps of length 1.

    Whether transitions and rewards depend on the crowd, and how, is found out by asking them.  Rewards whose change by
    the crowd has the form k(s) - c log(max(m(s), eps)) - B m become couplings in closed form, those that are linear in
    the crowd and differ between actions one with an exact derivative; others keep asking.  Cells of a grid that nobody
    enters from another are blocked, as its obstacles are (not of a renewal game: agents may be born there).

    Parameters
    ----------
    env : benchmfg.envs.MFGStationary
    game : which of the three stationary games: "invariant" is Bench-MFG's own; "renewal" begins in
        ``env.stationary_mean_field``; "ergodic" has no discount
    name, parameters : how the problem is listed, and what it was built from

    Raises
    ------
    InputError
        for something that is no such environment, another game, and a discount factor outside (0, 1) where it is needed

    Source: Magnino, Shen, Geist, Pietquin and Lauriere, arXiv:2602.12517 (bench-mfg-suite 0.1.3).
    """
    if game not in GAMES:
        raise InputError(unknown("game of from_bench_mfg", game, GAMES))
    missing = [each for each in NEEDED if not hasattr(env, each)]
    if missing:
        raise InputError(
            f"a {type(env).__name__} is no stationary environment of Bench-MFG: it has no {' and no '.join(missing)}"
        )
    with collect() as said:
        problem = _stated(_Asked(env), game, name, parameters)
    return replace(problem, cautions=unique(problem.cautions, said))


def _stated(asked: _Asked, game: str, name: str, parameters: Mapping[str, Any] | None) -> Problem:
    env = asked.env
    even = np.full(asked.states, 1.0 / asked.states)
    matrices = asked.matrices(even)
    coupled = asked.moves_by_crowd(matrices)
    own, coupling = _coupling(asked)
    blocked = np.zeros(asked.states, bool) if coupled or game == "renewal" else _never_entered(matrices)
    space = _space(env, asked.states, blocked)
    if coupled:
        say(
            "discontinuous-transitions",
            "its transitions depend on the crowd by a noise of finitely many values, so that chances jump as the crowd "
            "changes; there may be no exact equilibrium, and the exploitability tells how near a policy comes",
        )
    return Problem(
        grid=space,
        time=Ergodic() if game == "ergodic" else Discounted(factor=float(env.gamma), population=game),
        dynamics=Tabular(
            (lambda t, mass: asked.matrices(np.asarray(mass).reshape(-1))) if coupled else matrices,
            cost=own.reshape(asked.actions, *space.shape),
        ),
        coupling=0.0 if coupling is None else coupling,
        initial=np.asarray(env.stationary_mean_field, float).reshape(space.shape) if game == "renewal" else None,
        name=name,
        source=SOURCE,
        parameters=parameters,
    )


def to_bench_mfg_policy(solution: Any) -> np.ndarray:
    """The policy of a solution as the array (states, actions) that Bench-MFG's ``env.exploitability`` takes.

    The classes of Bench-MFG compute in double precision; its JAX functions do so after
    ``jax.config.update("jax_enable_x64", True)``.
    """
    policy = solution.dataset["policy"]
    if "step" in policy.dims:
        raise InputError(
            f"the policy of {solution.name!r} changes from step to step, and Bench-MFG takes stationary ones; solve a "
            "game without a final time (Discounted or Ergodic)"
        )
    values = np.asarray(policy.values, dtype=float).reshape(policy.sizes["action"], -1).T
    nobody = ~np.isfinite(values).all(axis=1, keepdims=True)  # blocked: any distribution will do
    return np.where(nobody, 1.0 / values.shape[1], values)


def to_bench_mfg_mean_field(solution: Any) -> np.ndarray:
    """The law of a solution (states,), for ``env.update_stationary_mean_field``: its score then begins at the law."""
    density = solution.dataset["density"]
    if "time" in density.dims:
        raise InputError(f"the density of {solution.name!r} changes with time, and Bench-MFG's is stationary")
    mass = np.nan_to_num(np.asarray(density.values, dtype=float)).reshape(-1)
    return np.asarray(mass / mass.sum())


# -- by name ---------------------------------------------------------------------------------------------------------


def bench_mfg_names() -> list[str]:
    """Environments that Bench-MFG has a configuration for, and makes."""
    library, made = required("benchmfg", *EXTRA), []
    for game in _configurations():
        with contextlib.suppress(NotImplementedError), _same_random_numbers():
            library.make_environment([f"environment={game}"])
            made.append(game)
    return made


def build_bench_mfg(game: str, settings: Mapping[str, Any]) -> Problem:
    """`from_bench_mfg` of the environment of a configuration, with settings in its own words, say ``gamma`` and
    ``reward.lasry_lions.movement_penalty``, and ``game``, which of the three stationary games it is."""
    library, (game, own) = required("benchmfg", *EXTRA), split_settings(game)
    listed = _configurations()
    if game not in listed:
        raise InputError(unknown("environment of Bench-MFG", game, listed))
    given = {**own, **settings}
    changes = {key: value for key, value in given.items() if key != "game"}
    allowed = [*_dotted(library.load_config([f"environment={game}"]).environment), "game"]
    for key in changes:
        if key not in allowed:
            raise InputError(unknown(f"setting of bench-mfg:{game}", key, allowed))
    overrides = [f"environment={game}", *(f"environment.{key}={_spelt(value)}" for key, value in changes.items())]
    try:
        with _same_random_numbers():
            env, _ = library.make_environment(overrides)
    except (TypeError, ValueError, IndexError, AssertionError, NotImplementedError) as error:
        told = " ".join(str(error).split())[:300]
        raise InputError(f"Bench-MFG does not make {game} with the settings {changes}: {told}") from None
    kind = str(given.get("game", "invariant"))
    return from_bench_mfg(env, game=kind, name=f"bench-mfg:{game}", parameters=given)


def _configurations() -> list[str]:
    names = [each.name for each in files("benchmfg.config.environment").iterdir()]
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))


def _dotted(config: Any, before: str = "") -> Iterator[str]:
    """Names of the settings of a configuration, those in tables after their table and a dot."""
    for key in config:
        if isinstance(config[key], Mapping):
            yield from _dotted(config[key], f"{before}{key}.")
        else:
            yield f"{before}{key}"


def _spelt(value: Any) -> str:
    """A setting as its configuration spells it."""
    if isinstance(value, bool):
        return str(value).lower()
    return "[" + ",".join(map(_spelt, value)) + "]" if isinstance(value, list | tuple) else str(value)


@contextlib.contextmanager
def _same_random_numbers() -> Iterator[None]:
    """Bench-MFG draws a first policy from NumPy's global generator, which others may use, too."""
    before = np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


# -- what an environment says ----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Asked:
    """An environment that answers with arrays: costs (A, S), and one matrix (state, next state) per action."""

    env: Any
    known: dict[bytes, list[sparse.csr_array]] = field(default_factory=dict)

    @property
    def states(self) -> int:
        return int(self.env.N_states)

    @property
    def actions(self) -> int:
        return int(self.env.N_actions)

    def cost(self, mass: np.ndarray) -> np.ndarray:
        return np.stack([self.cost_of(a, mass) for a in range(self.actions)])

    def cost_of(self, action: int, mass: np.ndarray) -> np.ndarray:
        """-reward of an action in every state (S,)."""
        told = [self.env.reward(mean_field=mass, state=s, action=action) for s in range(self.states)]
        return -np.asarray(told, dtype=float)

    def matrices(self, mass: np.ndarray) -> list[sparse.csr_array]:
        """Chances of the next state; those of the last few crowds are remembered."""
        key = np.asarray(mass, dtype=float).tobytes()
        if key not in self.known:
            while len(self.known) >= REMEMBERED:
                del self.known[next(iter(self.known))]
            self.known[key] = self._matrices(mass)
        return list(self.known[key])

    def _matrices(self, mass: np.ndarray) -> list[sparse.csr_array]:
        noise, move = np.asarray(self.env.noise_prob, dtype=float), self.env.transition
        values, rows = range(len(noise)), np.arange(self.states).repeat(len(noise))
        chances, shape = np.tile(noise, self.states), (self.states, self.states)
        out = []
        for a in range(self.actions):
            after = [move(mean_field=mass, state=s, action=a, noise=n) for s in range(self.states) for n in values]
            out.append(sparse.csr_array((chances, (rows, np.array(after, dtype=int))), shape=shape))
        return out

    def moves_by_crowd(self, matrices: list[sparse.csr_array]) -> bool:
        """Whether transitions differ between crowds, of whom these ``matrices`` are those of an even one."""
        return any(
            abs(a - b).max() > 0
            for mass in _tried(self.states)
            for a, b in zip(matrices, self.matrices(mass), strict=True)
        )


def _tried(states: int) -> list[np.ndarray]:
    """Crowds at which an environment is asked whether it sees them."""
    corners = [np.eye(states)[s] for s in sorted({0, states // 2, states - 1})]
    return [*crowds(states, 4, np.random.default_rng(0)), *corners]


def _never_entered(matrices: list[sparse.csr_array]) -> np.ndarray:
    """States that nobody enters from another one: walls, where only who begins there could be."""
    entered = np.zeros(matrices[0].shape[0], dtype=bool)
    for matrix in matrices:
        pairs = matrix.tocoo()
        entered[pairs.col[(pairs.row != pairs.col) & (pairs.data > 0)]] = True
    return ~entered


def _space(env: Any, states: int, nowhere: np.ndarray) -> Space:
    """A grid with its rows from below, where the environment is one, and states else."""
    shape = getattr(env, "grid_dim", None)
    if shape is None or len(shape) not in (2, 3) or int(np.prod(shape)) != states:
        return States(states)
    sides = tuple(int(n) for n in shape)
    blocked = nowhere.reshape(sides) if nowhere.any() else None
    return Grid.box(sides, bounds=[(0, n) for n in sides], blocked=blocked)


# -- what the crowd costs --------------------------------------------------------------------------------------------


def _coupling(asked: _Asked) -> tuple[np.ndarray, Coupling | None]:
    """Own cost (A, S), and what the crowd adds to it."""
    masses = _tried(asked.states)
    costs = [asked.cost(mass) for mass in masses]
    if all(_alike(cost, costs[0]) for cost in costs):
        return costs[0], None
    own = costs[0] - costs[0][:1]
    by_state = all(_alike(cost - cost[:1], own, cost) for cost in costs)
    linear = _linear(asked, masses, costs)
    if by_state:
        if linear is None:
            ask = lambda t, mass: asked.cost_of(0, mass)
        else:  # in its own words where an environment refuses what is no distribution
            constant, slope = linear[0][0], linear[1][0]
            ask = lambda t, mass: constant + slope @ mass
        result = state_coupling(ask, [0], asked.states)
        if result.asked:
            say("asked-rewards", f"rewards of this game {result.asked}")
        return own + result.constant[0], _for_ever(result.coupling)
    if linear is not None:
        constant, slope = linear
        change: Any = lambda t, c, rho, d: (slope @ _mass(d, asked)).reshape(np.shape(rho))
        return constant, CustomCoupling(
            lambda t, c, rho: (slope @ _mass(rho, asked)).reshape(np.shape(rho)), tangent=change, on="occupation"
        )
    return np.zeros_like(own), CustomCoupling(
        lambda t, c, rho: asked.cost(_mass(rho, asked)).reshape(np.shape(rho)), on="occupation"
    )


def _for_ever(coupling: Any) -> Any:
    """What was asked at the one node there is, as it is at all."""
    if isinstance(coupling, Sum):
        return replace(coupling, terms=tuple(_for_ever(term) for term in coupling.terms))
    if isinstance(coupling, CrowdLogarithm | Linear):
        return replace(coupling, strength=coupling.strength[:1])
    return coupling


def _mass(occupation: np.ndarray, asked: _Asked) -> np.ndarray:
    return np.asarray(occupation).reshape(asked.actions, asked.states).sum(axis=0)


def _linear(asked: _Asked, masses: list[np.ndarray], costs: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray] | None:
    """K (A, S) and B (A, S, S) of costs K + B m, or None where they are not of that form on distributions.

    Where m sums to 1, a number may be taken from a row of B and put into K: the part of a row that does not depend on
    the state is, so that a cost of its own crowd alone has a diagonal B, and one that is symmetric up to such numbers
    a symmetric B.
    """
    if asked.states * len(costs[0].ravel()) > LARGEST:
        return None
    slope = np.stack([asked.cost(unit) for unit in np.eye(asked.states)], axis=-1)
    if not all(_alike(slope @ mass, cost) for mass, cost in zip(masses, costs, strict=True)):
        return None
    size = asked.states
    off = ~np.eye(size, dtype=bool)
    others = np.where(off, slope, np.nan)
    low, high = np.nanmin(others, axis=-1), np.nanmax(others, axis=-1)
    if _alike(low, high, slope):
        constant = 0.5 * (low + high)
        return constant, np.where(off, 0.0, slope - constant[..., None])
    by_action = slope[:, :, 0] - slope[0, :, 0]  # (A, S)
    plain = by_action + (slope[0, :, 0] - slope[0, 0, :])  # leaves a symmetric B where there is one
    best = slope - plain[..., None]
    constant = plain if _alike(best, np.swapaxes(best, 1, 2), slope) else by_action
    return constant, slope - constant[..., None]


def _alike(a: np.ndarray, b: np.ndarray, scale: np.ndarray | float = 1.0) -> bool:
    largest = max(1.0, float(np.abs(a).max()), float(np.abs(scale).max()))
    return bool(np.abs(a - b).max() <= ALIKE * largest)
