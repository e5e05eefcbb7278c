"""One declaration a field: what a dataclass says of its fields is read, written, set, listed and described."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve import couplings, dynamics
from mfgsolve.errors import InputError
from mfgsolve.fields import Bump, Quadratic, Total
from mfgsolve.inputs.faults import Faults
from mfgsolve.inputs.forms import FIELD_PER_AXIS, NUMBER, many
from mfgsolve.inputs.tables import Kinds
from mfgsolve.problemfile import all_keys, problem_from_toml, problem_to_toml


@dataclass(frozen=True)
class Windy(mfg.ControlledDiffusion):
    """A diffusion with a field that no file of the package knows of.

    Parameters
    ----------
    drift : velocity b(t, X), length / time; not by the agents' will
    """

    drift: Any = field(default=0.0, metadata={"form": FIELD_PER_AXIS})


@dataclass(frozen=True, eq=False)
class Doubled(mfg.CrowdAversion):
    """A coupling of somebody's own; ``secret`` can be stated in Python alone."""

    factors: tuple[float, ...] = ()
    secret: Callable[[float], float] | None = None
    hidden: float = field(default=1.0, metadata={"form": None})


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    dynamics.KINDS.register("windy", Windy)
    couplings.KINDS.register("doubled", Doubled)
    yield
    del dynamics.KINDS["windy"], couplings.KINDS["doubled"]


TEXT = """name = "wind"
[grid]
shape = [4, 6]
[time]
horizon = 1.0
steps = 8
unit = "h"
[dynamics]
scheme = "upwind"
kind = "windy"
viscosity = 0.1
drift = [0.5, {quadratic = {weight = 1.0, centre = [0.5, 0.5]}}]
[[coupling]]
kind = "doubled"
strength = 0.2
factors = [1, 2.5]
[initial]
density = 1.0
"""
LINE = TEXT.replace("[4, 6]", "[6]")


def drift(value: str, text: str = TEXT) -> Any:
    return problem_from_toml(
        text.replace("[0.5, {quadratic = {weight = 1.0, centre = [0.5, 0.5]}}]", value)
    ).dynamics.drift  # type: ignore[union-attr]


def fault(text: str = TEXT, **settings: Any) -> str:
    with pytest.raises(InputError) as caught:
        problem_from_toml(text, settings={key.replace("__", "."): value for key, value in settings.items()})
    return str(caught.value)


def test_a_new_field_is_read_and_written() -> None:
    problem = problem_from_toml(TEXT)
    assert problem.dynamics == Windy(0.1, drift=(0.5, Quadratic(1.0, (0.5, 0.5))), scheme="upwind")
    assert problem.coupling.factors == (1.0, 2.5)  # type: ignore[union-attr]
    assert problem_to_toml(problem) == TEXT
    assert problem_to_toml(dataclasses.replace(problem)) == TEXT, "read again and compared"


def test_a_new_field_is_set_by_its_dotted_key() -> None:
    bump = {"bump": {"centre": [0.5, 0.5]}}
    problem = problem_from_toml(TEXT, settings={"dynamics.drift": [[1.0, bump], 2], "coupling.0.factors": []})
    assert problem.dynamics.drift == (Total((1.0, Bump(centre=(0.5, 0.5)))), 2.0)  # type: ignore[union-attr]
    again = problem_from_toml(problem_to_toml(problem))
    assert again.dynamics == problem.dynamics
    assert again.coupling.factors == ()  # type: ignore[union-attr]


def test_a_new_field_is_listed_and_described() -> None:
    assert (
        "dynamics: unknown key 'drfit'; did you mean 'drift'? allowed: control_cost, drift, form, movement, "
        "noise, reach, scheme, viscosity" in fault(dynamics__drfit=1.0)
    )
    told = all_keys()
    assert "drift : a list of fields, one for each axis in the order x, y, z" in told
    assert "velocity b(t, X), length / time" in " ".join(told.split())
    assert "by the agents' will" not in told, "one clause of the docstring"


def test_a_field_for_each_axis() -> None:
    assert drift("[0.5, -1]") == (0.5, -1.0)
    assert drift("0.5", LINE) == drift("[0.5]", LINE) == 0.5
    assert np.array_equal(drift("[1, 2, 3, 4, 5, 6]", LINE).values, [1, 2, 3, 4, 5, 6])
    assert "dynamics.drift: 0.5 came; a list of 2 fields, one for each axis in the order x, y, is" in fault(
        dynamics__drift=0.5
    )
    assert "[0.5] came; a list of 2 fields" in fault(dynamics__drift=[0.5])
    assert "dynamics.drift[1]: 'x' is no number" in fault(dynamics__drift=[0.5, "x"])
    assert "drift: a list of the file has shape (3,); (4, 6) or" in fault(dynamics__drift=[0.5, [1, 2, 3]])
    listed = TEXT.replace("[grid]\nshape = [4, 6]", "[states]\ncount = 3")
    assert "dynamics.drift: a field for each axis needs a [grid]; [states] have no axes" in fault(listed)


def test_an_array_of_cells_ties_a_problem_to_its_grid() -> None:
    one = "[1, 2, 3, 4, 5, 6]"
    assert problem_from_toml(LINE.replace("[0.5, {quadratic = {weight = 1.0, centre = [0.5, 0.5]}}]", one)).rescaled(
        (3,), 4
    ) is None  # fmt: skip


@pytest.mark.parametrize("changed", [(0.5, 0.0), (0.5, lambda t, c: c.x), (0.5, Quadratic(1.1, (0.5, 0.5)))])
def test_a_field_that_was_changed_in_python_is_not_hidden_behind_the_text(changed: Any) -> None:
    problem = problem_from_toml(TEXT)
    other = dataclasses.replace(problem, dynamics=dataclasses.replace(problem.dynamics, drift=changed))  # type: ignore[type-var]
    with pytest.raises(InputError, match="was changed in Python after it was built"):
        problem_to_toml(other)
    function = dataclasses.replace(
        problem,
        dynamics=Windy(0.1, drift=(0.5, lambda t, c: 0.5 * ((c.x - 0.5) ** 2 + (c.y - 0.5) ** 2)), scheme="upwind"),
    )
    assert problem_to_toml(function) == TEXT, "the same values, however they were stated"


def test_what_no_file_can_state_is_no_key() -> None:
    for name in ("secret", "hidden"):
        assert f"coupling[0]: unknown key {name!r}; " in fault(**{f"coupling__0__{name}": 1.0})
    assert "unknown key 'kernel'; allowed: monotone, strength, width" in fault(
        TEXT.replace('"doubled"\nstrength = 0.2\nfactors = [1, 2.5]', '"nonlocal"\nwidth = 0.5\nkernel = 1.0')
    )
    assert "unknown key 'hamiltonian'" in fault(dynamics__hamiltonian=1.0)


def test_rescaled_times_keep_their_other_fields() -> None:
    problem = problem_from_toml(TEXT).rescaled((2, 3), 4)
    assert problem is not None
    assert problem.time == mfg.TimeGrid(1.0, 4, "h")


def test_words_are_taken_once_and_classes_must_be_writable() -> None:
    kinds = Kinds({"windy": Windy})
    kinds.register("windy", Windy)
    with pytest.raises(InputError, match="kind 'windy' is taken by Windy; take another word"):
        kinds.register("windy", mfg.ControlledDiffusion)

    @dataclass
    class Closed:
        rule: Callable[[float], float]

    with pytest.raises(InputError, match="field rule of Closed has no form in a problem file, and no default"):
        kinds.register("closed", Closed)
    assert list(kinds) == ["windy"]


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("time", 3, "time: 3 is no table; its keys are horizon, steps, unit, discount, chosen"),
        ("grid__shape", 32, "grid.shape: 32 is no list; a list of whole numbers is needed"),
        ("grid__bounds", [[0.0, 1.0], [1.0]], "grid.bounds[1]: Not enough values: [1.0] came, a row of 2 is needed"),
        ("coupling", {"kind": "log"}, "a list of tables with a kind is needed"),
        ("data", {}, "{} is no name of a data file; write data = 'game.npz'"),
        ("dynamics", {"kind": "roads"}, "unknown kind of dynamics 'roads'; "),
    ],
)
def test_faults_speak_of_files(key: str, value: Any, sentence: str) -> None:
    told = fault(**{key: value})
    assert sentence in told
    assert "object" not in told


def test_a_list_tells_of_all_its_entries() -> None:
    with pytest.raises(Faults) as caught:
        many(NUMBER).read([1, "a", 2, True], None)  # type: ignore[arg-type]
    assert caught.value.lines() == ["[1]: 'a' is no number", "[3]: True is no number"]
