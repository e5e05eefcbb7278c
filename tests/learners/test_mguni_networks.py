"""Actor-critic learners who talk: between alone and shared, bit for bit at both ends; checkpoints; what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.learners import Mguni
from mfgsolve.learners.mguni import _returns
from mfgsolve.parts.graphs import graph

BAR = mfg.problems.beach_bar(shape=(8,), steps=6, temperature=0.1)
GAMES = {
    "bar": (BAR, {"agents": 10, "episodes": 20}),
    "three": (mfg.problems.predator_prey(size=3, steps=4), {"agents": 5, "episodes": 20}),
    "coupled": (mfg.problems.susceptible_infected(steps=5), {"agents": 5, "episodes": 20}),
}


def learned(problem=BAR, learner="mguni", **options):
    return mfg.learn(problem, learner, reference=False, rng=1, **{"agents": 10, "episodes": 20} | options)


def same(one, other, names=("policy", "density", "relative_exploitability")):
    return all(one.dataset[name].values.tobytes() == other.dataset[name].values.tobytes() for name in names)


@pytest.mark.parametrize("learner", ["mguni", "gmf-q"])
@pytest.mark.parametrize("name", list(GAMES))
def test_nobody_heard_is_alone_and_all_heard_is_shared_bit_for_bit(name, learner):
    problem, options = GAMES[name]
    options = options | {"learner": learner} | ({"block": 10, "softness": 0.3} if learner == "gmf-q" else {})
    shared, alone = learned(problem, **options), learned(problem, shared=False, **options)
    for heard in ({"graph": "all"}, {"graph": "ring", "hops": 5}, {"graph": "grid", "hops": 9}):
        assert same(learned(problem, shared=False, **heard, **options), shared), heard
    for nobody in (
        {"graph": "ring", "hops": 0},
        {"graph": "none", "combine": "diffusion"},
        {"graph": "none", "combine": "adoption"},
        {"graph": "ring", "hops": 0, "combine": "adoption"},
    ):
        assert same(learned(problem, shared=False, **nobody, **options), alone), nobody
    ring = learned(problem, shared=False, graph="ring", **options)
    assert not same(ring, alone, ["policy"])
    assert not same(ring, shared, ["policy"])


@pytest.mark.parametrize("learner", ["mguni", "gmf-q"])
def test_what_is_said_of_agents_with_tables_of_their_own(learner, tmp_path):
    runs = {
        name: learned(learner=learner, shared=False, **heard)
        for name, heard in {
            "none": {}, "all": {"graph": "all"}, "mean": {"graph": "all", "combine": "diffusion"},
            "ring mean": {"graph": "ring", "combine": "diffusion"},
        }.items()
    }  # fmt: skip
    apart = {name: one.dataset.disagreement.values for name, one in runs.items()}
    for one in runs.values():
        assert one.dataset.disagreement.dims == ("iteration",)
        assert one.dataset.agent_regret.sizes == {"agent": 10}
        assert np.isfinite(one.dataset.disagreement).all()
    assert apart["none"][-1] > apart["ring mean"][-1] > 1e-6
    for name in ("all", "mean"):  # all agents have one table
        assert apart[name].max() < 1e-12 * max(apart["none"].max(), 1)
        assert np.ptp(runs[name].dataset.agent_regret.values) < 1e-12
    assert np.ptp(runs["none"].dataset.agent_regret.values) > 1e-3
    assert "disagreement" not in learned(learner=learner).dataset
    back = mfg.load(runs["none"].save(tmp_path / "own.nc"))
    np.testing.assert_array_equal(back.learning.disagreement, apart["none"])
    np.testing.assert_array_equal(back.learning.agent_regret, runs["none"].dataset.agent_regret)


def test_neighbours_who_tell_their_episodes_learn_faster_than_alone():
    gaps = {
        name: np.mean([
            mfg.learn(BAR, agents=20, episodes=150, rng=seed, reference=False, shared=False, recent=0.0, **heard)
            .relative_exploitability for seed in range(3)
        ]) for name, heard in {"alone": {}, "ring": {"graph": "ring"}, "far": {"graph": "ring", "hops": 3}}.items()
    }  # fmt: skip
    assert gaps["far"] < gaps["ring"] < 0.7 * gaps["alone"]


def state_of(**options):
    learner = Mguni(agents=6, episodes=1, shared=False, **options)
    return learner, learner.init(make_game(BAR), 0.0)


def test_diffusion_is_learning_and_then_the_mean():
    _, alone = state_of()
    _, told = state_of(graph="ring", combine="diffusion")
    weights = (graph("ring", 6).toarray() + np.eye(6)) / 3
    for table in ("preference", "critic"):
        mean = np.tensordot(weights, getattr(alone, table), axes=1)
        np.testing.assert_allclose(getattr(told, table), mean, atol=1e-13)
    np.testing.assert_array_equal(told.visits, alone.visits)


def test_adoption_is_learning_and_then_the_tables_of_the_best():
    _, alone = state_of()
    _, told = state_of(graph="all", combine="adoption")
    best = int(np.argmax(_returns(alone, slice(0, 6))))
    for table in ("preference", "critic", "visits"):
        own = getattr(alone, table)
        np.testing.assert_array_equal(getattr(told, table), np.broadcast_to(own[best], own.shape))


def test_what_an_agent_expects_is_the_value_of_its_policy_where_it_started():
    _, state = state_of()
    for k in range(6):
        (x,) = np.flatnonzero(state.visits[k, 0].sum(axis=1))  # one episode: one start
        policy = np.exp(state.preference[k, 0, x]) / np.exp(state.preference[k, 0, x]).sum()
        tau = state.game.step.entropy_cost[0]
        wanted = (policy * (state.critic[k, 0, x] - tau * np.log(policy))).sum()
        assert _returns(state, slice(0, 6))[k] == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("learner", ["mguni", "gmf-q"])
@pytest.mark.parametrize("heard", [{"graph": "small-world"}, {"graph": "ring", "combine": "diffusion"},
                                   {"graph": "grid", "hops": 2, "combine": "adoption"}, {}], ids=str)  # fmt: skip
def test_networks_go_on_bit_for_bit(heard, learner, tmp_path):
    options = {"learner": learner, "shared": False, **heard} | ({"block": 5} if learner == "gmf-q" else {})
    whole, file = learned(**options), tmp_path / "half.nc"
    learned(**options, checkpoint=file, callback=lambda measure: measure.iteration >= 3)
    again = mfg.resume(file, check="ignore")
    assert again.status is mfg.Status.FINISHED
    assert same(again, whole, ("policy", "density", "relative_exploitability", "disagreement", "agent_regret"))


def test_a_matrix_works_and_stands_in_the_checkpoint(tmp_path):
    path, file = sparse.diags_array([np.ones(9), np.ones(9)], offsets=[1, -1]), tmp_path / "half.nc"
    whole = learned(shared=False, graph=path)
    assert same(whole, learned(shared=False, graph=" ".join(f"{k}-{k + 1}" for k in range(9))))
    learned(shared=False, graph=path, checkpoint=file, callback=lambda measure: measure.iteration >= 8)
    stored = xr.load_dataset(file, engine="h5netcdf", decode_times=False)
    assert stored.attrs["option_graph"].startswith("0-1 1-2 2-3")
    assert stored["array_links"].values.tolist() == [[k, k + 1] for k in range(9)]
    assert same(mfg.resume(file, check="ignore"), whole)


def test_the_graph_of_a_checkpoint_counts_and_not_what_would_be_drawn_now(tmp_path):
    file, other = tmp_path / "half.nc", tmp_path / "other.nc"
    options = {"shared": False, "graph": "random"}
    learned(**options, checkpoint=file, callback=lambda measure: measure.iteration >= 8)
    stored = xr.load_dataset(file, engine="h5netcdf", decode_times=False)
    ring = np.array([[k, (k + 1) % 10] for k in range(10)])
    changed = stored.drop_vars("array_links")
    changed["array_links"] = (("cut_0", "cut_1"), ring)
    changed.to_netcdf(other, engine="h5netcdf")
    one, two = mfg.resume(file, check="ignore"), mfg.resume(other, check="ignore")
    assert not same(one, two, ["policy"])
    changed["array_links"] = (("cut_0", "cut_1"), ring + 1)
    changed.to_netcdf(other, engine="h5netcdf")
    with pytest.raises(mfg.FileError, match="links to agent 10, of 10"):
        mfg.resume(other)


@pytest.mark.parametrize("learner", ["mguni", "gmf-q"])
def test_a_checkpoint_from_before_networks_goes_on(learner, tmp_path):
    """... one of the same version, too: what it lacks is as by default."""
    options = {"learner": learner} | ({"shared": False} if learner == "mguni" else {"block": 5})
    whole, file = learned(**options), tmp_path / "half.nc"
    learned(**options, checkpoint=file, callback=lambda measure: measure.iteration >= 3)
    stored = xr.load_dataset(file, engine="h5netcdf", decode_times=False)
    new = {f"option_{name}" for name in ("graph", "hops", "combine", "connected")}
    new |= {"option_shared"} if learner == "gmf-q" else set()
    stored.attrs = {name: value for name, value in stored.attrs.items() if name not in new | {"seal", "sealed"}}
    stored.drop_vars("array_apart", errors="ignore").to_netcdf(file, engine="h5netcdf")
    again = mfg.resume(file, check="ignore")
    assert same(again, whole)
    if learner == "mguni":
        apart = again.dataset.disagreement.values
        assert np.isnan(apart[:4]).all()
        np.testing.assert_array_equal(apart[4:], whole.dataset.disagreement.values[4:])


@pytest.mark.parametrize("learner", ["mguni", "gmf-q"])
def test_bad_networks(learner):
    for options, match in (
        ({"graph": "ring"}, "share one table"),
        ({"shared": False, "graph": "rign"}, "did you mean 'ring'"),
        ({"shared": False, "graph": np.ones((3, 3))}, "is one of 3 agents; there are 10"),
        ({"shared": False, "graph": 7}, "a sparse matrix, a graph of NetworkX or a name"),
        ({"shared": False, "graph": "0-1"}, "not connected.*connected=False"),
        ({"shared": False, "hops": -2}, "hops of"),
        ({"shared": False, "combine": "talk"}, "unknown combine of"),
        ({"shared": False, "hops": True}, "hops"),
    ):
        with pytest.raises(mfg.InputError, match=match):
            learned(learner=learner, **options)
    assert learned(learner=learner, episodes=2, shared=False, graph="0-1", connected=False).learning is not None


@pytest.mark.parametrize("learner", ["mguni", "gmf-q"])
def test_tables_that_fit_into_no_memory_are_refused(learner, monkeypatch):
    monkeypatch.setattr("mfgsolve.inputs.memory.available_memory", lambda: 2**25)
    with pytest.raises(mfg.InputError, match="agents with tables of their own needs at least"):
        learned(learner=learner, shared=False, agents=40_000)
