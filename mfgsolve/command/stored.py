"""What the command needs of a checkpoint: its numbers, and which learner it is of."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mfgsolve.command.report import goal, short
from mfgsolve.errors import FileError

if TYPE_CHECKING:
    import xarray as xr

    from mfgsolve.solvers.base import Solver


def stored_learner(checkpoint: Path) -> Solver | None:
    """The learner whose checkpoint this is; None if it is a solver's."""
    from mfgsolve.files import read_dataset

    return learner_of(read_dataset(checkpoint, "checkpoint", history_only=True), checkpoint)


def learner_of(stored: xr.Dataset, checkpoint: object) -> Solver | None:
    """The same of a checkpoint that has been read."""
    from mfgsolve.methods import kind_of

    try:
        name = str(stored.attrs["solver"])
        kind = kind_of(name)
        if kind is None:
            raise KeyError(name)
        if not kind.learns:
            return None
        counted = {option.name for option in fields(kind)} & {"agents", "episodes", "block"}
        learner: Solver = kind(**{key: int(stored.attrs[f"option_{key}"]) for key in sorted(counted)})
        return learner
    except (KeyError, ValueError, TypeError) as error:
        raise FileError(f"checkpoint {checkpoint} misses or spoils {error}; it was not written by mfgsolve") from None


def checkpoint_facts(stored: Any, file: object) -> dict[str, Any]:
    """What a checkpoint holds, from attributes and history of its dataset, or of its `mfgsolve.files.header.Header`."""
    from mfgsolve.command.progress import Episodes

    try:
        last = {name: stored[name].values[-1].item() for name in (
            "iteration", "sweeps", "seconds", "exploitability", "relative_exploitability", "potential", "duality_gap",
        )}  # fmt: skip
        solver = str(stored.attrs["solver"])
        if solver == "portfolio":  # whoever of them took the last step
            solver = str(stored.attrs["option_solvers"]).split(",")[int(stored["stage"].values[-1])]
        facts = {"status": "unfinished", "solver": solver, "tol": float(stored.attrs["tol"])}
        learner = learner_of(stored, file)
        if learner is not None:
            last |= {"episode": Episodes.of_learner(learner).after(last["iteration"])}
            last |= {name: getattr(learner, name) for name in ("episodes", "agents")}
        return facts | last | {"on_final_grid": bool(stored["final_grid"].values[-1])}
    except (KeyError, ValueError, IndexError, TypeError) as error:
        raise FileError(f"checkpoint {file} misses or spoils {error}; it was not written by mfgsolve") from None


def checkpoint_rows(stored: Any, file: object) -> list[tuple[str, str]]:
    """The small table of a checkpoint."""
    facts = checkpoint_facts(stored, file)
    place = "" if facts["on_final_grid"] else " on a coarser grid"
    learned = "episodes" in facts
    work = f"{facts['episode']} of {facts['episodes']} episodes" if learned else f"{facts['iteration']} iterations"
    who = f"{facts['agents']} agents that learn ({facts['solver']})" if learned else f"a {facts['solver']} solve"
    return [
        ("checkpoint of", who),
        ("relative exploitability", f"{short(facts['relative_exploitability'])}{place}{goal(facts['tol'], learned)}"),
        ("work so far", f"{work}, {facts['sweeps']:.1f} sweeps, {facts['seconds']:.2f} s"),
    ]
