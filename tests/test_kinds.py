"""What differs by kind of dynamics is a verb of the step or of the dynamics: nobody else asks which kind there is."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import mfgsolve as mfg
from mfgsolve import dynamics, steps
from mfgsolve.dynamics import Dynamics
from mfgsolve.steps import Factor, Policy, Step

PACKAGE = Path(mfg.__file__).parent
ROOTS = (Dynamics, Step, Policy, Factor)  # whether something is a step at all may be asked
HOMES = {"games", "dynamics", "steps"}
# 0.4.0 told diffusions by their words and finite games by their tables: its digest can be made in no other way
READERS_OF_EARLIER_FILES = {"earlier/fingerprint.py"}
# the flag itself: what a problem may mix, and a solver's tables that one thread factors faster than two
ASK_FOR_TABLES = {"problem.py", "solvers/blas.py", *READERS_OF_EARLIER_FILES}


def kinds() -> set[str]:
    """Names of all classes of dynamics, steps, policies and factors that the two packages have."""
    names = set()
    for package in (dynamics, steps):
        for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, type) and issubclass(value, ROOTS) and value not in ROOTS:
                    names.add(value.__name__)
    return names


KINDS = kinds()


def _mentioned(node: ast.AST, known: set[str]) -> bool:
    """Whether an expression names a kind: itself, in a tuple, in a union, as an attribute of its module."""
    return any(
        (isinstance(part, ast.Name) and part.id in known) or (isinstance(part, ast.Attribute) and part.attr in KINDS)
        for part in ast.walk(node)
    )


def _known(tree: ast.AST) -> set[str]:
    """What kinds are called in a file: imported as something else, or put into a tuple of a name."""
    known = set(KINDS)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            known |= {alias.asname or alias.name for alias in node.names if alias.name in KINDS}
    for node in ast.walk(tree):
        plain = isinstance(node, ast.Assign) and isinstance(
            node.value, ast.Name | ast.Attribute | ast.Tuple | ast.BinOp
        )
        if plain and _mentioned(node.value, known):
            known |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return known


def _is_class_of_something(node: ast.AST) -> bool:
    """type(x), x.__class__, and the name of either."""
    if isinstance(node, ast.Attribute) and node.attr in ("__name__", "__qualname__"):
        return _is_class_of_something(node.value)
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "type"
    return called or (isinstance(node, ast.Attribute) and node.attr == "__class__")


def questions(text: str) -> Iterator[int]:
    """Lines of a file that ask which kind something is."""
    tree = ast.parse(text)
    known = _known(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 2:
            if node.func.id in ("isinstance", "issubclass") and _mentioned(node.args[1], known):
                yield node.lineno
        elif isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            names = any(isinstance(part, ast.Constant) and part.value in KINDS for s in sides for part in ast.walk(s))
            if any(map(_is_class_of_something, sides)) and (names or any(_mentioned(side, known) for side in sides)):
                yield node.lineno
        elif isinstance(node, ast.MatchClass) and _mentioned(node.cls, known):
            yield node.cls.lineno


def _files() -> Iterator[tuple[str, str]]:
    """Path and text of every file outside the homes of the kinds."""
    for file in sorted(PACKAGE.rglob("*.py")):
        if file.relative_to(PACKAGE).parts[0] not in HOMES:
            yield file.relative_to(PACKAGE).as_posix(), file.read_text()


def test_the_kinds_are_those_that_there_are():
    some = {
        "ControlledDiffusion",
        "LatticeMoves",
        "Tabular",
        "SpeedStep",
        "TableStep",
        "SpeedPolicy",
        "TablePolicy",
        "Noise",
    }
    assert some <= KINDS
    assert not {"Dynamics", "Step", "Policy", "Factor", "Grid", "Game"} & KINDS


def test_nobody_asks_which_kind_dynamics_steps_and_policies_are():
    asked = {place: lines for place, text in _files() if (lines := list(questions(text)))}
    assert set(asked) <= READERS_OF_EARLIER_FILES, asked


def test_nobody_asks_for_tables_who_does_not_need_them():
    asked = {
        place
        for place, text in _files()
        if any(isinstance(node, ast.Attribute) and node.attr == "has_tables" for node in ast.walk(ast.parse(text)))
    }
    assert asked <= ASK_FOR_TABLES, asked


@pytest.mark.parametrize(
    "text",
    [
        "isinstance(x, TablePolicy)",
        "isinstance(x, (Grid, LatticeMoves))",
        "isinstance(x, Grid | Tabular)",
        "issubclass(kind, SpeedStep)",
        "isinstance(x, speed_policies.MovingPolicy)",
        "from mfgsolve.dynamics import ControlledDiffusion as Moving\nisinstance(x, Moving)",
        "FINITE = (LatticeMoves, Tabular)\nisinstance(x, FINITE)",
        "type(x) is TableStep",
        "x.__class__ in (TableStep, SpeedStep)",
        "type(x).__name__ == 'LatticeMoves'",
        "match x:\n    case ControlledDiffusion(viscosity=0):\n        pass",
    ],
)
def test_a_planted_question_is_seen(text):
    assert len(list(questions(text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "isinstance(x, Grid)",
        "isinstance(x, Dynamics)",
        "TablePolicy(array)",
        "dynamics=Tabular(matrices)",
        "name == 'Tabular'",
        "type(x) is type(y)",
        "def f(policy: TablePolicy) -> SpeedStep: ...",
    ],
)
def test_what_asks_no_kind_is_let_be(text):
    assert list(questions(text)) == []
