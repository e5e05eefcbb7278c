"""Small games that many tests share."""

from __future__ import annotations

import gc
import os
import signal

for number in (signal.SIGINT, signal.SIGHUP):  # ignored in the background of a shell, and so by all that tests start
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

for library in ("OPENBLAS", "MKL", "OMP"):  # workers that run side by side share the processors
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

import mfgsolve as mfg  # noqa: E402

# The suite is the same at every run: what it finds belongs to a change.  --hypothesis-profile=search looks elsewhere.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None, print_blob=True)
settings.load_profile("repeatable")


def pytest_collection_finish() -> None:
    """What is there once all tests are read stays: it is not looked through for garbage again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture
def small_problem() -> mfg.Problem:
    """The flagship on 16 x 16 cells."""
    return mfg.problems.supply_demand(shape=(16, 16), steps=128, scheme="upwind")


@pytest.fixture
def line_problem() -> mfg.Problem:
    """One axis, linear crowd aversion, a well to go to."""
    return mfg.Problem(
        grid=mfg.Grid.box((24,)),
        time=mfg.TimeGrid(1.0, 48),
        dynamics=mfg.ControlledDiffusion(viscosity=0.01, scheme="upwind"),
        coupling=mfg.CrowdAversion(0.5) + mfg.RunningCost(lambda t, c: 2 * (c.x - 0.7) ** 2),
        initial=mfg.Bump(1.0, 0.1, (0.3,)),
        normalise=True,
    )
