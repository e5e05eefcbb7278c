"""Whether a step reaches far enough: how often agents go as far as its stencil lets them.

    edge = sum_t sum_x m_t(x) p_t(|k| = reach | x) / T,   summed over the axes

A wider stencil would let some of these go farther.  The potential is off by less than a thousandth of that share.
"""

from __future__ import annotations

import numpy as np

from mfgsolve.steps.draws import draws_of
from mfgsolve.steps.step import Step

__all__ = ["edge_mass"]

SAMPLES = 16  # steps that are looked at: speeds change with time, but not from one step to the next


def edge_mass(step: Step, policy: np.ndarray, mass: np.ndarray) -> float:
    """Share of the mass-time that goes to the edge of the stencil; 0 for steps without one (`Step.reach`).

    Parameters
    ----------
    policy : (T, ...), the array of a best response
    mass : (T+1, *shape), its flow
    """
    if not step.reach:
        return 0.0
    plan = step.policy_of(policy)
    looked = np.unique(np.linspace(0, step.steps - 1, min(SAMPLES, step.steps)).round().astype(int))
    edge, kernel = 0.0, step.draw_kernel  # type: ignore[attr-defined]
    for t in looked:
        level = mass[t].reshape(-1)
        for draw in draws_of(step, plan, int(t)):  # type: ignore[arg-type]
            edge += float(kernel.edge_draw(level, draw))
            level = kernel.push_draw(level, draw)
    return edge / len(looked)
