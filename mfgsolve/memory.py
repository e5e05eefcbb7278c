"""Memory: how much this process may have, and the refusal, beforehand, of what cannot fit."""

from __future__ import annotations

import contextlib
import math
import os
from pathlib import Path

from mfgsolve.errors import InputError

__all__ = ["affordable", "gibibytes", "present"]


def present() -> float:
    """Bytes that this process may have: of the machine, of the container around it, or of its own limit."""
    found = math.inf
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        found = float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with contextlib.suppress(OSError, UnicodeDecodeError):
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
        found = min(found, float(limit)) if limit.isdigit() else found
    return min(found, _limited())


def _limited() -> float:
    """What a limit of the address space (``ulimit -v``) leaves beside what is taken."""
    try:
        import resource  # not on every system
    except ImportError:
        return math.inf
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return math.inf
    taken = 0.0
    with contextlib.suppress(OSError, ValueError, IndexError):
        taken = float(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return max(float(limit) - taken, 0.0)


def affordable(needed: float, what: str, remedy: str, error: type[InputError] = InputError) -> None:
    """Refuse what needs more bytes than there are: the process would be killed, without a word.

    Parameters
    ----------
    needed : bytes, at least
    what, remedy : the beginning and the end of the sentence
    """
    there = present()
    if needed > there:
        raise error(f"{what} needs about {gibibytes(needed)} of memory; there are {gibibytes(there)}: {remedy}")


def gibibytes(number: float) -> str:
    """``1.5 GiB``."""
    return f"{number / 2**30:,.3g} GiB" if number < 2**40 else f"{number / 2**30:,.0f} GiB"
