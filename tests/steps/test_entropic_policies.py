"""Policies of the entropic step in datasets, their mean velocities, and beliefs that average."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from entropic_games import line, plane

import mfgsolve as mfg
from mfgsolve.certificates import certify
from mfgsolve.games import make_game
from mfgsolve.steps import BeliefAverage, Costs


@pytest.fixture(scope="module", params=["reflecting", "periodic"])
def solved(request):
    problem = plane(boundary=request.param, discount=0.6)
    return problem, mfg.solve(problem, method="frank-wolfe", max_iterations=3, check="ignore")  # far from equilibrium


def answer(game, seed=4):
    """The best response to a price that nobody states."""
    price = np.random.default_rng(seed).normal(size=game.empty_crowd().shape)
    policy = game.respond(price).policy
    return policy, game.flow(policy)


# -- in datasets -----------------------------------------------------------------------------------------------------


def test_a_dataset_tells_the_policy_to_round_off(solved, tmp_path):
    problem, solution = solved
    path = solution.save(tmp_path / "plan.nc")
    field = solution.dataset["value_ahead"]
    shifted = field + np.arange(3.0)[:, None, None]  # a constant of each level changes nothing
    swapped = field.transpose("x", "step", "y").isel(x=slice(None, None, -1))
    filled = field.fillna(1e9)  # what stands in blocked cells is not looked at
    for policy in (solution, mfg.load(path), solution.dataset, field, field.values, shifted, swapped, filled):
        found = mfg.exploitability(problem, policy)
        for name in ("exploitability", "potential", "movement_cost", "crowd_cost", "scale"):
            wanted = getattr(solution.certificate, name)
            assert getattr(found, name) == pytest.approx(wanted, rel=1e-12, abs=1e-13), name


def test_a_table_of_numbers_and_their_places_tells_the_policy(solved, tmp_path):
    """CSV: a line for each cell and step, in any order, with whatever stands in blocked cells."""
    problem, solution = solved
    series = solution.dataset["value_ahead"].to_series().sample(frac=1.0, random_state=3)
    series.fillna(-1.0).to_csv(tmp_path / "policy.csv")
    back = pd.read_csv(tmp_path / "policy.csv", index_col=["step", "y", "x"])["value_ahead"]
    for policy in (series, back):
        found = mfg.exploitability(problem, policy)
        assert found.exploitability == pytest.approx(solution.exploitability, rel=1e-12)


def test_value_ahead_and_velocity_have_their_dimensions(solved):
    problem, solution = solved
    dataset, mask = solution.dataset, problem.grid.mask
    assert dataset["value_ahead"].dims == ("step", "y", "x")
    assert dataset["velocity"].dims == ("step", "direction", "y", "x")
    assert dataset["direction"].values.tolist() == ["x", "y"]
    assert np.isnan(dataset["value_ahead"].values[:, mask]).all()
    assert not dataset["velocity"].values[..., mask].any()
    assert dataset["value_ahead"].attrs["viscosity"] == 0.04
    assert dataset["value_ahead"].attrs["control_cost"] == 0.7


def laws(step, policy, t):
    """P(y | x) of step t, one push of a unit of mass from each cell."""
    return np.array([step.push(t, policy[t], unit.reshape(step.shape)).reshape(-1) for unit in np.eye(step.cells)])


def test_laws_of_the_value_ahead_are_the_exponential_tilt_of_the_noise():
    """q(y | x) = N(x, y) exp(-v(y) / eps) / sum of them, N being the law without any value."""
    game = make_game(plane(discount=0.6).levelled())
    step = game.step
    policy, _ = answer(game)
    made = step.described(game.policy_of(policy))
    free = np.nan_to_num(made.values)
    noise = step.policy_from(np.zeros_like(free)).array
    for t in range(step.steps):
        tilted = laws(step, noise, t) * np.exp(-free[t].reshape(-1) / step.entropy[t])
        tilted /= tilted.sum(axis=1, keepdims=True)
        assert laws(step, policy, t) == pytest.approx(tilted, rel=1e-11, abs=1e-15)


@pytest.mark.parametrize("steps", [2, 3])
def test_velocity_is_the_mean_move_on_a_torus(steps):
    """From the laws themselves: the centres reached less the centre left, by the shortest way."""
    game = make_game(plane((11, 12), steps, None, "periodic").levelled())
    step, grid = game.step, game.grid
    policy, _ = answer(game)
    found = step.described(game.policy_of(policy)).companions["velocity"][1]
    x, y = (np.asarray(grid.coordinates[name]).reshape(-1) for name in "xy")
    for t in range(steps):
        law = laws(step, policy, t)
        for k, place in enumerate((x, y)):
            gap = place[None, :] - place[:, None]
            gap -= np.round(gap)
            mean = (law * gap).sum(axis=1) / game.dt
            assert np.abs(found[t, k].reshape(-1)).max() > 0.05
            assert found[t, k].reshape(-1) == pytest.approx(mean, abs=1e-12)


def test_velocity_moves_the_centre_of_a_crowd_far_from_walls():
    problem = line(64, 16, viscosity=0.002, initial=lambda t, c: np.exp(-(((c.x - 0.45) / 0.05) ** 2)))
    dataset = mfg.solve(problem, method="frank-wolfe", max_iterations=3, check="ignore").dataset
    x, h, dt = dataset["x"].values, 1 / 64, 1 / 16
    centre = (dataset["density"].values * x).sum(axis=1) * h
    drift = (dataset["density"].values[:-1] * dataset["velocity"].values[:, 0]).sum(axis=1) * h
    assert np.diff(centre)[:6] / dt == pytest.approx(drift[:6], rel=1e-6)
    assert drift[:6].min() > 0.05


def test_single_steps_take_the_axes_in_the_order_of_the_flow():
    """Beside walls it matters which axis comes first; it changes from step to step."""
    game = make_game(plane(steps=4).levelled())
    policy, crowd = answer(game)
    for t in range(4):
        assert game.step.push(t, policy[t], crowd[t]) == pytest.approx(crowd[t + 1], rel=1e-11, abs=1e-16)


def test_noise_alone_has_no_velocity_beside_walls_either():
    game = make_game(plane().levelled())
    policy = game.step.policy_from(np.zeros((3, 7, 8)))
    assert np.abs(game.step.described(policy).companions["velocity"][1]).max() < 1e-14


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda d: d.drop_vars("value_ahead"),
            "policy is a velocity: an agent .* 'value_ahead'",
        ),
        (lambda d: d["velocity"], "policy is a velocity: .* scheme='upwind'"),
        (lambda d: d["velocity"].values, r"policy is a plain array \(step, axis or move"),
        (lambda d: d["velocity"].rename(direction="move"), "policy is a speed"),
        (lambda d: d.drop_vars(["value_ahead", "velocity"]), "one named 'value_ahead' is needed"),
        (lambda d: d["value_ahead"].values[:, :-1], r"has shape \(3, 6, 8\); value_ahead, .* = \(3, 7, 8\), is needed"),
        (lambda d: d["value_ahead"].assign_coords(x=d.x + 0.1), "coordinate x"),
        (lambda d: d["value_ahead"].assign_coords(step=d.step + 0.1), "coordinate step"),
        (lambda d: xr.where(d["value_ahead"] > -1, np.inf, 0.0), "the value inf in cell .* at step 0"),
        (lambda d: d["value_ahead"].values.astype(str), "policy"),
    ],
)
def test_what_is_no_policy_is_refused_with_what_is_needed(solved, change, said):
    problem, solution = solved
    with pytest.raises(mfg.InputError, match=said):
        mfg.exploitability(problem, change(solution.dataset))


def test_speeds_of_the_upwind_scheme_are_refused(solved):
    problem, _ = solved
    upwind = mfg.Problem(
        problem.grid, problem.time, mfg.ControlledDiffusion(0.04, scheme="upwind"), problem.coupling, problem.initial,
        normalise=True,
    )  # fmt: skip
    speeds = mfg.solve(upwind, max_iterations=0, check="ignore")
    with pytest.raises(mfg.InputError, match=r"policy is a speed: .* bring the field 'value_ahead'"):
        mfg.exploitability(problem, speeds)


# -- beliefs ---------------------------------------------------------------------------------------------------------


def test_a_mean_of_beliefs_is_the_mixture_of_agents_who_keep_to_one_response():
    game = make_game(line().levelled())
    average, pairs, weights = game.new_average(), [answer(game, seed) for seed in range(3)], (1.0, 0.25, 0.4)
    assert isinstance(average, BeliefAverage)
    crowd, own = 0.0, 0.0
    for (policy, flow), weight in zip(pairs, weights, strict=True):
        average.mix(game, policy, flow, weight)
        crowd = (1 - weight) * crowd + weight * flow
        own = (1 - weight) * own + weight * game.cost(game.policy_of(policy), flow).cost
    assert average.crowd == pytest.approx(crowd, rel=1e-14)
    assert game.cost(average, average.crowd).cost == pytest.approx(own, rel=1e-14)
    again = game.new_average({name: array.copy() for name, array in average.arrays().items()})
    assert np.array_equal(again.crowd, average.crowd)
    assert game.cost(again, again.crowd) == game.cost(average, average.crowd)


def test_the_own_cost_of_the_mixture_is_at_least_that_of_any_policy_with_its_flow():
    """Entropy is convex: the laws that have the mean flow cost no more than agents who keep to one response each."""
    game = make_game(line().levelled())
    average = game.new_average()
    for seed, length in ((0, 1.0), (1, 0.5)):
        average.mix(game, *answer(game, seed), length)
    mean_of_both = 0.5 * sum(game.cost(game.policy_of(p), m).cost for p, m in (answer(game, 0), answer(game, 1)))
    slope = average.own_slope(game.step, *answer(game, 2), 3.0)
    assert game.cost(average, average.crowd).cost == pytest.approx(mean_of_both, rel=1e-13)
    assert [slope(0.0), slope(0.7)] == [3.0, 3.0]


def test_the_certificate_of_a_mixture_is_what_its_agents_could_gain():
    """sum of costs - V: no agent of the mixture gains more than that, and it is the mean of what each gains."""
    game = make_game(line().levelled())
    average = game.new_average()
    pairs = [answer(game, seed) for seed in range(2)]
    for (policy, flow), length in zip(pairs, (1.0, 0.3), strict=True):
        average.mix(game, policy, flow, length)
    found = certify(game, average, average.crowd)
    price = game.price(average.crowd)
    gains = []
    for policy, flow in pairs:
        paid = game.cost(game.policy_of(policy), flow).cost + game.terminal_total(flow)
        paid += game.weights @ (price * flow).sum(axis=1)
        gains.append(paid - game.respond(price.copy()).mean_value)
    assert found.exploitability == pytest.approx(0.7 * gains[0] + 0.3 * gains[1], rel=1e-12)


# -- games near this one ---------------------------------------------------------------------------------------------


def test_a_dearer_step_is_the_step_of_that_control_cost():
    near = plane(discount=0.6)
    game = make_game(near.levelled())
    dear = make_game(mfg.Problem(
        near.grid, near.time, mfg.ControlledDiffusion(0.04, 2.1, scheme="entropic", reach=4), near.coupling,
        near.initial, near.terminal, normalise=True,
    ).levelled())  # fmt: skip
    price = np.random.default_rng(1).normal(size=game.empty_crowd().shape)
    for made in (game.in_steps_of(step) for step in (game.step.dearer(3.0), game.step.dearer(2.0).dearer(1.5))):
        assert made.respond(price).value == pytest.approx(dear.respond(price).value, rel=1e-14)
        policy = made.respond(price).policy
        crowd = made.flow(policy)
        assert made.cost(made.policy_of(policy), crowd).cost == pytest.approx(
            dear.cost(dear.policy_of(policy), crowd).cost, rel=1e-13
        )
    assert game.step.control_cost == 0.7


def test_best_needs_no_costs_to_rebuild_a_policy():
    game = make_game(line().levelled())
    policy, _ = answer(game)
    again = np.empty_like(policy[2])
    game.step.best(2, game.step.after(game.policy_of(policy), 2), Costs(*[np.zeros(0)] * 3), again)
    assert again == pytest.approx(policy[2], rel=1e-13)
