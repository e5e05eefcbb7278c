"""What one live line says of long work: how far it is, how long it will take, and in which words."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mfgsolve.progress.logs import logger
from mfgsolve.progress.work import Work

if TYPE_CHECKING:
    from mfgsolve.problem import Problem
    from mfgsolve.solution.datasets import Measure

__all__ = ["Counted", "Episodes", "Equilibria", "Line", "Replicas", "Solves", "clock_text", "left_text"]

RECENT = 0.5  # of the work done, by which the pace is judged
FAR = 100.0  # times as long as a solve has taken, beyond which nobody foretells its end
SOON = 2.0  # seconds below which nobody asks how many


def clock_text(seconds: float) -> str:
    """Minutes and seconds, with hours where there are any."""
    return f"{seconds // 3600:.0f}:{seconds % 3600 // 60:02.0f}:{seconds % 60 // 1:02.0f}".removeprefix("0:")


def left_text(seconds: float) -> str:
    """How long it will take, in one figure or two; empty where nothing is known."""
    if not math.isfinite(seconds):
        return ""
    for size, unit in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"about {seconds / size:.0f} {unit} left"
    return f"about {max(seconds, 1):.0f} s left" if seconds >= SOON else "soon done"


class Line:
    """Base of all lines: a share of work done, and words in several lengths.

    Subclasses say how much is `done` of the `total`, and what they write (`texts`).
    """

    def __init__(self) -> None:
        self.doing = "compiling and starting"
        self._begun = time.perf_counter()
        self._paces: list[tuple[float, float]] = []  # work and seconds

    # -- work ------------------------------------------------------------------------------------------------------

    @property
    def done(self) -> float:
        """Work that is done."""
        return 0.0

    @property
    def total(self) -> float:
        """All work, as far as it is known."""
        return math.nan

    def share(self) -> float:
        """How much is done, in [0, 1]."""
        total = self.total
        return min(self.done / total, 1.0) if total > 0 else 0.0

    def paced(self) -> None:
        """Remember how much was done by now."""
        if not self._paces or self.done > self._paces[-1][0]:
            self._paces.append((self.done, self.spent()))

    def left(self) -> float:
        """Seconds until it is done, at the pace of late; NaN before that is known."""
        if len(self._paces) < 2:
            return math.nan
        done, now = self._paces[-1]
        half = done - RECENT * (done - self._paces[0][0])
        first = max((pace for pace in self._paces[:-1] if pace[0] <= half), default=self._paces[0])
        pace = (now - first[1]) / (done - first[0])
        return max((self.total - done) * pace - (self.spent() - now), 0.0)

    def spent(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._begun

    def clock(self) -> str:
        """Time since the start."""
        return clock_text(self.spent())

    def times(self) -> str:
        """Time to come, and since the start."""
        left = left_text(self.left())
        return f"{left}  {self.clock()}" if left else self.clock()

    # -- words -----------------------------------------------------------------------------------------------------

    def texts(self) -> Iterator[tuple[str, str]]:
        """What to say left and right of the bar, from the most to the least."""
        yield self.doing, self.clock()
        yield "", self.doing

    def update(self, *told: Any) -> None:
        """Show what was told; returns None, so that it never stops anything."""

    def beside(self, callback: Callable[..., Any] | None) -> Callable[..., Any]:
        """A callback that shows what it is told, and passes it on."""

        def both(*told: Any) -> Any:
            self.update(*told)
            return None if callback is None else callback(*told)

        return both


class Solves(Line):
    """The line of solves: which grid, how many sweeps, how exactly.

    Parameters
    ----------
    tol : relative exploitability that is to be reached
    shape, steps : of the final grid, from which those of the coarser grids follow; None if they are not known
    place : what has that shape, "grid" or "states"
    """

    def __init__(self, tol: float, shape: Sequence[int] | None = None, steps: int = 1, place: str = "grid"):
        super().__init__()
        self.tol, self.shape, self.steps, self.place, self.label = tol, shape, steps, place, ""
        self.measure: Measure | None = None
        self.reached = math.nan
        self.work = self._new_work()

    def _new_work(self) -> Work:
        return Work(self.tol, None if self.shape is None else math.prod(self.shape) * self.steps)

    @classmethod
    def of(cls, problem: Problem, tol: float) -> Any:
        """The line of a solve of this problem."""
        line = cls(tol)
        line.of_problem(problem)
        return line

    def of_problem(self, problem: Problem) -> None:
        """Learn the final grid of a problem whose number of steps has been chosen by now."""
        self.shape, self.steps = problem.grid.shape, problem.time.steps
        self.place = "states" if "state" in problem.grid.dims else "grid"
        self.work = self._new_work()

    @property
    def done(self) -> float:
        return self.work.done

    @property
    def total(self) -> float:
        return self.work.total

    def left(self) -> float:
        """The same; NaN where it is so far ahead that what was seen of the error tells nothing of it."""
        known = super().left()
        return known if known <= FAR * self.spent() else math.nan

    def update(self, *told: Any) -> None:
        """Show what an iteration measured: of the only solve, or of the one that is named before it."""
        *label, measure = told
        if label and self.label != f"{label[0]}  ":
            self.work, self._paces, self.label = self._new_work(), [], f"{label[0]}  "
        self.measure, self.doing = measure, ""
        if math.isfinite(measure.relative_exploitability):  # an iteration without a certificate shows the last one
            self.reached = measure.relative_exploitability
        if measure.sweeps < self.work.done:  # another solve
            self.work, self._paces = self._new_work(), []
        self.work.update(measure)
        self.paced()

    def update_one(self, label: str, measure: Measure) -> None:
        """The same of one of several solves."""
        self.update(label, measure)

    def named(self, iteration: int) -> str:
        """What has been done by that iteration, in words."""
        return f"iteration {iteration}"

    def texts(self) -> Iterator[tuple[str, str]]:
        if self.doing or self.measure is None:
            yield from super().texts()
            return
        now = self.measure
        reached = "..." if math.isnan(self.reached) else f"{self.reached:.1e}"
        to_goal = f"{reached} to {self.tol:.0e}"
        grid, sweeps, times = self._grid(now.cell_steps), f"{now.sweeps:.1f} sweeps", self.times()
        count = f"{self.label}iteration {now.iteration}"
        yield f"{count}  {self.place} {grid}  {sweeps}", f"relative exploitability {to_goal}  {times}"
        yield f"{count}  {grid}  {sweeps}", f"{to_goal}  {times}"
        yield f"{count}  {grid}", f"{to_goal}  {times}"
        yield count, f"{reached}  {times}"
        yield f"{self.label}{now.iteration}", f"{reached}  {self.clock()}"
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


class Episodes(Solves):
    """The line of learners of a game: how many episodes are played, and what the certificate says.

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
    def of_learner(cls, learner: Any) -> Any:
        """The line of a learner with these parameters."""
        return cls(*(int(getattr(learner, name, 1)) for name in ("agents", "episodes", "block", "before")))

    @property
    def played(self) -> int:
        """Episodes so far."""
        return 0 if self.measure is None else self.after(self.measure.iteration)

    @property
    def done(self) -> float:
        return self.played

    @property
    def total(self) -> float:
        return self.episodes

    def after(self, iteration: int) -> int:
        """Episodes played at that certificate."""
        return min(self.before + iteration * self.block, self.episodes)

    def named(self, iteration: int) -> str:
        return f"episode {self.after(iteration)} of {self.episodes}"

    def texts(self) -> Iterator[tuple[str, str]]:
        if self.doing or self.measure is None:
            yield from Line.texts(self)
            return
        reached = f"{self.measure.relative_exploitability:.1e}"
        count = f"episode {self.played} of {self.episodes}"
        yield f"{count}  {self.agents} agents", f"relative exploitability {reached}  {self.times()}"
        yield count, f"{reached}  {self.times()}"
        yield f"episode {self.played}", reached
        yield "", reached


class Counted(Line):
    """The line of work that is made of alike pieces: points, replicas, pictures, blocks, games.

    Parameters
    ----------
    what : the pieces, in words
    total : how many there are
    counted : from what a callback is told to how many are done, and how many there are; else both are told
    words : from the same to what stands before the count
    doing : what is done before the first piece
    """

    logs = True  # whether it is the one that tells the logger

    def __init__(
        self, what: str, total: int = 0, counted: Callable[..., tuple[int, int]] | None = None,
        words: Callable[..., str] | None = None, doing: str = "compiling and starting",
    ):  # fmt: skip
        super().__init__()
        self.what, self.pieces, self.number, self.head, self.doing = what, total, 0, "", doing
        self.counted, self.words = counted, words
        self._tenth = 0

    @property
    def done(self) -> float:
        return self.number

    @property
    def total(self) -> float:
        return self.pieces

    def update(self, *told: Any) -> None:
        """Show how many pieces are done."""
        self.number, self.pieces = told if self.counted is None else self.counted(*told)
        self.head = "" if self.words is None else f"{self.words(*told)}  "
        self.doing = ""
        self.paced()
        tenth = 10 * self.number // self.pieces if self.pieces else self.number
        if self.logs:
            logger.log(logging.DEBUG if tenth == self._tenth else logging.INFO, "%s%s", self.head, self.count)
        self._tenth = tenth

    @property
    def count(self) -> str:
        """How many pieces are done, in words."""
        return f"{self.number} of {self.pieces} {self.what}" if self.pieces else f"{self.number} {self.what}"

    def texts(self) -> Iterator[tuple[str, str]]:
        if self.doing:
            yield from super().texts()
            return
        yield f"{self.head}{self.count}", self.times()
        yield self.count, self.times()
        yield self.count, self.clock()
        yield "", self.count


class Replicas(Counted):
    """The line of N agents beside their limit: which N, which replica, and the share of all.

    Parameters
    ----------
    numbers, replicas : of agents, and how often each is played
    """

    def __init__(self, numbers: Sequence[int], replicas: int):
        super().__init__("replicas", len(numbers) * replicas, doing="exact regret, and compiling")
        place = sorted(numbers).index
        self.counted = lambda agents, replica: (place(agents) * replicas + replica + 1, self.pieces)
        self.words = lambda agents, replica: f"N = {agents}  replica {replica + 1} of {replicas}"

    def texts(self) -> Iterator[tuple[str, str]]:
        if self.doing:
            yield from Line.texts(self)
            return
        yield self.head.strip(), f"{self.share():.0%}  {self.times()}"
        yield self.head.strip().partition("  ")[0], f"{self.share():.0%}  {self.times()}"
        yield self.head.strip().partition("  ")[0], f"{self.share():.0%}  {self.clock()}"
        yield "", f"{self.share():.0%}"


class Equilibria(Counted):
    """The line of a search among equilibria: how many were found, and the best objective."""

    def __init__(self) -> None:
        super().__init__("equilibria", counted=lambda *_: (self.number + 1, 0))
        self.best = math.inf
        self.words = self._words

    def _words(self, values: Any, objective: float) -> str:
        self.best = min(self.best, objective)
        return f"objective {self.best:.6g}"
