"""The command `list`: all problems, and all of one."""

from __future__ import annotations

import json
import re

import pytest
from command_line import run

from mfgsolve import problems
from mfgsolve.command import speaking
from mfgsolve.command.listing import problem_facts
from mfgsolve.problems.registry import GROUPS


def test_all_problems_as_json() -> None:
    listed = json.loads(run("list", "--json").stdout)["problems"]
    assert [one["name"] for one in listed] == problems.names()
    assert all(one["group"] in GROUPS and one["source"] and one["summary"] for one in listed)


@pytest.mark.parametrize("name", problems.names())
def test_one_problem_as_json_has_everything(name: str) -> None:
    facts = problem_facts(problems.get(name))
    assert json.loads(json.dumps(facts)) == facts
    assert set(facts["parameters"]) == set(problems.get(name).parameters)
    for one in facts["parameters"].values():
        assert one["meaning"]
        assert one["unit"]
        assert one["kind"] in ("number", "whole number", "text", "true or false")


def test_one_problem_tells_meanings_units_and_sources() -> None:
    text = run("list", "montreal").stdout
    assert re.search(r"--set congestion +150\.0 +km\^2 +the reward is halved", text)
    assert re.search(r"--shape +64x64 +cells \(ny, nx\)", text)
    assert "source" in text
    assert json.loads(run("list", "montreal", "--json").stdout) == problem_facts(problems.get("montreal"))


def test_tasks_and_peers_as_json() -> None:
    tasks = json.loads(run("list", "tasks", "--json").stdout)["tasks"]
    assert "slippery-chains" in [one["name"] for one in tasks]
    one = json.loads(run("list", "slippery-chains", "--json").stdout)
    assert one["parameters"]
    assert one["learner"]["options"]


def test_groups_are_shown_on_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaking, "on_screen", lambda: True)
    text = run("list").stdout
    places = [text.index(f"{title[0].upper()}{title[1:]}") for group, title in GROUPS.items() if group != "own"]
    assert places == sorted(places)
    assert "Source:" not in text
    assert "mfgsolve list NAME" in text
    for name in problems.names():
        assert re.search(rf"^  {name} ", text, re.M)
