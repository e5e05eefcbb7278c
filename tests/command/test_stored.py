"""Which learner a checkpoint is of: its kind, agents and episodes, and what is no learner's."""

from __future__ import annotations

import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.command.stored import learner_of, stored_learner
from mfgsolve.learners import Mguni


def attrs(**changes: object) -> xr.Dataset:
    return xr.Dataset(
        attrs={"solver": "mguni", "option_agents": 7, "option_episodes": 30, "option_rate": 0.1} | changes
    )


def test_a_learner_comes_back_with_its_numbers() -> None:
    learner = learner_of(attrs(), "c.nc")
    assert isinstance(learner, Mguni)
    assert (learner.agents, learner.episodes) == (7, 30)


def test_a_solver_is_no_learner() -> None:
    assert learner_of(attrs(solver="newton"), "c.nc") is None


@pytest.mark.parametrize("changes", [{"solver": "teacher"}, {"option_agents": "many"}])
def test_what_mfgsolve_did_not_write_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(mfg.FileError, match=r"checkpoint c\.nc misses or spoils .*; it was not written by mfgsolve"):
        learner_of(attrs(**changes), "c.nc")


def test_from_a_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    mfg.learn(mfg.problems.beach_bar(), "mguni", agents=3, episodes=2, checkpoint=tmp_path / "c.nc", reference=False)
    learner = stored_learner(tmp_path / "c.nc")
    assert learner is not None
    assert (learner.agents, learner.episodes) == (3, 2)  # type: ignore[attr-defined]
