"""Statements that are no `Problem`, and their answers: a road network, an economy with a market.

    answer = mfg.solve(network)             # or of its name, or its file: an `Answer` of the statement's own kind
    answer.relative_exploitability, answer.sentence, answer.numbers, answer.dataset, answer.table()
    answer.plot(), answer.save("flows.nc"), mfg.load("flows.nc")

Nobody asks which kind a statement is: `mfgsolve.solve`, `load` and the command hand over to it, and `price_of_anarchy`
compares its objectives "equilibrium" and "social", if `solve_with` has both, by `Answer.cost`.  A new kind, say a
market, is added by

1. the statement: ``class Market(Statement)``, a frozen dataclass with ``kind = "market"``, what it states as fields,
   `solve_with`, and `Statement.answer`; files that state one by `Statement.suffixes` and `Statement.read`;
2. the answer: ``class Prices(Answer)`` with ``kind = "market"``, what its numbers are called (`Answer.told`), and
   its `Answer.table`; made by `Answer.of`;
3. one line on the plug board, ``mfgsolve.methods.STATEMENTS["market"]``: from there files of that kind are found;
4. its picture, which reads the dataset alone, at ``mfgsolve.plots.drawing.OWN["market"]``;
5. named ones by ``@named(group=...)`` in `mfgsolve.problems`, as problems are: a function that returns a ``Market``;
6. where arrays are to be compared on reading, a check in `mfgsolve.files.schema` beside `_answer`.

What has lists of *games* alone (`simulate`, `learn`, `sweep`, ...) refuses it in a sentence.
"""

from __future__ import annotations

import datetime
import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

import mfgsolve
from mfgsolve import methods
from mfgsolve.cautions import Caution, stored, to_text, unique, warn
from mfgsolve.errors import Doubtful, InputError, NotConverged, unknown
from mfgsolve.files import SCHEMA, file_kind, plain, read_dataset, read_header, write_dataset
from mfgsolve.inputs.attributes import Suggesting
from mfgsolve.solution import Status
from mfgsolve.solution import load as load_solution

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

    from mfgsolve.solution.datasets import Measure

__all__ = ["Answer", "Statement", "load"]

CHECKS = ("warn", "raise", "ignore")


@dataclass(frozen=True, eq=False, repr=False)
class Answer(Suggesting):
    """What solving a `Statement` hands over: one dataset, whose attributes hold the numbers; a file is the dataset.

    Attributes
    ----------
    dataset : labelled arrays with units, the history on ``iteration``, and attributes
    """

    dataset: xr.Dataset
    kind: ClassVar[str]
    told: ClassVar[Mapping[str, str]]  # numbers among the attributes, and what tables call them; units: NAME_units

    @classmethod
    def of(
        cls, statement: Statement[Any], dataset: xr.Dataset, rows: Sequence[Measure], *, status: Status, tol: float,
        numbers: Mapping[str, tuple[float, str]], cautions: Sequence[Caution] = (), **attributes: Any,
    ) -> Self:  # fmt: skip
        """The answer with these arrays, history (`Measure` of each round) and numbers (value and unit, by name).

        The last round's ``exploitability``, ``relative_exploitability`` and ``potential`` are among the numbers, too.
        """
        from mfgsolve.solution.datasets import history_dataset

        last, cost = rows[-1], str(attributes.get("cost_units", "1"))
        certified = {
            "exploitability": (last.exploitability, cost), "potential": (last.potential, cost),
            "relative_exploitability": (last.relative_exploitability, "1"),
        }  # fmt: skip
        everything = {**certified, **numbers}
        attrs: dict[str, Any] = {
            "schema": SCHEMA, "kind": cls.kind, "name": statement.name, "source": statement.source,
            "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "mfgsolve_version": mfgsolve.__version__, "status": status.value, "tol": tol,
            "iterations": last.iteration, "seconds": last.seconds, "warnings": to_text(unique(cautions)),
        }  # fmt: skip
        attrs |= {name: float(value) for name, (value, _) in everything.items()}
        attrs |= {f"{name}_units": unit for name, (_, unit) in everything.items() if unit != "1"}
        attrs |= {f"parameter_{name}": int(v) if isinstance(v, bool) else v
                  for name, v in (statement.parameters or {}).items()}  # fmt: skip
        numbered = dataset.assign_coords(iteration=[row.iteration for row in rows])
        return cls(numbered.assign(history_dataset(rows)).assign_attrs(attrs | attributes))

    @property
    def name(self) -> str:
        return str(self.dataset.attrs["name"])

    @property
    def status(self) -> Status:
        return Status(self.dataset.attrs["status"])

    @property
    def converged(self) -> bool:
        return self.status is Status.CONVERGED

    @property
    def warnings(self) -> tuple[Caution, ...]:
        """What makes the answer less than it looks."""
        return stored(self.dataset.attrs)

    @property
    def numbers(self) -> dict[str, float]:
        """All results that are one number; NaN is "not measured"."""
        attrs = self.dataset.attrs
        return {name: float(attrs[name]) for name in (*CERTIFIED, *self.told) if name in attrs}

    @property
    def exploitability(self) -> float:
        return self.numbers["exploitability"]

    @property
    def relative_exploitability(self) -> float:
        return self.numbers["relative_exploitability"]

    @property
    def potential(self) -> float:
        return self.numbers["potential"]

    @property
    def cost(self) -> float:
        """What all pay together, where that is one number; else NaN."""
        return math.nan

    @property
    def ended(self) -> str:
        """Why the solve ended; there are no checkpoints of these."""
        return self.status.sentence.replace("resume from the checkpoint or allow more", "allow more")

    @property
    def sentence(self) -> str:
        """Why the solve ended, and every warning."""
        return " ".join([self.ended, *(caution.sentence for caution in self.warnings)])

    def summary(self) -> dict[str, Any]:
        """The numbers that the command prints as JSON; None for what was not measured."""
        attrs = self.dataset.attrs
        head = {"kind": self.kind, "name": self.name, "status": self.status.value, "tol": float(attrs["tol"])}
        work = {"iterations": int(attrs["iterations"]), "seconds": float(attrs["seconds"])}
        units = {name: str(attrs[f"{name}_units"]) for name in self.numbers if f"{name}_units" in attrs}
        measured = {name: None if math.isnan(value) else value for name, value in self.numbers.items()}
        return head | measured | work | {"units": units, "warnings": [asdict(each) for each in self.warnings]}

    def rows(self) -> list[tuple[str, str]]:
        """Names and values of the small table that the command prints."""
        attrs, numbers = self.dataset.attrs, self.numbers
        rows = [("problem", self.name), *self.about(), ("status", self.status.value)]
        near = f"{_short(self.relative_exploitability)} (tol {_short(float(attrs['tol']))})"
        rows.append(("relative exploitability", near))
        for name, words in (CERTIFIED | dict(self.told)).items():
            if name != "relative_exploitability" and name in numbers:
                unit = str(attrs.get(f"{name}_units", "1"))
                value = _short(numbers[name]) if name in self.small else _exact(numbers[name])
                rows.append((words, value if unit == "1" or math.isnan(numbers[name]) else f"{value} {unit}"))
        return [*rows, ("work", f"{attrs['iterations']} rounds, {float(attrs['seconds']):.2f} s")]

    small: ClassVar[frozenset[str]] = frozenset({"exploitability"})  # numbers whose size alone is told

    def about(self) -> list[tuple[str, str]]:
        """Rows that say what was solved: sizes, objective, ..."""
        return []

    @abstractmethod
    def table(self) -> pd.DataFrame:
        """The table that ``mfgsolve table`` writes of it."""

    def plot(self, **style: Any) -> Figure:
        """Its picture; see `mfgsolve.plots.Style`."""
        from mfgsolve import plots

        return plots.draw(self, **style)

    def save(self, path: str | Path) -> Path:
        """Write NetCDF; an earlier file stays whole if writing fails."""
        return write_dataset(self.dataset, path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote."""
        dataset = read_dataset(path, cls.kind)
        dataset.attrs = {name: plain(value) for name, value in dataset.attrs.items()}
        return cls(dataset)

    @classmethod
    def load_header(cls, path: str | Path) -> Self:
        """The same from the head of a file: no array is read before it is asked for."""
        head: Any = read_header(path, cls.kind)
        return cls(head)

    def checked(self, check: str) -> Self:
        """Itself, after warning of, or refusing, what has not converged or stands beside warnings."""
        sentences = [caution.sentence for caution in self.warnings]
        if not self.converged:
            near = f"relative exploitability {_short(self.relative_exploitability)}"
            goal = f"tol {float(self.dataset.attrs['tol']):.1e}"
            sentences.insert(0, f"{self.name} ended with status '{self.status.value}' at {near} ({goal}). "
                                f"{self.ended}")  # fmt: skip
        if check == "raise" and sentences:
            raise (Doubtful if self.converged else NotConverged)(" ".join(sentences), self)
        for sentence in sentences if check == "warn" else ():
            warn(sentence)
        return self

    def _elsewhere(self, name: str) -> str:
        if "dataset" not in self.__dict__:  # a copy that is being filled
            return ""
        kind = "" if name in self.dataset.variables else ".attrs" if name in self.dataset.attrs else None
        return "" if kind is None else f"; the dataset has it: answer.dataset{kind}[{name!r}]"

    def _repr_html_(self) -> str:
        from mfgsolve.display import card

        said = [caution.sentence for caution in self.warnings]
        title = f"{type(self).__name__} of {self.name}: {self.status.value}"
        return card(title, self.ended, dict(self.rows()[1:]), warnings=said)

    def __repr__(self) -> str:
        doubts = f"with warnings ({', '.join(caution.code for caution in self.warnings)}), " if self.warnings else ""
        near = f"relative exploitability {self.relative_exploitability:.1e}"
        return f"<{type(self).__name__} of {self.name}: {self.status.value}, {doubts}{near}>"


CERTIFIED = {
    "exploitability": "exploitability", "relative_exploitability": "relative exploitability", "potential": "potential",
}  # fmt: skip
A = TypeVar("A", bound=Answer)


class Statement(ABC, Generic[A]):
    """Base of what is stated and solved without being a `Problem`; see the module.

    Attributes
    ----------
    kind : its word on the plug board, and the ``kind`` of the files of its answers
    noun : what sentences call it, "a road network"
    answer : class of its answers
    suffixes : of files that state one, ".tntp"
    name, source, parameters : of this one, as those of a `Problem`
    """

    kind: ClassVar[str]
    noun: ClassVar[str]
    answer: ClassVar[type[Answer]]
    suffixes: ClassVar[tuple[str, ...]] = ()
    name: str
    source: str
    parameters: Mapping[str, Any] | None

    @abstractmethod
    def solve_with(self, *args: Any, **options: Any) -> A:
        """Solve; the subclass has keywords alone, all options that there are, with their defaults."""

    def solve(self, *, check: str = "warn", **options: Any) -> A:
        """What ``mfgsolve.solve(statement)`` does: solve, and say what is not as it should be.

        Parameters
        ----------
        check : what to do when not converged, or when warnings stand beside the answer: "warn", "raise" or "ignore"
        options : of `solve_with`

        Raises
        ------
        InputError, NotConverged, Doubtful
        """
        if check not in CHECKS:
            raise InputError(unknown("value of check", check, CHECKS))
        return self.solve_with(**self.options(options, "solve")).checked(check)

    def options(self, given: Mapping[str, Any], verb: str) -> dict[str, Any]:
        """The options that were given, if `solve_with` has them; None is "left out"."""
        asked = {name: value for name, value in given.items() if value is not None}
        own, parameters = list(inspect.signature(self.solve_with).parameters), list(self.parameters or {})
        for name in asked:
            if name in own:
                continue
            if name in parameters:
                raise InputError(
                    f"{verb} of {self.noun}: {name} is a parameter of {self.name}, and that is stated already; state "
                    f"it with it, problems.{self.name.replace('-', '_')}({name}=...)"
                )
            what = f"option, or parameter of {self.name}," if parameters else "option"
            raise InputError(f"{verb} of {self.noun}: {unknown(what, name, [*own, *parameters, 'check'])}")
        return asked

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """The statement of a file with one of the `suffixes`; keywords are what is told besides it."""
        raise InputError(f"{path} is no file that states {cls.noun}")


def load(path: str | Path) -> Any:
    """Read a file of a solution (`Solution`), or of the answer to another kind of statement, back.

    Raises
    ------
    FileError
        if the file is missing, unreadable, truncated, foreign, of an unknown schema, or of a kind that is no answer
    """
    kind = file_kind(path)
    return methods.STATEMENTS[kind].answer.load(path) if kind in methods.STATEMENTS else load_solution(path)


def _short(number: float) -> str:
    return "not measured" if math.isnan(number) else f"{number:.2e}"


def _exact(number: float) -> str:
    return "not measured" if math.isnan(number) else f"{number:.15g}"
