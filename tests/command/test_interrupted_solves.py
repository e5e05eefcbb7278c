"""A solve that is interrupted keeps what it has, and goes on from there."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from command_line import run
from commands import COMMAND, ENVIRONMENT, FLAGSHIP, on_a_terminal

import mfgsolve as mfg
from mfgsolve.command.interrupts import Interrupts

# -- interrupts --------------------------------------------------------------------------------------------------------

LONG = ["solve", "supply-demand", "--shape", "64x64", "--steps", "128", "--scheme", "upwind", "--tol", "0",
        "--solver", "fictitious-play"]  # fmt: skip


def interrupted(words: list[str], ready: Path, number: int = signal.SIGINT) -> subprocess.CompletedProcess[str]:
    """Start, wait until the file ``ready`` is new, wait a little more, interrupt."""
    before = ready.stat().st_ino if ready.exists() else None
    child = subprocess.Popen(
        [*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    limit = time.monotonic() + 60
    while not (ready.exists() and ready.stat().st_ino != before):
        assert time.monotonic() < limit, "no checkpoint was written"
        assert child.poll() is None, child.communicate()
        time.sleep(0.02)
    time.sleep(0.3)
    child.send_signal(number)
    out, err = child.communicate(timeout=30)
    return subprocess.CompletedProcess(words, child.returncode, out, err)


@pytest.mark.parametrize(
    "number",
    [pytest.param(each, marks=pytest.mark.slow) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)],
)
def test_an_interrupt_keeps_what_was_written_and_resume_goes_on(folder: Path, number: int) -> None:
    run(*FLAGSHIP, "-o", "plan.nc")
    before = Path("plan.nc").read_bytes()
    done = interrupted([*LONG, "-o", "plan.nc", "--checkpoint", "c.nc"], Path("c.nc"), number)
    assert done.returncode == 128 + number
    assert done.stdout == ""
    assert Path("plan.nc").read_bytes() == before
    assert sorted(os.listdir()) == ["c.nc", "plan.nc"]
    reached = json.loads(run("show", "c.nc", "--json").stdout)["iteration"]
    holds = f"go on from the checkpoint, which holds iteration {reached}, with: mfgsolve resume c.nc"
    assert done.stderr == f"Stopped: interrupted; {holds}\n"
    if number == signal.SIGINT:
        goal = str(reached + 5)
        run("resume", "c.nc", "-o", "parts.nc", "--max-iterations", goal, code=3)
        run(*LONG, "-o", "whole.nc", "--max-iterations", goal, code=3)
        whole, parts = mfg.load("whole.nc"), mfg.load("parts.nc")
        for name in ("density", "speed", "value", "coupling_cost", "exploitability", "sweeps"):
            assert np.array_equal(whole.dataset[name], parts.dataset[name], equal_nan=True), name
        assert whole.certificate == parts.certificate


@pytest.mark.slow
def test_an_interrupt_on_a_terminal() -> None:
    code, seen = on_a_terminal(LONG, 80, stop_at=b"e-")
    assert code == 130
    plain = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", seen)
    assert "Stopped: interrupted; nothing was written" in re.sub(r"\s+", " ", plain)
    assert "Traceback" not in seen
    assert os.listdir() == []


def test_an_interrupt_that_python_drops_is_remembered() -> None:
    with Interrupts() as interrupts:
        interrupts.check()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_before_the_first_checkpoint(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    run(*FLAGSHIP, "--checkpoint", "old.nc", "--max-iterations", 0, code=3)
    monkeypatch.setattr("mfgsolve.solving.make_solver", interrupt)
    assert "interrupted; no checkpoint was written yet" in run(*FLAGSHIP, "--checkpoint", "c.nc", code=130).stderr
    assert "the checkpoint old.nc is as it was" in run(*FLAGSHIP, "--checkpoint", "old.nc", code=130).stderr
    assert "--checkpoint f.nc keeps the work" in run(*FLAGSHIP, code=130).stderr
