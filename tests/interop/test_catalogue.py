"""Names of OpenSpiel's games with settings, by a stand-in of the library."""

import sys
from types import ModuleType, SimpleNamespace

import pytest
from peer_standins import Ring

import mfgsolve as mfg
from mfgsolve.interop.catalogue import load, load_named, openspiel_names

pytestmark = pytest.mark.usefixtures("openspiel")


def test_only_mean_field_games_are_listed(monkeypatch):
    pyspiel = sys.modules["pyspiel"]
    kinds = [*pyspiel.registered_games(), SimpleNamespace(short_name="chess", dynamics="SEQUENTIAL")]
    monkeypatch.setattr(pyspiel, "registered_games", lambda: kinds)
    assert openspiel_names() == ["ring"]


def test_settings_are_those_in_brackets_and_then_those_beside():
    game, name, given = load("ring(size=3,horizon=2)", {"horizon": 5, "hidden": True})
    assert (game.size, game.horizon, game.hidden) == (3, 5, True)
    assert name == str(game)
    assert given == {"size": 3, "horizon": 5, "hidden": True}
    again = load_named(name)
    assert (again.size, again.horizon, again.hidden) == (3, 5, True)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"size": True}, "size of openspiel:ring is True; a int is needed"),
        ({"hidden": 1}, "a bool is needed"),
        ({"size": 2.5}, "a int is needed"),
        ({"size": 2**31}, "whole numbers of 32 bits"),
        ({"sise": 3}, "did you mean 'size'"),
    ],
)
def test_settings_that_do_not_fit(settings, says):
    with pytest.raises(mfg.InputError, match=says):
        load("ring", settings)


@pytest.fixture
def factory(monkeypatch):
    """OpenSpiel's factory with one game of its own; another misses its data."""
    module = ModuleType("open_spiel.python.mfg.games.factory")
    module.GAME_SETTINGS = {"large": {"size": 9}, "lost": {}}

    def create_game_with_setting(game, setting):
        if setting == "lost":
            raise IndexError("list index out of range")
        return Ring(size=9)

    module.create_game_with_setting = create_game_with_setting
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(sys.modules["open_spiel.python.mfg.games"], "factory", module, raising=False)


def test_a_setting_of_the_factory_comes_whole(factory):
    game, name, given = load("ring(setting=large)", {})
    assert (game.size, name, given) == (9, "ring(setting=large)", {"setting": "large"})
    assert load_named(name).size == 9
    for text, says in (
        ("ring(setting=large,size=4)", "given size besides setting=large"),
        ("ring(setting=larg)", "did you mean 'large'"),
        ("ring(setting=lost)", "does not have its data .IndexError: list index out of range"),
    ):
        with pytest.raises(mfg.InputError, match=says):
            load(text, {})
