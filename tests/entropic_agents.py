"""Small games of the entropic step for agents, and plans to try them on."""

import numpy as np

import mfgsolve as mfg
from mfgsolve.agents.play import Play
from mfgsolve.games import make_game

CROWDED = mfg.CrowdAversion(0.5, power=2) + mfg.Congestion(lambda t, c: 1 + t + c.x, 0.4)


def entropic(
    shape=(7, 6), boundary="reflecting", blocked=None, steps=4, coupling=CROWDED, discount=0.0, viscosity=0.02, reach=3,
    **stated,
):  # fmt: skip
    """Agents that prefer the right, and other places than the others."""
    defaults = {"terminal": lambda t, c: (c.x - 0.8) ** 2, "initial": lambda t, c: np.exp(-8 * (c.x - 0.3) ** 2)}
    return mfg.Problem(
        grid=mfg.Grid.box(shape, boundary=boundary, blocked=blocked), time=mfg.TimeGrid(0.5, steps, discount=discount),
        dynamics=mfg.ControlledDiffusion(viscosity, 0.7, scheme="entropic", reach=reach), coupling=coupling,
        normalise=True, **(defaults | stated),
    )  # fmt: skip


def hole(shape):
    blocked = np.zeros(shape, dtype=bool)
    blocked[tuple(n // 2 for n in shape)] = True
    blocked[(0,) * len(shape)] = True
    return blocked


ENTROPIC = {
    "line": lambda: entropic((9,)),
    "ring": lambda: entropic((5,), "periodic"),  # to one cell in two ways
    "plane": entropic,
    "torus": lambda: entropic(boundary=("reflecting", "periodic")),
    "walls": lambda: entropic(blocked=hole((7, 6))),
    "room": lambda: entropic((4, 3, 5)),
    "discount": lambda: entropic(discount=1.5),
    "terminal": lambda: entropic((9,), terminal_coupling=mfg.CrowdAversion(0.3)),
}


def play(problem, seed=None):
    """The best response to the crowd at rest, or to a random price: a plan that does something."""
    game = make_game(problem)
    price = game.price(game.resting_crowd(game.empty_crowd()))
    if seed is not None:
        price += np.random.default_rng(seed).normal(size=price.shape)
    policy = game.policy_of(game.respond(price).policy)
    return Play(game, policy, game.follow(policy), None)


def values_ahead(here):
    """The field v_{t+1} (step, *shape) that a plan of `play` follows, as a user would bring it."""
    return np.stack([here.game.step.after(here.policy, t) for t in range(here.game.steps)])
