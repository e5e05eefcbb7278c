"""Braess's network with traffic that never ceases: every road fills by its own flow."""

from __future__ import annotations

import numpy as np

from mfgsolve.couplings import CrowdAversion
from mfgsolve.dynamics import Tabular
from mfgsolve.errors import InputError
from mfgsolve.fields import Still
from mfgsolve.problem import Problem
from mfgsolve.problems.registry import named
from mfgsolve.spaces import Populations, States
from mfgsolve.stationary import FirstExit

PLACES = ("A", "B", "C", "D")
# from each place, by the first turn and by the second: where to, the empty road's time, and what a vehicle adds to it
ROADS = {
    "A": (("B", 0.0, 10.0), ("C", 50.0, 1.0)),
    "B": (("D", 50.0, 1.0), ("C", 10.0, 1.0)),
    "C": (("D", 0.0, 10.0),),
}


@named(group="states")
def braess_traffic(*, demand: float = 6.0, closed: bool = False, temperature: float = 0.0) -> Problem:
    """Braess's network as a first-exit game: drivers enter at A at a steady rate, each drives to D and is gone.

    A road takes t_0 + s x, x the drivers that take it in a unit of time: 10 x from A to B and from C to D, 50 + x from
    A to C and from B to D, 10 + x on the bridge from B to C.  With the bridge each of the three ways has 2 of 6 drivers
    and takes 92; without it each of two has 3 and takes 83, as the social optimum does.  So the price of anarchy is
    92/83, and the potential (Beckmann's) is 386.

    Parameters
    ----------
    demand : drivers that enter in a unit of time [drivers per unit of time]
    closed : whether the bridge is shut [true or false]
    temperature : tau, how freely roads are chosen; 0 is sharp [travel time]

    Source: Braess, Ueber ein Paradoxon aus der Verkehrsplanung, doi:10.1007/BF01918335; Beckmann, McGuire and Winsten,
    Studies in the Economics of Transportation (1956)
    """
    if not demand > 0:
        raise InputError(f"braess-traffic has a demand of {demand} drivers; a positive number is needed")
    size = len(PLACES)
    transitions, cost, slope = np.zeros((2, size, size)), np.zeros((2, size)), np.zeros((2, size))
    allowed = np.zeros((2, size), dtype=bool)
    for s, place in enumerate(PLACES):
        for a, (target, empty, fills) in enumerate(ROADS.get(place, (("D", 0.0, 0.0),))):
            transitions[a, s, PLACES.index(target)] = 1.0
            cost[a, s], slope[a, s], allowed[a, s] = empty, fills, True
        if not allowed[1, s]:
            transitions[1, s] = transitions[0, s]
    allowed[1, PLACES.index("B")] = not closed
    return Problem(
        grid=Populations(["drivers"], States(PLACES, exits={"D": ["D"]}), masses=[demand]),
        time=FirstExit(),
        dynamics=Tabular(
            transitions, cost=cost, temperature=temperature, actions=["first turn", "second turn"], allowed=allowed
        ),
        coupling=CrowdAversion(Still(slope[:, None]), on="occupation"),
        initial=demand * (np.arange(size) == 0.0)[None],
    )
