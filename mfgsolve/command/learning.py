"""The subcommand that lets agents learn a plan."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mfgsolve import methods
from mfgsolve.command import completing
from mfgsolve.command.arguments import (
    LEARNERS,
    TASK_LEARNERS,
    Json,
    Name,
    Scheme,
    Seconds,
    Seed,
    Settings,
    Shape,
    Steps,
    Strict,
    Threads,
    number,
    read_options,
    read_settings,
    read_shape,
    stated_problem,
    whole,
)
from mfgsolve.command.progress import Episodes
from mfgsolve.command.solving import carry_out, compared
from mfgsolve.command.training import check_of_games, train_task
from mfgsolve.errors import InputError, unknown

if TYPE_CHECKING:
    from mfgsolve.command.solving import Watch
    from mfgsolve.problem import Problem
    from mfgsolve.solution import Solution
    from mfgsolve.solvers.base import Solver


PLAIN = re.compile(r"[\w-]+")  # what is no path, and no game of another library


def learn(
    problem: Name,
    shape: Shape = None,
    steps: Steps = None,
    scheme: Scheme = None,
    settings: Settings = None,
    learner: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"{LEARNERS}; of tasks: {TASK_LEARNERS}; else the first that suits.",
            autocompletion=completing.learners,
        ),
    ] = None,
    agents: Annotated[
        int | None,
        typer.Option(
            parser=whole,
            metavar="N",
            help="How many learn (of each population); else as the learner says, 1000 of mguni.",
        ),
    ] = None,
    episodes: Annotated[
        int | None,
        typer.Option(parser=whole, metavar="N", help="How often they play; else as the learner says, 2000 of mguni."),
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Option(
            "--option",
            metavar="KEY=VALUE",
            help="A parameter of the learner; repeatable.",
            autocompletion=completing.options,
        ),
    ] = None,
    graph: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Who hears whom: ring, grid, complete, small-world, random, none."),
    ] = None,
    hops: Annotated[
        int | None, typer.Option(parser=whole, metavar="N", help="How far along the graph agents hear.")
    ] = None,
    combine: Annotated[
        str | None, typer.Option(metavar="NAME", help="What agents pass on: episodes, diffusion or adoption.")
    ] = None,
    mechanism: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of auctions: bucket-brigade, vickrey or credit-conserving.")
    ] = None,
    solitary: Annotated[bool, typer.Option("--solitary", help="Of auctions: bidders without a clone.")] = False,
    parts: Annotated[
        str | None, typer.Option(metavar="A,B,C", help="Of cooperative learners: temporal, imagined, impact, or none.")
    ] = None,
    rng: Seed = 0,
    tol: Annotated[
        float, typer.Option(parser=number, metavar="TOL", help="Of games: relative exploitability to stop at.")
    ] = 0.0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.nc", help="Write what was learned here (NetCDF).")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Draw how it was learned here (.png, .pdf or .svg).")
    ] = None,
    json: Json = False,
    strict: Strict = False,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="FILE.nc", help="Keep a file from which 'mfgsolve resume' goes on.")
    ] = None,
    max_seconds: Seconds = None,
    threads: Threads = None,
) -> None:
    """Let agents who observe only their own state and reward learn a plan; judge it by the exact certificate.

    Tasks that are no mean-field games ('mfgsolve list tasks') are learned and told in their own numbers.

    What they learn is compared with what a solver finds, which takes a minute at most.  They stop before all episodes
    are played if --tol is reached; they never see it.

    Exit code 0: all episodes were played; 2: bad input; 3: stopped by --max-seconds (files are written all the same);
    130: interrupted.

    Example:  mfgsolve learn beach-bar --agents 1000 --episodes 2000 --rng 0 -o learn.nc --plot learn.png
    """
    from mfgsolve.command.preflight import DATA, PICTURES, check_data, check_outputs

    check_outputs(
        {"--output": (output, DATA), "--plot": (plot, PICTURES), "--checkpoint": (checkpoint, DATA)},
        {"the problem file": problem},
    )
    for option, value, least in (("--agents", agents, 1), ("--episodes", episodes, 1), ("--rng", rng, 0)):
        if value is not None and value < least:
            raise InputError(f"{option} is {value}; a whole number of at least {least} is needed")
    named = {
        "agents": agents, "episodes": episodes, "seed": rng, "graph": graph, "hops": hops, "combine": combine,
        "mechanism": mechanism, "solitary": solitary or None, "parts": parts,
    }  # fmt: skip
    given = read_options(options or [], {name: value for name, value in named.items() if value is not None})
    if problem.replace("_", "-") in methods.TASKS:
        check_of_games(shape=shape, steps=steps, scheme=scheme, tol=tol or None, threads=threads)
        train_task(
            problem.replace("_", "-"), learner, read_settings(settings or []), given, output, plot, json, strict,
            checkpoint, max_seconds,
        )  # fmt: skip
        return
    import mfgsolve
    from mfgsolve import problems
    from mfgsolve.learners.learning import make_learner

    if PLAIN.fullmatch(problem) and problem.replace("_", "-") not in problems.names() and not Path(problem).exists():
        raise InputError(unknown("problem or task", problem, [*problems.names(), *methods.TASKS]))

    chosen = make_learner("mguni" if learner is None else learner, given)
    stated = stated_problem(problem, read_shape(shape), steps, read_settings(settings or []), scheme)
    check_data({"--output": output, "--checkpoint": checkpoint}, stated)
    _check_suits(chosen, stated)
    line = Episodes.of_learner(chosen)

    def work(watch: Watch) -> Solution:
        learned = mfgsolve.learn(
            stated, chosen, reference=False, tol=tol, max_seconds=max_seconds, callback=watch, checkpoint=checkpoint,
            threads=threads,
        )  # fmt: skip
        return compared(learned, stated, line)

    carry_out(work, line, checkpoint, output, plot, json, strict)


def _check_suits(learner: Solver, problem: Problem) -> None:
    """Refuse a game that cannot be learned, and a crowd that does not fit into memory."""
    reason = learner.refuses(problem)
    if reason is not None:
        remedy = "" if problem.is_finite else ", as lattice-supply-demand does"
        raise InputError(f"learner {learner.name!r} does not suit {problem.name}: {reason}{remedy}")
    from mfgsolve.command import preflight

    agents = int(getattr(learner, "agents", 0))
    needed = 4 * agents * problem.grid.populations * (2 * problem.time.steps + 1)  # cells and actions of an episode
    if needed > preflight._memory():
        raise InputError(
            f"an episode of {agents} agents needs {needed / 2**30:,.3g} GiB of memory, more than this machine has; "
            "take fewer --agents"
        )
