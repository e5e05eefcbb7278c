"""Subcommands that show what there is in files: solutions, pictures, films."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from mfgsolve.command import completing
from mfgsolve.command.arguments import AnyFile, Json, whole
from mfgsolve.errors import InputError, unknown

PICTURE_KINDS = ("plan", "value", "speed", "policy", "convergence", "learning")


def show(
    file: AnyFile,
    json: Json = False,
) -> None:
    """Show what was solved, its certificate and its status.

    Example:  mfgsolve show plan.nc --json
    """
    from mfgsolve import cautions
    from mfgsolve.command.battling import faceoff_facts, faceoff_rows
    from mfgsolve.command.distance import refinement_facts, refinement_rows
    from mfgsolve.command.report import (
        agents_facts,
        agents_rows,
        convergence_facts,
        convergence_rows,
        say,
        solution_facts,
        solution_rows,
        to_json,
        told,
        verdict,
    )
    from mfgsolve.command.stored import checkpoint_facts, checkpoint_rows
    from mfgsolve.command.training import told_checkpoint, training_facts, training_rows
    from mfgsolve.files import file_kind, read_dataset
    from mfgsolve.solution import load

    if file.suffix == ".zarr":
        from mfgsolve.command.sweeping import study_facts, study_rows
        from mfgsolve.studies.store import open_sweep

        study = open_sweep(file)
        if json:
            to_json(study_facts(study))
        else:
            say(rows=study_rows(study))
        return
    kind = file_kind(file)
    if kind == "checkpoint":
        stored = read_dataset(file, "checkpoint", history_only=True)
        if json:
            to_json(checkpoint_facts(stored, file))
        else:
            say(f"{stored.attrs['problem']}\nGo on with:  mfgsolve resume {file}", checkpoint_rows(stored, file))
        return
    if kind == "training-checkpoint":
        told_checkpoint(file, json)
        return
    compared = {
        "training": (training_facts, training_rows),
        "faceoff": (faceoff_facts, faceoff_rows),
        "convergence": (convergence_facts, convergence_rows),
        "comparison": (agents_facts, agents_rows),
        "refinement": (refinement_facts, refinement_rows),
    }
    if kind in compared:
        stored, (facts, rows) = read_dataset(file, kind), compared[kind]
        if json:
            to_json(facts(stored))
        else:
            warned = told(cautions.stored(stored.attrs)).lstrip()
            say(f"{warned}\n\n{stored.attrs.get('problem', '')}".strip(), rows(stored))
        return
    solution = load(file)
    if json:
        to_json(solution_facts(solution))
    else:
        attrs = solution.dataset.attrs
        made = [("made", f"{attrs.get('created', 'unknown')}, mfgsolve {attrs.get('mfgsolve_version', 'unknown')}")]
        say(
            f"{verdict(solution)}{told(solution.warnings)}\n\n{attrs.get('problem', '')}".rstrip(),
            solution_rows(solution) + made,
        )


def plot(
    file: AnyFile,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.png", help="Picture: .png, .pdf or .svg.")],
    kind: Annotated[
        str,
        typer.Option(
            metavar="KIND",
            help="Of a solution: plan, value, speed, policy, convergence or learning.",
            autocompletion=completing.kinds,
        ),
    ] = "plan",
) -> None:
    """Draw a solution: the plan, its value, its speeds or policy, how the solve converged or agents learned.

    Files of 'mfgsolve convergence', 'compare' and 'refine' have pictures of their own.

    Example:  mfgsolve plot plan.nc -o speed.png --kind speed
    """
    from mfgsolve.command.preflight import PICTURES, check_outputs

    if kind not in PICTURE_KINDS:
        raise InputError(unknown("kind of picture", kind, PICTURE_KINDS))
    check_outputs({"--output": (output, PICTURES)}, {"the solution": file})
    from mfgsolve import plots
    from mfgsolve.command.report import say
    from mfgsolve.files import file_kind, read_dataset
    from mfgsolve.solution import load

    own: dict[str, Callable[..., Any]] = {
        "convergence": plots.convergences,
        "comparison": plots.agents,
        "refinement": plots.refinement,
        "training": plots.training,
        "faceoff": plots.faceoff,
    }
    result = "study" if file.suffix == ".zarr" else file_kind(file)
    if result == "study":
        from mfgsolve.studies.store import open_sweep

        plots.save(plots.sweep(open_sweep(file)), output)
    elif result in own:
        plots.save(own[result](read_dataset(file, result)), output)
    else:
        plots.save(getattr(plots, kind)(load(file)), output)
    say(f"Wrote {output}.")


def animate(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.nc", help="A solution, or a face-off of battles.", autocompletion=completing.files(".nc")
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.gif", help="Film: .gif, or .mp4 by ffmpeg.")],
    fps: Annotated[int, typer.Option(parser=whole, metavar="N", help="Pictures a second.")] = 15,
    frames: Annotated[int, typer.Option(parser=whole, metavar="N", help="Pictures in all.")] = 60,
) -> None:
    """Show a solution as a film over time, or the game that a face-off of battles recorded.

    Example:  mfgsolve animate plan.nc -o plan.gif
    """
    from mfgsolve.command.preflight import ANIMATIONS, check_outputs

    check_outputs({"--output": (output, ANIMATIONS)}, {"the solution": file})
    from mfgsolve import plots
    from mfgsolve.command.report import say
    from mfgsolve.files import file_kind, read_dataset
    from mfgsolve.solution import load

    shown = read_dataset(file, "faceoff") if file_kind(file) == "faceoff" else load(file)
    plots.animate(shown, output, fps=fps, frames=frames)
    say(f"Wrote {output}.")
