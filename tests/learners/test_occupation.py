"""The one density: it equals the solver's, marginals keep mass, means recombine, distances are metrics."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from occupations import BLOCKED, everywhere, few, random_occupation, seeds
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.agents.play import play_of
from mfgsolve.agents.run import run_replicas
from mfgsolve.agents.simulation import make_party
from mfgsolve.errors import FileError, InputError
from mfgsolve.games import make_game
from mfgsolve.learners.occupation import Occupation
from mfgsolve.stages.neighbourhoods import graph_neighbours, grid_neighbours, mean_actions


@pytest.fixture(scope="module")
def solved() -> dict[str, mfg.Solution]:
    return {
        "lattice": mfg.solve(mfg.problems.beach_bar()),
        "diffusion": mfg.solve(mfg.problems.supply_demand(shape=(8, 8), steps=64, scheme="upwind")),
        "several": mfg.solve(mfg.problems.predator_prey(size=3, steps=5)),
    }


@pytest.mark.parametrize("name", ["lattice", "diffusion", "several"])
def test_equals_the_dataset_of_the_solver(solved, name):
    solution = solved[name]
    crowd, data = Occupation.of(solution), solution.dataset
    np.testing.assert_allclose(crowd.density, data.density, rtol=1e-13, atol=0)
    assert crowd.density.dims == data.density.dims
    assert all((crowd.mass[dim] == data[dim]).all() for dim in data.density.dims)
    here = data.density.isel(time=slice(0, -1)).values > 0
    policy = crowd.policy()
    if name == "diffusion":
        back = crowd.policy_for(solution.problem)
        assert back.dims == data.speed.dims
        seen = here[:, None] & np.ones(back.shape, dtype=bool)
        np.testing.assert_allclose(back.values[seen], data.speed.values[seen], rtol=1e-10, atol=1e-12)
    else:
        assert policy.dims == data.policy.dims
        seen = here[:, None] & np.ones(policy.shape, dtype=bool)
        np.testing.assert_allclose(policy.values[seen], data.policy.values[seen], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(policy.sum("action"), 1.0, rtol=1e-14)


@pytest.mark.parametrize("name", ["lattice", "diffusion", "several"])
def test_its_policy_has_the_certificate_and_the_flow_of_the_plan(solved, name):
    solution = solved[name]
    crowd = Occupation.of(solution)
    again = Occupation.of_policy(solution.problem, crowd.policy_for(solution.problem))
    assert crowd.distance(again, "tv", actions=True).max() < 1e-10
    gap = mfg.exploitability(solution.problem, crowd.policy_for(solution.problem))
    assert float(gap) == pytest.approx(solution.exploitability, rel=1e-6, abs=1e-9 * solution.certificate.scale)


@pytest.mark.parametrize("name", ["lattice", "diffusion", "several"])
def test_the_crowd_that_couplings_see(solved, name):
    game = make_game(solved[name].problem)
    crowd = Occupation.of_policy(game, solved[name])
    expected = play_of(solved[name]).crowd
    np.testing.assert_allclose(game.flat(crowd.crowd(game)), game.flat(expected), rtol=1e-12, atol=1e-15)


def test_many_agents_have_the_occupation_of_the_plan(solved):
    solution = solved["lattice"]
    exact, gaps = Occupation.of(solution), []
    for agents in (100, 10_000, 1_000_000):
        party = make_party(play_of(solution), agents)
        (run,) = run_replicas(party, 1, np.random.SeedSequence(1), 1)
        crowd = Occupation.of_run(run, party)
        np.testing.assert_allclose(crowd.marginal("state" if "state" in crowd.mass.dims else "x").values * agents,
                                   run.counts, rtol=1e-9, atol=1e-6)  # fmt: skip
        gaps.append(float(crowd.distance(exact).max()))
    assert gaps[0] > 3 * gaps[1] > 9 * gaps[2]


@pytest.mark.parametrize("name", ["lattice", "diffusion", "several"])
def test_a_mean_of_plans_is_the_flow_of_its_policy(solved, name):
    """What fictitious play lives on, and what the solvers average."""
    solution = solved[name]
    game = make_game(solution.problem)
    still = np.zeros((game.steps, 2 * game.grid.ndim, *game.grid.shape))
    other = still if name == "diffusion" else game.step.uniform().reshape(game.steps, -1, *game.grid.shape)
    one, two = Occupation.of(solution), Occupation.of_policy(game, other)
    mean = one.mix(two, 0.3)
    assert mean.distance(Occupation.of_policy(game, mean.policy_for(game)), actions=True).max() < 1e-10
    assert one.distance(two).max() > 0.05
    if name != "diffusion":
        plan = game.new_average()
        for crowd, length in ((one, 1.0), (two, 0.3)):
            ahead = crowd.policy().values.reshape(game.steps, -1, game.cells)
            plan.mix(game, ahead, crowd.crowd(game), length)
        levels = mean.mass.values.reshape(game.steps + 1, game.cells, -1)
        np.testing.assert_allclose(plan.occupation, levels[:-1].transpose(0, 2, 1), rtol=1e-10, atol=1e-14)


def test_a_solution_from_a_file(solved, tmp_path):
    again = mfg.load(solved["lattice"].save(tmp_path / "solution.nc"))
    crowd = Occupation.of(solved["lattice"])
    assert float(crowd.distance(Occupation.of(again)).max()) == 0.0
    assert float(crowd.distance(Occupation.of(again, solved["lattice"].problem), actions=True).max()) == 0.0


def test_moves_of_a_diffusion_that_lead_somewhere():
    """Where a step to the neighbour is possible, by looking at the neighbour."""
    grid = mfg.Grid.box((4, 5), boundary=("reflecting", "periodic"), blocked=BLOCKED)
    problem = mfg.Problem(grid=grid, time=mfg.TimeGrid(1.0, 64),
                          dynamics=mfg.ControlledDiffusion(0.05, scheme="upwind"),
                          coupling=mfg.CrowdAversion(1.0), initial=1.0 - BLOCKED, normalise=True)  # fmt: skip
    crowd = Occupation.of_policy(problem, np.zeros((64, 4, 4, 5)))
    assert crowd.mass["action"].values.tolist() == ["stay", "x+", "x-", "y+", "y-"]
    for a, (down, right) in enumerate([(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0)]):
        for i, j in np.ndindex(4, 5):
            inside = 0 <= i + down < 4
            open_ = inside and not BLOCKED[i, j] and not BLOCKED[i + down, (j + right) % 5]
            assert crowd.allowed[a, i, j] == (a == 0 or open_)
    assert float(crowd.marginal("action")[0, 0]) == pytest.approx(1.0)  # everybody stays


def test_a_diffusion_with_empty_cells_keeps_its_policy():
    """Nobody in most cells, corners among them."""
    start = np.zeros((6, 6))
    start[2, 3] = 1.0
    problem = mfg.Problem(grid=mfg.Grid.box((6, 6)), time=mfg.TimeGrid(1.0, 40),
                          dynamics=mfg.ControlledDiffusion(scheme="upwind"),
                          coupling=mfg.CrowdAversion(1.0), initial=start, normalise=True)  # fmt: skip
    speeds = np.zeros((40, 4, 6, 6))
    speeds[:, 0, 2, 3] = 1.0
    crowd = Occupation.of_policy(problem, speeds)
    assert (crowd.density[-1] > 0).sum() == 2
    np.testing.assert_allclose(crowd.policy_for(problem), speeds, rtol=1e-12)
    assert np.isfinite(mfg.exploitability(problem, crowd.policy_for(problem)).cost)


def test_counting_agents_by_hand():
    space = mfg.Populations(["red", "blue"], mfg.States(2))
    dynamics = mfg.Tabular([np.eye(2), np.eye(2)[::-1]])
    problem = mfg.Problem(grid=space, time=mfg.TimeGrid(1.0, 1), dynamics=(dynamics, dynamics),
                          coupling=mfg.CrowdAversion(1.0), initial=np.full((2, 2), 0.5))  # fmt: skip
    cells = np.array([[0, 1, 1, 2], [1, 0, -1, 2]])  # three red agents, of whom one leaves, and one blue
    crowd = Occupation.of_agents(problem, cells, np.array([[1, 1, 0, 0]]))
    start, end = crowd.mass.isel(time=0).values, crowd.density.isel(time=1).values
    np.testing.assert_allclose(start, [[[0, 1 / 3], [1 / 3, 1 / 3]], [[1, 0], [0, 0]]])
    np.testing.assert_allclose(end, [[1 / 3, 1 / 3], [1, 0]])
    np.testing.assert_allclose(crowd.policy().values[0, :, 0], [[0, 0.5], [1, 0.5]])
    np.testing.assert_allclose(crowd.policy().values[0, :, 1], [[1, 0.5], [0, 0.5]])  # uniform where nobody is


@everywhere
@few
@given(seed=seeds)
def test_marginals_conserve_mass(name, seed):
    crowd = random_occupation(name, seed)
    for dims in [(), ("action",), crowd.space.dims, (*crowd.space.dims[:1], "action")]:
        part = crowd.marginal(*dims)
        assert set(part.dims) == {"time", *dims}
        total = part.sum([dim for dim in part.dims if dim != "time"])
        np.testing.assert_allclose(total, crowd.space.populations, rtol=1e-13)
    both = crowd.marginal(*crowd.space.dims).sum(crowd.space.dims[-1])
    np.testing.assert_allclose(both, crowd.marginal(*crowd.space.dims[:-1]), rtol=1e-13)


@everywhere
@few
@given(seed=seeds, share=st.floats(0, 1))
def test_mix_is_convex_and_keeps_mass(name, seed, share):
    one, two = random_occupation(name, seed), random_occupation(name, seed + 1)
    mean = one.mix(two, share)
    totals = mean.mass.sum([dim for dim in mean.mass.dims if dim not in ("time", "population")])
    np.testing.assert_allclose(totals, 1.0, rtol=1e-13)
    low, high = np.minimum(one.mass, two.mass), np.maximum(one.mass, two.mass)
    assert (mean.mass >= low * (1 - 1e-12)).all()
    assert (mean.mass <= high * (1 + 1e-12)).all()
    for kind in ("tv", "l2"):
        whole = one.distance(two, kind, actions=True)
        np.testing.assert_allclose(one.distance(mean, kind, actions=True), share * whole, rtol=1e-9, atol=1e-13)
    np.testing.assert_array_equal(one.mix(two, 0.0).mass, one.mass)
    np.testing.assert_array_equal(one.mix(two, 1.0).mass, two.mass)


@few
@given(seed=seeds, red=st.integers(1, 9), blue=st.integers(1, 9))
def test_typed_means_recombine_to_the_untyped_mean(seed, red, blue):
    crowd = random_occupation("two", seed)
    near, sizes = grid_neighbours(crowd.space), np.array([red, blue])
    typed, every = crowd.mean_action(near), crowd.mean_action(near, typed=False, sizes=sizes)
    weight = crowd.neighbour_mass(near) * sizes[:, None, None]
    again = (typed.fillna(0.0) * weight).sum("population") / weight.sum("population")
    np.testing.assert_allclose(again.isel(time=slice(0, -1)), every.isel(time=slice(0, -1)), rtol=1e-12)
    np.testing.assert_allclose(
        weight.sum("population"), crowd.neighbour_mass(near, typed=False, sizes=sizes), rtol=1e-12
    )
    seen = every.isel(time=0)
    assert (np.isnan(seen).all("action") == np.isnan(seen).any("action")).all()
    np.testing.assert_allclose(seen.sum("action").values[~np.isnan(seen).any("action").values], 1.0, rtol=1e-12)


def test_mean_action_by_loops_and_nan_where_nobody_is():
    crowd = random_occupation("walls", 3)
    near = grid_neighbours(crowd.space, itself=True)
    mean, grid = crowd.mean_action(near), crowd.space
    expected = np.full(mean.shape, np.nan)
    for t in range(2):
        for i, j in np.argwhere(~grid.mask):
            cells = [(i, j), (i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)]
            around = sum(
                crowd.mass.values[t, a, b] for a, b in cells if 0 <= a < 4 and 0 <= b < 5 and not grid.mask[a, b]
            )
            if around.sum() > 0:
                expected[t, i, j] = around / around.sum()
    np.testing.assert_allclose(mean, expected, rtol=1e-12)
    assert np.isnan(expected[0]).any()
    assert np.isfinite(expected[0]).any()


def test_agents_on_cells_have_the_mean_action_of_the_occupation():
    """Two roads: agents one by one over the graph of who shares a neighbourhood, and the occupation."""
    rng, grid = np.random.default_rng(4), mfg.Grid.box((3, 3), boundary="periodic")
    cells, actions = rng.integers(9, size=40), rng.integers(3, size=40)
    mass = np.bincount(cells * 3 + actions, minlength=27).reshape(3, 3, 3) / 40
    near = grid_neighbours(grid)
    by_cell = Occupation.of_array(mass, grid, 3).mean_action(near).values.reshape(9, 3)
    by_agent = mean_actions(np.eye(3)[actions], sparse.csr_array(near.toarray()[np.ix_(cells, cells)]))
    np.testing.assert_allclose(by_agent, by_cell[cells], rtol=1e-12)


@everywhere
def test_files_bring_everything_back(name, tmp_path):
    crowd = random_occupation(name, 5)
    again = Occupation.load(crowd.save(tmp_path / "crowd.nc"))
    np.testing.assert_array_equal(again.mass, crowd.mass)
    np.testing.assert_array_equal(again.allowed, crowd.allowed)
    np.testing.assert_array_equal(again.space.mask, crowd.space.mask)
    assert again.space.identity == crowd.space.identity
    assert again.ends
    assert float(again.distance(crowd, "w1").max()) == 0.0
    assert (again.mass["action"] == ["l", "r", "s"]).all()


def test_a_solution_is_no_occupation(solved, tmp_path):
    path = solved["lattice"].save(tmp_path / "solution.nc")
    with pytest.raises(FileError, match="is a solution; an occupation is needed"):
        Occupation.load(path)


def test_agents_do_not_change_their_population(solved):
    game = make_game(solved["several"].problem)
    cells = np.tile(np.arange(3) * game.cells // 3, (game.steps + 1, 1))
    cells[1:, 0] = game.cells - 1
    with pytest.raises(InputError, match="from one population to another"):
        Occupation.of_agents(game, cells, np.zeros((game.steps, 3), int))


def test_bad_input(solved):
    crowd, other = random_occupation("walls", 1), random_occupation("circle", 1)
    with pytest.raises(InputError, match="different space"):
        crowd.mix(other, 0.5)
    with pytest.raises(InputError, match=r"weight is 1\.5"):
        crowd.mix(crowd, 1.5)
    with pytest.raises(InputError, match="did you mean 'tv'"):
        crowd.distance(crowd, "tvv")
    with pytest.raises(InputError, match="w1 moves agents"):
        crowd.distance(crowd, "w1", actions=True)
    with pytest.raises(InputError, match="did you mean 'action'"):
        crowd.marginal("actoin")
    with pytest.raises(InputError, match="no neighbourhoods"):
        crowd.mean_action(None)
    with pytest.raises(InputError, match=r"neighbours have shape \(6, 6\)"):
        crowd.mean_action(grid_neighbours(other.space))
    with pytest.raises(InputError, match="sums to 3"):
        Occupation.of_array(np.ones((3, 1)), mfg.States(3), 1)
    with pytest.raises(InputError, match="negative"):
        Occupation.of_array(-np.ones((3, 1)), mfg.States(3), 1)
    with pytest.raises(InputError, match="not finite"):
        Occupation.of_array(np.full((3, 1), np.nan), mfg.States(3), 1)
    with pytest.raises(InputError, match=r"in cell \(1,\), which is blocked or where"):
        Occupation.of_array(np.ones((2, 1)) / 2, mfg.States(2), ["go"], allowed=np.array([[True, False]]))
    with pytest.raises(InputError, match="has no neighbourhoods of its own"):
        grid_neighbours(mfg.States(3))
    with pytest.raises(InputError, match="5 types and 3 agents"):
        mean_actions(np.eye(3), graph_neighbours([], 3), np.zeros(3, dtype=int), 5)
    with pytest.raises(InputError, match="of another game"):
        crowd.policy_for(solved["lattice"].problem)
    with pytest.raises(InputError, match=r"Occupation\.of takes a Solution"):
        Occupation.of(crowd)  # type: ignore[arg-type]
    game = make_game(solved["several"].problem)
    with pytest.raises(InputError, match="has no agent"):
        Occupation.of_agents(game, np.zeros((game.steps + 1, 2), int), np.zeros((game.steps, 2), int))
