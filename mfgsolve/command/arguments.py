"""Words of the command line as values: options that several commands share, shapes, settings, problems."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mfgsolve import methods
from mfgsolve.command import completing
from mfgsolve.errors import InputError, nearest, unknown
from mfgsolve.inputs.texts import cut

if TYPE_CHECKING:
    from mfgsolve.problem import Problem


DIGITS = 18  # of a count that 64 bits hold


def whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{cut(ascii(text))} came; a whole number is needed, say 100") from None


def number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{cut(ascii(text))} came; a number is needed, say 1e-10") from None


SOLVERS, LEARNERS = ", ".join(methods.SOLVERS), ", ".join(methods.LEARNERS)
TASK_LEARNERS = ", ".join(methods.TASK_LEARNERS)
FEW = 16  # steps that any game will have, for a first check of memory
RATE = "time.discount"  # the setting that problems of all kinds have,
SCHEME, REACH = "dynamics.scheme", "dynamics.reach"  # and those of diffusions

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME|FILE.toml|PEER:GAME",
        help="A problem of 'mfgsolve list', a file, or a game of another library, say mfglib:beach_bar.",
        autocompletion=completing.names,
    ),
]
Shape = Annotated[
    str | None, typer.Option("--shape", metavar="64x64", help="Cells along each axis in array order (..., ny, nx).")
]
Steps = Annotated[
    int | None, typer.Option("--steps", parser=whole, metavar="N", help="Time steps; else chosen from the game.")
]
Scheme = Annotated[
    str | None,
    typer.Option(
        "--scheme",
        metavar="NAME",
        help="Of a diffusion: entropic or upwind; else the one that suits.",
        autocompletion=completing.schemes,
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="A parameter, a dotted key of the file, or time.discount; repeatable.",
        autocompletion=completing.settings,
    ),
]
Tolerance = Annotated[
    float, typer.Option("--tol", parser=number, metavar="TOL", help="Relative exploitability to reach.")
]
ToContinuum = Annotated[
    float | None,
    typer.Option(
        "--tol-continuum", parser=number, metavar="TOL", help="Relative distance to the continuous game to reach."
    ),
]
Method = Annotated[
    str | None,
    typer.Option(
        "--solver",
        metavar="NAME",
        help=f"{SOLVERS}; else the one that suits best.",
        autocompletion=completing.solvers,
    ),
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE.nc", help="Write the solution here (NetCDF).")
]
Plot = Annotated[
    Path | None, typer.Option("--plot", metavar="FILE.png", help="Draw the plan here (.png, .pdf or .svg).")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout instead of a table.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 3 where warnings stand beside the answer, too.")]
Iterations = Annotated[
    int | None, typer.Option("--max-iterations", parser=whole, metavar="N", help="Stop after N iterations.")
]
Seconds = Annotated[
    float | None, typer.Option("--max-seconds", parser=number, metavar="S", help="Stop after S seconds.")
]
Threads = Annotated[
    int | None,
    typer.Option("--threads", parser=whole, metavar="N", help="Threads of the kernels; the result is the same."),
]
AnyFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="What a subcommand wrote: a solution, training, comparison or study; show: a checkpoint.",
        autocompletion=completing.files(".nc", ".zarr"),
    ),
]
PlanFile = Annotated[
    Path,
    typer.Argument(
        metavar="PLAN.nc", help="A file that solve, resume or learn wrote.", autocompletion=completing.files(".nc")
    ),
]
Seed = Annotated[
    int,
    typer.Option(
        "--rng", "--seed", parser=whole, metavar="SEED", help="Seed of random numbers: the same, the same result."
    ),
]


def stated_problem(
    name: str, shape: tuple[int, ...] | None, steps: int | None, settings: dict[str, Any], scheme: str | None = None
) -> Problem:
    """Problem of the list, of a file or of another library, that fits into memory."""
    from mfgsolve import problems
    from mfgsolve.command.preflight import check_memory, check_problem
    from mfgsolve.problemfile import named_problem, read_problem
    from mfgsolve.resolution import settle

    listed, settings = name.replace("_", "-") in problems.names(), with_scheme(settings, scheme)
    if listed:
        check_settings(name, settings)
    late = {"discount": settings.get(RATE, 0.0), "scheme": settings.get(SCHEME), "reach": settings.get(REACH)}
    own = {key: value for key, value in settings.items() if key not in (RATE, SCHEME, REACH)}
    if shape is not None:  # before anything of that size is made
        check_memory(shape, steps or (problems.get(name).steps if listed else None) or FEW)
    if listed:
        problem = named_problem(name, own, shape, steps, **late)
    elif Path(name).suffix == ".nc":
        raise InputError(
            f"{cut(name)} is no problem; give a name of 'mfgsolve list' or a .toml file "
            "(a checkpoint goes on with 'mfgsolve resume', a solution serves as --start)"
        )
    elif Path(name).suffix == ".toml" or os.sep in name or _is_file(name):
        problem = read_problem(name, shape=shape, steps=steps, settings=settings)
    elif ":" in name:
        problem = named_problem(name, own, shape, steps, **late)
    else:
        raise InputError(unknown("problem", cut(name), problems.names()) + "; or a file that ends in .toml")
    if scheme is not None and problem.scheme != scheme:
        raise InputError(
            f"scheme is {cut(ascii(scheme))}, and problem {cut(ascii(problem.name))} has none, because its games are "
            "finite ones: leave the scheme out"
        )
    if not (problem.time.settled or problem.is_finite):
        check_memory(problem.grid.shape, FEW)
    problem = settle(problem)
    check_problem(problem)
    return problem


def check_settings(name: str, settings: dict[str, Any]) -> None:
    """Refuse what is no parameter of a named problem, and say what to write."""
    from mfgsolve import problems

    entry = problems.get(name)
    allowed = [*entry.parameters, RATE, SCHEME, REACH]
    for key, value in settings.items():
        if key in allowed or key in ("shape", "steps"):
            continue
        near = nearest(key, allowed)
        remedy = f"write --set {near}={value}" if near else f"'mfgsolve list {entry.name}' tells what they mean"
        raise InputError(f"{unknown(f'parameter of {entry.name}', key, allowed)}; {remedy}")


def with_scheme(settings: dict[str, Any], scheme: str | None) -> dict[str, Any]:
    """Settings with what --scheme says."""
    stated = {SCHEME if key == "scheme" else key: value for key, value in settings.items()}
    if scheme is None:
        return stated
    if SCHEME in stated:
        raise InputError("the scheme is given by --scheme and by --set; give it once")
    return stated | {SCHEME: scheme}


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # longer than a name may be
        return False


def read_shape(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    sizes = text.lower().split("x")
    if not all(size.isascii() and size.isdigit() and len(size) <= DIGITS for size in sizes):
        raise InputError(
            f"--shape is {cut(ascii(text))}; whole numbers joined by x, in array order, are needed: say 64x64 (ny, nx)"
        )
    return tuple(int(size) for size in sizes)


def read_agents(text: str) -> list[int]:
    """Numbers of agents, ascending."""
    words = [word.strip() for word in text.split(",")]
    numbers = [int(word) if word.isascii() and word.isdigit() and len(word) <= DIGITS else 0 for word in words]
    for word, number in zip(words, numbers, strict=True):
        if number < 1:
            raise InputError(
                f"--agents holds {cut(ascii(word))}; whole numbers of at least 1 are needed, say 10,100,1000"
            )
        if numbers.count(number) > 1:
            raise InputError(f"--agents lists {number} twice; list every number once")
    return sorted(numbers)


def read_settings(pairs: list[str]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not (key.strip() and equals):
            raise InputError(f"--set {cut(ascii(pair))} is no setting; write --set key=value, say --set reward=2.0")
        if key.strip() in settings:
            raise InputError(f"--set {key.strip()} is given twice; give it once")
        settings[key.strip()] = read_value(text.strip())
    return settings


def read_options(pairs: list[str], named: dict[str, Any]) -> dict[str, Any]:
    """Options of a learner: those with a flag of their own, and those of --option KEY=VALUE."""
    options = dict(named)
    for pair in pairs:
        key, equals, text = pair.partition("=")
        key = key.strip().replace("-", "_")
        if not (key and equals):
            raise InputError(f"--option {cut(ascii(pair))} is none; write --option key=value, say --option hops=2")
        if key in options and key != "seed":  # --rng is always there
            raise InputError(f"{key} of the learner is given twice; give it once")
        options[key] = read_value(text.strip())
    return options


def read_value(text: str) -> Any:
    """A value as TOML reads it (number, true, list, table), or else the text itself."""
    import tomllib

    try:
        result = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        result = {}
    if list(result) == ["value"]:
        return result["value"]
    try:
        return float(text)  # TOML knows neither .5 nor 5.
    except ValueError:
        return text
