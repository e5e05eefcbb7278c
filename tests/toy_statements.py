"""A statement that is no game, as small as one can be: the root of a number by Newton's method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import xarray as xr

from mfgsolve import methods
from mfgsolve.cautions import Caution
from mfgsolve.errors import InputError
from mfgsolve.problems import registry
from mfgsolve.solution import Status
from mfgsolve.solution.datasets import Measure
from mfgsolve.statements import Answer, Statement


@dataclass(frozen=True, eq=False, repr=False)
class Value(Answer):
    kind: ClassVar[str] = "toy-root"
    told: ClassVar[Mapping[str, str]] = {"root": "root", "unmeasured": "what nobody measured"}

    def about(self) -> list[tuple[str, str]]:
        return [("square", f"{self.dataset.attrs['square']:g}")]

    def table(self) -> Any:
        return self.dataset[["step"]].to_dataframe().reset_index()


@dataclass(frozen=True)
class Root(Statement[Value]):
    """The root of ``square``, in metres."""

    square: float = 2.0
    name: str = "root"
    source: str = "Heron"
    parameters: Mapping[str, Any] | None = None
    kind: ClassVar[str] = "toy-root"
    noun: ClassVar[str] = "a root"
    answer: ClassVar[type[Answer]] = Value
    suffixes: ClassVar[tuple[str, ...]] = (".root",)

    @classmethod
    def read(cls, path: str | Path, trips: str | Path | None = None) -> Self:
        text = Path(path).read_text()
        if trips is not None:
            text += Path(trips).read_text()
        try:
            return cls(float(text))
        except ValueError:
            raise InputError(f"file {path} holds no number") from None

    def solve_with(
        self, *, tol: float = 1e-10, max_iterations: int | None = None, doubt: bool = False,
        callback: Callable[[Measure], Any] | None = None,
    ) -> Value:  # fmt: skip
        x, rows, k, status = 1.0, [], 0, Status.CONVERGED
        while True:
            gap = abs(x * x / self.square - 1)
            rows.append(Measure(k, float(k), gap * self.square, gap, x, gap, 1, True, 0.1 * k))
            if callback is not None and callback(rows[-1]):
                status = Status.STOPPED
                break
            if gap <= tol:
                break
            if k == max_iterations:
                status = Status.ITERATION_LIMIT
                break
            x, k = 0.5 * (x + self.square / x), k + 1
        data = xr.Dataset({"step": ("place", np.array([x]), {"units": "m", "long_name": "side"})})
        said = [Caution("toy-doubt", "A toy is a toy.")] if doubt else []
        return Value.of(
            self, data, rows, status=status, tol=tol, cautions=said, square=self.square,
            numbers={"root": (x, "m"), "unmeasured": (float("nan"), "m")},
        )  # fmt: skip


def known(monkeypatch: Any) -> None:
    """The toy is on the plug board and in the list."""
    monkeypatch.setitem(methods.STATEMENTS.homes, "toy-root", Root)
    monkeypatch.setattr(registry, "_NAMED", dict(registry._NAMED))

    def toy_root(*, square: float = 2.0) -> Root:
        """The root of a number.

        Parameters
        ----------
        square : the number [m^2]

        Source: Heron
        """
        return Root(square)

    toy_root.__annotations__ = {"square": float, "return": Root}
    registry.named(group="states")(toy_root)
