"""Sizes that somebody declared, held against the memory that is there, before anything is allocated."""

from __future__ import annotations

import math
import os
from pathlib import Path

from mfgsolve.errors import InputError

__all__ = ["affordable", "available_memory", "human_size"]

SMALL = 2**24  # bytes that are not worth asking for
UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")
CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def affordable(count: int, itemsize: int, what: str) -> int:
    """Number of bytes of ``count`` items, if this machine (and the limits of this process) can hold them now.

    Parameters
    ----------
    count, itemsize : how many items, and bytes of each; Python integers, so that nothing overflows
    what : whose size it is, as the subject of the sentence: "grid of shape (100000, 100000)"

    Raises
    ------
    InputError
        naming both sizes
    """
    needed = int(count) * int(itemsize)
    there = available_memory() if needed > SMALL else None
    if there is not None and needed > there:
        raise InputError(
            f"{what} needs at least {human_size(needed)} of memory, and {human_size(max(there, 0))} are available; "
            "take a smaller size"
        )
    return needed


def available_memory() -> int | None:
    """Bytes that this process may still allocate: of the machine, its control group and its limits; None if unknown."""
    result = [size for size in (_machine(), _control_group(), _process_limit()) if size is not None]
    return min(result) if result else None


def human_size(size: int) -> str:
    """Bytes in a unit for people: 512 bytes, 1.5 GiB."""
    if size < 1024:
        return f"{size} bytes"
    if size >= 1 << 100:  # which no float need hold
        return f"10^{round(math.log10(size))} bytes"
    power = min((size.bit_length() - 1) // 10, len(UNITS))
    return f"{size / 1024**power:.3g} {UNITS[power - 1]}"


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text()
    except (OSError, ValueError):
        return None


def _machine() -> int | None:
    """Memory of the machine that can be had without swapping; all of it where that is not told."""
    for line in (_read("/proc/meminfo") or "").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # not a Unix
        return None


def _control_group() -> int | None:
    """What is left of the limit of a container."""
    for limit, used in CGROUPS:
        most, now = _read(limit), _read(used)
        if most is not None and now is not None and most.strip().isdigit():
            return int(most) - int(now)
    return None


def _process_limit() -> int | None:
    """What is left of the address space (ulimit -v)."""
    try:
        import resource  # a Unix has it
    except ImportError:
        return None
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    if most == resource.RLIM_INFINITY:
        return None
    pages = (_read("/proc/self/statm") or "0").split()[0]
    return most - int(pages) * resource.getpagesize()
