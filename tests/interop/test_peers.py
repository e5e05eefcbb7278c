"""Names of other libraries' games, and libraries that are missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

import mfgsolve as mfg
from mfgsolve import interop
from mfgsolve.interop.peers import required, split_settings


@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("mfglb:beach_bar", {}, "did you mean 'mfglib'"),
        ("mfglib:beach_ber", {}, "did you mean 'beach_bar'"),
        ("mfglib:beach_bar", {"log_ep": 1e-9}, "did you mean 'log_eps'"),
        ("openspiel:rings", {}, "did you mean 'ring'"),
        ("openspiel:ring", {"siz": 3}, "did you mean 'size'"),
        ("openspiel:ring", {"size": "many"}, "a int is needed"),
        ("openspiel:ring(size=1)", {}, "refuses the settings"),
        ("openspiel:ring(size=1", {}, "no closing bracket"),
        ("openspiel:ring(size)", {}, "has no value"),
        ("beach_bar", {}, "write peer:game"),
    ],
)
def test_names_that_do_not_exist(mfglib, openspiel, name, settings, says):
    with pytest.raises(mfg.InputError, match=says):
        interop.build(name, settings)


@pytest.mark.parametrize(("name", "module", "extra"), [
    ("mfglib:beach_bar", "mfglib", "mfglib"), ("openspiel:mfg_crowd_modelling", "pyspiel", "open-spiel"),
])  # fmt: skip
def test_a_missing_extra_says_what_to_install(monkeypatch, name, module, extra):
    monkeypatch.setitem(sys.modules, module, None)
    if module == "mfglib":
        monkeypatch.setitem(sys.modules, "mfglib.alg", None)
    with pytest.raises(mfg.InputError, match=rf"pip install 'mfgsolve\[{extra}\]'"):
        interop.build(name)


def test_importing_the_border_imports_no_peer():
    code = "import sys, mfgsolve.interop; assert not {'torch', 'mfglib', 'pyspiel', 'open_spiel'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_settings_are_read_as_numbers_truths_or_texts():
    name, settings = split_settings("game(size=10, eta=-0.5,flag=TRUE,where=[0|0;2|5],label=x-y)")
    assert name == "game"
    assert settings == {"size": 10, "eta": -0.5, "flag": True, "where": "[0|0;2|5]", "label": "x-y"}
    assert split_settings("game") == ("game", {})
    assert split_settings("game()") == ("game", {})


def test_what_a_library_misses_itself_is_not_taken_for_the_library(tmp_path, monkeypatch):
    (tmp_path / "halfway.py").write_text("import something_that_is_nowhere")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="something_that_is_nowhere"):
        required("halfway", "Halfway", "half")
