"""Pictures from the command line: all options of pictures are there, and faults are sentences."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command_line import refused, run
from commands import FLAGSHIP
from PIL import Image

from mfgsolve.command.drawing import KINDS, read_style, read_times
from mfgsolve.command.progress import Counted, Steps
from mfgsolve.errors import InputError
from mfgsolve.plots import KINDS as ALL


@pytest.mark.slow
def test_a_picture_has_the_width_times_and_words_that_are_asked_for(folder: Path) -> None:
    run(*FLAGSHIP, "-o", "plan.nc")
    words = ["--times", "0,0.5,1", "--width", "3.5", "--dpi", "200", "--no-certificate", "--label", "x=east"]
    assert run("plot", "plan.nc", "-o", "plan.png", *words).stdout == "Wrote plan.png.\n"
    with Image.open("plan.png") as image:
        assert image.width == 700
    run("plot", "plan.nc", "-o", "plan.svg", *words, "--title", "Where they are", "--no-legend", "--style", "ggplot")
    text = Path("plan.svg").read_text(encoding="utf-8")
    told = re.findall(r">([^<>]+)</text>", text)
    assert {"east", "t = 0.5", "Where they are"} <= set(told)
    assert "x" not in told
    assert any(word.startswith("warning") for word in told)  # of too few steps: it stands whatever is left out
    assert not any("exploitability" in word or "demand now" in word for word in told)
    run("plot", "plan.nc", "-o", "c.pdf", "--kind", "convergence", "--stages", "--width", 7)
    assert b"/CIDFontType2" in Path("c.pdf").read_bytes()
    run("animate", "plan.nc", "-o", "plan.gif", "--frames", 2, "--width", 4, "--dpi", 50, "--title", "film")
    with Image.open("plan.gif") as film:
        assert film.width == 200
    for extra, sentence in (
        (["--times", "0,later"], "--times '0,later' are no numbers; write --times 0,0.5,1"),
        (["--times", "0,3"], "outside"),
        (["--width", "50000"], "2 to 100"),
        (["--label", "x"], "--label 'x' names nothing"),
        (["--label", "xx=east"], "unknown label in the picture 'xx'"),
        (["--style", "gplot"], "did you mean 'ggplot'"),
        (["--slice", "z=0.5"], "is for three axes"),
        (["--slice", "z=high"], "a number is needed"),
        (["--stages"], "unknown option of plots.plan 'stages'"),
    ):
        assert sentence in refused("plot", "plan.nc", "-o", "p.png", *extra)


def test_words_become_options() -> None:
    assert read_times("0, 0.5,1") == [0.0, 0.5, 1.0]
    assert read_style(None, None, None, False, False, None, None) == {}
    given = read_style(3.5, "", ["x=east", "a b=c=d"], True, True, ["ggplot"], "z=0.5")
    assert given == {
        "width": 3.5, "title": "", "labels": {"x": "east", "a b": "c=d"}, "certificate": False, "legend": False,
        "style": ["ggplot"], "slice": {"z": 0.5},
    }  # fmt: skip
    with pytest.raises(InputError, match="names nothing"):
        read_style(None, None, ["=east"], False, False, None, None)
    assert set(KINDS) == set(ALL)


def test_a_kind_is_of_solutions_alone(folder: Path) -> None:
    run("solve", "left-right", "--set", "temperature=0.3", "-o", "plan.nc")
    run("compare", "plan.nc", "--agents", "5", "--replicas", 1, "-o", "compare.nc")
    assert "this result has one picture" in refused("plot", "compare.nc", "-o", "c.png", "--kind", "value")


def test_a_picture_that_takes_its_time_says_what_is_being_done(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("solve", "left-right", "--set", "temperature=0.3", "-o", "plan.nc")
    steps: list[tuple[str, float]] = []
    begun, entered = Steps.next, Steps.__enter__

    def noted(line: Steps) -> None:
        begun(line)
        steps.append((line.doing, line.share()))

    def opened(line: Steps) -> Steps:
        steps.append((line.doing, line.share()))
        return entered(line)

    monkeypatch.setattr(Steps, "next", noted)
    monkeypatch.setattr(Steps, "__enter__", opened)
    run("plot", "plan.nc", "-o", "plan.png")
    assert [words for words, _ in steps] == ["reading plan.nc", "drawing", "writing plan.png"]
    assert [share for _, share in steps] == pytest.approx([0.0, 1 / 3, 2 / 3])
    assert not Steps.at_once  # where it is quick, nothing flickers


def test_a_film_counts_its_pictures_and_takes_words(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("solve", "left-right", "--set", "temperature=0.3", "-o", "plan.nc")
    counted: list[str] = []
    monkeypatch.setattr(Counted, "update", lambda line, *told: counted.append("{} of {}".format(*told)))
    run("animate", "plan.nc", "-o", "plan.gif", "--frames", 3, "--dpi", 40, "--label", "left=west")
    assert counted == ["1 of 3", "2 of 3", "3 of 3"]
    assert "did you mean 'left'" in refused("animate", "plan.nc", "-o", "plan.gif", "--label", "lfet=west")
