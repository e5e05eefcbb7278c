"""Targets to which no path leads are refused, and those that are out of reach for so many are told."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.solvers.ends import check_end, reachable


def line(steps: int, target: np.ndarray, temperature: float = 0.1, noise: float = 0.0) -> mfg.Problem:
    jumps = {0: 1.0 - noise, 1: noise} if noise else None
    moves = mfg.LatticeMoves((-1, 0, 1), costs=(0.1, 0.0, 0.1), temperature=temperature, jumps=jumps)
    start = np.eye(len(target))[0]
    grid = mfg.Grid.box((len(target),), bounds=[(0.0, float(len(target)))])
    return mfg.Problem(grid, mfg.TimeGrid(steps, steps), moves, 0.0, start, final=target)


def test_reach_is_counted_step_by_step() -> None:
    assert reachable(make_game(line(2, np.eye(5)[2]))).tolist() == [True, True, True, False, False]
    assert reachable(make_game(line(1, np.eye(5)[2], noise=0.5))).tolist() == [True, True, True, False, False]


@pytest.mark.parametrize("temperature", [0.0, 0.1])
def test_where_no_path_leads_is_refused(temperature: float) -> None:
    target = np.array([0.5, 0.0, 0.0, 0.25, 0.25])
    with pytest.raises(mfg.InputError, match=r"0.25 of its mass lies where no path leads.*cell \(4,\)"):
        mfg.solve(line(3, target, temperature))


def test_walls_divide_the_mass_of_a_diffusion() -> None:
    wall = np.array([False] * 4 + [True] + [False] * 5)
    start = np.where(wall, 0.0, 1.0)
    start /= start.sum() / 10
    target = start.copy()
    target[0], target[9] = target[0] - 0.5, target[9] + 0.5

    def posed(boundary: str) -> mfg.Problem:
        grid = mfg.Grid.box((10,), boundary=boundary, blocked=wall)
        return mfg.Problem(grid, mfg.TimeGrid(1.0, 8), mfg.ControlledDiffusion(0.05), 0.0, start, final=target)

    with pytest.raises(mfg.InputError, match=r"0\.05 of its mass lies where no path leads"):
        mfg.solve(posed("reflecting"))
    check_end(make_game(posed("periodic")))  # round the other way


def test_several_diffusions_are_led_each_to_its_own_target() -> None:
    start = np.ones((2, 6))
    tilted = np.array([np.linspace(0.7, 1.3, 6), np.linspace(1.2, 0.8, 6)])

    def posed(target: np.ndarray, wall: int | None = None) -> mfg.Problem:
        blocked = None if wall is None else np.arange(6) == wall
        space = mfg.Populations(["a", "b"], mfg.Grid.box((6,), blocked=blocked))
        dynamics = [mfg.ControlledDiffusion(0.1, scheme="upwind")] * 2
        begun, led = (np.where(blocked, 0.0, each) if wall is not None else each for each in (start, target))
        time, crowd = mfg.TimeGrid(1.0, 16), mfg.CrowdAversion(0.5)
        return mfg.Problem(space, time, dynamics, crowd, begun, final=led, normalise=True)

    solution = mfg.solve(posed(tilted), tol=1e-9, check="ignore")
    assert solution.converged
    np.testing.assert_allclose(solution.density[-1], tilted / tilted.mean(axis=1, keepdims=True), atol=1e-8)
    with pytest.raises(mfg.InputError, match="of its mass lies where no path leads"):
        mfg.solve(posed(tilted, wall=2))


def test_a_target_that_noise_forbids_ends_with_a_status_and_a_distance() -> None:
    target = np.array([0.0, 0.0, 1.0, 0.0])
    solution = mfg.solve(line(3, target, noise=0.4), method="planning", check="ignore")
    assert not solution.converged
    assert solution.certificate.final_distance > 0.05
    assert "total variation" in solution.sentence
    for temperature in (0.0, 0.1):  # interior points find that no flow will do
        with pytest.raises(mfg.InputError, match="no flow meets all hard bounds"):
            mfg.solve(line(3, target, temperature, 0.4))


def test_actions_that_are_not_allowed_lead_nowhere() -> None:
    stay, onward = np.eye(3), np.eye(3)[[1, 2, 2]]
    allowed = np.array([[True, True, True], [True, False, True]])
    dynamics = mfg.Tabular([stay, onward], allowed=allowed, temperature=0.1)
    problem = mfg.Problem(mfg.States(3), mfg.TimeGrid(3, 3), dynamics, 0.0, np.eye(3)[0], final=np.eye(3)[1])
    assert reachable(make_game(problem)).tolist() == [True, True, False]
