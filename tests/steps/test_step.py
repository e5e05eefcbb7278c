"""What every step has from its base: changes of it, policies of finite lists, and what it says where it cannot."""

import numpy as np
import pytest
from small_steps import diffusion, tables

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.steps import Step


class Bare(Step):
    """The least that a step can be: everybody stays."""

    def __init__(self):
        self.space, self.time, self.shape = mfg.States(3), mfg.TimeGrid(2.0, 4), (3,)
        self.policy_shape = ()

    def best(self, t, after, costs, policy):
        return after

    def expect(self, t, policy, after):
        return after

    def push(self, t, policy, mass):
        return mass

    def policy_of(self, policy):
        return policy

    def cost(self, policy, mass):
        raise NotImplementedError

    def new_average(self, crowd, arrays=None):
        raise NotImplementedError

    def follow(self, policy, mass):
        raise NotImplementedError


def test_numbers_of_a_step():
    step = Bare()
    assert (step.steps, step.dt, step.cells) == (4, 0.5, 3)
    assert not step.has_noise
    assert not step.is_fused
    assert not step.is_smooth
    assert step.noises == []
    np.testing.assert_array_equal(step.entropy_cost, 0.0)
    np.testing.assert_array_equal(step.lower(), np.zeros((4, 1)))


def test_where_everybody_stays_nothing_moves():
    step, mass = Bare(), np.zeros((5, 3))
    mass[0] = [0.2, 0.3, 0.5]
    np.testing.assert_array_equal(step.forward(step.new_policy(), mass), np.tile(mass[0], (5, 1)))


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda step: step.tangent(0, None, None, None), "a Bare has no derivative of its best response"),
        (lambda step: step.evaluate(None, None), "no table of action values"),
        (lambda step: step.choices(None), "no finite list of actions"),
        (lambda step: step.uniform(), "no finite list of actions"),
        (lambda step: step.transitions_at(0, None), "does not say where single agents go; give it `transitions_at`"),
        (lambda step: step.policy_form, "write policy_form, described and policy_from for it"),
    ],
)
def test_what_a_step_cannot_do_it_says(ask, says):
    with pytest.raises(mfg.InputError, match=says):
        ask(Bare())


def test_changes_leave_the_step_itself_alone_and_add_up():
    step = Bare()
    warm = step.with_changes(temperature=0.3)
    both = warm.with_changes(threads=2)
    assert step.temperature == 0.0
    assert step.changes() == {}
    assert (both.temperature, both.threads) == (0.3, 2)
    assert both.changes() == {"temperature": 0.3, "threads": 2}
    np.testing.assert_allclose(warm.entropy_cost, 0.3 * 0.5)
    assert warm.space is step.space


def test_factors_act_in_order_on_masses_and_back_on_values():
    step = make_game(tables()).step
    rng = np.random.default_rng(0)
    mass, value = rng.uniform(size=step.shape), rng.normal(size=step.shape)
    moved, mean = step.diffuse(mass, True), step.diffuse(value, False)
    assert (moved * value).sum() == pytest.approx((mass * mean).sum(), rel=1e-13)
    assert moved.sum() == pytest.approx(mass.sum(), rel=1e-13)
    assert np.abs(moved - mass).max() > 1e-3


def test_a_policy_stands_in_a_dataset_and_comes_back():
    for problem in (tables(), diffusion((5,))):
        game = make_game(problem)
        price = np.random.default_rng(0).normal(size=(game.steps + 1, *game.level_shape))
        policy = game.policy_of(game.respond(price).policy.copy())
        stored = game.step.described(policy)
        assert stored.dims == ("step", stored.form.dim, *game.grid.dims)
        assert stored.values.shape == (game.steps, len(stored.form.labels), *game.grid.shape)
        back = game.step.policy_from(stored.values)
        np.testing.assert_allclose(game.follow(back), game.follow(policy), atol=1e-14)
