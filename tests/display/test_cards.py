"""Cards: numbers as they are told, text escaped, warnings beside."""

from __future__ import annotations

import math

import pytest

from mfgsolve.display.cards import bar, card, number


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.24131, "0.2413"), (1.234e-11, "1.234e-11"), (math.nan, "not measured"), (12, "12"), (True, "True"), ("a", "a")],
)
def test_numbers(value, told):
    assert number(value) == told


def test_everything_that_is_text_is_escaped():
    evil = "<script>&"
    shown = card(evil, evil, {evil: evil}, below=evil, warnings=[evil])
    assert "<script>" not in shown
    assert shown.count("&lt;script&gt;&amp;") == 6
    assert card("a", "b", {}, picture="<img>").count("<img>") == 1  # a picture is taken as it is


@pytest.mark.parametrize(
    ("relative", "width"), [(1.0, 0), (2.0, 0), (1e-8, 120), (-1e-8, 120), (0.0, 240), (1e-30, 240), (math.nan, 0)]
)
def test_the_bar_is_as_long_as_there_are_digits(relative, width):
    assert f'<rect x="0" y="2" width="{width:.1f}"' in bar(relative)
