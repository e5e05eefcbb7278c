"""The plug board: names of solvers and learners, and classes that users plug in."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve import methods
from mfgsolve.learners import GMFQ
from mfgsolve.solution.learning import Played
from mfgsolve.solvers import FictitiousPlay, Newton, Solver, suited

BAR = mfg.problems.beach_bar(shape=(8,), steps=6)


@dataclass(frozen=True)
class Hasty(FictitiousPlay):
    """Fictitious play with longer steps, 3/(k+3) in place of 2/(k+2)."""

    boost: float = 3.0

    name = "hasty-play"

    def _length(self, state):
        return self.boost / (state.iteration + 1 + self.boost)


@dataclass(frozen=True)
class Apprentice(GMFQ):
    """A learner of one's own."""

    name = "apprentice"


@pytest.fixture
def board():
    """The plug board, as it was before when the test has ended."""
    kept = [(each, dict(each.homes)) for each in (methods.SOLVERS, methods.LEARNERS)]
    yield methods
    for each, homes in kept:
        each.homes.clear()
        each.homes.update(homes)


def test_names_are_listed_without_importing_what_stands_behind_them(tmp_path):
    code = (
        "import sys, mfgsolve.methods as m\n"
        "print(','.join(m.SOLVERS), ','.join(m.LEARNERS))\n"
        "print(sorted(name for name in sys.modules if name.startswith('mfgsolve.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    names, modules = done.stdout.strip().splitlines()
    assert names == f"{','.join(mfg.solvers.SOLVERS)} {','.join(mfg.learners.LEARNERS)}"
    assert modules == "['mfgsolve.errors', 'mfgsolve.methods']"


def test_public_tables_are_views_of_the_board(board):
    assert mfg.solvers.SOLVERS["newton"] is Newton
    assert mfg.learners.LEARNERS["gmf-q"] is GMFQ
    assert (len(mfg.solvers.SOLVERS), "newton" in mfg.solvers.SOLVERS, "nobody" in mfg.solvers.SOLVERS) == (
        12,
        True,
        False,
    )
    assert "portfolio" not in mfg.solvers.SOLVERS
    assert repr(mfg.learners.LEARNERS) == "<mguni, gmf-q, society-play, il, mfq, mfac, mtmfq>"
    mfg.register("hasty-play", Hasty)
    assert mfg.solvers.SOLVERS["hasty-play"] is Hasty
    with pytest.raises(TypeError):
        mfg.solvers.SOLVERS["newton"] = Hasty  # type: ignore[index]


def test_a_solver_of_ones_own_is_solved_with_by_name(board):
    mfg.register("hasty-play", Hasty)
    by_name = mfg.solve(BAR, method="hasty-play", max_iterations=20, check="ignore")
    by_class = mfg.solve(BAR, method=Hasty(), max_iterations=20, check="ignore")
    assert by_name.dataset.attrs["solver"] == "hasty-play"
    np.testing.assert_array_equal(by_name.dataset.density.values, by_class.dataset.density.values)
    longer = mfg.solve(BAR, method="hasty-play", max_iterations=20, check="ignore", boost=5.0)
    assert longer.exploitability != by_name.exploitability
    assert longer.learning is None
    with pytest.raises(mfg.InputError, match="boost"):
        mfg.solve(BAR, method="hasty-play", bost=5.0)
    with pytest.raises(mfg.InputError, match="did you mean 'hasty-play'"):
        mfg.solve(BAR, method="hasty-pla")


def test_a_solver_of_ones_own_runs_only_where_it_is_named(board):
    before = suited(BAR)
    mfg.register("hasty-play", Hasty)
    assert suited(BAR) == before
    assert "hasty-play" not in mfg.solve(BAR, tol=1e-3).dataset.attrs["stages"]


def test_a_solver_of_ones_own_is_resumed_bit_for_bit(board, tmp_path):
    mfg.register("hasty-play", Hasty)
    options = {"method": "hasty-play", "boost": 4.0, "check": "ignore"}
    whole = mfg.solve(BAR, max_iterations=20, **options)
    file = tmp_path / "half.nc"
    mfg.solve(BAR, max_iterations=8, checkpoint=file, **options)
    again = mfg.resume(file, max_iterations=20, check="ignore")
    assert again.dataset.attrs["solver"] == "hasty-play"
    np.testing.assert_array_equal(again.dataset.policy.values, whole.dataset.policy.values)
    del board.SOLVERS.homes["hasty-play"]
    with pytest.raises(mfg.FileError, match=r"mfgsolve.register\('hasty-play', ...\)"):
        mfg.resume(file)


def test_a_solver_of_ones_own_is_compared_and_its_files_are_read(board, tmp_path):
    mfg.register("hasty-play", Hasty)
    data = mfg.convergence(BAR, ["hasty-play", "fictitious-play"], max_sweeps=20)
    assert data.method.values.tolist() == ["hasty-play", "fictitious-play"]
    assert float(data.exploitability[0, 5]) != float(data.exploitability[1, 5])
    file = mfg.solve(BAR, method="hasty-play", max_iterations=3, check="ignore").save(tmp_path / "plan.nc")
    del board.SOLVERS.homes["hasty-play"]
    assert mfg.load(file).dataset.attrs["solver"] == "hasty-play"


def test_a_learner_of_ones_own_learns_by_name_and_goes_on(board, tmp_path):
    mfg.register("apprentice", Apprentice)
    assert "apprentice" in mfg.learners.LEARNERS
    assert "apprentice" not in mfg.solvers.SOLVERS
    options = {"agents": 10, "episodes": 100, "rng": 2, "softness": 0.3}
    whole = mfg.learn(BAR, "apprentice", reference=True, **options)
    assert whole.dataset.attrs["solver"] == "apprentice"
    file = tmp_path / "half.nc"
    stop = {"callback": lambda measure: measure.iteration >= 2, "checkpoint": file}
    half = mfg.learn(BAR, "apprentice", reference=True, **options, **stop)
    assert half.learning is not None
    assert half.learning.episodes.tolist() == [0.0, 25.0, 50.0]
    again = mfg.resume(file, check="ignore")
    assert again.learning is not None
    assert whole.learning is not None
    assert again.learning.density_distance == whole.learning.density_distance
    np.testing.assert_array_equal(again.dataset.policy.values, whole.dataset.policy.values)


def test_what_learning_adds_is_typed_and_read_back(tmp_path):
    learned = mfg.learn(BAR, agents=30, episodes=40, rng=1)
    learning = learned.learning
    assert learning is not None
    assert learning.agents == 30
    np.testing.assert_array_equal(learning.episodes, learned.dataset.episodes.values)
    np.testing.assert_array_equal(learning.agent_steps, learning.episodes * 30 * 6)
    apart = abs(learned.dataset.density - learned.dataset.reference_density).sum("x").mean("time")
    assert learning.density_distance == pytest.approx(0.5 * float(apart) * learned.problem.grid.cell_volume, rel=1e-12)
    back = mfg.load(learned.save(tmp_path / "learned.nc")).learning
    assert back is not None
    assert (back.agents, back.density_distance) == (learning.agents, learning.density_distance)
    assert back.reference_exploitability == learning.reference_exploitability
    np.testing.assert_array_equal(back.reference_density, learning.reference_density)
    assert mfg.load(mfg.solve(BAR, tol=1e-3).save(tmp_path / "solved.nc")).learning is None


def test_a_learner_that_is_solved_with_says_how_it_learned_and_compares_with_nothing():
    learned = mfg.solve(BAR, method=mfg.learners.Mguni(agents=20, episodes=10), check="ignore")
    assert learned.learning is not None
    assert learned.learning.reference_density is None
    assert np.isnan(learned.learning.density_distance)
    assert learned.dataset.episodes.values[-1] == 10


def test_episodes_at_certificates():
    played = Played(agents=3, episodes=20, block=8, before=1)
    assert played.after(np.arange(4)).tolist() == [1.0, 9.0, 17.0, 20.0]


class Nameless(FictitiousPlay):
    name = None  # type: ignore[assignment]


class Unfinished(Solver):
    name = "unfinished"


@dataclass
class Loose:
    name = "loose"


@dataclass(frozen=True)
class Listed(FictitiousPlay):
    names: tuple[str, ...] = ("a",)
    name = "listed"


@dataclass(frozen=True)
class Needy(FictitiousPlay):
    must: float = None  # type: ignore[assignment]
    name = "needy"


class Undeclared(Solver):
    name = "undeclared"

    def refuses(self, problem):
        return None

    init = step = finish = revive = refuses  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("name", "cls", "message"),
    [
        ("newton", replace(Newton()).__class__, "is taken by mfgsolve's own Newton"),
        ("portfolio", mfg.solvers.Portfolio, "is taken by mfgsolve's own Portfolio"),
        ("hasty", Hasty, "calls itself 'hasty-play'"),
        ("Hasty Play", Hasty, "small letters"),
        ("hasty,play", Hasty, "small letters"),
        (7, Hasty, "small letters"),
        ("hasty-play", Hasty(), "is a Hasty; a class derived from"),
        ("hasty-play", "Hasty", "is a str; a class derived from"),
        ("loose", Loose, "is Loose; a class derived from"),
        ("nameless", Nameless, "has no name"),
        ("unfinished", Unfinished, "it lacks .*init"),
        ("undeclared", Undeclared, "dataclass\\(frozen=True\\)"),
        ("listed", Listed, "parameter names has no default"),
        ("needy", Needy, "parameter must has no default"),
    ],
)
def test_what_is_refused(board, name, cls, message):
    before = [dict(each.homes) for each in (board.SOLVERS, board.LEARNERS)]
    with pytest.raises(mfg.InputError, match=message):
        mfg.register(name, cls)
    assert [dict(each.homes) for each in (board.SOLVERS, board.LEARNERS)] == before


def test_a_name_is_taken_by_the_first_and_kept_by_its_own_later_versions(board):
    def another():
        @dataclass(frozen=True)
        class Hasty(FictitiousPlay):  # of another place
            name = "hasty-play"

        return Hasty

    mfg.register("hasty-play", Hasty)
    mfg.register("hasty-play", Hasty)
    with pytest.raises(mfg.InputError, match=r"is taken by .*test_methods.Hasty"):
        mfg.register("hasty-play", another())
    edited = type("Hasty", (FictitiousPlay,), {"name": "hasty-play", "__module__": Hasty.__module__})
    mfg.register("hasty-play", edited)
    assert board.kind_of("hasty-play") is edited
