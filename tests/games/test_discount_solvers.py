"""Every solver on one discounted game of each kind; studies, files, checkpoints and chosen steps keep the rate."""

from dataclasses import replace

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.certificates import certify
from mfgsolve.games import make_game
from mfgsolve.resolution import settle
from mfgsolve.solvers import suited
from tests.games.test_discount import RATE, discounted, lattice_game, line_game, table_game

ROUGH = ("frank-wolfe", "fictitious-play", "mirror-descent")


def crowded_moves(t, mass):
    """Who goes over is held up by those who are there."""
    slow = 0.3 + 0.4 * mass[::-1]
    over = np.array([[slow[0], 1 - slow[0]], [1 - slow[1], slow[1]]])
    return [np.eye(2), over]


def coupled_game(rate=RATE):
    return mfg.Problem(
        grid=mfg.States(2), time=mfg.TimeGrid(2.0, 4, discount=rate), initial=np.array([0.8, 0.2]),
        dynamics=mfg.Tabular(crowded_moves, cost=np.array([[0.0, 0.0], [0.1, 0.1]]), temperature=0.2),
        coupling=mfg.CrowdAversion(1.0),
    )  # fmt: skip


@pytest.mark.parametrize(
    "problem",
    [table_game(), table_game(temperature=0.4), lattice_game(), lattice_game(temperature=0.0), line_game(2.0)],
    ids=["sharp tables", "tables", "lattice", "sharp lattice", "diffusion"],
)
def test_all_solvers_find_one_equilibrium(problem):
    best = mfg.solve(problem, tol=1e-11, check="ignore")
    names = suited(problem)
    assert len(names) == 3 + 3 * problem.is_finite + 3 * (problem.is_finite and problem.temperature == 0)
    for name in names:
        tol = 1e-3 if name in ROUGH else 1e-8
        found = mfg.solve(problem, method=name, tol=tol, check="ignore")
        assert found.converged, name
        assert -1e-11 <= found.potential - best.potential <= abs(found.certificate.exploitability) + 1e-12, name
        assert found.certificate.duality_gap >= -1e-12


def test_bounds_and_their_multipliers():
    """Multipliers are in the money of their own time; the certificate with them is exact, by two roads."""
    problem = replace(
        lattice_game(1.0, 0.0), initial=lambda t, c: 2.0 * (c.x < 0.5), normalise=True,
        coupling=mfg.Capacity(2.5) + mfg.RunningCost(lambda t, c: (c.x - 0.9) ** 2 * 8),
    )  # fmt: skip
    one, two = (mfg.solve(problem, method=name, tol=1e-8, check="raise") for name in ("interior-point", "admm"))
    assert one.potential == pytest.approx(two.potential, abs=1e-6)
    multiplier = one.dataset["capacity_multiplier"]
    assert float(multiplier.max()) > 0.1
    assert one.certificate.violation <= 1e-8
    shadow = replace(
        problem, coupling=mfg.RunningCost(lambda t, c: (c.x - 0.9) ** 2 * 8 + multiplier.sel(time=t).values)
    )
    assert mfg.exploitability(shadow, one.dataset["policy"].values).exploitability == pytest.approx(0.0, abs=1e-7)


def test_a_crowd_that_decides_the_transitions():
    """Newton's Jacobian is true at a discount: it converges as fast as without, to what priors find."""
    problem = coupled_game()
    one, two = (mfg.solve(problem, method=name, tol=1e-11, check="raise") for name in ("newton", "prior-descent"))
    np.testing.assert_allclose(one.dataset["density"], two.dataset["density"], atol=1e-6)
    plain = mfg.solve(coupled_game(0.0), method="newton", tol=1e-9)
    assert one.dataset.attrs["iterations"] <= plain.dataset.attrs["iterations"] + 2
    assert abs(float((one.dataset["density"] - plain.dataset["density"]).max())) > 1e-3


def test_several_populations():
    problem = discounted(mfg.problems.predator_prey(temperature=0.3), 0.2)
    found = mfg.solve(problem, tol=1e-6)
    assert found.status.name == "CONVERGED"
    game = make_game(problem)
    plan = found.dataset["policy"].values.reshape(game.steps, game.step.actions, game.cells)
    crowd = game.flow(plan)
    paid = certify(game, game.policy_of(plan), crowd)
    late = np.exp(-0.2 * problem.time.nodes[:-1])
    plain = make_game(replace(problem, time=replace(problem.time, discount=0.0)))
    crowd_cost = (late[:, None] * (plain.price(crowd) * crowd)[:-1]).sum() * problem.time.dt
    assert paid.crowd_cost == pytest.approx(crowd_cost, rel=1e-10)


def test_patience_pays_for_moving():
    """What comes at the end is paid for as late as possible: the higher the rate, the fewer have set out halfway."""
    goal = mfg.Problem(
        grid=mfg.Grid.box((16,)), time=mfg.TimeGrid(2.0, 96),
        dynamics=mfg.ControlledDiffusion(0.01, 1.0, scheme="upwind"),
        coupling=0.0, initial=lambda t, c: 4.0 * (c.x < 0.25), terminal=lambda t, c: 4.0 * (c.x - 0.9) ** 2,
    )  # fmt: skip
    flows = [mfg.solve(discounted(goal, rate), check="ignore").dataset["density"] for rate in (0.0, 1.0, 3.0)]
    halfway = [float((flow[48] * goal.coordinates.x).mean()) for flow in flows]
    assert halfway[0] > halfway[1] + 0.05 > halfway[2] + 0.1


def test_the_price_of_anarchy_of_a_discounted_game():
    """Pigou: nobody can wait, so that all is paid at one time, and a rate changes costs by its factor alone."""
    roads = mfg.Problem(
        grid=mfg.States(["home", "long", "short"]), time=mfg.TimeGrid(2, 2), initial=np.array([1.0, 0, 0]),
        dynamics=mfg.Tabular([np.eye(3)[[1, 1, 1]], np.eye(3)[[2, 2, 2]]]),
        coupling=mfg.CrowdAversion(lambda t, c: (t > 0) * (c.state == 2))
        + mfg.RunningCost(lambda t, c: (t > 0) * (c.state == 1)),
    )  # fmt: skip
    plain, late = (mfg.price_of_anarchy(discounted(roads, rate), tol=1e-8) for rate in (0.0, 0.5))
    assert late.ratio == pytest.approx(4 / 3, rel=1e-3)
    assert late.equilibrium_cost == pytest.approx(np.exp(-0.5) * plain.equilibrium_cost, rel=1e-4)


def test_a_refined_grid_keeps_the_rate():
    """Coarse grids of Newton's method and of chosen steps; halved steps come to one number at first order."""
    problem = replace(line_game(1.0), time=mfg.TimeGrid(1.5, discount=1.0))
    chosen = settle(problem)
    assert chosen.time.chosen
    assert chosen.time.discount == 1.0
    assert problem.with_steps(7).time.discount == 1.0
    assert line_game(1.0).rescaled((6,), 10).time.discount == 1.0
    values = [mfg.solve(problem.with_steps(steps), tol=1e-9).potential for steps in (40, 80, 160)]
    assert 1.6 < (values[0] - values[1]) / (values[1] - values[2]) < 2.5


def test_a_solution_says_what_its_numbers_are_worth(tmp_path):
    found = mfg.solve(table_game())
    assert found.dataset.attrs["discount"] == RATE
    assert found.dataset["time"].attrs["discount"] == RATE
    assert "worth at t = 0" in found.dataset["value"].attrs["long_name"]
    found.save(tmp_path / "plan.nc")
    loaded = mfg.load(tmp_path / "plan.nc")
    assert loaded.dataset.attrs["discount"] == RATE
    assert mfg.exploitability(table_game(), loaded).potential == pytest.approx(found.potential, rel=1e-12)
    assert "worth at t = 0" not in mfg.solve(table_game(0.0)).dataset["value"].attrs["long_name"]


def test_a_checkpoint_is_of_one_rate(tmp_path):
    mfg.solve(table_game(temperature=0.4), tol=1e-12, max_iterations=2, checkpoint=tmp_path / "c.nc", check="ignore")
    with pytest.raises(mfg.InputError):
        mfg.resume(tmp_path / "c.nc", problem=table_game(0.69, 0.4))
    on = mfg.resume(tmp_path / "c.nc", problem=table_game(temperature=0.4))
    assert on.potential == pytest.approx(mfg.solve(table_game(temperature=0.4), tol=1e-12).potential, abs=1e-12)


def test_a_convergence_study_of_a_discounted_game():
    study = mfg.convergence(table_game(temperature=0.4), ["newton", "fictitious-play"], tol=1e-6, max_sweeps=500)
    assert study.attrs["discount"] == RATE
    assert float(study["potential"].sel(solver="newton").dropna("iteration")[-1]) == pytest.approx(
        mfg.solve(table_game(temperature=0.4), tol=1e-6).potential, abs=1e-6
    )
