"""Named road networks: Braess's, and a city of rings and radial roads."""

from __future__ import annotations

import math

from mfgsolve.errors import InputError
from mfgsolve.problems.registry import named
from mfgsolve.roads import RoadNetwork

__all__ = ["braess_roads", "ring_city"]


@named(group="roads")
def braess_roads(
    *, demand: float = 6.0, congestion: float = 10.0, bridge: float = 10.0, closed: bool = False
) -> RoadNetwork:
    """Braess's road network: a new road makes everybody's way longer.

    From 1 to 2 over 3 or over 4: the roads 1-3 and 4-2 take congestion x, 1-4 and 3-2 take 50 + x, and the bridge from
    3 to 4 takes bridge + x.  At a demand of 6 the equilibrium takes everybody 92, and 83 without the bridge, which is
    the social optimum with it, too: the price of anarchy is 92/83.

    Parameters
    ----------
    demand : vehicles that go from 1 to 2 [vehicles]
    congestion : what a vehicle adds to the time of a narrow road, 1-3 or 4-2 [travel time / vehicle]
    bridge : time of the empty bridge [travel time]
    closed : whether the bridge is shut [true or false]

    Source: Braess, Ueber ein Paradoxon aus der Verkehrsplanung, doi:10.1007/BF01918335; numbers of the test network at
    https://github.com/bstabler/TransportationNetworks
    """
    if not (demand > 0 and congestion >= 0 and bridge >= 0):
        raise InputError(
            f"braess-roads has a demand of {demand}, a congestion of {congestion} and a bridge of {bridge}; the "
            "first is "
            "more than 0, the others at least 0"
        )
    narrow, wide = (0.0, congestion), (50.0, 1.0)
    roads = [(1, 3, *narrow), (1, 4, *wide), (3, 2, *wide), (4, 2, *narrow), (3, 4, bridge, 1.0)]
    rows = [dict(zip(("from", "to", "constant", "slope"), road, strict=True)) for road in roads]
    places = {1: (0.0, 0.5), 3: (1.0, 1.0), 4: (1.0, 0.0), 2: (2.0, 0.5)}
    return RoadNetwork.from_edges(rows[:4] if closed else rows, {(1, 2): demand}, nodes=places)


@named(group="roads")
def ring_city(
    *, rings: int = 4, radials: int = 10, commuters: float = 30000.0, capacity: float = 1200.0
) -> RoadNetwork:
    """A city of rings and radial roads, whose people all drive at once, most of them to the centre.

    Crossings lie on ``rings`` circles 2 km apart, ``radials`` on each, around one in the centre.  Neighbours on a ring,
    and on a radial road, are joined in both directions.  Free speeds are 30 km/h in the middle and rise to 60 km/h on
    the outermost ring, whose roads are twice as wide; times are those of the Bureau of Public Roads, with 0.15 and 4.
    Half of the commuters go to the centre, the others anywhere, by gravity: the farther the fewer, exp(-distance/5 km).

    Parameters
    ----------
    rings : circles around the centre [circles]
    radials : roads that lead out of the centre [roads]
    commuters : vehicles an hour in all [vehicles / h]
    capacity : of a road in the middle [vehicles / h]

    Source: mfgsolve, made for its examples; link times of the Bureau of Public Roads, Traffic Assignment Manual, 1964
    """
    if not (1 <= rings <= 50 and 3 <= radials <= 100 and commuters > 0 and capacity > 0):
        raise InputError(
            f"ring-city has {rings} rings of {radials} radial roads, {commuters} commuters and a capacity of "
            f"{capacity}; 1 "
            "to 50 rings, 3 to 100 radials, and positive numbers are needed"
        )
    places = {0: (0.0, 0.0)}
    for ring in range(1, rings + 1):
        for k in range(radials):
            angle = 2 * math.pi * k / radials
            places[1 + (ring - 1) * radials + k] = (2 * ring * math.cos(angle), 2 * ring * math.sin(angle))

    def node(ring: int, k: int) -> int:
        return 0 if ring == 0 else 1 + (ring - 1) * radials + k % radials

    rows = []
    for ring in range(1, rings + 1):
        for k in range(radials):
            for other in (node(ring, k + 1), node(ring - 1, k)):
                outer = ring == rings and other != node(ring - 1, k)
                length = math.dist(places[node(ring, k)], places[other])
                speed, room = (60.0, 2 * capacity) if outer else (30.0 + 20.0 * ring / rings, capacity)
                road = {"length": length, "free_time": 60.0 * length / speed, "capacity": room}
                rows.append({"from": node(ring, k), "to": other, **road})
                rows.append({"from": other, "to": node(ring, k), **road})
    gravity = {
        (o, d): math.exp(-math.dist(places[o], places[d]) / 5.0) for o in places for d in places if o != d and d != 0
    }
    scale = 0.5 * commuters / sum(gravity.values())
    trips = {pair: scale * weight for pair, weight in gravity.items()}
    trips |= {(o, 0): 0.5 * commuters / (len(places) - 1) for o in places if o != 0}
    units = {"time": "min", "flow": "veh/h", "length": "km"}
    return RoadNetwork.from_edges(rows, trips, nodes=places, units=units)
