"""The logger "mfgsolve": silent unless asked, the work at INFO, every iteration at DEBUG."""

from __future__ import annotations

import logging

import pytest

import mfgsolve as mfg
from mfgsolve.progress import logged, logger


def test_a_solve_prints_nothing_and_tells_the_logger(caplog: pytest.LogCaptureFixture, capsys) -> None:
    with caplog.at_level(logging.DEBUG, logger="mfgsolve"):
        solution = mfg.solve(mfg.problems.beach_bar(), check="ignore")
    told = [record.getMessage() for record in caplog.records if record.name == "mfgsolve"]
    assert told[0] == "beach-bar, 20, 20 steps: portfolio to 1e-10"
    iterations = [text for text in told if text.startswith("iteration") and "relative" in text]
    assert len(iterations) == solution.dataset.sizes["iteration"] - 1, "all but that which converged"
    reached = f"{solution.relative_exploitability:.1e}"
    assert told[-1].startswith(f"beach-bar: converged at relative exploitability {reached} after")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("verbose", "least", "most"), [(False, 0, 0), (True, 3, 9), (2, 5, 99)])
def test_verbose_tells_the_work_in_lines(verbose: bool | int, least: int, most: int, capsys) -> None:
    mfg.solve(mfg.problems.beach_bar(), check="ignore", verbose=verbose)
    lines = capsys.readouterr().err.splitlines()
    assert least <= len(lines) <= most
    assert logger.level == logging.NOTSET
    assert [type(handler) for handler in logger.handlers] == [logging.NullHandler]


def test_levels_come_back_after_an_error() -> None:
    logger.setLevel(logging.ERROR)
    try:
        with pytest.raises(ZeroDivisionError), logged(True):
            raise ZeroDivisionError
        assert logger.level == logging.ERROR
    finally:
        logger.setLevel(logging.NOTSET)


def test_other_values_of_verbose_are_refused() -> None:
    with pytest.raises(mfg.InputError, match="verbose is 'much'; False, True or 2"):
        mfg.solve(mfg.problems.left_right(), verbose="much")
    with pytest.raises(mfg.InputError, match="progress is 1; True, False or None"):
        mfg.solve(mfg.problems.left_right(), progress=1)
