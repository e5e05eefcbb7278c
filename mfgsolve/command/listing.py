"""The subcommand that lists what there is: named problems, games of other libraries, tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mfgsolve.command import completing
from mfgsolve.command.arguments import Json

if TYPE_CHECKING:
    from mfgsolve.problems import NamedProblem

__all__ = ["list_problems", "problem_facts"]

PEERS = ("mfglib", "openspiel", "bench-mfg")


def list_problems(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="Tell about this one in full; or mfglib, openspiel, bench-mfg, tasks.",
            autocompletion=completing.listed,
        ),
    ] = None,
    json: Json = False,
) -> None:  # fmt: skip
    """List the named problems, one line each with its source; with a name, all of it: its parameters, their meanings
    and units, its source.

    With the name of another library (mfglib, openspiel, bench-mfg), list its games; with 'tasks', what can be learned
    besides games.

    Example:  mfgsolve list supply-demand
    """
    from mfgsolve import methods, problems

    if name is None:
        _tell_all(json)
    elif name == "tasks" or name in methods.TASKS:
        _tell_tasks(name, json)
    elif name.partition(":")[0] in PEERS:
        _tell_peer(name.partition(":")[0], json)
    else:
        _tell_one(problems.get(name), json)


def _tell_all(json: bool) -> None:
    """On a screen in groups; where a program reads, one line each."""
    from mfgsolve import problems
    from mfgsolve.command import speaking
    from mfgsolve.problems.registry import GROUPS

    entries = [problems.get(each) for each in problems.names()]
    if json:
        speaking.to_json({"problems": [_head(entry) for entry in entries]})
    elif not speaking.on_screen():
        speaking.say(rows=[(entry.name, f"{entry.summary} Source: {entry.source}") for entry in entries])
    else:
        width = max(len(entry.name) for entry in entries)
        for group, title in GROUPS.items():
            own = [(entry.name.ljust(width), entry.summary) for entry in entries if entry.group == group]
            if own:
                speaking.say(f"{title[0].upper()}{title[1:]}")
                speaking.say(rows=[(f"  {head}", text) for head, text in own])
                speaking.say(" ")
        speaking.say("Parameters, units and sources of one:  mfgsolve list NAME")


def _tell_one(entry: NamedProblem, json: bool) -> None:
    from mfgsolve.command import report, speaking

    if json:
        speaking.to_json(problem_facts(entry))
        return
    speaking.say(rows=[(entry.name, entry.summary), ("source", entry.source)])
    speaking.say(" ")
    speaking.tell_columns(report.problem_columns(entry))


def _tell_tasks(name: str, json: bool) -> None:
    from mfgsolve.command import speaking
    from mfgsolve.command.training import task_facts, task_rows

    if json:
        speaking.to_json(task_facts(name))
    else:
        speaking.say(rows=task_rows(name))


def _tell_peer(peer: str, json: bool) -> None:
    from mfgsolve import interop
    from mfgsolve.command import speaking

    games = interop.names(peer)
    if json:
        speaking.to_json({"library": peer, "games": list(games)})
    else:
        speaking.say("\n".join(games))


def _head(entry: NamedProblem) -> dict[str, Any]:
    return {"name": entry.name, "group": entry.group, "summary": entry.summary, "source": entry.source}


def problem_facts(entry: NamedProblem) -> dict[str, Any]:
    """All that is known of a named problem, for programs."""
    kinds = {float: "number", int: "whole number", str: "text", bool: "true or false"}
    parameters = {
        each.name: {"default": each.default, "kind": kinds[each.kind], "unit": each.unit, "meaning": each.meaning}
        for each in entry.parameters.values()
    }
    resolution = {
        key: {"default": list(value) if isinstance(value, tuple) else value, "meaning": entry.meanings.get(key, "")}
        for key, value in entry.resolution.items()
    }
    exact = {"closed_form": entry.closed_form is not None}
    return _head(entry) | exact | {"parameters": parameters, "resolution": resolution}
