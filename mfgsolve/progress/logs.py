"""Messages of the logger "mfgsolve": nothing is printed unless somebody asks for it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mfgsolve.problem import Problem
    from mfgsolve.solution.datasets import Measure

__all__ = ["is_notebook", "logged", "logger", "told"]

logger = logging.getLogger("mfgsolve")
logger.addHandler(logging.NullHandler())
FORM = logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S")


@contextmanager
def logged(verbose: bool | int) -> Iterator[None]:
    """Tell the messages of this block in lines: none (0, False), the work (1, True), every iteration, too (2)."""
    if not verbose:
        yield
        return
    handler = logging.StreamHandler(sys.stdout if is_notebook() else sys.stderr)
    handler.setFormatter(FORM)
    before, level = logger.level, logging.DEBUG if int(verbose) > 1 else logging.INFO
    handler.setLevel(level)
    logger.addHandler(handler)
    logger.setLevel(min(level, before) if before else level)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def is_notebook() -> bool:
    """Whether this process serves a notebook; asks without loading anything."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and hasattr(shell, "kernel")


@contextmanager
def told(
    problem: Problem, solver: str, tol: float, callback: Callable[[Measure], Any] | None
) -> Iterator[Callable[[Measure], Any] | None]:
    """Log how a solve begins, every grid and every iteration; gives the callback that does."""
    shape = "x".join(str(n) for n in problem.grid.shape)
    logger.info("%s, %s, %s steps: %s to %.0e", problem.name, shape, problem.time.steps, solver, tol)
    if not logger.isEnabledFor(logging.INFO):
        yield callback
        return
    met: list[tuple[int, int]] = []

    def log(measure: Measure) -> Any:
        now = measure.cell_steps, measure.stage
        if met[-1:] != [now]:
            met.append(now)
            logger.info("iteration %d begins %d cell-steps, %.1f sweeps so far", measure.iteration, now[0],
                        measure.sweeps)  # fmt: skip
        logger.debug("iteration %d, %d cell-steps, %.1f sweeps, relative exploitability %.2e", measure.iteration,
                     measure.cell_steps, measure.sweeps, measure.relative_exploitability)  # fmt: skip
        return None if callback is None else callback(measure)

    yield log
