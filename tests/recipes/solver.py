"""Add a solver: a frozen dataclass of options with `init`, `step`, `finish` and `revive`, and a name to call it by.

This one moves the believed crowd a share of the way to the answer to it.  In the package it is a file of
``mfgsolve/solvers/`` and a line in ``mfgsolve/methods.py``; outside, `mfgsolve.register` does the same.
"""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import mfgsolve as mfg
from mfgsolve.certificates import certify
from mfgsolve.solvers.base import UNMEASURED, Outcome, Solver, State
from mfgsolve.solvers.needs import SOFT
from mfgsolve.solvers.stored import STORED


@dataclass
class Belief(State):
    game: object
    crowd: np.ndarray = field(metadata=STORED)  # checkpoints hold it
    policy: np.ndarray | None = None
    answer: np.ndarray | None = None


@dataclass(frozen=True)
class Damped(Solver):
    share: float = 0.3

    name = "damped"
    needs = (SOFT,)  # no hard bounds: best responses alone do not keep them

    def init(self, game, tol, start=None):
        crowd = game.resting_crowd(game.empty_crowd()) if start is None else start(game)
        return self.answered(Belief(0, 0.0, UNMEASURED, game, crowd))

    def revive(self, game, tol, stored):
        return self.answered(Belief(0, 0.0, UNMEASURED, game, **stored.of(Belief)))

    def step(self, state):
        state.crowd = state.crowd + self.share * (state.answer - state.crowd)
        state.iteration += 1
        return self.answered(state)

    def answered(self, state):
        """The best response to the belief, its crowd, and the certificate of the two."""
        game = state.game
        state.policy = game.respond(game.price(state.crowd), crowd=state.crowd).policy
        state.answer = game.flow(state.policy)
        state.sweeps += 2
        state.note(certify(game, game.policy_of(state.policy), state.answer), game.cell_steps)
        return state

    def finish(self, state):
        return Outcome(state.game, state.game.policy_of(state.policy), state.answer, sweeps=state.sweeps)


mfg.register("damped", Damped)
problem = mfg.problems.beach_bar(shape=(12,), steps=6, temperature=1.0)
exact = mfg.solve(problem)
solution = mfg.solve(problem, method="damped", share=0.5, tol=1e-8)
assert solution.converged
assert abs(solution.dataset["density"] - exact.dataset["density"]).max() < 1e-4
with tempfile.TemporaryDirectory() as folder:
    half = Path(folder) / "half.nc"
    mfg.solve(problem, method="damped", share=0.5, tol=1e-8, max_iterations=3, checkpoint=half, check="ignore")
    again = mfg.resume(half)
assert again.dataset["density"].equals(solution.dataset["density"])  # bit for bit
