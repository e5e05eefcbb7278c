"""Problem files: what is read is what was written, every fault is told at once, and nothing is executed."""

from __future__ import annotations

import dataclasses
import json
import textwrap
import tomllib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mfgsolve.problemfile as problemfile
from mfgsolve import problems
from mfgsolve.couplings import Congestion, CrowdAversion, LogCongestion, Nonlocal, RunningCost, Sum
from mfgsolve.dynamics import ControlledDiffusion
from mfgsolve.errors import FileError, InputError
from mfgsolve.fields import Box, Bump, Quadratic
from mfgsolve.games import Game, make_game, sampled
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.problemfile import problem_from_toml, problem_to_toml, read_problem
from mfgsolve.problemfile.tomlwriter import dump_toml

EXAMPLE = textwrap.dedent(problemfile.__doc__.split("their sum::\n")[1].split("\n*Lattice")[0])
SMALL = dict(shape=(8, 16), steps=8)


def same_game(a: Problem, b: Problem) -> bool:
    one, two = make_game(a), make_game(b)
    if one.has_tables:
        arrays = [[*sampled(g), *g.transitions, g.own_cost, g.allowed, *g.amounts, g.weights] for g in (one, two)]
        bounds = [[array for block in g.bounds() for array in block[2:]] for g in (one, two)]
        pairs = zip(arrays[0] + bounds[0], arrays[1] + bounds[1], strict=True)
        return one.temperature == two.temperature and all(np.array_equal(x, y) for x, y in pairs)
    mass = np.random.default_rng(0).random((one.steps + 1, *one.shape))
    arrays = [(g.initial_mass, g.terminal_cost, g.price(mass), g.scheme.spacing, g.scheme.cap) for g in (one, two)]
    numbers = [(g.dt, tuple(g.scheme.control_cost), tuple(g.scheme.rate), g.scheme.noise) for g in (one, two)]
    return numbers[0] == numbers[1] and all(np.array_equal(x, y) for x, y in zip(*arrays, strict=True))


def in_python(shape=(32, 64), steps=256) -> Problem:
    """The example of the documentation, stated in Python."""

    def wall(c):
        return (c.x >= 0.9) & (c.x <= 1.1) & (c.y >= 0.3)

    path = ((0.0, 0.2, 0.2), (1.0, 1.8, 0.8))
    return Problem(
        grid=Grid.box(shape, bounds=[(0, 1), (0, 2)], unit="km", blocked=wall),
        time=TimeGrid(1.0, steps, "h"),
        dynamics=ControlledDiffusion(0.01, 1.0),
        coupling=Congestion(Bump(2.0, 0.1, path=path), 0.1),
        initial=Bump(1.0, 0.1, (0.2, 0.2)),
        terminal=lambda t, c: 1.0 - 1.0 * (c.x >= 1.5) + 0.5 * ((c.x - 2.0) ** 2 + (c.y - 0.5) ** 2),
        terminal_coupling=CrowdAversion(0.1),
        normalise=True,
    )


class TestDeclared:
    def test_the_documented_example_is_the_problem_it_says(self) -> None:
        problem = problem_from_toml(EXAMPLE)
        assert same_game(problem, in_python())
        assert (problem.name, problem.grid.axes[0].unit, problem.time.unit) == ("two-hills", "km", "h")
        np.testing.assert_allclose(problem.track(0.5), [1.0, 0.5])

    def test_text_is_kept_as_written(self) -> None:
        assert problem_to_toml(problem_from_toml(EXAMPLE)) == EXAMPLE

    def test_other_resolutions_go_into_the_text(self) -> None:
        for problem in (problem_from_toml(EXAMPLE, **SMALL), problem_from_toml(EXAMPLE).rescaled((8, 16), 8)):
            again = problem_from_toml(problem_to_toml(problem))
            assert (again.grid.shape, again.time.steps) == ((8, 16), 8)
            assert same_game(problem, again)
            assert same_game(problem, in_python(**SMALL))

    def test_settings_replace_values_and_go_into_the_text(self) -> None:
        values = {"coupling.0.congestion": 0.2, "dynamics.noise": "explicit", "grid.blocked.0.lower": [1.0, 0.5]}
        problem = problem_from_toml(EXAMPLE, settings=values, **SMALL)
        assert problem.coupling.congestion == 0.2
        assert problem.dynamics.noise == "explicit"
        assert problem.grid.mask.sum() < problem_from_toml(EXAMPLE, **SMALL).grid.mask.sum()
        assert same_game(problem, problem_from_toml(problem_to_toml(problem)))

    def test_every_coupling_and_field(self) -> None:
        head = '[grid]\nshape = [8]\nboundary = "periodic"\n[time]\nhorizon = 2\nsteps = 4\n[dynamics]\nviscosity = 1\n'
        kinds = """
            [initial]
            density = 1
            [[coupling]]
            kind = "crowd-aversion"
            strength = [1, {box = {lower = [0.0], upper = [0.5]}}]
            power = 2
            [[coupling]]
            kind = "log"
            strength = 0.3
            [[coupling]]
            kind = "nonlocal"
            width = 0.2
            [[coupling]]
            kind = "running-cost"
            cost = {quadratic = {weight = 3.0, centre = [0.5]}}
        """
        problem = problem_from_toml(head + textwrap.dedent(kinds))
        python = Problem(
            grid=Grid.box((8,), boundary="periodic"),
            time=TimeGrid(2.0, 4),
            dynamics=ControlledDiffusion(1.0),
            coupling=Sum(
                (
                    CrowdAversion(lambda t, c: 1 + Box((0.0,), (0.5,))(t, c), 2.0),
                    LogCongestion(0.3),
                    Nonlocal(width=0.2),
                    RunningCost(Quadratic(3.0, (0.5,))),
                )
            ),
            initial=1.0,
        )
        assert same_game(problem, python)

    def test_without_a_coupling_there_is_no_crowd(self) -> None:
        text = "[grid]\nshape=[8]\n[time]\nhorizon=1.0\nsteps=4\n[dynamics]\n[initial]\ndensity=1.0\n"
        game = Game(problem_from_toml(text))
        assert not game.price(np.ones((5, *game.shape))).any()


class TestNamed:
    @pytest.mark.parametrize("name", problems.names())
    def test_goes_out_and_in(self, name: str) -> None:
        entry = problems.get(name)
        shape = {1: (12,), 2: (8, 16)}[len(entry.shape)] if "shape" in entry.resolution else None
        steps = 8 if "steps" in entry.resolution else None
        odd = {key: p.default * 0.99 for key, p in entry.parameters.items() if p.kind is float}
        problem = problems.build(name, odd, shape, steps)
        text = problem_to_toml(problem)
        again = problem_from_toml(text)
        assert same_game(problem, again)
        assert again.parameters == problem.parameters
        assert problem_to_toml(again) == text
        if not problem.is_finite:
            assert problem_to_toml(problem.rescaled(shape, 4)) == text.replace("steps = 8", "steps = 4")

    def test_settings_and_resolution(self) -> None:
        text = 'problem = "supply-demand"\nsteps = 9\n[parameters]\nreward = 3\n'
        problem = problem_from_toml(text, shape=(4, 5), settings={"width": 0.2, "parameters.hold": 0.1})
        wanted = problems.supply_demand(shape=(4, 5), steps=9, reward=3.0, width=0.2, hold=0.1)
        assert same_game(problem, wanted)
        assert problem.parameters == wanted.parameters


def test_python_functions_are_refused() -> None:
    with pytest.raises(InputError, match="made from Python functions, which a file cannot hold; use a named problem"):
        problem_to_toml(in_python())


@pytest.mark.parametrize(
    "change",
    [
        {"coupling": CrowdAversion(0.3)},
        {"coupling": Congestion(lambda t, c: 2.0 - t, 0.1)},
        {"dynamics": ControlledDiffusion(0.002, 0.5, "explicit")},
        {"time": TimeGrid(2.0, 8)},
        {"grid": Grid.box((8, 8), bounds=[(0, 1), (0, 2)])},
        {"grid": Grid.box((8, 8), blocked=lambda c: (c.x > 0.8) & (c.y > 0.8))},
        {"initial": Bump(1.0, 0.3, (0.5, 0.5))},
        {"terminal": 1.0},
        {"terminal_coupling": CrowdAversion(0.3)},
    ],
)
def test_a_change_in_python_is_refused(change: dict) -> None:
    problem = problems.supply_demand(shape=(8, 8), steps=8)
    problem_to_toml(problem)
    with pytest.raises(InputError, match="changed in Python after it was built, and a file cannot hold the change"):
        problem_to_toml(dataclasses.replace(problem, **change))


def test_rescaled_text_keeps_the_normalisation() -> None:
    text = EXAMPLE.replace("normalise = true", "normalise = false").replace(
        "density = {bump = {width = 0.1, centre = [0.2, 0.2]}}", "density = {box = {lower = [0, 0], upper = [0.75, 1]}}"
    )
    text = text.replace("upper = [0.75, 1]", "upper = [0.75, 1], inside = 1.3333333333333333")
    problem = problem_from_toml(text)
    again = problem_from_toml(problem_to_toml(problem.rescaled((6, 10), 8)))  # the box no longer ends between cells
    assert again.initial_mass().sum() == pytest.approx(1, abs=1e-12)


# -- faults ----------------------------------------------------------------------------------------------------------


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


def test_settings_that_fit_nowhere() -> None:
    def told(key: str) -> str:
        return fault(EXAMPLE, settings={key: 1.0})

    assert "unknown key 'congestoin'; did you mean 'congestion'?" in told("coupling.0.congestoin")
    assert "unknown key 'terminl'; did you mean 'terminal'?" in told("terminl.cost")
    assert "setting 'coupling.3.congestion': unknown place in a list '3'; allowed: 0" in told("coupling.3.congestion")
    assert "goes through a value that is no table" in told("time.horizon.x")
    assert "unknown key ''" in told("")


def test_files_that_cannot_be_read(tmp_path) -> None:
    with pytest.raises(FileError, match=r"problem file .*none.toml cannot be read: No such file"):
        read_problem(tmp_path / "none.toml")
    with pytest.raises(FileError, match="cannot be read: Is a directory"):
        read_problem(tmp_path)
    (tmp_path / "a.toml").write_bytes(b"\x89HDF\r\n\xff\xfe")
    with pytest.raises(FileError, match="no text in UTF-8"):
        read_problem(tmp_path / "a.toml")
    (tmp_path / "b.toml").write_text("[grid\nshape = 3")
    with pytest.raises(FileError, match=r"b.toml is not TOML: .*line 1"):
        read_problem(tmp_path / "b.toml")
    (tmp_path / "c.toml").write_text("import os\nos.remove('c.toml')\n")
    with pytest.raises(FileError, match="not TOML"):
        read_problem(tmp_path / "c.toml")
    deep = EXAMPLE.replace("    1.0,", "[" * 5000 + "1" + "]" * 5000 + ",")
    with pytest.raises(FileError, match="nested too deeply"):
        problem_from_toml(deep)


def test_read_problem_takes_overrides_and_names_the_file(tmp_path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(EXAMPLE, encoding="utf-8")
    assert same_game(read_problem(file, (8, 16), 8, {"coupling.0.congestion": 0.1}), in_python(**SMALL))
    with pytest.raises(InputError, match=r"problem file .*mine.toml: time: time grid has 0 steps"):
        read_problem(file, steps=0)


# -- writing ---------------------------------------------------------------------------------------------------------

numbers = st.one_of(st.booleans(), st.integers(-(2**62), 2**62), st.floats(allow_nan=False), st.text())
values = st.recursive(
    numbers, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(), values, max_size=4))
def test_what_is_written_is_what_is_read(document: dict) -> None:
    again = tomllib.loads(dump_toml(document))
    assert json.dumps(again, sort_keys=True) == json.dumps(document, sort_keys=True)  # tells 1, 1.0 and true apart
