"""``python -m pydoc mfgsolve.problemfile`` says all that may stand in a problem file, and nothing else."""

from __future__ import annotations

import dataclasses
import pydoc
import re
import tomllib
from typing import Any

import pytest

import mfgsolve as mfg
from mfgsolve import problemfile
from mfgsolve.problemfile import structure, tables

PAGE = pydoc.plain(pydoc.render_doc(problemfile))
LISTING = PAGE.split("*Every key*")[1].split("Units:")[0]
KINDS: dict[str, Any] = {
    "named problem": tables.NamedProblemTable,
    "declared problem": tables.DeclaredProblem,
    "[grid]": tables.GridTable,
    "[[grid.blocked]]": tables.Corners,
    "[states]": tables.StatesTable,
    "[time]": tables.TimeTable,
    "[[population]]": tables.PopulationTable,
    "[initial]": tables.InitialTable,
    "[terminal]": tables.TerminalTable,
    "jumps": tables.JumpTable,
} | {**tables.DYNAMICS_TABLES, **structure.COUPLINGS, **structure.FIELDS}  # fmt: skip
NOT_IN_FILES = {"kernel"}  # a Python function
EXAMPLES = re.findall(r"::\n\n((?:  .*\n|\n)+)", problemfile.__doc__)


def row(title: str) -> str:
    """What the listing says after a title, in one line."""
    found = re.search(rf"^[ |]*{re.escape(title)} +((?:[^\n]|\n[ |]{{19,}})+)", LISTING, flags=re.M)
    assert found, title
    return " ".join(found[1].replace("|", " ").split())


def keys(text: str) -> dict[str, str | None]:
    """Keys, and what stands after their ``=``."""
    parts = re.findall(r"([\w]+)(?: = (\([^)]*\)|[^,]+))?(?:, |$)", text)
    return {name: value or None for name, value in parts}


@pytest.mark.parametrize("title", KINDS)
def test_every_key_is_listed_with_its_default(title):
    listed, stated = keys(row(title)), [f for f in dataclasses.fields(KINDS[title]) if f.init]
    assert set(listed) == {f.name for f in stated} - NOT_IN_FILES
    for f in stated:
        text = listed.get(f.name)
        if f.name in NOT_IN_FILES:
            continue
        needed = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        assert (text is None) == needed, f.name
        if text is not None and not text.startswith("("):
            assert tomllib.loads(f"value = {text}")["value"] == f.default, f.name


def test_every_kind_of_the_reader_is_in_the_listing():
    for title in (*tables.DYNAMICS_TABLES, *structure.COUPLINGS, *structure.FIELDS):
        row(title)


def test_what_is_read_is_described():
    """A key that no row has is refused with the nearest spelling; one of each kind of table that a row has is not."""
    text = 'problem = "left-right"\nsteps_chosen = false'
    assert problemfile.problem_from_toml(text).name == "left-right"
    with pytest.raises(mfg.InputError, match="horizont"):
        problemfile.problem_from_toml('name = "x"\n[states]\ncount = 2\n[time]\nhorizont = 1.0')


def examples() -> list[str]:
    """The declared problems of the page that need no file beside them."""
    blocks = [block for block in EXAMPLES if re.search(r"^ +\[time\]$", block, flags=re.M)]
    return [block for block in blocks if "data =" not in block]


def test_there_are_examples():
    assert len(examples()) == 2


@pytest.mark.parametrize("block", examples())
def test_the_examples_of_the_page_are_problems(block):
    text = "\n".join(line[4:] for line in block.splitlines())
    changes = {"shape": (8, 16), "steps": 64} if "[32, 64]" in text else {}
    problem = problemfile.problem_from_toml(text, **changes)
    assert problem.time.steps == changes.get("steps", 10)
