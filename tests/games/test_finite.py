"""Finite games, every number by two roads: brute force over all policies, dense NumPy written from the formulas, finite
differences, and a general convex solver."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import optimize, sparse
from scipy.special import logsumexp, softmax

import mfgsolve as mfg
from mfgsolve.games import Game, make_game
from mfgsolve.kernels import finite
from mfgsolve.steps.table_policies import TablePolicy
from mfgsolve.steps.transitions import stacked

properties = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


# -- dense references ------------------------------------------------------------------------------------------------


def dense_backward(chance, cost, crowd, allowed, tau, last):
    """V and the policy of the best response: P (T, A, S, S), costs (T, A, S) and (T + 1, S)."""
    steps, states = cost.shape[0], cost.shape[2]
    value, policy = np.empty((steps + 1, states)), np.zeros(cost.shape)
    value[-1] = last
    for t in reversed(range(steps)):
        q = np.where(allowed, cost[t] + chance[t] @ value[t + 1], np.inf)
        if tau > 0:
            policy[t], best = softmax(-q / tau, axis=0), -tau * logsumexp(-q / tau, axis=0)
        else:
            policy[t, q.argmin(axis=0), np.arange(states)], best = 1.0, q.min(axis=0)
        value[t] = crowd[t] + best
    return value, policy


def dense_flow(chance, policy, start):
    mass = [start]
    for t in range(len(policy)):
        mass.append(np.einsum("ax,axy,x->y", policy[t], chance[t], mass[-1]))
    return np.array(mass)


def dense_cost(policy, mass, cost, crowd, tau, last):
    """J of a policy, summed forward along its flow."""
    w = policy * mass[:-1, None]
    entropy = np.where(policy > 0, w * np.log(np.where(policy > 0, policy, 1.0)), 0.0)
    return (w * cost).sum() + tau * entropy.sum() + (mass[:-1] * crowd[:-1]).sum() + (mass[-1] * last).sum()


def random_chances(rng, *shape):
    """Rows that sum to 1, with zeros in them; shape (..., states, states)."""
    chance = rng.gamma(0.5, size=shape) * (rng.random(shape) < 0.6)
    chance[..., 0] += 0.01
    return chance / chance.sum(axis=-1, keepdims=True)


def random_allowed(rng, actions, states):
    allowed = rng.random((actions, states)) < 0.7
    allowed[rng.integers(actions, size=states), np.arange(states)] = True
    return allowed


def random_policy(rng, allowed, steps):
    policy = rng.gamma(0.5, size=(steps, *allowed.shape)) * allowed + 1e-3 * allowed
    return policy / policy.sum(axis=1, keepdims=True)


# -- kernels ---------------------------------------------------------------------------------------------------------


def kernel_case(seed, tau, still):
    """Random arrays as kernels take them, and the same dense."""
    rng = np.random.default_rng(seed)
    steps, actions, states = 3, 3, 4
    chance = random_chances(rng, 1 if still else steps, actions, states, states)
    cost = rng.normal(size=(1 if still else steps, actions, states))
    table = stacked([sparse.csr_array(part.reshape(-1, states)) for part in chance])
    allowed, crowd = random_allowed(rng, actions, states), rng.normal(size=(steps + 1, states))
    full = np.broadcast_to(chance, (steps, actions, states, states)), np.broadcast_to(cost, (steps, actions, states))
    return rng, (cost, crowd, allowed, tau, *table), full


@pytest.mark.kernel
@properties
@given(st.integers(0, 2**31), st.sampled_from([0.0, 1e-3, 0.7]), st.booleans())
def test_kernels_equal_dense_arrays(seed, tau, still):
    rng, (cost, crowd, allowed, tau, *table), (chance, full) = kernel_case(seed, tau, still)
    steps, states = 3, 4
    last = rng.normal(size=states)
    value, policy = np.empty((steps + 1, states)), np.empty((steps, 3, states))
    value[-1] = last
    finite.backward(cost, crowd, allowed, np.full(steps, tau), *table, value, policy)
    wanted = dense_backward(chance, full, crowd, allowed, tau, last)
    np.testing.assert_allclose(value, wanted[0], atol=1e-12)
    np.testing.assert_allclose(policy, wanted[1], atol=1e-9)
    assert (policy[:, ~allowed] == 0).all()

    start, mine = rng.dirichlet(np.ones(states)), random_policy(rng, allowed, steps)
    mass = np.full((steps + 1, states), np.nan)
    mass[0] = start
    finite.forward(mine, *table, mass)
    np.testing.assert_allclose(mass, dense_flow(chance, mine, start), atol=1e-14)
    np.testing.assert_allclose(mass.sum(axis=1), 1.0, atol=1e-14)

    q = np.empty_like(mine)
    finite.evaluate(cost, crowd, allowed, np.full(steps, tau), *table, mine, value, q)
    forward_cost = dense_cost(mine, mass, full, crowd, tau, last)
    assert (start * value[0]).sum() == pytest.approx(forward_cost, abs=1e-12)
    np.testing.assert_allclose(q[1], full[1] + chance[1] @ value[2], atol=1e-13)
    least = cost.min(axis=(1, 2), where=allowed, initial=np.inf)
    own, above, size = finite.own_cost(cost, least[:, None], mine, mass, np.full(steps, tau))
    shares = [(cost[min(t, len(cost) - 1)] - least[min(t, len(cost) - 1)]) * mine[t] * mass[t] for t in range(steps)]
    entropy = -np.sum(mine * np.log(np.where(mine > 0, mine, 1.0)) * mass[:-1, None])
    assert above == pytest.approx(np.sum(shares) + tau * entropy, abs=1e-13)
    assert own == pytest.approx(dense_cost(mine, mass, full, 0 * crowd, tau, 0 * last), abs=1e-13)
    assert size >= abs(own)

    scores = rng.normal(scale=300.0, size=mine.shape)
    finite.softmax(scores, allowed, q)
    np.testing.assert_allclose(q, softmax(np.where(allowed, scores, -np.inf), axis=1), atol=1e-14)


@pytest.mark.kernel
@properties
@given(st.integers(0, 2**31), st.booleans())
def test_tangent_kernels_equal_finite_differences(seed, still):
    """d policy and d mass of the best response, against small changes of the costs of states and of choices."""
    rng, (cost, crowd, allowed, tau, *table), _ = kernel_case(seed, 0.6, still)
    turn, bend, start = rng.normal(size=cost.shape), rng.normal(size=crowd.shape), rng.dirichlet(np.ones(4))

    def answer(length):
        value, policy, mass = np.zeros((4, 4)), np.empty((3, 3, 4)), np.empty((4, 4))
        level = crowd + length * bend
        value[-1], mass[0] = level[-1], start
        finite.backward(cost + length * turn, level, allowed, np.full(3, tau), *table, value, policy)
        finite.forward(policy, *table, mass)
        return value, policy, mass

    _, policy, mass = answer(0.0)
    value, change, moved = np.empty((4, 4)), np.empty_like(policy), np.zeros((4, 4))
    value[-1] = bend[-1]
    finite.tangent_backward(turn, bend, policy, *table, value, change)
    finite.tangent_forward(policy, mass, np.full(3, tau), *table, change, moved)
    (above, high, up), (below, low, down) = answer(1e-5), answer(-1e-5)
    np.testing.assert_allclose(value, (above - below) / 2e-5, atol=1e-8)
    np.testing.assert_allclose(moved, (up - down) / 2e-5, atol=1e-8)
    occupation = (high * up[:-1, None] - low * down[:-1, None]) / 2e-5
    np.testing.assert_allclose(change, occupation, atol=1e-8)  # it has become dw


@pytest.mark.kernel
def test_kernel_choices_where_exponentials_overflow():
    """Costs of 1e300 and temperatures of 1e-300 choose the cheapest; what is not allowed is not even looked at."""
    q = np.array([[1e300, 3.0, np.nan], [-1e300, 3.0, 2.0], [np.inf, 2.0, 5.0]])
    allowed = np.array([[True, True, False], [True, True, True], [True, False, True]])
    for tau in (0.0, 1e-300, 1e-3):
        value, policy = np.empty(3), np.empty((3, 3))
        with np.errstate(over="ignore"):  # Python tells of it, machine code does not
            finite.soft_choice(q, allowed, tau, value, policy)
        np.testing.assert_allclose(value, [-1e300, 3.0 - tau * np.log(2), 2.0])
        tied = [1.0, 0.0] if tau == 0 else [0.5, 0.5]
        np.testing.assert_array_equal(policy, [[0.0, tied[0], 0.0], [1.0, tied[1], 1.0], [0.0, 0.0, 0.0]])


# -- lattices ----------------------------------------------------------------------------------------------------------


def landing(grid, cell, offset, walls):
    """Where a displacement (x, y, ...) leads, axis by axis, and whether a wall was in the way."""
    target, free = list(cell), True
    for k, step in enumerate(reversed(offset)):
        axis, target[k] = grid.axes[k], cell[k] + step
        if axis.periodic:
            target[k] %= axis.cells
        elif not 0 <= target[k] < axis.cells:
            target[k], free = min(max(target[k], 0), axis.cells - 1), False
    if grid.mask[tuple(target)] or grid.mask[cell]:
        return cell, False
    return tuple(target), free


def dense_noise(grid, rate):
    """prod of (I - rate Lap)^-1 by axis, or I + rate Lap with ``explicit``, from the faces between free cells."""
    size = grid.size
    laplacian = np.zeros((grid.ndim, size, size))
    for cell in np.ndindex(grid.shape):
        for k, side in itertools.product(range(grid.ndim), (1, -1)):
            offset = [0] * grid.ndim
            offset[grid.ndim - 1 - k] = side
            here = np.ravel_multi_index(cell, grid.shape)
            there = np.ravel_multi_index(landing(grid, cell, offset, "stay")[0], grid.shape)
            laplacian[k, here, there] += 1 / grid.axes[k].spacing ** 2
            laplacian[k, here, here] -= 1 / grid.axes[k].spacing ** 2
    implicit = np.eye(size)
    for part in laplacian:
        implicit = np.linalg.inv(np.eye(size) - rate * part) @ implicit
    return implicit, np.eye(size) + rate * laplacian.sum(axis=0)


def dense_lattice(dynamics, grid, dt):
    """P (A, S, S), moves then jumps then noise, and the allowed moves (A, S), cell by cell."""
    actions, size = len(dynamics.moves), grid.size
    chance, allowed = np.zeros((actions, size, size)), np.ones((actions, size), dtype=bool)
    for a, move in enumerate(dynamics.moves):
        for cell in np.ndindex(grid.shape):
            here = np.ravel_multi_index(cell, grid.shape)
            target, free = landing(grid, cell, move, dynamics.walls)
            if dynamics.walls == "forbid" and not free and not grid.mask[cell]:
                allowed[a, here] = False
            for jump, probability in dynamics.jumps:
                end = landing(grid, target, jump, "stay")[0]
                chance[a, here, np.ravel_multi_index(end, grid.shape)] += probability
    implicit, explicit = dense_noise(grid, dynamics.viscosity * dt)
    return chance @ (implicit if dynamics.noise == "implicit" else explicit), allowed


SIZES = {1: (2, 6), 2: (2, 4), 3: (2, 3)}


@st.composite
def lattices(draw):
    """A lattice game with random everything, and a generator."""
    ndim = draw(st.sampled_from([1, 2, 3]))
    sizes = tuple(draw(st.integers(*SIZES[ndim])) for _ in range(ndim))
    boundary = [draw(st.sampled_from(["reflecting", "periodic"])) for _ in range(ndim)]
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    blocked = rng.random(sizes) < draw(st.sampled_from([0.0, 0.3]))
    blocked.flat[0] = False
    grid = mfg.Grid.box(sizes, [(0.0, 1.0 + k) for k in range(ndim)], boundary, blocked=blocked)
    steps, offsets = 3, list(itertools.product([-2, -1, 0, 1, 2], repeat=ndim))
    dt = 0.5 / steps
    noise = draw(st.sampled_from(["implicit", "explicit"]))
    most = 1 / (2 * dt * sum(a.spacing**-2 for a in grid.axes))
    picked = [offsets[k] for k in rng.choice(len(offsets), size=min(4, len(offsets)), replace=False)]
    moves = [(0,) * ndim] + [move for move in picked if any(move)]
    jumps = None
    if draw(st.booleans()):
        jumps = {offsets[k]: 1 / 3 for k in rng.choice(len(offsets), size=3, replace=False)}
    dynamics = mfg.LatticeMoves(
        moves, tuple(rng.normal(size=len(moves))), viscosity=draw(st.sampled_from([0.0, 0.6])) * most, noise=noise,
        jumps=jumps, walls=draw(st.sampled_from(["stay", "forbid"])), temperature=draw(st.sampled_from([0.0, 0.4])),
    )  # fmt: skip
    start = np.where(
        blocked, 0.0, rng.random(sizes) * (rng.random(sizes) < 0.7) + np.eye(1, blocked.size).reshape(sizes)
    )
    problem = mfg.Problem(
        grid=grid, time=mfg.TimeGrid(0.5, steps), dynamics=dynamics, initial=start, normalise=True,
        coupling=mfg.CrowdAversion(0.4) + mfg.CrowdAversion(0.2, on="occupation"), terminal=rng.normal(size=sizes),
        terminal_coupling=mfg.CrowdAversion(0.3) if draw(st.booleans()) else None,
    )  # fmt: skip
    return problem, rng


@properties
@given(lattices())
def test_lattice_sweeps_equal_dense_matrices_and_are_adjoint(case):
    problem, rng = case
    game = Game(problem)
    chance, allowed = dense_lattice(problem.dynamics, problem.grid, game.dt)
    np.testing.assert_array_equal(game.allowed, allowed)
    np.testing.assert_allclose(chance.sum(axis=2), 1.0, atol=1e-12)
    price = rng.normal(size=(game.steps + 1, game.width))
    size = game.states
    choices = price[:-1, size:].reshape(game.steps, game.actions, size)
    cost = np.where(allowed, np.array(problem.dynamics.costs)[:, None], 0.0) + game.dt * choices
    crowd = game.weights[:, None] * price[:, :size]
    last = crowd[-1] + problem.terminal_cost().ravel()
    chances = np.broadcast_to(chance, (game.steps, *chance.shape))
    value, policy = dense_backward(chances, cost, crowd, allowed, game.tau, last)
    response = game.respond(price)
    np.testing.assert_allclose(response.value, value[0], atol=1e-11)
    np.testing.assert_allclose(game.flat(game.values(price))[:, ~problem.grid.mask.ravel()],
                               value[:, ~problem.grid.mask.ravel()], atol=1e-11)  # fmt: skip
    assert response.mean_value == pytest.approx(float(game.initial_mass @ value[0]), abs=1e-12)
    if game.tau:
        np.testing.assert_allclose(response.policy, policy, atol=1e-10)

    mine = random_policy(rng, allowed, game.steps)
    seen, mass = game.flow(mine), dense_flow(chances, mine, game.initial_mass)
    np.testing.assert_allclose(seen[:, :size], mass, atol=1e-13)
    np.testing.assert_allclose(seen[:-1, size:].reshape(mine.shape), mine * mass[:-1, None], atol=1e-13)
    assert game.mass_error(seen) < 1e-13
    assert np.abs(game.mass(seen)[:, problem.grid.mask]).max(initial=0.0) == 0.0
    backward, q = game.evaluate(mine, price)
    assert game.initial_mass @ backward[0] == pytest.approx(
        dense_cost(mine, mass, cost, crowd, game.tau, last), abs=1e-11
    )
    np.testing.assert_allclose(q[-1], cost[-1] + chance @ last, atol=1e-11)


def free_games():
    """Games without costs or temperature, whose cost is <v, m_T>: (problem, name)."""
    rng = np.random.default_rng(5)
    states, box = mfg.States(4), mfg.Grid.box((3, 4), boundary=("reflecting", "periodic"))
    moves = mfg.LatticeMoves([(0, 0), (1, 0), (-1, 1)], viscosity=0.05, jumps={(0, 0): 0.5, (0, 1): 0.5})
    forbid = mfg.LatticeMoves([(0, 0), (2, 1)], walls="forbid")
    table = mfg.Tabular(random_chances(rng, 5, 2, 4, 4))
    still = mfg.Tabular(random_chances(rng, 3, 4, 4))
    return {
        "lattice": (box, moves),
        "tabular": (states, table),
        "two tables": (mfg.Populations(["a", "b"], states), (table, still)),
        "two lattices": (mfg.Populations(["a", "b"], box), (moves, forbid)),
        "three": (mfg.Populations(["a", "b", "c"], box), (forbid, moves, mfg.Tabular([np.eye(12)]))),
    }


@pytest.mark.parametrize("name", free_games())
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_push_and_expect_are_adjoint_and_every_population_keeps_its_mass(name, seed):
    space, dynamics = free_games()[name]
    rng = np.random.default_rng(seed)
    reward = rng.normal(size=space.shape)
    game = make_game(mfg.Problem(
        grid=space, time=mfg.TimeGrid(1.0, 5), dynamics=dynamics, coupling=0.0, terminal=reward,
        initial=rng.random(space.shape), normalise=True))  # fmt: skip
    policy = random_policy(rng, game.allowed, 5)
    crowd = game.flow(policy)
    mass = game.mass(crowd)
    expected = game.evaluate(policy, np.zeros_like(crowd))[0]
    assert (mass[-1] * reward).sum() == pytest.approx(game.initial_mass @ expected[0], abs=1e-13)
    masses = mass.reshape(6, space.populations, -1).sum(axis=2)
    np.testing.assert_allclose(masses, 1.0, atol=1e-14)
    assert game.mass_error(crowd) == pytest.approx(np.abs(masses - 1).max(), abs=1e-16)
    level, other = rng.normal(size=(2, game.states))
    there, back = game.diffuse(level, True) @ other, level @ game.diffuse(other, False)
    assert there == pytest.approx(back, abs=1e-13)


# -- brute force -------------------------------------------------------------------------------------------------------

WEIGHT, CENTRE, STATE, CHOICE, LAST = 1.5, 0.2, 0.7, 0.3, 0.4


def small_game(seed, populations, actions, temperature=0.0):
    """Three states, three steps, everything moving with time; its arrays by population: (problem, parts, amounts)."""
    rng = np.random.default_rng(seed)
    parts, dynamics = [], []
    for p in range(populations):
        count = actions - p  # the second population has fewer actions
        chance, cost = random_chances(rng, 3, count, 3, 3), rng.normal(size=(3, count, 3))
        allowed = random_allowed(rng, count, 3)
        parts.append((chance, np.where(allowed, cost, 0.0), allowed))
        dynamics.append(mfg.Tabular(chance, cost, temperature, allowed=allowed))
    states = mfg.States(3)
    space = states if populations == 1 else mfg.Populations([f"type {p}" for p in range(populations)], states)
    amounts = rng.normal(size=(actions, *space.shape))
    problem = mfg.Problem(
        grid=space, time=mfg.TimeGrid(0.6, 3), dynamics=dynamics,
        initial=rng.dirichlet(np.ones(3), populations).reshape(space.shape),
        coupling=mfg.CrowdAversion(STATE) + mfg.CrowdAversion(CHOICE, on="occupation")
        + mfg.Price(mfg.QuadraticPotential(WEIGHT, CENTRE), amounts=amounts),
        terminal=rng.normal(size=space.shape), terminal_coupling=mfg.CrowdAversion(LAST),
    )  # fmt: skip
    return problem, parts, amounts.reshape(actions, populations, 3)


def crowd_costs(problem, parts, amounts, policies):
    """What the crowd that follows the policies makes agents pay, by population: costs of choices, of states, last."""
    dt, starts = problem.time.dt, problem.initial_mass().reshape(len(parts), 3)
    last = problem.terminal_cost().reshape(len(parts), 3)
    masses = [dense_flow(part[0], pi, m) for part, pi, m in zip(parts, policies, starts, strict=True)]
    occupations = [pi * m[:-1, None] for pi, m in zip(policies, masses, strict=True)]
    total = sum(np.einsum("ax,tax->t", amounts[: w.shape[1], p], w) for p, w in enumerate(occupations))
    price = WEIGHT * (total - CENTRE)
    found = []
    for p, (w, m) in enumerate(zip(occupations, masses, strict=True)):
        choice = parts[p][1] + dt * (CHOICE * w + price[:, None, None] * amounts[: w.shape[1], p])
        found.append((choice, dt * STATE * m, last[p] + LAST * m[-1], m))
    return found


def cheapest(part, costs, start):
    """Least cost of all deterministic Markov policies of one population, each followed by hand."""
    chance, _, allowed = part
    choice, crowd, last, _ = costs
    rules = [rule for rule in itertools.product(range(allowed.shape[0]), repeat=3) if allowed[rule, [0, 1, 2]].all()]
    rules = np.array(rules)
    plans = np.array(list(itertools.product(range(len(rules)), repeat=3)))
    mass, cost, states = np.tile(start, (len(plans), 1)), np.zeros(len(plans)), np.arange(3)
    for t in range(3):
        picked = rules[plans[:, t]]
        cost += (mass * (choice[t][picked, states] + crowd[t])).sum(axis=1)
        mass = np.einsum("nx,nxy->ny", mass, chance[t][picked, states])
    return (cost + mass @ last).min()


@pytest.mark.parametrize(("populations", "actions", "seed"), [(1, 2, 0), (1, 3, 1), (1, 3, 2), (2, 2, 3), (2, 3, 4)])
def test_best_response_and_exploitability_equal_brute_force(populations, actions, seed):
    problem, parts, amounts = small_game(seed, populations, actions)
    game, rng = Game(problem), np.random.default_rng(seed)
    starts = problem.initial_mass().reshape(populations, 3)
    for _ in range(4):
        policies = [random_policy(rng, part[2], 3) for part in parts]
        table = np.zeros((3, actions, *problem.grid.shape))
        for p, policy in enumerate(policies):
            table[(slice(None), slice(0, policy.shape[1]), *([p] if populations > 1 else []))] = policy
        costs = crowd_costs(problem, parts, amounts, policies)
        best = sum(cheapest(*parts_costs) for parts_costs in zip(parts, costs, starts, strict=True))
        paid = sum(
            dense_cost(policy, mass, choice, np.vstack([crowd, 0 * last]), 0.0, last)
            for policy, (choice, crowd, last, mass) in zip(
                policies, [(c, d[:-1], e, m) for c, d, e, m in costs], strict=True
            )
        )
        crowd = game.flow(table.reshape(3, actions, -1))
        assert game.respond(game.price(crowd)).mean_value == pytest.approx(best, abs=1e-12)
        certificate = mfg.exploitability(problem, table)
        assert certificate.cost == pytest.approx(paid, abs=1e-12)
        assert certificate.exploitability == pytest.approx(paid - best, abs=1e-12)
        assert certificate.exploitability >= 0
        assert certificate.mass_error < 1e-14


def test_the_best_of_all_policies_is_a_fixed_point_of_the_certificate():
    """In a game that the crowd does not change, the cheapest plan of brute force has exploitability zero."""
    problem, parts, _ = small_game(8, 1, 2)
    quiet = mfg.Problem(grid=problem.grid, time=problem.time, dynamics=problem.dynamics, coupling=0.0,
                        initial=problem.initial, terminal=problem.terminal)  # fmt: skip
    solution = mfg.solve(quiet, method="fictitious-play", tol=1e-14)
    none = parts[0][1], np.zeros((3, 3)), problem.terminal_cost(), None
    assert solution.certificate.cost == pytest.approx(cheapest(parts[0], none, problem.initial_mass()), abs=1e-13)
    assert abs(solution.exploitability) < 1e-14


# -- the crowd and what it costs ---------------------------------------------------------------------------------------


def crowd_games():
    rng = np.random.default_rng(12)
    states, box = mfg.States(3), mfg.Grid.box((2, 3), bounds=[(0, 1), (0, 3)])
    both = mfg.Populations(["a", "b"], states)
    table = mfg.Tabular(random_chances(rng, 2, 3, 3), temperature=0.5)
    moves = mfg.LatticeMoves([(0, 0), (1, 0), (0, 1)], (0.0, 0.3, 0.1), viscosity=0.02, temperature=0.5)
    symmetric = rng.normal(size=(3, 3))
    symmetric = symmetric @ symmetric.T
    cubic = mfg.CustomCoupling(
        cost=lambda t, c, rho: (1 + t + c.action) * rho**3, potential=lambda t, c, rho: (1 + t + c.action) * rho**4 / 4,
        derivative=lambda t, c, rho: 3 * (1 + t + c.action) * rho**2, monotone=True, on="occupation",
    )  # fmt: skip
    whole = mfg.CustomCoupling(
        cost=lambda t, c, rho: (rho**2).sum() * rho, potential=lambda t, c, rho: (rho**2).sum() ** 2 / 4 / rho.size,
        tangent=lambda t, c, rho, d: 2 * (rho * d).sum() * rho + (rho**2).sum() * d, monotone=True,
    )  # fmt: skip
    price = mfg.Price(mfg.QuadraticPotential(0.8, lambda t: t), amounts=[1.0, -2.0])
    prices = price + mfg.Price(mfg.QuadraticPotential(0.3), amounts=lambda t, c: t + c.action - c.state)
    on_box = mfg.Price(mfg.QuadraticPotential(0.8), amounts=lambda t, c: c.action * c.x + c.y)
    return {
        "state": (states, table, mfg.CrowdAversion(0.5) + mfg.RunningCost(lambda t, c: t * c.state), None),
        "interaction": (states, table, mfg.Interaction(symmetric), mfg.LogCongestion(0.2, shift=0.1)),
        "populations": (both, [table, table], mfg.Interaction([[1, 0.5], [0.5, 1]], between="populations"), None),
        "occupation": (states, table, mfg.LogCongestion(0.5, on="occupation"), mfg.CrowdAversion(0.4)),
        "custom": (states, table, cubic, None),
        "custom, not local": (states, table, whole, mfg.CrowdAversion(0.2)),
        "price": (states, table, price, None),
        "prices": (states, table, prices, mfg.CrowdAversion(1.0)),
        "all": (states, table, mfg.CrowdAversion(0.5, power=2) + prices + cubic + mfg.Interaction(symmetric), None),
        "lattice": (box, moves, mfg.CrowdAversion(0.5) + mfg.Congestion(1.0, 0.3, on="occupation") + on_box,
                    mfg.CrowdAversion(0.2)),
    }  # fmt: skip


def crowd_game(name):
    space, dynamics, coupling, last = crowd_games()[name]
    rng = np.random.default_rng(3)
    problem = mfg.Problem(
        grid=space, time=mfg.TimeGrid(0.8, 4), dynamics=dynamics, coupling=coupling, terminal_coupling=last,
        initial=rng.random(space.shape) + 0.1, normalise=True, terminal=rng.normal(size=space.shape))  # fmt: skip
    return make_game(problem), rng


@pytest.mark.parametrize("name", crowd_games())
def test_price_is_the_derivative_of_the_potential(name):
    game, rng = crowd_game(name)
    start, end = (game.flow(random_policy(rng, game.allowed, 4)) for _ in range(2))
    change, h = end - start, 1e-5

    def rise(share):
        return (game.potential(start + (share + h) * change) - game.potential(start + (share - h) * change)) / (2 * h)

    price = game.price(start)
    assert game.price_and_potential(start, np.empty_like(price)) == game.potential(start)
    paid = (game.weights[:, None] * price * change).sum()
    assert paid == pytest.approx(rise(0.0), rel=1e-7, abs=1e-9)
    assert game.crowd_totals(price, change)[0] == pytest.approx(paid, abs=1e-14)
    for share in (0.0, 0.4):
        assert game.segment_slope(start, end, share) == pytest.approx(rise(share), rel=1e-7, abs=1e-9)
    bend = game.weights[:, None] * (game.price(start + h * change) - game.price(start - h * change)) / (2 * h)
    np.testing.assert_allclose(game.price_change(start, change), bend, rtol=1e-6, atol=1e-8)
    slope = game.slope(start)
    assert (slope is not None) == game.problem.is_local
    if slope is not None:
        np.testing.assert_allclose(slope * change, bend, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", crowd_games())
def test_curvature_is_the_derivative_of_the_flow_of_the_best_response(name):
    game, rng = crowd_game(name)
    price = rng.normal(size=(5, game.width))
    final = game.problem.terminal_coupling is not None
    shape = np.ones_like(price)
    shape[-1, game.states :] = 0.0  # nothing is chosen at the end
    shape[-1, : game.states] = float(final)
    one, two = (rng.normal(size=price.shape) * shape for _ in range(2))
    ahead = game.respond(price).policy
    crowd = game.flow(ahead)
    per_time = np.where(game.weights > 0, 1 / np.where(game.weights > 0, game.weights, 1.0), 0.0)[:, None]

    def seen(length):
        return game.flow(game.respond(price + length * per_time * one).policy)

    image = -game.curvature(ahead, crowd, one, identity=0.0)
    np.testing.assert_allclose(image, (seen(1e-5) - seen(-1e-5)) / 2e-5, atol=1e-8)
    other = -game.curvature(ahead, crowd, two, identity=0.0)
    assert (two * image).sum() == pytest.approx((one * other).sum(), rel=1e-11)
    assert (one * image).sum() < 0
    assert (two * other).sum() < 0
    scale = rng.random(price.shape)
    result = game.curvature(ahead, crowd, two, scale, identity=0.7)
    np.testing.assert_allclose(result, 0.7 * two + game.curvature(ahead, crowd, scale * two, identity=0.0), atol=1e-13)


def test_curvature_needs_a_temperature():
    game = Game(small_game(0, 1, 2)[0])
    policy = game.uniform()
    with pytest.raises(mfg.InputError, match="temperature 0"):
        game.curvature(policy, game.flow(policy), game.empty_crowd())


@pytest.mark.parametrize("tau", [0.0, 0.5])
def test_mean_plans_cost_no_more_than_their_mixture_and_know_their_slope(tau):
    game = Game(small_game(4, 2, 3, tau)[0])
    rng = np.random.default_rng(0)
    first, second = (random_policy(rng, game.allowed, 3) for _ in range(2))
    crowds = [game.flow(first), game.flow(second)]

    def plan(length):
        mean = game.new_average()
        mean.mix(game, first, crowds[0], 1.0)
        mean.mix(game, second, crowds[1], length)
        return mean

    costs = [game.cost(TablePolicy(pi), crowd)[0] for pi, crowd in zip((first, second), crowds, strict=True)]
    mean = plan(0.3)
    np.testing.assert_allclose(mean.crowd, game.flow(mean.policy(game.uniform())), atol=1e-15)
    own = game.cost(mean, mean.crowd)[0]
    assert own <= 0.7 * costs[0] + 0.3 * costs[1] + 1e-14
    slope = plan(0.0).own_slope(game.step, second, crowds[1], costs[1] - costs[0])
    above, below = (plan(0.3 + h) for h in (1e-5, -1e-5))
    rise = (game.cost(above, above.crowd)[0] - game.cost(below, below.crowd)[0]) / 2e-5
    assert slope(0.3) == pytest.approx(rise, rel=1e-7)


# -- solvers -----------------------------------------------------------------------------------------------------------


def convex_programme(problem, parts, amounts):
    """Least potential over occupations, by sequential quadratic programming on the flow constraints."""
    (chance, cost, allowed), alpha = parts[0], amounts[:, 0]
    dt, tau, start, last = (
        problem.time.dt,
        problem.temperature * problem.time.dt,
        problem.initial_mass(),
        problem.terminal,
    )
    shape = cost.shape
    free = np.broadcast_to(allowed, shape)

    def full(x):
        w = np.zeros(shape)
        w[free] = x
        return w

    def masses(w):
        return np.vstack([w.sum(axis=1), np.einsum("ax,axy->y", w[-1], chance[-1])[None]])

    def energy(x):
        w = full(x)
        m = masses(w)
        total = (alpha * w).sum(axis=(1, 2))
        safe = np.maximum(w, 1e-300)
        value = (cost * w).sum() + tau * (w * np.log(safe / np.maximum(m[:-1, None], 1e-300))).sum() + last @ m[-1]
        value += dt * (STATE * m[:-1] ** 2 / 2).sum() + dt * (CHOICE * w**2 / 2).sum() + LAST * (m[-1] ** 2).sum() / 2
        value += dt * WEIGHT * ((total - CENTRE) ** 2).sum() / 2
        slope = cost + tau * np.log(safe / np.maximum(m[:-1, None], 1e-300)) + dt * (STATE * m[:-1, None] + CHOICE * w)
        slope += dt * WEIGHT * (total - CENTRE)[:, None, None] * alpha
        slope[-1] += chance[-1] @ (last + LAST * m[-1])
        return value, slope[free]

    def flows(x):
        w = full(x)
        m = masses(w)
        pushed = [np.einsum("ax,axy->y", w[t], chance[t]) for t in range(len(w) - 1)]
        return np.concatenate([m[0] - start, *[m[t + 1] - pushed[t] for t in range(len(w) - 1)]])

    guess = dense_flow(chance, allowed / allowed.sum(axis=0) * np.ones(shape), start)[:-1, None] * (
        allowed / allowed.sum(axis=0)
    )
    matrix = np.array([flows(unit) for unit in np.eye(free.sum())]).T - flows(np.zeros(free.sum()))[:, None]
    done = optimize.minimize(
        energy, guess[free], jac=True, method="SLSQP", bounds=[(1e-12, 1)] * int(free.sum()),
        constraints={"type": "eq", "fun": flows, "jac": lambda x: matrix}, options={"maxiter": 500, "ftol": 1e-15},
    )  # fmt: skip
    return done.fun, full(done.x)


@pytest.mark.parametrize("seed", [0])
def test_solvers_reach_the_minimum_of_the_convex_programme(seed):
    problem, parts, amounts = small_game(seed, 1, 3, 0.8)
    least, occupation = convex_programme(problem, parts, amounts)
    newton = mfg.solve(problem, method="newton", tol=1e-12)
    assert newton.converged
    assert newton.potential == pytest.approx(least, abs=1e-9)
    assert newton.certificate.duality_gap < 1e-11
    found = newton.dataset["policy"].values * newton.dataset["density"].values[:-1, None]
    np.testing.assert_allclose(found, occupation, atol=2e-4)
    for method, tol in (("frank-wolfe", 1e-7), ("fictitious-play", 3e-3)):
        other = mfg.solve(problem, method=method, tol=tol, max_iterations=3000)
        assert other.converged
        assert -1e-12 <= other.potential - newton.potential <= other.exploitability + 1e-12  # the free certificate
    assert other.sweeps > 1


def sharp_game():
    """Temperature 0, local crowd aversion: a potential game on a line."""
    return mfg.Problem(
        grid=mfg.Grid.box((5,)), time=mfg.TimeGrid(4.0, 4),
        dynamics=mfg.LatticeMoves((-1, 0, 1), (0.1, 0.0, 0.1), jumps={-1: 0.1, 0: 0.8, 1: 0.1}),
        coupling=mfg.CrowdAversion(0.3) + mfg.RunningCost(lambda t, c: (c.x - 0.8) ** 2),
        initial=lambda t, c: 5.0 * (c.x < 0.2),
    )  # fmt: skip


def hunters(temperature=0.3):
    """Three populations that hunt each other in a circle: monotone, and without a potential."""
    cycle = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
    place = mfg.Populations(["a", "b", "c"], mfg.Grid.box((2, 3), bounds=[(0, 1), (0, 3)]))
    moves = mfg.LatticeMoves([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)], jumps={(0, 0): 0.8, (0, 1): 0.2},
                             temperature=temperature)  # fmt: skip
    start = np.zeros(place.shape)
    start[0, 0, 0] = start[1, 1, 2] = start[2, 0, 2] = 2.0
    return mfg.Problem(
        grid=place, time=mfg.TimeGrid(3.0, 3), dynamics=[moves] * 3, initial=start,
        coupling=mfg.Interaction(-cycle, between="populations") + mfg.LogCongestion(0.5, shift=0.1),
    )  # fmt: skip


def test_several_populations_without_potential():
    problem = hunters()
    assert not problem.is_potential
    assert problem.is_monotone
    newton = mfg.solve(problem, method="newton", tol=1e-11)
    play = mfg.solve(problem, method="fictitious-play", tol=1e-4, max_iterations=4000)
    assert newton.converged
    assert play.converged
    assert np.isnan(newton.potential)
    np.testing.assert_allclose(play.dataset["density"].values, newton.dataset["density"].values, atol=0.02)
    with pytest.raises(mfg.InputError, match="no potential"):
        mfg.solve(problem, method="frank-wolfe")


def epidemic(steps=20):
    """Susceptible-infected (Cui and Koeppl, arXiv:2102.01585): going out infects with the share of the infected."""

    def spread(t, mass):
        risk = 0.81 * mass[1]
        return [np.array([[1 - risk, risk], [0.3, 0.7]]), np.array([[1.0, 0.0], [0.3, 0.7]])]

    return mfg.Problem(
        grid=mfg.States(["S", "I"]), time=mfg.TimeGrid(steps, steps), coupling=0.0, initial=np.array([0.4, 0.6]),
        dynamics=mfg.Tabular(spread, cost=[[0.0, 1.0], [0.5, 1.5]], actions=["out", "home"]),
    ), spread  # fmt: skip


def test_dynamics_coupled_to_the_crowd_are_certified_on_a_consistent_pair(tmp_path):
    problem, spread = epidemic()
    solution = mfg.solve(problem, method="fictitious-play", max_iterations=30, check="ignore")
    policy, mass = solution.dataset["policy"].values, solution.dataset["density"].values
    chance, here = [], np.array([0.4, 0.6])
    for t in range(20):
        chance.append(spread(float(t), here))
        np.testing.assert_allclose(mass[t], here, atol=1e-13)
        here = np.einsum("ax,axy,x->y", policy[t], chance[t], here)
    chance, cost = np.array(chance), np.broadcast_to([[0.0, 1.0], [0.5, 1.5]], (20, 2, 2))
    nothing = np.zeros((21, 2))
    best = dense_backward(chance, cost, nothing, np.ones((2, 2), dtype=bool), 0.0, np.zeros(2))[0]
    paid = dense_cost(policy, mass, cost, nothing, 0.0, np.zeros(2))
    assert solution.exploitability == pytest.approx(paid - np.array([0.4, 0.6]) @ best[0], abs=1e-12)
    uniform = mfg.exploitability(problem, np.full((20, 2, 2), 0.5)).exploitability
    assert 0 <= solution.exploitability < 0.2 * uniform
    np.testing.assert_allclose(solution.dataset["value"].values, best, atol=1e-12)
    assert mfg.load(solution.save(tmp_path / "epidemic.nc")).dataset["policy"].dims == ("step", "action", "state")


def test_the_published_uniform_exploitability_of_the_epidemic():
    """MFGLib 0.3.0 scores the uniform policy of its susceptible-infected game, rewards at t = 0..50, so."""
    problem, _ = epidemic(51)
    certificate = mfg.exploitability(problem, np.full((51, 2, 2), 0.5))
    assert certificate.exploitability == pytest.approx(5.46687391323, abs=1e-11)


@pytest.mark.parametrize(
    ("method", "why"), [("complementarity", "depend on the crowd"), ("frank-wolfe", "no potential")]
)
def test_solvers_that_need_fixed_transitions_say_so(method, why):
    with pytest.raises(mfg.InputError, match=why):
        mfg.solve(epidemic()[0], method=method)
    with pytest.raises(mfg.InputError, match="more than 600 masses"):
        mfg.solve(epidemic(400)[0], method="newton")


def test_newton_by_differences_finds_what_fictitious_play_finds_in_a_coupled_game():
    problem = epidemic(8)[0].at_temperature(0.3)
    newton = mfg.solve(problem, method="newton", tol=1e-12)
    play = mfg.solve(problem, method="fictitious-play", tol=1e-7)
    np.testing.assert_allclose(newton.dataset["density"], play.dataset["density"], atol=1e-3)


# -- checkpoints and files -------------------------------------------------------------------------------------------

RUNS = {
    "newton, cooled to zero": (sharp_game, {"method": "newton", "tol": 1e-6}),
    "newton, warm": (lambda: small_game(1, 2, 3, 0.05)[0], {"method": "newton", "tol": 1e-12}),
    "newton, no potential": (hunters, {"method": "newton", "tol": 1e-11}),
    "frank-wolfe": (lambda: small_game(0, 2, 3, 0.1)[0], {"method": "frank-wolfe"}),
    "frank-wolfe, sharp": (sharp_game, {"method": "frank-wolfe"}),
    "fictitious-play": (lambda: small_game(1, 2, 3)[0], {"method": "fictitious-play"}),
    "uniform play": (hunters, {"method": "fictitious-play", "average": "uniform"}),
    "epidemic": (lambda: epidemic()[0], {"method": "fictitious-play"}),
}


@pytest.mark.parametrize("name", RUNS)
def test_resume_continues_bit_for_bit(name, tmp_path):
    make, options = RUNS[name]
    limit, file = 9, tmp_path / "point.nc"
    whole = mfg.solve(make(), max_iterations=limit, check="ignore", **options)
    assert whole.iterations >= 3
    mfg.solve(make(), max_iterations=2, checkpoint=file, check="ignore", **options)
    assert mfg.resume(file, problem=make(), max_iterations=4, check="ignore").iterations <= 4
    rest = mfg.resume(file, problem=make(), max_iterations=limit, check="ignore")
    assert rest.iterations == whole.iterations
    for variable in whole.dataset.data_vars:
        if variable != "seconds":
            np.testing.assert_array_equal(rest.dataset[variable].values, whole.dataset[variable].values, variable)
    assert repr(rest.certificate) == repr(whole.certificate)  # NaN and all
    assert rest.status == whole.status


def test_a_checkpoint_is_not_continued_in_another_finite_game(tmp_path):
    file = tmp_path / "point.nc"
    mfg.solve(sharp_game(), method="frank-wolfe", max_iterations=1, checkpoint=file, check="ignore")
    with pytest.raises(mfg.InputError, match="another game"):
        mfg.resume(file, problem=sharp_game().at_temperature(0.1))


SAVED = {
    "tabular": lambda: small_game(1, 1, 3, 0.5)[0],
    "types": lambda: small_game(1, 2, 3, 0.5)[0],
    "lattice": lambda: sharp_game().at_temperature(0.2),
    "lattices": hunters,
    "named states": lambda: mfg.Problem(
        grid=mfg.States(["home", "work"]), time=mfg.TimeGrid(3.0, 3, "h"), coupling=mfg.CrowdAversion(1.0),
        dynamics=mfg.Tabular([np.eye(2), np.eye(2)[::-1]], actions=["stay", "swap"], temperature=0.1),
        initial=np.array([1.0, 0.0])),
}  # fmt: skip


@pytest.mark.parametrize("name", SAVED)
def test_solutions_are_read_back_and_certified_again(name, tmp_path):
    problem = SAVED[name]()
    solution = mfg.solve(problem)
    back = mfg.load(solution.save(tmp_path / "plan.nc"))
    for variable in solution.dataset.variables:
        np.testing.assert_array_equal(back.dataset[variable].values, solution.dataset[variable].values, variable)
        assert back.dataset[variable].dims == solution.dataset[variable].dims
    again = {key: value for key, value in back.summary().items() if value == value}
    assert again == {key: value for key, value in solution.summary().items() if value == value}
    for policy in (solution, back, solution.dataset["policy"].values, back.dataset["policy"][:, ::-1]):
        certificate = mfg.exploitability(problem, policy)
        assert certificate.exploitability == pytest.approx(
            solution.exploitability, abs=1e-15 + 1e-13 * certificate.scale
        )
        assert certificate.cost == pytest.approx(solution.certificate.cost, rel=1e-13)
    assert mfg.solve(problem, start=back).converged


# -- policies that a user brings -------------------------------------------------------------------------------------


def put(index, value):
    def change(policy):
        policy[index] = value
        return policy

    return change


POLICIES = [
    (lambda pi: pi[:2], r"policy has shape \(2, 3, 3\); \(step, action, \.\.\.\) = \(3, 3, 3\) is needed"),
    (lambda pi: pi[..., None], r"policy has shape \(3, 3, 3, 1\)"),
    (put((1, 0, 2), -0.5), r"probability -0\.5 of action 0 in state 2 at step 1; none is negative"),
    (put((2, 1, 0), np.nan), r"not finite"),
    (lambda pi: 0.5 * pi, r"policy in state 0 at step 0 sums to 0\.5; probabilities sum to 1"),
    (lambda pi: pi + 0j, r"policy holds complex128"),
    (lambda pi: pi > 0.5, r"policy holds bool"),
    (lambda pi: pi.astype(str), r"policy holds <U"),
    (lambda pi: "plan.nc", r"policy is the path plan\.nc; read the file first"),
]


@pytest.mark.parametrize(("change", "message"), POLICIES)
def test_policies_that_are_none_are_refused(change, message):
    problem = small_game(0, 1, 3)[0]
    policy = Game(problem).uniform().reshape(3, 3, 3)
    assert float(mfg.exploitability(problem, policy)) > 0
    with pytest.raises(mfg.InputError, match=message):
        mfg.exploitability(problem, change(policy.copy()))


def test_policies_with_holes_are_refused():
    game = Game(small_game(0, 1, 3)[0])
    policy = game.uniform()
    holes = np.ma.masked_array(policy, mask=policy > 0)
    for brought, message in ((holes, "policy has masked entries"), ([[1.0], [0.5, 0.5]], "policy is no array")):
        with pytest.raises(mfg.InputError, match=message):
            TablePolicy.checked(brought, game)


def test_policies_on_forbidden_actions_are_refused():
    problem = sharp_game()
    table = mfg.LatticeMoves((-1, 0, 1), walls="forbid")
    walled = mfg.Problem(grid=problem.grid, time=problem.time, dynamics=table, coupling=0.0, initial=1.0)
    with pytest.raises(mfg.InputError, match="takes action 0 in state 0 at step 0, which is not allowed"):
        mfg.exploitability(walled, np.full((4, 3, 5), 1 / 3))


# -- extremes ----------------------------------------------------------------------------------------------------------


def two_places(coupling, temperature=0.0):
    """Stay or swap, no own costs: a uniform crowd makes no action matter, the one at the start does."""
    return mfg.Problem(
        mfg.States(2), mfg.TimeGrid(3, 3), mfg.Tabular([np.eye(2), np.eye(2)[::-1]], temperature=temperature), coupling,
        np.array([0.75, 0.25]),
    )  # fmt: skip


@pytest.mark.parametrize("temperature", [1e-2, 1e-6])
def test_newton_is_warmed_up_even_where_a_uniform_crowd_is_indifferent(temperature):
    solution = mfg.solve(two_places(mfg.CrowdAversion(1.0), temperature), method="newton")
    np.testing.assert_allclose(solution.dataset["density"][1:-1], 0.5, atol=1e-6)


@pytest.mark.parametrize("method", ["newton", "complementarity", "frank-wolfe"])
def test_costs_beyond_reason_end_in_a_status(method):
    with np.errstate(all="ignore"):
        solution = mfg.solve(two_places(mfg.CrowdAversion(1e200)), method=method, check="ignore", max_seconds=10)
    assert solution.status.name in ("STALLED", "NON_FINITE", "CONVERGED", "TIME_LIMIT")
