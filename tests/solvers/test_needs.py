"""What solvers need of a game, against the couplings and dynamics themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.learners import LEARNERS
from mfgsolve.solvers import SOLVERS, FictitiousPlay, Newton, needs, suited
from mfgsolve.solvers.table import CLASSES

GAMES = {title: build() for title, build in CLASSES.items()}
# which classes of games meet a need, by hand
MEETS = {
    needs.TABLES: lambda title: (
        "diffusion" not in title and not title.startswith(("... coupling", "... best", "... moving"))
    ),
    needs.SHARP: lambda title: "temperature > 0" not in title and "depend" not in title,
    needs.SOFT: lambda title: "capacity" not in title and "final density" not in title,
    needs.SMOOTH: lambda title: "jump" not in title,
    needs.UNCOUPLED: lambda title: "depend" not in title and title != "... sharp",
    needs.POTENTIAL: lambda title: (
        not any(word in title for word in ("no potential", "depend", "dearer")) and title != "... sharp"
    ),
    needs.MONOTONE: lambda title: True,
    needs.DERIVATIVE: lambda title: "derivative" not in title and "depend" not in title and title != "... sharp",
    needs.SLOPES: lambda title: "derivative" not in title,
}


@pytest.mark.parametrize("need", list(MEETS), ids=lambda need: need.name)
@pytest.mark.parametrize("title", list(GAMES))
def test_which_games_meet_a_need(need, title):
    assert need.met(GAMES[title]) == MEETS[need](title)
    assert needs.unmet((need,), GAMES[title]) == (None if MEETS[need](title) else need.sentence)


def test_local_and_monotone_are_asked_of_the_coupling():
    bar = mfg.problems.beach_bar(shape=(3,), steps=2)
    parts = {"grid": bar.grid, "time": bar.time, "dynamics": bar.dynamics, "initial": bar.initial}
    wide = mfg.Problem(coupling=mfg.Interaction(np.full((3, 3), 0.5) + np.eye(3)), **parts)
    seeking = mfg.Problem(coupling=mfg.Interaction(-np.eye(3)), **parts)
    assert not needs.LOCAL.met(wide)
    assert needs.LOCAL.met(bar)
    assert not needs.MONOTONE.met(seeking)


def test_few_masses_bind_only_where_the_crowd_changes_the_transitions():
    game = GAMES["transitions that depend on the crowd"]  # 2 states at 3 times
    assert needs.few_masses(6).met(game)
    assert not needs.few_masses(5).met(game)
    assert needs.few_masses(5).met(GAMES["finite, sharp, potential"])
    assert "more than 5 masses" in needs.few_masses(5).sentence


def test_the_first_need_that_is_not_met_is_why():
    hard = GAMES["finite, temperature > 0, capacity or bounded price"]
    assert needs.unmet((needs.TABLES, needs.SOFT, needs.SHARP), hard) == needs.SOFT.sentence
    assert needs.unmet((needs.TABLES, needs.SHARP, needs.SOFT), hard) == needs.SHARP.sentence
    assert needs.unmet((), hard) is None


@pytest.mark.parametrize("name", [*SOLVERS, *LEARNERS])
def test_every_solver_declares_what_it_needs_and_refuses_by_that(name):
    kind = SOLVERS.get(name) or LEARNERS[name]
    assert kind.needs
    for game in GAMES.values():
        assert kind().refuses(game) == needs.unmet(kind.needs, game)
        assert (kind().refuses(game) is None) == (name in suited(game)) or name in LEARNERS


@dataclass(frozen=True)
class Sharp(FictitiousPlay):
    name = "sharp-play"
    needs = (needs.SHARP, needs.SOFT)


def test_a_solver_of_ones_own_declares_them_too():
    assert (
        mfg.solve(GAMES["finite, sharp, potential"], method=Sharp(), max_iterations=2, check="ignore").iterations <= 2
    )
    with pytest.raises(mfg.InputError, match="'sharp-play' does not suit this problem: best responses are smooth"):
        mfg.solve(GAMES["finite, temperature > 0, potential"], method=Sharp())


def test_a_coupled_game_is_refused_by_its_size_first():
    assert "600 masses" in Newton.needs[0].sentence
