"""Games as environments of Gymnasium and PettingZoo, and policies back: laws, rewards, a learner from outside."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.games import make_game
from mfgsolve.learners.environments.adapters import frozen_crowd, policy_from, to_gymnasium, to_pettingzoo
from mfgsolve.learners.sampler import Sampler

BAR = mfg.problems.beach_bar(shape=(5,), steps=4, noise=0.2)
SICK = mfg.problems.susceptible_infected(steps=6)
CHASE = mfg.problems.predator_prey(size=3, steps=4)


def drifting(**settings):
    """Lattice moves with implicit noise on a plane with a wall, a cost at the end for the crowd there."""
    grid = mfg.Grid.box((4, 5), boundary=("reflecting", "periodic"), blocked=lambda c: (c.x > 0.7) & (c.y > 0.7))
    return mfg.Problem(
        grid=grid,
        time=mfg.TimeGrid(1.0, 4),
        dynamics=mfg.LatticeMoves(((0, 0), (1, 0), (0, -1)), costs=(0.0, 0.1, 0.2), viscosity=0.05, **settings),
        coupling=mfg.CrowdAversion(0.7) + mfg.CrowdAversion(0.3, on="occupation"),
        initial=lambda t, c: 1.0 + c.x * (1 - ((c.x > 0.7) & (c.y > 0.7))),
        terminal=lambda t, c: c.y,
        terminal_coupling=mfg.CrowdAversion(0.5),
        normalise=True,
    )


def auction():
    """States that trade: a price of what all do."""
    shift = [np.roll(np.eye(4), a, axis=1) for a in (0, 1)]
    return mfg.Problem(
        grid=mfg.States(4), time=mfg.TimeGrid(3.0, 3), dynamics=mfg.Tabular(shift, cost=[0.1, 0.3]),
        coupling=mfg.Price(mfg.QuadraticPotential(2.0), amounts=lambda t, c: c.action * (1.0 + c.state))
        + mfg.CrowdAversion(1.0),
        initial=np.array([0.4, 0.3, 0.2, 0.1]),
    )  # fmt: skip


GAMES = {"bar": lambda: BAR, "coupled": lambda: SICK, "three": lambda: CHASE, "noise": drifting, "price": auction}


def random_policy(problem, seed=0):
    game = make_game(problem)
    table = (
        np.random.default_rng(seed).dirichlet(np.ones(game.step.actions), (game.steps, game.cells)).transpose(0, 2, 1)
    )
    table = np.where(game.step.allowed, table, 0.0)
    return (table / table.sum(axis=1, keepdims=True)).reshape(game.steps, game.step.actions, *problem.grid.shape)


# -- one agent, sampled ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GAMES)
def test_sampled_agents_go_where_the_flow_goes(name):
    game = make_game(GAMES[name]())
    policy = random_policy(game.problem).reshape(game.steps, game.step.actions, game.cells)
    crowd, sampler, rng = game.flow(policy), Sampler(game), np.random.default_rng(1)
    number = 30_000
    population = np.repeat(np.arange(sampler.populations), number)
    cells = sampler.start(population, rng)
    for t in range(game.steps + 1):
        share = np.bincount(cells, minlength=game.cells) / number
        spread = np.sqrt(crowd[t, : game.cells] / number)
        assert (np.abs(share - crowd[t, : game.cells]) <= 5 * spread + 1e-12).all()
        if t < game.steps:
            ladder = np.cumsum(policy[t][:, cells], axis=0)
            actions = (rng.random(cells.size) * ladder[-1] > ladder).sum(axis=0)
            cells = sampler.move(t, cells, actions, crowd[t, : game.cells], rng)


@pytest.mark.parametrize("name", GAMES)
def test_what_steps_cost_adds_up_to_the_value_of_the_policy(name):
    problem = GAMES[name]()
    game, policy = make_game(problem), random_policy(problem)
    table = policy.reshape(game.steps, game.step.actions, game.cells)
    crowd, price = frozen_crowd(game, policy)
    sampler, total = Sampler(game), 0.0
    for t in range(game.steps):
        level = sampler.level(t, crowd[t, : game.cells], table[t] * crowd[t, : game.cells])
        assert np.allclose(level, crowd[t], atol=1e-15)
        found = sampler.price(t, level)
        assert np.allclose(found, price[t], atol=1e-14)
        total += (
            table[t] * crowd[t, : game.cells] * (sampler.action_cost(t, found) + sampler.state_cost(t, found))
        ).sum()
    last = sampler.price(game.steps, sampler.level(game.steps, crowd[-1, : game.cells], table[0]))
    total += (crowd[-1, : game.cells] * sampler.state_cost(game.steps, last)).sum()
    assert total == pytest.approx(mfg.exploitability(problem, policy).cost, rel=1e-12)


# -- Gymnasium -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bar", "coupled", "noise", "price"])
def test_gymnasium_accepts_the_environment(name):
    pytest.importorskip("gymnasium")
    from gymnasium.utils.env_checker import check_env

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*alternative render modes.*")
        check_env(to_gymnasium(GAMES[name](), rng=0))


@pytest.mark.parametrize("name", ["noise", pytest.param("coupled", marks=pytest.mark.slow)])
def test_mean_return_is_minus_the_value_of_the_policy(name):
    pytest.importorskip("gymnasium")
    problem = GAMES[name]()
    policy, other = random_policy(problem), random_policy(problem, seed=5)
    env, rng, returns = to_gymnasium(problem, other, rng=3), np.random.default_rng(0), []
    table = policy.reshape(*policy.shape[:2], -1)
    for _ in range(4000):
        (t, x), _ = env.reset()
        total, done = 0.0, False
        while not done:
            (t, x), reward, done, cut, _ = env.step(rng.choice(table.shape[1], p=table[t, :, x]))
            total += reward
            assert not cut
        returns.append(total)
    game = make_game(problem)
    crowd, price = frozen_crowd(game, other)
    exact = -(game.initial_mass * game.evaluate(table, price, crowd)[0][0]).sum()
    assert abs(np.mean(returns) - exact) < 4 * np.std(returns) / np.sqrt(len(returns))
    assert np.std(returns) > 0.1


@pytest.mark.slow
def test_a_learner_from_outside_finds_the_best_response():
    """Plain Q-learning, written against Gymnasium alone; the crowd is that of a solution."""
    pytest.importorskip("gymnasium")
    field = random_policy(BAR, seed=2)
    env = to_gymnasium(BAR, field, rng=0)
    q = np.zeros((*env.observation_space.nvec, env.action_space.n))
    visits, rng = np.zeros_like(q), np.random.default_rng(7)
    observation, info = env.reset(seed=11)
    for _ in range(20_000):
        done = False
        while not done:
            greedy = rng.random() > 0.3
            action = int(q[tuple(observation)].argmax()) if greedy else env.action_space.sample(info["action_mask"])
            after, reward, done, _, info = env.step(action)
            entry = (*observation, action)
            visits[entry] += 1
            target = reward + (0.0 if done else q[tuple(after)].max())
            q[entry] += visits[entry] ** -0.7 * (target - q[entry])
            observation = after
        observation, info = env.reset()
    learned = policy_from(lambda step, cell: q[step, cell].argmax(), BAR)
    game = make_game(BAR)
    crowd, price = frozen_crowd(game, field)
    best = game.respond(price, crowd=crowd).mean_value
    table = learned.reshape(game.steps, game.step.actions, -1)
    value = (game.initial_mass * game.evaluate(table, price, crowd)[0][0]).sum()
    even = (game.initial_mass * game.evaluate(game.step.uniform(), price, crowd)[0][0]).sum()
    assert best - 1e-12 <= value <= best + 0.01 * (even - best)
    estimate = (game.initial_mass * -q[0].max(axis=1)).sum()
    assert estimate == pytest.approx(best, abs=0.02 * abs(even - best))
    assert env.reset(seed=3)[0].tolist() == env.reset(seed=3)[0].tolist()


def test_fields_of_all_kinds_are_the_same_crowd():
    solution = mfg.solve(BAR)
    game = make_game(BAR)
    crowd, price = frozen_crowd(game, solution)
    masses = solution.dataset.density.values * BAR.grid.cell_volume
    for field in (solution.dataset, solution.dataset.policy, solution.dataset.policy.values, masses,
                  solution.dataset.drop_vars("policy")):  # fmt: skip
        other, cost = frozen_crowd(game, field)
        assert np.allclose(other, crowd, atol=1e-14)
        assert np.allclose(cost, price, atol=1e-11)
    assert np.allclose(frozen_crowd(game, None)[0], game.flow(game.step.uniform()))


def test_hard_bounds_are_paid_for_by_their_multipliers():
    capped = mfg.Problem(
        grid=mfg.States(3), time=mfg.TimeGrid(2.0, 2),
        dynamics=mfg.Tabular([np.roll(np.eye(3), a, axis=1) for a in range(3)], cost=[0.0, 0.1, 0.2]),
        coupling=mfg.Capacity(0.5) + mfg.RunningCost(lambda t, c: -1.0 * (c.state == 2)),
        initial=np.array([0.5, 0.5, 0.0]),
    )  # fmt: skip
    solution, game = mfg.solve(capped, tol=1e-8), make_game(capped)
    crowd, price = frozen_crowd(game, solution)
    assert (price - game.price(crowd)).max() > 0.1  # the third state is worth more than moving there
    policy = solution.dataset.policy.values
    value = (game.initial_mass * game.evaluate(policy, price, crowd)[0][0]).sum()
    assert game.respond(price, crowd=crowd).mean_value == pytest.approx(value, abs=1e-6)
    with pytest.raises(InputError, match="hard bounds"):
        frozen_crowd(game, policy)
    with pytest.raises(InputError, match="multipliers"):
        to_pettingzoo(capped, agents=4)


# -- PettingZoo ------------------------------------------------------------------------------------------------------


def test_pettingzoo_accepts_the_environment():
    pytest.importorskip("pettingzoo")
    from pettingzoo.test import parallel_api_test

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parallel_api_test(to_pettingzoo(BAR, agents=7, rng=0), num_cycles=30)
        parallel_api_test(to_pettingzoo(CHASE, agents={"red": 3, "green": 1, "blue": 2}, rng=0), num_cycles=30)


def test_agents_pay_for_the_crowd_that_they_are():
    pytest.importorskip("pettingzoo")
    env, rng, number = to_pettingzoo(BAR, agents=6, rng=4), np.random.default_rng(0), 6
    observations, _ = env.reset()
    assert env.agents == [f"agent_{i}" for i in range(6)]
    for t in range(4):
        cells = np.array([observations[name][1] for name in env.agents])
        counts = np.bincount(cells, minlength=5)
        assert np.allclose(env.mass, counts / number)
        actions = rng.integers(3, size=number)
        observations, rewards, ends, cuts, _ = env.step(dict(zip(env.agents, actions, strict=True)))
        wanted = np.abs(cells - 2) + np.abs(actions - 1) / 5 + np.log(counts[cells] / number)
        assert np.allclose([rewards[name] for name in rewards], -wanted)
        assert set(ends.values()) == {t == 3}
        assert set(cuts.values()) == {False}
        moved = np.array([observations[name][1] for name in observations])
        assert (np.minimum((moved - cells - actions + 1) % 5, (cells + actions - 1 - moved) % 5) <= 1).all()
    assert env.agents == []


@pytest.mark.parametrize("name", ["price", "noise", pytest.param("coupled", marks=pytest.mark.slow)])
def test_mean_cost_of_n_agents_is_that_of_the_simulation(name):
    pytest.importorskip("pettingzoo")
    problem, agents = GAMES[name](), 5
    policy, rng = random_policy(problem), np.random.default_rng(1)
    env, costs = to_pettingzoo(problem, agents=agents, rng=2), []
    table = policy.reshape(*policy.shape[:2], -1)
    for _ in range(800):
        observations, _ = env.reset()
        total = 0.0
        while env.agents:
            chosen = {
                name: rng.choice(table.shape[1], p=table[seen[0], :, seen[1]]) for name, seen in observations.items()
            }
            observations, rewards, *_ = env.step(chosen)
            total -= sum(rewards.values()) / agents
        costs.append(total)
    simulated = mfg.simulate(problem, agents=agents, replicas=2000, rng=5, policy=policy).cost.values
    spread = np.sqrt(np.var(costs) / len(costs) + np.var(simulated) / len(simulated))
    assert abs(np.mean(costs) - np.mean(simulated)) < 4 * spread


# -- back ------------------------------------------------------------------------------------------------------------


def test_policies_come_back_and_are_certified():
    solution = mfg.solve(BAR)
    table = solution.dataset.policy.values
    back = policy_from(lambda step, cell: table[step, :, cell], BAR)
    assert np.array_equal(back, table)
    assert float(mfg.exploitability(BAR, back)) == pytest.approx(solution.exploitability, abs=1e-12)
    for stay in (1, np.int64(1), np.array(1), np.array([1]), [0, 1, 0], np.array([0.0, 1.0, 0.0])):
        assert np.array_equal(policy_from(lambda step, cell, a=stay: a, BAR)[:, 1], np.ones((4, 5)))
    wall = drifting()
    assert policy_from(lambda step, cell: 0, wall).shape == (4, 3, 4, 5)


def test_every_population_has_a_function_of_its_own():
    policy = policy_from({name: lambda step, cell, k=k: k for k, name in enumerate(("red", "green", "blue"))}, CHASE)
    for k in range(3):
        assert (policy[:, k, k] == 1.0).all()
    with pytest.raises(InputError, match="one function for each population"):
        policy_from(lambda step, cell: 0, CHASE)
    with pytest.raises(InputError, match="one function for each population"):
        policy_from({"red": lambda step, cell: 0}, CHASE)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (3, "number of an action below 3"),
        (-1, "number of an action"),
        (0.5, "number of an action"),
        ([0.5, 0.5], "or 3 probabilities"),
        ("stay", "an action or probabilities"),
        (None, "an action or probabilities"),
        ([0.5, 0.6, 0.0], "sums to 1.1"),
        ([0.5, np.nan, 0.5], "not finite"),
    ],
)
def test_answers_that_are_no_policy(answer, text):
    with pytest.raises(InputError, match=text):
        policy_from(lambda step, cell: answer, BAR)


def test_a_forbidden_action_is_an_error_everywhere():
    problem = drifting(walls="forbid")
    game = make_game(problem)
    assert not game.step.allowed.all()
    with pytest.raises(InputError, match="not allowed"):
        policy_from(lambda step, cell: 2, problem)
    pytest.importorskip("gymnasium")
    env = to_gymnasium(problem, rng=0)
    for seed in range(40):
        (_, x), info = env.reset(seed=seed)
        assert np.array_equal(info["action_mask"], game.step.allowed[:, x])
        assert np.array_equal(env.action_masks(), game.step.allowed[:, x])
        if not game.step.allowed[2, x]:
            with pytest.raises(InputError, match="action 2 is not allowed in state"):
                env.step(2)
            return
    pytest.fail("no agent started at the wall")


def test_wrong_calls_say_so(line_problem):
    with pytest.raises(InputError, match="controlled diffusion"):
        to_gymnasium(line_problem)
    with pytest.raises(InputError, match="got a str"):
        to_pettingzoo("beach-bar", agents=3)
    game, masses = make_game(BAR), np.full((5, 5), 0.2)
    with pytest.raises(InputError, match="field has shape"):
        frozen_crowd(game, masses[1:])
    with pytest.raises(InputError, match="sums to 2 at node 0"):
        frozen_crowd(game, 2 * masses)
    with pytest.raises(InputError, match="negative"):
        frozen_crowd(game, masses - np.array([0.5, -0.5, 0, 0, 0]))
    with pytest.raises(InputError, match="prices choices too"):
        frozen_crowd(make_game(auction()), np.full((4, 4), 0.25))
    with pytest.raises(InputError, match="function"):
        policy_from(3, BAR)
    pytest.importorskip("gymnasium")
    pytest.importorskip("pettingzoo")
    with pytest.raises(InputError, match="leave it out"):
        to_gymnasium(BAR, population="red")
    with pytest.raises(InputError, match="which one the agent belongs to"):
        to_gymnasium(CHASE)
    with pytest.raises(InputError, match="did you mean 'red'"):
        to_gymnasium(CHASE, population="rad")
    with pytest.raises(InputError, match="agents is 0"):
        to_pettingzoo(BAR, agents=0)
    env = to_gymnasium(BAR)
    with pytest.raises(InputError, match="call reset"):
        env.step(0)
    env.reset()
    with pytest.raises(InputError, match="whole number from 0 to 2"):
        env.step(3)
    crowd = to_pettingzoo(BAR, agents=2)
    crowd.reset(seed=1)
    with pytest.raises(InputError, match="actions of 1 agents are missing, 'agent_1'"):
        crowd.step({"agent_0": 1})


@pytest.mark.slow
def test_the_libraries_are_asked_for_only_when_needed(monkeypatch):
    code = "import sys, mfgsolve.learners.environments.adapters; print({'gymnasium', 'pettingzoo'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    monkeypatch.setitem(sys.modules, "pettingzoo", None)
    with pytest.raises(InputError, match=r"pip install 'mfgsolve\[gymnasium\]'"):
        to_gymnasium(BAR)
    with pytest.raises(InputError, match="PettingZoo is not installed"):
        to_pettingzoo(BAR, agents=2)
