"""The discount rate of a time grid: what it is, what is refused, what it leaves alone."""

import math
from dataclasses import replace

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.dynamics import ControlledDiffusion
from mfgsolve.earlier.fingerprint import fingerprint as earlier_fingerprint
from mfgsolve.games import make_game
from mfgsolve.identity import fingerprint
from mfgsolve.steps import SpeedStep

PLAIN = mfg.TimeGrid(2.0, 8, "h")
LATE = replace(PLAIN, discount=0.3)


def test_discounts_are_powers_of_that_of_one_step():
    np.testing.assert_allclose(LATE.discounts, np.exp(-0.3 * 0.25) ** np.arange(9), rtol=1e-14)
    assert (PLAIN.discounts == 1.0).all()
    assert PLAIN.discount == 0.0
    assert type(mfg.TimeGrid(1.0, 2, discount=1).discount) is float


def test_a_rate_is_part_of_the_grid():
    assert LATE != PLAIN
    assert replace(LATE, discount=0.0) == PLAIN
    assert replace(LATE, steps=16).discount == 0.3
    assert mfg.TimeGrid(2.0, 8, "h", 0.3) == LATE


@pytest.mark.parametrize(
    ("rate", "sentence"),
    [
        (-0.1, "discount rate is -0.1"),
        (math.nan, "discount rate is nan"),
        (math.inf, "discount rate is inf"),
        ("0.1", "real number is needed"),
        (True, "real number is needed"),
        (None, "real number is needed"),
        (301.0, "rate of at most 300"),
    ],
)
def test_rates_that_are_refused(rate, sentence):
    with pytest.raises(mfg.InputError, match=sentence):
        mfg.TimeGrid(2.0, 8, discount=rate)


def test_the_highest_rate_is_still_solved():
    """e^-600 of a cost: the last choice is as good as at any rate, in floats that are normal."""
    goal = mfg.Problem(
        grid=mfg.States(2), time=mfg.TimeGrid(2.0, 2, discount=300.0), initial=np.array([0.5, 0.5]),
        dynamics=mfg.Tabular([np.eye(2), np.eye(2)[::-1]], temperature=0.5), coupling=0.0,
        terminal=np.array([0.0, math.exp(300.0)]),
    )  # fmt: skip
    game = make_game(goal)
    policy = game.respond(game.price(game.resting_crowd(game.empty_crowd()))).policy
    np.testing.assert_allclose(policy[1, :, 0], [1 / (1 + math.exp(-2.0)), 1 / (1 + math.exp(2.0))], rtol=1e-12)


def two(time, dynamics=None):
    return mfg.Problem(
        grid=mfg.States(2), time=time, dynamics=dynamics or mfg.Tabular([np.eye(2), np.eye(2)[::-1]], cost=[0.0, 0.1]),
        coupling=mfg.CrowdAversion(0.3), initial=np.array([0.75, 0.25]),
    )  # fmt: skip


def test_rates_tell_games_apart():
    """In free games as in others: where nothing costs anything, too."""
    digests = {fingerprint(two(replace(PLAIN, discount=rate))) for rate in (0.0, 0.3, math.nextafter(0.3, 1))}
    assert len(digests) == 3
    assert fingerprint(two(LATE)) != fingerprint(two(replace(PLAIN, discount=0.31)))


def test_a_game_without_rate_keeps_the_digest_of_0_5_0():
    """Written down by 0.5.0."""
    assert fingerprint(two(PLAIN)) == DIGEST
    assert fingerprint(two(replace(LATE, discount=0.0))) == DIGEST


DIGEST = "f3fe27dc0df9091d71b8e41ae9bcd4436194e994096709184703782cc3d14869"


def test_0_4_0_knew_no_rate():
    assert earlier_fingerprint(two(LATE)) != earlier_fingerprint(two(PLAIN))
    nothing = replace(two(LATE), dynamics=mfg.Tabular([np.eye(2)]), coupling=0.0)
    assert earlier_fingerprint(nothing) != earlier_fingerprint(replace(nothing, time=PLAIN))


class Silent(SpeedStep):
    """A step that says nothing of discounts."""

    is_discounted = False


class Stranger(ControlledDiffusion):
    def bind(self, space, time, initial):
        step = super().bind(space, time, initial)
        return Silent(step.space, step.time, step.scheme)


def test_a_step_that_does_not_discount_its_own_costs_is_refused():
    line = mfg.Problem(
        grid=mfg.Grid.box((8,)), time=LATE, dynamics=Stranger(0.01), coupling=mfg.CrowdAversion(0.1), initial=1.0
    )
    with pytest.raises(mfg.InputError, match="a Silent does not discount its own costs"):
        make_game(line)
    make_game(replace(line, time=PLAIN))
