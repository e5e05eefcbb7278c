"""What goes wrong in a function of a user is one sentence, with the time and the cause."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from plain_games import TIME, room

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.games import make_game
from mfgsolve.inputs.calls import ask, callable_as, function_name


def failing(*_: Any) -> Any:
    raise KeyError("bus stop")


def table(coupling: Any = 0.0, **parts: Any) -> Any:
    dynamics = mfg.Tabular([np.eye(2), np.eye(2)[::-1]], **parts)
    return make_game(mfg.Problem(grid=mfg.States(2), time=TIME, dynamics=dynamics, coupling=coupling,
                                 initial=np.array([0.5, 0.5])))  # fmt: skip


class BadPotential:
    value = second = staticmethod(lambda t, a: 0.0)
    derivative = staticmethod(failing)


RAISING = {
    r"initial density, the function 'failing', raised KeyError at t = 0 \('bus stop'\)": lambda: room(initial=failing),
    "terminal cost, the function 'failing', raised KeyError at t = 1 ": lambda: room(terminal=failing),
    "running cost, the function 'failing', raised KeyError at t = 0 ": lambda: room(coupling=mfg.RunningCost(failing)),
    "crowd aversion, the function 'failing'": lambda: room(coupling=mfg.CrowdAversion(failing)),
    "congestion reward, the function 'failing'": lambda: room(coupling=mfg.Congestion(failing)),
    "nonlocal kernel, the function 'failing', raised KeyError": lambda: room(coupling=mfg.Nonlocal(kernel=failing)),
    "nonlocal kernel gives an array of shape": lambda: room(coupling=mfg.Nonlocal(kernel=lambda x, y: np.ones(3))),
    "blocked, the function 'failing', raised KeyError": lambda: mfg.Grid.box((4, 4), blocked=failing),
    "capacity, the function 'failing', raised KeyError": lambda: table(mfg.Capacity(failing)),
    "own cost, the function 'failing', raised KeyError": lambda: table(cost=failing),
    "bound of the price, the function 'failing', raised": lambda: table(
        mfg.Price(mfg.QuadraticPotential(1.0), bounds=(failing, 1.0), amounts=[0, 1])),
    "centre of the price, the function 'failing', raised": lambda: price(mfg.QuadraticPotential(1.0, failing)),
    "derivative of the potential of the price, a BadPotential, raised KeyError at t = 0, A": lambda: price(
        BadPotential()),
    "cost of a custom coupling, the function 'failing', raised KeyError at t = 0 ": lambda: price_of(
        table(mfg.CustomCoupling(failing))),
    "track of the problem, the function 'failing', raised": lambda: room(track=failing),
    "running cost: unknown coordinate 'u'; did you mean 'x'|running cost: unknown coordinate 'u'": lambda: room(
        coupling=lambda t, c: c.u),
    r"running cost: a function is called as f\(t, coordinates\)": lambda: room(coupling=lambda t: 0.0),
}  # fmt: skip


def price(potential: Any) -> None:
    price_of(table(mfg.Price(potential, amounts=[0, 1])))


def price_of(game: Any) -> None:
    game.price(game.resting_crowd(game.empty_crowd()))


@pytest.mark.parametrize("message", RAISING)
def test_functions_that_raise_are_named_with_the_time_and_what_they_raised(message):
    with pytest.raises(InputError, match=message) as caught:
        RAISING[message]()
    assert caught.value.__cause__ is None or isinstance(caught.value.__cause__, KeyError)


@pytest.mark.filterwarnings("error")
def test_no_warning_escapes_from_a_formula():
    with pytest.raises(InputError, match="running cost is -inf at t = 0, cell"):
        room(coupling=mfg.RunningCost(lambda t, c: np.log(c.x * 0)))
    with pytest.raises(InputError, match="own cost of action 0 in state 0 at step 0 is inf"):
        table(cost=lambda t, c: np.ones((2, 2)) / np.zeros((2, 2)))
    game = room(coupling=mfg.RunningCost(lambda t, c: np.where(c.x > 0.5, np.log(c.x - 0.5), 0.0)))  # inside, no matter
    price_of(game)
    cap = mfg.Capacity(lambda t, c: 1.0 / (c.state * np.array([0.0, 1.0])))  # infinite where nothing is capped
    assert np.isinf(table(cap).bounds()[0][3][:, 0]).all()
    coupled = mfg.Tabular(lambda t, m: [np.where(m[:, None] * 0 == 0, np.eye(2), np.log(m * 0))])
    make_game(mfg.Problem(grid=mfg.States(2), time=TIME, dynamics=coupled, coupling=0.0, initial=np.array([1.0, 0.0])))


# -- asked directly ----------------------------------------------------------------------------------------------------


def test_what_a_function_returns_is_returned_and_its_own_sentence_kept():
    assert ask(lambda a, b: a - b, (5, 3), "cost", "(a, b)") == 2
    assert np.isinf(ask(lambda a: 1.0 / np.zeros(a), (1,), "cost", "(a)")).all(), "silently; whoever asks looks at it"

    def telling(t):
        raise InputError("my own words")

    with pytest.raises(InputError, match=r"^my own words$"):
        ask(telling, (0.0,), "cost", "(t)")


def test_how_a_function_is_called_is_said_with_a_hint():
    with pytest.raises(
        InputError, match=r"^cost: a function is called as f\(t, c\), and this one cannot be \(.*\); give"
    ):
        callable_as(lambda t: 0, (0.0, None), "cost", "(t, c)", "; give two arguments")
    callable_as(max, (0.0, 1.0), "cost", "(t, c)")  # a function of C without a signature
    with pytest.raises(
        InputError, match=r"cost, the function 'failing', raised KeyError at t = 2 \('bus stop'\); it is"
    ):
        ask(failing, (1,), "cost", "(t)", " at t = 2")


def test_names_of_functions_and_of_what_is_called_like_one():
    class Toll:
        def __call__(self, t):
            return t

    def wrapper(t):
        return failing(t)

    wrapper.__wrapped__ = failing
    names = [function_name(one) for one in (failing, Toll(), wrapper, np.sin, lambda t: t)]
    assert names == ["failing", "Toll", "failing", "sin", "<lambda>"]
