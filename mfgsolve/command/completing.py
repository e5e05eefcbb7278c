"""Completion of the command line in bash, zsh and fish: names of problems and methods, parameters, files.

The script of a shell asks the command itself, ``_MFGSOLVE_COMPLETE=complete_bash mfgsolve``, what may stand where the
cursor is, so that it never knows less than the command does.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mfgsolve import methods
from mfgsolve.command.faults import parameters_among
from mfgsolve.errors import InputError, unknown

__all__ = [
    "VARIABLE", "completion", "files", "kinds", "learners", "listed", "names", "objectives", "options", "prepare",
    "schemes", "settings", "solvers",
]  # fmt: skip

VARIABLE = "_MFGSOLVE_COMPLETE"
SHELLS = {
    "bash": "~/.local/share/bash-completion/completions/mfgsolve",
    "zsh": "a file _mfgsolve in a folder of $fpath",
    "fish": "~/.config/fish/completions/mfgsolve.fish",
}
BASH = """_mfgsolve_completion() {
    local IFS=$'\\n'
    COMPREPLY=( $( env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD _MFGSOLVE_COMPLETE=complete_bash "$1" ) )
    case "${COMPREPLY[0]}" in
        *=) compopt -o nospace;;
        */) compopt -o nospace -o filenames;;
        *) [ -e "${COMPREPLY[0]}" ] && compopt -o filenames;;
    esac
    return 0
}
complete -o default -F _mfgsolve_completion mfgsolve
"""
KINDS = (
    "plan",
    "value",
    "speed",
    "policy",
    "convergence",
    "learning",
    "exits",
    "scenarios",
)  # of pictures of a solution
Candidates = list[tuple[str, str]]  # words, and what they are


def completion(
    shell: Annotated[
        str, typer.Argument(metavar="SHELL", help="bash, zsh or fish.", autocompletion=lambda: list(SHELLS))
    ],
) -> None:
    """Print the script that completes words of this command in a shell: names, parameters, solvers, files.

    In bash: eval "$(mfgsolve completion bash)"; in zsh the same, or the file _mfgsolve in a folder of $fpath; in fish:
    mfgsolve completion fish > ~/.config/fish/completions/mfgsolve.fish

    Example:  mfgsolve completion bash > ~/.local/share/bash-completion/completions/mfgsolve
    """
    from mfgsolve.command.report import write_out

    if shell not in SHELLS:
        raise InputError(unknown("shell", shell, SHELLS))
    write_out(_script(shell))


def _script(shell: str) -> str:
    if shell == "bash":
        return BASH
    from typer import completion

    scripts: Any = completion
    return f"{scripts.get_completion_script(prog_name='mfgsolve', complete_var=VARIABLE, shell=shell)}\n"


def prepare() -> None:
    """Answer a shell that asks for words, where one does."""
    if VARIABLE in os.environ:
        from typer import completion

        shells: Any = completion
        shells.completion_init()


# -- what may stand where ----------------------------------------------------------------------------------------------


def _fitting(words: Iterable[tuple[str, str]], incomplete: str) -> Candidates:
    return [(word, text) for word, text in words if word.startswith(incomplete)]


def _paths(incomplete: str, suffixes: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Files of these suffixes, and folders in which some may be."""
    folder, start = os.path.split(incomplete)
    try:
        entries = sorted(os.scandir(Path(folder).expanduser() if folder else "."), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(start) and (start or not entry.name.startswith(".")):
            path = os.path.join(folder, entry.name)
            if Path(entry.name).suffix in suffixes:
                yield path, "file"
            elif entry.is_dir():
                yield f"{path}/", "folder"


def files(*suffixes: str) -> Callable[[str], Candidates]:
    """What completes files of these suffixes."""

    def complete(incomplete: str) -> Candidates:
        return list(_paths(incomplete, suffixes))

    return complete


def _problems() -> Candidates:
    from mfgsolve import problems

    return [(name, problems.get(name).summary) for name in problems.names()]


def _tasks() -> Candidates:
    return [(name, str(kind.summary)) for name, kind in methods.TASKS.items()]


def names(ctx: typer.Context, incomplete: str) -> Candidates:
    """Problems, of ``learn`` tasks, and files."""
    words = _problems() + (_tasks() if ctx.info_name == "learn" else [])
    return _fitting(words, incomplete) + list(_paths(incomplete, (".toml", ".tntp")))


def listed(incomplete: str) -> Candidates:
    """What ``list`` tells about."""
    others = [
        ("tasks", "what can be learned besides games"),
        ("mfglib", "its games"),
        ("openspiel", "its games"),
        ("bench-mfg", "its games"),
    ]
    return _fitting(_problems() + _tasks() + others, incomplete)


def _typed() -> list[str]:
    """The words before the cursor, as the shell passes them on: what is parsed of them lacks those that are needed."""
    return (os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS", "")).split()


def settings(incomplete: str) -> Candidates:
    """Parameters of the problem or task that is named."""
    from mfgsolve import problems
    from mfgsolve.tasks.task import parameters_of

    named, words = parameters_among(_typed()), list[tuple[str, str]]()
    for key, name in named.items():
        if name in methods.TASKS:
            words.append((f"{key}=", f"{parameters_of(methods.TASKS[name])[key]} if absent"))
        else:
            entry = problems.get(name).parameters[key]
            words.append((f"{key}=", f"{entry.meaning}; {entry.default} if absent"))
    if not any(name in methods.TASKS for name in named.values()):
        words.append(("time.discount=", "rate of discount"))
    return _fitting(words, incomplete)


def options(incomplete: str) -> Candidates:
    """Parameters of the learner that is named."""
    from mfgsolve.tasks.task import parameters_of

    board: dict[str, Any] = {**methods.LEARNERS, **methods.TASK_LEARNERS}
    words = _typed()
    task = next((methods.TASKS[word] for word in words if word in methods.TASKS), None)
    name = dict(itertools.pairwise(words)).get("--learner", "mguni" if task is None else task.learner)
    return _fitting(
        [(f"{key}=", f"{value} if absent") for key, value in parameters_of(board[name]).items()] if name in board
        else [], incomplete,
    )  # fmt: skip


def _several(words: Iterable[str]) -> Callable[[str], Candidates]:
    """What completes a list with commas."""
    listed = list(words)

    def complete(incomplete: str) -> Candidates:
        head, comma, last = incomplete.rpartition(",")
        return [(f"{head}{comma}{word}", "") for word in listed if word.startswith(last)]

    return complete


solvers = _several(methods.SOLVERS)
learners = _several([*methods.LEARNERS, *methods.TASK_LEARNERS])
objectives = _several(["equilibrium", "social"])
schemes = _several(["entropic", "upwind"])
kinds = _several(KINDS)
