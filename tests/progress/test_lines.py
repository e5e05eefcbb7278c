"""What live lines say, and how long they think it will take."""

from __future__ import annotations

import math

import pytest

from mfgsolve.progress import Counted, Episodes, Equilibria, Line, Replicas, Solves, clock_text, left_text
from mfgsolve.solution.datasets import Measure


def at(line: Line, seconds: float) -> None:
    """Let so many seconds have passed."""
    line.spent = lambda: seconds


def measure(iteration: int, sweeps: float, reached: float, cell_steps: int = 100) -> Measure:
    return Measure(iteration, sweeps, reached, reached, 1.0, 1.0, cell_steps, True)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (math.nan, ""),
        (math.inf, ""),
        (0.3, "soon done"),
        (2.4, "about 2 s left"),
        (119, "about 119 s left"),
        (121, "about 2 min left"),
        (7100, "about 118 min left"),
        (7300, "about 2 h left"),
        (3e5, "about 3 days left"),
    ],
)
def test_how_long_it_takes_is_told_in_a_figure_or_two(seconds: float, text: str) -> None:
    assert left_text(seconds) == text


def test_clocks() -> None:
    assert (clock_text(5), clock_text(65), clock_text(3665)) == ("00:05", "01:05", "1:01:05")


def test_time_to_come_is_work_to_come_at_the_pace_of_late() -> None:
    line = Counted("points")
    for number, seconds in ((1, 10.0), (2, 11.0), (3, 12.0), (5, 14.0)):
        at(line, seconds)
        line.update(number, 20)
    assert line.left() == pytest.approx(15.0), "a point a second; the first one, which compiles, does not count"
    at(line, 20.0)
    assert line.left() == pytest.approx(9.0), "six seconds without news have passed of it"
    at(line, 100.0)
    assert line.left() == 0.0
    assert math.isnan(Counted("points").left())


def test_the_pace_is_that_of_the_last_half_of_the_work() -> None:
    line = Counted("points")
    for number, seconds in ((0, 0.0), (2, 40.0), (4, 44.0), (6, 46.0), (8, 48.0)):
        at(line, seconds)
        line.update(number, 18)
    assert line.left() == pytest.approx(10.0), "a point a second since the fourth"


def test_pieces_are_counted_with_words_before_them() -> None:
    line = Counted("points", counted=lambda k: (k, 4), words=lambda k: f"point {k}")
    assert next(line.texts())[0] == "compiling and starting"
    line.update(1)
    assert next(line.texts())[0] == "point 1  1 of 4 points"
    assert line.share() == 0.25
    assert list(line.texts())[-1] == ("", "1 of 4 points")


def test_a_solve_on_another_mesh_begins_anew() -> None:
    line = Solves(1e-10)
    line.update("16x32", measure(1, 5.0, 1e-3))
    line.update("16x32", measure(2, 6.0, 1e-4))
    assert line.done == 6.0
    line.update("32x64", measure(0, 1.0, 1e-2))
    assert line.done == 1.0
    assert next(line.texts())[0].startswith("32x64  iteration 0")


def test_an_unmeasured_exploitability_is_no_number() -> None:
    line = Solves(1e-10)
    line.update(measure(1, 5.0, math.nan))
    assert "... to 1e-10" in next(line.texts())[1]


def test_texts_become_shorter_and_end_with_one_number() -> None:
    line = Solves(1e-10, (64, 64), 512)
    for k in range(3):
        at(line, 3.0 * k)
        line.update(measure(k, 5.0 * k, 10.0**-k, 64 * 64 * 512))
    lengths = [len(left) + len(right) for left, right in line.texts()]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[-1] == len("1.0e-02")
    assert "left" in next(line.texts())[1]


def test_episodes_replicas_and_equilibria() -> None:
    line = Episodes(10, 100, 5, before=20)
    line.update(measure(4, 1.0, 0.5))
    assert next(line.texts())[0] == "episode 40 of 100  10 agents"
    assert line.share() == 0.4
    played = Replicas([1000, 10], 50)
    played.update(1000, 24)
    assert played.share() == 0.75
    found = Equilibria()
    found.update({"toll": 0.1}, 3.0)
    found.update({"toll": 0.2}, 4.0)
    assert next(found.texts())[0] == "objective 3  2 equilibria"


def test_a_callback_beside_a_line_decides() -> None:
    line = Counted("points")
    assert line.beside(None)(1, 2) is None
    assert line.beside(lambda done, points: done == points)(2, 2) is True
    assert line.number == 2


def test_what_is_left_is_told_before_details_where_there_is_little_room() -> None:
    played, counted = Replicas([10, 100], 50), Counted("points", words=lambda *_: "a long name of a game")
    for line, told in ((played, (10, 0)), (counted, (1, 100))):
        at(line, 1.0)
        line.update(*told)
        at(line, 2.0)
        line.update(told[0] + (line is counted), 1 if line is played else 100)
    assert [(left, "about" in right) for left, right in played.texts()] == [
        ("N = 10  replica 2 of 50", True), ("N = 10", True), ("N = 10", False), ("", False),
    ]  # fmt: skip
    assert [(left, "about" in right) for left, right in counted.texts()][1:3] == [
        ("2 of 100 points", True), ("2 of 100 points", False),
    ]  # fmt: skip


def test_nobody_foretells_an_end_that_is_far_beyond_what_was_seen() -> None:
    line = Solves(1e-10)
    for k, reached in enumerate((3e-5, 3e-5 * (1 - 1e-8), 3e-5 * (1 - 2e-8))):
        at(line, 1.0 + k)
        line.update(measure(k, 5.0 * k, reached))
    assert math.isnan(line.left())
    assert not any("left" in right for _, right in line.texts())
