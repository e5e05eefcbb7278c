"""The subcommand that plays a plan with N agents."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mfgsolve.command.arguments import Json, PlanFile, Seed, Strict, Threads, read_agents, whole
from mfgsolve.command.comparing import keep, tell
from mfgsolve.command.progress import Replicas
from mfgsolve.errors import InputError

if TYPE_CHECKING:
    from mfgsolve.solution import Solution


@contextlib.contextmanager
def _told(line: Replicas, written: list[Path]) -> Iterator[None]:
    """An interrupt says what it cost."""
    try:
        yield
    except KeyboardInterrupt:
        made = f"after {line.number} of {line.pieces} replicas" if line.number else "before a replica"
        kept = " and ".join(str(path) for path in written)
        hint = f"{kept} is written" if kept else "nothing was written: fewer --replicas take less time"
        raise KeyboardInterrupt(f" {made}; {hint}") from None


def compare(
    file: PlanFile,
    agents: Annotated[
        str, typer.Option(metavar="N,N,...", help="Numbers of agents, of each population if there are several.")
    ] = "10,100,1000,10000",
    replicas: Annotated[int, typer.Option(parser=whole, metavar="R", help="Times that each N is played.")] = 200,
    rng: Seed = 0,
    method: Annotated[
        str, typer.Option(metavar="NAME", help="counts (takes the same time for any N) or agents (one by one).")
    ] = "counts",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.nc", help="Keep the numbers here (NetCDF).")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE.png", help="Draw them here (.png, .pdf or .svg).")
    ] = None,
    json: Json = False,
    strict: Strict = False,
    threads: Threads = None,
) -> None:
    """Play a plan with N agents, for several N, beside its mean-field limit.

    Distance of the densities (simulated), regret and cost difference (exact), and how they fall with N.

    Example:  mfgsolve compare plan.nc --agents 10,100,1000,10000 --replicas 200 -o compare.nc --plot compare.png
    """
    from mfgsolve.command.preflight import DATA, PICTURES, check_data, check_outputs

    check_outputs({"--output": (output, DATA), "--plot": (plot, PICTURES)}, {"the plan": file})
    numbers = read_agents(agents)
    if replicas < 1:
        raise InputError(f"--replicas is {replicas}; a whole number of at least 1 is needed")
    if rng < 0:
        raise InputError(f"--rng is {rng}; a whole number of zero or more is needed")
    plan = _plan(file)
    from mfgsolve import plots
    from mfgsolve.agents.play import stated_problem
    from mfgsolve.command.interrupts import Interrupts
    from mfgsolve.command.report import agents_facts, agents_rows
    from mfgsolve.studies import agents as comparison

    stated = stated_problem(plan)
    check_data({"--output": output}, stated)
    written: list[Path] = []
    line = Replicas(numbers, replicas)
    with _told(line, written), Interrupts() as interrupts, line:

        def watch(number: int, replica: int) -> None:
            interrupts.check()
            line.update(number, replica)

        compared = comparison.compare(
            plan, numbers, replicas, rng, method=method, problem=stated, threads=threads, callback=watch
        )
        interrupts.check()
        failure = keep(compared, output, plot, plots.agents, line, written)
    tell(compared, json, agents_facts, agents_rows, written, failure, strict)


def _plan(file: Path) -> Solution:
    """A solution whose game can be stated again from the file."""
    from mfgsolve.checkpoints import PYTHON_PROBLEM
    from mfgsolve.files import told
    from mfgsolve.solution import load

    if file.suffix == ".toml":
        raise InputError(f"{told(file)} is a problem, and a plan is needed: mfgsolve solve {told(file)} -o plan.nc")
    plan = load(file)
    if str(plan.dataset.attrs.get("problem", PYTHON_PROBLEM)) == PYTHON_PROBLEM:
        raise InputError(
            f"{told(file)} is of a problem made of Python functions, which a file cannot keep; compare it in Python: "
            "mfgsolve.compare(mfgsolve.load(file), problem=...)"
        )
    return plan
