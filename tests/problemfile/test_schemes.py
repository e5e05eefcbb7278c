"""The scheme in the text of a problem: read, set, always written, and added to texts of earlier versions."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

import pytest

import mfgsolve as mfg
from mfgsolve.dynamics import diffusion
from mfgsolve.identity import fingerprint
from mfgsolve.problemfile import all_keys, as_then, named_problem, problem_from_toml, problem_to_toml, restated
from tests.commands import DECLARED

PLAIN = DECLARED.replace('scheme = "upwind"\n', "")
NAMED = 'problem = "cole-hopf"\nshape = [12]\nsteps = 8\n'
LATTICE = PLAIN.replace("[dynamics]\n", '[dynamics]\nkind = "lattice"\nmoves = [-1, 0, 1]\n')


@pytest.fixture(autouse=True)
def entropic_is_preferred(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffusion, "PREFERRED", "entropic")


def chain(text: str, **words: Any) -> dict[str, Any]:
    return problem_from_toml(text, **words).all_dynamics[0].chain


@pytest.mark.parametrize("text", [PLAIN, NAMED])
def test_it_is_read_and_set(text: str):
    assert chain(text) == {"scheme": "entropic"}
    assert chain(text, settings={"dynamics.scheme": "upwind"}) == {"scheme": "upwind"}
    wide = {"dynamics.scheme": "entropic", "dynamics.reach": 8}
    assert chain(text, settings=wide) == {"scheme": "entropic", "reach": 8}
    assert chain(text, settings={"dynamics.reach": 8}) == {"scheme": "entropic", "reach": 8}
    with pytest.raises(mfg.InputError, match="scheme of a diffusion 'upwimd'; did you mean 'upwind'"):
        problem_from_toml(text, settings={"dynamics.scheme": "upwimd"})
    with pytest.raises(mfg.InputError, match=r"dynamics.reach: 2.5 is no whole number"):
        problem_from_toml(text, settings={"dynamics.reach": 2.5})


def test_a_named_problem_takes_it_by_its_name_alone():
    assert chain(NAMED, settings={"scheme": "upwind"}) == {"scheme": "upwind"}
    assert mfg.problems.cole_hopf(scheme="upwind").scheme == "upwind"
    assert mfg.problems.build("cole-hopf", scheme="upwind").scheme == "upwind"
    assert "scheme" not in mfg.problems.cole_hopf(scheme="upwind").parameters
    wide = named_problem("gaussian-log", {"reach": 0.4}, reach=5)  # the way of its well, and the reach of its steps
    assert (wide.parameters["reach"], wide.all_dynamics[0].reach) == (0.4, 5)


def test_finite_games_have_none():
    with pytest.raises(mfg.InputError, match="scheme of beach-bar is 'upwind'; this game is a finite one and has none"):
        mfg.problems.build("beach-bar", scheme="upwind")
    with pytest.raises(mfg.InputError, match="scheme is 'upwind', and a Tabular has none"):
        mfg.problems.build("beach-bar").with_scheme("upwind")
    with pytest.raises(mfg.InputError, match="unknown key 'scheme'"):
        problem_from_toml(LATTICE, settings={"dynamics.scheme": "upwind"})
    assert "scheme" not in problem_to_toml(problem_from_toml(LATTICE))
    assert "scheme" not in problem_to_toml(mfg.problems.build("beach-bar"))


@pytest.mark.parametrize("scheme", ["entropic", "upwind"])
@pytest.mark.parametrize("text", [PLAIN, NAMED])
def test_what_is_written_states_it(text: str, scheme: str):
    for problem in (
        problem_from_toml(text, settings={"dynamics.scheme": scheme}),
        problem_from_toml(text).with_scheme(scheme),
        problem_from_toml(text).with_scheme(scheme).rescaled((6,), 4),
        problem_from_toml(text, settings={"dynamics.scheme": scheme}).with_steps(4),
    ):
        written = problem_to_toml(problem)
        assert tomllib.loads(written)["dynamics"]["scheme"] == scheme
        again = problem_from_toml(written)
        assert fingerprint(again) == fingerprint(problem)
        assert problem_to_toml(again) == written


@pytest.mark.parametrize("text", [PLAIN, NAMED])
def test_what_was_taken_is_written_and_needs_no_caution_any_more(text: str):
    assert tomllib.loads(problem_to_toml(problem_from_toml(text)))["dynamics"]["scheme"] == "entropic"
    windy = problem_from_toml(PLAIN, settings={"dynamics.drift": 0.1})
    assert [caution.code for caution in windy.cautions] == ["upwind-scheme"]
    again = problem_from_toml(problem_to_toml(windy))
    assert (again.dynamics.scheme, again.cautions) == ("upwind", ())


def test_a_reach_is_written_too():
    for text in (PLAIN, NAMED):
        wide = problem_from_toml(text).with_scheme("entropic", 8)
        assert problem_from_toml(problem_to_toml(wide)).all_dynamics[0].chain == {"scheme": "entropic", "reach": 8}
        narrow = problem_from_toml(problem_to_toml(wide)).with_scheme("entropic")
        assert "reach" not in tomllib.loads(problem_to_toml(narrow))["dynamics"]


def test_comments_are_kept():
    text = PLAIN.replace("[dynamics]\n", "[dynamics]  # how they move\n# slowly\n")
    written = problem_to_toml(problem_from_toml(text))
    assert written == text.replace("move\n", 'move\nscheme = "entropic"\n')
    inline = PLAIN.replace("[dynamics]\nviscosity = 0.01\n", "").replace("[grid]", "dynamics.viscosity = 0.01\n[grid]")
    assert tomllib.loads(problem_to_toml(problem_from_toml(inline)))["dynamics"]["scheme"] == "entropic"
    trap = PLAIN.replace('name = "hill"', 'name = "hill"\nsource = """\n[dynamics]\n"""')
    written = problem_to_toml(problem_from_toml(trap))
    assert tomllib.loads(written)["source"] == "[dynamics]\n"
    assert tomllib.loads(written)["dynamics"]["scheme"] == "entropic"


def test_it_is_listed():
    keys = " ".join(all_keys().split())
    assert 'scheme : a text; "entropic" or "upwind"' in keys
    assert "reach : a whole number; cells along each axis that an agent can go in one entropic step" in keys


# -- earlier versions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["0.4.0", "0.5.0", "0.6.0"])
@pytest.mark.parametrize("text", [PLAIN, NAMED, NAMED + "[parameters]\nviscosity = 0.1\n[time]\ndiscount = 0.1\n"])
def test_texts_of_earlier_versions_mean_upwind(text: str, version: str):
    then = problem_from_toml(restated(text, version))
    assert (then.scheme, then.cautions) == ("upwind", ())
    assert fingerprint(then) == fingerprint(problem_from_toml(text).with_scheme("upwind"))


@pytest.mark.parametrize("version", ["0.7.0", "0.10.1", "1.0.0", "unknown"])
def test_texts_of_others_mean_what_they_say(version: str):
    assert restated(PLAIN, version) == PLAIN
    assert restated(NAMED, version) == NAMED


@pytest.mark.parametrize("text", [
    LATTICE, 'problem = "beach-bar"', 'problem = "mfglib:beach_bar"', 'problem = "nothing"', "no [ TOML", "python",
    PLAIN.replace("[dynamics]\n", '[dynamics]\nscheme = "entropic"\n'), "dynamics = 3", 'dynamics = {kind = "odd"}', "",
])  # fmt: skip
def test_texts_without_schemes_stay(text: str):
    assert restated(text, "0.6.0") == text


def test_problems_in_python_are_taken_as_files_of_earlier_versions_mean_them():
    stated = mfg.problems.cole_hopf(shape=(12,), steps=8)
    then = as_then(stated, "0.6.0")
    assert (then.scheme, [caution.code for caution in then.cautions]) == ("upwind", ["upwind-scheme"])
    assert "written by mfgsolve 0.6.0, whose diffusions were upwind" in then.cautions[0].sentence
    assert as_then(stated, "0.7.0") is stated
    finite = mfg.problems.build("beach-bar")
    for known in (then, stated.with_scheme("entropic"), finite, replace(finite, name="other")):
        assert as_then(known, "0.6.0") is known
