"""The README does what it says: every Python block, problem file and console line is run as written."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path

import matplotlib as mpl
import pytest
from command_line import run

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


SMALLER = {  # what makes a line long, and what does the same sooner
    "--shape 32x32 --steps 256": "--shape 12x12 --steps 128",
    "--agents 10,100,1000 --replicas 20": "--agents 10,100 --replicas 2",
    "--agents 1000 --episodes 300": "--agents 100 --episodes 20",
    "--max-iterations 12": "--max-iterations 1",
}


@pytest.mark.parametrize("sizes", ["smaller", pytest.param("as written", marks=pytest.mark.slow)])
def test_console_lines_run(sizes, tmp_path, monkeypatch):
    """Inside this process, which imports and loads kernels once; `tests/command` runs the command as a process."""
    monkeypatch.chdir(tmp_path)
    lines = "\n".join(blocks("console"))
    for words, fewer in SMALLER.items() if sizes == "smaller" else ():
        assert words in lines
        lines = lines.replace(words, fewer)
    for line in lines.splitlines():
        name, *words = shlex.split(line)
        assert name == "mfgsolve"
        done = run(*words, code=3 if "--max-iterations" in words else 0)
        assert done.stderr == "", line


def test_the_table_of_solvers_is_what_the_solvers_say():
    found = TEXT.split("<!-- solvers -->\n")[1].split("\n<!-- end of solvers -->")[0]
    assert found == markdown()  # python -m mfgsolve.solvers.table


def test_it_is_short_and_its_first_lines_are_as_many_as_it_says() -> None:
    code = TEXT.split("## Twelve lines")[1].split("```")[1].removeprefix("python")
    assert len([line for line in code.splitlines() if line.strip()]) == 12
    assert len(TEXT.splitlines()) <= 350
    prose = [line for line in TEXT.splitlines() if not line.startswith(("|", "!["))]
    assert max(map(len, prose)) <= 130
    consoles = [block.split("```")[0] for block in TEXT.split("```console\n")[1:]]
    assert max(len(block.splitlines()) for block in consoles) <= 8


@pytest.mark.parametrize("page", [README, README.parent / "benchmarks/README.md"], ids=["front door", "benchmarks"])
def test_every_link_points_to_a_file(page):
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_it_is_a_front_door():
    assert len(TEXT.splitlines()) <= 350
    doors = TEXT.split("## A game of your own")[1].split("## Which solver")[0]
    for code in re.findall(r"^```\w+\n(.*?)^```", doors, flags=re.M | re.S):
        assert len([line for line in code.splitlines() if line and not line.startswith(("import", "from"))]) <= 8


def test_every_page_that_is_named_is_there():
    for name in re.findall(r"python -m pydoc ([\w.]+)", TEXT):
        assert (importlib.import_module(name).__doc__ or "").strip(), name


def test_measurements_name_a_benchmark_and_a_version():
    sections = (README.parent / "benchmarks/README.md").read_text().split("\n## ")[1:]
    files = {path.name for path in (README.parent / "benchmarks").glob("*.py")} - {
        "measure.py",
        "limits.py",
    }  # helpers of others
    named = set()
    for section in sections:
        found = re.findall(r"`python benchmarks/(\w+\.py)`", section)
        assert found, section.split("\n")[0]
        assert re.search(r"[Vv]ersion\s0\.\d+\.\d", section), section.split("\n")[0]
        named |= set(found)
    assert named == files
