"""Tables from dataclasses: what the annotations say, what the metadata says, and what is told of other tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from mfgsolve.errors import InputError
from mfgsolve.inputs.faults import Faults
from mfgsolve.inputs.forms import NUMBER, TEXT, Form, Later
from mfgsolve.inputs.tables import Kinds, group, inline, table


@dataclass(frozen=True)
class Inner:
    depth: int
    unit: str = "m"


@dataclass(frozen=True)
class Outer:
    speed: float
    name: str | None = None
    on: bool = field(default=True, metadata={"needed": True})
    point: tuple[float, int] = (0.0, 0)
    words: tuple[str, ...] = ()
    inner: Inner | None = None
    spread: Any = field(default=None, metadata={"form": inline(Inner)})
    hidden: Any = None
    double: float = field(init=False, default=0.0)


def test_annotations_say_how_fields_are_written():
    assert list(table(Outer).keys) == ["speed", "name", "on", "point", "words", "inner", "depth", "unit"]
    needed = [name for name, part in table(Outer).keys.items() if part.needed]
    assert needed == ["speed", "on", "depth"]
    stated = {"speed": 2, "on": False, "point": [1, 2], "words": ["a"], "inner": {"depth": 3}, "depth": 4, "unit": "ft"}
    assert table(Outer).read(stated, None) == Outer(
        2.0, None, False, (1.0, 2), ("a",), inner=Inner(3), spread=Inner(4, "ft")
    )
    assert table(Outer).read({"speed": 2, "on": True}, None).spread is None


def test_all_that_is_wrong_with_a_table_is_told():
    with pytest.raises(Faults) as caught:
        table(Outer).read({"point": [1, "x"], "inner": {"dept": 1}, "sped": 1}, None)
    assert caught.value.lines() == [
        "speed: this key is missing, and needed",
        "on: this key is missing, and needed",
        "point[1]: 'x' is no whole number",
        "inner.depth: this key is missing, and needed",
        "inner: unknown key 'dept'; did you mean 'depth'? allowed: depth, unit",
        "unknown key 'sped'; did you mean 'speed'? allowed: depth, inner, name, on, point, speed, unit, words",
    ]
    with pytest.raises(InputError, match="3 is no table; its keys are depth, unit"):
        table(Inner).read(3, None)


def test_a_group_stands_for_the_tuple_of_its_values():
    pair = group(needed=False, low=NUMBER, name=TEXT)
    assert pair.read({"name": "a", "low": 1}, None) == (1.0, "a")
    assert pair.read({"name": "a"}, None) == (None, "a")


def test_a_value_may_be_made_of_the_others():
    @dataclass
    class Late:
        size: int
        twice: Any = field(metadata={"form": Form("", "", lambda v, _: Later(lambda parts: v * parts["size"]))})

    assert table(Late).read({"twice": "ab", "size": 2}, None).twice == "abab"


def test_kinds_are_words_for_classes_that_a_file_can_state():
    @dataclass
    class Closed:
        rule: Callable[[float], float]

    kinds = Kinds({"inner": Inner})
    kinds.register("inner", Inner)
    with pytest.raises(InputError, match="kind 'inner' is taken by Inner"):
        kinds.register("inner", Outer)
    with pytest.raises(InputError, match="field rule of Closed has no form in a problem file, and no default"):
        kinds.register("closed", Closed)
    assert kinds == {"inner": Inner}
