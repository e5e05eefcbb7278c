"""An environment of MFGLib, by its stand-in: costs, derivatives and transitions in NumPy's words."""

import numpy as np
import pytest
from peer_standins import Environment as Peer
from peer_standins import environments, fake_torch, noisy, tensor

import mfgsolve as mfg
from mfgsolve.interop.environments import Environment, double_precision, labels


@pytest.fixture(scope="module")
def games():
    return {name: Environment(env, fake_torch()) for name, env in environments().items()}


def occupation(game, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(game.states * game.actions)).reshape(game.actions, -1)


def test_names_are_index_tuples():
    assert labels((2, 3)) == ["0,0", "0,1", "0,2", "1,0", "1,1", "1,2"]


def test_sizes_and_the_space(games):
    rooms = games["rooms"]
    assert (rooms.steps, rooms.states, rooms.actions) == (4, 6, 4)
    assert rooms.space.shape == (2, 3)
    assert rooms.action_names == ["0,0", "0,1", "1,0", "1,1"]
    assert list(games["sick"].space.names) == ["0", "1"]
    np.testing.assert_array_equal(games["sick"].initial, [0.4, 0.6])


def test_costs_are_negative_rewards_with_actions_first(games):
    rooms, crowd = games["rooms"], occupation(games["rooms"])
    mass = crowd.sum(axis=0).reshape(2, 3)
    bonus = np.zeros((2, 3))
    bonus[1, 2] = 1.0
    paid = np.array([0, 0.1, 0.2, 0.3])
    np.testing.assert_allclose(rooms.cost(1, crowd), paid[:, None] - (bonus - np.log(mass)).reshape(1, -1), rtol=1e-13)


def test_derivatives_of_costs(games):
    """Of -(noise L + L^2): by hand; actions first here, last there."""
    game = games["choices"]
    crowd, change = occupation(game), occupation(game, 1)
    np.testing.assert_allclose(
        game.change(0, crowd, change), -(noisy(4, 3, 3) @ change.T + 2 * crowd.T * change.T).T, rtol=1e-6, atol=1e-9
    )


def test_which_transitions_see_the_crowd(games):
    assert {name for name, game in games.items() if game.moves_by_crowd} == {"sick", "choices"}
    assert {name for name, game in games.items() if game.moves_by_choices} == {"choices"}


def test_transitions_that_are_affine_in_the_mass_are_asked_at_its_corners(games):
    game, mass = games["sick"], np.array([0.3, 0.7])
    moves = game.transitions()(1.0, mass)
    ill = 0.81 * 0.7
    np.testing.assert_allclose(moves[0], [[1 - ill, ill], [0.3, 0.7]], atol=1e-14)
    np.testing.assert_allclose(moves[1], [[1, 0], [0.3, 0.7]], atol=1e-14)
    for one, asked in zip(moves, game.matrices(1, game.spread(mass)), strict=True):
        np.testing.assert_allclose(one, asked.toarray(), atol=1e-14)


def test_transitions_that_do_not_change_are_given_once(games):
    moves = games["rooms"].transitions()
    assert len(moves) == 4
    np.testing.assert_allclose(moves[1].toarray()[0, :2], [0.25, 0.75])  # stay, or one column on
    assert moves[0].toarray() == pytest.approx(np.eye(6))


def test_an_occupation_of_given_masses_is_even_over_actions(games):
    spread = games["rooms"].spread(np.arange(6.0))
    np.testing.assert_allclose(spread, np.arange(6.0)[None] / 4 * np.ones((4, 1)))


def test_double_precision_is_put_back_whatever_happens():
    torch = fake_torch()
    before, during = torch.get_default_dtype(), []

    def fail():
        with double_precision(torch):
            during.append(torch.get_default_dtype())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert during == [torch.float64]
    assert torch.get_default_dtype() == before != torch.float64


def test_single_precision_is_refused():
    single = Peer.beach_bar()
    single.mu0 = tensor(single.mu0, np.float32)
    with pytest.raises(mfg.InputError, match="set_default_dtype"):
        Environment(single, fake_torch())
