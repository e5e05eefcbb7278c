"""What both borders share: optional imports, and names that carry settings."""

from __future__ import annotations

import ast
import importlib
from types import ModuleType
from typing import Any

from mfgsolve.cautions import say
from mfgsolve.errors import InputError

__all__ = ["required", "say_discounted", "split_settings"]


def required(module: str, library: str, extra: str) -> ModuleType:
    """Import a module of an optional library, or say what to install."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise  # the library is there, and misses something of its own
        raise InputError(f"{library} is not installed; it comes with: pip install 'mfgsolve[{extra}]'") from None


def say_discounted(solution: Any, library: str) -> None:
    """Caution where a policy is handed to a library whose games know no discount rate."""
    rate = float(solution.dataset.attrs.get("discount", 0.0))
    if rate:
        say(
            "discounted-export",
            f"the policy answers costs with a discount rate of {rate:g}, and games of {library} have none: what it "
            "measures there is another game; translate the rate into its rewards, or solve with a rate of 0",
        )


def split_settings(game: str) -> tuple[str, dict[str, Any]]:
    """``name(size=10,label=[0|0])`` as the name and its settings; values that are no Python literal stay texts."""
    name, bracket, rest = game.partition("(")
    if not bracket:
        return game, {}
    if not rest.endswith(")"):
        raise InputError(f"settings of {game!r} have no closing bracket; write {name}(size=10,horizon=10)")
    settings: dict[str, Any] = {}
    for part in filter(None, rest[:-1].split(",")):
        key, equals, value = part.partition("=")
        if not equals:
            raise InputError(f"setting {part!r} of {name!r} has no value; write {name}(size=10,horizon=10)")
        settings[key.strip()] = literal(value.strip())
    return name, settings


def literal(text: str) -> Any:
    """A number, true or false; everything else stays a text."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return value if isinstance(value, int | float) else text
