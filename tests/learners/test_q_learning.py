"""Q-learning out of parts, against the exact best response."""

import numpy as np
import pytest
from finite_games import cost_of

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.learners import (
    MLP,
    Constant,
    EpsilonGreedy,
    Harmonic,
    Linear,
    QLearner,
    Replay,
    SampledGame,
    SampledMirrorDescent,
    train,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.mark.parametrize(
    "kind",
    ["table", "expected", "linear", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("replay", "network"))],
)
def test_parts_combine_to_a_sampled_best_response(beach, kind):
    _, game, crowd, best = beach

    def features(step, state):
        return np.eye(game.steps * game.cells)[step * game.cells + state]

    size = game.steps * game.cells
    options = {
        "table": {"step": Harmonic(0.7)},
        "expected": {"step": Harmonic(0.7), "target": "expected"},
        "replay": {"step": Harmonic(0.7), "replay": Replay(20000), "batches": 30},
        "linear": {"step": Constant(0.5), "features": features, "batch": 64,
                   "function": Linear(lambda z: z, size, game.step.actions), "replay": Replay(20000), "batches": 30},
        "network": {"step": Constant(0.003), "features": features, "replay": Replay(20000), "batches": 20,
                    "function": MLP((size, 32, game.step.actions), np.random.default_rng(0))},
    }[kind]  # fmt: skip
    exploration = EpsilonGreedy(0.9 if kind in ("table", "expected") else 0.5)
    learner = QLearner(game, exploration, **options)
    train(learner, SampledGame(game, 100, crowd, rng=0), 300)
    found = cost_of(learner.policy(), game, crowd)
    worst = cost_of(game.step.uniform(), game, crowd)
    assert best - 1e-9 <= found < best + {"expected": 0.3, "linear": 0.5}.get(kind, 0.05) * (worst - best)


def test_entropy_is_learned_exactly():
    """No costs but entropy: one successor has one action, the other two, for two steps: four to one."""
    to = [np.array([[0.0, 1, 0], [0, 1, 0], [0, 0, 1]]), np.array([[0.0, 0, 1], [0, 1, 0], [0, 0, 1]])]
    allowed = np.array([[True, True, True], [True, False, True]])
    game = mfg.Problem(
        grid=mfg.States(3), time=mfg.TimeGrid(3.0, 3), initial=np.array([1.0, 0, 0]), coupling=0.0,
        dynamics=mfg.Tabular(to, temperature=1.0, allowed=allowed),
    )  # fmt: skip
    exact = mfg.solve(game, method="newton").dataset.policy.values[0, :, 0]
    assert np.allclose(exact, [0.2, 0.8])
    learned = mfg.learn(game, agents=200, episodes=400, rng=0, reference=False)
    assert np.allclose(learned.dataset.policy.values[0, :, 0], exact, atol=0.03)
    arrays = make_game(game)
    crowd = arrays.flow(arrays.step.uniform())
    for options in ({}, {"follow": exact_policy(game)}):
        learner = QLearner(arrays, EpsilonGreedy(1.0), Harmonic(1.0), **options)
        train(learner, SampledGame(game, 50, crowd, rng=0), 50)
        assert np.allclose(learner.policy()[0, :, 0], exact, atol=1e-6)
    descends = SampledMirrorDescent(agents=50, episodes=50)
    found = mfg.solve(game, method=descends, max_iterations=60, check="ignore")
    assert np.allclose(found.dataset.policy.values[0, :, 0], exact, atol=0.01)


def exact_policy(game):
    found = mfg.solve(game, method="newton").dataset.policy.values
    return found.reshape(found.shape[0], found.shape[1], -1)
