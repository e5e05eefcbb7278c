"""Numba kernels: arrays in, arrays out, and nothing else.

This package alone imports numba.  Each file holds one formula of the scheme and is written like it.

Legend (every file):  ``value`` V, ``ahead`` W = N V(next) (value after the noise), ``mass`` m, ``price`` (cost of
the crowd per unit time), ``s`` speed, ``q = dt s / h`` chance of a jump in one step, ``h`` spacing, ``c`` control
cost, ``dt`` time step; arrays are ``(time, z, y, x)``, ``x`` contiguous, and 1-D and 2-D grids have one cell along the
missing axes.

Every level kernel works row by row: what belongs to a face is computed once, into a row of ``face`` (0: the faces along
the row, ``below``, ``above``), then the cells of the row gather it.  Inner loops write one array, read at most eight,
and index whole arrays as [row, i] instead of cutting views: that is what the compiler turns into vector instructions.

`jit` is the only decorator: it caches the machine code under a name that contains a digest of all kernel sources, so
that a change in one file can never leave a stale caller in another, and it compiles without a cache where no cache
directory is writable.
"""

from __future__ import annotations

import hashlib
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.extending import intrinsic

__all__ = ["fma", "jit", "threads_available", "threads_possible"]


def _digest() -> str:
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


_DIGEST = _digest()


def jit(function: Callable[..., Any], *, parallel: bool = False) -> Any:
    """Compile a kernel at its first call.

    ``parallel=True`` makes a second, threaded version of the same source, in which every callee ``name`` of the same
    module that has a sibling ``name_parallel`` is replaced by it.
    """
    name = f"{function.__name__.lstrip('_')}_{'parallel' if parallel else 'serial'}_{_DIGEST}"
    scope = function.__globals__
    if parallel:
        threaded = {name: scope[name + "_parallel"] for name in scope if name + "_parallel" in scope}
        scope = {**scope, **threaded}
    copy = types.FunctionType(function.__code__, scope, name, function.__defaults__, function.__closure__)
    copy.__qualname__ = name
    copy.__module__ = function.__module__
    copy.__doc__ = function.__doc__
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    if parallel and "prange" in function.__code__.co_names:
        options["parallel"] = True
    try:
        return numba.njit(copy, cache=True, **options)
    except RuntimeError:  # no writable cache directory: compile in every process
        return numba.njit(copy, **options)


def threads_available() -> int:
    """Threads that kernels use unless told otherwise: no more than the processor has for this process."""
    return int(numba.get_num_threads())


def threads_possible() -> int:
    """Most threads that a user can ask for."""
    return int(numba.config.NUMBA_NUM_THREADS)


def _fma(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """a b + c, rounded once: half the latency of a recurrence, and the same bits wherever it is compiled."""
    signature = numba.float64(numba.float64, numba.float64, numba.float64)
    return signature, lambda context, builder, types, arguments: builder.fma(*arguments)


fma = (lambda a, b, c: a * b + c) if numba.config.DISABLE_JIT else intrinsic(_fma)
