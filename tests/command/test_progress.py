"""The live line of a solve on a terminal."""

from __future__ import annotations

import io
import re
import sys

import pytest
from commands import on_a_terminal

import mfgsolve as mfg
from mfgsolve.command.progress import Progress
from mfgsolve.solution.datasets import Measure


@pytest.mark.slow
@pytest.mark.parametrize("width", [40, 140])
def test_the_live_line_fits_the_window_and_is_cleared(width: int) -> None:
    words = [
        "solve",
        "supply-demand",
        "--shape",
        "32x32",
        "--steps",
        "128",
        "--scheme",
        "upwind",
        "--tol",
        "0",
        "--solver",
        "fictitious-play",
    ]
    code, seen = on_a_terminal([*words, "--max-seconds", "1.5"], width)
    assert code == 3
    lines = [re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", line) for line in re.split(r"[\r\n]+", seen)]
    assert any("e-" in line for line in lines)
    assert max(len(line) for line in lines) <= width
    assert "\x1b[2K" in seen[-30:], "the line is cleared at the end"
    assert ("relative exploitability" in seen) == (width == 140)


def test_the_bar_measures_work() -> None:
    progress = Progress(1e-8)
    assert progress.share() == 0.0
    for k in range(5):  # a decade each ten sweeps
        progress.update(Measure(k, 10.0 * k, 1.0, 10.0**-k, 1.0, 1.0, 100, True))
    assert progress.share() == pytest.approx(0.5)
    progress.update(Measure(5, 41.0, 1.0, 1e-9, 1.0, 1.0, 100, True))
    assert progress.share() == 1.0


def test_progress_of_a_game_without_a_grid() -> None:
    progress = Progress.of(mfg.problems.rock_paper_scissors(), 1e-10)
    progress.update_one("newton", Measure(3, 7.0, 1.0, 0.5, 1.0, 1.0, 8, True))
    left = [text for text, _ in progress.texts()]
    assert left[0] == "newton  iteration 3  states 4x2  7.0 sweeps"
    assert left[-2:] == ["newton", ""]


def test_progress_names_the_grid_of_an_iteration() -> None:
    progress = Progress(1e-10, (24, 48), 96)
    assert progress._grid(24 * 48 * 96) == "24x48x96"
    assert progress._grid(12 * 24 * 48) == "12x24x48"
    assert progress._grid(6 * 12 * 24) == "6x12x24"


def test_progress_is_silent_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with Progress(1e-10) as progress:
        assert progress.update(Measure(1, 1.0, 1.0, 0.5, 1.0, 1.0, 100, True)) is None
    assert sys.stderr.getvalue() == ""


def test_coarser_meshes_in_the_same_steps_are_named() -> None:
    progress = Progress(1e-10, (64, 32), 48)
    assert progress._grid(48 * 24 * 48) == "48x24x48"
    assert progress._grid(24 * 12 * 48) == "24x12x48"
    assert progress._grid(32 * 16 * 24) == "32x16x24"


def test_an_iteration_without_a_certificate_shows_the_last_one() -> None:
    progress = Progress(1e-10)
    for reached in (1e-5, float("nan")):
        progress.update(Measure(1, 1.0, reached, reached, 1.0, 1.0, 100, True))
        assert "1.0e-05" in next(iter(progress.texts()))[1]
