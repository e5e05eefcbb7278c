"""``python -m mfgsolve`` is the command, and Ctrl-C is a sentence even while the command is being imported."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

import mfgsolve
from mfgsolve import __main__


@pytest.fixture(autouse=True)
def _of_this_process(monkeypatch):
    monkeypatch.setattr(mfgsolve, "lasting", False)


class Interrupted(ModuleType):
    """A module whose import Ctrl-C breaks off."""

    def __getattr__(self, name: str) -> Any:
        raise KeyboardInterrupt


def test_an_interrupt_while_the_command_is_imported(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "mfgsolve.command.application", Interrupted("mfgsolve.command.application"))
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "Stopped: interrupted\n"


def test_it_is_the_command(monkeypatch):
    called = []
    stand_in = ModuleType("mfgsolve.command.application")
    stand_in.main = lambda: called.append("the command")
    monkeypatch.setitem(sys.modules, "mfgsolve.command.application", stand_in)
    __main__.main()
    assert called == ["the command"]


@pytest.mark.parametrize("own", [False, True])
def test_modules_are_passed_over_by_searches_for_garbage_in_a_process_of_the_command_alone(own):
    code = (
        "import gc, sys, types; at_once = gc.get_freeze_count(); from mfgsolve import __main__; import mfgsolve\n"
        "mark = types.ModuleType('mfgsolve.command.application'); mark.main = lambda: mfgsolve.Grid\n"
        "sys.modules[mark.__name__] = mark\n"
        f"{'__main__.main()' if own else 'mfgsolve.Grid'}\n"
        "print(gc.get_freeze_count() > at_once + 1000, gc.isenabled())\n"
        "gc.disable(); mfgsolve.TimeGrid; print(gc.isenabled())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(own), "True", "False"]
