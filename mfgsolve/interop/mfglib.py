"""The border to MFGLib (https://github.com/radar-research-lab/MFGLib): its environments, and policies it can score.

MFGLib collects rewards at t = 0..T inclusive and none after, so a game has T + 1 steps of length 1.  Its arrays are
(next state, state, action) for transitions and (state, action) for everything else, states and actions each in several
dimensions; here a choice is (action, *state).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse

from mfgsolve.cautions import collect, unique
from mfgsolve.claims import verified
from mfgsolve.couplings import Coupling, CustomCoupling, Price
from mfgsolve.dynamics import Tabular
from mfgsolve.errors import InputError, unknown
from mfgsolve.grids import TimeGrid
from mfgsolve.interop.aggregates import price_coupling
from mfgsolve.interop.environments import Environment, double_precision, labels
from mfgsolve.interop.peers import required, say_discounted, split_settings
from mfgsolve.interop.rewards import Found, crowds, state_coupling
from mfgsolve.problem import Problem
from mfgsolve.spaces import States

__all__ = ["build_mfglib", "from_mfglib", "mfglib_names", "to_mfglib_policy"]


def from_mfglib(env: Any, *, name: str = "mfglib", parameters: Mapping[str, Any] | None = None) -> Problem:
    """An MFGLib environment as a `Problem`: cost = -reward, T + 1 steps of length 1.

    Whether transitions and rewards depend on the crowd, and how, is found out by asking them.  Rewards of the form
    k(s, a) - c log(mu(s) + eps) - B mu, and prices of an aggregate of the choices, become couplings in closed form;
    others keep asking MFGLib, with derivatives by automatic differentiation.  Where the transitions depend on the
    *choices* of the crowd, every step becomes two, to choose and to move: states "s" and "s/a".

    Parameters
    ----------
    env : mfglib.env.Environment, made in double precision: call ``torch.set_default_dtype(torch.float64)`` first
    name, parameters : how the problem is listed, and what it was built from

    Raises
    ------
    InputError
        if MFGLib is missing, or the environment was made in single precision

    Source: Guo et al. 2023, arXiv:2304.08630 (MFGLib 0.3).
    """
    game = Environment(env, required("torch", "torch", "mfglib"))
    if game.moves_by_choices:
        return _in_two(game, name, parameters)
    own, coupling = _coupling(game)
    cost = own.reshape(*own.shape[:2], *game.space.shape)
    problem = Problem(
        grid=game.space,
        time=TimeGrid(float(game.steps), game.steps),
        dynamics=Tabular(game.transitions(), cost=cost, actions=game.action_names),
        coupling=0.0 if coupling is None else coupling,
        initial=game.initial.reshape(game.space.shape),
        name=name,
        source="MFGLib, arXiv:2304.08630",
        parameters=parameters,
    )
    with collect() as said:  # automatic differentiation sees nothing of what is done outside torch
        kept = verified(problem, "the MFGLib reward", "Write it in operations of torch throughout")
    return replace(kept, cautions=unique(problem.cautions, said))


def to_mfglib_policy(solution: Any) -> Any:
    """The policy of a solution as the float64 tensor (T + 1, *S, *A) that MFGLib's ``exploitability_score`` takes.

    MFGLib computes in torch's default precision: call ``torch.set_default_dtype(torch.float64)`` before it makes the
    environment and scores the policy, or the score stops at about 1e-7.  Import ``mfglib.alg`` before
    ``mfglib.scoring``, which otherwise imports itself in a circle.
    """
    torch = required("torch", "torch", "mfglib")
    say_discounted(solution, "MFGLib")
    policy = solution.dataset["policy"]
    actions = _indices(policy["action"].values)
    values = np.moveaxis(policy.values, 1, -1)  # (step, *state, action)
    if "state" in policy.dims:
        labels = [str(label) for label in policy["state"].values]
        if any("/" in label for label in labels):  # every second step is a move, and pairs are no states
            values = values[::2, ["/" not in label for label in labels]]
            labels = [label for label in labels if "/" not in label]
        values = values.reshape(values.shape[0], *_indices(np.array(labels)), values.shape[-1])
    if not np.isfinite(values).all():  # where nobody is and nothing was computed, any distribution will do
        values = np.where(np.isfinite(values).all(axis=-1, keepdims=True), values, 1.0 / values.shape[-1])
    return torch.tensor(values.reshape(*values.shape[:-1], *actions), dtype=torch.float64)


def mfglib_names() -> list[str]:
    """Games that MFGLib makes."""
    environment = _environment()
    return sorted(name for name, _ in inspect.getmembers(environment, inspect.ismethod) if not name.startswith("_"))


def build_mfglib(game: str, settings: Mapping[str, Any]) -> Problem:
    """`from_mfglib` of ``Environment.game(**settings)``, made in double precision."""
    environment, (game, own) = _environment(), split_settings(game)
    if game not in mfglib_names():
        raise InputError(unknown("game of MFGLib", game, mfglib_names()))
    make, given = getattr(environment, game), {**own, **settings}
    allowed = inspect.signature(make).parameters
    for setting in given:
        if setting not in allowed:
            raise InputError(unknown(f"setting of mfglib:{game}", setting, allowed))
    with double_precision(required("torch", "torch", "mfglib")):
        try:
            env = make(**given)
        except (TypeError, ValueError) as error:
            raise InputError(f"MFGLib refuses the settings {given} of {game}: {error}") from None
    return from_mfglib(env, name=f"mfglib:{game}", parameters=given)


def _environment() -> Any:
    required("mfglib.alg", "MFGLib", "mfglib")  # imported first, or mfglib.scoring imports itself in a circle
    return required("mfglib.env", "MFGLib", "mfglib").Environment


def _indices(labels: np.ndarray) -> tuple[int, ...]:
    """Shape of the index tuples that labels such as "2,0" spell."""
    return tuple(
        int(n) + 1 for n in np.array([[int(i) for i in str(label).split(",")] for label in labels]).max(axis=0)
    )


# -- couplings -------------------------------------------------------------------------------------------------------


def _coupling(game: Environment) -> tuple[np.ndarray, Coupling | None]:
    """Own cost (steps, A, S) and what the crowd adds to it."""
    levels, size, rng = range(game.steps), game.states, np.random.default_rng(2)
    masses = crowds(size, 3, rng)
    mixed = [rng.dirichlet(np.ones(game.actions), size).T * m for m in masses]
    zero = np.zeros((game.actions, size))

    def by_state(t: int) -> bool:
        """The same change for all actions of a state, and only the mass of the states counts."""
        costs = [game.cost(t, o) for o in mixed]
        if not _alike(costs[0], game.cost(t, game.spread(masses[0]))):
            return False
        return all(_alike(np.ptp(c - costs[0], axis=0), np.zeros(size), np.abs(c).max()) for c in costs)

    if all(by_state(t) for t in levels):
        result: Found = state_coupling(
            lambda t, m: game.cost(t, game.spread(m))[0],
            levels,
            size,
            change=lambda t, m, d: game.change(t, game.spread(m), game.spread(d))[0],
        )
        told = np.stack([game.cost(t, game.spread(masses[0])) for t in levels])
        return told - told[:, :1] + result.constant[: game.steps, None], result.coupling
    price = price_coupling(game.cost, game.change, levels, (game.actions, size))
    if price is not None:
        amounts = price.amounts.reshape(game.actions, *game.space.shape)
        return np.stack([game.cost(t, zero) for t in levels]), Price(price.smooth(), amounts=amounts)
    shape = (game.actions, *game.space.shape)
    return np.zeros((game.steps, game.actions, size)), _asking(game.cost, game.change, game.steps, shape)


def _alike(a: np.ndarray, b: np.ndarray, scale: float = 1.0) -> bool:
    return bool(np.abs(a - b).max() <= 1e-11 * max(1.0, scale, float(np.abs(a).max())))


def _asking(cost: Callable[..., np.ndarray], change: Callable[..., np.ndarray], steps: int, shape: Any) -> Coupling:
    """The cost of a choice against the choices of the crowd, asked from MFGLib every time."""
    return CustomCoupling(
        lambda t, c, rho: cost(min(round(t), steps - 1), rho).reshape(shape),
        tangent=lambda t, c, rho, d: change(min(round(t), steps - 1), rho, d).reshape(shape),
        on="occupation",
    )


def _in_two(game: Environment, name: str, parameters: Mapping[str, Any] | None) -> Problem:
    """A step as two, so that transitions that see choices see a mass: s -> s/a (choose), s/a -> next s (move)."""
    states, pairs = game.states, game.states * game.actions
    names = labels(tuple(game.env.S))
    both = names + [f"{s}/{a}" for a in game.action_names for s in names]
    size = states + pairs
    choose = []
    for a in range(game.actions):  # a pair goes nowhere while others choose
        target = np.concatenate([states + a * states + np.arange(states), states + np.arange(pairs)])
        choose.append(sparse.csr_array((np.ones(size), (np.arange(size), target)), shape=(size, size)))

    def transitions(t: float, mass: np.ndarray) -> list[sparse.csr_array]:
        step, moving = divmod(round(t), 2)
        if not moving:
            return choose
        rows = sparse.vstack(game.matrices(step, mass[states:].reshape(game.actions, states)))
        whole = sparse.block_array(
            [[sparse.eye_array(states), None], [rows, sparse.csr_array((pairs, pairs))]], format="csr"
        )
        return [sparse.csr_array(whole)] * game.actions

    def cost(t: float, c: Any, rho: np.ndarray) -> np.ndarray:
        step, moving = divmod(round(t), 2)
        out = np.zeros(size)
        if moving and step < game.steps:
            out[states:] = game.cost(step, rho[states:].reshape(game.actions, states)).reshape(-1)
        return out

    return Problem(
        grid=States(both),
        time=TimeGrid(2.0 * game.steps, 2 * game.steps),
        dynamics=Tabular(transitions, actions=game.action_names),
        coupling=CustomCoupling(cost),
        initial=np.concatenate([game.initial, np.zeros(pairs)]),
        name=name,
        source="MFGLib, arXiv:2304.08630",
        parameters=parameters,
    )
