"""Seals: whatever changes in attributes or texts is seen, and what is added later is nobody's business."""

import numpy as np
import pytest
import xarray as xr

from mfgsolve.files.seals import sealed, unsealed


def dataset():
    return xr.Dataset(
        {"x": ("cell", np.arange(3.0)), "name": ("cell", np.array(["a", "b", "c"]))},
        attrs={"cost": 0.1, "title": "a game", "shape": np.array([3, 4]), "converged": 1},
    )


def test_a_seal_comes_off_where_nothing_changed():
    opened = unsealed(sealed(dataset()))
    assert opened.identical(dataset())
    assert unsealed(dataset()).identical(dataset())  # never sealed: a file of earlier versions
    assert sealed(sealed(dataset())).identical(sealed(dataset()))


def test_values_have_one_word_before_and_after_a_file():
    given, read = dataset(), dataset()
    given.attrs |= {"shape": [3, 4], "converged": True}
    read.attrs |= {"cost": np.float64(0.1), "converged": np.int64(1)}
    assert sealed(given).attrs["seal"] == sealed(read).attrs["seal"] == sealed(dataset()).attrs["seal"]


def test_attributes_that_were_added_later_are_kept():
    other = sealed(dataset())
    other.attrs["note"] = "mine"
    assert unsealed(other).attrs["note"] == "mine"


def spoilt(**attributes):
    other = sealed(dataset())
    other.attrs |= attributes
    return other


def without(name):
    other = sealed(dataset())
    del other.attrs[name]
    return other


def renamed():
    other = sealed(dataset())
    other["name"] = ("cell", np.array(["a", "b", "d"]))
    return other


@pytest.mark.parametrize(
    "made",
    [
        lambda: spoilt(cost=0.1 + 1e-16), lambda: spoilt(title="another"), lambda: spoilt(shape=np.array([4, 3])),
        lambda: spoilt(sealed="[]"), lambda: spoilt(sealed="no json"), lambda: spoilt(sealed="[1]"),
        lambda: without("cost"), lambda: without("seal"), lambda: without("sealed"), renamed,
    ],
)  # fmt: skip
def test_a_change_breaks_the_seal(made):
    with pytest.raises(ValueError, match="seal does not fit"):
        unsealed(made())


def test_numbers_in_arrays_have_a_checksum_of_their_own():
    other = sealed(dataset())
    other["x"] = ("cell", np.arange(3.0) + 1)
    assert unsealed(other)["x"].values[0] == 1.0
