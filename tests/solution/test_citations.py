"""What solutions ask to be cited: every solver and every named problem has a source that can be found."""

from __future__ import annotations

import re

import pytest

import mfgsolve as mfg
from mfgsolve import problems
from mfgsolve.methods import LEARNERS, SOLVERS
from mfgsolve.solution.citations import citation, source_lines, sources

DOI = re.compile(r"10\.\d{4,9}/[^\s;,]+")
ARXIV = re.compile(r"\d{4}\.\d{4,5}")


@pytest.fixture(scope="module")
def solution():
    return mfg.solve(problems.left_right(), method="fictitious-play", tol=1e-3)


def identifiers(source: str) -> list[str]:
    return re.findall(r"\b(?:doi|arXiv):(\S+?)(?=[,;.)]?(?:\s|$))", source)


@pytest.mark.parametrize("kind", [*SOLVERS.values(), *LEARNERS.values()])
def test_every_solver_and_learner_names_papers(kind):
    parts = kind.source.split("; ")
    for part in parts:
        (mark,) = identifiers(part)
        assert DOI.fullmatch(mark) or ARXIV.fullmatch(mark), part


@pytest.mark.parametrize("name", problems.names())
def test_every_named_problem_has_a_source(name):
    source = problems.get(name).source
    assert source
    for mark in identifiers(source):
        assert DOI.fullmatch(mark) or ARXIV.fullmatch(mark), source


def test_a_solution_cites_the_software_its_solver_and_its_problem(solution):
    assert solution.cite() == (
        f"Software: mfgsolve {mfg.__version__}, The mfgsolve developers.\n"
        "Solver fictitious-play: Cardaliaguet and Hadikhanloo, Learning in mean field games: the fictitious play, "
        "arXiv:1507.06280; Perrin et al., Fictitious play for mean field games, arXiv:2007.03458.\n"
        "Problem left-right: Cui and Koeppl, Approximately solving mean field games via entropy-regularized deep "
        "reinforcement learning, arXiv:2102.01585."
    )


def test_a_file_is_cited_as_the_solution_that_it_holds(solution, tmp_path):
    assert mfg.load(solution.save(tmp_path / "plan.nc")).cite() == solution.cite()


def test_all_solvers_that_ran_are_cited_in_their_order():
    stages = ("newton", "frank-wolfe")
    attrs = {"solver": "frank-wolfe", "stages": ", ".join(stages), "name": "mine",
             "solver_source": source_lines((name, SOLVERS[name].source) for name in stages)}  # fmt: skip
    assert sources(attrs) == [
        ("Solver", "newton", SOLVERS["newton"].source),
        ("Solver", "frank-wolfe", SOLVERS["frank-wolfe"].source),
        ("Problem", "mine", ""),
    ]
    assert citation(attrs).split("\n")[-1] == "Problem mine: no source is stated."


def test_the_default_records_the_sources_of_its_stages():
    solved = mfg.solve(problems.left_right())
    used = [line for line in solved.cite().split("\n") if line.startswith("Solver ")]
    names = solved.dataset.attrs["stages"].split(", ")
    assert used == [f"Solver {name}: {SOLVERS[name].source}." for name in names]


def test_a_file_of_an_earlier_version_says_that_no_source_is_stated():
    lines = citation({"solver": "newton", "name": "supply-demand", "mfgsolve_version": "0.4.0"}).split("\n")
    assert lines[:2] == ["Software: mfgsolve 0.4.0, The mfgsolve developers.", "Solver newton: no source is stated."]


def test_bibtex_has_an_entry_for_every_paper(solution):
    text = solution.cite("bibtex")
    keys = re.findall(r"^@misc\{([A-Za-z0-9-]+),$", text, flags=re.M)
    assert keys == ["mfgsolve", "fictitious-play-1", "fictitious-play-2", "left-right-1"]
    assert text.count("{") == text.count("}")
    assert "  eprint = {1507.06280},\n  archiveprefix = {arXiv},\n" in text
    assert f"  version = {{{mfg.__version__}}},\n" in text


def test_bibtex_takes_the_same_paper_once_and_escapes_what_latex_would_read():
    paper = "Author & Co., Costs of 5% {more}_here, doi:10.1007/978-3-642-14660-2_3"
    attrs = {"stages": "a", "solver_source": f"a: {paper}", "name": "mfglib:beach_bar", "source": paper}
    text = citation(attrs, "bibtex")
    assert text.count("doi = {10.1007/978-3-642-14660-2_3}") == 1
    assert r"note = {Author \& Co., Costs of 5\% \{more\}\_here," in text


def test_an_unknown_style_is_refused(solution):
    with pytest.raises(mfg.InputError, match="bibtex"):
        solution.cite("bibtext")
