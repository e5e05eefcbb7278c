"""The command `write`: a named problem as a full file, edited and solved."""

from __future__ import annotations

import json
from pathlib import Path

from command_line import refused, run

WORDS = ["supply-demand", "--shape", "8x8", "--steps", 32, "--scheme", "upwind"]


def test_a_written_file_solves_to_the_same_numbers() -> None:
    said = run("write", *WORDS, "--set", "reward=3.0", "-o", "my.toml").stdout
    assert "Wrote my.toml.  Edit it, then:  mfgsolve solve my.toml" in said
    named = json.loads(run("solve", *WORDS, "--set", "reward=3.0", "--json").stdout)
    full = json.loads(run("solve", "my.toml", "--json").stdout)
    for name in ("potential", "cost", "exploitability", "sweeps", "iterations"):
        assert named[name] == full[name], name
    text = Path("my.toml").read_text()
    assert "amplitude = 3.0" in text
    assert text.startswith("# supply-demand of mfgsolve")
    assert (
        run("write", *WORDS, "--set", "reward=3.0").stdout.partition("\n\n")[2]
        == text.replace('name = "my"', 'name = "supply-demand"').partition("\n\n")[2]
    )


def test_a_wall_is_a_line_away() -> None:
    run("write", *WORDS, "-o", "my.toml")
    text = Path("my.toml").read_text()
    assert "\n# blocked = [{lower = [0.4, 0.4], upper = [0.6, 0.6]}]" in text
    Path("my.toml").write_text(text.replace("\n# blocked", "\nblocked"))
    assert json.loads(run("solve", "my.toml", "--json").stdout)["status"] == "converged"


def test_steps_are_left_to_the_game_where_they_were() -> None:
    run("write", "supply-demand", "--set", "viscosity=0.01", "--shape", "8x8", "-o", "my.toml")
    assert "steps" not in Path("my.toml").read_text()


def test_what_was_written_is_told_as_json() -> None:
    told = json.loads(run("write", "beach-bar", "-o", "my.toml", "--json").stdout)
    assert told["files"] == ["my.toml", "my.npz"]
    assert told["text"] == Path("my.toml").read_text()


def test_what_cannot_be_written_is_told_before() -> None:
    assert "a name that ends in .toml is needed" in " ".join(refused("write", "beach-bar", "-o", "my.txt").split())
    assert "cannot be written as data" in refused("write", "cole-hopf", "-o", "my.toml")
    assert not Path("my.toml").exists()
    Path("it.toml").write_text('problem = "supply-demand"\nshape = [8, 8]\nsteps = 16\n')
    assert "is the same file as the problem file" in " ".join(refused("write", "it.toml", "-o", "it.toml").split())
    run("write", "it.toml", "-o", "full.toml")
    assert "[[coupling]]" in Path("full.toml").read_text()


def test_a_scheme_is_read_as_by_solve(folder: Path) -> None:
    run("write", "supply-demand", "--set", "scheme=upwind", "--shape", "8x8", "-o", "my.toml")
    assert 'scheme = "upwind"' in Path("my.toml").read_text()
    twice = refused("write", "supply-demand", "--scheme", "entropic", "--set", "dynamics.scheme=upwind")
    assert "given by --scheme and by --set; give it once" in twice
    run("write", "my.toml", "-o", "again.toml")
    assert "mfgsolve list" not in Path("again.toml").read_text()
