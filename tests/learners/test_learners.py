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
    policy = mfg.solve(problem).dataset.policy.values.reshape(game.steps, game.step.actions, game.cells)
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
    assert learned.relative_exploitability < 0.3
    assert learned.exploitability < 0.25 * float(learned.dataset.exploitability[0])


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
            return rng.integers(game.step.actions, size=observation.state.size)

        def observe(self, transition):
            pass

        def update(self, rng):
            pass

        def policy(self, game, field=None):
            return game.step.uniform()

    uniform = Uniform()
    frozen = [train(uniform, SampledGame(problem, 4000, crowd, seed), 1) for seed in range(5)]
    assert abs(np.mean(frozen) + cost_of(game.step.uniform(), game, crowd)) < 0.1
    exact = mfg.nash_gap(problem, [50], policy=game.step.uniform().reshape(game.steps, game.step.actions, 8))
    live = [train(uniform, SampledGame(problem, 50, None, seed), 1) for seed in range(200)]
    assert abs(np.mean(live) + float(exact.cost[0])) < 4 * np.std(live) / math.sqrt(200)


@pytest.mark.parametrize("kind", ["table", "expected", "replay", "linear", "network"])
def test_parts_combine_to_a_sampled_best_response(beach, kind):
    _, game, crowd, best = beach

    def features(step, state):
        return np.eye(game.steps * game.cells)[step * game.cells + state]

    size = game.steps * game.cells
    options = {
        "table": {"step": Harmonic(0.7)},
        "expected": {"step": Harmonic(0.7), "target": "expected"},
        "replay": {"step": Harmonic(0.7), "replay": Replay(20000), "batches": 30},
        "linear": {"step": Constant(0.5), "features": features,
                   "function": Linear(lambda z: z, size, game.step.actions), "replay": Replay(20000), "batches": 30,
                   "batch": 64},
        "network": {"step": Constant(0.003), "features": features, "replay": Replay(20000), "batches": 20,
                    "function": MLP((size, 32, game.step.actions), np.random.default_rng(0))},
    }[kind]  # fmt: skip
    exploration = EpsilonGreedy(0.9 if kind in ("table", "expected") else 0.5)
    learner = QLearner(game, exploration, **options)
    train(learner, SampledGame(game, 100, crowd, rng=0), 300)
    found = cost_of(learner.policy(), game, crowd)
    worst = cost_of(game.step.uniform(), game, crowd)
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
    crowd = arrays.flow(arrays.uniform())
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


def test_sampled_fictitious_play_knows_nothing_at_first():
    with pytest.raises(mfg.InputError, match="episodes is 0"):
        SampledFictitiousPlay(episodes=0)
    problem = mfg.problems.beach_bar(shape=(6,), steps=5)
    found = mfg.solve(problem, method=SampledFictitiousPlay(), max_iterations=0, check="ignore")
    assert np.allclose(found.dataset.policy, 1 / 3)


def test_spoilt_checkpoints_of_learners(tmp_path):
    import xarray as xr

    file, spoilt = tmp_path / "half.nc", tmp_path / "spoilt.nc"
    problem = mfg.problems.beach_bar(shape=(6,), steps=4)
    mfg.learn(problem, agents=10, episodes=20, rng=0, reference=False, checkpoint=file)
    stored = xr.load_dataset(file, engine="h5netcdf", decode_times=False)
    half = {name: stored[name].isel({stored[name].dims[-1]: slice(0, 1)}).values for name in stored.data_vars}
    for name in ("preference", "critic", "visits", "belief", "occupation", "stream"):
        cut = stored.drop_vars(f"array_{name}")
        cut[f"array_{name}"] = (tuple(f"cut_{k}" for k in range(half[f"array_{name}"].ndim)), half[f"array_{name}"])
        cut.to_netcdf(spoilt, engine="h5netcdf")
        with pytest.raises(mfg.FileError, match=name):
            mfg.resume(spoilt)
    stored["array_critic"][0, 0, 0, 0] = np.nan
    stored.to_netcdf(spoilt, engine="h5netcdf")
    with pytest.raises(mfg.FileError, match="critic"):
        mfg.resume(spoilt)


def test_a_resumed_learner_is_a_learned_solution(tmp_path):
    file = tmp_path / "half.nc"
    problem = mfg.problems.beach_bar(shape=(6,), steps=4)
    mfg.learn(problem, agents=10, episodes=40, rng=0, reference=False, checkpoint=file,
              callback=lambda measure: measure.iteration >= 10)  # fmt: skip
    again = mfg.resume(file)  # no warning: it has done what it was to do
    assert float(again.dataset.episodes[-1]) == 40
    assert again.dataset.attrs["agents"] == 10


def test_more_bad_input(beach):
    problem, _, crowd, _ = beach
    with pytest.raises(mfg.InputError, match="learner is a FictitiousPlay"):
        mfg.learn(problem, learner=mfg.solvers.FictitiousPlay())
    with pytest.raises(mfg.InputError, match="learner is a list"):
        mfg.learn(problem, learner=[1])
    with pytest.raises(mfg.InputError, match="reference is a int"):
        mfg.learn(problem, agents=10, episodes=2, reference=3)
    other = mfg.solve(mfg.problems.beach_bar(shape=(8,), steps=8, distance_cost=2.0))
    with pytest.raises(mfg.InputError, match="solves another game"):
        mfg.learn(problem, agents=10, episodes=2, reference=other)
    with pytest.raises(mfg.InputError, match="no masses"):
        SampledGame(problem, 3, crowd * np.nan)
    with pytest.raises(mfg.InputError, match="hard bounds"):
        SampledGame(mfg.problems.bonnans_lavigne_pfeiffer_1(), 3)
