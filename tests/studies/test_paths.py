"""Paths of a study: which points, in which order, from which starts, and in which number of steps."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.cautions import Caution
from mfgsolve.games import make_game
from mfgsolve.problem import Problem
from mfgsolve.studies import paths as module
from mfgsolve.studies.paths import Path, along, paths, solve_path, starts_help
from mfgsolve.studies.points import Index, Point

OVER = {"reward": [1.0, 1.5, 2.0, 2.5, 3.0], "congestion": [0.05, 0.1]}
POINT = Point("supply-demand", settings={"shape": "8x8", "steps": 10, "viscosity": 0.05},
              options={"tol": 1e-10, "threads": 1})  # fmt: skip


def path(*wanted: int, point: Point = POINT) -> Path:
    points = tuple(point.with_settings({"reward": value}) for value in OVER["reward"])
    return Path(tuple((k,) for k in range(5)), points, "reward", tuple(OVER["reward"]), wanted or (0, 1, 2, 3, 4))


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each point that is solved has a start."""
    told, solved = [], module.solve_from

    def watched(point: Point, make, line, cautions):
        told.append(line is not None and line(mfg.resolution.settle(make())) is not None)
        return solved(point, make, line, cautions)

    monkeypatch.setattr(module, "solve_from", watched)
    return told


def test_every_point_is_on_one_path():
    listed = [index for row in paths(OVER, "reward") for index in row]
    assert sorted(listed) == list(np.ndindex(5, 2))
    assert next(paths(OVER, "reward")) == [(k, 0) for k in range(5)]
    assert list(paths(OVER, None)) == [[index] for index in np.ndindex(5, 2)]
    falling = next(paths({"reward": [3.0, 1.0, 2.0, 4.0]}, "reward"))
    assert falling == [(1,), (2,), (0,), (3,)]
    long = list(paths({"reward": list(range(33))}, "reward"))
    assert [len(row) for row in long] == [11, 11, 11]


def test_paths_go_along_numbers_of_the_game():
    assert along(OVER) == "reward"
    assert along({"reward": [1, 2, 3]}) is None  # two of three would start from nothing
    assert along({"steps": [8, 9, 10, 11], "rng": [1, 2, 3, 4], "kind": list("abcd")}) is None
    assert along({"on": [True, False, 2, 3], "a": [1, 2, 3, float("inf")]}) is None
    assert along({"reward": [1, 1.0, 2, 3]}) is None  # no line goes through two points in one place
    assert along({"reward": [1, 1.0, 2, 3], "congestion": [1, 2, 3, 4.0]}) == "congestion"


def test_seeds_follow_each_other_where_there_is_no_path():
    over = {"rng": [1, 2], "reward": [1.0, 2.0, 3.0], "agents": [5, 9], "kind": ["a", "b"]}
    listed = [index for (index,) in paths(over, None)]
    assert sorted(listed) == list(np.ndindex(2, 3, 2, 2))
    games = [(reward, kind) for _, reward, _, kind in listed]
    assert games == [game for game in np.ndindex(3, 2) for _ in range(4)]  # four answers of each game in a row
    assert [(seed, agents) for seed, _, agents, _ in listed[:4]] == list(np.ndindex(2, 2))


def test_starts_help_small_monotone_diffusions():
    assert starts_help(mfg.problems.supply_demand(shape=(16, 16)), Point())
    for problem in (
        mfg.problems.supply_demand(shape=(64, 64)),
        mfg.problems.left_right(temperature=0.2),
        mfg.problems.predator_prey(),
    ):
        assert not starts_help(problem, Point())
    for point in (
        Point(options={"method": "frank-wolfe"}),
        Point(options={"tol_continuum": 1e-3}),
        Point(agents=10),
        Point(learner="mguni"),
    ):
        assert not starts_help(mfg.problems.supply_demand(shape=(16, 16)), point)


def test_starts_are_straight_lines_and_save_sweeps(starts: list[bool]):
    warm = dict(solve_path(path()))
    assert starts == [False, False, True, True, True]
    for (k,), answer in warm.items():
        solution = mfg.solve(POINT.with_settings({"reward": OVER["reward"][k]}).problem(), check="ignore")
        assert answer.numbers["relative_exploitability"] <= 1e-10
        assert answer.numbers["potential"] == pytest.approx(solution.potential, rel=1e-9)
        assert answer.numbers["cost"] == pytest.approx(solution.certificate.cost, rel=1e-4)
        assert (answer.numbers["sweeps"] < 0.8 * solution.sweeps) == starts[k]


def test_what_is_wanted_does_not_change_the_bits():
    whole: dict[Index, dict] = {index: answer.numbers for index, answer in solve_path(path())}
    part = {index: answer.numbers for index, answer in solve_path(path().only([3]))}
    assert list(part) == [(3,)]
    del part[3,]["seconds"], whole[3,]["seconds"]
    np.testing.assert_equal(part[3,], whole[3,])


def test_a_point_that_fails_is_no_start(starts: list[bool]):
    points = list(path().points)
    points[1] = points[1].with_settings({"congestion": -1.0})
    broken = Path(path().indices, tuple(points), "reward", path().places, path().wanted)
    states = [answer.status for _, answer in solve_path(broken)]
    assert states == ["converged", "failed", "converged", "converged", "converged"]
    assert starts == [False, False, False, False, True]


def build(reward: float, steps: int | None = None) -> Problem:
    return mfg.problems.supply_demand(shape=(12, 12), viscosity=0.02, reward=reward, steps=steps)


def test_steps_are_measured_at_three_points_where_these_agree(monkeypatch: pytest.MonkeyPatch):
    asked: list[Problem] = []
    judge = module.judge
    monkeypatch.setattr(module, "judge", lambda problem: asked.append(problem) or judge(problem))
    point = Point(build=build, options={"tol": 1e-10, "threads": 1})
    answers = dict(solve_path(path(point=point)))
    assert len(asked) == 3
    chosen = [mfg.resolution.settle(build(reward)).time.steps for reward in OVER["reward"]]
    assert [int(answers[k,].numbers["steps"]) for k in range(5)] == chosen
    few = dict(solve_path(path(point=point.with_settings({"steps": 2}))))
    assert few[0,].message.startswith("2 entropic steps are too few")
    assert few[1,].message.startswith("as measured at reward = 1, 2 entropic steps are too few")
    assert few[3,].message.startswith("as measured at reward = 2, ")


def test_a_start_lies_on_the_line_through_two_points_that_are_near():
    problem = POINT.with_settings({"reward": 2.0}).problem()
    game = make_game(problem)
    one, other = (game.crowd_of(np.random.default_rng(k).random((game.steps + 1, 8, 8))) for k in (0, 1))
    known = [module._Known(1.0, game, one), module._Known(2.0, game, other)]
    start = module._line(known, 3.0, problem)
    assert start is not None
    wanted = np.maximum(other + (other - one), 0.0)
    wanted[0] = game.initial_mass.reshape(game.level_shape)
    np.testing.assert_allclose(start(game), wanted, rtol=1e-14)
    assert module._line(known, 2.0 + module.FARTHEST, problem) is not None
    assert module._line(known, 2.1 + module.FARTHEST, problem) is None, "too far to be told from two points"
    assert module._line(known, 3.0, problem.with_steps(20)) is None


def test_steps_are_shared_only_where_nothing_is_to_be_said_of_them(monkeypatch: pytest.MonkeyPatch):
    """The same number chosen at three points, with and without a warning at the last of them."""
    chosen = path(point=Point("supply-demand", settings={"shape": "8x8", "viscosity": 0.05}, options={"tol": 1e-10}))
    monkeypatch.setattr(module, "settle", lambda problem: problem.with_steps(10, chosen=True))
    for doubts, agree in (((), True), ((Caution("few", "Too few."),), False)):
        said = iter([(), (), doubts])
        monkeypatch.setattr(module, "judge", lambda problem, said=said: SimpleNamespace(cautions=next(said)))
        assert module._Mesh(chosen).agree is agree
