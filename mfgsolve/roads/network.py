"""A road network: links with their costs, and who wants to go where; see `mfgsolve.roads`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from mfgsolve.cautions import Caution, collect, say, unique
from mfgsolve.errors import InputError, cut, real, unknown
from mfgsolve.roads import tntp
from mfgsolve.roads.assignment import assign
from mfgsolve.roads.cheapest import check_reach
from mfgsolve.roads.costs import BPR, Affine, LinkCosts, named_links
from mfgsolve.roads.demand import Demand, Elastic, make_demand
from mfgsolve.roads.flows import Flows
from mfgsolve.roads.links import LinkTable, graph_links, label, links_of, nodes_of, trips_of
from mfgsolve.statements import Answer, Statement

__all__ = ["RoadNetwork"]

OBJECTIVES = ("equilibrium", "social")
Weight = float | Mapping[str, float]


@dataclass(frozen=True, eq=False)
class RoadNetwork(Statement[Flows]):
    """Links with their costs, and who wants to go where; made by `from_tntp`, `from_edges` or `from_networkx`.

    Attributes
    ----------
    nodes : labels
    tail, head : numbers of the nodes where links begin and end, (links,)
    costs : times of the links at their flows, a `mfgsolve.roads.LinkCosts`
    demand : pairs, a `mfgsolve.roads.demand.Demand`
    fixed : what a link costs each class besides its time, (classes, links), in units of time
    through : whether paths may pass a node, (nodes,)
    length, toll : of links, NaN where nobody said
    places : coordinates (nodes, 2), or None
    elastic : how demand falls with its cost, or None
    units : of "time", "flow", "length"
    cautions : what was noticed when it was stated

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> roads = mfg.RoadNetwork.from_edges(  # Pigou: a long road, beside a short one that takes the share of its users
    ...     {"from": "AA", "to": "BB", "constant": [1.0, 0.0], "slope": [0.0, 1.0]}, {("A", "B"): 1.0})
    >>> mfg.solve(roads, check="ignore").numbers["total_cost"]
    1.0
    >>> mfg.solve(roads, objective="social", check="ignore").numbers["total_cost"]
    0.75
    """

    nodes: tuple[Any, ...] = field(repr=False)
    tail: np.ndarray = field(repr=False)
    head: np.ndarray = field(repr=False)
    costs: LinkCosts = field(repr=False)
    demand: Demand = field(repr=False)
    fixed: np.ndarray = field(repr=False)
    through: np.ndarray = field(repr=False)
    length: np.ndarray = field(repr=False)
    toll: np.ndarray = field(repr=False)
    places: np.ndarray | None = field(default=None, repr=False)
    elastic: Elastic | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    name: str = "road-network"
    source: str = ""
    parameters: Mapping[str, Any] | None = None
    cautions: tuple[Caution, ...] = ()

    kind: ClassVar[str] = "roads"
    noun: ClassVar[str] = "a road network"
    answer: ClassVar[type[Answer]] = Flows
    suffixes: ClassVar[tuple[str, ...]] = (".tntp",)

    # -- where it comes from -----------------------------------------------------------------------------------------

    @classmethod
    def from_tntp(
        cls, net: str | Path, trips: str | Path | Mapping[str, str | Path], toll: Weight = 0.0, distance: Weight = 0.0,
        nodes: str | Path | None = None, *, elastic: Elastic | None = None, pce: Mapping[str, float] | None = None,
        units: Mapping[str, str] | None = None,
    ) -> Self:  # fmt: skip
        """Network of files in the format TNTP (https://github.com/bstabler/TransportationNetworks).

        Parameters
        ----------
        net, trips, nodes : files; of several classes of drivers, trips by class
        toll, distance : what a unit of toll, and of length, costs in units of time; numbers, or by class
        elastic : how demand falls with its cost; the trips are those at no cost
        pce : passenger-car equivalents of a vehicle, by class; 1 of those not named
        units : of "time", "flow" and "length", which files of this format do not tell

        Raises
        ------
        FileError, InputError
            naming file and line, link, or pair

        Examples
        --------
        >>> import mfgsolve as mfg
        >>> mfg.RoadNetwork.from_tntp("nowhere_net.tntp", "nowhere_trips.tntp")
        Traceback (most recent call last):
        ...
        mfgsolve.errors.FileError: network nowhere_net.tntp does not exist
        """
        with collect() as said:
            table, _, zones = tntp.read_net(net)
            files = trips if isinstance(trips, Mapping) else {"all": trips}
            entries = {str(name): tntp.read_trips(file, zones) for name, file in files.items()}
            places = {} if nodes is None else tntp.read_nodes(nodes)
        name = re.sub(r"_net$", "", Path(net).stem, flags=re.IGNORECASE) or "road-network"
        made = cls._made(replace(table, places=places), entries, toll, distance, None, elastic, pce, units, name)
        read = ", ".join(Path(file).name for file in (net, *files.values()))
        return replace(made, source=f"files {read}", cautions=unique(said, made.cautions))

    @classmethod
    def read(
        cls, path: str | Path, trips: str | Path | None = None, nodes: str | Path | None = None, toll: float = 0.0,
        distance: float = 0.0,
    ) -> Self:  # fmt: skip
        """What the command and ``mfgsolve.solve("city_net.tntp", trips="city_trips.tntp")`` read."""
        if trips is None:
            raise InputError(
                f"network {cut(str(path))} has no trips beside it; give those who drive: trips='city_trips.tntp', "
                "on the "
                "command line --trips city_trips.tntp"
            )
        return cls.from_tntp(path, trips, real(toll, "toll"), real(distance, "distance"), nodes)

    @classmethod
    def from_edges(
        cls, edges: Any, demand: Any, *, costs: LinkCosts | None = None, nodes: Any = None, toll: Weight = 0.0,
        distance: Weight = 0.0, elastic: Elastic | None = None, pce: Mapping[str, float] | None = None,
        units: Mapping[str, str] | None = None, name: str = "road-network", closed: Any = (),
    ) -> Self:  # fmt: skip
        """Network of a table of links: a CSV file, a frame, a mapping of columns, or a list of rows.

        Parameters
        ----------
        edges : columns from, to, and free_time and capacity, with b (0.15) and power (4), or constant and slope; length
            and toll if there are any.  Each row is a link in one direction; several may lead from a node to another
        demand : columns origin, destination, demand (and class); or a mapping from pairs to vehicles, or from classes
            to one of both
        costs : in place of those columns, a `LinkCosts`, say functions of your own, in the order of the rows
        nodes : columns node, x, y; or a mapping from nodes to pairs
        closed : nodes where paths begin and end, and which none passes
        toll, distance, elastic, pce, units : see `from_tntp`
        """
        with collect() as said:
            table, entries = links_of(edges), trips_of(demand)
            places = {} if nodes is None else nodes_of(nodes)
        table = replace(table, places=places, shut=frozenset(label(node) for node in closed))
        made = cls._made(table, entries, toll, distance, costs, elastic, pce, units, name)
        return replace(made, cautions=unique(said, made.cautions))

    @classmethod
    def from_networkx(cls, graph: Any, demand: Any, **options: Any) -> Self:
        """Network of a graph of NetworkX, whose edges have the columns of `from_edges` as attributes; an edge without a
        direction is two links.  Options are those of `from_edges`; nodes with x and y, or pos, are placed there."""
        with collect() as said:
            table, entries = graph_links(graph), trips_of(demand)
            if options.get("nodes") is not None:
                table = replace(table, places=nodes_of(options["nodes"]))
        table = replace(table, shut=frozenset(label(node) for node in options.get("closed", ())))
        allowed = ["costs", "nodes", "toll", "distance", "elastic", "pce", "units", "name", "closed"]
        for word in options:
            if word not in allowed:
                raise InputError(unknown("option of from_networkx", word, allowed))
        name = options.get("name", str(getattr(graph, "name", "") or "road-network"))
        made = cls._made(
            table, entries, options.get("toll", 0.0), options.get("distance", 0.0), options.get("costs"),
            options.get("elastic"), options.get("pce"), options.get("units"), name,
        )  # fmt: skip
        return replace(made, cautions=unique(said, made.cautions))

    @classmethod
    def _made(
        cls, table: LinkTable, entries: Mapping[str, Mapping[tuple[Any, Any], float]], toll: Weight, distance: Weight,
        costs: LinkCosts | None, elastic: Elastic | None, pce: Mapping[str, float] | None,
        units: Mapping[str, str] | None, name: str,
    ) -> Self:  # fmt: skip
        with collect() as said:
            nodes = _sorted({*table.start, *table.end})
            number = {node: k for k, node in enumerate(nodes)}
            tail, head = (np.array([number[node] for node in side]) for side in (table.start, table.end))
            length, price = (table.numbers.get(word, np.full(tail.size, np.nan)) for word in ("length", "toll"))
            demand = make_demand(entries, number, pce)
            fixed = _fixed(demand.classes, {"toll": (toll, price), "distance": (distance, length)})
            through = np.array([node not in table.shut for node in nodes])
            network = cls(
                nodes=tuple(nodes), tail=tail, head=head, costs=_costs(table, costs), demand=demand, fixed=fixed,
                through=through, length=length, toll=price, places=_places(table.places, nodes), elastic=elastic,
                units=_units(units), name=str(name),
            )  # fmt: skip
            network._check()
        return replace(network, cautions=tuple(said))

    def _check(self) -> None:
        """Refuse what cannot be solved, and say what is odd."""
        if self.costs.size != self.tail.size:
            raise InputError(f"costs of the network are of {self.costs.size} links, and it has {self.tail.size}")
        self.costs.check(self.link_name, float(self.demand.cars.sum()))
        rings = self.tail == self.head
        if rings.any():
            say(
                "roads-rings",
                f"{named_links(rings, self.link_name)}: it begins and ends at one node, and nobody takes it.",
            )
        flat = self.costs.constant_links
        if flat.any():
            say(
                "roads-not-unique",
                f"The time of {named_links(flat, self.link_name)} does not depend on its flow: flows may not be "
                "unique, "
                "times and totals are; compare these.",
            )
        check_reach(self)

    def link_name(self, k: int) -> str:
        """A link as sentences name it."""
        return f"{self.nodes[self.tail[k]]} -> {self.nodes[self.head[k]]} (number {k + 1})"

    @cached_property
    def outgoing(self) -> tuple[np.ndarray, np.ndarray]:
        """Where the outgoing links of each node begin, (nodes + 1,), and the links in that order."""
        order = np.argsort(self.tail, kind="stable")
        return np.searchsorted(self.tail[order], np.arange(len(self.nodes) + 1)), order

    # -- solving -----------------------------------------------------------------------------------------------------

    def solve_with(
        self, *, objective: str = "equilibrium", tol: float = 1e-12, max_iterations: int | None = None,
        max_seconds: float | None = None, callback: Callable[[Any], Any] | None = None, by_destination: bool = False,
        progress: bool | None = None, verbose: bool | int = False,
    ) -> Flows:  # fmt: skip
        """User equilibrium, or the social optimum, to a relative gap.

        Parameters
        ----------
        objective : "equilibrium", or "social": the flows of least total cost, which marginal-cost tolls lead to
        tol : relative gap, the total cost less that of everybody on a cheapest path, relative to the total
        max_iterations, max_seconds : budgets; a round is one search of cheapest paths
        callback : called with a `Measure` after every round; a true value stops
        by_destination : keep the flows toward each destination, (destination, link), too
        progress, verbose : a live line, and the work in lines; see `mfgsolve.progress`
        """
        if objective not in OBJECTIVES:
            raise InputError(unknown("objective", objective, OBJECTIVES))
        if self.elastic is None and len(set(self.demand.pce.tolist())) > 1 and objective == "social":
            with collect() as said:
                say(
                    "roads-classes",
                    "The social optimum of several classes is that of time weighted by passenger-car equivalents: an "
                    "hour of a vehicle counts as often as it counts in the flow.",
                )
        else:
            said = []
        assigned = assign(
            self, objective=objective, tol=tol, max_iterations=max_iterations, max_seconds=max_seconds,
            callback=callback, progress=progress, verbose=verbose,
        )  # fmt: skip
        return Flows.made(self, assigned, objective, tol, unique(self.cautions, said), by_destination)


def _sorted(nodes: set[Any]) -> list[Any]:
    return sorted(nodes, key=lambda node: (isinstance(node, str), node if isinstance(node, int | str) else str(node)))


def _costs(table: LinkTable, costs: LinkCosts | None) -> LinkCosts:
    if costs is not None:
        if not isinstance(costs, LinkCosts):
            raise InputError(
                f"costs of the network are a {type(costs).__name__}; a LinkCosts, say roads.BPR, is needed"
            )
        return costs
    given = table.numbers
    if "constant" in given and "slope" in given:
        return Affine(given["constant"], given["slope"])
    for name in ("free_time", "capacity"):
        if name not in given:
            raise InputError(
                f"links have no column {name}; free_time and capacity, or constant and slope, are needed (or costs=...)"
            )
    return BPR(given["free_time"], given["capacity"], given.get("b", 0.15), given.get("power", 4.0))


def _fixed(classes: tuple[str, ...], parts: Mapping[str, tuple[Weight, np.ndarray]]) -> np.ndarray:
    """Tolls and distances by what they count, (classes, links)."""
    some = next(iter(parts.values()))[1]
    result = np.zeros((len(classes), some.size))
    for word, (weight, values) in parts.items():
        for c, name in enumerate(classes):
            each = weight.get(name, 0.0) if isinstance(weight, Mapping) else weight
            factor = real(each, f"weight of {word}")
            if not (np.isfinite(factor) and factor >= 0):
                raise InputError(f"weight of {word} is {factor}; a finite number of at least 0 is needed")
            if factor == 0:
                continue
            if np.isnan(values).any():
                column = "length" if word == "distance" else word
                raise InputError(f"weight of {word} is {factor:g}, and links have no column {column}; leave it out")
            if (values < 0).any():
                raise InputError(f"{word} of a link is negative, {values.min():g}, and is to count; leave it out")
            result[c] += factor * values
        for name in weight if isinstance(weight, Mapping) else ():
            if name not in classes:
                raise InputError(unknown(f"class of drivers in {word}", name, classes))
    return result


def _places(places: Mapping[Any, tuple[float, float]], nodes: list[Any]) -> np.ndarray | None:
    """Coordinates of all nodes, if all are known."""
    if not places:
        return None
    missing = [node for node in nodes if node not in places]
    if missing:
        listed = ", ".join(map(str, missing[:5]))
        say(
            "roads-places",
            f"{len(missing)} nodes have no coordinates ({cut(listed)}): a map shows a layout of its own.",
        )
        return None
    return np.array([places[node] for node in nodes], dtype=float)


def _units(units: Mapping[str, str] | None) -> dict[str, str]:
    known = {"time": "1", "flow": "1", "length": "1"}
    for word in units or {}:
        if word not in known:
            raise InputError(unknown("unit of a road network", word, known))
    return known | dict(units or {})
