"""Subcommands that show what there is in files: solutions, pictures, films."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mfgsolve.command.arguments import AnyFile, Json
from mfgsolve.command.statements import is_other, show_answer
from mfgsolve.errors import InputError


def show(
    file: AnyFile,
    json: Json = False,
    check: Annotated[bool, typer.Option("--check", help="Read every array and compare it with its checksums.")] = False,
) -> None:
    """Show what was solved, its certificate and its status.

    Only the head of a file is read, whose seal must fit, and what is shown; --check reads all arrays, too, and compares
    them with their checksums, as whatever else uses the file does.

    Example:  mfgsolve show plan.nc --json
    """
    if file.suffix == ".zarr":
        if check:
            raise InputError("--check is of files that this package seals, and a sweep has no checksums; leave it out")
        _show_study(file, json)
        return
    from mfgsolve.files import file_kind, read_dataset, read_header

    kind = file_kind(file)
    if check:
        read_dataset(file, kind)
    if kind == "checkpoint":
        from mfgsolve.command.report import say, to_json
        from mfgsolve.command.stored import checkpoint_facts, checkpoint_rows

        head = read_header(file, "checkpoint")
        if json:
            to_json(checkpoint_facts(head, file))
        else:
            say(f"{head.attrs['problem']}\nGo on with:  mfgsolve resume {file}", checkpoint_rows(head, file))
    elif kind == "training-checkpoint":
        from mfgsolve.command.training import told_checkpoint

        told_checkpoint(file, json)
    elif kind in ("training", "faceoff", "convergence", "comparison", "refinement"):
        _show_study_file(file, kind, json)
    elif is_other(kind):
        show_answer(file, kind, json)
    else:
        _show_solution(file, json)


def _show_study(file: Path, json: bool) -> None:
    """The rows of a sweep."""
    from mfgsolve.command.report import say, to_json
    from mfgsolve.command.sweeping import study_facts, study_rows
    from mfgsolve.studies.store import open_sweep

    study = open_sweep(file)
    if json:
        to_json(study_facts(study))
    else:
        say(rows=study_rows(study))


def _show_study_file(file: Path, kind: str, json: bool) -> None:
    """What was compared, refined, learned or played."""
    from mfgsolve import cautions
    from mfgsolve.command import report
    from mfgsolve.command.battling import faceoff_facts, faceoff_rows
    from mfgsolve.command.distance import refinement_facts, refinement_rows
    from mfgsolve.command.training import training_facts, training_rows
    from mfgsolve.files import read_header

    facts, rows = {
        "training": (training_facts, training_rows),
        "faceoff": (faceoff_facts, faceoff_rows),
        "convergence": (report.convergence_facts, report.convergence_rows),
        "comparison": (report.agents_facts, report.agents_rows),
        "refinement": (refinement_facts, refinement_rows),
    }[kind]
    stored: Any = read_header(file, kind)
    if json:
        report.to_json(facts(stored))
    else:
        warned = report.told(cautions.stored(stored.attrs)).lstrip()
        report.say(f"{warned}\n\n{stored.attrs.get('problem', '')}".strip(), rows(stored))


def _show_solution(file: Path, json: bool) -> None:
    """The certificate and what stands beside it."""
    from mfgsolve.command.report import say, solution_facts, solution_rows, to_json, told, verdict
    from mfgsolve.solution import load_header

    solution = load_header(file)
    if json:
        to_json(solution_facts(solution))
        return
    attrs = solution.dataset.attrs
    made = [("made", f"{attrs.get('created', 'unknown')}, mfgsolve {attrs.get('mfgsolve_version', 'unknown')}")]
    say(
        f"{verdict(solution)}{told(solution.warnings)}\n\n{attrs.get('problem', '')}".rstrip(),
        solution_rows(solution) + made,
    )
