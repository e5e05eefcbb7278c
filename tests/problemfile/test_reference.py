"""All keys in words: each with how it is written, what it is if absent, and one clause of its docstring."""

from __future__ import annotations

from dataclasses import dataclass, field

import mfgsolve as mfg
from mfgsolve import couplings, dynamics, problemfile
from mfgsolve.dynamics.movement import KINDS as MOVEMENTS
from mfgsolve.inputs.tables import table
from mfgsolve.problemfile import all_keys
from mfgsolve.problemfile.tables import TIMES


@dataclass(frozen=True, eq=False)
class Toll(mfg.CrowdAversion):
    """A coupling of somebody's own.

    Parameters
    ----------
    gates, lanes : where it is paid; not told any further
    share : of the toll. That is all
    """

    gates: int = 3
    lanes: tuple[int, ...] = ()
    share: float = field(default=0.5, metadata={"needed": True})
    closed: bool = False


def test_keys_of_a_registered_class(monkeypatch) -> None:
    monkeypatch.setitem(couplings.KINDS, "toll", Toll)
    paragraph = all_keys().split('[[coupling]] and [[terminal.coupling]] kind = "toll"\n')[1].split("\n\n")[0]
    lines = [line.strip() for line in paragraph.splitlines()]
    assert "gates : a whole number, 3 if absent; where it is paid" in lines
    assert "lanes : a list of whole numbers; where it is paid" in lines
    assert "share : a number, needed; of the toll" in lines
    assert "closed : true or false, false if absent" in lines
    assert 'on : a text, "state" if absent' in lines


def test_every_key_is_in_the_documentation() -> None:
    for kind in (*dynamics.KINDS.values(), *couplings.KINDS.values(), mfg.TimeGrid):
        for key in table(kind).keys:
            assert f"        {key} : " in (problemfile.__doc__ or ""), (kind, key)


def test_every_kind_has_a_paragraph() -> None:
    titles = {line for line in all_keys().splitlines() if line and not line.startswith(" ")}
    assert {'[dynamics] kind = "lattice"', "[grid]", '[time] kind = "ergodic"', "{bump = ...}, a field"} <= titles
    assert len([title for title in titles if "kind =" in title]) == sum(
        map(len, (dynamics.KINDS, couplings.KINDS, TIMES, MOVEMENTS))
    )
