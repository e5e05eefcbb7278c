"""What may stand in a file of schema mfgsolve/1: names, dimensions, types and ranges, by the kind of the file.

Whatever is read is compared with this before any of it is used; what does not fit is an error that names it.  Variables
and attributes that are not named here are let be: later versions add some.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from mfgsolve.discretisation import PREFIX, Discretisation
from mfgsolve.errors import FileError
from mfgsolve.files.reading import BOUNDED, MEASURED, ROUND_OFF, SCHEMA, Reading, space_dims
from mfgsolve.inputs.texts import cut, visible
from mfgsolve.methods import STATEMENTS

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["SCHEMA", "check"]

CERTIFIED = (
    "exploitability", "relative_exploitability", "potential", "duality_gap", "cost", "scale", "movement_cost",
    "crowd_cost", "terminal_cost", "mass_error", "cap_fraction",
)  # fmt: skip
KINDS = ("ergodic", "first-exit", "invariant", "renewal")  # of games without a final time
STATUSES = (
    "converged", "iteration limit", "time limit", "stopped by callback", "stalled", "finished", "non-finite",
)  # fmt: skip


def check(dataset: xr.Dataset, kind: str, where: str, *, whole: bool = True) -> None:
    """Compare a dataset that was read with what a file of its kind holds.

    Parameters
    ----------
    where : the beginning of every sentence, ``file plan.nc``
    whole : whether the arrays of several dimensions were read, too

    Raises
    ------
    FileError
        naming the variable or the attribute that is missing, or of another type, shape or range
    """
    known = CHECKS.get(kind, _answer if kind in STATEMENTS else None)
    if known is not None:
        known(Reading(dataset, kind, where, whole))


# -- one kind of file each ---------------------------------------------------------------------------------------------


def _solution(file: Reading) -> None:
    space, left = file.space(), file.left_out()
    node, step = file.node, file.step
    for name, dims in {
        "density": (*node, *space),
        "value": (*node, *space),
        "coupling_cost": (*step, *space),
    }.items():
        if name not in left:
            file.layout(name, dims)
    choices, what = _choices(file, space)
    if choices in left:
        choices, what = "value_after_noise", ()
    file.layout(choices, (*step, *what, *space))
    for dim in what:
        file.names(dim)
    _times(file)
    _iterations(file)
    file.history()
    if "extrapolated_density" in file.dataset:
        file.layout("extrapolated_density", (*node, *space))
    status = _certificate(file)
    if file.whole and "blocked" in file.dataset:
        file.within("blocked", tuple(dim for dim in file.dims("blocked") if dim in space), 0, 1)
    if file.whole and status != "non-finite":
        gone, error = _gone(file, space), file.number("mass_error")
        if file.dataset.attrs.get("stationary") == "first-exit":  # how many are inside tells for how long they stay
            file.within("density", (*node, *space), 0.0)
            if not np.abs(gone - 1.0).max() <= abs(error) + ROUND_OFF:
                raise file.fault("has shares of 'exited' that do not sum to 1, and in such a game everybody leaves")
        else:
            file.masses("density", space, error, gone)
        if choices == "policy":
            file.chances(space)
        elif choices == "value_ahead":
            file.ahead(space)
        elif choices == "value_after_noise":
            file.free(choices, space)
        else:  # what somebody's own step calls a policy may have any sign
            file.finite(choices, (*step, *what, *space), 0.0 if choices == "speed" else -math.inf)
    if status == "converged":
        _converged(file)


def _answer(file: Reading) -> None:
    """What the answers to statements of all kinds hold: history, numbers and status."""
    _iterations(file)
    file.history()
    for name in ("name", "status"):
        file.text(name)
    for name in ("tol", "iterations", "seconds", "exploitability", "relative_exploitability", "potential"):
        file.number(name)
    if file.text("status") not in STATUSES:
        raise file.fault(f"misses or spoils the attribute 'status': {cut(visible(file.text('status')), 60)!r} is none")
    if file.text("status") == "converged":
        _converged(file)


def _roads(file: Reading) -> None:
    """Flows of a road network, beside what answers of all kinds hold."""
    _answer(file)
    for name in ("flow", "time", "free_time", "toll"):
        file.finite(name, ("link",), -ROUND_OFF)
    file.within("delay", ("link",), 0.0)
    nodes = file.dataset.sizes.get("node", 0)
    for name in ("tail", "head"):
        file.finite(name, ("link",), 0, nodes - 1)
    for name in ("from_node", "to_node"):
        file.layout(name, ("link",), "OUST")
    for name in ("demand", "drivers", "pair_cost"):
        file.finite(name, ("pair",), -ROUND_OFF * max(1.0, abs(file.number("potential"))))
    file.text("objective")
    for name in ("total_time", "total_cost", "relative_gap", "confirmed_gap"):
        file.number(name)


def _times(file: Reading) -> None:
    """Nodes, and steps that start at them; of a game without a final time, which it is and how long a step is."""
    if file.timeless:
        if file.text("stationary") not in KINDS:
            raise file.fault(f"misses or spoils the attribute 'stationary', one of {', '.join(KINDS)}")
        if not 0 < file.number("step_length") < math.inf:
            raise file.fault("misses or spoils the attribute 'step_length', which is positive")
        if not (file.text("stationary") in ("ergodic", "first-exit") or 0 < file.number("discount_factor") < 1):
            raise file.fault("misses or spoils the attribute 'discount_factor', between 0 and 1")
        for name in ("average_cost", "discounted_cost", "cost_until_exit", "time_until_exit"):
            file.number(name, needed=False)
        return
    times, steps = file.rising("time"), file.rising("step")
    if steps.shape != times[:-1].shape or not np.allclose(steps, times[:-1]):
        raise file.fault(f"has {times.size} times and {steps.size} steps, which do not start at them")


def _gone(file: Reading, space: tuple[str, ...]) -> np.ndarray | float:
    """Share of the agents that has left, (time[, population]); nobody where there are no exits."""
    if "exited" not in file.dataset:
        return 0.0
    file.names("exit")
    several = ("population",) if "population" in space else ()
    file.within("exited", (*file.node, *several, "exit"), 0.0, 1.0 + ROUND_OFF)
    file.within("exit_number", tuple(dim for dim in file.dims("exit_number") if dim in space), -1)
    return np.asarray(file.dataset["exited"].values.sum(axis=-1))


def _choices(file: Reading, space: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Name of the policy and its dimensions beside step and space: of finite games, of diffusions in one scheme or the
    other, or the only variable on (step, any, *space)."""
    for name, what in (("policy", ("action",)), ("speed", ("move",)), ("value_ahead", ())):
        if name in file.dataset:
            return name, what
    dims = {str(name): tuple(map(str, variable.dims)) for name, variable in file.dataset.data_vars.items()}
    step, place = file.step, len(file.step)
    own = [
        (name, on[place : place + 1])
        for name, on in dims.items()
        if len(on) > place and on == (*step, on[place], *space)
    ]
    return own[0] if len(own) == 1 else ("speed", ("move",))


def _iterations(file: Reading) -> None:
    rows = file.coordinate("iteration", "fiu")
    if rows.dtype.kind not in "iu" or (rows < 0).any() or (np.diff(rows) < 0).any():
        raise file.fault("has a coordinate 'iteration' that does not count iterations")


def _certificate(file: Reading) -> str:
    """Every number of the certificate is there; the status."""
    for name in (*CERTIFIED, "iterations", "sweeps", "seconds"):
        file.number(name)
    if not math.isfinite(file.number("iterations")):
        raise file.fault("misses or spoils the attribute 'iterations', which counts none")
    for name in ("tol", "violation", "final_distance", "discount"):
        file.number(name, needed=False)
    file.text("name")
    _distance(file)
    for name in ("solver", "solver_source", "problem", "objective", "source", "created", "mfgsolve_version"):
        file.text(name, needed=False)
    if "episodes" in file.dataset:
        _learned(file)
    status = file.text("status")
    if status not in STATUSES:
        raise file.fault(f"misses or spoils the attribute 'status': {cut(visible(status), 60)!r} is none")
    return status


def _learned(file: Reading) -> None:
    """How agents learned, and what it is compared with."""
    for name in ("episodes", "agent_steps"):
        file.finite(name, ("iteration",), 0.0)
    for name in ("agents", "density_distance", "reference_exploitability"):
        file.number(name)
    if not math.isfinite(file.number("agents")):
        raise file.fault("misses or spoils the attribute 'agents', which counts none")
    file.text("solver")
    if "disagreement" in file.dataset:
        file.within("disagreement", ("iteration",), 0.0)
    if "agent_regret" in file.dataset:
        file.values("agent_regret", ("agent",))
    if "reference_density" in file.dataset:
        file.layout("reference_density", file.dims("density"))
    if "reference_density" in file.dataset and file.whole:
        file.masses("reference_density", space_dims(file.dataset), 1e-6)


def _converged(file: Reading) -> None:
    """What is called converged has a certificate that says so, and a history that comes to it."""
    reached, tol = file.number("relative_exploitability"), file.number("tol", needed=False)
    for name in ("exploitability", "relative_exploitability"):
        if not math.isfinite(file.number(name)):
            raise file.fault(f"calls itself converged, and has {name!r} as {file.number(name)}")
    if reached > 100 * tol + ROUND_OFF:
        raise file.fault(f"calls itself converged at a relative exploitability of {reached:.3g} (tol {tol:.3g})")
    measured = file.dataset["relative_exploitability"].values
    slack = ROUND_OFF if math.isnan(tol) else 10 * tol + 1e-12
    if not (np.abs(measured - reached) <= 0.5 * np.abs(measured) + slack).any():
        raise file.fault(
            f"has a relative exploitability of {reached:.3g} in its attributes, which no iteration of its history has"
        )


def _comparison(file: Reading) -> None:
    space = file.space()
    who = ("population",) if "population" in space else ()
    numbers = file.rising("agents")
    if numbers.dtype.kind not in "iu" or numbers[0] < 1:
        raise file.fault("has a coordinate 'agents' that does not count agents")
    file.rising("time")
    for name, wanted in (("end", ["low", "high"]), ("measure", ["l2", "wasserstein", "regret", "cost_difference"])):
        if file.names(name) != wanted:
            raise file.fault(f"has a coordinate {name!r} with other names than {wanted}")
    for name in ("l2", "wasserstein"):
        file.within(name, ("agents", "replica", "time"), 0.0)
        file.within(f"{name}_mean", ("agents",), 0.0)
        file.values(f"{name}_band", ("agents", "end"))
    file.values("simulated_cost", ("agents", "replica", *who))
    file.values("simulated_cost_mean", ("agents", *who))
    file.values("simulated_cost_band", ("agents", *who, "end"))
    if not file.dataset.sizes["replica"]:
        raise file.fault("has no replica")
    for name in ("regret", "cost", "cost_difference"):
        by = ("agents",) if file.values(name, None).ndim == 1 else ("agents", *who)  # not known: one for all
        file.values(name, by)
    for name in ("slope", "slope_last"):
        file.values(name, ("measure",))
    file.values("slope_band", ("measure", "end"))
    file.values("slope_used", ("measure", "agents"))
    for name in ("density", "mean_field_density"):
        file.layout(name, ("agents", "time", *space) if name == "density" else ("time", *space))
        if file.whole:
            file.masses(name, space, 0.0)
    for name in ("name", "seed", "problem"):
        file.text(name)
    for name in ("wasserstein_metric", "regret_unknown", "status"):
        file.text(name, needed=False)
    for name in ("exploitability", "relative_exploitability"):
        file.number(name, needed=False)


def _convergence(file: Reading) -> None:
    file.names("solver")
    _iterations(file)
    file.history(("solver", "iteration"), (*MEASURED, *BOUNDED))
    file.within("best", ("solver", "iteration"))
    file.values("status", ("solver",), "OUST")
    for name in ("name", "problem"):
        file.text(name)
    file.number("tol")


def _refinement(file: Reading) -> None:
    file.rising("level")
    for name in ("mesh", "status"):
        file.values(name, ("level",), "OUST")
    file.finite("steps", ("level",), 1.0)
    for name in ("potential", "cost", "order", "potential_error", "cost_error", "density_error", "density_difference"):
        file.within(name, ("level",), -math.inf if name in ("potential", "cost") else 0.0)
    for name in ("extrapolated_potential", "sweeps", "seconds"):
        file.values(name, ("level",))
    for name in ("name", "problem", "stopped"):
        file.text(name)
    for name in ("tol", "tol_continuum", "reached", "formal_order"):
        file.number(name)
    _distance(file)


def _distance(file: Reading) -> None:
    """Estimated distance to the continuum."""
    for part in fields(Discretisation):
        (file.text if isinstance(part.default, str) else file.number)(f"{PREFIX}{part.name}", needed=False)


def _checkpoint(file: Reading) -> None:
    _iterations(file)
    file.history(needed=(*MEASURED, *BOUNDED))
    for name in ("final_grid", "cell_steps"):
        file.finite(name, ("iteration",))
    file.names("number_name")
    file.values("number", ("number_name",))
    for name in map(str, file.dataset.data_vars):
        if name.startswith("array_") and np.isnan(file.values(name, None, "biuf")).any():
            raise file.fault(f"has {name!r} with NaN in it")
    for name in ("problem", "solver"):
        file.text(name)
    for name in ("fingerprint", "objective"):
        file.text(name, needed=False)
    file.number("tol")
    for name in map(str, file.dataset.attrs):
        is_number = name.startswith("option_") and not isinstance(file.dataset.attrs[name], str)
        if is_number and not math.isfinite(file.number(name)):
            raise file.fault(f"misses or spoils the attribute {name!r}, which is not finite")


def _occupation(file: Reading) -> None:
    for name in ("mass", "allowed", "blocked"):
        if name not in file.dataset:
            raise FileError(f"{file.where} misses {[name]}; it is not a whole occupation")
    file.finite("mass", file.dims("mass"), 0.0)
    for name in ("allowed", "blocked"):
        file.within(name, file.dims(name), 0, 1)
    file.number("ends")


def _training(file: Reading) -> None:
    for name in ("task", "learner", "picture", "status"):
        file.text(name)
    _blocks(file)


def _training_checkpoint(file: Reading) -> None:
    for name in ("task", "learner"):
        file.text(name)
    file.number("created_seconds")
    file.names("number_name")
    file.values("number", ("number_name",))
    for name in map(str, file.dataset.data_vars):
        if name.startswith("array_") and np.isnan(file.values(name, None, "biuf")).any():
            raise file.fault(f"has {name!r} with NaN in it")
    if "seconds" in file.dataset:
        _blocks(file)


def _blocks(file: Reading) -> None:
    """The history of a training."""
    if file.dataset.sizes.get("iteration", 0):
        file.rising("iteration")
        for name in ("seconds", "agent_steps"):
            file.finite(name, ("iteration",), 0.0)


def _faceoff(file: Reading) -> None:
    file.names("algorithm")
    file.names("group")
    file.text("task")
    for name in ("games", "wins", "ties"):
        file.finite(name, ("algorithm",), 0.0)
    for name in ("win_rate", "low", "high"):
        file.within(name, ("algorithm",), 0.0, 1.0)
    for name in ("alive", "kills", "reward"):
        file.finite(name, ("algorithm",))
    if file.whole:
        file.finite("film_position", ("frame", "member", "slot", "axis"), 0.0)
        file.within("film_power", ("frame", "member", "slot"), 0.0)


CHECKS: dict[str, Callable[[Reading], Any]] = {
    "solution": _solution,
    "comparison": _comparison,
    "convergence": _convergence,
    "refinement": _refinement,
    "checkpoint": _checkpoint,
    "occupation": _occupation,
    "training": _training,
    "faceoff": _faceoff,
    "roads": _roads,
    "training-checkpoint": _training_checkpoint,
}
