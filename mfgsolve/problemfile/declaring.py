"""A problem written out in full, as the tables of a file that can be edited: grid, times, dynamics, couplings, start.

What a problem file has no words for becomes an array in a file beside it, where the game has the same cells and steps
at all times (finite games); a diffusion is solved on coarser meshes, too, and there such a problem has no full file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from mfgsolve import couplings, dynamics, fields
from mfgsolve.couplings import Sum
from mfgsolve.couplings.final import FinalDensity
from mfgsolve.dynamics.diffusion import QuadraticCost
from mfgsolve.dynamics.movement import KINDS as MOVEMENTS
from mfgsolve.dynamics.movement import MOVEMENT
from mfgsolve.errors import InputError
from mfgsolve.fields import Still, Total
from mfgsolve.files import replace_file
from mfgsolve.grids import Axis, Grid
from mfgsolve.identity import fingerprint
from mfgsolve.inputs.forms import (
    ARRAY,
    FIELD,
    FIELD_OR_PER_AXIS,
    FIELD_PER_AXIS,
    NUMBER_OR_ARRAY,
    NUMBER_OR_FIELD,
    TRANSITIONS,
    TRUTH,
    TRUTHS,
    WORD,
)
from mfgsolve.inputs.labels import Labelled
from mfgsolve.inputs.tables import Table, table
from mfgsolve.problem import Problem
from mfgsolve.problemfile.reading import problem_from_toml
from mfgsolve.problemfile.tomlwriter import dump_toml
from mfgsolve.resolution import settle
from mfgsolve.spaces import Populations, States

__all__ = ["declared", "write_declared"]

QUIET = (FIELD, FIELD_PER_AXIS, TRUTH, WORD)  # what is not written where it is as by default
FEW = 64  # numbers up to which an array stands in the text


def write_declared(problem: Problem, path: Path | None, head: str = "") -> tuple[str, list[Path]]:
    """Write a problem out in full; what it was made of is compared bit by bit with what the file makes.

    Parameters
    ----------
    problem : any
    path : the .toml file; None writes none.  Arrays go into an .npz file of the same name
    head : comment on top

    Returns
    -------
    text, files : what was written, and where

    Raises
    ------
    InputError
        if the problem cannot be written as data, and why
    """
    name = problem.name.replace(":", "-") if path is None else path.stem
    document, arrays = declared(problem, name)
    if arrays and path is None:
        raise InputError(
            f"problem {problem.name!r} has arrays, which a file beside the text holds; name it: -o my.toml"
        )
    with tempfile.TemporaryDirectory() as folder:  # what is not the same game leaves nothing behind
        beside = f"{'arrays' if path is None else path.stem}.npz"
        _save(arrays, Path(folder) / beside)
        for attempt in (document, _mass_for_density(problem, document)):
            text = head + _text(({"data": beside} if arrays else {}) | attempt)
            if _is_same(problem, text, Path(folder)):
                break
        else:
            raise InputError(
                f"problem {problem.name!r} cannot be written out in full: what the text makes differs from it in some "
                "bits; state it by name, with its parameters"
            )
    if path is None:
        return text, []
    files = [path, *([path.with_name(beside)] if arrays else [])]
    for file in files[1:]:
        replace_file(file, lambda temporary: _save(arrays, temporary))
    replace_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return text, files


def _save(arrays: Mapping[str, np.ndarray], path: Path) -> None:
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def _mass_for_density(problem: Problem, document: dict[str, Any]) -> dict[str, Any]:
    """The same with the start as numbers that are not made to sum to 1 once more, which may change their last bits."""
    if "initial" not in document or isinstance(problem.grid, Populations):
        return document
    mass, volumes = problem.initial_mass(), problem.grid.volumes
    nearest = density = mass / volumes
    for ulps in (0, 1, -1, 2, -2):  # until reading, which multiplies and divides by volumes, comes back to the mass
        nudged = nearest * (1 + ulps * np.finfo(float).eps)
        density = np.where(nudged * volumes / volumes * volumes == mass, nudged, density)
    return document | {"initial": {"density": density.tolist()}}


def _text(document: Mapping[str, Any]) -> str:
    """The tables, with a word on walls where there may be some."""
    text = dump_toml(document)
    grid = document.get("grid", {})
    if "blocked" in grid or len(grid.get("shape", ())) != 2:
        return text
    ends = grid.get("bounds", [[0.0, 1.0]] * 2)[::-1]  # x first, as in points
    low, high = ([float(f"{a + share * (b - a):.3g}") for a, b in ends] for share in (0.4, 0.6))
    wall = (
        f"# blocked = [{{lower = {low}, upper = {high}}}]    # a wall from corner to corner, (x, y); any number of them"
    )
    before, bracket, after = text.partition("[grid]\n")
    rows, end, rest = after.partition("\n\n")
    return f"{before}{bracket}{rows}\n{wall}{end}{rest}"


def _is_same(problem: Problem, text: str, folder: Path) -> bool:
    """Whether a text makes the same game, bit by bit."""
    again = problem_from_toml(text, where=f"the full text of {problem.name}", folder=folder)
    return fingerprint(settle(again)) == fingerprint(settle(problem)) and (again.kinks, again.sense) == (
        problem.kinks,
        problem.sense,
    )


def declared(problem: Problem, name: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The tables of a problem, and the arrays that they name."""
    return _Writer(problem).document(name)


class _Writer:
    """Gathers the arrays of one problem while its tables are written."""

    def __init__(self, problem: Problem):
        self.problem, self.arrays = problem, dict[str, np.ndarray]()
        self.space = problem.grid.space if isinstance(problem.grid, Populations) else problem.grid

    def refuse(self, what: str, why: str = "which a problem file has no words for") -> InputError:
        return InputError(
            f"problem {self.problem.name!r} cannot be written as data: {what}, {why}; "
            f"state it by name, with its parameters, or in Python"
        )

    def document(self, name: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        problem = self.problem
        if problem.scenarios is not None:
            raise self.refuse("it has scenarios", "which are not written out, though [scenarios] states them by hand")
        top: dict[str, Any] = {"name": name, "source": problem.source} if problem.source else {"name": name}
        if problem.kinks:
            top["kinks"] = list(problem.kinks)
        if problem.sense != "cost":
            top["sense"] = problem.sense
        where: dict[str, Any] = (
            {"states": self._states(self.space)} if isinstance(self.space, States) else {"grid": self._grid()}
        )
        if self.space.exits is not None:
            where["exit"] = list(self._exits())
        tables = top | where | {"time": self.problem.time.stated} | self._dynamics() | self._couplings() | self._ends()
        return tables, self.arrays

    # -- where and when --------------------------------------------------------------------------------------------

    def _states(self, space: States) -> dict[str, Any]:
        names = list(space.names or map(str, range(space.size)))
        return {"count": len(names)} if names == [str(k) for k in range(len(names))] else {"names": names}

    def _grid(self) -> dict[str, Any]:
        grid = self.space
        assert isinstance(grid, Grid)
        stated: dict[str, Any] = {"shape": list(grid.shape)}
        if any(axis.uneven is not None for axis in grid.axes):
            stated = {"edges": [axis.edges.tolist() for axis in grid.axes]}
        elif any((axis.start, axis.stop) != (0.0, 1.0) for axis in grid.axes):
            stated["bounds"] = [[axis.start, axis.stop] for axis in grid.axes]
        kinds = [axis.boundary for axis in grid.axes]
        stated["boundary"] = kinds[0] if len(set(kinds)) == 1 else kinds
        units = {axis.unit for axis in grid.axes}
        if units != {"1"}:
            stated["unit"] = units.pop()
        if grid.mask.any():
            stated["blocked"] = boxes(grid, grid.mask)
        return stated

    def _exits(self) -> Iterator[dict[str, Any]]:
        """Exits as boxes, or as states; sides, too, since the shape that is written has the layers beyond them."""
        space, cost, shared = self.space, self.problem.exit_cost, not isinstance(self.problem.exit_cost, Mapping)
        for k, name in enumerate(space.exits.names):
            cells, own = space.exits.number == k, cost if shared else cost.get(name, 0.0)
            stated: dict[str, Any] = {"name": name}
            if isinstance(space, Grid):
                stated["boxes"] = boxes(space, cells)
            elif isinstance(space, States) and space.names is not None:
                stated["states"] = [space.names[i] for i in np.flatnonzero(cells)]
            else:
                stated["cells"] = self._named(f"exit_{k}", cells, plain=False)
            if not (_plain(own) and own == 0):
                stated["cost"] = self._field(own, f"cost of the exit {name!r}", f"exit_cost_{k}")
            yield stated

    # -- tables of dataclasses -------------------------------------------------------------------------------------

    def _table(self, value: Any, kinds: Mapping[str, type], what: str) -> dict[str, Any]:
        words = [word for word, kind in kinds.items() if kind is type(value)]
        if not words:
            raise self.refuse(f"its {what} is a {type(value).__name__}")
        return {"kind": words[0]} | self._parts(value, table(kinds[words[0]]), f"{what} {words[0]}")

    def _parts(self, value: Any, form: Table, what: str) -> dict[str, Any]:
        stated: dict[str, Any] = {}
        for part in form.parts:
            own = getattr(value, part.name)
            if isinstance(part.form, Table) and part.form.inline:
                stated |= self._inline(own, part.form, f"{part.name} of {what}")
            elif own is not None and not (_plain(own) and own == part.default and part.form in QUIET):
                stated[part.name] = self._value(own, part.form, f"{part.name} of {what}", part.name)
        return stated

    def _inline(self, value: Any, form: Table, what: str) -> dict[str, Any]:
        """Keys that stand in the table around them: of a dataclass, or of a tuple with a value for each."""
        if value is None:
            return {}
        if isinstance(value, tuple):
            pairs = zip(form.parts, value, strict=True)
            return {p.name: self._value(v, p.form, what, p.name) for p, v in pairs if v is not None}
        if type(value) is not form.make:
            raise self.refuse(f"the {what} is a {type(value).__name__}")
        return self._parts(value, form, what)

    def _value(self, value: Any, form: Any, what: str, name: str) -> Any:
        if form is FIELD:
            return self._field(value, what, name)
        if form is NUMBER_OR_FIELD and isinstance(value, QuadraticCost):
            return value.weight
        if form in (FIELD_PER_AXIS, FIELD_OR_PER_AXIS, NUMBER_OR_FIELD):
            return [self._field(each, what, f"{name}{k}") for k, each in enumerate(value)] if isinstance(
                value, tuple) else self._field(value, what, name)  # fmt: skip
        if form is TRANSITIONS:
            return self._transitions(value, what)
        if form is MOVEMENT:
            return self._table(value, MOVEMENTS, what)
        if form in (ARRAY, TRUTHS, NUMBER_OR_ARRAY):
            return self._costs(value, what) if callable(value) and not isinstance(value, Labelled) else self._named(
                name, np.asarray(value), plain=form is not TRUTHS)  # fmt: skip
        if callable(value):  # a number of each step
            return [float(value(float(t))) for t in self._nodes(what)[:-1]]
        if name == "jumps":
            chances = [self._field(chance, what, f"jump{k}") for k, (_, chance) in enumerate(value)]
            return [
                {"offset": _listed(offset), "probability": p} for (offset, _), p in zip(value, chances, strict=True)
            ]
        if name == "costs" and not _plain(value):
            return [self._field(cost, what, f"cost{k}") for k, cost in enumerate(value)]
        return _listed(value)

    def _nodes(self, what: str) -> np.ndarray:
        """Times of the game, where what changes with them may be an array."""
        if not self.problem.is_finite:
            raise self.refuse(f"the {what} is a function of Python")
        return np.asarray(self.problem.time.nodes)

    def _costs(self, value: Any, what: str) -> Any:
        """A function (t, coordinates) as an array of all steps."""
        c = self.space.coordinates
        return self._named("cost", np.array([np.asarray(value(float(t), c)) for t in self._nodes(what)[:-1]]))

    def _transitions(self, value: Any, what: str) -> Any:
        if callable(value):
            raise self.refuse("its transitions depend on the crowd by a function of Python")
        if isinstance(value, np.ndarray):
            return self._named("P", value)
        steps = list(value) if isinstance(value[0], list | tuple) else [list(value)]
        size = steps[0][0].shape[0]
        if len(steps) == 1 and len(steps[0]) * size**2 <= FEW:
            return [sparse.csr_array(matrix).toarray().tolist()
                    for matrix in steps[0]]  # fmt: skip
        entries = []
        for t, matrices in enumerate(steps):
            rows = [sparse.coo_array(sparse.csr_array(matrix)) for matrix in matrices]
            for a, matrix in enumerate(rows):
                index = (a * size + matrix.coords[0], matrix.coords[1])
                entries.append((np.full(matrix.nnz, t), *index, matrix.data))
        step, row, column, chance = (np.concatenate(column) for column in zip(*entries, strict=True))
        self.arrays |= {"P_row": row, "P_column": column, "P_value": chance}
        if len(steps) > 1:
            self.arrays["P_step"] = step
        return "P"

    # -- fields ----------------------------------------------------------------------------------------------------

    def _field(self, value: Any, what: str, name: str) -> Any:
        if isinstance(value, Total):
            return [self._field(term, what, f"{name}{k}") for k, term in enumerate(value.terms)]
        for word, kind in fields.KINDS.items():
            if type(value) is kind:
                return {word: self._parts(value, table(fields.KINDS[word]), what)}
        if isinstance(value, Still | Labelled):
            value = value.values
        if not callable(value):
            array = np.asarray(value, dtype=float)
            return float(array) if array.ndim == 0 else self._array_field(name, array)
        nodes, c = self._nodes(what), self.space.coordinates
        levels = np.array([np.broadcast_to(value(float(t), c), self.space.shape) for t in nodes], dtype=float)
        return self._array_field(name, levels[0] if (levels == levels[0]).all() else levels)

    def _array_field(self, name: str, array: np.ndarray) -> Any:
        stated = self._named(name, array)
        return {"array": stated} if isinstance(stated, str) else stated

    def _named(self, name: str, array: np.ndarray, plain: bool = True) -> Any:
        """A short array as a list, another one by its name."""
        if array.ndim == 0:
            return array.item()
        if plain and array.size <= FEW:
            return array.tolist()
        if not plain and array.size <= FEW:
            return array.astype(bool).tolist()
        free = next(n for n in (name, *(f"{name}_{k}" for k in range(2, 1000))) if n not in self.arrays)
        self.arrays[free] = array
        return free

    # -- what agents do and pay ------------------------------------------------------------------------------------

    def _dynamics(self) -> dict[str, Any]:
        all_of_them = self.problem.all_dynamics
        tables = [self._table(each, dynamics.KINDS, "dynamics") for each in all_of_them]
        if not isinstance(self.problem.grid, Populations):
            return {"dynamics": tables[0]}
        alike = all(each == tables[0] for each in tables)
        grid, rows = self.problem.grid, []
        for name, mass, own in zip(grid.names, grid.masses, tables, strict=True):
            rows.append({"name": name} | ({"mass": mass} if mass != 1.0 else {}) | ({} if alike else {"dynamics": own}))
        density = self._densities() if self.problem.initial is not None else []
        whole = [row | {"density": each} for row, each in zip(rows, density, strict=True)] if density else rows
        return {"population": whole} | ({"dynamics": tables[0]} if alike else {})

    def _densities(self) -> list[Any]:
        start = self.problem.initial_mass() / self.problem.grid.volumes
        return [self._array_field("density", part) for part in np.asarray(start)]

    def _couplings(self) -> dict[str, Any]:
        terms = self._terms(self.problem.coupling)
        return {"coupling": terms} if terms else {}

    def _terms(self, coupling: Any) -> list[dict[str, Any]]:
        terms: Sequence[Any] = coupling.terms if isinstance(coupling, Sum) else [coupling]
        return [self._table(term, couplings.KINDS, "coupling") for term in terms if not _costs_nothing(term)]

    def _ends(self) -> dict[str, Any]:
        problem = self.problem
        stated: dict[str, Any] = {}
        if not isinstance(problem.grid, Populations) and problem.initial is not None:
            stated["initial"] = {"density": self._field(problem.initial, "initial density", "density")}
            if problem.normalise:
                stated["initial"]["normalise"] = True
        last: dict[str, Any] = {}
        if not (_plain(problem.terminal) and problem.terminal == 0):
            last["cost"] = self._field(problem.terminal, "terminal cost", "terminal_cost")
        if problem.terminal_coupling is not None:
            last["coupling"] = self._terms(problem.terminal_coupling)
        return stated | ({"terminal": last} if last else {}) | self._final()

    def _final(self) -> dict[str, Any]:
        final = self.problem.final
        if final is None:
            return {}
        if not isinstance(final, FinalDensity):
            return {"final": {"cap": self._field(final.cap, "final cap", "final_cap")}}  # type: ignore[union-attr]
        table_ = {"density": self._field(final.cap, "final density", "final_density")}
        return {"final": table_ | ({"normalise": True} if final.normalise else {})}


def _plain(value: Any) -> bool:
    return isinstance(value, bool | int | float | str)


def _listed(value: Any) -> Any:
    """Tuples as lists."""
    return [_listed(each) for each in value] if isinstance(value, list | tuple) else value


def _costs_nothing(term: Any) -> bool:
    cost = getattr(term, "cost", None)
    return isinstance(term, couplings.RunningCost) and _plain(cost) and cost == 0


def boxes(grid: Grid, cells: np.ndarray) -> list[dict[str, list[float]]]:
    """Cells as boxes from corner to corner, each as large as can be; corners are points (x, y, ...)."""
    left, result = cells.copy(), []
    while left.any():
        low = tuple(int(k) for k in np.argwhere(left)[0])
        high = list(low)
        for k in reversed(range(left.ndim)):  # along x first, and then as far as all of it is among them
            while high[k] + 1 < left.shape[k]:
                wider = tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))
                next_one = (*wider[:k], slice(high[k] + 1, high[k] + 2), *wider[k + 1 :])
                if not cells[next_one].all():
                    break
                high[k] += 1
        left[tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))] = False
        axes: Sequence[Axis] = grid.axes
        lower = [float(axis.edges[a]) for axis, a in zip(axes, low, strict=True)][::-1]
        upper = [float(axis.edges[b + 1]) for axis, b in zip(axes, high, strict=True)][::-1]
        result.append({"lower": lower, "upper": upper})
    return result
