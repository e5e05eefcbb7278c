"""The scheme of a diffusion in the text of its problem: what is written states it, whether or not what was read did.

Texts that mfgsolve wrote before 0.7 say nothing of schemes, and mean upwind, the only one that there was.
"""

from __future__ import annotations

import contextlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mfgsolve import dynamics
from mfgsolve.cautions import Caution, unique
from mfgsolve.errors import InputError
from mfgsolve.inputs.tables import table
from mfgsolve.problem import Problem
from mfgsolve.problemfile.tomlwriter import dump_toml
from mfgsolve.problems import registry

__all__ = ["as_then", "restated", "stating"]

FIRST = (0, 7)  # version of mfgsolve that knows schemes
REMARK = (
    "The file was written by mfgsolve {version}, whose diffusions were upwind; the problem given states no scheme, and "
    "is taken as upwind: scheme = 'upwind' says that this is meant"
)


def stating(text: str, problem: Problem) -> str:
    """The text of a declared problem, with the scheme that the problem takes under ``[dynamics]``.

    Comments are kept where a line alone has to be added.
    """
    chain, document = problem.all_dynamics[0].chain, tomllib.loads(text)
    stated = document.get("dynamics")
    if not (chain and isinstance(stated, dict)):
        return text
    others = {key: value for key, value in stated.items() if key not in ("scheme", "reach")}
    wanted = document | {"dynamics": others | chain}
    if wanted == document:
        return text
    lines = "".join(f"{key} = {_value(value)}\n" for key, value in chain.items() if key not in stated)
    longer = re.sub(r"(?m)^([ \t]*\[dynamics\][^\n]*\n)", lambda found: found[1] + lines, text, count=1)
    with contextlib.suppress(tomllib.TOMLDecodeError):
        if tomllib.loads(longer) == wanted:
            return longer
    return dump_toml(wanted)


def _value(value: str | int) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


# -- earlier versions --------------------------------------------------------------------------------------------------


def restated(text: str, version: str) -> str:
    """The text of a problem that a file of some version keeps, so that it means today what it meant then."""
    if not _is_earlier(version):
        return text
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError):  # told by those who read it
        return text
    stated = document.get("dynamics", {})
    if not isinstance(stated, dict) or "scheme" in stated or not _has_scheme(document):
        return text
    return dump_toml(document | {"dynamics": {**stated, "scheme": "upwind"}})


def _has_scheme(document: Mapping[str, Any]) -> bool:
    """Whether the dynamics of a problem take a scheme."""
    name = document.get("problem")
    if name is not None:
        try:
            return "scheme" in registry.get(str(name)).resolution
        except InputError:  # of another library, or none
            return False
    kind = document["dynamics"].get("kind", "diffusion") if isinstance(document.get("dynamics"), dict) else ""
    return isinstance(kind, str) and kind in dynamics.KINDS and "scheme" in table(dynamics.KINDS[kind]).keys


def as_then(problem: Problem, version: str) -> Problem:
    """A problem stated in Python, as a file of that version means it where no scheme is stated; this is said."""
    if not _is_earlier(version) or problem.scheme in ("", "upwind") or problem.stated_dynamics[0].scheme is not None:
        return problem
    upwind, remark = problem.with_scheme("upwind"), Caution("upwind-scheme", REMARK.format(version=version))
    plain = [caution for caution in upwind.cautions if caution.code != remark.code]
    return replace(upwind, cautions=unique(plain, [remark]))


def _is_earlier(version: str) -> bool:
    """Whether a version of mfgsolve did not know schemes."""
    numbers = re.match(r"(\d+)\.(\d+)", version)
    return numbers is not None and (int(numbers[1]), int(numbers[2])) < FIRST
