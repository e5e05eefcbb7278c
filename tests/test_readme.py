"""The README does what it says: every Python block, problem file and console line is run as written."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import pytest

import mfgsolve as mfg
from mfgsolve.solvers.table import markdown

README = Path(__file__).parent.parent / "README.md"
TEXT = README.read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, flags=re.M | re.S)


@pytest.mark.parametrize("code", blocks("python"))
def test_python_blocks_run(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mpl.use("Agg")
    exec(compile(code, "README.md", "exec"), {})


@pytest.mark.parametrize("text", blocks("toml"))
def test_problem_files_solve(text, tmp_path):
    file = tmp_path / "my-problem.toml"
    file.write_text(text)
    problem = mfg.read_problem(file, **({"shape": (16, 32), "steps": 128} if "[grid]" in text else {}))
    assert mfg.solve(problem).converged


def test_console_lines_run(tmp_path):
    for line in "\n".join(blocks("console")).splitlines():
        words = shlex.split(line)
        assert words[0] == "mfgsolve"
        done = subprocess.run([sys.executable, "-m", *words], cwd=tmp_path, capture_output=True, text=True)
        wanted = 3 if "--max-iterations" in words else 0
        assert done.returncode == wanted, f"{line}\n{done.stderr}"
        assert done.stderr == ""


def test_the_table_of_solvers_is_what_the_solvers_say():
    found = TEXT.split("<!-- solvers -->\n")[1].split("\n<!-- end of solvers -->")[0]
    assert found == markdown()  # python -m mfgsolve.solvers.table


def test_every_link_points_to_a_file():
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        assert (README.parent / target).exists(), target
