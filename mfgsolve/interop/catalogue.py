"""Names of OpenSpiel's mean-field games, with settings: ``game``, ``game(size=10)``, ``game(setting=NAME)``.

``setting`` is one of those that OpenSpiel's own factory (``open_spiel.python.mfg.games.factory``) keeps for a game,
say ``python_mfg_dynamic_routing(setting=dynamic_routing_braess)``; it comes whole.
"""

from __future__ import annotations

import contextlib
import importlib
import math
from collections.abc import Mapping
from typing import Any

from mfgsolve.errors import InputError, unknown
from mfgsolve.interop.peers import required, split_settings
from mfgsolve.interop.walks import foreign

__all__ = ["load", "load_named", "openspiel_names"]

GAMES = "open_spiel.python.mfg.games"


def openspiel_names() -> list[str]:
    """Mean-field games that OpenSpiel registers."""
    pyspiel = library()
    mean_field = pyspiel.GameType.Dynamics.MEAN_FIELD
    return sorted(kind.short_name for kind in pyspiel.registered_games() if kind.dynamics == mean_field)


def library() -> Any:
    """pyspiel, with the games that are written in Python registered."""
    pyspiel = required("pyspiel", "OpenSpiel", "open-spiel")
    required(GAMES, "OpenSpiel", "open-spiel")
    with contextlib.suppress(ModuleNotFoundError):  # the only one that does not come with the others
        importlib.import_module(f"{GAMES}.normal_form_game")
    return pyspiel


def load_named(text: str) -> Any:
    """The game that a name with settings tells; `from_openspiel` gives such names."""
    game, settings = split_settings(text)
    if "setting" in settings:
        return load(game, settings)[0]
    with foreign(game, f"it was made from {text!r}"):
        return library().load_game(text)


def load(game: str, settings: Mapping[str, Any]) -> tuple[Any, str, dict[str, Any]]:
    """A game, the name that makes it again, and its settings.

    Raises
    ------
    InputError
        for a game, setting or value that OpenSpiel does not take
    """
    pyspiel, (game, own) = library(), split_settings(game)
    if game not in openspiel_names():
        raise InputError(unknown("mean-field game of OpenSpiel", game, openspiel_names()))
    kind = next(kind for kind in pyspiel.registered_games() if kind.short_name == game)
    allowed, given = kind.parameter_specification, {**own, **settings}
    if "setting" in given and "setting" not in allowed:
        return _of_factory(game, given)
    for setting, value in given.items():
        if setting not in allowed:
            raise InputError(unknown(f"setting of openspiel:{game}", setting, allowed))
        given[setting] = _fitting(f"setting {setting} of openspiel:{game}", value, type(allowed[setting]))
    with foreign(game, f"it was made with the settings {given}"):
        try:
            loaded = pyspiel.load_game(game, given)
        except (pyspiel.SpielError, ValueError) as error:
            raise InputError(f"OpenSpiel refuses the settings {given} of {game}: {_line(error)}") from None
    return loaded, str(loaded), given


def _fitting(what: str, value: Any, wanted: type) -> Any:
    fits = isinstance(value, wanted) or (wanted is float and isinstance(value, int))
    if not fits or (isinstance(value, bool) and wanted is not bool):
        raise InputError(f"{what} is {value!r}; a {wanted.__name__} is needed")
    if isinstance(value, int | float) and not math.isfinite(value):
        raise InputError(f"{what} is {value!r}; it must be finite")
    if wanted is int and not -(2**31) <= value < 2**31:
        raise InputError(f"{what} is {value!r}; OpenSpiel takes whole numbers of 32 bits")
    return wanted(value)


def _of_factory(game: str, given: dict[str, Any]) -> tuple[Any, str, dict[str, Any]]:
    factory = required(f"{GAMES}.factory", "OpenSpiel", "open-spiel")
    setting = given["setting"]
    if setting not in factory.GAME_SETTINGS:
        raise InputError(unknown(f"factory setting of openspiel:{game}", setting, factory.GAME_SETTINGS))
    if len(given) > 1:
        others = ", ".join(sorted(set(given) - {"setting"}))
        raise InputError(
            f"openspiel:{game} is given {others} besides setting={setting}; a setting of OpenSpiel's factory comes "
            f"whole: {dict(factory.GAME_SETTINGS[setting])}"
        )
    with foreign(game, f"its factory made it with the setting {setting!r}"):
        try:
            loaded = factory.create_game_with_setting(game, setting)
        except IndexError as error:
            raise InputError(
                f"OpenSpiel cannot make {game} with the setting {setting!r}: it does not have its data "
                f"(IndexError: {_line(error)})"
            ) from None
    return loaded, f"{game}(setting={setting})", given


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
