"""Who is where and does what: the one density that solvers, simulated agents and learners all speak.

An *occupation* is the mass w(t, population, cell, action).  The density of a solver, the empirical density of N agents,
the belief of a fictitious player and the mean action around an agent are its marginals or conversions:

    m(t, p, s) = sum_a w(t, p, s, a)                      the density, times the volume of a cell
    pi(a | t, p, s) = w(t, p, s, a) / m(t, p, s)          the policy, uniform over what is allowed where nobody is
    abar(t, p, s, a) = (N w)(t, p, s, a) / (N m)(t, p, s)   the mean action in a neighbourhood N, NaN where nobody is
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from mfgsolve.agents.play import stated_problem
from mfgsolve.agents.run import Party, Run
from mfgsolve.display import card
from mfgsolve.display.stated import space_sentence
from mfgsolve.errors import FileError, InputError, numbers, real, unknown, whole
from mfgsolve.files import SCHEMA, read_dataset, write_dataset
from mfgsolve.games import Game
from mfgsolve.learners.distance import check_alike, distance
from mfgsolve.learners.layouts import actions_of, check_mass, counted, even_shares, game_of, joint, labelled, space_of
from mfgsolve.problem import Problem
from mfgsolve.solution import Solution
from mfgsolve.solution.display import density_picture
from mfgsolve.spaces import Space
from mfgsolve.stages.neighbourhoods import checked_neighbours

__all__ = ["Occupation"]


@dataclass(frozen=True, eq=False)
class Occupation:
    """Mass of agents by time, population, cell and action.

    Attributes
    ----------
    mass : DataArray (time, *space.dims, action), or without time, with the coordinates of the game; ``population`` is
        the first dimension of a space of several.  The mass of every population sums to 1 (to less where agents have
        left)
    space : where the agents are
    allowed : boolean (action, *space.shape), True where the action can be taken; None allows all
    ends : whether the last time is the end of the game, at which nobody chooses any more.  So that one array holds all,
        its mass is there divided evenly among the allowed actions; `policy` leaves it out, `mean_action` is NaN

    Controlled diffusions choose among "stay" and the moves to their neighbours, before the noise.

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> solution = mfg.solve(mfg.problems.beach_bar())
    >>> crowd = Occupation.of(solution)
    >>> float(crowd.distance(crowd.mix(crowd, 0.5)).max())
    0.0
    """

    mass: xr.DataArray
    space: Space
    allowed: np.ndarray | None = field(default=None, repr=False)
    ends: bool = False

    def __post_init__(self) -> None:
        lead = ("time",) if "time" in self.mass.dims else ()
        wanted = (*lead, *self.space.dims, "action")
        if self.mass.dims != wanted:
            raise InputError(f"mass has the dimensions {self.mass.dims}; {wanted} are needed")
        if self.mass.shape[len(lead) : -1] != self.space.shape:
            raise InputError(
                f"mass has shape {self.mass.shape}; the space of shape {self.space.shape} needs "
                f"({'time, ' if lead else ''}{', '.join(str(n) for n in self.space.shape)}, actions)"
            )
        if self.ends and not lead:
            raise InputError("an occupation without time has no end; leave ends out")
        if self.allowed is None:
            object.__setattr__(self, "allowed", np.ones((self.mass.shape[-1], *self.space.shape), dtype=bool))
        wanted_shape = (self.mass.shape[-1], *self.space.shape)
        assert self.allowed is not None
        if self.allowed.shape != wanted_shape or self.allowed.dtype != bool:
            came = f"{self.allowed.dtype} of shape {self.allowed.shape}"
            raise InputError(f"allowed is {came}; a boolean array (action, *space) = {wanted_shape} is needed")
        check_mass(self.mass, self.space, self.allowed)

    # -- where it comes from -----------------------------------------------------------------------------------

    @classmethod
    def of(cls, solution: Solution, problem: Problem | None = None) -> Occupation:
        """Policy times density of a solution.

        Parameters
        ----------
        problem : the game, if the solution was loaded from a file and the game is made of Python functions
        """
        if not isinstance(solution, Solution):
            raise InputError(
                f"a {type(solution).__name__} came; Occupation.of takes a Solution, Occupation.of_policy a problem and "
                "a policy"
            )
        game = game_of(stated_problem(solution) if problem is None else problem)
        policy = game.step.policy_from(solution.dataset)
        density = solution.dataset["density"].transpose("time", *game.grid.dims)
        if density.shape != (game.steps + 1, *game.grid.shape):
            raise InputError(
                f"the solution has a density of shape {density.shape}; the problem has "
                f"{(game.steps + 1, *game.grid.shape)}"
            )
        levels = density.values * game.grid.volumes
        choices = game.step.chain(policy).by_choice().choices
        return _chosen(game, levels.reshape(game.steps + 1, -1), choices)

    @classmethod
    def of_policy(cls, problem: Problem | Game, policy: Any) -> Occupation:
        """The occupation of agents who all follow a policy from the initial density on.

        Parameters
        ----------
        policy : probabilities (step, action, *space), or speeds (step, move, *space) of a controlled diffusion, as an
            array, a DataArray, a Dataset or a Solution
        """
        game = game_of(problem)
        chosen = game.step.policy_from(getattr(policy, "dataset", policy))
        choices, crowd = game.step.chain(chosen).by_choice().choices, game.follow(chosen)
        return _chosen(game, game.flat(crowd)[:, : game.cells], choices)

    @classmethod
    def of_run(cls, run: Run, party: Party) -> Occupation:
        """The empirical occupation of one simulated replica: counts / N times the policy that everybody follows.

        A run counts where agents are, not what they choose: choices are those expected of the agents who are there.
        `of_agents` counts them.
        """
        if party.deviation is not None:
            raise InputError("tagged agents deviate in this run, and counts do not tell them apart; use of_agents")
        game = game_of(party.walk.game)
        share = np.repeat(1.0 / party.agents, party.walk.states // party.agents.size)
        return _chosen(game, run.counts * share, party.walk.chain.by_choice().choices)

    @classmethod
    def of_agents(cls, problem: Problem | Game, cells: Any, actions: Any) -> Occupation:
        """The empirical occupation of N agents, by counting.

        Parameters
        ----------
        cells : (T+1, N) flat number of the cell of each agent, over all populations; -1 after it has left
        actions : (T, N) number of the action that each chooses; whatever after it has left
        """
        game = game_of(problem)
        return _of_game(game, counted(game, cells, actions))

    @classmethod
    def of_array(
        cls, mass: Any, space: Space, actions: int | Sequence[str], time: Any = None, allowed: Any = None,
        ends: bool = False, unit: str = "1",
    ) -> Occupation:  # fmt: skip
        """From an array (time, *space.shape, action), or without time.

        Parameters
        ----------
        actions : how many, or their names
        time : nodes, in ``unit``; None where there is no time
        """
        listed = isinstance(actions, Sequence) and not isinstance(actions, str)
        names = list(actions) if listed else [str(a) for a in range(whole(actions, "actions"))]  # type: ignore[arg-type]
        nodes = None if time is None else numbers(time, "time")
        lead = () if nodes is None else (nodes.size,)
        array, wanted = numbers(mass, "mass"), (*lead, *space.shape, len(names))
        if array.shape != wanted:
            raise InputError(f"mass has shape {array.shape}; ({'time, ' if lead else ''}*space, action) = {wanted}")
        choices = None if allowed is None else np.asarray(allowed)
        return cls(labelled(array, space, names, nodes, unit), space, choices, ends)

    # -- what it says ------------------------------------------------------------------------------------------

    @property
    def density(self) -> xr.DataArray:
        """Density of agents (time, *space): the marginal of cells over their volume, as solvers have it."""
        density = self.marginal(*self.space.dims) / self.space.volumes
        return density.rename("density").assign_attrs(long_name="density of agents")

    def marginal(self, *dims: str) -> xr.DataArray:
        """Mass by time and these dimensions; all others are summed out.

        Time is always kept: at each time everybody is somewhere.  Populations that are summed out weigh the same, and
        their sum is their number.
        """
        for name in dims:
            if name not in self.mass.dims:
                raise InputError(unknown("dimension", name, [str(dim) for dim in self.mass.dims]))
        gone = [dim for dim in self.mass.dims if dim not in ("time", *dims)]
        return self.mass.sum(gone)

    def policy(self) -> xr.DataArray:
        """Probability of each action, (step, action, *space): w / m, uniform over what is allowed where nobody is."""
        levels, allowed = self._levels(choosing=True), self.allowed
        assert allowed is not None
        here = levels.sum(axis=-1, keepdims=True)
        even = np.moveaxis(even_shares(allowed).reshape(self.actions, *self._flat_shape), 0, -1)
        table = np.where(here > 0, levels / np.where(here > 0, here, 1.0), even)
        table = np.moveaxis(table, -1, 1).reshape(len(levels), self.actions, *self.space.shape)
        lead: tuple[str, ...] = ("step",) if self.has_time else ()
        coordinates: dict[str, Any] = {name: self.mass.coords[name] for name in ("action", *self.space.dims)}
        if lead:
            nodes = self.mass["time"][: len(levels)]
            coordinates["step"] = ("step", nodes.values, {**nodes.attrs, "long_name": "start of the step"})
        values = table if lead else table[0]
        attrs = {"units": "1", "long_name": "probability of an action"}
        return xr.DataArray(values, coordinates, (*lead, "action", *self.space.dims), "policy", attrs)

    def policy_for(self, problem: Problem | Game) -> xr.DataArray:
        """The policy in the form that `mfgsolve.exploitability` takes: probabilities, or speeds of a diffusion.

        Where nobody is, a diffusion stays.
        """
        game = game_of(problem)
        names, _ = actions_of(game)
        if self.mass["action"].values.tolist() != names or self.space.shape != game.grid.shape:
            raise InputError(
                f"the occupation is of another game: its actions are {self.mass['action'].values.tolist()} on "
                f"{self.space.shape}; those of the game {names} on {game.grid.shape}"
            )
        policy = self.policy()
        if policy.sizes.get("step") != game.steps:
            raise InputError(f"the occupation is of {policy.sizes.get('step', 0)} steps; the game has {game.steps}")
        chances = policy.values.reshape(game.steps, self.actions, game.cells)
        visited = self.marginal(*self.space.dims).values[: game.steps].reshape(game.steps, -1) > 0
        variable = game.step.described(game.step.policy_by_chances(chances, visited))
        labels = {name: policy.coords[name] for name in ("step", *game.grid.dims)} | variable.coordinates
        return xr.DataArray(variable.values, labels, variable.dims, variable.name, variable.attrs)

    def crowd(self, game: Game) -> np.ndarray:
        """What couplings of a game see of it: an array of levels, see `mfgsolve.games.measures`."""
        if not self.ends or self.mass.sizes["time"] != game.steps + 1 or self.space.shape != game.grid.shape:
            raise InputError(f"occupation {dict(self.mass.sizes)} is no crowd of a game of {game.steps} steps on "
                             f"{game.grid.shape}")  # fmt: skip
        levels = self._levels().reshape(game.steps + 1, game.cells, self.actions)
        mass, choices = levels.sum(axis=-1), len(game.step.allowed)
        if self.actions != choices:
            raise InputError(f"the occupation has {self.actions} actions; the game has {choices}")
        return game.aggregate(
            mass, np.ascontiguousarray(levels[:-1].transpose(0, 2, 1)), game.empty_crowd(), weighed=True
        )

    def mean_action(self, neighbours: Any, typed: bool = True, sizes: Any = None) -> xr.DataArray:
        """Share of each action among the agents in a neighbourhood, (time, *space, action): what MFQ looks at.

            abar(t, p, s, a) = sum_s' N(s, s') w(t, p, s', a) / sum_s' N(s, s') m(t, p, s')

        Parameters
        ----------
        neighbours : matrix N of non-negative weights over the cells of one population, see `grid_neighbours`
        typed : one mean for each population; otherwise one of all agents, whatever their population
        sizes : numbers of agents of the populations, that the mean of all weighs by; equal without

        Returns
        -------
        xarray.DataArray
            sums to 1 over actions; NaN where no agent (of that population) is in the neighbourhood, and at the end
            of a game, where nobody chooses

        References
        ----------
        Yang et al., ICML 2018, arXiv:1802.05438; by type: Ganapathi Subramanian et al., AAMAS 2020,
        arXiv:2002.02513.
        """
        if typed and sizes is not None:
            raise InputError("sizes weigh populations in the mean of all; they say nothing where typed=True")
        around = self._around(neighbours, typed, sizes)
        count = around.sum("action")
        mean = around / count.where(count > 0)
        if self.ends:
            mean[{"time": -1}] = np.nan
        attrs = {"units": "1", "long_name": "share of an action in the neighbourhood"}
        return mean.rename("mean_action").assign_attrs(attrs)

    def neighbour_mass(self, neighbours: Any, typed: bool = True, sizes: Any = None) -> xr.DataArray:
        """Mass in the neighbourhood of each cell, (time, *space): the weights that make typed means the untyped one."""
        return self._around(neighbours, typed, sizes).sum("action").rename("neighbour_mass")

    def _around(self, neighbours: Any, typed: bool, sizes: Any) -> xr.DataArray:
        """N w, (time, *space, action)."""
        matrix = checked_neighbours(neighbours, self._flat_shape[1])
        mass = self.mass
        if not typed and "population" in mass.dims:
            weights = np.ones(self.space.populations) if sizes is None else numbers(sizes, "sizes")
            if weights.shape != (self.space.populations,) or not (weights > 0).all():
                raise InputError(f"sizes are {sizes}; {self.space.populations} positive numbers of agents are needed")
            mass = (mass * xr.DataArray(weights, dims="population")).sum("population")
        flat = mass.values.reshape(-1, self._flat_shape[1], self.actions)
        columns = flat.transpose(1, 0, 2).reshape(flat.shape[1], -1)
        near = np.asarray(matrix @ columns).reshape(flat.shape[1], flat.shape[0], self.actions)
        return mass.copy(data=near.transpose(1, 0, 2).reshape(mass.shape))

    def _repr_html_(self) -> str:
        density = self.density.where(~self.space.mask)
        picture, below = density_picture(density if self.has_time else density.expand_dims(time=[0.0]))
        listed = ", ".join(str(name) for name in self.mass["action"].values)
        rows = {"where": space_sentence(self.space), "actions": listed}
        return card("Occupation", "Mass of agents by time, place and action.", rows, picture=picture, below=below)

    # -- two of them -------------------------------------------------------------------------------------------

    def mix(self, other: Occupation, weight: float) -> Occupation:
        """w + weight (w' - w): one step of fictitious play, weight 1/k after k plays.

        Where transitions do not depend on the crowd, the mean of two flows is the flow of the policy of the mean.
        """
        share = real(weight, "weight")
        if not 0 <= share <= 1:
            raise InputError(f"weight is {share:g}; a mean has a weight from 0 to 1")
        check_alike(self, other)
        return Occupation(
            self.mass.copy(data=(1 - share) * self.mass.values + share * other.mass.values), self.space, self.allowed,
            self.ends,
        )  # fmt: skip

    def distance(self, other: Occupation, kind: str = "tv", actions: bool = False) -> xr.DataArray:
        """How far two crowds are apart, at each time.

        ====  ===================================================================================================
        tv    total variation sum |m - m'| / 2, from 0 to the number of populations
        l2    root of sum (rho - rho')^2 volume, rho the density
        w1    Wasserstein-1: the least mean way of agents who turn one into the other, see `agents.distances`
        ====  ===================================================================================================

        Parameters
        ----------
        actions : compare what agents do besides where they are (not for w1: actions are no distance apart)
        """
        return distance(self, other, kind, actions)

    # -- files -------------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> Path:
        """Write NetCDF; `Occupation.load` reads it back, bit for bit."""
        assert self.allowed is not None
        data = {
            "mass": self.mass,
            "allowed": (("action", *self.space.dims), self.allowed.astype(np.int8)),
            "blocked": (self.space.dims, self.space.mask.astype(np.int8)),
        }
        return write_dataset(
            xr.Dataset(data, attrs={"schema": SCHEMA, "kind": "occupation", "ends": int(self.ends)}), path
        )

    @classmethod
    def load(cls, path: str | Path) -> Occupation:
        """Read an occupation back."""
        dataset = read_dataset(path, "occupation")
        missing = [name for name in ("mass", "allowed", "blocked") if name not in dataset]
        if missing or "ends" not in dataset.attrs:
            raise FileError(f"file {path} misses {missing or 'the attribute ends'}; it is not a whole occupation")
        return cls(
            dataset["mass"], space_of(dataset), dataset["allowed"].values.astype(bool), bool(dataset.attrs["ends"])
        )

    # -- arrays ------------------------------------------------------------------------------------------------

    @property
    def has_time(self) -> bool:
        return "time" in self.mass.dims

    @property
    def actions(self) -> int:
        return int(self.mass.shape[-1])

    @property
    def _flat_shape(self) -> tuple[int, int]:
        """Populations, cells of each."""
        return self.space.populations, self.space.size // self.space.populations

    def _levels(self, choosing: bool = False) -> np.ndarray:
        """(levels, populations, cells, actions); ``choosing``: without the end."""
        levels = self.mass.values.reshape(-1, *self._flat_shape, self.actions)
        return levels[:-1] if choosing and self.ends else levels


# -- checks and construction -------------------------------------------------------------------------------------------


def _chosen(game: Game, mass: np.ndarray, choices: np.ndarray) -> Occupation:
    return _of_game(game, joint(game, mass, choices))


def _of_game(game: Game, levels: np.ndarray) -> Occupation:
    names, allowed = actions_of(game)
    array = levels.reshape(game.steps + 1, *game.grid.shape, len(names))
    mass = labelled(array, game.grid, names, game.time.nodes, game.time.unit)
    return Occupation(mass, game.grid, np.array(allowed, dtype=bool), ends=True)
