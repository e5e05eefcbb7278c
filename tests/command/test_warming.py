"""Kernels compiled ahead: what is told, and what is refused."""

from __future__ import annotations

import json

import pytest
from command_line import refused, run

import mfgsolve as mfg
from mfgsolve.command import warming
from mfgsolve.kernels import compiled_count


def test_every_kind_is_warmed_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []
    games = {name: (lambda count, name=name: asked.append((name, count))) for name in warming.GAMES}
    monkeypatch.setattr(warming, "GAMES", games)
    told = run("warm-up").stdout
    assert [name for name, _ in asked] == list(warming.COMMON)
    assert told.count("ready") == len(warming.COMMON)
    asked.clear()
    facts = json.loads(run("warm-up", "--games", "all", "--threads", "2", "--json").stdout)
    assert set(facts) == set(games)
    assert set(asked) == {(name, count) for name in games for count in (1, 2)}
    assert all(fact["compiled"] == 0 for fact in facts.values())


@pytest.mark.parametrize("name", ["upwind", "entropic"])
def test_what_is_warm_compiles_nothing(name: str) -> None:
    warming.GAMES[name](1)
    before = compiled_count()
    warming.GAMES[name](1)
    assert compiled_count() == before


def test_unknown_kinds_suggest_the_nearest() -> None:
    assert "did you mean 'upwind'" in refused("warm-up", "--games", "upwnd")


def test_roads_are_warm_after_it() -> None:
    warming.GAMES["roads"](1)
    before = compiled_count()
    mfg.solve("braess-roads", check="ignore")
    assert compiled_count() == before
