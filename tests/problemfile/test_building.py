"""Everything that is wrong with what was stated is told at once, each with its place."""

from __future__ import annotations

import pytest
from same_games import EXAMPLE

from mfgsolve.errors import InputError
from mfgsolve.problemfile import problem_from_toml


def fault(text: str, **overrides) -> str:
    with pytest.raises(InputError) as caught:
        problem_from_toml(text, **overrides)
    return str(caught.value)


def test_all_faults_at_once_with_their_places() -> None:
    text = EXAMPLE
    for old, new in (
        ("viscosity", "viscocity"),
        ("horizon = 1.0", 'horizon = "x"'),
        ('"congestion"', '"congestoin"'),
        ("density = {bump", "density = {bmp"),
        ('unit = "km"', "unit = 3"),
        ("inside", "insied"),
        ("normalise = true", "normalise = 1"),
        ("strength = 0.1", "strength = nan"),
    ):
        assert old in text
        text = text.replace(old, new)
    lines = fault(text).split("\n")
    expected = [
        "grid.unit: 3 is no text",
        "time.horizon: 'x' is no number",
        "dynamics: unknown key 'viscocity'; did you mean 'viscosity'?",
        "initial.density: unknown field 'bmp'; did you mean 'bump'?",
        "initial.normalise: 1 is neither true nor false",
        "terminal.cost[1]: unknown key 'insied'; did you mean 'inside'?",
        "terminal.coupling[0].strength: nan is not finite",
        "coupling[0]: unknown kind of coupling 'congestoin'; did you mean 'congestion'?",
    ]
    assert len(lines) == len(expected)
    for line, words in zip(lines, expected, strict=True):
        assert line.startswith(f"problem text: {words}"), line


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("steps = 256", "steps = 0", "time: time grid has 0 steps; a whole number of at least 1"),
        ("steps = 256", "steps = true", "time.steps: True is no whole number"),
        ("horizon = 1.0\nsteps", "steps", "time.horizon: this key is missing"),
        ("control_cost = 1.0", "control_cost = -1", "dynamics: control cost is -1.0; it must be positive"),
        (
            'noise = "implicit"',
            'noise = "implict"',
            "dynamics: unknown noise operator 'implict'; did you mean 'implicit'?",
        ),
        ("shape = [32, 64] ", "shape = [32, 64.0]", "grid.shape[1]: 64.0 is no whole number"),
        ("shape = [32, 64] ", "shape = 32", "grid"),
        ("[0.0, 2.0]]", "[0.0, 2.0], [0.0, 1.0]]", "grid: bounds has 3 entries for a grid of 2 axes"),
        ("[0.0, 2.0]]", "[2.0, 0.0]]", "grid: axis x goes from 2.0 to 0.0; start must lie below stop"),
        ("[0.0, 2.0]]", "[2.0]]", "grid.bounds[1]: Not enough values"),
        ("lower = [0.9, 0.3]", "lower = [0.9]", "grid: box from (0.9,) to (1.1, 1.0) does not fit"),
        (
            "lower = [0.9, 0.3], upper = [1.1, 1.0]",
            "lower = [0, 0], upper = [2, 1]",
            "grid: every cell of the grid is blocked",
        ),
        ('boundary = "reflecting"', 'boundary = ["reflecting", "periodc"]', "did you mean 'periodic'?"),
        ('boundary = "reflecting"', "boundary = 1", "grid.boundary: 1 is neither a text nor a list of texts"),
        ("congestion = 0.1", "congestion = 0", "coupling[0]: congestion is 0.0; it must be positive"),
        ("amplitude = 2.0", "amplitude = -2.0", "congestion reward is negative"),
        ("amplitude = 2.0", "centre = [0.0, 0.0]", "a bump needs either a centre or a path, and not both"),
        ("centre = [0.2, 0.2]", "centre = [0.2]", "initial density: point [0.2] has 1 coordinates; the grid has"),
        ("centre = [0.2, 0.2]", 'centre = "ab"', "initial.density.centre"),
        ("normalise = true", "", "initial density sums to 0.0600593"),
        ("    1.0,\n", "", None),
        ("    1.0,", "[],", "terminal.cost[0]: a field is a number, a table with one of"),
        ("{quadratic = {weight", "{quadratic = {weigth", "unknown key 'weigth'; did you mean 'weight'?"),
        ('kind = "congestion"', 'kind = ["congestion"]', "unknown kind of coupling"),
        ('kind = "congestion"', "", "a coupling is a table with a kind, one of capacity, congestion, crowd-aversion"),
        ('name = "two-hills"', "", None),
        ('name = "two-hills"', "name = 2", "name: 2 is no text"),
        ("[initial]", "[intial]", "unknown key 'intial'; did you mean 'initial'?"),
    ],
)
def test_each_fault_has_its_sentence(old: str, new: str, words: str | None) -> None:
    assert EXAMPLE.count(old) >= 1
    text = EXAMPLE.replace(old, new, 1)
    if words is None:
        problem_from_toml(text)
    else:
        assert words in fault(text)


def test_faults_of_named_problems() -> None:
    assert "did you mean 'supply-demand'" in fault('problem = "suply-demand"')
    assert "unknown parameter of supply-demand 'rewrd'; did you mean 'reward'" in fault(
        'problem = "supply-demand"\n[parameters]\nrewrd = 2.0'
    )
    assert "unknown parameter of supply-demand 'rewrd'" in fault('problem = "supply-demand"', settings={"rewrd": 2.0})
    assert "parameter reward of supply-demand is '2'; a number is needed" in fault(
        'problem = "supply-demand"', settings={"reward": "2"}
    )
    assert "unknown key 'parameter'; did you mean 'parameters'?" in fault('problem = "montreal"\n[parameter]\n')
    assert "problem: 1 is no text" in fault("problem = 1")
