"""A running solve seen from outside: one live line on stderr, none where that is no terminal."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.live import Live

    from mfgsolve.problem import Problem
    from mfgsolve.solution.datasets import Measure

__all__ = ["Episodes", "Progress"]

FLOOR = 1e-16  # below it a relative exploitability is round-off
NARROWEST_BAR, WIDEST_BAR = 6, 40
ECHO = len("^C")  # a terminal writes it behind the line, which must not wrap


class Progress:
    """Context manager; give ``update`` to `solve` as its callback.

    Parameters
    ----------
    tol : relative exploitability that the bar runs to, on a log scale from 1
    shape, steps : of the final grid, from which those of the coarser grids follow; None if they are not known
    place : what has that shape, "grid" or "states"

    Examples
    --------
    >>> with Progress(1e-10) as progress:
    ...     assert progress.update is not None
    """

    def __init__(self, tol: float, shape: Sequence[int] | None = None, steps: int = 1, place: str = "grid"):
        self.tol, self.shape, self.steps, self.place, self.label = tol, shape, steps, place, ""
        self.measure: Measure | None = None
        self.reached = math.nan
        self.doing = "compiling and starting"
        self._begun = time.perf_counter()
        self._live: Live | None = None

    @classmethod
    def of(cls, problem: Problem, tol: float) -> Progress:
        """The line of a solve of this problem."""
        place = "states" if "state" in problem.grid.dims else "grid"
        return cls(tol, problem.grid.shape, problem.time.steps, place)

    def __enter__(self) -> Progress:
        if sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") not in (None, "", "dumb"):
            from rich.console import Console
            from rich.live import Live

            self._live = Live(self, console=Console(stderr=True), refresh_per_second=5, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            with contextlib.suppress(OSError):  # the terminal may be gone
                self._live.stop()

    def update(self, measure: Measure) -> None:
        """Show what an iteration measured; returns None, so that it never stops a solve."""
        self.measure, self.doing = measure, ""
        if math.isfinite(measure.relative_exploitability):  # an iteration without a certificate shows the last one
            self.reached = measure.relative_exploitability

    def update_one(self, label: str, measure: Measure) -> None:
        """The same of one of several solvers."""
        self.label = f"{label}  "
        self.update(measure)

    def named(self, iteration: int) -> str:
        """What has been done by that iteration, in words."""
        return f"iteration {iteration}"

    def share(self) -> float:
        """How far the relative exploitability has come from 1 to the tolerance, on a log scale, in [0, 1]."""
        reached = self.reached
        goal = max(self.tol, FLOOR)
        if goal >= 1 or reached <= goal:
            return 1.0
        return max(0.0, math.log(reached) / math.log(goal)) if reached < 1 else 0.0

    def clock(self) -> str:
        """Time since the start."""
        spent = time.perf_counter() - self._begun
        return f"{spent // 3600:.0f}:{spent % 3600 // 60:02.0f}:{spent % 60 // 1:02.0f}".removeprefix("0:")

    def texts(self) -> Iterator[tuple[str, str]]:
        """What to say left and right of the bar, from the most to the least."""
        clock = self.clock()
        if self.doing or self.measure is None:
            yield self.doing, clock
            yield "", self.doing
            return
        now = self.measure
        reached = f"{self.reached:.1e}"
        to_goal = f"{reached} to {self.tol:.0e}"
        grid, sweeps = self._grid(now.cell_steps), f"{now.sweeps:.1f} sweeps"
        count = f"{self.label}iteration {now.iteration}"
        yield f"{count}  {self.place} {grid}  {sweeps}", f"relative exploitability {to_goal}  {clock}"
        yield f"{count}  {grid}  {sweeps}", f"{to_goal}  {clock}"
        yield f"{count}  {sweeps}", f"{to_goal}  {clock}"
        yield f"{self.label}{now.iteration}  {sweeps}", f"{reached}  {clock}"
        yield f"{self.label}{now.iteration}", f"{reached}  {clock}"
        yield self.label.strip(), reached
        yield "", reached

    def _grid(self, cell_steps: int) -> str:
        """Shape and steps of the grid with that many cell-steps: the final one halved some number of times, or with
        fewer cells along all axes."""
        if self.shape is None:
            return f"{cell_steps:.2g} cell-steps"
        shape, steps = tuple(self.shape), self.steps
        while math.prod(shape) * steps > cell_steps and min(*shape, steps) > 1:
            shape, steps = tuple(n // 2 for n in shape), steps // 2
        if math.prod(shape) * steps != cell_steps:
            share = (cell_steps / (math.prod(self.shape) * self.steps)) ** (1 / len(self.shape))
            fewer = tuple(round(share * n) for n in self.shape)
            if math.prod(fewer) * self.steps == cell_steps:
                shape, steps = fewer, self.steps
        return "x".join(str(n) for n in (*shape, steps))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        row: list[Any] = []
        for left, right in self.texts():
            room = (
                options.max_width - len("^C") - len(left) - len(right) - 2 * bool(left) - 2
            )  # which a terminal echoes
            row = [left] * bool(left)
            if room >= NARROWEST_BAR:
                row.append(ProgressBar(total=1.0, completed=self.share(), width=min(room, WIDEST_BAR)))
            row.append(right)
            if room >= NARROWEST_BAR:
                break
        line = Table.grid(padding=(0, 2, 0, 0))
        for _ in row:
            line.add_column(no_wrap=True)
        line.add_row(*row)
        yield line


class Episodes(Progress):
    """The live line of learners: how many episodes are played, and what the certificate says.

    Parameters
    ----------
    agents, episodes : how many learn, and how often they play
    block : episodes from one certificate to the next
    before : episodes before the first certificate
    """

    def __init__(self, agents: int, episodes: int, block: int, before: int = 0):
        super().__init__(0.0)
        self.agents, self.episodes, self.block, self.before = agents, episodes, block, before

    @classmethod
    def of_learner(cls, learner: Any) -> Episodes:
        """The line of a learner with these parameters."""
        return cls(*(int(getattr(learner, name, 1)) for name in ("agents", "episodes", "block", "before")))

    @property
    def played(self) -> int:
        return 0 if self.measure is None else self.after(self.measure.iteration)

    def after(self, iteration: int) -> int:
        """Episodes played at that certificate."""
        return min(self.before + iteration * self.block, self.episodes)

    def named(self, iteration: int) -> str:
        return f"episode {self.after(iteration)} of {self.episodes}"

    def share(self) -> float:
        return self.played / self.episodes

    def texts(self) -> Iterator[tuple[str, str]]:
        if self.doing or self.measure is None:
            yield from super().texts()
            return
        clock = self.clock()
        reached = f"{self.measure.relative_exploitability:.1e}"
        count = f"episode {self.played} of {self.episodes}"
        yield f"{count}  {self.agents} agents", f"relative exploitability {reached}  {clock}"
        yield count, f"{reached}  {clock}"
        yield f"episode {self.played}", reached
        yield "", reached
