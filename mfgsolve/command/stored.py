"""Which learner a checkpoint is of, as far as the command needs it: how many agents, how many episodes."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

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
