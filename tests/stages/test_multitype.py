"""Independent Q, MFQ, MFAC, MTMFQ: one tabular learner, against closed forms and a plain twin."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from typed import A_UP, FAIR, TYPES

from mfgsolve.errors import InputError
from mfgsolve.kernels.random import uniform
from mfgsolve.parts.schedules import Harmonic
from mfgsolve.solution import Status
from mfgsolve.stages.multitype import MultiType, multi_type
from mfgsolve.stages.neighbourhoods import graph_neighbours, mean_actions
from mfgsolve.stages.stage_games import StageGame, best_reward, counterexample, reward_of, two_camps
from mfgsolve.stages.types import (
    DiscoveredTypes,
    KnownTypes,
    NoMeanAction,
    OneType,
    adjusted_rand_index,
)

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # meant; told without compiler


def cooling(stage):
    """Explore first: beta from 0 to 20 in 4000 stages, so that no action is given up on a few unlucky draws."""
    return min(20.0, stage / 200.0)


@pytest.mark.parametrize("actor", [0.0, 0.5])
@pytest.mark.parametrize(("kind", "best"), [("none", -0.125), ("one", 0.0), ("known", 0.75)])
def test_learners_reach_the_best_rewards(kind, best, actor):
    game = counterexample(FAIR, copies=40)  # 40 seeds side by side
    model = {"none": NoMeanAction(), "one": OneType(), "known": KnownTypes(game.types)}[kind]
    learner = MultiType(model, beta=20.0, actor=actor)
    memory = learner.start(game, rng=1)
    learner.play(game, memory, 3000)
    exact = [reward_of(game, model, learner.policy(memory)[k, 0], game.learners[k]) for k in range(40)]
    assert np.mean(exact) == pytest.approx(best, abs=0.005)
    assert max(exact) <= best + 1e-12
    assert min(exact) > best - 0.05
    played = learner.play(game, memory, 4000).mean_reward
    error = played.std() / np.sqrt(played.size)
    assert played.mean() == pytest.approx(best, abs=4.0 * error + 0.005)


@pytest.mark.slow
def test_discovered_types_earn_as_much_as_known_ones():
    game = counterexample([0.7, 0.7, 0.3, 0.3], copies=20)
    models = [NoMeanAction(), OneType(), KnownTypes(game.types)]
    best = [best_reward(game, model) for model in models]
    assert best[0] < best[1] < best[2]
    earned = []
    for model in [*models, DiscoveredTypes(2, window=300)]:
        learner = MultiType(model, beta=cooling, step=Harmonic(power=0.8))
        memory = learner.start(game, rng=3)
        learner.play(game, memory, 4000)
        record = learner.play(game, memory, 6000)
        earned.append(record.mean_reward.mean())
    assert earned[:3] == pytest.approx(best, abs=0.03)
    assert earned[3] == pytest.approx(earned[2], abs=0.005)
    assert adjusted_rand_index(memory.types[game.scripted], game.types[game.scripted]) == 1.0


def test_types_are_discovered_from_what_was_learned():
    game = two_camps(8, types=np.random.default_rng(0).integers(2, size=64))
    learner = MultiType(DiscoveredTypes(2, window=300), beta=2.0)
    agreement = learner.play(game, learner.start(game, rng=0), 6000, activity=0.3).agreement
    assert agreement.size == 20
    assert agreement[-1] == 1.0


def ragged_game(types, seed=0, agents=7, actions=3, neighbours=True):
    rng = np.random.default_rng(seed)
    edges = [pair for pair in itertools.combinations(range(agents), 2) if rng.random() < 0.5]
    worth = rng.normal(size=(2, actions, 2 * actions))

    def reward(kind, action, counts):
        part = worth[kind, action, : counts.shape[1] * actions]
        return counts.reshape(len(counts), -1) @ part + part[0]

    scripts = np.full((agents, actions), np.nan)
    scripts[2] = [0.2, 0.0, 0.8]
    graph = graph_neighbours(np.array(edges) if neighbours else np.empty((0, 2), dtype=int), agents)
    return StageGame(reward, actions, types, graph, scripts)


def plain_twin(learner, game, types, stages, activity, seed):
    """The equations in plain Python: tables are dictionaries over mean actions."""
    memory = learner.start(game, seed)
    actions, stream, many = memory.actions.copy(), memory.stream.copy(), game.actions
    tables = [{} for _ in range(game.learners.size)]
    graph = game.graph.toarray()

    def seen(i):
        means = mean_actions(np.eye(many)[actions], game.graph, types, int(types.max()) + 1)[i]
        return tuple(np.nan_to_num(means, nan=-1.0).round(9).ravel())

    def policy(values, beta):
        weight = np.exp(beta * (values - values.max()))
        return weight / weight.sum()

    def sample(chances):
        return int(np.searchsorted(np.cumsum(chances), uniform(stream), side="right"))

    for _ in range(stages):
        for i in game.scripted:
            actions[i] = sample(game.scripts[i])
        moves = {}
        for k, i in enumerate(game.learners):
            if activity < 1.0 and uniform(stream) >= activity:
                continue
            moves[k] = sample(policy(tables[k].setdefault(seen(i), np.zeros(many)), learner.beta))
        for k, move in moves.items():
            actions[game.learners[k]] = move
        for k, move in moves.items():
            i = game.learners[k]
            values = tables[k].setdefault(seen(i), np.zeros(many))
            around = np.zeros((int(game.types.max()) + 1, many))
            for j in np.flatnonzero(graph[i]):
                around[game.types[j], actions[j]] += 1
            reward = game.reward(game.types[i], move, around[None])[0]
            target = reward + learner.discount * policy(values, learner.beta) @ values
            values[move] += learner.step.size * (target - values[move])
    return tables, actions


@pytest.mark.kernel
@pytest.mark.parametrize("activity", [1.0, 0.4])
@pytest.mark.parametrize("typed", [False, True])
def test_kernel_follows_the_equations(typed, activity):
    types = np.array([0, 1, 1, 0, 1, 0, 0])
    game = ragged_game(types)
    learner = MultiType(KnownTypes(types) if typed else OneType(), beta=0.7, step=0.3, discount=0.6)
    tables, actions = plain_twin(learner, game, types if typed else np.zeros_like(types), 150, activity, 5)
    memory = learner.start(game, 5)
    record = learner.play(game, memory, 150, activity)
    assert (memory.actions == actions).all()
    for k, table in enumerate(tables):
        mine = memory.q[k, 0][np.abs(memory.q[k, 0]).any(axis=1)]
        theirs = np.array([row for row in table.values() if row.any()])
        np.testing.assert_allclose(mine[np.lexsort(mine.T)], theirs[np.lexsort(theirs.T)], rtol=1e-11)
    assert record.counts.sum(axis=(1, 2)).tolist() == [7] * 150


@pytest.mark.kernel
def test_play_is_act_and_learn():
    game = counterexample(FAIR)
    learner = MultiType(TYPES, beta=2.0, discount=0.5, actor=0.2)
    fast, slow = learner.start(game, 3), learner.start(game, 3)
    learner.play(game, fast, 50)
    for _ in range(50):
        for i in game.scripted:
            slow.actions[i] = 0 if uniform(slow.stream) < 0.5 else 1
        cells = slow.coding.cells(game.graph, slow.types, slow.actions)[:1]
        rows = slow.rows([0], [0], cells)
        slow.actions[:1] = learner.act(slow, rows)
        paid = game.coding.cells(game.graph, game.types, slow.actions)[0]
        learner.learn(slow, rows, slow.actions[:1], game.rewards[0, slow.actions[:1], paid], rows)
    np.testing.assert_array_equal(fast.q, slow.q)
    np.testing.assert_array_equal(fast.preferences, slow.preferences)


@pytest.mark.parametrize("target", ["boltzmann", "greedy"])
def test_values_of_states_are_those_of_value_iteration(target):
    rng = np.random.default_rng(2)
    move, worth, gamma, beta = rng.dirichlet(np.ones(3), size=(3, 2)), rng.normal(size=(3, 2)), 0.8, 1.5
    exact = np.zeros((3, 2))
    for _ in range(300):
        share = np.exp(beta * exact)
        v = (share * exact).sum(axis=1) / share.sum(axis=1) if target == "boltzmann" else exact.max(axis=1)
        exact = worth + gamma * move @ v
    game = StageGame(lambda kind, action, counts: 0.0, 2, np.zeros(1, dtype=int))
    learner = MultiType(NoMeanAction(), beta, Harmonic(power=0.7), gamma, target)
    memory = learner.start(game, 0, states=3)
    state = rng.integers(3, size=150_000)  # every state alike, so that all are learned as fast
    rows = memory.rows(np.zeros_like(state), state, np.zeros_like(state))
    actions = learner.act(memory, rows)
    ahead = (move[state, actions].cumsum(axis=1) < rng.random((state.size, 1))).sum(axis=1)
    learner.learn(memory, rows, actions, worth[state, actions], memory.rows(0 * ahead, ahead, 0 * ahead))
    np.testing.assert_allclose(memory.q[0, :, 0], exact, atol=0.05)
    learner.learn(memory, rows[:1], actions[:1], np.array([5.0]), np.array([-1]))  # an end has nothing ahead
    assert memory.visits.sum() == state.size + 1


def same(one, other):
    np.testing.assert_array_equal(one.q, other.q)
    np.testing.assert_array_equal(one.actions, other.actions)


@pytest.mark.kernel
@pytest.mark.parametrize("parts", [{}, {"discount": 0.7, "tables": "shared"}, {"actor": 0.2, "tables": "type"}])
def test_one_type_is_mfq_bit_for_bit_and_nobody_around_is_independent(parts):
    types = np.array([0, 1, 1, 0, 1, 0, 0])
    for game, one, other in (
        (ragged_game(types), OneType(), KnownTypes(np.zeros(7, dtype=int))),
        (ragged_game(types), OneType(), DiscoveredTypes(1, window=30)),
        (ragged_game(types, neighbours=False), NoMeanAction(), OneType()),
        (ragged_game(types, neighbours=False), NoMeanAction(), KnownTypes(types)),
    ):
        memories = []
        for model in (one, other):
            learner = MultiType(model, **parts)
            memories.append(learner.start(game, 11))
            learner.play(game, memories[-1], 200)
        same(*memories)


def test_actor_reaches_what_mfq_reaches():
    game = counterexample([0.8, 0.8, 0.6, 0.6], copies=20)
    rewards = {}
    for name in ("mfq", "mfac"):
        learner = multi_type(name, beta=cooling, step=Harmonic(power=0.8))
        memory = learner.start(game, 2)
        learner.play(game, memory, 8000)
        policy = learner.policy(memory)[:, 0]
        rewards[name] = np.mean([reward_of(game, OneType(), policy[k], i) for k, i in enumerate(game.learners)])
    assert best_reward(game, OneType()) > best_reward(game, NoMeanAction()) + 0.05
    assert rewards["mfac"] >= rewards["mfq"] - 0.01
    assert rewards["mfq"] == pytest.approx(best_reward(game, OneType()), abs=0.02)


def test_step_of_visits_and_schedules_of_beta():
    game = counterexample(A_UP)
    learner = MultiType(OneType(), step=Harmonic(), updates="all", beta=lambda stage: 0.0 if stage < 2000 else 50.0)
    memory = learner.start(game, 0)
    early, late = learner.play(game, memory, 2000), learner.play(game, memory, 200)
    assert abs(early.mean_reward[0]) < 0.3
    assert late.mean_reward[0] == 2.0
    assert memory.q.max() == 2.0  # a running mean of twos
    assert memory.visits.max() == 2200


def test_bad_input():
    game = counterexample(FAIR)
    alone = StageGame(lambda kind, action, counts: float(action), 2, np.zeros(3, dtype=int))
    for model in (OneType(), KnownTypes([0, 1, 1]), DiscoveredTypes(2)):
        with pytest.raises(InputError, match="no neighbourhoods"):
            MultiType(model).start(alone)
    assert MultiType(NoMeanAction()).play(alone, MultiType(NoMeanAction()).start(alone, 0), 5).agent_steps == 15
    with pytest.raises(InputError, match="6 types of 5 agents"):
        MultiType(DiscoveredTypes(6)).start(game)
    with pytest.raises(InputError, match="names type 5, but there are 2"):
        KnownTypes([0, 5])
    with pytest.raises(InputError, match="types of 2 agents, the game has 5"):
        MultiType(KnownTypes([0, 1])).start(game)
    learner = MultiType()
    with pytest.raises(InputError, match="start a memory in this game"):
        learner.play(game, learner.start(two_camps(4), 0), 1)
    memory, row = learner.start(game, 0), np.zeros(1, dtype=np.int64)
    other = StageGame(game.reward, 2, game.types, graph_neighbours([(0, 1)], 5), game.scripts)
    with pytest.raises(InputError, match="other neighbourhoods or types"):
        learner.play(other, memory, 1)
    with pytest.raises(InputError, match="other neighbourhoods or types"):
        MultiType(TYPES).play(game, memory, 1)
    for rows, actions, rewards in (
        (row + 5, row, row),
        (row, row + 2, row),
        (row, row, np.zeros(2)),
        (row - 1, row, row),
    ):
        with pytest.raises(InputError, match=r"outside the table|are possible|for every transition"):
            learner.learn(memory, rows, actions, rewards.astype(float), row)
    with pytest.raises(InputError, match="outside the table"):
        learner.act(memory, row + 5)
    with pytest.raises(InputError, match="did you mean 'boltzmann'"):
        MultiType(target="boltzman")
    with pytest.raises(InputError, match="did you mean 'mtmfq'"):
        multi_type("mtmf")
    with pytest.raises(InputError, match="needs types"):
        multi_type("mtmfq")
    for parts in ({"step": 0.0}, {"step": 1.5}, {"beta": -1.0}, {"beta": np.nan}, {"discount": 1.1}, {"actor": np.inf}):
        with pytest.raises(InputError):
            MultiType(**parts)
    for stages, activity in ((0, 1.0), (5, 0.0), (5, 1.1), (2.5, 1.0)):
        with pytest.raises(InputError):
            learner.play(game, learner.start(game, 0), stages, activity)
    with pytest.raises(InputError, match="rows sum to 1"):
        counterexample([0.5, 0.5, 0.5, 1.5])
    bad = StageGame(lambda *_: np.nan, 2, np.zeros(2, int), game.graph[:2, :2])
    with pytest.raises(InputError, match="one finite number"):
        learner.play(bad, learner.start(bad), 1)
    everybody = graph_neighbours(np.array(list(itertools.combinations(range(40), 2))), 40)
    with pytest.raises(InputError, match="fewer types"):
        MultiType(DiscoveredTypes(3)).start(StageGame(lambda *_: 0.0, 4, np.zeros(40, int), everybody))


def test_divergence_is_a_status_and_leaves_finite_values():
    game = StageGame(lambda kind, action, counts: 1e306, 2, np.zeros(2, int), graph_neighbours([(0, 1)], 2))
    for parts in ({"discount": 1.0}, {"discount": 0.9999, "actor": 0.5}):
        learner = MultiType(step=1.0, **parts)
        memory = learner.start(game, 0)
        record = learner.play(game, memory, 5000)
        assert record.status is Status.NON_FINITE
        assert np.isfinite(memory.q).all()
        assert np.isfinite(memory.preferences).all()
        assert np.isnan(record.reward[-1])
        assert np.isnan(record.mean_reward).all()
        assert memory.stages == record.agent_steps // 2 < 5000
    row = np.zeros(1, dtype=np.int64)
    with pytest.raises(InputError, match="not finite"):
        learner.learn(memory, row, row, np.array([np.nan]), row)
    memory.q[...] = 1e308
    with pytest.raises(InputError, match="diverges"):
        learner.learn(memory, row, row, np.array([1e308]), row)
    assert (memory.q == 1e308).all()
