"""Movement costs as they are stated: Legendre pairs, closed forms, files, and what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import run
from hypothesis import given, settings
from hypothesis import strategies as st
from moving_games import MOVEMENTS, problem

import mfgsolve as mfg
from mfgsolve.dynamics.movement import KINDS
from mfgsolve.games import make_game
from mfgsolve.identity import fingerprint
from mfgsolve.problemfile import all_keys, read_problem
from mfgsolve.problemfile.declaring import write_declared
from mfgsolve.problemfile.reading import problem_from_toml
from mfgsolve.resolution import settle

FINITE = st.floats(-3, 3, allow_subnormal=False)
COSTS = st.one_of(
    st.builds(mfg.PowerCost, st.floats(1.2, 6), st.booleans(), st.one_of(st.none(), st.floats(0.1, 2))),
    st.builds(mfg.LinearCost, st.floats(0.1, 2), st.booleans()),
    st.builds(mfg.SpeedLimit, st.floats(0.1, 2), st.booleans()),
)


@given(COSTS, st.lists(FINITE, min_size=2, max_size=2), st.lists(FINITE, min_size=2, max_size=2), st.floats(0.2, 3))
@settings(max_examples=200, deadline=None)
def test_cost_and_hamiltonian_are_a_legendre_pair(cost: Any, slope: list[float], speed: list[float], weight: float):
    p, a = np.array(slope), np.array(speed)
    best, value = cost.speeds(p, weight), cost.hamiltonian(p, weight)
    assert cost.cost(a, weight) + value >= a @ p - 1e-9  # Fenchel and Young
    assert cost.cost(best, weight) + value == pytest.approx(best @ p, abs=1e-9 * (1 + abs(value)))
    e = 1e-6  # a* = grad H; convex, so that slopes of chords from both sides enclose it
    for k in range(2):
        step = e * np.eye(2)[k]
        ahead = (cost.hamiltonian(p + step, weight) - value) / e
        back = (value - cost.hamiltonian(p - step, weight)) / e
        assert back - 1e-4 * (1 + abs(back)) <= best[k] <= ahead + 1e-4 * (1 + abs(ahead))


def test_for_two_axes_the_joint_cost_is_no_sum():
    one, other = mfg.PowerCost(3.0), mfg.PowerCost(3.0, joint=False)
    assert float(one.hamiltonian([2.0, 1.0])) == pytest.approx(5**0.75 / 1.5)
    assert float(other.hamiltonian([2.0, 1.0])) == pytest.approx((2**1.5 + 1) / 1.5)
    np.testing.assert_allclose(one.speeds([2.0, 1.0]), np.array([2.0, 1.0]) * 5**-0.25)
    assert float(mfg.PowerCost(2.0).hamiltonian([2.0, 1.0], 0.5)) == pytest.approx(5.0)


# -- closed forms ------------------------------------------------------------------------------------------------------


def line(movement: Any, viscosity: float, steps: int, cells: int = 320, **parts: Any) -> mfg.Problem:
    return mfg.Problem(
        mfg.Grid((mfg.Axis("x", cells, -8.0, 8.0),)), mfg.TimeGrid(1.0, steps),
        mfg.ControlledDiffusion(viscosity, scheme="upwind", movement=movement), parts.pop("coupling", 0.0), 1 / 16,
        **parts,
    )  # fmt: skip


def start_values(stated: mfg.Problem) -> Any:
    game = make_game(stated)
    price = game.price(game.resting_crowd(game.empty_crowd()))
    return game.values(price)[0], game


@pytest.mark.parametrize("viscosity", [0.0, 0.1])
@pytest.mark.parametrize(("p", "speed", "value"), [
    (1.5, -4.0, -8 / 3), (3.0, -1.4142135623731, -1.88561808316413), (4.0, -1.25992104989487, -1.88988157484231),
])  # fmt: skip
def test_terminal_cost_2x_at_any_viscosity(p: float, speed: float, value: float, viscosity: float):
    values, game = start_values(line(mfg.PowerCost(p), viscosity, 160, terminal=lambda t, c: 2 * c.x))
    x = game.grid.coordinates.x
    middle = slice(155, 165) if viscosity == 0 else slice(158, 162)
    found = values[middle] - 2 * x[middle]
    np.testing.assert_allclose(found, value, rtol=2e-13 if viscosity == 0 else 1e-7)
    policy = game.respond(game.empty_crowd() * 0).policy
    speeds = game.step.best_speeds(0, policy[0])
    np.testing.assert_allclose(-speeds[1, middle], speed, rtol=1e-12 if viscosity == 0 else 1e-7)
    np.testing.assert_array_equal(speeds[0, middle], 0.0)


@pytest.mark.parametrize(("p", "value"), [(1.5, -1 / 12), (3.0, -4 / 15), (4.0, -9 / 28)])
def test_running_cost_x_is_of_first_order_in_time(p: float, value: float):
    errors = []
    for steps in (20, 40, 80):
        values, game = start_values(line(mfg.PowerCost(p), 0.0, steps, 160, coupling=mfg.RunningCost(lambda t, c: c.x)))
        errors.append(values[80] - game.grid.coordinates.x[80] - value)
    assert abs(errors[2]) < 0.5 / 80
    assert errors[0] / errors[1] == pytest.approx(2.0, abs=0.12)
    assert errors[1] / errors[2] == pytest.approx(2.0, abs=0.06)


@pytest.mark.parametrize(("movement", "value"), [
    (mfg.PowerCost(3.0), -(5**0.75) / 1.5), (mfg.PowerCost(3.0, joint=False), -(2**1.5 + 1) / 1.5),
    (mfg.PowerCost(3.0, limit=1.0), 1 / 3 - 5**0.5), (mfg.SpeedLimit(0.7), -0.7 * 5**0.5),
    (mfg.SpeedLimit(0.7, joint=False), -2.1), (mfg.LinearCost(0.7), -0.7 * (5**0.5 - 1)),
    (mfg.LinearCost(0.7, joint=False), -0.7),
])  # fmt: skip
def test_terminal_cost_2x_plus_y_in_the_plane(movement: Any, value: float):
    plane = mfg.Grid((mfg.Axis("y", 40, -8.0, 8.0), mfg.Axis("x", 40, -8.0, 8.0)))
    stated = mfg.Problem(
        plane, mfg.TimeGrid(1.0, 18), mfg.ControlledDiffusion(0.0, scheme="upwind", movement=movement), 0.0, 1 / 256,
        terminal=lambda t, c: 2 * c.x + c.y,
    )  # fmt: skip
    values, game = start_values(stated)
    c = game.grid.coordinates
    np.testing.assert_allclose((values - 2 * c.x - c.y)[19:21, 19:21], value, rtol=1e-12)


# -- games -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["p-1.5", "p-3-limit", "p-2-limit", "p-1.5-apart"])
@pytest.mark.parametrize("shape", [(16,), (5, 6)])
def test_defaults_certify_smooth_costs_to_1e_10(name: str, shape: tuple[int, ...]):
    found = mfg.solve(problem(MOVEMENTS[name], shape, 48), tol=1e-10, check="ignore")
    assert found.converged
    assert found.dataset.solver == ("proximal-point" if name.startswith("p-3") else "newton")
    assert found.certificate.duality_gap < 1e-9


def test_above_power_two_frank_wolfe_finds_what_newton_does():
    stated = problem(mfg.PowerCost(3.0), (16,), 32)
    newton = mfg.solve(stated, method="newton", tol=1e-10, check="ignore")
    other = mfg.solve(stated, method="frank-wolfe", tol=1e-4, check="ignore")
    assert newton.converged
    assert other.certificate.potential - newton.certificate.potential == pytest.approx(0.0, abs=1e-4)
    assert other.certificate.potential >= newton.certificate.potential - 1e-12


@pytest.mark.parametrize("name", ["limit", "l1", "linear"])
def test_jumping_speeds_are_left_to_solvers_that_need_no_derivative(name: str):
    stated = problem(MOVEMENTS[name], (12,), 24)
    assert mfg.solvers.suited(stated) == ["proximal-point", "frank-wolfe", "fictitious-play"]
    with pytest.raises(mfg.InputError, match="best speeds jump"):
        mfg.solve(stated, method="newton")
    found = mfg.solve(stated, tol=1e-8, check="ignore")
    assert found.converged


def test_a_number_of_steps_is_found():
    stated = problem(mfg.SpeedLimit(0.6), (12,), time=mfg.TimeGrid(1.0))
    assert settle(stated).time.steps == math.ceil(0.6 * math.sqrt(2) * 12)
    stated = problem(mfg.SpeedLimit(0.6, joint=False), (6, 12), time=mfg.TimeGrid(1.0))
    assert settle(stated).time.steps == math.ceil(2 * 0.6 * math.sqrt(2) * 12)
    few = mfg.solve(problem(mfg.SpeedLimit(0.6), (12,), 5), tol=1e-2, check="ignore")
    assert few.certificate.cap_fraction > 0.5
    enough = mfg.solve(problem(mfg.SpeedLimit(0.6), (12,), 11), tol=1e-2, check="ignore")
    assert enough.certificate.cap_fraction == 0.0


# -- statements --------------------------------------------------------------------------------------------------------


def test_power_two_is_the_quadratic_cost_and_its_kernels():
    plain = problem(None)
    for movement in (mfg.PowerCost(2.0), mfg.PowerCost(2.0, joint=False)):
        other = problem(movement)
        assert fingerprint(other) == fingerprint(plain)
        assert make_game(other).step.is_fused
    free = mfg.Problem(plain.grid, plain.time, mfg.ControlledDiffusion(0.02, movement=mfg.PowerCost()), 0.0, 1.0)
    assert free.scheme == "entropic"


def test_other_costs_are_other_games_and_upwind_is_said():
    prints = {fingerprint(problem(movement)) for movement in [None, *MOVEMENTS.values(), mfg.CongestionCost(0.4, 1.5)]}
    assert len(prints) == len(MOVEMENTS) + 2
    stated = problem(None, dynamics=mfg.ControlledDiffusion(0.02, movement=mfg.PowerCost(3.0)))
    assert stated.scheme == "upwind"
    assert [caution.code for caution in stated.cautions] == ["upwind-scheme"]
    assert "what moving costs is not c |a|^2 / 2" in stated.cautions[0].sentence


TEXT = """
name = "runners"
[grid]
shape = [8]
[time]
horizon = 1.0
steps = 12
[dynamics]
viscosity = 0.02
scheme = "upwind"
movement = {movement}
[[coupling]]
kind = "crowd-aversion"
strength = 0.5
[initial]
density = {bump = {amplitude = 1.0, width = 0.2, centre = [0.3]}}
normalise = true
"""
WRITTEN = {
    '{kind = "power", p = 3.0, joint = false}': mfg.PowerCost(3.0, joint=False),
    '{kind = "power", p = 3, limit = 0.5}': mfg.PowerCost(3.0, limit=0.5),
    '{kind = "linear", limit = 0.5}': mfg.LinearCost(0.5),
    '{kind = "speed-limit", limit = 0.5}': mfg.SpeedLimit(0.5),
    '{kind = "congestion", c0 = 0.1, alpha = 1.0}': mfg.CongestionCost(0.1, 1.0),
}


@pytest.mark.parametrize("text", list(WRITTEN))
def test_files_state_them_and_are_written_back(text: str, tmp_path: Path):
    stated = problem_from_toml(TEXT.replace("{movement}", text))
    assert stated.dynamics.movement == WRITTEN[text]
    write_declared(stated, tmp_path / "again.toml")
    again = read_problem(tmp_path / "again.toml")
    assert again.dynamics.movement == WRITTEN[text]
    assert fingerprint(again) == fingerprint(stated)


@pytest.mark.parametrize("text", ['{kind = "power", p = 1.5}', *list(WRITTEN)[2:]])
def test_stored_speeds_have_the_same_certificate(text: str, tmp_path: Path):
    (tmp_path / "again.toml").write_text(TEXT.replace("{movement}", text))
    again = read_problem(tmp_path / "again.toml")
    stored = mfg.solve(again, tol=1e-2, max_iterations=2, check="ignore")
    stored.save(tmp_path / "plan.nc")
    certificate = mfg.exploitability(again, mfg.load(tmp_path / "plan.nc"))  # by its speeds alone
    assert certificate.exploitability == pytest.approx(stored.certificate.exploitability, abs=1e-12)
    assert certificate.movement_cost == pytest.approx(stored.certificate.movement_cost, rel=1e-9)


def test_the_command_solves_them_and_lets_agents_play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runners.toml").write_text(TEXT.replace("{movement}", '{kind = "power", p = 1.5}'))
    run("solve", "runners.toml", "-o", "plan.nc", "--tol", "1e-10")
    assert mfg.load("plan.nc").certificate.relative_exploitability <= 1e-10
    facts = json.loads(run("compare", "plan.nc", "--agents", "10,1000", "--replicas", 5, "--json").stdout)
    few, many = facts["agents"]["10"], facts["agents"]["1000"]
    assert 0 < many["regret"] < 0.05 * few["regret"]


def test_their_keys_are_described():
    assert all(f'[dynamics.movement] kind = "{word}"' in all_keys() for word in KINDS)


@pytest.mark.parametrize(("text", "sentence"), [
    ('{kind = "powr"}', 'did you mean "power"|power'),
    ('{kind = "power", p = 1.0}', "the power p of a movement cost is 1.0; a number of more than 1 is needed"),
    ('{kind = "power", q = 3.0}', "unknown key 'q'"),
    ("3.0", "a movement cost is a table with a kind, one of power, linear, speed-limit, congestion"),
    ('{kind = "linear"}', "this key is missing, and needed"),
])  # fmt: skip
def test_faults_of_files_are_told_at_their_place(text: str, sentence: str):
    with pytest.raises(mfg.InputError, match=sentence) as caught:
        problem_from_toml(TEXT.replace("{movement}", text))
    assert "dynamics" in str(caught.value)


BAD: list[tuple[Any, str]] = [
    (lambda: mfg.PowerCost(1.0), "power p of a movement cost is 1.0; a number of more than 1"),
    (lambda: mfg.PowerCost(math.nan), "power p of a movement cost is nan"),
    (lambda: mfg.PowerCost(math.inf), "take SpeedLimit"),
    (lambda: mfg.PowerCost("3"), "a real number is needed"),
    (lambda: mfg.PowerCost(3.0, joint="no"), "joint of a PowerCost is 'no'; True"),
    (lambda: mfg.PowerCost(3.0, limit=0.0), "limit of the speed of a PowerCost is 0.0; a number of more than 0"),
    (lambda: mfg.SpeedLimit(-1.0), "limit of the speed of a SpeedLimit is -1.0"),
    (lambda: mfg.SpeedLimit(math.inf), "limit of the speed of a SpeedLimit is inf"),
    (lambda: mfg.LinearCost(math.nan), "limit of the speed of a LinearCost is nan"),
    (lambda: mfg.CongestionCost(0.0), "c0 of a CongestionCost is 0.0; a number of more than 0"),
    (lambda: mfg.CongestionCost(math.inf), "c0 of a CongestionCost is inf"),
    (lambda: mfg.CongestionCost(1.0, -0.5), "alpha of a CongestionCost is -0.5; a number of at least 0 and at most 2"),
    (lambda: mfg.CongestionCost(1.0, 2.5), "alpha of a CongestionCost is 2.5"),
    (lambda: mfg.CongestionCost(1.0, math.nan), "alpha of a CongestionCost is nan"),
    (lambda: mfg.ControlledDiffusion(movement=3.0), "movement of a diffusion is 3.0; one of PowerCost, LinearCost"),
    (lambda: mfg.ControlledDiffusion(movement=mfg.PowerCost), "movement of a diffusion is <class"),
    (lambda: mfg.ControlledDiffusion(0.1, 0.5, movement=mfg.SpeedLimit(1.0)), "control cost is 0.5, and moving costs"),
]


@pytest.mark.parametrize(("make", "sentence"), BAD)
def test_bad_numbers_are_refused(make: Any, sentence: str):
    with pytest.raises(mfg.InputError) as caught:
        make()
    assert sentence in str(caught.value)


def test_the_weight_in_a_crowd():
    assert float(mfg.CongestionCost(0.5, 2.0).weight(1.5, 3.0)) == 12.0
