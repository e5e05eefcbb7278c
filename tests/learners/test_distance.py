"""Distances of occupations: metrics, by hand, and between what can be compared."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from occupations import everywhere, random_occupation, seeds

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.learners.occupation import Occupation


@everywhere
@pytest.mark.parametrize("kind", ["tv", "l2", "w1"])
@settings(max_examples=8, deadline=None)
@given(seed=seeds)
def test_distances_are_metrics(name, kind, seed):
    one, two, three = (random_occupation(name, seed + k, levels=2) for k in range(3))
    there = one.distance(two, kind)
    assert there.dims == ("time",)
    apart = np.abs(one.density - two.density).max(one.space.dims) > 1e-6
    assert (there > 0)[apart].all()
    assert (there < 1e-5)[~apart].all()
    np.testing.assert_allclose(there, two.distance(one, kind), rtol=1e-9, atol=1e-12)
    assert (one.distance(three, kind) <= there + two.distance(three, kind) + 1e-12).all()
    np.testing.assert_allclose(one.distance(one, kind), 0.0, atol=1e-15)
    if kind != "w1":  # summing actions out brings nobody further apart in total variation
        both = one.distance(two, kind, actions=True)
        assert kind == "l2" or float((there - both).max()) <= 1e-14


def test_distances_by_hand():
    line = mfg.Grid.box(4, bounds=[(0.0, 2.0)])  # cells of 1/2
    here, there = np.zeros((4, 2)), np.zeros((4, 2))
    here[0, 0], there[3, 0] = 1.0, 1.0
    one, two = (Occupation.of_array(m, line, 2) for m in (here, there))
    assert float(one.distance(two)) == 1.0
    assert float(one.distance(two, "w1")) == pytest.approx(1.5)
    assert float(one.distance(two, "l2")) == pytest.approx(2.0)  # sqrt(2 * 2^2 / 2)
    other = Occupation.of_array(here[:, ::-1], line, 2)  # the same place, another action
    assert float(one.distance(other)) == 0.0
    assert float(one.distance(other, actions=True)) == 1.0


def changed(**changes):
    """An occupation of four cells and two actions, and one that differs in one thing."""
    given = {"space": mfg.Grid.box(4), "actions": ["l", "r"]} | changes
    mass = np.zeros((*given["space"].shape, len(given["actions"])))
    mass.reshape(-1)[0] = 1.0
    return Occupation.of_array(mass, given["space"], given["actions"])


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (lambda: changed(space=mfg.Grid.box(5)), "different space"),
        (lambda: changed(actions=["l", "s"]), "different actions"),
        (lambda: "an occupation", "a str came; an Occupation is needed"),
    ],
)
def test_what_cannot_be_compared_is_told(other, says):
    with pytest.raises(InputError, match=says):
        changed().distance(other())


def test_kinds_of_distances():
    with pytest.raises(InputError, match="unknown distance 'l1'"):
        changed().distance(changed(), "l1")
    with pytest.raises(InputError, match="actions have no place there"):
        changed().distance(changed(), "w1", actions=True)
