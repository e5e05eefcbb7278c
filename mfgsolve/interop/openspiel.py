"""The border to OpenSpiel (https://github.com/google-deepmind/open_spiel): its mean-field games, policies it can score.

A game of OpenSpiel is walked once (see `mfgsolve.interop.walks`); its decisions at t = 0..T-1 are T steps of length 1.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from mfgsolve.dynamics import Tabular
from mfgsolve.errors import InputError, unknown
from mfgsolve.grids import TimeGrid
from mfgsolve.interop.peers import required, split_settings
from mfgsolve.interop.rewards import state_coupling
from mfgsolve.interop.tables import Tables
from mfgsolve.interop.walks import Walk, walk
from mfgsolve.problem import Problem
from mfgsolve.spaces import Populations

__all__ = ["build_openspiel", "from_openspiel", "openspiel_names", "to_openspiel_policy"]


def from_openspiel(game: Any, *, parameters: Mapping[str, Any] | None = None) -> Problem:
    """A mean-field game of OpenSpiel as a `Problem`: cost = -reward, states named by OpenSpiel's keys without the time.

    Keys of two or three coordinates become a grid, with cells that no key names blocked.

    How rewards depend on the distribution is found out by asking; rewards k - c log(mu + eps) + linear become couplings
    in closed form.  An action that a state does not offer does there what the first one on offer does.

    Parameters
    ----------
    game : pyspiel.Game of dynamics MEAN_FIELD

    Raises
    ------
    InputError
        if the game is no mean-field game, or its transitions depend on the distribution

    Warns
    -----
    UserWarning
        if a reward depends on the way to a state and not on its key alone (a hidden last action).  OpenSpiel counts the
        reward of the first state that its depth-first evaluation meets, and so does the problem

    Source: Lanctot et al. 2019, arXiv:1908.09453 (OpenSpiel); Perolat et al. 2021, arXiv:2103.00623.
    """
    tables = Tables(_walked(game))
    name = f"openspiel:{game}"
    if tables.walk.hidden is not None:
        key, one, other = tables.walk.hidden
        warnings.warn(
            f"{name} is not Markov in its own keys: at {key!r} it pays {one:g} or {other:g}, by a last action "
            "that the key does not tell. OpenSpiel's evaluation counts the first that it meets, and so does this "
            "problem (mfg_crowd_modelling_2d has a setting without: only_distribution_reward=true)",
            UserWarning,
            stacklevel=2,
        )
    found = state_coupling(
        tables.cost, range(1, tables.walk.levels), tables.size, reached=list(tables.reached[1:]), initial=tables.initial
    )
    own = tables.own + found.constant[: tables.walk.levels, None]
    count, steps = tables.walk.populations, tables.walk.levels
    space = tables.space
    dynamics = [
        Tabular(
            tables.transitions(p),
            cost=own[:, :, p * tables.states : (p + 1) * tables.states].reshape(*own.shape[:2], *space.shape),
            actions=[str(a) for a in range(tables.actions)],
        )
        for p in range(count)
    ]
    if count > 1:
        space = Populations([f"population {p}" for p in range(count)], space)
    return Problem(
        grid=space,
        time=TimeGrid(float(steps), steps),
        dynamics=dynamics,
        coupling=0.0 if found.coupling is None else found.coupling,
        initial=tables.initial.reshape(space.shape),
        terminal=tables.terminal.reshape(space.shape),
        name=name,
        source="OpenSpiel, arXiv:1908.09453",
        parameters=parameters,
    )


def to_openspiel_policy(solution: Any, game: Any = None) -> Any:
    """The policy of a solution as the ``open_spiel.python.policy.Policy`` that OpenSpiel's ``NashConv`` takes.

    ``game`` is needed where the name of the solution does not tell it: for a game that was not loaded by name.
    """
    pyspiel, policies = _pyspiel(), required("open_spiel.python.policy", "OpenSpiel", "open-spiel")
    if game is None:
        peer, _, text = str(solution.name).partition(":")
        if peer != "openspiel":
            raise InputError(
                f"solution {solution.name!r} does not say which game of OpenSpiel it solves; pass game=..."
            )
        game = pyspiel.load_game(text)
    tables = Tables(_walked(game))
    values = solution.dataset["policy"].values
    values = values.reshape(values.shape[0], values.shape[1], -1)
    if values.shape != (tables.walk.levels, tables.actions, tables.size):
        raise InputError(
            f"policy of the solution has shape {values.shape}, (step, action, state); the game of OpenSpiel has "
            f"{(tables.walk.levels, tables.actions, tables.size)}"
        )
    table = {}
    for t, keys in enumerate(tables.walk.decisions):
        for key in keys:
            offered = [a for a, _, _ in tables.walk.nodes[key].edges]
            column = values[t, :, tables.place[key]]
            chances = column[offered]
            if not np.isfinite(column).all():  # nobody is there, and any distribution will do
                chances = np.full(len(offered), 1.0 / len(offered))
            else:
                chances[0] += column.sum() - chances.sum()
            table[key] = dict(zip(offered, chances.tolist(), strict=True))

    class SolvedPolicy(policies.Policy):  # type: ignore[misc,name-defined]
        """Every action on offer, in order, also at probability 0: OpenSpiel's evaluation depends on the order."""

        def action_probabilities(self, state: Any, player_id: Any = None) -> dict[int, float]:
            return table[str(state.observation_string(0))]

    return SolvedPolicy(game, list(range(game.num_players())))


def openspiel_names() -> list[str]:
    """Mean-field games that OpenSpiel registers."""
    pyspiel = _pyspiel()
    mean_field = pyspiel.GameType.Dynamics.MEAN_FIELD
    return sorted(kind.short_name for kind in pyspiel.registered_games() if kind.dynamics == mean_field)


def build_openspiel(game: str, settings: Mapping[str, Any]) -> Problem:
    """`from_openspiel` of ``pyspiel.load_game(game, settings)``."""
    pyspiel, (game, own) = _pyspiel(), split_settings(game)
    if game not in openspiel_names():
        raise InputError(unknown("mean-field game of OpenSpiel", game, openspiel_names()))
    kind = next(kind for kind in pyspiel.registered_games() if kind.short_name == game)
    allowed, given = kind.parameter_specification, {**own, **settings}
    for setting, value in given.items():
        if setting not in allowed:
            raise InputError(unknown(f"setting of openspiel:{game}", setting, allowed))
        wanted = type(allowed[setting])
        fits = isinstance(value, wanted) or (wanted is float and isinstance(value, int))
        if not fits or (isinstance(value, bool) and wanted is not bool):
            raise InputError(f"setting {setting} of openspiel:{game} is {value!r}; a {wanted.__name__} is needed")
        given[setting] = wanted(value)
    try:
        loaded = pyspiel.load_game(game, given)
        return from_openspiel(loaded, parameters=given)
    except (pyspiel.SpielError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"OpenSpiel refuses the settings {given} of {game}: {error}") from None


def _pyspiel() -> Any:
    pyspiel = required("pyspiel", "OpenSpiel", "open-spiel")
    required("open_spiel.python.mfg.games", "OpenSpiel", "open-spiel")  # registers the games written in Python
    return pyspiel


def _walked(game: Any) -> Walk:
    """The walk, after a second one against another crowd has shown that it leads to the same places."""
    if "MEAN_FIELD" not in str(game.get_type().dynamics).upper().replace(" ", "_"):
        raise InputError(f"{game} of OpenSpiel is no mean-field game; {', '.join(openspiel_names())} are")
    rng = np.random.default_rng(0)
    first = walk(game, lambda n: np.full(n, 1.0 / max(n, 1)))
    second = walk(game, lambda n: 0.3 * rng.dirichlet(np.full(n, 0.2)) if n else np.zeros(0))
    for key, node in first.nodes.items():
        if key not in second.nodes or second.nodes[key].edges != node.edges:
            raise InputError(
                f"{str(game).partition('(')[0]} of OpenSpiel leads from {key!r} to other places when the crowd is "
                "another one; transitions that depend on the crowd cannot be taken over from OpenSpiel"
            )
    if len(second.nodes) != len(first.nodes):
        raise InputError(
            f"{game} of OpenSpiel reaches other states when the crowd is another one; it cannot be taken over"
        )
    return first
