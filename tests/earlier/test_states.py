"""States of 0.4.0 are gone on with as that version itself went on, where it saw costs that everybody pays, too."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from earlier_files import CHECKPOINTS, KEPT, LEARNED, expected, game_of, resumed, unpacked

import mfgsolve as mfg
from mfgsolve.checkpoints import read_checkpoint

THEN = expected("0.4.0")["checkpoints"]
OTHER = {  # what has been mended since, or ends at a tolerance of another scale, and so takes another way
    "newton-python", "newton-sharp", "newton-coupled", "newton-warm", "social-diffusion",
}  # fmt: skip


@pytest.mark.parametrize("name", [*CHECKPOINTS, *LEARNED])
def test_it_reaches_what_that_version_reached(name: str, tmp_path: Path):
    path, then = unpacked("0.4.0", f"checkpoints/{name}", tmp_path), THEN[name]
    begun = read_checkpoint(path).rows[-1].iteration
    solution = resumed(name, path)
    assert solution.iterations > begun
    cost = solution.certificate.cost
    near = 1e-4 if then["status"] == "converged" else 1e-8  # densities are as far apart as the root of a tolerance
    density = solution.dataset["density"].values
    wave = float((density.reshape(-1) * np.cos(np.arange(density.size))).sum())
    total, other, _ = then["density"]
    assert math.isclose(float(density.sum()), total, rel_tol=1e-12)
    assert abs(wave - other) <= near * total
    assert abs(cost - then["cost"]) <= near * (1.0 + abs(cost))
    if not math.isnan(then["potential"]):
        most = 2 * max(abs(then["exploitability"]), abs(solution.exploitability), 1e-12 * abs(cost))
        assert abs(solution.potential - then["potential"]) <= (most if solution.converged else 1e-8)
    if then["status"] == "converged" and name != "newton-sharp":
        assert solution.converged
        assert solution.relative_exploitability <= 1e-9


@pytest.mark.parametrize("name", sorted({*CHECKPOINTS, *LEARNED} - OTHER))
def test_it_takes_the_same_steps(name: str, tmp_path: Path):
    path, then = unpacked("0.4.0", f"checkpoints/{name}", tmp_path), np.array(THEN[name]["exploitabilities"])
    solution = resumed(name, path)
    now = solution.dataset["exploitability"].values[:KEPT]
    both = min(now.size, then.size)
    assert both >= min(KEPT, then.size)
    floor = 1e-10 * abs(solution.certificate.cost)
    np.testing.assert_allclose(now[:both], then[:both], rtol=1e-5, atol=floor)


@pytest.mark.parametrize("name", ["interior-point-python", "complementarity-python"])
def test_constants_are_taken_out_of_values(name: str, tmp_path: Path):
    """Everybody pays 3 a step, 50 per unit time and 20 in the end: what is left of V is what places and moves add."""
    path = unpacked("0.4.0", f"checkpoints/{name}", tmp_path)
    before = read_checkpoint(path)
    resumed(name, path, max_iterations=before.rows[-1].iteration)
    after = read_checkpoint(path)
    assert before.arrays["value"].max() > 70.0
    assert np.abs(after.arrays["value"]).max() < 8.0
    moved = (after.arrays["value"] - before.arrays["value"])[1:]
    assert moved.ndim == 1 or np.ptp(moved, axis=1).max() <= 1e-12 * 100.0
    for same in ("excess", "choice_dual", "choice_slack"):
        if same in before.arrays:
            np.testing.assert_array_equal(after.arrays[same], before.arrays[same])


def test_what_agents_learned_of_rewards_moves_with_the_costs(tmp_path: Path):
    path = unpacked("0.4.0", "checkpoints/mguni-two", tmp_path)
    before = read_checkpoint(path)
    mfg.resume(path, problem=game_of("mguni-two"), callback=lambda measure: True, check="ignore")
    moved = read_checkpoint(path).arrays["critic"] - before.arrays["critic"]
    each = moved.reshape(moved.shape[1], 2, -1)  # step, population
    assert np.ptp(each, axis=2).max() <= 1e-12
    left = np.arange(4, 0, -1)
    np.testing.assert_allclose(each[:, 0, 0], left * (2.0 + 0.25 * 0.125), rtol=1e-12)
    np.testing.assert_allclose(each[:, 1, 0], left * (-1.2 + 0.25 * 5.125), rtol=1e-9)


def test_the_value_of_a_paid_place_moves_by_what_is_paid_from_then_on(tmp_path: Path):
    """lambda_T by the terminal cost; V_t - lambda_t by that of the place, dt (50 + sin 3 t + least of (x - 0.8)^2)."""
    path = unpacked("0.4.0", "checkpoints/interior-point-python", tmp_path)
    before = read_checkpoint(path)
    resumed("interior-point-python", path, max_iterations=before.rows[-1].iteration)
    after = read_checkpoint(path)
    level, value = (before.arrays[name] - after.arrays[name] for name in ("level", "value"))
    np.testing.assert_allclose(level[-1], 20.0 + (1 / 12) ** 2, rtol=1e-13)
    paid = 0.2 * (50.0 + np.sin(3 * 0.2 * np.arange(1, 5)) + (0.75 - 0.8) ** 2)
    np.testing.assert_allclose((value - level)[1:-1], np.broadcast_to(paid[:, None], (4, 6)), rtol=1e-12)
    np.testing.assert_allclose((level[:-1] - value[1:]), 3.0, rtol=1e-12)  # the cheapest move
