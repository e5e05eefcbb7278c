"""Values given besides the file."""

from __future__ import annotations

import pytest
from same_games import EXAMPLE

from mfgsolve.errors import InputError
from mfgsolve.problemfile import problem_from_toml


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
