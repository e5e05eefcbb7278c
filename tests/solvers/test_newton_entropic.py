"""Newton on agents who pay by entropy: reference numbers in few sweeps, and iterations without certificates."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import Game, make_game
from mfgsolve.solvers import Newton, meshes

REFERENCE = {
    (32, 16): -0.24448337,
    (64, 30): -0.24348780,
    (64, 40): -0.24348135,
    (64, 48): -0.24353711,
    (96, 60): -0.24363253,
}


def entropic(problem):
    return replace(problem, dynamics=replace(problem.dynamics, scheme="entropic"))


def flagship(n, steps, **changes):
    return entropic(mfg.problems.supply_demand(shape=(n, n), steps=steps, **changes))


@pytest.fixture
def line(line_problem):
    return entropic(replace(line_problem, time=mfg.TimeGrid(1.0, 12)))


@pytest.mark.slow
@pytest.mark.parametrize(("n", "steps"), REFERENCE)
def test_flagship_reproduces_the_reference(n, steps):
    """Potentials of an independent implementation of the same chain."""
    solution = mfg.solve(flagship(n, steps), check="ignore")
    assert solution.converged
    assert solution.relative_exploitability <= 1e-10
    assert solution.potential == pytest.approx(REFERENCE[n, steps], abs=1e-8)
    assert solution.sweeps <= (100 if n == 32 else 65)


def test_a_small_flagship_by_three_roads(monkeypatch):
    """Over meshes, by viscosities alone, and from the answer."""
    problem = flagship(16, 8)
    alone = mfg.solve(problem, check="ignore")
    assert alone.converged
    assert alone.sweeps <= 90
    assert alone.potential == pytest.approx(-0.25134726, abs=1e-8)
    monkeypatch.setattr(meshes, "ENOUGH", meshes.SMALLEST)
    by_meshes = mfg.solve(problem, method="newton", check="ignore")
    assert by_meshes.converged
    assert by_meshes.sweeps != alone.sweeps
    assert alone.potential == pytest.approx(by_meshes.potential, abs=1e-9)
    again = mfg.solve(problem, method="newton", start=alone, check="ignore")
    assert again.converged
    assert again.sweeps <= 10


def test_what_is_not_measured_is_not_a_number(line):
    solution = mfg.solve(line, method="newton", check="ignore")
    history = solution.dataset["relative_exploitability"].values
    assert solution.converged
    assert np.isnan(history).any()
    assert history[-1] <= 1e-10
    for name in ("exploitability", "potential", "duality_gap"):
        np.testing.assert_array_equal(np.isnan(solution.dataset[name].values), np.isnan(history))


def states(solver, game, count):
    state = solver.init(game, 1e-10)
    yield state
    for _ in range(count):
        state = solver.step(state)
        yield state


def test_every_iteration_goes_on_bit_for_bit(line):
    """From what it packs, with a certificate or without."""
    solver, game = Newton(), make_game(line.levelled())
    kinds, previous = set(), None
    for state in states(solver, game, 8):
        if previous is not None:
            assert state.measure == previous.measure or repr(state.measure) == repr(previous.measure)
            np.testing.assert_array_equal(state.believed, previous.believed)
            assert state.certificate.relative_exploitability == previous.certificate.relative_exploitability
        arrays, numbers = state.pack()
        arrays = {name: array.copy() for name, array in arrays.items()}
        revived = solver.unpack(make_game(line.levelled()), 1e-10, arrays, numbers, state.measure)
        assert revived.is_measured == state.is_measured
        previous = solver.step(revived)
        kinds.add(state.is_measured)
    assert kinds == {True, False}


@pytest.mark.parametrize("verb", ["conjugate_step", "respond", "flow"])
def test_a_step_that_is_left_changes_nothing(line, monkeypatch, verb):
    solver, game = Newton(), make_game(line.levelled())
    state = next(state for state in states(solver, game, 20) if state.final and not state.is_measured)
    *_, whole = states(solver, make_game(line.levelled()), state.iteration + 2)
    held, measure, real = state.believed.copy(), state.measure, getattr(Game, verb)

    def interrupted(*arguments, **options):
        real(*arguments, **options)
        raise KeyboardInterrupt

    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setattr(Game, verb, interrupted)
            with pytest.raises(KeyboardInterrupt):
                solver.step(state)
        np.testing.assert_array_equal(state.believed, held)
        assert repr(state.measure) == repr(measure)
    for _ in range(2):
        state = solver.step(state)
    assert repr(state.measure) == repr(whole.measure)


def test_a_checkpoint_is_written_when_an_iteration_without_a_certificate_is_left(line, tmp_path):
    file = tmp_path / "point.nc"

    def leave(measure):
        if np.isnan(measure.relative_exploitability):
            raise KeyboardInterrupt

    whole = mfg.solve(line, check="ignore")
    with pytest.raises(KeyboardInterrupt):
        mfg.solve(line, check="ignore", checkpoint=file, callback=leave)
    resumed = mfg.resume(file, problem=line)
    assert resumed.converged
    assert resumed.sweeps == whole.sweeps
    np.testing.assert_array_equal(resumed.dataset["density"], whole.dataset["density"])


def test_a_budget_may_end_where_nothing_was_measured(line):
    history = mfg.solve(line, method="newton", check="ignore").dataset["relative_exploitability"].values
    last = int(np.flatnonzero(np.isnan(history))[-1])
    solution = mfg.solve(line, method="newton", check="ignore", max_iterations=last)
    assert np.isnan(solution.dataset["exploitability"].values[-1])
    assert solution.status is mfg.Status.ITERATION_LIMIT
    assert 1e-10 < solution.relative_exploitability < 1


@pytest.mark.parametrize("coupling", [mfg.LogCongestion(0.3), mfg.CrowdAversion(0.3, power=0.5)], ids=["log", "root"])
def test_couplings_without_a_bound_on_their_slope(coupling, line):
    """A crowd that starts in a corner comes where nobody was believed to be; without other levels to help."""
    solution = mfg.solve(
        replace(line, coupling=coupling, terminal=lambda t, c: 4 * (c.x - 0.8) ** 2),
        method="newton", coarse_grids=False, check="ignore",
    )  # fmt: skip
    assert solution.converged
    assert solution.sweeps <= 100


@pytest.mark.parametrize(
    "coupling", [mfg.Nonlocal(1.0, width=0.2), mfg.CrowdAversion(300.0)], ids=["nonlocal", "stiff"]
)
def test_other_couplings_still_converge(coupling, line):
    solution = mfg.solve(replace(line, coupling=coupling), method="newton", check="ignore")
    assert solution.converged


def test_memory_in_arrays_of_all_levels():
    """Peak of a solve from its first iteration to its last, its problem included, in arrays of (T + 1) x cells."""
    mfg.solve(flagship(32, 16), check="ignore")  # loads kernels
    game = make_game(flagship(48, 40).levelled())
    solver = Newton()
    tracemalloc.start()
    state = solver.init(game, 1e-10)
    while not (state.final and state.is_measured and state.certificate.relative_exploitability <= 1e-10):
        state = solver.step(state)
    arrays = tracemalloc.get_traced_memory()[1] / (8 * 41 * 48 * 48)
    tracemalloc.stop()
    assert arrays <= 13.2
