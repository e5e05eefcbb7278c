"""The couplings of a problem as far as their claims hold: what the cost refutes is withdrawn, and said.

Couplings whose formulas are the package's own are believed.  A `CustomCoupling`, a price with a potential of the
user's own, and any other `Coupling` that the user wrote are asked at random crowds of the size of the game's own
densities: see `mfgsolve.couplings.claims`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mfgsolve.cautions import say
from mfgsolve.couplings import Coupling, CustomCoupling, Price, QuadraticPotential, Sum, by_target
from mfgsolve.couplings.base import Scaled, unscaled
from mfgsolve.couplings.claims import Refuted, peaked_crowd, price_refutations, random_crowd, refutations
from mfgsolve.couplings.social import Marginal
from mfgsolve.couplings.withdrawn import Withdrawn
from mfgsolve.couplings.within import Within
from mfgsolve.errors import InputError, unknown
from mfgsolve.games import Game, make_game
from mfgsolve.inputs.calls import is_of_package
from mfgsolve.problem import Problem
from mfgsolve.spaces import Choices, Space

__all__ = ["guarantee", "posed", "social_game", "verified"]

OBJECTIVES = ("equilibrium", "social")

SEED = 20  # of the crowds: the same problem is judged alike every time
PEAKED = 256  # cells up to which a crowd may well stand in one of them
MOMENTS = 3  # nodes in time that are looked at
LOST = {
    "derivative": "the game is solved without a derivative",
    "local": "the game is solved as one of a coupling that is not local",
    "second": "it is not used",
    "potential": "the game is solved as one without a potential",
    "monotone": "the game is not taken to be crowd-averse",
    "adjoint": "it is put together from the tangent instead",
}
STATIONARY = (
    "the total cost of all is not known to be convex: the plan is stationary (to first order nothing changes the "
    "total), and its certificate bounds no distance from the least one. Compare solves from other starts, or state "
    "total_is_convex=True where it is known"
)


def verified(problem: Problem, whose: str = "", remedy: str = "Correct the formula, or leave the claim out") -> Problem:
    """The problem without the claims that its couplings do not keep, each withdrawn with a caution.

    ``whose`` names who makes the claims, where they are not the user's own.
    """
    if all(_trusted(term) for coupling in problem.couplings for term in _terms(coupling)):
        return problem
    starts = problem.time.nodes[:-1]
    picked = starts[np.unique(np.linspace(0, len(starts) - 1, MOMENTS).astype(int))]
    judge, last = _Judge(problem, whose, remedy), problem.terminal_coupling
    with np.errstate(all="ignore"):
        running = _kept(problem.couplings[0], lambda term: judge.left(term, picked))
        if last is not None:
            last = _kept(last, lambda term: judge.left(term, problem.time.nodes[-1:]))
    if running is problem.couplings[0] and last is problem.terminal_coupling:
        return problem
    return replace(problem, coupling=running, terminal_coupling=last)


def posed(problem: Problem, objective: str) -> Problem:
    """The game to be solved for an objective, "equilibrium" or "social"."""
    if objective not in OBJECTIVES:
        raise InputError(unknown("objective", objective, OBJECTIVES))
    believed = verified(problem)
    return believed if objective == "equilibrium" else social_game(believed)


def social_game(problem: Problem) -> Problem:
    """The game whose equilibrium is the social optimum of a verified problem; says where it is stationary only.

    Raises
    ------
    InputError
        if the crowd decides the transitions, or a coupling has no derivative
    """
    if problem.is_coupled:
        raise InputError(
            "the social optimum is not available where the transitions depend on the crowd: what an agent costs the "
            "others by changing their transitions is not computed"
        )
    game = verified(problem.social())
    if guarantee(game) == "stationary":
        say("stationary", STATIONARY)
    return game


def guarantee(game: Problem) -> str:
    """What the certificate of a social optimum is worth: a "bound" on the distance from the least cost where the total
    cost is convex, or that the plan is "stationary"."""
    return "bound" if game.is_monotone else "stationary"


def _terms(coupling: Coupling) -> tuple[Coupling, ...]:
    return coupling.terms if isinstance(coupling, Sum) else (coupling,)


def _trusted(coupling: Coupling) -> bool:
    """Whether all that it says of itself follows from formulas of the package."""
    if isinstance(coupling, Withdrawn):
        return True  # judged before
    if isinstance(coupling, Marginal | Scaled | Within):
        return _trusted(coupling.of)
    if type(coupling) is Price:
        return type(coupling.potential) is QuadraticPotential
    return not isinstance(coupling, CustomCoupling) and is_of_package(coupling)


def _kept(coupling: Coupling, left: Callable[[Coupling], Coupling]) -> Coupling:
    """The coupling, or what is left of its terms."""
    terms = _terms(coupling)
    kept = tuple(left(term) for term in terms)
    if all(new is old for new, old in zip(kept, terms, strict=True)):
        return coupling
    return Sum(kept) if isinstance(coupling, Sum) else kept[0]


def _without(coupling: Coupling, claims: set[str]) -> Coupling:
    if not isinstance(coupling, CustomCoupling):
        return Withdrawn(coupling, frozenset(claims))
    lost: dict[str, object] = {claim: None for claim in ("second", "adjoint", "potential") if claim in claims}
    if "derivative" in claims:
        lost |= {"derivative": None, "tangent": None, "second": None, "adjoint": None}
    if "monotone" in claims:
        lost["monotone"] = False
    return replace(coupling, **lost)  # type: ignore[arg-type]


class _Judge:
    """Asks couplings at crowds of one game."""

    def __init__(self, problem: Problem, whose: str, remedy: str):
        self.problem, self.whose, self.remedy = problem, whose, remedy
        self.game: Game | None = None

    def _finite(self) -> Game:
        if self.game is None:
            made = make_game(self.problem)
            self.game = made
        return self.game

    def left(self, coupling: Coupling, times: np.ndarray) -> Coupling:
        """The coupling without what it wrongly claims at these times."""
        result = self.refuted(coupling, times)
        name = self.whose or f"the {type(unscaled(coupling)).__name__}"
        words = {"second": "second derivative", "monotone": "monotonicity", "local": "locality"}
        if isinstance(coupling, Marginal):
            name, words = f"the {type(unscaled(coupling.of)).__name__}", {"monotone": "convexity of the total cost"}
            result = [one for one in result if one.claim == "monotone"]
        for one in result:
            what = words.get(one.claim, one.claim)
            say(
                "claim-withdrawn",
                f"the {what} that {name} claims is withdrawn: {one.evidence}; {LOST[one.claim]}. {self.remedy}",
            )
        return _without(coupling, {one.claim for one in result}) if result else coupling

    def refuted(self, coupling: Coupling, times: np.ndarray) -> list[Refuted]:
        claims = coupling.is_potential or coupling.is_monotone or coupling.is_differentiable
        if _trusted(coupling) or not claims or (isinstance(coupling, Marginal) and not coupling.is_monotone):
            return []
        rng, grid = np.random.default_rng(SEED), self.problem.grid
        if coupling.on == "aggregate":
            return self._price(coupling, times, rng)
        space: Space = grid
        start = self.problem.initial_mass() / grid.volumes
        if coupling.on == "occupation":
            if not self.problem.is_finite:
                return []  # refused when the game is made
            space = Choices(self._finite().step.actions, grid)
            start = np.broadcast_to(start / self._finite().step.actions, space.shape)
        bound, levels = coupling.bind(space, times), range(len(times))
        smooth = np.stack([0.5 * start + 0.5 * random_crowd(space, rng) for _ in levels])
        spiky = np.stack([random_crowd(space, rng, 0.3) for _ in levels])
        crowds = [smooth, spiky]
        if space.size <= PEAKED:
            crowds.append(np.stack([peaked_crowd(space, rng) for _ in levels]))
        return refutations(coupling, bound, space, times, crowds, rng)

    def _price(self, coupling: Coupling, times: np.ndarray, rng: np.random.Generator) -> list[Refuted]:
        """Aggregates of all choices lie between those of the least and the most that anybody can choose."""
        if not self.problem.is_finite:
            return []
        game = self._finite()
        allowed = game.step.open_choices
        index = by_target(self.problem.couplings[0])["aggregate"].index(coupling)
        amounts = game.amounts[index].reshape(-1, *allowed.shape)
        steps = np.rint(times / game.dt).astype(int) % amounts.shape[0]
        least = np.where(allowed, amounts[steps], np.inf).min(axis=(1, 3)).sum(axis=1)[:, None]
        most = np.where(allowed, amounts[steps], -np.inf).max(axis=(1, 3)).sum(axis=1)[:, None]
        bound = coupling.bind(self.problem.grid, times)
        limits = bound.bounds(slice(0, len(times)))
        if limits is not None:
            least, most = np.maximum(least, limits[0]), np.minimum(most, limits[1])
        if not (least < most).all():
            return []
        try:
            return price_refutations(coupling, bound, times, least, most)
        except (ArithmeticError, ValueError):  # a potential that is not defined for all that could be chosen
            return []
