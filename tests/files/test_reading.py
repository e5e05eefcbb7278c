"""What is asked of a dataset that was read: attributes by type, variables by dimensions and range."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from mfgsolve.errors import FileError
from mfgsolve.files.reading import Reading


@pytest.fixture
def file() -> Reading:
    data = {"share": (("x",), np.array([0.0, 0.5, np.nan])), "name": (("x",), np.array(["a", "b", "b"]))}
    return Reading(xr.Dataset(data, {"x": [0.0, 1.0, 3.0]}, {"tol": 1e-3, "who": "me"}), "solution", "file f.nc")


def test_what_fits_is_given_back(file: Reading) -> None:
    assert (file.number("tol"), file.text("who")) == (1e-3, "me")
    assert np.isnan(file.number("absent", needed=False))
    assert file.within("share", ("x",), 0.0, 1.0).shape == file.rising("x").shape == (3,)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (lambda file: file.number("who"), "'who': 'me' came, a number is needed"),
        (lambda file: file.text("tol"), "'tol': 0.001 came, a text is needed"),
        (lambda file: file.number("absent"), "nothing came"),
        (lambda file: file.within("share", ("x",), 0.0, 0.4), "'share' with the value 0.5; from 0 to 0.4"),
        (lambda file: file.finite("share", ("x",)), "nan in it"),
        (lambda file: file.values("share", ("y",)), "float64 on"),
        (lambda file: file.values("mass", ("x",)), "no variable 'mass'"),
        (lambda file: file.names("y"), "no coordinate 'y'"),
    ],
)
def test_what_does_not_fit_is_told(file: Reading, asked, sentence: str) -> None:
    with pytest.raises(FileError, match=r"file f\.nc") as raised:
        asked(file)
    assert sentence in str(raised.value)
