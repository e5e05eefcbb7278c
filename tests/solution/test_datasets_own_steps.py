"""A step of anybody's own is solved, written, read, certified and gone on with, by its verbs alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.games import make_game
from mfgsolve.identity import fingerprint
from mfgsolve.resolution import settle
from mfgsolve.solution import believed_crowd
from tests.own_steps import Hopping, as_tables, hopping


@pytest.fixture(scope="module")
def solution() -> mfg.Solution:
    return mfg.solve(hopping())


def test_its_equilibrium_is_that_of_the_same_game_in_tables():
    own, known = (mfg.solve(problem, method="newton", tol=1e-13) for problem in (hopping(), as_tables()))
    assert own.converged
    for name in ("density", "policy", "value"):
        np.testing.assert_allclose(own.dataset[name], known.dataset[name], rtol=0, atol=1e-6)
    slow = mfg.solve(hopping(), method="fictitious-play", tol=1e-3)  # by its average
    np.testing.assert_allclose(slow.dataset["density"], known.dataset["density"], rtol=0, atol=1e-2)


def test_its_dataset_is_that_of_tables(solution):
    known = mfg.solve(as_tables()).dataset
    policy = solution.dataset["policy"]
    assert policy.dims == known["policy"].dims == ("step", "action", "state")
    assert list(policy["action"].values) == ["stay", "hop"]
    assert policy.attrs == known["policy"].attrs
    assert list(solution.dataset.data_vars) == list(known.data_vars)


def test_its_file_loads_and_is_certified(solution, tmp_path):
    loaded = mfg.load(solution.save(tmp_path / "plan.nc"))
    np.testing.assert_array_equal(loaded.dataset["policy"], solution.dataset["policy"])
    certificate = mfg.exploitability(hopping(), loaded)
    assert certificate.exploitability == pytest.approx(solution.exploitability, abs=1e-14)
    turned = loaded.dataset["policy"].isel(action=[1, 0]).transpose("state", "action", "step")
    assert mfg.exploitability(hopping(), turned).cost == certificate.cost


def test_it_starts_another_solve(solution):
    again = mfg.solve(hopping(), start=solution, method="newton")
    assert again.iterations <= 1
    even = xr.full_like(solution.dataset["density"], 0.2)
    spoilt = replace(solution, origin=solution.dataset.assign(density=even))  # its policy is what counts
    game = make_game(hopping())
    np.testing.assert_allclose(believed_crowd(spoilt, game), solution.dataset["density"], rtol=0, atol=1e-14)
    renamed = spoilt.dataset.assign_coords(action=["walk", "run"])
    np.testing.assert_array_equal(believed_crowd(replace(solution, origin=renamed), game), even)


def test_its_checkpoint_resumes_and_is_refused_elsewhere(tmp_path):
    path = tmp_path / "hop.nc"
    mfg.solve(hopping(), method="fictitious-play", max_iterations=3, checkpoint=path, check="ignore", tol=1e-12)
    through = mfg.solve(hopping(), method="fictitious-play", max_iterations=6, check="ignore", tol=1e-12)
    resumed = mfg.resume(path, problem=hopping(), max_iterations=6, check="ignore")
    np.testing.assert_array_equal(resumed.dataset["density"], through.dataset["density"])
    with pytest.raises(InputError, match="is of another game"):
        mfg.resume(path, problem=hopping(price=0.2), check="ignore")


def test_its_identity_is_sampled():
    assert fingerprint(hopping()) == fingerprint(hopping())
    others = [hopping(price=0.10000000000001), hopping(temperature=0.51)]
    assert len({fingerprint(problem) for problem in (hopping(), *others)}) == 3


def test_a_horizon_without_steps_has_rounds_of_one():
    problem = hopping()
    unsettled = mfg.Problem(
        problem.grid, mfg.TimeGrid(3.0), Hopping(), problem.coupling, problem.initial, problem.terminal
    )
    assert settle(unsettled).time.steps == 3
    assert mfg.solve(unsettled).warnings == ()


def test_a_policy_of_another_shape_is_refused():
    step = make_game(hopping()).step
    step.policy_shape = (5,)
    with pytest.raises(InputError, match="policies of a Hops are no tables"):
        step.policy_from(np.full((4, 2, 5), 0.5))


def test_a_step_without_a_list_of_actions_says_what_it_misses(solution):
    step = make_game(hopping()).step
    step.actions = 0
    policy = step.policy_of(np.full((4, 2, 5), 0.5))
    for ask in (lambda: step.described(policy), lambda: step.policy_from(policy.chances)):
        with pytest.raises(InputError, match="does not say how its policies stand in a dataset"):
            ask()
