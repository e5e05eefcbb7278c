"""Names of the actions of populations."""

from __future__ import annotations

import numpy as np
import xarray as xr

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.resolution import settle

TIME = mfg.TimeGrid(1.0, 4)


def test_every_population_keeps_the_names_of_its_actions(tmp_path):
    """All populations had the names of the first one: hens 'hunt'."""
    stay, swap = np.eye(2), np.eye(2)[::-1]
    problem = mfg.Problem(
        grid=mfg.Populations(["fox", "hen", "hawk"], mfg.States(2)), time=TIME, coupling=mfg.CrowdAversion(1.0),
        dynamics=[mfg.Tabular([stay, swap, stay], actions=["rest", "hunt", "hide"]),
                  mfg.Tabular([stay, swap], actions=["rest", "flee"]), mfg.Tabular([stay])],
        initial=np.full((3, 2), 0.5),
    )  # fmt: skip
    plan = mfg.solve(problem)
    plan.save(tmp_path / "plan.nc")
    for dataset in (plan.dataset, mfg.load(tmp_path / "plan.nc").dataset):
        assert dataset["action"].values.tolist() == ["rest/0", "hunt/flee", "hide"]
        names = dataset["action_name"].sel(population=["fox", "hen", "hawk"]).values.tolist()
        assert names == [["rest", "hunt", "hide"], ["rest", "flee", ""], ["0", "", ""]]
    assert mfg.exploitability(problem, plan.dataset).relative_exploitability < 1e-9
    swapped = mfg.Problem(
        grid=mfg.Populations(["fox", "hen"], mfg.States(2)), time=TIME, coupling=0.0, initial=np.full((2, 2), 0.5),
        dynamics=[mfg.Tabular([stay, swap], actions=["a", "b"]), mfg.Tabular([stay, swap], actions=["b", "a"])],
    )  # fmt: skip
    assert make_game(swapped).step.action_names == ["a/b", "b/a"]
    alike = mfg.solve(mfg.problems.predator_prey()).dataset
    assert "action_name" not in alike


def test_costs_named_without_steps_say_nothing_of_their_number():
    cost = xr.DataArray(np.ones((2, 2)), dims=("state", "action"))
    game = mfg.Problem(
        grid=mfg.States(2),
        time=mfg.TimeGrid(5.0),
        dynamics=mfg.Tabular([np.eye(2), np.eye(2)], cost=cost),
        coupling=0.0,
        initial=np.array([1.0, 0.0]),
    )
    assert settle(game).time.steps == 5
