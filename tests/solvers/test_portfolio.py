"""The default: solvers in turn, the best certificate kept, never worse than one of them alone."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace

import numpy as np
import pytest
import xarray as xr
from hard_games import HARD_KINDS, hard_game
from random_games import KINDS, random_game

import mfgsolve as mfg
from mfgsolve.plots import convergence
from mfgsolve.solvers import SOLVERS, Portfolio, make_solver, suited
from mfgsolve.solvers.portfolio import slow

LIMIT = 20_000


def score(solution: mfg.Solution) -> float:
    """What plans are compared by."""
    size = max(abs(solution.relative_exploitability), solution.certificate.violation)
    return size if math.isfinite(size) else math.inf


def same(one: mfg.Solution, other: mfg.Solution) -> None:
    """Every number of the certificates, bit for bit; what neither measured is NaN."""
    np.testing.assert_equal(asdict(one.certificate), asdict(other.certificate))


def never_worse(problem: mfg.Problem, about: str) -> None:
    """The default converges, or is as good as every suited solver alone with as many iterations."""
    ours = mfg.solve(problem, max_iterations=LIMIT, check="ignore")
    assert ours.iterations < LIMIT, f"{about}: does not end"
    if ours.converged:
        return
    for name in suited(problem):
        alone = mfg.solve(problem, method=name, max_iterations=ours.iterations, check="ignore")
        assert score(ours) <= max(2 * score(alone), 1e-10), f"{about}: {score(ours):.1e}, {name} {score(alone):.1e}"


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", [*KINDS, *HARD_KINDS])
def test_the_default_is_never_worse(kind: str, seed: int) -> None:
    problem = hard_game(kind, seed) if kind in HARD_KINDS else random_game(kind, seed).problem
    never_worse(problem, f"{kind} {seed}")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 17))
@pytest.mark.parametrize("kind", [*KINDS, *HARD_KINDS])
def test_the_default_is_never_worse_in_300_games(kind: str, seed: int) -> None:
    problem = hard_game(kind, seed) if kind in HARD_KINDS else random_game(kind, seed).problem
    never_worse(problem, f"{kind} {seed}")


# -- games on which one of our solvers lost to another --------------------------------------------------------------


def solved(problem: mfg.Problem, first: str, winner: str, tol: float = 1e-10) -> mfg.Solution:
    solution = mfg.solve(problem, tol=tol)
    assert solution.converged
    assert score(solution) <= tol
    assert suited(problem)[0] == first
    assert solution.dataset.attrs["solver"] == winner
    return solution


@pytest.mark.filterwarnings("ignore:.*not Markov in its own keys")
@pytest.mark.parametrize(
    "game",
    [
        "mfg_garnet(size=20,eta=-1.0,seed=1)",
        "python_mfg_crowd_avoidance(coef_congestion=5.0,geometry=1,proba_noise=0.0,horizon=5)",
    ],
)
def test_games_of_openspiel(game: str) -> None:
    spiel = pytest.importorskip("pyspiel", reason="OpenSpiel is not installed; the games are its own")
    pytest.importorskip("open_spiel.python.mfg.games", reason="OpenSpiel has no Python games here")
    solution = mfg.solve(mfg.interop.from_openspiel(spiel.load_game(game)))
    assert solution.converged
    assert suited(solution.problem)[0] == "complementarity"


def test_a_garnet_whose_crowd_attracts() -> None:
    """The same kind of game without OpenSpiel: complementarity stalls, Newton does not."""
    solution = solved(hard_game("garnet", 0), "complementarity", "newton")
    assert solution.dataset.attrs["stages"] == "complementarity, newton"


def test_twelve_types() -> None:
    """W = 1 - max(a, b) between types a and b: convex, of many almost equal rows."""
    kind, cells = np.linspace(0, 1, 12), 6
    grid = mfg.Populations([f"type {k}" for k in range(12)], mfg.Grid.box((cells,)))
    start = np.random.default_rng(0).random((12, cells))
    moves = [mfg.LatticeMoves((-1, 0, 1), (0.02 * (1 + a), 0.0, 0.02 * (1 + a))) for a in kind]
    problem = mfg.Problem(
        grid, mfg.TimeGrid(1.0, 8), moves, mfg.Interaction((1 - np.maximum.outer(kind, kind)) / 12, "populations"),
        start, terminal=lambda t, c: (c.x - 0.7) ** 2, normalise=True,
    )  # fmt: skip
    solution = solved(problem, "complementarity", "complementarity")
    assert solution.potential == pytest.approx(mfg.solve(problem, method="newton", tol=1e-8).potential, rel=1e-7)


@pytest.mark.parametrize("seed", range(4))
def test_a_cost_of_moves_that_grows_with_the_mass_of_the_cell(seed: int) -> None:
    assert mfg.solve(hard_game("move", seed)).relative_exploitability <= 1e-10


@pytest.mark.parametrize("tol", [1e-9, 1e-11])
def test_populations_of_which_the_total_counts(tol: float) -> None:
    """Only the sum of the two densities is determined; its potential is that of one population with both starts."""
    cells, x = 12, (np.arange(12) + 0.5) / 12
    start = np.exp(-((x - np.array([[0.3], [0.6]])) ** 2) / 0.02)
    start /= start.mean(axis=1, keepdims=True)
    both = {"time": mfg.TimeGrid(1.0, 10), "terminal": lambda t, c: (c.x - 0.5) ** 2}
    moves = mfg.LatticeMoves((-1, 0, 1), (0.02, 0.0, 0.02))
    grid = mfg.Populations(["a", "b"], mfg.Grid.box((cells,)))
    apart = mfg.Problem(
        grid, dynamics=[moves, moves], coupling=mfg.Interaction(np.ones((2, 2)), "populations"), initial=start, **both
    )
    solution = solved(apart, "complementarity", "complementarity", tol)
    merged = mfg.Problem(
        mfg.Grid.box((cells,)), dynamics=moves, coupling=mfg.CrowdAversion(2.0), initial=start.mean(axis=0), **both
    )
    one = mfg.solve(merged, tol=tol)
    assert solution.potential == pytest.approx(2 * one.potential, rel=20 * tol)
    total = solution.dataset["density"].values.mean(axis=1)
    np.testing.assert_allclose(total, one.dataset["density"].values, atol=1e-3)


def test_zero_costs_and_a_cap_that_does_not_bind() -> None:
    """Any plan is an equilibrium, and no multiplier is paid."""
    free = mfg.LatticeMoves((-1, 0, 1), (0.0, 0.0, 0.0))
    problem = mfg.Problem(mfg.Grid.box((6,)), mfg.TimeGrid(1.0, 6), free, mfg.Capacity(5.0), 1.0)
    solution = solved(problem, "interior-point", "interior-point")
    assert solution.certificate.cost == 0
    assert (solution.dataset["capacity_multiplier"] == 0).all()


@pytest.mark.parametrize("cap", [1e-3, 1e-6, 1e-9, 1e-11, 0.0])
def test_caps_next_to_nothing(cap: float) -> None:
    """A closed middle cuts the line: who starts on the left ends there, as if the cap were 0."""
    x = (np.arange(7) + 0.5) / 7
    start = np.where(np.arange(7) == 3, 0.0, 1.0)
    moves = mfg.LatticeMoves((-1, 0, 1), (0.01, 0.0, 0.01), walls="forbid")
    middle = mfg.Capacity(lambda t, c: np.where(abs(c.x - 0.5) < 0.1, cap, 50.0))
    problem = mfg.Problem(
        mfg.Grid.box((7,)), mfg.TimeGrid(1.0, 8), moves, mfg.CrowdAversion(0.5) + middle, start,
        terminal=lambda t, c: (c.x - 0.9) ** 2, terminal_coupling=middle, normalise=True,
    )  # fmt: skip
    solution = solved(problem, "interior-point", "interior-point")
    left = solution.dataset["density"].values[:, x < 0.4].sum(axis=1) / 7
    assert left[-1] == pytest.approx(0.5, abs=8 * max(cap, 1e-9))


# -- how the portfolio goes about it ---------------------------------------------------------------------------------

FIRST_STALLS = ("garnet", 0)


@pytest.fixture(scope="module")
def staged() -> mfg.Solution:
    """A solve by complementarity, then Newton."""
    return mfg.solve(hard_game(*FIRST_STALLS))


@pytest.mark.parametrize("kind", ["diffusion", "sharp", "warm", "capacity", "coupled"])
def test_the_first_solver_runs_as_it_would_alone(kind: str) -> None:
    problem = random_game(kind, 1).problem
    ours, alone = mfg.solve(problem), mfg.solve(problem, method=suited(problem)[0])
    assert alone.converged
    same(ours, alone)
    assert (ours.iterations, ours.sweeps) == (alone.iterations, alone.sweeps)
    assert ours.dataset.attrs["solver"] == alone.dataset.attrs["solver"] == ours.dataset.attrs["stages"]
    for name in ("density", "value", "exploitability", "sweeps", "stage"):
        np.testing.assert_array_equal(ours.dataset[name], alone.dataset[name])


def test_a_named_solver_runs_alone() -> None:
    with pytest.warns(UserWarning, match="complementarity ended with status 'stalled'"):
        solution = mfg.solve(hard_game(*FIRST_STALLS), method="complementarity")
    assert solution.dataset.attrs["stages"] == "complementarity"
    assert (solution.dataset["stage"] == 0).all()


def test_history_says_who_took_which_step(staged, tmp_path) -> None:
    history = staged.dataset
    assert history.attrs["stages"].split(", ") == ["complementarity", "newton"]
    stage = history["stage"].values
    assert (np.diff(stage) >= 0).all()
    assert set(stage) == {0, 1}
    assert (np.diff(history["iteration"]) == 1).all()
    assert (np.diff(history["sweeps"]) >= 0).all()
    again = mfg.load(staged.save(tmp_path / "staged.nc"))
    np.testing.assert_array_equal(again.dataset["stage"], stage)
    assert again.dataset.attrs["stages"] == history.attrs["stages"]
    assert again.dataset.attrs["solver"] == "newton"
    figure = convergence(again)
    assert "complementarity, newton" in [text.get_text() for text in figure.legends[0].get_texts()]


@pytest.mark.slow
def test_the_best_point_goes_to_the_next_and_later_nothing_does(monkeypatch) -> None:
    """The second solver starts from the crowd of the first one's plan, and in the end from its own first point."""
    problem, starts = stubborn(), []

    class Watched(SOLVERS["fictitious-play"]):  # type: ignore[misc]
        def init(self, game, tol, start=None):
            starts.append(None if start is None else start(game))
            return super().init(game, tol, start)

    monkeypatch.setitem(SOLVERS.homes, "fictitious-play", Watched)
    whole = mfg.solve(problem, tol=1e-12, check="ignore")
    turn = int(np.argmax(whole.dataset["stage"].values == 1))
    first = mfg.solve(problem, tol=1e-12, check="ignore", max_iterations=turn - 1)
    assert first.dataset.attrs["stages"] == suited(problem)[0] == "prior-descent"
    assert len(starts) == 2
    np.testing.assert_allclose(starts[0], first.dataset["density"].values, atol=1e-15)
    assert starts[1] is None


@pytest.mark.slow
@pytest.mark.parametrize("cut", ["within the first", "at the turn", "within the second"])
def test_resumes_bit_for_bit_on_either_side_of_a_turn(staged, cut, tmp_path) -> None:
    turn = int(np.argmax(staged.dataset["stage"].values == 1))
    limit = {"within the first": turn // 2, "at the turn": turn - 1, "within the second": turn + 1}[cut]
    file, problem = tmp_path / "half.nc", hard_game(*FIRST_STALLS)
    part = mfg.solve(problem, max_iterations=limit, checkpoint=file, check="ignore")
    assert part.status is mfg.Status.ITERATION_LIMIT
    assert part.iterations == limit
    rest = mfg.resume(file, problem=problem)
    same(rest, staged)
    for name in ("policy", "density", "exploitability", "sweeps", "stage"):
        np.testing.assert_array_equal(rest.dataset[name], staged.dataset[name], err_msg=name)


@pytest.mark.slow
def test_the_best_plan_is_kept_when_all_stall(tmp_path) -> None:
    problem, file = stubborn(), tmp_path / "all.nc"
    solution = mfg.solve(problem, tol=1e-12, check="ignore", checkpoint=file)
    assert solution.status is mfg.Status.STALLED
    stages = solution.dataset.attrs["stages"].split(", ")
    assert stages == suited(problem)
    fine = solution.dataset["final_grid"].values == 1
    least = np.nanmin(abs(solution.dataset["relative_exploitability"].values[fine]))
    assert abs(solution.relative_exploitability) <= 2 * least
    same(mfg.resume(file, problem=problem, check="ignore"), solution)


def stubborn() -> mfg.Problem:
    """A coupled game whose costs jump with the crowd: as good as no equilibrium is found by anybody."""

    def jump(t: float, c: mfg.grids.Coordinates, rho: np.ndarray) -> np.ndarray:
        return np.where(rho > 0.4 + 0.1 * np.sin(5 * t), 1.0, 0.0) + 0.1 * rho

    stay, swap = np.eye(2), np.eye(2)[::-1]
    dynamics = mfg.Tabular([stay, swap], cost=np.array([[0.0, 0.0], [0.3, 0.2]]))
    return mfg.Problem(mfg.States(2), mfg.TimeGrid(4.0, 4), dynamics, mfg.CustomCoupling(jump), np.array([0.9, 0.1]))


def test_callbacks_and_limits_count_over_all(staged) -> None:
    seen: list[mfg.Measure] = []
    turn = int(np.argmax(staged.dataset["stage"].values == 1))

    def stop(measure: mfg.Measure) -> bool:
        seen.append(measure)
        return measure.stage == 1

    solution = mfg.solve(hard_game(*FIRST_STALLS), callback=stop, check="ignore")
    assert solution.status is mfg.Status.STOPPED
    assert [measure.iteration for measure in seen] == list(range(turn + 1))
    assert score(solution) <= min(abs(measure.relative_exploitability) for measure in seen) * 1.001


def test_options_without_a_name_are_those_of_the_first() -> None:
    problem = random_game("warm", 1).problem
    solver = make_solver(problem, None, {"warm_up": 3})
    assert isinstance(solver, Portfolio)
    assert solver.solver(0) == SOLVERS["newton"](warm_up=3)  # type: ignore[call-arg]
    assert solver.solver(1) == SOLVERS[suited(problem)[1]]()
    with pytest.raises(mfg.InputError, match="unknown option of newton 'warmup'"):
        make_solver(problem, None, {"warmup": 3})


def test_a_single_suited_solver_needs_no_portfolio() -> None:
    problem = random_game("diffusion", 1).problem
    only = replace(problem, coupling=mfg.CustomCoupling(lambda t, c, rho: rho))
    assert suited(only) == ["fictitious-play"]
    assert make_solver(only, None, {}).name == "fictitious-play"


@dataclass(frozen=True)
class Broken(SOLVERS["newton"]):  # type: ignore[misc]
    """A solver that fails as soon as it starts."""

    def init(self, *_: object) -> None:  # type: ignore[override]
        raise MemoryError


def test_a_later_solver_that_fails_is_passed_over(monkeypatch) -> None:
    monkeypatch.setitem(SOLVERS.homes, "newton", Broken)
    solution = mfg.solve(hard_game(*FIRST_STALLS), check="ignore", max_iterations=300)
    assert solution.dataset.attrs["stages"].startswith("complementarity, newton, ")
    assert 1 not in solution.dataset["stage"].values


def test_costs_that_are_not_finite_are_told_at_once() -> None:
    problem = random_game("sharp", 1).problem
    with np.errstate(all="ignore"):
        broken = replace(problem, coupling=mfg.CustomCoupling(lambda t, c, rho: np.where(t > 0, np.nan, rho)))
        try:
            solution = mfg.solve(broken, check="ignore")
        except mfg.InputError:
            return
    assert solution.status is mfg.Status.NON_FINITE


def test_round_off_is_nobody_elses_business() -> None:
    solution = mfg.solve(random_game("warm", 1).problem, tol=0.0, check="ignore")
    assert solution.dataset.attrs["stages"] == "newton"
    assert abs(solution.relative_exploitability) <= 1e-13


# -- what is slow ----------------------------------------------------------------------------------------------------


def track(rule, count: int) -> list[tuple[float, float]]:
    return [(float(k), rule(k)) for k in range(1, count + 1)]


@pytest.mark.parametrize("rate", [0.5, 0.9, 0.98])
def test_linear_convergence_is_waited_for(rate: float) -> None:
    for count in range(1, 1000):
        assert not slow(track(lambda k: max(rate**k, 1e-10), count), 1e-10, 300.0) or rate**count < 1e-10


@pytest.mark.parametrize("power", [0.5, 1.0, 1.5])
def test_sublinear_convergence_is_not(power: float) -> None:
    assert not slow(track(lambda k: k**-power, 299), 1e-10, 300.0)
    assert slow(track(lambda k: k**-power, 400), 1e-10, 300.0)
    assert not slow(track(lambda k: k**-1.5, 400), 1e-5, 300.0)  # near enough


def test_a_standstill_is_slow() -> None:
    assert slow(track(lambda k: 0.1, 400), 1e-10, 300.0)
    assert not slow(track(lambda k: 0.0, 400), 1e-10, 300.0)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.drop_vars("array_now.choice"),
        lambda d: d.isel({"now.choice_0": slice(0, 4)}),
        lambda d: d.isel(number_name=slice(0, 3)),
        lambda d: d.assign_attrs(option_solvers="oracle"),
        lambda d: d.drop_attrs().assign_attrs({k: v for k, v in d.attrs.items() if k != "option_options"}),
    ],
)
def test_spoilt_checkpoints_of_a_portfolio(tmp_path, change) -> None:
    problem, path = hard_game(*FIRST_STALLS), tmp_path / "spoilt.nc"
    mfg.solve(problem, max_iterations=2, checkpoint=path, check="ignore")
    with xr.open_dataset(path, engine="h5netcdf", decode_times=False) as opened:
        dataset = (
            opened.load()
            .drop_attrs(deep=False)
            .assign_attrs({name: value for name, value in opened.attrs.items() if name not in ("seal", "sealed")})
        )
    change(dataset).to_netcdf(path, engine="h5netcdf")
    with pytest.raises(mfg.FileError, match=r"checkpoint .*spoilt\.nc misses or spoils"):
        mfg.resume(path, problem=problem)
