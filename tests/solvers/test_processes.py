"""Several processes and threads at once: forked, spawned, under every threading layer, and interrupted compilers."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

LIMIT = 400  # seconds after which a process is taken to hang
LAYERS = ("workqueue", "omp", "tbb")
HEAD = """
import multiprocessing, os, sys, threading
import numba
import mfgsolve as mfg

def problem(size=8):
    return mfg.problems.supply_demand(shape=(size, size), steps=16, scheme="upwind")

def alone(problem):
    return mfg.solve(problem, check="ignore", threads=1).exploitability

def shared(problem):
    return mfg.solve(problem, check="ignore", threads=2).exploitability
"""
POOL = """
if __name__ == "__main__":
    problems = [problem(8), problem(10), mfg.problems.beach_bar(), mfg.problems.left_right()]
    wanted = [alone(one) for one in problems]
    assert shared(problems[0]) == wanted[0]
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        assert pool.map(shared, problems) == wanted
        solutions = pool.map(mfg.solve, problems)
    assert [s.exploitability for s in solutions] == wanted
    assert shared(problems[1]) == wanted[1]
    print("done")
"""
THREADS = """
if __name__ == "__main__":
    problems, found = [problem(8), problem(10)] * 2, {}
    wanted = [alone(one) for one in problems]
    shared(problems[0])

    def work(k):
        found[k] = shared(problems[k])

    workers = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    assert [found[k] for k in range(4)] == wanted, found
    print("done")
"""
COMPILING_WHILE_FORKED = """
if __name__ == "__main__":
    from mfgsolve import kernels
    from numba.core.compiler_lock import global_compiler_lock
    held, free = threading.Event(), threading.Event()

    def compiling():
        with global_compiler_lock:
            held.set()
            free.wait()

    worker = threading.Thread(target=compiling)
    worker.start()
    held.wait()
    threading.Timer(1.0, free.set).start()
    child = os.fork()
    if child == 0:
        mfg.solve(mfg.problems.left_right(), check="ignore")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    worker.join()
    print("done")
"""
INTERRUPTED = """
import signal, time
from mfgsolve import kernels

if __name__ == "__main__":
    def solved():
        return mfg.solve(mfg.problems.left_right(), method="fictitious-play", max_iterations=3, check="ignore")

    compiler = numba.core.compiler.compile_extra

    def slow(*given, **options):  # the signal comes in the middle of the work of the compiler
        if not came:
            came.append(1)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.5)
        return compiler(*given, **options)

    came, stopped = [], 0
    numba.core.compiler.compile_extra = slow
    try:
        solved()
    except KeyboardInterrupt:
        stopped = kernels.compiling()
    assert came and stopped, (came, stopped)
    found = solved()
    assert abs(mfg.exploitability(found.problem, found).exploitability - found.exploitability) < 1e-12
    assert not kernels.compiling()
    print("done")
"""


def run_script(tmp_path: Path, text: str, *words: str, cache: Path | None = None, layer: str | None = None) -> str:
    """What a script prints; it and its children are ended if they hang."""
    script = tmp_path / "script.py"
    script.write_text(HEAD + text)
    env = os.environ | {"NUMBA_NUM_THREADS": "2", "PYTHONPATH": os.getcwd()}
    env |= {} if layer is None else {"NUMBA_THREADING_LAYER": layer}
    env |= {} if cache is None else {"NUMBA_CACHE_DIR": str(cache)}
    child = subprocess.Popen(
        [sys.executable, str(script), *words], env=env, text=True, start_new_session=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        out, _ = child.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        pytest.fail(f"it hangs; {child.communicate()[0]}")
    assert child.returncode == 0, out
    return out


@functools.cache
def has_layer(layer: str) -> bool:
    code = "import numba; numba.get_num_threads()"  # starts them
    env = os.environ | {"NUMBA_THREADING_LAYER": layer}
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, timeout=LIMIT).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("layer", LAYERS)
def test_a_pool_solves_after_a_solve_with_two_threads_in_its_parent(layer, method, tmp_path):
    if not has_layer(layer):
        pytest.skip(f"Numba has no {layer} here")
    assert "done" in run_script(tmp_path, POOL, method, layer=layer)


@pytest.mark.slow
@pytest.mark.parametrize("layer", LAYERS)
def test_python_threads_solve_at_once(layer, tmp_path):
    if not has_layer(layer):
        pytest.skip(f"Numba has no {layer} here")
    assert "done" in run_script(tmp_path, THREADS, layer=layer)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_while_another_thread_compiles(tmp_path):
    assert "done" in run_script(tmp_path, COMPILING_WHILE_FORKED)


@pytest.mark.slow
def test_an_interrupt_of_the_first_compilation_leaves_the_kernels_usable(tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir()
    assert "done" in run_script(tmp_path, INTERRUPTED, cache=cache)
