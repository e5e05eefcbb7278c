"""Simulations: seeds, datasets, starts, exits, and what bad input is told."""

import math

import numpy as np
import pytest
from walkers import diffusion, rock_paper_scissors_like

import mfgsolve as mfg

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning"),  # meant; told without compiler
]


@pytest.fixture(scope="module")
def solution():
    return mfg.solve(mfg.problems.supply_demand(shape=(12, 12), steps=64, scheme="upwind"), tol=1e-8, check="ignore")


def test_the_result_depends_on_the_seed_alone(solution):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    options = {"agents": 200, "tagged": 2, "rng": 5}
    one = mfg.simulate(solution, replicas=5, threads=1, **options)
    two = mfg.simulate(solution, replicas=5, threads=3, **options)
    fewer = mfg.simulate(solution, replicas=2, **options)
    other = mfg.simulate(solution, replicas=5, agents=200, tagged=2, rng=6)
    assert one.identical(two)
    assert one.density[:2].equals(fewer.density)
    assert not one.density.equals(other.density)
    assert not (one.density[0] == one.density[1]).all()
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_a_generator_moves_on(solution):
    rng = np.random.default_rng(1)
    first, second = (mfg.simulate(solution, agents=50, rng=rng, times=[64]) for _ in range(2))
    assert not first.density.equals(second.density)


def test_a_drawn_seed_can_be_used_again(solution):
    first = mfg.simulate(solution, agents=50, times=[64])
    assert mfg.simulate(solution, agents=50, times=[64], rng=int(first.attrs["seed"])).density.equals(first.density)


@pytest.mark.parametrize("method", ["counts", "agents"])
def test_dataset_of_a_simulation(solution, method):
    crowd = mfg.simulate(solution, agents=1000, replicas=3, rng=0, method=method, tagged=4, times=[0, 32, 64])
    assert crowd.density.dims == ("replica", "time", "y", "x")
    assert np.allclose(crowd.density.sum(["y", "x"]) / 144, 1.0)
    per_agent = crowd.density.values / 144 * 1000
    assert np.abs(per_agent - np.round(per_agent)).max() < 1e-9
    assert np.allclose(crowd.mean_field_density, solution.dataset.density[[0, 32, 64]])
    assert math.isclose(float(crowd.mean_field_cost), solution.certificate.cost, rel_tol=1e-12)
    assert crowd.tagged_position.dims == ("replica", "tagged", "node", "axis")
    x, y = (crowd.tagged_position.sel(axis=axis).values for axis in "xy")
    assert (crowd.tagged_cell.values == np.floor(y * 12) * 12 + np.floor(x * 12)).all()
    gaps = np.abs(np.diff(x, axis=-1))
    assert gaps.max() < 0.5  # nobody jumps across the box
    assert all("units" in crowd[name].attrs for name in crowd.variables)


def test_tagged_agents_pay_what_all_pay(solution):
    """All agents are tagged: the mean of what they paid, one by one, is the cost of the replica."""
    crowd = mfg.simulate(solution, agents=30, replicas=3, rng=1, tagged=30, times=[0])
    assert np.allclose(crowd.tagged_cost.mean("tagged"), crowd.cost, rtol=1e-12, atol=1e-14)


def test_tagged_agents_pay_for_their_choices():
    game = mfg.Problem(
        grid=mfg.Grid.box((6,)), time=mfg.TimeGrid(1.0, 4),
        dynamics=mfg.LatticeMoves(((0,), (1,), (-1,)), costs=[0.0, 0.1, 0.2], temperature=0.3),
        coupling=mfg.CrowdAversion(0.2) + mfg.Congestion(1.0, 0.5, on="occupation")
        + mfg.Price(mfg.QuadraticPotential(2.0, 0.1)),
        initial=1.0, terminal=lambda t, c: c.x,
    )  # fmt: skip
    crowd = mfg.simulate(mfg.solve(game), agents=25, replicas=2, rng=1, tagged=25, times=[0])
    assert np.allclose(crowd.tagged_cost.mean("tagged"), crowd.cost, rtol=1e-12, atol=1e-14)


def test_populations_have_numbers_of_their_own():
    solution = mfg.solve(rock_paper_scissors_like(), check="ignore")
    crowd = mfg.simulate(solution, agents={"red": 10, "blue": 1000}, replicas=2, rng=0, tagged=3)
    assert crowd.cost.dims == ("replica", "population")
    assert np.allclose(crowd.density.sum("state"), 1.0)
    assert np.allclose(crowd.density.sel(population="red") * 10 % 1, 0)
    assert list(crowd.tagged_population.values) == ["red"] * 3 + ["blue"] * 3
    together = crowd.tagged_cost.values.reshape(2, 2, 3)
    assert np.isfinite(together).all()


@pytest.mark.slow
def test_dynamics_coupled_to_the_crowd_follow_the_real_crowd():
    """An epidemic of ten people dies out sometimes; one of a million follows the mean field."""
    solution = mfg.solve(mfg.problems.susceptible_infected(), max_iterations=20, check="ignore")
    many = mfg.simulate(solution, agents=10**6, replicas=2, rng=0)
    assert np.abs(many.density - many.mean_field_density).max() < 0.01
    few = mfg.simulate(solution, agents=3, replicas=200, rng=0, method="agents")
    gap = float(np.abs(few.density.mean("replica") - few.mean_field_density).max())
    assert gap > 0.05  # the mean of small epidemics is not the large one


def test_agents_start_where_they_are_told(solution, tmp_path):
    points = [[0.1, 0.2], [0.15, 0.2], [0.9, 0.95], [1.0, 1.0]]
    crowd = mfg.simulate(solution, start=points, replicas=2, rng=0, tagged=4)
    assert crowd.attrs["agents"] == 4
    assert np.allclose(crowd.density[0, 0], crowd.density[1, 0])
    assert np.allclose(crowd.density[0, 0], crowd.mean_field_density[0])
    assert (crowd.tagged_cell[0, :, 0] == [2 * 12 + 1, 2 * 12 + 1, 11 * 12 + 10, 143]).all()
    file = tmp_path / "start.csv"
    file.write_text("name,x,y\n" + "\n".join(f"car {k}, {x}, {y}" for k, (x, y) in enumerate(points)))
    assert mfg.simulate(solution, start=file, replicas=2, rng=0, tagged=4).identical(crowd)
    assert mfg.simulate(solution, start=str(file), agents=4, replicas=2, rng=0, tagged=4).identical(crowd)


def test_listed_states_and_populations_start_by_name(tmp_path):
    solution = mfg.solve(rock_paper_scissors_like(), check="ignore")
    start = {"red": [0, 0, 2], "blue": [1]}
    crowd = mfg.simulate(solution, start=start, rng=0)
    assert np.allclose(crowd.density[0, 0] * [[3], [1]], [[2, 0, 1], [0, 1, 0]])
    file = tmp_path / "start.csv"
    file.write_text("population,state\nblue,1\nred,0\nred,0\nred,2\n")
    assert mfg.simulate(solution, start=file, rng=0).density.equals(crowd.density)
    named = mfg.States(["healthy", "ill"])
    game = mfg.Problem(
        grid=named, time=mfg.TimeGrid(2.0, 2), dynamics=mfg.Tabular([np.eye(2)]), coupling=1.0, initial=0.5
    )
    still = mfg.simulate(mfg.solve(game), start=["ill", "ill", "healthy"], rng=0)
    assert np.allclose(still.density[0], [1 / 3, 2 / 3])


@pytest.mark.parametrize("method", ["counts", "agents"])
def test_agents_leave_at_exits(solution, method):
    def east(c):
        return c.x > 0.5

    crowd = mfg.simulate(solution, agents=2000, replicas=3, rng=0, exits=east, method=method, tagged=20)
    left = crowd.left.values
    assert (np.diff(left, axis=1) >= 0).all()
    assert left[:, -1].min() > 100
    present = crowd.density.sum(["y", "x"]).values / 144 * 2000
    assert np.allclose(present + left, 2000)
    assert not crowd.density.values[..., 6:].any()
    limit = 1 - crowd.mean_field_density.sum(["y", "x"]).values / 144
    assert np.abs(left / 2000 - limit).max() < 5 * 0.5 / math.sqrt(2000)
    gone = crowd.tagged_cell.values == -1
    assert gone[..., -1].any()
    assert (np.diff(gone.astype(int), axis=-1) >= 0).all()
    assert np.isnan(crowd.tagged_position.values[gone]).all()
    all_tagged = mfg.simulate(solution, agents=20, rng=3, exits=east, tagged=20, times=[0])
    assert math.isclose(float(all_tagged.tagged_cost.mean()), float(all_tagged.cost[0]), rel_tol=1e-12)


def test_a_file_is_enough(solution, tmp_path):
    again = mfg.load(solution.save(tmp_path / "plan.nc"))
    assert mfg.simulate(again, agents=10, rng=0).identical(mfg.simulate(solution, agents=10, rng=0))
    other = mfg.simulate(solution, agents=10, rng=0, policy=np.zeros((64, 4, 12, 12)))
    assert not other.density.equals(mfg.simulate(solution, agents=10, rng=0).density)


BAD = {
    "agents is missing": {},
    "agents is 0": {"agents": 0},
    "agents is 1.5": {"agents": 1.5},
    "agents is 'ten'": {"agents": "ten"},
    "agents is True": {"agents": True},
    "agents is nan": {"agents": math.nan},
    "single one: give a number": {"agents": {"red": 3}},
    "replicas is -1; at least 1": {"agents": 10, "replicas": -1},
    "replicas is 2.5": {"agents": 10, "replicas": 2.5},
    "tagged is 11; from 0 to the 10": {"agents": 10, "tagged": 11},
    "unknown method 'count'; did you mean 'counts'": {"agents": 10, "method": "count"},
    "rng is -1": {"agents": 10, "rng": -1},
    r"times are \[3, 2\]": {"agents": 10, "times": [3, 2]},
    r"times are \[65\]": {"agents": 10, "times": [65]},
    "agent 1 starts at y = 2": {"start": [[0.5, 0.5], [0.5, 2.0]]},
    "agent 0 starts at x = nan": {"start": [[math.nan, 2.0]]},
    r"\(agents, 2\) points \(x, y\)": {"start": [0.1, 0.2]},
    "agents is 3 and start lists": {"agents": 3, "start": [[0.5, 0.5]]},
    "cannot be read": {"start": "nowhere.csv"},
    "truth values are needed": {"agents": 10, "exits": lambda c: c.x},
    r"exits have shape \(3,\)": {"agents": 10, "exits": np.zeros(3, dtype=bool)},
    r"policy has shape \(64, 4, 3, 3\)": {"agents": 10, "policy": np.zeros((64, 4, 3, 3))},
    "threads is 0": {"agents": 10, "threads": 0},
    "keep fewer times, say": {"agents": 10, "replicas": 10**8},
    "method=.counts. nothing for": {"agents": 10**12, "method": "agents"},
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input(solution, message):
    with pytest.raises(mfg.InputError, match=message):
        mfg.simulate(solution, **BAD[message])


@pytest.mark.parametrize("plan", ["plan.nc", 3, None])
def test_a_solution_of_the_wrong_kind(plan):
    with pytest.raises(mfg.InputError, match="a Solution is needed"):
        mfg.simulate(plan, agents=10)


def test_a_plan_made_of_functions_needs_its_problem(tmp_path):
    problem = diffusion((6,))
    solution = mfg.solve(problem)
    loaded = mfg.load(solution.save(tmp_path / "plan.nc"))
    with pytest.raises(mfg.InputError, match="state it again"):
        mfg.simulate(loaded, agents=10)
    assert mfg.simulate(loaded, agents=10, rng=0, problem=problem).density.equals(
        mfg.simulate(solution, agents=10, rng=0).density
    )
    with pytest.raises(mfg.InputError, match="or give a policy"):
        mfg.simulate(problem, agents=10)


def test_spoilt_start_files(solution, tmp_path):
    file = tmp_path / "start.csv"
    file.write_text("x,z\n0.1,0.2\n")
    with pytest.raises(mfg.InputError, match=r"\['y'\] are missing"):
        mfg.simulate(solution, start=file)
    file.write_text("x,y\n0.1,0.2\n0.3,north\n")
    with pytest.raises(mfg.InputError, match="'north' as y in line 3"):
        mfg.simulate(solution, start=file)
    file.write_text("x,y\n")
    with pytest.raises(mfg.InputError, match="start"):
        mfg.simulate(solution, start=file)


def test_a_seed_sequence_is_not_used_up(solution):
    seeds = np.random.SeedSequence(5)
    first, second = (mfg.simulate(solution, agents=50, rng=seeds, times=[64]) for _ in range(2))
    assert first.identical(second)
    words = [3, 1, 4]
    assert mfg.simulate(solution, agents=50, rng=words).identical(mfg.simulate(solution, agents=50, rng=words))


def test_all_may_leave_where_the_crowd_decides_the_transitions():
    def transitions(t, mass):
        share = mass[1] / mass.sum()
        return [np.array([[1 - share, share], [0.0, 1.0]])]

    game = mfg.Problem(
        grid=mfg.States(2), time=mfg.TimeGrid(5.0, 5), dynamics=mfg.Tabular(transitions), coupling=1.0, initial=0.5
    )
    policy = np.ones((5, 1, 2))
    crowd = mfg.simulate(game, 2, 20, rng=0, policy=policy, exits=np.array([True, True]))
    assert (crowd.left == 2).all()
