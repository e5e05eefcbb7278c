"""The door of statements that are no games: solved, kept, shown and refused by the same words as games."""

from __future__ import annotations

import json
import math
import pickle
import warnings

import pytest
from command_line import run
from toy_statements import Root, Value, known

import mfgsolve as mfg
from mfgsolve.command import completing


@pytest.fixture(autouse=True)
def toys(monkeypatch):
    known(monkeypatch)


def test_the_statement_its_name_and_its_file_are_solved(tmp_path):
    file, more = tmp_path / "two.ROOT", tmp_path / "more"
    file.write_text("2.")
    more.write_text("25")
    for answer in (mfg.solve(Root()), mfg.solve("toy-root"), mfg.solve("toy_root", tol=1e-12), mfg.solve(str(file))):
        assert isinstance(answer, Value)
        assert answer.converged
        assert answer.numbers["root"] == pytest.approx(math.sqrt(2))
        assert answer.relative_exploitability <= 1e-10
    assert mfg.solve("toy-root", square=9).numbers["root"] == pytest.approx(3)
    assert mfg.solve(file, trips=more).numbers["root"] == pytest.approx(1.5)


def test_an_answer_tells_its_numbers_and_what_is_not_measured():
    answer = mfg.solve(Root(), doubt=True, check="ignore")
    assert [each.code for each in answer.warnings] == ["toy-doubt"]
    assert answer.sentence.endswith("A toy is a toy.")
    rows = dict(answer.rows())
    assert rows["root"].endswith(" m")
    assert rows["what nobody measured"] == "not measured"
    assert rows["square"] == "2"
    assert "toy-doubt" in repr(answer)
    assert "A toy is a toy." in answer._repr_html_()
    assert answer.summary()["units"]["root"] == "m"
    assert answer.dataset["relative_exploitability"].dims == ("iteration",)
    with pytest.raises(AttributeError, match=r"answer\.dataset\['step'\]"):
        _ = answer.step
    assert pickle.loads(pickle.dumps(answer)).numbers["root"] == answer.numbers["root"]


def test_a_file_is_the_answer_again_and_of_its_kind_alone(tmp_path):
    path = mfg.solve(Root()).save(tmp_path / "root.nc")
    again = mfg.load(path)
    assert isinstance(again, Value)
    assert again.numbers["root"] == mfg.solve(Root()).numbers["root"]
    assert again.warnings == ()
    from mfgsolve.solution import load

    with pytest.raises(mfg.FileError, match="is the answer to a root; a solution is needed: use 'mfgsolve show'"):
        load(path)


def test_check_warns_raises_or_is_silent():
    with pytest.warns(UserWarning, match="root ended with status 'iteration limit'") as said:
        mfg.solve(Root(), max_iterations=1)
    assert said[0].filename == __file__
    with pytest.warns(UserWarning, match="A toy is a toy") as said:
        Root().solve(doubt=True)
    assert said[0].filename == __file__
    with pytest.raises(mfg.NotConverged, match="iteration limit") as stopped:
        mfg.solve(Root(), max_iterations=1, check="raise")
    assert stopped.value.solution.numbers["root"] == 1.5
    assert "The iteration limit came first; allow more." in str(stopped.value)  # there is no checkpoint
    with pytest.raises(mfg.Doubtful, match="toy"):
        mfg.solve(Root(), doubt=True, check="raise")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mfg.solve(Root(), doubt=True, check="ignore", checkpoint=None)
    with pytest.raises(mfg.InputError, match="unknown value of check"):
        mfg.solve(Root(), check="maybe")


def test_a_warning_of_a_game_points_at_the_caller_too():
    with pytest.warns(UserWarning, match="iteration limit") as said:
        mfg.solve(mfg.problems.left_right(), max_iterations=0)
    assert said[0].filename == __file__


def test_options_of_others_are_refused():
    for call, sentence in (
        (lambda: mfg.solve(Root(), toll=1), "unknown option 'toll'; did you mean 'tol'"),
        (
            lambda: mfg.solve("toy-root", checkpoint="a.nc"),
            "solve of a root: unknown option, or parameter of toy-root, 'checkpoint'",
        ),
        (lambda: mfg.price_of_anarchy(Root()), "solve of a root: unknown option 'objective'"),
        (lambda: mfg.learn("toy-root", "mguni"), "learn got a root; it is of games"),
        (lambda: mfg.problems.build("toy-root", shape=(3,)), "shape of toy-root is given; a root has none"),
        (lambda: mfg.sweep("toy-root", {"square": [1.0, 2.0]}), "a root"),
    ):
        with pytest.raises(mfg.InputError, match=sentence):
            call()


def test_the_list_has_it_beside_the_games():
    assert "toy-root" in mfg.problems.names()
    assert "toy-root" not in mfg.problems.names("game")
    assert mfg.problems.names("toy-root") == ["toy-root"]
    assert "the number" in run("list", "toy-root").stdout
    assert "toy-root" in [one["name"] for one in json.loads(run("list", "--json").stdout)["problems"]]
    assert "toy-root" in [word for word, _ in completing._problems()]


def test_a_misspelt_parameter_of_a_name_has_a_nearest_one():
    for name, wrong, near in (("huggett", "gama", "gamma"), ("braess-roads", "demnd", "demand"),
                              ("aiyagari-shock", "fal", "fall")):  # fmt: skip
        with pytest.raises(mfg.InputError, match=f"parameter of {name}, '{wrong}'; did you mean '{near}'"):
            mfg.solve(name, **{wrong: 2})
    with pytest.raises(mfg.InputError, match=r"stated already; state it with it, problems.huggett\(gamma=...\)"):
        mfg.solve(mfg.problems.huggett(), gamma=3.0)
