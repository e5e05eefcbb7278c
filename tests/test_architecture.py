"""The house: imports point downwards, kernels know numba alone, importing the package does next to nothing."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

import mfgsolve as mfg
from mfgsolve import methods

PACKAGE = Path(mfg.__file__).parent
ORDER = [
    {"errors"},
    {"cautions", "discretisation", "display", "inputs", "kernels", "methods", "watch"},
    {"files"},
    {
        "axes",
        "coordinates",
        "exits",
        "exit_costs",
        "initial_masses",
        "spaces",
        "grids",
        "fields",
        "scenarios",
        "stationary",
    },
    {"steps"},
    {"dynamics", "couplings"},
    {"problem"},
    {"games"},
    {"certificates", "claims", "identity"},
    {"solution"},
    {"progress"},
    {"solvers"},
    {"resolution"},
    {"interop", "plots", "problems", "roads", "statements"},
    {"problemfile"},
    {"checkpoints"},
    {"earlier"},
    {"solving"},
    {"agents"},
    {"studies"},
    {"parts"},
    {"tasks"},
    {"stages"},
    {"learners"},
    {"command", "__main__"},
]
BOARDS = (methods.SOLVERS, methods.LEARNERS, methods.UNLISTED, methods.TASKS, methods.TASK_LEARNERS)
HOMES = {(name, board.homes[name]) for board in BOARDS for name in board}
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}


def imported_rooms(file: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(file.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "mfgsolve" and len(parts) > 1 and parts[1] in RANK:
                rooms.add(parts[1])
    return rooms


def test_every_room_has_a_rank():
    rooms = {path.stem if path.is_file() else path.name for path in PACKAGE.iterdir() if path.name[0] != "."}
    rooms -= {"__init__", "__pycache__", "py"}
    assert rooms == set(RANK)


def test_imports_point_downwards():
    for file in PACKAGE.rglob("*.py"):
        room = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        for other in imported_rooms(file) - {room}:
            assert RANK[other] <= RANK[room], f"{file.name} ({room}) imports {other}, which stands above it"


def imported_modules(tree: ast.AST) -> set[str]:
    """Modules of the package that a file takes names from, wherever in it, for types alone included."""
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            modules |= {node.module} | whole
    return modules


def circles(files: dict[str, str]) -> list[list[str]]:
    """Sets of modules that import each other in a loop, from their texts by name; a package's face passes names on."""
    arrows = {name: imported_modules(ast.parse(text)) & set(files) - {name} for name, text in files.items()}
    order = list(arrows)
    matrix = np.array([[other in arrows[name] for other in order] for name in order])
    count, label = connected_components(matrix, connection="strong")
    parts = [[order[k] for k in np.flatnonzero(label == part)] for part in range(count)]
    return [part for part in parts if len(part) > 1]


def test_no_files_import_each_other_in_a_loop():
    files = {
        ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts): file.read_text()
        for file in PACKAGE.rglob("*.py")
        if file.name != "__init__.py"
    }
    assert circles(files) == []
    planted = {
        "p.a": "from p import b",
        "p.b": "def f():\n    from p.c import g",
        "p.c": "import p.a",
        "p.d": "import p.a",
    }
    assert [sorted(part) for part in circles(planted)] == [["p.a", "p.b", "p.c"]]


def named_modules(file: Path) -> set[str]:
    """Strings that name a module of the package, or something in one: "mfgsolve.x", "mfgsolve.x:Class"."""
    pattern, found = re.compile(r"mfgsolve(\.\w+)+(:\w+)?"), set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and pattern.fullmatch(node.value):
            found.add(node.value)
        elif isinstance(node, ast.JoinedStr):  # f"mfgsolve.{name}"
            head = node.values[0]
            if isinstance(head, ast.Constant) and str(head.value).startswith("mfgsolve."):
                found.add(ast.unparse(node))
    return found


# what names modules by strings: the two that look classes up, and places that only ask for one that is there anyway
PLUG_BOARDS = {"__init__.py", "methods.py"}
DATA = {"problems/montreal.py": {"mfgsolve.problems"}, "command/interrupts.py": {"mfgsolve.kernels"}}


def test_modules_are_named_by_strings_on_the_plug_board_alone():
    for file in PACKAGE.rglob("*.py"):
        place = file.relative_to(PACKAGE).as_posix()
        if place not in PLUG_BOARDS:
            assert named_modules(file) == DATA.get(place, set()), place
    strings = {
        *(home for _, home in HOMES),
        *methods.STATEMENTS.homes.values(),
        *methods.BASES,
        methods.MAKER,
        methods.PROBLEM,
    }
    assert named_modules(PACKAGE / "methods.py") == strings


def test_modules_are_looked_up_by_name_nowhere_else():
    lookups = set()
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            imports = isinstance(node, ast.Import) and any(alias.name.startswith("importlib") for alias in node.names)
            imports |= (
                isinstance(node, ast.ImportFrom)
                and node.module == "importlib"
                and "resources" not in [alias.name for alias in node.names]
            )
            imports |= isinstance(node, ast.Name) and node.id == "__import__"
            if imports:
                lookups.add(file.relative_to(PACKAGE).as_posix())
    peers = {"interop/peers.py", "interop/catalogue.py"}  # other libraries, where they are installed
    assert lookups <= PLUG_BOARDS | peers | {"kernels/__init__.py"}, lookups


@pytest.mark.parametrize(("name", "home"), sorted(HOMES))
def test_what_the_plug_board_names_is_there_and_calls_itself_so(name, home):
    board = next(board for board in BOARDS if board.homes.get(name) == home)
    kind = board[name]
    assert kind.name == name
    assert f"{kind.__module__}:{kind.__name__}" == home
    assert getattr(kind, "learns", False) == (board is methods.LEARNERS)


def test_only_kernels_import_numba_and_they_import_nothing_else():
    for file in PACKAGE.rglob("*.py"):
        roots = set()
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                roots |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                roots.add(node.module.split(".")[0])
        if file.parent.name == "kernels":
            assert roots - {"__future__", "numpy", "numba", "mfgsolve", *sys.stdlib_module_names} == set(), file
        else:
            assert "numba" not in roots, file


def test_no_file_is_a_warehouse():
    for file in PACKAGE.rglob("*.py"):
        assert len(file.read_text().splitlines()) <= 420, file


def test_importing_loads_no_heavy_library_and_writes_nothing(tmp_path):
    code = "import sys, mfgsolve; print(sorted({'numba', 'matplotlib', 'xarray', 'scipy', 'torch'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.strip() == "[]"
    assert list(tmp_path.iterdir()) == []


def test_public_names_exist_and_are_documented():
    for name in mfg.__all__:
        value = getattr(mfg, name)
        if name != "__version__":
            assert value.__doc__, name
