"""What tests of the command share: the command as a process, and a problem file."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import mfgsolve as mfg

ROOT = Path(mfg.__file__).parent.parent


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "TERM": "xterm"}


ENVIRONMENT = {k: v for k, v in ENVIRONMENT.items() if k not in ("FORCE_COLOR", "NO_COLOR", "PY_COLORS")}


COMMAND = [sys.executable, "-m", "mfgsolve"]


FLAGSHIP = ["solve", "supply-demand", "--shape", "8x8", "--steps", "32", "--scheme", "upwind"]


KEYS = [
    *("status", "exploitability", "relative_exploitability", "potential", "duality_gap", "cost", "scale"),
    *("iterations", "sweeps", "seconds", "mass_error", "cap_fraction", "violation", "discretisation", "warnings"),
]


DECLARED = """
name = "hill"
[grid]
shape = [12]
[time]
horizon = 1.0
steps = 24
[dynamics]
scheme = "upwind"
viscosity = 0.01
[[coupling]]
kind = "crowd-aversion"
strength = 0.5
[initial]
density = {bump = {width = 0.1, centre = [0.3]}}
normalise = true
[terminal]
cost = {quadratic = {weight = 4.0, centre = [0.8]}}
"""


def on_a_terminal(words: list[str], width: int, stop_at: bytes | None = None) -> tuple[int, str]:
    """Run the command with stderr on a pseudo-terminal; Ctrl-C once ``stop_at`` is seen."""
    ours, theirs = pty.openpty()
    environment = {**ENVIRONMENT, "COLUMNS": str(width)}
    child = subprocess.Popen([*COMMAND, *words], stdout=subprocess.DEVNULL, stderr=theirs, env=environment)
    os.close(theirs)
    seen = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        seen += piece
        if stop_at is not None and stop_at in seen:
            child.send_signal(signal.SIGINT)
            stop_at = None
        if not piece:
            break
    os.close(ours)
    return child.wait(), seen.decode()
