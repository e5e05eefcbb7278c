"""Actor-critic learners in fictitious play, against the exact solver and its certificate."""

import math

import numpy as np
import pytest

import mfgsolve as mfg

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


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


@pytest.mark.slow
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
