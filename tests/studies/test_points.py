"""One point of a sweep: its settings, its identity, its failures."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.resolution.rule import BOUND
from mfgsolve.studies import points as module
from mfgsolve.studies.points import Point, fingerprint_of, shape_of, solve_point


def test_points_travel_and_answer():
    point = pickle.loads(pickle.dumps(Point("left-right", settings={"temperature": 0.2}, options={"tol": 1e-9})))
    answer = solve_point(point)
    assert answer.status == "converged"
    assert answer.numbers["relative_exploitability"] <= 1e-9
    assert answer.numbers["steps"] == mfg.problems.left_right().time.steps


def test_settings_of_games_and_learners_are_told_apart():
    point = Point("left-right").with_settings({"temperature": 0.2, "agents": 5})
    assert (point.settings, point.agents) == ({"temperature": 0.2}, 5)
    learner = Point("left-right", learner="mguni").with_settings({"agents": 5, "rng": 3, "episodes": 7})
    assert (learner.options, learner.agents) == ({"agents": 5, "rng": 3, "episodes": 7}, 0)


def test_fingerprints_tell_studies_apart():
    first = fingerprint_of(Point("left-right"), {"temperature": [0.1]})
    assert first == fingerprint_of(Point("left-right"), {"temperature": [0.1]})
    others = [
        fingerprint_of(Point("left-right"), {"temperature": [0.1, 0.2]}),
        fingerprint_of(Point("left-right", options={"tol": 1e-9}), {"temperature": [0.1]}),
        fingerprint_of(Point("left-right", regions={"a": "x<1"}), {"temperature": [0.1]}),
        fingerprint_of(Point("beach-bar"), {"temperature": [0.1]}),
        fingerprint_of(Point(text="x"), {"temperature": [0.1]}),
    ]
    assert len({first, *others}) == 6


def test_failures_are_answers():
    other = solve_point(Point("left-right", version="0.0.1"))
    assert other.status == "failed"
    assert "the study is of 0.0.1" in other.message

    def broken() -> mfg.Problem:
        raise RuntimeError("no")

    assert "RuntimeError: no (broken" in solve_point(Point(build=broken)).message
    assert "temperature" in solve_point(Point("left-right", settings={"temperature": -1.0})).message


@pytest.fixture
def solves(monkeypatch: pytest.MonkeyPatch) -> list[mfg.Problem]:
    """Problems that are solved, in order."""
    found, solved = [], module.solved
    monkeypatch.setattr(module, "solved", lambda problem, **given: found.append(problem) or solved(problem, **given))
    monkeypatch.setattr(module, "_recent", [])
    return found


def heated(temperature: float) -> mfg.Problem:
    return mfg.problems.left_right(temperature=temperature)


@pytest.mark.parametrize("point", [Point("left-right", agents=20), Point(build=heated, agents=20)])
def test_agents_play_one_solution_seed_by_seed(point: Point, solves: list[mfg.Problem]):
    rows = [(0.2, 1), (0.2, 2), (0.3, 2), (0.3, 1), (0.2, 1)]
    answers = [solve_point(point.with_settings({"temperature": heat, "rng": rng})) for heat, rng in rows]
    assert len(solves) == 3  # the last game is remembered, and no other
    for (heat, _), answer in zip(rows, answers, strict=True):
        assert answer.numbers["cost"] == mfg.solve(heated(heat), check="ignore").certificate.cost
    assert answers[0].numbers["simulated_cost"] == answers[4].numbers["simulated_cost"]
    assert answers[0].numbers["simulated_cost"] != answers[1].numbers["simulated_cost"]


def test_a_function_that_makes_another_game_is_solved_anew(solves: list[mfg.Problem]):
    heats = iter([0.2, 0.2, 0.5])
    point = Point(build=lambda: heated(next(heats)), agents=20)
    costs = [solve_point(point).numbers["cost"] for _ in range(3)]
    assert costs[0] == costs[1] != costs[2]
    assert len(solves) == 2


def test_threads_do_not_take_each_others_solutions(solves: list[mfg.Problem]):
    wanted = {heat: mfg.solve(heated(heat), check="ignore").certificate.cost for heat in (0.2, 0.3, 0.5)}

    def answer(heat: float) -> float:
        return solve_point(Point("left-right", settings={"temperature": heat}, agents=5)).numbers["cost"]

    heats = [0.2, 0.3, 0.5] * 6
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(answer, heats)) == [wanted[heat] for heat in heats]


def test_another_thread_may_forget_what_is_remembered(solves: list[mfg.Problem], monkeypatch: pytest.MonkeyPatch):
    class Forgetful(list):
        def __setitem__(self, where, value):
            """Keep nothing."""

    monkeypatch.setattr(module, "_recent", Forgetful())
    assert solve_point(Point("left-right", settings={"temperature": 0.2}, agents=5)).status == "converged"


def test_steps_are_judged_where_the_rule_of_steps_says_so(monkeypatch: pytest.MonkeyPatch):
    asked: list[float] = []
    monkeypatch.setattr(module, "judge", lambda problem, cap: asked.append(cap) or mfg.resolution.judge(problem, cap))
    settings = {"shape": "8x8", "viscosity": 0.05, "scheme": "upwind"}
    for steps in (12, 200):
        point = Point("supply-demand", settings={**settings, "steps": steps}, options={"tol": 1e-8})
        assert module.solve_from(point, told=())[0].status == "converged"
    assert len(asked) == 1  # of few steps, with which agents are as fast as the cap lets them be
    assert asked[0] > BOUND


def test_shapes_are_read_from_labels():
    assert shape_of("32x64") == (32, 64)
    with pytest.raises(InputError, match="shape is '3y'"):
        shape_of("3y")
