"""What is known of a number of time steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mfgsolve.cautions import Caution

__all__ = ["Judgement"]


@dataclass(frozen=True)
class Judgement:
    """What is known of a number of time steps; what was not measured is NaN.

    Attributes
    ----------
    steps : the number
    chosen : whether it was chosen by the rule, and not stated
    potential_change : estimated error of the potential (where there is none: of what an agent pays) by these steps,
        beside as many as one likes on the same grid; in units of cost
    gain_change : the same of what the crowd gains by moving at all, relative to that gain
    flow_change : share of the crowd that is elsewhere; total variation, mean over the time
    cap_fraction : share of the mass-time at the speed cap of the real grid, on the coarse one
    steps_advised : what the rule takes; None where nothing could be measured, or nothing needed to be
    space_error : e_s of entropic steps, relative: what the Gaussian of one step loses when it is sampled on the cells
    own_viscosity : that the scheme takes in place of a smaller one that was stated, length^2 / time
    kink_miss : by how much of a step the nodes miss the kinks of the data, at most
    cautions : what is to be said of it, if anything
    work : of the coarse games that told, cells times steps times sweeps; of entropic steps alone
    """

    steps: int
    chosen: bool = False
    potential_change: float = math.nan
    gain_change: float = math.nan
    flow_change: float = math.nan
    cap_fraction: float = math.nan
    steps_advised: int | None = None
    cautions: tuple[Caution, ...] = ()
    space_error: float = math.nan
    own_viscosity: float = math.nan
    kink_miss: float = math.nan
    work: float = 0.0

    @property
    def sentence(self) -> str:
        """How the number came about and what it costs."""
        if not self.chosen:
            return ""
        if math.isnan(self.flow_change):
            return f"{self.steps}, chosen from the game"
        what = "speeds" if math.isnan(self.space_error) else "noise"
        return (
            f"{self.steps}, chosen from the {what} of the game (they change the potential by about "
            f"{self.potential_change:.1g} and the place of {self.flow_change:.1%} of the crowd)"
        )

    @property
    def attributes(self) -> dict[str, int | float]:
        """For the dataset of a solution; ``steps_space_error`` where there is one."""
        numbers = {"potential_change": self.potential_change, "flow_change": self.flow_change}
        if not math.isnan(self.space_error):
            numbers["space_error"] = self.space_error
        return {"steps_chosen": int(self.chosen)} | {f"steps_{name}": value for name, value in numbers.items()}
