"""Braess's network: a road more makes everybody's way longer."""

from __future__ import annotations

import numpy as np

from mfgsolve.couplings import CrowdAversion
from mfgsolve.dynamics import Tabular
from mfgsolve.errors import InputError
from mfgsolve.fields import Still
from mfgsolve.grids import TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.problems.registry import named
from mfgsolve.spaces import States

PLACES = ("A", "B", "C", "D", "A-C", "B-D")
# where each turn leads: the first one and the second one of every place; a place with one way out has it twice
TURNS = {"A": ("B", "A-C"), "B": ("C", "B-D"), "C": ("D", "D"), "D": ("D", "D"), "A-C": ("C", "C"), "B-D": ("D", "D")}
NARROW = ("A", "C")  # their first turn is a road that fills up


@named(group="states")
def braess(
    *,
    congestion: float = 1.0,
    narrow: float = 1.0,
    wide: float = 2.0,
    bridge: float = 0.25,
    closed: bool = False,
    temperature: float = 0.0,
) -> Problem:
    """Braess's network: a bridge between two roads makes the way of everybody longer.

    Everybody drives from A to D, over B or over C.  The roads A-B and C-D are narrow: with a share x of all drivers on
    them they take narrow + congestion x; A-C and B-D are wide and take ``wide``; a bridge leads from B to C.  Stage by
    stage: at 0 a driver leaves A, at 1 it leaves B or is on the way from A to C, at 2 it leaves C or is on the way from
    B to D, and at 3 it is in D; a stage costs the time of the road taken, so that all on a narrow road meet there.

    With the default times, equilibrium sends 1/4 over B, 1/2 over the bridge and 1/4 over C, and takes 3.75; with the
    bridge closed it sends half over B and half over C and takes 3.5, as does the social optimum in both cases.

    Parameters
    ----------
    congestion : what the whole crowd adds to the time of a narrow road [travel time]
    narrow : of an empty narrow road, A-B or C-D [travel time]
    wide : of a wide road, A-C or B-D, whoever is on it [travel time]
    bridge : of the bridge from B to C [travel time]
    closed : whether the bridge is shut [true or false]
    temperature : tau, how freely turns are chosen; 0 is sharp [travel time]

    Source: Braess, Ueber ein Paradoxon aus der Verkehrsplanung, doi:10.1007/BF01918335; times of OpenSpiel's
    dynamic_routing_data, arXiv:1908.09453
    """
    if min(narrow, wide, bridge) < 0:
        raise InputError(f"braess has roads of times {narrow}, {wide} and {bridge}; none may be negative")
    size = len(PLACES)
    transitions, cost, allowed = np.zeros((2, size, size)), np.zeros((2, size)), np.ones((2, size), dtype=bool)
    for s, place in enumerate(PLACES):
        for a, target in enumerate(TURNS[place]):
            transitions[a, s, PLACES.index(target)] = 1.0
        allowed[1, s] = place in ("A", "B")
    allowed[0, PLACES.index("B")] = not closed
    times = {"A": (narrow, wide), "B": (bridge, wide), "C": (narrow, 0.0)}
    for place, pair in times.items():
        cost[:, PLACES.index(place)] = pair
    fills = np.zeros((2, size))
    fills[0, [PLACES.index(place) for place in NARROW]] = congestion
    return Problem(
        grid=States(PLACES),
        time=TimeGrid(3, 3),
        dynamics=Tabular(
            transitions, cost=cost, temperature=temperature, actions=["first turn", "second turn"], allowed=allowed
        ),
        coupling=CrowdAversion(Still(fills), on="occupation"),
        initial=(np.arange(size) == 0).astype(float),
    )
