"""What the package says of itself: one version, and a citation file that agrees with it."""

from __future__ import annotations

import ast
import re
import runpy
import tomllib
from pathlib import Path

import mfgsolve as mfg

ROOT = Path(__file__).parent.parent
VERSION = re.compile(r"\d+\.\d+\.\d+([ab]\d+|rc\d+|\.dev\d+)?")


def top_level(text: str) -> dict[str, str]:
    """Keys of a YAML file that stand at the margin, and what stands beside them."""
    return {key: value.strip().strip('"') for key, value in re.findall(r"^([a-z-]+):(.*)$", text, flags=re.M)}


def test_the_version_stands_in_one_place():
    assert VERSION.fullmatch(mfg.__version__)
    assigned = []
    for file in [*(ROOT / "mfgsolve").rglob("*.py"), *ROOT.glob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            targets = node.targets if isinstance(node, ast.Assign) else []
            assigned += [file.relative_to(ROOT).as_posix() for t in targets if getattr(t, "id", "") == "__version__"]
    assert assigned == ["mfgsolve/__init__.py"]


def test_the_build_reads_the_version_without_importing():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert "version" not in project["project"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "mfgsolve.__version__"}
    values = [
        node.value
        for node in ast.parse((ROOT / "mfgsolve/__init__.py").read_text()).body
        if isinstance(node, ast.Assign) and node.targets[0].id == "__version__"
    ]
    assert [ast.literal_eval(value) for value in values] == [
        mfg.__version__
    ]  # a literal: setuptools need not import it


def test_the_citation_file_is_whole_and_names_this_version():
    text = (ROOT / "CITATION.cff").read_text()
    keys = top_level(text)
    assert {"cff-version", "message", "title", "authors"} <= set(keys)  # what version 1.2.0 of the format requires
    allowed = {"abstract", "authors", "cff-version", "keywords", "license", "message", "title", "type", "version"}
    assert set(keys) <= allowed
    assert keys["cff-version"] == "1.2.0"
    assert keys["type"] == "software"
    assert keys["version"] == mfg.__version__
    assert re.search(r'^authors:\n  - name: "The mfgsolve developers"$', text, flags=re.M)
    assert "\t" not in text
    assert keys["license"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"]


def test_the_changes_in_the_readme_begin_with_this_version():
    changes = (ROOT / "README.md").read_text().split("\n## Changes\n")[1]
    assert re.search(r"^\*(\d+\.\d+\.\d+)\*", changes.strip()).group(1) == mfg.__version__


def test_the_reference_has_a_page_for_every_public_name():
    lines = runpy.run_path(str(ROOT / ".ci/docs/conf.py"))["_directives"]()
    shown = {line.split(":: ")[1] for line in lines if line.startswith(".. auto")}
    assert {f"mfgsolve.{name}" for name in mfg.__all__ if name != "__version__"} <= shown
    assert {"mfgsolve.problemfile", "mfgsolve.files", "mfgsolve.solvers.Newton", "mfgsolve.problems.braess"} <= shown
