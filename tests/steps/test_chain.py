"""The chain of one agent: its mean is the flow, whatever the dynamics and the factors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse, stats
from sparse_factors import Carried, any_price, blown, diffusion, lattice, leaking, ring_shift

import mfgsolve as mfg
from mfgsolve.agents.play import Play
from mfgsolve.agents.run import Party, run_replicas
from mfgsolve.agents.walk import Walk
from mfgsolve.errors import InputError
from mfgsolve.games import Game, make_game
from mfgsolve.steps import Factor

WALL = np.zeros((7, 6), dtype=bool)
WALL[2:4, 3] = True
RNG = np.random.default_rng(5)
ONE, EACH = leaking(42, RNG), [leaking(42, RNG) for _ in range(8)]
FREE = leaking(42, RNG, WALL)
GAMES = {
    "ring": lambda: blown(diffusion((12,), boundary="periodic"), ring_shift(12, 0.3)),
    "plane": lambda: blown(diffusion(), ONE),
    "plane, explicit noise": lambda: blown(diffusion(noise="explicit"), ONE),
    "plane, another in each step": lambda: blown(diffusion(), *EACH),
    "explicit, another in each step": lambda: blown(diffusion(noise="explicit"), *EACH),
    "wall": lambda: blown(diffusion(blocked=WALL), FREE),
    "wall, explicit noise": lambda: blown(diffusion(noise="explicit", blocked=WALL), FREE),
    "lattice": lambda: blown(lattice(), leaking(20, RNG)),
    "lattice, another in each step": lambda: blown(lattice(), *[leaking(20, RNG) for _ in range(6)]),
    "lattice without noise": lambda: blown(lattice(viscosity=0.0), leaking(20, RNG)),
    "no factor of its own": lambda: make_game(diffusion()),
}


def answer(game: Game) -> Play:
    """A best response that does something, and its crowd."""
    policy = game.respond(0.2 * any_price(game)).policy
    return Play(game, game.policy_of(policy), game.flow(policy), None)


def masses(play: Play) -> np.ndarray:
    return play.game.mass(play.crowd).reshape(play.game.steps + 1, -1)


@pytest.mark.parametrize("name", GAMES)
def test_the_mean_of_a_step_is_the_flow(name):
    play = answer(GAMES[name]())
    chain, mass = play.game.step.chain(play.policy), masses(play)
    np.testing.assert_allclose(chain.choices.sum(axis=2), 1.0, rtol=0, atol=1e-14)
    for t in range(chain.steps):
        np.testing.assert_allclose(chain.expect(t, mass[t]), mass[t + 1], rtol=0, atol=4e-15)


@pytest.mark.parametrize("name", GAMES)
def test_where_choices_lead_in_the_mean_is_the_transpose(name):
    """<push(m), v> = sum of pi m expect(v): values backward and masses forward know the same chances."""
    game, rng = GAMES[name](), np.random.default_rng(2)
    law, free = game.step.law(), ~game.grid.mask.reshape(-1)
    for t in (0, game.steps - 1):
        mass, value = rng.uniform(size=game.cells) * free, rng.normal(size=game.cells) * free
        policy = rng.dirichlet(np.ones(law.actions), size=game.cells).T
        forward = (law.push(t, policy, mass) * value).sum()
        backward = (policy * mass * law.expect(t, value.reshape(game.step.shape))).sum()
        assert forward == pytest.approx(backward, abs=1e-13)


@pytest.mark.parametrize("name", ["plane, another in each step", "explicit, another in each step", "lattice"])
@pytest.mark.parametrize("method", ["counts", "agents"])
def test_agents_meet_the_flow(name, method):
    """All replicas together are multinomial with the mass of the flow: chi-square at the last node."""
    play = answer(GAMES[name]())
    party = Party(Walk(play), np.array([300]), method)
    seen = sum(run.counts[-1] for run in run_replicas(party, 40, np.random.SeedSequence(3), 1))
    expected = 12_000 * masses(play)[-1]
    usual = expected >= 5
    pooled = [np.append(a[usual], a[~usual].sum()) for a in (seen, expected)]
    keep = pooled[1] > 1e-9
    assert (pooled[0][~keep] == 0).all()
    assert stats.chisquare(pooled[0][keep], pooled[1][keep] * (12_000 / pooled[1][keep].sum())).pvalue > 1e-4


def test_a_billion_agents_are_the_flow():
    play = answer(GAMES["plane, another in each step"]())
    run = next(run_replicas(Party(Walk(play), np.array([10**12])), 1, np.random.SeedSequence(0), 1))
    np.testing.assert_allclose(run.counts / 1e12, masses(play), rtol=0, atol=5e-6)


def test_one_table_where_nothing_changes_and_one_of_each_step_elsewhere():
    assert GAMES["plane"]().step.law().tables(slice(0, 8))[0].shape == (1, 5 * 42 + 1)
    law = GAMES["plane, another in each step"]().step.law()
    assert law.tables(slice(2, 5))[0].shape == (3, 5 * 42 + 1)
    assert not law.certain
    assert GAMES["no factor of its own"]().step.law().certain


def test_chances_by_hand():
    """Three states in a row; an action goes right, what follows stays with chance 3/4 and goes back to 0 with 1/4."""
    right, back = np.eye(3)[[1, 2, 2]], np.array([[1.0, 0, 0], [0.25, 0.75, 0], [0.25, 0, 0.75]])
    game = blown(
        mfg.Problem(grid=mfg.States(3), time=mfg.TimeGrid(2.0, 2), coupling=mfg.CrowdAversion(1.0),
                    dynamics=mfg.Tabular([right, np.eye(3)], cost=np.array([[3.0] * 3, [5.0] * 3]), temperature=0.5),
                    initial=np.array([1.0, 0, 0])),
        back,
    )  # fmt: skip
    first, successor, chance = game.step.law().transitions(1)
    rows = sparse.csr_array((chance, successor, first), shape=(6, 3)).toarray()
    expected = [[0.25, 0.75, 0], [0.25, 0, 0.75], [0.25, 0, 0.75], [1, 0, 0], [0.25, 0.75, 0], [0.25, 0, 0.75]]
    np.testing.assert_allclose(rows, expected)
    policy = np.broadcast_to(np.array([[0.2], [0.8]]), (2, 2, 3))
    chain = game.step.chain(game.policy_of(np.array(policy)))
    np.testing.assert_allclose(chain.own_cost[0, 0], [3 + 0.5 * np.log(0.2), 5 + 0.5 * np.log(0.8)])
    np.testing.assert_allclose(chain.expect(0, np.array([1.0, 0, 0])), [0.2 * 0.25 + 0.8, 0.15, 0])
    assert chain.pays_by_choice
    assert chain.law.names == ["0", "1"]


def test_transitions_that_the_crowd_decides_take_the_factor_too():
    def crowded(t, mass):
        p = 0.5 * mass[0]
        return [np.array([[1 - p, p], [0.0, 1.0]])]

    problem = mfg.Problem(
        grid=mfg.States(2), time=mfg.TimeGrid(2.0, 2), dynamics=mfg.Tabular(crowded), coupling=mfg.CrowdAversion(1.0),
        initial=np.array([0.8, 0.2]),
    )  # fmt: skip
    game = blown(problem, np.array([[0.5, 0.5], [0.0, 1.0]]))
    law, mass = game.step.law(), np.array([0.8, 0.2])
    first, successor, chance = law.transitions(0, mass)
    rows = sparse.csr_array((chance, successor, first), shape=(2, 2)).toarray()
    np.testing.assert_allclose(rows, [[0.3, 0.7], [0.0, 1.0]])
    with pytest.raises(InputError, match="depend on the crowd; a mass is needed"):
        law.transitions(0)


class Silent(Factor):
    """Says nothing but its operator."""

    def expect(self, t, value):
        return value

    def push(self, t, mass):
        return mass


def test_what_agents_cannot_take_is_refused_by_name():
    game = make_game(diffusion())
    with pytest.raises(InputError, match=r"a Silent acts after the control, and says neither .* method matrix\(t\)"):
        game.with_step(others=(Silent(),)).step.law()
    with pytest.raises(InputError, match=r"the matrix of a Carried at step 0 has shape \(3, 3\); \(42, 42\)"):
        game.with_step(others=(Carried(np.eye(3)),)).step.law()
    tables = make_game(lattice())
    with pytest.raises(InputError, match="a Carried acts after a Noise, which is no sparse matrix"):
        tables.with_step(factors=(*tables.step.factors, Carried(np.eye(20)))).step.law()


def test_a_diffusion_pays_for_speed_not_for_where_it_happens_to_go():
    play = answer(make_game(diffusion()))
    chain, mass = play.game.step.chain(play.policy), masses(play)
    assert chain.own_cost.shape == (8, 42, 1)
    assert not chain.pays_by_choice
    own = (chain.own_cost[:, :, 0] * mass[:-1]).sum()
    assert own == pytest.approx(play.game.cost(play.policy, play.crowd).cost, rel=1e-13)
