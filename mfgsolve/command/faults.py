"""What is wrong, for people in a sentence and for programs as one JSON object, and what was meant by a wrong option.

Under ``--json`` stdout always holds one object: the result, or else ``{"error": {...}}`` with

    kind        "bad input", "usage", "file", "memory" or "interrupted"
    message     the sentences that people are told
    faults      a list, one for each thing that is wrong: came (what was given), remedy (what is allowed, and what to do
                about it; null where nothing is said of it), suggestion (the nearest name that is known, or null)
    exit_code   the same as without ``--json``

An error after the result has been printed (a picture on a full disk) is told on stderr, as without ``--json``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["asks_for_json", "fault_facts", "meant_setting", "parameters_among"]

NEAR = 0.6  # how alike an option and a parameter must be


def fault_facts(kind: str, message: str, exit_code: int) -> dict[str, Any]:
    """An error as one JSON object, see above."""
    faults = [_fault(line) for line in message.split("\n") if line.strip()]
    return {"error": {"kind": kind, "message": message, "faults": faults, "exit_code": exit_code}}


def _fault(line: str) -> dict[str, str | None]:
    came, _, remedy = line.partition("; ")
    nearest = re.search(r"[Dd]id you mean '([^']+)'|write (--set \S+)", line)
    suggestion = None if nearest is None else nearest[1] or nearest[2]
    return {"came": came.strip(), "remedy": remedy.strip() or None, "suggestion": suggestion}


def asks_for_json(words: Sequence[str]) -> bool:
    """Whether the words of a command line ask for JSON."""
    return "--json" in words[: words.index("--") if "--" in words else None]


def meant_setting(option: str, words: Sequence[str]) -> str | None:
    """What to write instead of an unknown option that is a parameter of the problem, or nearly one.

    ``--reward 2.5`` is ``--set reward=2.5``; None if no parameter is like it.
    """
    name = option.lstrip("-").replace("-", "_")
    parameters = parameters_among(words)
    near = [name] if name in parameters else difflib.get_close_matches(name, parameters, n=1, cutoff=NEAR)
    if not near:
        return None
    return f"{near[0]} is a parameter of {parameters[near[0]]}: write --set {near[0]}={_value(option, words)}"


def _value(option: str, words: Sequence[str]) -> str:
    """The value that follows an option, or a word for it."""
    for k, word in enumerate(words):
        head, equals, value = word.partition("=")
        if head == option and equals:
            return value
        if word == option and k + 1 < len(words) and not re.match(r"-+[a-zA-Z]", words[k + 1]):
            return words[k + 1]
    return "VALUE"


def parameters_among(words: Sequence[str]) -> Mapping[str, str]:
    """Parameters of the problem or task that the words name, and its name."""
    from mfgsolve import methods, problems
    from mfgsolve.tasks.task import parameters_of

    for word in words:
        name = word.replace("_", "-")
        if name in problems.names():
            return dict.fromkeys(problems.get(name).parameters, name)
        if name in methods.TASKS:
            return dict.fromkeys(parameters_of(methods.TASKS[name]), name)
    return {}
