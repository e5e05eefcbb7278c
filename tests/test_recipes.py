"""The recipes that the README names for developers: each is run as written, by itself."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path

import pytest

from mfgsolve.problems import registry

RECIPES = sorted(path for path in (Path(__file__).parent / "recipes").glob("*.py") if path.name != "conftest.py")
README = (Path(__file__).parent.parent / "README.md").read_text()


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_works(path, monkeypatch):
    monkeypatch.setattr(registry, "_NAMED", dict(registry._NAMED))  # what it enters in the list is forgotten after it
    runpy.run_path(str(path))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_says_what_it_is_and_checks_what_it_does(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree).startswith("Add a")
    assert any(isinstance(node, ast.Assert) for node in tree.body)
    assert f"(tests/recipes/{path.name})" in README
