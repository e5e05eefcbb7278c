"""A deadline and an interrupt inside an iteration: the last whole state is what is returned and written."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve import watch
from mfgsolve.learners import GMFQ, BoltzmannIteration, Mguni

GAMES = {
    "diffusion": lambda: mfg.problems.supply_demand(shape=(16, 16), steps=32, scheme="upwind"),
    "hot": lambda: mfg.problems.beach_bar(shape=(8,), steps=6),
    "lattice": lambda: mfg.problems.lattice_supply_demand(shape=(6, 6), steps=12),
}
RUNS = {
    "newton": ("diffusion", "newton", {}),
    "newton-hot": ("hot", "newton", {"warm_up": 0, "cooling": 0.6}),
    "frank-wolfe": ("diffusion", "frank-wolfe", {}),
    "fictitious-play": ("hot", "fictitious-play", {}),
    "mirror-descent": ("hot", "mirror-descent", {}),
    "prior-descent": ("lattice", "prior-descent", {}),
    "interior-point": ("lattice", "interior-point", {}),
    "complementarity": ("lattice", "complementarity", {}),
    "admm": ("lattice", "admm", {"every": 5, "warm_up": 3}),
    "chambolle-pock": ("lattice", "chambolle-pock", {"every": 5, "warm_up": 3}),
    "boltzmann": ("hot", BoltzmannIteration(0.5, 0.5), {}),
    "portfolio": ("lattice", None, {}),
    "gmf-q": ("hot", GMFQ(0.5, 0.5, agents=10, episodes=40, block=10), {}),
    "mguni": ("hot", Mguni(agents=10, episodes=200), {}),
}


class Clock:
    """A clock that stands still until a fuse is lit; so many looks later it is far too late."""

    def __init__(self) -> None:
        self.fuse = math.inf

    def __call__(self) -> float:
        self.fuse -= 1
        return 0.0 if self.fuse > 0 else 1e9


def numbers(solution) -> dict[str, np.ndarray]:
    names = [n for n in ("density", "value", "policy", "exploitability", "potential", "sweeps")
             if n in solution.dataset]  # fmt: skip
    return {name: solution.dataset[name].values for name in names}


def assert_same(one, two) -> None:
    assert one.certificate == two.certificate or (one.exploitability == two.exploitability)
    for name, values in numbers(two).items():
        np.testing.assert_array_equal(numbers(one)[name], values, err_msg=name)


@cache
def undisturbed(name: str, iterations: int):
    """The solve that nothing breaks off."""
    game, method, options = RUNS[name]
    return mfg.solve(GAMES[game](), method=method, max_iterations=iterations, tol=0.0, check="ignore", **options)


LOOKS = 7  # more than the driver takes between the callback and the step


@pytest.mark.parametrize("looks", [LOOKS, LOOKS + 2])
@pytest.mark.parametrize("name", RUNS)
def test_a_deadline_inside_an_iteration_returns_and_writes_the_last_whole_state(name, looks, monkeypatch, tmp_path):
    game, method, options = RUNS[name]
    problem, file, whole = GAMES[game](), tmp_path / "c.nc", 2
    common = {"method": method, "tol": 0.0, "check": "ignore", **options}
    clock = Clock()

    def light(measure) -> None:
        if measure.iteration >= whole * options.get("every", 1):
            clock.fuse = min(clock.fuse, looks)

    with monkeypatch.context() as patch:
        patch.setattr(watch, "clock", clock)
        found = mfg.solve(problem, max_seconds=1e6, callback=light, checkpoint=file, **common)
    assert clock.fuse <= 0
    assert found.status is mfg.Status.TIME_LIMIT
    whole += name == "fictitious-play"  # whose iteration is a single sweep, and is finished
    whole *= options.get("every", 1)
    assert found.iterations == whole == found.dataset.iteration.values[-1]
    assert_same(found, undisturbed(name, whole))
    further = mfg.resume(file, max_iterations=2 * whole, tol=0.0, check="ignore", problem=problem)
    assert_same(further, undisturbed(name, 2 * whole))
