"""Values given besides the file."""

from __future__ import annotations

import numpy as np
import pytest
from same_games import EXAMPLE

from mfgsolve.errors import InputError
from mfgsolve.problemfile import problem_from_toml
from mfgsolve.problemfile.overriding import override


def fault(text: str, **overrides) -> str:
    with pytest.raises(InputError) as caught:
        problem_from_toml(text, **overrides)
    return str(caught.value)


def test_settings_that_fit_nowhere() -> None:
    def told(key: str) -> str:
        return fault(EXAMPLE, settings={key: 1.0})

    assert "unknown key 'congestoin'; did you mean 'congestion'?" in told("coupling.0.congestoin")
    assert "unknown key 'terminl'; did you mean 'terminal'?" in told("terminl.cost")
    assert "setting 'coupling.3.congestion': unknown place in a list '3'; allowed: 0" in told("coupling.3.congestion")
    assert "goes through a value that is no table" in told("time.horizon.x")
    assert "unknown key ''" in told("")


def changed(document: dict, shape: object = None, steps: object = None, **settings: object) -> dict:
    override(document, shape, steps, {key.replace("__", "."): value for key, value in settings.items()}, "file")
    return document


def test_dotted_keys_reach_into_tables_and_lists():
    document = {"coupling": [{"kind": "log"}, {"kind": "log"}], "time": {"steps": 4}}
    changed(document, coupling__1__strength=2.0, grid__unit="km", time__steps=8)
    assert document == {
        "coupling": [{"kind": "log"}, {"kind": "log", "strength": 2.0}], "time": {"steps": 8}, "grid": {"unit": "km"},
    }  # fmt: skip


def test_shape_and_steps_go_where_the_problem_has_them():
    declared, named = {"grid": {}, "time": {}}, {"problem": "beach-bar"}
    assert changed(declared, np.array([4, 5]), 6) == {"grid": {"shape": [4, 5]}, "time": {"steps": 6}}
    assert changed(named, (7,), 3, aversion=0.5) == {
        "problem": "beach-bar", "shape": [7], "steps": 3, "parameters": {"aversion": 0.5},
    }  # fmt: skip
    with pytest.raises(InputError, match=r"file: shape is given, and the problem has \[states\] and no grid"):
        changed({"states": {"count": 3}}, (3,))


def test_texts_that_no_file_can_hold():
    for text in ("nul\0", "half\ud800"):
        with pytest.raises(InputError, match=r"file: a text among the settings is .* which holds the character"):
            changed({}, name=["fine", {"deep": text}])
