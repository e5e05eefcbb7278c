"""Games as environments of Gymnasium and PettingZoo, and policies learned there back as tables to be certified.

One agent against a crowd that stays (`to_gymnasium`), or N agents who are the crowd themselves (`to_pettingzoo`).  Both
see the number of the step and of their cell, choose an action by its number, and get as reward minus what the step
costs them,

    r_t = -(l_t(x, a) + dt f on the choice + weight_t f_t(x)),    in the last step also -(g(x_T) + weight_T f_T(x_T)).

Where the game has a discount rate these are present values, each e^(-rate t) of what is paid at t: the plain sum of an
episode's rewards is minus what the agent pays, and a learner needs no discount factor of its own (1).

At a temperature tau > 0 the game also charges tau dt log pi(a | x), which no environment can see: learners that
regularise by entropy add it themselves, with the coefficient tau dt (e^(-rate t) of it at t, where costs are
discounted).

The two libraries come with the extra ``mfgsolve[gymnasium]`` and are imported when an environment is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mfgsolve.agents.play import Play, agent_numbers
from mfgsolve.errors import InputError, numbers, unknown
from mfgsolve.games import Game
from mfgsolve.games.multipliers import multiplier_from
from mfgsolve.interop.peers import required
from mfgsolve.learners.environments.episodes import Crowd, OneAgent
from mfgsolve.learners.sampler import finite_game
from mfgsolve.problem import Problem
from mfgsolve.problems import registry
from mfgsolve.solving import solve
from mfgsolve.spaces import Populations

__all__ = ["frozen_crowd", "make_environment", "policy_from", "to_gymnasium", "to_pettingzoo"]

EXTRA = "gymnasium"
FORBIDDEN = ("refuse", "draw")
ROUND = 1e-9
ROUGH = 1e-6  # tolerance of the crowd of a game with hard bounds
MOST = 100_000  # agents with a dictionary entry each

_kinds: dict[tuple[type, type], type] = {}


def to_gymnasium(
    problem: Problem, field: Any = None, *, population: str | None = None, rng: Any = None, forbidden: str = "refuse"
) -> Any:
    """An environment of Gymnasium: one agent against a crowd that does not react to it.

    What it learns is a best response, the inner problem of fictitious play and of every fixed-point method.

    Parameters
    ----------
    problem : a game with a finite list of actions
    field : the crowd: a solution or its dataset; probabilities (step, action, ...) that everybody else follows; masses
        (T+1, ...) that sum to 1 at every node; or None for a crowd that chooses evenly among what is allowed
    population : which one the agent belongs to, where there are several
    rng : seed of the episodes until ``reset(seed=...)`` sets another
    forbidden : what becomes of an action that is not allowed: "refuse" raises, "draw" takes an allowed one at random
        instead, which ``info["action"]`` then tells

    Returns
    -------
    gymnasium.Env
        ``observation_space`` MultiDiscrete (T+1, cells): number of the step, and of the cell in the order of the arrays
        (x fastest); ``action_space`` Discrete; an episode ends by ``terminated`` after T steps.  The info holds
        ``action_mask`` (1 where allowed, as ``action_space.sample(mask=...)`` takes it); ``action_masks()`` tells the
        same as truth values

    Raises
    ------
    InputError

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> from mfgsolve.learners.environments.adapters import to_gymnasium
    >>> env = to_gymnasium(mfg.problems.beach_bar(shape=(6,), steps=5), rng=0)
    >>> observation, info = env.reset(seed=1)
    >>> observation, reward, terminated, truncated, info = env.step(env.action_space.sample(info["action_mask"]))
    """
    game = finite_game(problem, "to_gymnasium")
    if forbidden not in FORBIDDEN:
        raise InputError(unknown("value of forbidden", forbidden, FORBIDDEN))
    crowd, price = frozen_crowd(game, field)
    gymnasium = required("gymnasium", "Gymnasium", EXTRA)
    env = _blank(OneAgent, gymnasium.Env)
    env.__init__(game, crowd, price, _number(game, population), gymnasium.spaces, rng, forbidden == "draw")
    return env


def make_environment(
    name: str, field: Any = None, population: str | None = None, rng: Any = None, forbidden: str = "draw",
    **parameters: Any,
) -> Any:  # fmt: skip
    """What ``gymnasium.make("mfgsolve/NAME-v0", ...)`` makes: `to_gymnasium` of a named problem with these parameters.

    The agent is of the first population, where there are several and none is named.  Where a game has hard bounds and
    no field is given it is solved first: only a solution says what the bounds cost.
    """
    problem = registry.get(name).build(**parameters)
    if field is None and problem.is_hard:
        field = solve(problem, tol=ROUGH, check="ignore")
    if population is None and isinstance(problem.grid, Populations):
        population = problem.grid.names[0]
    return to_gymnasium(problem, field, population=population, rng=rng, forbidden=forbidden)


def to_pettingzoo(problem: Problem, agents: Any, *, rng: Any = None) -> Any:
    """A parallel environment of PettingZoo: N agents who are the crowd.

    Each pays f at the density of all N as they really are, itself included, as in `mfgsolve.simulate`.

    Parameters
    ----------
    problem : a game with a finite list of actions, and without hard bounds (their multipliers are not the agents' own)
    agents : N in every population, or a mapping from the names of the populations
    rng : seed of the episodes until ``reset(seed=...)`` sets another

    Returns
    -------
    pettingzoo.ParallelEnv
        agents ``agent_0``, ``agent_1``, ... or, in several populations, ``red_0``, ...; spaces, rewards and infos as
        those of `to_gymnasium`; ``mass`` is the crowd as it stands, of the shape of the space

    Raises
    ------
    InputError

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> from mfgsolve.learners.environments.adapters import to_pettingzoo
    >>> env = to_pettingzoo(mfg.problems.beach_bar(shape=(6,), steps=5), agents=10, rng=0)
    >>> observations, infos = env.reset(seed=1)
    >>> observations, rewards, *_ = env.step({name: 1 for name in env.agents})
    """
    game = finite_game(problem, "to_pettingzoo")
    if problem.is_hard:
        raise InputError(
            f"to_pettingzoo got {problem.name!r}, which has hard bounds; agents cannot see the multipliers that keep "
            "them: solve it, and use to_gymnasium(problem, solution)"
        )
    counts = agent_numbers(agents, Play(game, game.policy_of(game.step.uniform()), game.empty_crowd(), None))
    if counts.sum() > MOST:
        raise InputError(f"agents is {agents}; an environment of up to {MOST} is possible, larger crowds by simulate")
    module = required("pettingzoo", "PettingZoo", EXTRA)
    spaces = required("gymnasium.spaces", "Gymnasium", EXTRA)
    env = _blank(Crowd, module.ParallelEnv)
    env.__init__(game, counts, spaces, rng)
    return env


def _blank(ours: type, theirs: type) -> Any:
    """An environment of that library's kind before it is filled.

    Its class is made here and not in a module, since the library may be missing; so it is pickled as this call.
    """
    kind: Any = _kinds.get((ours, theirs))
    if kind is None:
        members = {"__doc__": ours.__doc__, "__reduce__": lambda env: (_blank, (ours, theirs), env.__dict__)}
        kind = _kinds[ours, theirs] = type(ours.__name__, (ours, theirs), members)
    return kind.__new__(kind)


def policy_from(choose: Any, problem: Problem) -> np.ndarray:
    """A learned policy as a table that `mfgsolve.exploitability` certifies.

    Parameters
    ----------
    choose : function (step, cell) -> number of an action, or probabilities (action,); step from 0 to T-1 and cell as
        the environments show them.  For several populations, a mapping from their names to such functions
    problem : the game

    Returns
    -------
    numpy.ndarray (step, action, ...), float

    Raises
    ------
    InputError
        if an answer is no action of the game, is not allowed in that cell, or does not sum to 1

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> from mfgsolve.learners.environments.adapters import policy_from
    >>> problem = mfg.problems.beach_bar(shape=(6,), steps=5)
    >>> stay = policy_from(lambda step, cell: 1, problem)
    >>> float(mfg.exploitability(problem, stay)) > 0
    True

    A model of Stable-Baselines3: ``lambda step, cell: model.predict(np.array([step, cell]), deterministic=True)[0]``.
    """
    game = finite_game(problem, "policy_from")
    size = game.cells // game.grid.populations
    table = np.zeros((game.steps, game.step.actions, game.cells))
    blocked, even = game.grid.mask.reshape(-1), game.step.uniform()[0]
    for p, function in enumerate(_by_population(choose, game)):
        for t in range(game.steps):
            for cell in range(size):
                x = p * size + cell
                table[t, :, x] = even[:, x] if blocked[x] else _answer(function(t, cell), game, t, cell)
    shaped = table.reshape(game.steps, game.step.actions, *game.grid.shape)
    game.step.policy_from(shaped)  # refuses what is none
    return shaped


def frozen_crowd(game: Game, field: Any) -> tuple[np.ndarray, np.ndarray]:
    """Crowd (T+1, width) of a field as `to_gymnasium` takes it, and the price there, multipliers included."""
    field = getattr(field, "dataset", field)
    if field is None:
        crowd = game.flow(np.array(game.step.uniform()))
    elif hasattr(field, "data_vars") and "policy" not in field and "density" in field:
        mass = field["density"].transpose("time", *game.grid.dims).values * game.grid.volumes
        crowd = _believed(game, mass)
    elif not hasattr(field, "dims") and np.ndim(field) == 1 + game.grid.ndim:
        crowd = _believed(game, numbers(field, "field"))
    else:
        crowd = game.follow(game.step.policy_from(field))
    price, multiplier = game.price(crowd), multiplier_from(game, field)
    return crowd, price if multiplier is None else price + multiplier


def _number(game: Game, population: str | None) -> int:
    """Number of a population by its name."""
    if not isinstance(game.grid, Populations):
        if population is not None:
            raise InputError(f"population is {population!r}; the game has a single one: leave it out")
        return 0
    if population is None:
        raise InputError(f"the game has the populations {tuple(game.grid.names)}; say which one the agent belongs to")
    if population not in game.grid.names:
        raise InputError(unknown("population", population, game.grid.names))
    return list(game.grid.names).index(population)


def _by_population(choose: Any, game: Game) -> list[Callable[[int, int], Any]]:
    """One function for each population, in order."""
    if isinstance(game.grid, Populations):
        names = tuple(game.grid.names)
        if not isinstance(choose, Mapping) or set(choose) != set(names):
            raise InputError(f"policy_from needs one function for each population: a mapping from the names {names}")
        functions = [choose[name] for name in names]
    else:
        functions = [choose]
    for function in functions:
        if not callable(function):
            raise InputError(f"policy_from got a {type(function).__name__}; a function (step, cell) is needed")
    return functions


def _answer(choice: Any, game: Game, t: int, cell: int) -> np.ndarray:
    """Probabilities (actions,) of an answer: a number of an action, or the probabilities themselves."""
    answer = numbers(
        choice, f"answer of the policy at step {t} in cell {cell}", "an action or probabilities are needed"
    )
    if answer.shape == (game.step.actions,) and game.step.actions > 1:
        return answer
    if answer.size == 1 and answer.item() in range(game.step.actions):
        return np.asarray(np.arange(game.step.actions) == answer.item(), dtype=float)
    raise InputError(
        f"policy answered {choice!r} at step {t} in cell {cell}; the number of an action below {game.step.actions} is "
        f"needed, or {game.step.actions} probabilities"
    )


def _believed(game: Game, mass: np.ndarray) -> np.ndarray:
    """A crowd of masses that a user brings."""
    wanted = (game.steps + 1, *game.grid.shape)
    if mass.shape != wanted:
        raise InputError(f"field has shape {mass.shape}; masses (node, ...) = {wanted} are needed, or a policy")
    if any(block.on != "state" for block in game.blocks):
        raise InputError("field holds masses alone, and the game prices choices too; give a solution or a policy")
    flat = mass.reshape(wanted[0], game.grid.populations, -1)
    if not np.isfinite(flat).all() or (flat < 0).any():
        raise InputError("field has masses that are negative or not finite")
    error = np.abs(flat.sum(axis=2) - 1.0)
    if error.max() > ROUND:
        t, p = (int(i) for i in np.unravel_index(error.argmax(), error.shape))
        raise InputError(
            f"field sums to {flat[t, p].sum():.6g} at node {t}; masses (density times cell volume) sum to 1 at every "
            "node"
        )
    return game.crowd_of(np.asarray(mass))
