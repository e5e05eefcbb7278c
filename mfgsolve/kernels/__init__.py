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

Threads and processes.  A kernel that shares its work among threads is called through `launch`, by one Python thread at
a time and never in a process that was forked after its parent had started these threads (two of Numba's three threading
layers end the process otherwise): who cannot have the threads runs the serial version, to the same result.  Kernels are
compiled in a thread of their own, so that an exception from a signal, which only the main thread gets, never strikes
the compiler: that would leave it without half of its tables.

What compiling costs.  What a kernel calls becomes part of it, and is optimised there; a kernel that another one calls
is therefore typed once for all callers, but neither optimised nor made into instructions by itself (`_for_callers`).
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.core import event
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler_lock import global_compiler_lock
from numba.extending import intrinsic

__all__ = [
    "bits", "compiled_count", "compiling", "fma", "jit", "launch", "number", "threads_available", "threads_for",
    "threads_possible",
]  # fmt: skip


def _digest() -> str:
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


_DIGEST = _digest()
CELLS_FOR_THREADS = 256 * 256  # below this a time level is too short to share


def jit(function: Callable[..., Any], *, parallel: bool = False, minima: bool = False, ready: bool = False) -> Any:
    """Compile a kernel at its first call.

    ``parallel=True`` makes a second, threaded version of the same source, in which every callee ``name`` of the same
    module that has a sibling ``name_parallel`` is replaced by it.  ``minima=True`` is for kernels that take the least
    or the largest of finite numbers, which may then be compared in any order.  ``ready=True`` optimises a kernel before
    it becomes part of others, too: some loops become slower without.
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
    if minima:
        options["fastmath"] = {"nnan", "nsz"}
    if parallel and "prange" in function.__code__.co_names:
        options["parallel"] = True
    try:
        kernel = numba.njit(copy, cache=True, no_cfunc_wrapper=True, **options)
    except RuntimeError:  # no writable cache directory: compile in every process
        kernel = numba.njit(copy, no_cfunc_wrapper=True, **options)
        _telling.often = True
    return kernel if numba.config.DISABLE_JIT else _compiled_apart(_for_callers(kernel, copy, options, ready))


# -- compiling -------------------------------------------------------------------------------------------------------


class _Part(JITCodeLibrary):  # type: ignore[misc]
    """Code that is run within that of its callers alone: it is left to them to optimise it and to make instructions of
    it, except that loops which are worth it are optimised here, too (``ready``)."""

    ready = False

    def _optimize_final_module(self) -> None:
        if self.ready:
            super()._optimize_final_module()

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """None: there are no instructions."""
        self._ensure_finalized()
        return 0

    @property
    def codegen(self) -> _Part:
        """Who is told where the environment of the function is: see `set_env`."""
        return self

    def set_env(self, name: str, env: Any) -> None:
        """Nothing to tell; kernels are pure machine code and need none."""


def _for_callers(kernel: Any, function: Callable[..., Any], options: dict[str, Any], ready: bool) -> Any:
    """The same kernel; the others that call it get a version without an entry for Python and without a place in the
    cache, as a `_Part`, and one for all values of a flag or a number that they write out.

    It is made when the first of them is compiled, and never where all are read from the cache.
    """

    @functools.cache
    def inner() -> Any:
        made = numba.njit(function, no_cpython_wrapper=True, no_cfunc_wrapper=True, **options)
        if not options.get("parallel"):  # a loop that threads share is compiled apart from its callers
            made.compile = functools.partial(_compiled_as_part, made, made.compile, ready)
        return made

    def get_call_template(arguments: Any, named: Any) -> Any:
        arguments = tuple(numba.types.unliteral(argument) for argument in arguments)
        named = {name: numba.types.unliteral(argument) for name, argument in named.items()}
        return inner().get_call_template(arguments, named)

    kernel.get_call_template, kernel.get_overload = get_call_template, lambda signature: inner().get_overload(signature)
    return kernel


def _compiled_as_part(kernel: Any, compile_here: Callable[[Any], Any], ready: bool, signature: Any) -> Any:
    with global_compiler_lock:  # nobody else may meet the maker of parts
        codegen = kernel.targetctx.codegen()
        usual = codegen.create_library

        def create(name: str, **more: Any) -> Any:
            if name != kernel.py_func.__qualname__:
                return usual(name, **more)
            part = _Part(codegen, name, **more)
            part.ready = ready
            return part

        codegen.create_library = create
        try:
            return compile_here(signature)
        finally:
            codegen.create_library = usual


class _Telling(event.Listener):  # type: ignore[misc]
    """Counts what is really compiled, and says on a terminal that it is, once a process."""

    count, often = 0, False

    def on_start(self, event: Any) -> None:
        if not str(getattr(event.data["dispatcher"].py_func, "__module__", "")).startswith(f"{__name__}."):
            return
        self.count += 1
        if self.count == 1 and sys.stderr is not None and sys.stderr.isatty():
            when = "in every process: no cache directory can be written" if self.often else "once per installation"
            sys.stderr.write(f"Compiling kernels, {when}: some 20 seconds for each kind of game ...\n")
            sys.stderr.flush()

    def on_end(self, event: Any) -> None:
        pass


_telling = _Telling()
event.register("numba:compile", _telling)


def compiled_count() -> int:
    """How many kernels this process has compiled, as opposed to read from the cache."""
    return _telling.count


_compiling: list[threading.Thread] = []


def compiling() -> bool:
    """Whether a kernel is being compiled that somebody waited for; a process that ends waits for it."""
    return any(thread.is_alive() for thread in _compiling)


def _compiled_apart(kernel: Any) -> Any:
    """The same kernel, compiled (or read from the cache) in another thread than the main one."""
    compile_here = kernel.compile

    def compile_(signature: Any) -> Any:
        main = threading.current_thread() is threading.main_thread()
        if not main or global_compiler_lock.is_locked():  # by this thread, that is, a caller is being compiled
            return compile_here(signature)
        return _apart(lambda: compile_here(signature))

    kernel.compile = compile_
    return kernel


def _apart(work: Callable[[], Any]) -> Any:
    """Do it in a thread; an interrupt ends the waiting, not the work."""
    result: list[Any] = []
    failed: list[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            result.append(work())
        except BaseException as error:
            failed.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=run, name="mfgsolve-compiler")
    _compiling[:] = [other for other in _compiling if other.is_alive()] + [thread]
    thread.start()
    done.wait()
    if failed:
        raise failed[0]
    return result[0]


# -- threads ---------------------------------------------------------------------------------------------------------


_launching = threading.Lock()
_forked = False  # from a process whose threads have not come along


def launch(serial: Any, threaded: Any, threads: int, *arguments: Any) -> Any:
    """Call a kernel in its threaded version if it is to have several threads and can have them now."""
    if threads == 1 or _forked or not _launching.acquire(blocking=False):
        return serial(*arguments)
    try:
        return threaded(*arguments)
    finally:
        _launching.release()


def _in_child() -> None:
    """After a fork: threads of Numba that the parent had do not exist here, and cannot be started again."""
    global _launching, _forked
    layer = sys.modules.get("numba.np.ufunc.parallel")
    _forked = _forked or bool(getattr(layer, "_is_initialized", layer is not None))
    _launching = threading.Lock()
    _compiling.clear()
    global_compiler_lock.release()


if hasattr(os, "register_at_fork"):  # nobody is in the middle of compiling while a process is forked
    os.register_at_fork(
        before=global_compiler_lock.acquire, after_in_parent=global_compiler_lock.release, after_in_child=_in_child
    )


def threads_available() -> int:
    """Threads that kernels use unless told otherwise: no more than the processor has for this process."""
    if _forked:  # to ask Numba would start its threads
        return min(threads_possible(), len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1)
    return int(numba.get_num_threads())


def threads_for(cells: int, threads: int | None) -> int:
    """How many share a time level of so many cells; ``threads`` as the user stated them, None decides by its size."""
    if threads is not None:
        return min(threads, threads_possible())
    return threads_available() if cells >= CELLS_FOR_THREADS else 1


def threads_possible() -> int:
    """Most threads that a user can ask for."""
    return int(numba.config.NUMBA_NUM_THREADS)


def _fma(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """a b + c, rounded once: half the latency of a recurrence, and the same bits wherever it is compiled."""
    signature = numba.float64(numba.float64, numba.float64, numba.float64)
    return signature, lambda context, builder, types, arguments: builder.fma(*arguments)


def _bits(typing_context: Any, number: Any) -> Any:
    """The 64 bits of a double, as an integer."""
    return numba.int64(numba.float64), lambda context, builder, types, arguments: builder.bitcast(
        arguments[0], context.get_value_type(numba.int64)
    )


def _number(typing_context: Any, bits: Any) -> Any:
    """The double of such bits."""
    return numba.float64(numba.int64), lambda context, builder, types, arguments: builder.bitcast(
        arguments[0], context.get_value_type(numba.float64)
    )


if numba.config.DISABLE_JIT:
    fma, bits, number = (
        lambda a, b, c: a * b + c,
        lambda number: np.float64(number).view(np.int64),
        lambda bits: np.int64(bits).view(np.float64),
    )
else:
    fma, bits, number = intrinsic(_fma), intrinsic(_bits), intrinsic(_number)
