"""Several populations of controlled diffusions: one population in parts, each alone, a second road, agents, files."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.problemfile import problem_from_toml, problem_to_toml
from mfgsolve.steps import sweeps

GRID = mfg.Grid.box((16,))
START = np.exp(-(((np.arange(16) + 0.5) / 16 - 0.3) ** 2) / 0.02)
START /= START.mean()
MASSES = (0.75, 0.25)
pytestmark = pytest.mark.filterwarnings("ignore:whether")


def goal(t, c):
    return (c.x - 0.8) ** 2


def one(scheme, viscosity=0.02, coupling=None):
    return mfg.Problem(
        grid=GRID, time=mfg.TimeGrid(1.0, 32), dynamics=mfg.ControlledDiffusion(viscosity, scheme=scheme),
        coupling=mfg.CrowdAversion(1.0) if coupling is None else coupling, initial=START, terminal=goal,
    )  # fmt: skip


def several(scheme="upwind", viscosities=(0.02, 0.02), matrix=((1.0, 1.0), (1.0, 1.0)), drifts=(0.0, 0.0)):
    dynamics = [mfg.ControlledDiffusion(n, scheme=scheme, drift=b) for n, b in zip(viscosities, drifts, strict=True)]
    return mfg.Problem(
        grid=mfg.Populations(["a", "b"], GRID, MASSES), time=mfg.TimeGrid(1.0, 32), dynamics=dynamics,
        coupling=mfg.Interaction(matrix, between="populations"), initial=np.array(MASSES)[:, None] * START,
        terminal=goal,
    )  # fmt: skip


def test_one_population_in_parts():
    split, whole = (mfg.solve(problem, tol=1e-11) for problem in (several(), one("upwind")))
    assert split.status.name == whole.status.name == "CONVERGED"
    np.testing.assert_allclose(split.density.sum("population"), whole.density, atol=1e-8)
    np.testing.assert_allclose(split.value[:, 1], whole.value, atol=1e-9)
    for name in ("potential", "movement_cost", "crowd_cost", "scale"):
        assert getattr(split.certificate, name) == pytest.approx(getattr(whole.certificate, name), rel=1e-8), name


def test_those_who_do_not_meet_play_alone():
    """No coupling between them: each is the game of its own mass, and exploitabilities add up."""
    both = mfg.solve(several(viscosities=(0.02, 0.05), matrix=((1.0, 0.0), (0.0, 3.0))), tol=1e-11)
    for p, (nu, strength) in enumerate([(0.02, 1.0 * MASSES[0]), (0.05, 3.0 * MASSES[1])]):
        alone = mfg.solve(one("upwind", nu, mfg.CrowdAversion(strength)), tol=1e-11)
        np.testing.assert_allclose(both.density[:, p] / MASSES[p], alone.density, atol=2e-5)
    idle = np.zeros((32, 2, 2, 16))  # nobody moves
    lone = [
        float(mfg.exploitability(one("upwind", nu, mfg.CrowdAversion(c)), np.zeros((32, 2, 16))))
        for nu, c in [(0.02, MASSES[0]), (0.05, 3.0 * MASSES[1])]
    ]
    game = several(viscosities=(0.02, 0.05), matrix=((1.0, 0.0), (0.0, 3.0)))
    assert float(mfg.exploitability(game, idle)) == pytest.approx(np.array(MASSES) @ lone, rel=1e-12)


@pytest.mark.parametrize("drifts", [(0.0, 0.0), (0.0, -0.4)])
def test_sweeps_of_the_parts_are_those_of_single_steps(drifts):
    game = make_game(several(viscosities=(0.02, 0.05), drifts=drifts))
    rng = np.random.default_rng(0)
    costs = game.costs(rng.normal(size=(33, *game.step.shape)))
    policy, plain = game.step.new_policy(), game.step.new_policy()
    values = np.empty((33, *game.step.shape))
    np.testing.assert_allclose(
        game.step.backward(costs, policy, None, values), sweeps.backward(game.step, costs, plain), rtol=1e-12
    )
    np.testing.assert_allclose(policy, plain, rtol=1e-12)
    mass = np.repeat(game.initial_mass[None], 33, axis=0)
    game.step.forward(policy, mass)
    np.testing.assert_allclose(sweeps.forward(game.step, policy, mass.copy()), mass, rtol=1e-11, atol=1e-16)
    change = game._changes(rng.normal(size=mass.shape))
    kernel, slow = game.step.change(change, policy, mass)[0], sweeps.change(game.step, change, policy, mass)
    np.testing.assert_allclose(kernel, slow, rtol=1e-9, atol=1e-12)


def test_certified_agents_and_files(tmp_path):
    problem = several(viscosities=(0.02, 0.05), matrix=((1.0, 0.5), (0.5, 2.0)), drifts=(0.0, -0.3))
    solution = mfg.solve(problem, tol=1e-10)
    assert solution.relative_exploitability <= 1e-10
    assert solution.dataset["speed"].dims == ("step", "move", "population", "x")
    again = mfg.exploitability(problem, mfg.load(solution.save(tmp_path / "plan.nc")).dataset)
    assert float(again) == pytest.approx(solution.exploitability, rel=1e-3)
    plain = mfg.solve(several(viscosities=(0.02, 0.05)), tol=1e-10)
    played = mfg.simulate(plain, agents=200_000, replicas=1, rng=0)
    assert abs(played.density - played.mean_field_density).max() < 0.05
    np.testing.assert_allclose(played.cost.squeeze(), played.mean_field_cost, rtol=5e-3)


TOML = """
[grid]
shape = [16]

[[population]]
name = "walkers"
mass = 0.9
density = 0.9
dynamics = {kind = "diffusion", scheme = "upwind", viscosity = 0.01}

[[population]]
name = "riders"
mass = 0.1
density = 0.1
dynamics = {kind = "diffusion", scheme = "upwind", viscosity = 0.05, control_cost = 0.2}

[time]
horizon = 1.0
steps = 16

[[coupling]]
kind = "interaction"
between = "populations"
matrix = [[1.0, 0.5], [0.5, 2.0]]
"""


def test_stated_in_files():
    problem = problem_from_toml(TOML)
    assert [one.viscosity for one in problem.all_dynamics] == [0.01, 0.05]
    assert problem_from_toml(problem_to_toml(problem)).grid.masses == (0.9, 0.1)
    assert mfg.solve(problem, tol=1e-9).status.name == "CONVERGED"


def test_what_is_not_offered_says_so():
    with pytest.raises(mfg.InputError, match=r"no mean of policies.*newton"):
        mfg.solve(several(), method="fictitious-play")
    room = mfg.Populations(["a", "b"], mfg.Grid.box((8,), exits="x-high"))
    problem = mfg.Problem(
        grid=room, time=mfg.TimeGrid(1.0, 8), dynamics=[mfg.ControlledDiffusion(0.1)] * 2, coupling=0.0,
        initial=1.0, normalise=True,
    )  # fmt: skip
    with pytest.raises(mfg.InputError, match="know no exits yet"):
        mfg.solve(problem)
    with pytest.raises(mfg.InputError, match="several populations move on the grid"):
        several("entropic")
    assert "upwind-scheme" in [caution.code for caution in several(None).cautions]
    with pytest.raises(mfg.InputError, match="not refined yet"):
        mfg.refine(several())
    with pytest.raises(mfg.InputError, match="state the number of time steps"):
        mfg.solve(problem_from_toml(TOML.replace("steps = 16\n", "")))
