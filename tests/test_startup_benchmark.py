"""The benchmarks of processes: one environment of one thread for all, and code in texts that uses what it imports."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parent.parent / "benchmarks"


def loaded(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_processes_have_one_thread_by_one_environment(monkeypatch: pytest.MonkeyPatch):
    threads = loaded("measure", monkeypatch).ONE_THREAD
    assert threads == dict.fromkeys(
        ["NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "1"
    )
    assert [file.name for file in FOLDER.glob("*.py") if "NUM_THREADS" in file.read_text()] == ["measure.py"]
    startup = loaded("startup", monkeypatch)
    code = "import os; print([os.environ[name] for name in sorted(os.environ) if name.endswith('_NUM_THREADS')])"
    assert startup.run(["-c", code], FOLDER)[1].split() == ["['1',", "'1',", "'1',", "'1']"]


@pytest.mark.parametrize("name", ["SOLVE", "COMPILE"])
def test_code_that_is_timed_imports_what_it_uses_and_no_more(name: str, monkeypatch: pytest.MonkeyPatch):
    tree = ast.parse(getattr(loaded("startup", monkeypatch), name).replace("{settings}", "{}"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    imported = {alias.asname or alias.name for node in imports for alias in node.names}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    assert imported <= used
