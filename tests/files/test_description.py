"""``python -m pydoc mfgsolve.files`` describes the variables that solutions have: names, dimensions and units."""

from __future__ import annotations

import re

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve import files

LISTING = files.__doc__.split("*Variables of a solution*")[1].split("*Attributes of a solution*")[0]
ROW = re.compile(r"^  [ *] (\w+) {2,}((?:[\w.]+, )*[\w.]+) {2,}(\S+)(?: |$)", flags=re.M)
LISTED = {name: (tuple(dims.split(", ")), unit) for name, dims, unit in ROW.findall(LISTING)}
SPACE = ("population", "scenario", "z", "y", "x", "state")


def diffusion() -> mfg.Solution:
    grid = mfg.Grid.box((4, 6), blocked=lambda c: (c.x > 0.8) & (c.y > 0.7), unit="km")
    problem = mfg.Problem(
        grid, mfg.TimeGrid(1.0, 16, "h"), mfg.ControlledDiffusion(0.01, scheme="upwind"), mfg.CrowdAversion(0.1), 1.0,
        normalise=True,
        track=lambda t: np.array([t, 0.5]), sites=np.array([[0.2, 0.3, 1.0]]),
    )  # fmt: skip
    return mfg.solve(problem, tol=1e-4, check="ignore")


def entropic() -> mfg.Solution:
    grid = mfg.Grid.box((4, 6), blocked=lambda c: (c.x > 0.8) & (c.y > 0.7), unit="km")
    dynamics = mfg.ControlledDiffusion(0.05, scheme="entropic")
    problem = mfg.Problem(grid, mfg.TimeGrid(1.0, 3, "h"), dynamics, mfg.CrowdAversion(0.1), 1.0, normalise=True)
    return mfg.solve(problem, method="fictitious-play", tol=1e-4, check="ignore")


def finite() -> mfg.Solution:
    stay, swap = np.eye(2), np.eye(2)[::-1]
    price = mfg.Price(mfg.QuadraticPotential(), bounds=(0.0, 3.0), amounts=[0.0, 1.0])
    dynamics = [mfg.Tabular([stay, swap], actions=names) for names in (["stay", "go"], ["wait", "drive"])]
    problem = mfg.Problem(
        mfg.Populations(["a", "b"], mfg.States(2)), mfg.TimeGrid(2.0, 2, "h"), dynamics,
        mfg.CrowdAversion(1.0) + mfg.CrowdAversion(1.0, on="occupation") + mfg.Capacity(0.9) + price,
        np.array([[0.5, 0.5], [0.4, 0.6]]),
    )  # fmt: skip
    return mfg.solve(problem, tol=1e-6)


def learned() -> mfg.Solution:
    return mfg.learn(mfg.problems.left_right(), agents=4, episodes=4, rng=0, shared=False)


def extrapolated() -> mfg.Solution:
    problem = mfg.problems.linear_quadratic(shape=(16,), steps=8, scheme="entropic")
    return mfg.solve(problem, tol_continuum=0.05, check="ignore")


def planned() -> mfg.Solution:
    stay, swap = np.eye(2), np.eye(2)[::-1]
    return mfg.solve(
        mfg.Problem(mfg.States(2), mfg.TimeGrid(2, 2), mfg.Tabular([stay, swap], temperature=0.5),
                    mfg.CrowdAversion(1.0), np.array([0.9, 0.1]), final=np.array([0.4, 0.6])))  # fmt: skip


def told() -> mfg.Solution:
    return mfg.solve(mfg.problems.late_news(temperature=0.5))


@pytest.fixture(scope="module")
def solutions():
    return [diffusion(), finite(), learned(), entropic(), extrapolated(), planned(), told()]


def unit(word: str, length: str, time: str, axes: int) -> str:
    """A unit of the listing in those of a problem."""
    if length == "1" and time == "1":
        return "cost" if word == "rate" else "1" if word != "cost" and word != "s" else word
    volume = "*".join([length] * axes)
    words = {"length": length, "length/time": f"{length}/{time}", "rate": f"cost/{time}",
             "1/volume": "1" if length == "1" else f"1/({volume})"}  # fmt: skip
    return words.get(word, word)


def test_every_variable_is_listed_with_its_dimensions_and_unit(solutions):
    all_units = (
        ("km", "h", 2),
        ("1", "h", 0),
        ("1", "1", 0),
        ("km", "h", 2),
        ("1", "1", 1),
        ("1", "1", 0),
        ("1", "1", 1),
    )
    for solution, units in zip(solutions, all_units, strict=True):
        dataset = solution.dataset
        space = tuple(dim for dim in dataset["density"].dims if dim in SPACE)
        for name, variable in dataset.data_vars.items():
            dims, word = LISTED[name]
            wanted = tuple(d for dim in dims for d in (space if dim == "..." else (dim,)))
            assert variable.dims == wanted, name
            if word != "name":
                assert variable.attrs["units"] == unit(word, *units), name


def test_every_listed_variable_exists(solutions):
    found = {name for solution in solutions for name in solution.dataset.data_vars}
    assert set(LISTED) == found


def test_every_dimension_and_attribute_is_described(solutions):
    for solution in solutions:
        for dim in solution.dataset.dims:
            assert re.search(rf"\b{dim}\b", files.__doc__.split("*Units.*")[0]), dim
        for name in set(solution.dataset.attrs) - set(mfg.Certificate.__dataclass_fields__):
            assert f"``{name}``" in files.__doc__, name
