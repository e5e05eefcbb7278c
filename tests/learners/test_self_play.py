"""Self-play: what a gradient step does, what a block measures, going on bit for bit, bad input."""

from __future__ import annotations

import signal

import numpy as np
import pytest

pytest.importorskip("magent2", reason="MAgent2 is not installed; it comes with: pip install 'mfgsolve[magent2]'")

from mfgsolve.command.interrupts import Interrupts
from mfgsolve.errors import InputError
from mfgsolve.files import read_dataset
from mfgsolve.learners.battles.algorithms import IL, MFAC, MFQ, MTMFQ
from mfgsolve.learners.battles.battle_tasks import BattleGathering, MultiTeamBattle, PredatorPreyBattle
from mfgsolve.learners.battles.self_play import filled
from mfgsolve.learners.battles.sight import Arena
from mfgsolve.tasks import load_training, resume_training, train

TINY = MultiTeamBattle(size=10, agents=3, max_steps=25)
SMALL = {"worlds": 2, "hidden": 8, "batch": 32, "memory": 2}


@pytest.mark.parametrize("kind", [IL, MFQ, MTMFQ, MFAC])
@pytest.mark.parametrize("task", [TINY, PredatorPreyBattle(size=10, agents=2, prey=4, max_steps=15)])
def test_a_checkpoint_goes_on_bit_for_bit(tmp_path, kind, task):
    if kind is MTMFQ:
        pytest.importorskip("sklearn", reason="scikit-learn is not installed; it comes with mfgsolve[learners]")
    learner = kind(episodes=6, seed=4, **SMALL)
    whole = train(task, learner)
    path = tmp_path / "c.nc"
    first = train(task, learner, checkpoint=path, callback=lambda p: p.block == 1)
    assert first.dataset.sizes["iteration"] == 1
    second = resume_training(path)
    assert second.dataset.drop_vars("seconds").equals(whole.dataset.drop_vars("seconds"))
    whole.save(tmp_path / "t.nc")
    assert load_training(tmp_path / "t.nc").dataset.equals(whole.dataset)


@pytest.mark.parametrize(("at", "blocks"), [(3, 0), (40, 1)])
def test_an_interrupt_acts_inside_a_block_and_keeps_what_was_whole(tmp_path, monkeypatch, at, blocks):
    learner, path, steps = MTMFQ(episodes=6, shuffled=True, **SMALL), tmp_path / "c.nc", []
    whole = train(TINY, learner)

    def struck(arena, actions):
        steps.append(arena.time)
        if len(steps) == at:
            signal.raise_signal(signal.SIGINT)
        return step(arena, actions)

    step = Arena.step
    monkeypatch.setattr(Arena, "step", struck)
    with Interrupts(), pytest.raises(KeyboardInterrupt):
        train(TINY, learner, checkpoint=path)
    assert len(steps) == at  # not one more
    monkeypatch.undo()
    held = read_dataset(path, "training-checkpoint")
    assert held.sizes["iteration"] == blocks
    assert resume_training(path).dataset.drop_vars("seconds").equals(whole.dataset.drop_vars("seconds"))


def test_what_a_training_tells():
    training = train(BattleGathering(size=10, agents=3, food=2, max_steps=20), IL(episodes=4, **SMALL))
    dataset = training.dataset
    assert list(training.numbers) == [
        *(f"reward_{g}_first" for g in "abcd"), *(f"reward_{g}_last" for g in "abcd"), "episodes",
    ]  # fmt: skip
    assert training.numbers["episodes"] == 4
    assert training.numbers["reward_b_first"] == pytest.approx(dataset["reward"].values[0, 1])
    assert training.numbers["reward_d_last"] == pytest.approx(dataset["reward"].values[-1, 3])
    assert dataset["reward"].dims == ("iteration", "group")
    assert dataset["weights"].dims == ("group", "weight")
    assert 4 * 3 * 20 * 3 <= int(dataset["agent_steps"].values[-1]) <= 4 * 4 * 3 * 20
    assert ((dataset["alive"] >= 0) & (dataset["alive"] <= 1)).all()


def test_nothing_trained_is_nan():
    training = train(TINY, IL(episodes=4, **SMALL), max_seconds=0.0)
    assert np.isnan(training.numbers["reward_a_last"])
    assert training.numbers["episodes"] == 0


def test_a_gradient_step_moves_q_towards_its_target():
    learner = IL(**{**SMALL, "step": 3e-3}, discount=0.5)
    state = learner.init(TINY)
    rng = np.random.default_rng(0)
    seen, then = rng.random((2, 64, 151)).astype(np.float32)
    action, reward = rng.integers(25, size=64), rng.normal(size=64).astype(np.float32)
    ended = np.arange(64) % 2 == 0

    class Held:
        """A memory of just these."""

        def draw(self, g, number, rng):
            return rng.integers(64, size=number)

        def seen_at(self, rows, later=0):
            return (then if later else seen)[rows]

    state.memory = Held()
    state.did, state.paid, state.ended = action, reward, ended
    state.target[:] = state.weights

    def targets():
        ahead = learner.ahead(state, 1, then, 0.1)
        return reward + 0.5 * ahead * (np.arange(64) % 2 == 1)

    def error():
        gap = state.nets[1].values(state.weights[1], seen)[np.arange(64), action] - targets()
        return float((gap**2).mean())

    values = state.nets[1].values(state.target[1], then)
    chance = np.exp((values - values.max(axis=1, keepdims=True)) / 0.1)
    chance /= chance.sum(axis=1, keepdims=True)
    assert learner.ahead(state, 1, then, 0.1) == pytest.approx((chance * values).sum(axis=1), abs=1e-5)
    before, others = error(), state.weights[[0, 2, 3]].copy()
    for _ in range(300):
        learner.learn(state, 1, 0.1, rng)
    assert error() < 0.1 * before
    assert (state.weights[[0, 2, 3]] == others).all()
    assert state.updates.tolist() == [0, 300, 0, 0]


def test_double_q_judges_by_the_slow_network_what_the_fast_one_chooses():
    learner = IL(double=True, **SMALL)
    state = learner.init(TINY)
    rng = np.random.default_rng(0)
    state.weights[:] = rng.normal(size=state.weights.shape)
    then = rng.random((5, 151)).astype(np.float32)
    fast, slow = (state.nets[0].values(each[0], then) for each in (state.weights, state.target))
    assert learner.ahead(state, 0, then, 1e-3) == pytest.approx(slow[np.arange(5), fast.argmax(axis=1)], abs=1e-4)


def test_temperature_falls_geometrically():
    learner = IL(hot=0.4, cold=0.1, cooling=0.5)
    assert [learner.temperature(share) for share in (0, 0.25, 0.5, 1.0)] == pytest.approx([0.4, 0.2, 0.1, 0.1])


def test_vectors_are_filled_up():
    assert filled([np.ones(2), np.ones(3)]).tolist() == [[1, 1, 0], [1, 1, 1]]


def test_what_does_not_suit_is_told():
    for options, message in (
        ({"episodes": 0}, "episodes of il is 0; at least 1"),
        ({"step": 0.0}, "step of il is 0"),
        ({"discount": 1.5}, "discount of il is 1.5"),
        ({"radius": -1.0}, "radius of il is -1"),
    ):
        with pytest.raises(InputError, match=message):
            IL(**options)
    with pytest.raises(InputError, match="it is no battle"):
        train("slippery-chains", "il")
    with pytest.raises(InputError, match="found of mtmfq is 0"):
        MTMFQ(found=0)


def test_every_block_has_its_own_chance():
    learner = IL(episodes=10, **{**SMALL, "batch": 10_000})  # learns nothing, so that chance alone differs
    rewards = []
    for block in (0, 4, 0):  # in both the same groups move first
        state = learner.init(TINY)
        state.block = block
        rewards.append(learner.advance(TINY, state)["reward"].values.tolist())
    assert rewards[0] == rewards[2] != rewards[1]
