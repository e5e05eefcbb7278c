"""Small games in OpenSpiel's protocol, each with one thing that a game may do with the crowd; see `peer_standins`."""

from __future__ import annotations

import copy
import types
import warnings

import numpy as np
from peer_standins import Ring

from mfgsolve import interop

PLAYERS = {"noise": -1, "end": -4, "told": -5, "choice": 0}


class Game:
    """A game of one population from the class of its states."""

    def __init__(self, state, horizon=4, **options):
        self.state, self.horizon, self.options = state, horizon, options

    def __str__(self):
        return f"{self.state.__name__.lower()}(horizon={self.horizon})"

    def get_type(self):
        return types.SimpleNamespace(dynamics="Dynamics.MEAN_FIELD")

    def num_players(self):
        return 1

    def max_game_length(self):
        return self.horizon

    def new_initial_states(self):
        return [self.state(self)]


class State:
    """What all share; ``turn`` is noise, choice, told or end."""

    population = 0
    strict = False

    def __init__(self, game):
        self.game, self.t, self.crowd, self.last = game, 0, None, None
        self.begin()

    def clone(self):
        return copy.copy(self)

    def is_terminal(self):
        return self.turn == "end"

    def current_player(self):
        return PLAYERS[self.turn]

    def observation_string(self, player):
        return f"{self.where()}, t={self.t}" + ("" if self.turn == "choice" else f"_{self.turn}")

    def child(self, action):
        after = self.clone()
        after.act(action)
        return after

    def update_distribution(self, masses):
        assert self.turn == "told"
        assert not self.strict or all(m >= -1e-4 for m in masses)
        assert not self.strict or sum(masses) <= 1 + 1e-4, "as the routing games have it: no more than everybody"
        self.crowd = np.array(masses)
        self.hear()

    def rewards(self):
        return [float(self.pay())]

    def pay(self):
        return 0.0

    def on(self, names):
        return [f"{name}, t={self.t}_told" for name in names]


class Duel(State):
    """Normal form: the first node is a choice, the end pays by the crowd of choices."""

    def begin(self):
        self.turn = "choice"

    def where(self):
        return "start" if self.last is None else f"played {self.last}"

    def legal_actions(self):
        return [0, 1, 2]

    def act(self, action):
        self.last, self.t, self.turn = action, 1, "told"

    def distribution_support(self):
        return self.on([f"played {a}" for a in range(3)])

    def hear(self):
        self.turn = "end"

    def pay(self):
        if self.turn != "end":
            return 0.0
        m = self.crowd
        form = self.game.options.get("form", "matrix")
        if form == "matrix":
            return (np.array([[0, 1.0, -1], [-0.7, 0, 1], [1, -2, 0]]) @ m)[self.last]
        if form == "log":
            return -np.log(m[self.last] + 1e-3) + 0.1 * self.last
        return 3 * m[0] * (m[self.last] - m[2]) - 0.2 * self.last  # no closed form


class Road(State):
    """O -> a (also to b; the more enter, the longer) or b (one step), or wait; a moment on a road costs by all on it.

    Who enters is told the crowd and then knows how long it takes: crowd nodes lead to other decisions, and those of
    a latecomer and of an earlier one may be one.
    """

    strict = True

    def begin(self):
        self.place, self.wait, self.home, self.turn = "O", 0, None, "noise"

    def where(self):
        if self.home is not None:
            return f"home since {self.home}"
        return f"{self.place}, wait={self.wait}" if self.t or self.turn != "noise" else "start"

    def chance_outcomes(self):
        return [(0, 0.75), (1, 0.25), (2, 0.0)]  # the last never happens, and is looked at all the same

    def legal_actions(self):
        return [0] if self.wait > 0 else {"O": [0, 1, 2], "a": [0, 1]}.get(self.place, [0])

    def act(self, action):
        if self.turn == "noise":
            self.wait, self.turn = action, "choice"
            self.place = "O" if action < 2 else "b"
            return
        self.turn, self.t = "told", self.t + 1
        if self.home is not None:
            pass
        elif self.wait > 0:
            self.wait -= 1
        elif self.place == "O":
            self.place, self.wait = {0: ("a", -1), 1: ("b", -1), 2: ("O", 0)}[action]
        elif action == 1:  # from a to b
            self.place, self.wait = "b", -1
        else:
            self.home, self.place = self.t, "home"
        if self.t == self.game.horizon:
            self.turn = "end"

    def distribution_support(self):
        return self.on([f"{self.place}, wait={w}" for w in range(-1, 5)]) if self.home is None else []

    def hear(self):
        self.turn = "choice"
        if self.wait == -1:
            self.wait = int(4 * self.crowd.sum()) if self.place == "a" else 1

    def pay(self):
        if self.turn == "end":
            return -0.5 * (self.home if self.home is not None else self.game.horizon + 1)
        if self.turn == "choice" and self.crowd is not None and self.home is None and self.place != "O":
            return -0.3 * self.crowd.sum()
        return 0.0


class Luck(State):
    """Chance 0 comes first: whose hidden number is met first is that of a state that nobody is in."""

    def begin(self):
        self.x, self.turn = 0, "noise"

    def where(self):
        return "start" if self.turn == "noise" and not self.t else f"x={self.x}"

    def chance_outcomes(self):
        return [(2, 0.0), (0, 0.75), (1, 0.25)]

    def legal_actions(self):
        return [0, 1]

    def act(self, action):
        if self.turn == "noise":
            self.x, self.last, self.turn = action // 2, action, "choice"
        else:
            self.x, self.t, self.turn = action, self.t + 1, "told"

    def distribution_support(self):
        return self.on(["x=0", "x=1"])

    def hear(self):
        self.turn = "end" if self.t == self.game.horizon else "choice"

    def pay(self):
        return self.last * (2.0 - self.x) - self.crowd[self.x] if self.turn == "end" else 0.0


class Weather(State):
    """The crowd is told, then it rains or not, by the crowd, and then agents choose: the crowd node stands alone."""

    def begin(self):
        self.x, self.rain, self.turn = 0, 0, "told"

    def where(self):
        return f"({self.x})" if self.turn in ("told", "end") else f"({self.x}, {self.rain})"

    def distribution_support(self):
        return self.on(["(0)", "(1)"])

    def hear(self):
        self.turn = "noise"

    def chance_outcomes(self):
        wet = 0.2 + 0.6 * self.crowd[self.x]
        return [(0, 1 - wet), (1, wet)]

    def legal_actions(self):
        return [0, 1]

    def act(self, action):
        if self.turn == "noise":
            self.rain, self.turn = action, "choice"
        else:
            self.x, self.t = action, self.t + 1
            self.turn = "end" if self.t == self.game.horizon else "told"

    def pay(self):
        return -0.7 * self.rain * (self.x + 1) if self.turn == "choice" else 0.3 * self.x


class Drift(State):
    """A ring on which the crowd at 0 carries along, and the last step is paid for, which no key tells."""

    def begin(self):
        self.x, self.turn = 0, "noise"

    def where(self):
        return f"x={self.x}"

    def chance_outcomes(self):
        return [(0, 0.5), (3, 0.5)]

    def legal_actions(self):
        return [0, 1, 2]

    def act(self, action):
        if self.turn == "noise":
            self.x, self.turn = action, "choice"
            return
        along = 0 if self.crowd is None else round(3 * self.crowd[0])
        self.x, self.last, self.t = (self.x + action + along) % 5, action, self.t + 1
        self.turn = "end" if self.t == self.game.horizon else "told"

    def distribution_support(self):
        return self.on([f"x={x}" for x in range(5)])

    def hear(self):
        self.turn = "choice"

    def pay(self):
        if self.turn != "choice" or self.crowd is None:
            return 0.0
        return -0.4 * self.last - self.crowd[self.x]


class Grudge(Drift):
    """The end pays by a crowd of the step before: no key tells it."""

    def pay(self):
        return float(self.crowd[0]) if self.turn == "end" else 0.0


class Uneven(Duel):
    """Not all states of one depth are of one kind."""

    def act(self, action):
        super().act(action)
        self.turn = "told" if action else "end"


class Again(Duel):
    """Keys do not tell the time."""

    def observation_string(self, player):
        return "here"


class Broken(Duel):
    """A game with a fault of its own."""

    def legal_actions(self):
        return [][1]


def taken(game):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return interop.from_openspiel(game)


GAMES = {
    "duel": Game(Duel),
    "duel, logarithm": Game(Duel, form="log"),
    "duel, product": Game(Duel, form="product"),
    "road": Game(Road, horizon=7),
    "weather": Game(Weather, horizon=3),
    "luck": Game(Luck, horizon=2),
    "drift": Game(Drift),
    "ring": Ring(coupled=True),
    "ring of two": Ring(pull=((0.0, 1.0), (-1.0, 0.0)), coupled=True),
}
