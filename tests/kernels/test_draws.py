"""Draws from tilted noise, one by one and as counts, against their chances in plain NumPy."""

import numpy as np
import pytest
from scipy import stats

from mfgsolve.kernels import draws

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning"),  # meant; told without compiler
]

CROWD = 20_000


def stream():
    return np.array([5, 2, 3, 4], dtype=np.uint64)


def soft_minima(near, logs, after, entropy):
    """Values before a draw, in plain NumPy."""
    exponent = logs - after[near] / entropy
    top = exponent.max(axis=1, keepdims=True)
    return -entropy * (top[:, 0] + np.log(np.exp(exponent - top).sum(axis=1)))


def drawn(near, logs, after, entropy, form="weights"):
    """The draw with these values after it, made of weights or (the safe form) of exponentials alone."""
    before, weight, norm = draws.soften(after, near, np.exp(logs), logs, entropy)
    if form == "exponentials":
        weight, norm = np.full_like(weight, np.nan), np.zeros_like(norm)
    return draws.Draw(near, np.exp(logs), logs, before, after, entropy, weight, norm)


def one_draw(cells=5, reach=2, entropy=0.3, seed=0, spread=1.0, form="weights"):
    """A ring with random noise and random values."""
    rng = np.random.default_rng(seed)
    near = (np.arange(cells)[:, None] + np.arange(-reach, reach + 1)) % cells
    logs = np.log(rng.dirichlet(np.full(2 * reach + 1, 3.0)))
    return drawn(near, logs, spread * rng.normal(size=cells), entropy, form)


FORMS = pytest.mark.parametrize("form", ["weights", "exponentials"])


@pytest.mark.parametrize("spread", [1.0, 1e2, 1e4])
def test_values_before_a_draw(spread):
    """Soft minima; and chances by weights are those by exponentials, wherever values are near enough for them."""
    draw = one_draw(spread=spread, cells=40)
    expected = soft_minima(draw.near, draw.logs, draw.after, draw.entropy)
    np.testing.assert_allclose(draw.before, expected, rtol=1e-13, atol=1e-15)
    safe, mass = draw._replace(norm=np.zeros(40)), np.random.default_rng(1).random(40)
    np.testing.assert_allclose(draws.push_draw(mass, draw), draws.push_draw(mass, safe), rtol=1e-12)
    quick = draw.norm > 0
    assert quick.all() if spread == 1.0 else not quick.all()
    assert spread > 1e2 or quick.any()
    with np.errstate(divide="ignore"):
        logs = np.log([0.0, 0.25, 0.5, 0.25, 0.0])
    level = np.full(40, -3e5)
    np.testing.assert_allclose(draws.soften(level, draw.near, np.exp(logs), logs, 0.1)[0], level, rtol=1e-15)


def law(draw):
    """Chances (cells, next cells)."""
    near, matrix = draw.near, np.zeros((len(draw.near), len(draw.near)))
    chance = np.exp(draw.logs + (draw.before[:, None] - draw.after[near]) / draw.entropy)
    np.add.at(matrix, (np.arange(len(near))[:, None], near), chance)
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0)
    return matrix


def fits(seen, chance):
    """Chi-square of counts, where a chance of 0 is never met."""
    assert (seen[chance == 0] == 0).all()
    some = chance > 0
    return stats.chisquare(seen[some], seen.sum() * chance[some]).pvalue > 1e-4


@FORMS
@pytest.mark.parametrize("reach", [2, 4])  # the wider one goes around the ring, to one cell in two ways
def test_agents_go_where_the_chances_say(reach, form):
    draw = one_draw(reach=reach, form=form)
    matrix, words = law(draw), stream()
    for x in range(5):
        cells = np.full(CROWD, x, dtype=np.int32)
        cells[0] = -1
        table, known = np.empty((5, 2 * reach + 2)), np.zeros(5, dtype=bool)
        draws.walk_draw(cells, draw, table, known, words)
        assert cells[0] == -1
        assert known.tolist() == [y == x for y in range(5)]
        assert fits(np.bincount(cells[1:], minlength=5), matrix[x])


@pytest.mark.parametrize("number", [1, draws.FEW, draws.FEW + 1, 30, 1000])
@FORMS
def test_counts_are_multinomial(number, form):
    """Their sums by the chances, and each of them with the variance n p (1 - p), to 4.5 standard errors."""
    draw, words, repeats = one_draw(form=form), stream(), 3000
    matrix, counts = law(draw), np.zeros(5, dtype=np.int64)
    counts[3] = number
    seen = np.array([draws.split_draw(counts, draw, words) for _ in range(repeats)])
    assert (seen.sum(axis=1) == number).all()
    assert fits(seen.sum(axis=0), matrix[3])
    variance = number * matrix[3] * (1 - matrix[3])
    error = np.sqrt((2 + 1 / variance) / repeats)
    assert (abs(seen.var(axis=0) / variance - 1) < 4.5 * error).all()


def test_counts_of_all_cells_add_up():
    draw = one_draw()
    counts = np.array([10**9, 0, 10**9, 3, 10**12])
    moved = draws.split_draw(counts, draw, stream())
    assert moved.sum() == counts.sum()
    np.testing.assert_allclose(moved, counts @ law(draw), rtol=4e-4)


def test_chances_that_vanish_are_never_drawn():
    """Values 5000 eps apart: all go to the best cell within reach, whatever the order of moves."""
    plain = one_draw()
    near, after = plain.near, 5000 * plain.entropy * np.array([3.0, 0, 2, 4, 1])
    draw = drawn(near, plain.logs, after, plain.entropy)
    goal = near[np.arange(5), after[near].argmin(axis=1)]
    counts = np.array([100, 2, 100, 100, 100])
    moved = draws.split_draw(counts, draw, stream())
    np.testing.assert_array_equal(moved, np.bincount(goal, counts, minlength=5))
    cells = np.repeat(np.arange(5, dtype=np.int32), 50)
    there = goal[cells]
    table, known = np.empty((5, 6)), np.zeros(5, dtype=bool)
    draws.walk_draw(cells, draw, table, known, stream())
    np.testing.assert_array_equal(cells, there)
    with np.errstate(divide="ignore"):
        unreached = drawn(near, np.log([0.0, 0.25, 0.5, 0.25, 0.0]), np.zeros(5), plain.entropy)
    moved = draws.split_draw(np.array([0, 0, 1000, 0, 0]), unreached, stream())
    assert moved[[0, 4]].tolist() == [0, 0]
    assert moved.sum() == 1000


@FORMS
def test_means_are_those_of_the_matrix(form):
    draw, rng = one_draw(form=form), np.random.default_rng(1)
    matrix, (mass, value) = law(draw), rng.normal(size=(2, 5))
    mass[2] = 0.0
    np.testing.assert_allclose(draws.push_draw(mass, draw), mass @ matrix, rtol=1e-13)
    np.testing.assert_allclose(draws.expect_draw(value, draw), matrix @ value, rtol=1e-13)


@FORMS
@pytest.mark.parametrize("spread", [0.01, 0.1, 1.0, 10.0])
def test_divergence_of_two_draws(spread, form):
    """sum p log(p / q) directly, from logarithms."""
    draw = one_draw(seed=1, form=form)
    other = drawn(draw.near, draw.logs, draw.after + spread * np.random.default_rng(2).normal(size=5), 0.3, form)
    mass = np.array([0.5, 0.0, 0.2, 0.1, 0.2])
    logs = [one.logs + (one.before[:, None] - one.after[one.near]) / one.entropy for one in (draw, other)]
    direct = (np.exp(logs[0]) * (logs[0] - logs[1])).sum(axis=1)
    assert draws.diverge(mass, draw, other) == pytest.approx(mass @ direct, rel=1e-11)


def test_divergence_of_draws_that_hardly_differ():
    """Quadratic in the difference, far below the round-off of chances."""
    draw = one_draw()
    turn, mass = np.random.default_rng(4).normal(size=5), np.full(5, 0.2)
    others = [drawn(draw.near, draw.logs, draw.after + h * turn, draw.entropy) for h in (1e-4, 1e-8)]
    found = [draws.diverge(mass, draw, other) for other in others]
    assert found[0] / found[1] == pytest.approx(1e8, rel=1e-3)
    assert 0 < found[1] < 1e-14
    assert draws.diverge(mass, draw, draw) == 0.0
