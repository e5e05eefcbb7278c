"""Named problems: ``names()`` lists them, ``get(name)`` tells about one, ``build(name, parameters)`` makes it.

Each is also a function of its own: ``supply_demand(reward=3.0, shape=(32, 32))``.
"""

from mfgsolve.problems.cole_hopf import cole_hopf
from mfgsolve.problems.crowd_aversion import crowd_aversion
from mfgsolve.problems.gaussian_log import gaussian_log
from mfgsolve.problems.linear_quadratic import linear_quadratic
from mfgsolve.problems.montreal import montreal
from mfgsolve.problems.registry import ClosedForm, NamedProblem, Parameter, build, closed_form, get, names
from mfgsolve.problems.supply_demand import supply_demand

__all__ = [
    "ClosedForm",
    "NamedProblem",
    "Parameter",
    "build",
    "closed_form",
    "cole_hopf",
    "crowd_aversion",
    "gaussian_log",
    "get",
    "linear_quadratic",
    "montreal",
    "names",
    "supply_demand",
]
