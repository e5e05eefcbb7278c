"""Borders to MFGLib and OpenSpiel: the same exploitability on both sides, by stand-ins and by the libraries."""

from __future__ import annotations

import subprocess
import sys
import types
import warnings

import numpy as np
import pytest
import xarray as xr
from peer_standins import Environment, Ring, mfglib_modules, nash_conv, openspiel_modules, score, tensor
from scipy.integrate import quad

import mfgsolve as mfg
from mfgsolve import interop
from mfgsolve.games import make_game
from mfgsolve.interop.aggregates import price_coupling
from mfgsolve.interop.closedforms import CrowdLogarithm, Linear
from mfgsolve.interop.rewards import state_coupling

SIZE = 6


def random_policy(problem, seed=0):
    """A policy of the problem as an array, and as the solution that an exporter sees."""
    game = make_game(problem)
    table = np.random.default_rng(seed).dirichlet(np.full(game.actions, 0.5), (game.steps, game.states))
    array = table.transpose(0, 2, 1).reshape(game.steps, game.actions, *problem.grid.shape)
    labels = {name: pair[0] for name, pair in problem.grid.dimension_coordinates.items()}
    dataset = xr.Dataset(
        {"policy": (("step", "action", *problem.grid.dims), array)}, coords={"action": game.action_names, **labels}
    )
    return array, types.SimpleNamespace(dataset=dataset, name=problem.name)


# -- rewards found out by asking -------------------------------------------------------------------------------------

MATRIX = np.random.default_rng(3).normal(size=(SIZE, SIZE))
SLOPES = np.arange(SIZE) + 0.5
FORMS = {
    "high floor": (lambda t, m: (1 + t) * np.log(m + 1e-3) - 3.0, CrowdLogarithm),
    "floor of everybody": (lambda t, m: SLOPES * np.log(m + 2.0), CrowdLogarithm),
    "clamped high": (lambda t, m: 2.0 * np.log(np.maximum(m, 0.02)) + t, mfg.LogCongestion),
    "logarithm": (lambda t, m: (1 + t) * np.log(m + 1e-20) - 3.0, CrowdLogarithm),
    "clamped": (lambda t, m: 2.0 * np.log(np.maximum(m, 1e-15)) + t, mfg.LogCongestion),
    "own mass": (lambda t, m: SLOPES * m + 1.0, Linear),
    "matrix": (lambda t, m: MATRIX @ m - t, mfg.Interaction),
    "both": (lambda t, m: 0.5 * np.log(m + 1e-10) + MATRIX @ m, mfg.couplings.Sum),
    "root": (lambda t, m: np.sqrt(m + 0.1), mfg.CustomCoupling),
    "product": (lambda t, m: m[::-1] * m.sum() ** 2, mfg.CustomCoupling),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_reward_is_recognised_and_costs_the_same(name):
    ask, kind = FORMS[name]
    found = state_coupling(ask, range(3), SIZE)
    assert type(found.coupling) is kind
    bound = found.coupling.bind(mfg.States(SIZE), np.arange(4.0))
    rng = np.random.default_rng(1)
    rho = np.stack([rng.dirichlet(np.full(SIZE, 0.3)) for _ in range(3)])
    cost = bound.cost(slice(0, 3), rho) + found.constant[:3]
    np.testing.assert_allclose(cost, [ask(t, rho[t]) for t in range(3)], rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("name", ["logarithm", "clamped", "own mass", "root"])
def test_a_local_reward_has_its_integral_as_potential(name):
    ask, _ = FORMS[name]
    found = state_coupling(ask, range(3), SIZE)
    assert found.coupling.is_potential
    bound = found.coupling.bind(mfg.States(SIZE), np.arange(4.0))
    low, high = np.full((3, SIZE), 0.02), np.full((3, SIZE), 0.4)
    rise = bound.potential(slice(0, 3), high) - bound.potential(slice(0, 3), low)
    for t in range(3):
        exact = [quad(lambda m, x=x, t=t: ask(t, np.full(SIZE, m))[x], 0.02, 0.4)[0] for x in range(SIZE)]
        assert rise[t] + 0.38 * found.constant[t].sum() == pytest.approx(sum(exact), rel=1e-9)


def test_slopes_are_those_of_the_cost():
    for coupling in (CrowdLogarithm(np.full((2, SIZE), 0.7), 1e-3), Linear(np.full((2, SIZE), 0.7))):
        bound, at, h = coupling.bind(mfg.States(SIZE), np.arange(2.0)), np.full((2, SIZE), 0.2), 1e-5
        nodes = slice(0, 2)
        rise = (bound.cost(nodes, at + h) - bound.cost(nodes, at - h)) / (2 * h)
        np.testing.assert_allclose(bound.slope(nodes, at), rise, rtol=1e-7)
        rise = (bound.slope(nodes, at + h) - bound.slope(nodes, at - h)) / (2 * h)
        np.testing.assert_allclose(bound.second(nodes, at), rise, rtol=1e-6, atol=1e-9)


def test_states_that_nobody_reaches_are_left_alone():
    reached = [np.arange(SIZE) < 3, np.arange(SIZE) < 5]
    found = state_coupling(lambda t, m: np.log(m + 1e-20), (1, 2), SIZE, reached=reached)
    assert (found.coupling.strength[[0, 0, 1, 2], [0, 5, 4, 4]] == [0, 0, 0, 1]).all()


def test_a_price_of_an_aggregate_is_recognised():
    amounts, shape = np.array([[0.0, 1, 2], [3, 0, 1]]), (2, 3)
    price = price_coupling(
        lambda t, w: amounts**2 - amounts / (1 + t + (amounts * w).sum()),
        lambda t, w, d: amounts * (amounts * d).sum() / (1 + t + (amounts * w).sum()) ** 2,
        range(2),
        shape,
    )
    np.testing.assert_allclose(price.amounts / price.amounts[0, 1], amounts)
    scale = price.amounts[0, 1]
    # the price counts from an empty crowd: p(A) = 1 / (1 + t) - 1 / (1 + t + A)
    assert scale * price.derivative(1, 0.8 * scale) == pytest.approx(1 / 2 - 1 / 2.8)
    assert price.value(1, 0.8 * scale) == pytest.approx(0.8 / 2 - np.log(1.4), rel=1e-10)
    smooth = price.smooth()
    assert type(smooth) is not type(price)
    for amount in (0.1, 0.8, 2.9, 40.0):  # the last lies outside what can occur
        a = amount * scale
        assert smooth.derivative(1, a) == pytest.approx(price.derivative(1, a), rel=1e-12)
        assert smooth.second(1, a) == pytest.approx(price.second(1, a), rel=1e-9)
        assert smooth.value(1, a) == pytest.approx(price.value(1, a), rel=1e-9)
    assert price_coupling(lambda t, w: w**2, lambda t, w, d: 2 * w * d, range(2), shape) is None


# -- MFGLib, by its stand-in -----------------------------------------------------------------------------------------


@pytest.fixture
def mfglib(monkeypatch):
    for name, module in mfglib_modules().items():
        monkeypatch.setitem(sys.modules, name, module)


def rooms(t, L):
    """Two floors of 2 x 3, actions (2, 2): a logarithm, a cost of the action, a bonus that moves."""
    bonus = np.zeros((2, 3))
    bonus[t % 2, 2] = 1.0
    return (bonus - np.log(np.maximum(L.sum((2, 3)), 1e-15)))[:, :, None, None] - np.array([[0, 0.1], [0.2, 0.3]])


def roll(t, L):
    prob = np.zeros((2, 3, 2, 3, 2, 2))
    for i, j, a, b in np.ndindex(2, 3, 2, 2):
        prob[(i + a) % 2, (j + b) % 3, i, j, a, b] += 0.75
        prob[i, j, i, j, a, b] += 0.25
    return prob


def sick(t, L):
    out = np.zeros((2, 2, 2))
    ill = 0.81 * L.sum(1)[1]
    out[:, 0, 0], out[:, 0, 1], out[:, 1] = (1 - ill, ill), (1, 0), np.array([[0.3, 0.3], [0.7, 0.7]])
    return out


def crowded(t, L):
    """Transitions that see choices: the more take action a in state s, the less it leads to a."""
    out = np.full((3, 3, 3), 1 / 3)
    for s, a in np.ndindex(3, 3):
        out[:, s, a] = (1 - np.exp(-L[s, a])) / 3
        out[a, s, a] += np.exp(-L[s, a])
    return out


def noisy(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def environments():
    price = lambda t, L: (1 / (1 + (L * np.arange(3.0)).sum()) - 1) * np.arange(3.0) - 0.3 * noisy(0, 2, 3)
    pull = lambda t, L: (noisy(1, 3, 3) @ L.sum(1))[:, None] + noisy(2, 3, 3)
    wheel = np.stack([np.eye(3)[[a] * 3].T for a in range(3)], -1)
    swap = np.stack([np.eye(2), np.eye(2)[::-1], np.full((2, 2), 0.5)], axis=-1)
    return {
        "beach bar": Environment.beach_bar(),
        "high floor": Environment.beach_bar(log_eps=1e-3),
        "rooms": Environment(3, (2, 3), (2, 2), np.full((2, 3), 1 / 6), rooms, roll),
        "linear": Environment(2, (3,), (3,), [0.5, 0.5, 0], pull, lambda t, L: wheel),
        "price": Environment(3, (2,), (3,), [0.25, 0.75], price, lambda t, L: swap),
        "sick": Environment(4, (2,), (2,), [0.4, 0.6], lambda t, L: np.array([[0, -0.5], [-1, -1.5]]), sick),
        "choices": Environment(3, (3,), (3,), [0.2, 0.3, 0.5], lambda t, L: noisy(4, 3, 3) @ L + L**2, crowded),
    }  # fmt: skip


ENVIRONMENTS = list(environments())


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_mfglib_scores_a_policy_as_we_do(mfglib, name):
    env = environments()[name]
    problem = interop.from_mfglib(env)
    for seed in range(2):
        array, solution = random_policy(problem, seed)
        policy = interop.to_mfglib_policy(solution)
        assert policy.shape == (env.T + 1, *env.S, *env.A)
        assert policy.dtype == np.float64
        assert float(mfg.exploitability(problem, array)) == pytest.approx(score(env, policy), rel=1e-11)


def test_mfglib_structure_is_found(mfglib):
    built = {name: interop.from_mfglib(env) for name, env in environments().items()}
    assert {name for name, problem in built.items() if problem.is_coupled} == {"sick", "choices"}
    assert {name for name, problem in built.items() if problem.is_potential} >= {"beach bar", "rooms", "price"}
    assert isinstance(built["price"].coupling, mfg.couplings.Price)
    assert isinstance(built["linear"].coupling, mfg.Interaction)
    assert built["rooms"].grid.shape == (2, 3)
    assert built["choices"].grid.size == 3 + 9
    assert built["beach bar"].coupling.floor == 1e-20
    assert built["high floor"].coupling.floor == pytest.approx(1e-3)


def test_a_solved_game_of_mfglib_scores_zero(mfglib, tmp_path):
    problem = interop.build("mfglib:beach_bar", {"T": 3})
    assert problem.name == "mfglib:beach_bar"
    assert problem.parameters == {"T": 3}
    solution = mfg.solve(problem, method="fictitious-play", tol=1e-4)
    saved = mfg.load(solution.save(tmp_path / "plan.nc"))
    for one in (solution, saved):
        reached = score(Environment.beach_bar(T=3), interop.to_mfglib_policy(one))
        assert reached == pytest.approx(solution.exploitability, abs=1e-12)


def test_single_precision_is_refused(mfglib):
    env = Environment.beach_bar()
    env.mu0 = tensor(env.mu0, np.float32)
    with pytest.raises(mfg.InputError, match="set_default_dtype"):
        interop.from_mfglib(env)


def test_the_default_precision_is_put_back(mfglib):
    torch = sys.modules["torch"]
    interop.build("mfglib:beach_bar")
    assert torch.get_default_dtype() == torch.float32


# -- OpenSpiel, by its stand-in --------------------------------------------------------------------------------------


@pytest.fixture
def openspiel(monkeypatch):
    for name, module in openspiel_modules().items():
        monkeypatch.setitem(sys.modules, name, module)


GAMES = {
    "ring": Ring(),
    "longer": Ring(size=5, horizon=6),
    "two": Ring(pull=((0.0, 1.0), (-1.0, 0.0))),
    "two, symmetric": Ring(pull=((0.0, -1.0), (-1.0, -0.5))),
}


@pytest.mark.parametrize("name", GAMES)
def test_openspiel_scores_a_policy_as_we_do(openspiel, name):
    game = GAMES[name]
    problem = interop.from_openspiel(game)
    for seed in range(2):
        array, solution = random_policy(problem, seed)
        policy = interop.to_openspiel_policy(solution, game)
        assert float(mfg.exploitability(problem, array)) == pytest.approx(nash_conv(game, policy), rel=1e-11)


def test_openspiel_structure_is_found(openspiel):
    one, two = interop.from_openspiel(GAMES["ring"]), interop.from_openspiel(GAMES["two"])
    assert one.is_potential
    assert one.coupling.floor == 1e-25
    assert set(one.grid.names) == {f"(pop=0, x={x}, t=t)" for x in range(4)}
    assert two.grid.shape == (2, 4)
    assert set(two.grid.space.names) == {f"(pop=p, x={x}, t=t)" for x in range(4)}
    assert (two.is_potential, two.is_monotone) == (False, True)
    names = two.grid.space.names
    for population, start in enumerate((0, 1)):
        assert dict(zip(names, two.initial[population], strict=True)) == {
            f"(pop=p, x={x}, t=t)": {start: 0.75, start + 1: 0.25}.get(x, 0.0) for x in range(4)
        }


def test_a_hidden_last_action_warns_and_counts_as_openspiel_counts(openspiel):
    game = Ring(hidden=True)
    with pytest.warns(UserWarning, match="not Markov in its own keys"):
        problem = interop.from_openspiel(game)
    array, solution = random_policy(problem)
    policy = interop.to_openspiel_policy(solution, game)
    assert float(mfg.exploitability(problem, array)) == pytest.approx(nash_conv(game, policy), rel=1e-11)


def test_a_solved_game_of_openspiel_scores_zero(openspiel, tmp_path):
    problem = interop.build("openspiel:ring(size=3)", {"horizon": 4})
    solution = mfg.solve(problem, method="fictitious-play", tol=1e-4)
    saved = mfg.load(solution.save(tmp_path / "plan.nc"))
    for one in (solution, saved):
        reached = nash_conv(Ring(3, 4), interop.to_openspiel_policy(one))
        assert reached == pytest.approx(solution.exploitability, abs=1e-12)


def test_a_policy_for_another_game_is_refused(openspiel):
    _, solution = random_policy(interop.from_openspiel(Ring()))
    with pytest.raises(mfg.InputError, match="the game of OpenSpiel has"):
        interop.to_openspiel_policy(solution, Ring(size=5))
    solution.name = "custom"
    with pytest.raises(mfg.InputError, match="pass game="):
        interop.to_openspiel_policy(solution)


# -- names and errors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("mfglb:beach_bar", {}, "did you mean 'mfglib'"),
        ("mfglib:beach_ber", {}, "did you mean 'beach_bar'"),
        ("mfglib:beach_bar", {"log_ep": 1e-9}, "did you mean 'log_eps'"),
        ("openspiel:rings", {}, "did you mean 'ring'"),
        ("openspiel:ring", {"siz": 3}, "did you mean 'size'"),
        ("openspiel:ring", {"size": "many"}, "a int is needed"),
        ("openspiel:ring(size=1)", {}, "refuses the settings"),
        ("openspiel:ring(size=1", {}, "no closing bracket"),
        ("openspiel:ring(size)", {}, "has no value"),
        ("beach_bar", {}, "write peer:game"),
    ],
)
def test_names_that_do_not_exist(mfglib, openspiel, name, settings, says):
    with pytest.raises(mfg.InputError, match=says):
        interop.build(name, settings)


@pytest.mark.parametrize(("name", "module", "extra"), [
    ("mfglib:beach_bar", "mfglib", "mfglib"), ("openspiel:mfg_crowd_modelling", "pyspiel", "open-spiel"),
])  # fmt: skip
def test_a_missing_extra_says_what_to_install(monkeypatch, name, module, extra):
    monkeypatch.setitem(sys.modules, module, None)
    if module == "mfglib":
        monkeypatch.setitem(sys.modules, "mfglib.alg", None)
    with pytest.raises(mfg.InputError, match=rf"pip install 'mfgsolve\[{extra}\]'"):
        interop.build(name)


def test_importing_the_border_imports_no_peer():
    code = "import sys, mfgsolve.interop; assert not {'torch', 'mfglib', 'pyspiel', 'open_spiel'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


# -- the libraries themselves, where they are installed --------------------------------------------------------------


@pytest.mark.slow
def test_mfglib_itself_scores_as_we_do():
    pytest.importorskip("mfglib")
    torch = pytest.importorskip("torch")
    environment, score_of = (
        interop.mfglib._environment(),
        __import__("mfglib.scoring", fromlist=["x"]).exploitability_score,
    )
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        for name in interop.names("mfglib"):
            problem, env = interop.build(name), getattr(environment, name.partition(":")[2])()
            array, solution = random_policy(problem)
            theirs = score_of(env, interop.to_mfglib_policy(solution))
            assert float(mfg.exploitability(problem, array)) == pytest.approx(theirs, rel=1e-11), name
    finally:
        torch.set_default_dtype(before)


@pytest.mark.slow
def test_openspiel_itself_scores_as_we_do():
    pyspiel = pytest.importorskip("pyspiel")
    from open_spiel.python.mfg.algorithms.nash_conv import NashConv

    two_d = "mfg_crowd_modelling_2d(only_distribution_reward=true,initial_distribution=[0|0;2|5]," \
            "initial_distribution_value=[0.5;0.5])"  # fmt: skip
    for name in ("mfg_crowd_modelling", two_d, "python_mfg_predator_prey", "mfg_garnet"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            problem = interop.build(f"openspiel:{name}")
        array, solution = random_policy(problem)
        theirs = NashConv(pyspiel.load_game(problem.name.partition(":")[2]), interop.to_openspiel_policy(solution))
        assert float(mfg.exploitability(problem, array)) == pytest.approx(theirs.nash_conv(), rel=1e-11), name
        if name == two_d:
            uniform = np.full_like(array, 1 / array.shape[1])
            assert float(mfg.exploitability(problem, uniform)) == pytest.approx(7.757953871773, abs=1e-11)


@pytest.mark.slow
def test_fictitious_play_of_openspiel_is_reproduced():
    """Its unit test has 0.991 after ten iterations from the uniform policy, the k-th of length 1 / (k + 1)."""
    pytest.importorskip("pyspiel")
    with pytest.warns(UserWarning, match="not Markov"):
        problem = interop.build("openspiel:python_mfg_crowd_modelling")
    game = make_game(problem)
    policy = game.uniform()
    occupation = policy * game.flow(policy)[:-1, None, : game.states]
    for k in range(1, 11):
        best = game.respond(game.price(game.flow(policy))).policy
        occupation += (best * game.flow(best)[:-1, None, : game.states] - occupation) / (k + 1)
        mass = occupation.sum(axis=1, keepdims=True)
        policy = np.where(mass > 0, occupation / np.where(mass > 0, mass, 1.0), 1 / game.actions)
    assert float(mfg.exploitability(problem, policy)) == pytest.approx(0.991, abs=5e-4)
