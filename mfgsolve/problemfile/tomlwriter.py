"""Plain numbers, texts, lists and tables as TOML text; the standard library only reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from mfgsolve.errors import InputError

__all__ = ["dump_toml"]


def dump_toml(document: Mapping[str, Any]) -> str:
    """TOML text: values first, then one section per table, whatever lies deeper written inline."""
    lines = [f"{_key(k)} = {_inline(v)}" for k, v in document.items() if not _is_section(v)]
    for key, value in document.items():
        if not _is_section(value):
            continue
        tables, brackets = ([value], "[%s]") if isinstance(value, Mapping) else (value, "[[%s]]")
        for table in tables:
            lines += ["", brackets % _key(key), *(f"{_key(k)} = {_inline(v)}" for k, v in table.items())]
    return "\n".join(lines).lstrip("\n") + "\n"


def _is_section(value: Any) -> bool:
    tables = isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value)
    return isinstance(value, Mapping) or bool(tables)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _inline(name)


def _inline(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return repr(float(value))
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(k)} = {_inline(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_inline(item) for item in value) + "]"
    raise InputError(f"a {type(value).__name__} has no form in a problem file; numbers, texts, lists and tables have")
