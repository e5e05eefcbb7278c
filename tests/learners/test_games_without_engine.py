"""Battles where their engine is missing, or not yet asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mfgsolve.errors import InputError
from mfgsolve.learners import battles


def test_without_the_engine_a_sentence_says_what_to_install(monkeypatch):
    pytest.importorskip("pettingzoo", reason="PettingZoo is not installed; it is asked for before MAgent2")
    monkeypatch.setitem(sys.modules, "magent2", None)
    with pytest.raises(InputError, match=r"MAgent2 is not installed.*pip install 'mfgsolve\[magent2\]'"):
        battles.multi_team_battle(size=16, agents=1)


def test_without_pettingzoo_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pettingzoo", None)
    with pytest.raises(InputError, match=r"PettingZoo is not installed.*pip install 'mfgsolve\[magent2\]'"):
        battles.multi_team_battle(size=16, agents=1)


@pytest.mark.slow
def test_importing_loads_no_engine():
    code = "import sys, mfgsolve; mfgsolve.learners.battles.attack; print({'magent2', 'pettingzoo'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
