"""The border to OpenSpiel (https://github.com/google-deepmind/open_spiel): its mean-field games, policies it can score.

A game of OpenSpiel is walked once (see `mfgsolve.interop.walks`); its decisions at t = 0..T-1 are T steps of length 1.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from mfgsolve.cautions import collect, say
from mfgsolve.couplings import Coupling
from mfgsolve.dynamics import Tabular
from mfgsolve.errors import InputError
from mfgsolve.grids import TimeGrid
from mfgsolve.interop.catalogue import load, load_named, openspiel_names
from mfgsolve.interop.histories import HistoryCosts
from mfgsolve.interop.moves import Moves
from mfgsolve.interop.peers import required, say_discounted
from mfgsolve.interop.rewards import state_coupling
from mfgsolve.interop.tables import Tables
from mfgsolve.interop.walks import CHOICE, CROWD, walk
from mfgsolve.problem import Problem
from mfgsolve.spaces import Populations, States

__all__ = ["build_openspiel", "from_openspiel", "openspiel_names", "to_openspiel_policy"]


def from_openspiel(game: Any, *, parameters: Mapping[str, Any] | None = None, name: str | None = None) -> Problem:
    """A mean-field game of OpenSpiel as a `Problem`: cost = -reward, states named by OpenSpiel's keys without the time.

    A state is a node at which OpenSpiel tells the crowd; at t = 0, where it tells none, a node of decision.  What
    agents are paid once the crowd is told becomes a coupling; at the last node, a terminal coupling.  Keys of two or
    three coordinates become a grid, with cells that no key names blocked.  An action that a state does not offer does
    there what the first one on offer does.

    How rewards depend on the distribution is found out by asking; rewards k - c log(mu + eps) + linear become couplings
    in closed form, others are asked every time (a caution says so), with derivatives by differences where those agree.

    Where transitions depend on the crowd (routing, say), `Tabular` gets a function (t, mass).  The walk is done once,
    under several crowds; a call asks OpenSpiel one ``update_distribution`` for each state whose moves the walk saw
    change with the crowd, and ``child`` for each of its actions and chance outcomes below where those change too; the
    last mass of every step is remembered.  A sweep calls it once for each step and direction.

    Parameters
    ----------
    game : pyspiel.Game of dynamics MEAN_FIELD
    parameters, name : what the problem was built from, and a name that makes the game again (None: OpenSpiel's own)

    Raises
    ------
    InputError
        if the game is no mean-field game, is too large to be walked, remembers earlier crowds that its keys do not
        tell, or raises anything; the sentence names the game

    Warns
    -----
    UserWarning
        if a reward depends on the way to a state and not on its key alone (a hidden last action).  OpenSpiel counts the
        reward of the first state that its depth-first evaluation meets, and so does the problem

    Source: Lanctot et al. 2019, arXiv:1908.09453 (OpenSpiel); Perolat et al. 2021, arXiv:2103.00623.
    """
    moves = _walked(game)
    tables = moves.tables
    name = f"openspiel:{game if name is None else name}"
    with collect() as said:
        _say_hidden(tables, name)
        coupling, last, own, terminal = _costs(moves, name)
    for caution in said:
        if caution.code == "hidden-last-action":
            warnings.warn(caution.sentence, UserWarning, stacklevel=2)
    count, steps = tables.walk.populations, tables.walk.levels
    space = tables.space
    dynamics = [
        Tabular(
            moves.transitions(p),
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
        coupling=0.0 if coupling is None else coupling,
        initial=tables.initial.reshape(space.shape),
        terminal=terminal.reshape(space.shape),
        terminal_coupling=last,
        name=name,
        source="OpenSpiel, arXiv:1908.09453",
        parameters=parameters,
        cautions=tuple(said),
    )


def to_openspiel_policy(solution: Any, game: Any = None) -> Any:
    """The policy of a solution as the ``open_spiel.python.policy.Policy`` that OpenSpiel's ``NashConv`` takes.

    Where several states of the problem lead to one decision of OpenSpiel (under the crowd of this policy), it takes
    the mean of their choices, weighed by their masses: the crowd moves as in the solution.  Where moves jump with the
    crowd (whole steps on a road), a mass that lies on a jump up to round-off may fall on either side of it there.

    ``game`` is needed where the name of the solution does not tell it: for a game that was not loaded by name.
    """
    policies = required("open_spiel.python.policy", "OpenSpiel", "open-spiel")
    say_discounted(solution, "OpenSpiel")
    if game is None:
        peer, _, text = str(solution.name).partition(":")
        if peer != "openspiel":
            raise InputError(
                f"solution {solution.name!r} does not say which game of OpenSpiel it solves; pass game=..."
            )
        game = load_named(text)
    moves = _walked(game)
    table = _choices(moves, _policy(moves.tables, solution))

    class SolvedPolicy(policies.Policy):  # type: ignore[misc,name-defined]
        """Every action on offer, in order, also at probability 0: OpenSpiel's evaluation depends on the order."""

        def action_probabilities(self, state: Any, player_id: Any = None) -> dict[int, float]:
            key = str(state.observation_string(0))
            if key not in table:  # a place that no agent of the solution comes to, and no walk came to
                actions = [int(a) for a in state.legal_actions()]
                table[key] = dict.fromkeys(actions, 1.0 / len(actions))
            return table[key]

    return SolvedPolicy(game, list(range(game.num_players())))


def build_openspiel(game: str, settings: Mapping[str, Any]) -> Problem:
    """`from_openspiel` of ``pyspiel.load_game(game, settings)``, or of a setting of OpenSpiel's factory."""
    loaded, name, given = load(game, settings)
    return from_openspiel(loaded, parameters=given, name=name)


_last: list[tuple[Any, Moves]] = []  # the game walked last: its policies are exported next


def _walked(game: Any) -> Moves:
    for one, moves in tuple(_last):
        if one is game:
            return moves
    if "MEAN_FIELD" not in str(game.get_type().dynamics).upper().replace(" ", "_"):
        raise InputError(f"{game} of OpenSpiel is no mean-field game; {', '.join(openspiel_names())} are")
    moves = Moves(Tables(walk(game)))
    _last[:] = [(game, moves)]
    return moves


def _say_hidden(tables: Tables, name: str) -> None:
    if tables.walk.hidden is not None:
        key, one, other = tables.walk.hidden
        say(
            "hidden-last-action",
            f"{name} is not Markov in its own keys: at {key!r} it pays {one:g} or {other:g}, by a last action "
            "that the key does not tell. OpenSpiel's evaluation counts the first that it meets, and so does this "
            "problem (mfg_crowd_modelling_2d has a setting without: only_distribution_reward=true)",
        )


def _costs(moves: Moves, name: str) -> tuple[Coupling | None, Coupling | None, np.ndarray, np.ndarray]:
    """Coupling, terminal coupling, own cost (levels, A, P S) and terminal cost (P S,)."""
    tables, last = moves.tables, moves.tables.walk.levels
    own, terminal = tables.own.copy(), tables.terminal.copy()
    result: list[Coupling | None] = []
    if tables.walk.history is not None:
        key, here, there = tables.walk.history
        if tables.counts(last):
            raise InputError(
                f"{name} pays {here:g} or {there:g} at {key!r}, depending on a crowd of an earlier step that the key "
                "does not tell, and pays by the crowd at the end; such a game cannot be taken over"
            )
        say(
            "history-rewards",
            f"{name} pays {here:g} or {there:g} at {key!r}, depending on a crowd of an earlier step that the key does "
            "not tell. The costs follow the order of OpenSpiel's evaluation under the flow: they jump where that "
            "order changes, so that an equilibrium need not exist",
        )
    for levels in (range(1, last), range(last, last + 1)):
        if tables.walk.history is not None and last not in levels:
            constant = np.zeros((last + 1, tables.size))
            result.append(HistoryCosts(moves))
        elif not any(tables.counts(t) for t in levels):
            constant = np.stack([*(tables.paid(t) for t in range(last + 1))])
            result.append(None)
        else:
            reached = [tables.reached(t) for t in levels]
            one = state_coupling(moves.cost, levels, tables.size, reached=reached, initial=tables.initial)
            constant = np.zeros((last + 1, tables.size))
            constant[: min(len(one.constant), last + 1)] = one.constant[: last + 1]
            result.append(one.coupling)
            if one.asked:
                say("asked-rewards", f"rewards of {name} {one.asked}")
        if last in levels:
            terminal += constant[last]
        else:
            own += constant[:last, None]
    return result[0], result[1], own, terminal


# -- policies --------------------------------------------------------------------------------------------------------


def _policy(tables: Tables, solution: Any) -> np.ndarray:
    """Policy (levels, A, P S) of a solution, NaN where it has none."""
    given = solution.dataset["policy"]
    values = given.values.reshape(given.shape[0], given.shape[1], -1)
    if values.shape != (tables.walk.levels, tables.actions, tables.size):
        raise InputError(
            f"policy of the solution has shape {values.shape}, (step, action, state); the game of OpenSpiel has "
            f"{(tables.walk.levels, tables.actions, tables.size)}"
        )
    if isinstance(tables.space, States) and "state" in given.coords:
        names = [str(name) for name in given["state"].values]
        if names != tables.names:
            other = next((name for name in names if name not in tables.names), names[0])
            raise InputError(
                f"policy of the solution is one for the state {other!r}, which the game of OpenSpiel does not have; "
                "pass the game that was solved as game=..."
            )
    return np.asarray(values, dtype=float)


def _choices(moves: Moves, values: np.ndarray) -> dict[str, dict[int, float]]:
    """Chances of the actions on offer, for every decision of OpenSpiel that the walk has met."""
    walk, place = moves.tables.walk, moves.tables.place
    finite = np.isfinite(values).all(axis=1, keepdims=True)  # elsewhere nobody is, and any distribution will do
    values = np.where(finite, values, 1.0 / values.shape[1])
    mass = moves.flow(values) if walk.is_coupled else None
    table: dict[str, dict[int, float]] = {}
    for key, node in walk.nodes.items():
        if node.kind == CHOICE and not node.reachable:
            table[key] = dict.fromkeys((a for a, _, _ in node.edges), 1.0 / len(node.edges))
    for t, keys in enumerate(walk.states[:-1]):
        weights: dict[str, float] = {}
        mixed: dict[str, np.ndarray] = {}
        offers: dict[str, list[int]] = {}
        for key in keys:
            column = values[t, :, place[key]]
            leads = dict.fromkeys(walk.nodes[key].leads if walk.nodes[key].kind == CROWD else (key,), 1e-200)
            if mass is not None:
                after = moves.told(t, key, mass[t])
                result = str(after.observation_string(0))
                leads[result] = leads.get(result, 0.0) + float(mass[t, place[key]])
                offers[result] = [int(a) for a in after.legal_actions()]
            for lead, weight in leads.items():
                if lead in walk.nodes and walk.nodes[lead].kind != CHOICE:
                    continue
                weights[lead] = weights.get(lead, 0.0) + weight
                mixed[lead] = mixed.get(lead, 0.0) + weight * column
        for lead, sum_ in mixed.items():
            offered = offers.get(lead) or [a for a, _, _ in walk.nodes[lead].edges]
            column = sum_ / weights[lead]
            chances = column[offered]
            chances[0] += column.sum() - chances.sum()
            table[lead] = dict(zip(offered, chances.tolist(), strict=True))
    return table
