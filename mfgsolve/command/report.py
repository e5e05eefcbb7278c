"""What the command says: of solutions, comparisons and problems, as small tables and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mfgsolve.cautions import stored
from mfgsolve.command.distance import distance_rows
from mfgsolve.command.identity import comparison_identity, solution_identity
from mfgsolve.command.speaking import complain, json_text, say, silence, to_json, write_out

if TYPE_CHECKING:
    import xarray as xr

    from mfgsolve.cautions import Caution
    from mfgsolve.problems import NamedProblem
    from mfgsolve.solution import Solution

__all__ = [
    "BAD_INPUT",
    "INTERRUPTED",
    "NOT_CONVERGED",
    "agents_facts",
    "agents_rows",
    "convergence_facts",
    "convergence_rows",
    "complain",
    "is_learned",
    "json_text",
    "problem_columns",
    "goal",
    "short",
    "say",
    "silence",
    "solution_facts",
    "solution_rows",
    "to_json",
    "told",
    "verdict",
    "write_out",
]

BAD_INPUT, NOT_CONVERGED, INTERRUPTED = 2, 3, 130  # exit codes
# -- what is said about a solution, a checkpoint, a problem ----------------------------------------------------------


def is_learned(solution: Solution) -> bool:
    """Whether agents learned it, as opposed to a solver."""
    return solution.learning is not None


def solution_facts(solution: Solution) -> dict[str, Any]:
    """The numbers of a solution; of a learned one, also how it was learned and how far it is from a solver's."""
    learning, identity = solution.learning, solution_identity(solution)
    if learning is None:
        return solution.summary() | identity | _earnings(solution) | _evacuation(solution)
    made = {"learner": str(solution.dataset.attrs["solver"]), "agents": learning.agents}
    made |= {name: int(getattr(learning, name)[-1]) for name in ("episodes", "agent_steps")}
    made |= {name: float(getattr(learning, name)) for name in ("density_distance", "reference_exploitability")}
    if learning.disagreement is not None:  # of agents with tables of their own
        made["disagreement"] = float(learning.disagreement[-1])
    if learning.agent_regret is not None:
        made["mean_regret"] = float(learning.agent_regret.mean())
    return solution.summary() | identity | _earnings(solution) | made


def _earnings(solution: Solution) -> dict[str, float]:
    """The cost with its sign turned, where the game is stated by rewards."""
    earns = solution.dataset.attrs.get("sense") == "reward"
    return {"earnings": 0.0 - float(solution.certificate.cost)} if earns else {}


def _learned_rows(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    played = f"{facts['agents']} agents, {facts['episodes']} episodes, {short(facts['agent_steps'])} agent-steps"
    gap = facts["reference_exploitability"]
    beside = "" if math.isnan(gap) else f" (its relative exploitability {short(gap)})"
    distance = short(facts["density_distance"])
    return [("learned by", played), ("distance to the solver's", f"total variation {distance}{beside}")]


def solution_rows(solution: Solution) -> list[tuple[str, str]]:
    """Names and values of the small table."""
    numbers, attrs, data = solution_facts(solution), solution.dataset.attrs, solution.dataset
    learned = is_learned(solution)
    tol = float(attrs.get("tol", math.nan))
    objective = str(attrs.get("objective", "equilibrium"))
    rows = [
        ("problem", f"{attrs['name']}, {_place(data)}, {_when(data)}"),
        *([("objective", objective)] * (objective != "equilibrium")),
        *([("costs", f"worth at t = 0, discount rate {attrs['discount']:g}")] if "discount" in attrs else []),
        *([("costs", "per unit of time")] if "stationary" in attrs else []),
        ("learner" if learned else "solver", _solver(attrs)),
        *(_learned_rows(numbers) if learned else []),
        ("status", str(numbers["status"])),
        ("relative exploitability", f"{short(numbers['relative_exploitability'])}{goal(tol, learned)}"),
        ("exploitability", short(numbers["exploitability"])),
        ("duality gap", short(numbers["duality_gap"])),
    ]
    leaves = "cost_until_exit" in attrs
    if objective == "social":  # whose potential is what all pay together, by mass 1
        rows.append(_paid(attrs, numbers["potential"]))
        rows.append(("at marginal costs", _exact(numbers["cost"])))
        rows.append(("certified as", {"bound": "the least, to the gap", "stationary": "stationary"}.get(
            str(attrs.get("optimum")), "unknown")))  # fmt: skip
    else:
        rows.append(("potential", _exact(numbers["potential"])))
        rows.append(("cost of all", _exact(numbers["cost"])) if leaves else _paid(attrs, numbers["cost"]))
    if leaves:
        rows.append(("... of an agent", f"{_exact(float(attrs['cost_until_exit']))} until it leaves"))
        rows.append(("time until it leaves", _exact(float(attrs["time_until_exit"]))))
    if "discounted_cost" in attrs:
        rows.append(("... in all, discounted", _exact(float(attrs["discounted_cost"]))))
    if "policy" in data or "value_ahead" in data:
        rows.append(("its own cost", _exact(solution.certificate.movement_cost)))
    rows += left_rows(solution)
    rows += distance_rows(solution.discretisation)
    rows.append(("mass error", short(numbers["mass_error"])))
    if numbers["violation"] != 0 or {"capacity_multiplier", "price_multiplier"} & set(data.data_vars):
        rows.append(("beyond the bounds", f"{short(numbers['violation'])} (relative)"))
    if "final_distance" in numbers:
        rows.append(("off the final density", f"total variation {short(numbers['final_distance'])}"))
    if "speed" in data or "value_after_noise" in data:
        rows.append(("at the speed cap", _share(numbers["cap_fraction"])))
    if "velocity" in data or "fastest" in attrs:
        rows.append(("fastest", _fastest(data)))
    work = f"{numbers['iterations']} iterations, {numbers['sweeps']:.1f} sweeps, {numbers['seconds']:.2f} s"
    return [*rows, ("work", work)]


def _when(data: xr.Dataset) -> str:
    """Steps; of a game without a final time, which of the three it is."""
    attrs = data.attrs
    if "stationary" not in attrs:
        return f"{data.sizes['step']} steps{_chosen(attrs)}"
    unit = str(attrs.get("time_unit", "1"))
    length = f"steps of {float(attrs['step_length']):g}{'' if unit == '1' else f' {unit}'}"
    if "discount_factor" not in attrs:
        return f"{attrs['stationary']}, {length}"
    return f"discounted by {float(attrs['discount_factor']):.6g} a step, {attrs['stationary']} population, {length}"


def _evacuation(solution: Solution) -> dict[str, Any]:
    """Who has left, and when, by population where there are several."""
    if "exited" not in solution.dataset:
        return {}
    if "population" not in solution.dataset["exited"].dims:
        return {"evacuation": asdict(solution.evacuation())}
    names = [str(name) for name in solution.dataset["population"].values]
    return {"evacuation": {name: asdict(solution.evacuation(name)) for name in names}}


def left_rows(solution: Solution) -> list[tuple[str, str]]:
    """Who leaves by which exit, and when; nothing where there are none."""
    if "exited" not in solution.dataset:
        return []
    rows = []
    for name in solution.dataset["population"].values if "population" in solution.dataset["exited"].dims else [None]:
        times, of = solution.evacuation(name), "" if name is None else f" ({name})"
        by = ", ".join(f"{door} {100 * share:.3g} %" for door, share in times.by_exit.items())
        rows.append((f"have left{of}", f"{100 * times.left:.3g} %: {by}"))
        late = "".join(f", {q} % by {when:.4g}" for q, when in times.percentiles.items() if not math.isnan(when))
        rows.append((f"leave{of}", f"{times.mean:.4g} on average{late}"))
    return rows


def _paid(attrs: Mapping[Any, Any], cost: float) -> tuple[str, str]:
    """What an agent pays, or earns where the game is stated by rewards."""
    earns = attrs.get("sense") == "reward"
    return ("earnings of an agent", _exact(0.0 - cost)) if earns else ("cost of an agent", _exact(cost))


def _fastest(data: xr.Dataset) -> str:
    """The largest mean velocity of agents, where there are any."""
    from mfgsolve.solution.lean import fastest

    unit = str(data["velocity"].attrs.get("units", "1") if "velocity" in data else data.attrs.get("fastest_units", "1"))
    largest = float(data.attrs["fastest"]) if "fastest" in data.attrs else fastest(data)
    return f"{largest:.3g}{'' if unit == '1' else f' {unit}'} (mean velocity)"


def _solver(about: Mapping[Any, Any]) -> str:
    """Whose plan it is, and who else tried."""
    name = str(about.get("solver", "unknown"))
    others = [stage for stage in str(about.get("stages", "")).split(", ") if stage not in ("", name)]
    return f"{name} (tried beside it: {', '.join(others)})" if others else name


def _chosen(about: Mapping[str, Any]) -> str:
    """That the number of steps was chosen from the game, and what it costs, as far as it was measured."""
    if not about.get("steps_chosen", 0):
        return ""
    moved, potential = (float(about.get(f"steps_{name}_change", math.nan)) for name in ("flow", "potential"))
    cost = "" if math.isnan(moved) else f": the potential by about {potential:.1g}, {moved:.1%} of the crowd elsewhere"
    return f" (chosen from the game{cost})"


def goal(tol: float, learned: bool) -> str:
    """The tolerance; learners seldom have one."""
    return "" if learned and tol == 0 else f" (tol {short(tol)})"


def _place(data: xr.Dataset) -> str:
    """Where agents live: shape of the grid or number of states; how many populations and actions."""
    first = 0 if "stationary" in data.attrs else 1
    sizes = dict(zip(data["density"].dims[first:], data["density"].shape[first:], strict=True))
    populations = sizes.pop("population", 1)
    several = f"{populations} populations, " if populations > 1 else ""
    if "scenario" in sizes:
        several += f"{sizes.pop('scenario')} scenarios, "
    where = f"{sizes['state']} states" if "state" in sizes else f"shape {'x'.join(str(n) for n in sizes.values())}"
    return f"{several}{where}" + (f", {data.sizes['action']} actions" if "action" in data.sizes else "")


def verdict(solution: Solution) -> str:
    """The sentence under the table."""
    return solution.status.sentence


def told(cautions: Iterable[Caution]) -> str:
    """A line for each warning, with its code."""
    return "".join(f"\nWarning ({caution.code}): {caution.sentence}" for caution in cautions)


def _warned(compared: xr.Dataset) -> dict[str, Any]:
    """The warnings of a dataset, as JSON has them."""
    return {"warnings": [asdict(caution) for caution in stored(compared.attrs)]}


def _values(compared: xr.Dataset, name: str, **places: int) -> Any:
    """Values of a variable at places along some of its dimensions, of a dataset or of the head of its file alone."""
    one = compared[name]
    return one.values[tuple(places.get(str(dim), slice(None)) for dim in one.dims)]


def _most(values: Any) -> float:
    """The largest of those that were measured; NaN where none was."""
    return max((float(value) for value in values.reshape(-1) if not math.isnan(value)), default=math.nan)


def convergence_facts(compared: xr.Dataset) -> dict[str, Any]:
    """By solver: why it ended, the best relative exploitability that it came to, and its work."""
    facts = {}
    for k, name in enumerate(compared["solver"].values):
        made = [_most(_values(compared, key, solver=k)) for key in ("sweeps", "seconds")]
        facts[str(name)] = {
            "status": str(_values(compared, "status", solver=k)),
            "best": 0.0 - _most(0.0 - _values(compared, "best", solver=k)),
            "iterations": sum(map(math.isfinite, _values(compared, "sweeps", solver=k))) - 1,
            "sweeps": made[0],
            "seconds": made[1],
        }
    head = {"problem": str(compared.attrs["name"]), "tol": float(compared.attrs["tol"])}
    return head | _warned(compared) | {"solvers": facts}


def convergence_rows(compared: xr.Dataset) -> list[tuple[str, str]]:
    """The small table of a comparison, one line a solver."""
    facts = convergence_facts(compared)
    rows = [("problem", f"{facts['problem']} (tol {short(facts['tol'])})")]
    for name, one in facts["solvers"].items():
        work = f"{one['iterations']} iterations, {one['sweeps']:.1f} sweeps, {one['seconds']:.2f} s"
        rows.append((name, f"{short(one['best'])}  {one['status']}, {work}"))
    return rows


def agents_facts(compared: xr.Dataset) -> dict[str, Any]:
    """By N: distances and costs, of each population if there are several; and the slopes."""
    numbers = {}
    for k, number in enumerate(compared["agents"].values):
        distances = {name: _banded(compared, name, agents=k) for name in ("l2", "wasserstein")}
        if "population" in compared.sizes:
            names = enumerate(compared["population"].values)
            who = {str(name): _costs(compared, agents=k, population=j) for j, name in names}
            numbers[str(number)] = distances | {"populations": who}
        else:
            numbers[str(number)] = distances | _costs(compared, agents=k)
    slopes = {}
    for k, name in enumerate(compared["measure"].values):
        low, high = map(float, _values(compared, "slope_band", measure=k))
        value, last = (float(_values(compared, key, measure=k)) for key in ("slope", "slope_last"))
        slopes[str(name)] = {"slope": value, "low": low, "high": high, "last": last}
    attrs = compared.attrs
    head = {"problem": str(attrs["name"]), "replicas": compared.sizes["replica"], "seed": str(attrs["seed"])}
    head |= {name: str(attrs[name]) for name in ("wasserstein_metric", "regret_unknown") if name in attrs}
    return head | comparison_identity(compared) | _warned(compared) | {"agents": numbers, "slopes": slopes}


def _banded(compared: xr.Dataset, name: str, **places: int) -> dict[str, float]:
    low, high = map(float, _values(compared, f"{name}_band", **places))
    return {"mean": float(_values(compared, f"{name}_mean", **places)), "low": low, "high": high}


def _costs(compared: xr.Dataset, **places: int) -> dict[str, Any]:
    exact = {name: float(_values(compared, name, **places)) for name in ("regret", "cost", "cost_difference")}
    return exact | {"simulated_cost": _banded(compared, "simulated_cost", **places)}


def agents_rows(compared: xr.Dataset) -> list[tuple[str, str]]:
    """The small table of a comparison with N agents."""
    facts, earns = agents_facts(compared), compared.attrs.get("sense") == "reward"
    rows = [("problem", f"{facts['problem']}, {facts['replicas']} replicas, seed {facts['seed']}")]
    for number, one in facts["agents"].items():
        name, near = f"N = {number}", f"L2 {short(one['l2']['mean'])}, W1 {short(one['wasserstein']['mean'])}"
        if "populations" not in one:
            rows.append((name, f"{near}, {_gains(one, earns)}"))
            continue
        rows.append((name, near))
        rows += [(f"  {who}", _gains(costs, earns)) for who, costs in one["populations"].items()]
    names = {"l2": "L2", "wasserstein": "W1", "regret": "regret", "cost_difference": "|cost difference|"}
    slopes = [f"{text} {_slope(facts['slopes'][name])}" for name, text in names.items()]
    why = [("no exact regret", str(facts["regret_unknown"]))] if "regret_unknown" in facts else []
    return [*rows, ("slopes in N", ", ".join(slopes)), ("W1", str(facts["wasserstein_metric"])), *why]


def _gains(one: dict[str, Any], earns: bool = False) -> str:
    simulated, sign, word = one["simulated_cost"], (-1.0 if earns else 1.0), "earnings" if earns else "cost"
    half = 0.5 * (simulated["high"] - simulated["low"])
    return (
        f"regret {short(one['regret'])}, cost difference {short(one['cost_difference'])}, "
        f"{word} {sign * one['cost']:.6g} (simulated {sign * simulated['mean']:.6g} ± {half:.2g})"
    )


def _slope(one: dict[str, float]) -> str:
    if math.isnan(one["slope"]):
        return "not known"
    band = "" if math.isnan(one["high"]) else f" ± {one['high'] - one['slope']:.1g}"
    return f"{one['slope']:.3f}{band} (last {one['last']:.2f})"


def problem_columns(entry: NamedProblem) -> list[tuple[str, str, str, str]]:
    """Option, default, unit and meaning: of the resolution, as far as it can be chosen, and of all parameters."""
    chosen = {"shape": "x".join(str(n) for n in entry.resolution.get("shape", ()))}
    for name in ("steps", "scheme"):
        if name in entry.resolution:
            chosen[name] = str(entry.resolution[name] or "chosen")
    rows = [("", "default", "unit", "")]
    rows += [(f"--{name}", value, "", entry.meanings.get(name, "")) for name, value in chosen.items() if value]
    return rows + [(f"--set {p.name}", str(p.default), p.unit, p.meaning) for p in entry.parameters.values()]


def short(number: float) -> str:
    return "not measured" if math.isnan(number) else f"{number:.2e}"


def _exact(number: float) -> str:
    return "not measured" if math.isnan(number) else f"{number:.15g}"


def _share(number: float) -> str:
    return "not measured" if math.isnan(number) else "0 %" if number == 0 else f"{100 * number:.2g} %"
