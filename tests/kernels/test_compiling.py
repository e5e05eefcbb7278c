"""What a kernel is to its callers: one version for all flags, no entry for Python; what is told while it compiles."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numba
import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve import kernels
from mfgsolve.kernels import jit, vectors

compiled_only = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")


def _shifted(x, flag, k):
    return x + (1.0 if flag else 2.0) * k


shifted = jit(_shifted)


def _summed(values):
    total = 0.0
    for i in range(values.size):
        total += shifted(values[i], True, 1) + shifted(values[i], False, i)
    return total


summed = jit(_summed)


@compiled_only
def test_callers_share_one_version_and_python_has_its_own() -> None:
    values = np.arange(4.0)
    assert summed(values) == float(sum((v + 1.0) + (v + 2.0 * i) for i, v in enumerate(values)))
    assert not shifted.signatures  # what callers use has no entry for Python
    before = numba.config.OPT
    assert shifted(1.0, True, 3) == 4.0
    assert len(shifted.signatures) == 1
    assert before == numba.config.OPT


def _wrong(values):
    return shifted(values, True, "text")


wrong = jit(_wrong)


@compiled_only
def test_parts_of_others_are_made_into_instructions_within_these_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parts: list[str] = []
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))  # what an earlier run made is not there

    def optimise(part: kernels._Part) -> None:
        parts.append(part.name.partition("_serial")[0])
        usual(part)

    usual = kernels._Part._optimize_final_module
    monkeypatch.setitem(globals(), "twice", jit(_twice))  # that no test has made into anything yet
    monkeypatch.setattr(kernels._Part, "_optimize_final_module", optimise)
    assert jit(_doubled)(3.0) == 6.0
    assert parts == ["twice"]  # and not the kernel that was called
    with pytest.raises(numba.TypingError):
        wrong(1.0)
    parts.clear()
    assert numba.njit(_free)(2.0) == 3.0  # of somebody else: as ever
    assert not parts


def _twice(x):
    return 2.0 * x


def _doubled(x):
    return twice(x)


def _free(x):
    return x + 1.0


twice = jit(_twice)


@compiled_only
def test_a_terminal_is_told_once_that_kernels_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        text, there = "", True

        def isatty(self) -> bool:
            return self.there

        def write(self, text: str) -> None:
            self.text += text

        def flush(self) -> None:
            pass

    def event(kernel: object) -> SimpleNamespace:
        return SimpleNamespace(data={"dispatcher": kernel})

    cases = (True, False, "once per installation"), (True, True, "in every process"), (False, False, "")
    for there, often, wanted in cases:
        terminal, telling = Terminal(), kernels._Telling()
        terminal.there, telling.often = there, often
        monkeypatch.setattr(sys, "stderr", terminal)
        telling.on_start(event(vectors.add))
        telling.on_start(event(vectors.add))
        assert telling.count == 2
        assert terminal.text.count("Compiling kernels") == (1 if there else 0)
        assert wanted in terminal.text
    telling = kernels._Telling()
    telling.on_start(event(numba.njit(_shifted)))  # of somebody else
    assert telling.count == 0


@pytest.mark.slow
@compiled_only
def test_what_is_read_from_the_cache_is_not_counted(tmp_path: Path) -> None:
    code = "from mfgsolve import kernels; from mfgsolve.kernels.vectors import add; import numpy as np;" \
           "print(add.py_func.__name__[:3], kernels.compiled_count());" \
           "x = np.ones((2, 3)); add(x, x + 1.0, 1.0); print(kernels.compiled_count())"  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(Path(mfg.__file__).parents[1]), "NUMBA_CACHE_DIR": str(tmp_path)}
    counts = []
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
        counts.append(int(done.stdout.split()[-1]))
        assert not done.stderr
    assert counts[0] > 0
    assert counts[1] == 0
