"""The border to OpenSpiel: the same exploitability on both sides, by a stand-in."""

from __future__ import annotations

import pytest
from peer_standins import Ring, nash_conv, random_policy

import mfgsolve as mfg
from mfgsolve import interop

GAMES = {
    "ring": Ring(),
    "longer": Ring(size=5, horizon=6),
    "two": Ring(pull=((0.0, 1.0), (-1.0, 0.0))),
    "two, symmetric": Ring(pull=((0.0, -1.0), (-1.0, -0.5))),
}


@pytest.mark.parametrize("name", GAMES)
def test_openspiel_scores_a_policy_as_we_do(openspiel, name):
    game = GAMES[name]
    problem = interop.from_openspiel(game)
    for seed in range(2):
        array, solution = random_policy(problem, seed)
        policy = interop.to_openspiel_policy(solution, game)
        assert float(mfg.exploitability(problem, array)) == pytest.approx(nash_conv(game, policy), rel=1e-11)


def test_openspiel_structure_is_found(openspiel):
    one, two = interop.from_openspiel(GAMES["ring"]), interop.from_openspiel(GAMES["two"])
    assert one.is_potential
    assert one.coupling.floor == 1e-25
    assert set(one.grid.names) == {f"(pop=0, x={x}, t=t)" for x in range(4)}
    assert two.grid.shape == (2, 4)
    assert set(two.grid.space.names) == {f"(pop=p, x={x}, t=t)" for x in range(4)}
    assert (two.is_potential, two.is_monotone) == (False, True)
    names = two.grid.space.names
    for population, start in enumerate((0, 1)):
        assert dict(zip(names, two.initial[population], strict=True)) == {
            f"(pop=p, x={x}, t=t)": {start: 0.75, start + 1: 0.25}.get(x, 0.0) for x in range(4)
        }


def test_a_hidden_last_action_warns_and_counts_as_openspiel_counts(openspiel):
    game = Ring(hidden=True)
    with pytest.warns(UserWarning, match="not Markov in its own keys"):
        problem = interop.from_openspiel(game)
    array, solution = random_policy(problem)
    policy = interop.to_openspiel_policy(solution, game)
    assert float(mfg.exploitability(problem, array)) == pytest.approx(nash_conv(game, policy), rel=1e-11)


def test_a_solved_game_of_openspiel_scores_zero(openspiel, tmp_path):
    problem = interop.build("openspiel:ring(size=3)", {"horizon": 4})
    solution = mfg.solve(problem, method="fictitious-play", tol=1e-4)
    saved = mfg.load(solution.save(tmp_path / "plan.nc"))
    for one in (solution, saved):
        reached = nash_conv(Ring(3, 4), interop.to_openspiel_policy(one))
        assert reached == pytest.approx(solution.exploitability, abs=1e-12)


def test_a_policy_for_another_game_is_refused(openspiel):
    _, solution = random_policy(interop.from_openspiel(Ring()))
    with pytest.raises(mfg.InputError, match="the game of OpenSpiel has"):
        interop.to_openspiel_policy(solution, Ring(size=5))
    solution.name = "custom"
    with pytest.raises(mfg.InputError, match="pass game="):
        interop.to_openspiel_policy(solution)
