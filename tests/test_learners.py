"""Learners that see only themselves, against the exact solver and its certificate."""

import math

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.learners import (
    MLP,
    Constant,
    EpsilonGreedy,
    Harmonic,
    Learner,
    Linear,
    Mguni,
    QLearner,
    Replay,
    SampledFictitiousPlay,
    SampledGame,
    SampledMirrorDescent,
    train,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module")
def beach():
    """Problem, game, equilibrium crowd and the exact value against it."""
    problem = mfg.problems.beach_bar(shape=(8,), steps=8)
    game = make_game(problem)
    policy = mfg.solve(problem).dataset.policy.values.reshape(game.steps, game.actions, game.states)
    crowd = game.flow(policy)
    return problem, game, crowd, game.respond(game.price(crowd)).mean_value


def cost_of(policy, game, crowd):
    return float(game.initial_mass @ game.evaluate(policy, game.price(crowd))[0][0])


# -- Mguni: actor-critic in fictitious play -----------------------------------------------------------------------


def test_many_agents_learn_the_beach_bar():
    learned = mfg.learn(mfg.problems.beach_bar(), agents=1000, episodes=400, rng=0)
    assert learned.status is mfg.Status.FINISHED
    assert learned.relative_exploitability < 0.05
    assert learned.dataset.attrs["density_distance"] < 0.02
    assert float(learned.dataset.agent_steps[-1]) == 1000 * 20 * 400
    assert float(learned.dataset.episodes[-1]) == 400
    exact = mfg.exploitability(mfg.problems.beach_bar(), learned)  # the certificate is of its own exact flow
    assert math.isclose(exact.relative_exploitability, learned.relative_exploitability, rel_tol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_crowd_learns_the_shortcut(seed):
    """Supply against moving demand, 12x12: below 5% of scale, near the solver's density, with a thousand agents."""
    learned = mfg.learn(
        mfg.problems.lattice_supply_demand(shape=(12, 12), steps=24), agents=1000, episodes=2000, rng=seed
    )
    assert learned.relative_exploitability < 0.05
    assert learned.dataset.attrs["density_distance"] < 0.15


@pytest.mark.slow
@pytest.mark.parametrize(("agents", "episodes"), [(10, 100_000), (100, 10_000)])
def test_few_agents_learn_as_much_from_as_many_steps(agents, episodes):
    learned = mfg.learn(mfg.problems.beach_bar(), agents=agents, episodes=episodes, rng=0)
    assert learned.relative_exploitability < 0.05


def test_agents_with_tables_of_their_own_learn_too():
    problem = mfg.problems.beach_bar(shape=(6,), steps=4)
    alone = [mfg.learn(problem, agents=20, episodes=n, shared=False, rng=0, reference=False) for n in (50, 5000)]
    assert alone[1].relative_exploitability < 0.05 < alone[0].relative_exploitability


@pytest.mark.parametrize("name", ["predator_prey", "rock_paper_scissors", "left_right"])
def test_populations_and_games_without_potential(name):
    learned = mfg.learn(getattr(mfg.problems, name)(), agents=200, episodes=500, rng=0)
    first = float(learned.dataset.relative_exploitability[0])
    assert learned.relative_exploitability < 0.25 < first


def test_transitions_that_depend_on_the_crowd_are_sampled_with_it():
    learned = mfg.learn(mfg.problems.susceptible_infected(), agents=200, episodes=100, rng=0, reference=False)
    assert math.isfinite(learned.relative_exploitability)
    assert math.isnan(learned.dataset.attrs["density_distance"])


def test_occupations_and_prices_are_rewards_like_any_other():
    game = mfg.Problem(
        grid=mfg.Grid.box((5,)), time=mfg.TimeGrid(1.0, 4),
        dynamics=mfg.LatticeMoves(((0,), (1,), (-1,)), costs=[0.0, 0.1, 0.2], viscosity=0.02, temperature=0.2),
        coupling=mfg.Congestion(1.0, 0.5, on="occupation") + mfg.Price(mfg.QuadraticPotential(2.0, 0.1)),
        initial=1.0, terminal=lambda t, c: c.x,
    )  # fmt: skip
    learned = mfg.learn(game, agents=500, episodes=500, rng=0)
    assert learned.relative_exploitability < 0.05


def test_learning_is_reproducible_and_goes_on_bit_for_bit(tmp_path):
    problem, options = mfg.problems.beach_bar(shape=(8,), steps=6), {"agents": 50, "episodes": 200, "reference": False}
    whole, other = (mfg.learn(problem, rng=seed, **options) for seed in (3, 4))
    assert whole.dataset.policy.equals(mfg.learn(problem, rng=3, **options).dataset.policy)
    assert not whole.dataset.policy.equals(other.dataset.policy)
    file = tmp_path / "half.nc"
    half = mfg.learn(problem, rng=3, checkpoint=file, callback=lambda measure: measure.iteration >= 40, **options)
    assert half.status is mfg.Status.STOPPED
    again = mfg.resume(file, check="ignore")
    assert again.status is mfg.Status.FINISHED
    assert again.dataset.policy.equals(whole.dataset.policy)


def test_a_learner_that_meets_costs_that_are_not_finite_ends_with_a_status(tmp_path):
    """... and its checkpoint stays what it was."""

    def cost(t, c, rho):
        return np.where(calls.pop(0) if calls else True, rho, rho) * (1.0 if len(calls) else math.nan)

    calls = [True] * 4000
    problem = mfg.Problem(
        grid=mfg.Grid.box((5,)), time=mfg.TimeGrid(4, 4), dynamics=mfg.LatticeMoves(((0,), (1,), (-1,))),
        coupling=mfg.CustomCoupling(cost), initial=1.0,
    )  # fmt: skip
    file = tmp_path / "half.nc"
    learned = mfg.learn(problem, agents=10, episodes=2000, rng=0, reference=False, checkpoint=file)
    assert learned.status is mfg.Status.NON_FINITE
    from mfgsolve.files import read_dataset

    kept = read_dataset(file, "checkpoint")
    assert np.isfinite(kept["array_preference"].values).all()
    assert np.isfinite(kept["array_critic"].values).all()


@pytest.mark.parametrize(
    ("message", "options"),
    [
        ("unknown learner 'mgunni'; did you mean 'mguni'", {"learner": "mgunni"}),
        ("agents of the learner is 1", {"agents": 1}),
        ("episodes of the learner is 0", {"episodes": 0}),
        ("agents of the learner is 2.5", {"agents": 2.5}),
        ("seed of the learner is -1", {"rng": -1}),
        ("explorers of the learner is 2", {"explorers": 2}),
        ("unknown option of mguni 'explorer'", {"explorer": 0.1}),
        ("come with a ready learner", {"learner": Mguni(), "agents": 10}),
    ],
)
def test_bad_input(message, options):
    with pytest.raises(mfg.InputError, match=message):
        mfg.learn(mfg.problems.beach_bar(), **options)


def test_games_that_learners_cannot_play():
    with pytest.raises(mfg.InputError, match="state it with LatticeMoves"):
        mfg.learn(mfg.problems.supply_demand(shape=(8, 8), steps=16))
    with pytest.raises(mfg.InputError, match="hard bounds"):
        mfg.learn(mfg.problems.bonnans_lavigne_pfeiffer_1())
    with pytest.raises(mfg.InputError, match="a Problem is needed"):
        mfg.learn("beach-bar")
    other = mfg.solve(mfg.problems.beach_bar(shape=(6,), steps=4))
    with pytest.raises(mfg.InputError, match="the reference has a density"):
        _ = mfg.learn(mfg.problems.beach_bar(), agents=10, episodes=2, reference=other).dataset


# -- environment, parts, sampled best responses --------------------------------------------------------------------


def test_rewards_of_the_environment_are_the_costs_of_the_game(beach):
    """The mean reward of agents that follow a policy is minus its exact value, frozen and live."""
    problem, game, crowd, _ = beach

    class Uniform(Learner):
        def act(self, observation, field, rng):
            return rng.integers(game.actions, size=observation.state.size)

        def observe(self, transition):
            pass

        def update(self, rng):
            pass

        def policy(self, game, field=None):
            return game.uniform()

    uniform = Uniform()
    frozen = [train(uniform, SampledGame(problem, 4000, crowd, seed), 1) for seed in range(5)]
    assert abs(np.mean(frozen) + cost_of(game.uniform(), game, crowd)) < 0.1
    exact = mfg.nash_gap(problem, [50], policy=game.uniform().reshape(game.steps, game.actions, 8))
    live = [train(uniform, SampledGame(problem, 50, None, seed), 1) for seed in range(200)]
    assert abs(np.mean(live) + float(exact.cost[0])) < 4 * np.std(live) / math.sqrt(200)


@pytest.mark.parametrize("kind", ["table", "expected", "replay", "linear", "network"])
def test_parts_combine_to_a_sampled_best_response(beach, kind):
    _, game, crowd, best = beach

    def features(step, state):
        return np.eye(game.steps * game.states)[step * game.states + state]

    size = game.steps * game.states
    options = {
        "table": {"step": Harmonic(0.7)},
        "expected": {"step": Harmonic(0.7), "target": "expected"},
        "replay": {"step": Harmonic(0.7), "replay": Replay(20000), "batches": 30},
        "linear": {"step": Constant(0.5), "function": Linear(lambda z: z, size, game.actions), "features": features,
                   "replay": Replay(20000), "batches": 30, "batch": 64},
        "network": {"step": Constant(0.003), "features": features, "replay": Replay(20000), "batches": 20,
                    "function": MLP((size, 32, game.actions), np.random.default_rng(0))},
    }[kind]  # fmt: skip
    exploration = EpsilonGreedy(0.9 if kind in ("table", "expected") else 0.5)
    learner = QLearner(game, exploration, **options)
    train(learner, SampledGame(game, 100, crowd, rng=0), 300)
    found = cost_of(learner.policy(), game, crowd)
    worst = cost_of(game.uniform(), game, crowd)
    assert best - 1e-9 <= found < best + {"expected": 0.3, "linear": 0.5}.get(kind, 0.05) * (worst - best)


def test_sampled_best_responses_drive_the_solvers_of_the_core():
    problem = mfg.problems.beach_bar(shape=(6,), steps=5)
    plays = SampledFictitiousPlay(agents=50, episodes=20)
    found = mfg.solve(problem, method=plays, max_iterations=25, check="ignore")
    assert found.relative_exploitability < 0.06 < float(found.dataset.relative_exploitability[0])
    warm = mfg.problems.beach_bar(shape=(6,), steps=5, temperature=0.3)
    descends = SampledMirrorDescent(agents=50, episodes=20)
    found = mfg.solve(warm, method=descends, max_iterations=25, check="ignore")
    assert found.relative_exploitability < 0.06 < float(found.dataset.relative_exploitability[0])


def test_bad_use_of_the_environment(beach):
    problem, game, crowd, _ = beach
    world = SampledGame(problem, 3, rng=0)
    with pytest.raises(mfg.InputError, match="call reset"):
        world.step(np.zeros(3, dtype=int))
    world.reset()
    with pytest.raises(mfg.InputError, match="whole numbers"):
        world.step(np.zeros(2, dtype=int))
    with pytest.raises(mfg.InputError, match="agent 1 takes action 7"):
        world.step(np.array([0, 7, 0]))
    with pytest.raises(mfg.InputError, match="crowd has shape"):
        SampledGame(problem, 3, crowd[:2])
    with pytest.raises(mfg.InputError, match="agents is 0"):
        SampledGame(problem, 0)
    with pytest.raises(mfg.InputError, match="unknown value target 'mix'"):
        QLearner(game, EpsilonGreedy(0.1), target="mix")
    with pytest.raises(mfg.InputError, match="needs features"):
        QLearner(game, EpsilonGreedy(0.1), function=MLP((2, 3), np.random.default_rng(0)))
