"""Planning: a ring by Newton, by Sinkhorn's iteration and by interior points; Gaussians by closed forms."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.solvers.planning import Planning, hotter

CELLS, STEPS, TEMPERATURE = 12, 8, 0.5
COSTS = np.array([0.0, 0.3, 0.3])
STAY = np.eye(CELLS)
MOVES = [STAY, np.roll(STAY, 1, 1), np.roll(STAY, -1, 1)]
FREE, CROWDED = -1.89242030384284, -0.64906973926492  # cost with entropy: of a crowd that feels nothing, and f = 2 m


def bell(centre: float, width: float) -> np.ndarray:
    mass = np.exp(-((np.arange(CELLS) - centre) ** 2) / width)
    return np.asarray(mass / mass.sum())


START, TARGET = bell(3.0, 2.0), bell(8.0, 4.0)


def ring(strength: float = 0.0, temperature: float = TEMPERATURE, final: object = TARGET) -> mfg.Problem:
    coupling = mfg.CrowdAversion(strength) if strength else 0.0
    dynamics = mfg.Tabular(MOVES, cost=COSTS, temperature=temperature)
    return mfg.Problem(mfg.States(CELLS), mfg.TimeGrid(STEPS, STEPS), dynamics, coupling, START, final=final)  # type: ignore[arg-type]


def sinkhorn(sweeps: int = 4000) -> tuple[float, np.ndarray]:
    """Least cost with entropy of moves from start to target, each path weighed e^(-cost / tau), and the price."""
    step = sum(math.exp(-cost / TEMPERATURE) * move for cost, move in zip(COSTS, MOVES, strict=True))
    paths = np.linalg.matrix_power(np.asarray(step), STEPS)
    left, right = np.ones(CELLS), np.ones(CELLS)
    for _ in range(sweeps):
        left = START / (paths @ right)
        right = TARGET / (left @ paths)
    plan = left[:, None] * paths * right
    return float(TEMPERATURE * (plan * np.log(plan / (START[:, None] * paths))).sum()), -TEMPERATURE * np.log(right)


def test_the_ring_is_that_of_sinkhorn_to_twelve_digits() -> None:
    solution = mfg.solve(ring(), tol=1e-13)
    cost, price = sinkhorn()
    assert solution.dataset.attrs["solver"] == "planning"
    assert cost == pytest.approx(FREE, abs=1e-12)
    assert solution.potential == pytest.approx(FREE, abs=1e-12)
    own = solution.dataset["final_price"].values
    seen = TARGET > 1e-5  # elsewhere prices hardly count
    np.testing.assert_allclose(own[seen], (price - price @ TARGET)[seen], atol=1e-7)
    assert own @ TARGET == pytest.approx(0.0, abs=1e-13)


@pytest.mark.parametrize("method", ["planning", "interior-point"])
def test_a_crowd_that_feels_itself_has_potential_and_dual_alike(method: str) -> None:
    solution = mfg.solve(ring(2.0), method=method, tol=1e-13)
    assert solution.potential == pytest.approx(CROWDED, abs=1e-12)
    assert abs(solution.certificate.duality_gap) < 2e-12
    assert abs(solution.exploitability) < 1e-12
    assert solution.certificate.final_distance < 1e-12


def test_both_parts_of_the_certificate_are_of_a_policy_and_its_price() -> None:
    problem = ring(2.0)
    solution = mfg.solve(problem, tol=1e-13)
    again = mfg.exploitability(problem, solution)
    assert again.exploitability == pytest.approx(solution.exploitability, abs=1e-13)
    data = solution.dataset.copy(deep=True)
    data["final_price"] = 0.5 * data["final_price"]
    other = mfg.exploitability(problem, data)
    assert other.exploitability > 1e-2  # nobody goes there for half the price
    assert other.final_distance == pytest.approx(again.final_distance, abs=1e-13)
    data = solution.dataset.copy(deep=True)
    data["policy"] = 0.9 * data["policy"] + 0.1 / 3
    assert mfg.exploitability(problem, data).final_distance > 1e-2
    with pytest.raises(mfg.InputError, match="final_price"):
        mfg.exploitability(problem, solution.dataset["policy"])


def test_a_sharp_ring_is_a_transport_by_shortest_paths() -> None:
    from scipy.optimize import linprog

    solution = mfg.solve(ring(temperature=0.0), tol=1e-12)
    apart = np.abs(np.subtract.outer(np.arange(CELLS), np.arange(CELLS)))
    costs = 0.3 * np.minimum(apart, CELLS - apart)
    sums = np.vstack([np.kron(np.eye(CELLS), np.ones(CELLS)), np.kron(np.ones(CELLS), np.eye(CELLS))])
    least = linprog(costs.reshape(-1), A_eq=sums, b_eq=np.concatenate([START, TARGET])).fun
    assert solution.potential == pytest.approx(least, abs=1e-10)


def test_a_game_without_potential_is_planned_too() -> None:
    rng = np.random.default_rng(3)
    problem = replace(ring(), coupling=mfg.Interaction(0.3 * rng.normal(size=(CELLS, CELLS)) + 2 * np.eye(CELLS)))
    solution = mfg.solve(problem, tol=1e-11)
    assert solution.certificate.final_distance < 1e-11
    assert abs(solution.relative_exploitability) < 1e-11
    np.testing.assert_allclose(solution.density.values[-1], TARGET, atol=1e-11)


def test_the_social_plan_pays_less_in_all() -> None:
    problem = ring(2.0)
    alone, social = mfg.solve(problem, tol=1e-12), mfg.solve(problem, objective="social", tol=1e-12)

    def total(solution: mfg.Solution) -> float:
        mass = solution.density.values[:-1]
        return float(solution.certificate.movement_cost + 2.0 * (mass**2).sum())

    assert social.certificate.final_distance < 1e-11
    assert social.potential == pytest.approx(total(social), abs=1e-9)
    assert total(social) < total(alone) - 1e-4


def test_agents_follow_the_plan_to_the_target() -> None:
    problem = ring(2.0)
    solution = mfg.solve(problem)
    crowd = mfg.simulate(solution, 4000, 4, rng=1)
    seen = crowd["density"].isel(time=-1).mean("replica").values
    assert 0.5 * np.abs(seen - TARGET).sum() < 0.03
    paid = solution.certificate.movement_cost + 2.0 * (solution.density.values[:-1] ** 2).sum()
    assert float(crowd["mean_field_cost"]) == pytest.approx(
        paid, abs=1e-6
    )  # balanced prices are paid by agents to agents


def test_a_cap_at_the_end_is_kept_and_paid_for_where_it_binds() -> None:
    problem = replace(ring(0.5, final=mfg.Capacity(0.2)), terminal=np.abs(np.arange(CELLS) - 6.0))
    by_newton, by_path = (mfg.solve(problem, method=name, tol=1e-11) for name in ("planning", "interior-point"))
    assert by_newton.potential == pytest.approx(by_path.potential, abs=1e-9)
    last = by_newton.density.values[-1]
    price = by_newton.dataset["capacity_multiplier"].values[-1]
    assert last.max() <= 0.2 + 1e-9
    assert (price >= 0).all()
    assert price.max() > 0.1
    assert np.abs(price * (0.2 - last)).max() < 1e-9
    np.testing.assert_allclose(by_path.dataset["capacity_multiplier"].values[-1], price, atol=1e-6)


def test_prices_balance_over_populations_of_their_own_masses() -> None:
    """Costs are those of the game, whichever constant a solver left in its prices."""
    masses = np.array([2.0, 0.5])
    space = mfg.Populations(["many", "few"], mfg.States(CELLS), masses)
    dynamics = [mfg.Tabular(MOVES, cost=COSTS, temperature=TEMPERATURE)] * 2
    start, target = np.outer(masses, START), masses[:, None] * np.array([TARGET, bell(5.0, 9.0)])
    time = mfg.TimeGrid(STEPS, STEPS)
    problem = mfg.Problem(space, time, dynamics, mfg.CrowdAversion(0.5), start, final=target)
    by_newton, by_path = (mfg.solve(problem, method=name, tol=1e-11) for name in ("planning", "interior-point"))
    for solution in (by_newton, by_path):
        paid = (solution.dataset["final_price"].values * target).sum(axis=1)
        np.testing.assert_allclose(paid, 0.0, atol=1e-12)
    assert by_newton.certificate.cost == pytest.approx(by_path.certificate.cost, abs=1e-8)


@pytest.mark.parametrize(("cap", "strength", "temperature"), [(0.11, 0.5, 0.5), (0.1, 2.0, 0.1), (0.1, 0.5, 0.1)])
def test_a_cap_that_stops_binding_on_the_way_is_never_paid_to_agents(
    cap: float, strength: float, temperature: float
) -> None:
    """Newton's steps lower the price of a cell below 0, which no cap is worth: it stays at 0."""
    goal = 2.0 * np.sin(2.0 * np.arange(CELLS))
    problem = replace(ring(strength, temperature, mfg.Capacity(cap)), terminal=goal)
    by_newton, by_path = (mfg.solve(problem, method=name, tol=1e-11) for name in ("planning", "interior-point"))
    last, price = by_newton.density.values[-1], by_newton.dataset["capacity_multiplier"].values[-1]
    assert by_newton.converged
    assert (price >= 0).all()
    assert np.abs(price * (cap - last)).max() < 1e-9
    assert by_newton.potential == pytest.approx(by_path.potential, abs=1e-9)


# -- diffusions -------------------------------------------------------------------------------------------------------


def normal(mean: float, deviation: float):
    return lambda t, c: np.exp(-((c.x - mean) ** 2) / (2 * deviation**2))


def gaussians(cells: int, steps: int, viscosity: float, **changes: object) -> mfg.Problem:
    grid = mfg.Grid.box((cells,), bounds=[(-0.5, 1.5)])
    return mfg.Problem(
        grid, mfg.TimeGrid(1.0, steps), mfg.ControlledDiffusion(viscosity), 0.0, normal(0.3, 0.05),
        final=normal(0.7, 0.1), normalise=True, **changes,
    )  # type: ignore[arg-type]  # fmt: skip


def test_the_bridge_of_two_gaussians_is_exact_on_any_grid_that_shows_them() -> None:
    for cells, steps in ((64, 16), (128, 16)):
        solution = mfg.solve(gaussians(cells, steps, 0.01), tol=1e-12)
        assert solution.potential == pytest.approx(0.0825745430586897, abs=1e-11)
        assert solution.certificate.final_distance < 1e-12
        assert solution.sweeps < 100


def test_transport_without_noise_converges_with_the_mesh() -> None:
    errors = [abs(mfg.solve(gaussians(cells, steps, 0.0), check="ignore").potential - 0.08125)
              for cells, steps in ((64, 8), (128, 16), (256, 32))]  # fmt: skip
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert errors[-1] < 2e-4
    assert (orders > 0.85).all()


def test_a_cold_game_is_reached_from_hot_to_cold() -> None:
    problem = gaussians(256, 128, 3e-4)
    solution = mfg.solve(problem, check="ignore", tol=1e-11)
    assert solution.converged
    sharp = mfg.solve(replace(ring(), dynamics=mfg.Tabular(MOVES, cost=COSTS, temperature=2e-3)), method="planning",
                      check="ignore", tol=1e-8)  # fmt: skip
    assert sharp.certificate.final_distance < 1e-8


def test_hotter_games() -> None:
    game = make_game(ring().levelled())
    assert hotter(game, 1.0) is game
    assert hotter(game, 4.0).temperature == 4.0 * TEMPERATURE
    thick = make_game(gaussians(32, 8, 0.01).levelled())
    np.testing.assert_allclose(hotter(thick, 4.0).step.entropy, 4.0 * thick.step.entropy)  # type: ignore[attr-defined]


def test_it_refuses_games_whose_end_is_free_or_that_are_capped_before() -> None:
    refuses = Planning().refuses
    assert "given, or capped, at the end" in (refuses(ring(final=None)) or "")
    assert "given, or capped, at the end" in (refuses(replace(ring(), coupling=mfg.Capacity(0.5))) or "")
    assert "jump" in (refuses(ring(temperature=0.0)) or "")
    with pytest.raises(mfg.InputError, match="hard bounds"):
        mfg.solve(ring(), method="newton")


def test_a_solve_that_is_broken_off_goes_on_bit_for_bit(tmp_path: Path) -> None:
    problem, path = mfg.problems.planned_room(shape=(8, 16), steps=16), tmp_path / "plan.ckpt"
    whole = mfg.solve(problem, method="planning", check="ignore")
    mfg.solve(problem, method="planning", max_iterations=4, checkpoint=path, check="ignore")
    rest = mfg.resume(path, check="ignore")
    assert rest.iterations == whole.iterations
    np.testing.assert_array_equal(rest.density.values, whole.density.values)


def test_a_file_keeps_target_price_and_distance(tmp_path: Path) -> None:
    solution = mfg.solve(gaussians(64, 16, 0.01), tol=1e-12)
    again = mfg.load(solution.save(tmp_path / "plan.nc"))
    assert again.certificate.final_distance == solution.certificate.final_distance
    np.testing.assert_array_equal(again.dataset["final_price"], solution.dataset["final_price"])
    np.testing.assert_allclose(again.dataset["final_target"], again.density.values[-1], atol=1e-9)
    assert again.summary()["final_distance"] < 1e-12
    assert "final density" in again._repr_html_()
    assert "final_distance" not in mfg.solve(mfg.problems.left_right()).summary()


def test_a_crowd_in_space_pays_as_it_was_certified() -> None:
    problem = replace(gaussians(64, 16, 0.01), coupling=mfg.CrowdAversion(0.1))
    solution = mfg.solve(problem, tol=1e-11)
    assert solution.converged
    assert abs(solution.certificate.duality_gap) < 1e-9
    again = mfg.exploitability(problem, solution)
    assert again.exploitability == pytest.approx(solution.exploitability, abs=1e-12)
    assert again.cost == pytest.approx(solution.certificate.cost, abs=1e-9)


def test_what_a_missed_target_is_worth_is_part_of_the_duality_gap() -> None:
    game = make_game(ring())
    crowd = game.resting_crowd(game.empty_crowd())
    multiplier = np.zeros(crowd.shape)
    multiplier[-1] = np.arange(CELLS)
    assert game.final_gap(multiplier, crowd) == pytest.approx(float(np.arange(CELLS) @ (TARGET - START)), abs=1e-14)
    assert make_game(ring(final=None)).final_gap(multiplier, crowd) == 0.0
