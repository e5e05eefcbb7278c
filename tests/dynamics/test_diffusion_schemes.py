"""Which scheme a diffusion takes: the one that is stated, or else the entropic one where it suits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.dynamics import QuadraticCost, diffusion
from mfgsolve.games import make_game
from mfgsolve.identity import fingerprint
from tests.plain_games import problem


@dataclass(frozen=True)
class Quartic(QuadraticCost):
    """A cost of moving of somebody's own."""


class Slow(mfg.ControlledDiffusion):
    """Agents with a cap of their own."""

    def speed_cap(self, possible: Any) -> Any:
        return tuple(np.minimum(cap, 0.1) for cap in possible)


@pytest.fixture(autouse=True)
def entropic_is_preferred(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffusion, "PREFERRED", "entropic")


def of(dynamics: mfg.ControlledDiffusion, **parts: Any) -> mfg.Problem:
    return problem(dynamics=dynamics, **parts)


def codes(stated: mfg.Problem) -> list[str]:
    return [caution.code for caution in stated.cautions]


def test_without_a_word_it_is_entropic():
    plain = of(mfg.ControlledDiffusion(0.01))
    assert (plain.scheme, plain.cautions) == ("entropic", ())
    assert plain.dynamics.scheme is None  # as stated, so that it is decided anew where the game is changed
    assert plain.all_dynamics[0].scheme == "entropic"
    assert make_game(plain).step.is_trapezoidal
    assert fingerprint(plain) == fingerprint(of(mfg.ControlledDiffusion(0.01, scheme="entropic")))


UNEVEN = mfg.Grid((mfg.Axis.from_edges("y", [0.0, 0.2, 1.0]), mfg.Axis("x", 6, 0.0, 1.0)))
OBSTACLES = [
    ({}, {"grid": UNEVEN}, "cells along the axis y of the grid have different widths"),
    ({"drift": [0.1, 0.0]}, {}, "it has a drift"),
    ({"noise": "explicit"}, {}, "its noise is explicit"),
    ({"control_cost": Quartic(1.0)}, {}, "what moving costs is not c |a|^2 / 2"),
    ({}, {"coupling": mfg.Capacity(3.0)}, "the density has hard bounds"),
]


@pytest.mark.parametrize(("stated", "parts", "reason"), OBSTACLES)
def test_where_it_does_not_suit_upwind_is_taken_and_said(stated: Any, parts: Any, reason: str):
    other = of(mfg.ControlledDiffusion(0.01, **stated), **parts)
    assert (other.scheme, codes(other)) == ("upwind", ["upwind-scheme"])
    assert reason in other.cautions[0].sentence
    assert "scheme = 'upwind'" in other.cautions[0].sentence
    named = of(mfg.ControlledDiffusion(0.01, scheme="upwind", **stated), **parts)
    assert (named.scheme, named.cautions) == ("upwind", ())
    with pytest.raises(mfg.InputError, match="scheme of a diffusion is 'entropic', which does not suit") as caught:
        of(mfg.ControlledDiffusion(0.01, scheme="entropic", **stated), **parts)
    assert reason in str(caught.value)
    assert "take scheme = 'upwind', or leave the scheme out" in str(caught.value)


def test_all_reasons_are_told():
    other = of(mfg.ControlledDiffusion(0.01, noise="explicit"), coupling=mfg.Capacity(3.0))
    assert "its noise is explicit, and the density has hard bounds" in other.cautions[0].sentence


def test_steps_of_a_subclass_are_its_own():
    slow = of(Slow(0.01))
    assert (slow.scheme, codes(slow)) == ("upwind", ["upwind-scheme"])
    assert "a Slow makes its own steps" in slow.cautions[0].sentence
    assert max(np.max(cap) for cap in make_game(slow).step.scheme.cap) == 0.1


def test_a_changed_game_decides_anew():
    plain = of(mfg.ControlledDiffusion(0.01))
    capped = replace(plain, coupling=mfg.Capacity(3.0))
    assert (plain.scheme, capped.scheme, codes(capped)) == ("entropic", "upwind", ["upwind-scheme"])
    assert (replace(capped, coupling=0.0).scheme, plain.levelled().scheme) == ("entropic", "entropic")
    assert codes(capped.levelled()) == codes(capped.with_steps(16)) == ["upwind-scheme"]  # once


def test_the_caution_stands_beside_the_solution():
    solution = mfg.solve(of(mfg.ControlledDiffusion(0.01, drift=[0.1, 0.0])), tol=1e-3, check="ignore")
    assert "upwind-scheme" in [caution.code for caution in solution.warnings]


def test_finite_games_have_no_scheme():
    assert mfg.problems.build("beach-bar").scheme == ""


def test_words_are_checked():
    with pytest.raises(mfg.InputError, match="scheme of a diffusion 'entropik'; did you mean 'entropic'"):
        mfg.ControlledDiffusion(0.01, scheme="entropik")
    with pytest.raises(mfg.InputError, match="scheme of a diffusion '3'; allowed: entropic, upwind"):
        mfg.ControlledDiffusion(0.01, scheme=3)  # type: ignore[arg-type]


@pytest.mark.parametrize(("reach", "fault"), [(0, "at least 1 cell"), (2.5, "a whole number"), ("far", "real number")])
def test_a_reach_is_a_whole_number_of_cells(reach: Any, fault: str):
    with pytest.raises(mfg.InputError, match=f"reach of a diffusion is .*{fault}"):
        mfg.ControlledDiffusion(0.01, reach=reach)


def test_a_reach_is_that_of_the_step_and_of_entropic_ones_only():
    near, far = (of(mfg.ControlledDiffusion(0.01, reach=reach)) for reach in (2, 3.0))
    assert [make_game(each).step.reach for each in (near, far)] == [(2, 2), (3, 3)]
    assert fingerprint(near) != fingerprint(far)
    unused = of(mfg.ControlledDiffusion(0.01, scheme="upwind", reach=3))
    assert codes(unused) == ["reach-unused"]
    assert "reach = 3" in unused.cautions[0].sentence
    assert fingerprint(unused) == fingerprint(of(mfg.ControlledDiffusion(0.01, scheme="upwind")))


def test_an_upwind_game_has_the_digest_that_it_had():
    """Of mfgsolve 0.6.0, which knew no other scheme."""
    line = mfg.Problem(
        mfg.Grid.box((8,)), mfg.TimeGrid(1.0, 8), mfg.ControlledDiffusion(0.01, scheme="upwind"),
        mfg.CrowdAversion(0.1), 1.0,
    )  # fmt: skip
    assert fingerprint(line).startswith("0f050af12e20d9d7")
    assert fingerprint(replace(line, dynamics=mfg.ControlledDiffusion(0.01))) != fingerprint(line)
