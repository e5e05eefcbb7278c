"""The border to Bench-MFG: the same exploitability on both sides, by a stand-in and by the library."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest
from benchmfg_standins import ENVIRONMENTS, PACKAGE, chain, flu, rooms, score

import mfgsolve as mfg
from mfgsolve import interop
from mfgsolve.games import make_game

LAW = [0.00111786706244081, 0.0495239407664346, 0.277501859110173, 0.343712666121904]


@pytest.fixture
def benchmfg(tmp_path, monkeypatch):
    """The library, by a stand-in in its place."""
    for name, text in PACKAGE.items():
        path = tmp_path / "benchmfg" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for module in [name for name in sys.modules if name.partition(".")[0] == "benchmfg"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for module in [name for name in sys.modules if name.partition(".")[0] == "benchmfg"]:
        del sys.modules[module]


def policy_of(problem, seed=0):
    """A policy of the problem as an array (action, *state), and as the solution that an exporter sees."""
    actions = problem.dynamics.action_count or 2
    table = np.random.default_rng(seed).dirichlet(np.full(actions, 0.7), problem.grid.size)
    array = table.T.reshape(actions, *problem.grid.shape)
    return array, table


@pytest.mark.parametrize("name", [name for name in ENVIRONMENTS if name != "flu"])
def test_its_score_is_ours(name):
    env = ENVIRONMENTS[name]()
    problem = interop.from_bench_mfg(env)
    array, table = policy_of(problem)
    if name == "rooms":  # nobody is in the walls
        table = np.where(problem.grid.mask.reshape(-1, 1), 0.2, table)
    ours = float(mfg.exploitability(problem, array[None]))
    assert ours / (1 - env.gamma) == pytest.approx(score(env, table), rel=1e-9)


def test_the_chain_in_all_three_senses():
    centre = {"invariant": 0.3437, "renewal": 0.3384, "ergodic": 0.3508}
    for game, there in centre.items():
        solution = mfg.solve(interop.from_bench_mfg(chain(), game=game), tol=1e-13)
        assert solution.status.name == "CONVERGED"
        assert solution.dataset.sizes["iteration"] <= 31
        assert solution.exploitability <= 1e-12
        assert float(solution.density.values[3]) == pytest.approx(there, abs=5e-5), game
        if game == "invariant":
            np.testing.assert_allclose(solution.density.values, LAW + LAW[2::-1], rtol=1e-11)
            assert solution.dataset.attrs["discounted_cost"] == pytest.approx(140.31075724516, rel=1e-12)


def test_a_solved_chain_scores_zero():
    env = chain()
    solution = mfg.solve(interop.from_bench_mfg(env), tol=1e-13)
    env.stationary_mean_field = interop.to_bench_mfg_mean_field(solution)
    assert abs(score(env, interop.to_bench_mfg_policy(solution), law_steps=50)) < 1e-11


def test_four_rooms_are_even():
    """The uniform law over the 104 cells that are open; walls are found by asking."""
    problem = interop.from_bench_mfg(rooms())
    assert problem.grid.mask.sum() == 17
    assert isinstance(problem.coupling, mfg.LogCongestion)
    solution = mfg.solve(problem, tol=1e-13)
    law = interop.to_bench_mfg_mean_field(solution)
    np.testing.assert_allclose(law[law > 0], 1 / 104, rtol=1e-12)
    assert 0.1 * solution.dataset.attrs["discounted_cost"] == pytest.approx(-4.6443908991414, rel=1e-13)
    policy = interop.to_bench_mfg_policy(solution)
    assert policy.shape == (121, 5)
    np.testing.assert_allclose(policy.sum(1), 1.0, rtol=1e-14)


def test_what_the_crowd_costs_is_found_out():
    built = {name: interop.from_bench_mfg(make()) for name, make in ENVIRONMENTS.items() if name != "flu"}
    assert built["chain"].couplings[0].is_local
    assert built["chain"].couplings[0].is_monotone
    assert isinstance(built["cyclic"].coupling, mfg.Interaction)
    assert built["choosy"].coupling.on == "occupation"
    assert built["choosy"].is_differentiable
    assert not built["curved"].is_differentiable
    assert built["distributions"].couplings[0].is_potential  # a symmetric matrix behind numbers of the states
    game = interop.from_bench_mfg(ENVIRONMENTS["distributions"](), game="renewal")
    assert game.is_potential
    assert not built["distributions"].is_potential  # nobody chooses where he begins


def test_transitions_that_see_the_crowd():
    env = flu()
    problem = interop.from_bench_mfg(env)
    assert problem.is_coupled
    assert "discontinuous-transitions" in [caution.code for caution in problem.cautions]
    law = np.array([0.6, 0.4])
    chances = problem.dynamics.transitions(0.0, law)[1]
    assert chances.toarray()[0] == pytest.approx([0.7, 0.3])  # 0.8 * 0.4 = 0.32 of ten noises


@pytest.mark.parametrize(("change", "says"), [
    ({"game": "invarient"}, "did you mean 'invariant'"),
    ({"gamma": 1.0}, "below 1 is needed"),
    ({"env": types.SimpleNamespace(N_states=3)}, "has no N_actions"),
])  # fmt: skip
def test_bad_environments(change, says):
    env = change.pop("env", None) or chain(gamma=change.pop("gamma", 0.9))
    with pytest.raises(mfg.InputError, match=says):
        interop.from_bench_mfg(env, **change)


def test_games_that_discount_nothing_have_an_average():
    solution = mfg.solve(interop.from_bench_mfg(chain(gamma=1.0), game="ergodic"), tol=1e-12)
    assert solution.dataset.attrs["average_cost"] == pytest.approx(14.1364991137092, rel=1e-12)


def test_policies_and_laws_that_change_with_time_are_refused():
    grid = mfg.Grid.box((4,))
    dynamics = mfg.LatticeMoves([(-1,), (1,)])
    problem = mfg.Problem(grid=grid, time=mfg.TimeGrid(2.0, 2), dynamics=dynamics, coupling=1.0, initial=1.0)
    solution = mfg.solve(problem)
    with pytest.raises(mfg.InputError, match="changes from step to step"):
        interop.to_bench_mfg_policy(solution)
    with pytest.raises(mfg.InputError, match="changes with time"):
        interop.to_bench_mfg_mean_field(solution)


def test_environments_by_name(benchmfg):
    assert interop.names("bench-mfg") == ["bench-mfg:chain", "bench-mfg:rooms"]
    np.random.seed(5)  # noqa: NPY002
    before = np.random.uniform()  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    problem = interop.build("bench-mfg:chain(game=renewal)", {"num_states": 5, "reward.crowd": 10})
    assert np.random.uniform() == before  # noqa: NPY002
    assert problem.name == "bench-mfg:chain"
    assert problem.parameters == {"game": "renewal", "num_states": 5, "reward.crowd": 10}
    assert problem.grid.size == 5
    assert problem.time.population == "renewal"
    assert problem.coupling.strength is not None
    for name, settings, says in [
        ("bench-mfg:chian", {}, "did you mean 'chain'"),
        ("bench-mfg:chain", {"reward.crwd": 1.0}, "did you mean 'reward.crowd'"),
        ("bench-mfg:chain", {"num_states": 0}, "does not make chain .* must be positive"),
        ("bench-mfg:unfinished", {}, "not implemented yet"),
        ("bench-mgf:chain", {}, "did you mean 'bench-mfg'"),
    ]:
        with pytest.raises(mfg.InputError, match=says):
            interop.build(name, settings)


def test_without_the_library_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "benchmfg", None)
    with pytest.raises(mfg.InputError, match=r"pip install 'mfgsolve\[bench-mfg\]'"):
        interop.build("bench-mfg:chain")


@pytest.mark.slow
def test_bench_mfg_itself_scores_as_we_do():
    library = pytest.importorskip("benchmfg", reason="Bench-MFG is not installed: pip install 'mfgsolve[bench-mfg]'")
    for name in interop.names("bench-mfg"):
        if name in ("bench-mfg:mf_garnet", "bench-mfg:kinetic_congestion", "bench-mfg:sis_epidemic"):
            continue  # the law of a policy jumps with the crowd, and is asked for too often
        env, _ = library.make_environment([f"environment={name.partition(':')[2]}"])
        problem = interop.build(name)
        array, table = policy_of(problem)
        table = np.where(problem.grid.mask.reshape(-1, 1), 1 / table.shape[1], table)
        ours = mfg.exploitability(problem, array[None])
        env.horizon = 400
        game = make_game(problem)
        crowd = game.follow(game.step.policy_from(array[None]))
        env.update_stationary_mean_field(game.mass(crowd)[0].reshape(-1))
        assert float(ours) / (1 - env.gamma) == pytest.approx(env.exploitability(table), rel=1e-9, abs=1e-10), name
