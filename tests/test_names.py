"""Every module has a test that is found by its name, and no file of tests is a warehouse.

The rule, for a module ``mfgsolve/room/.../module.py``:

- its test is ``tests/room/test_module.py`` or ``tests/room/test_module_topic.py``, in the folder of the outermost room
  or in one beneath; the test of a module of the top level, ``mfgsolve/module.py``, may stand in any folder of tests;
- a file belongs to one module alone: of those in the folder's room, or else of those of the top level, to the one with
  the longest name that fits (``tests/dynamics/test_lattice_matrices.py`` is no test of ``dynamics/lattice.py``);
- underscores around a name do not count: ``tests/test_main.py`` for ``mfgsolve/__main__.py``;
- ``__init__.py`` needs none, nor does a module that only declares: one with no function in it whose body does anything.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

import mfgsolve as mfg

PACKAGE = Path(mfg.__file__).parent
TESTS = Path(__file__).parent
LONGEST = 420


def declares_only(tree: ast.AST) -> bool:
    """Whether no function in a module does anything but say what it is for, or that it is not there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Lambda):
            return False
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for line in node.body:
                word = isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)  # a docstring, or ...
                absent = isinstance(line, ast.Raise) and line.exc is not None and "NotImplemented" in ast.dump(line.exc)
                if not (word or absent or isinstance(line, ast.Pass)):
                    return False
    return True


@cache
def modules_to_test(package: Path) -> set[str]:
    """Modules that need a test, as paths without suffix: "steps/speeds"."""
    files = [file for file in package.rglob("*.py") if file.name != "__init__.py"]
    needed = [file for file in files if not declares_only(ast.parse(file.read_text()))]
    return {file.relative_to(package).with_suffix("").as_posix() for file in needed}


def belongs_to(test: str, modules: set[str]) -> str | None:
    """The module whose test a file is, by its path "steps/test_speeds_uneven.py" alone."""
    *folder, file = test.split("/")
    name = file.removeprefix("test_").removesuffix(".py")
    room = [module for module in modules if "/" in module and module.split("/")[0] == (folder or [""])[0]]
    for among in (room, [module for module in modules if "/" not in module]):
        fits = {}
        for module in among:
            own = module.split("/")[-1].strip("_")
            if name == own or name.startswith(own + "_"):
                fits[len(own)] = module
        if fits:
            return fits[max(fits)]
    return None


def files_of_tests(tests: Path) -> set[str]:
    return {file.relative_to(tests).as_posix() for file in tests.rglob("test_*.py")}


def untested(package: Path, tests: Path) -> set[str]:
    """Modules without a test of their name."""
    needed = modules_to_test(package)
    return needed - {belongs_to(file, needed) for file in files_of_tests(tests)}


def too_long(tests: Path) -> set[str]:
    long = [file for file in tests.rglob("*.py") if len(file.read_text().splitlines()) > LONGEST]
    return {file.relative_to(tests).as_posix() for file in long}


def folders_that_are_no_package(tests: Path) -> set[str]:
    """Folders whose files of tests pytest would import by their bare names, which collide."""
    folders = {file.parent for file in tests.rglob("test_*.py")}
    return {folder.relative_to(tests).as_posix() for folder in folders if not (folder / "__init__.py").exists()}


def test_every_module_has_a_test_of_its_name():
    assert untested(PACKAGE, TESTS) == set()


def test_two_modules_of_a_room_have_two_names():
    needed = sorted(modules_to_test(PACKAGE))
    names = [(module.split("/")[0] if "/" in module else "", module.split("/")[-1]) for module in needed]
    assert len(set(names)) == len(names)


def test_no_file_of_tests_is_a_warehouse():
    assert too_long(TESTS) == set()


def test_every_folder_of_tests_is_a_package():
    assert folders_that_are_no_package(TESTS) == set()


@pytest.mark.parametrize(
    ("file", "module"),
    [
        ("room/test_work.py", "room/work"),
        ("room/test_work_at_night.py", "room/work"),
        ("room/test_work_late.py", "room/work_late"),
        ("room/test_works.py", None),
        ("room/test_deep.py", "room/inner/deep"),
        ("room/inner/test_deep.py", "room/inner/deep"),
        ("test_work.py", "work"),
        ("other/test_work.py", "work"),  # no module of its own room has the name
        ("test_main.py", "__main__"),
        ("other/test_deep.py", None),
    ],
)
def test_a_file_belongs_to_the_module_it_is_named_after(file, module):
    assert belongs_to(file, {"room/work", "room/work_late", "room/inner/deep", "work", "__main__"}) == module


@pytest.mark.parametrize(
    ("code", "declares"),
    [
        ("LIMIT = 3\n", True),
        ("class Protocol:\n    def verb(self):\n        '''What it does.'''\n", True),
        ("class Base:\n    def verb(self):\n        raise NotImplementedError('verb')\n", True),
        ("def verb(): ...\n", True),
        ("def one():\n    return 1\n", False),
        ("one = lambda: 1\n", False),
        ("def refuse():\n    raise ValueError('no')\n", False),
    ],
)
def test_what_declares_only(code, declares):
    assert declares_only(ast.parse(code)) == declares


def test_faults_are_seen(tmp_path):
    package, tests = tmp_path / "package", tmp_path / "tests"
    for folder in (package / "room", tests / "room", tests / "other"):
        folder.mkdir(parents=True)
    for name in ("room/__init__", "room/work", "room/rest", "work"):
        (package / f"{name}.py").write_text("def one():\n    return 1\n")
    (package / "room/words.py").write_text("ONE = 1\n")
    assert untested(package, tests) == {"room/work", "room/rest", "work"}
    (tests / "room/test_work.py").write_text("1\n" * LONGEST)
    assert untested(package, tests) == {"room/rest", "work"}
    (tests / "other/test_work.py").write_text("1\n" * (LONGEST + 1))
    assert untested(package, tests) == {"room/rest"}
    assert too_long(tests) == {"other/test_work.py"}
    (tests / "other/__init__.py").touch()
    assert folders_that_are_no_package(tests) == {"room"}
