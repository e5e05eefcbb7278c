"""Types and chances that tests of learners with types share."""

from __future__ import annotations

import numpy as np

from mfgsolve.stages.types import (
    KnownTypes,
)

# Appendix A.  In a stage of kind "A" the neighbours A, B are up and C, D down; in one of kind "B" it is the reverse.
# So spin up is paid +2, +2, -2 in the stages A, A, B, and two of four neighbours are up in all of them.
A_UP, B_UP = [1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]


TYPES = KnownTypes(np.array([0, 0, 0, 1, 1]))


FAIR = [0.5] * 4
