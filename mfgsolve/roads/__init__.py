"""Road networks: who drives where when each takes the cheapest way, and what everybody else's driving costs.

    network = mfg.RoadNetwork.from_tntp("city_net.tntp", "city_trips.tntp", nodes="city_node.tntp")
    flows = mfg.solve(network)                          # user equilibrium
    best = mfg.solve(network, objective="social")       # least total time, with the tolls that lead to it
    mfg.price_of_anarchy(network).ratio

A first-exit game with one population for each destination: states are nodes, actions outgoing links, and a link costs
t(x) + what is fixed, with x the flow of all.  Nobody gains by another way at the *user equilibrium* (Wardrop, 1952,
doi:10.1680/ipeds.1952.11259), which minimises the potential sum over links of int_0^x t (Beckmann, McGuire and
Winsten, Studies in the Economics of Transportation, 1956).  At the *social optimum* the marginal cost t + x t' takes
the place of t; x t' is the toll.

`costs` what a link costs, `demand` who wants to go where, `network` the statement, `tntp` and `links` where it comes
from, `clock` when to leave; `assignment` the solver, `interior` its way where paths tie, `cheapest` its second road,
`flows` the answer.
"""

from mfgsolve.roads.costs import BPR, Affine, LinkCosts, OwnCosts
from mfgsolve.roads.demand import Elastic
from mfgsolve.roads.flows import Flows
from mfgsolve.roads.network import RoadNetwork

__all__ = ["BPR", "Affine", "Elastic", "Flows", "LinkCosts", "OwnCosts", "RoadNetwork"]
