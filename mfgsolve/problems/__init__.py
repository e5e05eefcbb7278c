"""Named problems: ``names()`` lists them, ``get(name)`` tells about one, ``build(name, parameters)`` makes it.

Each is also a function of its own: ``supply_demand(reward=3.0, shape=(32, 32))``.  `from_points` makes a game of data
of one's own, points (x, y, size, hour) of a CSV file.
"""

from typing import TYPE_CHECKING

from mfgsolve.inputs.attributes import missing
from mfgsolve.problems.aiyagari import aiyagari
from mfgsolve.problems.aiyagari_lecture import aiyagari_lecture
from mfgsolve.problems.aiyagari_shock import aiyagari_shock
from mfgsolve.problems.beach_bar import beach_bar
from mfgsolve.problems.bench_mfg_chain import bench_mfg_chain
from mfgsolve.problems.bonnans_lavigne_pfeiffer import bonnans_lavigne_pfeiffer_1, bonnans_lavigne_pfeiffer_2
from mfgsolve.problems.braess import braess
from mfgsolve.problems.braess_traffic import braess_traffic
from mfgsolve.problems.cole_hopf import cole_hopf
from mfgsolve.problems.crowd_aversion import crowd_aversion
from mfgsolve.problems.crowd_modelling import crowd_modelling, crowd_modelling_2d, four_rooms
from mfgsolve.problems.crowd_motion import crowd_motion
from mfgsolve.problems.evacuation import evacuation
from mfgsolve.problems.gaussian_log import gaussian_log
from mfgsolve.problems.huggett import huggett
from mfgsolve.problems.late_news import late_news
from mfgsolve.problems.lattice_supply_demand import lattice_supply_demand
from mfgsolve.problems.linear_quadratic import linear_quadratic
from mfgsolve.problems.montreal import montreal
from mfgsolve.problems.planned_room import planned_room
from mfgsolve.problems.points import from_points
from mfgsolve.problems.predator_prey import predator_prey
from mfgsolve.problems.registry import ClosedForm, NamedProblem, Parameter, build, closed_form, get, names
from mfgsolve.problems.roads import braess_roads, ring_city
from mfgsolve.problems.small_games import left_right, rock_paper_scissors, susceptible_infected
from mfgsolve.problems.supply_demand import supply_demand

__all__ = [
    "ClosedForm",
    "NamedProblem",
    "Parameter",
    "aiyagari",
    "aiyagari_lecture",
    "aiyagari_shock",
    "beach_bar",
    "bench_mfg_chain",
    "bonnans_lavigne_pfeiffer_1",
    "bonnans_lavigne_pfeiffer_2",
    "braess",
    "braess_roads",
    "braess_traffic",
    "build",
    "closed_form",
    "cole_hopf",
    "crowd_aversion",
    "crowd_modelling",
    "crowd_modelling_2d",
    "crowd_motion",
    "evacuation",
    "four_rooms",
    "from_points",
    "gaussian_log",
    "get",
    "huggett",
    "late_news",
    "lattice_supply_demand",
    "left_right",
    "linear_quadratic",
    "montreal",
    "names",
    "planned_room",
    "predator_prey",
    "ring_city",
    "rock_paper_scissors",
    "supply_demand",
    "susceptible_infected",
]


if not TYPE_CHECKING:  # so that names are checked as those of any module

    def __getattr__(name: str) -> object:
        raise missing("module 'mfgsolve.problems'", name, __all__)
