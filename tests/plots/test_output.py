"""Pictures in files: whole or not at all; and light ones, without pyplot and the compiler."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pictured import solved
from PIL import Image

from mfgsolve import plots
from mfgsolve.errors import FileError, InputError


def test_pictures_need_neither_pyplot_nor_the_compiler() -> None:
    code = (
        "import sys, mfgsolve; before = 'matplotlib' in sys.modules; mfgsolve.plots.plan; print(before, *sys.modules)"
    )
    words = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert words[0] == "False"
    assert "matplotlib.figure" in words
    assert not {"matplotlib.pyplot", "numba"} & set(words)


def test_a_figure_shows_itself_in_a_notebook() -> None:
    assert plots.convergence(solved("cole-hopf"))._repr_png_().startswith(b"\x89PNG")


# -- files ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg", ".jpg"])
def test_saved_pictures_are_whole(tmp_path, suffix: str) -> None:
    path = plots.save(plots.plan(solved("supply-demand")), tmp_path / f"plan{suffix}")
    assert path.stat().st_size > 5000
    assert [p.name for p in tmp_path.iterdir()] == [f"plan{suffix}"]
    if suffix == ".png":
        with Image.open(path) as image:
            assert 1700 < image.width < 1900  # 12 inches at 150 dots


def test_a_failed_save_leaves_the_earlier_picture(tmp_path, monkeypatch) -> None:
    path = tmp_path / "plan.png"
    path.write_bytes(b"earlier")
    figure = plots.plan(solved("cole-hopf"))

    def fails(target, **_):
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figure, "savefig", fails)
    with pytest.raises(FileError, match="No space left"):
        plots.save(figure, path)
    assert path.read_bytes() == b"earlier"
    assert [p.name for p in tmp_path.iterdir()] == ["plan.png"]


def test_bad_outputs(tmp_path) -> None:
    figure, solution = plots.plan(solved("cole-hopf")), solved("cole-hopf")
    cases = [
        (lambda: plots.save(figure, tmp_path / "plan.pgn"), r"unknown suffix .*'\.pgn'; did you mean '\.png'"),
        (lambda: plots.save(figure, tmp_path / "plan"), r"\(none\).*allowed: \.jpg"),
        (lambda: plots.save(solution, tmp_path / "plan.png"), "save got a Solution"),
        (lambda: plots.save(figure, tmp_path / "no" / "plan.png"), "folder .* does not exist"),
        (lambda: plots.save(figure, tmp_path / "plan.png", dpi=0), "dpi is 0"),
        (lambda: plots.animate(solution, tmp_path / "plan.png"), r"allowed: \.gif, \.mp4"),
        (lambda: plots.animate(solution, tmp_path / "plan.gif", frames=1), "at least 2"),
        (lambda: plots.animate(solution, tmp_path / "plan.gif", frames=2.5), "whole number"),
        (lambda: plots.animate(solution, tmp_path / "plan.gif", fps=0), "fps is 0"),
    ]
    for call, words in cases:
        with pytest.raises(InputError, match=words):
            call()
    assert not list(tmp_path.iterdir())
