"""Other libraries, by stand-ins in their place."""

from __future__ import annotations

import sys

import pytest
from peer_standins import mfglib_modules, openspiel_modules


@pytest.fixture
def mfglib(monkeypatch):
    for name, module in mfglib_modules().items():
        monkeypatch.setitem(sys.modules, name, module)


@pytest.fixture
def openspiel(monkeypatch):
    for name, module in openspiel_modules().items():
        monkeypatch.setitem(sys.modules, name, module)
