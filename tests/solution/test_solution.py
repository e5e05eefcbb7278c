"""Solutions: their numbers, words, files and copies, and the crowds that they make one believe."""

import copy
import math
import pickle

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.cautions import Caution
from mfgsolve.certificates import Certificate
from mfgsolve.discretisation import UNMEASURED
from mfgsolve.games import make_game
from mfgsolve.solution import Solution, Status, believed_crowd


def bar(**settings):
    return mfg.problems.beach_bar(shape=(6,), steps=4, **settings)


def line(cells=8, steps=32, horizon=0.5):
    return mfg.Problem(
        mfg.Grid.box(cells), mfg.TimeGrid(horizon, steps), mfg.ControlledDiffusion(0.05, scheme="upwind"),
        mfg.CrowdAversion(0.3),
        lambda t, c: 1 + 0.5 * np.cos(np.pi * c.x), terminal=lambda t, c: c.x, normalise=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def solution():
    return mfg.solve(bar())


def test_the_numbers_are_those_of_the_certificate(solution):
    found = solution.certificate
    assert solution.exploitability == found.exploitability
    assert solution.relative_exploitability == found.relative_exploitability
    assert solution.potential == found.potential
    summary = solution.summary()
    assert summary["cost"] == found.cost
    assert summary["status"] == "converged"
    assert summary["sweeps"] == solution.sweeps
    assert solution.converged


def test_sentences_hold_every_warning(solution):
    doubtful = Solution(
        solution.origin, Status.STALLED, solution.certificate, 3, 4.0, 5.0, "mine",
        warnings=(Caution("a", "One thing."), Caution("b", "Another.")),
    )  # fmt: skip
    assert doubtful.sentence == f"{Status.STALLED.sentence} {UNMEASURED.sentence} One thing. Another."
    assert "mine: stalled, with warnings (a, b), relative" in repr(doubtful)
    assert not doubtful.converged
    assert all(status.sentence.endswith(".") for status in Status)


def test_a_dataset_is_made_when_it_is_asked_for_and_travels_with_copies(solution):
    made = []

    def make():
        made.append(1)
        return xr.Dataset({"x": ("i", [1.0])})

    late = Solution(make, Status.CONVERGED, solution.certificate, 1, 1.0, 1.0)
    assert made == []
    assert late.dataset is late.dataset
    for twin in (copy.copy(late), pickle.loads(pickle.dumps(late))):
        assert float(twin.dataset["x"][0]) == 1.0
    assert made == [1]


def test_a_file_brings_the_same_numbers_back(solution, tmp_path):
    back = mfg.load(solution.save(tmp_path / "s.nc"))
    for name in Certificate.__dataclass_fields__:
        one, other = getattr(back.certificate, name), getattr(solution.certificate, name)
        assert one == other or (math.isnan(one) and math.isnan(other)), name
    assert back.dataset["density"].identical(solution.dataset["density"])
    assert (back.status, back.iterations, back.sweeps) == (solution.status, solution.iterations, solution.sweeps)
    assert back.name == "beach-bar"
    assert back.learning is None


def test_a_policy_is_followed_on_the_own_space_of_a_finite_game(solution):
    game = make_game(bar(distance_cost=2.0))
    np.testing.assert_allclose(
        believed_crowd(solution, game)[:, : game.cells], solution.dataset["density"].values, atol=1e-14
    )
    with pytest.raises(mfg.InputError, match=r"start has shape .* only grids are interpolated"):
        believed_crowd(solution, make_game(mfg.problems.beach_bar(shape=(7,), steps=4)))
    with pytest.raises(mfg.InputError, match=r"the axes \('x',\); the problem has \('state',\)"):
        believed_crowd(solution, make_game(mfg.problems.left_right()))


def test_a_density_of_a_diffusion_is_interpolated():
    """Linear in space between the centres, and stretched to another horizon."""
    plan = mfg.solve(line())
    density, own = plan.dataset["density"], make_game(line())
    np.testing.assert_allclose(own.mass(believed_crowd(plan, own)) / own.grid.volumes, density.values, rtol=1e-12)
    finer = make_game(line(16, 64, horizon=1.0))
    found = finer.mass(believed_crowd(plan, finer)) / finer.grid.volumes
    centres = finer.grid.axes[0].centres
    for node in (0, 32, 64):
        wanted = np.interp(centres, density.x.values, density.values[node // 2])
        np.testing.assert_allclose(found[node] / found[node].sum(), wanted / wanted.sum(), rtol=1e-9)
