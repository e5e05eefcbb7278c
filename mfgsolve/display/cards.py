"""A card: title, sentence, picture, numbers, warnings.  All text is escaped here, and nowhere else."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

__all__ = ["bar", "card", "number"]

BOX = "border:1px solid rgba(128,128,128,.4);border-radius:6px;padding:.6em .9em;max-width:46em;display:inline-block"
CELL = "text-align:left;padding:.05em 1.2em .05em 0;border:none"
DOUBT = "border-left:4px solid #e69f00;padding:.1em .6em;margin:.4em 0"


def number(value: Any) -> str:
    """A number as cards tell it: 0.2413, 1.2e-11, NaN is "not measured"; other values by their text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, float) and math.isnan(value):
        return "not measured"
    return str(value) if isinstance(value, int) else f"{value:.4g}"


def card(
    title: str,
    sentence: str,
    numbers: Mapping[str, Any],
    *,
    picture: str = "",
    below: str = "",
    warnings: Iterable[str] = (),
) -> str:
    """The card of an object.

    Parameters
    ----------
    title, sentence, below : texts; ``below`` stands under the picture
    numbers : of its table, by name; told by `number`
    picture : an element of `mfgsolve.display`, taken as it is
    warnings : sentences
    """
    rows = "".join(
        f'<tr style="background:none"><td style="{CELL};opacity:.7">{escape(name)}</td>'
        f'<td style="{CELL}">{escape(number(value))}</td></tr>'
        for name, value in numbers.items()
    )
    doubts = "".join(f'<div style="{DOUBT}">{escape(each)}</div>' for each in warnings)
    shown = f'<div style="margin:.4em 0">{picture}</div>' if picture else ""
    under = f'<div style="opacity:.7;font-size:.85em">{escape(below)}</div>' if below else ""
    return (
        f'<div style="{BOX}"><div><b>{escape(title)}</b></div><div>{escape(sentence)}</div>{doubts}{shown}{under}'
        f'<table style="border:none;margin:.3em 0 0 0">{rows}</table></div>'
    )


def bar(relative: float) -> str:
    """A relative exploitability on a scale of powers of ten, from 1 (empty) to 1e-16 (full), as an SVG element."""
    size = abs(relative)
    digits = 0.0 if math.isnan(size) else 16.0 if size == 0 else min(max(0.0, -math.log10(size)), 16.0)
    marks = "".join(
        f'<line x1="{15 * k}" x2="{15 * k}" y1="10" y2="14" stroke="gray"/>'
        f'<text x="{15 * k}" y="24" font-size="8" text-anchor="middle" fill="gray">{"1e-" + str(k) if k else 1}</text>'
        for k in range(0, 17, 4)
    )
    return (
        '<svg width="276" height="28" viewBox="-18 0 276 28" role="img">'
        '<rect x="0" y="2" width="240" height="8" fill="rgba(128,128,128,.25)"/>'
        f'<rect x="0" y="2" width="{15 * digits:.1f}" height="8" fill="#21918c"/>{marks}</svg>'
    )
