"""Claims of couplings: right ones are left alone (at kinks, steep places, any unit), wrong ones withdrawn and said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from peer_standins import Environment, mfglib_modules

import mfgsolve as mfg
from mfgsolve import interop
from mfgsolve.cautions import collect
from mfgsolve.claims import verified
from mfgsolve.couplings.claims import direction, peaked_crowd, random_crowd, refutations
from mfgsolve.solvers import suited

LINE = mfg.Grid.box((8,))
WALK = mfg.LatticeMoves([-1, 0, 1], costs=[0.1, 0.0, 0.1], temperature=0.1)


def problem(coupling: Any, grid: Any = LINE, dynamics: Any = WALK, steps: int = 8, **more: Any) -> mfg.Problem:
    options = {"initial": lambda t, c: 1.0, "normalise": True} | more
    return mfg.Problem(grid, mfg.TimeGrid(1.0, steps), dynamics, coupling, **options)


def lost(coupling: Any, **more: Any) -> list[str]:
    """Words after 'the' of the cautions: which claims were withdrawn."""
    with collect() as said:
        verified(problem(coupling, **more))
    assert all(caution.code == "claim-withdrawn" for caution in said)
    return [caution.sentence.split(" that ")[0].removeprefix("the ") for caution in said]


def custom(cost: Any, **claims: Any) -> mfg.CustomCoupling:
    return mfg.CustomCoupling(lambda t, c, rho: cost(rho), **{
        name: (lambda t, c, rho, *rest, f=claim: f(rho, *rest)) if callable(claim) else claim
        for name, claim in claims.items()
    })  # fmt: skip


def cube(**changes: Any) -> mfg.CustomCoupling:
    right: dict[str, Any] = {
        "potential": lambda rho: rho**4 / 4, "derivative": lambda rho: 3 * rho**2, "second": lambda rho: 6 * rho,
        "monotone": True,
    }  # fmt: skip
    return custom(lambda rho: rho**3, **(right | changes))


def step_cost(at: float) -> mfg.CustomCoupling:
    return custom(lambda rho: 1.0 * (rho > at), derivative=lambda rho: 0 * rho, monotone=True)


RIGHT = {
    "cube": cube(),
    "kink": custom(lambda r: np.maximum(r - 1, 0), derivative=lambda r: 1.0 * (r > 1), monotone=True,
                   potential=lambda r: np.maximum(r - 1, 0) ** 2 / 2),
    "kink that the crowd sits at": custom(lambda r: np.abs(r - r.mean()), monotone=False,
                                          tangent=lambda r, d: np.sign(r - r.mean()) * (d - d.mean())),
    "steep": custom(lambda r: np.tanh((r - 1) / 1e-3), monotone=True,
                    derivative=lambda r: 1e3 / np.cosh(np.minimum(np.abs(r - 1) / 1e-3, 300)) ** 2),
    "log": custom(lambda r: np.log(r + 1e-9), derivative=lambda r: 1 / (r + 1e-9), monotone=True,
                  potential=lambda r: (r + 1e-9) * np.log(r + 1e-9) - r),
    "only of positive densities": custom(np.log, derivative=lambda r: 1 / r, monotone=True),
    "root": custom(np.sqrt, derivative=lambda r: 0.5 / np.sqrt(r), potential=lambda r: r**1.5 / 1.5, monotone=True),
    "beside 1e9": custom(lambda r: 1e9 + r, derivative=np.ones_like, potential=lambda r: 1e9 * r + r**2 / 2,
                         monotone=True),
    "beside 1e13": custom(lambda r: 1e13 + r, derivative=np.ones_like, potential=lambda r: 1e13 * r + r**2 / 2,
                          monotone=True),
    "in waves": custom(lambda r: np.sin(1e4 * r), derivative=lambda r: 1e4 * np.cos(1e4 * r)),
    "tiny": custom(lambda r: 1e-12 * r, derivative=lambda r: 1e-12 + 0 * r, potential=lambda r: 5e-13 * r**2,
                   monotone=True),
    "single precision": custom(lambda r: r.astype(np.float32) ** 2, derivative=lambda r: 2 * r,
                               potential=lambda r: r**3 / 3, monotone=True),
    "neighbour": custom(lambda r: np.roll(r, 1), tangent=lambda r, d: np.roll(d, 1),
                        adjoint=lambda r, w: np.roll(w, -1)),
    "share of the crowd": custom(lambda r: r / r.sum(), derivative=lambda r: 1 / r.sum() + 0 * r, monotone=True),
}  # fmt: skip


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", RIGHT)
def test_right_claims_are_left_alone(name: str) -> None:
    assert lost(RIGHT[name]) == []


@pytest.mark.parametrize("extent", [1e-4, 1e-2, 1e2, 1e4, 1e6])
def test_at_any_size_of_the_box(extent: float) -> None:
    box = mfg.Grid.box((4, 5), bounds=[(0, extent)] * 2)
    stay = mfg.LatticeMoves([(0, 0), (1, 0)])
    assert lost(cube(), grid=box, dynamics=stay) == []
    wrong = cube(derivative=lambda rho: 2 * rho**2, potential=lambda rho: rho**4 / 3, monotone=True)
    assert lost(wrong, grid=box, dynamics=stay) == ["derivative", "potential"]


WRONG = {
    "derivative": cube(derivative=lambda rho: 2.5 * rho**2),
    "zero derivative": cube(derivative=lambda rho: 0 * rho),
    "potential": cube(potential=lambda rho: rho**4 / 3),
    "monotonicity": custom(lambda rho: -rho, derivative=lambda rho: -np.ones_like(rho), monotone=True),
    "second derivative": cube(second=lambda rho: 3 * rho),
    "derivative of a threshold": step_cost(1.0),
    "derivative of a high threshold": step_cost(5.0),
    "derivative where others count": custom(lambda rho: np.roll(rho, 1), derivative=np.ones_like),
    "derivative as tangent": custom(lambda rho: np.roll(rho, 1), tangent=lambda rho, d: d),
    "adjoint": custom(lambda rho: np.roll(rho, 1), tangent=lambda rho, d: np.roll(d, 1),
                      adjoint=lambda rho, w: np.roll(w, 1)),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_claims_are_withdrawn(name: str) -> None:
    assert lost(WRONG[name]) == [name.removeprefix("zero ").split(" of ")[0].split(" where ")[0].split(" as ")[0]]


@pytest.mark.parametrize("name", WRONG)
def test_nothing_is_withdrawn_twice(name: str) -> None:
    with collect() as said:
        left = verified(problem(WRONG[name]))
    assert said
    assert lost(left.couplings[0]) == []


@pytest.mark.parametrize(("side", "words"), [(np.greater, []), (np.greater_equal, []), (np.less, ["derivative"])])
def test_a_crowd_that_sits_at_a_kink(side: Any, words: list[str]) -> None:
    """At rho = 1 the derivative of max(rho - 1, 0) may be told as that of either side, and elsewhere it is known."""
    kink = custom(lambda r: np.maximum(r - 1, 0), derivative=lambda r: 1.0 * side(r, 1.0))
    at, rng = np.ones((1, 8)), np.random.default_rng(0)
    crowds = [at, 0.5 * at + 0.5 * random_crowd(LINE, rng)[None]]
    times = np.zeros(1)
    assert [one.claim for one in refutations(kink, kink.bind(LINE, times), LINE, times, crowds, rng)] == words


def test_claims_on_choices_of_populations_and_at_the_end() -> None:
    right, wrong = cube(), cube(potential=lambda rho: rho**4)
    for one, words in ((right, []), (wrong, ["potential"])):
        on_choices = mfg.CustomCoupling(**{f: getattr(one, f) for f in one.__dataclass_fields__} | {"on": "occupation"})
        assert lost(on_choices) == words
        assert lost(mfg.CrowdAversion(), terminal_coupling=one) == words
        assert lost(mfg.CrowdAversion() + one) == words
        two = mfg.Populations(["a", "b"], LINE)
        assert lost(one, grid=two, dynamics=[WALK, WALK]) == words


def test_what_is_left_is_solved_as_what_it_is() -> None:
    """A wrong derivative costs the solvers that need one, not the answer; a wrong potential is not reported."""
    wrong = problem(cube(derivative=lambda rho: 0 * rho, potential=lambda rho: rho**4))
    assert "newton" in suited(wrong)
    left = problem(custom(lambda rho: rho**3, monotone=True))
    solution = mfg.solve(wrong, check="ignore")
    plain = mfg.solve(left, check="ignore")
    assert {caution.code for caution in solution.warnings} == {"claim-withdrawn"}
    assert any("derivative says" in caution.sentence for caution in solution.warnings), "measured against claimed"
    assert np.isnan(solution.potential)
    assert solution.exploitability == pytest.approx(plain.exploitability, abs=1e-12)
    np.testing.assert_allclose(
        solution.dataset["density"], mfg.solve(problem(mfg.CrowdAversion(power=3))).dataset["density"], atol=1e-3
    )
    with pytest.raises(mfg.InputError, match="does not suit this problem"):
        mfg.solve(wrong, method="newton")
    with pytest.raises(Exception, match="the derivative that the CustomCoupling claims is withdrawn"):
        mfg.solve(wrong, check="raise")


def test_a_checkpoint_goes_on_with_what_is_left(tmp_path: Any) -> None:
    wrong = problem(cube(derivative=lambda rho: 0 * rho))
    whole = mfg.solve(wrong, check="ignore", max_iterations=6)
    mfg.solve(wrong, check="ignore", max_iterations=3, checkpoint=tmp_path / "half.nc")
    rest = mfg.resume(tmp_path / "half.nc", problem=wrong, check="ignore", max_iterations=6)
    assert rest.exploitability == whole.exploitability
    assert rest.warnings == whole.warnings != ()


def test_a_study_of_convergence_believes_no_more() -> None:
    wrong = problem(cube(derivative=lambda rho: 0 * rho))
    with (
        pytest.warns(UserWarning, match="derivative that the CustomCoupling claims is withdrawn"),
        pytest.raises(mfg.InputError, match="'newton' does not suit this problem: the coupling has no derivative"),
    ):
        mfg.convergence(wrong, ["newton"], max_sweeps=20)


def test_judged_alike_every_time_and_package_formulas_are_not_asked() -> None:
    asked = []
    one = mfg.CustomCoupling(lambda t, c, rho: asked.append(t) or rho, derivative=lambda t, c, rho: 0 * rho)
    first, second = (collect_sentences(one) for _ in range(2))
    assert first == second != []
    assert 10 < len(asked) < 1000, "cheap"
    plain = problem(mfg.CrowdAversion() + mfg.Nonlocal(width=0.2))
    assert verified(plain) is plain
    right = problem(cube())
    assert verified(right) is right


def collect_sentences(coupling: Any) -> list[str]:
    with collect() as said:
        verified(problem(coupling, steps=500))
    return [caution.sentence for caution in said]


class Flag(mfg.Coupling):
    """A coupling of the user's own that says nothing of itself: by default all is claimed, and nothing given."""

    def bind(self, grid: Any, times: Any) -> Any:
        class Bound(mfg.couplings.Bound):
            def cost(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
                return rho

            def potential(self, nodes: slice, rho: np.ndarray) -> np.ndarray:
                return rho.reshape(len(rho), -1).sum(axis=1)

        return Bound()


def test_a_coupling_of_the_users_own_is_asked_too() -> None:
    assert lost(Flag()) == ["derivative", "potential"]
    assert mfg.solve(problem(Flag(), dynamics=WALK), check="ignore", max_iterations=5).dataset is not None


# -- prices ----------------------------------------------------------------------------------------------------------


class Phi:
    def __init__(self, value: Any, derivative: Any, second: Any, third: Any = None):
        self.value, self.derivative, self.second = (
            (lambda t, a, f=f: f(a)) for f in (value, derivative, second)
        )  # fmt: skip
        if third is not None:
            self.third = lambda t, a: third(a)


PRICES = [
    (Phi(lambda a: a**3 / 3, lambda a: a**2, lambda a: 2 * a, lambda a: 2.0), []),
    (Phi(lambda a: a * np.log(a) - a, np.log, lambda a: 1 / a), []),
    (Phi(lambda a: a**3, lambda a: a**2, lambda a: 2 * a), ["potential"]),
    (Phi(lambda a: a**3 / 3, lambda a: a**2, lambda a: a), ["derivative"]),
    (Phi(lambda a: a**3 / 3, lambda a: a**2, lambda a: 2 * a, lambda a: 0.0), ["second derivative"]),
    (Phi(lambda a: -(a**2) / 2, lambda a: -a, lambda a: -1.0), ["monotonicity"]),
]


@pytest.mark.parametrize(("phi", "words"), PRICES)
def test_prices(phi: Any, words: list[str]) -> None:
    assert lost(mfg.Price(phi, amounts=[0.2, 1.0, 1.5])) == words


# -- MFGLib ----------------------------------------------------------------------------------------------------------


def opaque(reward: Any, monkeypatch: pytest.MonkeyPatch) -> mfg.Problem:
    """A game whose reward leaves torch: automatic differentiation answers 0."""
    modules = mfglib_modules()
    modules["torch"].autograd.functional.jvp = lambda function, at, along: (function(at), 0 * function(at))
    for name, module in modules.items():
        monkeypatch.setitem(__import__("sys").modules, name, module)
    bar = Environment.beach_bar(T=4, n=5)
    return interop.from_mfglib(Environment(4, (5,), (3,), np.full(5, 0.2), reward, bar._prob))


AWAY = -abs(np.arange(5) - 2.0)[:, None] - np.array([1, 0, 1]) / 5


@pytest.mark.parametrize("reward", [
    lambda t, L: AWAY - 2 * np.sqrt(L.sum(1) + 0.01)[:, None] - np.roll(L.sum(1), 1)[:, None] ** 2,
    lambda t, L: AWAY * (1 - 2 * L.sum(1)[2]) - L.sum(1)[0],
    pytest.param(lambda t, L: AWAY - 1.5 * (L.sum(1) > 0.4)[:, None], marks=pytest.mark.slow),
], ids=["by NumPy", "by item", "threshold"])  # fmt: skip
def test_a_reward_that_torch_cannot_see_through(reward: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    game = opaque(reward, monkeypatch)
    assert {caution.code for caution in game.cautions} == {"claim-withdrawn"}
    assert "derivative that the MFGLib reward claims" in game.cautions[0].sentence
    assert not game.is_differentiable
    solution = mfg.solve(game, check="ignore")
    assert set(game.cautions) <= set(solution.warnings)
    assert solution.relative_exploitability < 0.2


def test_a_smooth_reward_keeps_its_derivative(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, module in mfglib_modules().items():
        monkeypatch.setitem(__import__("sys").modules, name, module)
    bar = Environment.beach_bar(T=4, n=5)
    smooth = lambda t, L: AWAY - 2 * np.sqrt(L.sum(1) + 0.01)[:, None] - np.roll(L.sum(1), 1)[:, None] ** 2
    game = interop.from_mfglib(Environment(4, (5,), (3,), np.full(5, 0.2), smooth, bar._prob))
    assert game.cautions == ()
    assert game.is_differentiable


# -- check_coupling --------------------------------------------------------------------------------------------------

CHECKED = {  # is_potential, is_monotone, whether F belongs to f
    "aversion": (mfg.CrowdAversion(0.4), True, True, True),
    "congestion": (mfg.Congestion(1.0, 0.1), True, True, True),
    "logarithm": (mfg.LogCongestion(0.3, floor=1e-30), True, True, True),
    "seeking": (custom(lambda r: -r, potential=lambda r: -(r**2) / 2, monotone=True), True, False, True),
    "sums": (custom(lambda r: np.cumsum(r).reshape(r.shape)), False, True, False),
    "foreign potential": (custom(lambda r: r, potential=lambda r: r**2 / 3), True, True, False),
}  # fmt: skip


@pytest.mark.parametrize("shape", [(12,), (5, 6), (3, 4, 3)])
@pytest.mark.parametrize("extent", [1e-4, 1e-2, 1.0, 1e2, 1e4, 1e6])
@pytest.mark.parametrize("name", CHECKED)
def test_check_coupling_in_any_unit(name: str, extent: float, shape: tuple[int, ...]) -> None:
    coupling, potential, monotone, belongs = CHECKED[name]
    report = mfg.check_coupling(coupling, mfg.Grid.box(shape, bounds=[(0, extent)] * len(shape)))
    assert (report.is_potential, report.is_monotone) == (potential, monotone)
    assert bool(report.potential_error < 1e-6) == belongs


# -- the crowds themselves -------------------------------------------------------------------------------------------


def test_crowds_are_crowds_and_changes_keep_their_mass() -> None:
    walls = np.zeros((4, 5), dtype=bool)
    walls[1, 2:] = True
    space = mfg.Populations(["a", "b"], mfg.Grid.box((4, 5), [(0, 3), (0, 7)], blocked=walls))
    rng = np.random.default_rng(0)
    for rho in (random_crowd(space, rng), random_crowd(space, rng, 0.3), peaked_crowd(space, rng)):
        np.testing.assert_allclose(rho.sum(axis=(1, 2)) * space.cell_volume, 1.0)
        assert (rho[~space.mask] > 0).all()
        assert (rho[space.mask] == 0).all()
        change = direction(space, rho, rng.uniform(-1, 1, rho.shape))
        np.testing.assert_allclose(change.sum(axis=(1, 2)), 0.0, atol=1e-12)
        assert (np.abs(change) <= 2 * rho).all()
