"""simulate: N agents follow a plan, replica by replica."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

import mfgsolve
from mfgsolve.agents.play import Play, agent_numbers, play_of
from mfgsolve.agents.run import Party, Run, run_replicas
from mfgsolve.agents.starting import exit_cells, start_cells
from mfgsolve.agents.walk import Walk
from mfgsolve.errors import InputError, unknown, whole
from mfgsolve.files import SCHEMA
from mfgsolve.grids import Grid
from mfgsolve.kernels import threads_available
from mfgsolve.problem import Problem
from mfgsolve.progress import counting
from mfgsolve.solution import Solution
from mfgsolve.solution.datasets import per_volume
from mfgsolve.spaces import flat_volumes
from mfgsolve.steps import MarkovChain

__all__ = ["check_memory", "kept_nodes", "make_party", "seed_sequence", "simulate"]

METHODS = ("counts", "agents")


def simulate(
    plan: Solution | Problem,
    agents: Any = None,
    replicas: int = 1,
    *,
    rng: Any = None,
    tagged: int = 0,
    method: str = "counts",
    start: Any = None,
    exits: Any = None,
    times: Any = None,
    policy: Any = None,
    problem: Problem | None = None,
    threads: int | None = None,
    progress: bool | None = None,
    verbose: bool | int = False,
) -> xr.Dataset:
    """Let N agents follow a plan: where they are, and what it costs them in the crowd that they really are.

    Agents start independently from the initial density, choose independently by the plan, and pay
    f(x, n_t(x) / (N volume)) for the crowd n_t of all N, themselves included.

    Parameters
    ----------
    plan : a solution; or a problem with a ``policy``
    agents : N, from 1 to 10^12, in every population; or a mapping from the names of populations
    replicas : independent repetitions
    rng : seed (a whole number, a list of them, or a `numpy.random.SeedSequence`), or a `numpy.random.Generator`, which
        moves on; None draws a fresh seed, which the attribute ``seed`` tells.  Every replica has streams of its own:
        the result depends neither on ``threads`` nor on how many replicas there are
    tagged : how many agents (of each population) to remember by themselves
    method : "counts" splits the agents of a cell by binomials, at a cost that hardly grows with N; "agents" moves each
        by itself, to the same law.  On the entropic step both draw once along each axis
    start : where the agents start, instead of the initial density: points, or the path of a CSV file, see
        `mfgsolve.agents.starting`; then ``agents`` may be left out
    exits : where agents leave a game that has no exits of its own, in the words of a `Grid`: who comes there neither
        pays nor counts any more
    times : numbers of nodes (0..T, not times in units of time) at which the density is kept; all by default
    policy : what everybody does instead of the plan, see `mfgsolve.nash_gap`
    problem : the game, if the plan was loaded from a file and the game is made of Python functions
    threads : replicas that run side by side; None takes what the processor has
    progress, verbose : a live line, and the work in lines; see `mfgsolve.progress`

    Returns
    -------
    xarray.Dataset
        ``density`` (replica, time, ...), n / (N volume); ``cost`` (replica[, population]), mean over the agents;
        ``mean_field_density`` (time, ...) and ``mean_field_cost``, their limits for agents that start and leave
        likewise; where there are exits ``left`` (replica, node[, population]), how many have gone, and ``exited``
        (replica, node[, population], exit) and ``mean_field_exited``, which share by each of them, of the agents and in
        the limit; ``tagged_cell`` (replica, tagged, node), the flat number of the cell or -1 after leaving,
        ``tagged_position`` on grids, and ``tagged_cost``

    Raises
    ------
    InputError

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> solution = mfg.solve(mfg.problems.supply_demand(shape=(16, 16), steps=128, scheme="upwind"))
    >>> crowd = mfg.simulate(solution, agents=1000, replicas=4, rng=0)
    >>> dict(crowd.density.sizes)
    {'replica': 4, 'time': 129, 'y': 16, 'x': 16}
    """
    play = play_of(plan, policy, problem)
    party = make_party(play, agents, method=method, tagged=tagged, start=start, exits=exits)
    count = whole(replicas, "replicas")
    if count < 1:
        raise InputError(f"replicas is {replicas}; at least 1 is needed")
    if threads is not None and whole(threads, "threads") < 1:
        raise InputError(f"threads is {threads}; at least 1 is needed")
    nodes = kept_nodes(times, play)
    check_memory(party, count, nodes.size * party.walk.states, threads)
    seeds = seed_sequence(rng)
    entropy = seeds.entropy
    played = counting(run_replicas(party, count, seeds, threads), count, "replicas", progress, verbose)
    runs = _kept(played, nodes)
    return _dataset(play, party, runs, nodes, entropy)


def seed_sequence(rng: Any) -> np.random.SeedSequence:
    """What all streams are spawned from; nothing global is touched."""
    if isinstance(rng, np.random.SeedSequence):  # a copy: to use one twice gives the same twice
        return np.random.SeedSequence(rng.entropy, spawn_key=rng.spawn_key)
    if isinstance(rng, list | tuple) and rng and all(isinstance(word, int | np.integer) for word in rng):
        return np.random.SeedSequence([int(word) for word in rng])
    if isinstance(rng, np.random.Generator):
        return np.random.SeedSequence(rng.integers(0, 2**32, size=4).tolist())
    if rng is None:
        return np.random.SeedSequence()
    seed = int(rng) if isinstance(rng, int | np.integer) and not isinstance(rng, bool) else whole(rng, "rng")
    if seed < 0:
        raise InputError(f"rng is {rng}; a seed is a whole number of zero or more")
    return np.random.SeedSequence(seed)


def make_party(
    play: Play,
    agents: Any,
    *,
    method: str = "counts",
    tagged: int = 0,
    start: Any = None,
    exits: Any = None,
    deviation: MarkovChain | None = None,
) -> Party:
    """Check who plays."""
    if method not in METHODS:
        raise InputError(unknown("method", method, METHODS))
    cells = None
    if start is not None:
        cells, listed = start_cells(start, play.game)
        if agents is not None and (agent_numbers(agents, play) != listed).any():
            raise InputError(f"agents is {agents} and start lists {listed.tolist()} of them; leave agents out")
        numbers = listed
    elif agents is None:
        raise InputError("agents is missing; say how many agents play, or where each of them starts")
    else:
        numbers = agent_numbers(agents, play)
    marked = whole(tagged, "tagged")
    if not 0 <= marked <= numbers.min():
        raise InputError(f"tagged is {tagged}; from 0 to the {numbers.min()} agents can be remembered")
    gone = None if exits is None else exit_cells(exits, play.game)
    return Party(Walk(play), numbers, method, marked, deviation, cells, gone)


def kept_nodes(times: Any, play: Play) -> np.ndarray:
    """Numbers of the time nodes at which densities are kept."""
    steps = play.game.steps
    if times is None:
        return np.arange(steps + 1)
    listed = list(times) if np.iterable(times) and not isinstance(times, str) else [times]
    nodes = np.array(
        [whole(value, "times holds numbers of nodes (0 to the number of steps), and one") for value in listed],
        dtype=int,
    )
    if nodes.size == 0 or nodes.min() < 0 or nodes.max() > steps or (np.diff(nodes) <= 0).any():
        raise InputError(f"times are {listed}; numbers of nodes from 0 to {steps}, in rising order, are needed")
    return nodes


def check_memory(party: Party, replicas: int, numbers: int, threads: int | None) -> None:
    """Refuse what does not fit: ``numbers`` kept of every replica, and what the replicas at work need besides."""
    need = 8.0 * replicas * numbers
    try:
        have = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return
    alone = party.tagged * party.agents.size
    crowd = 40.0 * party.walk.steps * alone  # their streams of random numbers, and what they did
    if party.method == "agents":
        crowd += 12.0 * float(party.agents.sum())  # cells, now and before
    crowd *= min(threads_available() if threads is None else threads, replicas)
    if crowd > have / 2:
        raise InputError(
            f"agents that move one by one take {crowd / 2**30:.1f} GiB, more than half of the {have / 2**30:.1f} GiB "
            "here; fewer tagged ones or fewer threads need less, and method='counts' nothing for all others"
        )
    if need > have / 2:
        raise InputError(
            f"what is kept of {replicas} replicas takes {need / 2**30:.1f} GiB, more than half of the "
            f"{have / 2**30:.1f} GiB here; keep fewer times, say times=[{party.walk.steps}], or fewer replicas"
        )


def _kept(runs: Any, nodes: np.ndarray) -> list[Run]:
    """Every run with the counts at the kept nodes only."""
    kept = []
    for run in runs:
        kept.append(replace(run, counts=run.counts[nodes]))
    return kept


def _dataset(play: Play, party: Party, runs: list[Run], nodes: np.ndarray, entropy: Any) -> xr.Dataset:
    game, several = play.game, ["population"] if play.populations else []
    unit = game.time.unit
    dims, populations = game.grid.dims, party.agents.size
    inside = game.grid.inside
    counts = np.stack([run.counts for run in runs]).reshape(len(runs), nodes.size, populations, -1)
    counts = counts * inside.reshape(populations, -1)
    volumes = np.broadcast_to(flat_volumes(game.grid), game.grid.size).reshape(populations, -1)
    masses = np.asarray(game.grid.masses)
    share = masses / party.agents  # mass of one agent
    density = (counts * (share[:, None] / volumes)).reshape(len(runs), nodes.size, *game.grid.shape)
    costs = np.stack([run.cost if several else run.cost[0] for run in runs])
    mean, gone = mean_field(party)
    limit = party.walk.mean_costs(mean).total.reshape(populations, -1).sum(axis=1) / masses
    data: dict[str, Any] = {
        "density": (("replica", "time", *dims), density, {"units": per_volume(game), "long_name": "density of agents"}),
        "mean_field_density": (
            ("time", *dims),
            mean[nodes].reshape(nodes.size, *game.grid.shape) * inside / game.grid.volumes,
            {"units": per_volume(game), "long_name": "density in the limit of many agents"},
        ),
        "cost": (("replica", *several), costs, {"units": "cost", "long_name": "mean cost of the agents"}),
        "mean_field_cost": (several, limit if several else limit[0], {"units": "cost", "long_name": "its limit"}),
    }
    coordinates: dict[str, Any] = {
        "time": ("time", game.time.nodes[nodes], {"units": unit, "long_name": "time"}),
        "replica": ("replica", np.arange(len(runs)), {"units": "1", "long_name": "replica"}),
    } | {name: (name, values, attrs) for name, (values, attrs) in game.grid.dimension_coordinates.items()}
    exits = party.exits or game.grid.exits
    if exits is not None:
        data |= _left(party, runs, gone, several)
        coordinates["exit"] = ("exit", np.array(exits.names), {"units": "1", "long_name": "exit"})
    if exits is not None or party.tagged:
        coordinates["node"] = ("node", game.time.nodes, {"units": unit, "long_name": "every time"})
    if party.tagged:
        data |= _tagged(play, party, runs, coordinates)
    attributes = {
        "schema": SCHEMA, "kind": "simulation", "mfgsolve_version": mfgsolve.__version__, "name": game.problem.name,
        "agents": party.agents if several else int(party.agents[0]), "method": party.method, "seed": str(entropy),
    } | game.time.attrs  # fmt: skip
    return xr.Dataset(data, coordinates, attrs=attributes)


def _left(party: Party, runs: list[Run], gone: np.ndarray, several: list[str]) -> dict[str, Any]:
    """How many have left, and which share by each exit."""
    left = np.stack([run.left for run in runs])
    share, limit, number = left / party.agents[:, None], gone, left.sum(axis=-1)
    if not several:
        share, limit, number = share[:, :, 0], limit[:, 0], number[..., 0]
    about = {"units": "1", "long_name": "share of the agents that has left by each exit"}
    return {
        "left": (("replica", "node", *several), number, {"units": "1", "long_name": "agents that have left"}),
        "exited": (("replica", "node", *several, "exit"), share, about),
        "mean_field_exited": (("node", *several, "exit"), limit, about | {"long_name": "its limit of many agents"}),
    }


def mean_field(party: Party) -> tuple[np.ndarray, np.ndarray]:
    """Mass (T+1, states) of the limit: the plan's own flow, unless agents start or leave elsewhere; and who has left by
    each exit, (T+1, populations, exits)."""
    walk, game, exits = party.walk, party.walk.game, party.exits or party.walk.game.grid.exits
    count, own, masses = party.agents.size, party.exits is None, np.asarray(game.grid.masses)
    gone = np.zeros((walk.steps + 1, count, 0 if exits is None else len(exits.names)))
    if party.start is None and own:
        mass = game.flat(walk.play.crowd)[:, : walk.states]
        return mass, gone if exits is None else exits.totals(mass, count) / masses[:, None]
    share = np.repeat(masses / party.agents, walk.states // party.agents.size)
    if party.start is None:
        now = game.initial_mass.reshape(-1).copy()
    else:
        now = np.bincount(party.start, minlength=walk.states) * share
    mass = np.empty((walk.steps + 1, walk.states))
    for t in range(walk.steps + 1):
        if party.exits is not None:
            gone[t:] += party.exits.totals(now[None], count) / masses[:, None]
            now[party.exits.cells.reshape(-1)] = 0.0
        mass[t] = now
        if t < walk.steps and now.any():
            now = walk.chain.expect(t, now)
    return mass, gone if exits is None or not own else exits.totals(mass, count) / masses[:, None]


def _tagged(play: Play, party: Party, runs: list[Run], coordinates: dict[str, Any]) -> dict[str, Any]:
    """Cells, positions and costs of the agents that were remembered."""
    game = play.game
    several = len(party.agents)
    path, costs = (np.stack([getattr(run, name) for run in runs]) for name in ("tagged", "tagged_cost"))
    if game.grid.exits is not None:
        path = np.where((path >= 0) & game.grid.exits.cells.reshape(-1)[path], -1, path)
    cells = game.cells // several
    inside = np.where(path >= 0, path % cells, -1)
    who = ("replica", "tagged")
    coordinates["tagged"] = ("tagged", np.arange(path.shape[1]), {"units": "1", "long_name": "remembered agent"})
    data: dict[str, Any] = {
        "tagged_cell": ((*who, "node"), inside, {"units": "1", "long_name": "number of the cell, -1 after leaving"}),
        "tagged_cost": (who, costs, {"units": "cost", "long_name": "what the agent paid"}),
    }
    if play.populations:
        owner = np.repeat(np.arange(several), party.tagged)
        coordinates["tagged_population"] = ("tagged", np.array(play.populations)[owner], {"units": "1"})
    space = getattr(game.grid, "space", game.grid)
    if isinstance(space, Grid):
        index = np.unravel_index(np.maximum(inside, 0), space.shape)
        axes = space.axes[::-1]
        places = [axis.centres[i] for axis, i in zip(axes, index[::-1], strict=True)]
        position = np.where((inside >= 0)[..., None], np.stack(places, axis=-1), np.nan)
        attrs = {"units": axes[0].unit, "long_name": "centre of the cell of the agent"}
        data["tagged_position"] = ((*who, "node", "axis"), position, attrs)
        coordinates["axis"] = ("axis", np.array([axis.name for axis in axes]), {"units": "1"})
    return data
