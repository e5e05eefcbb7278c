"""Trees of scenarios: segments, probabilities, dates; what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as some

import mfgsolve as mfg
from mfgsolve.scenarios import AtStart, Scenarios, check_one_world, on_layers


def test_segments_have_names_parents_and_probabilities() -> None:
    tree = mfg.ScenarioTree([1.0, 2.0], [[0.6, 0.4], [0.5, 0.25, 0.25]], [["up", "down"], ["a", "b", "c"]])
    assert tree.names_of_segments == ("start", "up", "down", "up/a", "up/b", "up/c", "down/a", "down/b", "down/c")
    np.testing.assert_allclose(tree.shares, [1, 0.6, 0.4, 0.3, 0.15, 0.15, 0.2, 0.1, 0.1])
    assert tree.leaves == [3, 4, 5, 6, 7, 8]
    assert tree.path(7) == [0, 2, 7]
    assert tree.levels(mfg.TimeGrid(3.0, 6)).tolist() == [0, 0, 1, 1, 2, 2, 2]


@given(some.lists(some.lists(some.floats(0.05, 1.0), min_size=1, max_size=3), min_size=1, max_size=3))
def test_news_keeps_mass_and_its_transpose(weights: list[list[float]]) -> None:
    chances = [[w / sum(each) for w in each] for each in weights]
    tree = mfg.ScenarioTree(np.arange(1.0, len(chances) + 1), chances)
    mass = np.eye(len(tree.segments))[0]
    for level in range(1, len(chances) + 1):
        matrix = tree.branching(level)
        np.testing.assert_allclose(matrix.sum(axis=1), 1.0, atol=1e-12)
        mass = matrix.T @ mass
        live = [n for n, segment in enumerate(tree.segments) if segment.level == level]
        np.testing.assert_allclose(mass[live], tree.shares[live], rtol=1e-12)
        assert mass.sum() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(
    ("dates", "probabilities", "names", "told"),
    [
        ([1.0], [0.6, 0.5], None, r"sum to 1\.1"),
        ([1.0], [1.0, 0.0], None, "positive numbers"),
        ([2.0, 1.0], [0.5, 0.5], None, "increasing times"),
        ([0.0], [0.5, 0.5], None, "increasing times"),
        ([1.0], [0.5, 0.5], ["up", "up"], "'up' twice"),
        ([1.0], [0.5, 0.5], ["up"], "2 texts are needed"),
        ([1.0], [0.5, 0.5], ["up", "a/b"], "without '/'"),
        ([1.0], [0.5, 0.5], ["start", "b"], "not 'start'"),
        ([1.0, 2.0], [[1.0]], None, "given for 1 dates; there are 2"),
        ([1.0], "half", None, "a list is needed"),
        (
            [1.0],
            xr.DataArray([0.6, 0.4], {"news": ["b", "a"]}, ("news",)),
            ["a", "b"],
            "a DataArray with names; a list",
        ),
        ([1.0, 2.0], [[1.0], pd.Series({"b": 0.6, "a": 0.4})], None, "at t = 2 are a Series|are a list with names"),
        ([1.0], [0.6, 0.4], {"a", "b"}, "names of the scenarios are .*; a list is needed"),
        ([1.0], {"a": 0.6, "b": 0.4}, None, "a list is needed"),
    ],
)
def test_trees_that_make_no_sense_are_refused(dates, probabilities, names, told) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(mfg.InputError, match=told):
        mfg.ScenarioTree(dates, probabilities, names)


def test_dates_are_nodes() -> None:
    tree = mfg.ScenarioTree([1.0], [0.5, 0.5])
    assert tree.nodes(mfg.TimeGrid(3.0, 9)) == [3]
    with pytest.raises(mfg.InputError, match="no node of 4 steps"):
        tree.nodes(mfg.TimeGrid(3.0, 4))
    with pytest.raises(mfg.InputError, match=r"the horizon is 0\.5"):
        tree.nodes(mfg.TimeGrid(0.5, 4))


def test_volumes_are_probabilities() -> None:
    tree = mfg.ScenarioTree([1.0], [0.6, 0.4])
    space = Scenarios(tree, mfg.Grid.box((2, 4)))
    assert space.shape == (3, 2, 4)
    np.testing.assert_allclose(np.asarray(space.volumes).sum(axis=(1, 2)), tree.shares)
    assert (space.coordinates.scenario[2] == 2).all()
    start = AtStart(1.0, space)(0.0, space.coordinates)
    assert (start * space.volumes).sum() == pytest.approx(1.0)
    assert on_layers(np.ones((2, 4)), space).shape == (3, 2, 4)
    assert on_layers(2.0, space) == 2.0
    with pytest.raises(mfg.InputError, match="simulate is not offered with scenarios"):
        check_one_world(space, "simulate")
    with pytest.raises(mfg.InputError, match="several populations"):
        Scenarios(tree, mfg.Populations(["a", "b"], mfg.States(2)))


STARTS = {
    "array": lambda density: density,
    "list": lambda density: density.tolist(),
    "names": lambda density: xr.DataArray(density.T, dims=("x", "y")),
    "function": lambda density: lambda t, c: xr.DataArray(density.T, dims=("x", "y")),
    "coarse": lambda density: density.astype(np.float32),
}


def begun(initial, **grid):
    return mfg.Problem(
        grid=mfg.Grid.box((3, 3), **grid),
        time=mfg.TimeGrid(3.0, 3),
        dynamics=mfg.LatticeMoves([(0, 0), (1, 0)]),
        coupling=0.0,
        initial=initial,
        normalise=True,
        scenarios=mfg.ScenarioTree([1.0], [0.5, 0.5]),
    )


@pytest.mark.parametrize("form", STARTS)
def test_agents_start_where_one_world_says(form):
    density = 9.0 * np.arange(9.0).reshape(3, 3) / 36.0
    mass = begun(STARTS[form](density)).initial_mass()
    np.testing.assert_allclose(mass[0], density / 9.0, rtol=1e-6, atol=0)
    assert (mass[1:] == 0).all()


def test_names_that_a_start_leaves_out_are_the_same_everywhere():
    mass = begun(xr.DataArray([0.0, 1.0, 2.0], dims="x")).initial_mass()
    np.testing.assert_allclose(mass[0], np.array([[0.0, 1.0, 2.0]] * 3) / 9.0)
    with pytest.raises(mfg.InputError, match=r"initial density has shape \(1, 2\); the grid has \(3, 3\)"):
        begun(xr.DataArray([0.0, 1.0], dims="x"))


def test_nobody_starts_in_walls():
    with pytest.raises(mfg.InputError, match="initial density is not zero in 3 blocked cells"):
        begun(np.ones((3, 3)), blocked=np.eye(3, dtype=bool)).initial_mass()
