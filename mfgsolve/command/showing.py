"""Subcommands that show what there is in files: solutions, pictures, films."""

from __future__ import annotations

from mfgsolve.command.arguments import AnyFile, Json


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
