"""Checkpoints of 0.4.0: told to be of the same game by that version's own digest, and gone on with by today's solvers.

All that is known of 0.4.0 is in this folder and in one call of `mfgsolve.resume`; both can go once nobody has a
checkpoint of 0.4.0 any more, two versions after 0.5.0 at the earliest.
"""

from __future__ import annotations

import math
from dataclasses import replace

from mfgsolve.cautions import say
from mfgsolve.checkpoints import Checkpoint
from mfgsolve.earlier.fingerprint import fingerprint
from mfgsolve.earlier.states import renewed
from mfgsolve.problem import Problem
from mfgsolve.solution.datasets import Measure
from mfgsolve.solvers.base import Restore

__all__ = ["VERSIONS", "continued", "fingerprint"]

VERSIONS = ("0.4.0",)
REMARK = (
    "The checkpoint was written by mfgsolve {version}: the solve goes on from the same point, but not bit for bit as "
    "that version would have done; relative exploitabilities of its history referred to another scale and are left out."
)


def continued(stored: Checkpoint, posed: Problem, restore: Restore) -> Checkpoint | None:
    """The checkpoint as today's solvers go on from it, with a caution; None where it is not of that game, or of a
    version that is not known here.

    Parameters
    ----------
    stored : what was read
    posed : the game that is to be solved
    restore : makes a state of arrays, numbers and a measure, see `mfgsolve.solvers.base.restorer`
    """
    if stored.version not in VERSIONS or stored.digest != fingerprint(posed):
        return None
    last = stored.rows[-1]
    arrays, numbers = renewed(stored.solver.name, posed, stored.arrays, stored.numbers, last.iteration)
    rows = [replace(row, relative_exploitability=math.nan) for row in stored.rows]
    result = replace(stored, arrays=arrays, numbers=numbers, rows=rows)
    if last.final_grid:
        result.rows[-1] = _measured(result, restore)
    say("earlier-checkpoint", REMARK.format(version=stored.version))
    return result


def _measured(stored: Checkpoint, restore: Restore) -> Measure:
    """The last row with the certificate of today."""
    last, arrays = stored.rows[-1], {name: array.copy() for name, array in stored.arrays.items()}
    result = stored.solver.finish(restore(arrays, dict(stored.numbers), last)).certified()
    return replace(
        last,
        exploitability=result.exploitability,
        relative_exploitability=result.relative_exploitability,
        potential=result.potential,
        duality_gap=result.duality_gap,
        violation=result.violation,
    )
