"""``python -m mfgsolve`` is the command, and Ctrl-C is a sentence even while the command is being imported."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from mfgsolve import __main__


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
