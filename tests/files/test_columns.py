"""Columns of a table of comma-separated values: what is no table, no number, or not there is told with its line."""

from __future__ import annotations

import numpy as np
import pytest

from mfgsolve.errors import FileError
from mfgsolve.files.columns import Columns


def written(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "stops.csv"
    path.write_text(text, encoding=encoding)
    return path


def test_columns_by_name_in_any_order_and_with_a_byte_order_mark(tmp_path):
    table = Columns(written(tmp_path, 'name, x,"y"\n"Main, south",1.5,2\n\nb,-3e1,4\n', "utf-8-sig"))
    assert table.names == ["name", "x", "y"]
    assert table.lines == [2, 4]
    np.testing.assert_array_equal(table.numbers("x"), [1.5, -30.0])
    table.need(["y", "x"])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty; a line with the names"),
        ("x,y\n", "has no row below the names"),
        ("x,x\n1,2\n", "two columns named 'x'"),
        ("x,y\n1\n", "line 2: 1 entries, and the first line names 2"),
    ],
)
def test_what_is_no_table(tmp_path, text, sentence):
    with pytest.raises(FileError, match=sentence):
        Columns(written(tmp_path, text)).numbers("x")


@pytest.mark.parametrize("entry", ["nan", "1,5".replace(",", ";"), "inf", "", "two"])
def test_what_is_no_finite_number_is_told_with_its_line(tmp_path, entry):
    table = Columns(written(tmp_path, f"x,y\n1,1\n{entry},2\n"))
    with pytest.raises(FileError, match=f"line 3: x is '{entry}'; a finite number"):
        table.numbers("x")


def test_a_missing_column_names_those_that_came(tmp_path):
    with pytest.raises(FileError, match="no column 'size'; it has x, y"):
        Columns(written(tmp_path, "x,y\n1,2\n")).need(["x", "size"])
    with pytest.raises(FileError, match="does not exist"):
        Columns(tmp_path / "none.csv")
