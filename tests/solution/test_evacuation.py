"""Who has left by which exit, and when: closed forms, files, tables, what the command tells."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import mfgsolve as mfg
from mfgsolve.command.application import app
from mfgsolve.errors import InputError
from mfgsolve.solution.evacuation import PERCENTILES
from mfgsolve.studies.tables import table


@pytest.fixture(scope="module")
def leaving() -> mfg.Solution:
    """A tenth of those inside leaves in each of 20 rounds: two by "a" for each one by "b"."""
    chances = np.array([[[0.7, 0.2, 0.1], [0, 1, 0], [0, 0, 1]]])
    problem = mfg.Problem(mfg.States(3, exits={"a": 1, "b": 2}), mfg.TimeGrid(20.0, 20), mfg.Tabular(chances),
                          mfg.CrowdAversion(1.0), np.array([1.0, 0, 0]), name="drain")  # fmt: skip
    return mfg.solve(problem)


def test_shares_and_times_of_a_geometric_law(leaving: mfg.Solution):
    inside = 0.7 ** np.arange(21)
    np.testing.assert_allclose(leaving.exited, np.outer(1 - inside, [2 / 3, 1 / 3]), atol=1e-14)
    times = leaving.evacuation()
    assert times.left == pytest.approx(1 - inside[-1])
    assert times.by_exit == pytest.approx({"a": 2 / 3 * times.left, "b": times.left / 3})
    steps = np.arange(1, 21)
    assert times.mean == pytest.approx(float((steps * 0.3 * 0.7 ** (steps - 1)).sum() / times.left))
    assert times.percentiles[50] == 2  # rounds: 0.51 have left then
    assert times.percentiles[90] == 7
    assert tuple(times.percentiles) == PERCENTILES
    assert (leaving.density[:, 1:] == 0).all()


def test_a_diffusion_leaves_within_steps():
    grid = mfg.Grid.box((8,), exits={"left": "x-low"})
    wind = mfg.ControlledDiffusion(0.0, 1e6, drift=-0.5, scheme="upwind")
    solution = mfg.solve(mfg.Problem(grid, mfg.TimeGrid(1.0, 4), wind, 0.0, 1.0))  # 1/8 in each step
    times = solution.evacuation()
    assert times.left == pytest.approx(0.5, abs=1e-6)
    assert times.mean == pytest.approx(0.5, abs=1e-5)
    assert times.percentiles[50] == pytest.approx(1.0, abs=1e-4) or math.isnan(times.percentiles[50])
    assert math.isnan(times.percentiles[90])


def test_files_hold_who_has_left(leaving: mfg.Solution, tmp_path: Path):
    path = leaving.save(tmp_path / "drain.nc")
    again = mfg.load(path)
    np.testing.assert_array_equal(again.exited, leaving.exited)
    assert again.evacuation() == leaving.evacuation()
    head = mfg.solution.solution.load_header(path)
    assert head.evacuation() == leaving.evacuation()


def test_a_file_whose_mass_is_gone_is_refused(leaving: mfg.Solution, tmp_path: Path):
    broken = leaving.dataset.copy(deep=True)
    broken["exited"][:] = 0.5 * broken["exited"]
    from mfgsolve.files.schema import check

    with pytest.raises(mfg.errors.FileError, match=r"'density' with a mass that is .* from 1"):
        check(broken, "solution", "file")


def test_tables_and_the_command_tell_it(leaving: mfg.Solution, tmp_path: Path):
    frame = table(leaving, {}, [0.0, 1.0, 20.0])
    assert frame["left by a"].tolist() == pytest.approx([0, 0.2, 2 / 3 * (1 - 0.7**20)])
    path = leaving.save(tmp_path / "drain.nc")
    shown = CliRunner().invoke(app, ["show", str(path)])
    assert "a 66.6 %, b 33.3 %" in " ".join(shown.output.split())
    assert "50 % by 2" in " ".join(shown.output.split())
    told = json.loads(CliRunner().invoke(app, ["show", str(path), "--json"]).output)
    assert told["evacuation"]["by_exit"]["b"] == pytest.approx((1 - 0.7**20) / 3)


def test_games_without_exits_say_so():
    solution = mfg.solve(mfg.problems.left_right())
    with pytest.raises(InputError, match="nobody leaves left-right: its space has no exits"):
        _ = solution.exited
    with pytest.raises(InputError, match="nobody leaves"):
        solution.evacuation()


def test_populations_are_named():
    space = mfg.Populations(["fast", "slow"], mfg.States(2, exits={"door": 1}))
    fast, slow = (mfg.Tabular(np.array([[[1 - p, p], [0, 1]]])) for p in (0.9, 0.2))
    problem = mfg.Problem(space, mfg.TimeGrid(2.0, 2), [fast, slow], 0.0, np.array([[1.0, 0]] * 2))
    solution = mfg.solve(problem)
    assert solution.evacuation("slow").left == pytest.approx(0.36)
    assert solution.evacuation("fast").percentiles[90] == 1
    for wrong in (None, "sloww"):
        with pytest.raises(InputError, match="name one of fast, slow"):
            solution.evacuation(wrong)


def test_populations_of_their_own_masses_leave_by_shares(tmp_path: Path):
    space = mfg.Populations(["many", "few"], mfg.States(2, exits={"door": 1}), masses=[2.0, 0.5])
    leave = mfg.Tabular(np.array([[[0.2, 0.8], [0, 1]]]))
    initial = np.array([[2.0, 0], [0.5, 0]])
    solution = mfg.solve(mfg.Problem(space, mfg.TimeGrid(2.0, 2), [leave, leave], 0.0, initial))
    again, played = mfg.load(solution.save(tmp_path / "masses.nc")), mfg.simulate(solution, agents=4, replicas=1)
    for told in (solution.exited, again.exited, played["mean_field_exited"]):
        np.testing.assert_allclose(told.values[:, :, 0], np.repeat([[0.0], [0.8], [0.96]], 2, axis=1), atol=1e-14)
    assert again.evacuation("many").percentiles[90] == 2
    assert again.evacuation("few").by_exit["door"] == pytest.approx(0.96)


def test_a_name_where_there_is_one_population(leaving: mfg.Solution):
    with pytest.raises(InputError, match="has a single one; leave it out"):
        leaving.evacuation("a")


def test_nobody_leaves_by_an_exit_that_nobody_reaches():
    grid = mfg.Grid.box((6,), blocked=lambda c: abs(c.x - 0.75) < 0.1, exits={"far": lambda c: c.x > 0.9})
    solution = mfg.solve(mfg.Problem(grid, mfg.TimeGrid(1.0, 8), mfg.ControlledDiffusion(0.05), mfg.CrowdAversion(1.0),
                                     1.0, normalise=True))  # fmt: skip
    assert (solution.exited == 0).all()
    assert math.isnan(solution.evacuation().mean)
    assert solution.converged
