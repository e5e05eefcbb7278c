"""The subcommand that writes a named problem out in full, to be edited."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mfgsolve.command.arguments import Json, Name, Scheme, Settings, Shape, Steps, read_settings, read_shape

__all__ = ["write"]

TOML = (".toml",)


def write(
    problem: Name,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE.toml", help="Write the file here; else print it on stdout."),
    ] = None,
    shape: Shape = None,
    steps: Steps = None,
    scheme: Scheme = None,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """Write a problem out in full, as a file to edit: grid, times, dynamics, couplings, start, end.

    What the file makes is the same game, bit by bit: this is checked before it is written.  Arrays go into a file
    FILE.npz beside it.  A problem that is made of functions which a file has no words for is refused with a sentence.

    Example:  mfgsolve write supply-demand -o my.toml
    """
    from mfgsolve.command.preflight import check_outputs
    from mfgsolve.command.speaking import say, to_json, write_out
    from mfgsolve.problemfile.declaring import write_declared

    check_outputs({"--output": (output, TOML)}, {"the problem file": problem})
    stated = _stated(problem, read_shape(shape), steps, read_settings(settings or []), scheme)
    text, files = write_declared(stated, output, _head(stated))
    if json:
        to_json({"problem": stated.name, "text": text, "files": [str(file) for file in files]})
    elif not files:
        write_out(text)
    else:
        wrote = " and ".join(str(file) for file in files)
        say(f"Wrote {wrote}.  Edit it, then:  mfgsolve solve {files[0]} -o plan.nc --plot plan.png")


def _stated(name: str, shape: Any, steps: int | None, settings: dict[str, Any], scheme: str | None) -> Any:
    """The problem, its number of steps not chosen yet where the game is to choose it."""
    from mfgsolve import problems
    from mfgsolve.command.arguments import RATE, REACH, SCHEME, check_settings, stated_problem, with_scheme
    from mfgsolve.problemfile import named_problem

    if name.replace("_", "-") not in problems.names():
        return stated_problem(name, shape, steps, settings, scheme)
    settings = with_scheme(settings, scheme)
    check_settings(name, settings)
    late = {"discount": settings.pop(RATE, 0.0), "scheme": settings.pop(SCHEME, None)}
    return named_problem(name, settings, shape, steps, **late, reach=settings.pop(REACH, None))


def _head(problem: Any) -> str:
    import mfgsolve
    from mfgsolve import problems

    meant = f"mfgsolve list {problem.name}, and " if problem.name in problems.names() else ""
    stated = ", ".join(f"{key} = {value}" for key, value in (problem.parameters or {}).items())
    lines = [
        f"# {problem.name} of mfgsolve {mfgsolve.__version__}, written out in full ({stated}).",
        f"# What keys mean: {meant}the documentation of mfgsolve.problemfile.",
    ]
    return "\n".join(lines) + "\n\n"
