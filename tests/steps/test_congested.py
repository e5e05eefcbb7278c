"""Moving that is dearer in a crowd: the derivative of the answer, the certificate, and other roads to equilibrium."""

from __future__ import annotations

import numpy as np
import pytest
from moving_games import game, problem

import mfgsolve as mfg
from mfgsolve.games import make_game

COST = mfg.CongestionCost(0.5, 1.5)


def test_the_answer_to_a_belief_turns_as_newton_takes_it():
    """d M(mb) / d mb x, prices and costs of moving together, against central differences."""
    own = game(COST, (4, 4), 6)
    crowd = own.resting_crowd(own.empty_crowd())
    believed = own.flow(own.respond(own.price(crowd), crowd=crowd).policy).copy()
    x = np.random.default_rng(0).normal(size=believed.shape) * believed

    def answer(share):
        mass = believed + share * x
        return own.flow(own.respond(own.price(mass), crowd=mass).policy).copy()

    policy = own.respond(own.price(believed), crowd=believed).policy
    weighed = own.price_change(believed, x)
    moved = own.curvature(policy, own.flow(policy), weighed, identity=0.0, believed=x)
    e = 1e-6
    np.testing.assert_allclose(-moved, (answer(e) - answer(-e)) / (2 * e), atol=1e-7)
    alone = own.curvature(policy, own.flow(policy), weighed, identity=0.0)
    assert np.abs(moved - alone).max() > 1e-3  # what the cost of moving adds is no trifle


@pytest.mark.parametrize("shape", [(16,), (5, 6)])
def test_newton_converges_fast_and_fictitious_play_finds_the_same(shape):
    stated = problem(COST, shape, 24)
    newton = mfg.solve(stated, tol=1e-12, check="ignore")
    assert newton.dataset.solver == "newton"
    assert newton.converged
    assert newton.iterations <= 12
    assert np.isnan(newton.certificate.potential)
    assert np.isnan(newton.certificate.duality_gap)
    play = mfg.solve(stated, method="fictitious-play", tol=1e-4, check="ignore")
    assert float(np.abs(play.density - newton.density).max()) < 0.03 * float(newton.density.max())


def test_exponent_zero_is_the_quadratic_cost():
    own, plain = game(mfg.CongestionCost(3.0, 0.0), (4, 4), 200), make_game(problem(None, (4, 4), 200))
    crowd = plain.resting_crowd(plain.empty_crowd())
    answers = [each.respond(plain.price(crowd), crowd=crowd) for each in (own, plain)]
    np.testing.assert_allclose(answers[0].value, answers[1].value, rtol=1e-13)
    np.testing.assert_allclose(own.flow(answers[0].policy), plain.flow(answers[1].policy), atol=1e-14)


def test_speeds_in_an_even_crowd_are_those_of_the_formula():
    """Density 1/16, terminal cost 2 x: speed -2 / (c (c0 + 1/16)^alpha) until word comes from the walls."""
    own = game(
        mfg.CongestionCost(0.5, 1.5), grid=mfg.Grid((mfg.Axis("x", 320, -8.0, 8.0),)), steps=60, coupling=0.0,
        initial=1 / 16, terminal=lambda t, c: 2 * c.x,
        dynamics=mfg.ControlledDiffusion(0.0, 4.0, scheme="upwind", movement=mfg.CongestionCost(0.5, 1.5)),
    )  # fmt: skip
    crowd = own.resting_crowd(own.empty_crowd())
    answer = own.respond(own.price(crowd), crowd=crowd)
    flow = own.flow(answer.policy).reshape(61, 320)
    np.testing.assert_allclose(flow[:, 130:190] / 0.05, 1 / 16, rtol=1e-12)  # what agents believed comes true
    weight = 4.0 * (0.5 + 1 / 16) ** 1.5
    middle = own.step.best_speeds(0, answer.policy[0])[:, 150:170]
    np.testing.assert_allclose(middle[1], 2 / weight, rtol=1e-11)
    np.testing.assert_array_equal(middle[0], 0.0)
    x = own.grid.coordinates.x.reshape(-1)[150:170]
    np.testing.assert_allclose(answer.value.reshape(-1)[150:170], 2 * x - 4 / (2 * weight), rtol=1e-11)


def test_what_cannot_be_done_says_so():
    own = game(COST)
    with pytest.raises(mfg.InputError, match="no crowd was told"):
        own.respond(own.empty_crowd() * 0)
    assert own.step.cost_of_moving is None
    assert not problem(COST).is_potential
    with pytest.raises(mfg.InputError, match="depends on the crowd, so that the social optimum is no equilibrium"):
        mfg.solve(problem(COST), objective="social")
    with pytest.raises(mfg.InputError, match="has no potential"):
        mfg.solve(problem(COST), method="frank-wolfe")


def test_agents_move_by_the_exact_law_and_what_they_pay_is_not_told():
    plan = mfg.solve(problem(COST, (12,), 24), tol=1e-8, check="ignore")
    walk = mfg.simulate(plan, agents=2000, replicas=2, rng=0)
    assert np.isnan(walk.cost).all()
    mean = walk.density.mean(set(walk.density.dims) - set(plan.density.dims))
    assert float(np.abs(mean - plan.density).mean()) < 0.1
    for ask in (lambda: mfg.nash_gap(plan, [10]), lambda: mfg.simulate_deviation(plan, 10)):
        with pytest.raises(mfg.InputError, match="what moving costs depends on the crowd"):
            ask()


def test_games_for_ever_turn_as_newton_takes_it():
    ring = mfg.Grid.box((12,), boundary="periodic")
    stated = mfg.Problem(
        ring, mfg.Ergodic(dt=0.02), mfg.ControlledDiffusion(0.05, 0.4, scheme="upwind", movement=COST),
        mfg.RunningCost(lambda t, c: np.sin(2 * np.pi * c.x)) + mfg.CrowdAversion(0.1),
    )  # fmt: skip
    own = make_game(stated)
    x = np.linspace(0.5, 1.5, 12)
    believed = np.stack([x / x.sum()] * 2).reshape(2, 1, 1, 12)
    change = np.stack([np.sin(np.arange(12.0)) * 0.01] * 2).reshape(believed.shape)

    def answer(share):
        mass = believed + share * change
        return own.flow(own.respond(own.price(mass), crowd=mass).policy).copy()

    policy = own.respond(own.price(believed), crowd=believed).policy
    weighed = own.price_change(believed, change)
    moved = own.curvature(policy, own.flow(policy), weighed, identity=0.0, believed=change)
    np.testing.assert_allclose(-moved, (answer(1e-5) - answer(-1e-5)) / 2e-5, atol=1e-7)
    found = mfg.solve(stated, tol=1e-11, check="ignore")
    assert found.converged


def test_its_steps_and_its_mesh_are_judged_as_those_of_others():
    """On coarser meshes, too, agents pay by the crowd that they believe in."""
    moving = mfg.ControlledDiffusion(0.05, movement=mfg.CongestionCost(c0=0.5, alpha=1.0), scheme="upwind")
    start = mfg.Bump(amplitude=1.0, width=0.1, centre=(0.3,))
    line, day = mfg.Grid.box((24,)), mfg.TimeGrid(1.0, 48)
    solution = mfg.solve(mfg.Problem(line, day, moving, mfg.CrowdAversion(0.2), start, normalise=True))
    assert not solution.warnings
    assert 0 < solution.discretisation.cost < 0.1
    assert solution.discretisation.obtained == "from 24x48 and 12x24"
