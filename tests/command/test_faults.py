"""What is wrong, as one JSON object; and options that are parameters."""

from __future__ import annotations

import json

import pytest
from command_line import refused, run
from commands import FLAGSHIP

from mfgsolve.command.faults import asks_for_json, fault_facts, meant_setting


@pytest.mark.parametrize(
    ("words", "kind", "came", "suggestion"),
    [
        (["solve", "suply-demand"], "bad input", "unknown problem 'suply-demand'", "supply-demand"),
        ([*FLAGSHIP, "--set", "viscosity=-1"], "bad input", "viscosity is -1.0", None),
        ([*FLAGSHIP, "--rewrd", "2"], "usage", "no such option: --rewrd", "--set reward=2"),
        ([*FLAGSHIP, "--steps", "many"], "usage", "Invalid value for '--steps': 'many' came", None),
        (["solve"], "usage", "Missing argument 'NAME|FILE.toml|PEER:GAME'.", None),
        (["show", "none.nc"], "file", "file none.nc does not exist", None),
        (["list", "montrael"], "bad input", "unknown problem 'montrael'", "montreal"),
        (["write", "montreal"], "bad input", "problem 'montreal' cannot be written as data: the reward of coupling "
         "congestion is a function of Python, which a problem file has no words for", None),
    ],
)  # fmt: skip
def test_under_json_an_error_is_one_object_on_stdout(
    words: list[str], kind: str, came: str, suggestion: str | None
) -> None:
    result = run(*words, "--json", code=2)
    assert result.stderr == ""
    error = json.loads(result.stdout)["error"]
    assert (error["kind"], error["exit_code"]) == (kind, 2)
    (fault,) = error["faults"]
    assert fault["came"] == came
    assert fault["suggestion"] == suggestion
    assert error["message"].startswith(came)


def test_every_fault_of_a_file_is_told_by_itself() -> None:
    facts = fault_facts("bad input", "a.toml: x is 1; y is needed\na.toml: z is missing", 2)["error"]
    assert facts["faults"] == [
        {"came": "a.toml: x is 1", "remedy": "y is needed", "suggestion": None},
        {"came": "a.toml: z is missing", "remedy": None, "suggestion": None},
    ]


def test_an_error_after_the_result_is_told_on_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    from mfgsolve import plots
    from mfgsolve.errors import FileError

    def full(*_: object) -> None:
        raise FileError("output plan.png cannot be written: No space left on device")

    monkeypatch.setattr(plots, "save", full)
    result = run("solve", "left-right", "--plot", "plan.png", "--json", code=2)
    assert json.loads(result.stdout)["status"] == "converged"
    assert "No space left on device" in result.stderr


def test_an_interrupt_is_told_in_json_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mfgsolve.solve", interrupted)
    result = run("solve", "left-right", "--json", code=130)
    error = json.loads(result.stdout)["error"]
    assert (error["kind"], error["exit_code"]) == ("interrupted", 130)
    assert error["message"].startswith("interrupted; nothing was written")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["solve", "supply-demand", "--reward", "2.5"], "write --set reward=2.5"),
        (["solve", "supply-demand", "--reward=2.5"], "write --set reward=2.5"),
        (["solve", "supply-demand", "--reward", "-2.5"], "write --set reward=-2.5"),
        (["solve", "supply-demand", "--reward", "--json"], "write --set reward=VALUE"),
        (["solve", "supply_demand", "--control-cost", "1"], "write --set control_cost=1"),
        (["learn", "slippery-chains", "--slip", "0.2"], "is a parameter of slippery-chains: write --set"),
    ],
)
def test_an_option_that_is_a_parameter_is_told_so(words: list[str], meant: str) -> None:
    option = next(word for word in words[2:] if word.startswith("--")).partition("=")[0]
    assert meant in str(meant_setting(option, words))


def test_options_that_are_no_parameters_are_as_before() -> None:
    assert meant_setting("--outptu", ["solve", "supply-demand"]) is None
    assert meant_setting("--reward", ["solve", "my.toml"]) is None
    assert "no such option: --reward" in refused("solve", "supply-demand", "--reward", "2.5")
    assert "No such option: --reward" in refused("show", "plan.nc", "--reward", "2.5")


def test_unknown_parameters_tell_what_to_write() -> None:
    assert "did you mean 'reward'" in refused(*FLAGSHIP, "--set", "rewrd=3")
    assert "write --set reward=3" in " ".join(refused(*FLAGSHIP, "--set", "rewrd=3").split())
    sentence = " ".join(refused(*FLAGSHIP, "--set", "qqqqqq=3").split())
    assert "'mfgsolve list supply-demand' tells what they mean" in sentence


def test_json_behind_two_dashes_is_a_word() -> None:
    assert asks_for_json(["solve", "--json"])
    assert not asks_for_json(["solve", "--", "--json"])
