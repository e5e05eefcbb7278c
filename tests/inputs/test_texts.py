"""Names and paths of users: letter by letter in pictures, harmless on terminals, refused where no file holds them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from command_line import refused, run
from matplotlib.figure import Figure
from matplotlib.text import Text

import mfgsolve as mfg
from mfgsolve.command.speaking import _printable
from mfgsolve.inputs.texts import cut, one_line, visible
from mfgsolve.plots.reading import words

ODD = ["a$b", "$x^2$", "$\\frac{1", "_hidden", "50 % ^ & # {", "\\alpha $"]
ESCAPE = "\x1b[31mred"


def solved(names: list[str], **also: object) -> mfg.Solution:
    """Two states, two actions, two populations, all with these names."""
    swap = np.eye(2)[::-1]
    game = mfg.Problem(
        grid=mfg.Populations(names[:2], mfg.States(names[2:4])),
        time=mfg.TimeGrid(2, 2, unit="$h$"),
        dynamics=[mfg.Tabular([np.eye(2), swap], cost=[[0, 0], [0.1, 0.1]], actions=names[4:6])] * 2,
        coupling=mfg.CrowdAversion(1.0),
        initial=np.array([[1.0, 0.0], [0.5, 0.5]]),
        **{"name": "a & $b$", **also},  # type: ignore[arg-type]
    )
    return mfg.solve(game, check="ignore")


def texts(figure: Figure) -> str:
    """All that a figure shows, after it was drawn."""
    figure.canvas.draw()
    return "\n".join(text.get_text().replace(r"\$", "$") for text in figure.findobj(Text))


@pytest.mark.slow
def test_every_picture_shows_names_letter_by_letter(tmp_path: Path) -> None:
    plan = solved(ODD)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in ("plan", "value", "policy", "convergence"):
            figure = getattr(mfg.plots, kind)(plan)
            mfg.plots.save(figure, tmp_path / f"{kind}.svg")
            assert "a & $b$" in texts(figure), kind
            assert kind == "convergence" or ODD[0] in texts(figure), kind
            assert not any(is_formula(text) for text in figure.findobj(Text) if "$b" in text.get_text())
        shown = texts(mfg.plots.plan(plan))
        assert all(name in shown for name in ODD[:4])
        shown = texts(mfg.plots.policy(plan))
        assert all(name in shown for name in ODD[4:6])
        assert "time t ($h$)" in shown
        mfg.plots.animate(plan, tmp_path / "film.gif", frames=2)
        compared = mfg.compare(plan, agents=[5, 50], replicas=2)
        assert ODD[1] in texts(mfg.plots.agents(compared))


def is_formula(text: Text) -> bool:
    return bool(text._preprocess_math(text.get_text())[1] is True)  # type: ignore[attr-defined]


def test_labels_of_runs_and_names_in_a_legend() -> None:
    plan = mfg.solve(mfg.problems.linear_quadratic(shape=(8,), steps=8), check="ignore")
    figure = mfg.plots.convergence({"_mine$": plan, ESCAPE: plan, "x" * 500: plan})
    shown = texts(figure)
    assert "_mine$" in shown
    assert "\\x1b[31mred" in shown
    assert "\x1b" not in shown
    assert "x" * 100 not in shown
    assert len(figure.legends[0].get_texts()) >= 3


def test_a_picture_is_never_set_by_latex(tmp_path: Path) -> None:
    with mpl.rc_context({"text.usetex": True}):
        mfg.plots.save(mfg.plots.plan(solved(ODD)), tmp_path / "plan.png")


def test_words() -> None:
    assert words("a$b") == r"a\$b"
    assert words("_a") == "\N{THIN SPACE}_a"
    assert words("a\nb\x00\u202e") == "a\\nb\\x00\\u202e"
    assert len(words("n" * 10_000)) <= 60


def test_what_a_terminal_would_act_on_is_written_out() -> None:
    assert visible("a\x1b[2J\x9b\x07\r\n\u202e\u2066\u2028\ud800b") == (
        "a\\x1b[2J\\x9b\\x07\\x0d\\n\\u202e\\u2066\\u2028\\ud800b"
    )
    assert visible("a\nb\tc é 中", lines=True) == "a\nb\tc é 中"
    assert cut("x" * 10) == "x" * 10
    assert len(cut("x" * 10_000)) == 200
    assert cut("a" * 300 + "z", 10).startswith("aaa")
    assert cut("a" * 300 + "z", 10).endswith("z")


@pytest.mark.parametrize("bad", ["nul\0", "half\ud800", "two\nlines", ESCAPE])
def test_names_that_no_file_holds_are_refused_before_the_solve(bad: str) -> None:
    with pytest.raises(mfg.InputError, match="which holds the character") as caught:
        one_line(bad, "name")
    assert "\x1b" not in str(caught.value)
    good = ["p", "q", "s", "t", "u", "v"]
    for k, what in enumerate(("population", "population", "state", "state", "action", "action")):
        with pytest.raises(mfg.InputError, match=f"name of an? {what} is .* which holds the character"):
            solved([*good[:k], bad, *good[k + 1 :]])
    for also, what in (
        ({"source": bad.replace("\n", "\x07")}, "source of the problem"),
        ({"name": bad}, "name of the"),
    ):
        with pytest.raises(mfg.InputError, match=what):
            solved(good, **also)
    with pytest.raises(mfg.InputError, match="unit of time"):
        mfg.problems.beach_bar(shape=(6,), steps=4).__class__(
            grid=mfg.Grid.box((4,)), time=mfg.TimeGrid(1.0, 4, unit=bad), dynamics=mfg.ControlledDiffusion(0.1),
            coupling=0.0, initial=1.0,
        )  # fmt: skip


def test_no_control_character_of_a_file_or_a_path_reaches_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small = ["--shape", "6", "--steps", "4"]
    run("solve", "beach-bar", *small, "-o", "plan.nc")
    stored = xr.load_dataset("plan.nc", engine="h5netcdf", decode_times=False)
    kept = {name: value for name, value in stored.attrs.items() if name not in ("seal", "sealed")}
    stored.attrs = kept | {"name": ESCAPE + "\nError: false", "problem": f"x = 1\n# {ESCAPE}", "created": "\x9b"}
    stored.to_netcdf("odd.nc", engine="h5netcdf")
    shown = run("show", "odd.nc").stdout
    assert "\x1b" not in shown
    assert "\x9b" not in shown
    assert "\\x1b[31mred\\nError: false" in shown
    assert "x = 1\n# \\x1b[31mred" in shown
    path = f"{ESCAPE}.nc"
    assert "Wrote \\x1b[31mred.nc" in run("solve", "beach-bar", *small, "-o", path).stdout
    assert Path(path).exists()
    for words_ in (["show", "gone" + ESCAPE], ["solve", ESCAPE], ["solve", ESCAPE + ".toml"], ["list", ESCAPE],
                   ["solve", "beach-bar", "--solver", ESCAPE], ["solve", "beach-bar", "--" + ESCAPE],
                   ["solve", "beach-bar", ESCAPE], [ESCAPE], ["solve", "beach-bar", *small, "--set", ESCAPE + "=1"],
                   ["solve", "beach-bar", "-o", ESCAPE],
                   ["plot", "plan.nc", "-o", "x.png", "--kind", ESCAPE]):  # fmt: skip
        assert "\x1b" not in refused(*words_), words_


@pytest.mark.parametrize("word", ["a" * 6000, "a" * 6000 + ".nc", "nul\0.nc", "half\ud800.nc"])
def test_paths_that_are_none(word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for line in (["show", word], ["solve", word], ["resume", word], ["compare", word], ["plot", word, "-o", "x.png"],
                 ["animate", word, "-o", "x.gif"], ["solve", "beach-bar", "--start", word],
                 ["solve", "beach-bar", "-o", word], ["solve", "beach-bar", "--checkpoint", word]):  # fmt: skip
        assert len(refused(*line)) < 3000
    for act in (mfg.load, mfg.resume, mfg.read_problem, mfg.solve(solved_small()).save):
        with pytest.raises(mfg.FileError):
            act(word)
    with pytest.raises(mfg.InputError):
        mfg.plots.save(mfg.plots.plan(solved(["p", "q", "s", "t", "u", "v"])), word)


def solved_small() -> mfg.Problem:
    return mfg.problems.beach_bar(shape=(6,), steps=4)


def test_swapped_arguments_and_impossible_pictures(tmp_path: Path) -> None:
    figure = mfg.plots.plan(solved(["p", "q", "s", "t", "u", "v"]))
    with pytest.raises(mfg.InputError, match="the figure comes first"):
        mfg.plots.save(tmp_path / "x.png", figure)  # type: ignore[arg-type]
    for path, dpi, sentence in (
        ("x.webp", 150, "unknown suffix of a picture"),
        (3, 150, "output is 3 .int.; a path is needed"),
        ("x.png", float("nan"), "dpi is nan"),
        ("x.png", "much", "dpi is 'much'"),
        ("x.png", 1e7, "cannot be drawn with 1e.07 dots"),
        ("nowhere/x.png", 150, "the folder .* does not exist"),
    ):
        with pytest.raises(mfg.InputError, match=sentence):
            mfg.plots.save(figure, path, dpi=dpi)  # type: ignore[arg-type]


EACH_IN_A_CHILD = """
import json, os, sys
from mfgsolve.command.application import main
for words, code in json.loads(sys.argv[1]):
    child = os.fork()
    if child == 0:
        sys.argv = ["mfgsolve", *(os.fsdecode(bytes.fromhex(word)) for word in words)]
        main()
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert ended == code, (sys.argv, ended)
"""


@pytest.mark.slow
@pytest.mark.parametrize("environment", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}])
def test_streams_that_know_ascii_alone(environment: dict[str, str], tmp_path: Path) -> None:
    """Each command in a child of one process, which has imported what all of them need."""
    (tmp_path / "p.toml").write_text('problem = "beach-bar"\nshape = [6]\nsteps = 4\n', encoding="utf-8")
    (tmp_path / "caf\u00e9.toml").write_text("x = é", encoding="utf-8")
    commands: list[tuple[list[str | bytes], int]] = [
        (["solve", "p.toml"], 0), (["solve", "caf\u00e9.toml"], 2), (["--help"], 0),
        (["solve", "p.toml", "--set", b"temperature=\xff"], 2), (["show", b"\xff\xfe.nc"], 2),
    ]  # fmt: skip
    told = json.dumps([([os.fsencode(word).hex() for word in words_], code) for words_, code in commands])
    done = subprocess.run(
        [sys.executable, "-c", EACH_IN_A_CHILD, told], capture_output=True, timeout=120, cwd=tmp_path,
        env=os.environ | environment | {"PYTHONPATH": str(Path(mfg.__file__).parents[1])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stderr.count(b"Error: ") == 3


def test_what_a_stream_cannot_show_has_a_plain_form() -> None:
    class Stream:
        encoding = "ascii"

    assert _printable("cost 1 \N{PLUS-MINUS SIGN} 2 é", Stream()) == "cost 1 +- 2 ?"
    Stream.encoding = "utf-8"
    assert _printable("cost 1 \N{PLUS-MINUS SIGN} 2 é", Stream()) == "cost 1 \N{PLUS-MINUS SIGN} 2 é"
