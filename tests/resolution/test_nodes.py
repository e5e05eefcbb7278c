"""Numbers of steps whose nodes fall on kinks: by arithmetic of fractions, and by brute force."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfgsolve.resolution.nodes import misses, near


@pytest.mark.parametrize(
    ("wished", "steps"), [(11.4, 10), (25.6, 20), (34.8, 30), (45.5, 40), (102.4, 100), (182.0, 180), (8, 10)]
)
def test_the_flagship_takes_multiples_of_ten(wished: float, steps: int) -> None:
    assert near(wished, (0.7,), 1.0, 8) == steps


def test_halves_have_nodes_there_too_where_they_can() -> None:
    assert near(45.5, (), 1.0, 8) == 44
    assert near(45.5, (0.5,), 1.0, 8) == 44  # 22 is even
    assert near(47.9, (1.0,), 3.0, 8) == 42  # multiples of 3, and 45 has no half


def test_several_kinks_need_a_common_multiple() -> None:
    assert near(45.5, (0.7, 1 / 3), 1.0, 8) == 30
    assert near(140.0, (24.0 / 7, 16.0), 24.0, 8) == 126  # of 7 and 3, and even halves


@pytest.mark.parametrize("kinks", [(math.sqrt(2) - 1,), (1 / 97,), (0.1, 0.123, 0.777)])
def test_where_none_fits_they_are_missed_by_least(kinks: tuple[float, ...]) -> None:
    found = near(45.5, kinks, 1.0, 8)
    away = {n: max(abs(k - round(k * n) / n) for k in kinks) for n in range(34, 46)}
    assert away[found] == pytest.approx(min(away.values()), rel=1e-9)
    assert misses(found, kinks, 1.0) == pytest.approx(found * away[found])
    assert misses(found, kinks, 1.0) > 0


@given(st.integers(8, 3000), st.integers(1, 59), st.integers(2, 60), st.floats(1e-3, 1e3))
def test_whatever_the_fraction(wished: int, above: int, below: int, horizon: float) -> None:
    share = Fraction(above, below) % 1
    kinks = (float(share) * horizon,) if share > 0 else ()
    found = near(wished, kinks, horizon, 8)
    assert 8 <= found <= 1.25 * wished
    assert found >= wished / 2
    exact = found % share.denominator == 0
    assert (misses(found, kinks, horizon) == 0) == (exact or not kinks)
    if wished // 2 >= share.denominator:  # there is a multiple between half of it and itself
        assert exact
