"""Discounted games against other roads to the same numbers: geometric sums, factors written by hand, recursions in
current values, differences of the potential."""

from dataclasses import replace

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.steps.sweeps import backward as slow_backward

RATE = 0.7


def discounted(problem, rate=RATE):
    return replace(problem, time=replace(problem.time, discount=rate), parameters=None)


def chain(rng, steps, actions, states):
    return rng.dirichlet(np.ones(states), size=(steps, actions, states))


def table_game(rate=RATE, temperature=0.0, by_hand=0.0, seed=3):
    """Three actions, four states, five steps; ``by_hand`` is a rate whose factors stand in the fields themselves."""
    rng, horizon, steps = np.random.default_rng(seed), 2.5, 5
    nodes = np.linspace(0, horizon, steps + 1)
    kernel, cost = chain(rng, steps, 3, 4), rng.random((steps, 3, 4))
    field, last, start = rng.normal(size=4), rng.normal(size=4), rng.dirichlet(np.ones(4))
    return mfg.Problem(
        grid=mfg.States(4), time=mfg.TimeGrid(horizon, steps, discount=rate), initial=start,
        dynamics=mfg.Tabular(
            kernel, cost=cost * np.exp(-by_hand * nodes[:-1])[:, None, None], temperature=temperature,
            actions=["a", "b", "c"],
        ),
        coupling=mfg.CrowdAversion(lambda t, c: (1 + c.state) * np.exp(-by_hand * t))
        + mfg.RunningCost(lambda t, c: field[c.state] * np.exp(-by_hand * t))
        + mfg.CrowdAversion(lambda t, c: (0.5 + 0 * c.state) * np.exp(-by_hand * t), on="occupation")
        + mfg.Price(
            mfg.QuadraticPotential(1.0, lambda t: 0.2 * np.exp(-by_hand * t / 2)),
            amounts=lambda t, c: (c.action * np.exp(-by_hand * t / 2)),
        ),
        terminal=last * np.exp(-by_hand * horizon),
        terminal_coupling=mfg.CrowdAversion(0.3 * np.exp(-by_hand * horizon)),
    )  # fmt: skip


def line_game(rate=RATE, **words):
    """A diffusion on a line with walls, and everything that costs."""
    return mfg.Problem(
        grid=mfg.Grid.box((12,)), time=mfg.TimeGrid(1.5, 20, discount=rate),
        dynamics=mfg.ControlledDiffusion(0.02, 1.3, **words, scheme="upwind"), initial=lambda t, c: 1 + c.x,
        coupling=mfg.CrowdAversion(0.4) + mfg.RunningCost(lambda t, c: np.cos(3 * c.x) * (1 + t)),
        terminal=lambda t, c: (c.x - 0.7) ** 2, terminal_coupling=mfg.CrowdAversion(0.1), normalise=True,
    )  # fmt: skip


def lattice_game(rate=RATE, temperature=0.3, noise="implicit"):
    return mfg.Problem(
        grid=mfg.Grid.box((9,)), time=mfg.TimeGrid(1.0, 8, discount=rate),
        dynamics=mfg.LatticeMoves((-1, 0, 1), costs=(0.1, 0.0, 0.1), viscosity=0.01, noise=noise,
                                  temperature=temperature),
        coupling=mfg.CrowdAversion(0.4) + mfg.RunningCost(lambda t, c: np.cos(4 * c.x)), initial=1.0,
    )  # fmt: skip


GAMES = {
    "diffusion": line_game,
    "explicit noise": lambda rate=RATE: line_game(rate, noise="explicit"),
    "drift": lambda rate=RATE: line_game(rate, drift=lambda t, c: 0.3 - c.x),
    "lattice": lattice_game,
    "sharp tables": table_game,
    "tables": lambda rate=RATE: table_game(rate, 0.4),
}


def some_crowd(game, seed=0):
    """A crowd that is no flow: any belief will do."""
    rng = np.random.default_rng(seed)
    crowd = game.empty_crowd()
    crowd[...] = rng.random(crowd.shape) / crowd[0].size
    return crowd


# -- closed forms ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.0, 0.05, 3.0])
def test_where_nothing_can_be_chosen_costs_are_a_geometric_sum(rate):
    """One state, one action: own cost 0.3 a step, f = 2 per unit of time, g = 5."""
    problem = mfg.Problem(
        grid=mfg.States(1), time=mfg.TimeGrid(4.0, 16, discount=rate), coupling=2.0, initial=np.ones(1),
        dynamics=mfg.Tabular(np.ones((1, 1, 1)), cost=0.3), terminal=np.array([5.0]),
    )  # fmt: skip
    found = mfg.solve(problem)
    per_step = np.exp(-rate * 0.25)
    count = 16 if rate == 0 else (1 - per_step**16) / (1 - per_step)
    end = 5.0 * np.exp(-rate * 4)
    assert found.certificate.movement_cost == pytest.approx(0.3 * count, rel=1e-14)
    assert found.certificate.crowd_cost == pytest.approx(2.0 * 0.25 * count, rel=1e-14)
    assert found.certificate.terminal_cost == pytest.approx(end, rel=1e-14)
    assert found.potential == pytest.approx(0.8 * count + end, rel=1e-14)
    after = np.array([0.8 * per_step**k for k in range(16)])[::-1].cumsum()[::-1] + end
    np.testing.assert_allclose(found.dataset["value"][:-1, 0], after, rtol=1e-13)
    assert float(found.dataset["value"][-1, 0]) == pytest.approx(end, rel=1e-14)


@pytest.mark.parametrize("rate", [0.0, 1.5])
def test_a_linear_quadratic_regulator(rate):
    """min E int e^(-rt) (c a^2 + q x^2) / 2 + e^(-rT) g x^2 / 2: p = e^(rt) V'', p' = r p - q + p^2 / c, p(T) = g."""
    c, q, g, horizon = 0.8, 2.0, 0.5, 1.0
    riccati, length = g, horizon / 20_000
    for _ in range(20_000):  # backward in time, by Heun's steps

        def slope(p):
            return q - p**2 / c - rate * p

        ahead = riccati + length * slope(riccati)
        riccati += 0.5 * length * (slope(riccati) + slope(ahead))

    def bend(cells):
        problem = mfg.Problem(
            grid=mfg.Grid.box((cells,), bounds=[(-3, 3)]), time=mfg.TimeGrid(horizon, 4 * cells, discount=rate),
            dynamics=mfg.ControlledDiffusion(0.01, c, scheme="upwind"),
            coupling=mfg.RunningCost(lambda t, x: q * x.x**2 / 2),
            initial=1 / 6, terminal=lambda t, x: g * x.x**2 / 2,
        )  # fmt: skip
        game = make_game(problem)
        value, h = game.values(game.price(game.resting_crowd(game.empty_crowd())))[0], 6 / cells
        mid = np.abs(problem.coordinates.x) < 1.0
        return 2 * np.polyfit(problem.coordinates.x[mid], value[mid], 2)[0], h

    (coarse, _), (fine, _) = bend(60), bend(120)
    assert 2 * fine - coarse == pytest.approx(riccati, rel=2e-3)
    assert abs(fine - riccati) < 0.7 * abs(coarse - riccati)


# -- other roads -------------------------------------------------------------------------------------------------------


def test_factors_written_into_the_fields_make_the_same_game():
    """Own costs, couplings of every kind, terminal cost and coupling; (A - c)^2 / 2 takes its factor by roots."""
    ours, theirs = make_game(table_game()), make_game(table_game(0.0, by_hand=RATE))
    crowd, root = some_crowd(ours), np.exp(-RATE * ours.time.nodes / 2)

    def there(levels):
        other = levels.copy()
        other[:, -1] *= root
        return other

    np.testing.assert_allclose(ours.step.own_cost, theirs.step.own_cost, rtol=1e-14)
    np.testing.assert_allclose(ours.terminal_cost, theirs.terminal_cost, rtol=1e-14)
    assert ours.potential(crowd) == pytest.approx(theirs.potential(there(crowd)), rel=1e-13)
    assert ours.crowd_effect(crowd) == pytest.approx(theirs.crowd_effect(there(crowd)), rel=1e-12)
    price, other = ours.price(crowd), theirs.price(there(crowd))
    np.testing.assert_allclose(ours.crowd_totals(price, crowd), theirs.crowd_totals(other, there(crowd)), rtol=1e-12)
    states = slice(0, 16)
    mine, yours = (game.weights[:, None] * field for game, field in ((ours, price), (theirs, other)))
    np.testing.assert_allclose(mine[:, states], yours[:, states], atol=1e-14)
    np.testing.assert_allclose(mine[:, -1], root * yours[:, -1], atol=1e-14)
    change = some_crowd(ours, 1)
    for mine, yours in (
        (ours.slope(crowd), theirs.slope(there(crowd))),
        (ours.price_change(crowd, change), theirs.price_change(there(crowd), there(change))),
    ):
        np.testing.assert_allclose(mine[:, :-1], yours[:, :-1], atol=1e-14)
    segment = ours.segment_slope(crowd, change, 0.3)
    assert segment == pytest.approx(theirs.segment_slope(there(crowd), there(change), 0.3), rel=1e-12)
    np.testing.assert_allclose(ours.values(price), theirs.values(other), atol=1e-13)
    mine, yours = mfg.solve(table_game(), tol=1e-13), mfg.solve(table_game(0.0, by_hand=RATE), tol=1e-13)
    assert mine.potential == pytest.approx(yours.potential, abs=1e-12)
    for name in ("density", "policy", "value"):
        np.testing.assert_allclose(mine.dataset[name], yours.dataset[name], atol=1e-6)
    assert mine.certificate.scale == pytest.approx(yours.certificate.scale, rel=1e-6)


@pytest.mark.parametrize("temperature", [0.0, 0.4])
def test_tables_by_a_recursion_in_current_values(temperature):
    """U_t = f_t dt + softmin_a (l + gamma P U_{t+1}) at one temperature, gamma = e^(-r dt), and V_t = D_t U_t."""
    problem = table_game(temperature=temperature)
    game = make_game(problem)
    price = game.price(some_crowd(game))
    dt, gamma, last = 0.5, np.exp(-RATE * 0.5), np.exp(-RATE * 2.5)
    own = make_game(table_game(0.0)).step.own_cost
    value = game.terminal_cost / last + price[-1, :4]
    pays, occupied = price[:-1, 16], price[:-1, 4:16].reshape(5, 3, 4)
    response = game.respond(price)
    found = game.values(price)
    for t in range(4, -1, -1):
        q = (
            own[t]
            + dt * (occupied[t] + pays[t] * np.arange(3.0)[:, None])
            + gamma * problem.dynamics.transitions[t] @ value
        )
        if temperature:
            weight = np.exp(-q / (temperature * dt))
            policy, best = weight / weight.sum(axis=0), -temperature * dt * np.log(weight.sum(axis=0))
        else:
            policy, best = (q == q.min(axis=0)).astype(float), q.min(axis=0)
        value = best + dt * price[t, :4]
        np.testing.assert_allclose(response.policy[t], policy, atol=1e-12)
        np.testing.assert_allclose(found[t], np.exp(-RATE * 0.5 * t) * value, atol=1e-13)
    crowd, paid = game.flow(response.policy), 0.0
    for t in range(5):
        chosen = response.policy[t] * crowd[t, :4]
        entropy = np.sum(chosen * np.log(np.where(response.policy[t] > 0, response.policy[t], 1)))
        paid += np.exp(-RATE * 0.5 * t) * (np.sum(own[t] * chosen) + temperature * dt * entropy)
    assert game.cost(game.policy_of(response.policy), crowd).cost == pytest.approx(paid, rel=1e-12)


@pytest.mark.parametrize("noise", ["implicit", "explicit"])
def test_a_diffusion_by_a_recursion_in_current_values(noise):
    """U = dt f + W + dt sum (c s^2 / 2 - s drop), W = gamma N U: the speeds of the game are those of today's money."""
    problem = line_game(noise=noise)
    game = make_game(problem)
    price = game.price(some_crowd(game))
    dt, h, c, gamma = 0.075, 1 / 12, 1.3, np.exp(-RATE * 0.075)
    value = problem.terminal_cost() + price[-1].reshape(-1)
    found, response = game.values(price), game.respond(price.copy())
    speeds = game.policy_of(response.policy).speed(game.step.mesh, slice(0, 20))
    laplace = (np.diag(np.full(11, 1.0), 1) + np.diag(np.full(11, 1.0), -1)) / h**2
    laplace -= np.diag(laplace.sum(axis=1))
    spread = np.eye(12) + 0.02 * dt * laplace
    if noise == "implicit":
        spread = np.linalg.inv(np.eye(12) - 0.02 * dt * laplace)
    for t in range(19, -1, -1):
        ahead = gamma * spread @ value
        value = ahead + dt * price[t].reshape(-1)
        for k, drop in enumerate((np.append(ahead[:-1] - ahead[1:], 0.0), np.append(0.0, ahead[1:] - ahead[:-1]))):
            speed = np.clip(drop / (h * c), 0.0, h / (2 * dt))
            value += dt * (c * speed**2 / 2 - speed * drop / h)
            np.testing.assert_allclose(speeds[t, k].reshape(-1), speed, atol=1e-11)
        np.testing.assert_allclose(found[t], np.exp(-RATE * dt * t) * value, atol=1e-12)


@pytest.mark.parametrize("name", GAMES)
def test_single_steps_make_the_same_sweep(name):
    """The generic sweep of `best` alone, beside the kernels'."""
    game = make_game(GAMES[name]())
    if game.sees_choices:
        game = make_game(replace(game.problem, coupling=mfg.CrowdAversion(0.3)))
    price = game.price(some_crowd(game))
    fast = game.respond(price.copy())
    policy, costs = game.step.new_policy(), game.costs(price)
    slow = slow_backward(game.step, costs, policy, None)
    np.testing.assert_allclose(fast.value, slow, atol=1e-13)
    np.testing.assert_allclose(fast.policy[: game.steps], policy, atol=1e-12)


# -- structure ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GAMES)
def test_the_price_is_the_derivative_of_the_potential(name):
    game = make_game(GAMES[name]())
    crowd, turn = some_crowd(game), some_crowd(game, 1)
    if game.sees_choices:
        turn[-1, game.cells :] = 0.0
    weighed = game.weights[:, None] * game.flat(game.price(crowd))
    high, low = game.potential(crowd + 1e-5 * turn), game.potential(crowd - 1e-5 * turn)
    assert (weighed * game.flat(turn)).sum() == pytest.approx((high - low) / 2e-5, rel=1e-8)
    bent = game.price_change(crowd, turn)
    above, below = (game.price(crowd + sign * 1e-5 * turn) for sign in (1, -1))
    wanted = game.weights[:, None] * game.flat(above - below) / 2e-5
    np.testing.assert_allclose(game.flat(bent), wanted, atol=1e-9)
    assert game.segment_slope(crowd, crowd + turn, 0.0) == pytest.approx((weighed * game.flat(turn)).sum(), rel=1e-12)


@pytest.mark.parametrize("name", [name for name in GAMES if name != "sharp tables"])
def test_the_answer_to_a_change_of_price_is_symmetric_and_true(name):
    """<u, K v> = <K u, v>, and K is the derivative of the flow of the best response."""
    game = make_game(GAMES[name]())
    price = game.price(some_crowd(game))
    response = game.respond(price.copy())
    policy = response.policy[: game.steps].copy()
    crowd = game.flow(policy)
    u, v = some_crowd(game, 1), some_crowd(game, 2)
    if game.sees_choices:
        u[-1, game.cells :] = v[-1, game.cells :] = 0.0
    if game.weights[-1] == 0:
        u[-1] = v[-1] = 0.0
    moved = [game.curvature(policy, crowd, turn, identity=0.0) for turn in (u, v)]
    assert np.vdot(moved[0], v) == pytest.approx(np.vdot(moved[1], u), rel=1e-9)
    assert np.vdot(moved[0], u) >= -1e-12  # -K is positive semidefinite
    weights = np.where(game.weights > 0, game.weights, 1.0).reshape((-1,) + (1,) * (price.ndim - 1))
    flows = [game.flow(game.respond(price + sign * 1e-6 * v / weights).policy) for sign in (1, -1)]
    np.testing.assert_allclose((flows[0] - flows[1]) / 2e-6, -moved[1], atol=2e-7)


@pytest.mark.slow
@pytest.mark.parametrize("name", GAMES)
def test_a_rate_of_zero_changes_no_bit(name):
    problem, same = GAMES[name](0.0), GAMES[name](0.0)
    plain = replace(same, time=mfg.TimeGrid(same.time.horizon, same.time.steps))
    one, two = mfg.solve(problem, tol=1e-6), mfg.solve(plain, tol=1e-6)
    for variable in one.dataset.data_vars:
        if variable != "seconds":
            np.testing.assert_array_equal(one.dataset[variable], two.dataset[variable])
    assert "discount" not in one.dataset.attrs


def test_constants_are_put_back_discounted():
    """A constant of 100 in every cost moves costs by its present value, and nothing else."""
    problem = table_game(temperature=0.4)
    more = replace(
        problem, coupling=problem.coupling + mfg.RunningCost(100.0), terminal=problem.terminal + 100.0,
        dynamics=replace(problem.dynamics, cost=problem.dynamics.cost + 100.0),
    )  # fmt: skip
    one, two = mfg.solve(problem, tol=1e-11), mfg.solve(more, tol=1e-11)
    kept = np.exp(-RATE * problem.time.nodes)
    paid = 100.0 * (1.5 * kept[:-1].sum() + kept[-1])
    assert two.potential - one.potential == pytest.approx(paid, rel=1e-12)
    ahead = 100.0 * (1.5 * np.append(kept[:-1][::-1].cumsum()[::-1], 0.0) + kept[-1])
    apart = two.dataset["value"] - one.dataset["value"]
    np.testing.assert_allclose(apart, np.repeat(ahead[:, None], 4, axis=1), rtol=1e-9)
    np.testing.assert_allclose(two.dataset["policy"], one.dataset["policy"], atol=1e-9)
