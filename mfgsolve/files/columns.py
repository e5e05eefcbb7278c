"""Tables of comma-separated values, as columns of texts by name; a column is read as numbers when it is asked for."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mfgsolve.errors import FileError
from mfgsolve.files.netcdf import regular, told
from mfgsolve.inputs.memory import affordable
from mfgsolve.inputs.texts import cut, visible

__all__ = ["Columns"]

GROWTH = 20  # bytes in memory of one in the file


class Columns:
    """The columns of a file, as texts, by name; the first line names them.

    Attributes
    ----------
    names : of the columns, in order
    lines : number of the line of each row

    Raises
    ------
    FileError
        for what is no such table, and for one without a row
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path, self.what = Path(regular(os.fspath(path), "table")), f"table {told(path)}"
        affordable(GROWTH * os.path.getsize(self.path), 1, self.what)
        rows = self._rows()
        if not rows:
            raise FileError(f"{self.what} is empty; a line with the names of the columns, then numbers, are needed")
        (_, head), *body = rows
        names = [name.strip() for name in head]
        for name in names:
            if names.count(name) > 1:
                raise FileError(f"{self.what} has two columns named {cut(visible(name))!r}; name every column once")
        for line, row in body:
            if len(row) != len(names):
                raise FileError(f"{self.what}, line {line}: {len(row)} entries, and the first line names {len(names)}")
        self.lines = [line for line, _ in body]
        self.columns = dict(zip(names, zip(*(row for _, row in body), strict=True), strict=True)) if body else {}
        self.names = names
        if not body:
            raise FileError(f"{self.what} has no row below the names of the columns")

    def _rows(self) -> list[tuple[int, list[str]]]:
        try:
            text = self.path.read_bytes()
            if text.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in text[:64]:
                raise FileError(f"{self.what} is no text in UTF-8 (it looks like UTF-16); save it as UTF-8")
            reader = csv.reader(io.StringIO(text.decode("utf-8-sig"), newline=""))
            return [(reader.line_num, row) for row in reader if any(entry.strip() for entry in row)]
        except OSError as error:
            raise FileError(f"{self.what} cannot be read: {error.strerror or error}") from None
        except UnicodeDecodeError as error:
            raise FileError(f"{self.what} is no text in UTF-8 ({error.reason} at byte {error.start})") from None
        except csv.Error as error:
            raise FileError(f"{self.what} is no table of comma-separated values ({error})") from None

    def numbers(self, name: str) -> np.ndarray:
        """A column of finite numbers."""
        entries = self.columns[name]
        try:
            values = np.array(entries, dtype=float)
        except ValueError:
            values = np.array([_number(entry) for entry in entries])
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            k = int(bad[0])
            raise FileError(
                f"{self.what}, line {self.lines[k]}: {name} is {cut(visible(entries[k]), 60)!r}; "
                "a finite number, written with a point, is needed"
            )
        return values

    def need(self, names: Sequence[str]) -> None:
        """Refuse a table in which one of these columns is missing."""
        for name in names:
            if name not in self.names:
                came = cut(visible(", ".join(self.names)))
                raise FileError(f"{self.what} has no column {name!r}; it has {came} (separated by commas)")


def _number(entry: str) -> float:
    try:
        return float(entry)
    except ValueError:
        return float("nan")
