"""The answer to a road network: flows, times, costs and tolls of its links, and how good they are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from mfgsolve.cautions import Caution
from mfgsolve.roads import clock
from mfgsolve.roads.assignment import Assigned
from mfgsolve.roads.cheapest import least_costs
from mfgsolve.statements import Answer

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["Flows"]

DISAGREE = 1e-10  # relative, of the two roads to the gap


@dataclass(frozen=True, eq=False, repr=False)
class Flows(Answer):
    """Flows of a road network.

    Numbers: ``relative_gap`` (the relative exploitability, in the words of traffic: total cost less that of everybody
    on a cheapest path, relative to the total), ``average_excess_cost`` of a driver, ``total_time`` and ``total_cost``
    (tolls and distances included, and under elastic demand what those who stay at home lose), ``confirmed_gap`` (the
    relative gap once more, from the flows of the dataset and least costs by SciPy's Dijkstra), ``conservation_error``
    (of flow at nodes, relative to the demand).

    Arrays: on ``link`` flow, class_flow, time, free_time, delay, cost, toll, ...; on ``pair`` origin, destination,
    demand, drivers, cost; on ``node`` coordinates.
    """

    kind: ClassVar[str] = "roads"
    told: ClassVar[Mapping[str, str]] = {
        "relative_gap": "relative gap",
        "confirmed_gap": "... by SciPy's Dijkstra",
        "average_excess_cost": "average excess cost",
        "total_time": "total time",
        "total_cost": "total cost",
        "mean_time": "time of a driver",
        "drivers": "drivers",
        "staying": "stay at home",
        "conservation_error": "conservation error",
    }
    small: ClassVar[frozenset[str]] = frozenset(
        {"exploitability", "relative_gap", "confirmed_gap", "average_excess_cost", "conservation_error"}
    )

    @property
    def cost(self) -> float:
        """What all pay together."""
        return self.numbers["total_cost"]

    def about(self) -> list[tuple[str, str]]:
        """Sizes, and the objective."""
        sizes, attrs = self.dataset.sizes, self.dataset.attrs
        several = f", {sizes['class']} classes" if "class" in sizes else ""
        size = ", ".join(f"{sizes[one]} {one}{'s' * (sizes[one] != 1)}" for one in ("link", "node", "pair")) + several
        return [("network", size), ("objective", str(attrs["objective"]))]

    def table(self) -> pd.DataFrame:
        """A row for each link."""
        import pandas as pd

        data = self.dataset
        names = ["from_node", "to_node", *(str(n) for n, v in data.data_vars.items() if v.dims == ("link",))]
        columns = {name: data[name].values for name in dict.fromkeys(names)}
        for name in ("class_flow", "class_cost") if "class" in data.sizes else ():
            for c, each in enumerate(data["class"].values):
                columns[f"{name} ({each})"] = data[name].values[c]
        return pd.DataFrame({"link": data["link"].values, **columns})

    @classmethod
    def made(
        cls, network: Any, assigned: Assigned, objective: str, tol: float, cautions: Sequence[Caution],
        by_destination: bool,
    ) -> Self:  # fmt: skip
        """The answer of the solver's flows."""
        marginal = network.costs.marginal().time(assigned.flow.sum(axis=0))
        charged = marginal if objective == "social" else network.costs.time(assigned.flow.sum(axis=0))
        paid = charged + network.fixed  # (classes, links), what agents are led by
        numbers, confirmed = _numbers(network, assigned, paid), _confirmed(network, assigned, paid)
        gap = assigned.rows[-1].relative_exploitability
        said = list(cautions)
        if not abs(confirmed - gap) <= DISAGREE:
            said.append(Caution(
                "roads-unconfirmed",
                f"The relative gap is {gap:.2e} by the solver and {confirmed:.2e} by SciPy's cheapest paths; they "
                "should "
                "agree: costs of very different sizes lose digits.",
            ))  # fmt: skip
        numbers["confirmed_gap"] = confirmed, "1"
        units = network.units
        return cls.of(
            network, _dataset(network, assigned, paid, marginal, objective, by_destination), assigned.rows,
            status=assigned.status, tol=tol, numbers=numbers, cautions=said, objective=objective,
            cost_units=_times(units["flow"], units["time"]), time_units=units["time"],
        )  # fmt: skip


def _numbers(network: Any, assigned: Assigned, paid: np.ndarray) -> dict[str, tuple[float, str]]:
    demand, units, row = network.demand, network.units, assigned.rows[-1]
    both = _times(units["flow"], units["time"])
    flow = assigned.flow.sum(axis=0)
    vehicles = assigned.flow / demand.pce[:, None]
    time = network.costs.time(flow)
    total_time = math.fsum((vehicles * time).reshape(-1))
    staying = math.fsum(assigned.home / demand.pce[demand.of_class])
    driving = math.fsum(demand.vehicles) - staying
    cost = math.fsum((assigned.flow * (time + network.fixed)).reshape(-1)) + _lost(network, assigned.home)
    result = {
        "relative_gap": (row.relative_exploitability, "1"),
        "average_excess_cost": (row.exploitability / math.fsum(demand.cars), units["time"]),
        "total_time": (total_time, both), "total_cost": (cost, both),
        "mean_time": (total_time / driving if driving > 0 else math.nan, units["time"]),
        "drivers": (driving, units["flow"]), "conservation_error": (_conservation(network, assigned), "1"),
    }  # fmt: skip
    return result | ({"staying": (staying, units["flow"])} if network.elastic is not None else {})


def _lost(network: Any, home: np.ndarray) -> float:
    """What driving would have been worth to those who stay at home."""
    if network.elastic is None:
        return 0.0
    share = (home / network.demand.cars) ** network.elastic.power
    return math.fsum(home * network.elastic.reservation * share / (network.elastic.power + 1))


def _conservation(network: Any, assigned: Assigned) -> float:
    """Largest failure of out - in = demand at a node, of any class, relative to all demand."""
    demand, worst = network.demand, 0.0
    driving = demand.cars - assigned.home
    for c in range(len(demand.classes)):
        own = demand.of_class == c
        net = np.zeros(len(network.nodes))
        np.add.at(net, network.tail, assigned.flow[c])
        np.subtract.at(net, network.head, assigned.flow[c])
        np.subtract.at(net, demand.origin[own], driving[own])
        np.add.at(net, demand.destination[own], driving[own])
        worst = max(worst, float(np.abs(net).max()))
    return worst / math.fsum(demand.cars)


def _confirmed(network: Any, assigned: Assigned, paid: np.ndarray) -> float:
    """Relative gap by the flows themselves and SciPy's least costs."""
    demand, home = network.demand, assigned.home
    least = least_costs(network, paid)
    total = (assigned.flow * paid).reshape(-1)
    at_home = np.zeros(0)
    if network.elastic is not None:
        at_home = network.elastic.reservation * (home / demand.cars) ** network.elastic.power
        total, least = np.append(total, home * at_home), np.minimum(least, at_home)
    whole = math.fsum(total)
    excess = math.fsum([*total, *(-demand.cars * least)])
    return excess / whole if whole > 0 else 0.0 if excess == 0 else math.nan


def _dataset(
    network: Any, assigned: Assigned, paid: np.ndarray, marginal: np.ndarray, objective: str, by_destination: bool
) -> xr.Dataset:
    import xarray as xr

    demand, units = network.demand, network.units
    flow = assigned.flow.sum(axis=0)
    time, free = network.costs.time(flow), network.costs.time(np.zeros(flow.size))
    several = len(demand.classes) > 1
    with np.errstate(divide="ignore", invalid="ignore"):
        delay = np.where(free > 0, time / free, np.nan)
    word = "toll that leads to these flows" if objective == "social" else "what one more costs the others"
    equivalents = ", in passenger-car equivalents" if (demand.pce != 1).any() else ""
    pair_cost = np.zeros(demand.size) + assigned.least
    variables: dict[str, Any] = {
        "from_node": ("link", _texts(network, network.tail), _about("node where it begins", "1")),
        "to_node": ("link", _texts(network, network.head), _about("node where it ends", "1")),
        "tail": ("link", network.tail, _about("number of that node, from 0", "1")),
        "head": ("link", network.head, _about("number of that node, from 0", "1")),
        "flow": ("link", flow, _about(f"flow{equivalents}", units["flow"])),
        "time": ("link", time, _about("travel time at this flow", units["time"])),
        "free_time": ("link", free, _about("travel time of the empty link", units["time"])),
        "delay": ("link", delay, _about("travel time / that of the empty link", "1")),
        "toll": ("link", marginal - time, _about(f"{word}, x t'(x)", units["time"])),
        "origin": ("pair", _texts(network, demand.origin), _about("node where trips begin", "1")),
        "destination": ("pair", _texts(network, demand.destination), _about("node where trips end", "1")),
        "demand": ("pair", demand.vehicles, _about("vehicles", units["flow"])),
        "drivers": ("pair", demand.vehicles - assigned.home / demand.pce[demand.of_class],
                    _about("vehicles that drive", units["flow"])),
        "pair_cost": ("pair", pair_cost, _about("least cost, by which drivers are led", units["time"])),
    }  # fmt: skip
    if several:
        names = np.array(demand.classes)[demand.of_class]
        own = assigned.flow / demand.pce[:, None]
        variables |= {
            "class_flow": (("class", "link"), own, _about("vehicles of each class", units["flow"])),
            "class_cost": (("class", "link"), time + network.fixed, _about("time, tolls and distance", units["time"])),
            "pair_class": ("pair", names, _about("class of drivers", "1")),
            "pce": ("class", demand.pce, _about("passenger-car equivalents of a vehicle", "1")),
        }
    else:
        variables["cost"] = ("link", time + network.fixed[0], _about("time, tolls and distance", units["time"]))
    for name, values, unit in (("length", network.length, units["length"]), ("stated_toll", network.toll, "1")):
        if not np.isnan(values).any():
            variables[name] = ("link", values, _about("length" if name == "length" else "toll as it was stated", unit))
    if getattr(network.costs, "capacity", None) is not None and network.costs.powers is not None:
        variables["capacity"] = ("link", network.costs.capacity, _about("capacity", units["flow"]))
    coords: dict[str, Any] = {
        "link": np.arange(1, flow.size + 1), "pair": np.arange(1, demand.size + 1),
        "node": np.array([str(node) for node in network.nodes]),
    }  # fmt: skip
    if several:
        coords["class"] = np.array(demand.classes)
    if network.places is not None:
        for k, axis in enumerate("xy"):
            variables[f"node_{axis}"] = ("node", network.places[:, k], _about(f"coordinate {axis}", "1"))
    if network.clock is not None:
        variables |= clock.variables(network.clock, flow, time, units)
        coords |= {"step": np.arange(network.clock.steps), "road": np.arange(1, network.clock.network.tail.size + 1)}
        coords["place"] = variables.pop("place")
    if by_destination:
        ends, flows = _by_destination(network, assigned)
        coords["toward"] = np.array([str(network.nodes[end]) for end in ends])
        variables["flow_toward"] = (("toward", "link"), flows, _about("flow toward each destination", units["flow"]))
    return xr.Dataset(variables, coords)


def _by_destination(network: Any, assigned: Assigned) -> tuple[np.ndarray, np.ndarray]:
    """Destinations, and the flow toward each, (destinations, links)."""
    paths, demand, links = assigned.paths, network.demand, network.tail.size
    ends, place = np.unique(demand.destination, return_inverse=True)
    flows = np.zeros((ends.size, links))
    pair = np.repeat(np.arange(demand.size), np.diff(paths.of_pair))
    path = np.repeat(np.arange(paths.flow.size), np.diff(paths.begin))
    road = paths.links < links
    np.add.at(flows, (place[pair[path[road]]], paths.links[road]), paths.flow[path[road]])
    return ends, flows


def _texts(network: Any, numbers: np.ndarray) -> np.ndarray:
    return np.array([str(node) for node in network.nodes])[numbers]


def _about(text: str, unit: str) -> dict[str, str]:
    return {"long_name": text, "units": unit}


def _times(one: str, other: str) -> str:
    """Unit of a product."""
    return other if one == "1" else one if other == "1" else f"{one} {other}"
