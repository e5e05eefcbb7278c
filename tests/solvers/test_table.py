"""The table of solvers: a row for every class of game, one default in each, made by asking."""

from mfgsolve.solvers import SOLVERS, suited
from mfgsolve.solvers.table import CLASSES, markdown


def test_rows_say_what_the_solvers_say():
    head, line, *rows = markdown().splitlines()
    names = [cell.strip(" `") for cell in head.strip("| ").split("|")][1:]
    assert names == list(SOLVERS.own)
    assert set(line) <= set("|-: ")
    assert len(rows) == len(CLASSES)
    for row, (title, build) in zip(rows, CLASSES.items(), strict=True):
        label, *marks = [cell.strip() for cell in row.strip().removeprefix("|").removesuffix("|").split("|")]
        assert label == title
        best, *others = suited(build())
        assert marks[names.index(best)] == "**yes**"
        assert {name for name, mark in zip(names, marks, strict=True) if mark == "yes"} == set(others)


def test_defaults_of_a_few_classes():
    first = {title: suited(build())[0] for title, build in CLASSES.items()}
    assert first["controlled diffusion"] == "newton"
    assert first["... coupling without derivative"] == "frank-wolfe"
    assert first["finite, sharp, potential"] == "interior-point"
    assert first["controlled diffusion, final density given or capped"] == "planning"
    assert first["finite, sharp, final density given"] == "interior-point"
    assert first["finite, sharp, no potential"] == "complementarity"
    assert first["finite, temperature > 0, capacity or bounded price"] == "interior-point"
