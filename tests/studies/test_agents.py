"""N agents beside their mean field: closed forms of sampling, layout, seeds, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.agents.distances import l2, transport
from mfgsolve.files import read_dataset, write_dataset
from mfgsolve.games import make_game
from mfgsolve.studies.agents import _root

NUMBERS = [10, 100, 1000, 10_000]


@pytest.fixture(scope="module")
def bar() -> mfg.Solution:
    return mfg.solve(mfg.problems.beach_bar(), tol=1e-8)


@pytest.fixture(scope="module")
def compared(bar: mfg.Solution) -> xr.Dataset:
    return mfg.compare(bar, agents=NUMBERS, replicas=200, rng=0)


# -- densities -------------------------------------------------------------------------------------------------------


def test_density_error_falls_as_one_over_root_n(compared: xr.Dataset):
    assert float(compared.slope.sel(measure="l2")) == pytest.approx(-0.5, abs=0.03)
    assert float(compared.slope.sel(measure="wasserstein")) == pytest.approx(-0.5, abs=0.03)
    low, high = compared.slope_band.sel(measure="l2").values
    assert low < float(compared.slope.sel(measure="l2")) < high


def test_mean_square_of_the_error_is_that_of_multinomials(compared: xr.Dataset):
    """E |rho_N - rho|^2 = (1 - sum m^2) / (N volume): agents are independent."""
    mass = compared.mean_field_density  # cells of volume 1
    exact = (1 - (mass**2).sum("x")) / compared.agents
    squares = (compared.l2**2).mean("time")
    error = squares.std("replica", ddof=1) / math.sqrt(compared.sizes["replica"])
    assert (abs(squares.mean("replica") - exact.mean("time")) < 4 * error).all()


def test_densities_of_the_first_replica_are_kept(compared: xr.Dataset, bar: mfg.Solution):
    assert compared.density.dims == ("agents", "time", "x")
    assert np.allclose(compared.density.sum("x"), 1.0)
    assert np.allclose(compared.density * compared.agents, np.round(compared.density * compared.agents))
    grid = make_game(bar.problem).grid
    for measure, name in ((lambda a, b: l2(a, b, grid), "l2"), (transport(grid), "wasserstein")):
        found = measure(compared.density.values, compared.mean_field_density.values)
        assert np.allclose(found, compared[name].isel(replica=0))
    at = np.searchsorted(bar.dataset.time, compared.time)
    assert np.allclose(bar.dataset.density.values[at], compared.mean_field_density)


def test_counts_and_agents_have_one_law(bar: mfg.Solution, compared: xr.Dataset):
    one_by_one = mfg.compare(bar, agents=[10, 100], replicas=200, rng=1, method="agents")
    for name in ("l2", "wasserstein", "simulated_cost"):
        pair = [(d[f"{name}_mean"][:2], (d[f"{name}_band"][:2, 1] - d[f"{name}_mean"][:2]) / 2) for d in
                (compared, one_by_one)]  # fmt: skip
        apart = abs(pair[0][0] - pair[1][0]) / np.hypot(pair[0][1], pair[1][1])
        assert (apart < 4).all()


# -- costs and regret ------------------------------------------------------------------------------------------------


def test_simulated_cost_is_the_exact_one(compared: xr.Dataset):
    half = compared.simulated_cost_band.sel(end="high") - compared.simulated_cost_mean
    assert (abs(compared.simulated_cost_mean - compared.cost) < 2 * half).all()
    assert (half[:-1] > half[1:].values).all()


def test_exact_numbers_are_those_of_nash_gap(compared: xr.Dataset, bar: mfg.Solution):
    known = mfg.nash_gap(bar, agents=NUMBERS)
    for name in ("regret", "cost", "cost_difference", "relative_regret"):
        assert np.array_equal(compared[name], known[name])
    assert (compared.regret >= -1e-12).all()


def test_slope_of_regret_stops_at_the_exploitability_of_the_plan(bar: mfg.Solution):
    rough = mfg.solve(bar.problem, tol=1e-3, check="ignore")
    data = mfg.compare(rough, agents=[10, 10**4, 10**6, 10**8], replicas=1)
    regret, floor = data.regret.values, abs(data.attrs["exploitability"])
    used = data.slope_used.sel(measure="regret").values.astype(bool)
    assert not used[-1]
    assert (regret[used] > 10 * floor).all()
    assert (regret[~used] <= 10 * (floor + np.abs(data.regret_error.values[~used]))).all()


def test_dynamics_coupled_to_the_crowd_have_no_exact_regret():
    plan = mfg.solve(mfg.problems.susceptible_infected(), max_iterations=3, check="ignore")
    data = mfg.compare(plan, agents=[10, 100], replicas=4)
    assert np.isnan(data.regret).all()
    assert np.isnan(data.slope.sel(measure="regret"))
    assert "simulat" in data.attrs["regret_unknown"]
    assert np.isfinite(data.simulated_cost).all()


# -- spaces ----------------------------------------------------------------------------------------------------------


def test_two_axes_measure_transport_in_some_replicas():
    plan = mfg.solve(mfg.problems.supply_demand(shape=(16, 16), steps=64, scheme="upwind"), tol=1e-6, check="ignore")
    data = mfg.compare(plan, agents=[20, 200, 2000], replicas=60, transports=4, times=[32, 64])
    assert data.time.values.tolist() == [0.5, 1.0]
    assert np.isfinite(data.wasserstein[:, :4]).all()
    assert np.isnan(data.wasserstein[:, 4:]).all()
    assert np.isfinite(data.l2).all()
    assert data.attrs["wasserstein_coarsening"] == 0.0
    assert float(data.slope.sel(measure="l2")) == pytest.approx(-0.5, abs=0.03)


def test_states_and_populations():
    plan = mfg.solve(mfg.problems.rock_paper_scissors(), tol=1e-4, check="ignore")
    data = mfg.compare(plan, agents=[10, 1000], replicas=20)
    assert data.density.dims == ("agents", "time", "state")
    assert "discrete" in data.attrs["wasserstein_metric"]
    plan = mfg.solve(mfg.problems.predator_prey(), tol=1e-3, max_iterations=30, check="ignore")
    data = mfg.compare(plan, agents=[10, 1000], replicas=10, transports=2)
    assert data.density.dims == ("agents", "time", "population", "y", "x")
    assert data.simulated_cost.dims == ("agents", "replica", "population")
    assert data.simulated_cost_band.dims == ("agents", "population", "end")
    assert np.allclose(data.density.sum(["y", "x"]), 1.0)
    assert np.isfinite(data.slope.sel(measure=["l2", "wasserstein"])).all()


def test_units():
    assert [_root(unit) for unit in ("1", "1/m", "1/(km*km)", "1/(m*m*m)")] == ["1", "m^-0.5", "1/km", "m^-1.5"]
    assert _root("1/(km*deg)") == "(1/(km*deg))^0.5"
    plan = mfg.solve(mfg.problems.montreal(shape=(8, 8), steps=24, scheme="upwind"), max_iterations=3, check="ignore")
    data = mfg.compare(plan, agents=[10], replicas=2)
    assert data.l2.attrs["units"] == "1/km"
    assert data.wasserstein.attrs["units"] == "km"
    assert data.density.attrs["units"] == plan.dataset.density.attrs["units"]


def test_where_walls_part_the_grid_only_transport_is_missing():
    grid = mfg.Grid.box((4, 5), blocked=lambda c: abs(c.x - 0.5) < 0.05)
    problem = mfg.Problem(
        grid=grid, time=mfg.TimeGrid(1.0, 8), dynamics=mfg.ControlledDiffusion(viscosity=0.01, scheme="upwind"),
        coupling=mfg.CrowdAversion(1.0), initial=np.where(grid.mask, 0.0, 1.0) / 16 / grid.cell_volume,
    )  # fmt: skip
    data = mfg.compare(mfg.solve(problem, tol=1e-4, check="ignore"), agents=[10, 100], replicas=3)
    assert np.isnan(data.wasserstein).all()
    assert "walls part the grid" in data.attrs["wasserstein_metric"]
    assert np.isfinite(data.l2).all()
    assert data.blocked.dims == ("y", "x")


# -- seeds and files -------------------------------------------------------------------------------------------------


def test_seeds(bar: mfg.Solution):
    options = {"replicas": 6, "transports": 0}
    one = mfg.compare(bar, agents=[10, 100], rng=3, threads=1, **options)
    two = mfg.compare(bar, agents=[100, 10, 50], rng=np.random.SeedSequence(3), threads=2, **options)
    for name in ("l2", "simulated_cost", "density"):
        assert np.array_equal(one[name], two[name].sel(agents=[10, 100]))
    other = mfg.compare(bar, agents=[10, 100], rng=4, **options)
    assert not np.array_equal(one.l2, other.l2)
    assert not np.array_equal(one.l2[0, 0], one.l2[0, 1])
    more = mfg.compare(bar, agents=[10, 100], rng=3, replicas=8)
    assert np.array_equal(more.l2[:, :6], one.l2)


def test_a_seed_sequence_is_not_used_up(bar: mfg.Solution):
    seeds = np.random.SeedSequence(5)
    runs = [mfg.compare(bar, agents=[10], replicas=3, rng=seeds) for _ in range(2)]
    assert np.array_equal(runs[0].l2, runs[1].l2)


def test_file_and_back(compared: xr.Dataset, tmp_path):
    path = write_dataset(compared, tmp_path / "compare.nc")
    back = read_dataset(path, "comparison")
    xr.testing.assert_identical(back.drop_vars("blocked", errors="ignore"), compared)
    with pytest.raises(mfg.FileError, match="is a comparison; a solution is needed"):
        mfg.load(path)


def test_callback_hears_of_every_replica(bar: mfg.Solution):
    heard = []
    mfg.compare(bar, agents=[100, 10], replicas=2, callback=lambda n, r: heard.append((n, r)))
    assert heard == [(10, 0), (10, 1), (100, 0), (100, 1)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"agents": []}, "agents is an empty list"),
        ({"agents": [0]}, "from 1"),
        ({"agents": [10, -3]}, "from 1"),
        ({"agents": [2.5]}, "whole number"),
        ({"agents": "many"}, "list of numbers"),
        ({"agents": [10, 10]}, "10 twice"),
        ({"replicas": 0}, "replicas is 0"),
        ({"replicas": -1}, "replicas is -1"),
        ({"replicas": 1.5}, "whole number"),
        ({"rng": -1}, "rng is -1"),
        ({"rng": "seed"}, "real number"),
        ({"method": "count"}, "did you mean 'counts'"),
        ({"times": [99]}, "nodes from 0 to"),
        ({"transports": -1}, "transports is -1"),
        ({"threads": 0}, "threads is 0"),
    ],
)
def test_bad_input_is_refused(bar: mfg.Solution, options, message):
    with pytest.raises(mfg.InputError, match=message):
        mfg.compare(bar, **{"agents": [10], "replicas": 1, **options})


def test_something_else_than_a_plan_is_refused(bar: mfg.Solution):
    with pytest.raises(mfg.InputError, match="Solution is needed"):
        mfg.compare("plan.nc")
    with pytest.raises(mfg.InputError, match="says nothing of what agents do"):
        mfg.compare(bar.problem)
