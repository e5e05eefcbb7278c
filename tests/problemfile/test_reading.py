"""Problem files that are read: named problems, files that are none, and overrides."""

from __future__ import annotations

import pytest
from same_games import EXAMPLE, SMALL, in_python, same_game

from mfgsolve import problems
from mfgsolve.errors import FileError, InputError
from mfgsolve.problemfile import problem_from_toml, problem_to_toml, read_problem


class TestNamed:
    @pytest.mark.parametrize("name", problems.names("game"))
    def test_goes_out_and_in(self, name: str) -> None:
        entry = problems.get(name)
        shape = {1: (12,), 2: (8, 16)}[len(entry.shape)] if "shape" in entry.resolution else None
        shape = (22, 32) if name == "evacuation" else shape  # doors have a width
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
        text = 'problem = "supply-demand"\nsteps = 9\n[parameters]\nreward = 3\n[dynamics]\nscheme = "upwind"\n'
        problem = problem_from_toml(text, shape=(4, 5), settings={"width": 0.2, "parameters.hold": 0.1})
        wanted = problems.supply_demand(shape=(4, 5), steps=9, reward=3.0, width=0.2, hold=0.1, scheme="upwind")
        assert same_game(problem, wanted)
        assert problem.parameters == wanted.parameters


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
