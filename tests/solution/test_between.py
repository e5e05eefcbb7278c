"""Density between the nodes of a solution: exact in the entropic scheme, linear elsewhere."""

import numpy as np
import pytest
from entropic_games import line, plane, solved
from scipy.integrate import solve_ivp

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.solution.between import Between

FAST = {"method": "fictitious-play", "tol": 1e-8, "check": "ignore"}


def distance(one, other):
    """L1, of densities on a line of unit length."""
    return np.abs(one - other).mean(axis=-1)


@pytest.mark.parametrize(("steps", "off"), [(24, 1e-4), (30, 7e-4)])
def test_a_linear_quadratic_game_between_its_nodes(steps, off):
    """Without a crowd a quadratic end makes Gaussians: their mean and variance follow from a Riccati equation."""
    nu, c, goal = 0.002, 0.5, 0.75
    problem = mfg.Problem(
        mfg.Grid.box((64,)), mfg.TimeGrid(1.0, steps), mfg.ControlledDiffusion(nu, c, scheme="entropic"),
        mfg.CrowdAversion(1e-9), lambda t, k: np.exp(-0.5 * ((k.x - 0.25) / 0.06) ** 2),
        lambda t, k: 2 * (k.x - goal) ** 2, normalise=True,
    )  # fmt: skip
    solution = mfg.solve(problem, **FAST)
    pull = lambda t: 1 / (1 / 4 + (1 - t) / c)
    change = lambda t, y: [-pull(t) / c * (y[0] - goal), -2 * pull(t) / c * y[1] + 2 * nu]
    exact = solve_ivp(change, (0, 1), [0.25, 0.06**2], rtol=1e-11, atol=1e-13, dense_output=True).sol
    times, x = np.linspace(0, 1, 91), solution.dataset["x"].values
    mean, variance = exact(times)[:, :, None]
    density = np.exp(-((x - mean) ** 2) / (2 * variance))
    density /= density.mean(axis=1, keepdims=True)
    found = solution.density_at(times)
    assert distance(found, density).max() < off
    straight = solution.dataset["density"].interp(time=times)  # what they would be by interpolation
    assert distance(straight, density).max() > 100 * off or steps == 30
    assert found.values.mean(axis=1) == pytest.approx(np.ones(91), abs=1e-13)
    assert found.values.min() >= 0


@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
def test_nodes_of_twice_as_many_steps(boundary):
    """A crowd that does not matter: half-way between the nodes it is where finer steps say."""
    made = [
        mfg.solve(line(48, steps, averse=1e-7, viscosity=0.05, boundary=boundary), **FAST).dataset for steps in (6, 12)
    ]
    times = made[1]["time"].values
    found = mfg.Solution.density_at(solution_of(made[0]), times)
    assert distance(found.values, made[1]["density"].values).max() < 5e-6
    assert distance(made[0]["density"].interp(time=times).values, made[1]["density"].values).max() > 0.05


def solution_of(dataset):
    """An object with a dataset, which is all that densities between nodes need."""
    return type("Stored", (), {"dataset": dataset})()


@pytest.mark.parametrize("name", ["line", "plane", "cube"])
def test_a_file_alone_tells_the_density_at_any_time(name, tmp_path):
    solution = solved(name)
    loaded = mfg.load(solution.save(tmp_path / "plan.nc"))
    horizon = float(solution.dataset["time"][-1])
    times = np.linspace(0, horizon, 11)
    found = loaded.density_at(times)
    assert found.dims == solution.dataset["density"].dims
    assert np.array_equal(found, solution.density_at(times))
    for node, t in enumerate(solution.dataset["time"].values):
        assert np.array_equal(loaded.density_at(float(t)), solution.dataset["density"][node])
    volume = horizon * 0 + np.prod([np.diff(found[dim].values)[0] for dim in found.dims[1:]])
    assert found.values.reshape(11, -1).sum(axis=1) * volume == pytest.approx(np.ones(11), abs=1e-13)
    if "blocked" in solution.dataset:
        assert not found.values[:, solution.dataset["blocked"].values == 1].any()
    assert found["time"].attrs == solution.dataset["time"].attrs


def test_each_step_has_its_own_entropy_and_order_of_axes():
    problem = plane(discount=0.9)
    dataset = mfg.solve(problem, method="fictitious-play", max_iterations=1, check="ignore").dataset
    step, between = make_game(problem).step, Between(dataset)
    free = ~problem.grid.mask
    for k in range(3):
        bridge = between.bridge(k)
        assert bridge.log_phi[free] == pytest.approx(-dataset["value_ahead"].values[k][free] / step.entropy[k])
        assert bridge.first == ((0, 1) if k % 2 == 0 else (1, 0))
        assert bridge.variance == pytest.approx(2 * step.viscosity * step.dt)


def test_other_solutions_are_linear_between_nodes(small_problem):
    solution = mfg.solve(small_problem, max_iterations=0, check="ignore")
    density = solution.dataset["density"]
    times = density["time"].values
    middle = 0.25 * times[3] + 0.75 * times[4]
    assert solution.density_at(middle).values == pytest.approx(0.25 * density[3].values + 0.75 * density[4].values)
    assert "time" not in solution.density_at(middle).dims
    assert float(solution.density_at(middle)["time"]) == middle


@pytest.mark.parametrize(
    ("times", "said"),
    [(-0.1, "time -0.1 lies outside the horizon"), ([0.5, 1.5], "time 1.5 lies outside"), ([], "at least one time"),
     ("noon", "numbers from 0 to 1"), ([[0.1]], "at least one time"), (np.nan, "time nan lies outside")],
)  # fmt: skip
def test_times_that_are_none(times, said):
    with pytest.raises(mfg.InputError, match=said):
        solved("line").density_at(times)


def test_a_dataset_that_lost_its_walls_is_told_so():
    bare = solved("line").dataset.copy()
    bare["x"].attrs = {}
    with pytest.raises(mfg.InputError, match="coordinate 'x' of the dataset has no start, stop, boundary"):
        mfg.Solution.density_at(solution_of(bare), 0.33)
