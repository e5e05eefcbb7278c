"""Boltzmann policy iteration and GMF-Q: closed fixed points, the limit without noise, seeds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.games import make_game
from mfgsolve.learners.policy_iteration import GMFQ, BoltzmannIteration, gmf_q
from mfgsolve.learners.sampled_values import episode
from mfgsolve.learners.sampler import Sampler

BAR = mfg.problems.beach_bar(shape=(5,), steps=4)
FORK = mfg.problems.left_right()
TRADE = mfg.Problem(
    grid=mfg.States(4), time=mfg.TimeGrid(3.0, 3),
    dynamics=mfg.Tabular([np.roll(np.eye(4), a, axis=1) for a in (0, 1)], cost=[0.1, 0.3], temperature=0.5),
    coupling=mfg.Price(mfg.QuadraticPotential(0.1), amounts=lambda t, c: c.action * (1.0 + c.state))
    + mfg.CrowdAversion(1.0),
    initial=np.array([0.4, 0.3, 0.2, 0.1]), terminal_coupling=mfg.CrowdAversion(0.5), terminal=0.3 * np.arange(4.0),
)  # fmt: skip


def exact(problem, iterations=300, **settings):
    method = BoltzmannIteration(**settings)
    return mfg.solve(problem, method=method, tol=0.0, max_iterations=iterations, check="ignore")


def share_left(softness):
    """q = 1 / (1 + exp((left q - right (1 - q)) / eta)), the fixed point of left or right."""
    return brentq(lambda q: q - 1 / (1 + np.exp((q - 2 * (1 - q)) / softness)), 0, 1)


# -- exact -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("softness", "weight"), [(1.0, 1.0), (0.1, 0.1), (0.02, 0.02)])
def test_left_or_right_has_the_fixed_point_of_its_formula(softness, weight):
    found = exact(FORK, softness=softness, weight=weight, iterations=1000).dataset.policy.values[0, 0, 0]
    assert found == pytest.approx(share_left(softness), abs=1e-12)


def test_a_cold_iteration_turns_in_circles_and_averaging_stops_it():
    circles = exact(FORK, softness=0.1)
    assert circles.relative_exploitability > 0.9
    assert abs(circles.dataset.policy.values[0, 0, 0] - 0.5) > 0.49
    assert exact(FORK, softness=0.1, weight=0.1).relative_exploitability < 0.04


def test_softer_choices_cost_more():
    gaps = [exact(BAR, softness=eta, weight=0.1).relative_exploitability for eta in (3.0, 1.0, 0.3, 0.1)]
    assert gaps == sorted(gaps, reverse=True)
    assert 0 < gaps[-1] < 0.02
    assert gaps[0] > 0.1


def test_at_the_temperature_of_the_game_the_fixed_point_is_the_equilibrium():
    found = exact(TRADE, softness=0.5, weight=0.2)
    assert abs(found.relative_exploitability) < 1e-12
    other = mfg.solve(TRADE, tol=1e-12)
    assert np.allclose(found.dataset.density, other.dataset.density, atol=1e-9)


# -- sampled ---------------------------------------------------------------------------------------------------------


def value_error(problem, episodes, seed=0):
    """Root mean square error of q learned against the even crowd, weighted by how often agents are there."""
    noisy, exact_ = (
        GMFQ(1.0, exploration=1.0, agents=20, episodes=episodes, block=episodes, seed=seed),
        BoltzmannIteration(1.0),
    )
    one, two = noisy.init(make_game(problem), 0.0), exact_.init(make_game(problem), 0.0)
    noisy._value(one)
    exact_._value(two)
    often = two.policy * two.crowd[:-1, None, : two.game.cells]
    return np.sqrt((often * (one.q - two.q) ** 2).sum() / often.sum()), np.sqrt((often * two.q**2).sum() / often.sum())


@pytest.mark.slow
@pytest.mark.parametrize(
    "problem", [BAR, TRADE, mfg.problems.susceptible_infected(steps=5), mfg.problems.predator_prey(size=3, steps=3)],
    ids=["bar", "price", "coupled", "three"],
)  # fmt: skip
def test_learned_values_tend_to_those_of_dynamic_programming(problem):
    errors = [np.mean([value_error(problem, n, seed)[0] for seed in range(2)]) for n in (5, 1000)]
    assert errors[1] < 0.3 * errors[0]
    assert errors[1] < 0.03 * value_error(problem, 10)[1]


@pytest.mark.parametrize("problem", [FORK, TRADE], ids=["fork", "price"])
def test_without_chance_learned_values_are_exact(problem):
    """Transitions are certain and the first step size is 1: one episode of agents who try everything is enough."""
    noisy, exact_ = GMFQ(1.0, exploration=1.0, agents=2000, episodes=1), BoltzmannIteration(1.0)
    one, two = noisy.init(make_game(problem), 0.0), exact_.init(make_game(problem), 0.0)
    noisy._value(one)
    exact_._value(two)
    met = np.broadcast_to(two.crowd[:-1, None, : two.game.cells] > 0, one.q.shape)
    assert np.allclose(one.q[met], two.q[met], atol=1e-12)
    assert np.abs(two.q[met]).max() > 0.5


@pytest.mark.slow
def test_gmf_q_is_as_good_as_its_limit_without_noise(capsys):
    settings = {"softness": 0.5, "weight": 0.1}
    limit = exact(BAR, **settings).relative_exploitability
    gaps = [
        gmf_q(BAR, **settings, agents=20, episodes=4000, block=100, rng=seed).relative_exploitability
        for seed in range(4)
    ]
    with capsys.disabled():
        print(f"\nGMF-Q on the beach bar: {np.mean(gaps):.4f} +- {np.std(gaps):.4f} over 4 seeds, exact {limit:.4f}")
    assert limit < 0.11
    assert np.allclose(gaps, limit, atol=0.02)
    assert np.ptp(gaps) > 0
    even = mfg.exploitability(BAR, np.full((4, 3, 5), 1 / 3)).relative_exploitability
    assert even > 2.5 * limit


def test_gmf_q_finds_left_or_right_from_what_agents_are_seen_to_do():
    left = [
        gmf_q(FORK, softness=0.2, weight=0.1, agents=500, episodes=180, block=3, empirical=True, rng=seed)
        .dataset.policy.values[0, 0, 0] for seed in range(3)
    ]  # fmt: skip
    assert np.allclose(left, share_left(0.2), atol=0.03)
    assert np.std(left) > 0  # the crowd is seen with noise


def test_seeds_decide_everything(tmp_path):
    settings = {"softness": 0.5, "weight": 0.5, "agents": 20, "episodes": 8, "block": 3, "empirical": True}
    one, two, other = (gmf_q(BAR, **settings, rng=seed) for seed in (3, 3, 4))
    assert np.array_equal(one.dataset.policy, two.dataset.policy)
    assert not np.array_equal(one.dataset.policy, other.dataset.policy)
    assert one.dataset.sizes["iteration"] == 4  # 3 + 3 + 2 episodes, and the policy they start from
    assert one.status is mfg.Status.FINISHED
    assert np.isfinite(one.dataset.exploitability).all()
    back = mfg.load(one.save(tmp_path / "learned.nc"))
    assert float(mfg.exploitability(BAR, back)) == one.exploitability


@pytest.mark.parametrize(
    "method", [BoltzmannIteration(0.5, 0.3), GMFQ(0.5, 0.3, agents=10, episodes=14, block=3, empirical=True, seed=5)]
)
def test_a_packed_state_goes_on_bit_for_bit(method):
    state = method.init(make_game(BAR), 0.0)
    for _ in range(2):
        state = method.step(state)
    arrays, numbers = state.pack()
    again = method.unpack(make_game(BAR), 0.0, {k: v.copy() for k, v in arrays.items()}, dict(numbers), state.measure)
    for _ in range(3):
        state, again = method.step(state), method.step(again)
    assert np.array_equal(state.q, again.q)
    assert np.array_equal(state.believed, again.believed)
    assert (state.measure.exploitability, state.iteration) == (again.measure.exploitability, again.iteration)
    assert state.finished == again.finished == isinstance(method, GMFQ)


def test_agents_with_tables_of_their_own_are_seen_to_do_what_each_does():
    method = GMFQ(0.01, agents=7, episodes=4, block=2, empirical=True, shared=False, graph="ring")
    state = method.init(make_game(BAR), 0.0)
    rng = method._stream(state, 1)
    state = method.step(state)
    policies = method._policies(state)
    assert np.abs(policies - policies[0]).max() > 0.9  # cold choices from what each has met
    cells = episode(Sampler(state.game), policies, None, 7, rng)[0]
    seen = np.stack([np.bincount(now, minlength=5) for now in cells]) / 7
    np.testing.assert_allclose(state.believed[:, :5], seen, atol=1e-15)


def test_a_forbidden_action_is_never_learned():
    problem = mfg.Problem(
        grid=mfg.Grid.box((5,)), time=mfg.TimeGrid(1.0, 4), coupling=mfg.CrowdAversion(1.0), initial=1.0,
        dynamics=mfg.LatticeMoves((-1, 0, 1), costs=(-3.0, 0.0, 0.2), walls="forbid"),
    )  # fmt: skip
    learned = gmf_q(problem, softness=0.2, agents=20, episodes=125, rng=0)
    game = make_game(problem)
    assert not game.step.allowed.all()
    assert (learned.dataset.policy.values[:, ~game.step.allowed] == 0).all()
    assert learned.dataset.policy.values[0, 0, 4] > 0.5  # moving left is paid for


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"softness": 0.0}, "softness"),
        ({"softness": np.nan}, "softness"),
        ({"weight": 0.0}, "weight"),
        ({"weight": 1.5}, "weight"),
        ({"episodes": 0}, "episodes"),
        ({"agents": 0}, "agents"),
        ({"block": 0.5}, "block"),
        ({"rng": -1}, "seed"),
        ({"power": 0.5}, "power"),
        ({"exploration": 0.0}, "exploration"),
        ({"explorations": 0.1}, "did you mean 'exploration'"),
        ({"iterations": 1}, "unknown option"),
    ],
)
def test_bad_settings(settings, text):
    with pytest.raises(InputError, match=text):
        gmf_q(BAR, **settings)


def test_games_that_do_not_suit(line_problem):
    with pytest.raises(InputError, match="no finite list of actions"):
        gmf_q(line_problem)
    with pytest.raises(InputError, match="hard bounds"):
        gmf_q(replace(BAR, coupling=mfg.Capacity(0.5)))
