"""What learning adds to a solution: how many agents played how often, and how far their plan is from a solver's."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

    from mfgsolve.spaces import Space

__all__ = ["Learning", "Played", "Reference"]


@dataclass(frozen=True)
class Played:
    """How agents learned, as far as the learner knows it.

    Parameters
    ----------
    agents : how many, of each population
    episodes : how often they play in all
    block : episodes from one certificate to the next
    before : episodes before the first certificate
    apart : disagreement of agents with tables of their own, at the certificates that were last; None without
    regrets : of agents with tables of their own at the end, relative, one population after the other; None without
    """

    agents: int
    episodes: int
    block: int
    before: int = 0
    apart: np.ndarray | None = None
    regrets: np.ndarray | None = None

    def after(self, iterations: np.ndarray) -> np.ndarray:
        """Episodes played at the certificates of these iterations."""
        return np.minimum(self.before + iterations * float(self.block), float(self.episodes))

    def disagreement(self, iterations: np.ndarray) -> np.ndarray | None:
        """Disagreement at the certificates of these iterations; NaN at those that did not measure it."""
        if self.apart is None:
            return None
        found = np.full(len(iterations), math.nan)
        known = min(len(iterations), len(self.apart))
        found[len(iterations) - known :] = self.apart[len(self.apart) - known :]
        return found


@dataclass(frozen=True)
class Reference:
    """The plan that learning is compared with: "none", one that a solver finds afterwards ("solved"), or "given"."""

    kind: str = "none"
    density: np.ndarray | None = None  # (time, ...), of one that is given
    exploitability: float = math.nan  # relative

    def stored(self) -> dict[str, Any]:
        """What a checkpoint keeps, by name."""
        rest = {} if self.density is None else {"density": self.density, "exploitability": self.exploitability}
        return {"reference": self.kind} | rest

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Reference | None:
        """The reference that a checkpoint kept; None where it kept none, as those of solvers."""
        if "reference" not in stored:
            return None
        if stored["reference"] != "given":
            return cls(str(stored["reference"]))
        return cls("given", np.asarray(stored["density"]), float(stored["exploitability"]))


@dataclass(frozen=True, eq=False)
class Learning:
    """What learning adds to a solution, see `mfgsolve.learn`.

    Attributes
    ----------
    agents : how many learned, of each population
    episodes, agent_steps : played and made so far, (iteration)
    reference_density : of the plan compared with, (time, ...), mass per unit volume; None without one
    reference_exploitability : of that plan, relative; NaN without one
    density_distance : total variation between the learned and the reference density, mean over the nodes and the
        populations; NaN without one
    disagreement : of agents with tables of their own, (iteration): root mean square distance of the tables that their
        policies are made from (preferences, action values) from the mean table; None where a table is shared
    agent_regret : what each of these agents could gain at the end by a best response to the present crowd of all,
        relative, (agents of all populations, one population after the other); None where a table is shared
    """

    agents: int
    episodes: np.ndarray
    agent_steps: np.ndarray
    reference_density: np.ndarray | None = None
    reference_exploitability: float = math.nan
    density_distance: float = math.nan
    disagreement: np.ndarray | None = None
    agent_regret: np.ndarray | None = None

    @classmethod
    def of(cls, played: Played, iterations: np.ndarray, populations: int, steps: int) -> Learning:
        """What was played at the certificates of these iterations, compared with nothing."""
        episodes = played.after(iterations)
        return cls(
            played.agents, episodes, episodes * (played.agents * populations * steps),
            disagreement=played.disagreement(iterations), agent_regret=played.regrets,
        )  # fmt: skip

    def beside(
        self, reference: np.ndarray | None, exploitability: float, density: np.ndarray, space: Space
    ) -> Learning:
        """The same, compared with a reference (or with nothing), from its density and that of the plan learned."""
        if reference is None:
            return replace(
                self, reference_density=None, reference_exploitability=exploitability, density_distance=math.nan
            )
        apart = np.abs(reference - density) * space.volumes
        distance = 0.5 * float(apart.reshape(apart.shape[0], -1).sum(axis=1).mean()) / space.populations
        return replace(
            self, reference_density=reference, reference_exploitability=exploitability, density_distance=distance
        )

    def written(self, dataset: xr.Dataset) -> xr.Dataset:
        """A dataset of a solution with this besides."""
        added: dict[str, Any] = {
            "episodes": ("iteration", self.episodes, {"units": "1", "long_name": "episodes played"}),
            "agent_steps": ("iteration", self.agent_steps, {"units": "1", "long_name": "steps that agents made"}),
        }
        if self.reference_density is not None:
            attrs = dataset["density"].attrs | {"long_name": "density of the reference"}
            added["reference_density"] = (dataset["density"].dims, self.reference_density, attrs)
        if self.disagreement is not None:
            attrs = {"units": "1", "long_name": "distance of the agents' tables from their mean"}
            added["disagreement"] = ("iteration", self.disagreement, attrs)
        if self.agent_regret is not None:
            attrs = {"units": "1", "long_name": "regret of each agent against the present crowd, relative"}
            added["agent_regret"] = ("agent", self.agent_regret, attrs)
            dataset = dataset.assign_coords(agent=np.arange(self.agent_regret.size))
        names = ("agents", "density_distance", "reference_exploitability")
        return dataset.assign(added).assign_attrs({name: getattr(self, name) for name in names})

    @classmethod
    def read(cls, dataset: xr.Dataset) -> Learning | None:
        """What a dataset says of learning, which `mfgsolve.files.schema` has checked; None if a solver made it."""
        if "episodes" not in dataset:
            return None
        reference = dataset["reference_density"].values if "reference_density" in dataset else None
        apart = dataset["disagreement"].values if "disagreement" in dataset else None
        regret = dataset["agent_regret"].values if "agent_regret" in dataset else None
        attrs = dataset.attrs
        return cls(
            int(attrs["agents"]), dataset["episodes"].values, dataset["agent_steps"].values, reference,
            float(attrs["reference_exploitability"]), float(attrs["density_distance"]), apart, regret,
        )  # fmt: skip
