"""Values of any range: no form of the kernels overflows, and each one gives the numbers that logarithms give."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import Game
from tests.dense_entropic import Dense

RANGES = (1.0, 300.0, 690.0, 740.0, 1500.0, 3e4, 1e6)  # along a line, in units of eps; e^709 is the largest float


def slope(along, across):
    """Steady along x, differently in every row."""
    return along * (1 - 0.5 * across)


def ridge(along, across):
    """Up and down again, where rows begin and end alike."""
    return np.sin(np.pi * along) * (1 - 0.3 * across)


def bowl(along, across):
    """Lowest in the middle, steepest at both ends."""
    return 4 * (along - 0.5) ** 2 * (1 - 0.3 * across)


def cliff(along, across):
    """Nothing, and then all at once."""
    return np.where(along > 0.5, 1.0, 0.0) - 0.2 * across


def spike(along, across):
    """One cell far below all others."""
    return -1.0 * (np.abs(along - 0.52) < 0.021) + 0 * across


def stated(shape, boundary, blocked=None, reach=8):
    """Two steps with sigma = 0.8 h."""
    grid = mfg.Grid.box(shape, [(0, n / max(shape)) for n in shape], boundary, blocked=blocked)
    viscosity = (0.8 / max(shape)) ** 2 / (2 * 0.25)
    problem = mfg.Problem(
        grid=grid,
        time=mfg.TimeGrid(0.5, 2),
        dynamics=mfg.ControlledDiffusion(viscosity, 0.7, scheme="entropic", reach=reach),
        coupling=0.0,
        initial=np.where(grid.mask, 0.0, 1.0),
        normalise=True,
    )
    game = Game(problem, threads=1)
    return game, Dense(game, viscosity, 0.7, reach)


CASES = {
    "line": stated((120,), "reflecting"),
    "long line": stated((256,), "reflecting", reach=12),
    "ring": stated((120,), "periodic"),
    "plane": stated((3, 50), "reflecting"),
    "wall": stated((3, 50), "reflecting", blocked=lambda c: (c.x > 0.7) & (c.x < 0.75) & (c.y < 0.03)),
    "far": stated((40,), "reflecting", reach=60),  # 75 sigma: more than floats hold of a Gaussian
    "tall": stated((50, 3), "periodic"),
}


@pytest.mark.parametrize("reach", RANGES)
@pytest.mark.parametrize("field", [slope, ridge, bowl, cliff, spike])
@pytest.mark.parametrize("case", CASES)
def test_any_range_of_values(case, field, reach):
    game, dense = CASES[case]
    long = int(np.argmax(game.grid.shape))
    places = [(np.arange(n) + 0.5) / n for n in game.grid.shape]
    along = places[long].reshape([-1 if k == long else 1 for k in range(game.grid.ndim)])
    across = 0.0 if game.grid.ndim == 1 else places[1 - long].reshape([-1 if k != long else 1 for k in range(2)])
    shape = np.broadcast_to(field(along, across), game.grid.shape)
    price = np.zeros((3, *game.grid.shape))
    price[1:] = shape * dense.eps[0] * reach / game.weights[1:].reshape(-1, *(1,) * game.grid.ndim)
    price[:, game.grid.mask] = 0.0
    values, _, laws = dense.respond(price)
    mass, free = dense.flow(laws), ~game.grid.mask.reshape(-1)

    answer = game.respond(price.reshape(3, *game.step.shape))
    crowd = game.flow(answer.policy)
    np.testing.assert_allclose(answer.value.reshape(-1)[free], values[0][free], rtol=1e-13, atol=1e-13 * dense.eps[0])
    np.testing.assert_allclose(crowd.reshape(3, -1), mass, rtol=1e-9, atol=1e-14 + 1e-16 * reach)
    assert abs(crowd.reshape(3, -1).sum(axis=1) - 1).max() <= 1e-14 + 1e-15 * reach

    direction = np.random.default_rng(3).standard_normal(crowd.shape) * free.reshape(game.step.shape)
    image = game.curvature(answer.policy, crowd, direction, identity=0.0)
    wanted = -dense.change(laws, mass, direction).reshape(image.shape)
    np.testing.assert_allclose(image, wanted, rtol=1e-8, atol=(1e-14 + 1e-16 * reach) / dense.eps[0])
