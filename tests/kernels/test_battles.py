"""Kernels of battles against the same formulas written with arrays of NumPy, agent by agent."""

from __future__ import annotations

import numpy as np
import pytest

from mfgsolve.kernels import battles as kernels

pytestmark = pytest.mark.kernel
DISC = [(x, y) for y in range(-2, 3) for x in range(-2, 3) if 0 < x * x + y * y <= 4]
TARGET = np.full((5, 5), -1)
for _k, (_x, _y) in enumerate(DISC):
    TARGET[_y + 2, _x + 2] = _k


def crowd(seed, worlds=2, members=5, groups=4, slots=5, size=11):
    rng = np.random.default_rng(seed)
    cells = np.stack([rng.permutation((size - 2) ** 2)[: members * slots] for _ in range(worlds)])
    position = np.stack([cells % (size - 2) + 1, cells // (size - 2) + 1], axis=-1).reshape(worlds, members, slots, 2)
    alive = rng.random((worlds, members, slots)) < 0.7
    power = np.where(alive, rng.random(alive.shape), 0.0)
    last = rng.integers(-1, 7, size=(worlds, groups, slots))
    return rng, position, alive, power, last


def expected_row(w, g, s, position, alive, power, last, acts, counts, size, time):
    """The table of the module's legend, word by word."""
    members, groups = alive.shape[1], last.shape[1]
    x, y = position[w, g, s]
    row = [power[w, g, s], (x - (size - 1) / 2) / size, (y - (size - 1) / 2) / size]
    row += list(acts[last[w, g, s]]) if last[w, g, s] >= 0 else [0, 0, 0]
    order = [(g + r) % groups if r < groups else r for r in range(members)]
    others = {
        r: [
            (*(position[w, m, k] - (x, y)), power[w, m, k])
            for k in range(alive.shape[2])
            if alive[w, m, k] and (m, k) != (g, s)
        ]
        for r, m in enumerate(order)
    }
    for cell in DISC:
        here = [(r, p) for r in others for dx, dy, p in others[r] if (dx, dy) == cell]
        row += [float(any(r == q for q, _ in here)) for r in range(members)] + [here[0][1] if here else 0.0]
    for r in range(members):
        for low, high in ((0, 3.5), (3.5, 6.5)):
            near = [(dx, dy) for dx, dy, _ in others[r] if low < np.hypot(dx, dy) <= high]
            for right in (False, True):
                for down in (False, True):
                    for wide in (False, True):
                        row.append(
                            sum((dx > 0, dy > 0, abs(dx) > abs(dy)) == (right, down, wide) for dx, dy in near) / 4
                        )
    for r in range(members):
        best = min(others[r], key=lambda each: each[0] ** 2 + each[1] ** 2, default=None)
        if best is None:
            row += [0.0] * 4
        else:
            far = np.hypot(best[0], best[1])
            row += [best[0] / far, best[1] / far, 1 / far, best[2]]
    return [*row, *(alive[w, m].sum() / counts[m] for m in order), time]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("members", [4, 5])
def test_observations(seed, members):
    rng, position, alive, power, last = crowd(seed, members=members)
    acts, counts = rng.random((7, 3)), np.array([5, 5, 5, 5, 4][:members])
    width = 6 + 12 * (members + 1) + 21 * members + 1
    assert members == 5 or width == 151
    out = np.full((2, 4, 5, width), np.nan, dtype=np.float32)
    looks = np.array([[(m - g) % 4 if m < 4 else m for m in range(members)] for g in range(4)])
    kernels.observe(position, power, alive, np.array([True, True]), last, acts, counts, looks, 11, 0.3, TARGET, out)
    nearest = slice(width - 5 * members - 1, width - members - 1)
    for w, g, s in np.ndindex(2, 4, 5):
        if not alive[w, g, s]:
            assert (out[w, g, s] == 0).all()
            continue
        wanted = np.array(expected_row(w, g, s, position, alive, power, last, acts, counts, 11, 0.3))
        same = np.isclose(out[w, g, s], wanted, atol=1e-6)
        same[nearest] = np.isclose(out[w, g, s, nearest], wanted[nearest], atol=1e-6)
        assert same.all(), np.flatnonzero(~same)
    kernels.observe(position, power, alive, np.array([True, False]), last, acts, counts, looks, 11, 0.3, TARGET, out)
    assert (out[1] == 0).all()
    assert (out[0] != 0).any()


@pytest.mark.parametrize("radius", [2.5, 6.5, np.inf])
def test_mean_acts_of_neighbours(radius):
    rng, position, alive, _, last = crowd(3, members=4)
    types = rng.integers(0, 3, size=(4, 4, 5))
    out = np.full((2, 4, 5, 3, 7), np.nan, dtype=np.float32)
    kernels.around(position, alive, np.array([True, True]), last, types, radius**2, out)
    for w, g, s in np.ndindex(2, 4, 5):
        sums = np.zeros((3, 7))
        for m, k in np.ndindex(4, 5):
            near = np.hypot(*(position[w, m, k] - position[w, g, s])) <= radius
            if alive[w, m, k] and alive[w, g, s] and near and (m, k) != (g, s) and last[w, m, k] >= 0:
                sums[types[g, m, k], last[w, m, k]] += 1
        wanted = sums / np.maximum(sums.sum(axis=1, keepdims=True), 1)
        assert out[w, g, s] == pytest.approx(wanted, abs=1e-6)
    kernels.around(position, alive, np.array([False, True]), last, types, radius**2, out)
    assert (out[0] == 0).all()
