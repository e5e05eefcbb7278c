"""Dynamics, a step, a factor and a solver of somebody else, from nothing but what the package promises.

Agents live on a ring and are drawn home: in each step an agent chooses a chance p to be taken a good part of the way
home, and pays c p^2 / 2 for it (no finite list of actions, no speeds).  Then rain washes some a cell on, each step by
another share.  The solver is a damped iteration of best responses.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.certificates import certify
from mfgsolve.dynamics import KINDS, Dynamics
from mfgsolve.errors import InputError
from mfgsolve.games import Game
from mfgsolve.identity import fingerprint
from mfgsolve.methods import SOLVERS
from mfgsolve.problemfile import problem_from_toml, problem_to_toml
from mfgsolve.solvers.base import UNMEASURED, Outcome, Solver, State
from mfgsolve.solvers.needs import SOFT
from mfgsolve.solvers.stored import STORED
from mfgsolve.steps import Average, Costs, Factor, OwnCost, Policy, Step, Transitions
from mfgsolve.steps.chain import Chain
from mfgsolve.steps.policies import PolicyForm, PolicyVariable

CELLS, STEPS, HOME = 12, 8, 3

# -- dynamics ----------------------------------------------------------------------------------------------------------


class Rain(Factor):
    """A share of everybody is washed one cell on around the ring, another in each step."""

    is_steady = False

    def __init__(self, shares: np.ndarray):
        self.shares = shares

    def expect(self, t, value):
        return (1 - self.shares[t]) * value + self.shares[t] * np.roll(value, -1)

    def push(self, t, mass):
        return (1 - self.shares[t]) * mass + self.shares[t] * np.roll(mass, 1)

    def matrix(self, t):
        on = sparse.csr_array(np.roll(np.eye(CELLS), 1, axis=1))
        return ((1 - self.shares[t]) * sparse.eye_array(CELLS) + self.shares[t] * on).tocsr()


@dataclass(frozen=True)
class Rides(Policy):
    """Chances (T, cells) to be taken home."""

    chance: np.ndarray


class MeanRides(Average):
    """The mean of many: who is where, and who is taken from there."""

    def __init__(self, crowd: np.ndarray, taken: np.ndarray):
        self.crowd, self.taken = crowd, taken

    def arrays(self):
        return {"crowd": self.crowd, "taken": self.taken}

    def mix(self, game, policy, crowd, length):
        for mean, newest in ((self.taken, policy * crowd[:-1]), (self.crowd, crowd)):
            mean[:] = newest if length == 1 else mean + length * (newest - mean)

    @property
    def chance(self):
        here = self.crowd[:-1]
        return np.divide(self.taken, here, out=np.zeros_like(here), where=here > 0)


class HomingStep(Step):
    """V = min_p c p^2 / 2 + (1 - p) after + p J after, J the table of rides: p = (after - J after) / c in [0, 1]."""

    action_names = ["stay", "ride"]  # type: ignore[assignment]

    def __init__(self, space: Any, time: Any, price: float, rain: float):
        self.space, self.time, self.price = space, time, price
        self.shape = self.policy_shape = (CELLS,)
        away = (np.arange(CELLS) - HOME + CELLS // 2) % CELLS - CELLS // 2
        near = (HOME + np.stack([away // 2, away // 2, (away + 1) // 2, away])) % CELLS  # one in four gets nowhere
        self.ride = np.zeros((CELLS, CELLS))
        for cells in near:
            self.ride[np.arange(CELLS), cells] += 0.25
        self.factors = (Rain(rain * (1 + np.sin(time.nodes[:-1]))),) if rain else ()
        self.allowed = np.ones((2, CELLS), dtype=bool)

    def best(self, t, after, costs, policy):
        gain = after - self.ride @ after
        policy[:] = np.clip(gain / self.price, 0.0, 1.0)
        return after + 0.5 * self.price * policy**2 - policy * gain

    def expect(self, t, policy, after):
        return (1 - policy) * after + policy * (self.ride @ after)

    def push(self, t, policy, mass):
        return (1 - policy) * mass + self.ride.T @ (policy * mass)

    def tangent(self, t, policy, mass, change):
        more = (change - self.ride @ change) / self.price * ((policy > 0) & (policy < 1)) * mass
        return self.ride.T @ more - more

    def policy_of(self, policy):
        return Rides(policy)

    def cost(self, policy, mass):
        paid = 0.5 * self.price * float((policy.chance**2 * mass[:-1]).sum())
        return OwnCost(paid, paid, paid)

    def new_average(self, crowd, arrays=None):
        return MeanRides(**arrays) if arrays is not None else MeanRides(crowd, self.new_policy())

    def follow(self, policy, mass):
        return self.forward(policy.chance, mass)

    # agents one by one: where each choice leads, and its chances

    def transitions_at(self, t, mass):
        rows = sparse.csr_array(np.vstack([np.eye(CELLS), self.ride]))
        return Transitions(rows.indptr.astype(np.int64)[None], rows.indices.astype(np.int32), rows.data)

    def chain(self, policy):
        chance = policy.chance
        return Chain(self.law(), np.stack([1 - chance, chance], axis=2), 0.5 * self.price * chance[..., None] ** 2)

    # datasets

    @property
    def policy_form(self):
        return PolicyForm("chance", "vehicle", ("bus",), "what takes an agent home")

    def described(self, policy):
        attrs = {"units": "1", "long_name": "chance of a ride"}
        return PolicyVariable(self.policy_form, ("step", "vehicle", "x"), policy.chance[:, None], attrs)

    def policy_from(self, policy):
        chance = np.asarray(self.policy_form.array_of(policy, self.space, self.time), dtype=float)
        if chance.shape != (STEPS, 1, CELLS) or not ((chance >= 0) & (chance <= 1)).all():
            raise InputError(f"policy has shape {chance.shape}; chances from 0 to 1 for (step, vehicle, x) are needed")
        return Rides(chance[:, 0])


@dataclass(frozen=True)
class Homing(Dynamics):
    """Rides home for ``price``, in a ``rain``."""

    price: float = 1.0
    rain: float = 0.1

    has_rounds = True

    @property
    def identity(self):
        return "homing"  # the step tells the rest

    def bind(self, space, time, initial):
        return HomingStep(space, time, self.price, self.rain)


# -- a solver ----------------------------------------------------------------------------------------------------------


@dataclass
class Answered(State):
    game: Game
    belief: np.ndarray = field(metadata=STORED)
    policy: np.ndarray | None = None
    crowd: np.ndarray | None = None


@dataclass(frozen=True)
class Patient(Solver):
    """The belief goes a share of the way to the crowd that answers it."""

    share: float = 0.4

    name = "third-party-patient"
    needs = (SOFT,)

    def init(self, game, tol, start=None):
        return self._answered(Answered(0, 0.0, UNMEASURED, game, game.resting_crowd(game.empty_crowd())))

    def revive(self, game, tol, stored):
        return self._answered(Answered(0, 0.0, UNMEASURED, game, **stored.of(Answered)))

    def step(self, state):
        state.belief = state.belief + self.share * (state.crowd - state.belief)
        state.iteration += 1
        return self._answered(state)

    def _answered(self, state):
        game = state.game
        state.policy = game.respond(game.price(state.belief)).policy
        state.crowd = game.flow(state.policy)
        state.sweeps += 2
        state.note(certify(game, game.policy_of(state.policy), state.crowd), game.cell_steps)
        return state

    def finish(self, state):
        return Outcome(state.game, state.game.policy_of(state.policy), state.crowd, sweeps=state.sweeps)


@pytest.fixture(autouse=True)
def plugged():
    mfg.register("third-party-patient", Patient)
    yield
    SOLVERS.homes.pop("third-party-patient", None)


def homing(crowding: float = 0.3, **stated: Any) -> mfg.Problem:
    """Everybody starts on the far side of the ring, likes home, and minds the crowd."""
    return mfg.Problem(
        grid=mfg.Grid.box((CELLS,), bounds=[(0, CELLS)], boundary="periodic"), time=mfg.TimeGrid(STEPS, STEPS),
        dynamics=Homing(**stated), coupling=mfg.CrowdAversion(crowding) + mfg.RunningCost(lambda t, c: distance(c.x)),
        initial=lambda t, c: np.exp(np.cos(2 * np.pi * (c.x - 9) / CELLS)), normalise=True,
    )  # fmt: skip


def distance(x: np.ndarray) -> np.ndarray:
    return 0.1 * (1 - np.cos(2 * np.pi * (x - HOME - 0.5) / CELLS))


# -- what the package promises them ------------------------------------------------------------------------------------

METHODS = ["newton", "frank-wolfe", "fictitious-play", "third-party-patient"]


def test_the_verbs_of_the_step_fit_together():
    """Transposes, masses, and the derivative of the best response against differences."""
    game, rng = Game(homing(), 1), np.random.default_rng(0)
    step, value, mass, small = game.step, rng.normal(size=CELLS), rng.random(CELLS), 1e-6
    costs = Costs(np.zeros((STEPS + 1, CELLS)), np.zeros(STEPS + 1), np.zeros(CELLS))
    policies = [np.empty(CELLS) for _ in range(3)]
    change = rng.normal(size=CELLS)
    for policy, after in zip(policies, (value, value + small * change, value - small * change), strict=True):
        step.best(0, after, costs, policy)
    pushed = step.push(0, policies[0], mass)
    assert float(pushed @ value) == pytest.approx(float(mass @ step.expect(0, policies[0], value)), abs=1e-14)
    assert pushed.sum() == pytest.approx(mass.sum(), abs=1e-14)
    moved = (step.push(0, policies[1], mass) - step.push(0, policies[2], mass)) / (2 * small)
    np.testing.assert_allclose(step.tangent(0, policies[0], mass, change), moved, rtol=0, atol=1e-8)


@pytest.mark.parametrize("method", METHODS)
def test_all_solvers_reach_one_plan(method):
    exact = mfg.solve(homing(), check="raise", tol=1e-12)
    tol = 1e-10 if method != "fictitious-play" else 1e-7
    solution = mfg.solve(homing(), method=method, tol=tol, check="raise")
    assert solution.converged
    assert solution.potential == pytest.approx(exact.potential, abs=10 * tol)
    np.testing.assert_allclose(solution.dataset["density"], exact.dataset["density"], rtol=0, atol=1e-3)


def test_the_default_is_newton_and_says_so():
    solution = mfg.solve(homing(), check="raise")
    assert solution.dataset.attrs["solver"] == "newton"
    assert solution.warnings == ()


def test_without_a_crowd_the_plan_is_dynamic_programming_by_hand():
    solution = mfg.solve(homing(crowding=0.0, price=0.4), check="ignore")
    step = Game(homing(crowding=0.0, price=0.4), 1).step
    x = homing().coordinates.x
    value = np.zeros(CELLS)  # costs are paid at the start of each step, and nothing at the end
    chances = np.linspace(0, 1, 100_001)
    for t in reversed(range(STEPS)):
        share = 0.1 * (1 + np.sin(t))
        after = (1 - share) * value + share * np.roll(value, -1)
        ways = 0.2 * chances[:, None] ** 2 + after + chances[:, None] * (step.ride @ after - after)
        chosen = chances[ways.argmin(axis=0)]
        np.testing.assert_allclose(solution.dataset["chance"].values[t, 0], chosen, rtol=0, atol=2e-5)
        value = distance(x) + ways.min(axis=0)
    np.testing.assert_allclose(solution.dataset["value"].isel(time=0), value, rtol=0, atol=1e-9)


def test_it_is_saved_loaded_and_certified_again(tmp_path: Path):
    solution = mfg.solve(homing(), method="third-party-patient", tol=1e-9, check="raise")
    again = mfg.load(solution.save(tmp_path / "plan.nc"))
    assert again.dataset.attrs["solver"] == "third-party-patient"
    assert again.dataset["chance"].dims == ("step", "vehicle", "x")
    np.testing.assert_array_equal(again.dataset["chance"], solution.dataset["chance"])
    found = mfg.exploitability(homing(), again.dataset)
    assert found.relative_exploitability == pytest.approx(solution.relative_exploitability, abs=1e-12)
    lazy = mfg.exploitability(homing(), np.zeros((STEPS, 1, CELLS)))
    assert lazy.relative_exploitability > 0.1
    with pytest.raises(InputError, match="chances from 0 to 1"):
        mfg.exploitability(homing(), np.full((STEPS, 1, CELLS), 1.5))


@pytest.mark.parametrize("method", METHODS)
def test_a_solve_that_was_interrupted_goes_on_bit_for_bit(tmp_path: Path, method: str):
    whole = mfg.solve(homing(), method=method, tol=1e-8, max_iterations=9, check="ignore")
    path = tmp_path / "half.nc"
    mfg.solve(homing(), method=method, tol=1e-8, max_iterations=2, checkpoint=path, check="ignore")
    again = mfg.resume(path, problem=homing(), max_iterations=9, check="ignore")
    np.testing.assert_array_equal(again.dataset["chance"], whole.dataset["chance"])
    for other in (homing(price=1.1), homing(rain=0.11)):
        with pytest.raises(InputError, match="is of another game than the problem given"):
            mfg.resume(path, problem=other)


def test_the_step_tells_games_apart():
    assert len({fingerprint(homing(**stated)) for stated in ({}, {"price": 1.001}, {"rain": 0.1001}, {"rain": 0})}) == 4
    assert fingerprint(homing()) == fingerprint(homing(price=1.0, rain=0.1))


def test_a_solution_starts_another_solve():
    start = mfg.solve(homing(price=0.9), check="raise")
    assert mfg.solve(homing(), start=start, check="raise").converged


def test_agents_follow_the_plan_and_compare_with_it():
    """The mean of an agent is the flow, what it pays the cost; regrets vanish in the limit, and fall as 1 / N^2."""
    solution = mfg.solve(homing(), check="raise")
    game = Game(homing(), 1)
    policy = game.step.policy_from(solution.dataset)
    chain, mass = game.step.chain(policy), game.follow(policy)
    for t in range(STEPS):
        np.testing.assert_allclose(chain.expect(t, mass[t]), mass[t + 1], rtol=0, atol=1e-15)
    compared = mfg.compare(solution, agents=[10, 1000], replicas=200, rng=0)
    assert 0 < compared.regret[1] < 1e-2 * compared.regret[0]
    assert compared.l2_mean[0] / compared.l2_mean[1] == pytest.approx(10, rel=0.1)
    limit = mfg.nash_gap(solution, 10**12)
    assert abs(limit.relative_regret.item()) < 1e-9
    assert limit.cost.item() == pytest.approx(solution.certificate.cost, rel=1e-9)
    ran = mfg.simulate(solution, agents=2000, replicas=50, rng=1)
    mean = ran["density"].mean("replica").values
    np.testing.assert_allclose(mean, solution.dataset["density"], rtol=0, atol=5 * np.sqrt(0.5 / 1e5))


TEXT = """
name = "home"
[grid]
shape = [12]
bounds = [[0, 12]]
boundary = "periodic"
[time]
horizon = 8
steps = 8
[dynamics]
kind = "homing"
price = 0.9
[[coupling]]
kind = "crowd-aversion"
strength = 0.3
[[coupling]]
kind = "running-cost"
cost = {quadratic = {weight = 0.05, centre = [3.5]}}
[initial]
density = {bump = {width = 1.0, centre = [9.0]}}
normalise = true
"""


def test_a_problem_file_can_state_them_and_a_saved_plan_needs_nothing_else(tmp_path: Path, monkeypatch):
    monkeypatch.setitem(KINDS, "homing", Homing)  # as KINDS.register does, for this test alone
    problem = problem_from_toml(TEXT)
    assert problem.dynamics == Homing(price=0.9)
    assert problem_to_toml(problem) == TEXT
    assert "dynamics: unknown key 'prize'; did you mean 'price'" in refusal(TEXT.replace("price", "prize"))
    half, whole = tmp_path / "half.nc", mfg.solve(problem, method="third-party-patient", tol=1e-9, check="raise")
    mfg.solve(problem, method="third-party-patient", tol=1e-9, max_iterations=3, checkpoint=half, check="ignore")
    np.testing.assert_array_equal(mfg.resume(half).dataset["chance"], whole.dataset["chance"])
    again = mfg.load(whole.save(tmp_path / "plan.nc"))
    compared = mfg.compare(again, agents=[10, 1000], replicas=5, rng=0)
    np.testing.assert_array_equal(compared.regret, mfg.compare(whole, agents=[10, 1000], replicas=5, rng=0).regret)


def refusal(text: str) -> str:
    with pytest.raises(InputError) as caught:
        problem_from_toml(text)
    return str(caught.value)


def test_what_they_do_not_promise_is_refused_in_a_sentence():
    with pytest.raises(InputError, match="a HomingStep does not discount its own costs"):
        mfg.solve(replace(homing(), time=mfg.TimeGrid(STEPS, STEPS, discount=0.1)))
    with pytest.raises(InputError, match="does not suit this problem"):
        mfg.learn(homing())
    both = mfg.Populations(["red", "blue"], homing().grid)
    pair = mfg.Problem(both, mfg.TimeGrid(STEPS, STEPS), [Homing(), Homing()], 0.0, 1.0, normalise=True)
    with pytest.raises(InputError, match="Homing cannot be stated for several populations"):
        mfg.solve(pair)
